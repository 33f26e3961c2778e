"""For each of many numbered slots a time before which nothing in it is due, and which slots are due now.

Such a bound may be too early but never too late: it is lowered at once when something earlier comes, and raised only
by who has looked. Over the bounds of the slots stand those of groups of sixteen, over these those of sixteen groups,
and so on, so that slots that are due are found among any number of others, and a look at the top tells that none is.
"""

from array import array
from random import Random

GROUP_BITS = 4
GROUP = 1 << GROUP_BITS
NEVER_MS = (1 << 63) - 1


class DueTimes:
    """Times are Unix times in ms; a slot is due when its bound is past. Slots come and go at the end only."""

    __slots__ = ('levels',)

    def __init__(self) -> None:
        self.levels = [array('q')]  # of slots, of groups, of groups of groups ...: the last has one group at most

    def __len__(self) -> int:
        return len(self.levels[0])

    def bound(self, slot: int) -> int:
        return self.levels[0][slot]

    def first_bound(self) -> int:
        """A time before which nothing is due in any slot."""
        return min(self.levels[-1], default=NEVER_MS)

    def append(self, due_ms: int) -> None:
        """Add a slot behind the last one.

        Groups come first and the slot last, so that a failed allocation leaves no slot without its group; a group
        without slots is harmless.
        """
        levels = self.levels
        slots = levels[0]
        slot = len(slots)
        if not slot % GROUP:
            if slot == GROUP ** len(levels):
                levels.append(array('q', (min(levels[-1]),)))
            for height in range(len(levels) - 1, 0, -1):
                if slot >> GROUP_BITS * height >= len(levels[height]):
                    levels[height].append(NEVER_MS)
        slots.append(NEVER_MS)
        self.lower(slot, due_ms)

    def pop(self) -> int:
        """Take away the last slot; returns its bound. Those of the groups that it was in stay as they are."""
        levels = self.levels
        due_ms = levels[0].pop()
        place = len(levels[0]) - 1
        for level in levels[1:]:
            place >>= GROUP_BITS
            if place == len(level) - 1:
                break
            level.pop()
        if len(levels) > 1 and len(levels[-2]) <= GROUP:
            levels.pop()
        return due_ms

    def truncate(self, count: int) -> None:
        """Keep no more than the first `count` slots."""
        while len(self) > count:
            self.pop()

    def lower(self, slot: int, due_ms: int) -> None:
        """Something in a slot is due then, if nothing is earlier."""
        for level in self.levels:
            if level[slot] <= due_ms:
                return
            level[slot] = due_ms
            slot >>= GROUP_BITS

    def correct(self, slot: int, due_ms: int) -> None:
        """Nothing in a slot is due earlier than that."""
        self._correct(0, slot, due_ms)

    def first_due(self, now_ms: int) -> int:
        """The first slot that may be due; -1 if there is none."""
        top = len(self.levels) - 1
        height, group = top, 0
        while True:
            first = group << GROUP_BITS
            bounds = self.levels[height][first : first + GROUP]
            index = first_below(bounds, now_ms)
            if index >= 0 and height == 0:
                return first + index
            if index >= 0:
                height, group = height - 1, first + index
            elif height == top:
                return -1
            else:
                # What made the group due is gone. Begin again with that known.
                self._correct(height + 1, group, min(bounds, default=NEVER_MS))
                height, group = top, 0

    def any_bounded(self, random: Random) -> int:
        """A slot that may hold something with a time, not each as likely as another; -1 if there is none."""
        top = len(self.levels) - 1
        height, group = top, 0
        while True:
            first = group << GROUP_BITS
            bounds = self.levels[height][first : first + GROUP]
            places = [place for place, bound in enumerate(bounds, first) if bound < NEVER_MS]
            if places:
                place = places[int(random.random() * len(places))]
                if height == 0:
                    return place
                height, group = height - 1, place
            elif height == top:
                return -1
            else:
                self._correct(height + 1, group, NEVER_MS)
                height, group = top, 0

    def _correct(self, height: int, place: int, due_ms: int) -> None:
        """Set the bound of a slot or group, and have those of the groups above it follow."""
        levels = self.levels
        levels[height][place] = due_ms
        for level, above in zip(levels[height:], levels[height + 1 :], strict=False):
            place >>= GROUP_BITS
            due_ms = min(level[place << GROUP_BITS : place + 1 << GROUP_BITS])
            if above[place] == due_ms:
                return
            above[place] = due_ms


def first_below(bounds: 'array[int]', limit: int) -> int:
    """The index of the first number below the limit; -1 if there is none."""
    for index, bound in enumerate(bounds):
        if bound < limit:
            return index
    return -1
