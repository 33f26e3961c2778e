"""Counters: which strings are numbers, and where numbers end."""

import pytest

from selredis.numeric import INT64_MAX, INT64_MIN

NOT_AN_INTEGER = 'ERR value is not an integer or out of range'
OVERFLOW = 'ERR increment or decrement would overflow'


@pytest.fixture
def db(engine):
    return engine.keyspace.databases[0]


def test_a_key_that_is_not_there_counts_as_0(client):
    assert client('INCR', 'a') == 1
    assert client('DECR', 'b') == -1
    assert client('INCRBY', 'c', '5') == 5
    assert client('DECRBY', 'd', '5') == -5
    assert client('INCRBYFLOAT', 'e', '0.5') == b'0.5'


# Around the plain case of INCR: positive, below 18 digits.
@pytest.mark.parametrize(
    'number', [-(10**18), -10, -2, -1, 0, 1, 9, 99, 1023, 10**17 - 2, 10**17 - 1, 10**17, 10**18 - 1, INT64_MAX - 1]
)
def test_incr_adds_one(client, number):
    client('SET', 'n', number)
    assert client('INCR', 'n') == number + 1
    assert client('GET', 'n') == b'%d' % (number + 1)


def test_the_sum_must_fit_into_64_bits(client):
    client('SET', 'n', INT64_MAX)
    assert client('INCR', 'n') == OVERFLOW
    assert client('INCRBY', 'n', INT64_MAX) == OVERFLOW
    assert client('DECRBY', 'n', '-1') == OVERFLOW
    assert client('GET', 'n') == b'%d' % INT64_MAX
    client('SET', 'n', INT64_MIN)
    assert client('DECR', 'n') == OVERFLOW
    assert client('INCRBY', 'n', INT64_MIN) == OVERFLOW
    assert client('INCRBY', 'n', INT64_MAX) == -1


def test_the_lowest_number_cannot_be_subtracted(client, db):
    assert client('DECRBY', 'n', INT64_MIN) == 'ERR decrement would overflow'
    assert not db.values


@pytest.mark.parametrize('text', [b'', b' 1', b'1 ', b'+1', b'01', b'-0', b'1_0', b'1.0', b'1\0', b'\xd9\xa1', b'x'])
def test_what_redis_would_not_write_is_no_number(client, text):
    client('SET', 'n', text)
    for words in (['INCR', 'n'], ['DECR', 'n'], ['INCRBY', 'n', '1'], ['DECRBY', 'n', '1']):
        assert client(*words) == NOT_AN_INTEGER
    assert client('GET', 'n') == text


def test_a_number_put_together_in_place_can_be_increased(client, db):
    client('SET', 'n', '1')
    client('APPEND', 'n', '9')
    assert client('INCR', 'n') == 20
    assert type(db.values[b'n']) is int
    client('APPEND', 'n', '.5')
    assert client('INCRBYFLOAT', 'n', '1') == b'21.5'
    assert client('GET', 'n') == b'21.5'


def test_increments_are_told_as_incrby(client, clients, engine):
    (listener,) = clients(1)
    engine.keyspace.notify_classes(frozenset('E$'))
    engine.pubsub.subscribe(listener.client, b'__keyevent@0__:incrby')
    engine.pubsub.subscribe(listener.client, b'__keyevent@0__:incrbyfloat')
    client.pipeline('INCR n', 'INCR n', 'DECRBY n 5', 'INCRBYFLOAT n 1')
    assert [message[1] for message in listener.take()] == [b'__keyevent@0__:incrby'] * 3 + [
        b'__keyevent@0__:incrbyfloat'
    ]


def test_a_counter_is_a_string_to_every_other_command(client, db):
    client('SET', 'n', '9')
    client('INCR', 'n')
    assert type(db.values[b'n']) is int
    assert client('GET', 'n') == b'10'
    assert client('MGET', 'n', 'nope') == [b'10', None]
    assert client('STRLEN', 'n') == 2
    assert client('GETRANGE', 'n', 0, 0) == b'1'
    assert client('TYPE', 'n') == 'string'
    assert client('OBJECT', 'ENCODING', 'n') == b'int'
    assert client('LCS', 'n', 'n') == b'10'
    assert client('COPY', 'n', 'm') == 1
    assert client('GETSET', 'm', 'x') == b'10'
    client('SET', 'plain', '10')
    assert client('DEBUG', 'DIGEST-VALUE', 'n') == client('DEBUG', 'DIGEST-VALUE', 'plain')
    assert client('LPUSH', 'n', 'x').startswith('WRONGTYPE')
    assert client('APPEND', 'n', '0') == 3
    assert client('INCR', 'n') == 101
    assert client('GETDEL', 'n') == b'101'


def test_a_counter_stays_within_64_bits(client):
    client('SET', 'n', 2**63 - 2)
    assert client('INCR', 'n') == 2**63 - 1
    assert client('INCR', 'n') == 'ERR increment or decrement would overflow'
    assert client('GET', 'n') == b'%d' % (2**63 - 1)


def test_a_counter_expires(client, clock):
    client('INCR', 'n')
    client('INCR', 'n')
    client('PEXPIRE', 'n', 10)
    clock.advance(11)
    assert client('INCR', 'n') == 1
