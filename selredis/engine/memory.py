"""What the server takes of memory, and what happens when that is more than `maxmemory`.

What is compared with the limit is what INFO calls used_memory: the data, by the model of `keyspace.memory`; what is
read from clients, queued for them and kept for them, as subscriptions are; the tracking table; and the slow log. The
interpreter and the program are not in it, as Redis's own code is not in what Redis counts; INFO tells what they took
when the server was ready.

Theory of operation. While the limit is kept nobody pays for it but those who change data, who keep the account. The
change that passes it closes `engine.gated`, so that the next command of anybody meets `gates.out_of_memory`, which
removes keys, for half a millisecond by default, and if there are none to be removed refuses what would take more. As
long as that was not enough each turn goes on with it. Clients' buffers are added up some times a second.
"""

from enum import Enum
from typing import TYPE_CHECKING

from selredis import process
from selredis.engine.client_info import AWAITED_TABLE_BYTES, memory_of
from selredis.keyspace.accounting import keep_books
from selredis.keyspace.eviction import Evictor
from selredis.keyspace.memory import INDEX_BYTES, NO_LIMIT, NUMBER_BYTES, table_bytes
from selredis.keyspace.survey import Survey
from selredis.values.size import NAME_TABLE_BYTES, PLACE_BYTES

if TYPE_CHECKING:
    from selredis.engine.engine import Engine

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
        '_engine',
        '_evictor',
        '_exceeded_since_us',
        '_exceeded_us',
        '_next_sum_us',
        '_peak',
        '_survey',
        'startup',
        'startup_bytes',
    )

    def __init__(self, engine: 'Engine') -> None:
        self._engine = engine
        self._evictor = Evictor(engine.keyspace, engine.random)
        self._client_bytes = 0
        self._next_sum_us = 0
        self._peak = 0
        self._survey = Survey()
        self._exceeded_us = 0
        self._exceeded_since_us: int | None = None
        self.startup = process.memory()  # of the process when it was ready, without data and clients
        self.startup_bytes = table_bytes(engine.keyspace.databases)  # what was in use then: empty tables
        keyspace = engine.keyspace
        keyspace.memory.on_passed = engine.update_gated
        keyspace.uses.belong_to(engine, engine.random)
        for name in ('maxmemory', 'maxmemory-policy', 'lfu-log-factor', 'lfu-decay-time'):
            engine.config.on_change(name, self._apply_changed)
        self._apply()

    # Configuration

    def _apply_changed(self) -> None:
        self._apply()
        limit = self._engine.config['maxmemory']
        used = self.data_bytes() + self.client_bytes() + self.log_bytes() if limit else 0
        if used > limit:
            self._engine.log.warning(
                f'WARNING: maxmemory is now {limit} bytes, and {used} are in use: keys will be evicted, or commands'
                f' that take memory refused, according to maxmemory-policy ({self._engine.config["maxmemory-policy"]}).'
            )

    def _apply(self) -> None:
        """Keep the books that the configuration needs."""
        engine = self._engine
        config, keyspace = engine.config, engine.keyspace
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
        uses = self._engine.keyspace.uses
        if not uses.noted:
            uses.asked = True
            self._apply()

    # What is in use

    def used_bytes(self) -> int:
        """What is in use. It is an estimate for large data, unless there is a limit: who asks then sees it kept."""
        keyspace = self._engine.keyspace
        if keyspace.memory.measured:
            keyspace.memory.follow_tables(keyspace.databases, shrink_only=True)
            self.look()
            self.make_room()
        used = self.data_bytes() + self.client_bytes() + self.log_bytes()
        self._peak = max(self._peak, used)
        return used

    def data_bytes(self) -> int:
        keyspace = self._engine.keyspace
        if keyspace.memory.measured:
            return keyspace.memory.used + keyspace.memory.tables
        return self._survey.ask(keyspace.databases, keyspace.now_ms)

    def client_bytes(self) -> int:
        """What clients take, and the tables that the server has for what they subscribe to, watch and wait for.

        It may be the figure of a moment ago: of milliseconds for each hundred of them.
        """
        engine = self._engine
        now_us = engine.clock.monotonic_us()
        if now_us >= self._next_sum_us:
            # But for what was queued in this turn, which is sent when it ends. If it counted, what tells of evicted
            # keys would have more of them evicted.
            queued_bytes = sum(len(data) for client in engine.to_flush for data in client.out)
            in_clients = sum([memory_of(client, with_tables=False) for client in engine.clients.values()])
            self._client_bytes = in_clients + self._name_tables_bytes() - queued_bytes
            end_us = engine.clock.monotonic_us()
            self._next_sum_us = end_us + (end_us - now_us) * CLIENTS_SHARE
        return self._client_bytes

    def _name_tables_bytes(self) -> int:
        """What is in common to the clients that have named the same channel, pattern, key or prefix."""
        engine = self._engine
        databases = engine.keyspace.databases
        names = sum([len(db.watched) for db in databases]) + len(engine.tracking.prefixes)
        awaited = sum([len(db.waiting) for db in databases])
        places = names * NAME_TABLE_BYTES + engine.keyspace.crowded * PLACE_BYTES
        return engine.pubsub.table_bytes() + places + awaited * AWAITED_TABLE_BYTES

    def log_bytes(self) -> int:
        """What is remembered of commands that have run: the keys that clients track, and the slow log."""
        return self._engine.tracking.table_bytes() + self._engine.slowlog.used

    def overhead_bytes(self) -> int:
        """All that is in use and neither a key nor a value."""
        return self.client_bytes() + self.log_bytes() + self.table_bytes()

    def table_bytes(self) -> int:
        """What tables take, and what is kept for each key: what is neither a name nor a value."""
        keyspace = self._engine.keyspace
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
        keyspace = self._engine.keyspace
        keyspace.uses.look()
        if keyspace.memory.measured:
            keyspace.memory.follow_tables(keyspace.databases)
            self.look()
        else:
            self._survey.tick(keyspace.databases, keyspace.now_ms)

    def look(self) -> None:
        """See whether all is within the limit."""
        memory = self._engine.keyspace.memory
        if memory.measured:
            others = self.client_bytes() + self.log_bytes() + memory.tables
            self._peak = max(self._peak, memory.used + others)
            memory.bound = self._engine.config['maxmemory'] - others
            self._set_passed(memory.used > memory.bound)
        else:
            memory.bound = NO_LIMIT
            self._set_passed(False)

    def _set_passed(self, passed: bool) -> None:
        memory = self._engine.keyspace.memory
        if not passed:
            self._count_exceeded(Outcome.ENOUGH)
        if memory.passed != passed:
            memory.passed = passed
            self._engine.update_gated()

    def make_room(self) -> Outcome:
        """Remove keys while the limit is passed and time allows."""
        engine = self._engine
        memory = engine.keyspace.memory
        if not memory.passed or engine.pause.active:
            return Outcome.ENOUGH
        self.look()
        outcome = Outcome.ENOUGH
        if memory.passed:
            begin_us = engine.clock.monotonic_us()
            outcome = self._evict(begin_us)
            taken_us = engine.clock.monotonic_us() - begin_us
            engine.latency.note(b'eviction-cycle', engine.now_ms // 1000, taken_us // 1000)
        self._set_passed(memory.used > memory.bound)
        if memory.passed:
            self._count_exceeded(outcome)
        return outcome

    def _evict(self, begin_us: int) -> Outcome:
        engine = self._engine
        memory = engine.keyspace.memory
        policy, samples = engine.config['maxmemory-policy'], engine.config['maxmemory-samples']
        if policy == 'noeviction':
            return Outcome.EXHAUSTED
        slice_us = time_limit_us(engine.config['maxmemory-eviction-tenacity'])
        removed = 0
        while memory.used > memory.bound:
            victim = self._evictor.choose(policy, samples)
            if victim is None:
                return Outcome.EXHAUSTED
            db, key = victim
            db.evict(key)
            removed += 1
            if removed % KEYS_A_LOOK == 0 and engine.clock.monotonic_us() - begin_us > slice_us:
                break
        return Outcome.UNDER_WAY if memory.used > memory.bound else Outcome.ENOUGH

    # What is counted of it

    def _count_exceeded(self, outcome: Outcome) -> None:
        now_us = self._engine.clock.monotonic_us()
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
        return 0 if since_us is None else (self._engine.clock.monotonic_us() - since_us) // 1000

    @property
    def total_exceeded_ms(self) -> int:
        """The same of all times."""
        return self._exceeded_us // 1000 + self.exceeded_ms

    def reset_stats(self) -> None:
        self._exceeded_us = 0
        if self._exceeded_since_us is not None:
            self._exceeded_since_us = self._engine.clock.monotonic_us()


def time_limit_us(tenacity: int) -> float:
    """How long a slice of eviction may take: 50 us a step up to ten, then 15% more for each (evict.c)."""
    if tenacity <= 10:
        return 50 * tenacity
    return float(500 * 1.15 ** (tenacity - 10)) if tenacity < 100 else float('inf')
