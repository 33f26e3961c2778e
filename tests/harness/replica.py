"""A second engine that executes what another one propagates, and has the same data after every unit."""

from random import Random
from typing import Any

import selredis.commands  # noqa: F401  (importing it fills the command table)
from selredis.clock import Clock
from selredis.config import Config
from selredis.engine.client import Client
from selredis.engine.engine import Engine
from selredis.engine.lookup import find
from selredis.keyspace.database import Database, Effect
from selredis.log import Logger
from selredis.resp.reply import Error
from selredis.values.hash import Hash
from selredis.values.kinds import STRING_KINDS, text_of
from selredis.values.list import List
from selredis.values.set import Set
from selredis.values.sorted_set import SortedSet
from selredis.values.stream import Stream
from selredis.values.stream_block import LAST_ID


class Replica:
    """A sink of `source` that executes its effects on an engine of its own.

    Time stands still there at 0, so that nothing expires by itself: each key and field that is gone from the source
    must have been removed by an effect.
    """

    def __init__(self, source: Engine, clock: Clock, log: Logger) -> None:
        self.source = source
        self.engine = Engine(Config(), clock, Random(1), log)
        self.engine.keyspace.now_ms = 0
        self.client = Client(self.engine)
        self.units: list[list[Effect]] = []
        source.effects.add_sink(self.execute)

    def execute(self, unit: list[Effect]) -> None:
        """Execute a unit, then compare, unless more units of the same cause follow (keys that expire together)."""
        self.units.append(unit)
        multi, exec_ = unit[0][1] == (b'MULTI',), unit[-1][1] == (b'EXEC',)
        assert multi == exec_ == (len(unit) > 1)
        for number, argv, _ in unit[1:-1] if multi else unit:
            self.client.db = self.engine.keyspace.databases[number]
            command = find(self.engine.commands, argv)
            assert command is not None, argv
            assert command.takes(len(argv)), argv
            reply = self.engine.call(self.client, command, argv)
            assert not isinstance(reply, Error), (argv, reply)
        if not self.source.effects.entries:
            self.compare()

    def compare(self) -> None:
        """Raises AssertionError where the two engines' data differ."""
        mine, theirs = self.engine.keyspace.databases, self.source.keyspace.databases
        for copied, original in zip(mine, theirs, strict=True):
            found, expected = content(copied), content(original)
            differing = [key for key in found.keys() | expected.keys() if found.get(key) != expected.get(key)]
            for key in differing:
                raise AssertionError(
                    f'after {self.units[-1:]} {key!r} is {found.get(key)} and should be {expected.get(key)}'
                )


def content(db: Database) -> dict[bytes, Any]:
    """All that a database holds, expired keys included: by key its deadline and value, comparable."""
    return {key: (db.deadlines.get(key), value_content(value)) for key, value in db.values.items()}


def value_content(value: Any) -> Any:
    if type(value) in STRING_KINDS:
        return bytes(text_of(value))
    match value:
        case List():
            return [*value]
        case Set():
            return {*value}
        case SortedSet():
            return dict(value.items())
        case Hash():
            return {field: (value.get(field), value.deadline_of(field)) for field in value}
        case Stream():
            return stream_content(value)
    raise TypeError(type(value))


def stream_content(stream: Stream) -> Any:
    entries = stream.encoded(0, LAST_ID, 0)
    groups = {
        name: (
            group.last_id,
            group.entries_read,
            {*group.consumers},
            [(id_, given.consumer, given.time_ms, given.count) for id_, given in group.pending.items()],
        )
        for name, group in stream.groups.items()
    }
    return entries, stream.last_id, stream.entries_added, stream.max_deleted_id, groups
