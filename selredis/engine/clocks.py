"""Corrections for a wall clock that is set ahead or back.

Deadlines of keys are Unix times and follow the wall clock, as in Redis. How long something took or has been idle does
not depend on it, but reading the monotonic clock as well would slow every command down. So calls are timed by the wall
clock, and clients and keys are marked with its time when they are used. After the wall clock was set, which shows by a
comparison with the monotonic clock, durations and marks are corrected.
"""

from collections.abc import Mapping

from selredis.clock import Clock
from selredis.engine.client import Client
from selredis.keyspace.database import Keyspace

# A smaller difference between the clocks is ignored: the two are not read at the same instant, and times are shown in
# seconds.
SHIFT_NS = 1_000_000_000


class Clocks:
    """The two clocks of a server, and by how much the wall clock was set."""

    __slots__ = ('_ahead_ns', '_clock', '_looked_ns', '_start_ns')

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._start_ns = self._looked_ns = clock.monotonic_ns()
        self._ahead_ns = clock.now_ns() - self._looked_ns  # the wall clock minus the monotonic clock

    @property
    def uptime_ms(self) -> int:
        return (self._clock.monotonic_ns() - self._start_ns) // 1_000_000

    def look(self, keyspace: Keyspace, clients: Mapping[int, Client]) -> None:
        """If the wall clock was set, shift the times at which clients and keys were used last. Called at each tick."""
        now_ns = self._clock.monotonic_ns()
        since_ms = (now_ns - self._looked_ns) // 1_000_000
        self._looked_ns = now_ns
        shift_ns = self._clock.now_ns() - now_ns - self._ahead_ns
        if abs(shift_ns) < SHIFT_NS:
            return
        self._ahead_ns += shift_ns
        shift_ms = shift_ns // 1_000_000
        keyspace.uses.offset_ms += shift_ms
        for client in clients.values():
            if not 0 <= keyspace.now_ms - client.last_active_ms <= since_ms:  # else it was active after that
                client.last_active_ms += shift_ms

    def duration_ns(self, taken_ns: int) -> int:
        """Return the true duration of a call that has just ended; `taken_ns` is its duration by the wall clock."""
        now_ns = self._clock.monotonic_ns()
        since_ns = now_ns - self._looked_ns  # the call began after the last tick
        if 0 <= taken_ns <= since_ns:
            return taken_ns
        shift_ns = self._clock.now_ns() - now_ns - self._ahead_ns
        return min(max(taken_ns - shift_ns, 0), since_ns)
