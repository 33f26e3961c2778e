"""A client's socket: reading what it says, and sending what it is owed as far as it takes it."""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Sequence

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
from selredis.resp.pieces import LARGE_BYTES, Output, Pieces, buffers_of, joined

MAX_SEND_BYTES = 1024 * 1024  # a connection and turn of what has piled up, so one KEYS * cannot starve the rest

RETRY = (BlockingIOError, InterruptedError)

Buffer = bytes | memoryview
Unsent = deque[Buffer]


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
        self.unsent: Unsent | None = None
        self.reading = True
        try:
            table.add(self)
            loop.add_reader(self.fd, self.on_readable)
        except BaseException:
            self.close()
            raise

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
            self.end_input()
        elif within_value:
            self.receive_value(buffer[:count])
        else:
            self.receive(buffer[:count].tobytes())

    def end_input(self) -> None:
        super().end_input()
        self.update_reading()

    def update_reading(self) -> None:
        """Watch the socket for input, unless the peer leaves too many replies unread or has ended its input.

        At end of file a socket stays readable: to watch it any longer would keep the loop from waiting.
        """
        reading = not (self.congested or self.input_ended)
        if reading != self.reading:
            self.reading = reading
            if reading:
                self.loop.add_reader(self.fd, self.on_readable)
            else:
                self.loop.remove_reader(self.fd)

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
        data = out[0] if len(out) == 1 else joined(out)
        if len(data) > UNCOUNTED_BYTES:
            # As in Redis before any of it is sent, whether or not the peer would take it at once.
            if self.check_output_limit(len(data)):
                return
            if len(data) > MAX_SEND_BYTES or isinstance(data, Pieces):
                out.clear()
                self.flush_large(data)
                return
        out.clear()
        sent = self.send(data)  # type: ignore[arg-type]  # no Pieces is as short
        if sent < len(data) and not self.doomed:
            self.keep(memoryview(data)[sent:])  # type: ignore[arg-type]
            self.check_limits()

    def flush_large(self, data: Output) -> None:
        """Send a bounded part of what was queued in this turn; the rest waits until the socket is writable."""
        buffers = buffers_of(data)
        if len(data) <= MAX_SEND_BYTES:
            sent = self.send_vector(buffers)
            if sent == len(data):
                return
            rest: Unsent = deque(buffers)
            remove_first(rest, sent)
        else:
            rest = deque(buffers)
            self.send_first(rest)
        if rest and not self.doomed:
            for piece in rest:
                self.keep(piece)
            self.check_limits()

    def keep_queued(self) -> None:
        """Let what is queued wait until the socket is writable."""
        for piece in buffers_of(joined(self.out)):
            self.keep(piece)
        self.out.clear()
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
        sent = self.send_first(unsent)
        self.unsent_bytes -= sent  # after the call, which may add to them (TLS)
        if not unsent:
            self.end_unsent()
        if self.congested:
            self.update_congested()

    def send_first(self, pieces: Unsent) -> int:
        """Send the first MAX_SEND_BYTES as far as the socket takes them, and remove what was sent; its bytes.

        Small pieces are joined with their neighbours. Large ones are not copied.
        """
        first: list[Buffer] = []
        size = 0
        while pieces and size < MAX_SEND_BYTES:
            piece = pieces.popleft()
            first.append(piece)
            size += len(piece)
        if len(first) > 1:
            first = small_joined(first)
        last = first[-1]
        if size > MAX_SEND_BYTES:
            first[-1] = memoryview(last)[: MAX_SEND_BYTES - size]
        sent = self.send(first[0]) if len(first) == 1 else self.send_vector(first)
        first[-1] = last
        pieces.extendleft(reversed(first))
        remove_first(pieces, sent)
        return sent

    def send(self, data: Buffer) -> int:
        """Hand bytes to the socket; how many it took."""
        try:
            sent = self.sock.send(data)
        except RETRY:
            return 0
        except OSError:
            self.doom()
            return 0
        engine = self.engine  # `count_sent` written out
        stats = engine.stats
        stats.writes += 1
        stats.output_bytes += sent
        self.last_active_ms = engine.keyspace.now_ms
        return sent

    def send_vector(self, buffers: Sequence[Buffer]) -> int:
        """`send` for bytes in several buffers."""
        try:
            sent = self.sock.sendmsg(buffers)
        except RETRY:
            return 0
        except OSError:
            self.doom()
            return 0
        self.count_sent(sent)
        return sent

    def count_sent(self, sent: int) -> None:
        engine = self.engine
        engine.stats.writes += 1
        engine.stats.output_bytes += sent
        self.last_active_ms = engine.keyspace.now_ms

    def keep(self, data: Buffer) -> None:
        """Let bytes wait until the socket is writable."""
        unsent = self.unsent
        if unsent is None:
            unsent = self.begin_unsent()
        unsent.append(data)
        self.unsent_bytes += len(data)

    def begin_unsent(self) -> Unsent:
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
        self.congested = self.unsent_bytes > (LOW_WATER_BYTES if self.congested else HIGH_WATER_BYTES)
        self.update_reading()
        self.update_halted()
        if not self.halted:
            self.engine.runnable.append(self)

    def close(self) -> None:
        try:
            self.engine.forget(self)
        finally:
            try:
                if self.sock.fileno() >= 0:  # else it was closed before, and the number may be another socket's
                    self.loop.forget(self.fd)
            finally:
                self.sock.close()
            self.table.remove(self)
            self.unsent = self.held = None


def remove_first(pieces: Unsent, count: int) -> None:
    """Remove that many bytes from the left."""
    while pieces and count >= len(pieces[0]):
        count -= len(pieces.popleft())
    if count:
        pieces[0] = memoryview(pieces[0])[count:]


def small_joined(buffers: list[Buffer]) -> list[Buffer]:
    """The same bytes with small buffers joined to their neighbours, and large ones as they are."""
    found: list[Buffer] = []
    small: list[Buffer] = []
    for buffer in buffers:
        if len(buffer) < LARGE_BYTES:
            small.append(buffer)
            continue
        if small:
            found.append(b''.join(small))
            small = []
        found.append(buffer)
    if small:
        found.append(b''.join(small))
    return found
