"""A hash: values by field, any of which may be asked for at random; some fields may have deadlines.

Fields are keys of dicts of a few dozen (values/buckets.py). Up to LISTPACK_ENTRIES are in a single one, in the order in
which they were added, as Redis has them in a listpack. Deadlines stand apart, in an object that a hash without any does
not have. They are found as those of keys are: for each bucket there is a time before which none of its fields is due
(values/due_times.py).

A field that is past its deadline is one like any other until somebody removes it; who reads asks `is_due` first.
"""

from collections.abc import Iterable, Iterator
from itertools import chain
from sys import getsizeof

from selredis.values.due_buckets import DueBuckets
from selredis.values.due_times import NEVER_MS, DueTimes

FIELDS_PER_BUCKET = 40  # 80 and more are not quicker, nor smaller
LISTPACK_ENTRIES = 512  # the default of hash-max-listpack-entries
LEAST_ROOM = FIELDS_PER_BUCKET - LISTPACK_ENTRIES  # `room` of a single bucket that is full

# Names of fields of small hashes. Thousands of hashes have the same ones, and need not have an object of their own for
# each. Only a cache: nobody can tell whether a name is in it.
NAMES: dict[bytes, bytes] = {}
MOST_NAMES = 10_000
LONGEST_NAME = 64  # bytes

# As in keyspace/database.py: a table of deadlines that is many times too large, and soon made anew.
HOLLOW_FIELDS = 10_000
HOLLOW_BYTES = 65_536
HOLLOW_FIELD_BYTES = 500

Fields = dict[bytes, bytes]


def shared(name: bytes) -> bytes:
    """The same name, as the object that other hashes have for it."""
    if len(name) > LONGEST_NAME:
        return name
    if len(NAMES) >= MOST_NAMES:
        NAMES.clear()
    return NAMES.setdefault(name, name)


class Deadlines:
    """Unix times (ms) of the fields of one hash: by field, and when the first of each bucket may be due."""

    __slots__ = ('due', 'times')

    def __init__(self, buckets: int) -> None:
        self.times: dict[bytes, int] = {}
        self.due = DueTimes()
        for _ in range(buckets):
            self.due.append(NEVER_MS)

    def copy(self, buckets: int) -> 'Deadlines':
        copy = Deadlines(buckets)
        copy.times = self.times.copy()
        for slot in range(buckets):
            copy.due.lower(slot, self.due.bound(slot))
        return copy


class Hash(DueBuckets[Fields]):
    """Values by field.

    What has been is remembered so far as it tells how Redis would keep the hash (OBJECT ENCODING): `most`, how many
    fields there were when one went, and `longest`, how many bytes a value had, or a field that went. `deadlines` stays
    once there were any.
    """

    __slots__ = ('deadlines', 'longest', 'most')

    usual = FIELDS_PER_BUCKET

    def __init__(self, items: Iterable[tuple[bytes, bytes]] = ()) -> None:
        super().__init__()
        self.most = 0
        self.longest = 0
        self.deadlines: Deadlines | None = None
        for field, value in items:
            self.put(field, value)

    def _new_bucket(self) -> Fields:
        return {}

    def _part(self, bucket: Fields, bit: int) -> tuple[Fields, Fields]:
        stay: Fields = {}
        move: Fields = {}
        for field, value in bucket.items():
            (move if hash(field) & bit else stay)[field] = value
        return stay, move

    def _joined(self, bucket: Fields, other: Fields) -> Fields:
        return bucket | other

    def __contains__(self, field: bytes) -> bool:
        return field in self.bucket_of(field)

    def get(self, field: bytes) -> bytes | None:
        """The value of a field, None if there is none."""
        buckets = self.buckets
        slot = hash(field) & self.mask
        return (buckets[slot] if slot < len(buckets) else buckets[slot & self.mask >> 1]).get(field)

    def put(self, field: bytes, value: bytes) -> int:
        """Give a field a value, and no deadline; 1 if the field is new, 0 if not."""
        buckets = self.buckets
        slot = hash(field) & self.mask
        bucket = buckets[slot] if slot < len(buckets) else buckets[slot & self.mask >> 1]
        if len(value) > self.longest:
            self.longest = len(value)
        if field in bucket:
            bucket[field] = value
            if self.deadlines is not None:
                self.clear_deadline(field)
            return 0
        if self.room > 0 and not self.mask:
            field = shared(field)
        try:
            bucket[field] = value
            self.room -= 1
            if self.room < 0 and (self.mask or self.room < LEAST_ROOM):
                while self.room < 0:
                    self._split()
        except BaseException:
            self._recount()
            raise
        return 1

    def update(self, field: bytes, value: bytes) -> None:
        """Give a field a value; one that has a deadline keeps it."""
        bucket = self.bucket_of(field)
        if field in bucket:
            self.longest = max(self.longest, len(value))
            bucket[field] = value
        else:
            self.put(field, value)

    def remove(self, field: bytes) -> bool:
        """Whether there was such a field."""
        bucket = self.bucket_of(field)
        if field not in bucket:
            return False
        count = len(self.buckets) * FIELDS_PER_BUCKET - self.room
        if count > self.most:
            self.most = count
        if len(field) > self.longest:
            self.longest = len(field)
        del bucket[field]
        if self.deadlines is not None:
            self.deadlines.times.pop(field, None)
        self.room += 1
        if self.room > FIELDS_PER_BUCKET:
            self._shrink()
        return True

    def __iter__(self) -> Iterator[bytes]:
        """The fields in Redis's order; of a hash that Redis would keep in a hash table, in any."""
        return self.unordered() if self.deadlines is None or self.mask else iter(self.as_dict())

    def as_dict(self) -> Fields:
        """All fields with their values, in order. This may be the hash's own table: it must not be changed.

        Fields with deadlines come first, by deadline, of equal ones the one that was set last (t_hash.c,
        listpackExAddInternal, 7.4).
        """
        if self.mask:
            return dict(chain.from_iterable(bucket.items() for bucket in self.buckets))
        bucket = self.buckets[0]
        if self.deadlines is None or not self.deadlines.times:
            return bucket
        times = self.deadlines.times
        fields = [*reversed(times)]
        fields.sort(key=times.__getitem__)
        return {field: bucket[field] for field in fields} | bucket

    def items(self) -> Iterable[tuple[bytes, bytes]]:
        """Fields with their values, in the order of the fields."""
        return self.as_dict().items()

    def unordered_values(self) -> Iterator[bytes]:
        return chain.from_iterable(bucket.values() for bucket in self.buckets)

    def copy(self) -> 'Hash':
        copy = Hash()
        copy.buckets = [bucket.copy() for bucket in self.buckets]
        copy.mask = self.mask
        copy.room = self.room
        copy.most = self.most
        copy.longest = self.longest
        if self.deadlines is not None:
            copy.deadlines = self.deadlines.copy(len(self.buckets))
        return copy

    def shorten(self, count: int) -> None:
        before = len(self)
        super().shorten(count)
        if self.deadlines is not None:
            times = self.deadlines.times
            for _ in range(min(before - len(self), len(times))):
                times.popitem()

    # --- deadlines ---

    def deadline_of(self, field: bytes) -> int | None:
        return None if self.deadlines is None else self.deadlines.times.get(field)

    def set_deadline(self, field: bytes, deadline_ms: int) -> None:
        """Let a field that is there expire at a Unix time in ms."""
        deadlines = self.deadlines
        if deadlines is None:
            deadlines = self.deadlines = Deadlines(len(self.buckets))
        # Behind all others in `times`, and the same object in both.
        field = self._append(field)
        deadlines.times.pop(field, None)
        deadlines.times[field] = deadline_ms
        slot = hash(field) & self.mask
        if slot >= len(self.buckets):
            slot &= self.mask >> 1
        deadlines.due.lower(slot, deadline_ms)

    def clear_deadline(self, field: bytes) -> bool:
        """Let a field live as long as the hash; False if it had no deadline."""
        if self.deadlines is None or self.deadlines.times.pop(field, None) is None:
            return False
        self._append(field)
        return True

    def _append(self, field: bytes) -> bytes:
        """Move a field behind all others in its bucket; returns the object that the bucket has for it from then on."""
        field = NAMES.get(field, field)
        bucket = self.bucket_of(field)
        try:
            bucket[field] = bucket.pop(field)
        except BaseException:  # the table may have to grow, and fail to
            if self.deadlines is not None:
                self.deadlines.times.pop(field, None)
            self._recount()
            raise
        return field

    def is_due(self, field: bytes, now_ms: int) -> bool:
        """Whether a field is past its deadline."""
        return self.deadlines is not None and self.deadlines.times.get(field, NEVER_MS) < now_ms

    def due_ms(self) -> int:
        """A time before which no field is due; NEVER_MS if none has a deadline."""
        deadlines = self.deadlines
        return NEVER_MS if deadlines is None or not deadlines.times else deadlines.due.first_bound()

    def due_fields(self, now_ms: int) -> set[bytes]:
        """Fields that are past their deadline."""
        if self.due_ms() >= now_ms:
            return set()
        assert self.deadlines is not None
        return {field for field, deadline_ms in self.deadlines.times.items() if deadline_ms < now_ms}

    def remove_due(self, now_ms: int, most: int) -> list[bytes]:
        """Remove expired fields, all or about `most`, and return them."""
        removed: list[bytes] = []
        deadlines = self.deadlines
        if deadlines is None:
            return removed
        deadline_of = deadlines.times.get
        while len(removed) < most and (slot := deadlines.due.first_due(now_ms)) >= 0:
            due: list[bytes] = []
            next_ms = NEVER_MS
            for field in self.buckets[slot]:
                deadline_ms = deadline_of(field, NEVER_MS)
                if deadline_ms < now_ms:
                    due.append(field)
                elif deadline_ms < next_ms:
                    next_ms = deadline_ms
            deadlines.due.correct(slot, next_ms)
            for field in due:
                self.remove(field)
            removed += due
        times = deadlines.times
        if len(times) <= HOLLOW_FIELDS and getsizeof(times) > HOLLOW_BYTES + HOLLOW_FIELD_BYTES * len(times):
            deadlines.times = times.copy()  # a dict keeps the table that its largest size needed
        return removed

    def _bounds(self) -> DueTimes | None:
        return None if self.deadlines is None else self.deadlines.due
