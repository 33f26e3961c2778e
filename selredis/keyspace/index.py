"""A second road to the keys of a dict: by hash, in a fixed order; by chance; and by the first deadline.

`KeyIndex` holds the keys of a dict once more, in buckets of a few dozen (values/buckets.py), so that SCAN, RANDOMKEY
and the search for expired keys touch only what they return.

For each bucket the index knows a time before which none of its keys is due. It may be too early, as when a key was
removed or given more time, but never too late: `note_deadline` lowers it, a bucket that is split leaves it to both
halves, and who has looked through a bucket that seemed due says with `looked_through` what it is in truth. So expired
keys are found without looking at many others, and while nothing is due, to look for them costs next to nothing.
"""

from random import Random

from selredis.values.due_buckets import DueBuckets
from selredis.values.due_times import NEVER_MS, DueTimes

KEYS_PER_BUCKET = 24  # more keys a bucket: less memory (9 B a key at 64, 15 at 16), dearer removal


class KeyIndex(DueBuckets[list[bytes]]):
    """The keys of one dict, ordered by rank, and when the first of them may be due."""

    __slots__ = ('due_times',)

    usual = KEYS_PER_BUCKET

    def __init__(self) -> None:
        super().__init__()
        self.due_times = DueTimes()  # by bucket: no key of it has an earlier deadline
        self.due_times.append(NEVER_MS)

    def _bounds(self) -> DueTimes:
        return self.due_times

    def _new_bucket(self) -> list[bytes]:
        return []

    def _part(self, bucket: list[bytes], bit: int) -> tuple[list[bytes], list[bytes]]:
        stay: list[bytes] = []
        move: list[bytes] = []
        for key in bucket:
            (move if hash(key) & bit else stay).append(key)
        return stay, move

    def _joined(self, bucket: list[bytes], other: list[bytes]) -> list[bytes]:
        return bucket + other

    # --- members ---

    def add(self, key: bytes) -> None:
        """Enter a key that is not there yet. If that fails (MemoryError), it is not there."""
        buckets = self.buckets
        slot = hash(key) & self.mask
        if slot >= len(buckets):
            slot &= self.mask >> 1
        try:
            buckets[slot].append(key)
            self.room -= 1
            if self.room < 0:
                self._split()
        except BaseException:
            self.discard(key)
            raise

    def remove(self, key: bytes) -> None:
        """Take out a key that is there."""
        buckets = self.buckets
        slot = hash(key) & self.mask
        if slot >= len(buckets):
            slot &= self.mask >> 1
        buckets[slot].remove(key)
        self.room += 1
        if self.room > KEYS_PER_BUCKET:
            self._shrink()

    def discard(self, key: bytes) -> None:
        """Take out a key, if it is there, after a failure."""
        bucket = self.bucket_of(key)
        if key in bucket:
            bucket.remove(key)
        self._recount()

    def random_key(self, random: Random) -> bytes:
        """Any key, each as likely as another. The index must not be empty."""
        bucket, place = self.draw(random)
        return bucket[place]

    def some_keys(self, random: Random, count: int) -> list[bytes]:
        """About so many keys that stand together at any place, and so have nothing in common; all if there are fewer.

        Which ones they are is not quite even, for the sake of speed.
        """
        buckets = self.buckets
        place = int(random.random() * len(buckets))
        found: list[bytes] = []
        for _ in range(len(buckets)):
            bucket = buckets[place]
            wanted = count - len(found)
            if len(bucket) > wanted:
                start = int(random.random() * len(bucket))
                return found + (bucket[start:] + bucket[:start])[:wanted]
            found += bucket
            if len(found) == count:
                break
            place = place + 1 if place + 1 < len(buckets) else 0
        return found

    # --- deadlines ---

    def note_deadline(self, key: bytes, deadline_ms: int) -> None:
        """Learn that a key which is there has a deadline (Unix time)."""
        slot = hash(key) & self.mask
        if slot >= len(self.buckets):
            slot &= self.mask >> 1
        self.due_times.lower(slot, deadline_ms)

    def due_bucket(self, now_ms: int) -> int:
        """A bucket that may hold keys with an earlier deadline; -1 if there is none. `looked_through` is to follow."""
        return self.due_times.first_due(now_ms)

    def any_bucket_with_deadlines(self, random: Random) -> int:
        """Any bucket that may hold keys with deadlines; -1 if there is none."""
        return self.due_times.any_bounded(random)

    def looked_through(self, slot: int, kept: list[bytes], due_ms: int) -> None:
        """Learn which keys of a bucket stay, and the earliest deadline of these: NEVER_MS if none has one."""
        self.due_times.correct(slot, due_ms)
        self.room += len(self.buckets[slot]) - len(kept)
        self.buckets[slot] = kept
        self._shrink()
