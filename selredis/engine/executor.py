"""Executing commands: the one path that every command takes (server.c: processCommand, call).

    run(client, batch)               walks a client's pipeline; yields when its time slice is over
      run_streak(...)                brief commands of a plain client, in one unrolled loop
      run_plain(...)                 any other command of a plain client
      run_command(client, argv)      processCommand: lookup, arity, checks, MULTI queue, CLIENT PAUSE
        call(client, command, argv)  call(): the handler, its time, slow log, monitors, tracking, effects -> reply

A client is plain unless its own state (`client.gated`) or the server's (`gate.closed`) calls for checks, as MULTI and
MONITOR do. EXEC, a blocked client's next try and all else that executes commands use `call`, which returns a reply as a
value: encoding it is for the caller.

Commands of a streak aren't timed one by one, for reading the clock takes as long as half of them do.
"""

from selredis.clock import Clock
from selredis.engine.blocking import BlockedClients
from selredis.engine.checks import permitted
from selredis.engine.client import Client, ReplyMode
from selredis.engine.command import Argv, Command
from selredis.engine.command_stats import FINE_SHIFT
from selredis.engine.crash_report import CrashReports, clean_up
from selredis.engine.cross_protocol import CrossProtocolGuard
from selredis.engine.effects import Effects
from selredis.engine.gate import Gate
from selredis.engine.monitors import Monitors
from selredis.engine.pause import Pause
from selredis.engine.slow_calls import SlowCalls
from selredis.engine.stats import Stats
from selredis.engine.tracking import TrackingTable
from selredis.errors import INTERNAL, ReplyError
from selredis.keyspace.database import Keyspace
from selredis.resp.encoder import BULK_HEADS, CRLF, READY_HEADS
from selredis.resp.reply import BLOCKED, NO_REPLY, QUEUED, Error, Reply, Several, Status

# How long a client's commands may run before those of others.
SLICE_MS = 10
SLICE_NS = SLICE_MS * 1_000_000
STREAK_COMMANDS = 64
LARGE_REPLY_BYTES = 2048  # a longer reply ends a streak
UNQUEUED_IN_MULTI = frozenset('exec discard multi watch quit reset'.split())


class Executor:
    """Executes the commands of one server's clients."""

    __slots__ = (
        '_cross_protocol',
        '_depth',
        'blocked',
        'crash_reports',
        'effects',
        'gate',
        'keyspace',
        'monitors',
        'pause',
        'read_ns',
        'slow_calls',
        'stats',
        'tracking',
    )

    def __init__(
        self,
        *,
        clock: Clock,
        keyspace: Keyspace,
        gate: Gate,
        stats: Stats,
        slow_calls: SlowCalls,
        monitors: Monitors,
        tracking: TrackingTable,
        effects: Effects,
        blocked: BlockedClients,
        pause: Pause,
        crash_reports: CrashReports,
        cross_protocol: CrossProtocolGuard,
    ) -> None:
        self.read_ns = clock.now_ns
        self.keyspace = keyspace
        self.gate = gate
        self.stats = stats
        self.slow_calls = slow_calls
        self.monitors = monitors
        self.tracking = tracking
        self.effects = effects
        self.blocked = blocked
        self.pause = pause
        self.crash_reports = crash_reports
        self._cross_protocol = cross_protocol
        self._depth = 0  # of calls within calls: EXEC executes commands, too

    def run(self, client: Client, batch: list[Argv]) -> None:
        """Execute a client's commands, one or more, in order and queue the replies.

        The rest stays in `client.pending` while it is blocked, closing, has much unread, or has used up its time slice.
        """
        keyspace = self.keyspace
        now_ns = self.read_ns()
        client.last_active_ms = keyspace.now_ms = now_ns // 1_000_000
        keyspace.current_client = client
        argv, place = batch[0], 0
        command = client.commands.get(argv[0])
        # A single command of a plain client, or its brief ones: as most clients send them.
        if (
            command is not None
            and not client.gated
            and not self.gate.closed
            and not client.halted
            and command.low <= len(argv) <= command.high
        ):
            if len(batch) == 1:
                place = 1
                self.run_plain(client, command, argv, now_ns)
            elif command.brief:
                place = self.run_streak(client, command, batch, 0, now_ns)
            if keyspace.ready:
                self.serve_ready()
        if place < len(batch):
            self._run_pipeline(client, batch, place, now_ns)

    def _run_pipeline(self, client: Client, batch: list[Argv], place: int, begin_ns: int) -> None:
        keyspace, gate, lookup, count = self.keyspace, self.gate, client.commands.get, len(batch)
        now_ns = self.read_ns() if place else begin_ns
        while True:
            if not 0 <= now_ns - begin_ns <= SLICE_NS:  # less than 0: the machine's clock was set
                client.yield_turn()
            if place == count:
                return
            if client.halted:
                client.pending = batch[place:]
                return
            argv = batch[place]
            command = lookup(argv[0])
            if command is None or client.gated or gate.closed or not command.low <= len(argv) <= command.high:
                self.run_command(client, argv)
                place += 1
                now_ns = self.read_ns()
            elif command.brief and place + 1 < count:
                place = self.run_streak(client, command, batch, place, now_ns)
                if place < count:
                    now_ns = self.read_ns()
            else:
                now_ns = self.run_plain(client, command, argv, now_ns)
                place += 1
            if keyspace.ready:
                self.serve_ready()

    def run_plain(self, client: Client, command: Command, argv: Argv, begin_ns: int) -> int:
        """Execute one command of a plain client and queue its reply; return the time at its end (ns).

        This is `call` without what a plain client never needs.
        """
        stats = self.stats
        client.command = command
        try:
            reply = command.handler(client, argv)
            if client.propagates:
                self._record(client, command, argv)
            if reply is BLOCKED:
                self.blocked.remember(client, argv)
                return begin_ns
            encoded = reply.encoded if type(reply) is Status else client.encoders[type(reply)](reply)
            if len(encoded) > LARGE_REPLY_BYTES:
                client.count_large_reply(len(encoded))
        except Exception as error:
            encoded = self._failed(client, command, argv, error).encoded
            if client.propagates:
                self._record(client, command, argv)
        client.out.append(encoded)
        if not client.queued:
            client.engine.to_flush.append(client)
            client.queued = True
        # `count` written out for most commands
        now_ns = self.read_ns()
        taken_ns = now_ns - begin_ns
        entry = stats.of_commands.get(command)
        if entry is not None and 0 <= taken_ns < self.slow_calls.brief_ns:
            stats.commands += 1
            entry.ns += taken_ns
            entry.fine[taken_ns >> FINE_SHIFT] += 1
        else:
            self.count(client, command, argv, now_ns, taken_ns)
        return now_ns

    def run_streak(self, client: Client, command: Command, batch: list[Argv], place: int, begin_ns: int) -> int:
        """Execute brief commands of a plain client from `place` on and queue the replies; return where they end.

        `command` is the first one. The streak ends before a command that isn't brief, or when the client or the server
        has left the plain state, and after a large reply or a change that others wait for. All of it is timed at once.
        """
        gate, ready, append, join = self.gate, self.keyspace.ready, client.out.append, b''.join
        propagates = client.propagates
        if not client.queued:
            client.engine.to_flush.append(client)
            client.queued = True
        client.command = command
        handler, name, width = command.handler, batch[place][0], len(batch[place])
        start = first = place  # `first` of the commands at hand that are one and the same
        large_bytes = 0
        for argv in batch if not place and len(batch) <= STREAK_COMMANDS else batch[place : place + STREAK_COMMANDS]:
            # The client has entered MULTI, was blocked or closed; or the last change passed maxmemory.
            if client.gated or gate.closed or client.halted:
                break
            # Not called like the one before: look it up.
            if argv[0] != name or len(argv) != width:
                following = client.commands.get(argv[0])
                if following is None or not following.brief or not following.low <= len(argv) <= following.high:
                    break
                if following is not command:
                    self.stats.pool(command, place - first)
                    first = place
                    client.command = command = following
                    handler = command.handler
                name, width = argv[0], len(argv)
            place += 1
            try:
                reply = handler(client, argv)
                # There are sinks for its effects.
                if propagates:
                    self._record(client, command, argv)
                # Most commands that write: already encoded, and never large.
                if type(reply) is Status:
                    append(reply.encoded)
                # `encode_bulk` written out, for most that read.
                elif type(reply) is bytes and len(reply) < READY_HEADS:
                    append(join((BULK_HEADS[len(reply)], reply, CRLF)))
                else:
                    encoded = client.encoders[type(reply)](reply)
                    append(encoded)
                    if len(encoded) > LARGE_REPLY_BYTES:
                        large_bytes = len(encoded)
                        break
            except Exception as error:
                append(self._failed(client, command, argv, error).encoded)
                if propagates:
                    self._record(client, command, argv)
            # Clients are blocked on what it has changed.
            if ready:
                break
        now_ns = self.read_ns()
        taken_ns = now_ns - begin_ns
        if not 0 <= taken_ns < self.slow_calls.brief_ns:
            taken_ns = self.slow_calls.duration_ns(taken_ns)
        self.stats.add_streak(command, place - first, place - start, taken_ns)
        if large_bytes:
            client.count_large_reply(large_bytes)
        if taken_ns >= self.slow_calls.threshold_ns and (large_bytes or place - start == 1):
            self.slow_calls.note(client, command, batch[place - 1], now_ns, taken_ns)
        return place

    def run_command(self, client: Client, argv: Argv) -> None:
        """Execute one command of any client, or refuse it, queue it in a transaction or postpone it (processCommand).

        Its reply comes before what the command makes the client itself receive, as a message that it publishes (7.2 and
        later). A command that CLIENT PAUSE postpones comes here again.
        """
        if self.tracking.over_limit:
            self.tracking.shrink()
        silent = client.reply_mode is not ReplyMode.ON
        if client.reply_mode is ReplyMode.SKIP_NEXT:
            client.reply_mode = ReplyMode.SKIP
        try:
            command = permitted(client, argv, self.stats, self._cross_protocol)
        except ReplyError as refused:
            own_from = len(client.out)
            reply: Reply = self._refuse(client, argv, refused)
        else:
            own_from = len(client.out)  # after invalidations of keys that were evicted
            if self.effects.entries:
                self.effects.end_units()
            if self.pause.holds_back(client, command):
                self.pause.postpone(client, command, argv)
                return
            if client.transaction is not None and command.name not in UNQUEUED_IN_MULTI:
                client.queue_command(command, argv)
                reply = QUEUED
            else:
                reply = self.call(client, command, argv)
                if reply is BLOCKED:
                    self.blocked.remember(client, argv)
                    return
        if client.tracking is not None:
            client.tracking.end_of_command(client.transaction is not None, argv)
        if silent and client.reply_mode is not ReplyMode.ON:
            # What (un)subscribing is answered with are pushes, and pushes are no replies.
            if not isinstance(reply, Several):
                reply = NO_REPLY
            client.end_skip()
        self._queue_reply(client, reply, own_from)

    def _queue_reply(self, client: Client, reply: Reply, own_from: int) -> None:
        """Queue a reply before what is in the client's queue from `own_from` on."""
        out = client.out
        own = out[own_from:]
        del out[own_from:]
        encoded = client.encoders[type(reply)](reply)
        client.queue(encoded)
        out += own
        if len(encoded) > LARGE_REPLY_BYTES:
            client.count_large_reply(len(encoded))

    def _refuse(self, client: Client, argv: Argv, refused: ReplyError) -> Error:
        """Return the reply to a command that is not executed. It aborts the transaction; an EXEC ends it."""
        error = Error(refused.text)
        if argv[0].lower() == b'exec':
            client.end_transaction()
            error = Error(b'EXECABORT Transaction discarded because of: ' + refused.text.removeprefix(b'ERR '))
        elif client.transaction is not None:
            client.transaction.aborted = True
        self.stats.count_error(error.text)
        return error

    def call(self, client: Client, command: Command, argv: Argv) -> Reply:
        """Execute a command and return its reply; an `Error` if it failed, BLOCKED if the client is blocked now.

        All that comes with it: statistics and slow log, monitors, the table of tracked keys, effects.
        """
        retried = client.wait is not None
        begin_ns = self.read_ns()
        self._depth += 1
        try:
            reply = command.handler(client, argv)
        except Exception as error:
            reply = self._failed(client, command, argv, error)
        finally:
            self._depth -= 1
        if reply is not BLOCKED:
            now_ns = self.read_ns()
            self.count(client, command, argv, now_ns, now_ns - begin_ns)
        if self.monitors and not retried:
            self.monitors.feed(client, command, argv)
        if client.tracking is not None and 'readonly' in command.flags:
            self.tracking.remember(client, command, argv)
        if client.propagates:
            self._record(client, command, argv)
        return reply

    def _record(self, client: Client, command: Command, argv: Argv) -> None:
        """Record the effects of a command that has been executed; the outermost one ends the unit."""
        self.effects.record(client.db.number, command, argv)
        if not self._depth:
            self.effects.end_unit()

    def count(self, client: Client, command: Command, argv: Argv, now_ns: int, taken_ns: int) -> None:
        """Count a call that took a time; a slow one is entered in the slow log and the latency monitor."""
        taken_ns = self.slow_calls.duration_ns(taken_ns)
        self.stats.commands += 1
        self.stats.of_command(command).add(1, taken_ns)
        if taken_ns >= self.slow_calls.threshold_ns:
            self.slow_calls.note(client, command, argv, now_ns, taken_ns)

    def _failed(self, client: Client, command: Command, argv: Argv, error: Exception) -> Error:
        """Return the reply to a command that raised an error; log it if it is a defect of this server."""
        if isinstance(error, ReplyError):
            text = error.text
        else:
            text = INTERNAL
            clean_up(client, command, argv)
            self.crash_reports.write(client, argv, error)
        self.stats.of_command(command).failed += 1
        self.stats.count_error(text)
        return Error(text)

    # Blocked clients

    def serve_ready(self) -> None:
        """Execute the commands of clients blocked on keys that are ready now."""
        self.blocked.serve_ready(self.retry)
        if self.effects.entries:  # a key that had expired when a client was to be served
            self.effects.end_units()

    def retry(self, client: Client) -> None:
        """Execute a blocked client's command again. A failure around it (MemoryError) costs only this client."""
        try:
            self._retry(client)
        except Exception as error:
            client.doom()
            client.engine.log.defect(f'Closing client id={client.id}: serving it failed', error)

    def _retry(self, client: Client) -> None:
        wait = client.wait
        assert wait is not None
        if self.pause.holds_back(client, wait.command):  # the pause began in the transaction that made a key ready
            self.blocked.unblock(client)
            self.pause.postpone(client, wait.command, wait.argv)
            return
        own_from = len(client.out)
        caller, self.keyspace.current_client = self.keyspace.current_client, client
        reply = self.call(client, wait.command, wait.argv)
        self.keyspace.current_client = caller
        if reply is BLOCKED:
            return
        if client.tracking is not None:
            client.tracking.end_of_command(client.transaction is not None, wait.argv)
        own = client.out[own_from:]  # comes after the reply
        del client.out[own_from:]
        self.blocked.finish(client, reply)
        client.out += own
