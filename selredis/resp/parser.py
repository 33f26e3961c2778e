"""Bytes from a client into commands: the request side of RESP, and inline commands.

Theory of operation
-------------------
Two readers stand behind `RequestParser.feed`; whatever both understand they read alike.

The **exact reader** (`_read_exact`) follows Redis step by step (networking.c, processMultibulkBuffer and
processInlineBuffer of 7.2), one command at a time. It alone judges: every error comes from it. It can stop after any
byte: complete arguments wait in `_argv`, of what is unfinished either a line in `_line` or a value in `_value`.
Redis's leniencies are kept, for clients rely on them: the two bytes behind a value are never looked at, nor is the byte
behind the carriage return of a header. So is its reading of lines as C text: a line with a NUL in it never ends, and is
too big once 64 KB of it have come. Redis judges a line's size when it happens to have read so much; here it is the size
itself that counts, so that the same input gives the same commands and errors however it was cut.

The **fast reader** (`_read_fast`) takes as many plain commands as there are: short headers written as everybody writes
them, CRLF everywhere, values without CRLF or predicted. It splits all the input at CRLF once and believes nothing: each
length is compared with the argument that follows. At the first thing that does not fit it stops, and the exact reader
has the rest. After an odd command the fast reader is tried again, a few times a call, as every try costs a look at all
that is left.

Clients repeat themselves, so before it splits, the fast reader compares the input with the **shape** of the last
command: headers in the same places with the same lengths in them. A `struct.Struct` cuts out all headers of a command
at once and another all arguments, whatever bytes they hold; that is several times faster for values of 1 KB. A wrong
guess costs time, so a shape is taken only from two commands of one shape in a row.

Nothing is allocated for what a header only announces. A large value is collected as it comes and never copied as a
whole. A connection at rest holds no buffer.
"""

import re
from functools import lru_cache
from io import BytesIO
from struct import Struct

from selredis.resp.inline import split_words

Argv = list[bytes]

INT_MAX = 2**31 - 1
MAX_LINE_BYTES = 64 * 1024  # without the end of the line (server.h, PROTO_INLINE_MAX_SIZE)

# Before authentication (networking.c, authRequired).
MAX_UNTRUSTED_ARGUMENTS = 10
MAX_UNTRUSTED_BULK_BYTES = 16384

# Past these the exact reader is as fast: splitting looks at every byte of a value.
FAST_ARGUMENTS = 1024
FAST_ARGUMENT_BYTES = 1024
FAST_TRIES = 3  # a call, behind odd commands

# Shapes are kept for commands that a read of 64 KB can hold.
SHAPE_ARGUMENTS = 64
SHAPE_ARGUMENT_BYTES = 64 * 1024

ASTERISK = ord('*')
DOLLAR = ord('$')

# b'*2' -> 5: the pieces between CRLFs that a command of two arguments consists of.
PIECES = {b'*%d' % count: 2 * count + 1 for count in range(1, FAST_ARGUMENTS + 1)}
BULK_HEADERS = tuple(b'$%d' % length for length in range(FAST_ARGUMENT_BYTES + 1))

# A length as string2ll takes it; more digits are out of every range here.
LENGTH = re.compile(rb'0|-?[1-9][0-9]{0,18}')
INT64_MIN = -(2**63)

BREAKS_TO_BLANKS = bytes.maketrans(b'\r\n', b'  ')
# What find_line_end has to say of a line without an end.
NOT_YET = -1
TOO_BIG = -2

NO_ARGUMENTS: Argv = []  # of all parsers at rest; never changed


class ParserLimits:
    """What all connections of a server share; may change while they read."""

    __slots__ = ('max_bulk_bytes',)

    def __init__(self, max_bulk_bytes: int = 512 * 1024 * 1024) -> None:
        self.max_bulk_bytes = max_bulk_bytes  # proto-max-bulk-len; at least 1 MB, as in Redis


class Shape:
    """How a command with arguments of these lengths looks on the wire.

    The CRLF behind the last argument is part of no header, for nobody looks at it.
    """

    __slots__ = ('arguments_in', 'each_arguments_in', 'each_headers_in', 'headers', 'headers_in', 'size')

    def __init__(self, lengths: tuple[int, ...]) -> None:
        headers = [b'\r\n$%d\r\n' % length for length in lengths]
        headers[0] = b'*%d%b' % (len(lengths), headers[0])
        places = list(zip(map(len, headers), lengths, strict=True))
        header_struct = Struct('=' + ''.join(f'{header}s{length}x' for header, length in places) + '2x')
        argument_struct = Struct('=' + ''.join(f'{header}x{length}s' for header, length in places) + '2x')
        self.headers = tuple(headers)
        self.size = header_struct.size
        self.headers_in = header_struct.unpack
        self.arguments_in = argument_struct.unpack
        self.each_headers_in = header_struct.iter_unpack
        self.each_arguments_in = argument_struct.iter_unpack


shape_of = lru_cache(maxsize=256)(Shape)


class RequestParser:
    """Turns what one client sends into commands. Give it the bytes as they come, in pieces of any size."""

    __slots__ = (
        '_argv',
        '_awaited_bytes',
        '_bulky',
        '_held',
        '_last_size',
        '_line',
        '_missing',
        '_rest',
        '_rest_at',
        '_shape',
        '_value',
        'error',
        'limits',
        'trusted',
    )

    def __init__(self, limits: ParserLimits) -> None:
        self.limits = limits
        # Set once the client need not authenticate any more. Until then a call returns one command at most, as it may
        # be the AUTH that lifts the limits for the next.
        self.trusted = False
        # The text of the reply when the client broke the protocol; nothing is read from then on.
        self.error: bytes | None = None

        self._held = False  # something of the following is left from the last call
        self._argv = NO_ARGUMENTS  # of the unfinished command
        self._missing = 0  # arguments it still lacks; 0 between commands
        self._line: bytearray | None = None
        self._value: BytesIO | None = None
        self._awaited_bytes = 0  # the value lacks them, CRLF included
        self._rest = b''  # not looked at yet, from _rest_at on: the client is not trusted
        self._rest_at = 0

        self._shape: Shape | None = None
        self._last_size = 0  # of the last call's bytes, if they were one command without a shape
        self._bulky = False  # the last odd command had a value too long for the fast reader

    @property
    def pending_bytes(self) -> int:
        """Bytes held of an unfinished line or value, or not looked at yet; without complete arguments, as in Redis."""
        pending = len(self._rest) - self._rest_at
        if self._line is not None:
            pending += len(self._line)
        if self._value is not None:
            pending += self._value.tell()
        return pending

    @property
    def argument_bytes(self) -> int:
        """Bytes of the complete arguments of an unfinished command."""
        return sum(map(len, self._argv))

    def feed(self, data: bytes) -> list[Argv]:
        """Return the commands that are complete with these bytes; b'' goes on with what is held.

        After an error, which may come with commands before it, always [].
        """
        argvs: list[Argv] = []
        if self._held or not self.trusted:
            self._resume(data, argvs)
            return argvs
        shape = self._shape
        if shape is not None and shape.size == len(data) and shape.headers_in(data) == shape.headers:
            return [[*shape.arguments_in(data)]]
        rest = self._read_fast(data, argvs)
        if rest:
            self._read(rest, 0, argvs)
        return argvs

    def _read_fast(self, data: bytes, argvs: list[Argv]) -> bytes:
        """Append the plain commands that data begins with; returns the bytes behind them."""
        append = argvs.append
        shape = self._shape
        if shape is not None and len(data) >= shape.size:
            size = shape.size
            headers = shape.headers
            known = len(argvs)
            surplus = len(data) % size
            alike = data[:-surplus] if surplus else data
            for found, arguments in zip(shape.each_headers_in(alike), shape.each_arguments_in(alike), strict=True):
                if found != headers:
                    self._shape = None
                    break
                append([*arguments])
            data = data[(len(argvs) - known) * size :]
            if len(data) < size:
                return data
        if self._bulky:
            return data

        pieces = data.split(b'\r\n')
        end = len(pieces) - 1  # of the last piece nobody knows yet whether it is whole
        start = 0
        try:
            while start < end:
                stop = start + PIECES[pieces[start]]
                if stop > end:
                    break
                argv = pieces[start + 2 : stop : 2]
                place = start + 1
                for argument in argv:
                    if BULK_HEADERS[len(argument)] != pieces[place]:
                        raise LookupError
                    place += 2
                append(argv)
                start = stop
        except LookupError:
            pass  # an odd command
        if start and (len(argvs) > 1 or len(data) == self._last_size):
            self._learn(argvs)
        self._last_size = len(data)
        return pieces[end] if start == end else b'\r\n'.join(pieces[start:])

    def _learn(self, argvs: list[Argv]) -> None:
        """Expect more commands of the last one's shape if the one before had it, too, or there was none."""
        lengths = tuple(map(len, argvs[-1]))
        self._shape = None
        if len(argvs) > 1 and lengths != tuple(map(len, argvs[-2])):
            return
        if len(lengths) <= SHAPE_ARGUMENTS and max(lengths) <= SHAPE_ARGUMENT_BYTES:
            self._shape = shape_of(lengths)

    def _resume(self, data: bytes, argvs: list[Argv]) -> None:
        """Go on with what is held."""
        if self.error is not None:
            return
        position = 0
        if self._rest:
            if data:
                data = self._rest[self._rest_at :] + data
            else:
                data, position = self._rest, self._rest_at
            self._rest = b''
            self._rest_at = 0
        elif self._line is not None:
            line = self._line
            line += data
            is_inline = self._missing == 0 and line[0] != ASTERISK
            if find_line_end(line, 0, b'\n' if is_inline else b'\r') == NOT_YET:
                return
            data = bytes(line)
            self._line = None
        self._read(data, position, argvs)

    def _read(self, data: bytes, position: int, argvs: list[Argv]) -> None:
        """Read all there is from position on, the first command exactly; go on with an unfinished one."""
        fast_tries = FAST_TRIES if self.trusted else 0
        while position < len(data):
            if argvs and not self.trusted:
                self._rest = data
                self._rest_at = position
                break
            position = self._read_exact(data, position, argvs)
            if fast_tries and position < len(data) and (self._shape is not None or not self._bulky):
                fast_tries -= 1
                data = self._read_fast(data[position:], argvs)
                position = 0
        self._held = bool(self._missing or self._rest or self._line is not None or self.error)
        if len(argvs) > 1 and self._shape is None:
            self._learn(argvs)

    def _read_exact(self, data: bytes, position: int, argvs: list[Argv]) -> int:
        """Read one command, or go on with the unfinished one; returns where what was read ends.

        That is the end of data if the command is unfinished, and after an error.
        """
        if self._value is not None:
            position = self._read_value(self._value, data)
        elif not self._missing:
            self._bulky = False
            if data[position] != ASTERISK:
                return self._read_inline(data, position, argvs)
            position = self._read_count(data, position)
        while self._missing and position < len(data):
            position = self._read_bulk(data, position)
        if self._argv and not self._missing:
            argvs.append(self._argv)
            self._argv = NO_ARGUMENTS
        return position

    def _read_inline(self, data: bytes, position: int, argvs: list[Argv]) -> int:
        line_end = self._line_end(data, position, b'\n', b'too big inline request')
        if line_end < 0:
            return len(data)
        words = split_words(data[position:line_end].removesuffix(b'\r'))
        if words is None:
            return self._fail(b'unbalanced quotes in request', data)
        if words:
            argvs.append(words)
        return line_end + 1

    def _read_count(self, data: bytes, position: int) -> int:
        line_end = self._line_end(data, position, b'\r', b'too big mbulk count string')
        if line_end < 0:
            return len(data)
        count = length_in(data[position + 1 : line_end])
        if count is None or count > INT_MAX:
            return self._fail(b'invalid multibulk length', data)
        if count > MAX_UNTRUSTED_ARGUMENTS and not self.trusted:
            return self._fail(b'unauthenticated multibulk length', data)
        if count > 0:
            self._argv = []
            self._missing = count
        return line_end + 2

    def _read_bulk(self, data: bytes, position: int) -> int:
        line_end = self._line_end(data, position, b'\r', b'too big bulk count string')
        if line_end < 0:
            return len(data)
        if data[position] != DOLLAR:
            got = data[position : position + 1].translate(BREAKS_TO_BLANKS)
            return self._fail(b"expected '$', got '%b'" % got, data)
        length = length_in(data[position + 1 : line_end])
        if length is None or length < 0 or length > self.limits.max_bulk_bytes:
            return self._fail(b'invalid bulk length', data)
        if length > MAX_UNTRUSTED_BULK_BYTES and not self.trusted:
            return self._fail(b'unauthenticated bulk length', data)
        if length > FAST_ARGUMENT_BYTES:
            self._bulky = True
        begin = line_end + 2
        end = begin + length
        if end + 2 > len(data):
            self._value = BytesIO()
            self._value.write(data[begin:])
            self._awaited_bytes = end + 2 - len(data)
            return len(data)
        self._argv.append(data[begin:end])
        self._missing -= 1
        return end + 2

    def _read_value(self, value: BytesIO, data: bytes) -> int:
        """Go on with the unfinished value; returns where it ends."""
        end = self._awaited_bytes
        value.write(data[:end])
        if end > len(data):
            self._awaited_bytes -= len(data)
            return len(data)
        value.truncate(value.tell() - 2)
        self._argv.append(value.getvalue())  # the buffer itself, no copy
        self._value = None
        self._missing -= 1
        return end

    def _line_end(self, data: bytes, position: int, terminator: bytes, too_big: bytes) -> int:
        """Where the line ends; negative if it has no end yet, and then it is held, or if it is too big."""
        line_end = find_line_end(data, position, terminator)
        if line_end == NOT_YET:
            self._line = bytearray(data[position:])
        elif line_end == TOO_BIG:
            self._fail(too_big, data)
        return line_end

    def _fail(self, reason: bytes, data: bytes) -> int:
        """Read nothing any more; returns the end of data."""
        self.error = b'Protocol error: ' + reason
        self._argv = NO_ARGUMENTS
        self._missing = 0
        return len(data)


def find_line_end(data: bytes | bytearray, position: int, terminator: bytes) -> int:
    """Where the terminator of the line at `position` is, or NOT_YET or TOO_BIG. A CR also needs a byte behind it."""
    line_end = data.find(terminator, position, position + MAX_LINE_BYTES + 1)
    if line_end < 0 or data.find(b'\0', position, line_end) >= 0:
        return TOO_BIG if len(data) - position > MAX_LINE_BYTES else NOT_YET
    if terminator == b'\r' and line_end + 1 == len(data):
        return NOT_YET
    return line_end


def length_in(text: bytes) -> int | None:
    """Read the number in a header as util.c, string2ll does; None if it is none or, below zero, past 64 bits."""
    if not LENGTH.fullmatch(text):
        return None
    length = int(text)
    return length if length >= INT64_MIN else None
