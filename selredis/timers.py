"""Callbacks at points in time.

A heap. A cancelled timer stays in it, emptied, until it comes up or until such remains outweigh the living in a large
heap, which is then built anew: adding and cancelling both stay cheap, and a million waits that ended early leave
nothing behind.
"""

from collections.abc import Callable
from heapq import heapify, heappop, heappush

# A heap of no more entries than this keeps its remains: to build it anew would cost more than it frees.
SMALL_HEAP = 64


class Timer:
    """One callback to come; `Timers.call_at` returns it so that it can be cancelled."""

    __slots__ = ('callback', 'waits_in')

    def __init__(self, callback: Callable[[], object], waits_in: 'Timers') -> None:
        self.callback: Callable[[], object] | None = callback
        self.waits_in: Timers | None = waits_in

    def cancel(self) -> None:
        """Never call back. When it has run, or was cancelled before, there is nothing to do."""
        if self.callback is not None:
            self.callback = None
            if self.waits_in is not None:
                self.waits_in.count_cancelled()


class Timers:
    """Timers in order of their deadlines, and of arrival among equal ones; `len` counts those still to run.

    `on_error` is told of every exception that a callback raises; the other callbacks run all the same.
    """

    __slots__ = ('_arrivals', '_cancelled', '_heap', '_on_error')

    def __init__(self, on_error: Callable[[Exception], object]) -> None:
        self._on_error = on_error
        self._heap: list[tuple[int, int, Timer]] = []  # deadline_ms, arrival, timer
        self._arrivals = 0
        self._cancelled = 0

    def __len__(self) -> int:
        return len(self._heap) - self._cancelled

    def call_at(self, deadline_ms: int, callback: Callable[[], object]) -> Timer:
        """Call back once, in the first `run_due` at or after the deadline."""
        timer = Timer(callback, self)
        self._arrivals += 1
        heappush(self._heap, (deadline_ms, self._arrivals, timer))
        return timer

    def count_cancelled(self) -> None:
        """For `Timer.cancel` alone: one entry of the heap is now remains."""
        self._cancelled += 1
        if self._cancelled * 2 > len(self._heap) > SMALL_HEAP:
            self._heap = [entry for entry in self._heap if entry[2].callback is not None]
            heapify(self._heap)
            self._cancelled = 0

    def run_due(self, now_ms: int) -> None:
        """Run what is due, the earliest deadline first.

        A callback may add and cancel timers. What it adds waits for the next call, even if it is due at once: a timer
        that keeps renewing itself cannot hold the caller here.
        """
        if not self._heap or self._heap[0][0] > now_ms:
            return
        due = []
        while self._heap and self._heap[0][0] <= now_ms:
            timer = heappop(self._heap)[2]
            if timer.callback is None:
                self._cancelled -= 1
            else:
                timer.waits_in = None
                due.append(timer)
        for timer in due:
            callback = timer.callback
            if callback is None:  # cancelled by one that ran before it
                continue
            timer.callback = None
            try:
                callback()
            except Exception as error:
                self._on_error(error)

    def seconds_until_next(self, now_ms: int) -> float | None:
        """How long the loop may wait: 0.0 when one is due, None when there is none."""
        heap = self._heap
        while heap and heap[0][2].callback is None:
            heappop(heap)
            self._cancelled -= 1
        if not heap:
            return None
        return max(heap[0][0] - now_ms, 0) / 1000
