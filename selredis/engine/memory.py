"""What the server takes of memory, and what happens when that is more than `maxmemory`.

What is compared with the limit is what INFO calls used_memory: the data, by the model of `keyspace.memory`; what is
read from clients, queued for them and kept for them, as subscriptions are; the tracking table; and the slow log. The
interpreter and the program are not in it, as Redis's own code is not in what Redis counts; INFO shows what they took
when the server was ready.

Theory of operation. While the limit is kept nobody pays for it but those who change data, who keep the account. The
change that passes it closes the gate, so that the next command of anybody meets `checks.out_of_memory`, which
removes keys, for half a millisecond by default, and if there are none to be removed refuses what would take more. As
long as that was not enough each turn goes on with it. Clients' buffers are added up some times a second.
"""

from collections.abc import Mapping
from enum import Enum
from random import Random

from selredis import process
from selredis.clock import Clock
from selredis.config import Config
from selredis.engine.client import Client
from selredis.engine.client_info import AWAITED_TABLE_BYTES, memory_of
from selredis.engine.gate import Gate
from selredis.engine.latency import LatencyMonitor
from selredis.engine.pause import Pause
from selredis.engine.slowlog import SlowLog
from selredis.engine.tracking import TrackingTable
from selredis.keyspace.accounting import keep_books
from selredis.keyspace.database import Keyspace
from selredis.keyspace.eviction import Evictor
from selredis.keyspace.memory import INDEX_BYTES, NO_LIMIT, NUMBER_BYTES, table_bytes
from selredis.keyspace.survey import Survey
from selredis.log import Logger
from selredis.pubsub import PubSub
from selredis.values.size import NAME_TABLE_BYTES, PLACE_BYTES

KEYS_A_LOOK = 16  # keys removed between two looks at the clock, as in Redis
CLIENTS_SHARE = 50  # of the time at most one part in so many goes into adding up clients


class Outcome(Enum):
    """How it stands after room was made."""

    ENOUGH = 'the limit is kept'
    UNDER_WAY = 'more keys are to be removed'
    EXHAUSTED = 'no key may be removed'


class MemoryUse:
    """One server's account."""

    __slots__ = (
        '_client_bytes',
        '_clients',
        '_clock',
        '_config',
        '_evictor',
        '_exceeded_since_us',
        '_exceeded_us',
        '_gate',
        '_keyspace',
        '_latency',
        '_log',
        '_next_sum_us',
        '_pause',
        '_peak',
        '_pubsub',
        '_slowlog',
        '_survey',
        '_to_flush',
        '_tracking',
        'startup',
        'startup_bytes',
    )

    def __init__(
        self,
        *,
        config: Config,
        clock: Clock,
        log: Logger,
        random: Random,
        keyspace: Keyspace,
        pubsub: PubSub,
        clients: Mapping[int, Client],
        to_flush: list[Client],
        tracking: TrackingTable,
        slowlog: SlowLog,
        latency: LatencyMonitor,
        pause: Pause,
        gate: Gate,
    ) -> None:
        self._config = config
        self._clock = clock
        self._log = log
        self._keyspace = keyspace
        self._pubsub = pubsub
        self._clients = clients
        self._to_flush = to_flush
        self._tracking = tracking
        self._slowlog = slowlog
        self._latency = latency
        self._pause = pause
        self._gate = gate
        self._evictor = Evictor(keyspace, random)
        self._client_bytes = 0
        self._next_sum_us = 0
        self._peak = 0
        self._survey = Survey()
        self._exceeded_us = 0
        self._exceeded_since_us: int | None = None
        self.startup = process.memory()  # of the process when it was ready, without data and clients
        self.startup_bytes = table_bytes(keyspace.databases)  # what was in use then: empty tables
        keyspace.memory.on_passed = gate.update
        for name in ('maxmemory', 'maxmemory-policy', 'lfu-log-factor', 'lfu-decay-time'):
            config.on_change(name, self._apply_changed)
        gate.add(lambda: keyspace.memory.passed)
        self._apply()

    # Configuration

    def _apply_changed(self) -> None:
        self._apply()
        limit = self._config['maxmemory']
        used = self.data_bytes() + self.client_bytes() + self.log_bytes() if limit else 0
        if used > limit:
            self._log.warning(
                f'WARNING: maxmemory is now {limit} bytes, and {used} are in use: keys will be evicted, or commands'
                f' that take memory refused, according to maxmemory-policy ({self._config["maxmemory-policy"]}).'
            )

    def _apply(self) -> None:
        """Keep the books that the configuration needs."""
        config, keyspace = self._config, self._keyspace
        memory, uses, databases = keyspace.memory, keyspace.uses, keyspace.databases
        uses.log_factor, uses.decay_minutes = config['lfu-log-factor'], config['lfu-decay-time']
        way = config['maxmemory-policy'].partition('-')[2]
        if way == 'lfu' or way == 'lru' or uses.asked:
            if not uses.noted or uses.by_frequency != (way == 'lfu'):
                uses.begin(databases, by_frequency=way == 'lfu')
        elif uses.noted:
            uses.end(databases)
        if config['maxmemory'] and not memory.measured:
            memory.measure(databases)
        elif not config['maxmemory'] and memory.measured:
            memory.stop(databases)
        keep_books(keyspace)
        self._evictor.forget()
        self.look()

    def note_idle_times(self) -> None:
        """Somebody has asked for how long a key was not used: know it from now on."""
        uses = self._keyspace.uses
        if not uses.noted:
            uses.asked = True
            self._apply()

    # What is in use

    def used_bytes(self) -> int:
        """What is in use. It is an estimate for large data, unless there is a limit: who asks then sees it kept."""
        keyspace = self._keyspace
        if keyspace.memory.measured:
            keyspace.memory.follow_tables(keyspace.databases, shrink_only=True)
            self.look()
            self.make_room()
        used = self.data_bytes() + self.client_bytes() + self.log_bytes()
        self._peak = max(self._peak, used)
        return used

    def data_bytes(self) -> int:
        keyspace = self._keyspace
        if keyspace.memory.measured:
            return keyspace.memory.used + keyspace.memory.tables
        return self._survey.ask(keyspace.databases, keyspace.now_ms)

    def client_bytes(self) -> int:
        """What clients take, and the tables that the server has for what they subscribe to, watch and wait for.

        It may be the figure of a moment ago: of milliseconds for each hundred of them.
        """
        now_us = self._clock.monotonic_us()
        if now_us >= self._next_sum_us:
            # But for what was queued in this turn, which is sent when it ends. If it counted, what tells of evicted
            # keys would have more of them evicted.
            queued_bytes = sum(len(data) for client in self._to_flush for data in client.out)
            in_clients = sum([memory_of(client, with_tables=False) for client in self._clients.values()])
            self._client_bytes = in_clients + self._name_tables_bytes() - queued_bytes
            end_us = self._clock.monotonic_us()
            self._next_sum_us = end_us + (end_us - now_us) * CLIENTS_SHARE
        return self._client_bytes

    def _name_tables_bytes(self) -> int:
        """What is in common to the clients that have named the same channel, pattern, key or prefix."""
        databases = self._keyspace.databases
        names = sum([len(db.watched) for db in databases]) + len(self._tracking.prefixes)
        awaited = sum([len(db.waiting) for db in databases])
        places = names * NAME_TABLE_BYTES + self._keyspace.crowded * PLACE_BYTES
        return self._pubsub.table_bytes() + places + awaited * AWAITED_TABLE_BYTES

    def log_bytes(self) -> int:
        """What is remembered of commands that have run: the keys that clients track, and the slow log."""
        return self._tracking.table_bytes() + self._slowlog.used

    def overhead_bytes(self) -> int:
        """All that is in use and neither a key nor a value."""
        return self.client_bytes() + self.log_bytes() + self.table_bytes()

    def table_bytes(self) -> int:
        """What tables take, and what is kept for each key: what is neither a name nor a value."""
        keyspace = self._keyspace
        memory, databases = keyspace.memory, keyspace.databases
        each = sum(
            len(db.values) * INDEX_BYTES + (len(db.deadlines) + len(db.sizes)) * NUMBER_BYTES for db in databases
        )
        return each + (memory.tables if memory.measured else table_bytes(databases))

    def peak_bytes(self, now: process.Memory) -> int:
        """The most that was in use, as far as is known: no less than what the process has ever grown by."""
        return max(self._peak, now.peak - self.startup.private)

    # The limit

    def tick(self) -> None:
        """What is to be done some times a second."""
        keyspace = self._keyspace
        keyspace.uses.look()
        if keyspace.memory.measured:
            keyspace.memory.follow_tables(keyspace.databases)
            self.look()
        else:
            self._survey.tick(keyspace.databases, keyspace.now_ms)

    def look(self) -> None:
        """See whether all is within the limit."""
        memory = self._keyspace.memory
        if memory.measured:
            others = self.client_bytes() + self.log_bytes() + memory.tables
            self._peak = max(self._peak, memory.used + others)
            memory.bound = self._config['maxmemory'] - others
            self._set_passed(memory.used > memory.bound)
        else:
            memory.bound = NO_LIMIT
            self._set_passed(False)

    def _set_passed(self, passed: bool) -> None:
        memory = self._keyspace.memory
        if not passed:
            self._count_exceeded(Outcome.ENOUGH)
        if memory.passed != passed:
            memory.passed = passed
            self._gate.update()

    def make_room(self) -> Outcome:
        """Remove keys while the limit is passed and time allows."""
        memory = self._keyspace.memory
        if not memory.passed or self._pause.active:
            return Outcome.ENOUGH
        self.look()
        outcome = Outcome.ENOUGH
        if memory.passed:
            begin_us = self._clock.monotonic_us()
            outcome = self._evict(begin_us)
            taken_us = self._clock.monotonic_us() - begin_us
            self._latency.note(b'eviction-cycle', self._keyspace.now_ms // 1000, taken_us // 1000)
        self._set_passed(memory.used > memory.bound)
        if memory.passed:
            self._count_exceeded(outcome)
        return outcome

    def _evict(self, begin_us: int) -> Outcome:
        memory = self._keyspace.memory
        policy, samples = self._config['maxmemory-policy'], self._config['maxmemory-samples']
        if policy == 'noeviction':
            return Outcome.EXHAUSTED
        slice_us = time_limit_us(self._config['maxmemory-eviction-tenacity'])
        removed = 0
        while memory.used > memory.bound:
            victim = self._evictor.choose(policy, samples)
            if victim is None:
                return Outcome.EXHAUSTED
            db, key = victim
            db.evict(key)
            removed += 1
            if removed % KEYS_A_LOOK == 0 and self._clock.monotonic_us() - begin_us > slice_us:
                break
        return Outcome.UNDER_WAY if memory.used > memory.bound else Outcome.ENOUGH

    # What is counted of it

    def _count_exceeded(self, outcome: Outcome) -> None:
        now_us = self._clock.monotonic_us()
        if outcome is Outcome.ENOUGH:
            if self._exceeded_since_us is not None:
                self._exceeded_us += now_us - self._exceeded_since_us
                self._exceeded_since_us = None
        elif self._exceeded_since_us is None:
            self._exceeded_since_us = now_us

    @property
    def exceeded_ms(self) -> int:
        """For how long the limit has been passed this time, without room having been made."""
        since_us = self._exceeded_since_us
        return 0 if since_us is None else (self._clock.monotonic_us() - since_us) // 1000

    @property
    def total_exceeded_ms(self) -> int:
        """The same of all times."""
        return self._exceeded_us // 1000 + self.exceeded_ms

    def reset_stats(self) -> None:
        self._exceeded_us = 0
        if self._exceeded_since_us is not None:
            self._exceeded_since_us = self._clock.monotonic_us()


def time_limit_us(tenacity: int) -> float:
    """How long a slice of eviction may take: 50 us a step up to ten, then 15% more for each (evict.c)."""
    if tenacity <= 10:
        return 50 * tenacity
    return float(500 * 1.15 ** (tenacity - 10)) if tenacity < 100 else float('inf')
