"""RESP from the client's side: a blocking connection, and commands by the thousand."""

import socket
import time
from collections.abc import Iterable
from typing import Self

from tools.benchmark.report import BenchError

Reply = bytes | int | None | list['Reply']

LOOPBACK = '127.0.0.1'
PATIENCE_SECONDS = 60.0  # for one reply; a server that needs longer counts as hung
FILL_BATCH = 2_000  # commands sent at once while loading keys


def encode(*words: bytes | str | int) -> bytes:
    """One command as a RESP array."""
    parts = [b'*%d\r\n' % len(words)]
    for word in words:
        text = word if isinstance(word, bytes) else str(word).encode()
        parts.append(b'$%d\r\n%s\r\n' % (len(text), text))
    return b''.join(parts)


def connect(port: int, source: str = '') -> socket.socket:
    """A blocking TCP connection to a server of this machine, from a loopback address of choice."""
    sock = socket.create_connection((LOOPBACK, port), PATIENCE_SECONDS, (source, 0) if source else None)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def receive_exactly(sock: socket.socket, expected: bytes) -> None:
    """Read as many bytes as `expected` has. Raises BenchError if others come or the peer closes."""
    buffer = bytearray(len(expected))
    receive_into(sock, memoryview(buffer))
    if buffer != expected:
        at = next(n for n, (got, want) in enumerate(zip(buffer, expected, strict=True)) if got != want)
        raise BenchError(f'unexpected reply: {bytes(buffer[at : at + 80])!r}')


def receive_into(sock: socket.socket, view: memoryview) -> None:
    """Fill a buffer from a blocking socket. Raises BenchError if the peer closes before it is full."""
    while view:
        count = sock.recv_into(view)
        if not count:
            raise BenchError('the server closed a connection in the middle of a reply')
        view = view[count:]


class Peer:
    """A connection for asking one thing at a time."""

    def __init__(self, port: int) -> None:
        self.sock = connect(port)
        self.reader = self.sock.makefile('rb')

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        self.reader.close()
        self.sock.close()

    def call(self, *words: bytes | str | int) -> Reply:
        """Send a command and return its reply. Raises BenchError for an error reply."""
        self.sock.sendall(encode(*words))
        return self.read_reply(words[0])

    def read_reply(self, asked: object) -> Reply:
        line = self.reader.readline()
        kind, text = line[:1], line[1:-2]
        if kind == b'+':
            return text
        if kind == b':':
            return int(text)
        if kind == b'$':
            size = int(text)
            return None if size < 0 else self.reader.read(size + 2)[:-2]
        if kind == b'*':
            return [self.read_reply(asked) for _ in range(int(text))]
        raise BenchError(f'{asked!r} was answered with {line[:200]!r}')


def in_batches(port: int, batches: Iterable[tuple[bytes, bytes]]) -> None:
    """Send batches of commands, two on the way at any time; each comes with the replies it must get."""
    with connect(port) as sock:
        outstanding: list[bytes] = []
        for requests, replies in batches:
            sock.sendall(requests)
            outstanding.append(replies)
            if len(outstanding) == 2:
                receive_exactly(sock, outstanding.pop(0))
        for replies in outstanding:
            receive_exactly(sock, replies)


def fill(port: int, command: bytes, count: int, reply: bytes = b'+OK\r\n') -> float:
    """Run an encoded command for each number from 0 on, put in for each of its %-fields; returns the seconds it took.

    The reply that it must get may have fields for the number, too.
    """

    def repeated(text: bytes, numbers: range) -> bytes:
        fields = text.count(b'%')
        return (text * len(numbers)) % tuple(number for number in numbers for _ in range(fields))

    def batches() -> Iterable[tuple[bytes, bytes]]:
        for first in range(0, count, FILL_BATCH):
            numbers = range(first, min(first + FILL_BATCH, count))
            yield repeated(command, numbers), repeated(reply, numbers)

    started = time.perf_counter()
    in_batches(port, batches())
    return time.perf_counter() - started


def numbered(prefix: str) -> bytes:
    """A key for `fill`: the prefix and twelve digits, as redis-benchmark names its keys, not yet filled in."""
    return prefix.encode() + b':%012d'


def numbered_command(name: str, prefix: str, *words: bytes | str | int) -> bytes:
    """An encoded command on a numbered key, for `fill`."""
    encoded = encode(name, numbered(prefix) % 0, *words)
    return encoded.replace(numbered(prefix) % 0, numbered(prefix))
