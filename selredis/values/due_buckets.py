"""Buckets whose members may have deadlines: for each bucket they know a time before which no member of it is due.

It may be too early, but never too late: a bucket that is split leaves its time to both halves, and two that are merged
have the earlier one.
"""

from selredis.values.drawable_buckets import DrawableBuckets, OrderedBucket
from selredis.values.due_times import DueTimes


class DueBuckets(DrawableBuckets[OrderedBucket]):
    """A table with one slot of `_bounds()` for each bucket."""

    __slots__ = ()

    def _bounds(self) -> DueTimes | None:
        """Return the time of each bucket; None as long as no member has had a deadline."""
        raise NotImplementedError

    def _split(self) -> int:
        due_times = self._bounds()
        if due_times is None:
            return super()._split()
        try:
            due_times.append(due_times.bound(self._next_to_split()))
            return super()._split()
        except BaseException:
            due_times.truncate(len(self.buckets))
            raise

    def _merge(self) -> int:
        due_times = self._bounds()
        if due_times is None:
            return super()._merge()
        last_ms = due_times.bound(len(self.buckets) - 1)
        try:
            into = super()._merge()
            due_times.lower(into, last_ms)
        finally:
            due_times.truncate(len(self.buckets))
        return into
