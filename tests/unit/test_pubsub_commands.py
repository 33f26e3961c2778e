"""(Un)subscribing and publishing: the order of what a client is sent. Replies are in transcripts/pubsub."""

import pytest

from selredis.resp.encoder import ENCODERS
from selredis.resp.reply import Push
from tests.unit.conftest import as_sent


@pytest.fixture
def subscriber(client):
    client('HELLO', '3')
    client('SUBSCRIBE', 'a')
    client.take()
    client.received.clear()
    return client


def push(*words: bytes) -> bytes:
    return as_sent([ENCODERS[3][Push](Push(words))])


def test_in_resp3_confirmations_and_messages_are_pushes(clients):
    client, publisher = clients(2)
    client('HELLO', '3')
    client.take()
    client.client.out.clear()
    client.engine.run(client.client, [[b'SUBSCRIBE', b'a', b'b'], [b'UNSUBSCRIBE', b'a']])
    publisher('PUBLISH', 'b', 'x')
    assert as_sent(client.client.out) == (
        b'>3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n>3\r\n$9\r\nsubscribe\r\n$1\r\nb\r\n:2\r\n'
        b'>3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:1\r\n' + push(b'message', b'b', b'x')
    )


def test_what_one_publishes_to_oneself_comes_behind_the_reply(subscriber):
    assert subscriber('PUBLISH', 'a', 'x') == [1, [b'message', b'a', b'x']]


def test_events_that_one_brings_about_come_behind_the_reply(subscriber, engine):
    subscriber('PSUBSCRIBE', '*')
    engine.keyspace.notify_classes(frozenset('Km'))
    subscriber.received.clear()
    subscriber.client.out.clear()
    subscriber('GET', 'nothing')
    assert subscriber.take() == [None, [b'pmessage', b'*', b'__keyspace@0__:nothing', b'keymiss']]


def test_within_a_transaction_it_comes_behind_all_replies(subscriber):
    subscriber.pipeline('MULTI', 'PUBLISH a 1', 'ECHO 2', 'PUBLISH a 3', 'EXEC', 'PING')
    assert subscriber.take()[-4:] == [[1, b'2', 1], [b'message', b'a', b'1'], [b'message', b'a', b'3'], 'PONG']


def test_messages_of_others_come_in_their_order(subscriber, clients):
    (publisher,) = clients(1)
    publisher.pipeline('PUBLISH a 1', 'PUBLISH a 2')
    subscriber('PING')
    assert subscriber.take() == [[b'message', b'a', b'1'], [b'message', b'a', b'2'], 'PONG']


def test_what_a_waiter_published_to_itself_comes_behind_its_reply(subscriber, clients, engine):
    (pusher,) = clients(1)
    engine.keyspace.notify_classes(frozenset('Kl'))
    subscriber('SUBSCRIBE', '__keyspace@0__:q')
    subscriber('BLPOP', 'q', '0')
    subscriber.received.clear()
    pusher('RPUSH', 'q', 'x')
    assert subscriber.take() == [
        [b'message', b'__keyspace@0__:q', b'rpush'],
        [b'q', b'x'],
        [b'message', b'__keyspace@0__:q', b'lpop'],
    ]


def test_a_client_that_leaves_is_in_no_list(clients, engine):
    client, other = clients(2)
    client('SUBSCRIBE', 'a')
    client('PSUBSCRIBE', 'p*')
    client('SSUBSCRIBE', 's')
    client.disconnect()
    assert other('PUBSUB', 'CHANNELS') == []
    assert other('PUBSUB', 'NUMPAT') == 0
    assert other('PUBSUB', 'SHARDCHANNELS') == []
