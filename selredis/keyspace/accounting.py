"""Databases that keep books: of the memory that they take, of the uses of their keys, or of both.

A server that needs neither pays nothing for them, not even a test: its databases are of the plain class, and become of
another one, with the same attributes, when books begin to be kept (`keep_books`).
"""

from typing import Any

from selredis.keyspace.database import Cause, Database, Keyspace, as_kind
from selredis.keyspace.freeing import LARGE
from selredis.keyspace.memory import INDEX_BYTES, NUMBER_BYTES
from selredis.values.hash import Hash
from selredis.values.size import string_bytes


class MeasuredDatabase(Database):
    """Enters what it takes in the keyspace's account."""

    __slots__ = ()

    def put(self, key: bytes, value: Any) -> None:
        old = self.values.get(key)
        try:
            super().put(key, value)
            self._enter(key, old, value)
        except BaseException:
            if self.values.get(key) is not old:
                self._measure_again()
            raise

    def set(self, key: bytes, value: Any, event: bytes = b'set') -> None:
        if self.deadlines and not self.expire_if_due(key):
            self.clear_deadline(key)
        old = self.values.get(key)
        try:
            super().set(key, value, event)
            self._enter(key, old, value)
        except BaseException:
            if self.values.get(key) is not old:
                self._measure_again()
            raise

    def _measure_again(self) -> None:
        """Count all keys, after an entry in the account that may have been made by half."""
        self.keyspace.memory.measure(self.keyspace.databases)

    def _recount(self, key: bytes, value: Any, event: bytes) -> None:
        """Enter that a value has changed which is the same object as before."""
        try:
            self.keyspace.memory.recount(self, key, value, event)
        except BaseException:
            self._measure_again()
            raise

    def _enter(self, key: bytes, old: Any, value: Any) -> None:
        """Enter a value that has taken the place of another one, or of None."""
        memory = self.keyspace.memory
        if type(old) is bytes and type(value) is bytes:  # most often
            change = string_bytes(len(value)) - string_bytes(len(old)) if len(old) != len(value) else 0
        elif old is None:
            change = memory.stored(self, key, value) + INDEX_BYTES + string_bytes(len(key))
        else:
            less = memory.gone(self, key, old)
            change = memory.stored(self, key, value) - less
        if change:
            memory.add(self, change)

    def _remove(self, key: bytes, cause: Cause, lazy_above: int = LARGE, *, indexed: bool = True) -> Any:
        try:
            self._leave(key)
            return super()._remove(key, cause, lazy_above, indexed=indexed)
        except BaseException:
            self._measure_again()
            raise

    def withdraw(self, key: bytes) -> None:
        super().withdraw(key)
        self.sizes.pop(key, None)
        self.counts.pop(key, None)

    def settle(self, key: bytes) -> None:
        super().settle(key)
        value = self.values.get(key)
        if value is not None and type(value) is not bytes and type(value) is not int:
            self._recount(key, value, b'')

    def _leave(self, key: bytes) -> None:
        """Enter that a key is about to go."""
        memory = self.keyspace.memory
        less = INDEX_BYTES + string_bytes(len(key)) + memory.gone(self, key, self.values[key])
        if key in self.deadlines:
            less += NUMBER_BYTES
        memory.add(self, -less)

    def changed(self, key: bytes, event: bytes, count: int = 1) -> None:
        super().changed(key, event, count)
        value = self.values.get(key)
        if value is not None and type(value) is not bytes and type(value) is not int:
            self._recount(key, value, event)

    def changed_aside(self, key: bytes, event: bytes | None, count: int = 1) -> None:
        super().changed_aside(key, event, count)
        self._recount(key, self.values[key], event or b'')

    def set_deadline(self, key: bytes, deadline_ms: int) -> None:
        had_one = key in self.deadlines
        try:
            super().set_deadline(key, deadline_ms)
            if not had_one:
                self.keyspace.memory.add(self, NUMBER_BYTES)
        except BaseException:
            if (key in self.deadlines) != had_one:
                self._measure_again()
            raise

    def clear_deadline(self, key: bytes) -> bool:
        try:
            had_one = super().clear_deadline(key)
            if had_one:
                self.keyspace.memory.add(self, -NUMBER_BYTES)
        except BaseException:
            self._measure_again()
            raise
        return had_one

    def fields_expired(self, key: bytes, fields: Hash, gone: list[bytes]) -> None:
        super().fields_expired(key, fields, gone)
        if self.values.get(key) is fields:
            self._recount(key, fields, b'hexpired')

    def clear(self, lazy_above: int = LARGE) -> None:
        self.keyspace.memory.add(self, -self.used)
        super().clear(lazy_above)
        self.sizes = {}
        self.counts = {}
        self.keyspace.memory.follow_tables(self.keyspace.databases, shrink_only=True)


class NotedDatabase(Database):
    """Notes uses of its keys: what commands read that only read, and what others change."""

    __slots__ = ()

    def read(self, key: bytes, kind: type) -> Any:
        # Not by way of the plain class: that would cost a GET another tenth.
        value = self.values.get(key)
        if value is None or (self.deadlines and self.expire_if_due(key)):
            self.missed(key)
            return None
        keyspace = self.keyspace
        keyspace.hits += 1
        keyspace.uses.note(self, key)
        return value if type(value) is kind else as_kind(value, kind)

    def read_any(self, key: bytes) -> Any:
        value = super().read_any(key)
        if value is not None:
            self.keyspace.uses.note(self, key)
        return value

    def put(self, key: bytes, value: Any) -> None:
        known = key in self.values
        super().put(key, value)
        if not known:
            uses = self.keyspace.uses
            uses.note_new(self, key)
            uses.fresh = key

    def set(self, key: bytes, value: Any, event: bytes = b'set') -> None:
        known = key in self
        super().set(key, value, event)
        if known:
            self.keyspace.uses.note(self, key)
        else:
            self.keyspace.uses.note_new(self, key)

    def changed(self, key: bytes, event: bytes, count: int = 1) -> None:
        super().changed(key, event, count)
        uses = self.keyspace.uses
        if uses.fresh is not None and uses.fresh is key:
            uses.fresh = None
        elif key in self.values:
            uses.note(self, key)

    def _remove(self, key: bytes, cause: Cause, lazy_above: int = LARGE, *, indexed: bool = True) -> Any:
        self.uses.pop(key, None)
        return super()._remove(key, cause, lazy_above, indexed=indexed)

    def clear(self, lazy_above: int = LARGE) -> None:
        super().clear(lazy_above)
        if len(self.uses) > lazy_above:
            self.keyspace.discarded.add(self.uses)
        self.uses = {}


class MeasuredNotedDatabase(MeasuredDatabase, NotedDatabase):
    __slots__ = ()


CLASSES = {
    (False, False): Database,
    (True, False): MeasuredDatabase,
    (False, True): NotedDatabase,
    (True, True): MeasuredNotedDatabase,
}


def keep_books(keyspace: Keyspace) -> None:
    """Have the databases keep the books that the keyspace needs now, and no others."""
    kind = CLASSES[keyspace.memory.measured, keyspace.uses.noted]
    for db in keyspace.databases:
        db.__class__ = kind
