"""Consumer groups of a stream: who has been given which entries, and which of those are not acknowledged yet.

A group has what is pending in the order of ids, and each of its consumers what is pending with it: the same `Delivery`
stands in both. A delivery names its consumer instead of pointing to it, so that nothing here goes round in a circle,
and all of it is freed at once when it is of no more use.
"""

from bisect import bisect_left
from collections.abc import Iterator
from itertools import chain, islice
from typing import Generic, TypeVar

CHUNK = 512  # ids that stand together, at most twice as many

V = TypeVar('V')


class IdMap(Generic[V]):
    """Values by id, in order. What comes behind the last id, as most do, is appended."""

    __slots__ = ('_count', '_ids', '_tops', '_values')

    def __init__(self) -> None:
        self._ids: list[list[int]] = []  # in chunks, none of which is empty
        self._values: list[list[V]] = []
        self._tops: list[int] = []  # the last id of each chunk
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def get(self, id_: int) -> V | None:
        index = bisect_left(self._tops, id_)
        if index == len(self._tops):
            return None
        ids = self._ids[index]
        place = bisect_left(ids, id_)
        return self._values[index][place] if ids[place] == id_ else None

    def __setitem__(self, id_: int, value: V) -> None:
        tops = self._tops
        if not tops or id_ > tops[-1]:
            if tops and len(self._ids[-1]) < CHUNK:
                self._ids[-1].append(id_)
                self._values[-1].append(value)
                tops[-1] = id_
            else:
                self._ids.append([id_])
                self._values.append([value])
                tops.append(id_)
            self._count += 1
            return
        index = bisect_left(tops, id_)
        ids, values = self._ids[index], self._values[index]
        place = bisect_left(ids, id_)
        if ids[place] == id_:
            values[place] = value
            return
        ids.insert(place, id_)
        values.insert(place, value)
        self._count += 1
        if len(ids) > 2 * CHUNK:
            self._ids[index : index + 1] = [ids[:CHUNK], ids[CHUNK:]]
            self._values[index : index + 1] = [values[:CHUNK], values[CHUNK:]]
            tops.insert(index, ids[CHUNK - 1])

    def pop(self, id_: int) -> V | None:
        """Take out the value of an id; None if there is none."""
        tops = self._tops
        index = bisect_left(tops, id_)
        if index == len(tops):
            return None
        ids = self._ids[index]
        place = bisect_left(ids, id_)
        if ids[place] != id_:
            return None
        del ids[place]
        value = self._values[index].pop(place)
        self._count -= 1
        if not ids:
            del self._ids[index], self._values[index], tops[index]
        elif place == len(ids):
            tops[index] = ids[-1]
        return value

    def extend(self, ids: list[int], values: list[V]) -> None:
        """Enter values whose ids are in order and, most often, behind the last."""
        tops = self._tops
        taken = len(self._ids[-1]) if tops else 0
        if taken + len(ids) > CHUNK or (tops and ids[0] <= tops[-1]):
            for id_, value in zip(ids, values, strict=True):
                self[id_] = value
            return
        if not tops:
            self._ids.append([])
            self._values.append([])
            tops.append(0)
        self._ids[-1] += ids
        self._values[-1] += values
        tops[-1] = ids[-1]
        self._count += len(ids)

    @property
    def first(self) -> int:
        """The first id; there must be one."""
        return self._ids[0][0]

    @property
    def last(self) -> int:
        """The last id; there must be one."""
        return self._tops[-1]

    def items(self, first: int = 0) -> Iterator[tuple[int, V]]:
        """Ids and values from the id `first` on. The map must not change meanwhile."""
        index = bisect_left(self._tops, first)
        if index == len(self._tops):
            return
        place = bisect_left(self._ids[index], first)
        yield from zip(self._ids[index][place:], self._values[index][place:], strict=True)
        for ids, values in islice(zip(self._ids, self._values, strict=True), index + 1, None):
            yield from zip(ids, values, strict=True)

    def ids(self) -> Iterator[int]:
        return chain.from_iterable(self._ids)

    def shorten(self, count: int) -> None:
        """Let go of about so many values: the map is of no more use."""
        while count > 0 and self._tops:
            self._tops.pop()
            self._values.pop()
            gone = len(self._ids.pop())
            self._count -= gone
            count -= gone


class Delivery:
    """An entry that a consumer has been given and has not acknowledged: when, last, and how often."""

    __slots__ = ('consumer', 'count', 'time_ms')

    def __init__(self, consumer: bytes, time_ms: int, count: int) -> None:
        self.consumer = consumer
        self.time_ms = time_ms
        self.count = count


class Consumer:
    """One who reads as part of a group: when it last tried to, and when it last was given something, -1 for never."""

    __slots__ = ('active_ms', 'pending', 'seen_ms')

    def __init__(self, now_ms: int) -> None:
        self.seen_ms = now_ms
        self.active_ms = -1
        self.pending: IdMap[Delivery] = IdMap()


class GroupTotals:
    """Totals over the groups of one stream, kept current by the groups: what MEMORY USAGE needs without a walk.

    `name_bytes`: the length of the names of all groups and consumers.
    """

    __slots__ = ('consumers', 'groups', 'name_bytes', 'pending')

    def __init__(self) -> None:
        self.groups = 0
        self.consumers = 0
        self.pending = 0
        self.name_bytes = 0


NO_GROUPS = GroupTotals()  # of all streams without groups; never changed


class Group:
    """A consumer group: the last entry that it was given, how many there were up to it, None if nobody can tell."""

    __slots__ = ('consumers', 'entries_read', 'last_id', 'pending', 'totals')

    def __init__(self, last_id: int, entries_read: int | None, totals: GroupTotals | None = None) -> None:
        self.last_id = last_id
        self.entries_read = entries_read
        self.pending: IdMap[Delivery] = IdMap()
        self.consumers: dict[bytes, Consumer] = {}
        self.totals = GroupTotals() if totals is None else totals  # of the stream that the group belongs to

    def copy(self, totals: GroupTotals | None = None) -> 'Group':
        """The same group, in a stream with these totals."""
        group = Group(self.last_id, self.entries_read, totals)
        for name, consumer in self.consumers.items():
            copied = group.add_consumer(name, consumer.seen_ms)
            copied.active_ms = consumer.active_ms
        for id_, delivery in self.pending.items():
            group.give(id_, delivery.consumer, delivery.time_ms, delivery.count)
        return group

    def add_consumer(self, name: bytes, now_ms: int) -> Consumer:
        """Let somebody join who is not one of the group yet."""
        consumer = self.consumers[name] = Consumer(now_ms)
        self.totals.consumers += 1
        self.totals.name_bytes += len(name)
        return consumer

    def give(self, id_: int, name: bytes, time_ms: int, count: int) -> Delivery:
        """Let an entry be pending with a consumer, and with no other."""
        consumer = self.consumers[name]
        delivery = self.pending.get(id_)
        if delivery is None:
            delivery = self.pending[id_] = consumer.pending[id_] = Delivery(name, time_ms, count)
            self.totals.pending += 1
            return delivery
        if delivery.consumer != name:
            self.consumers[delivery.consumer].pending.pop(id_)
            consumer.pending[id_] = delivery
            delivery.consumer = name
        delivery.time_ms = time_ms
        delivery.count = count
        return delivery

    def give_new(self, ids: list[int], name: bytes, time_ms: int) -> None:
        """Let entries be pending with a consumer which it has been given now."""
        consumer = self.consumers[name]
        if len(self.pending) and self.pending.last >= ids[0]:  # the group has been set back
            for id_ in ids:
                self.give(id_, name, time_ms, 1)
            return
        deliveries = [Delivery(name, time_ms, 1) for _ in ids]
        self.totals.pending += len(ids)
        self.pending.extend(ids, deliveries)
        consumer.pending.extend(ids, deliveries)

    def acknowledge(self, id_: int) -> bool:
        """Let an entry be pending no longer; False if it is not."""
        delivery = self.pending.pop(id_)
        if delivery is None:
            return False
        self.consumers[delivery.consumer].pending.pop(id_)
        self.totals.pending -= 1
        return True

    def remove_consumer(self, name: bytes) -> int:
        """Take out a consumer with all that is pending with it; returns how much that was."""
        pending = self.consumers.pop(name).pending
        for id_ in pending.ids():
            self.pending.pop(id_)
        totals = self.totals
        totals.consumers -= 1
        totals.pending -= len(pending)
        totals.name_bytes -= len(name)
        return len(pending)

    def shorten(self, count: int) -> bool:
        """Let go of about so much of what is pending: the group is of no more use. False if nothing is left."""
        for pending in (self.pending, *(consumer.pending for consumer in self.consumers.values())):
            if len(pending):
                pending.shorten(count)
                return True
        return False
