"""A second road to the keys of a dict: by hash, in a fixed order, and by chance.

A Python dict can be walked only as a whole and gives no random member. `KeyIndex` holds its keys once more, in
buckets of a few dozen, so that SCAN, RANDOMKEY and the search for expired keys touch only what they return.

Theory of operation. Every key has a *rank*: the lowest 31 bits of its hash, in reversed order. Bucket b of 2**n holds
the keys whose hash ends in the n bits of b, so each bucket is one contiguous range of ranks, and splitting it halves
that range. The table grows by one bucket at a time (linear hashing: Litwin, 1980), so no insertion ever pays for a
rehash. A scan's cursor is a rank: all that is ranked below it has been returned, all at or above it is still to come.
That holds whatever comes, goes or splits in between, needs nothing remembered for a scan, and any number is a valid
cursor. Redis walks its tables in the same order (dict.c, dictScan: the reversed binary cursor).
"""

from random import Random

RANK_BITS = 31
RANK_MASK = (1 << RANK_BITS) - 1
KEYS_PER_BUCKET = 24  # more keys a bucket: less memory (9 B a key at 64, 15 at 16), dearer removal

_REVERSED_BYTES = bytes(int(f'{byte:08b}'[::-1], 2) for byte in range(256))


def reverse_bits(number: int) -> int:
    """The lowest 31 bits of number in reversed order."""
    table = _REVERSED_BYTES
    return (
        table[number & 255] << 23
        | table[number >> 8 & 255] << 15
        | table[number >> 16 & 255] << 7
        | table[number >> 24 & 127] >> 1
    )


class KeyIndex:
    """The keys of one dict, ordered by rank. Cursors are below 2**31."""

    __slots__ = ('buckets', 'mask', 'room')

    def __init__(self) -> None:
        self.buckets: list[list[bytes]] = [[]]
        self.mask = 0  # covers the bits of the highest bucket number
        self.room = KEYS_PER_BUCKET  # keys that may still come before a bucket is split

    def __len__(self) -> int:
        return len(self.buckets) * KEYS_PER_BUCKET - self.room

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
        self._bucket(hash(key)).remove(key)
        self.room += 1
        if self.room > 2 * KEYS_PER_BUCKET and self.room > 3 * KEYS_PER_BUCKET * len(self.buckets) // 4:
            self._merge()

    def scan(self, cursor: int, count: int) -> tuple[int, list[bytes]]:
        """The keys of about `count` next ranks from cursor on, and the cursor to go on with; 0: the end.

        Keys of equal rank are never parted, so a few more than count may come.
        """
        found: list[bytes] = []
        while True:
            bucket, end = self._range(cursor)
            ranked = sorted((rank, key) for key in bucket if (rank := reverse_bits(hash(key) & RANK_MASK)) >= cursor)
            wanted = count - len(found)
            if len(ranked) > wanted:
                last = wanted
                while last < len(ranked) and last and ranked[last][0] == ranked[last - 1][0]:
                    last += 1
                if last < len(ranked):
                    found += [key for _, key in ranked[:last]]
                    return ranked[last][0], found
            found += [key for _, key in ranked]
            cursor = end
            if cursor > RANK_MASK:
                return 0, found
            if len(found) >= count:
                return cursor, found

    def next_bucket(self, cursor: int) -> tuple[int, list[bytes]]:
        """All keys of the bucket that cursor lies in, and the cursor of the next one; 0: the end."""
        bucket, end = self._range(cursor)
        return (0 if end > RANK_MASK else end), list(bucket)

    def random_key(self, random: Random) -> bytes:
        """Any key, each as likely as another. The index must not be empty."""
        buckets = self.buckets
        ceiling = 4 * KEYS_PER_BUCKET
        while True:
            bucket = buckets[random.randrange(len(buckets))]
            # Refusing in proportion to what a bucket lacks makes up for the buckets' unequal sizes.
            place = random.randrange(max(ceiling, len(bucket)) if len(buckets) > 1 else len(bucket))
            if place < len(bucket):
                return bucket[place]

    def _bucket(self, key_hash: int) -> list[bytes]:
        slot = key_hash & self.mask
        return self.buckets[slot if slot < len(self.buckets) else slot & self.mask >> 1]

    def _range(self, cursor: int) -> tuple[list[bytes], int]:
        """The bucket whose range holds the rank cursor, and the first rank behind that range."""
        mask = self.mask
        slot = reverse_bits(cursor) & mask
        # A bucket that is not split yet, and its half that does not exist yet, share one bit less.
        if slot >= len(self.buckets) or slot | (mask >> 1) + 1 >= len(self.buckets):
            mask >>= 1
        width = 1 << RANK_BITS - mask.bit_length()
        return self.buckets[slot & mask], (cursor & -width) + width

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

    def _merge(self) -> None:
        buckets = self.buckets
        keys = buckets.pop()
        bit = self.mask + 1 >> 1
        buckets[len(buckets) - bit] += keys
        if len(buckets) <= bit:
            self.mask >>= 1
        self.room -= KEYS_PER_BUCKET
