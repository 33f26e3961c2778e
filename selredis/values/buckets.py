"""Members in buckets by their hash: a table that is walked in a fixed order, in steps.

A Python dict or set can be walked only as a whole, and moves all its members at once when it grows. Many small ones do
not.

Theory of operation. Every member has a *rank*: the lowest 31 bits of its hash, in reversed order. Bucket b of 2**n
holds the members whose hash ends in the n bits of b, so each bucket is one contiguous range of ranks, and splitting it
halves that range. The table grows by one bucket at a time (linear hashing: Litwin, 1980), so no insertion ever pays for
a rehash. A scan's cursor is a rank: all that is ranked below it has been returned, all at or above it is still to come.
That holds whatever comes, goes, splits or merges in between, needs nothing remembered for a scan, and any number is a
valid cursor. Redis walks its tables in the same order (dict.c, dictScan: the reversed binary cursor).
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator
from itertools import chain
from typing import ClassVar, Generic, TypeVar

RANK_BITS = 31
RANK_MASK = (1 << RANK_BITS) - 1

_REVERSED_BYTES = bytes(int(f'{byte:08b}'[::-1], 2) for byte in range(256))


Bucket = TypeVar('Bucket', bound=Collection[bytes])


def reverse_bits(number: int) -> int:
    """The lowest 31 bits of number in reversed order."""
    reversed_bytes = (number & RANK_MASK).to_bytes(4, 'little').translate(_REVERSED_BYTES)
    return int.from_bytes(reversed_bytes, 'big') >> 1


class Buckets(Generic[Bucket]):
    """A table. A kind of it says what its buckets are, how many members are `usual` in one, and how to part them.

    Who adds or removes a member changes the bucket, then `room`, and calls `_split` or `_shrink` where that passes
    0 or the usual number.
    """

    __slots__ = ('_ranked', 'buckets', 'mask', 'room')

    usual: ClassVar[int]

    def __init__(self) -> None:
        self.buckets: list[Bucket] = [self._new_bucket()]
        self.mask = 0  # covers the bits of the highest bucket number
        self.room = self.usual  # members that may still come before a bucket is split
        # The last bucket that a scan returned a part of: its members as they lay, then their ranks and they in order.
        self._ranked: tuple[list[bytes], list[int], list[bytes]] | None = None

    def _new_bucket(self) -> Bucket:
        raise NotImplementedError

    def _part(self, bucket: Bucket, bit: int) -> tuple[Bucket, Bucket]:
        """Two buckets in place of one: of members whose hash does not have the bit, and of those whose hash has it."""
        raise NotImplementedError

    def _joined(self, bucket: Bucket, other: Bucket) -> Bucket:
        """One bucket in place of two."""
        raise NotImplementedError

    def __len__(self) -> int:
        return len(self.buckets) * self.usual - self.room

    def __iter__(self) -> Iterator[bytes]:
        return chain.from_iterable(self.buckets)

    def unordered(self) -> Iterator[bytes]:
        """The members by bucket, for callers that need no order; a subclass may iterate in another one."""
        return chain.from_iterable(self.buckets)

    def bucket_of(self, member: bytes) -> Bucket:
        """The bucket in which a member is, if it is anywhere."""
        buckets = self.buckets
        slot = hash(member) & self.mask
        return buckets[slot] if slot < len(buckets) else buckets[slot & self.mask >> 1]

    def shorten(self, count: int) -> None:
        """Let go of about so many members, whichever are the quickest; the table is of no more use."""
        buckets = self.buckets
        while buckets and count > 0:
            size = len(buckets.pop())
            self.room += size - self.usual
            count -= size

    # --- the order ---

    def scan(self, cursor: int, count: int) -> tuple[int, list[bytes]]:
        """The cursor to go on with, below 2**31, 0 at the end; and about `count` members of the next ranks from cursor.

        Members of equal rank are never parted and the last few of a bucket not left behind: a quarter more may come.
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
                ranks, members = self._in_order(bucket)
                first = bisect_left(ranks, cursor)
                last = first + wanted
                if last < len(ranks):
                    last = bisect_right(ranks, ranks[last - 1], last)
                found += members[first:last]
                if last < len(ranks):
                    return ranks[last], found
            if end > RANK_MASK:
                return 0, found
            if len(found) >= count:
                return end, found
            cursor = end

    def _in_order(self, bucket: Bucket) -> tuple[list[int], list[bytes]]:
        """The ranks of a bucket's members, sorted, and the members in the same order.

        A scan that takes a bucket in several steps asks for the same again: the last answer is kept, and is right as
        long as the bucket is what it was.
        """
        members = list(bucket)
        if self._ranked is None or self._ranked[0] != members:
            hashes = array('I', [hash(member) & RANK_MASK for member in members])
            reversed_hashes = array('I', hashes.tobytes().translate(_REVERSED_BYTES))
            reversed_hashes.byteswap()
            ranked = sorted(zip(reversed_hashes, members, strict=True))
            self._ranked = (members, [rank >> 1 for rank, _ in ranked], [member for _, member in ranked])
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

    # --- growth ---

    def _split(self) -> int:
        """Add a bucket; returns which one was split for it. If that fails, the table is as it was."""
        buckets = self.buckets
        new = len(buckets)
        bit = 1 << new.bit_length() - 1
        old = new - bit  # its number but for the highest bit
        whole, mask = buckets[old], self.mask
        stay, move = self._part(whole, bit)
        try:
            buckets.append(move)
            buckets[old] = stay
            self.mask = mask | bit
            self.room += self.usual
        except BaseException:
            del buckets[new:]
            buckets[old] = whole
            self.mask = mask
            self._recount()
            raise
        return old

    def _next_to_split(self) -> int:
        """The bucket that `_split` splits next."""
        new = len(self.buckets)
        return new - (1 << new.bit_length() - 1)

    def _recount(self) -> None:
        """Set `room` by the buckets themselves, after a failure that may have come before or after it was set."""
        self.room = len(self.buckets) * self.usual - sum(map(len, self.buckets))

    def _shrink(self) -> None:
        """Merge buckets until a quarter of the usual number of members is in each."""
        while self.room > self.usual and self.room > 3 * self.usual * len(self.buckets) // 4:
            self._merge()

    def _merge(self) -> int:
        """Take the last bucket away; returns into which one it went. If that fails, the table is as it was."""
        buckets = self.buckets
        mask = self.mask
        last = len(buckets) - 1
        bit = mask + 1 >> 1
        into = last - bit
        whole, members = buckets[into], buckets[last]
        joined = self._joined(whole, members)
        try:
            buckets[into] = joined
            buckets.pop()
            if last <= bit:
                self.mask >>= 1
            self.room -= self.usual
        except BaseException:
            buckets[into:] = [whole, *buckets[into + 1 : last], members]
            self.mask = mask
            self._recount()
            raise
        return into
