"""Client-side caching: which clients may hold a copy of which key, and how they learn that it is stale.

Theory of operation (redis.io, "Client-side caching reference"; tracking.c). A client that tracks is in one of two
modes. By default the table remembers for every key which clients have read it, and forgets the key when it tells them
that it has changed: once for what they have read, however often it changes. In broadcasting mode a client names
prefixes, and is told of every change of every key that begins with one of them; of what changes during a turn it is
told when the turn ends, a message for each prefix.

Databases do not count: a key is its name. Of a client that leaves only its number stays, under the keys that it has
read, until they change: to end a client costs the same whatever it has read. Numbers are never given twice.

A client is told in its own connection if that speaks RESP3, or else in another one that it redirects to: there, too, by
a push, or in RESP2 by a message on a channel, for a subscriber. What comes of a client's own command comes behind its
reply: clients that track, and those that others redirect to, are gated (Executor.run_command).

The table holds no more keys than tracking-table-max-keys: whoever may have a copy of one that is left out is told that
it is stale.
"""

from collections.abc import Mapping
from random import Random
from sys import getsizeof

from selredis.engine.client import Client
from selredis.engine.command import Argv, Command
from selredis.engine.command_keys import find_keys
from selredis.engine.gate import Gate
from selredis.engine.tracking_mode import Tracking
from selredis.keyspace.database import Keyspace
from selredis.keyspace.freeing import LARGE
from selredis.keyspace.index import KeyIndex
from selredis.keyspace.memory import EMPTY_BYTES, INDEX_BYTES
from selredis.values.size import NAME_BYTES

CHANNEL = b'__redis__:invalidate'
PUSH = b'>2\r\n$10\r\ninvalidate\r\n'
MESSAGE = b'*3\r\n$7\r\nmessage\r\n$%d\r\n%b\r\n' % (len(CHANNEL), CHANNEL)
BROKEN = b'>2\r\n$21\r\ntracking-redir-broken\r\n:%d\r\n'
ALL_KEYS = {2: b'$-1\r\n', 3: b'_\r\n'}  # by protocol of the client that tracks, wherever it redirects to

KEYS_A_ROUND = 100  # that leave a table over its limit; twice as many in the next round, and so on


class TrackingTable:
    """What all clients of a server track. `keyspace.invalidate` is its own while it has any key or prefix.

    `changed`: for each prefix the keys that have changed in this turn, and by which client each was changed last;
    None if by none, as when its time was over. `key_bytes`: the length of the keys in `readers`; `set_bytes`: the
    memory of the sets there.
    """

    __slots__ = (
        '_by_id',
        '_gate',
        '_index',
        '_keyspace',
        '_lengths',
        '_random',
        '_rounds',
        'changed',
        'clients',
        'items',
        'key_bytes',
        'max_keys',
        'prefixes',
        'readers',
        'set_bytes',
    )

    def __init__(self, keyspace: Keyspace, clients: Mapping[int, Client], random: Random, gate: Gate) -> None:
        self._keyspace = keyspace
        self._by_id = clients
        self._random = random
        self._gate = gate
        self.clients: dict[Client, None] = {}
        # By key the number of the one client that has read it, as for most keys, or those of several.
        self.readers: dict[bytes, int | set[int]] = {}
        self._index = KeyIndex()
        self.items = 0  # clients under all keys
        self.key_bytes = self.set_bytes = 0
        self.prefixes: dict[bytes, dict[Client, None]] = {}
        self._lengths: dict[int, int] = {}  # of prefixes, and how many are so long
        self.changed: dict[bytes, dict[bytes, Client | None]] = {}
        self.max_keys = 0  # no limit
        gate.add(lambda: self.over_limit)
        self._rounds = 0  # that have ended over the limit, one after the other

    # --- clients ---

    def begin(self, client: Client, tracking: Tracking, prefixes: list[bytes]) -> None:
        """Let a client track so, from now on or instead of as before. Prefixes add to those that it has."""
        before = client.tracking
        if before is not None:
            tracking.caching = before.caching
            tracking.prefixes, tracking.prefix_bytes = before.prefixes, before.prefix_bytes
        client.tracking = tracking
        self.clients[client] = None
        for prefix in prefixes:
            self._join(client, tracking, prefix)
        client.update_gated()
        target = self._by_id.get(tracking.redirect)
        if target is not None:
            target.hears_others = True
            target.update_gated()

    def end(self, client: Client) -> None:
        """Let a client track no more."""
        tracking = client.tracking
        if tracking is None:
            return
        for prefix in tracking.prefixes:
            self._leave(client, prefix)
        self.clients.pop(client, None)
        self._observe()
        self._keyspace.update_observed()
        client.tracking = None
        client.update_gated()

    def _join(self, client: Client, tracking: Tracking, prefix: bytes) -> None:
        if prefix not in tracking.prefixes:
            tracking.prefix_bytes += len(prefix)
        tracking.prefixes[prefix] = None
        members = self.prefixes.get(prefix)
        if members is None:
            members = self.prefixes[prefix] = {}
            self._lengths[len(prefix)] = self._lengths.get(len(prefix), 0) + 1
            self._observe()
        members[client] = None

    def _leave(self, client: Client, prefix: bytes) -> None:
        """Forget a prefix of a client; may be repeated."""
        members = self.prefixes.get(prefix)
        if members is None:
            return
        members.pop(client, None)
        if not members:
            del self.prefixes[prefix]
            self.changed.pop(prefix, None)
            self._lengths[len(prefix)] -= 1
            if not self._lengths[len(prefix)]:
                del self._lengths[len(prefix)]
            self._observe()

    def _observe(self) -> None:
        """Have the keyspace tell of changes if there is anybody who may want to know."""
        keyspace = self._keyspace
        wanted = bool(self.readers or self.prefixes)
        if wanted != (keyspace.invalidate is not None):
            keyspace.invalidate = self.invalidate if wanted else None
            keyspace.update_observed()

    # --- reading ---

    def remember(self, client: Client, command: Command, argv: Argv) -> None:
        """Remember that a client that tracks has read the keys of a command; also if it was answered with an error."""
        tracking = client.tracking
        if tracking is None or not tracking.remembers:
            return
        readers = self.readers
        for key, _ in find_keys(command, argv) or ():
            known = readers.get(key)
            if known is None:
                readers[key] = client.id
                self.key_bytes += len(key)
                self._index.add(key)
            elif isinstance(known, set):
                if client.id in known:
                    continue
                before = getsizeof(known)
                known.add(client.id)
                self.set_bytes += getsizeof(known) - before
            elif known != client.id:
                readers[key] = {known, client.id}
                self.set_bytes += getsizeof(readers[key])
            else:
                continue
            self.items += 1
        self._observe()
        if self.over_limit:
            self._gate.update()

    # --- changes ---

    def invalidate(self, key: bytes, by_client: bool = True) -> None:
        """A key has changed: by the client whose command runs, or by none (expired, evicted).

        What nobody has changed everybody is told. (Redis is silent to a client with NOLOOP whose command meets a key
        that is past its deadline, or needs room, unless it broadcasts: other things it knows of that key stay stale.)
        """
        running = self._keyspace.current_client if by_client else None
        for length in self._lengths:
            prefix = key[:length]
            if prefix in self.prefixes:
                self.changed.setdefault(prefix, {})[key] = running
        if key in self.readers:
            self._forget(key, running)

    def _forget(self, key: bytes, but: Client | None) -> None:
        """Take a key out of the table, and tell who has read it, except `but` if that does not want to hear itself."""
        known = self.readers.pop(key)
        self._index.remove(key)
        ids = known if isinstance(known, set) else (known,)
        self.items -= len(ids)
        self.key_bytes -= len(key)
        if isinstance(known, set):
            self.set_bytes -= getsizeof(known)
        keys = array_of([key])
        clients = self._by_id
        for id_ in ids:
            client = clients.get(id_)
            tracking = client.tracking if client is not None else None
            # Who broadcasts now may have read it before.
            if client is None or tracking is None or tracking.bcast or (tracking.noloop and client is but):
                continue
            self._tell(client, tracking, keys)
        if not self.readers:
            self.readers.clear()  # or an empty dict keeps the memory that its largest size needed
            self._observe()

    def flush(self) -> None:
        """A database was emptied: tell all clients that every key is stale, and forget what they have read."""
        for client in self.clients:
            if client.tracking is not None:
                self._tell(client, client.tracking, ALL_KEYS[client.protocol])
        if len(self.readers) > LARGE:
            self._keyspace.discarded.add(self._index.buckets, self.readers, objects=len(self.readers))
        self.readers = {}
        self._index = KeyIndex()
        self.items = self.key_bytes = self.set_bytes = 0
        self._observe()

    def table_bytes(self) -> int:
        """Memory of the keys that clients have read, which stay when a client leaves."""
        in_table = getsizeof(self.readers) - EMPTY_BYTES
        return in_table + len(self.readers) * (NAME_BYTES + INDEX_BYTES) + self.key_bytes + self.set_bytes

    def broadcast(self) -> None:
        """Tell of what has changed in this turn, in order of prefixes and keys. For the end of a turn."""
        changed, self.changed = self.changed, {}
        for prefix, changed_by in sorted(changed.items()):
            names = sorted(changed_by)
            keys = array_of(names)
            for client in self.prefixes[prefix]:
                tracking = client.tracking
                if tracking is None:
                    continue
                if not tracking.noloop:
                    self._tell(client, tracking, keys)
                    continue
                of_others = [name for name in names if changed_by[name] is not client]
                if of_others:
                    self._tell(client, tracking, array_of(of_others))

    def _tell(self, client: Client, tracking: Tracking, keys: bytes) -> None:
        """Send a client word of stale keys, encoded, in the connection that it has chosen for it."""
        target = client
        if tracking.redirect:
            found = self._by_id.get(tracking.redirect)
            if found is None or found.closing:
                tracking.broken = True
                if client.protocol > 2:
                    client.queue(BROKEN % tracking.redirect)
                return
            target = found
        if target.protocol > 2:
            target.queue(PUSH)
            target.queue(keys)
        elif tracking.redirect and target.subscribed:
            target.queue(MESSAGE)
            target.queue(keys)

    # --- the limit ---

    @property
    def over_limit(self) -> bool:
        return 0 < self.max_keys < len(self.readers)

    def set_limit(self, max_keys: int) -> None:
        """Hold no more keys from now on; 0: as many as there are."""
        self.max_keys = max_keys
        self._gate.update()

    def shrink(self) -> None:
        """Take keys at random out of a table that is over its limit: before each command, and each tick.

        So many a round as Redis does, more with each round that was not enough. In Redis nobody learns of it whose
        command comes next and who does not want to hear itself (NOLOOP): its copy would stay stale for ever.
        """
        left = KEYS_A_ROUND * (self._rounds + 1)
        while left and self.over_limit:
            left -= 1
            self._forget(self._index.random_key(self._random), None)
        if self.over_limit:
            self._rounds += 1
        else:
            self._rounds = 0
            self._gate.update()


def array_of(keys: list[bytes]) -> bytes:
    """Keys as they are sent, in both protocols."""
    return b'*%d\r\n' % len(keys) + b''.join(b'$%d\r\n%b\r\n' % (len(key), key) for key in keys)
