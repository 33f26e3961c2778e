"""What holds of an engine between turns, whatever its clients have said."""

from sys import getsizeof
from typing import Any

from selredis.engine.client import Client
from selredis.engine.engine import Engine
from selredis.engine.slowlog import entry_bytes
from selredis.keyspace.database import Database, Gone
from selredis.keyspace.memory import INDEX_BYTES, NUMBER_BYTES
from selredis.values.buckets import Buckets
from selredis.values.hash import Deadlines, Hash
from selredis.values.kinds import STRING_KINDS, TYPE_NAMES
from selredis.values.set import Set
from selredis.values.size import FEW_NAMERS, size_of, string_bytes, strings_bytes
from selredis.values.stream import Stream

MAY_BE_EMPTY = (Stream,)


def check_invariants(engine: Engine) -> None:
    """Look at all tables. AssertionError if two of them disagree, or something is left in one that should be gone."""
    assert not engine.to_flush
    assert not engine.runnable
    assert not engine.doomed
    assert not engine.keyspace.ready
    for db in engine.keyspace.databases:
        check_keys(db)
    clients = list(engine.clients.values())
    for client in clients:
        check_client(engine, client)
    check_observers(engine, clients)
    check_subscriptions(engine, clients)
    check_tracking(engine, clients)
    check_pause(engine)
    check_client_eviction(engine)
    check_memory(engine)
    check_kept_bytes(engine, clients)


def check_keys(db: Database) -> None:
    index = db.index
    keys = [key for bucket in index.buckets for key in bucket]
    assert sorted(keys) == sorted(db.values)
    check_buckets(index)
    assert len(index.due_times) == len(index.buckets)
    assert sorted(index.scan(0, 2 * len(keys) + 1)[1]) == sorted(keys)
    assert db.deadlines.keys() <= db.values.keys()
    for slot, bucket in enumerate(index.buckets):
        for key in bucket:
            if key in db.deadlines:
                assert index.due_times.bound(slot) <= db.deadlines[key], key
    for key, value in db.values.items():
        assert type(value) in TYPE_NAMES, (key, value)
        if type(value) not in STRING_KINDS and type(value) not in MAY_BE_EMPTY:
            assert len(value), f'a value without members at {key!r}'
        if isinstance(value, Stream):
            check_group_totals(key, value)
        if isinstance(value, Buckets):
            check_buckets(value)
        if isinstance(value, Hash) and value.deadlines is not None and value.deadlines.times:
            check_fields(db, key, value, value.deadlines)


def check_group_totals(key: bytes, stream: Stream) -> None:
    """A stream's totals are those of its groups."""
    totals, groups = stream.group_totals, stream.groups.values()
    names = [*stream.groups, *(name for group in groups for name in group.consumers)]
    assert totals.groups == len(groups), key
    assert totals.consumers == sum(len(group.consumers) for group in groups), key
    assert totals.pending == sum(len(group.pending) for group in groups), key
    assert totals.name_bytes == sum(map(len, names)), key
    assert all(group.totals is totals for group in groups), key


def check_buckets(table: Buckets[Any]) -> None:
    """Members are counted, and each is in its bucket; of a large set each has one lot."""
    members = [member for bucket in table.buckets for member in bucket]
    assert len(table) == len(members) == len(set(members))
    assert all(member in table.bucket_of(member) for member in members)
    if isinstance(table, Set) and table.mask:
        assert len(table.lots) == len(members) + len(table.gone)
        assert set(table.lots) == {*members, *table.gone}


def check_fields(db: Database, key: bytes, value: Hash, deadlines: Deadlines) -> None:
    """The deadlines of a hash's fields are those of fields that it has, and the database knows of the first."""
    first_ms = min(deadlines.times.values())
    assert deadlines.times.keys() <= set(value)
    assert len(deadlines.due) == len(value.buckets)
    assert value.due_ms() <= first_ms
    assert db.hashes_due is not None
    assert any(
        key in bucket and db.hashes_due.due_times.bound(slot) <= first_ms
        for slot, bucket in enumerate(db.hashes_due.buckets)
    )


def check_client(engine: Engine, client: Client) -> None:
    assert engine.clients[client.id] is client
    assert not client.doomed
    assert not client.queued
    assert not client.out
    assert not client.in_exec
    assert not client.unblocked
    assert (client.wait is not None) == (client in engine.blocked)
    assert client.halted or not client.pending, 'commands that nobody will run'
    gated, halted = client.gated, client.halted
    client.update_gated()
    client.update_halted()
    assert (client.gated, client.halted) == (gated, halted), client.describe()


def check_observers(engine: Engine, clients: list[Client]) -> None:
    """Watched and awaited keys: the databases and the clients know of the same ones."""
    keyspace = engine.keyspace
    assert set(engine.blocked) <= set(clients)
    watched = {(db, key, client) for db in keyspace.databases for key, who in db.watched.items() for client in who}
    assert watched == {(db, key, client) for client in clients for db, key in client.watched}
    waiting = {
        (db, key, kind, client)
        for db in keyspace.databases
        for (key, kind), who in db.waiting.items()
        for client in who
    }
    waits = [(client, client.wait) for client in clients if client.wait is not None]
    expected = {(wait.db, key, wait.kind, client) for client, wait in waits for key in wait.keys}
    expected |= {(wait.db, key, Gone, client) for client, wait in waits if wait.or_gone for key in wait.keys}
    assert waiting == expected
    for db in keyspace.databases:
        assert all(db.watched.values())
        assert all(db.waiting.values())
    assert set(keyspace.observed_databases) == {db for db in keyspace.databases if db.watched or db.waiting}
    observed = bool(watched or waiting or keyspace.invalidate is not None)
    assert keyspace.observed == (observed or bool(keyspace.notifier.classes))


def check_subscriptions(engine: Engine, clients: list[Client]) -> None:
    pubsub = engine.pubsub
    for registry, own in (
        (pubsub.channels, 'channels'),
        (pubsub.patterns, 'patterns'),
        (pubsub.shard_channels, 'shard_channels'),
    ):
        assert all(registry.values())
        subscribed = {(name, client) for name, who in registry.items() for client in who}
        assert subscribed == {(name, client) for client in clients for name in getattr(client, own)}
    assert pubsub.matchers.keys() == pubsub.patterns.keys()


def check_tracking(engine: Engine, clients: list[Client]) -> None:
    """Who tracks, and which prefixes; and who monitors is there."""
    table = engine.tracking
    tracking = {client: client.tracking for client in clients if client.tracking is not None}
    assert set(table.clients) == set(tracking)
    assert all(table.prefixes.values())
    tracked = {(prefix, client) for prefix, who in table.prefixes.items() for client in who}
    assert tracked == {(prefix, client) for client, state in tracking.items() for prefix in state.prefixes}
    assert table.items == sum(1 if isinstance(who, int) else len(who) for who in table.readers.values())
    assert not table.changed
    assert (engine.keyspace.invalidate is not None) == bool(table.readers or table.prefixes)
    assert set(engine.monitors) <= set(clients)


def check_pause(engine: Engine) -> None:
    """Nobody is held back without a pause."""
    pause = engine.pause
    gated = engine.gated
    engine.gate.update()
    assert engine.gated == gated
    assert engine.keyspace.keep_expired == pause.active
    assert pause.active or not pause.of_all
    for client in engine.blocked:
        assert client.wait is not None
        if client.wait.postponed:
            assert pause.active
            assert client.wait.timer is None


def check_client_eviction(engine: Engine) -> None:
    """What is known of clients is about those that are there, and adds up."""
    eviction = engine.client_eviction
    assert not eviction.due
    assert set(eviction._of) <= set(engine.clients.values())
    assert eviction.total_bytes == sum(eviction._of.values())
    assert eviction.limit_bytes or not eviction._of


def check_memory(engine: Engine) -> None:
    """Books are kept of all that is there and of nothing else, or not at all."""
    memory = engine.keyspace.memory
    assert memory.used == sum(db.used for db in engine.keyspace.databases)
    assert memory.measured or not memory.passed
    for db in engine.keyspace.databases:
        assert db.counts.keys() <= db.sizes.keys() <= db.values.keys()
        assert db.uses.keys() <= db.values.keys()
        assert engine.keyspace.uses.noted or not db.uses
        assert memory.measured or not (db.used or db.sizes)
        if memory.measured:
            assert db.sizes.keys() == {key for key, value in db.values.items() if type(value) not in (bytes, int)}
            check_account(db)


def check_account(db: Database) -> None:
    """What a database is said to take is what it takes when it is counted again.

    A value with many members is in the account by an estimate: its size is taken from there.
    """
    used = sum(string_bytes(len(key)) + INDEX_BYTES for key in db.values) + NUMBER_BYTES * len(db.deadlines)
    for key, value in db.values.items():
        counted = size_of(value)
        if type(value) not in (bytes, int):
            noted = db.sizes[key]
            if key not in db.counts:
                # The name of a field counts as long as few hashes refer to it, which others may change.
                shared = strings_bytes(list(value)) if isinstance(value, Hash) else 0
                assert abs(counted + NUMBER_BYTES - noted) <= shared, (key, value, noted, counted)
            counted = noted
        used += counted
    assert db.used == used


def check_kept_bytes(engine: Engine, clients: list[Client]) -> None:
    """What is counted of names that clients have the server keep, against a recount."""
    pubsub, table, slowlog = engine.pubsub, engine.tracking, engine.slowlog
    for client in clients:
        names = [*client.channels, *client.shard_channels, *client.patterns]
        assert client.subscribed_bytes == sum(map(len, names))
        assert client.watched_bytes == sum(len(key) for _, key in client.watched)
        if client.tracking is not None:
            assert client.tracking.prefix_bytes == sum(map(len, client.tracking.prefixes))
        if client.wait is not None:
            assert client.argument_bytes >= sum(map(len, client.wait.argv))
    registries = [pubsub.channels, pubsub.shard_channels, pubsub.patterns]
    assert pubsub.crowded == sum(max(len(who) - FEW_NAMERS, 0) for each in registries for who in each.values())
    watched = [who for db in engine.keyspace.databases for who in db.watched.values()]
    assert engine.keyspace.crowded == sum(max(len(who) - FEW_NAMERS, 0) for who in watched)
    assert table.key_bytes == sum(map(len, table.readers))
    assert table.set_bytes == sum(getsizeof(who) for who in table.readers.values() if isinstance(who, set))
    entries = slowlog.newest(len(slowlog))
    client_names = {entry.client_name for entry in entries}
    assert slowlog.used == sum(map(entry_bytes, entries)) + sum(map(len, client_names))


def check_deserted(engine: Engine) -> None:
    """`check_invariants` when all clients have gone."""
    check_invariants(engine)
    assert not engine.clients
    assert not engine.blocked
    assert not engine.monitors
    assert engine.pubsub.table_bytes() == 0
    assert not engine.tracking.prefixes
    assert not engine.keyspace.observed_databases
