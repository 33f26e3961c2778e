"""The wall clock beside the monotonic clock: it is set ahead or back, a machine wakes up, a test travels in time.

Deadlines of keys are Unix times and follow the wall clock, as in Redis. How long something took or has been idle does
not depend on it, but to read the monotonic clock, too, would cost every command. So calls are timed by the wall clock,
and clients and keys marked with its time when they are used. Where it was set, both are corrected.
"""

from typing import TYPE_CHECKING

from selredis.clock import Clock

if TYPE_CHECKING:
    from selredis.engine.engine import Engine

# Of a smaller difference to the monotonic clock nobody sees anything; and the two are not read at the same instant.
SHIFT_NS = 1_000_000_000


class Clocks:
    """What one server learns by comparing its two clocks."""

    __slots__ = ('_ahead_ns', '_clock', '_looked_ns', '_start_ns')

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._start_ns = self._looked_ns = clock.monotonic_ns()
        self._ahead_ns = clock.now_ns() - self._looked_ns  # of the monotonic clock

    @property
    def uptime_ms(self) -> int:
        return (self._clock.monotonic_ns() - self._start_ns) // 1_000_000

    def look(self, engine: 'Engine') -> None:
        """Shift the times of last use, of clients and keys, if the wall clock was set; to be called at each tick."""
        now_ns = self._clock.monotonic_ns()
        since_ms = (now_ns - self._looked_ns) // 1_000_000
        self._looked_ns = now_ns
        shift_ns = self._clock.now_ns() - now_ns - self._ahead_ns
        if abs(shift_ns) < SHIFT_NS:
            return
        self._ahead_ns += shift_ns
        shift_ms = shift_ns // 1_000_000
        engine.keyspace.uses.offset_ms += shift_ms
        for client in engine.clients.values():
            if not 0 <= engine.now_ms - client.last_active_ms <= since_ms:  # else it was active after that
                client.last_active_ms += shift_ms

    def duration_ns(self, taken_ns: int) -> int:
        """Return how long a call really took that has just ended, and took `taken_ns` by the wall clock."""
        now_ns = self._clock.monotonic_ns()
        since_ns = now_ns - self._looked_ns  # it has begun after the last tick
        if 0 <= taken_ns <= since_ns:
            return taken_ns
        shift_ns = self._clock.now_ns() - now_ns - self._ahead_ns
        return min(max(taken_ns - shift_ns, 0), since_ns)
