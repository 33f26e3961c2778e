"""When keys were used last, or how often: what LRU and LFU policies and OBJECT IDLETIME and FREQ go by.

It is noted only while somebody needs it, under an LRU or LFU policy or once it has been asked for, because to note each
use of a key takes a tenth of the time of a GET. A key that no use of has been noted counts as used at the last moment
at which any key was, before noting began: it may have been idle for longer, never for less.

The frequency is Redis's: a logarithmic counter, so that about a million uses reach 255, which goes down by one for each
`lfu-decay-time` minutes without use (redis evict.c, "LFU implementation").

Times are Unix times, less `offset_ms`: what the wall clock was set ahead by since the start. Keys that were used before
would otherwise seem to have been idle for as long, or, if it was set back, to be used in the future.
"""

from collections.abc import Sequence
from random import Random
from typing import Protocol

MS_A_MINUTE = 60_000
STEP_MS = 100  # uses less far apart are noted with one number for all, which takes no memory
NEW = 5  # the counter of a key that was never used: time to gather some uses (server.h, LFU_INIT_VAL)
MOST = 255


class Noted(Protocol):
    uses: dict[bytes, int]


class Reader(Protocol):
    """A client, whose commands may count as no use (CLIENT NO-TOUCH)."""

    no_touch: bool


class Counters(Protocol):
    """What a keyspace counts, and whose command is being executed."""

    @property
    def current_client(self) -> Reader | None: ...

    now_ms: int
    dirty: int
    hits: int
    glances: int


class Uses:
    """Notes of one keyspace.

    `Database.uses` holds by key the Unix time (ms) of the last use or, under LFU, a mark: the minute of the last use
    times 256, plus the counter.
    """

    __slots__ = (
        '_counted',
        '_keyspace',
        '_marks',
        '_random',
        '_step_ms',
        '_time_ms',
        '_used_ms',
        'asked',
        'by_frequency',
        'decay_minutes',
        'fresh',
        'log_factor',
        'noted',
        'offset_ms',
        'since_ms',
    )

    def __init__(self, keyspace: Counters, random: Random) -> None:
        self._keyspace = keyspace
        self._random = random
        self._step_ms = 0  # Unix time of the step that `_time_ms` is
        self._time_ms = 0
        self._marks: list[int] = []
        self._counted = 0
        self._used_ms = 0  # when a key was used last, as far as counters tell
        self.offset_ms = 0
        self.noted = False
        self.asked = False  # for idle times, under whatever policy
        self.by_frequency = False
        self.since_ms = 0  # taken for the last use of a key without a note: the last use of any key or, of LFU, `begin`
        self.decay_minutes = 1
        self.log_factor = 10
        self.fresh: bytes | None = None  # a key that was just made: that it has changed is no further use of it

    @property
    def now_ms(self) -> int:
        """The time that is noted as that of a use."""
        return self._keyspace.now_ms - self.offset_ms

    def look(self) -> None:
        """Learn, some times a second, whether any key has been used since the last time."""
        keyspace = self._keyspace
        counted = keyspace.dirty + keyspace.hits - keyspace.glances
        if counted != self._counted or not self._used_ms:
            self._counted = counted
            self._used_ms = self.now_ms

    def begin(self, databases: Sequence[Noted], *, by_frequency: bool) -> None:
        """Note uses from now on; older notes are discarded.

        A key that exists already has the frequency of a new one.
        """
        self.look()
        self.since_ms = self._keyspace.now_ms if by_frequency else self._used_ms
        self.noted = True
        self.by_frequency = by_frequency
        self.forget(databases)

    def end(self, databases: Sequence[Noted]) -> None:
        self.noted = False
        self.forget(databases)

    def forget(self, databases: Sequence[Noted]) -> None:
        for db in databases:
            db.uses = {}

    def note(self, db: Noted, key: bytes) -> None:
        """A key that is there has been used."""
        reader = self._keyspace.current_client
        if reader is None or not reader.no_touch:
            self.note_anyway(db, key)

    def note_anyway(self, db: Noted, key: bytes) -> None:
        """`note`, also for a client whose commands count as no use (TOUCH)."""
        if not self.by_frequency:
            db.uses[key] = self.time_ms()
            return
        counter = self.frequency(db, key)
        if counter <= NEW or (counter < MOST and self._random.random() * ((counter - NEW) * self.log_factor + 1) < 1):
            counter += 1
        db.uses[key] = self.mark(counter)

    def note_new(self, db: Noted, key: bytes) -> None:
        """A key has come to be."""
        db.uses[key] = self.mark(NEW) if self.by_frequency else self.time_ms()

    def time_ms(self) -> int:
        """The time, in steps."""
        now_ms = self._keyspace.now_ms
        if not 0 <= now_ms - self._step_ms < STEP_MS:
            self._step_ms = now_ms
            self._time_ms = now_ms - self.offset_ms
        return self._time_ms

    def mark(self, counter: int) -> int:
        """The mark of a key that is used now, the same number for all that have this counter."""
        first = self.now_ms // MS_A_MINUTE << 8
        if not self._marks or self._marks[0] != first:
            self._marks = list(range(first, first + MOST + 1))
        return self._marks[counter]

    def idle_ms(self, db: Noted, key: bytes) -> int:
        """For how long a key has not been used, at least."""
        return max(self.now_ms - db.uses.get(key, self.since_ms), 0)

    def frequency(self, db: Noted, key: bytes) -> int:
        """The counter of a key, from 0 to 255."""
        mark = db.uses.get(key)
        if mark is None:
            mark = (self.since_ms // MS_A_MINUTE << 8) + NEW
        counter = mark & MOST
        if not self.decay_minutes:
            return counter
        minutes = self.now_ms // MS_A_MINUTE - (mark >> 8)
        return max(counter - max(minutes, 0) // self.decay_minutes, 0)
