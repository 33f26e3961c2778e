"""A second road to the keys of a dict: by hash, in a fixed order; by chance; and by the first deadline.

A Python dict can be walked only as a whole and gives no random member. `KeyIndex` holds its keys once more, in
buckets of a few dozen, so that SCAN, RANDOMKEY and the search for expired keys touch only what they return.

Theory of operation. Every key has a *rank*: the lowest 31 bits of its hash, in reversed order. Bucket b of 2**n holds
the keys whose hash ends in the n bits of b, so each bucket is one contiguous range of ranks, and splitting it halves
that range. The table grows by one bucket at a time (linear hashing: Litwin, 1980), so no insertion ever pays for a
rehash. A scan's cursor is a rank: all that is ranked below it has been returned, all at or above it is still to come.
That holds whatever comes, goes, splits or merges in between, needs nothing remembered for a scan, and any number is a
valid cursor. Redis walks its tables in the same order (dict.c, dictScan: the reversed binary cursor).

For each bucket the index knows a time before which none of its keys is due. It may be too early, as when a key was
removed or given more time, but never too late: `note_deadline` lowers it, a bucket that is split leaves it to both
halves, and who has looked through a bucket that seemed due says with `looked_through` what it is in truth. So expired
keys are found without looking at many others, and while nothing is due, to look for them costs next to nothing.
"""

from array import array
from bisect import bisect_left, bisect_right
from random import Random

from selredis.keyspace.due_times import NEVER_MS, DueTimes

RANK_BITS = 31
RANK_MASK = (1 << RANK_BITS) - 1
KEYS_PER_BUCKET = 24  # more keys a bucket: less memory (9 B a key at 64, 15 at 16), dearer removal

_REVERSED_BYTES = bytes(int(f'{byte:08b}'[::-1], 2) for byte in range(256))


def reverse_bits(number: int) -> int:
    """The lowest 31 bits of number in reversed order."""
    reversed_bytes = (number & RANK_MASK).to_bytes(4, 'little').translate(_REVERSED_BYTES)
    return int.from_bytes(reversed_bytes, 'big') >> 1


class KeyIndex:
    """The keys of one dict, ordered by rank, and when the first of them may be due."""

    __slots__ = ('_ranked', 'buckets', 'due_times', 'mask', 'room')

    def __init__(self) -> None:
        self.buckets: list[list[bytes]] = [[]]
        self.mask = 0  # covers the bits of the highest bucket number
        self.room = KEYS_PER_BUCKET  # keys that may still come before a bucket is split
        self.due_times = DueTimes()  # by bucket: no key of it has an earlier deadline
        self.due_times.append(NEVER_MS)
        # The last bucket that a scan returned a part of: its keys as they lay, then their ranks and they in order.
        self._ranked: tuple[list[bytes], list[int], list[bytes]] = ([], [], [])

    def __len__(self) -> int:
        return len(self.buckets) * KEYS_PER_BUCKET - self.room

    # --- members ---

    def add(self, key: bytes) -> None:
        """Enter a key that is not there yet."""
        buckets = self.buckets
        slot = hash(key) & self.mask
        if slot >= len(buckets):
            slot &= self.mask >> 1
        buckets[slot].append(key)
        self.room -= 1
        if self.room < 0:
            self._split()

    def remove(self, key: bytes) -> None:
        """Take out a key that is there."""
        buckets = self.buckets
        slot = hash(key) & self.mask
        if slot >= len(buckets):
            slot &= self.mask >> 1
        buckets[slot].remove(key)
        self.room += 1
        if self.room > 2 * KEYS_PER_BUCKET:
            self._shrink()

    def random_key(self, random: Random) -> bytes:
        """Any key, each as likely as another. The index must not be empty."""
        buckets = self.buckets
        count = len(buckets)
        # Refusing in proportion to what a bucket lacks makes up for the buckets' unequal sizes. The largest that
        # have to be reckoned with hold twice the usual number and what chance adds to it.
        ceiling = 4 * KEYS_PER_BUCKET if count > 1 else len(buckets[0])
        while True:
            bucket = buckets[int(random.random() * count)]
            place = int(random.random() * max(ceiling, len(bucket)))
            if place < len(bucket):
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

    # --- the order ---

    def scan(self, cursor: int, count: int) -> tuple[int, list[bytes]]:
        """The keys of about `count` next ranks from cursor on, and the cursor to go on with, below 2**31; 0: the end.

        Keys of equal rank are never parted and the last few of a bucket not left behind: a quarter more may come.
        """
        cursor &= RANK_MASK
        found: list[bytes] = []
        while True:
            slot, start, end = self._range(cursor)
            bucket = self.buckets[slot]
            wanted = count - len(found)
            if cursor == start and len(bucket) <= wanted + count // 4:
                found += bucket
            else:
                ranks, keys = self._in_order(bucket)
                first = bisect_left(ranks, cursor)
                last = first + wanted
                if last < len(ranks):
                    last = bisect_right(ranks, ranks[last - 1], last)
                found += keys[first:last]
                if last < len(ranks):
                    return ranks[last], found
            if end > RANK_MASK:
                return 0, found
            if len(found) >= count:
                return end, found
            cursor = end

    def _in_order(self, bucket: list[bytes]) -> tuple[list[int], list[bytes]]:
        """The ranks of a bucket's keys, sorted, and the keys in the same order.

        A scan that takes a bucket in several steps asks for the same again: the last answer is kept, and is right as
        long as the bucket is what it was.
        """
        if self._ranked[0] != bucket:
            hashes = array('I', [hash(key) & RANK_MASK for key in bucket])
            reversed_hashes = array('I', hashes.tobytes().translate(_REVERSED_BYTES))
            reversed_hashes.byteswap()
            ranked = sorted(zip(reversed_hashes, bucket, strict=True))
            self._ranked = (bucket.copy(), [rank >> 1 for rank, _ in ranked], [key for _, key in ranked])
        return self._ranked[1:]

    def _range(self, cursor: int) -> tuple[int, int, int]:
        """The bucket whose range holds the rank cursor, the first rank of that range, and the first behind it."""
        mask = self.mask
        slot = reverse_bits(cursor) & mask
        # A bucket that is not split yet, and its half that does not exist yet, share one bit less.
        if slot >= len(self.buckets) or slot | (mask >> 1) + 1 >= len(self.buckets):
            mask >>= 1
        width = 1 << RANK_BITS - mask.bit_length()
        start = cursor & -width
        return slot & mask, start, start + width

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

    # --- growth ---

    def _split(self) -> None:
        buckets = self.buckets
        new = len(buckets)
        if new > self.mask:
            self.mask = 2 * self.mask + 1
        bit = self.mask + 1 >> 1
        old = new - bit
        stay: list[bytes] = []
        move: list[bytes] = []
        for key in buckets[old]:
            (move if hash(key) & bit else stay).append(key)
        buckets[old] = stay
        buckets.append(move)
        self.room += KEYS_PER_BUCKET
        self.due_times.append(self.due_times.bound(old))

    def _shrink(self) -> None:
        """Merge buckets until a quarter of the usual number of keys is in each."""
        while self.room > 2 * KEYS_PER_BUCKET and self.room > 3 * KEYS_PER_BUCKET * len(self.buckets) // 4:
            self._merge()

    def _merge(self) -> None:
        buckets = self.buckets
        keys = buckets.pop()
        last = len(buckets)
        bit = self.mask + 1 >> 1
        buckets[last - bit] += keys
        if last <= bit:
            self.mask >>= 1
        self.room -= KEYS_PER_BUCKET
        self.due_times.lower(last - bit, self.due_times.pop())
