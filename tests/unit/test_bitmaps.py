"""Bitmaps in the keyspace: large ones are changed where they are."""

import pytest


@pytest.fixture
def db(engine):
    return engine.keyspace.databases[0]


def test_a_bit_of_a_large_value_is_set_in_place(client, db):
    client('SET', 'k', bytes(100_000))
    client('SETBIT', 'k', 5, 1)
    buffer = db.values[b'k']
    assert type(buffer) is bytearray
    client('SETBIT', 'k', 799_999, 1)
    client('BITFIELD', 'k', 'SET', 'i64', 400_001, -1)
    client('SETBIT', 'k', 800_000, 1)
    assert db.values[b'k'] is buffer
    assert len(buffer) == 100_001
    assert client('BITCOUNT', 'k') == 1 + 1 + 64 + 1


def test_what_was_given_away_is_not_changed(client, db):
    client('SET', 'k', b'abc')
    before = db.values[b'k']
    client('SETBIT', 'k', 0, 1)
    assert before == b'abc'
    client('COPY', 'k', 'copy')
    client('SETBIT', 'k', 1, 0)
    assert client('GET', 'copy') == b'\xe1bc'


def test_a_bit_that_is_as_it_was_counts_as_no_change(client, engine):
    client('SETBIT', 'k', 9, 1)
    dirty = engine.keyspace.dirty
    client('SETBIT', 'k', 9, 1)
    client('BITFIELD', 'k', 'SET', 'u8', 8, 64)
    assert engine.keyspace.dirty == dirty
    client('BITFIELD', 'k', 'SET', 'u8', 8, 1, 'INCRBY', 'u8', 8, 1, 'INCRBY', 'u8', 8, 0)
    assert engine.keyspace.dirty == dirty + 2


def test_every_write_into_a_string_that_grew_counts_as_a_change(client, engine):
    client('BITFIELD', 'k', 'SET', 'u8', 8, 0, 'SET', 'u8', 0, 0)
    assert engine.keyspace.dirty == 2


def test_what_bitop_stores_is_a_value_of_its_own(client, db):
    client('SET', 'a', b'\x0f')
    client('BITOP', 'OR', 'b', 'a')
    client('SETBIT', 'b', 0, 1)
    assert client('GET', 'a') == b'\x0f'
    assert client('GET', 'b') == b'\x8f'


def test_what_is_wrong_changes_nothing(client, db):
    client('SET', 'k', b'abc')
    client('RPUSH', 'list', 'x')
    client('BITFIELD', 'k', 'SET', 'u8', 0, 1, 'SET', 'u8', 'x', 1)
    client('BITOP', 'NOT', 'k', 'list')
    assert db.values[b'k'] == b'abc'
    assert client('BITFIELD', 'none', 'SET', 'u8', 0, 'x') == 'ERR value is not an integer or out of range'
    assert b'none' not in db


@pytest.mark.parametrize(
    ('words', 'flags'),
    [
        ('GET u8 0', ['RO', 'access']),
        ('GET u8 0 OVERFLOW SAT', ['RO', 'access']),
        ('GET u8 0 SET u8 0 1', ['RW', 'access', 'update']),
        ('GET u8', ['RW', 'access', 'update']),
    ],
)
def test_bitfield_tells_whether_it_only_reads(client, words, flags):
    assert client('COMMAND', 'GETKEYSANDFLAGS', 'BITFIELD', 'k', *words.split()) == [[b'k', flags]]


def test_sizes_are_kept_account_of(client, engine, db):
    client('CONFIG', 'SET', 'maxmemory', '100mb')
    before = db.used
    client('SETBIT', 'k', 8_000_000, 1)
    assert db.used - before > 1_000_000
    client('BITFIELD', 'k', 'OVERFLOW', 'FAIL', 'SET', 'u8', 16_000_000, 256)
    assert db.used - before > 2_000_000
    client('DEL', 'k')
    assert db.used == before
