"""Blocked clients: waiting for a key, or for the end of CLIENT PAUSE.

A blocked command is retried when one of its keys becomes ready. A client that blocks leaves its command in a `Wait`,
under each of its keys and after those that came before; the retried command may block again, in the same place and with
the deadline that it has. Nothing else is kept: no coroutine, no continuation.
"""

from collections import OrderedDict
from collections.abc import Callable

from selredis.clock import Clock
from selredis.engine.client import Client, ReplyMode, Wait
from selredis.engine.command import Argv
from selredis.engine.stats import Stats
from selredis.errors import UNBLOCKED
from selredis.keyspace.database import Database, Gone, Keyspace
from selredis.resp.reply import Error, Reply
from selredis.timers import Timers

Retry = Callable[[Client], None]


class BlockedClients(dict[Client, None]):
    """Those of one server, in the order in which they were blocked."""

    __slots__ = ('_clock', '_keyspace', '_stats', '_timers')

    def __init__(self, clock: Clock, timers: Timers, keyspace: Keyspace, stats: Stats) -> None:
        super().__init__()
        self._clock = clock
        self._timers = timers
        self._keyspace = keyspace
        self._stats = stats

    def block(self, client: Client, wait: Wait, wait_ms: int) -> None:
        """Block a client under each of its keys, after those that came before it; 0 ms: without a timeout.

        If that fails (MemoryError), it isn't blocked.
        """
        try:
            client.wait = wait
            client.halted = True
            self[client] = None
            for key in wait.keys:
                wait.db.wait(key, wait.kind, client)
                if wait.or_gone:
                    wait.db.wait(key, Gone, client)
            if wait_ms:
                deadline_ms = self._clock.monotonic_us() // 1000 + wait_ms
                wait.timer = self._timers.call_at(deadline_ms, lambda: self.time_out(client))
        except BaseException:
            self.unblock(client)
            raise

    def remember(self, client: Client, argv: Argv) -> None:
        """Note which command has blocked a client: the one that it called last."""
        wait, command = client.wait, client.command
        assert wait is not None
        assert command is not None
        wait.command = command
        if not wait.argv:
            wait.argv = argv

    def unblock(self, client: Client) -> None:
        """End a client's wait, if it is blocked, without a reply. May be repeated if it fails."""
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
        self.unblock(client)
        if client.tracking is not None:
            client.tracking.end_of_command(client.transaction is not None, wait.argv)
        client.end_skip()
        client.resume_later()
        client.unblocked = True

    def time_out(self, client: Client) -> None:
        """Reply to a blocked client that its timeout is over."""
        wait = client.wait
        assert wait is not None
        self._stats.of_command(wait.command).add(1, 0)
        self.finish(client, wait.on_timeout)

    def unblock_with_error(self, client: Client) -> None:
        """Reply to a blocked client with an error (CLIENT UNBLOCK id ERROR)."""
        assert client.wait is not None
        of_command = self._stats.of_command(client.wait.command)
        of_command.add(1, 0)
        of_command.failed += 1
        self._stats.count_error(UNBLOCKED)
        self.finish(client, Error(UNBLOCKED))

    def finish(self, client: Client, reply: Reply) -> None:
        """Unblock a client with a reply, if it wants any; its other commands go on in this turn."""
        self.unblock(client)
        client.resume_later()
        client.unblocked = True
        if client.reply_mode is ReplyMode.ON:
            client.queue_reply(reply)
        else:
            client.end_skip()

    def serve_ready(self, retry: Retry) -> None:
        """Retry the commands of clients that wait for keys which are ready.

        Keys are served in the order in which they became ready. A command may make others ready (BLMOVE): those are
        served after it, until there are none.
        """
        keyspace = self._keyspace
        keyspace.now_ms = self._clock.now_ms()  # the key may expire since the time that the command began
        ready = keyspace.ready
        while ready:
            round_ = list(dict.fromkeys(ready))
            ready.clear()
            place = 0
            try:
                for db, key in round_:
                    place += 1
                    self._serve(db, key, retry)
            except BaseException:
                ready[:0] = round_[place:]  # the others are served all the same
                raise

    def _serve(self, db: Database, key: bytes, retry: Retry) -> None:
        """Retry the commands that wait for a key, in their order, as long as it holds something for them.

        Clients that wait for it to be of another kind, and asked to be told that it isn't, are retried, too.
        """
        kind = type(db.peek(key))
        waiters = db.waiting.get((key, kind), OrderedDict())
        # Serve each client once per round; those still blocked move to the back of the queue, as in Redis.
        for _ in range(len(waiters)):
            if not waiters or type(db.peek(key)) is not kind:
                break
            waiter = next(iter(waiters))
            assert isinstance(waiter, Client)
            retry(waiter)
            if waiter in waiters:
                waiters.move_to_end(waiter)
        for waiter in list(db.waiting.get((key, Gone), ())):
            assert isinstance(waiter, Client)
            if waiter.wait is not None and waiter.wait.kind is not type(db.peek(key)):
                retry(waiter)
