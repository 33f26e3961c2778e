"""CLIENT PAUSE: for a time commands, or those that change something, have to wait for their turn, and no key goes.

A command that a pause holds back waits as one for a key does, but for none: its client is halted, counts as blocked,
and what else it says stands behind. When the pause is over the command comes before the client's others and runs as if
it had come then, those of different clients in the order in which they came. Errors that need no running of the command
(unknown, wrong number of words, not allowed) are answered at once.

Keys past their deadline are hidden in a pause and not removed, for that would be a change.
"""

from types import NoneType
from typing import TYPE_CHECKING

from selredis.engine.client import Client, Wait
from selredis.engine.command import Argv, Command
from selredis.resp.reply import BLOCKED, Reply
from selredis.timers import Timer

if TYPE_CHECKING:
    from selredis.engine.engine import Engine

# Flags of commands that a pause of writing holds back: what changes keys, and what replicas would be told of.
WRITING = frozenset(('write', 'may_replicate'))


class Pause:
    """A pause of one server's clients, if there is one: `active`, and perhaps `of_all` commands."""

    __slots__ = ('_engine', '_timer', 'active', 'end_ms', 'of_all')

    def __init__(self, engine: 'Engine') -> None:
        self._engine = engine
        self._timer: Timer | None = None
        self.active = False
        self.of_all = False
        self.end_ms = 0  # monotonic

    def begin(self, wait_ms: int, *, of_all: bool, at_once: bool) -> None:
        """Pause from now on. Of two pauses at one time the later end and the stricter kind hold.

        `at_once` is false within a transaction: its other commands run as if there was no pause.
        """
        engine = self._engine
        now_ms = engine.monotonic_ms()
        end_ms = now_ms + wait_ms
        if self.active:
            end_ms = max(end_ms, self.end_ms)
            of_all = of_all or self.of_all
        elif not wait_ms:
            return
        self.active = True
        self.of_all = of_all
        self.end_ms = end_ms
        if self._timer is not None:
            self._timer.cancel()
        self._timer = engine.timers.call_at(end_ms, self.end)
        if at_once:
            self.keep_expired()
        engine.update_gated()

    def keep_expired(self) -> None:
        """Have keys stay that are past their deadline. No command may write any more."""
        self._engine.keyspace.keep_expired = True

    def end(self) -> None:
        """End the pause, if there is one, and let all go on that it held back."""
        if not self.active:
            return
        engine = self._engine
        assert self._timer is not None
        self._timer.cancel()
        self._timer = None
        self.active = self.of_all = False
        engine.keyspace.keep_expired = False
        engine.update_gated()
        for client in list(engine.blocked):
            wait = client.wait
            assert wait is not None
            if wait.postponed:
                engine.blocked.unpark(client)
                client.pending = [wait.argv, *client.pending]
                engine.blocked.go_on(client)

    def holds_back(self, client: Client, command: Command) -> bool:
        """Whether a command may not run now; EXEC if one of the commands that it would run may not."""
        if not self.active:
            return False
        if self.of_all or not WRITING.isdisjoint(command.flags):
            return True
        transaction = client.transaction
        return (
            command.name == 'exec'
            and transaction is not None
            and any(not WRITING.isdisjoint(queued.flags) for queued, _ in transaction.queued)
        )

    def postpone(self, client: Client, command: Command, argv: Argv) -> Reply:
        """Hold back a command; what is returned in place of its reply."""
        wait = Wait(client.db, [], NoneType, None)
        wait.postponed = True
        wait.command = command
        wait.argv = argv
        self._engine.blocked.park(client, wait, 0)
        return BLOCKED
