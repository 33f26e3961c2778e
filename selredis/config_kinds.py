"""What a parameter's value can be: each kind reads its words and prints its value as Redis does.

Text is bytes, as it stands in a file, in a command or in argv; values are what the rest of the server works with.
`read` raises ConfigError with Redis's own reason (config.c), and a reason never repeats the text that it is about:
that may be a password.
"""

import errno
import os
import re
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

from selredis.errors import ConfigError, ReplyError
from selredis.numeric import floating, integer, memory_bytes
from selredis.resp.inline import quote

INT_MAX = 2**31 - 1
INT_MIN = -(2**31)
UINT_MAX = 2**32 - 1
LONG_MAX = 2**63 - 1
ULONG_MAX = 2**64 - 1

WRONG_NUMBER_OF_ARGUMENTS = 'wrong number of arguments'

V = TypeVar('V')

Check = Callable[[Any], None]
"""Looks at a value that its kind has read; raises ConfigError for one that this parameter does not take."""


class Line(NamedTuple):
    """What stands behind a parameter's name in a line of a file."""

    words: bytes
    needed: bool  # even in a file that has no such line: without it the value would be another one


class Kind(Generic[V]):
    many: ClassVar[bool] = False  # several words; in CONFIG SET one text with a space between two
    secret: ClassVar[bool] = False

    def read(self, words: list[bytes], before: V) -> V:
        """The value that the words ask for; `before` is the value so far. One word, unless the kind takes many."""
        raise NotImplementedError

    def read_line(self, words: list[bytes], before: V) -> V:
        """The same for a line of a file, where some kinds add to what earlier lines said."""
        return self.read(words, before)

    def show(self, value: V) -> bytes:
        """The value as CONFIG GET prints it; `read` takes it back."""
        raise NotImplementedError

    def lines(self, value: V, default: V) -> list[Line]:
        """The value as CONFIG REWRITE writes it, so that `read_line` takes it back; none if lines can only be wrong."""
        return [Line(self.show(value), value != default)]


def c_string(text: bytes) -> str:
    """What the system makes of a text: it ends at its first NUL."""
    return os.fsdecode(text.partition(b'\0')[0])


def c_integer(text: bytes) -> int | None:
    """Read a number as C's strtoll does: blanks before it, a sign, no digits at all for 0. None for anything else.

    What 64 bits cannot hold is the last number that they can.
    """
    if not text:
        return 0
    match = re.fullmatch(rb'[ \t-\r]*([+-]?)([0-9]+)', text)
    if match is None:
        return None
    digits = match[2].lstrip(b'0') or b'0'
    number = int(digits) if len(digits) < 20 else LONG_MAX + 1
    return max(-number, -LONG_MAX - 1) if match[1] == b'-' else min(number, LONG_MAX)


def accept_all(value: Any) -> None:
    """The check of a parameter that takes every value of its kind."""


class YesNo(Kind[bool]):
    def __init__(self, check: Check = accept_all) -> None:
        self.check = check

    def read(self, words: list[bytes], before: bool) -> bool:
        word = words[0].lower()
        if word not in (b'yes', b'no'):
            raise ConfigError("argument must be 'yes' or 'no'")
        value = word == b'yes'
        self.check(value)
        return value

    def show(self, value: bool) -> bytes:
        return b'yes' if value else b'no'


class Integer(Kind[int]):
    """A whole number from `low` to `high`; one outside `clamp` is taken, and brought to its nearer end."""

    def __init__(self, low: int, high: int, clamp: tuple[int, int] | None = None) -> None:
        self.low = low
        self.high = high
        self.clamp = clamp or (low, high)

    def number(self, text: bytes) -> int:
        try:
            return integer(text)
        except ReplyError:
            raise ConfigError("argument couldn't be parsed into an integer") from None

    def show(self, value: int) -> bytes:
        return b'%d' % value

    def read(self, words: list[bytes], before: int) -> int:
        value = self.number(words[0])
        if not self.low <= value <= self.high:
            low, high = self.show(self.low).decode(), self.show(self.high).decode()
            raise ConfigError(f'argument must be between {low} and {high} inclusive')
        lowest, highest = self.clamp
        return min(max(value, lowest), highest)


class Octal(Integer):
    """Permission bits: `unixsocketperm 700`."""

    def number(self, text: bytes) -> int:
        if not re.fullmatch(rb'([ \t-\r]*[+-]?[0-7]+)?', text):
            raise ConfigError("argument couldn't be parsed as an octal number")
        return int(text or b'0', 8)

    def show(self, value: int) -> bytes:
        return b'%o' % value


class Memory(Integer):
    """Bytes, with Redis's units: k is 1000, kb 1024."""

    unreadable = 'argument must be a memory value'

    def number(self, text: bytes) -> int:
        try:
            return memory_bytes(text)
        except ValueError:
            raise ConfigError(self.unreadable) from None

    def lines(self, value: int, default: int) -> list[Line]:
        return [Line(with_unit(value), value != default)]


def with_unit(amount: int) -> bytes:
    """An amount of memory in the largest unit that it is a multiple of."""
    for unit, size in ((b'gb', 1024**3), (b'mb', 1024**2), (b'kb', 1024)):
        if amount and amount % size == 0:
            return b'%d%b' % (amount // size, unit)
    return b'%d' % amount


class MemoryOrPercent(Memory):
    """Bytes, or a share of maxmemory: `5%` is kept as -5."""

    unreadable = 'argument must be a memory or percent value'

    def read(self, words: list[bytes], before: int) -> int:
        text = words[0]
        if not text.endswith(b'%'):
            return super().read(words, before)
        try:
            share = integer(text[:-1])
        except ReplyError:
            share = -1
        if share < 0:
            raise ConfigError(self.unreadable)
        if share > 100:
            raise ConfigError('percentage argument must be less or equal to 100')
        return -share

    def show(self, value: int) -> bytes:
        return b'%d%%' % -value if value < 0 else b'%d' % value

    def lines(self, value: int, default: int) -> list[Line]:
        return [Line(self.show(value), value != default)] if value < 0 else super().lines(value, default)


class Choice(Kind[str]):
    """One of several names; `same` gives the names that mean another one."""

    def __init__(self, *names: str, same: dict[str, str] | None = None, check: Check = accept_all) -> None:
        self.names = names
        self.same = same or {}
        self.check = check

    def name(self, word: bytes) -> str:
        name = word.decode('latin-1').lower()
        if name not in self.names:
            raise self.no_such_name()
        return self.same.get(name, name)

    def no_such_name(self) -> ConfigError:
        return ConfigError(f'argument(s) must be one of the following: {", ".join(self.names)}')

    def read(self, words: list[bytes], before: str) -> str:
        value = self.name(words[0])
        self.check(value)
        return value

    def show(self, value: str) -> bytes:
        return value.encode()


class Choices(Kind[tuple[str, ...]]):
    """Any of several names together, printed in the order of their list; the first name stands for none of them."""

    many = True

    def __init__(self, *names: str, check: Check = accept_all) -> None:
        self.choice = Choice(*names)
        self.check = check

    def read(self, words: list[bytes], before: tuple[str, ...]) -> tuple[str, ...]:
        if not words:
            raise self.choice.no_such_name()
        chosen = {self.choice.name(word) for word in words}
        value = tuple(name for name in self.choice.names[1:] if name in chosen)
        self.check(value)
        return value

    def show(self, value: tuple[str, ...]) -> bytes:
        return ' '.join(value or self.choice.names[:1]).encode()


class Text(Kind[str]):
    """Any text but NULs; where `may_be_none` an empty one is none at all, and has no line in a file."""

    def __init__(self, check: Check = accept_all, *, may_be_none: bool = False) -> None:
        self.check = check
        self.may_be_none = may_be_none

    def read(self, words: list[bytes], before: str) -> str:
        value = c_string(words[0])
        self.check(value)
        return value

    def show(self, value: str) -> bytes:
        return os.fsencode(value)

    def lines(self, value: str, default: str) -> list[Line]:
        return [] if self.may_be_none and not value else [Line(quote(self.show(value)), value != default)]


class Secret(Kind[bytes]):
    """A password, any bytes, or none. It is shown by CONFIG GET, and kept out of logs and error texts."""

    secret = True

    def read(self, words: list[bytes], before: bytes) -> bytes:
        return words[0]

    def show(self, value: bytes) -> bytes:
        return value

    def lines(self, value: bytes, default: bytes) -> list[Line]:
        return [Line(quote(value), True)] if value else []


class Directory(Kind[str]):
    """A directory that can be entered, as an absolute path; a relative one starts at the value so far.

    The process stays where it is, for several servers may share one: who opens a file asks Config.path.
    """

    def read(self, words: list[bytes], before: str) -> str:
        asked = c_string(words[0])
        path = os.path.join(before, asked)
        try:
            if not asked:
                raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))
            os.stat(os.path.join(path, '.'))  # refused for the same reasons as chdir
        except OSError as error:
            raise ConfigError(error.strerror) from None
        return os.path.realpath(path)

    def show(self, value: str) -> bytes:
        return os.fsencode(value)

    def lines(self, value: str, default: str) -> list[Line]:
        return [Line(quote(self.show(value)), True)] if value else []


class Addresses(Kind[tuple[str, ...]]):
    """Where to listen: names or numbers of interfaces; a `-` before one that may be missing."""

    many = True
    most = 16

    def read(self, words: list[bytes], before: tuple[str, ...]) -> tuple[str, ...]:
        if len(words) > self.most:
            raise ConfigError('Too many bind addresses specified.')
        return () if words == [b''] else tuple(c_string(word) for word in words)

    def show(self, value: tuple[str, ...]) -> bytes:
        return os.fsencode(' '.join(value))

    def lines(self, value: tuple[str, ...], default: tuple[str, ...]) -> list[Line]:
        return [] if value == default else [Line(self.show(value) or b'""', True)]


class SavePoint(NamedTuple):
    seconds: int
    changes: int


class SavePoints(Kind[tuple[SavePoint, ...]]):
    """Pairs of seconds and changes. A file may give each pair a line of its own; an empty text takes all back."""

    many = True

    def read(self, words: list[bytes], before: tuple[SavePoint, ...]) -> tuple[SavePoint, ...]:
        if words == [b'']:
            return ()
        if len(words) % 2:
            raise ConfigError('Invalid save parameters')
        numbers = [c_integer(word) for word in words]
        points = []
        for seconds, changes in zip(numbers[::2], numbers[1::2], strict=True):
            if seconds is None or changes is None or seconds < 1 or changes < 0:
                raise ConfigError('Invalid save parameters')
            points.append(SavePoint(seconds, changes))
        return tuple(points)

    def read_line(self, words: list[bytes], before: tuple[SavePoint, ...]) -> tuple[SavePoint, ...]:
        return () if words == [b''] else before + self.read(words, before)

    def show(self, value: tuple[SavePoint, ...]) -> bytes:
        return b' '.join(b'%d %d' % point for point in value)

    def lines(self, value: tuple[SavePoint, ...], default: tuple[SavePoint, ...]) -> list[Line]:
        return [Line(b'%d %d' % point, True) for point in value] or [Line(b'""', value != default)]


class OutputLimit(NamedTuple):
    """How many bytes may wait for a client: more than hard at no time, more than soft for so long; 0 for no limit."""

    hard_bytes: int
    soft_bytes: int
    soft_seconds: int


class OutputLimits(NamedTuple):
    normal: OutputLimit
    slave: OutputLimit
    pubsub: OutputLimit


class OutputLimitsByClass(Kind[OutputLimits]):
    """`class hard soft seconds`, any number of times; classes that are not named keep their limits."""

    many = True
    classes: ClassVar[dict[bytes, str]] = {
        b'normal': 'normal',
        b'slave': 'slave',
        b'replica': 'slave',
        b'pubsub': 'pubsub',
    }

    def read(self, words: list[bytes], before: OutputLimits) -> OutputLimits:
        if len(words) % 4:
            raise ConfigError('Wrong number of arguments in buffer limit configuration.')
        limits: dict[str, OutputLimit] = {}
        for start in range(0, len(words), 4):
            name, hard, soft, seconds = words[start : start + 4]
            kind = self.classes.get(name.lower())
            if kind is None:
                raise ConfigError('Invalid client class specified in buffer limit configuration.')
            limits[kind] = self.limit(hard, soft, seconds)
        return before._replace(**limits)

    def limit(self, hard: bytes, soft: bytes, seconds: bytes) -> OutputLimit:
        soft_seconds = c_integer(seconds)
        try:
            if soft_seconds is None or not 0 <= soft_seconds <= INT_MAX:
                raise ValueError
            return OutputLimit(memory_bytes(hard), memory_bytes(soft), soft_seconds)
        except ValueError:
            raise ConfigError('Error in hard, soft or soft_seconds setting in buffer limit configuration.') from None

    def show(self, value: OutputLimits) -> bytes:
        return b' '.join(
            b'%b %d %d %d' % (name.encode(), *limit) for name, limit in zip(value._fields, value, strict=True)
        )

    def lines(self, value: OutputLimits, default: OutputLimits) -> list[Line]:
        return [
            Line(
                b'%b %b %b %d' % (name, with_unit(limit.hard_bytes), with_unit(limit.soft_bytes), limit.soft_seconds),
                limit != limit_by_default,
            )
            for name, limit, limit_by_default in zip((b'normal', b'replica', b'pubsub'), value, default, strict=True)
        ]


class EventClasses(Kind[frozenset[str]]):
    """Classes of keyspace events, a letter each; `A` stands for all but m and n."""

    of_keys = 'g$lshzxetd'
    every = frozenset(of_keys + 'KEmn')

    def read(self, words: list[bytes], before: frozenset[str]) -> frozenset[str]:
        letters = frozenset(c_string(words[0]).replace('A', self.of_keys))
        if not letters <= self.every:
            raise ConfigError("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.")
        return letters

    def show(self, value: frozenset[str]) -> bytes:
        # With all classes on, Redis prints A and leaves out n (notify.c, keyspaceEventsFlagsToString).
        letters = 'A' if value.issuperset(self.of_keys) else ''.join(c for c in self.of_keys + 'n' if c in value)
        return (letters + ''.join(c for c in 'KEm' if c in value)).encode()

    def lines(self, value: frozenset[str], default: frozenset[str]) -> list[Line]:
        letters = self.show(value)
        if 'n' in value and b'n' not in letters:
            letters += b'n'
        return [Line(quote(letters), value != default)]


class Integers(Kind[tuple[int, ...]]):
    """As many numbers as the default has, each from `low` to `high`."""

    many = True

    def __init__(self, low: int, high: int, name: str) -> None:
        self.low = low
        self.high = high
        self.name = name

    def read(self, words: list[bytes], before: tuple[int, ...]) -> tuple[int, ...]:
        if len(words) != len(before):
            raise ConfigError(WRONG_NUMBER_OF_ARGUMENTS)
        value: list[int] = []
        for word in words:
            number = c_integer(word)
            if number is None or not self.low <= number <= self.high:
                raise ConfigError(f'Invalid {self.name}, elements must be between {self.low} and {self.high}.')
            value.append(number)
        return tuple(value)

    def show(self, value: tuple[int, ...]) -> bytes:
        return b' '.join(b'%d' % number for number in value)


class Percentiles(Kind[tuple[float, ...]]):
    """Numbers from 0 to 100, printed to six decimals; an empty text for none."""

    many = True

    def read(self, words: list[bytes], before: tuple[float, ...]) -> tuple[float, ...]:
        if words == [b'']:
            return ()
        value: list[float] = []
        for word in words:
            try:
                value.append(floating(word))
            except ReplyError:
                raise ConfigError('Invalid latency-tracking-info-percentiles parameters') from None
            if not 0 <= value[-1] <= 100:
                raise ConfigError('latency-tracking-info-percentiles parameters should sit between [0.0,100.0]')
        return tuple(value)

    def show(self, value: tuple[float, ...]) -> bytes:
        return ' '.join(f'{percentile:f}'.rstrip('0').rstrip('.') for percentile in value).encode()

    def lines(self, value: tuple[float, ...], default: tuple[float, ...]) -> list[Line]:
        numbers = ' '.join(repr(percentile).removesuffix('.0') for percentile in value)
        return [Line(numbers.encode() or b'""', True)]


class Peer(NamedTuple):
    host: str
    port: int


class ReplicaOf(Kind[Peer | None]):
    """The server to be a replica of, `host port`; `no one` for none."""

    many = True

    def read(self, words: list[bytes], before: Peer | None) -> Peer | None:
        if len(words) != 2:
            raise ConfigError(WRONG_NUMBER_OF_ARGUMENTS)
        host, port = words
        if (host.lower(), port.lower()) == (b'no', b'one'):
            return None
        number = c_integer(port)
        if number is None or not 0 <= number <= 65535:
            raise ConfigError('Invalid master port')
        return Peer(c_string(host), number)

    def show(self, value: Peer | None) -> bytes:
        return b'' if value is None else os.fsencode(f'{value.host} {value.port}')

    def lines(self, value: Peer | None, default: Peer | None) -> list[Line]:
        return [] if value is None else [Line(self.show(value), True)]


def expand_template(template: str, values: Mapping[str, str]) -> str:
    """Put values in place of their names in braces; two opening braces are one (redis sds.c, sdstemplate).

    Raises ValueError for a name that is not there and for a brace without its end.
    """

    def value(match: re.Match[str]) -> str:
        if match[0] == '{{':
            return '{'
        if not match[2] or match[1] not in values:
            raise ValueError
        return values[match[1]]

    return re.sub(r'\{(?:\{|([^}]*)(\}?))', value, template)
