"""Buckets that give random members, each as likely as another: for those that are in some order, and walked quickly."""

from collections.abc import Collection, Reversible
from itertools import islice
from random import Random
from typing import Protocol, TypeVar

from selredis.values.buckets import Buckets

CHANCE = 16  # members that a bucket has more than others by chance, hardly ever exceeded


class Ordered(Collection[bytes], Reversible[bytes], Protocol):
    """What such a bucket is: a list of members, or a dict."""


OrderedBucket = TypeVar('OrderedBucket', bound=Ordered)


def member_at(bucket: Ordered, place: int) -> bytes:
    """The member at a place of a bucket, walked to from the nearer end: every step may miss the processor's caches."""
    left = len(bucket) - 1 - place
    return next(islice(bucket, place, None) if place < left else islice(reversed(bucket), left, None))


class DrawableBuckets(Buckets[OrderedBucket]):
    """A table from which members are drawn."""

    __slots__ = ()

    def random_member(self, random: Random) -> bytes:
        """Any member, each as likely as another. The table must not be empty."""
        return member_at(*self.draw(random))

    def draw(self, random: Random) -> tuple[OrderedBucket, int]:
        """A bucket and a place in it, that of each member as likely as another's. The table must not be empty."""
        buckets = self.buckets
        count = len(buckets)
        mask = self.mask
        # Slots are drawn as if all buckets of this round were split. One that is not split has two, and is drawn as
        # often; refusing places that nobody has makes up for what is unequal by chance.
        width = (count * self.usual - self.room) // (mask + 1)
        if mask:
            width += (width >> 2) + CHANCE
        places = (mask + 1) * width
        draw = random.random
        while True:
            drawn = int(draw() * places)
            slot = drawn // width
            place = drawn % width
            if slot >= count:
                slot &= mask >> 1
                place += width
            bucket = buckets[slot]
            size = len(bucket)
            if place < size:
                # One with more than chance usually brings: what is behind the last place drawn must not be left out.
                if size > width and (size > 2 * width or slot > mask >> 1 or slot + (mask >> 1) + 1 < count):
                    place = int(draw() * size)
                return bucket, place
