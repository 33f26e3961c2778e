"""Letting go of what is large, a slice at a time.

To free a million keys takes some hundred milliseconds, in which nobody else would be served. What FLUSHALL, UNLINK and
their like take out is therefore only laid aside; each tick, and each turn while there is any, shortens it for a
millisecond until nothing is left. What is small goes at once.
"""

from typing import Any

from selredis.clock import Clock
from selredis.values.kinds import STRING_KINDS

SLICE_US = 1_000
LARGE = 10_000  # members; fewer are freed in about a millisecond
UNLINK_ABOVE = 64  # members; UNLINK frees smaller values immediately (redis lazyfree.c, LAZYFREE_THRESHOLD)
MEMBERS_A_LOOK = 500  # members freed between two looks at the clock
BUCKETS_A_LOOK = 20


class Discarded:
    """Large values and tables that nobody can reach any more.

    `pending` and `freed` count objects as Redis does: values that were removed alone, and all keys of a database.
    """

    __slots__ = ('_objects', 'containers', 'freed', 'pending')

    def __init__(self) -> None:
        self.containers: list[Any] = []
        self._objects: list[int] = []  # of each container, what it adds to `freed`
        self.pending = 0
        self.freed = 0

    def add(self, *containers: Any, objects: int = 0) -> None:
        """Take values, dicts of a database, or the buckets of its index, which their owner gives away.

        The last container counts as `objects` objects of INFO, the others as none.
        """
        self.containers += containers
        self._objects += [0] * (len(containers) - 1) + [objects]
        self.pending += objects

    def free_slice(self, clock: Clock) -> bool:
        """Free for a slice of time; True if something is left."""
        containers = self.containers
        if not containers:
            return False
        stop_us = clock.monotonic_us() + SLICE_US
        while containers:
            container, objects = containers.pop(), self._objects.pop()
            self._shorten(container)
            if container:
                containers.append(container)
                self._objects.append(objects)
            else:
                self.pending -= objects
                self.freed += objects
            if clock.monotonic_us() >= stop_us:
                break
        return bool(containers)

    def free(self) -> None:
        """Free everything now, however long it takes."""
        self.freed += self.pending
        self.pending = 0
        self.containers.clear()
        self._objects.clear()

    def _shorten(self, container: Any) -> None:
        if isinstance(container, dict):
            for _ in range(min(MEMBERS_A_LOOK, len(container))):
                _, value = container.popitem()
                if type(value) not in STRING_KINDS and len(value) > LARGE:
                    self.add(value)  # the key is counted with its database
        elif isinstance(container, list):
            del container[-BUCKETS_A_LOOK:]
        elif isinstance(container, bytearray):
            container.clear()
        else:
            container.shorten(MEMBERS_A_LOOK)
