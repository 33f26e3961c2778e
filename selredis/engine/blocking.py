"""Clients whose commands wait: for keys that others make, or for the end of a pause.

Blocking is to run again. A client that must wait keeps its command in a `Wait`, under each of its keys and behind those
that came before; when a key has become what it waits for, the command runs again, and may go on waiting where it was,
with the deadline that it has. Nothing else of it is kept: no coroutine, no continuation.
"""

from collections import OrderedDict
from typing import TYPE_CHECKING

from selredis.engine.client import Client, ReplyMode, Wait
from selredis.engine.command import Argv
from selredis.errors import UNBLOCKED, ReplyError
from selredis.keyspace.database import Database, Gone, Waiter
from selredis.resp.pieces import Output

if TYPE_CHECKING:
    from selredis.engine.engine import Engine


class BlockedClients(dict[Client, None]):
    """Those of one server, in the order in which they began to wait."""

    __slots__ = ('_engine',)

    def __init__(self, engine: 'Engine') -> None:
        super().__init__()
        self._engine = engine

    def park(self, client: Client, wait: Wait, wait_ms: int) -> None:
        """Let a client wait: under each of its keys, behind those that came before it.

        If that fails (MemoryError), it doesn't wait.
        """
        engine = self._engine
        try:
            client.wait = wait
            client.halted = True
            self[client] = None
            for key in wait.keys:
                wait.db.wait(key, wait.kind, client)
                if wait.or_gone:
                    wait.db.wait(key, Gone, client)
            if wait_ms:
                deadline_ms = engine.monotonic_ms() + wait_ms
                wait.timer = engine.timers.call_at(deadline_ms, lambda: self.time_out(client))
        except BaseException:
            self.unpark(client)
            raise

    def remember(self, client: Client, argv: Argv) -> None:
        """Note which command it is that waits: the one that the client has called last."""
        wait, command = client.wait, client.command
        assert wait is not None
        assert command is not None
        wait.command = command
        if not wait.argv:
            wait.argv = argv

    def unpark(self, client: Client) -> None:
        """End a client's waiting, if it does wait, without a word to it. May be repeated if it fails."""
        wait = client.wait
        if wait is None:
            return
        for key in wait.keys:
            wait.db.unwait(key, wait.kind, client)
            if wait.or_gone:
                wait.db.unwait(key, Gone, client)
        if wait.timer is not None:
            wait.timer.cancel()
        self.pop(client, None)
        client.wait = None
        client.update_halted()

    def abandon(self, client: Client) -> None:
        """End a client's wait without a reply, for the peer has ended its input; the commands after it may run."""
        wait = client.wait
        assert wait is not None
        self.unpark(client)
        if client.tracking is not None:
            client.tracking.end_of_command(client, wait.argv)
        self._engine.end_skip(client)
        self.go_on(client)

    def go_on(self, client: Client) -> None:
        """Let a client that has waited go on with what it said meanwhile."""
        self._engine.runnable.append(client)
        client.unblocked = True

    def time_out(self, client: Client) -> None:
        """Answer a waiting client that its time is over."""
        wait = client.wait
        assert wait is not None
        self._engine.stats.of_command(wait.command).add(1, 0)
        self._end_wait(client, client.encoders[type(wait.on_timeout)](wait.on_timeout))

    def unblock_with_error(self, client: Client) -> None:
        """Answer a waiting client with an error (CLIENT UNBLOCK id ERROR)."""
        assert client.wait is not None
        of_command = self._engine.stats.of_command(client.wait.command)
        of_command.add(1, 0)
        of_command.failed += 1
        self._end_wait(client, self._engine.encode_error(ReplyError(UNBLOCKED)))

    def serve_ready(self) -> None:
        """Run the commands of clients that wait for keys which are there now.

        The keys have their turn in the order in which they became ready. Serving one may make others ready (BLMOVE):
        those come after, until none is left.
        """
        self._engine.tell_time()  # what made a key ready may have taken longer than the key had to live
        ready = self._engine.keyspace.ready
        while ready:
            round_ = list(dict.fromkeys(ready))
            ready.clear()
            place = 0
            try:
                for db, key in round_:
                    place += 1
                    self._serve(db, key)
            except BaseException:
                ready[:0] = round_[place:]  # the others have their turn all the same
                raise

    def _serve(self, db: Database, key: bytes) -> None:
        """Run the commands that wait for a key in the order in which they came, as long as there is something in it.

        And of those that waited for it to be of another kind the ones that asked to be told that it is not.
        """
        kind = type(db.peek(key))
        waiters = db.waiting.get((key, kind), OrderedDict())
        # Nobody twice: who goes on waiting has had its turn, and stands behind the others now, as in Redis.
        for _ in range(len(waiters)):
            if not waiters or type(db.peek(key)) is not kind:
                break
            waiter = next(iter(waiters))
            self._run_again(waiter)
            if waiter in waiters:
                waiters.move_to_end(waiter)
        for waiter in list(db.waiting.get((key, Gone), ())):
            assert isinstance(waiter, Client)
            if waiter.wait is not None and waiter.wait.kind is not type(db.peek(key)):
                self._run_again(waiter)

    def _run_again(self, waiter: Waiter) -> None:
        """Run the command of a waiting client, which may go on waiting.

        A failure (MemoryError) costs this client, which may have lost what it was served, and no other.
        """
        assert isinstance(waiter, Client)
        try:
            self._retry(waiter)
        except Exception as error:  # noqa: BLE001  (it is logged)
            waiter.doom()
            self._engine.log.defect(f'Closing client id={waiter.id}: serving it failed', error)

    def _retry(self, waiter: Client) -> None:
        engine, wait = self._engine, waiter.wait
        assert wait is not None
        if engine.pause.holds_back(waiter, wait.command):  # the pause began in the transaction that made it ready
            self.unpark(waiter)
            engine.pause.postpone(waiter, wait.command, wait.argv)
            return
        place = len(waiter.out)
        running, engine.running = engine.running, waiter
        encoded = engine.call(waiter, wait.command, wait.argv)
        engine.running = running
        if encoded is None:
            return
        if waiter.tracking is not None:
            waiter.tracking.end_of_command(waiter, wait.argv)
        # What it has published to itself comes behind the reply.
        pushes = waiter.out[place:]
        del waiter.out[place:]
        self._end_wait(waiter, encoded)
        waiter.out += pushes

    def _end_wait(self, client: Client, encoded: Output) -> None:
        """Give a waiting client its reply, if it wants any, and let it go on with what it said meanwhile."""
        engine = self._engine
        self.unpark(client)
        self.go_on(client)
        if client.reply_mode is ReplyMode.ON:
            client.queue(encoded)
        else:
            engine.end_skip(client)
