"""How much memory the data takes, by a model: objects at the size that CPython's allocator gives them, and the tables
that they stand in.

Nothing is kept while nobody needs it: whoever asks has to look (`keyspace.survey`). With `maxmemory` a keyspace is
*measured*: counted through once, from then on every change is added to `Memory.used` (`keyspace.accounting`).
`tools/memory_check.py` compares the model with what the system says.

A dict that is full is made twice as large at once, for the sake of a single key that has come. Lest thousands of others
have to go for it at one stroke the account follows the tables within seconds, some times a second a part of the way.
"""

from collections.abc import Callable
from sys import getsizeof
from typing import Any, Protocol

from selredis.keyspace.index import KeyIndex
from selredis.values.list import List
from selredis.values.size import FRAMES, OF_CONTAINERS, PARTS, PLACE_BYTES, size_of, string_bytes, strings_bytes

INDEX_BYTES = 13  # of each key: a place in the index, and its share of a bucket
NUMBER_BYTES = 32  # of each deadline; and of a value with members, whose size is noted while the keyspace is measured
EMPTY_BYTES = getsizeof({})
# The most that it comes to while keys come and go. If all room that keys have left counted, there would be ever more to
# evict: a dict does not become smaller when keys go.
WIDE_PLACE_BYTES = 120

FOLLOW_SHARE = 16  # each time the account of tables comes nearer to the truth by one part in so many
NO_LIMIT = 1 << 62

# A value with more members is measured a part at a time: MEMBERS_A_CHANGE for each change, MEMBERS_A_STEP at once.
FEW_MEMBERS = 64
MEMBERS_A_CHANGE = 8
MEMBERS_A_STEP = 128
MOST_REMOVED = 1_000  # members removed by one command that count as changes: removing many may take no time at all


class Measurable(Protocol):
    """What there is to count of a database."""

    values: dict[bytes, Any]
    deadlines: dict[bytes, int]
    index: KeyIndex
    uses: dict[bytes, int]
    used: int
    sizes: dict[bytes, int]
    counts: dict[bytes, 'Count']


class Count:
    """The size of a value with many members, as it was when its members were last walked, and changed since then.

    Each change continues the walk by a few members; after the last one it starts again. So the cost of a change does
    not depend on the number of members. When all have been walked, the size is exact.
    """

    __slots__ = ('cursor', 'in_members', 'length', 'owed', 'walked', 'walked_bytes')

    def __init__(self, value: Any, size: int) -> None:
        self.length = len(value)
        self.in_members = size - FRAMES[type(value)](value)
        self.owed = 0  # members by which the walk is behind
        self.cursor = 0
        self.walked = 0  # members, since the walk started again
        self.walked_bytes = 0

    def follow(self, value: Any, event: bytes) -> int:
        """Return the size of the value after a change.

        Elements pushed on a list are measured. Other members added or removed count as average until the next walk.
        """
        length = len(value)
        more = length - self.length
        if more > 0 and isinstance(value, List) and event in (b'lpush', b'rpush'):
            start = 0 if event == b'lpush' else length - more
            self.in_members += strings_bytes(value.range(start, start + more))
        else:
            self.in_members += more * self.in_members // self.length
            self.owed += MEMBERS_A_CHANGE * (more if more > 0 else min(-more, MOST_REMOVED) or 1)
        self.length = length
        if self.owed >= min(MEMBERS_A_STEP, length):
            self.walk(value)
        return self.in_members + FRAMES[type(value)](value)

    def walk(self, value: Any) -> None:
        """Measure as many members as are owed."""
        size, count, self.cursor = PARTS[type(value)](value, self.cursor, self.owed)
        self.owed = min(self.owed - count, 0)  # a bucket is measured as a whole
        self.walked += count
        self.walked_bytes += size
        if not self.cursor and self.walked:
            self.in_members = self.walked_bytes * self.length // self.walked
            self.walked = self.walked_bytes = 0


class Memory:
    """The account of a keyspace, if it is `measured`: bytes `used` by objects, which may pass the `bound`; `tables`."""

    __slots__ = ('bound', 'measured', 'on_passed', 'passed', 'tables', 'used')

    def __init__(self) -> None:
        self.measured = False
        self.used = 0
        self.tables = 0
        self.bound = NO_LIMIT
        self.passed = False  # once passed it stays so until somebody has looked
        self.on_passed: Callable[[], None] = lambda: None

    def add(self, db: Measurable, change: int) -> None:
        """Enter that a database takes so much more, or less."""
        # Both or neither: what may fail is to make the numbers.
        db.used, self.used = db.used + change, self.used + change
        if self.used > self.bound and not self.passed:
            self.passed = True
            self.on_passed()

    def measure(self, databases: list[Any]) -> None:
        """Begin to keep the account: count everything through."""
        self.measured = True
        self.used = 0
        for db in databases:
            db.used = self.count_through(db)
            self.used += db.used
        self.tables = table_bytes(databases)

    def stop(self, databases: list[Any]) -> None:
        """Keep no account any more."""
        self.measured = self.passed = False
        self.bound = NO_LIMIT
        self.used = self.tables = 0
        for db in databases:
            db.used = 0
            db.sizes, db.counts = {}, {}

    def follow_tables(self, databases: list[Any], *, shrink_only: bool = False) -> None:
        """Come nearer to what the tables take; at once if that is less than before."""
        more = table_bytes(databases) - self.tables
        if more < 0:
            self.tables += more
        elif not shrink_only:
            self.tables += -(-more // FOLLOW_SHARE)

    def count_through(self, db: Measurable) -> int:
        """What a database's objects take; enters values with members. A million strings in a third of a second."""
        db.sizes.clear()
        db.counts.clear()
        values = db.values
        total = strings_bytes(values) + len(values) * INDEX_BYTES + len(db.deadlines) * NUMBER_BYTES
        others = [key for key, value in values.items() if type(value) is not bytes]
        if not others:
            return total + strings_bytes(values.values())
        total += strings_bytes([value for value in values.values() if type(value) is bytes])
        return total + sum([self.stored(db, key, values[key]) for key in others])

    def stored(self, db: Measurable, key: bytes, value: Any) -> int:
        """What a value takes that is stored now; enters one that can change without being stored again."""
        if type(value) in (bytes, int):
            return size_of(value)
        if key in db.sizes:  # it has been moved here, its size with it
            return db.sizes[key]
        size = size_of(value)
        db.sizes[key] = size + NUMBER_BYTES
        if type(value) in OF_CONTAINERS and len(value) > FEW_MEMBERS:
            db.counts[key] = Count(value, size)
        return size + NUMBER_BYTES

    def gone(self, db: Measurable, key: bytes, value: Any) -> int:
        """What a value took that is stored no longer."""
        if type(value) in (bytes, int):
            return size_of(value)
        if db.counts:
            db.counts.pop(key, None)
        return db.sizes.pop(key)

    def recount(self, db: Measurable, key: bytes, value: Any, event: bytes) -> None:
        """Enter that a value has changed which is the same object as before."""
        count = db.counts.get(key) if db.counts else None
        old = db.sizes.get(key, 0)
        if count is not None and len(value) > FEW_MEMBERS:
            size = db.sizes[key] = count.follow(value, event) + NUMBER_BYTES
        else:
            db.counts.pop(key, None)
            db.sizes.pop(key, None)
            size = self.stored(db, key, value)
        self.add(db, size - old)


def table_bytes(databases: list[Any]) -> int:
    """What all tables take that hold keys, but for room that is left from times when there were more of them."""
    return sum(
        min(getsizeof(table), EMPTY_BYTES + WIDE_PLACE_BYTES * len(table))
        for db in databases
        for table in (db.values, db.deadlines, db.uses, db.sizes, db.counts)
    )


def key_bytes(db: Measurable, key: bytes, samples: int) -> int:
    """What a key that is there takes with all that belongs to it; `samples` as in `size_of`."""
    places = sum(key in table for table in (db.values, db.deadlines, db.uses, db.sizes))
    numbers = (key in db.deadlines) + (key in db.sizes)
    own = string_bytes(len(key)) + INDEX_BYTES + places * PLACE_BYTES + numbers * NUMBER_BYTES
    return own + size_of(db.values[key], samples)
