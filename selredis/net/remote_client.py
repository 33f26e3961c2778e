"""A client on the other end of a byte stream, whatever carries it: its requests are parsed, held back and bounded."""

from __future__ import annotations

from collections import deque

from selredis.config_kinds import OutputLimit
from selredis.engine.client import WORD_BYTES, Client
from selredis.engine.engine import Engine
from selredis.resp.parser import ParserLimits, RequestParser
from selredis.resp.reply import Error

READ_BYTES = 256 * 1024  # a connection and turn: thousands of small commands, a few milliseconds of work
# What may be queued in a turn before it counts towards an output limit (redis server.h, PROTO_REPLY_CHUNK_BYTES).
UNCOUNTED_BYTES = 16 * 1024
# Unread replies past which a client's commands, and the reading of its socket, pause until it has read them.
HIGH_WATER_BYTES = 64 * 1024 * 1024
LOW_WATER_BYTES = HIGH_WATER_BYTES // 2
# Who has not given the password gets little but errors (networking.c, checkClientOutputBufferLimits, since 7.2.8).
STRANGERS_LIMIT = OutputLimit(hard_bytes=1024, soft_bytes=0, soft_seconds=0)
UNTRUSTED_COMMANDS = 64  # executed one by one before the client yields
MERGED_BYTES = 4096  # held input is put together up to this size, so that bytes coming one by one take no more memory


class ConnectionTable:
    """Every open connection, by descriptor and by id, and the totals over them.

    `buffer` is for all of them to read into, one after the other; what is in it is for the length of a callback.
    """

    __slots__ = ('_by_fd', '_by_id', 'buffer', 'over_soft_limit')

    def __init__(self) -> None:
        self.buffer = memoryview(bytearray(READ_BYTES))
        self._by_fd: dict[int, RemoteClient] = {}
        self._by_id: dict[int, RemoteClient] = {}
        self.over_soft_limit: dict[RemoteClient, int] = {}  # since when, monotonic ms

    def __len__(self) -> int:
        return len(self._by_id)

    def add(self, connection: RemoteClient) -> None:
        self._by_fd[connection.fd] = connection
        self._by_id[connection.id] = connection

    def remove(self, connection: RemoteClient) -> None:
        if self._by_fd.get(connection.fd) is connection:  # a loop may close it before it says so, and give it another
            del self._by_fd[connection.fd]
        self._by_id.pop(connection.id, None)
        self.over_soft_limit.pop(connection, None)

    def by_fd(self, fd: int) -> RemoteClient | None:
        return self._by_fd.get(fd)

    def by_id(self, client_id: int) -> RemoteClient | None:
        return self._by_id.get(client_id)

    def all(self) -> list[RemoteClient]:
        """The connections at this moment; they may be closed while the list is walked."""
        return list(self._by_id.values())

    @property
    def unread_bytes(self) -> int:
        """Bytes of requests that wait to be run or completed, of all connections."""
        return sum(connection.query_bytes for connection in self._by_id.values())

    @property
    def unsent_bytes(self) -> int:
        """Bytes of replies and messages that peers have not taken yet, of all connections."""
        return sum(connection.unsent_bytes for connection in self._by_id.values())


class RemoteClient(Client):
    """What any driver's connections have in common; a driver adds how bytes come and go.

    `held` is input that came while no command of the client may run. The driver calls `receive` and `end_input`,
    provides `flush` and `close`, and keeps `unsent_bytes` true.
    """

    __slots__ = ('held', 'held_bytes', 'input_ended', 'parser', 'table')

    def __init__(self, engine: Engine, table: ConnectionTable, limits: ParserLimits) -> None:
        self.parser = RequestParser(limits)
        super().__init__(engine)
        self.table = table
        self.held: deque[bytes] | None = None
        self.held_bytes = 0
        self.input_ended = False  # the peer has shut down its side; it may still read

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
    def announced_bytes(self) -> int:
        return self.parser.awaited_bytes

    def update_gated(self) -> None:
        super().update_gated()
        self.parser.trusted = self.authenticated

    # Input

    def receive(self, data: bytes) -> None:
        """Run what is complete of the client's input, and keep the rest."""
        engine = self.engine
        engine.stats.reads += 1
        engine.stats.input_bytes += len(data)
        if self.halted or self.pending or self.held:  # behind, without the call
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

    def receive_value(self, piece: memoryview) -> None:
        """`receive` for what is all part of the value that the parser awaits; it is not kept, but copied into that."""
        engine = self.engine
        engine.stats.reads += 1
        engine.stats.input_bytes += len(piece)
        self.last_active_ms = engine.now_ms
        batch = self.parser.feed_value(piece)
        if batch:
            engine.run(self, batch)
        self.check_query_limit()

    @property
    def behind(self) -> bool:
        """Whether earlier input has to be run first."""
        return self.halted or bool(self.pending or self.held)

    @property
    def overfed(self) -> bool:
        """Whether the client has more to do than it gets done: what else it says may wait outside."""
        return self.held_bytes >= READ_BYTES and self.wait is None and not self.closing

    def end_input(self) -> None:
        """Handle end of file: run what came complete before it, send the replies, then close.

        To be called once, after the last `receive`; the driver must not read any more.
        """
        self.input_ended = True
        self.close_when_done()

    def close_when_done(self) -> None:
        """After end of file: close once no complete command is left to run.

        A command that blocks is abandoned, as in Redis, which closes the connection then. Here the commands after it
        run. One that CLIENT PAUSE holds back runs when the pause is over.
        """
        if self.wait is not None and not self.wait.postponed:
            self.engine.blocked.abandon(self)
        if not self.behind:
            self.close_after_replies()

    def go_on(self) -> None:
        """After a read that left something behind: a broken request, one from a stranger, or half of one."""
        parser = self.parser
        for _ in range(UNTRUSTED_COMMANDS):
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
            self.yield_turn()
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
        if not self.halted:
            self.run_held()
        if self.input_ended:
            self.close_when_done()

    def run_held(self) -> None:
        """Run a read's worth of held input."""
        parser = self.parser
        # An unauthenticated client's commands are read one by one: what the parser still has of them comes first.
        batch = parser.feed(self.take_held() if self.held and not parser.unread_bytes else b'')
        if batch:
            self.engine.run(self, batch)
        if parser.unfinished:
            self.go_on()
        if self.held and not self.halted:
            self.engine.runnable.append(self)

    # Output

    @property
    def closable(self) -> bool:
        """Whether to close it loses nothing that the client is to have."""
        return self.doomed or not self.unsent_bytes

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
        """Give back what the connection holds, and leave nothing behind; what is unsent is lost. Between turns only.

        Whatever of this fails, the socket is closed. May be called again.
        """
        raise NotImplementedError
