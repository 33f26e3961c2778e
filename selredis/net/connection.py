"""A connected client: its socket, what was read of it that may not run yet, and what it has not taken yet."""

from __future__ import annotations

import socket
from collections import deque

from selredis.config_kinds import OutputLimit
from selredis.engine.client import WORD_BYTES, Client
from selredis.engine.engine import COMMANDS_A_LOOK, Engine
from selredis.net.loop import Loop
from selredis.resp.parser import ParserLimits, RequestParser
from selredis.resp.reply import Error

READ_BYTES = 64 * 1024  # a connection and turn: thousands of small commands, a few milliseconds of work
MAX_SEND_BYTES = 64 * 1024  # a connection and turn of what has piled up, so one KEYS * cannot starve the rest
# What may be queued in a turn before it counts towards an output limit (redis server.h, PROTO_REPLY_CHUNK_BYTES).
UNCOUNTED_BYTES = 16 * 1024
# Unread replies past which a client's commands, and the reading of its socket, pause until it has read them.
HIGH_WATER_BYTES = 64 * 1024 * 1024
# Who has not given the password gets little but errors (networking.c, checkClientOutputBufferLimits, since 7.2.8).
STRANGERS_LIMIT = OutputLimit(hard_bytes=1024, soft_bytes=0, soft_seconds=0)
LOW_WATER_BYTES = HIGH_WATER_BYTES // 2
MERGED_BYTES = 4096  # held input is put together up to this size, so that bytes coming one by one take no more memory

RETRY = (BlockingIOError, InterruptedError)


class ConnectionTable:
    """Every open connection, by descriptor and by id, and the totals over them."""

    __slots__ = ('_by_fd', '_by_id', 'over_soft_limit')

    def __init__(self) -> None:
        self._by_fd: dict[int, Connection] = {}
        self._by_id: dict[int, Connection] = {}
        self.over_soft_limit: dict[Connection, int] = {}  # since when, monotonic ms

    def __len__(self) -> int:
        return len(self._by_fd)

    def add(self, connection: Connection) -> None:
        self._by_fd[connection.fd] = connection
        self._by_id[connection.id] = connection

    def remove(self, connection: Connection) -> None:
        del self._by_fd[connection.fd]
        del self._by_id[connection.id]
        self.over_soft_limit.pop(connection, None)

    def by_fd(self, fd: int) -> Connection | None:
        return self._by_fd.get(fd)

    def by_id(self, client_id: int) -> Connection | None:
        return self._by_id.get(client_id)

    def all(self) -> list[Connection]:
        """The connections at this moment; they may be closed while the list is walked."""
        return list(self._by_fd.values())

    @property
    def unread_bytes(self) -> int:
        """Bytes of requests that wait to be run or completed, of all connections."""
        return sum(connection.query_bytes for connection in self._by_fd.values())

    @property
    def unsent_bytes(self) -> int:
        """Bytes of replies and messages that peers have not taken yet, of all connections."""
        return sum(connection.unsent_bytes for connection in self._by_fd.values())


class Connection(Client):
    """One socket. Reads are bounded a turn, writes are queued and leave once a turn.

    `held` is input that came while no command of the client may run. `unsent` is output that the socket did not take;
    while there is any, the connection waits for the socket to become writable and reads no more past the high-water
    mark: what a client asks for without reading it must not grow without bound.
    """

    __slots__ = ('held', 'held_bytes', 'loop', 'parser', 'reading', 'sock', 'table', 'unsent')

    def __init__(
        self, engine: Engine, loop: Loop, table: ConnectionTable, sock: socket.socket, limits: ParserLimits
    ) -> None:
        self.parser = RequestParser(limits)
        super().__init__(engine)
        self.loop = loop
        self.table = table
        self.sock = sock
        self.fd = sock.fileno()
        self.held: deque[bytes] | None = None
        self.held_bytes = 0
        self.unsent: deque[bytes | memoryview] | None = None
        self.reading = True
        table.add(self)
        loop.add_reader(self.fd, self.on_readable)

    @property
    def query_bytes(self) -> int:
        return super().query_bytes + self.parser.pending_bytes + self.held_bytes

    @property
    def unrun_bytes(self) -> int:
        # Redis does not count the complete words of half a command. They are as much memory, and have no other bound.
        return super().unrun_bytes + self.parser.argument_bytes + self.parser.argument_count * WORD_BYTES

    @property
    def argument_bytes(self) -> int:
        return super().argument_bytes + self.parser.argument_bytes

    @property
    def unsent_pieces(self) -> int:
        return len(self.unsent) if self.unsent is not None else 0

    @property
    def events(self) -> bytes:
        return (b'r' if self.reading else b'') + (b'w' if self.unsent is not None else b'')

    @property
    def on_unix_socket(self) -> bool:
        return self.sock.family == socket.AF_UNIX

    def update_gated(self) -> None:
        super().update_gated()
        self.parser.trusted = self.authenticated

    # Input

    def on_readable(self) -> None:
        """Read once, and run what is complete."""
        behind = self.halted or self.pending or self.held
        if behind and self.held_bytes >= READ_BYTES and self.wait is None and not self.closing:
            return  # it has more to do than it gets done: the rest may wait outside
        try:
            data = self.sock.recv(READ_BYTES)
        except RETRY:
            return
        except OSError:
            self.doom()
            return
        if not data:
            self.doom()
            return
        engine = self.engine
        engine.stats.reads += 1
        engine.stats.input_bytes += len(data)
        if behind:
            if not self.closing:
                self.hold(data)
            return
        parser = self.parser
        batch = parser.feed(data)
        if batch:
            engine.run(self, batch)
        else:
            self.last_active_ms = engine.now_ms
        if parser.unfinished:
            self.go_on()

    def go_on(self) -> None:
        """After a read that left something behind: a broken request, one from a stranger, or half of one."""
        parser = self.parser
        for _ in range(COMMANDS_A_LOOK):
            if self.halted:
                break
            # From a stranger one command at a time comes, for it may be the AUTH that lifts the limits of the next.
            batch = parser.feed(b'')
            if batch:
                self.engine.run(self, batch)
                continue
            if parser.error is not None:
                reason = parser.error.decode('ascii', 'backslashreplace')
                self.engine.log.verbose(f'Protocol error ({reason}) from client: {self.describe()}')
                error = Error(b'ERR ' + parser.error)
                self.engine.stats.count_error(error.text)
                self.queue(error.encoded)
                self.close_after_replies()
            break
        else:
            self.give_way()
        self.check_query_limit()

    def hold(self, data: bytes) -> None:
        """Keep input until commands may run again."""
        if self.held is None:
            self.held = deque()
        if self.held and len(self.held[-1]) + len(data) <= MERGED_BYTES:
            self.held[-1] += data
        else:
            self.held.append(data)
        self.held_bytes += len(data)
        self.check_query_limit()

    def take_held(self) -> bytes:
        """As much of the input that had to wait as one read may bring, in however many pieces it came."""
        held = self.held
        assert held is not None
        pieces = [held.popleft()]
        size = len(pieces[0])
        while held and size + len(held[0]) <= READ_BYTES:
            size += len(held[0])
            pieces.append(held.popleft())
        self.held_bytes -= size
        if not held:
            self.held = None
        return b''.join(pieces)

    def resume(self) -> None:
        """Go on with commands and input that had to wait, a read's worth; the rest in the next turn."""
        super().resume()
        if self.halted or self.doomed:
            return
        parser = self.parser
        batch = parser.feed(self.take_held() if self.held else b'')
        if batch:
            self.engine.run(self, batch)
        if parser.unfinished:
            self.go_on()
        if self.held and not self.halted:
            self.engine.runnable.append(self)

    # Output

    def flush(self) -> None:
        """Send what was queued in this turn; what the socket does not take waits until it is writable."""
        self.queued = False
        out = self.out
        if not out or self.doomed:
            return
        if self.bulky or self.unsent is not None:
            self.keep_queued()
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
        sent = self.send(piece[:MAX_SEND_BYTES])
        self.unsent_bytes -= sent
        if sent < len(piece):
            unsent.appendleft(memoryview(piece)[sent:])
        elif not unsent:
            self.unsent = None
            self.loop.remove_writer(self.fd)
            if self.closing:
                self.doom()
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
        if self.unsent is None:
            self.unsent = deque()
            self.loop.add_writer(self.fd, self.on_writable)
        self.unsent.append(data)
        self.unsent_bytes += len(data)

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

    @property
    def output_limit(self) -> OutputLimit:
        """The limit of this client's class."""
        if not self.authenticated and self.engine.config['requirepass']:
            return STRANGERS_LIMIT
        limits = self.engine.config['client-output-buffer-limit']
        limit: OutputLimit = limits.pubsub if self.subscribed else limits.normal
        return limit

    def check_output_limit(self, queued_bytes: int = 0) -> bool:
        """Cut off a peer that leaves more unread, what is queued included, than its class may, or has for too long.

        Returns whether it was cut off.
        """
        limit = self.output_limit
        unread_bytes = self.unsent_bytes + queued_bytes
        hard = bool(limit.hard_bytes and unread_bytes >= limit.hard_bytes)
        soft = False
        over = self.table.over_soft_limit
        if limit.soft_bytes and unread_bytes >= limit.soft_bytes:
            now_ms = self.engine.clock.monotonic_us() // 1000
            soft = now_ms - over.setdefault(self, now_ms) > limit.soft_seconds * 1000
        else:
            over.pop(self, None)
        if hard or soft:
            self.engine.log.warning(
                f'Client {self.describe()} scheduled to be closed ASAP for overcoming of output buffer limits.'
            )
            self.engine.stats.output_limit_disconnections += 1
            self.doom()
        return hard or soft

    def close(self) -> None:
        """Give the socket back and leave nothing behind. Called between turns only."""
        self.engine.forget(self)
        self.loop.forget(self.fd)
        self.table.remove(self)
        self.unsent = self.held = None
        self.sock.close()
