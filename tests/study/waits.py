"""Waiting for what another process does, and clients that behave badly."""

import socket
import struct
import time
from collections.abc import Callable

from tests.harness.wire import WireClient

WAIT_SECONDS = 10.0
LITTLE_BYTES = 4096
ABRUPTLY = struct.pack('ii', 1, 0)  # SO_LINGER: close with a reset, whatever is still under way


def wait_until(condition: Callable[[], bool]) -> None:
    """AssertionError if it does not come true. Asking is what passes the time: a condition asks the server."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, 'it did not come true'


def read_bytes(client: WireClient, count: int) -> bytes:
    """The next so many bytes. AssertionError if they do not come."""
    pieces = [client.unread]
    missing = count - len(client.unread)
    client.unread = b''
    while missing > 0:
        assert client.read_more(WAIT_SECONDS), f'{missing} bytes of {count} have not come'
        pieces.append(client.unread)
        missing -= len(client.unread)
        client.unread = b''
    data = b''.join(pieces)
    client.unread = data[count:]
    return data[:count]


def read_to_end(client: WireClient) -> bytes:
    """All bytes until the server closes."""
    pieces = []
    while client.read_more(WAIT_SECONDS):
        pieces.append(client.unread)
        client.unread = b''
    assert client.closed
    return b''.join([*pieces, client.unread])


def slow_client(address: tuple[str, int], protocol: int = 2) -> WireClient:
    """A client whose system takes little for it until it reads."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, LITTLE_BYTES)
    sock.settimeout(WAIT_SECONDS)
    sock.connect(address)
    return WireClient(sock, 3 if protocol == 3 else 2)


def reset(client: WireClient) -> None:
    """Vanish: the server's system is told that there is nobody any more."""
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABRUPTLY)
    client.close()


def part(client: WireClient) -> None:
    """Leave as one does."""
    client.close()
