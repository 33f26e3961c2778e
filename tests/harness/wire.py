"""A raw RESP client and the text that redis-cli makes of a reply.

Nothing here comes from selredis: what is tested must not be read with its own eyes.
"""

import re
import socket
import struct
from dataclasses import dataclass
from typing import Literal, TypeAlias

CRLF = b'\r\n'
Word: TypeAlias = bytes | str | int
Address: TypeAlias = str | tuple[str, int]  # a unix socket's path, or host and port

# First words of what RESP3 sends as pushes. redis-cli shows a push like an array; see Reply.is_misplaced.
PUSH_WORDS = {
    word.encode() for verb in ('subscribe', 'unsubscribe', 'message') for word in (verb, f'p{verb}', f's{verb}')
} | {b'invalidate', b'tracking-redir-broken', b'server-cpu-usage'}

# What breaks the protocol, and what its error says.
BROKEN_REQUESTS = [
    (b'*1\r\nxyz\r\n', b"expected '$', got 'x'"),
    (b'*1\r\n$abc\r\n', b'invalid bulk length'),
    (b'*abc\r\n', b'invalid multibulk length'),
    (b'PING "oops\r\n', b'unbalanced quotes in request'),
    (b'x' * 100_000, b'too big inline request'),
]


class Incomplete(Exception):
    """The bytes end before the reply does."""


@dataclass(frozen=True)
class Reply:
    """One RESP value, with everything that was on the wire: `kind` is its first byte.

    `value`: None for a null, the replies in an aggregate (a map's keys and values in turn), else the bytes as sent.
    """

    kind: str
    value: 'bytes | list[Reply] | None'
    attributes: 'list[Reply] | None' = None

    @property
    def items(self) -> 'list[Reply]':
        assert isinstance(self.value, list), self
        return self.value

    @property
    def text(self) -> bytes:
        assert isinstance(self.value, bytes), self
        return self.value

    def is_misplaced(self) -> bool:
        """Whether, in RESP3, this is a push that should be an array or the other way round."""
        if self.kind not in '*>':
            return False
        first = self.items[0].value if self.value else None
        return (isinstance(first, bytes) and first in PUSH_WORDS) != (self.kind == '>')


def parse(data: bytes, start: int = 0) -> tuple[Reply, int]:
    """The reply at `start` and the index behind it. Raises Incomplete, and ValueError for what is not RESP."""
    line_end = data.find(CRLF, start)
    if line_end < 0:
        raise Incomplete
    kind, line, after = chr(data[start]), data[start + 1 : line_end], line_end + 2
    if kind in '+-:,#(':
        return Reply(kind, line), after
    if kind == '_' and not line:
        return Reply(kind, None), after
    if kind not in '$=!*~>%|' or str(int(line)).encode() != line:
        raise ValueError(f'not RESP: {data[start : start + 40]!r}')
    length = int(line)
    if length == -1 and kind in '$*':
        return Reply(kind, None), after
    if length < 0:
        raise ValueError(f'not RESP: {data[start : start + 40]!r}')
    if kind in '$=!':
        end = after + length
        if len(data) < end + 2:
            raise Incomplete
        if data[end : end + 2] != CRLF:
            raise ValueError(f'no line end behind {data[start : end + 2][-40:]!r}')
        return Reply(kind, data[after:end]), end + 2
    items = []
    for _ in range(length * 2 if kind in '%|' else length):
        item, after = parse(data, after)
        items.append(item)
    if kind == '|':
        reply, after = parse(data, after)
        return Reply(reply.kind, reply.value, items), after
    return Reply(kind, items), after


def as_bytes(word: Word) -> bytes:
    return word if isinstance(word, bytes) else str(word).encode()


def encode_command(*words: Word) -> bytes:
    return b'*%d\r\n' % len(words) + b''.join(b'$%d\r\n%b\r\n' % (len(word), word) for word in map(as_bytes, words))


# A reply of one line, without its line end.
LINES = {
    '+': re.compile(rb'[^\r\n]*'),
    '-': re.compile(rb'[^\r\n]*'),
    ':': re.compile(rb'-?\d+'),
    ',': re.compile(rb'-?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|inf)|nan'),
    '#': re.compile(rb'[tf]'),
    '(': re.compile(rb'-?\d+'),
}
INTERNAL_ERROR = b'ERR internal error'


def check_replies(data: bytes) -> None:
    """Check that the data are whole replies, well formed, and none of them the server's `internal error`.

    Raises Incomplete, ValueError, AssertionError.
    """
    at = 0
    while at < len(data):
        reply, at = parse(data, at)
        check_reply(reply)


def check_reply(reply: Reply) -> None:
    for item in (*(reply.attributes or ()), *(reply.value if isinstance(reply.value, list) else ())):
        check_reply(item)
    if reply.kind in LINES:
        assert LINES[reply.kind].fullmatch(reply.text), reply
        assert reply.kind != '-' or reply.text != INTERNAL_ERROR
    elif reply.kind == '=':
        assert reply.text[3:4] == b':', reply


# --- text -------------------------------------------------------------------------------------------------------------

ESCAPES = {ord('\\'): '\\\\', ord('"'): '\\"', 10: '\\n', 13: '\\r', 9: '\\t', 7: '\\a', 8: '\\b'}


def quote(text: bytes) -> str:
    """The bytes between double quotes, as redis-cli shows a string."""
    return '"' + ''.join(ESCAPES.get(byte) or plain(byte) for byte in text) + '"'


def plain(byte: int) -> str:
    return chr(byte) if 32 <= byte < 127 else f'\\x{byte:02x}'


def split_words(line: str) -> list[bytes]:
    """The words of a command line with redis-cli's quoting; ValueError for quotes that do not match."""
    words: list[bytes] = []
    at = 0
    while True:
        while at < len(line) and line[at].isspace():
            at += 1
        if at == len(line):
            return words
        word = bytearray()
        while at < len(line) and not line[at].isspace():
            if line[at] in '"\'':
                at = read_quoted(line, at, word)
                if at < len(line) and not line[at].isspace():
                    raise ValueError(f'something right behind a closing quote: {line}')
            else:
                word += line[at].encode()
                at += 1
        words.append(bytes(word))


def read_quoted(line: str, at: int, word: bytearray) -> int:
    """Append the quoted part that opens at `at` to `word`; returns the index behind its closing quote."""
    mark = line[at]
    at += 1
    while at < len(line) and line[at] != mark:
        if mark == "'":
            if line.startswith("\\'", at):
                at += 1
        elif line[at] == '\\' and at + 1 < len(line):
            if line[at + 1] == 'x' and len(line) > at + 3:
                word.append(int(line[at + 2 : at + 4], 16))
                at += 4
                continue
            at += 1
            word += {'n': '\n', 'r': '\r', 't': '\t', 'a': '\a', 'b': '\b'}.get(line[at], line[at]).encode()
            at += 1
            continue
        word += line[at].encode()
        at += 1
    if at >= len(line):
        raise ValueError(f'a quote is not closed: {line}')
    return at + 1


def render(reply: Reply, indent: str = '') -> str:
    """The reply as redis-cli shows it on a terminal, without the last line end.

    Where redis-cli shows two replies alike this tells them apart: `(nil array)` for RESP2's second null, a verbatim
    string with its format and quotes. A push looks like an array, as it does there.
    """
    prefix = ''
    if reply.attributes is not None:
        prefix = f'(attribute) {render(Reply("%", reply.attributes), indent + " " * 12)}\n{indent}'
    return prefix + render_value(reply, indent)


def render_value(reply: Reply, indent: str) -> str:
    match reply.kind:
        case '*' | '~' | '>' | '%':
            return '(nil array)' if reply.value is None else render_aggregate(reply, indent)
        case '$':
            return '(nil)' if reply.value is None else quote(reply.text)
        case '_':
            return '(nil)'
        case '=':
            return f'(verbatim {reply.text[:3].decode()}) {quote(reply.text[4:])}'
        case '#':
            return {b't': '(true)', b'f': '(false)'}[reply.text]
        case '+':
            return ''.join(map(plain, reply.text))
        case kind:
            name = {'-': 'error', '!': 'bulk error', ':': 'integer', ',': 'double', '(': 'big number'}[kind]
            return f'({name}) ' + ''.join(map(plain, reply.text))


def render_aggregate(reply: Reply, indent: str) -> str:
    if not reply.items:
        return {'*': '(empty array)', '~': '(empty set)', '>': '(empty push)', '%': '(empty hash)'}[reply.kind]
    step = 2 if reply.kind == '%' else 1
    width = len(str(len(reply.items) // step))
    inner = indent + ' ' * (width + 2)
    lines = []
    for number, start in enumerate(range(0, len(reply.items), step), 1):
        line = f'{number:{width}}{ {"~": "~", "%": "#"}.get(reply.kind, ")") } {render(reply.items[start], inner)}'
        if step == 2:
            value = reply.items[start + 1]
            line += ' => ' + (f'\n{inner}' if has_many_lines(value) else '') + render(value, inner)
        lines.append(line)
    return f'\n{indent}'.join(lines)


def has_many_lines(reply: Reply) -> bool:
    if not isinstance(reply.value, list) or not reply.value:
        return False
    return len(reply.value) > (2 if reply.kind == '%' else 1) or has_many_lines(reply.value[-1])


# --- order that does not count ----------------------------------------------------------------------------------------


def encode(reply: Reply) -> bytes:
    """The bytes that `parse` read."""
    head = b''
    if reply.attributes is not None:
        head = b'|%d\r\n' % (len(reply.attributes) // 2) + b''.join(map(encode, reply.attributes))
    kind = reply.kind.encode()
    if reply.value is None:
        return head + (b'_\r\n' if kind == b'_' else kind + b'-1\r\n')
    if isinstance(reply.value, list):
        count = len(reply.value) // 2 if kind == b'%' else len(reply.value)
        return head + b'%b%d\r\n' % (kind, count) + b''.join(map(encode, reply.value))
    if kind in (b'$', b'=', b'!'):
        return head + b'%b%d\r\n%b\r\n' % (kind, len(reply.value), reply.value)
    return head + kind + reply.value + CRLF


def without_order(reply: Reply) -> Reply:
    """The reply with its innermost arrays and sets sorted, and its maps by key.

    Innermost, so that SCAN's cursor stays in front of its keys.
    """
    if not isinstance(reply.value, list):
        return reply
    items = [without_order(item) for item in reply.items]
    if reply.kind == '%':
        pairs = sorted(zip(items[::2], items[1::2], strict=True), key=lambda pair: encode(pair[0]))
        items = [item for pair in pairs for item in pair]
    elif not any(isinstance(item.value, list) for item in items):
        items.sort(key=encode)
    return Reply(reply.kind, items, reply.attributes)


# --- the client -------------------------------------------------------------------------------------------------------


class WireClient:
    """One connection, reading exactly one reply at a time. A wait longer than `timeout` seconds is a TimeoutError.

    Opened to an address, or around the connected socket that is given.
    """

    def __init__(self, address: Address | socket.socket, protocol: Literal[2, 3] = 2, timeout: float = 10.0) -> None:
        self.timeout = timeout
        self.unread = b''
        self.closed = False  # by the server
        if isinstance(address, socket.socket):
            self.socket = address
            self.socket.settimeout(timeout)
        elif isinstance(address, str):
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(timeout)
            self.socket.connect(address)
        else:
            self.socket = socket.create_connection(address, timeout)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if protocol == 3:
            hello = self('HELLO', 3)
            if hello.kind != '%':
                self.close()
                raise AssertionError(render(hello))

    def send(self, data: bytes) -> None:
        """Send raw bytes. A connection that the server has closed is no error here, but `closed` from then on."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            self.closed = True

    def send_command(self, *words: Word) -> None:
        self.send(encode_command(*words))

    def read_more(self, timeout: float) -> bool:
        """Wait for bytes; False if the time is over or the connection is closed."""
        self.socket.settimeout(timeout)
        try:
            data = self.socket.recv(1 << 20)
        except (TimeoutError, BlockingIOError):
            return False
        except ConnectionResetError:
            data = b''
        self.unread += data
        self.closed = self.closed or not data
        return bool(data)

    def take(self) -> tuple[Reply, bytes] | None:
        """The next reply of what was read and its bytes, None if there is no whole one."""
        try:
            reply, end = parse(self.unread)
        except Incomplete:
            return None
        raw, self.unread = self.unread[:end], self.unread[end:]
        return reply, raw

    def read_both(self, timeout: float | None = None) -> tuple[Reply, bytes]:
        """The next reply and its bytes; raises EOFError if the server closed instead, TimeoutError."""
        while (taken := self.take()) is None:
            if not self.read_more(self.timeout if timeout is None else timeout):
                if self.closed:
                    raise EOFError(self.unread)
                raise TimeoutError(f'no reply, only {self.unread!r}')
        return taken

    def read(self, timeout: float | None = None) -> Reply:
        return self.read_both(timeout)[0]

    def read_raw(self, timeout: float | None = None) -> bytes:
        return self.read_both(timeout)[1]

    def arrived(self) -> list[Reply]:
        """All whole replies that are here already."""
        while self.read_more(0):
            pass
        replies = []
        while taken := self.take():
            replies.append(taken[0])
        return replies

    def __call__(self, *words: Word) -> Reply:
        self.send_command(*words)
        return self.read()

    def close(self) -> None:
        self.socket.close()

    def reset(self) -> None:
        """Close by a reset (RST) instead of an end of file."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        self.socket.close()

    def __enter__(self) -> 'WireClient':
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
