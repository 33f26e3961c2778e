"""Fields with deadlines, with a clock turned by hand. (The reference has no such commands: as 7.4 documents them.)"""

import pytest

from selredis.clock import ManualClock
from selredis.keyspace.expiry import SLICE_US, expire_slice

NO_SUCH_FIELD, NO_DEADLINE, NOT_MET, DONE, REMOVED = -2, -1, 0, 1, 2


@pytest.fixture
def h(client):
    """A client, and a hash of three fields."""
    client('HSET', 'h', 'a', 1, 'b', 2, 'c', 3)
    return client


def events(clients):
    """A client that hears of events, and what it has heard since the last time."""
    (listener,) = clients(1)
    listener('CONFIG', 'SET', 'notify-keyspace-events', 'Khgx')
    listener('PSUBSCRIBE', '__keyspace@*')
    heard = len(listener.received)

    def fresh():
        nonlocal heard
        said = [message[3] for message in listener.take()[heard:]]
        heard = len(listener.received)
        return said

    return fresh


# Giving and telling deadlines


def test_a_deadline_in_each_unit(h, engine):
    now_ms = engine.now_ms
    assert h('HEXPIRE', 'h', 100, 'FIELDS', 3, 'a', 'nope', 'b') == [DONE, NO_SUCH_FIELD, DONE]
    assert h('HTTL', 'h', 'FIELDS', 4, 'a', 'b', 'c', 'nope') == [100, 100, NO_DEADLINE, NO_SUCH_FIELD]
    assert h('HPTTL', 'h', 'FIELDS', 1, 'a') == [100_000]
    assert h('HEXPIRETIME', 'h', 'fields', 1, 'a') == [(now_ms + 100_000 + 999) // 1000]
    assert h('HPEXPIRETIME', 'h', 'FIELDS', 2, 'a', 'c') == [now_ms + 100_000, NO_DEADLINE]
    assert h('HPEXPIRE', 'h', 1500, 'FIELDS', 1, 'a') == [DONE]
    assert h('HPTTL', 'h', 'FIELDS', 1, 'a') == [1500]
    assert h('HTTL', 'h', 'FIELDS', 1, 'a') == [2]
    assert h('HEXPIREAT', 'h', now_ms // 1000 + 7, 'FIELDS', 1, 'a') == [DONE]
    assert h('HPEXPIRETIME', 'h', 'FIELDS', 1, 'a') == [now_ms // 1000 * 1000 + 7000]
    assert h('HPEXPIREAT', 'h', now_ms + 8, 'FIELDS', 1, 'a') == [DONE]
    assert h('HPTTL', 'h', 'FIELDS', 1, 'a') == [8]


def test_a_key_that_is_not_there(client):
    for name in ('HTTL', 'HPTTL', 'HEXPIRETIME', 'HPEXPIRETIME', 'HPERSIST'):
        assert client(name, 'nope', 'FIELDS', 2, 'a', 'b') == [NO_SUCH_FIELD] * 2
    for name in ('HEXPIRE', 'HPEXPIRE', 'HEXPIREAT', 'HPEXPIREAT'):
        assert client(name, 'nope', 10, 'FIELDS', 2, 'a', 'b') == [NO_SUCH_FIELD] * 2


def test_conditions(h):
    def expire(condition, seconds):
        return h('HEXPIRE', 'h', seconds, condition, 'FIELDS', 1, 'a')[0]

    assert expire('XX', 100) == NOT_MET
    assert expire('GT', 100) == NOT_MET
    assert expire('nx', 100) == DONE
    assert expire('NX', 200) == NOT_MET
    assert expire('XX', 200) == DONE
    assert expire('GT', 200) == NOT_MET
    assert expire('GT', 201) == DONE
    assert expire('LT', 201) == NOT_MET
    assert expire('LT', 100) == DONE
    assert h('HEXPIRE', 'h', 5, 'LT', 'FIELDS', 1, 'b') == [DONE]  # to have none counts as the latest


def test_a_time_that_is_past_removes_the_field(h, engine, clients):
    fresh = events(clients)
    assert h('HPEXPIREAT', 'h', 1, 'FIELDS', 2, 'a', 'b') == [REMOVED, REMOVED]
    assert h('HGETALL', 'h') == [b'c', b'3']
    assert fresh() == [b'hdel']
    assert h('HEXPIRE', 'h', 0, 'FIELDS', 1, 'c') == [REMOVED]
    assert h('EXISTS', 'h') == 0
    assert fresh() == [b'hdel', b'del']
    assert engine.keyspace.expired_fields == 3


def test_hpersist(h, engine, clients):
    fresh = events(clients)
    h('HEXPIRE', 'h', 10, 'FIELDS', 1, 'a')
    dirty = engine.keyspace.dirty
    assert h('HPERSIST', 'h', 'FIELDS', 3, 'a', 'b', 'nope') == [DONE, NO_DEADLINE, NO_SUCH_FIELD]
    assert h('HPERSIST', 'h', 'FIELDS', 1, 'a') == [NO_DEADLINE]
    assert fresh() == [b'hexpire', b'hpersist']
    assert engine.keyspace.dirty == dirty + 1


@pytest.mark.parametrize(
    ('words', 'error'),
    [
        ('HEXPIRE h x FIELDS 1 a', 'ERR value is not an integer or out of range'),
        ('HEXPIRE h -1 FIELDS 1 a', 'ERR invalid expire time, must be >= 0'),
        ('HEXPIRE h 70368744178 FIELDS 1 a', "ERR invalid expire time in 'hexpire' command"),
        ('HPEXPIRE h 70368744177663 FIELDS 1 a', "ERR invalid expire time in 'hpexpire' command"),
        ('HEXPIREAT h 70368744178 FIELDS 1 a', "ERR invalid expire time in 'hexpireat' command"),
        ('HPEXPIREAT h 70368744177664 FIELDS 1 a', "ERR invalid expire time in 'hpexpireat' command"),
        ('HEXPIRE h 1 NX a FIELDS 1', 'ERR Mandatory argument FIELDS is missing or not at the right position'),
        ('HEXPIRE h 1 WHAT FIELDS 1 a', 'ERR Mandatory argument FIELDS is missing or not at the right position'),
        ('HEXPIRE h 1 FIELDS 0 a', 'ERR Parameter `numFields` should be greater than 0'),
        ('HEXPIRE h 1 FIELDS x a', 'ERR Parameter `numFields` should be greater than 0'),
        ('HEXPIRE h 1 FIELDS 2 a', 'ERR The `numfields` parameter must match the number of arguments'),
        ('HEXPIRE h 1 NX FIELDS 1', 'ERR The `numfields` parameter must match the number of arguments'),
        ('HEXPIRE h 1 FIELDS 1', "ERR wrong number of arguments for 'hexpire' command"),
        ('HTTL h a 1 a', 'ERR Mandatory argument FIELDS is missing or not at the right position'),
        ('HTTL h FIELDS 0 a', 'ERR Number of fields must be a positive integer'),
        ('HPERSIST h FIELDS 0 a', 'ERR Number of fields must be a positive integer'),
        ('HPERSIST h FIELDS 2 a', 'ERR The `numfields` parameter must match the number of arguments'),
        ('HPEXPIRE text x FIELDS 1 a', 'WRONGTYPE Operation against a key holding the wrong kind of value'),
        ('HTTL text x x x', 'WRONGTYPE Operation against a key holding the wrong kind of value'),
        ('HPERSIST text x x x', 'WRONGTYPE Operation against a key holding the wrong kind of value'),
    ],
)
def test_errors(h, words, error):
    h('SET', 'text', 'x')
    assert h(*words.split()) == error
    assert h('HTTL', 'h', 'FIELDS', 1, 'a') == [NO_DEADLINE]


def test_the_latest_time(h):
    assert h('HPEXPIREAT', 'h', (1 << 46) - 1, 'FIELDS', 1, 'a') == [DONE]


# Past the deadline


def expired(h, clock, engine, fields=('a',)):
    """Fields of the hash are past their deadline, and nobody has looked since."""
    h('HPEXPIRE', 'h', 10, 'FIELDS', len(fields), *fields)
    clock.advance(11)
    return h


def test_a_field_lives_until_its_deadline(h, clock):
    h('HPEXPIRE', 'h', 10, 'FIELDS', 1, 'a')
    clock.advance(10)
    assert h('HGET', 'h', 'a') == b'1'
    assert h('HPTTL', 'h', 'FIELDS', 1, 'a') == [0]
    clock.advance(1)
    assert h('HPTTL', 'h', 'FIELDS', 1, 'a') == [NO_SUCH_FIELD]
    assert h('HGET', 'h', 'a') is None


@pytest.mark.parametrize(
    ('words', 'reply'),
    [
        ('HGET h a', None),
        ('HMGET h a b a', [None, b'2', None]),
        ('HEXISTS h a', 0),
        ('HSTRLEN h a', 0),
        ('HSETNX h a new', 1),
        ('HINCRBY h a 5', 5),
        ('HINCRBYFLOAT h a 5', b'5'),
        ('HRANDFIELD h -1', [b'b']),
    ],
)
def test_who_asks_for_it_removes_it(h, clock, engine, clients, words, reply):
    h('HDEL', 'h', 'c')
    fresh = events(clients)
    expired(h, clock, engine)
    assert h(*words.split()) == reply
    assert fresh()[:2] == [b'hexpire', b'hexpired']
    assert engine.keyspace.expired_fields == 1
    assert h('HPTTL', 'h', 'FIELDS', 1, 'a')[0] in (NO_SUCH_FIELD, NO_DEADLINE)


@pytest.mark.parametrize(
    ('words', 'reply'),
    [
        ('HGETALL h', [b'b', b'2', b'c', b'3']),
        ('HKEYS h', [b'b', b'c']),
        ('HVALS h', [b'2', b'3']),
        ('HSCAN h 0', [b'0', [b'b', b'2', b'c', b'3']]),
        ('HSCAN h 0 NOVALUES', [b'0', [b'b', b'c']]),
        ('HTTL h FIELDS 1 a', [NO_SUCH_FIELD]),
        ('HPERSIST h FIELDS 1 a', [NO_SUCH_FIELD]),
        ('HLEN h', 3),
    ],
)
def test_who_reads_many_leaves_it_where_it_is(h, clock, engine, words, reply):
    expired(h, clock, engine)
    assert h(*words.split()) == reply
    assert engine.keyspace.expired_fields == 0
    assert h('HLEN', 'h') == 3
    assert h('HDEL', 'h', 'a') == 1


def test_a_hash_goes_with_its_last_field(h, clock, engine, clients):
    fresh = events(clients)
    expired(h, clock, engine, 'abc')
    fresh()
    assert h('EXISTS', 'h') == 1
    assert h('HMGET', 'h', 'a', 'b') == [None, None]
    assert fresh() == [b'hexpired']
    assert h('HINCRBY', 'h', 'c', 4) == 4
    assert fresh() == [b'hexpired', b'del', b'hincrby']
    assert h('HGETALL', 'h') == [b'c', b'4']
    assert h('HTTL', 'h', 'FIELDS', 1, 'c') == [NO_DEADLINE]


def test_hset_takes_a_deadline_away_and_hincrby_does_not(h):
    h('HEXPIRE', 'h', 100, 'FIELDS', 3, 'a', 'b', 'c')
    h('HSET', 'h', 'a', 9)
    h('HINCRBY', 'h', 'b', 1)
    h('HINCRBYFLOAT', 'h', 'c', 1)
    assert h('HTTL', 'h', 'FIELDS', 3, 'a', 'b', 'c') == [NO_DEADLINE, 100, 100]


def test_sort_sees_no_field_past_its_deadline(h, clock, engine):
    h('RPUSH', 'l', 'h')
    expired(h, clock, engine)
    assert h('SORT', 'l', 'BY', 'nosort', 'GET', '*->a', 'GET', '*->b') == [None, b'2']
    assert engine.keyspace.expired_fields == 1


def test_a_watch_breaks_when_a_field_expires(h, clock, engine):
    h('HPEXPIRE', 'h', 10, 'FIELDS', 1, 'a')
    h('WATCH', 'h')
    clock.advance(11)
    engine.tell_time()
    engine.expire_some()
    h('MULTI')
    assert h('EXEC') is None


# Active expiry


def drain(engine):
    engine.tell_time()
    while engine.expire_some():
        pass


def test_fields_expire_though_nobody_asks(h, clock, engine, clients):
    fresh = events(clients)
    h('HPEXPIRE', 'h', 10, 'FIELDS', 2, 'a', 'b')
    h('HPEXPIRE', 'h', 100, 'FIELDS', 1, 'c')
    drain(engine)
    assert h('HLEN', 'h') == 3
    clock.advance(11)
    drain(engine)
    assert h('HLEN', 'h') == 1
    assert h('HPTTL', 'h', 'FIELDS', 1, 'c') == [89]
    clock.advance(100)
    drain(engine)
    assert len(engine.keyspace.databases[0]) == 0
    assert engine.keyspace.databases[0].hashes_due is None
    assert fresh() == [b'hexpire', b'hexpire', b'hexpired', b'hexpired', b'del']


def test_a_slice_ends_when_its_time_is_over(client, engine, clock):
    class Ticking(ManualClock):
        def monotonic_us(self):
            self.advance(SLICE_US / 4 / 1000)
            return super().monotonic_us()

    for number in range(10_000):
        client('HSET', 'h', number, 'v')
        client('HPEXPIRE', 'h', 10, 'FIELDS', 1, number)
    clock.advance(20)
    engine.tell_time()
    assert expire_slice(engine.keyspace, Ticking())
    assert 5000 < client('HLEN', 'h') < 10_000
    while expire_slice(engine.keyspace, Ticking()):
        pass
    assert client('EXISTS', 'h') == 0
    assert engine.keyspace.expired_fields == 10_000


def test_thousands_of_hashes(client, engine, clock):
    for number in range(2000):
        client('HSET', number, 'f', 'v', 'g', 'w')
        client('HPEXPIRE', number, 10 + number % 2 * 1000, 'FIELDS', 1, 'f')
    info = client('INFO', 'keyspace').decode()
    assert 'subexpiry=2000' in info
    clock.advance(20)
    drain(engine)
    assert engine.keyspace.expired_fields == 1000
    assert len(engine.keyspace.databases[0]) == 2000
    assert 'subexpiry=1000' in client('INFO', 'keyspace').decode()
    client('FLUSHALL')
    client('SET', 'k', 'v')
    assert 'subexpiry' not in client('INFO', 'keyspace').decode()


def test_what_has_become_of_the_key_meanwhile(client, engine, clock):
    for key in ('gone', 'text', 'anew', 'renamed', 'moved', 'copied', 'persistent'):
        client('HSET', key, 'f', 'v', 'g', 'w')
        client('HPEXPIRE', key, 10, 'FIELDS', 1, 'f')
    client('DEL', 'gone')
    client('SET', 'text', 'x')
    client('DEL', 'anew')
    client('HSET', 'anew', 'f', 'v')
    client('RENAME', 'renamed', 'new name')
    client('MOVE', 'moved', 1)
    client('COPY', 'copied', 'copy')
    client('HPERSIST', 'persistent', 'FIELDS', 1, 'f')
    clock.advance(11)
    drain(engine)
    assert engine.keyspace.expired_fields == 4
    assert client('GET', 'text') == b'x'
    assert client('HLEN', 'anew') == 1
    assert client('HLEN', 'persistent') == 2
    assert [client('HGETALL', key) for key in ('new name', 'copied', 'copy')] == [[b'g', b'w']] * 3
    client('SELECT', 1)
    assert client('HGETALL', 'moved') == [b'g', b'w']
    assert all(db.hashes_due is None for db in engine.keyspace.databases)


def test_databases_change_places(h, engine, clock):
    h('HPEXPIRE', 'h', 10, 'FIELDS', 1, 'a')
    h('SWAPDB', 0, 3)
    clock.advance(11)
    drain(engine)
    assert engine.keyspace.databases[3].values[b'h'].get(b'a') is None


def test_under_a_pause_nothing_goes(clients, clock, engine):
    writer, reader = clients(2)
    writer('HSET', 'h', 'a', 1, 'b', 2)
    writer('HPEXPIRE', 'h', 10, 'FIELDS', 1, 'a')
    reader('CLIENT', 'PAUSE', 1000, 'WRITE')
    clock.advance(11)
    drain(engine)
    assert reader('HGET', 'h', 'a') is None
    assert reader('HMGET', 'h', 'a', 'b') == [None, b'2']
    assert reader('HGETALL', 'h') == [b'b', b'2']
    assert reader('HRANDFIELD', 'h') == b'b'
    assert reader('HRANDFIELD', 'h', 5) == [b'b']
    assert reader('HLEN', 'h') == 2
    reader('CLIENT', 'UNPAUSE')
    drain(engine)
    assert reader('HLEN', 'h') == 1


def test_the_books_of_memory_follow(h, engine, clock):
    h('CONFIG', 'SET', 'maxmemory', '1gb')
    used = engine.keyspace.memory.used
    h('HSET', 'h', 'large', 'x' * 10_000)
    h('HPEXPIRE', 'h', 10, 'FIELDS', 1, 'large')
    clock.advance(11)
    assert h('HGET', 'h', 'large') is None
    assert engine.keyspace.memory.used < used + 2000
    h('HPEXPIRE', 'h', 10, 'FIELDS', 3, 'a', 'b', 'c')
    clock.advance(11)
    drain(engine)
    assert engine.keyspace.memory.used == 0


def test_a_copy_has_deadlines_of_its_own(h, clock):
    h('HPEXPIRE', 'h', 10, 'FIELDS', 1, 'a')
    h('COPY', 'h', 'i')
    h('HPERSIST', 'h', 'FIELDS', 1, 'a')
    clock.advance(11)
    assert h('HGET', 'h', 'a') == b'1'
    assert h('HGET', 'i', 'a') is None


def test_encoding(h):
    assert h('OBJECT', 'ENCODING', 'h') == b'listpack'
    h('HEXPIRE', 'h', 10, 'FIELDS', 1, 'nope')
    h('HEXPIRE', 'h', 10, 'FIELDS', 1, 'a')
    h('HPERSIST', 'h', 'FIELDS', 1, 'a')
    assert h('OBJECT', 'ENCODING', 'h') == b'listpackex'
    h('CONFIG', 'SET', 'hash-max-listpack-entries', 2)
    assert h('OBJECT', 'ENCODING', 'h') == b'hashtable'
