"""What the engine knows about one peer.

A driver's connection is a subclass that adds a socket; a client without any (a test, a direct call) is normal.
Clients act on each other in one way only: `other.queue(bytes)`.
"""

import re
from enum import Enum
from typing import TYPE_CHECKING

from selredis.engine.client_info import describe
from selredis.engine.command import Argv, Command
from selredis.engine.tracking_mode import Tracking
from selredis.errors import ReplyError
from selredis.keyspace.database import Database
from selredis.resp.encoder import ENCODERS
from selredis.resp.pieces import Output
from selredis.resp.reply import BLOCKED, Reply
from selredis.timers import Timer

if TYPE_CHECKING:
    from selredis.engine.engine import Engine


# What a command in a transaction's queue takes beyond its words' bytes, and each word: objects and pointers of CPython.
QUEUED_COMMAND_BYTES = 120
WORD_BYTES = 41

MANY_BYTES = 1024 * 1024  # of large replies: above it the client yields

PRINTABLE = re.compile(rb'[!-~]*')


def check_printable(text: bytes, error: bytes) -> None:
    """Raises ReplyError(error) for what would not be one word in a line of CLIENT LIST: anything but visible ASCII.

    To Redis a text ends at its first NUL here, and to CLIENT LIST as well.
    """
    if not PRINTABLE.fullmatch(text.partition(b'\0')[0]):
        raise ReplyError(error)


def check_name(name: bytes) -> None:
    """Raises ReplyError for what cannot name a connection."""
    check_printable(name, b'ERR Client names cannot contain spaces, newlines or special characters.')


class ReplyMode(Enum):
    """What CLIENT REPLY chose: replies, none, none to the next command, none to this one."""

    ON = 'on'
    OFF = 'off'
    SKIP_NEXT = 'skip next'
    SKIP = 'skip'


class Transaction:
    """Commands between MULTI and EXEC. `aborted`: one was refused, so EXEC will refuse them all."""

    __slots__ = ('aborted', 'queued', 'queued_bytes')

    def __init__(self) -> None:
        self.queued: list[tuple[Command, Argv]] = []
        self.queued_bytes = 0
        self.aborted = False

    def queue(self, command: Command, argv: Argv) -> None:
        self.queued.append((command, argv))
        self.queued_bytes += QUEUED_COMMAND_BYTES + len(argv) * WORD_BYTES + sum(map(len, argv))


class Wait:
    """A command that waits for one of its keys to become a value of some kind; it will run again then.

    `or_gone`: or to be of that kind no longer, so that there is nothing to wait for.
    `postponed`: it waits for the end of a pause instead (engine/pause.py).
    """

    __slots__ = ('_argv_bytes', 'argv', 'command', 'db', 'keys', 'kind', 'on_timeout', 'or_gone', 'postponed', 'timer')

    def __init__(self, db: Database, keys: Argv, kind: type, on_timeout: Reply, *, or_gone: bool = False) -> None:
        self.db = db
        self.keys = list(dict.fromkeys(keys))
        self.kind = kind
        self.on_timeout = on_timeout
        self.or_gone = or_gone
        self.timer: Timer | None = None
        self.postponed = False
        self.command: Command
        self.argv: Argv = []
        self._argv_bytes: int | None = None  # not asked for yet

    @property
    def argv_bytes(self) -> int:
        """Bytes of the words of the command."""
        if self._argv_bytes is None:
            self._argv_bytes = sum(map(len, self.argv))
        return self._argv_bytes


class Client:
    """One peer: its database, protocol, transaction, subscriptions, what it waits for, and what it is yet to be sent.

    `out` is the queue of encoded replies that the driver takes away at the end of a turn. `pending` are commands that
    were read but may not run yet. `halted` is true while no command of the client may run: it waits, is closing, or
    has not read its replies.
    """

    __slots__ = (
        'addr',
        'authenticated',
        'channels',
        'closing',
        'command',
        'commands',
        'congested',
        'created_ms',
        'db',
        'doomed',
        'encoders',
        'engine',
        'fd',
        'gated',
        'gave_way',
        'halted',
        'hears_others',
        'id',
        'in_exec',
        'is_script',
        'laddr',
        'large_bytes',
        'last_active_ms',
        'lib_name',
        'lib_ver',
        'local',
        'measured',
        'name',
        'no_evict',
        'no_touch',
        'out',
        'patterns',
        'pending',
        'pending_bytes',
        'propagates',
        'protocol',
        'queued',
        'reply_mode',
        'shard_channels',
        'subscribed_bytes',
        'tracking',
        'transaction',
        'unblocked',
        'unsent_bytes',
        'user',
        'wait',
        'watch_broken',
        'watched',
        'watched_bytes',
    )

    def __init__(self, engine: 'Engine') -> None:
        self.engine = engine
        self.commands = engine.commands  # that it may execute, by name
        self.id = engine.next_client_id()
        self.created_ms = engine.monotonic_ms()
        self.last_active_ms = engine.keyspace.now_ms  # Unix time
        # Who and where the peer is; the driver knows.
        self.addr = b''
        self.laddr = b''
        self.fd = -1
        self.local = True  # by loopback, a unix socket, or no socket at all
        self.out: list[Output] = []
        self.queued = False  # in engine.to_flush
        self.large_bytes = 0  # of large replies that are queued
        self.unsent_bytes = 0  # taken from the queue, and not taken by the peer yet
        self.pending: list[Argv] = []
        self.measured = self.pending  # the same list, once it has been asked for its bytes
        self.pending_bytes = 0
        self.congested = False  # replies not read by the peer are past the high-water mark
        self.doomed = False  # to be closed at once
        self.closing = False  # to be closed when what is queued has been sent
        self.halted = False
        self.gated = False
        self.gave_way = False  # others have their turn before its next command
        self.channels: dict[bytes, None] = {}
        self.patterns: dict[bytes, None] = {}
        self.shard_channels: dict[bytes, None] = {}
        self.subscribed_bytes = 0  # the length of the names of all of these
        self.watched: dict[tuple[Database, bytes], None] = {}
        self.watched_bytes = 0  # the length of those keys
        self.wait: Wait | None = None
        self.unblocked = False  # it has just waited, and goes on in this turn
        self.command: Command | None = None  # the last one
        self.in_exec = False
        self.is_script = False
        self.propagates = engine.effects.entries is not None  # somebody wants the effects of its commands
        self.lib_name = b''
        self.lib_ver = b''
        self.reply_mode = ReplyMode.ON
        self.watch_broken = False
        self.tracking: Tracking | None = None  # CLIENT TRACKING
        self.hears_others = False  # others have redirected to it what they are told of their keys
        self.reset()
        engine.clients[self.id] = self

    def reset(self) -> None:
        """Back to what a new connection is (RESET), but for what it has told of its library."""
        engine = self.engine
        self.set_protocol(2)
        self.db = engine.keyspace.databases[0]
        self.name = b''
        self.user = b'default'
        self.authenticated = not engine.config['requirepass']
        self.no_evict = False
        self.no_touch = False
        if self.reply_mode is not ReplyMode.SKIP:  # which is about RESET itself
            self.reply_mode = ReplyMode.ON
        self.transaction: Transaction | None = None
        self.unwatch_all()
        engine.pubsub.forget(self)
        engine.tracking.end(self)
        engine.monitors.discard(self)
        self.update_gated()

    def set_protocol(self, protocol: int) -> None:
        """Speak RESP2 or RESP3 from the next reply on."""
        self.protocol = protocol
        self.encoders = ENCODERS[protocol]

    @property
    def subscribed(self) -> bool:
        return bool(self.channels or self.patterns or self.shard_channels)

    @property
    def query_bytes(self) -> int:
        """Bytes read that belong to no command that has run."""
        if self.measured is not self.pending:
            self.measured = self.pending
            self.pending_bytes = sum(len(word) for argv in self.pending for word in argv)
        return self.pending_bytes

    @property
    def unrun_bytes(self) -> int:
        """query_bytes, and what waits for EXEC."""
        return self.query_bytes + (self.transaction.queued_bytes if self.transaction is not None else 0)

    @property
    def argument_bytes(self) -> int:
        """Bytes of the words of a command that is not complete yet, or waits."""
        return self.wait.argv_bytes if self.wait is not None else 0

    @property
    def announced_bytes(self) -> int:
        """Bytes of a value that the peer has begun to send and that are not here yet."""
        return 0

    @property
    def unsent_pieces(self) -> int:
        """In how many pieces unsent_bytes are kept."""
        return 0

    @property
    def events(self) -> bytes:
        """What the driver waits for: r, to read, and w, to write."""
        return b''

    @property
    def on_unix_socket(self) -> bool:
        return False

    def describe(self) -> str:
        """Who this is, for the log."""
        return describe(self).decode('ascii', 'backslashreplace')

    def update_gated(self) -> None:
        """Must be called when any of these has changed: whether commands need a closer look before they run."""
        self.gated = (
            not self.authenticated
            or self.transaction is not None
            or self.reply_mode is not ReplyMode.ON
            or self.subscribed
            or self.tracking is not None
            or self.hears_others
            or self in self.engine.monitors
            or self.is_script
        )

    def update_halted(self) -> None:
        """Must be called when any of these has changed: whether commands may run at all."""
        self.halted = self.wait is not None or self.congested or self.gave_way or self.closing or self.doomed

    def yield_turn(self) -> None:
        """Execute no more of this client's commands before the other clients' in this turn."""
        if not self.halted:
            self.resume_later()
            self.gave_way = self.halted = True

    def resume_later(self) -> None:
        """Go on with the client's input when the others have been served."""
        self.engine.runnable.append(self)

    def count_large_reply(self, reply_bytes: int) -> None:
        """Note that a large reply was queued; after megabytes of them the client yields."""
        self.large_bytes += reply_bytes
        if self.large_bytes > MANY_BYTES:
            self.large_bytes = 0
            self.yield_turn()

    def queue(self, data: Output) -> None:
        """Append output for this peer. It leaves when the turn ends; the only way bytes leave a client.

        Safe while a table of subscribers is being walked: nothing is sent or closed here.
        """
        self.out.append(data)
        if not self.queued:
            self.engine.to_flush.append(self)
            self.queued = True

    def queue_reply(self, reply: Reply) -> None:
        self.queue(self.encoders[type(reply)](reply))

    def end_skip(self) -> None:
        """End CLIENT REPLY SKIP: the reply that it was about has been left out."""
        if self.reply_mode is ReplyMode.SKIP:
            self.reply_mode = ReplyMode.ON
            self.update_gated()

    def doom(self) -> None:
        """Have the driver close this client at the end of the turn; what it has not been sent is lost.

        For all others it is gone already: nothing is popped for it, no message counts it.
        """
        if not self.doomed:
            self.engine.doomed.append(self)
            self.engine.forget(self)

    def close_after_replies(self) -> None:
        """Have the driver close this client when all that is queued for it has been sent; no message comes any more."""
        if not (self.closing or self.doomed):
            self.engine.doomed.append(self)
            self.closing = self.halted = True
            self.engine.detach(self)

    def check_output_limit(self, queued_bytes: int = 0) -> bool:
        """Cut off a peer that leaves more unread, what is queued included, than it may; whether it was."""
        return False

    def check_query_limit(self) -> None:
        """Cut off a peer that has sent more than it may without letting it be run (client-query-buffer-limit).

        What waits for EXEC counts, too: it is as much memory, and has no other bound. (All that leaves something behind
        comes by here, so what clients take together is looked at as well.)
        """
        eviction = self.engine.client_eviction
        if eviction.limit_bytes:
            eviction.note(self)
        if self.unrun_bytes > self.engine.config['client-query-buffer-limit'] and not self.doomed:
            self.engine.log.warning(f'Closing client that reached max query buffer length: {self.describe()}')
            self.engine.stats.query_limit_disconnections += 1
            self.doom()

    def block_on(
        self,
        keys: Argv,
        kind: type,
        wait_ms: int,
        on_timeout: Reply,
        *,
        or_gone: bool = False,
        again: Argv | None = None,
    ) -> Reply:
        """Wait until one of keys is of that kind, then run the command again; 0 ms: for ever.

        `or_gone`: also if one of them, which are all of that kind now, is so no longer. `again`: the words to run again
        with, where those at hand would mean something else by then.

        What a handler returns when it has found nothing. A client that waits already goes on waiting where it is, with
        the deadline that it has. Inside a transaction nothing waits: the reply is on_timeout at once.
        """
        if self.in_exec:
            return on_timeout
        if self.wait is None:
            wait = Wait(self.db, keys, kind, on_timeout, or_gone=or_gone)
            wait.argv = again or []
            self.engine.blocked.block(self, wait, wait_ms)
        return BLOCKED

    def propagate_as(self, *commands: Argv) -> None:
        """Propagate these commands to the append-only file and replicas, not the one being executed as it was sent.

        For handlers whose own arguments would not lead to the same data again: those that depend on the time, on
        chance, or that block. Several calls add up; without arguments nothing is propagated by this call. It has no
        effect unless `propagates`, which is asked first where building the arguments takes time.
        """
        self.engine.effects.replace(self.db.number, commands)

    def watch(self, key: bytes) -> None:
        """Watch a key: here and in its database, or, if that fails (MemoryError), in neither."""
        place = (self.db, key)
        if place in self.watched:
            return
        try:
            self.watched[place] = None
            self.watched_bytes += len(key)
            self.db.watch(key, self)
        except BaseException:
            self.db.unwatch(key, self)
            self.watched.pop(place, None)
            self._recount_watches()
            raise

    def unwatch_all(self) -> None:
        """Forget all watched keys; may be repeated if it fails."""
        self.watch_broken = True  # until it has succeeded: EXEC must not run with half of the keys watched
        try:
            for db, key in self.watched:
                db.unwatch(key, self)
            self.watched.clear()
            self.watched_bytes = 0
        except BaseException:
            self._recount_watches()
            raise
        self.watch_broken = False

    def _recount_watches(self) -> None:
        """Count watched keys again after a failure, which may have come before or after they were counted."""
        self.watched_bytes = sum(len(key) for _, key in self.watched)
        self.engine.keyspace.recount_watches()

    def queue_command(self, command: Command, argv: Argv) -> None:
        """Queue a command in the transaction, unless EXEC won't execute it anyway."""
        transaction = self.transaction
        assert transaction is not None
        if not (transaction.aborted or self.watch_broken):
            transaction.queue(command, argv)
            if transaction.queued_bytes > self.engine.config['client-query-buffer-limit']:
                self.check_query_limit()

    def end_transaction(self) -> None:
        """Forget queued commands and watched keys (EXEC, DISCARD)."""
        self.transaction = None
        self.unwatch_all()
        self.update_gated()

    def flush(self) -> None:
        """Hand what is queued to the peer; a client without one has nobody to hand it to."""
        self.queued = False

    def resume(self) -> None:
        """Run what had to wait. A driver that holds unread input goes on with that, too."""
        self.unblocked = False
        if self.gave_way:
            self.gave_way = False
            self.update_halted()
        if self.pending and not self.halted:
            batch, self.pending = self.pending, []
            self.measured = self.pending
            self.pending_bytes = 0
            self.engine.run(self, batch)
