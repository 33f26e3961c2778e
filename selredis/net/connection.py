"""A client's socket: reading what it says, and sending what it is owed as far as it takes it."""

from __future__ import annotations

import socket
from collections import deque

from selredis.engine.engine import Engine
from selredis.net.loop import Loop
from selredis.net.remote_client import (
    HIGH_WATER_BYTES,
    LOW_WATER_BYTES,
    READ_BYTES,
    UNCOUNTED_BYTES,
    ConnectionTable,
    RemoteClient,
)
from selredis.resp.parser import ParserLimits

MAX_SEND_BYTES = 1024 * 1024  # a connection and turn of what has piled up, so one KEYS * cannot starve the rest

RETRY = (BlockingIOError, InterruptedError)


class Connection(RemoteClient):
    """One socket. Reads are bounded a turn, writes are queued and leave once a turn.

    `unsent` is output that the socket did not take; while there is any, the connection waits for the socket to become
    writable and reads no more past the high-water mark: what a client asks for without reading it must not grow
    without bound.
    """

    __slots__ = ('loop', 'reading', 'sock', 'unsent')

    def __init__(
        self, engine: Engine, loop: Loop, table: ConnectionTable, sock: socket.socket, limits: ParserLimits
    ) -> None:
        super().__init__(engine, table, limits)
        self.loop = loop
        self.sock = sock
        self.fd = sock.fileno()
        self.unsent: deque[bytes | memoryview] | None = None
        self.reading = True
        table.add(self)
        loop.add_reader(self.fd, self.on_readable)

    @property
    def unsent_pieces(self) -> int:
        return len(self.unsent) if self.unsent is not None else 0

    @property
    def events(self) -> bytes:
        return (b'r' if self.reading else b'') + (b'w' if self.unsent is not None else b'')

    @property
    def on_unix_socket(self) -> bool:
        return self.sock.family == socket.AF_UNIX

    # Input

    def on_readable(self) -> None:
        """Read once, and run what is complete."""
        if self.held_bytes and self.overfed:
            return
        buffer = self.table.buffer
        within_value = self.parser.awaited_bytes >= READ_BYTES and not self.behind
        try:
            count = self.sock.recv_into(buffer)
        except RETRY:
            return
        except OSError:
            self.doom()
            return
        if not count:
            self.doom()
        elif within_value:
            self.receive_value(buffer[:count])
        else:
            self.receive(buffer[:count].tobytes())

    # Output

    def flush(self) -> None:
        """Send what was queued in this turn; what the socket does not take waits until it is writable."""
        self.queued = False
        out = self.out
        if not out or self.doomed:
            return
        if self.unsent is not None:
            self.keep_queued()
            return
        if self.bulky:
            self.keep_queued()
            self.on_writable()  # it may well be
            return
        data = out[0] if len(out) == 1 else b''.join(out)
        # As in Redis before any of it is sent, whether or not the peer would take it at once.
        if len(data) > UNCOUNTED_BYTES and self.check_output_limit(len(data)):
            return
        out.clear()
        sent = self.send(data)
        if sent < len(data) and not self.doomed:
            self.keep(memoryview(data)[sent:])
            self.check_limits()

    def keep_queued(self) -> None:
        """Let what is queued wait until the socket is writable."""
        out = self.out
        if self.bulky:
            # Joining would double what is large already.
            self.bulky = False
            for data in out:
                self.keep(data)
        else:
            self.keep(b''.join(out))
        out.clear()
        self.check_limits()

    def check_limits(self) -> None:
        """After more has come to wait: cut the peer off, or read no more of it, if that is too much."""
        if not self.check_output_limit() and (self.congested or self.unsent_bytes > HIGH_WATER_BYTES):
            self.update_congested()

    def on_writable(self) -> None:
        """Send a bounded piece of what has piled up."""
        unsent = self.unsent
        if unsent is None or self.doomed:
            return
        piece = unsent.popleft()
        if len(piece) < MAX_SEND_BYTES and unsent:
            pieces = [piece]
            size = len(piece)
            while unsent and size + len(unsent[0]) <= MAX_SEND_BYTES:
                size += len(unsent[0])
                pieces.append(unsent.popleft())
            piece = b''.join(pieces)
        sent = self.send(memoryview(piece)[:MAX_SEND_BYTES])
        self.unsent_bytes -= sent
        if sent < len(piece):
            unsent.appendleft(memoryview(piece)[sent:])
        elif not unsent:
            self.end_unsent()
        if self.congested:
            self.update_congested()

    def send(self, data: bytes | memoryview) -> int:
        """Hand bytes to the socket; how many it took."""
        try:
            sent = self.sock.send(data)
        except RETRY:
            return 0
        except OSError:
            self.doom()
            return 0
        engine = self.engine
        stats = engine.stats
        stats.writes += 1
        stats.output_bytes += sent
        self.last_active_ms = engine.keyspace.now_ms
        return sent

    def keep(self, data: bytes | memoryview) -> None:
        """Let bytes wait until the socket is writable."""
        unsent = self.unsent
        if unsent is None:
            unsent = self.begin_unsent()
        unsent.append(data)
        self.unsent_bytes += len(data)

    def begin_unsent(self) -> deque[bytes | memoryview]:
        """From now on output waits until the socket is writable."""
        self.loop.add_writer(self.fd, self.on_writable)
        self.unsent = deque()
        return self.unsent

    def end_unsent(self) -> None:
        """The peer has taken all that had to wait."""
        self.unsent = None
        self.loop.remove_writer(self.fd)
        if self.closing:
            self.doom()

    def update_congested(self) -> None:
        """Stop or go on reading, as what the peer leaves unread passes the high-water mark or falls below the low."""
        self.congested = self.unsent_bytes > (HIGH_WATER_BYTES if self.reading else LOW_WATER_BYTES)
        if self.congested == self.reading:
            self.reading = not self.congested
            if self.reading:
                self.loop.add_reader(self.fd, self.on_readable)
            else:
                self.loop.remove_reader(self.fd)
        self.update_halted()
        if not self.halted:
            self.engine.runnable.append(self)

    def close(self) -> None:
        """Give the socket back and leave nothing behind. Called between turns only."""
        self.engine.forget(self)
        self.loop.forget(self.fd)
        self.table.remove(self)
        self.unsent = self.held = None
        self.sock.close()
