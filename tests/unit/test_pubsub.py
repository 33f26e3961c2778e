"""The registry of subscribers alone, with subscribers that are nothing but a list of bytes."""

import re
import sys
from unittest.mock import patch

import pytest

from selredis.pubsub import PubSub
from selredis.resp.pieces import LARGE_BYTES, Output
from tests.unit.conftest import as_sent


class Listener:
    """What the registry needs of a client."""

    def __init__(self, protocol: int = 2) -> None:
        self.protocol = protocol
        self.channels: dict[bytes, None] = {}
        self.patterns: dict[bytes, None] = {}
        self.shard_channels: dict[bytes, None] = {}
        self.subscribed_bytes = 0
        self.out: list[Output] = []
        self.queued = False


@pytest.fixture
def to_flush():
    return []


@pytest.fixture
def pubsub(to_flush):
    return PubSub(to_flush)


def test_a_message_reaches_those_who_subscribed_to_its_channel(pubsub):
    one, other = Listener(), Listener()
    pubsub.subscribe(one, b'news')
    pubsub.subscribe(other, b'olds')
    assert pubsub.publish(b'news', b'hello') == 1
    assert one.out == [b'*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$5\r\nhello\r\n']
    assert other.out == []


def test_nobody_listens(pubsub, to_flush):
    assert pubsub.publish(b'news', b'hello') == 0
    assert pubsub.shard_publish(b'news', b'hello') == 0
    assert to_flush == []


def test_each_protocol_has_its_form(pubsub):
    old, new = Listener(2), Listener(3)
    for listener in (old, new):
        pubsub.pattern_subscribe(listener, b'n*')
        pubsub.shard_subscribe(listener, b'news')
    pubsub.publish(b'news', b'')
    pubsub.shard_publish(b'news', b'x')
    body = b'$8\r\npmessage\r\n$2\r\nn*\r\n$4\r\nnews\r\n$0\r\n\r\n'
    shard_body = b'$8\r\nsmessage\r\n$4\r\nnews\r\n$1\r\nx\r\n'
    assert old.out == [b'*4\r\n' + body, b'*3\r\n' + shard_body]
    assert new.out == [b'>4\r\n' + body, b'>3\r\n' + shard_body]


def test_a_message_is_encoded_once_for_all_of_a_protocol(pubsub):
    listeners = [Listener(2), Listener(3), Listener(2), Listener(3)]
    for listener in listeners:
        pubsub.subscribe(listener, b'news')
    pubsub.publish(b'news', b'hello')
    assert listeners[0].out[0] is listeners[2].out[0]
    assert listeners[1].out[0] is listeners[3].out[0]


@pytest.mark.parametrize('size', [LARGE_BYTES - 1, LARGE_BYTES, LARGE_BYTES + 1])
def test_a_message_of_any_size_is_framed_alike(size):
    pubsub, (old, new) = PubSub([]), (Listener(2), Listener(3))
    message = b'x' * size
    for listener in (old, new):
        pubsub.subscribe(listener, b'ch')
        pubsub.pattern_subscribe(listener, b'c*')
        pubsub.shard_subscribe(listener, b'ch')
    assert pubsub.publish(b'ch', message) == 4
    assert pubsub.shard_publish(b'ch', message) == 2
    text = b'$2\r\nch\r\n$%d\r\n%b\r\n' % (size, message)
    frames = [b'3\r\n$7\r\nmessage\r\n' + text, b'4\r\n$8\r\npmessage\r\n$2\r\nc*\r\n' + text]
    frames.append(b'3\r\n$8\r\nsmessage\r\n' + text)
    assert as_sent(old.out) == b''.join(b'*' + frame for frame in frames)
    assert as_sent(new.out) == b''.join(b'>' + frame for frame in frames)


def test_receivers_are_to_be_flushed_once_each(pubsub, to_flush):
    fresh, waiting = Listener(), Listener()
    waiting.queued = True  # in the list already
    for listener in (fresh, waiting):
        pubsub.subscribe(listener, b'a')
    pubsub.publish(b'a', b'1')
    pubsub.publish(b'a', b'2')
    assert to_flush == [fresh]
    assert fresh.queued
    assert len(waiting.out) == 2


def test_who_has_channel_and_pattern_gets_both_the_channel_first(pubsub):
    listener = Listener()
    pubsub.pattern_subscribe(listener, b'*')
    pubsub.subscribe(listener, b'news')
    assert pubsub.publish(b'news', b'x') == 2
    assert [as_sent([data]).split(b'\r\n')[2] for data in listener.out] == [b'message', b'pmessage']


def test_patterns_do_not_match_shard_channels(pubsub):
    listener = Listener()
    pubsub.pattern_subscribe(listener, b'*')
    pubsub.subscribe(listener, b'news')
    assert pubsub.shard_publish(b'news', b'x') == 0
    assert listener.out == []


def test_to_subscribe_twice_changes_nothing(pubsub):
    listener = Listener()
    for _ in range(2):
        pubsub.subscribe(listener, b'a')
        pubsub.pattern_subscribe(listener, b'a')
    assert pubsub.publish(b'a', b'x') == 2


def test_to_leave_what_one_never_joined_changes_nothing(pubsub):
    member, stranger = Listener(), Listener()
    pubsub.subscribe(member, b'a')
    pubsub.unsubscribe(stranger, b'a')
    pubsub.unsubscribe(stranger, b'b')
    pubsub.pattern_unsubscribe(stranger, b'a')
    pubsub.shard_unsubscribe(stranger, b'a')
    assert pubsub.publish(b'a', b'x') == 1


def test_the_last_to_leave_leaves_nothing_behind(pubsub):
    one, other = Listener(), Listener()
    for listener in (one, other):
        pubsub.subscribe(listener, b'a')
        pubsub.shard_subscribe(listener, b'a')
        pubsub.pattern_subscribe(listener, b'a*')
    pubsub.unsubscribe(one, b'a')
    pubsub.shard_unsubscribe(one, b'a')
    pubsub.pattern_unsubscribe(one, b'a*')
    assert pubsub.publish(b'a', b'x') == 2
    pubsub.forget(other)
    assert (pubsub.channels, pubsub.shard_channels, pubsub.patterns, pubsub.matchers) == ({}, {}, {}, {})
    assert (other.channels, other.shard_channels, other.patterns) == ({}, {}, {})
    assert pubsub.table_bytes() == one.subscribed_bytes == other.subscribed_bytes == 0


def test_an_empty_table_gives_its_memory_back(pubsub):
    listener = Listener()
    for number in range(1000):
        pubsub.subscribe(listener, b'%d' % number)
    pubsub.forget(listener)
    assert sys.getsizeof(pubsub.channels) == sys.getsizeof(listener.channels) == sys.getsizeof({})


def test_a_client_that_is_forgotten_gets_no_more(pubsub):
    listener = Listener()
    pubsub.subscribe(listener, b'a')
    pubsub.forget(listener)
    assert pubsub.publish(b'a', b'x') == 0
    assert listener.out == []


def test_patterns_that_were_subscribed_to_together_are_compiled_with_different_messages(pubsub, monkeypatch):
    """`re.compile` takes up to a millisecond, and a client may subscribe to thousands of patterns at once."""
    monkeypatch.setattr('selredis.pubsub.COMPILING_MESSAGES', 50)
    listener = Listener()
    for number in range(100):
        pubsub.pattern_subscribe(listener, b'*[ab]?%d' % number)
    compiled = []
    with patch.object(re, 'compile', wraps=re.compile) as compiler:
        for _ in range(100):
            before = compiler.call_count
            pubsub.publish(b'channel of many bytes', b'')
            compiled.append(compiler.call_count - before)
    assert sum(compiled) == 100
    assert max(compiled) < 10
