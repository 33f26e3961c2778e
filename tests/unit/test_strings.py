"""Strings: time, changes in place, and what a command tells others. What they answer is in transcripts/strings."""

import pytest

from selredis.values.list import List


@pytest.fixture
def db(engine):
    return engine.keyspace.databases[0]


@pytest.fixture
def events(clients, engine) -> list[tuple[bytes, bytes]]:
    """Filled with every event and its key as it happens."""
    told: list[tuple[bytes, bytes]] = []
    engine.keyspace.notify_classes(frozenset('KEg$lxnm'))
    notify = engine.keyspace.notifier.notify

    class Recorder:
        classes = engine.keyspace.notifier.classes

        def notify(self, db_number: int, key: bytes, event: bytes) -> None:
            notify(db_number, key, event)
            told.append((event, key))

    engine.keyspace.notifier = Recorder()
    return told


# --- deadlines --------------------------------------------------------------------------------------------------------


def test_set_ex_counts_from_now(client, engine, db):
    client('SET', 'k', 'v', 'EX', '10')
    assert db.deadline_of(b'k') == engine.now_ms + 10_000


def test_set_px_counts_from_now(client, engine, db):
    client('SET', 'k', 'v', 'PX', '10')
    assert db.deadline_of(b'k') == engine.now_ms + 10


def test_a_string_with_a_deadline_is_gone_after_it(client, clock):
    client('SET', 'k', 'v', 'PX', '10')
    clock.advance(10)
    assert client('GET', 'k') == b'v'
    clock.advance(1)
    assert client('GET', 'k') is None


def test_setex_and_psetex_set_a_deadline(client, engine, db):
    client('SETEX', 's', '10', 'v')
    client('PSETEX', 'm', '10', 'v')
    assert db.deadline_of(b's') == engine.now_ms + 10_000
    assert db.deadline_of(b'm') == engine.now_ms + 10


@pytest.mark.parametrize(
    'words',
    [['SET', 'k', 'w'], ['GETSET', 'k', 'w'], ['MSET', 'k', 'w'], ['SET', 'k', 'w', 'XX', 'GET']],
    ids=lambda words: words[0],
)
def test_a_new_string_has_no_deadline(client, db, words):
    client('SET', 'k', 'v', 'EX', '10')
    client(*words)
    assert db.deadline_of(b'k') is None


@pytest.mark.parametrize(
    'words',
    [
        ['SET', 'k', '2', 'KEEPTTL'],
        ['APPEND', 'k', '2'],
        ['SETRANGE', 'k', '0', '2'],
        ['INCR', 'k'],
        ['INCRBYFLOAT', 'k', '1'],
        ['GETEX', 'k'],
    ],
    ids=lambda words: words[0],
)
def test_a_changed_string_keeps_its_deadline(client, engine, db, words):
    client('SET', 'k', '1', 'EX', '10')
    client(*words)
    assert db.deadline_of(b'k') == engine.now_ms + 10_000


@pytest.mark.parametrize(
    'words',
    [
        ['SET', 'k', '1', 'KEEPTTL'],
        ['SET', 'k', '1', 'NX'],
        ['SETNX', 'k', '1'],
        ['MSETNX', 'k', '1'],
        ['APPEND', 'k', '1'],
        ['SETRANGE', 'k', '0', '1'],
        ['INCR', 'k'],
        ['INCRBYFLOAT', 'k', '1'],
    ],
    ids=lambda words: words[0],
)
def test_a_key_past_its_deadline_is_as_one_that_is_not_there(client, clock, db, words):
    client('SET', 'k', '5', 'PX', '10')
    clock.advance(11)
    client(*words)
    assert client('GET', 'k') == b'1'
    assert db.deadline_of(b'k') is None


@pytest.mark.parametrize(
    'words',
    [['SET', 'k', 'v', 'XX'], ['GETEX', 'k', 'PERSIST'], ['GETDEL', 'k'], ['SET', 'k', 'v', 'XX', 'GET', 'KEEPTTL']],
)
def test_a_key_past_its_deadline_does_not_come_back(client, clock, db, words):
    client('SET', 'k', '5', 'PX', '10')
    clock.advance(11)
    assert client(*words) is None
    assert b'k' not in db.values


def test_set_with_a_deadline_that_is_past_stores_a_key_which_expires_when_next_seen(client, db, events):
    assert client('SET', 'k', 'v', 'PXAT', '1') == 'OK'
    assert b'k' in db.values
    assert client('GET', 'k') is None
    assert events == [(b'new', b'k'), (b'set', b'k'), (b'expire', b'k'), (b'expired', b'k'), (b'keymiss', b'k')]


def test_getex_with_a_deadline_that_is_past_deletes(client, engine, db, events):
    client('SET', 'k', 'v')
    events.clear()
    assert client('GETEX', 'k', 'PXAT', engine.now_ms) == b'v'
    assert b'k' not in db.values
    assert events == [(b'del', b'k')]


def test_getex_persist_of_a_key_without_deadline_changes_nothing(client, engine, events):
    client('SET', 'k', 'v')
    events.clear()
    dirty = engine.keyspace.dirty
    assert client('GETEX', 'k', 'PERSIST') == b'v'
    assert engine.keyspace.dirty == dirty
    assert events == []


# --- in place ---------------------------------------------------------------------------------------------------------


def test_append_changes_a_large_string_in_place(client, db):
    client('SET', 'k', 'x' * 1000)
    client('APPEND', 'k', 'y')
    buffer = db.values[b'k']
    client('APPEND', 'k', 'z')
    assert db.values[b'k'] is buffer
    assert client('GET', 'k') == b'x' * 1000 + b'yz'


def test_setrange_changes_a_large_string_in_place(client, db):
    client('SETRANGE', 'k', '1000', 'x')
    buffer = db.values[b'k']
    client('SETRANGE', 'k', '500', 'yy')
    client('SETRANGE', 'k', '1002', 'z')
    assert db.values[b'k'] is buffer
    assert client('GET', 'k') == bytes(500) + b'yy' + bytes(498) + b'x' + bytes(1) + b'z'


def test_setrange_over_the_end_grows_the_string(client):
    client('SET', 'k', 'abc')
    assert client('SETRANGE', 'k', '2', 'XYZ') == 5
    assert client('GET', 'k') == b'abXYZ'


def test_a_reply_is_not_changed_by_what_comes_after_it(client):
    client('APPEND', 'k', 'ab')
    client('APPEND', 'k', 'cd')
    client.pipeline('GET k', 'APPEND k ef', 'MGET k', 'SETRANGE k 0 X', 'GETRANGE k 0 -1', 'SET k new GET', 'GET k')
    assert client.take()[2:] == [b'abcd', 6, [b'abcdef'], 6, b'Xbcdef', b'Xbcdef', b'new']


def test_the_word_that_was_stored_is_never_the_one_that_is_changed(client, engine):
    word = b'abc'
    engine.run(client.client, [[b'SET', b'one', word], [b'SET', b'other', word], [b'APPEND', b'one', b'd']])
    assert client('GET', 'other') == b'abc'


# --- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    'words', [['APPEND', 'k', 'xxxx'], ['SETRANGE', 'k', '1048573', 'xxxx']], ids=lambda words: words[0]
)
def test_a_string_that_would_be_too_long_stays_as_it_was(client, engine, words):
    engine.config.set_pairs([(b'proto-max-bulk-len', b'1mb')])
    client('SETRANGE', 'k', 1024 * 1024 - 4, 'abc')
    assert client(*words) == 'ERR string exceeds maximum allowed size (proto-max-bulk-len)'
    assert client('STRLEN', 'k') == 1024 * 1024 - 1
    assert client('APPEND', 'k', 'd') == 1024 * 1024


def test_msetnx_sets_all_or_nothing(client, db):
    client('SET', 'b', '1')
    assert client('MSETNX', 'a', '2', 'b', '2', 'c', '2') == 0
    assert list(db.values) == [b'b']


def test_an_option_that_is_wrong_leaves_everything_as_it_was(client, engine, db, events):
    client('SET', 'k', 'v', 'EX', '10')
    events.clear()
    assert client('SET', 'k', 'w', 'EX', '0') == "ERR invalid expire time in 'set' command"
    assert client('SET', 'k', 'w', 'PX', '') == 'ERR value is not an integer or out of range'
    assert client('SET', 'k', 'w', 'NX', 'XX') == 'ERR syntax error'
    assert client('GET', 'k') == b'v'
    assert db.deadline_of(b'k') == engine.now_ms + 10_000
    assert events == []


def test_set_get_of_another_type_is_refused_and_changes_nothing(client, db):
    db.put(b'k', List([b'a']))
    assert client('SET', 'k', 'v', 'GET').startswith('WRONGTYPE')
    assert client('SET', 'k', 'v', 'GET', 'NX').startswith('WRONGTYPE')
    assert list(db.values[b'k']) == [b'a']
    assert client('SET', 'k', 'v') == 'OK'


# --- what others learn ------------------------------------------------------------------------------------------------


def test_set_with_a_deadline_is_one_change_and_two_events(client, engine, events):
    client('SET', 'k', 'v', 'EX', '10')
    assert engine.keyspace.dirty == 1
    assert events == [(b'new', b'k'), (b'set', b'k'), (b'expire', b'k')]


def test_mset_is_a_change_for_each_pair(client, engine):
    client('MSET', 'a', '1', 'b', '2', 'a', '3')
    assert engine.keyspace.dirty == 3


def test_what_changes_nothing_is_no_change(client, engine, db):
    client('SET', 'k', 'v')
    dirty = engine.keyspace.dirty
    client.pipeline(
        *('GET k', 'GETEX k', 'MGET k', 'STRLEN k', 'GETRANGE k 0 1', 'LCS k k', 'GETDEL none', 'GETEX none EX 10'),
        *('SETNX k w', 'SET k w NX', 'SET none w XX', 'MSETNX k w', 'INCR k', 'INCRBYFLOAT k 1'),
    )
    client('SETRANGE', 'k', '5', '')
    assert engine.keyspace.dirty == dirty


@pytest.mark.parametrize(
    'words',
    [
        ['SET', 'k', '2'],
        ['SET', 'k', '2', 'KEEPTTL'],
        ['APPEND', 'k', '2'],
        ['SETRANGE', 'k', '0', '2'],
        ['INCR', 'k'],
        ['DECR', 'k'],
        ['INCRBYFLOAT', 'k', '1'],
        ['GETDEL', 'k'],
        ['GETSET', 'k', '1'],
        ['GETEX', 'k', 'EX', '10'],
        ['MSET', 'k', '1'],
    ],
    ids=lambda words: words[0],
)
def test_a_change_breaks_a_watch(clients, words):
    watching, other = clients(2)
    other('SET', 'k', '1')
    watching.client.watch(b'k')
    other(*words)
    assert watching.client.watch_broken


def test_reading_breaks_no_watch(clients):
    watching, other = clients(2)
    other('SET', 'k', '1')
    watching.client.watch(b'k')
    other.pipeline('GET k', 'MGET k', 'GETEX k', 'SETNX k 2', 'SET k 2 NX GET', 'STRLEN k', 'GETRANGE k 0 0', 'LCS k k')
    assert not watching.client.watch_broken


def test_reads_are_counted_as_hits_and_misses(client, engine):
    client('SET', 'k', 'v')
    client.pipeline('GET k', 'GET none', 'MGET k none', 'STRLEN k', 'GETEX k', 'SET k v GET', 'LCS k none', 'INCR n')
    assert (engine.keyspace.hits, engine.keyspace.misses) == (6, 3)
