"""Keyspace notifications in time: behind which reply, and which before which. Those of each command: transcripts."""

import pytest

from tests.unit.conftest import Peer


@pytest.fixture
def notified(engine, config):
    """A function that makes a RESP3 client subscribed to all events of these classes."""

    def make(classes='EA'):
        config.set_pairs([(b'notify-keyspace-events', classes.encode())])
        peer = Peer(engine)
        peer('HELLO', 3)
        peer('PSUBSCRIBE', '__key*__:*')
        peer.received.clear()
        return peer

    return make


def heard(peer):
    """Replies as they are, events of keys as one text, in the order in which they came since last asked for."""
    told = []
    for message in peer.take():
        if isinstance(message, list) and message[:1] == [b'pmessage']:
            told.append(b'%b %b' % (message[2].removeprefix(b'__keyevent'), message[3]))
        else:
            told.append(message)
    peer.received.clear()
    return told


def run(peer, *words):
    peer(*words)
    return heard(peer)


def test_what_one_does_oneself_is_told_behind_the_reply(notified):
    peer = notified('EAn')
    assert run(peer, 'SET', 'a', 1, 'EX', 100) == ['OK', b'@0__:new a', b'@0__:set a', b'@0__:expire a']
    assert run(peer, 'RENAME', 'a', 'b') == ['OK', b'@0__:new b', b'@0__:rename_from a', b'@0__:rename_to b']
    assert run(peer, 'RPUSH', 'q', 'x') == [1, b'@0__:new q', b'@0__:rpush q']
    assert run(peer, 'LPOP', 'q') == [b'x', b'@0__:lpop q', b'@0__:del q']


def test_a_transaction_is_told_behind_all_its_replies(notified):
    peer = notified()
    peer.pipeline('MULTI', 'SET a 1', 'INCR a', 'DEL a', 'EXEC')
    assert heard(peer)[-4:] == [['OK', 2, 1], b'@0__:set a', b'@0__:incrby a', b'@0__:del a']


def test_who_has_waited_is_told_behind_its_reply_what_its_command_did(notified, client):
    waiting, listening = notified(), notified()
    waiting('BLMOVE', 'q', 'r', 'LEFT', 'LEFT', 0)
    client('RPUSH', 'q', 'x')
    events = [b'@0__:lpush r', b'@0__:lpop q', b'@0__:del q']
    assert heard(listening) == [b'@0__:rpush q', *events]
    assert heard(waiting) == [b'@0__:rpush q', b'x', *events]


def test_a_key_met_after_its_time_expires_before_anything_else_happens_to_it(notified, client, clock):
    peer = notified('EAnm')
    for key in 'ab':
        client('SET', key, 1, 'PX', 100)
    heard(peer)
    clock.advance(200)
    assert run(peer, 'GET', 'a') == [None, b'@0__:expired a', b'@0__:keymiss a']
    assert run(peer, 'SET', 'b', 2) == ['OK', b'@0__:expired b', b'@0__:new b', b'@0__:set b']


def test_a_key_that_nobody_asks_for_expires_all_the_same(notified, client, clock, engine):
    peer = notified('Ex')
    client('SELECT', 3)
    client('SET', 'a', 1, 'PX', 100)
    clock.advance(200)
    assert heard(peer) == []
    engine.tell_time()
    engine.expire_some()
    assert heard(peer) == [b'@3__:expired a']


def test_what_is_evicted_for_a_command_is_told_before_its_reply(notified, client, clock, config, engine):
    peer = notified('EAm')
    client('SET', 'a', 1)
    config.set_pairs([(b'maxmemory', b'1'), (b'maxmemory-policy', b'volatile-random')])
    heard(peer)
    engine.keyspace.databases[0].set_deadline(b'a', clock.now_ms() + 1000)
    assert run(peer, 'GET', 'a') == [b'@0__:evicted a', None, b'@0__:keymiss a']


def test_databases_have_numbers_and_their_exchange_is_no_event(notified):
    peer = notified()
    assert run(peer, 'SET', 'a', 1) == ['OK', b'@0__:set a']
    assert run(peer, 'MOVE', 'a', 1) == [1, b'@0__:move_from a', b'@1__:move_to a']
    assert run(peer, 'SWAPDB', 0, 1) == ['OK']
    assert run(peer, 'COPY', 'a', 'b', 'DB', 2) == [1, b'@2__:copy_to b']
    assert run(peer, 'DEL', 'a') == [1, b'@0__:del a']


@pytest.mark.parametrize('command', ['FLUSHDB', 'FLUSHALL'])
def test_emptied_databases_are_no_event_of_their_keys(notified, client, command):
    peer = notified('EAnm')
    client('SET', 'a', 1)
    heard(peer)
    assert run(peer, command) == ['OK']


def test_new_keys_and_missed_ones_are_asked_for_by_name(notified):
    peer = notified('EA')
    assert run(peer, 'SET', 'a', 1) == ['OK', b'@0__:set a']
    assert run(peer, 'GET', 'b') == [None]
    peer = notified('Enm')
    assert run(peer, 'SET', 'b', 1) == ['OK', b'@0__:new b']
    assert run(peer, 'MGET', 'a', 'c', 'd') == [[b'1', None, None], b'@0__:keymiss c', b'@0__:keymiss d']


def test_a_change_of_the_classes_holds_at_once(notified):
    peer = notified('EA')
    assert run(peer, 'CONFIG', 'SET', 'notify-keyspace-events', 'El') == ['OK']
    assert run(peer, 'SET', 'a', 1) == ['OK']
    assert run(peer, 'RPUSH', 'q', 1) == [1, b'@0__:rpush q']
