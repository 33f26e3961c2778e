"""A set: members in no order of theirs, any of which may be asked for at random.

Members are keys of dicts of a few dozen (values/buckets.py), in a small set of a single one. Dicts, for Python's own
sets leave more places free, and need longer to find their n-th member.
"""

from collections.abc import Iterable
from itertools import islice
from random import Random

from selredis.numeric import is_integer
from selredis.values.buckets import Buckets

MEMBERS_PER_BUCKET = 32  # fewer: SPOP and SRANDMEMBER refuse more places; more: they walk further

Members = dict[bytes, None]


class Set(Buckets[Members]):
    """Members.

    What has been is remembered so far as it tells how Redis would keep the set (OBJECT ENCODING): `most`, how many
    members there were when one went, and `longest`, how many bytes one had that went and was no integer; -1: none was.
    """

    __slots__ = ('longest', 'most')

    usual = MEMBERS_PER_BUCKET

    def __init__(self, members: Iterable[bytes] = ()) -> None:
        super().__init__()
        self.most = 0
        self.longest = -1
        for member in members:
            self.add(member)

    def _new_bucket(self) -> Members:
        return {}

    def _part(self, bucket: Members, bit: int) -> tuple[Members, Members]:
        stay: Members = {}
        move: Members = {}
        for member in bucket:
            (move if hash(member) & bit else stay)[member] = None
        return stay, move

    def _join(self, bucket: Members, other: Members) -> None:
        bucket |= other

    def __contains__(self, member: bytes) -> bool:
        return member in self.bucket_of(member)

    def add(self, member: bytes) -> bool:
        """Whether it was not in it before."""
        buckets = self.buckets
        slot = hash(member) & self.mask
        if slot >= len(buckets):
            slot &= self.mask >> 1
        bucket = buckets[slot]
        if member in bucket:
            return False
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
        del bucket[member]
        self._note_loss(member)
        self.room += 1
        if self.room > 2 * MEMBERS_PER_BUCKET:
            self._shrink()
        return True

    def pop_random(self, random: Random) -> bytes:
        """Take out any member, each as likely as another. The set must not be empty."""
        bucket, place = self.draw(random)
        # `member_at` written out.
        left = len(bucket) - 1 - place
        member = next(islice(bucket, place, None) if place < left else islice(reversed(bucket), left, None))
        del bucket[member]
        self._note_loss(member)
        self.room += 1
        if self.room > 2 * MEMBERS_PER_BUCKET:
            self._shrink()
        return member

    def _note_loss(self, member: bytes) -> None:
        """Before a member that has gone counts as gone."""
        count = len(self.buckets) * MEMBERS_PER_BUCKET - self.room
        if count > self.most:
            self.most = count
        if len(member) > self.longest and not is_integer(member):
            self.longest = len(member)

    def copy(self) -> 'Set':
        copy = Set()
        copy.buckets = [bucket.copy() for bucket in self.buckets]
        copy.mask = self.mask
        copy.room = self.room
        copy.most = self.most
        copy.longest = self.longest
        return copy
