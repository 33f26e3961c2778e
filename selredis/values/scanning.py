"""A dict that can be walked a few members at a time: HSCAN, SSCAN and ZSCAN with SCAN's guarantee.

Theory of operation. The members are spread over *parts*, plain dicts of up to a few hundred, by the lowest bits of
their hashes (extendible hashing: Fagin and others, 1979). `parts` is a directory of 2**n places, the last n bits of a
hash telling the place; a part stands in several places as long as it is told by fewer bits. A full part is split by one
bit more, for which the directory is made twice as large if need be: a list of pointers, one for some hundred members.
So no insertion pays for all, as it does where a plain dict's table must grow: at a million members that takes 40 ms.

Every member has a *rank*: the lowest 31 bits of its hash in reversed order. A part is one contiguous range of ranks,
and a split halves it. A scan's cursor is a rank: all that is ranked below has been returned, all at or above is still
to come. That holds whatever comes, goes, splits or joins in between; nothing is remembered for a scan, and any number
is a cursor. A step ranks the members of one part, so a whole scan takes time in proportion to the members.

A table that nobody scans pays for it with 60 ns to find a member's part, and no memory: 38 bytes a member at 1,000,000,
where one dict takes 42 and any dict 30 to 60.

    part = table.parts[hash(member) & table.mask]

is the way to a member. Who adds or removes one there keeps `count`, and calls `split` or `join` when it is time.
"""

from array import array
from collections.abc import Iterable, Iterator
from itertools import chain
from operator import is_
from typing import Generic, TypeVar

V = TypeVar('V')

RANK_BITS = 31
RANK_MASK = (1 << RANK_BITS) - 1
MOST = 170  # members of a part: a dict's table of 256 places takes no more
FEW = 40  # members of two parts that are joined

_REVERSED_BYTES = bytes(int(f'{byte:08b}'[::-1], 2) for byte in range(256))


class ScannableDict(Generic[V]):
    """Values by member, in no order that anybody could rely on but a scan."""

    __slots__ = ('count', 'mask', 'parts')

    def __init__(self, items: Iterable[tuple[bytes, V]] = ()) -> None:
        self.parts: list[dict[bytes, V]] = [{}]
        self.mask = 0  # of the hash's bits that tell the place in parts
        self.count = 0
        for member, value in items:
            self[member] = value

    # --- as a dict ---

    def __len__(self) -> int:
        return self.count

    def __contains__(self, member: bytes) -> bool:
        return member in self.parts[hash(member) & self.mask]

    def get(self, member: bytes) -> V | None:
        """The value of a member, None if it is not there."""
        return self.parts[hash(member) & self.mask].get(member)

    def __getitem__(self, member: bytes) -> V:
        return self.parts[hash(member) & self.mask][member]

    def __setitem__(self, member: bytes, value: V) -> None:
        part = self.parts[hash(member) & self.mask]
        size = len(part)
        part[member] = value
        if len(part) != size:
            self.count += 1
            if size == MOST:
                self.split(member)

    def __delitem__(self, member: bytes) -> None:
        """Raises KeyError if the member is not there."""
        part = self.parts[hash(member) & self.mask]
        del part[member]
        self.count -= 1
        if len(part) < FEW and self.mask:
            self.join(member)

    def __iter__(self) -> Iterator[bytes]:
        return chain.from_iterable(self.distinct_parts())

    def items(self) -> Iterator[tuple[bytes, V]]:
        return chain.from_iterable(part.items() for part in self.distinct_parts())

    def distinct_parts(self) -> list[dict[bytes, V]]:
        """The parts, each once."""
        return list({id(part): part for part in self.parts}.values()) if self.mask else self.parts

    def copy(self) -> 'ScannableDict[V]':
        """The same members with the same values."""
        copied: ScannableDict[V] = ScannableDict()
        copies = {id(part): part.copy() for part in self.distinct_parts()}
        copied.parts = [copies[id(part)] for part in self.parts]
        copied.mask = self.mask
        copied.count = self.count
        return copied

    def shorten(self, count: int) -> None:
        """Let go of about so many members, whichever are the quickest: the dict is of no more use."""
        while self.parts and count > 0:
            part = self.parts.pop()
            lost = min(len(part), count)
            for _ in range(lost):
                part.popitem()
            self.count -= lost
            count -= max(lost, 1)
            if part:
                self.parts.append(part)

    # --- scanning ---

    def scan(self, cursor: int, count: int) -> tuple[int, list[bytes]]:
        """The members of about `count` next ranks from cursor on, and the cursor to go on with; 0: the end.

        Members of equal rank are never parted and the last few of a part not left behind: a quarter more may come.
        """
        if not self.mask and self.count <= count and not cursor & RANK_MASK:
            return 0, list(self.parts[0])
        cursor &= RANK_MASK
        found: list[bytes] = []
        while True:
            part, start, end = self._range(cursor)
            wanted = count - len(found)
            if cursor == start and len(part) <= wanted + count // 4:
                found += part
            else:
                ranks = ranks_of(part)
                coming = sorted(rank for rank in ranks if rank >= cursor)
                if len(coming) > wanted + count // 4:
                    last = coming[wanted - 1]
                    found += [member for member, rank in zip(part, ranks, strict=True) if cursor <= rank <= last]
                    # Its neighbours may have the same rank, or the last of all.
                    return (last + 1 & RANK_MASK), found
                found += [member for member, rank in zip(part, ranks, strict=True) if rank >= cursor]
            if end > RANK_MASK:
                return 0, found
            if len(found) >= count:
                return end, found
            cursor = end

    def _range(self, cursor: int) -> tuple[dict[bytes, V], int, int]:
        """The part whose range holds the rank cursor, the first rank of that range, and the first behind it."""
        slot = reverse_bits(cursor) & self.mask
        width = 1 << RANK_BITS - self._bits(slot)
        start = cursor & -width
        return self.parts[slot], start, start + width

    # --- growth ---

    def _bits(self, slot: int) -> int:
        """By how many bits the part in a place is told."""
        parts = self.parts
        part = parts[slot]
        bits = self.mask.bit_length()
        while bits and parts[slot ^ 1 << bits - 1] is part:
            bits -= 1
        return bits

    def split(self, member: bytes) -> None:
        """Split the part of a member, which has more than MOST, and a half of it if that still has."""
        parts = self.parts
        slot = hash(member) & self.mask
        part = parts[slot]
        bit = 1 << self._bits(slot)
        if bit > self.mask:
            if bit > self.count:
                return  # hashes that are nearly the same: no directory could be large enough
            parts += parts
            self.mask = 2 * self.mask + 1
        lower: dict[bytes, V] = {}
        upper: dict[bytes, V] = {}
        for other, value in part.items():
            (upper if hash(other) & bit else lower)[other] = value
        self._enter(lower, slot & bit - 1, 2 * bit)
        self._enter(upper, slot & bit - 1 | bit, 2 * bit)
        if not (lower and upper):
            self.split(next(iter(part)))

    def join(self, member: bytes) -> None:
        """Join the part of a member, which has fewer than FEW, to its other half as long as that has few, too."""
        parts = self.parts
        while self.mask:
            slot = hash(member) & self.mask
            bit = 1 << self._bits(slot) - 1
            part, other = parts[slot], parts[slot ^ bit]
            if self._bits(slot ^ bit) != bit.bit_length() or len(part) + len(other) > 2 * FEW:
                break
            self._enter(part | other, slot & bit - 1, bit)
            half = len(parts) >> 1
            while half and all(map(is_, parts[:half], parts[half:])):
                del parts[half:]
                self.mask >>= 1
                half >>= 1

    def _enter(self, part: dict[bytes, V], first: int, step: int) -> None:
        """Let a part stand in every `step` places from the first on."""
        self.parts[first::step] = [part] * len(range(first, len(self.parts), step))


def reverse_bits(number: int) -> int:
    """The lowest 31 bits of number in reversed order."""
    reversed_bytes = (number & RANK_MASK).to_bytes(4, 'little').translate(_REVERSED_BYTES)
    return int.from_bytes(reversed_bytes, 'big') >> 1


def ranks_of(members: Iterable[bytes]) -> list[int]:
    """The rank of each of some members."""
    hashes = array('I', [hash(member) & RANK_MASK for member in members])
    ranks = array('I', hashes.tobytes().translate(_REVERSED_BYTES))
    ranks.byteswap()
    return [rank >> 1 for rank in ranks]
