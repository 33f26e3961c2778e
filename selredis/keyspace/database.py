"""The keys of a server: numbered databases, and the one place where keys come, change and go.

A string is kept as `bytes`, or as `bytearray` once a command has changed it in place; every other kind is a class of
`selredis.values`. Deadlines stand apart, for most keys have none.
"""

from collections import OrderedDict
from typing import Any, Protocol

from selredis.errors import WRONG_TYPE, ReplyError
from selredis.keyspace.events import Notifier
from selredis.keyspace.index import KeyIndex
from selredis.pubsub import PubSub


class Watcher(Protocol):
    """A client that WATCHes keys."""

    watch_broken: bool


class Waiter(Protocol):
    """A client whose command waits for keys."""

    def __hash__(self) -> int: ...


class Keyspace:
    """What all databases of a server share: its time, its counters, and those who wish to hear of changes."""

    __slots__ = (
        'databases',
        'dirty',
        'expired',
        'hits',
        'misses',
        'notifier',
        'now_ms',
        'observed',
        'observers',
        'ready',
    )

    def __init__(self, count: int, pubsub: PubSub) -> None:
        self.now_ms = 0  # Unix time, frozen for the length of a batch
        self.dirty = 0  # changes since the start
        self.hits = 0
        self.misses = 0
        self.expired = 0
        self.notifier = Notifier(pubsub)
        self.observers = 0  # watched and awaited keys
        self.observed = False
        self.ready: list[tuple[Database, bytes]] = []  # awaited keys that changed and are there, in order
        self.databases = [Database(self, number) for number in range(count)]

    def notify_classes(self, classes: frozenset[str]) -> None:
        """Set the classes of keyspace events that are published."""
        self.notifier.classes = classes
        self.observe(0)

    def observe(self, change: int) -> None:
        """Say that so many more (or fewer) keys are watched or awaited: `changed` looks closer only if any are."""
        self.observers += change
        self.observed = bool(self.observers or self.notifier.classes)

    def swap(self, one: 'Database', other: 'Database') -> None:
        """Exchange the contents of two databases; clients, watchers and waiters stay where they are."""
        one.watched_touched_by(other)
        other.watched_touched_by(one)
        one.values, other.values = other.values, one.values
        one.deadlines, other.deadlines = other.deadlines, one.deadlines
        one.index, other.index = other.index, one.index
        one.due_index, other.due_index = other.due_index, one.due_index
        for db in (one, other):
            self.ready += [(db, key) for key, kind in db.waiting if type(db.values.get(key)) is kind]


class Database:
    """One database: values by key, deadlines (Unix time, ms) of those keys that have one.

    `get`, `read` and `get_or_create` hide keys that are past their deadline; a key found so is removed at once.
    """

    __slots__ = ('deadlines', 'due_cursor', 'due_index', 'index', 'keyspace', 'number', 'values', 'waiting', 'watched')

    def __init__(self, keyspace: Keyspace, number: int) -> None:
        self.keyspace = keyspace
        self.number = number
        self.values: dict[bytes, Any] = {}
        self.deadlines: dict[bytes, int] = {}
        self.index = KeyIndex()
        self.due_index = KeyIndex()  # the keys of deadlines
        self.due_cursor = 0  # where the search for expired keys goes on
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
        if type(value) is not kind and not (kind is bytes and type(value) is bytearray):
            raise ReplyError(WRONG_TYPE)
        return value

    def read(self, key: bytes, kind: type) -> Any:
        """`get` for commands that only read: counted as a hit or a miss of the keyspace."""
        value = self.values.get(key)
        if value is None or (self.deadlines and self.expire_if_due(key)):
            self.missed(key)
            return None
        self.keyspace.hits += 1
        if type(value) is not kind and not (kind is bytes and type(value) is bytearray):
            raise ReplyError(WRONG_TYPE)
        return value

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

    def missed(self, key: bytes) -> None:
        self.keyspace.misses += 1
        if self.keyspace.observed:
            self.keyspace.notifier.notify(self.number, key, b'keymiss')

    def get_or_create(self, key: bytes, kind: type) -> Any:
        """The value of key, a new empty one of that kind if there is none. Raises WRONGTYPE."""
        value = self.get(key, kind)
        if value is None:
            value = kind()
            self.put(key, value)
        return value

    def put(self, key: bytes, value: Any) -> None:
        """Store a value and leave the deadline as it is. `changed` is the caller's to say."""
        if key not in self.values:
            self.index.add(key)
            if self.keyspace.observed:
                self.keyspace.notifier.notify(self.number, key, b'new')
        self.values[key] = value

    def set(self, key: bytes, value: Any) -> None:
        """Store a value that has no deadline, whatever was there before. `changed` is the caller's to say."""
        if self.deadlines and not self.expire_if_due(key):
            self.clear_deadline(key)
        if key not in self.values:
            self.index.add(key)
            if self.keyspace.observed:
                self.keyspace.notifier.notify(self.number, key, b'new')
        self.values[key] = value

    def remove(self, key: bytes, event: bytes) -> bool:
        """Remove a key that is not past its deadline; False if there is none."""
        if key not in self:
            return False
        self._drop(key)
        self.changed(key, event)
        return True

    def remove_empty(self, key: bytes) -> None:
        """Remove a key whose value has lost its last member. That it has was said with `changed`: it counts once."""
        self._drop(key)
        if self.keyspace.observed:
            self.keyspace.notifier.notify(self.number, key, b'del')

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

    def touch(self, key: bytes) -> None:
        """Tell a key's watchers, and who waits for a value of its kind."""
        for watcher in self.watched.get(key, ()):
            watcher.watch_broken = True
        if self.waiting and (key, type(self.values.get(key))) in self.waiting:
            self.keyspace.ready.append((self, key))

    def deadline_of(self, key: bytes) -> int | None:
        return self.deadlines.get(key)

    def set_deadline(self, key: bytes, deadline_ms: int) -> None:
        """Let a key that is there expire at a Unix time in ms."""
        if key not in self.deadlines:
            self.due_index.add(key)
        self.deadlines[key] = deadline_ms

    def clear_deadline(self, key: bytes) -> bool:
        """Let a key live for ever; False if it had no deadline."""
        if self.deadlines.pop(key, None) is None:
            return False
        self.due_index.remove(key)
        return True

    def expire_if_due(self, key: bytes) -> bool:
        """Remove the key if it is past its deadline; whether it was."""
        deadline_ms = self.deadlines.get(key)
        if deadline_ms is None or deadline_ms >= self.keyspace.now_ms:
            return False
        keyspace = self.keyspace
        self._drop(key)
        keyspace.expired += 1
        if keyspace.observed:
            self.touch(key)
            keyspace.notifier.notify(self.number, key, b'expired')
        return True

    def clear(self) -> int:
        """Remove all keys; how many there were."""
        for key in self.watched:
            if key in self.values:
                self.touch(key)
        removed = len(self.values)
        # New objects: dropping a large dict by reference is for whoever holds it last.
        self.values = {}
        self.deadlines = {}
        self.index = KeyIndex()
        self.due_index = KeyIndex()
        self.keyspace.dirty += removed
        return removed

    def watched_touched_by(self, other: 'Database') -> None:
        """Break the watch of every key that is in this database or in the other: their contents change places."""
        for key, watchers in self.watched.items():
            if key in self or key in other:
                for watcher in watchers:
                    watcher.watch_broken = True

    def watch(self, key: bytes, watcher: Watcher) -> None:
        self.expire_if_due(key)  # a key that is past its deadline now is watched as absent
        self.watched.setdefault(key, {})[watcher] = None
        self.keyspace.observe(+1)

    def unwatch(self, key: bytes, watcher: Watcher) -> None:
        watchers = self.watched[key]
        del watchers[watcher]
        if not watchers:
            del self.watched[key]
        self.keyspace.observe(-1)

    def wait(self, key: bytes, kind: type, waiter: Waiter) -> None:
        """Enter a waiter behind those that wait for key already."""
        waiters = self.waiting.get((key, kind))
        if waiters is None:
            waiters = self.waiting[key, kind] = OrderedDict()
        waiters[waiter] = None
        self.keyspace.observe(+1)

    def unwait(self, key: bytes, kind: type, waiter: Waiter) -> None:
        waiters = self.waiting[key, kind]
        del waiters[waiter]
        if not waiters:
            del self.waiting[key, kind]
        self.keyspace.observe(-1)

    def _drop(self, key: bytes) -> None:
        del self.values[key]
        self.index.remove(key)
        if self.deadlines:
            self.clear_deadline(key)
