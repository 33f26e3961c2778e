"""MEMORY: what keys and the server take."""

import sys

import pytest

from selredis.commands.memory import CLIENT_BYTES, LITTLE_BYTES
from selredis.keyspace.memory import INDEX_BYTES, NUMBER_BYTES
from selredis.process import Memory
from selredis.values.size import PLACE_BYTES


def test_usage_counts_the_key_its_value_and_its_deadline(client):
    client('SET', 'abc', '12345')
    usage = client('MEMORY', 'USAGE', 'abc')
    assert usage == INDEX_BYTES + PLACE_BYTES + 48 + 48
    client('EXPIRE', 'abc', '100')
    assert client('MEMORY', 'USAGE', 'abc') == usage + PLACE_BYTES + NUMBER_BYTES


def test_usage_of_a_value_with_members_is_from_a_sample(client):
    client('RPUSH', 'q', *['short'] * 99, 'x' * 100_000)
    assert client('MEMORY', 'USAGE', 'q') < 10_000
    assert client('MEMORY', 'USAGE', 'q', 'SAMPLES', '0') > 100_000
    assert client('MEMORY', 'USAGE', 'q', 'SAMPLES', '1000') > 100_000


def test_asking_is_no_use(client, engine):
    client('SET', 'abc', '12345')
    hits = engine.keyspace.hits
    client('MEMORY', 'USAGE', 'abc')
    client('MEMORY', 'USAGE', 'none')
    assert (engine.keyspace.hits, engine.keyspace.misses) == (hits, 0)


def test_stats_add_up(client, engine):
    client('HELLO', '3')
    client.pipeline('SET a 1', 'SET b 2 EX 100', 'SELECT 3', 'SET c 3')
    stats = client('MEMORY', 'STATS')
    assert stats[b'keys.count'] == 3
    values, deadlines = engine.keyspace.databases[0].values, engine.keyspace.databases[0].deadlines
    assert stats[b'db.0'] == {
        b'overhead.hashtable.main': sys.getsizeof(values) + 2 * INDEX_BYTES,
        b'overhead.hashtable.expires': sys.getsizeof(deadlines) + NUMBER_BYTES,
        b'overhead.hashtable.slot-to-keys': 0,
    }
    assert set(stats) >= {b'db.3', b'peak.allocated', b'fragmentation', b'startup.allocated'}
    assert stats[b'dataset.bytes'] + stats[b'overhead.total'] == stats[b'total.allocated']
    assert stats[b'total.allocated'] == stats[b'clients.normal'] + engine.memory.data_bytes()
    assert stats[b'keys.bytes-per-key'] == (stats[b'total.allocated'] - stats[b'startup.allocated']) // 3
    assert stats[b'peak.percentage'] <= 100


@pytest.mark.parametrize(
    ('resident', 'peak', 'said'),
    [(30, 30, 'Nothing is wrong'), (60, 30, 'Fragmentation'), (30, 60, 'Peak')],
)
def test_the_doctor(client, engine, monkeypatch, resident, peak, said):
    assert b'next to nothing' in client('MEMORY', 'DOCTOR')
    engine.memory.startup = Memory(resident=10 << 20, private=5 << 20, peak=5 << 20)
    now = Memory(resident=resident << 20, private=25 << 20, peak=peak << 20)
    monkeypatch.setattr('selredis.process.memory', lambda: now)
    client('SET', 'k', bytes(20 << 20))
    report = client('MEMORY', 'DOCTOR').decode()
    assert [word for word in ('Nothing is wrong', 'Peak', 'Fragmentation', 'Clients') if word in report] == [said]


def test_the_doctor_looks_at_clients(client, clients):
    client('SET', 'k', bytes(LITTLE_BYTES))
    assert b'Clients' not in client('MEMORY', 'DOCTOR')
    (slow,) = clients(1)
    slow.client.unsent_bytes = 3 * CLIENT_BYTES
    assert b'Clients' in client('MEMORY', 'DOCTOR')


def test_malloc_stats_are_of_the_process(client):
    assert client('MEMORY', 'MALLOC-STATS').startswith(b'allocator: ')


def test_purge_frees_what_was_laid_aside(client, engine):
    client('DEBUG', 'POPULATE', '20000')
    client('FLUSHALL')
    assert engine.keyspace.discarded.containers
    client('MEMORY', 'PURGE')
    assert not engine.keyspace.discarded.containers
    assert engine.keyspace.discarded.freed == 20_000
