"""HyperLogLogs in the keyspace: changed in place, and told of no more than Redis does."""

import pytest

from selredis.values import hyperloglog
from tests.unit.conftest import settle


@pytest.fixture
def db(engine):
    return engine.keyspace.databases[0]


@pytest.mark.parametrize('dense', [False, True])
def test_elements_are_added_in_place(client, db, dense):
    client('PFADD', 'k', 'a')
    if dense:
        client('PFDEBUG', 'TODENSE', 'k')
    buffer = db.values[b'k']
    client('PFADD', 'k', 'b', 'c')
    client('PFCOUNT', 'k')
    client('PFMERGE', 'k', 'none')
    assert db.values[b'k'] is buffer
    assert client('PFCOUNT', 'k') == 3


def test_what_was_given_away_is_not_changed(client):
    client('PFADD', 'k', 'a')
    text = client('GET', 'k')
    client('SET', 'other', text)
    client('PFADD', 'other', 'b')
    assert client('GET', 'k') == text
    assert client('PFCOUNT', 'other') == 2


def test_an_estimate_is_made_once_and_kept(client, engine):
    client('PFADD', 'k', 'a')
    dirty = engine.keyspace.dirty
    assert client('PFCOUNT', 'k') == 1
    assert engine.keyspace.dirty == dirty + 1
    assert client('PFCOUNT', 'k') == 1
    assert client('PFCOUNT', 'k', 'k') == 1
    assert engine.keyspace.dirty == dirty + 1


def test_to_count_breaks_a_watch_once(client, clients):
    (watcher,) = clients(1)
    client('PFADD', 'k', 'a')
    for broken in (True, False):
        watcher('WATCH', 'k')
        client('PFCOUNT', 'k')
        watcher('MULTI')
        assert watcher('EXEC') == (None if broken else [])


def test_every_element_that_changes_a_register_counts_as_a_change(client, engine):
    client('PFADD', 'k', 'a', 'b', 'a')
    assert engine.keyspace.dirty == 3  # the key is new, too
    client('PFADD', 'k', 'a', 'c')
    assert engine.keyspace.dirty == 4


def test_what_does_not_merge_changes_nothing(client, db):
    client('PFADD', 'k', 'a')
    client('SET', 'text', 'abc')
    before = bytes(db.values[b'k'])
    assert client('PFMERGE', 'k', 'k', 'text').startswith('WRONGTYPE Key is not a valid')
    assert client('PFMERGE', 'new', 'k', 'text').startswith('WRONGTYPE Key is not a valid')
    assert db.values[b'k'] == before
    assert b'new' not in db


def test_sizes_are_kept_account_of(client, db):
    client('CONFIG', 'SET', 'maxmemory', '100mb')
    before = db.used
    client('PFADD', 'k', 'a')
    client('PFDEBUG', 'TODENSE', 'k')
    assert db.used - before > 12_000
    client('SET', 'other', client('GET', 'k'))
    client('PFADD', 'other', 'b')
    assert db.used - before > 24_000
    client('DEL', 'k', 'other')
    assert db.used == before


def test_the_self_test_passes(client):
    assert client('PFSELFTEST') == 'OK'


def test_registers_are_shown(client):
    client('PFADD', 'k', 'a', 'b')
    registers = client('PFDEBUG', 'GETREG', 'k')
    assert len(registers) == 16384
    assert sorted(registers)[-3:] == [0, 1, 2]
    assert client('PFDEBUG', 'ENCODING', 'k') == 'dense'


def test_a_change_of_encoding_counts_and_breaks_no_watch(client, clients, engine):
    (watcher,) = clients(1)
    client('PFADD', 'k', 'a')
    watcher('WATCH', 'k')
    dirty = engine.keyspace.dirty
    client('PFDEBUG', 'TODENSE', 'k')
    assert engine.keyspace.dirty == dirty + 1
    watcher('MULTI')
    assert watcher('EXEC') == []


def test_after_many_merged_keys_others_have_their_turn(client, engine, clock, monkeypatch):
    client('PFADD', 'k', 'a')
    counted = hyperloglog.counted

    def slowly(registers):
        clock.advance(100)
        return counted(registers)

    monkeypatch.setattr(hyperloglog, 'counted', slowly)
    engine.run(client.client, [[b'PFCOUNT', b'k', b'l'], [b'PFCOUNT', b'l', b'k'], [b'PING']])
    assert client.client.pending
    settle(engine)
    assert client.take()[-3:] == [1, 1, 'PONG']
    client('MULTI')
    client('PFCOUNT', 'k', 'l')
    client('PFCOUNT', 'k', 'l')
    assert client('EXEC') == [1, 1]
    assert client('PING') == 'PONG'
