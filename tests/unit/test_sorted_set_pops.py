"""What takes members out of sorted sets and waits for them, with an engine alone."""

import pytest

from selredis.values.sorted_set import SortedSet


@pytest.mark.parametrize(
    ('command', 'keys'),
    [
        ('BZPOPMIN a b a 0', [b'a', b'b']),
        ('BZPOPMAX a 0', [b'a']),
        ('BZMPOP 0 2 b a MIN', [b'b', b'a']),
    ],
)
def test_what_is_waited_for(client, command, keys):
    assert client(*command.split()) == []
    wait = client.client.wait
    assert (wait.keys, wait.kind, wait.timer) == (keys, SortedSet, None)


@pytest.mark.parametrize('command', ['BZPOPMIN z 0.5', 'BZPOPMAX z 0.5', 'BZMPOP 0.5 1 z MIN'])
def test_waiting_ends_after_its_time(client, engine, clock, command):
    client(*command.split())
    clock.advance(499)
    engine.run_timers()
    assert client.take() == []
    clock.advance(1)
    engine.run_timers()
    assert client.take() == [None]


def test_the_timeout_is_looked_at_after_all_other_words(client):
    assert client('BZMPOP', 'soon', '1', 'z', 'MIDDLE') == 'ERR syntax error'
    assert client('BZMPOP', 'soon', '1', 'z', 'MIN') == 'ERR timeout is not a float or out of range'


def test_a_key_of_another_type_is_waited_for(clients):
    waiting, other = clients(2)
    other('RPUSH', 'z', 'element')
    assert waiting('BZPOPMIN', 'z', '0') == 'WRONGTYPE Operation against a key holding the wrong kind of value'
    waiting.received.clear()
    other('DEL', 'z')
    waiting('BZPOPMIN', 'z', '0')
    other('RPUSH', 'z', 'element')
    assert waiting.take() == []
    other('DEL', 'z')
    other('ZADD', 'z', '1', 'a')
    assert waiting.take() == [[b'z', b'a', b'1']]


def test_what_a_transaction_takes_back_is_not_there(clients):
    waiting, other = clients(2)
    waiting('BZPOPMIN', 'z', '0')
    other.pipeline('MULTI', 'ZADD z 1 a', 'DEL z', 'EXEC')
    assert waiting.take() == []
    other.pipeline('MULTI', 'ZADD z 1 a', 'DEL z', 'ZADD z 2 b', 'EXEC')
    assert waiting.take() == [[b'z', b'b', b'2']]


def test_they_are_served_in_order_of_arrival(clients):
    first, second, third, other = clients(4)
    first('BZPOPMAX', 'z', '0')
    second('BZMPOP', '0', '1', 'z', 'MIN', 'COUNT', '2')
    third('BZPOPMIN', 'z', '0')
    other('ZADD', 'z', '1', 'a', '2', 'b', '3', 'c')
    assert first.take() == [[b'z', b'c', b'3']]
    assert second.take() == [[b'z', [[b'a', b'1'], [b'b', b'2']]]]
    assert third.take() == []
    assert other('EXISTS', 'z') == 0


@pytest.mark.parametrize(
    'command',
    [
        'ZINCRBY z 1 a',
        'ZUNIONSTORE z 1 from',
        'ZINTERSTORE z 1 from',
        'ZDIFFSTORE z 1 from',
        'ZRANGESTORE z from 0 -1',
        'RENAME from z',
        'COPY from z',
    ],
)
def test_whatever_makes_a_sorted_set_wakes_them(clients, command):
    waiting, other = clients(2)
    other('ZADD', 'from', '1', 'a')
    waiting('BZPOPMIN', 'z', '0')
    other(*command.split())
    assert waiting.take() == [[b'z', b'a', b'1']]


def test_all_members_one_after_another(client):
    client('ZADD', 'z', *(word for number in range(2_000) for word in (str(number), f'm{number}')))
    low = [client('ZPOPMIN', 'z')[0] for _ in range(1_000)]
    high = [client('ZPOPMAX', 'z')[0] for _ in range(1_000)]
    assert low == [b'm%d' % number for number in range(1_000)]
    assert high == [b'm%d' % number for number in range(1_999, 999, -1)]
    assert client('EXISTS', 'z') == 0
