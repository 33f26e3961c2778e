"""The wire fuzzer: whatever a client sends, the request parser reads the same however it arrives.

A stream is made from a grammar: pipelines of one shape and of mixed shapes, inline commands, blank lines, broken
headers, large values, noise; a part of them is then mutated. It is read whole, in the batches in which a client would
send it, cut at random places, byte by byte, and by the exact reader alone. All must agree in commands, error, and what
is held of an unfinished command.
"""

import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from random import Random
from typing import NamedTuple

from selredis.resp.parser import LAST_READ_BYTES, MAX_LINE_BYTES, Argv, ParserLimits, RequestParser, shape_of
from tests.fuzz.fuzzer import Failure, check_cycles, without_parts

MAX_BULK_BYTES = 1024 * 1024
SHORT_BYTES = 50  # a longer stream isn't sent byte by byte
SINGLE_BYTES = 5  # but these few of it are
NEVER = 1 << 30

Pieces = Sequence[bytes]


class ByteStream(NamedTuple):
    """What one client sends.

    `batches`: as a client would send them. `cuts`: random numbers, from which the places to cut at follow.
    `trusted_after`: how many commands have run when the client is authenticated.
    """

    batches: tuple[bytes, ...]
    cuts: tuple[int, ...]
    trusted_after: int


class Reading(NamedTuple):
    """What a parser has made of a stream, and what it holds at the end."""

    commands: list[tuple[bytes, ...]]
    error: bytes | None
    pending_bytes: int
    argument_bytes: int
    argument_count: int
    awaited_bytes: int


class ExactParser(RequestParser):
    """A parser without its shortcuts: every byte goes through the exact reader."""

    __slots__ = ()

    def _read_fast(self, data: bytes, argvs: list[Argv]) -> bytes:
        return data

    def _read_plain_lines(self, data: bytes, position: int, argvs: list[Argv]) -> int:
        return position

    def _learn(self, argvs: list[Argv]) -> None:
        pass


LIMITS = ParserLimits(MAX_BULK_BYTES)


def read(parser: RequestParser, pieces: Iterable[bytes], trusted_after: int) -> Reading:
    """Feed a parser as a driver does: a value that is awaited as a memoryview, what is held back with b''."""
    commands: list[Argv] = []
    parser.trusted = trusted_after == 0
    feed = parser.feed
    for piece in pieces:
        if 0 < len(piece) <= parser.awaited_bytes:
            commands += parser.feed_value(memoryview(piece))
        else:
            commands += feed(piece)
        while not parser.trusted:  # then a call returns one command at most
            parser.trusted = len(commands) >= trusted_after
            more = feed(b'') if parser.unfinished else []
            if not more:
                break
            commands += more
    commands += feed(b'')
    read_commands = [tuple(argv) for argv in commands]
    if parser.error is not None:
        if feed(b'*1\r\n$4\r\nPING\r\n'):
            raise Failure('commands after an error')
        return Reading(read_commands, parser.error, 0, 0, 0, 0)
    return Reading(
        read_commands,
        None,
        parser.pending_bytes,
        parser.argument_bytes,
        parser.argument_count,
        parser.awaited_bytes,
    )


def in_bytes(data: bytes) -> Iterator[bytes]:
    for at in range(len(data)):
        yield data[at : at + 1]


def in_pieces(data: bytes, cuts: Sequence[int]) -> Iterator[bytes]:
    """The data cut at places that the numbers choose, and into single bytes after the first of them."""
    places = [cut % (len(data) + 1) for cut in cuts]
    places += range(places[0] + 1, min(places[0] + SINGLE_BYTES, len(data)))
    places.sort()
    begin = 0
    for end in places:
        if end > begin:
            yield data[begin:end]
            begin = end
    yield data[begin:]


class WireFuzzer:
    """Byte streams for the request parser."""

    name = 'wire'
    unit = 'byte streams'

    def make(self, seed: int, number: int) -> ByteStream:
        random = Random(seed << 40 | number)
        return StreamMaker(random).stream()

    def count(self, made: ByteStream) -> int:
        return 1

    def check(self, made: ByteStream) -> None:
        # Shapes are shared by all parsers: those of earlier streams must not matter.
        shape_of.cache_clear()
        data = b''.join(made.batches)
        expected = self._read('exact reader', ExactParser, (data,), made)
        for words in expected.commands:
            for word in words:
                if type(word) is not bytes:
                    raise Failure('a word that is not bytes', repr(words))
        ways: list[tuple[str, Iterable[bytes]]] = [('whole', (data,)), ('cut', in_pieces(data, made.cuts))]
        if len(made.batches) > 1:
            ways.append(('in batches', made.batches))
        if len(data) <= SHORT_BYTES:
            ways.append(('byte by byte', in_bytes(data)))
        for name, pieces in ways:
            reading = self._read(name, RequestParser, pieces, made)
            if reading != expected:
                raise Failure(f'{name}: read differently from the exact reader', difference(reading, expected))
        check_cycles()

    def _read(
        self, name: str, kind: Callable[[ParserLimits], RequestParser], pieces: Iterable[bytes], made: ByteStream
    ) -> Reading:
        try:
            return read(kind(LIMITS), pieces, made.trusted_after)
        except Failure:
            raise
        except Exception as error:  # noqa: BLE001  (whatever a parser raises is its fault)
            kind_of_error = f'{type(error).__module__}.{type(error).__name__}'
            raise Failure(f'{name}: {kind_of_error}', traceback.format_exc()) from None

    def reductions(self, made: ByteStream) -> Iterable[ByteStream]:
        for batches in without_parts(made.batches):
            yield made._replace(batches=batches)
        if len(made.cuts) > 1:
            yield made._replace(cuts=made.cuts[:1])
        for place, batch in enumerate(made.batches):
            for shorter in without_parts(batch):
                batches = (*made.batches[:place], bytes(shorter), *made.batches[place + 1 :])
                yield made._replace(batches=batches)

    def show(self, made: ByteStream) -> str:
        lines = [f'  {batch!r}' for batch in made.batches]
        data = b''.join(made.batches)
        lines.append(f'cut: {list(in_pieces(data, made.cuts))!r}')
        if made.trusted_after:
            lines.append(f'authenticated after {made.trusted_after} commands')
        return '\n'.join(['batches:', *lines])


def difference(reading: Reading, expected: Reading) -> str:
    """The first thing in which two readings differ."""
    for name, one, other in zip(Reading._fields, reading, expected, strict=True):
        if one != other and name == 'commands':
            place = sum(1 for _ in same_beginning(reading.commands, expected.commands))
            found, wanted = (
                each.commands[place] if place < len(each.commands) else None for each in (reading, expected)
            )
            return f'command {place}: {found!r} instead of {wanted!r}'
        if one != other:
            return f'{name}: {one!r} instead of {other!r}'
    return 'nothing'


def same_beginning(one: Sequence[object], other: Sequence[object]) -> Iterator[object]:
    for left, right in zip(one, other, strict=False):
        if left != right:
            return
        yield left


# --- what streams are made of ---

HOSTILE_PARTS = (
    *(b'\r\n', b'\r\n', b'\r', b'\n', b'\0', b'$', b'*', b'$3\r\n', b'*1\r\n', b'*3\r\n$3\r\nSET\r\n', b'"', b"'"),
    *(b'\\', b' ', b'a', b'0', b'1', b'42', b'\xff', b'\t', b'\v', b'$-1\r\n', b'-', b'\\x41', b'+OK\r\n', b'*-1'),
)
PLAIN_PARTS = (b'a', b'b', b'key', b':', b'1', b'23', b'0.5', b'member', b'z', b'-')


def blend(parts: Sequence[bytes], size: int) -> bytes:
    """Bytes of these parts in some order, always the same one; values are slices of it."""
    random = Random(0)
    blended = bytearray()
    while len(blended) < size:
        blended += random.choice(parts)
    return bytes(blended[:size])


LONGEST = MAX_LINE_BYTES + LAST_READ_BYTES + 64
HOSTILE = blend(HOSTILE_PARTS, LONGEST + 4096)
PLAIN = blend(PLAIN_PARTS, LONGEST + 4096)

NAMES = (b'GET', b'SET', b'ZADD', b'PING', b'mset', b'LPUSH', b'', b'\r\n')
LENGTHS = (0, 1, 1, 2, 2, 3, 3, 4, 5, 7, 8, 9, 10, 17)
# Around the limits: of headers made once, of splitting, of the untrusted, of a line, of a read.
LARGE_LENGTHS = (511, 600, 999, 1000, 1023, 1024, 1025, 1026, 4096, 9999, 10000, 16384, 16385, 20000, 65535, 65537)
RUNS = (1, 2, 3, 3, 7, 8, 9, 12)
INLINE_PARTS = (
    *(b'PING', b'GET', b'SET', b'key', b'a b', b'"a b"', b"'a b'", b'""', b"''", b'"\\x41\\n"', b"'it\\'s'", b'"'),
    *(b"'", b'a"b"', b'"a"b', b'\\', b'\xff', b'\0', b'\v', b'\f', b'\r', b'*1', b'$3', b'x' * 70, b'"\\', b"'\\'"),
)
PLAIN_INLINE_PARTS = (b'PING', b'GET', b'SET', b'key', b'1', b'value', b'foo:bar')
GAPS = (b' ', b' ', b' ', b'  ', b'\t', b'', b'\v ', b' \r')
LINE_ENDS = (b'\r\n', b'\r\n', b'\r\n', b'\n', b'\n', b'\r\r\n', b' \r\n')
BLANKS = (
    *(b'\r\n', b'\n', b' \r\n', b'\t\n', b' \t \r\n', b'\v\n', b'\f\r\n', b'\r', b'\r\r\n', b' ' * 64 + b'\n'),
    *(b' ' * 65 + b'\n', b' ' * 200 + b'\r\n', b'*0\r\n', b'*-1\r\n', b'*-5\r\n', b'\0\n', b'\r\n' * 40, b'\n' * 70),
)
BROKEN = (
    *(
        b'*',
        b'*\r\n',
        b'*x\r\n',
        b'*01\r\n',
        b'* 1\r\n',
        b'*+1\r\n',
        b'*1 \r\n',
        b'*1\n',
        b'*1\rX',
        b'*-0\r\n',
        b'*1\0',
    ),
    *(b'*2147483647\r\n', b'*2147483648\r\n', b'*1048576\r\n', b'*1048577\r\n', b'*9223372036854775808\r\n'),
    *(b'*11\r\n', b'*10\r\n', b'*99999999999999999999\r\n', b'*1\r\n', b'*1\r\n$', b'*1\r\n$4\r', b'*1\r\nPING\r\n'),
    *(b'*1\r\n$-1\r\n', b'*1\r\n$x\r\n', b'*1\r\n$01\r\na\r\n', b'*1\r\n$ 1\r\na\r\n', b'*1\r\n$+1\r\na\r\n'),
    *(b'*1\r\n$1048576\r\nabc', b'*1\r\n$1048577\r\n', b'*1\r\n$16384\r\nabc', b'*1\r\n$16385\r\nabc'),
    *(
        b'*1\r\n$4\r\nPINGXX',
        b'*1\r\n$4\r\nPING\n\n',
        b'*1\r\n$4\rXPING\r\n',
        b'*1\r\n\r\n',
        b'*1\r\n\n',
        b'*1\r\n*1\r\n',
    ),
    *(b'*1\r\n$99999999999999999999\r\n', b'*2\r\n$3\r\nGET\r\n', b'*2\r\n$3\r\nGET\r\n$5\r\nab', b'*1\r\n$0\r\n\r\n'),
    *(
        b'$4\r\nPING\r\n',
        b'POST / HTTP/1.1\r\nHost: a\r\n\r\n',
        b'\xff\xff\xff',
        b'*1\r\n\0\r\n',
        b'*\0\r\n',
        b'*1\0\r\n',
    ),
)


class StreamMaker:
    """Makes one stream. All that is random comes from `random`."""

    def __init__(self, random: Random) -> None:
        self.rand = random.random

    def below(self, limit: int) -> int:
        return int(self.rand() * limit)

    def choose(self, options: Sequence[bytes]) -> bytes:
        return options[int(self.rand() * len(options))]

    def stream(self) -> ByteStream:
        rand = self.rand
        drawn = rand()
        if drawn < 0.0005:
            batches = self.long_lines()
        else:
            batches = self.session() if drawn < 0.1 else [self.batch() for _ in range(1 + self.below(3))]
            if rand() < 0.25:
                self.mutate(batches)
        cuts = tuple([self.below(NEVER) for _ in range(1 + self.below(4))])
        drawn = rand()
        trusted_after = 0 if drawn < 0.8 else NEVER if drawn < 0.9 else 1 + self.below(3)
        return ByteStream(tuple(batches), cuts, trusted_after)

    def session(self) -> list[bytes]:
        """Several pipelines of one shape, as of a client that says the same thing again and again."""
        lengths = self.lengths()
        batches = []
        for _ in range(2 + self.below(3)):
            batch = self.run(lengths)
            if self.rand() < 0.3:
                batch += self.batch()
            batches.append(batch)
        return batches

    def batch(self) -> bytes:
        drawn = self.rand()
        if drawn < 0.12:
            return self.run(self.lengths())
        if drawn < 0.45:
            return b''.join([self.command(self.lengths()) for _ in range(1 + self.below(3))])
        if drawn < 0.6:
            return self.lines()
        if drawn < 0.7:
            return self.choose(BLANKS) + self.command(self.lengths())
        if drawn < 0.82:
            return self.command(self.lengths()) + self.choose(BROKEN)
        if drawn < 0.9:
            return self.value(self.below(40), HOSTILE)
        if drawn < 0.92:
            return self.command([3, LARGE_LENGTHS[self.below(len(LARGE_LENGTHS) - 2)]])
        return self.command(self.lengths()) + self.command(self.lengths())[: self.below(30)]

    def lengths(self) -> list[int]:
        return [LENGTHS[self.below(len(LENGTHS))] for _ in range(self.below(4))]

    def value(self, length: int, pool: bytes) -> bytes:
        at = self.below(4096)
        return pool[at : at + length]

    def command(self, lengths: list[int]) -> bytes:
        """A name, and arguments of these lengths."""
        pool = HOSTILE if self.rand() < 0.4 else PLAIN
        words = [self.choose(NAMES)]
        for length in lengths:
            at = self.below(4096)
            words.append(pool[at : at + length])
        return encode(words)

    def run(self, lengths: list[int]) -> bytes:
        """Commands of one shape; in some runs the last argument of some of them is longer or shorter."""
        rand = self.rand
        pool = HOSTILE if rand() < 0.4 else PLAIN
        name = self.choose(NAMES)
        uneven = 0.25 if lengths and rand() < 0.5 else 0.0
        commands = []
        for _ in range(RUNS[self.below(len(RUNS))]):
            words = [name]
            for length in lengths:
                at = int(rand() * 4096)
                words.append(pool[at : at + length])
            if uneven and rand() < uneven:
                words[-1] = self.value(self.below(20), pool)
            commands.append(encode(words))
        return b''.join(commands)

    def lines(self) -> bytes:
        """Inline commands."""
        parts = INLINE_PARTS if self.rand() < 0.5 else PLAIN_INLINE_PARTS
        pieces = []
        for _ in range(1 + self.below(4)):
            for _ in range(1 + self.below(4)):
                pieces.append(self.choose(parts))
                pieces.append(self.choose(GAPS))
            pieces[-1] = self.choose(LINE_ENDS)
        return b''.join(pieces)

    def long_lines(self) -> list[bytes]:
        """A line of nearly the greatest length or, beyond it, of one that is refused however it arrives.

        Between the two it matters what is read together, as in Redis.
        """
        accepted = self.rand() < 0.5
        length = MAX_LINE_BYTES - 1 - self.below(4) if accepted else MAX_LINE_BYTES + LAST_READ_BYTES + self.below(4)
        before = self.choose((b'', b'', b'*1\r\n'))
        begin = b'$1' if before else self.choose((b'PING ', b'*1', b' '))
        line = begin + PLAIN[: length - len(begin)] + b'\r\n'
        return [self.command(self.lengths()) + before, line + self.choose((b'', b'PING\r\n'))]

    def mutate(self, batches: list[bytes]) -> None:
        """Change a few bytes of one of the batches, or repeat or lose a part of it."""
        for _ in range(1 + self.below(3)):
            place = self.below(len(batches))
            data = batches[place]
            at = self.below(len(data) + 1)
            end = at + 1 + self.below(8)
            drawn = self.below(5)
            if drawn == 0:
                data = data[:at] + self.value(1, HOSTILE) + data[at + 1 :]
            elif drawn == 1:
                data = data[:at] + self.value(1 + self.below(3), HOSTILE) + data[at:]
            elif drawn == 2:
                data = data[:at] + data[end:]
            elif drawn == 3:
                data = data[:end] + data[at:]
            else:
                data = data[:at]
            batches[place] = data


HEADS = [b'$%d\r\n' % length for length in range(max(LARGE_LENGTHS) + 1)]


def encode(words: Sequence[bytes]) -> bytes:
    pieces = [b'*%d\r\n' % len(words)]
    for word in words:
        pieces += (HEADS[len(word)], word, b'\r\n')
    return b''.join(pieces)
