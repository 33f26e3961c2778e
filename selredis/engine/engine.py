"""The engine: the whole server without its sockets. Commands in, replies out.

The engine does no I/O. A driver passes commands to `run` and polls: `to_flush`, clients with queued output; `runnable`,
clients that can go on with input that had to wait; `doomed`, clients to close; `timers`, for the next deadline;
`shutdown_requested`.

This file puts the parts together: commands are executed by `executor.py`, data is in `keyspace/`.
"""

from collections.abc import Mapping
from random import Random

from selredis.clock import Clock
from selredis.config import Config
from selredis.engine.blocking import BlockedClients
from selredis.engine.client import Client
from selredis.engine.client_eviction import ClientEviction
from selredis.engine.clocks import Clocks
from selredis.engine.command import COMMANDS, Argv, Command
from selredis.engine.crash_report import CrashReports
from selredis.engine.cross_protocol import CrossProtocolGuard
from selredis.engine.effects import Effects
from selredis.engine.executor import Executor
from selredis.engine.gate import Gate
from selredis.engine.latency import LatencyMonitor
from selredis.engine.memory import MemoryUse, Outcome
from selredis.engine.monitors import Monitors
from selredis.engine.pause import Pause
from selredis.engine.slow_calls import SlowCalls
from selredis.engine.slowlog import SlowLog
from selredis.engine.stats import Deployment, Stats
from selredis.engine.tracking import TrackingTable
from selredis.keyspace.database import Keyspace
from selredis.keyspace.expiry import expire_slice
from selredis.log import Logger
from selredis.pubsub import PubSub
from selredis.resp.reply import Reply
from selredis.timers import Timers


class Engine:
    """One server's data, clients and configuration. Two engines share nothing but the command table."""

    __slots__ = (
        '_last_client_id',
        'active_expire',
        'blocked',
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
        'effects',
        'executor',
        'gate',
        'keyspace',
        'latency',
        'log',
        'memory',
        'monitors',
        'pause',
        'pubsub',
        'random',
        'replication_id',
        'run',
        'run_id',
        'runnable',
        'shutdown_requested',
        'slowlog',
        'started_ms',
        'stats',
        'stream_node_limits',
        'timers',
        'to_flush',
        'tracking',
    )

    def __init__(
        self,
        config: Config,
        clock: Clock,
        random: Random,
        log: Logger,
        timers: Timers | None = None,
    ) -> None:
        self.config = config
        self.commands: Mapping[bytes, Command] = COMMANDS  # another table where commands are renamed
        self.clock = clock
        self.clocks = Clocks(clock)
        self.random = random
        self.log = log
        self.timers = Timers(lambda error: log.defect('A timer failed', error)) if timers is None else timers
        # What a driver polls.
        self.to_flush: list[Client] = []
        self.runnable: list[Client] = []
        self.doomed: list[Client] = []
        self.shutdown_requested = False
        # Data and clients.
        self.pubsub = PubSub(self.to_flush)
        self.keyspace = Keyspace(config['databases'], self.pubsub, random)
        self.clients: dict[int, Client] = {}
        self.effects = Effects(self.keyspace, self.clients)
        self._last_client_id = 0
        # What observes and what restrains them.
        self.gate = Gate()
        self.stats = Stats()
        self.deployment = Deployment()
        self.slowlog = SlowLog()
        self.latency = LatencyMonitor()
        self.monitors = Monitors(clock, self.gate)
        self.tracking = TrackingTable(self.keyspace, self.clients, random, self.gate)
        self.blocked = BlockedClients(clock, self.timers, self.keyspace, self.stats)
        self.pause = Pause(clock, self.timers, self.keyspace, self.blocked, self.gate)
        self.client_eviction = ClientEviction(config, self.clients, self.stats, log)
        self.crash_reports = CrashReports()
        self.executor = self._make_executor()
        self.run = self.executor.run
        self.run_id = self.new_id()
        self.replication_id = self.new_id()  # of this history of changes
        self.active_expire = True  # DEBUG SET-ACTIVE-EXPIRE
        self.cron_paused = False  # DEBUG PAUSE-CRON
        self.tell_time()
        self.started_ms = self.keyspace.now_ms  # Unix time
        self._follow_config()
        self.memory = self._make_memory()
        config.on_change('maxmemory', self.gate.update)  # after MemoryUse's hook, which may lift an exceeded limit

    def _make_executor(self) -> Executor:
        return Executor(
            clock=self.clock,
            keyspace=self.keyspace,
            gate=self.gate,
            stats=self.stats,
            slow_calls=SlowCalls(self.config, self.clocks, self.gate, self.slowlog, self.latency),
            monitors=self.monitors,
            tracking=self.tracking,
            effects=self.effects,
            blocked=self.blocked,
            pause=self.pause,
            crash_reports=self.crash_reports,
            cross_protocol=CrossProtocolGuard(self.clock, self.log),
        )

    def _make_memory(self) -> MemoryUse:
        return MemoryUse(
            config=self.config,
            clock=self.clock,
            log=self.log,
            random=self.random,
            keyspace=self.keyspace,
            pubsub=self.pubsub,
            clients=self.clients,
            to_flush=self.to_flush,
            tracking=self.tracking,
            slowlog=self.slowlog,
            latency=self.latency,
            pause=self.pause,
            gate=self.gate,
        )

    def _follow_config(self) -> None:
        """Apply parameters now, and again whenever they are changed."""
        config = self.config
        config.on_change('notify-keyspace-events', self._set_notifications)
        config.on_change('tracking-table-max-keys', self._limit_tracking)
        for name in ('stream-node-max-entries', 'stream-node-max-bytes'):
            config.on_change(name, self._set_stream_node_limits)
        self._set_notifications()
        self._limit_tracking()
        self._set_stream_node_limits()

    def call(self, client: Client, command: Command, argv: Argv) -> Reply:
        """Execute a command on behalf of another: see `Executor.call`."""
        return self.executor.call(client, command, argv)

    def serve_ready(self) -> None:
        """Retry the commands of clients blocked on keys that are ready."""
        self.executor.serve_ready()

    @property
    def gated(self) -> bool:
        """Whether every client's commands need all checks."""
        return self.gate.closed

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

    def run_timers(self) -> None:
        """Call back what is due at the present time."""
        self.tell_time()
        self.timers.run_due(self.monotonic_ms())

    def tick(self) -> None:
        """What happens `hz` times a second, busy or not."""
        self.tell_time()
        self.clocks.look(self.keyspace, self.clients)
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
        keyspace = self.keyspace
        keyspace.current_client = None
        left = keyspace.discarded.free_slice(self.clock)
        if keyspace.memory.passed and self.memory.make_room() is Outcome.UNDER_WAY:
            left = True
        if self.active_expire and not keyspace.keep_expired and self._expire_slice():
            left = True
        self.effects.end_units()
        if keyspace.ready:  # a key is gone that somebody waits to see gone
            self.serve_ready()
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
        self.blocked.unblock(client)
        self.pubsub.forget(client)
        self.monitors.discard(client)
        self.tracking.end(client)
        client.unwatch_all()

    def _limit_tracking(self) -> None:
        self.tracking.set_limit(self.config['tracking-table-max-keys'])

    def _set_stream_node_limits(self) -> None:
        """Have at hand what every XADD needs."""
        self.stream_node_limits = self.config['stream-node-max-entries'], self.config['stream-node-max-bytes']

    def _set_notifications(self) -> None:
        self.keyspace.notify_classes(self.config['notify-keyspace-events'])
