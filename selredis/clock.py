"""Time, as it is given to everything that needs it: nothing else in the engine reads a clock."""

import time
from collections.abc import Callable
from functools import partial
from types import BuiltinFunctionType
from typing import Protocol


class Clock(Protocol):
    """Wall time for deadlines and replies; monotonic time for budgets and durations."""

    def now_ms(self) -> int:
        """Unix time in milliseconds."""

    def now_us(self) -> int:
        """Unix time in microseconds."""

    def now_ns(self) -> int:
        """Unix time in nanoseconds."""

    def monotonic_us(self) -> int:
        """Microseconds from some fixed point; never goes back, whatever is done to the wall clock."""

    def monotonic_ns(self) -> int:
        """The same in nanoseconds."""

    def sleep(self, seconds: float) -> None:
        """Let so much time pass, and do nothing else."""


def not_replaced(function: Callable[[], int], clock_id: int) -> Callable[[], int]:
    """Return `function` or, if a program has replaced it by a function in Python, one that reads the same clock."""
    return function if isinstance(function, BuiltinFunctionType) else partial(time.clock_gettime_ns, clock_id)


class SystemClock:
    """The machine's own clock.

    A program that embeds a server may replace the functions of `time` (freezegun does), and with them a monotonic clock
    that may stop, jump and go back: timers would not run any more. So they are looked up once, when this class is made,
    and kept here and not in a module's globals, where freezegun would replace them, too.
    """

    __slots__ = ()

    # These two without a call of ours around them: they are read for every batch, or every turn of the loop.
    now_ns = staticmethod(not_replaced(time.time_ns, time.CLOCK_REALTIME))
    monotonic_ns = staticmethod(not_replaced(time.monotonic_ns, time.CLOCK_MONOTONIC))

    def now_ms(self) -> int:
        return self.now_ns() // 1_000_000

    def now_us(self) -> int:
        return self.now_ns() // 1_000

    def monotonic_us(self) -> int:
        return self.monotonic_ns() // 1_000

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class ManualClock:
    """A clock that stands still until `advance` or `set`: a year's TTL is a line in a test."""

    __slots__ = ('_monotonic_us', '_now_us')

    def __init__(self, start_ms: int = 1_700_000_000_000) -> None:
        self._now_us = start_ms * 1_000
        self._monotonic_us = 0

    def now_ms(self) -> int:
        return self._now_us // 1_000

    def now_us(self) -> int:
        return self._now_us

    def now_ns(self) -> int:
        return self._now_us * 1_000

    def monotonic_us(self) -> int:
        return self._monotonic_us

    def monotonic_ns(self) -> int:
        return self._monotonic_us * 1_000

    def sleep(self, seconds: float) -> None:
        self.advance(seconds * 1_000)

    def set(self, now_ms: int) -> None:
        """Set the wall clock ahead or back. Monotonic time is not touched."""
        self._now_us = now_ms * 1_000

    def advance(self, ms: float) -> None:
        """Let `ms` milliseconds pass, on the wall and monotonically; fractions count to the microsecond."""
        if ms < 0:
            raise ValueError('time does not go back')
        us = round(ms * 1_000)
        self._now_us += us
        self._monotonic_us += us
