"""Ranges of sorted sets, with an engine alone: those that the transcripts are too short for."""

from math import inf

import pytest

NAMES = [b'm%04d' % number for number in range(2_000)]


@pytest.fixture
def many(client):
    """Two thousand members, two of each score; and as many of the same score."""
    client('ZADD', 'z', *(word for number in range(2_000) for word in (str(number // 2), f'm{number:04}')))
    client('ZADD', 'level', *(word for number in range(2_000) for word in ('0', f'm{number:04}')))
    return client


@pytest.mark.parametrize(
    ('command', 'found'),
    [
        ('ZRANGE z 1500 1502', NAMES[1500:1503]),
        ('ZRANGE z -3 -1', NAMES[-3:]),
        ('ZRANGE z 0 -1', NAMES),
        ('ZRANGE z 1500 1502 REV', NAMES[497:500][::-1]),
        ('ZRANGEBYSCORE z 700 701', NAMES[1400:1404]),
        ('ZRANGEBYSCORE z (700 (702', NAMES[1402:1404]),
        ('ZRANGEBYSCORE z 0 inf LIMIT 1234 3', NAMES[1234:1237]),
        ('ZREVRANGEBYSCORE z inf 0 LIMIT 1234 3', NAMES[763:766][::-1]),
        ('ZRANGEBYLEX level [m1700 (m1703', NAMES[1700:1703]),
        ('ZREVRANGEBYLEX level + - LIMIT 1990 100', NAMES[9::-1]),
        ('ZRANGE level (m0100 [m0102 BYLEX', NAMES[101:103]),
    ],
)
def test_deep_inside(many, command, found):
    assert many(*command.split()) == found


@pytest.mark.parametrize(
    ('command', 'count'),
    [
        ('ZCOUNT z 100 199', 200),
        ('ZCOUNT z (100 (199', 196),
        ('ZLEXCOUNT level [m0100 (m0200', 100),
        ('ZREMRANGEBYRANK z 500 1499', 1_000),
        ('ZREMRANGEBYSCORE z 100 199', 200),
        ('ZREMRANGEBYLEX level [m0100 (m0200', 100),
        ('ZRANGESTORE to z 500 1499', 1_000),
    ],
)
def test_how_many(many, command, count):
    assert many(*command.split()) == count


def test_what_is_kept_has_its_scores(many):
    many('ZRANGESTORE', 'to', 'z', '500', '503', 'REV')
    assert many('ZRANGE', 'to', '0', '-1', 'WITHSCORES') == [
        *(b'm1496', b'748', b'm1497', b'748', b'm1498', b'749', b'm1499', b'749')
    ]


def test_scores_with_members_are_pairs_in_resp3(client):
    client('HELLO', '3')
    client('ZADD', 'z', '1.5', 'a', 'inf', 'b')
    assert client('ZRANGE', 'z', '0', '-1', 'WITHSCORES') == [[b'a', 1.5], [b'b', inf]]


def test_reading_is_a_hit_or_a_miss(client, engine):
    client('ZADD', 'z', '1', 'a')
    client('ZRANGE', 'z', '0', '-1')
    client('ZCOUNT', 'absent', '0', '1')
    assert (engine.keyspace.hits, engine.keyspace.misses) == (1, 1)
