"""Bytes from a client into commands: the request side of RESP, and inline commands.

Theory of operation
-------------------
Two readers stand behind `RequestParser.feed`; what both understand they read alike.

The **exact reader** (`_read_exact`) goes one command at a time, step by step as Redis does (networking.c of 7.2,
processMultibulkBuffer and processInlineBuffer), and it alone judges: every error comes from it. It may stop after any
byte. The complete arguments then wait in `_argv`, and what is unfinished is held either as a `_line` or as a `_value`.
Where Redis is lenient so is it: the two bytes behind a value are never looked at, nor is the byte behind the CR of a
header. Lines are C text to Redis, so a line with a NUL in it never ends, and is too big when 64 KB of it have come.
Redis looks at the size of a line whenever it has read some more of it; here the size alone counts, so that the same
bytes give the same commands and the same error however they were cut.

The **fast reader** (`_read_fast`) takes as many plain commands as there are. It splits the bytes at CRLF once and
believes nothing: each header is compared with the one that the argument behind it must have. What does not fit (an
inline command, a CRLF within a value, the unfinished end) is left to the exact reader, which gives the bytes back
behind that one command; but only a few times a call, for each split looks at all that is left.

Clients repeat themselves. So before it splits, the fast reader tries whether the bytes have the **shape** of the last
command: the same headers, the same number of bytes between them. One `struct.Struct` cuts all headers out of a command
at once, another all arguments whatever they hold; with values of 1 KB that is several times faster than to split. A
wrong guess costs time, so a shape is tried only when two commands in a row had it. Once a call has brought many of a
shape, a regular expression compares the headers of all that the next call brings, and makes no objects of them.

Nothing is allocated for what a header merely announces. A large value is collected as it comes and not copied again at
its end. Between commands nothing is held.
"""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from io import BytesIO
from struct import Struct
from typing import cast

from selredis.errors import ProtocolError, ReplyError
from selredis.numeric import integer
from selredis.resp.inline import SPECIAL, split_words

Argv = Sequence[bytes]

INT_MAX = 2**31 - 1
MAX_LINE_BYTES = 64 * 1024  # without the end of the line (server.h, PROTO_INLINE_MAX_SIZE)
LAST_READ_BYTES = 16 * 1024  # by which a line may be longer if its end was read with them (server.h, PROTO_IOBUF_LEN)

# Before authentication (networking.c, authRequired).
MAX_UNTRUSTED_ARGUMENTS = 10
MAX_UNTRUSTED_BULK_BYTES = 16384

FAST_TRIES = 2  # a call, behind odd commands
LONG_ARGUMENT_BYTES = 512  # on average; splitting looks at every byte, from here on the exact reader is faster

# Shapes are kept for commands that a read of 64 KB can hold.
SHAPE_ARGUMENTS = 64
RUN_COMMANDS = 8  # of one shape in one call, after which more such calls are expected
SHAPE_ARGUMENT_BYTES = 64 * 1024

# Lines without commands, short enough to be looked at together; how much is looked at together of lines with commands.
BLANK_LINES = re.compile(rb'(?:[ \t\r]{0,64}+\n)++')
LINES_BYTES = 512

ASTERISK = ord('*')
DOLLAR = ord('$')

# Headers of commands and arguments that are made once.
MANY_ARGUMENTS = 1024
SHORT_BYTES = 1024
PIECES = {b'*%d' % count: 2 * count + 1 for count in range(1, MANY_ARGUMENTS + 1)}  # between the CRLFs of a command
HEADERS = tuple(b'$%d' % length for length in range(SHORT_BYTES + 1))
LENGTHS = {header: length for length, header in enumerate(HEADERS)}
SHORT_HEADER_BYTES = len(HEADERS[-1] + b'\r\n')

BREAKS_TO_BLANKS = bytes.maketrans(b'\r\n', b'  ')
# What find_line_end has to say of a line without an end.
NOT_YET = -1
TOO_BIG = -2

NO_ARGUMENTS: list[bytes] = []  # of all parsers at rest; never changed


class ParserLimits:
    """What all connections of a server share; may change while they read."""

    __slots__ = ('max_bulk_bytes',)

    def __init__(self, max_bulk_bytes: int = 512 * 1024 * 1024) -> None:
        self.max_bulk_bytes = max_bulk_bytes  # proto-max-bulk-len; at least 1 MB, as in Redis


class Shape:
    """How a command with arguments of these lengths looks on the wire.

    The CRLF behind the last argument is part of no header, for nobody looks at it.
    """

    __slots__ = (
        'arguments_in',
        'each_arguments_in',
        'each_headers_in',
        'headers',
        'headers_in',
        'lengths',
        'run',
        'size',
    )

    def __init__(self, lengths: tuple[int, ...]) -> None:
        headers = [b'\r\n$%d\r\n' % length for length in lengths]
        headers[0] = b'*%d%b' % (len(lengths), headers[0])
        places = list(zip(map(len, headers), lengths, strict=True))
        header_struct = Struct('=' + ''.join(f'{header}s{length}x' for header, length in places) + '2x')
        argument_struct = Struct('=' + ''.join(f'{header}x{length}s' for header, length in places) + '2x')
        self.lengths = lengths
        self.headers = tuple(headers)
        self.size = header_struct.size
        self.headers_in = header_struct.unpack
        self.arguments_in = argument_struct.unpack
        self.each_headers_in = header_struct.iter_unpack
        self.each_arguments_in = argument_struct.iter_unpack
        # Matches the commands of this shape that bytes begin with, as many as there are; None until `expect_runs`.
        # Before CPython 3.11.5 a possessive repetition may end inside the group that did not match (gh-106052), so the
        # end of the match is rounded down to a multiple of `size`.
        self.run: Callable[[bytes], re.Match[bytes]] | None = None

    def expect_runs(self) -> None:
        """Make `run`: it takes ten times as long to make as the rest, and saves a quarter of a command's reading."""
        fields = zip(self.headers, self.lengths, strict=True)
        command = b''.join(b'%b.{%d}' % (re.escape(header), length) for header, length in fields)
        match = re.compile(b'(?:%b..)*+' % command, re.DOTALL).match
        self.run = cast('Callable[[bytes], re.Match[bytes]]', match)  # never None: it matches no command, too


shape_of = lru_cache(maxsize=256)(Shape)


class RequestParser:
    """Turns what one client sends into commands. Give it the bytes as they come, in pieces of any size."""

    __slots__ = (
        '_added_up',
        '_argument_bytes',
        '_argv',
        '_bulky',
        '_last_size',
        '_line',
        '_missing',
        '_rest',
        '_rest_at',
        '_shape',
        '_value',
        'awaited_bytes',
        'error',
        'limits',
        'trusted',
        'unfinished',
    )

    def __init__(self, limits: ParserLimits) -> None:
        self.limits = limits
        # Set once the client need not authenticate any more. Until then a call returns one command at most, as it may
        # be the AUTH that lifts the limits for the next.
        self.trusted = False
        # The text of the reply when the client broke the protocol; nothing is read from then on.
        self.error: bytes | None = None

        # Whether the last call left something: half a command, what may not be looked at yet, or an error.
        self.unfinished = False
        self.awaited_bytes = 0  # by the unfinished value, CRLF included
        self._argv = NO_ARGUMENTS  # of the unfinished command
        self._missing = 0  # arguments it still lacks; 0 between commands
        self._added_up = 0  # of the arguments in _argv, for argument_bytes
        self._argument_bytes = 0
        self._line: bytearray | None = None
        self._value: BytesIO | None = None
        self._rest = b''  # not looked at yet, from _rest_at on: the client is not trusted
        self._rest_at = 0

        self._shape: Shape | None = None
        self._last_size = 0  # bytes that the last call without a shape was given
        self._bulky = False  # the last arguments were long, so splitting does not pay

    @property
    def pending_bytes(self) -> int:
        """Bytes held of an unfinished line or value, or not looked at yet; without complete arguments, as in Redis."""
        pending = self.unread_bytes
        if self._line is not None:
            pending += len(self._line)
        if self._value is not None:
            pending += self._value.tell()
        return pending

    @property
    def unread_bytes(self) -> int:
        """Bytes that have not been looked at yet, as the client isn't trusted."""
        return len(self._rest) - self._rest_at

    @property
    def argument_bytes(self) -> int:
        """Bytes of the complete arguments of an unfinished command."""
        if not self._argv:
            return 0
        # They may be millions, and it is asked after every read: only those that have come since are added up.
        self._argument_bytes += sum(map(len, self._argv[self._added_up :]))
        self._added_up = len(self._argv)
        return self._argument_bytes

    @property
    def argument_count(self) -> int:
        """How many arguments of an unfinished command are complete."""
        return len(self._argv)

    def feed(self, data: bytes) -> list[Argv]:
        """Return the commands that are complete with these bytes; b'' goes on with what is held.

        After an error, which may come with commands before it, always [].
        """
        argvs: list[Argv] = []
        if self.unfinished or not self.trusted:
            self._resume(data, argvs)
            return argvs
        shape = self._shape
        if shape is not None and shape.size == len(data) and shape.headers_in(data) == shape.headers:
            return [shape.arguments_in(data)]
        rest = self._read_fast(data, argvs)
        if rest:
            self._read(rest, 0, argvs)
        return argvs

    def feed_value(self, piece: memoryview) -> list[Argv]:
        """`feed` for at most `awaited_bytes` more of the unfinished value, without a copy of their own."""
        argvs: list[Argv] = []
        assert self._value is not None
        self._read_value(self._value, piece)
        if not self._missing:
            argvs.append(self._argv)
            self._argv = NO_ARGUMENTS
            self.unfinished = False
        return argvs

    def _read_fast(self, data: bytes, argvs: list[Argv]) -> bytes:
        """Append the plain commands that data begins with; returns the bytes behind them."""
        append = argvs.append
        shape = self._shape
        if shape is not None and len(data) >= shape.size:
            size = shape.size
            headers = shape.headers
            run = shape.run
            if run is not None:
                end = run(data).end()
                end -= end % size  # before CPython 3.11.5 a run may end inside the command that did not match
                argvs += shape.each_arguments_in(data[:end])
            else:
                known = len(argvs)
                surplus = len(data) % size
                alike = data[:-surplus] if surplus else data
                for found, arguments in zip(shape.each_headers_in(alike), shape.each_arguments_in(alike), strict=True):
                    if found != headers:
                        break
                    append(arguments)
                matched = len(argvs) - known
                end = matched * size
                if matched >= RUN_COMMANDS:
                    shape.expect_runs()
            data = data[end:]
            if len(data) < size:
                return data
            self._shape = None
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
                    length = len(argument)
                    if (HEADERS[length] if length <= SHORT_BYTES else self._long_header(length)) != pieces[place]:
                        raise LookupError
                    place += 2
                append(argv)
                start = stop
        except LookupError:
            pass  # an odd command
        if start and (len(argvs) > 1 or len(data) == self._last_size):
            self._learn(argvs)
        self._last_size = len(data)
        self._bulky = len(data) > LONG_ARGUMENT_BYTES * (len(pieces) // 2)
        return pieces[end] if start == end else b'\r\n'.join(pieces[start:])

    def _long_header(self, length: int) -> bytes:
        """The header of a long argument; raises LookupError if it is too long, which is the exact reader's to say."""
        if length > self.limits.max_bulk_bytes:
            raise LookupError
        return b'$%d' % length

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
        size = len(data)
        fast_tries = FAST_TRIES if self.trusted else 0
        while position < len(data):
            if argvs and not self.trusted:
                self._rest = data
                self._rest_at = position
                break
            if data[position] != ASTERISK and not self._missing:
                plain_end = self._read_plain_lines(data, position, argvs)
                if plain_end > position:
                    position = plain_end
                    continue
            try:
                position = self._read_exact(data, position, argvs)
            except ProtocolError as error:
                self.error = error.text
                self._argv = NO_ARGUMENTS
                self._missing = 0
                break
            if fast_tries and position < len(data) and (self._shape is not None or not self._bulky):
                fast_tries -= 1
                data = self._read_fast(data[position:], argvs)
                position = 0
        self.unfinished = bool(self._missing or self._rest or self._line is not None or self.error)
        if argvs:
            self._bulky = sum(map(len, argvs[-1])) > LONG_ARGUMENT_BYTES * len(argvs[-1])
            if self._shape is None and (len(argvs) > 1 or size == self._last_size):
                self._learn(argvs)
        self._last_size = size

    def _read_plain_lines(self, data: bytes, position: int, argvs: list[Argv]) -> int:
        """Read several lines at once: blank ones and, from who is trusted, inline commands without quotes and NULs.

        Returns where they end: at `position` if it is for the exact reader.
        """
        blank = BLANK_LINES.match(data, position)
        if blank is not None:
            return blank.end()
        if not self.trusted:
            return position
        lines = data[position : position + LINES_BYTES].split(b'\n')
        for line in lines[:-1]:  # the last one may go on
            if line[:1] == b'*' or SPECIAL.search(line):
                break
            words = line.split()
            if words:
                argvs.append(words)
            position += len(line) + 1
        return position

    def _read_exact(self, data: bytes, position: int, argvs: list[Argv]) -> int:
        """Read one command, or go on with the unfinished one; returns where what was read ends.

        That is the end of data if the command is still unfinished; then it is held. Raises ProtocolError.
        """
        if self._value is not None:
            position = self._read_value(self._value, data)
        elif not self._missing:
            if data[position] != ASTERISK:
                return self._read_inline(data, position, argvs)
            position = self._read_count(data, position)
        if self._missing:
            position = self._read_arguments(data, position)
        if self._argv and not self._missing:
            argvs.append(self._argv)
            self._argv = NO_ARGUMENTS
        return position

    def _read_inline(self, data: bytes, position: int, argvs: list[Argv]) -> int:
        line_end = self._end_of_line(data, position, b'\n', b'Protocol error: too big inline request')
        if line_end < 0:
            return len(data)
        words = split_words(data[position:line_end].removesuffix(b'\r'))
        if words is None:
            raise ProtocolError(b'Protocol error: unbalanced quotes in request')
        if words:
            argvs.append(words)
        return line_end + 1

    def _read_count(self, data: bytes, position: int) -> int:
        line_end = self._end_of_line(data, position, b'\r', b'Protocol error: too big mbulk count string')
        if line_end < 0:
            return len(data)
        count = number_in(data[position + 1 : line_end], b'Protocol error: invalid multibulk length')
        if count > INT_MAX:
            raise ProtocolError(b'Protocol error: invalid multibulk length')
        if count > MAX_UNTRUSTED_ARGUMENTS and not self.trusted:
            raise ProtocolError(b'Protocol error: unauthenticated multibulk length')
        if count > 0:
            self._argv = []
            self._added_up = self._argument_bytes = 0
            self._missing = count
        return line_end + 2

    def _read_arguments(self, data: bytes, position: int) -> int:
        """Read what is there of the missing arguments; returns where that ends."""
        argv = self._argv
        end = len(data)
        while self._missing and position < end:
            line_end = data.find(b'\r\n', position, position + SHORT_HEADER_BYTES)
            length = LENGTHS.get(data[position:line_end]) if line_end > 0 else None
            if length is None:
                line_end, length = self._read_header(data, position)
                if line_end < 0:
                    return end
            begin = line_end + 2
            position = begin + length + 2
            if position > end:
                self._value = BytesIO()
                self._value.write(data[begin:])
                self.awaited_bytes = position - end
                return end
            argv.append(data[begin : begin + length])
            self._missing -= 1
        return position

    def _read_header(self, data: bytes, position: int) -> tuple[int, int]:
        """Read the header of an argument: where it ends, negative if that is not known yet, and the length in it."""
        line_end = self._end_of_line(data, position, b'\r', b'Protocol error: too big bulk count string')
        if line_end < 0:
            return line_end, 0
        if data[position] != DOLLAR:
            got = data[position : position + 1].translate(BREAKS_TO_BLANKS)
            raise ProtocolError(b"Protocol error: expected '$', got '%b'" % got)
        length = number_in(data[position + 1 : line_end], b'Protocol error: invalid bulk length')
        if not 0 <= length <= self.limits.max_bulk_bytes:
            raise ProtocolError(b'Protocol error: invalid bulk length')
        if length > MAX_UNTRUSTED_BULK_BYTES and not self.trusted:
            raise ProtocolError(b'Protocol error: unauthenticated bulk length')
        return line_end, length

    def _read_value(self, value: BytesIO, data: bytes | memoryview) -> int:
        """Go on with the unfinished value; returns where it ends."""
        end = self.awaited_bytes
        value.write(data[:end])
        if end > len(data):
            self.awaited_bytes -= len(data)
            return len(data)
        self.awaited_bytes = 0
        value.truncate(value.tell() - 2)
        self._argv.append(value.getvalue())  # the buffer itself, no copy
        self._value = None
        self._missing -= 1
        return end

    def _end_of_line(self, data: bytes, position: int, terminator: bytes, too_big: bytes) -> int:
        """Where the line ends; negative if that is not known yet, and then the line is held."""
        line_end = find_line_end(data, position, terminator)
        if line_end == TOO_BIG:
            raise ProtocolError(too_big)
        if line_end == NOT_YET:
            self._line = bytearray(data[position:])
        return line_end


def find_line_end(data: bytes | bytearray, position: int, terminator: bytes) -> int:
    """Return the index of the terminator of the line at `position`, or NOT_YET or TOO_BIG. A CR needs a byte after it.

    As in Redis a line is too big once more than MAX_LINE_BYTES of it have been read without the terminator. Lines up
    to that length are accepted, and those longer by LAST_READ_BYTES or more are refused, however they arrive; only
    between the two does it matter whether the terminator was read together with what is too much.
    """
    line_end = data.find(terminator, position, position + MAX_LINE_BYTES + LAST_READ_BYTES)
    if line_end < 0 or data.find(b'\0', position, line_end) >= 0:
        return TOO_BIG if len(data) - position > MAX_LINE_BYTES else NOT_YET
    if terminator == b'\r' and line_end + 1 == len(data):
        return NOT_YET
    return line_end


def number_in(text: bytes, error: bytes) -> int:
    """Read the number in a header; raises ProtocolError(error) if it is none."""
    try:
        return integer(text)
    except ReplyError:
        raise ProtocolError(error) from None
