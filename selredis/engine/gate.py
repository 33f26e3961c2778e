"""Whether commands need more than the usual checks, for reasons that lie with the server and not with a client."""

from collections.abc import Callable


class Gate:
    """Closed while any condition of a part of the server holds: MONITOR is used, `maxmemory` is passed, ...

    While it is open and a client is in its usual state, commands are executed without further checks.
    """

    __slots__ = ('_conditions', 'closed')

    def __init__(self) -> None:
        self._conditions: list[Callable[[], bool]] = []
        self.closed = False

    def add(self, condition: Callable[[], bool]) -> None:
        """Close the gate whenever `condition` holds. Its owner calls `update` when that may have changed."""
        self._conditions.append(condition)
        self.update()

    def update(self) -> None:
        self.closed = any(condition() for condition in self._conditions)
