"""CLIENT PAUSE: all commands, or those that write, are postponed for a time, and no key expires.

A client whose command is postponed is blocked, without a key; what else it sends waits. After the pause its command is
executed before its others, in the order in which the clients' commands came. Errors found before execution (unknown
command, wrong number of arguments, not allowed) are returned at once.

During a pause logically expired keys are hidden but not removed, for that would be a write.
"""

from types import NoneType

from selredis.clock import Clock
from selredis.engine.blocking import BlockedClients
from selredis.engine.client import Client, Wait
from selredis.engine.command import Argv, Command
from selredis.engine.gate import Gate
from selredis.keyspace.database import Keyspace
from selredis.timers import Timer, Timers

# Flags of commands that a pause of writing holds back: what changes keys, and what replicas would be told of.
WRITING = frozenset(('write', 'may_replicate'))


class Pause:
    """A pause of one server's clients, if there is one: `active`, and perhaps `of_all` commands."""

    __slots__ = ('_blocked', '_clock', '_gate', '_keyspace', '_timer', '_timers', 'active', 'end_ms', 'of_all')

    def __init__(self, clock: Clock, timers: Timers, keyspace: Keyspace, blocked: BlockedClients, gate: Gate) -> None:
        self._clock = clock
        self._timers = timers
        self._keyspace = keyspace
        self._blocked = blocked
        self._gate = gate
        self._timer: Timer | None = None
        self.active = False
        self.of_all = False
        self.end_ms = 0  # monotonic
        gate.add(lambda: self.active)

    def begin(self, wait_ms: int, *, of_all: bool, at_once: bool) -> None:
        """Pause from now on. Of two pauses at one time the later end and the stricter kind hold.

        `at_once` is false within a transaction: its other commands run as if there was no pause.
        """
        end_ms = self._clock.monotonic_us() // 1000 + wait_ms
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
        self._timer = self._timers.call_at(end_ms, self.end)
        if at_once:
            self.keep_expired()
        self._gate.update()

    def keep_expired(self) -> None:
        """Stop removing expired keys. No command may write from now on."""
        self._keyspace.keep_expired = True

    def end(self) -> None:
        """End the pause, if there is one, and let all go on that it held back."""
        if not self.active:
            return
        assert self._timer is not None
        self._timer.cancel()
        self._timer = None
        self.active = self.of_all = False
        self._keyspace.keep_expired = False
        self._gate.update()
        for client in list(self._blocked):
            wait = client.wait
            assert wait is not None
            if wait.postponed:
                self._blocked.unblock(client)
                client.pending = [wait.argv, *client.pending]
                client.resume_later()

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

    def postpone(self, client: Client, command: Command, argv: Argv) -> None:
        """Block a client until the pause ends; its command is executed then."""
        wait = Wait(client.db, [], NoneType, None)
        wait.postponed = True
        wait.command = command
        wait.argv = argv
        self._blocked.block(client, wait, 0)
