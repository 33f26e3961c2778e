"""A set: members, any of which may be asked for at random, in Redis's order as long as Redis has one.

Theory of operation. A set of up to INTSET_ENTRIES is a dict, which keeps its members in the order in which they were
added. The members of a larger one are in Python's own sets of some 180 (values/buckets.py): they are found a cache miss
sooner. Neither finds its n-th member but by walking to it. So all members of a large one have a *lot*, too, a place in
one list: a random member is that of a random lot, and with a member that is drawn and taken goes its lot, into whose
place comes the last one.

Order. Redis keeps integers alone in ascending order (an intset). The first other member converts them to a listpack, in
that order, and what is added later is appended (t_set.c, setTypeAdd, 7.2). Nothing of this is done when a member is
added: iterating over a set sorts the integers before the first other member. The value of a member in the dict is
SORTED if it was there when that was last done, so a dict whose last value is SORTED is in order.

Where the lot of a member is nobody knows. If the member is removed by name its lot stays behind, and what it names is
`gone`; whoever draws it draws again. With every removal two lots are looked at, any two, so that about half of all
are of this kind, more only for a while; and a member that comes back while its old lot is there needs no new one.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from itertools import takewhile
from random import Random
from typing import Any

from selredis.numeric import is_integer
from selredis.values.buckets import Buckets
from selredis.values.drawable_buckets import member_at

MEMBERS_PER_BUCKET = 180  # 120 to 240, as there are while some are split and some not, fit into a table of 512

INTSET_ENTRIES = 512  # the default of set-max-intset-entries; that of set-max-listpack-entries is less
LEAST_ROOM = MEMBERS_PER_BUCKET - INTSET_ENTRIES  # `room` of a single bucket that is full
SORTED = True
BISECTIONS = 10  # to find the place of an integer takes as long as to sort this many

# Of all sets of one bucket; never changed.
NO_LOTS: list[bytes] = []
NOBODY: set[bytes] = set()


def ascending(integers: list[bytes]) -> list[bytes]:
    """Texts of integers in the order of their values; sorting by length takes a third of the time of int()."""
    integers = sorted(integers)
    negative = integers[: bisect_left(integers, b'0')]  # a minus sign comes before the digits
    positive = integers[len(negative) :]
    negative.sort(key=len)
    negative.reverse()
    positive.sort(key=len)
    return negative + positive


def as_added(members: list[bytes]) -> list[bytes]:
    """The order in which Redis has members that were added in this one: the integers before any other ascending."""
    if not members or len(members) > INTSET_ENTRIES or not is_integer(members[0]):
        return members  # more are in a hash table
    integers = [*takewhile(is_integer, members)]
    return ascending(integers) + members[len(integers) :]


class Set(Buckets[Any]):
    """Members. There is one bucket, a dict, or there are several, which are sets.

    What has been is remembered so far as it tells how Redis would keep the set (OBJECT ENCODING): `most`, how many
    members there were when one went, and `longest`, how many bytes one had that went and was no integer. It is -1 as
    long as all known members were integers: the set may be an intset, and its integers have yet to be sorted.
    """

    __slots__ = ('gone', 'longest', 'lots', 'most')

    usual = MEMBERS_PER_BUCKET

    def __init__(self, members: Iterable[bytes] = ()) -> None:
        super().__init__()
        self.most = 0
        self.longest = -1
        self.lots = NO_LOTS
        self.gone = NOBODY
        for member in members:
            self.add(member)

    def _new_bucket(self) -> dict[bytes, bool | None]:
        return {}

    def _part(self, bucket: set[bytes], bit: int) -> tuple[set[bytes], set[bytes]]:
        move = {member for member in bucket if hash(member) & bit}
        return bucket - move, move

    def _joined(self, bucket: set[bytes], other: set[bytes]) -> set[bytes]:
        return bucket | other

    def _split(self) -> int:
        if self.mask:
            return super()._split()
        small = self.buckets[0]
        try:
            self.lots = list(small)
            self.gone = set()
            self.buckets[0] = set(self.lots)
            return super()._split()
        except BaseException:
            if not self.mask:
                self.buckets[0] = small
                self.lots = NO_LOTS
                self.gone = NOBODY
            raise

    def _merge(self) -> int:
        if len(self.buckets) > 2:
            return super()._merge()
        small = dict.fromkeys(self)
        into = super()._merge()
        self.buckets[0], self.lots, self.gone = small, NO_LOTS, NOBODY
        return into

    def __contains__(self, member: bytes) -> bool:
        return member in self.bucket_of(member)

    def __iter__(self) -> Iterator[bytes]:
        """The members in Redis's order; of a set that Redis would keep in a hash table, in any."""
        if self.mask:
            return self.unordered()
        return iter(self.buckets[0] if self.longest >= 0 else self._sort())

    def _sort(self) -> dict[bytes, bool | None]:
        """Sort the integers before the first other member of a small set; returns its bucket."""
        bucket: dict[bytes, bool | None] = self.buckets[0]
        if not bucket or next(reversed(bucket.values())):
            return bucket
        members = list(bucket)
        known = list(bucket.values()).count(SORTED)
        if not known and not is_integer(members[0]):
            self.longest = 0
            return bucket
        integers = members[:known]
        added = [*takewhile(is_integer, members[known:])]
        others = members[known + len(added) :]
        if len(added) * BISECTIONS < known:
            for member in added:
                insort(integers, member, key=int)
        else:
            integers = ascending(integers + added)
        bucket = self.buckets[0] = dict.fromkeys(integers + others, SORTED)
        if others:
            self.longest = 0
        return bucket

    @property
    def is_intset(self) -> bool:
        """Whether Redis has the set as an intset, by the default limits."""
        if not self.mask and self.longest < 0:
            self._sort()
        return not self.mask and self.longest < 0 and self.most <= INTSET_ENTRIES

    def keep_order(self) -> None:
        """Keep the members of a new set in the order in which they were added, as in a listpack."""
        self.longest = 0

    def rebuild(self, members: Iterable[bytes]) -> None:
        """Replace all members by some of them, as in a new set that is an intset if this one was."""
        was_intset = self.is_intset
        Set.__init__(self, members)
        if not was_intset:
            self.keep_order()

    def add(self, member: bytes) -> bool:
        """Whether it was not in it before."""
        buckets = self.buckets
        mask = self.mask
        slot = hash(member) & mask
        if slot >= len(buckets):
            slot &= mask >> 1
        bucket = buckets[slot]
        if member in bucket:
            return False
        try:
            if not mask:
                bucket[member] = None
            elif member in self.gone:
                bucket.add(member)
                self.gone.remove(member)
            else:
                self.lots.append(member)
                bucket.add(member)
            self.room -= 1
            if self.room < 0 and (mask or self.room < LEAST_ROOM):
                while self.room < 0:
                    self._split()
        except BaseException:
            self._repair(member)
            raise
        return True

    def _repair(self, member: bytes) -> None:
        """After an `add` that failed: a member that is there has one lot, one that is not has none."""
        if member in self:
            self.gone.discard(member)
        elif self.lots and self.lots[-1] is member and member not in self.gone:
            self.lots.pop()
        self._recount()

    def remove(self, member: bytes) -> bool:
        """Whether it was in it."""
        bucket = self.bucket_of(member)
        if member not in bucket:
            return False
        if self.mask:
            self.gone.add(member)
            self._look_at_lots(hash(member))
        self._take(bucket, member)
        return True

    def random_member(self, random: Random) -> bytes:
        """Any member, each as likely as another. The set must not be empty."""
        if not self.mask:
            members = self.buckets[0]
            return member_at(members, int(random.random() * len(members)))
        lots = self.lots
        gone = self.gone
        while True:
            member = lots[int(random.random() * len(lots))]
            if member not in gone:
                return member

    def pop_random(self, random: Random) -> bytes:
        """Take out any member, each as likely as another. The set must not be empty."""
        if not self.mask:
            member = self.random_member(random)
            self._take(self.buckets[0], member)
            return member
        while True:
            member = self._take_lot(int(random.random() * len(self.lots)))
            if member not in self.gone:
                break
            self.gone.remove(member)
        self._take(self.bucket_of(member), member)
        return member

    def _take(self, bucket: Any, member: bytes) -> None:
        """Take a member out of its bucket."""
        count = len(self.buckets) * MEMBERS_PER_BUCKET - self.room
        if count > self.most:
            self.most = count
        if len(member) > self.longest and not is_integer(member):
            if self.longest < 0 and not self.mask:
                bucket = self._sort()  # with the member that ends the integers to be sorted
            self.longest = len(member)
        if self.mask:
            bucket.remove(member)
        else:
            del bucket[member]
        self.room += 1
        if self.room > MEMBERS_PER_BUCKET:
            self._shrink()

    def _take_lot(self, place: int) -> bytes:
        """Take a lot out; returns whose it was."""
        lots = self.lots
        last = lots.pop()
        if place == len(lots):
            return last
        member = lots[place]
        lots[place] = last
        return member

    def _look_at_lots(self, number: int) -> None:
        """Look at the lots at two places that a hash tells, and take out those of members that are gone."""
        lots = self.lots
        for chance in (number, number >> 20):
            place = chance % len(lots)
            if lots[place] in self.gone:
                self.gone.remove(self._take_lot(place))
                if not lots:
                    return

    def shorten(self, count: int) -> None:
        for _ in range(min(count, len(self.gone))):
            self.gone.pop()
        del self.lots[-2 * count :]
        super().shorten(count)

    def copy(self) -> 'Set':
        copy = Set()
        copy.buckets = [bucket.copy() for bucket in self.buckets]
        copy.mask = self.mask
        copy.room = self.room
        copy.most = self.most
        copy.longest = self.longest
        if self.mask:
            copy.lots = list(self.unordered())
            copy.gone = set()
        return copy
