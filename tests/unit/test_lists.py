"""Lists: time, what a command counts as, and what it leaves behind. What they answer is in transcripts/lists."""

import pytest

from selredis.commands.lists import span


@pytest.fixture
def db(engine):
    return engine.keyspace.databases[0]


@pytest.mark.parametrize(
    ('start', 'stop', 'length', 'expected'),
    [
        (0, -1, 3, (0, 3)),
        (0, 0, 3, (0, 1)),
        (-2, -1, 3, (1, 3)),
        (-100, 100, 3, (0, 3)),
        (1, 1, 3, (1, 2)),
        (2, 1, 3, (0, 0)),
        (3, 5, 3, (0, 0)),
        (0, -4, 3, (0, 0)),
        (-(2**63), 2**63 - 1, 3, (0, 3)),
        (2**63 - 1, -(2**63), 3, (0, 0)),
        (0, -1, 0, (0, 0)),
    ],
)
def test_span(start, stop, length, expected):
    assert span(start, stop, length) == expected


@pytest.mark.parametrize(
    ('command', 'count'),
    [
        ('LPUSH q x', 1),
        ('RPUSH q x y z', 3),
        ('LPUSHX q x y', 2),
        ('RPUSHX none x y', 0),
        ('LPOP q', 1),
        ('RPOP q 2', 2),
        ('LPOP q 100', 4),
        ('LPOP none', 0),
        ('LMPOP 1 q LEFT COUNT 3', 3),
        ('BLMPOP 0 1 q LEFT COUNT 100', 4),
        ('BLPOP q 0', 1),
        ('LMOVE q other LEFT LEFT', 1),
        ('RPOPLPUSH one other', 1),
        ('BLMOVE q q LEFT RIGHT 0', 1),
        ('LSET q 0 x', 1),
        ('LINSERT q BEFORE a x', 1),
        ('LINSERT q BEFORE none x', 0),
        ('LREM q 0 a', 2),
        ('LREM q 1 a', 1),
        ('LREM q 0 none', 0),
        ('LTRIM q 1 2', 2),
        ('LTRIM q 0 -1', 0),
        ('LTRIM q 5 6', 4),
        ('LRANGE q 0 -1', 0),
    ],
)
def test_each_element_that_comes_or_goes_counts_as_a_change(client, engine, command, count):
    client('RPUSH', 'q', 'a', 'b', 'a', 'c')
    client('RPUSH', 'one', 'a')
    before = engine.keyspace.dirty
    client(*command.split())
    assert engine.keyspace.dirty - before == count


@pytest.mark.parametrize(
    'command',
    ['LPOP q', 'RPOP q 5', 'LMPOP 1 q LEFT', 'RPOPLPUSH q other', 'BLPOP q 0', 'LREM q 0 a', 'LTRIM q 1 0'],
)
def test_a_list_without_elements_is_gone_with_its_deadline(client, db, engine, command):
    client('RPUSH', 'q', 'a')
    db.set_deadline(b'q', engine.now_ms + 1000)
    client(*command.split())
    assert b'q' not in db
    client('RPUSH', 'q', 'b')
    assert db.deadline_of(b'q') is None


def test_a_list_past_its_deadline_is_not_there(client, db, engine, clock):
    client('RPUSH', 'q', 'a', 'b')
    db.set_deadline(b'q', engine.now_ms + 1000)
    clock.advance(1001)
    assert client('LPUSHX', 'q', 'c') == 0
    assert client('LPUSH', 'q', 'c') == 1
    assert client('LRANGE', 'q', 0, -1) == [b'c']


@pytest.mark.parametrize('command', ['LMOVE q text LEFT LEFT', 'RPOPLPUSH q text', 'BLMOVE q text LEFT LEFT 0'])
def test_a_move_that_cannot_arrive_takes_nothing(client, db, command):
    client('SET', 'text', 'x')
    client('RPUSH', 'q', 'a')
    assert client(*command.split()).startswith('WRONGTYPE')
    assert list(db.values[b'q']) == [b'a']


def test_a_list_that_was_read_does_not_change_what_was_read(client, engine, db):
    client('RPUSH', 'q', *range(200))
    elements = db.values[b'q'].range(0, 200)
    client('LPOP', 'q', 100)
    client('LSET', 'q', 0, 'new')
    assert elements == [b'%d' % number for number in range(200)]


def test_a_list_trimmed_to_nothing_is_freed_in_slices(client, engine):
    client('RPUSH', 'q', *range(20_000))
    client('LTRIM', 'q', 1, 0)
    assert client('LLEN', 'q') == 0
    assert [len(container) for container in engine.keyspace.discarded.containers] == [20_000]


def test_commands_that_only_read_count_hits_and_misses(client, engine):
    client('RPUSH', 'q', 'a')
    keyspace = engine.keyspace
    for command in ('LLEN {}', 'LRANGE {} 0 -1', 'LINDEX {} 0', 'LPOS {} a'):
        hits, misses = keyspace.hits, keyspace.misses
        client(*command.format('q').split())
        client(*command.format('none').split())
        assert (keyspace.hits, keyspace.misses) == (hits + 1, misses + 1)


def test_commands_that_write_count_neither_hits_nor_misses(client, engine):
    for command in ('RPUSH q a', 'LPOP q', 'LPOP q', 'LREM q 0 a', 'LTRIM q 0 1', 'LMOVE q r LEFT LEFT', 'LSET q 0 x'):
        client(*command.split())
    assert (engine.keyspace.hits, engine.keyspace.misses) == (0, 0)
