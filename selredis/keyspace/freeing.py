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
MEMBERS_A_LOOK = 500  # members freed between two looks at the clock
BUCKETS_A_LOOK = 20


class Discarded:
    """Large values and tables that nobody can reach any more."""

    __slots__ = ('containers', 'freed')

    def __init__(self) -> None:
        self.containers: list[Any] = []
        self.freed = 0  # how many are gone

    def add(self, *containers: Any) -> None:
        """Take values, dicts of a database, or the buckets of its index, which their owner gives away."""
        self.containers += containers

    def free_slice(self, clock: Clock) -> bool:
        """Free for a slice of time; True if something is left."""
        containers = self.containers
        if not containers:
            return False
        stop_us = clock.monotonic_us() + SLICE_US
        while containers:
            container = containers.pop()
            self._shorten(container)
            if container:
                containers.append(container)
            else:
                self.freed += 1
            if clock.monotonic_us() >= stop_us:
                break
        return bool(containers)

    def free(self) -> None:
        """Free everything now, however long it takes."""
        self.freed += len(self.containers)
        self.containers.clear()

    def _shorten(self, container: Any) -> None:
        if isinstance(container, dict):
            for _ in range(min(MEMBERS_A_LOOK, len(container))):
                _, value = container.popitem()
                if type(value) not in STRING_KINDS and len(value) > LARGE:
                    self.containers.append(value)
        elif isinstance(container, list):
            del container[-BUCKETS_A_LOOK:]
        elif isinstance(container, bytearray):
            container.clear()
        else:
            container.shorten(MEMBERS_A_LOOK)
