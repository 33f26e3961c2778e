"""What RENAME, COPY and their like mean for those who wait and watch, and for the values themselves."""

import pytest

from selredis.values.digest import MIXERS
from selredis.values.encoding import NAMES
from selredis.values.kinds import STRING_KINDS, TYPE_NAMES, copy_of
from selredis.values.list import List
from selredis.values.size import OF_CONTAINERS


@pytest.mark.parametrize(
    ('commands', 'left'),
    [
        (['RENAME source q'], [b'2', b'3']),
        (['RENAMENX source q'], [b'2', b'3']),
        (['SET q text', 'RENAME source q'], [b'2', b'3']),
        (['COPY source q'], [b'2', b'3']),
        (['SET q text', 'COPY source q REPLACE'], [b'2', b'3']),
        (['RENAME source other', 'RENAME other q'], [b'2', b'3']),
    ],
)
def test_who_waits_is_served_by_whatever_makes_the_key_a_list(clients, commands, left):
    waiting, other = clients(2)
    waiting('BLPOP', 'q', '0')
    other('RPUSH', 'source', '1', '2', '3')
    for command in commands:
        assert waiting.take() == []
        other(*command.split())
    assert waiting.take() == [[b'q', b'1']]
    assert other('LRANGE', 'q', '0', '-1') == left


@pytest.mark.parametrize('command', ['MOVE q 1', 'COPY q q DB 1', 'SWAPDB 0 1'])
def test_who_waits_in_another_database_is_served_by_what_is_brought_there(clients, command):
    waiting, other = clients(2)
    waiting('SELECT', '1')
    waiting('BLPOP', 'q', '0')
    other('RPUSH', 'q', '1', '2')
    other(*command.split())
    assert waiting.take()[-1] == [b'q', b'1']
    assert waiting('LRANGE', 'q', '0', '-1') == [b'2']


def test_several_who_wait_are_served_in_order_of_arrival_by_one_rename(clients):
    first, second, third, other = clients(4)
    for client in (first, second, third):
        client('BLPOP', 'q', '0')
    other('RPUSH', 'source', '1', '2')
    other('RENAME', 'source', 'q')
    assert (first.take(), second.take(), third.take()) == ([[b'q', b'1']], [[b'q', b'2']], [])
    assert other('EXISTS', 'q') == 0


@pytest.mark.parametrize(
    ('command', 'told'),
    [
        ('RENAME source target', {'source', 'target'}),
        ('RENAME source none', {'source', 'none'}),
        ('RENAMENX source none', {'source', 'none'}),
        ('RENAMENX source target', set()),
        ('RENAME source source', set()),
        ('COPY source target REPLACE', {'target'}),
        ('COPY source none', {'none'}),
        ('COPY source target', set()),
        ('COPY source target DB 1', set()),
        ('MOVE source 1', {'source'}),
        ('DEL source none', {'source'}),
        ('EXPIRE source 1000', {'source'}),
        ('EXPIRE source 0', {'source'}),
        ('EXPIRE source 1000 XX', set()),
        ('PERSIST source', set()),
        ('TOUCH source', set()),
        ('FLUSHDB', {'source', 'target'}),
        ('FLUSHALL', {'source', 'target'}),
        ('SWAPDB 0 1', {'source', 'target'}),
        ('SWAPDB 0 0', set()),
    ],
)
def test_who_watches_is_told_of_what_has_changed(clients, command, told):
    watchers = dict(zip(('source', 'target', 'none'), clients(3), strict=True))
    (other,) = clients(1)
    other('MSET', 'source', 'text', 'target', 'text')
    for key, watcher in watchers.items():
        watcher('WATCH', key)
    other(*command.split())
    assert {key for key, watcher in watchers.items() if watcher.client.watch_broken} == told


@pytest.mark.parametrize('command', ['RENAME a b', 'COPY a b REPLACE', 'MOVE a 1'])
def test_a_rename_a_copy_a_move_is_one_change(engine, client, command):
    client('MSET', 'a', '1', 'b', '2')
    before = engine.keyspace.dirty
    client(*command.split())
    assert engine.keyspace.dirty == before + 1


def test_what_is_removed_counts(engine, client):
    client('MSET', 'a', '1', 'b', '2', 'c', '3')
    before = engine.keyspace.dirty
    client('DEL', 'a', 'none', 'a')
    client('FLUSHALL')
    client('SWAPDB', '0', '1')
    assert engine.keyspace.dirty == before + 1 + 2 + 1


@pytest.mark.parametrize('command', ['RENAME a b', 'COPY a b REPLACE'])
def test_the_deadline_goes_with_the_value(clock, client, command):
    client('SET', 'a', 'v', 'PX', '100')
    client('SET', 'b', 'v', 'PX', '5')
    client(*command.split())
    clock.advance(6)
    assert client('PTTL', 'b') == 94
    clock.advance(95)
    assert client('EXISTS', 'b') == 0


def test_a_deadline_stays_behind_with_nobody(clock, client):
    client('SET', 'a', 'v')
    client('SET', 'b', 'v', 'PX', '5')
    client('RENAME', 'a', 'b')
    client('SET', 'a', 'v')
    clock.advance(6)
    assert client('EXISTS', 'a', 'b') == 2


def test_a_copy_is_a_value_of_its_own():
    for value in (bytearray(b'text'), List([b'a', b'b'])):
        copied = copy_of(value)
        assert type(copied) is type(value)
        assert copied is not value
        assert list(copied) == list(value)
    assert copy_of(b'text') == b'text'


def test_every_kind_of_value_is_known_to_all_that_ask():
    kinds = set(TYPE_NAMES)
    assert kinds == set(NAMES) == set(MIXERS) == set(OF_CONTAINERS) | STRING_KINDS


def test_keys_of_a_large_database_are_removed_in_one_command(engine, client):
    keys = [f'k{number}' for number in range(2000)]
    client('MSET', *(word for key in keys for word in (key, 'v')))
    assert client('DEL', *keys) == 2000
    assert client('DBSIZE') == 0
    assert len(engine.keyspace.databases[0].index) == 0


def test_a_flushed_database_is_empty_at_once_and_its_memory_follows(engine, client):
    client('MSET', *(word for number in range(12_000) for word in (number, 'v')))
    client('FLUSHALL')
    assert client('DBSIZE') == 0
    assert client('KEYS', '*') == []
    assert client('SCAN', '0') == [b'0', []]
    assert engine.keyspace.discarded.containers
    assert not engine.expire_some()
    assert not engine.keyspace.discarded.containers
    client('MSET', *(word for number in range(12_000) for word in (number, 'v')))
    client('FLUSHDB', 'SYNC')
    assert not engine.keyspace.discarded.containers
