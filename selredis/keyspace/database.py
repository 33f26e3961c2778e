"""The keys of a server: numbered databases, and the one place where keys come, change and go.

A string is kept as `bytes`, as `bytearray` once a command has changed it in place, or as `int` once one has counted it
up or down; every other kind is a class of `selredis.values`. Deadlines stand apart, for most keys have none.
"""

import sys
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from random import Random
from typing import Any, NamedTuple, Protocol

from selredis.errors import WRONG_TYPE, ReplyError
from selredis.keyspace.events import Notifier
from selredis.keyspace.freeing import LARGE, Discarded
from selredis.keyspace.index import KeyIndex
from selredis.keyspace.memory import Count, Memory
from selredis.keyspace.uses import Uses
from selredis.pubsub import PubSub
from selredis.values.due_times import NEVER_MS
from selredis.values.hash import Hash
from selredis.values.kinds import STRING_KINDS, Container, text_of
from selredis.values.size import FEW_NAMERS
from selredis.values.stream import Stream

RANDOM_TRIES = 100  # to find a key among many that are hidden
HOLLOW_KEYS = 10_000
HOLLOW_BYTES = 65_536
HOLLOW_KEY_BYTES = 500  # of a dict's table; usually 36 to 120
FIELDS_AT_ONCE = 200  # that are removed between two looks at the clock


Effect = tuple[int, Sequence[bytes], bool]  # the database, the command, whether it is for replicas only


class Cause(NamedTuple):
    """Why a key leaves the keyspace. What a client's command has caused, the command says with `changed`."""

    name: str
    by_client: bool = True
    frees_value: bool = True  # nobody needs the value any more


DELETED = Cause('deleted')
MOVED = Cause('moved to another key', frees_value=False)
EMPTIED = Cause('its last member was removed', frees_value=False)
EXPIRED = Cause('expired', by_client=False)
EVICTED = Cause('evicted', by_client=False)


class Watcher(Protocol):
    """A client that WATCHes keys."""

    watch_broken: bool


class Waiter(Protocol):
    """A client whose command waits for keys."""

    def __hash__(self) -> int: ...


class Gone:
    """In place of a kind: who waits for a key under it is told when the key goes or becomes one of another kind."""


def as_kind(value: Any, kind: type) -> Any:
    """A value as one of the kind that a command works on: a string as bytes or bytearray. Raises WRONGTYPE."""
    if kind is bytes and type(value) in STRING_KINDS:
        return text_of(value)
    raise ReplyError(WRONG_TYPE)


class Keyspace:
    """What all databases of a server share: its time, its counters, and those who wish to hear of changes."""

    __slots__ = (
        'crowded',
        'current_client',
        'databases',
        'dirty',
        'discarded',
        'effects',
        'evicted',
        'expired',
        'expired_fields',
        'first_to_expire',
        'glances',
        'hits',
        'invalidate',
        'keep_expired',
        'memory',
        'misses',
        'notifier',
        'now_ms',
        'observed',
        'observed_databases',
        'ready',
        'uses',
    )

    def __init__(self, count: int, pubsub: PubSub, random: Random) -> None:
        self.now_ms = 0  # Unix time, frozen for the length of a batch
        self.current_client: Any = None  # whose command is executed, or was last
        self.dirty = 0  # changes since the start
        self.effects: list[Effect] | None = None  # of the unit being executed, if anybody wants them
        self.hits = 0
        self.misses = 0
        self.glances = 0  # those hits that are no use of the key
        self.expired = 0
        self.expired_fields = 0  # of hashes, whose keys may live on
        self.evicted = 0
        self.keep_expired = False  # keys past their deadline are hidden, and stay where they are
        self.notifier = Notifier(pubsub)
        self.observed_databases: dict[Database, None] = {}  # with watched or awaited keys
        self.invalidate: Callable[[bytes, bool], None] | None = None  # for copies of a key: engine/tracking.py
        self.observed = False
        self.crowded = 0  # watches of a key beyond the first FEW_NAMERS
        self.ready: list[tuple[Database, bytes]] = []  # awaited keys that have come, changed or gone, in order
        self.discarded = Discarded()
        self.first_to_expire = 0  # the database in which the next search for expired keys begins
        self.memory = Memory()
        self.uses = Uses(self, random)
        self.databases = [Database(self, number) for number in range(count)]

    def notify_classes(self, classes: frozenset[str]) -> None:
        """Set the classes of keyspace events that are published."""
        self.notifier.classes = classes
        self.update_observed()

    def update_observed(self) -> None:
        """Must be called when any of these has changed: whether anybody wants to hear of a key that changes."""
        self.observed = bool(self.observed_databases or self.notifier.classes or self.invalidate is not None)

    def recount_watches(self) -> None:
        """Set `crowded` by the tables, after a failure."""
        watches = [len(watchers) for db in self.databases for watchers in db.watched.values()]
        self.crowded = sum(max(count - FEW_NAMERS, 0) for count in watches)

    def trim(self) -> None:
        """Give memory back where nearly all keys are gone."""
        for db in self.databases:
            db.trim()

    def swap(self, one: 'Database', other: 'Database') -> None:
        """Exchange the contents of two databases; clients, watchers and waiters stay where they are."""
        if one is other:
            return
        one.watched_touched_by(other)
        other.watched_touched_by(one)
        one.values, other.values = other.values, one.values
        one.deadlines, other.deadlines = other.deadlines, one.deadlines
        one.index, other.index = other.index, one.index
        one.hashes_due, other.hashes_due = other.hashes_due, one.hashes_due
        one.uses, other.uses = other.uses, one.uses
        one.used, other.used = other.used, one.used
        one.sizes, other.sizes = other.sizes, one.sizes
        one.counts, other.counts = other.counts, one.counts
        for db in (one, other):
            self.ready += [(db, key) for key, kind in db.waiting if kind in (type(db.values.get(key)), Gone)]


class Database:
    """One database: values by key, deadlines (Unix time, ms) of those keys that have one.

    `get`, `read` and `get_or_create` hide keys that are past their deadline; a key found so is removed at once, unless
    `keep_expired` says that nothing may go: then nothing may be stored either.
    """

    __slots__ = (
        'counts',
        'deadlines',
        'hashes_due',
        'index',
        'keyspace',
        'number',
        'sizes',
        'used',
        'uses',
        'values',
        'waiting',
        'watched',
    )

    def __init__(self, keyspace: Keyspace, number: int) -> None:
        self.keyspace = keyspace
        self.number = number
        self.values: dict[bytes, Any] = {}
        self.deadlines: dict[bytes, int] = {}
        self.index = KeyIndex()
        self.hashes_due: KeyIndex | None = None  # keys of hashes whose fields have deadlines, and perhaps others
        # The books that are kept of it, if any are (keyspace.accounting).
        self.used = 0
        self.sizes: dict[bytes, int] = {}
        self.counts: dict[bytes, Count] = {}
        self.uses: dict[bytes, int] = {}
        self.watched: dict[bytes, dict[Watcher, None]] = {}
        # Who waits for which key to become a value of which kind, in order of arrival. (A dict would walk over all that
        # left from its front to find the first that is left.)
        self.waiting: dict[tuple[bytes, type], OrderedDict[Waiter, None]] = {}

    def __len__(self) -> int:
        return len(self.values)

    def __contains__(self, key: bytes) -> bool:
        return key in self.values and not (self.deadlines and self.expire_if_due(key))

    def get(self, key: bytes, kind: type) -> Any:
        """The value of key, None if there is none. Raises WRONGTYPE if it is of another kind."""
        value = self.values.get(key)
        if value is None or (self.deadlines and self.expire_if_due(key)):
            return None
        return value if type(value) is kind else as_kind(value, kind)

    def read(self, key: bytes, kind: type) -> Any:
        """`get` for commands that only read: counted as a hit or a miss of the keyspace."""
        value = self.values.get(key)
        if value is None or (self.deadlines and self.expire_if_due(key)):
            self.missed(key)
            return None
        self.keyspace.hits += 1
        return value if type(value) is kind else as_kind(value, kind)

    def peek(self, key: bytes) -> Any:
        """The value of key of whatever kind, None if there is none."""
        value = self.values.get(key)
        if value is None or (self.deadlines and self.expire_if_due(key)):
            return None
        return value

    def read_any(self, key: bytes) -> Any:
        """`peek` for commands that only read: counted as a hit or a miss of the keyspace."""
        value = self.peek(key)
        if value is None:
            self.missed(key)
        else:
            self.keyspace.hits += 1
        return value

    def glance(self, key: bytes) -> Any:
        """`read_any` for commands about the key and not what is in it: counted, and no use of the key."""
        value = self.peek(key)
        if value is None:
            self.missed(key)
        else:
            self.keyspace.hits += 1
            self.keyspace.glances += 1
        return value

    def inspect(self, key: bytes) -> Any:
        """`glance` where a miss is counted, too, and is no event."""
        value = self.peek(key)
        if value is None:
            self.keyspace.misses += 1
        else:
            self.keyspace.hits += 1
            self.keyspace.glances += 1
        return value

    def missed(self, key: bytes) -> None:
        self.keyspace.misses += 1
        if self.keyspace.observed:
            self.keyspace.notifier.notify(self.number, key, b'keymiss')

    def get_or_create(self, key: bytes, kind: type) -> Any:
        """The value of key, a new empty one of that kind if there is none. Raises WRONGTYPE."""
        value = self.values.get(key)
        if value is None or (self.deadlines and self.expire_if_due(key)):
            value = kind()
            self.put(key, value)
        elif type(value) is not kind:
            raise ReplyError(WRONG_TYPE)
        return value

    def put(self, key: bytes, value: Any) -> None:
        """Store a value and leave the deadline as it is. `changed` is the caller's to say.

        If that fails (MemoryError), the key is not there.
        """
        if key in self.values:
            self.values[key] = value
        else:
            self._add(key, value)

    def _add(self, key: bytes, value: Any) -> None:
        """Store a value at a key that is not there: the only way in which a key comes."""
        try:
            self.index.add(key)
            self.values[key] = value
        except BaseException:
            self.withdraw(key)
            raise
        if self.keyspace.observed:
            self.comes(key, value)

    def set(self, key: bytes, value: Any, event: bytes = b'set') -> None:
        """Store a value that has no deadline, whatever was there before, and say so: `changed` and all.

        If storing it fails (MemoryError), a key that was not there is not there.
        """
        keyspace = self.keyspace
        if self.deadlines and not self.expire_if_due(key):
            self.deadlines.pop(key, None)
        if key in self.values:
            self.values[key] = value
        else:
            self._add(key, value)
        keyspace.dirty += 1
        if keyspace.observed:
            self.touch(key)
            keyspace.notifier.notify(self.number, key, event)

    def withdraw(self, key: bytes) -> None:
        """Remove what is left of a key after a `put` or `take` that failed half-way."""
        self.values.pop(key, None)
        self.deadlines.pop(key, None)
        self.index.discard(key)
        if self.hashes_due is not None:
            self.hashes_due.discard(key)

    def settle(self, key: bytes) -> None:
        """After a command on key that failed half-way: leave no empty value, and tell those who wait for a change."""
        value = self.values.get(key)
        if value is not None and type(value) not in STRING_KINDS and type(value) is not Stream and not len(value):
            self.discard(key)
            value = None
        if self.keyspace.observed:
            self.touch(key)
            if (key, type(value)) in self.waiting:
                self.keyspace.ready.append((self, key))

    def comes(self, key: bytes, value: Any) -> None:
        """Tell of a key that was not there, and have those look at it who wait for one of its kind.

        Nobody is served by a value that takes another's place (db.c of Redis, setKey: only dbAdd signals).
        """
        self.keyspace.notifier.notify(self.number, key, b'new')
        if (key, type(value)) in self.waiting:
            self.keyspace.ready.append((self, key))

    def remove(self, key: bytes, event: bytes, lazy_above: int = LARGE) -> bool:
        """Remove a key that is not past its deadline; False if there is none."""
        if key not in self:
            return False
        self.discard(key, lazy_above)
        self.changed(key, event)
        return True

    def _remove(self, key: bytes, cause: Cause, lazy_above: int = LARGE, *, indexed: bool = True) -> Any:
        """Remove a key that is there and return its value: the only way in which a key leaves.

        A value that nobody needs any more is freed lazily if it has more members than `lazy_above`. `indexed`: the key
        is still in the index. If it fails half-way (MemoryError), the key is not there.
        """
        try:
            if indexed:
                self.index.remove(key)
            if self.deadlines:
                self.deadlines.pop(key, None)
            if self.hashes_due is not None:
                self.forget_fields(key)
            value = self.values.pop(key)
        except BaseException:
            self.withdraw(key)
            raise
        if cause.frees_value and type(value) not in STRING_KINDS and len(value) > lazy_above:
            self.keyspace.discarded.add(value, objects=1)
        if not cause.by_client:
            self._removed_by_server(key, cause)
        elif cause is EMPTIED and self.keyspace.observed:
            self.keyspace.notifier.notify(self.number, key, b'del')
        return value

    def _removed_by_server(self, key: bytes, cause: Cause) -> None:
        """Count, propagate and publish the removal of an expired or evicted key, in Redis's order."""
        keyspace = self.keyspace
        if keyspace.effects is not None:
            keyspace.effects.append((self.number, (b'DEL', key), False))
        if cause is EXPIRED:
            keyspace.expired += 1
            if keyspace.observed:
                keyspace.notifier.notify(self.number, key, b'expired')
                self.touch(key, by_client=False)
        else:
            keyspace.evicted += 1
            if keyspace.observed:
                self.touch(key, by_client=False)
                keyspace.notifier.notify(self.number, key, b'evicted')

    def discard(self, key: bytes, lazy_above: int = LARGE) -> None:
        """Remove a key that is there with its value. `changed` is the caller's to say."""
        self._remove(key, DELETED, lazy_above)

    def evict(self, key: bytes) -> None:
        """Remove a key to make room."""
        self._remove(key, EVICTED)

    def move(self, key: bytes, target: 'Database', newkey: bytes) -> None:
        """Move a value to a key that is not there, perhaps of another database; `changed` is the caller's to say.

        Its deadline, the note of its use and its size go with it, so that this is O(1).
        """
        deadline_ms, use = self.deadline_of(key), self.uses.get(key)
        size, count = self.sizes.get(key), self.counts.get(key)
        value = self._remove(key, MOVED)
        if size is not None:
            target.sizes[newkey] = size
        if count is not None:
            target.counts[newkey] = count
        target.put_new(newkey, value, deadline_ms)
        target.carry_use(newkey, use)

    def put_new(self, key: bytes, value: Any, deadline_ms: int | None) -> None:
        """Store a value with its deadline at a key that is not there. `changed` is the caller's to say."""
        self.put(key, value)
        self.note_fields(key, value)
        if deadline_ms is not None:
            self.set_deadline(key, deadline_ms)

    def lost(self, key: bytes, value: Container, event: bytes, count: int = 1) -> None:
        """Say that a value has lost members, which counts for so many changes; remove it if it has none any more."""
        self.changed(key, event, count)
        if not len(value):
            self.remove_empty(key)

    def remove_empty(self, key: bytes) -> None:
        """Remove a key whose value has lost its last member. That it has was said with `changed`: it counts once."""
        self._remove(key, EMPTIED)

    def changed(self, key: bytes, event: bytes, count: int = 1) -> None:
        """Say that a key has changed: the only way watchers, waiters and notifications learn of it.

        `count`: for how many changes it counts (INFO's rdb_changes_since_last_save).
        """
        keyspace = self.keyspace
        keyspace.dirty += count
        if keyspace.observed:
            self.touch(key)
            keyspace.notifier.notify(self.number, key, event)

    def notify(self, key: bytes, event: bytes) -> None:
        """Publish a further event of a change that `changed` has told: SET with a deadline is one, and has two."""
        if self.keyspace.observed:
            self.keyspace.notifier.notify(self.number, key, event)

    def touch(self, key: bytes, by_client: bool = True) -> None:
        """Tell a key's watchers, who waits for more in it or for its end, and who has a copy of it.

        `by_client`: it was changed by a command, not by the time or for want of memory.
        """
        for watcher in self.watched.get(key, ()):
            watcher.watch_broken = True
        if self.waiting:
            self.wake(key)
        if self.keyspace.invalidate is not None:
            self.keyspace.invalidate(key, by_client)

    def wake(self, key: bytes) -> None:
        """Have those look at a key who wait for more in it, which only readers of streams do, or for its end."""
        more = (key, Stream) in self.waiting and type(self.values.get(key)) is Stream
        if more or (key, Gone) in self.waiting:
            self.keyspace.ready.append((self, key))

    def changed_aside(self, key: bytes, event: bytes | None, count: int = 1) -> None:
        """Say that something has changed that belongs to a key and is not its content, as a stream's groups do not.

        It counts as a change, but who watches the key or has a copy of it learns nothing.
        """
        self.keyspace.dirty += count
        if event is not None:
            self.notify(key, event)

    def deadline_of(self, key: bytes) -> int | None:
        return self.deadlines.get(key)

    def set_deadline(self, key: bytes, deadline_ms: int) -> None:
        """Let a key that is there expire at a Unix time in ms."""
        self.index.note_deadline(key, deadline_ms)  # first: a bound may be too early, but not too late
        self.deadlines[key] = deadline_ms

    def clear_deadline(self, key: bytes) -> bool:
        """Let a key live for ever; False if it had no deadline."""
        return self.deadlines.pop(key, None) is not None

    def expire_if_due(self, key: bytes) -> bool:
        """Remove the key if it is past its deadline and need not be kept; whether it is past it."""
        deadline_ms = self.deadlines.get(key)
        if deadline_ms is None or deadline_ms >= self.keyspace.now_ms:
            return False
        if not self.keyspace.keep_expired:
            self._remove(key, EXPIRED)
        return True

    def expire_bucket(self, slot: int) -> None:
        """Remove those keys of a bucket of the index that are past their deadline."""
        now_ms = self.keyspace.now_ms
        next_ms = NEVER_MS
        deadline_of = self.deadlines.get
        due: list[bytes] = []
        kept: list[bytes] = []
        for key in self.index.buckets[slot]:
            deadline_ms = deadline_of(key, NEVER_MS)
            if deadline_ms < now_ms:
                due.append(key)
                continue
            kept.append(key)
            if deadline_ms < next_ms:
                next_ms = deadline_ms
        self.index.looked_through(slot, kept, next_ms)
        for key in due:
            self._remove(key, EXPIRED, indexed=False)

    def note_fields(self, key: bytes, value: Any) -> None:
        """Learn when the first field of a value is due that is at key, if it is a hash and has deadlines."""
        if type(value) is not Hash or value.deadlines is None:
            return
        if self.hashes_due is None:
            self.hashes_due = KeyIndex()
        if key not in self.hashes_due.bucket_of(key):
            self.hashes_due.add(key)
        self.hashes_due.note_deadline(key, value.due_ms())

    def forget_fields(self, key: bytes) -> None:
        index = self.hashes_due
        if index is not None and key in index.bucket_of(key):
            index.remove(key)
            if not len(index):
                self.hashes_due = None

    def expire_field(self, key: bytes, fields: Hash, field: bytes) -> None:
        """Remove a field that is past its deadline, if it need not be kept; and the hash, if it was the last one."""
        if not self.keyspace.keep_expired:
            fields.remove(field)
            self.fields_expired(key, fields, [field])

    def expire_fields(self, key: bytes, fields: Hash) -> None:
        """Remove all fields that are past their deadline, if they need not be kept."""
        if not self.keyspace.keep_expired and (expired := fields.remove_due(self.keyspace.now_ms, len(fields))):
            self.fields_expired(key, fields, expired)

    def fields_expired(self, key: bytes, fields: Hash, gone: list[bytes]) -> None:
        """These fields of a hash have gone because of their deadline; the hash goes with its last one."""
        keyspace = self.keyspace
        keyspace.expired_fields += len(gone)
        if keyspace.effects is not None:
            keyspace.effects.append((self.number, (b'HDEL', key, *gone), False))
        if keyspace.observed:
            keyspace.notifier.notify(self.number, key, b'hexpired')
        if not len(fields):
            self.remove_empty(key)
        if keyspace.observed:
            self.touch(key, by_client=False)

    def expire_hashes(self, slot: int) -> None:
        """Remove fields past their deadline of those hashes that are in a bucket of `hashes_due`."""
        index, now_ms = self.hashes_due, self.keyspace.now_ms
        assert index is not None
        left = FIELDS_AT_ONCE
        next_ms = NEVER_MS
        kept: list[bytes] = []
        changed: list[tuple[bytes, Hash, list[bytes]]] = []
        for key in index.buckets[slot]:
            value = self.values.get(key)
            if type(value) is not Hash:
                continue
            if left > 0 and (expired := value.remove_due(now_ms, left)):
                left -= len(expired)
                changed.append((key, value, expired))
            due_ms = value.due_ms()
            if len(value) and due_ms < NEVER_MS:
                kept.append(key)
                next_ms = min(next_ms, due_ms)
        index.looked_through(slot, kept, next_ms)
        if not len(index):
            self.hashes_due = None
        for key, value, expired in changed:
            self.fields_expired(key, value, expired)

    def carry_use(self, key: bytes, use: int | None) -> None:
        """Give a value that came from elsewhere the note of its use that it had there, None if it had none."""
        if use is not None:
            self.uses[key] = use
            self.keyspace.uses.fresh = None

    def random_key(self, random: Random) -> bytes | None:
        """Any key that is not past its deadline, each as likely as another; None if there is none."""
        tries = len(self.values)
        for _ in range(min(tries, RANDOM_TRIES) if self.keyspace.keep_expired else tries):
            key = self.index.random_key(random)
            if not (self.deadlines and self.expire_if_due(key)):
                return key
        return random.choice(alive) if (alive := self.alive(self.values)) else None

    def alive(self, keys: Iterable[bytes]) -> list[bytes]:
        """Those of the keys that are not past their deadline; the others are left where they are."""
        deadline_of = self.deadlines.get
        now_ms = self.keyspace.now_ms
        return [key for key in keys if deadline_of(key, NEVER_MS) >= now_ms] if self.deadlines else list(keys)

    def clear(self, lazy_above: int = LARGE) -> None:
        """Remove all keys. They are freed lazily if there are more than `lazy_above`."""
        for key, watchers in self.watched.items():
            if key in self.values:
                for watcher in watchers:
                    watcher.watch_broken = True
        self.keyspace.ready += [(self, key) for key, kind in self.waiting if kind is Gone and key in self.values]
        self.keyspace.dirty += len(self.values)
        if len(self.values) > lazy_above:
            self.keyspace.discarded.add(self.index.buckets, self.deadlines, self.values, objects=len(self.values))
        self.values = {}
        self.deadlines = {}
        self.index = KeyIndex()
        self.hashes_due = None

    def trim(self) -> None:
        """Give memory back when nearly all keys are gone: a dict keeps the table that its largest size needed.

        One table at a time: the system, too, takes milliseconds to take back many megabytes.
        """
        if is_hollow(self.values):
            self.values = dict(self.values)
        elif is_hollow(self.deadlines):
            self.deadlines = dict(self.deadlines)
        elif is_hollow(self.uses):
            self.uses = dict(self.uses)
        elif is_hollow(self.watched):
            self.watched = dict(self.watched)
        elif is_hollow(self.waiting):
            self.waiting = dict(self.waiting)

    def watched_touched_by(self, other: 'Database') -> None:
        """Break the watch of every key that is in this database or in the other: their contents change places."""
        for key, watchers in self.watched.items():
            if key in self or key in other:
                for watcher in watchers:
                    watcher.watch_broken = True

    def watch(self, key: bytes, watcher: Watcher) -> None:
        """Note a watcher. If that fails, `unwatch` removes what has been noted."""
        self.expire_if_due(key)  # a key that is past its deadline now is watched as absent
        watchers = self.watched.get(key)
        if watchers is None:
            self.watched[key] = {watcher: None}
        else:
            watchers[watcher] = None
            if len(watchers) > FEW_NAMERS:
                self.keyspace.crowded += 1
        keyspace = self.keyspace
        keyspace.observed_databases[self] = None
        keyspace.observed = True

    def unwatch(self, key: bytes, watcher: Watcher) -> None:
        """Forget a watcher; may be repeated."""
        watchers = self.watched.get(key)
        if watchers is not None:
            if watcher in watchers:
                del watchers[watcher]
                if len(watchers) >= FEW_NAMERS:
                    self.keyspace.crowded -= 1
            if not watchers:
                del self.watched[key]
        if not (self.watched or self.waiting):
            self.end_observed()

    def end_observed(self) -> None:
        """Nobody watches or awaits any key any more."""
        self.keyspace.observed_databases.pop(self, None)
        self.keyspace.update_observed()

    def wait(self, key: bytes, kind: type, waiter: Waiter) -> None:
        """Enter a waiter behind those that wait for key already. If that fails, `unwait` removes what was entered."""
        waiters = self.waiting.get((key, kind))
        if waiters is None:
            waiters = self.waiting[key, kind] = OrderedDict()
        waiters[waiter] = None
        keyspace = self.keyspace
        keyspace.observed_databases[self] = None
        keyspace.observed = True

    def unwait(self, key: bytes, kind: type, waiter: Waiter) -> None:
        """Remove a waiter; may be repeated."""
        waiters = self.waiting.get((key, kind))
        if waiters is not None:
            waiters.pop(waiter, None)
            if not waiters:
                del self.waiting[key, kind]
        if not (self.watched or self.waiting):
            self.end_observed()


def is_hollow(table: dict[Any, Any]) -> bool:
    """Whether a dict has a table many times too large, and so few keys that to make a new one takes a millisecond."""
    count = len(table)
    return count <= HOLLOW_KEYS and sys.getsizeof(table) > HOLLOW_BYTES + HOLLOW_KEY_BYTES * count
