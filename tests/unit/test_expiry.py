"""Deadlines: active expiry alone, then the commands that set and tell deadlines, with a clock turned by hand."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selredis.clock import ManualClock
from selredis.keyspace.database import Keyspace
from selredis.keyspace.expiry import SLICE_US, expire_slice
from selredis.pubsub import PubSub

NOW_MS = 1_700_000_000_000


class Ticking(ManualClock):
    """A clock that goes on by a tenth of a slice each time it is looked at."""

    def monotonic_us(self):
        self.advance(SLICE_US / 10 / 1000)
        return super().monotonic_us()


@pytest.fixture
def keyspace():
    keyspace = Keyspace(4, PubSub([]), Random(1))
    keyspace.now_ms = NOW_MS
    return keyspace


def fill(db, count, deadline_ms):
    for number in range(count):
        key = b'%d' % number
        db.put(key, b'v')
        db.set_deadline(key, deadline_ms)


# Active expiry


def test_a_slice_removes_what_is_due_and_nothing_else(keyspace):
    db = keyspace.databases[2]
    fill(db, 500, NOW_MS - 1)
    for number in range(100):
        db.put(b'later:%d' % number, b'v')
        db.set_deadline(b'later:%d' % number, NOW_MS + number)
        db.put(b'forever:%d' % number, b'v')
    assert not expire_slice(keyspace, ManualClock())
    assert len(db) == 200
    assert keyspace.expired == 500
    assert keyspace.dirty == 0
    keyspace.now_ms += 50
    assert not expire_slice(keyspace, ManualClock())
    assert len(db) == 150


def test_a_slice_ends_when_its_time_is_over_and_the_next_goes_on(keyspace):
    db = keyspace.databases[0]
    fill(db, 5000, NOW_MS - 1)
    assert expire_slice(keyspace, Ticking())
    assert 4000 < len(db) < 5000
    slices = 1
    while expire_slice(keyspace, Ticking()):
        slices += 1
    assert not db.values
    assert slices < 50


def test_databases_take_turns(keyspace):
    one, other = keyspace.databases[0], keyspace.databases[3]
    fill(one, 5000, NOW_MS - 1)
    fill(other, 5000, NOW_MS - 1)
    for _ in range(4):
        assert expire_slice(keyspace, Ticking())
    assert len(one) < 5000
    assert len(other) < 5000


def test_nothing_is_looked_through_while_nothing_is_due(keyspace):
    db = keyspace.databases[0]
    fill(db, 5000, NOW_MS)
    expire_slice(keyspace, ManualClock())
    db.index.buckets = [None] * len(db.index.buckets)
    assert not expire_slice(keyspace, ManualClock())


def test_deadlines_that_were_changed_in_the_meantime_count(keyspace):
    db = keyspace.databases[0]
    fill(db, 300, NOW_MS - 1)
    db.clear_deadline(b'0')
    db.set_deadline(b'1', NOW_MS + 10)
    db.remove(b'2', b'del')
    db.set(b'3', b'again')
    db.put(b'4', b'stays due')
    expire_slice(keyspace, ManualClock())
    assert sorted(db.values) == [b'0', b'1', b'3']
    keyspace.now_ms += 11
    expire_slice(keyspace, ManualClock())
    assert sorted(db.values) == [b'0', b'3']


keys = st.integers(0, 120).map(lambda number: b'%d' % number)
steps = st.one_of(
    st.tuples(st.just('set'), keys, st.none()),
    st.tuples(st.just('put'), keys, st.none()),
    st.tuples(st.just('expire'), keys, st.integers(0, 30)),
    st.tuples(st.just('persist'), keys, st.none()),
    st.tuples(st.just('remove'), keys, st.none()),
    st.tuples(st.just('wait'), keys, st.integers(0, 30)),
)


@settings(deadline=None)
@given(st.lists(steps, max_size=300))
def test_exactly_what_is_due_goes_whatever_happens_to_deadlines(program):
    keyspace = Keyspace(1, PubSub([]), Random(1))
    (db,) = keyspace.databases
    expected: dict[bytes, int | None] = {}
    for verb, key, ms in program:
        if verb == 'set':
            db.set(key, b'v')
            expected[key] = None
        elif verb == 'put':
            db.put(key, b'v')
            expected.setdefault(key, None)
        elif verb == 'wait':
            keyspace.now_ms += ms
            expire_slice(keyspace, ManualClock())
            expected = {key: due for key, due in expected.items() if due is None or due >= keyspace.now_ms}
            assert db.values.keys() == expected.keys()
        elif key in expected:
            if verb == 'expire':
                db.set_deadline(key, keyspace.now_ms + ms)
                expected[key] = keyspace.now_ms + ms
            elif verb == 'persist':
                db.clear_deadline(key)
                expected[key] = None
            else:
                db.remove(key, b'del')
                del expected[key]
        assert db.deadlines == {key: due for key, due in expected.items() if due is not None}


def test_the_engine_expires_unless_it_is_told_not_to(engine, clock, client):
    client('SET', 'k', 'v', 'PX', '10')
    clock.advance(11)
    engine.tick()
    engine.active_expire = False
    assert not engine.expire_some()
    assert client('DBSIZE') == 1
    engine.active_expire = True
    assert not engine.expire_some()
    assert client('DBSIZE') == 0


def test_a_listener_is_told_of_keys_that_nobody_asks_for(engine, clock, clients, config):
    listener, other = clients(2)
    config.read_directive([b'notify-keyspace-events', b'Ex'])
    engine.keyspace.notify_classes(frozenset('Ex'))
    listener('SUBSCRIBE', '__keyevent@0__:expired')
    other('SET', 'k', 'v', 'PX', '10')
    clock.advance(11)
    engine.tick()
    engine.expire_some()
    assert listener.take()[-1] == [b'message', b'__keyevent@0__:expired', b'k']


def test_a_watched_key_that_expires_unseen_breaks_the_transaction(engine, clock, clients):
    watching, other = clients(2)
    other('SET', 'k', 'v', 'PX', '10')
    watching('WATCH', 'k')
    clock.advance(11)
    engine.tick()
    engine.expire_some()
    watching('MULTI')
    watching('PING')
    assert watching('EXEC') is None


# Commands


@pytest.mark.parametrize(
    ('command', 'time', 'lives_ms'),
    [
        ('EXPIRE', '2', 2000),
        ('PEXPIRE', '2', 2),
        ('EXPIREAT', str(NOW_MS // 1000 + 2), 2000),
        ('PEXPIREAT', str(NOW_MS + 2), 2),
    ],
)
def test_a_key_lives_until_its_deadline_and_no_longer(clock, client, command, time, lives_ms):
    client('SET', 'k', 'v')
    assert client(command, 'k', time) == 1
    clock.advance(lives_ms)
    assert client('GET', 'k') == b'v'
    clock.advance(1)
    assert client('GET', 'k') is None
    assert client('PTTL', 'k') == -2


@pytest.mark.parametrize(
    ('passed_ms', 'seconds', 'milliseconds'),
    [(0, 10, 10000), (499, 10, 9501), (500, 10, 9500), (501, 9, 9499), (9501, 0, 499), (10000, 0, 0)],
)
def test_what_is_left_is_rounded_to_the_nearest_second(clock, client, passed_ms, seconds, milliseconds):
    client('SET', 'k', 'v', 'EX', '10')
    clock.advance(passed_ms)
    assert client('TTL', 'k') == seconds
    assert client('PTTL', 'k') == milliseconds


def test_the_deadline_is_told_as_it_is(clock, client):
    client('SET', 'k', 'v', 'PX', '1499')
    clock.advance(700)
    assert client('PEXPIRETIME', 'k') == NOW_MS + 1499
    assert client('EXPIRETIME', 'k') == NOW_MS // 1000 + 1


def test_a_deadline_now_is_past(client, engine):
    client('SET', 'k', 'v')
    assert client('PEXPIREAT', 'k', engine.now_ms) == 1
    assert client('EXISTS', 'k') == 0
    assert engine.keyspace.expired == 0


def test_conditions_look_at_what_is_there_now(clock, client):
    client('SET', 'k', 'v', 'PX', '1000')
    clock.advance(600)
    assert client('PEXPIRE', 'k', '300', 'GT') == 0
    assert client('PEXPIRE', 'k', '500', 'GT') == 1
    clock.advance(501)
    assert client('PEXPIRE', 'k', '500', 'XX') == 0
    assert client('EXISTS', 'k') == 0


def test_time_stands_still_within_a_transaction(clock, client):
    client('SET', 'k', 'v', 'PX', '1')
    client('MULTI')
    client('PTTL', 'k')
    client('PEXPIRE', 'k', '5')
    client('PTTL', 'k')
    assert client('EXEC') == [1, 1, 5]


@pytest.mark.parametrize(
    'command', ['DEL k', 'UNLINK k', 'PERSIST k', 'PEXPIRE k 10', 'RENAMENX other k', 'COPY other k']
)
def test_a_key_past_its_deadline_is_none_for_any_command(clock, client, command):
    client('SET', 'k', 'v', 'PX', '10')
    clock.advance(11)
    client('SET', 'other', 'v')
    expected = 1 if 'other' in command else 0
    assert client(*command.split()) == expected
    assert client('PTTL', 'k') == (-1 if expected else -2)


def test_keys_past_their_deadline_are_neither_listed_nor_drawn(clock, client):
    for number in range(50):
        client('SET', f'k{number}', 'v', 'PX', '10')
    client('SET', 'lasting', 'v')
    clock.advance(11)
    assert client('DBSIZE') == 51
    assert client('KEYS', '*') == [b'lasting']
    assert client('KEYS', 'k*') == []
    assert client('DBSIZE') == 51
    assert client('RANDOMKEY') == b'lasting'
    assert client('SCAN', '0', 'COUNT', '100') == [b'0', [b'lasting']]
    assert client('DBSIZE') == 1
    assert client('SCAN', '0', 'COUNT', '100', 'TYPE', 'string') == [b'0', [b'lasting']]
