"""Members of sorted sets, one by one, with an engine alone; replies and errors are in the transcripts."""

from collections import Counter

import pytest


def test_a_deadline_that_is_over_makes_a_new_one(client, clock):
    client('ZADD', 'z', '1', 'old')
    client('PEXPIRE', 'z', '100')
    clock.advance(101)
    assert client('ZADD', 'z', '2', 'new') == 1
    assert client('ZRANGE', 'z', '0', '-1') == [b'new']
    assert client('TTL', 'z') == -1


def test_a_command_that_fails_leaves_nothing(client):
    client('ZADD', 'z', 'inf', 'a')
    client('ZADD', 'z', '1', 'b', 'x', 'c')
    client('ZINCRBY', 'z', '-inf', 'a')
    client('ZADD', 'absent', '1', 'b', 'x', 'c')
    client('ZINCRBY', 'absent', 'x', 'b')
    assert client('ZRANGE', 'z', '0', '-1') == [b'a']
    assert client('EXISTS', 'absent') == 0


@pytest.mark.parametrize(
    ('command', 'changes'),
    [
        ('ZADD z 1 a', 0),
        ('ZADD z 5 a', 1),
        ('ZADD z 5 a 6 b 7 c', 3),
        ('ZADD z NX 5 a', 0),
        ('ZADD z XX GT 0 a', 0),
        ('ZINCRBY z 0 a', 0),
        ('ZINCRBY z 1 a', 1),
        ('ZREM z a absent b', 2),
        ('ZPOPMIN z 2', 2),
        ('ZREMRANGEBYRANK z 0 -1', 2),
        ('ZREMRANGEBYRANK z 0 0', 1),
        ('ZRANGESTORE to z 0 -1', 1),
        ('ZUNIONSTORE to 1 z', 1),
    ],
)
def test_for_how_many_changes_it_counts(client, engine, command, changes):
    client('ZADD', 'z', '1', 'a', '2', 'b')
    before = engine.keyspace.dirty
    client(*command.split())
    assert engine.keyspace.dirty - before == changes


@pytest.mark.parametrize('command', ['ZREM z a b', 'ZPOPMAX z 9', 'ZREMRANGEBYSCORE z 1 2', 'ZMPOP 1 z MIN COUNT 2'])
def test_the_last_member_takes_the_key_with_it(client, command):
    client('ZADD', 'z', '1', 'a', '2', 'b')
    client('EXPIRE', 'z', '100')
    client(*command.split())
    assert client('EXISTS', 'z') == 0


def test_large_ones_are_removed_bit_by_bit(client, engine):
    for start in range(0, 12_000, 1_000):
        client('ZADD', 'z', *(word for number in range(start, start + 1_000) for word in (str(number), f'm{number}')))
    assert client('ZREMRANGEBYRANK', 'z', '0', '-1') == 12_000
    assert len(engine.keyspace.discarded.containers) == 1
    engine.keyspace.discarded.free()


# At random


def test_any_member_is_as_likely_as_another(client):
    client('ZADD', 'z', *(word for number in range(20) for word in ('1', str(number))))
    drawn = Counter(client('ZRANDMEMBER', 'z', '-4000'))
    assert len(drawn) == 20
    assert all(120 < count < 290 for count in drawn.values())


def test_a_positive_number_gives_different_ones(client):
    client('ZADD', 'z', *(word for number in range(300) for word in (str(number), f'm{number}')))
    for count in (1, 50, 299):
        drawn = client('ZRANDMEMBER', 'z', str(count))
        assert len(set(drawn)) == len(drawn) == count
    flat = client('ZRANDMEMBER', 'z', '10', 'WITHSCORES')
    assert [b'm%b' % score for score in flat[1::2]] == flat[::2]


# In steps


@pytest.mark.parametrize('count', [10, 200])
def test_a_scan_returns_all_with_their_scores(client, count):
    client('ZADD', 'z', *(word for number in range(1_000) for word in (str(number / 8), f'm{number}')))
    found: list[bytes] = []
    cursor = b'0'
    while True:
        cursor, some = client('ZSCAN', 'z', cursor.decode(), 'COUNT', str(count))
        found += some
        assert int(cursor) < 2**31
        if cursor == b'0':
            break
    scores = dict(zip(found[::2], found[1::2], strict=True))
    assert len(found) == 2_000
    assert {name: float(score) for name, score in scores.items()} == {
        b'm%d' % number: number / 8 for number in range(1_000)
    }


def test_a_scan_gives_all_digits_of_what_is_large(client):
    client('ZADD', 'z', '0.1', 'a')
    assert client('ZSCAN', 'z', '0') == [b'0', [b'a', b'0.1']]
    client('CONFIG', 'SET', 'zset-max-listpack-entries', '0')
    assert client('ZSCAN', 'z', '0') == [b'0', [b'a', b'0.10000000000000001']]
