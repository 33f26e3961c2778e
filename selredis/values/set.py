"""A set: members in no order of theirs, any of which may be asked for at random.

Theory of operation. A small set is a dict, which keeps its members in the order in which they came, as Redis does. The
members of a large one are in Python's own sets of some 180 (values/buckets.py): they are found a cache miss sooner.
Neither finds its n-th member but by walking to it. So all members of a large one have a *lot*, too, a place in one
list: a random member is that of a random lot, and with a member that is drawn and taken goes its lot, into whose place
comes the last one.

Where the lot of a member is nobody knows. If the member is removed by name its lot stays behind, and what it names is
`gone`; whoever draws it draws again. With every removal two lots are looked at, any two, so that about half of all
are of this kind, more only for a while; and a member that comes back while its old lot is there needs no new one.
"""

from collections.abc import Iterable
from random import Random
from typing import Any

from selredis.numeric import is_integer
from selredis.values.buckets import Buckets
from selredis.values.drawable_buckets import member_at

MEMBERS_PER_BUCKET = 180  # 120 to 240, as there are while some are split and some not, fit into a table of 512

# Of all sets of one bucket; never changed.
NO_LOTS: list[bytes] = []
NOBODY: set[bytes] = set()


class Set(Buckets[Any]):
    """Members. There is one bucket, a dict, or there are several, which are sets.

    What has been is remembered so far as it tells how Redis would keep the set (OBJECT ENCODING): `most`, how many
    members there were when one went, and `longest`, how many bytes one had that went and was no integer; -1: none was.
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

    def _new_bucket(self) -> dict[bytes, None]:
        return {}

    def _part(self, bucket: set[bytes], bit: int) -> tuple[set[bytes], set[bytes]]:
        move = {member for member in bucket if hash(member) & bit}
        return bucket - move, move

    def _join(self, bucket: set[bytes], other: set[bytes]) -> None:
        bucket |= other

    def _split(self) -> int:
        if not self.mask:
            self.lots = list(self)
            self.gone = set()
            self.buckets[0] = set(self.lots)
        return super()._split()

    def _merge(self) -> int:
        into = super()._merge()
        if not self.mask:
            self.buckets[0] = dict.fromkeys(self.buckets[0])
            self.lots = NO_LOTS
            self.gone = NOBODY
        return into

    def __contains__(self, member: bytes) -> bool:
        return member in self.bucket_of(member)

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
        if mask:
            bucket.add(member)
            if member in self.gone:
                self.gone.remove(member)
            else:
                self.lots.append(member)
        else:
            bucket[member] = None
        self.room -= 1
        if self.room < 0:
            self._split()
        return True

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
            copy.lots = list(self)
            copy.gone = set()
        return copy
