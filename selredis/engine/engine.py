"""Commands in, replies out: the whole server but its sockets.

The engine does no I/O. A driver hands it commands with `run`, and polls: `to_flush`, clients with queued output;
`runnable`, clients that may go on with input that had to wait; `doomed`, clients to close; `timers`, for when the next
deadline is; `shutdown_requested`, whether a client asked for the end.
"""

from collections.abc import Callable
from random import Random
from typing import Protocol

from selredis.clock import Clock
from selredis.config import Config
from selredis.engine import gates
from selredis.engine.blocking import BlockedClients
from selredis.engine.client import Client, ReplyMode
from selredis.engine.client_eviction import ClientEviction
from selredis.engine.clocks import Clocks
from selredis.engine.command import Argv, Command
from selredis.engine.command_stats import FINE_NS, FINE_SHIFT, FINE_SLOTS
from selredis.engine.crash_report import CrashReports, clean_up
from selredis.engine.latency import LatencyMonitor
from selredis.engine.memory import MemoryUse, Outcome
from selredis.engine.monitors import feed
from selredis.engine.pause import Pause
from selredis.engine.redaction import redacted
from selredis.engine.slowlog import SlowLog
from selredis.engine.stats import Deployment, Stats
from selredis.engine.tracking import TrackingTable
from selredis.errors import INTERNAL, ReplyError
from selredis.keyspace.database import Keyspace
from selredis.keyspace.expiry import expire_slice
from selredis.pubsub import PubSub
from selredis.resp.encoder import BULK_HEADS, CRLF, READY_HEADS
from selredis.resp.pieces import Output
from selredis.resp.reply import BLOCKED, NO_REPLY, QUEUED, EncodedParts, Error, Reply, Several, Status
from selredis.timers import Timers

# How long a client's commands may run before others have their turn. The time is looked at behind those that may take
# long (those flagged so, and all that pass the gates), and behind so many of any others.
SLICE_MS = 10
COMMANDS_A_LOOK = 64
LARGE_REPLY_BYTES = 2048  # only replies above it are added up while a batch runs
MANY_BYTES = 1024 * 1024  # of large replies: above it others have their turn
UNQUEUED_IN_MULTI = frozenset('exec discard multi watch quit reset'.split())
HTTP_WORDS = frozenset((b'host:', b'post'))
HTTP_WARNING_PAUSE_MS = 60_000
NEVER_NS = 1 << 63
# Where less than this is slow, calls of fast commands are measured one by one: many of them may take as long together.
CLOSE_LOOK_NS = 1_000_000


class Log(Protocol):
    """Where the engine reports, with Redis's levels."""

    def warning(self, text: str) -> None: ...

    def notice(self, text: str) -> None: ...

    def verbose(self, text: str) -> None: ...

    def debug(self, text: str) -> None: ...

    def defect(self, text: str, error: BaseException) -> None: ...


class Engine:
    """One server's data, clients and configuration. Two engines share nothing but the command table."""

    __slots__ = (
        '_last_client_id',
        '_place',
        '_warned_of_http_ms',
        'active_expire',
        'blocked',
        'brief_ns',
        'client_eviction',
        'clients',
        'clock',
        'clocks',
        'commands',
        'config',
        'crash_reports',
        'cron_paused',
        'deployment',
        'doomed',
        'gated',
        'keyspace',
        'latency',
        'log',
        'memory',
        'monitors',
        'pause',
        'pubsub',
        'random',
        'read_ns',
        'replication_id',
        'run_id',
        'runnable',
        'running',
        'shutdown_requested',
        'slow_ns',
        'slowlog',
        'started_ms',
        'stats',
        'stream_node_limits',
        'timers',
        'to_flush',
        'tracking',
    )

    def __init__(self, config: Config, clock: Clock, random: Random, log: Log, timers: Timers | None = None) -> None:
        self.config = config
        self.commands = config.commands
        self.clock = clock
        self.read_ns = clock.now_ns
        self.clocks = Clocks(clock)
        self.random = random
        self.log = log
        self.to_flush: list[Client] = []
        self.pubsub = PubSub(self.to_flush)
        self.keyspace = Keyspace(config['databases'], self.pubsub)
        self.timers = Timers(lambda error: log.defect('A timer failed', error)) if timers is None else timers
        self.stats = Stats()
        self.tracking = TrackingTable(self)
        self.slowlog = SlowLog()
        self.latency = LatencyMonitor()
        self.slow_ns = NEVER_NS  # calls that take as long are looked at more closely
        self.brief_ns = FINE_NS  # of calls that take less nothing but the time is noted
        self.monitors: dict[Client, None] = {}
        self.gated = False
        self.pause = Pause(self)
        self.running: Client | None = None  # whose command runs, or ran last
        self.crash_reports = CrashReports()
        self.deployment = Deployment()
        self.run_id = self.new_id()
        self.replication_id = self.new_id()  # of this history of changes
        self.clients: dict[int, Client] = {}
        self.client_eviction = ClientEviction(self)
        self._last_client_id = 0
        self._place = 0  # in the queue of the client whose command runs, of what the command makes it tell itself
        self._warned_of_http_ms: int | None = None
        self.blocked = BlockedClients(self)
        self.runnable: list[Client] = []
        self.doomed: list[Client] = []
        self.active_expire = True  # DEBUG SET-ACTIVE-EXPIRE
        self.cron_paused = False  # DEBUG PAUSE-CRON
        self.shutdown_requested = False
        self.tell_time()
        self.started_ms = self.keyspace.now_ms  # Unix time
        config.on_change('notify-keyspace-events', self._set_notifications)
        for name in ('slowlog-log-slower-than', 'latency-monitor-threshold'):
            config.on_change(name, self._set_slowness)
        config.on_change('tracking-table-max-keys', self._limit_tracking)
        for name in ('stream-node-max-entries', 'stream-node-max-bytes'):
            config.on_change(name, self._set_stream_node_limits)
        self._set_notifications()
        self._set_slowness()
        self._limit_tracking()
        self._set_stream_node_limits()
        self.memory = MemoryUse(self)
        config.on_change('maxmemory', self.update_gated)  # after MemoryUse's hook, which may lift an exceeded limit

    @property
    def now_ms(self) -> int:
        """Unix time, frozen for the length of a batch."""
        return self.keyspace.now_ms

    def tell_time(self) -> int:
        """Read the clock; all that happens until the next reading happens at this time (ms)."""
        now_ms = self.keyspace.now_ms = self.clock.now_ms()
        return now_ms

    def new_id(self) -> str:
        """Forty hexadecimal digits, as Redis calls servers and their histories."""
        return f'{self.random.getrandbits(160):040x}'

    def monotonic_ms(self) -> int:
        """The time of timers: it goes on evenly, whatever is done to the machine's clock."""
        return self.clock.monotonic_us() // 1000

    def next_client_id(self) -> int:
        self._last_client_id += 1
        return self._last_client_id

    def update_gated(self) -> None:
        """Must be called when any of these has changed: whether everybody's commands need a closer look."""
        self.gated = (
            bool(self.monitors)
            or self.slow_ns < CLOSE_LOOK_NS
            or self.pause.active
            or self.tracking.over_limit
            or self.keyspace.memory.passed
        )

    def run(self, client: Client, batch: list[Argv]) -> None:
        """Run a client's commands in order and queue the replies.

        What may not run yet stays in client.pending: the client waits, closes, has megabytes of replies unread, or has
        taken so long that others have their turn first.

        What takes about a microsecond is not measured alone. Calls of brief commands that follow each other are
        measured together: of the last one, `measured`, those from `first` on, and if they are `mixed` others before.
        """
        count = len(batch)
        if count == 1:
            if self.run_alone(client, batch[0]):
                return
        elif count > COMMANDS_A_LOOK:
            self.run_in_pieces(client, batch)
            return
        keyspace = self.keyspace
        begin_ns = self.read_ns()
        client.last_active_ms = keyspace.now_ms = begin_ns // 1_000_000
        if not client.queued:
            self.to_flush.append(client)
            client.queued = True
        self.running = client
        append = client.out.append
        join = b''.join
        lookup = self.commands.get
        ready = keyspace.ready
        large_bytes = 0
        place = first = 0  # of the command at hand, and of the first that is measured together with it
        measured: Command | None = None
        same: Command | None = None  # `measured` if it is brief
        name: bytes | None = None  # by which it was called, with `width` words: called so again it needs no closer look
        width = 0
        handler: Callable[..., Reply] = self.run_guarded  # of `measured`
        mixed = False
        for argv in batch:
            if client.halted:
                client.pending = batch[place:]
                break
            try:
                if argv[0] == name and len(argv) == width and not client.gated and not self.gated:
                    place += 1
                    reply = handler(client, argv)
                elif (
                    (command := lookup(argv[0])) is None
                    or client.gated
                    or self.gated
                    or not command.low <= len(argv) <= command.high
                ):
                    if measured is not None:
                        self.measure(client, measured, place - first, batch[first], begin_ns, mixed)
                        measured = same = name = None
                    place += 1
                    reply = self.run_guarded(client, argv)
                else:
                    if command is not same:
                        if same is not None and command.brief:
                            self.stats.pool(same, place - first)
                            mixed = True
                        else:
                            if measured is not None:
                                begin_ns = self.measure(client, measured, place - first, batch[first], begin_ns, mixed)
                            elif place:
                                begin_ns = self.read_ns()
                            mixed = False
                        measured = command
                        same = command if command.brief else None
                        first = place
                    place += 1
                    name = argv[0] if command is same else None
                    width = len(argv)
                    client.command = command
                    handler = command.handler
                    reply = handler(client, argv)
                if type(reply) is Status:  # of most commands that write; already encoded, and never large
                    append(reply.encoded)
                elif type(reply) is bytes and len(reply) < READY_HEADS:  # `encode_bulk` written out, for most that read
                    append(join((BULK_HEADS[len(reply)], reply, CRLF)))
                elif reply is BLOCKED:
                    self.blocked.remember(client, argv)
                    measured = same = name = None  # it is counted when it is over
                    continue
                else:
                    encoded = client.encoders[type(reply)](reply)
                    append(encoded)
                    if len(encoded) > LARGE_REPLY_BYTES:
                        if same is not None:  # brief as a rule, but perhaps not where there is so much to say
                            self.measure(client, same, place - first, argv, begin_ns, mixed, long=True)
                            measured = same = name = None
                        large_bytes += len(encoded)
                        if large_bytes > MANY_BYTES:
                            client.give_way()
            except ReplyError as error:
                if measured is not None:
                    self.stats.of_command(measured).failed += 1
                append(self.encode_error(error))
            except Exception as error:
                if measured is not None:
                    self.stats.of_command(measured).failed += 1
                append(self.report_crash(client, argv, error))
            if ready:
                if measured is not None:
                    self.measure(client, measured, place - first, batch[first], begin_ns, mixed)
                    measured = same = name = None
                self.blocked.serve_ready()
        if measured is not None:
            self.measure(client, measured, place - first, batch[first], begin_ns, mixed)
        self.stats.commands += place

    def measure(
        self,
        client: Client,
        command: Command,
        count: int,
        argv: Argv,
        begin_ns: int,
        mixed: bool = False,
        *,
        long: bool = False,
    ) -> int:
        """Count calls of one command that are over, and the time that they took; returns what time it is now (ns).

        `argv` is the only one of them, or the `long` one, whose time it is, whatever was before it. `mixed`: of brief
        commands, this one and those that were pooled before.
        """
        now_ns = self.read_ns()
        taken_ns = now_ns - begin_ns
        if not 0 <= taken_ns < self.brief_ns:
            taken_ns = self.clocks.duration_ns(taken_ns)
            if taken_ns >= self.slow_ns and (long or (count == 1 and not mixed)):
                self._note_slow(client, command, argv, now_ns, taken_ns)
        stats = self.stats
        if mixed:
            stats.pool(command, count)
            stats.pool_ns += taken_ns
            return now_ns
        of_command = stats.of_commands.get(command) or stats.of_command(command)
        slot = taken_ns // count >> FINE_SHIFT
        if slot < FINE_SLOTS:  # as `add` does it: this runs for every batch
            of_command.ns += taken_ns
            of_command.fine[slot] += count
        else:
            of_command.add(count, taken_ns)
        return now_ns

    def _note_slow(self, client: Client, command: Command, argv: Argv, now_ns: int, taken_ns: int) -> None:
        """Enter a call in the slow log and the latency monitor, in so far as it was slow enough for them."""
        event = b'fast-command' if command.fast else b'command'
        self.latency.note(event, now_ns // 1_000_000_000, taken_ns // 1_000_000)
        slow_us = self.config['slowlog-log-slower-than']
        if 0 <= slow_us <= taken_ns // 1000 and 'skip_slowlog' not in command.flags:
            words = redacted(self.commands, argv)
            self.slowlog.add(words, now_ns // 1_000_000_000, taken_ns // 1000, client.addr, client.name)
            self.slowlog.trim(self.config['slowlog-max-len'])

    def run_alone(self, client: Client, argv: Argv) -> bool:
        """`run` for a single command, and what it is in plain cases; False, and nothing done, in others."""
        command = self.commands.get(argv[0])
        if (
            command is None
            or client.gated
            or self.gated
            or client.halted
            or not command.low <= len(argv) <= command.high
        ):
            return False
        keyspace = self.keyspace
        stats = self.stats
        begin_ns = self.read_ns()
        client.last_active_ms = keyspace.now_ms = begin_ns // 1_000_000
        self.running = client
        client.command = command
        stats.commands += 1
        try:
            reply = command.handler(client, argv)
            if reply is BLOCKED:
                self.blocked.remember(client, argv)
                return True
            encoded = reply.encoded if type(reply) is Status else client.encoders[type(reply)](reply)
        except ReplyError as error:
            stats.of_command(command).failed += 1
            encoded = self.encode_error(error)
        except Exception as error:
            stats.of_command(command).failed += 1
            encoded = self.report_crash(client, argv, error)
        client.out.append(encoded)
        if not client.queued:
            self.to_flush.append(client)
            client.queued = True
        # This is `measure` written out, for most commands.
        taken_ns = self.read_ns() - begin_ns
        of_command = stats.of_commands.get(command)
        if of_command is not None and 0 <= taken_ns < self.brief_ns:
            of_command.ns += taken_ns
            of_command.fine[taken_ns >> FINE_SHIFT] += 1
        else:
            self.measure(client, command, 1, argv, begin_ns)
        if keyspace.ready:
            self.blocked.serve_ready()
        return True

    def run_in_pieces(self, client: Client, batch: list[Argv]) -> None:
        """`run` for a large batch."""
        begin_ms = self.clock.now_ms()
        for place in range(0, len(batch), COMMANDS_A_LOOK):
            if place:
                self.look_at_time(client, begin_ms)
            if client.halted:
                client.pending = client.pending + batch[place:]
                break
            self.run(client, batch[place : place + COMMANDS_A_LOOK])

    def look_at_time(self, client: Client, begin_ms: int) -> None:
        """Let others have their turn if that was long ago, or if the wall clock was set back since then."""
        if not 0 <= self.clock.now_ms() - begin_ms <= SLICE_MS:
            client.give_way()

    def run_guarded(self, client: Client, argv: Argv) -> Reply:
        """Run one command of a client in an unusual state, or one that the table does not hold as it is written.

        Returns what the client is to be sent now: nothing if it asked for no replies; and behind the reply, for EXEC
        behind all of them, what the command made it publish to itself (7.2 and later). Raises ReplyError.
        """
        if self.tracking.over_limit:
            self.tracking.shrink()
        if not client.gated:
            return self._run_looked_up(client, argv)
        out = client.out
        self._place = len(out)
        silent = client.reply_mode is not ReplyMode.ON
        if client.reply_mode is ReplyMode.SKIP_NEXT:
            client.reply_mode = ReplyMode.SKIP
        try:
            reply = self._run_looked_up(client, argv)
        except ReplyError as error:
            self.stats.count_error(error.text)
            reply = Error(error.text)
        if reply is BLOCKED:
            return reply
        if client.tracking is not None:
            client.tracking.end_of_command(client, argv)
        if silent and client.reply_mode is not ReplyMode.ON:
            # What (un)subscribing is answered with are pushes, and pushes are no replies.
            if not isinstance(reply, Several):
                reply = NO_REPLY
            self.end_skip(client)
        place = self._place
        if len(out) > place:
            reply = Several((reply, EncodedParts(out[place:])))
            del out[place:]
        return reply

    def end_skip(self, client: Client) -> None:
        """The reply that CLIENT REPLY SKIP was about has been left out."""
        if client.reply_mode is ReplyMode.SKIP:
            client.reply_mode = ReplyMode.ON
            client.update_gated()

    def _run_looked_up(self, client: Client, argv: Argv) -> Reply:
        transaction = client.transaction
        try:
            command = client.command = self.find(client, argv)
            error = gates.refusal(client, command)
            self._place = len(client.out)  # what had to be evicted for it is told before the reply
            if error is not None:
                self.stats.of_command(command).rejected += 1
                raise ReplyError(error)
        except ReplyError as refused:
            self.stats.commands -= 1  # whoever runs a batch counts all of it
            if argv[0].lower() == b'exec':
                client.end_transaction()
                reason = refused.text.removeprefix(b'ERR ')
                raise ReplyError(b'EXECABORT Transaction discarded because of: ' + reason) from None
            if transaction is not None:
                transaction.aborted = True
            raise
        if self.pause.holds_back(client, command):
            self.stats.commands -= 1  # it comes again
            return self.pause.postpone(client, command, argv)
        if transaction is not None and command.name not in UNQUEUED_IN_MULTI:
            # Nothing is kept of what EXEC will not run anyway.
            if not (transaction.aborted or client.watch_broken):
                transaction.queue(command, argv)
                if transaction.queued_bytes > self.config['client-query-buffer-limit']:
                    client.check_query_limit()
            return QUEUED
        reply = self._call(client, command, argv)
        self.look_at_time(client, self.now_ms)
        return reply

    def find(self, client: Client, argv: Argv) -> Command:
        """The command or subcommand that argv calls. Raises ReplyError if there is none, or its words are too few."""
        name = argv[0].lower()
        command = self.commands.get(name)
        if command is None:
            if name in HTTP_WORDS:
                self._hang_up_on_http(client)
            raise ReplyError(unknown_command(argv))
        if command.subcommands and len(argv) > 1:
            subcommand = command.subcommands.get(argv[1].lower())
            if subcommand is None:
                raise ReplyError(
                    b"ERR unknown subcommand '%b'. Try %b HELP." % (c_string(argv[1])[:128], c_string(argv[0]).upper())
                )
            command = subcommand
        if not command.takes(len(argv)):
            self.stats.of_command(command).rejected += 1
            raise ReplyError(b"ERR wrong number of arguments for '%b' command" % command.name.encode())
        return command

    def _hang_up_on_http(self, client: Client) -> None:
        """Somebody has a browser talk to this server (cross protocol scripting): hang up, and warn once a minute."""
        now_ms = self.monotonic_ms()
        if self._warned_of_http_ms is None or now_ms - self._warned_of_http_ms > HTTP_WARNING_PAUSE_MS:
            self._warned_of_http_ms = now_ms
            self.log.warning(
                'Possible SECURITY ATTACK detected. It looks like somebody is sending POST or Host: commands to Redis.'
                ' This is likely due to an attacker attempting to use Cross Protocol Scripting to compromise your Redis'
                f' instance. Connection from {client.addr.decode("ascii", "backslashreplace")} aborted.'
            )
        client.doom()

    def _call(self, client: Client, command: Command, argv: Argv) -> Reply:
        """Run one command, measure it, and tell monitors. Raises ReplyError."""
        told = client.wait is not None  # it runs again, for it had to wait
        begin_ns = self.read_ns()
        reply: Reply = None
        try:
            reply = command.handler(client, argv)
        except Exception:
            self.stats.of_command(command).failed += 1
            raise
        finally:
            if reply is not BLOCKED:
                self.measure(client, command, 1, argv, begin_ns)
            if self.monitors and not told:
                feed(self.monitors, self.clock.now_us(), client, client.db.number, command, argv)
            if client.tracking is not None and 'readonly' in command.flags:
                self.tracking.remember(client, command, argv)
        return reply

    def call(self, client: Client, command: Command, argv: Argv) -> Output | None:
        """Run a command for a client and encode its reply or error; None if it waits."""
        try:
            reply = self._call(client, command, argv)
            return None if reply is BLOCKED else client.encoders[type(reply)](reply)
        except ReplyError as error:
            return self.encode_error(error)
        except Exception as error:
            return self.report_crash(client, argv, error)

    def encode_error(self, error: ReplyError) -> bytes:
        self.stats.count_error(error.text)
        return Error(error.text).encoded

    def report_crash(self, client: Client, argv: Argv, error: Exception) -> bytes:
        """A defect of ours: have the log tell all about it, and answer that there is one."""
        self.stats.count_error(INTERNAL)
        clean_up(self, client, argv)
        self.crash_reports.write(self, client, argv, error)
        return Error(INTERNAL).encoded

    def run_timers(self) -> None:
        """Call back what is due at the present time."""
        self.tell_time()
        self.timers.run_due(self.monotonic_ms())

    def tick(self) -> None:
        """What happens `hz` times a second, busy or not."""
        self.tell_time()
        self.clocks.look(self)
        self.stats.fold()
        self.stats.sample(self.clock.monotonic_us())
        self.keyspace.trim()
        self.memory.tick()
        if self.tracking.over_limit:
            self.tracking.shrink()

    def expire_some(self) -> bool:
        """Remove keys past their deadline, free what large things are of no more use, for a millisecond each, and make
        room where memory is short.

        True if there is more to do.
        """
        self.running = None
        keyspace = self.keyspace
        left = keyspace.discarded.free_slice(self.clock)
        if keyspace.memory.passed and self.memory.make_room() is Outcome.UNDER_WAY:
            left = True
        if self.active_expire and not keyspace.keep_expired and self._expire_slice():
            left = True
        if keyspace.ready:  # a key is gone that somebody waits to see gone
            self.blocked.serve_ready()
        return left

    def _expire_slice(self) -> bool:
        clock, stats = self.clock, self.stats
        begin_us = clock.monotonic_us()
        left = expire_slice(self.keyspace, clock)
        taken_us = clock.monotonic_us() - begin_us
        stats.expiry_us += taken_us
        stats.expiry_cuts += left
        self.latency.note(b'expire-cycle', self.now_ms // 1000, taken_us // 1000)
        return left

    def forget(self, client: Client) -> None:
        """A peer is gone, or as good as gone: leave nothing of it behind. May be repeated if it fails."""
        client.doomed = client.halted = True
        self.clients.pop(client.id, None)
        self.client_eviction.forget(client)
        self.detach(client)
        client.out.clear()
        client.pending.clear()

    def detach(self, client: Client) -> None:
        """End all by which others could still reach a client: its wait, its watches, its subscriptions."""
        self.blocked.unpark(client)
        self.pubsub.forget(client)
        self.end_monitor(client)
        self.tracking.end(client)
        client.unwatch_all()

    def _set_slowness(self) -> None:
        """Tell how long a call must take to be looked at more closely."""
        slow_us = self.config['slowlog-log-slower-than']
        self.latency.threshold_ms = self.config['latency-monitor-threshold']
        self.slow_ns = min(
            slow_us * 1000 if slow_us >= 0 else NEVER_NS,
            self.latency.threshold_ms * 1_000_000 or NEVER_NS,
        )
        self.brief_ns = min(self.slow_ns, FINE_NS)
        self.update_gated()

    def _limit_tracking(self) -> None:
        self.tracking.set_limit(self.config['tracking-table-max-keys'])

    def _set_stream_node_limits(self) -> None:
        """Have at hand what every XADD needs."""
        self.stream_node_limits = self.config['stream-node-max-entries'], self.config['stream-node-max-bytes']

    def end_monitor(self, client: Client) -> None:
        """Tell a client no more of what others do."""
        self.monitors.pop(client, None)
        self.update_gated()

    def _set_notifications(self) -> None:
        self.keyspace.notify_classes(self.config['notify-keyspace-events'])


def unknown_command(argv: Argv) -> bytes:
    """Redis's error for a command that is none, with as much of its words as it shows (server.c, 128 bytes)."""
    words = b''
    for word in argv[1:]:
        if len(words) >= 128:
            break
        words += b"'%b' " % c_string(word)[: 128 - len(words)]
    return b"ERR unknown command '%b', with args beginning with: %b" % (c_string(argv[0])[:128], words)


def c_string(text: bytes) -> bytes:
    """What a text is to C's printf: it ends at its first NUL."""
    return text.partition(b'\0')[0]
