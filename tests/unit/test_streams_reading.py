"""XREAD and XREADGROUP in time: who waits, until when, and what is left behind."""

import pytest

from selredis.keyspace.database import Gone
from selredis.values.stream import Stream
from tests.unit.conftest import settle


@pytest.fixture
def db(engine):
    return engine.keyspace.databases[0]


@pytest.fixture
def nothing_waits(engine):
    """Holds that a test leaves no trace of its waits."""
    yield
    assert not engine.blocked
    assert not any(db.waiting for db in engine.keyspace.databases)
    assert not engine.keyspace.observed
    assert len(engine.timers) == 0


pytestmark = pytest.mark.usefixtures('nothing_waits')


def test_a_wait_ends_at_its_deadline(clients, clock, engine):
    (waiting,) = clients(1)
    waiting('XREAD', 'BLOCK', '500', 'STREAMS', 's', '$')
    clock.advance(499)
    engine.run_timers()
    assert waiting.take() == []
    clock.advance(1)
    engine.run_timers()
    assert waiting.take() == [None]


def test_the_last_id_is_the_one_that_there_was_when_the_wait_began(clients):
    waiting, adder = clients(2)
    adder('XADD', 's', '1-1', 'f', 'v')
    waiting('XREAD', 'BLOCK', '0', 'STREAMS', 's', 'none', '$', '$')
    assert waiting.client.wait.argv[-2:] == [b'1-1', b'0-0']
    adder.pipeline('MULTI', 'XADD s 1-2 f v', 'XADD s 1-3 f v', 'EXEC')
    assert waiting.take() == [[[b's', [[b'1-2', [b'f', b'v']], [b'1-3', [b'f', b'v']]]]]]


def test_all_who_wait_for_a_stream_are_given_what_comes(clients):
    *waiting, adder = clients(4)
    for peer in waiting:
        peer('XREAD', 'BLOCK', '0', 'STREAMS', 's', '0')
    adder('XADD', 's', '1-1', 'f', 'v')
    assert [peer.take() for peer in waiting] == [[[[b's', [[b'1-1', [b'f', b'v']]]]]]] * 3


def test_consumers_are_served_in_the_order_in_which_they_came(clients):
    *waiting, adder = clients(4)
    adder('XGROUP', 'CREATE', 's', 'g', '$', 'MKSTREAM')
    for number, peer in enumerate(waiting):
        peer('XREADGROUP', 'GROUP', 'g', f'c{number}', 'BLOCK', '0', 'COUNT', '1', 'STREAMS', 's', '>')
    adder.pipeline('MULTI', 'XADD s 1-1 f v', 'XADD s 1-2 f v', 'EXEC')
    assert [len(peer.take()) for peer in waiting] == [1, 1, 0]
    adder('XADD', 's', '1-3', 'f', 'v')
    assert waiting[2].take() == [[[b's', [[b'1-3', [b'f', b'v']]]]]]
    assert [row[1] for row in adder('XPENDING', 's', 'g', '-', '+', 10)] == [b'c0', b'c1', b'c2']


def test_who_waits_as_one_of_a_group_waits_for_its_end_too(client, db):
    client('XGROUP', 'CREATE', 's', 'g', '$', 'MKSTREAM')
    client('XREADGROUP', 'GROUP', 'g', 'c', 'BLOCK', '0', 'STREAMS', 's', 's', '>', '>')
    assert set(db.waiting) == {(b's', Stream), (b's', Gone)}
    client.disconnect()


NO_GROUP = "NOGROUP No such key 's' or consumer group 'g' in XREADGROUP with GROUP option"


@pytest.mark.parametrize(
    ('command', 'reply'),
    [
        ('DEL s', NO_GROUP),
        ('UNLINK s', NO_GROUP),
        ('XGROUP DESTROY s g', NO_GROUP),
        ('RENAME s t', NO_GROUP),
        ('MOVE s 1', NO_GROUP),
        ('PEXPIREAT s 1', NO_GROUP),
        ('FLUSHDB', NO_GROUP),
        ('FLUSHALL ASYNC', NO_GROUP),
        ('SWAPDB 0 1', NO_GROUP),
        ('COPY other s REPLACE', NO_GROUP),
        ('SET s text', 'WRONGTYPE Operation against a key holding the wrong kind of value'),
    ],
)
def test_a_consumer_is_told_when_there_is_nothing_to_wait_for_any_more(clients, command, reply):
    waiting, other = clients(2)
    other('XADD', 'other', '1-1', 'f', 'v')
    other('XGROUP', 'CREATE', 's', 'g', '$', 'MKSTREAM')
    waiting('XREADGROUP', 'GROUP', 'g', 'c', 'BLOCK', '0', 'STREAMS', 's', '>')
    other(*command.split())
    assert waiting.take() == [reply]


def test_a_consumer_is_told_when_its_key_expires_unseen(clients, clock, engine):
    waiting, other = clients(2)
    other('XGROUP', 'CREATE', 's', 'g', '$', 'MKSTREAM')
    other('PEXPIRE', 's', '100')
    waiting('XREADGROUP', 'GROUP', 'g', 'c', 'BLOCK', '0', 'STREAMS', 's', '>')
    clock.advance(101)
    engine.tick()
    engine.expire_some()
    settle(engine)
    assert waiting.take() == [NO_GROUP]


def test_who_waits_without_a_group_goes_on_when_the_stream_is_gone(clients):
    waiting, other = clients(2)
    other('XADD', 's', '5-5', 'f', 'v')
    waiting('XREAD', 'BLOCK', '0', 'STREAMS', 's', '$')
    other('DEL', 's')
    other('SET', 's', 'text')
    other('DEL', 's')
    other('XADD', 's', '5-5', 'f', 'v')
    assert waiting.take() == []
    other('XADD', 's', '5-6', 'f', 'v')
    assert waiting.take() == [[[b's', [[b'5-6', [b'f', b'v']]]]]]


def test_what_another_does_to_a_group_wakes_nobody(clients, engine):
    waiting, other = clients(2)
    other('XGROUP', 'CREATE', 's', 'g', '$', 'MKSTREAM')
    waiting('XREADGROUP', 'GROUP', 'g', 'c', 'BLOCK', '0', 'STREAMS', 's', '>')
    other('XGROUP', 'DELCONSUMER', 's', 'g', 'c')
    other('XGROUP', 'CREATE', 's', 'h', '$')
    other('XSETID', 's', '9-9')
    assert other('XINFO', 'CONSUMERS', 's', 'g') == []
    other('XADD', 's', '10-1', 'f', 'v')
    assert len(waiting.take()) == 1
    assert other('XINFO', 'GROUPS', 's')[0][3] == 1


def test_a_consumer_was_seen_when_it_tried_and_active_when_it_was_given_something(client, clock, engine):
    def times():
        consumer = engine.keyspace.databases[0].values[b's'].groups[b'g'].consumers[b'c']
        return consumer.seen_ms - 1_700_000_000_000, consumer.active_ms - 1_700_000_000_000

    client('XADD', 's', '1-1', 'f', 'v')
    client('XADD', 's', '1-2', 'f', 'v')
    client('XGROUP', 'CREATE', 's', 'g', '0')
    client('XGROUP', 'CREATECONSUMER', 's', 'g', 'c')
    assert client('XINFO', 'CONSUMERS', 's', 'g') == [
        [b'name', b'c', b'pending', 0, b'idle', 0, b'inactive', -1],
    ]
    clock.advance(10)
    client('XREADGROUP', 'GROUP', 'g', 'c', 'COUNT', '1', 'STREAMS', 's', '>')
    assert times() == (10, 10)
    clock.advance(10)
    client('XREADGROUP', 'GROUP', 'g', 'c', 'STREAMS', 's', '0')
    assert times() == (20, 10)
    clock.advance(10)
    client('XREADGROUP', 'GROUP', 'g', 'c', 'NOACK', 'STREAMS', 's', '>')
    assert times() == (30, 10)
    clock.advance(10)
    client('XREADGROUP', 'GROUP', 'g', 'c', 'STREAMS', 's', '>')
    assert times() == (40, 10)
    clock.advance(5)
    assert client('XINFO', 'CONSUMERS', 's', 'g') == [
        [b'name', b'c', b'pending', 1, b'idle', 5, b'inactive', 35],
    ]


def test_history_is_delivered_once_more(client, clock):
    client('XADD', 's', '1-1', 'f', 'v')
    client('XGROUP', 'CREATE', 's', 'g', '0')
    client('XREADGROUP', 'GROUP', 'g', 'c', 'STREAMS', 's', '>')
    clock.advance(100)
    assert client('XPENDING', 's', 'g', '-', '+', 9) == [[b'1-1', b'c', 100, 1]]
    client('XREADGROUP', 'GROUP', 'g', 'c', 'STREAMS', 's', '0')
    assert client('XPENDING', 's', 'g', '-', '+', 9) == [[b'1-1', b'c', 0, 2]]


def test_a_stream_may_be_read_twice_at_once(client):
    client('HELLO', 3)
    client('XADD', 's', '1-1', 'f', 'v')
    client.client.out.clear()
    client.engine.run(client.client, [[b'XREAD', b'STREAMS', b's', b's', b'0', b'0']])
    (reply,) = client.client.out
    assert reply.startswith(b'%2\r\n$1\r\ns\r\n')
    client.client.out.clear()
