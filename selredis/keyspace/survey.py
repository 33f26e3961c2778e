"""What the data takes while no account of it is kept: an estimate that becomes better the longer it is asked for.

Little is counted through whenever somebody asks. Of a large database a thousand keys are looked at then, which have
nothing in common but their hashes, and as long as somebody asks once a minute a thousand more some times a second,
until all have been: only so values are found that are few and very large. Then it begins again.
"""

from typing import Any

from selredis.keyspace.memory import INDEX_BYTES, NUMBER_BYTES, Measurable, table_bytes
from selredis.values.size import size_of, string_bytes, strings_bytes

LARGE = 10_000  # keys
STEP_KEYS = 1_000
SAMPLED_MEMBERS = 16  # of a value
UNUSUAL_SHARE = 20  # what takes more than one part in so many of a step's bytes is unusual
ASKED_MS = 60_000


class Round:
    """The way through one large database: bytes of the keys that were looked at this time, and the mean of last time.

    It is about what is in the index, which goes along when two databases change places.
    """

    __slots__ = ('_bytes', '_cursor', '_keys', '_mean', '_unusual_bytes', 'index')

    def __init__(self, db: Measurable) -> None:
        self.index = db.index
        self._cursor = self._keys = self._bytes = self._unusual_bytes = 0
        self._mean: float | None = None
        self.advance(db)

    def advance(self, db: Measurable) -> None:
        self._cursor, keys = db.index.scan(self._cursor, STEP_KEYS)
        sizes = [string_bytes(len(key)) + size_of(db.values[key], SAMPLED_MEMBERS) for key in keys]
        total = sum(sizes)
        self._keys += len(sizes)
        self._bytes += total
        self._unusual_bytes += sum([size for size in sizes if size * UNUSUAL_SHARE > total])
        if not self._cursor and self._keys:
            self._mean = self._bytes / self._keys
            self._keys = self._bytes = self._unusual_bytes = 0

    def estimate(self, db: Measurable) -> int:
        """Bytes of all keys and values."""
        count = len(db.values)
        if self._mean is not None:
            return int(self._mean * count)
        # A value among a thousand that is as large as all others says nothing of those that were not looked at.
        usual_mean = (self._bytes - self._unusual_bytes) / (self._keys or 1)
        return self._bytes + int(usual_mean * (count - self._keys))


class Survey:
    """What is known of the databases of one keyspace."""

    __slots__ = ('_asked_ms', '_next', '_rounds')

    def __init__(self) -> None:
        self._rounds: dict[int, Round] = {}
        self._asked_ms = 0
        self._next = 0

    def ask(self, databases: list[Any], now_ms: int) -> int:
        """What the data takes, in bytes."""
        self._asked_ms = now_ms
        total = table_bytes(databases)
        for db in databases:
            total += len(db.values) * INDEX_BYTES + len(db.deadlines) * NUMBER_BYTES
            if len(db.values) <= LARGE:
                self._rounds.pop(db.number, None)
                total += strings_bytes(db.values)
                total += sum([size_of(value, SAMPLED_MEMBERS) for value in db.values.values()])
                continue
            round_ = self._rounds.get(db.number)
            if round_ is None or round_.index is not db.index:
                round_ = self._rounds[db.number] = Round(db)
            total += round_.estimate(db)
        return total

    def tick(self, databases: list[Any], now_ms: int) -> None:
        """Look at some more keys of one database, if somebody still wishes to know; some times a second."""
        if not self._rounds:
            return
        if not 0 <= now_ms - self._asked_ms < ASKED_MS:
            self._rounds.clear()
            return
        self._next += 1
        numbers = list(self._rounds)
        number = numbers[self._next % len(numbers)]
        db = databases[number]
        if self._rounds[number].index is db.index:
            self._rounds[number].advance(db)
