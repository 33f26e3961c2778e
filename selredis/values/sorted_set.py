"""A sorted set: members by score, those of equal score by their bytes.

Theory of operation. Buckets tell the score of a member (values/buckets.py). Beside them all members stand in order, in
*runs* of up to a few hundred: for each run an array of scores and a list of its members, place for place. What one run
has is all before what the next one has. `bound_scores` and `bound_members` tell for every run but the last an element
that none of the run is behind, and all of the next are: two binary searches, among the bounds and in a run, find any
element, and to insert one moves a part of one run. A run that has become long is split in two; one that has become
short is joined to another.

A rank is what all runs before have, together. Runs are counted by groups of GROUP, and `totals` tells how many elements
are in each group; with one run there are none. `starts`, the ranks with which groups begin, is added up when somebody
asks for a rank, and forgotten when one changes; `run_starts`, those of all runs, when so many have asked meanwhile that
it pays. All ranges, by rank, score and member alike, are ranges of ranks.

Measured, CPython 3.11, against runs of (score, member) tuples: half the time, for the scores lie side by side, and 56
bytes less for each element.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate, chain
from operator import itemgetter
from typing import Any

from selredis.values.drawable_buckets import DrawableBuckets

Element = tuple[bytes, float]
Scores = dict[bytes, float]

MEMBERS_PER_BUCKET = 80  # half of what fits into a dict's table of 256 places
LONG = 512  # elements of a run
SHORT = 64  # elements of a run that is joined to the next, if both have no more than JOINED
JOINED = 384
GROUP_BITS = 4
GROUP = 1 << GROUP_BITS
MIXED = -1

# Of all sorted sets of one run; never changed.
NO_MEMBERS: list[bytes] = []
NO_SCORES = array('d')
NO_TOTALS: list[int] = []

PAID_SHIFT = 3  # run_starts is added up after an eighth as many questions as there are runs


class SortedSet(DrawableBuckets[Scores]):
    """Members with scores, in order; in a database there is none without members.

    A score may be infinite, but not nan. Minus zero is kept as zero, as in Redis's listpacks.
    Ranks are counted from 0. A range of ranks is from start up to but without stop, both from 0 to len.

    `member_bytes` is how many bytes every member has, MIXED if they are not of one size, or were not, None if there was
    never one: what is known to be of one size is sooner encoded.

    What has gone is remembered so far as it tells how Redis would keep the set (OBJECT ENCODING): `most`, how many
    members there were, and `longest`, how many bytes one had.
    """

    __slots__ = (
        'asked',
        'bound_members',
        'bound_scores',
        'longest',
        'member_bytes',
        'member_runs',
        'most',
        'run_starts',
        'score_runs',
        'starts',
        'totals',
    )

    usual = MEMBERS_PER_BUCKET

    def __init__(self, items: Iterable[Element] = ()) -> None:
        super().__init__()
        self.most = 0
        self.longest = 0
        self.member_bytes: int | None = None
        self.bound_members = NO_MEMBERS
        self.bound_scores = NO_SCORES
        self.totals = NO_TOTALS
        self.starts: list[int] | None = None
        self.run_starts: list[int] | None = None
        self.asked = 0  # how often for ranks since they changed
        for member, score in items:
            bucket = self.bucket_of(member)
            size = len(bucket)
            bucket[member] = score or 0.0
            self.room += size - len(bucket)
            if self.room < 0:
                self._split()
        self._arrange()

    def _new_bucket(self) -> Scores:
        return {}

    def _part(self, bucket: Scores, bit: int) -> tuple[Scores, Scores]:
        stay: Scores = {}
        move: Scores = {}
        for member, score in bucket.items():
            (move if hash(member) & bit else stay)[member] = score
        return stay, move

    def _joined(self, bucket: Scores, other: Scores) -> Scores:
        return bucket | other

    def __contains__(self, member: bytes) -> bool:
        return member in self.bucket_of(member)

    def __iter__(self) -> Iterator[bytes]:
        """The members in order."""
        return chain.from_iterable(self.member_runs)

    def items(self) -> Iterator[Element]:
        """Members and scores in order."""
        return zip(self, chain.from_iterable(self.score_runs), strict=True)

    def copy(self) -> 'SortedSet':
        copy = SortedSet()
        copy.buckets = [bucket.copy() for bucket in self.buckets]
        copy.mask = self.mask
        copy.room = self.room
        copy.most = self.most
        copy.longest = self.longest
        copy.member_bytes = self.member_bytes
        copy.member_runs = [members.copy() for members in self.member_runs]
        copy.score_runs = [scores[:] for scores in self.score_runs]
        if self.totals:
            copy.bound_members = self.bound_members.copy()
            copy.bound_scores = self.bound_scores[:]
            copy.totals = self.totals.copy()
        return copy

    def shorten(self, count: int) -> None:
        left = count
        while self.member_runs and left > 0:
            left -= len(self.member_runs.pop())
            self.score_runs.pop()
        super().shorten(count)

    # --- one member ---

    def score(self, member: bytes) -> float | None:
        """The score of a member, None if it is not there."""
        buckets = self.buckets
        slot = hash(member) & self.mask
        return (buckets[slot] if slot < len(buckets) else buckets[slot & self.mask >> 1]).get(member)

    def put(self, member: bytes, score: float) -> float | None:
        """Give a member a score, whether it is there or not; the one that it had, None if it is new."""
        buckets = self.buckets
        slot = hash(member) & self.mask
        bucket = buckets[slot] if slot < len(buckets) else buckets[slot & self.mask >> 1]
        old = bucket.get(member)
        if old is None:
            score = bucket[member] = score or 0.0
            if len(member) != self.member_bytes:
                self.member_bytes = len(member) if self.member_bytes is None else MIXED
            self.room -= 1
            if self.room < 0:
                self._split()
            self._insert(member, score)
        elif old != score:
            score = bucket[member] = score or 0.0
            self._move(member, old, score)
        return old

    def remove(self, member: bytes) -> bool:
        """Remove a member; False if it is not there."""
        score = self.bucket_of(member).get(member)
        if score is None:
            return False
        self._forget(member)
        self._delete(*self._find(member, score))
        return True

    def _forget(self, member: bytes) -> None:
        """Take a member out of its bucket."""
        self.most = max(self.most, len(self))
        self.longest = max(self.longest, len(member))
        del self.bucket_of(member)[member]
        self.room += 1
        if self.room > self.usual:
            self._shrink()

    def rank(self, member: bytes) -> int | None:
        """How many members are before this one, None if it is not there."""
        score = self.score(member)
        return None if score is None else self._rank(*self._find(member, score))

    # --- ranges ---

    def below(self, score: float) -> int:
        """How many members have lower scores: the rank of the first that has not."""
        return self._rank_by(bisect_left, self.bound_scores, self.score_runs, score)

    def up_to(self, score: float) -> int:
        """How many members have this score or lower ones."""
        return self._rank_by(bisect_right, self.bound_scores, self.score_runs, score)

    def before(self, member: bytes) -> int:
        """How many members are before this one by their bytes, where all have the same score."""
        return self._rank_by(bisect_left, self.bound_members, self.member_runs, member)

    def through(self, member: bytes) -> int:
        """How many members are this one or before it by their bytes, where all have the same score."""
        return self._rank_by(bisect_right, self.bound_members, self.member_runs, member)

    def range(self, start: int, stop: int) -> list[bytes]:
        """The members in a range of ranks, in order. Either rank may be too high: there is nothing."""
        run, place = self._place(start)
        members: list[bytes] = self._from(self.member_runs, run, place, stop - start)
        return members

    def range_items(self, start: int, stop: int) -> list[Element]:
        """Members and scores in a range of ranks, in order."""
        run, place = self._place(start)
        members = self._from(self.member_runs, run, place, stop - start)
        return list(zip(members, self._from(self.score_runs, run, place, stop - start), strict=True))

    def remove_range(self, start: int, stop: int) -> list[Element]:
        """Remove a range of ranks; what was there, in order."""
        removed = self.range_items(start, stop)
        if len(removed) == 1:
            self.remove(removed[0][0])
        elif removed:
            for member, _ in removed:
                self._forget(member)
            self._cut(start, stop)
        return removed

    # --- places: the number of a run, and of an element in it ---

    def _find(self, member: bytes, score: float) -> tuple[int, int]:
        """The place of an element, or the one that it is to have."""
        bounds = self.bound_scores
        run = 0
        if bounds:
            run = bisect_left(bounds, score)
            if run < len(bounds) and bounds[run] == score:
                run = bisect_left(self.bound_members, member, run, bisect_right(bounds, score, run))
        scores = self.score_runs[run]
        place = bisect_left(scores, score)
        if place < len(scores) and scores[place] == score:
            members = self.member_runs[run]
            if members[place] < member:
                place = bisect_left(members, member, place + 1, bisect_right(scores, score, place))
        return run, place

    def _rank(self, run: int, place: int) -> int:
        """The rank of a place."""
        if not run:
            return place
        if self.run_starts is not None:
            return self.run_starts[run] + place
        self._note_question()
        group = run >> GROUP_BITS
        before = sum(self.totals[:group]) if self.starts is None else self.starts[group]
        return before + sum(map(len, self.member_runs[group << GROUP_BITS : run])) + place

    def _rank_by(
        self, bisect: Callable[[Any, Any], int], bounds: 'array[float] | list[bytes]', runs: list[Any], wanted: Any
    ) -> int:
        run = bisect(bounds, wanted)
        return self._rank(run, bisect(runs[run], wanted))

    def _place(self, rank: int) -> tuple[int, int]:
        """The place of a rank; behind the last element for len."""
        runs = self.member_runs
        run = 0
        if self.totals and rank >= len(runs[0]):
            if self.run_starts is not None:
                run = bisect_right(self.run_starts, rank) - 1
                return run, rank - self.run_starts[run]
            self._note_question()
            if self.starts is None:
                last = len(runs) - 1
                place = rank - sum(self.totals) + len(runs[last])
                if place >= 0:  # near the end, which many ask for, the groups need not be told apart
                    return last, place
                self.starts = [0, *accumulate(self.totals)]
            starts = self.starts
            group = bisect_right(starts, rank) - 1
            rank -= starts[group]
            run = group << GROUP_BITS
        for members in runs[run : run + GROUP]:
            size = len(members)
            if rank < size:
                return run, rank
            rank -= size
            run += 1
        return len(runs) - 1, len(runs[-1])

    def _note_question(self) -> None:
        self.asked += 1
        if self.asked > len(self.member_runs) >> PAID_SHIFT:
            self.run_starts = [0, *accumulate(map(len, self.member_runs[:-1]))]

    def _forget_starts(self) -> None:
        """Ranks change."""
        self.starts = self.run_starts = None
        self.asked = 0

    def _from(self, runs: list[Any], run: int, place: int, count: int) -> Any:
        """So many things from a place on, in `member_runs` or `score_runs`, if there are so many."""
        found = runs[run][place : place + count] if count > 0 else []
        while len(found) < count and run < len(runs) - 1:
            run += 1
            found += runs[run][: count - len(found)]
        return found

    # --- changes of the order ---

    def _insert(self, member: bytes, score: float) -> None:
        run, place = self._find(member, score)
        members = self.member_runs[run]
        members.insert(place, member)
        self.score_runs[run].insert(place, score)
        if self.totals:
            self.totals[run >> GROUP_BITS] += 1
            self._forget_starts()
        if len(members) > LONG:
            self._split_run(run)

    def _move(self, member: bytes, old: float, score: float) -> None:
        """Let an element have another score."""
        run, place = self._find(member, old)
        scores = self.score_runs[run]
        if 0 < place < len(scores) - 1 and scores[place - 1] < score < scores[place + 1]:
            scores[place] = score
        else:
            member = self.member_runs[run][place]  # the same object as in the table
            self._delete(run, place)
            self._insert(member, score)

    def _delete(self, run: int, place: int) -> None:
        members = self.member_runs[run]
        del members[place]
        del self.score_runs[run][place]
        if self.totals:
            self.totals[run >> GROUP_BITS] -= 1
            self._forget_starts()
            if len(members) < SHORT:
                self._join_run(run)

    def _split_run(self, run: int) -> None:
        """Make two runs of one."""
        members, scores = self.member_runs[run], self.score_runs[run]
        middle = len(members) // 2
        if not self.totals:
            self.bound_members, self.bound_scores, self.totals = [], array('d'), [len(members)]
        self.bound_members.insert(run, members[middle - 1])
        self.bound_scores.insert(run, scores[middle - 1])
        # Both halves are new, so that none keeps room for both.
        self.member_runs[run : run + 1] = [members[:middle], members[middle:]]
        self.score_runs[run : run + 1] = [scores[:middle], scores[middle:]]
        totals = self.totals
        self._forget_starts()
        if len(self.member_runs) > len(totals) << GROUP_BITS:
            totals.append(0)
        for group in range(run >> GROUP_BITS, len(totals) - 1):
            moved = len(self.member_runs[group + 1 << GROUP_BITS])
            totals[group] -= moved
            totals[group + 1] += moved

    def _join_run(self, run: int) -> None:
        """Join a run to one beside it, unless they have many elements; an empty one always."""
        runs = self.member_runs
        first = run if run < len(runs) - 1 else run - 1
        last = first + 1
        if len(runs[first]) + len(runs[last]) > JOINED and runs[run]:
            return
        totals = self.totals
        self._forget_starts()
        group = last >> GROUP_BITS
        if first >> GROUP_BITS != group:
            totals[group] -= len(runs[last])
            totals[group - 1] += len(runs[last])
        runs[first] += runs.pop(last)
        self.score_runs[first] += self.score_runs.pop(last)
        del self.bound_members[first]
        del self.bound_scores[first]
        for before in range(group, len(totals) - 1):
            moved = len(runs[(before + 1 << GROUP_BITS) - 1])
            totals[before] += moved
            totals[before + 1] -= moved
        if len(runs) == 1:
            self.bound_members, self.bound_scores, self.totals = NO_MEMBERS, NO_SCORES, NO_TOTALS
        elif len(runs) <= len(totals) - 1 << GROUP_BITS:
            totals.pop()

    def _cut(self, start: int, stop: int) -> None:
        """Take a range of ranks, which is not empty, out of the order."""
        first, place = self._place(start)
        last, end = self._place(stop)
        if first == last:
            del self.member_runs[first][place:end]
            del self.score_runs[first][place:end]
        else:
            del self.member_runs[first][place:]
            del self.score_runs[first][place:]
            del self.member_runs[last][:end]
            del self.score_runs[last][:end]
            del self.member_runs[first + 1 : last]
            del self.score_runs[first + 1 : last]
            del self.bound_members[first + 1 : last]
            del self.bound_scores[first + 1 : last]
        self._count()
        for run in (first + 1, first):
            if run < len(self.member_runs) > 1 and len(self.member_runs[run]) < SHORT:
                self._join_run(run)

    def _arrange(self) -> None:
        """Put everything in order that is in the buckets; there was no order before."""
        items = sorted(chain.from_iterable(bucket.items() for bucket in self.buckets))
        items.sort(key=itemgetter(1))
        sizes = {len(member) for member, _ in items}
        self.member_bytes = None if not sizes else MIXED if len(sizes) > 1 else sizes.pop()
        runs = [items[start : start + JOINED] for start in range(0, len(items), JOINED)] or [[]]
        self.member_runs = [[member for member, _ in run] for run in runs]
        self.score_runs = [array('d', [score for _, score in run]) for run in runs]
        if len(runs) > 1:
            self.bound_members = [run[-1] for run in self.member_runs[:-1]]
            self.bound_scores = array('d', [run[-1] for run in self.score_runs[:-1]])
        self._count()

    def _count(self) -> None:
        """Count all groups."""
        runs = self.member_runs
        self.totals = NO_TOTALS
        self._forget_starts()
        if len(runs) > 1:
            self.totals = [sum(map(len, runs[start : start + GROUP])) for start in range(0, len(runs), GROUP)]
