"""A database alone: what it tells of its keys, and to whom."""

import sys
from random import Random

import pytest

from selredis.errors import ReplyError
from selredis.keyspace.database import HOLLOW_KEYS, Keyspace
from selredis.keyspace.freeing import LARGE
from selredis.pubsub import PubSub
from selredis.values.list import List
from selredis.values.stream import Stream

NOW_MS = 1_700_000_000_000


class Recorder:
    """A keyspace's notifier that takes down what it is told."""

    classes = frozenset('KEA')

    def __init__(self):
        self.events = []

    def notify(self, db_number, key, event):
        self.events.append((db_number, key.decode(), event.decode()))


class Watching:
    def __init__(self):
        self.watch_broken = False


@pytest.fixture
def keyspace():
    keyspace = Keyspace(4, PubSub([]), Random(1))
    keyspace.now_ms = NOW_MS
    return keyspace


@pytest.fixture
def db(keyspace):
    return keyspace.databases[0]


@pytest.fixture
def events(keyspace):
    keyspace.notifier = Recorder()
    keyspace.update_observed()
    return keyspace.notifier.events


def expired(db, *keys):
    """Keys that are there and past their deadline."""
    for key in keys:
        db.put(key, b'stale')
        db.set_deadline(key, NOW_MS - 1)


# Values


def test_a_value_of_another_kind_is_refused(db):
    db.put(b'k', List([b'a']))
    for look in (db.get, db.read, db.get_or_create):
        with pytest.raises(ReplyError, match='WRONGTYPE'):
            look(b'k', bytes)
    db.put(b'k', b'text')
    with pytest.raises(ReplyError, match='WRONGTYPE'):
        db.get(b'k', List)


def test_a_string_is_one_whether_changed_in_place_or_not(db):
    db.put(b'k', bytearray(b'text'))
    assert db.get(b'k', bytes) == db.read(b'k', bytes) == b'text'


def test_empty_values_are_there(db):
    db.put(b'', b'')
    assert b'' in db
    assert db.get(b'', bytes) == b''


def test_what_is_created_is_kept(db):
    db.get_or_create(b'k', List).push_right(b'a')
    assert list(db.get_or_create(b'k', List)) == [b'a']


def test_reading_counts_hits_and_misses_and_looking_does_not(db, keyspace):
    db.put(b'k', b'v')
    for look in (db.read, db.get):
        look(b'k', bytes)
        look(b'none', bytes)
    db.peek(b'none')
    assert (keyspace.hits, keyspace.misses) == (1, 1)
    db.read_any(b'k')
    db.inspect(b'k')
    assert (keyspace.hits, keyspace.misses) == (3, 1)
    db.read_any(b'none')
    db.inspect(b'none')
    assert (keyspace.hits, keyspace.misses) == (3, 3)


def test_a_value_of_the_wrong_kind_is_a_hit(db, keyspace):
    db.put(b'k', b'v')
    with pytest.raises(ReplyError):
        db.read(b'k', List)
    assert keyspace.hits == 1


def test_the_index_follows(db):
    db.put(b'a', b'1')
    db.put(b'b', b'2')
    db.put(b'b', b'3')
    db.put(b'b', b'4')
    assert sorted(db.index.scan(0, 10)[1]) == [b'a', b'b']
    db.remove(b'a', b'del')
    db.discard(b'b')
    assert len(db.index) == len(db) == 0


# Deadlines


def test_a_key_lives_to_the_end_of_the_millisecond_of_its_deadline(db, keyspace):
    db.put(b'k', b'v')
    db.set_deadline(b'k', NOW_MS + 10)
    keyspace.now_ms += 10
    assert b'k' in db
    keyspace.now_ms += 1
    assert b'k' not in db
    assert keyspace.expired == 1


@pytest.mark.parametrize(
    'look',
    [
        lambda db: db.get(b'k', bytes),
        lambda db: db.read(b'k', bytes),
        lambda db: db.peek(b'k'),
        lambda db: db.read_any(b'k'),
        lambda db: db.inspect(b'k'),
        lambda db: None if b'k' not in db else True,
        lambda db: db.remove(b'k', b'del') or None,
        lambda db: db.random_key(Random(0)),
    ],
)
def test_a_key_past_its_deadline_is_gone_whoever_looks(db, keyspace, look):
    expired(db, b'k')
    assert look(db) is None
    assert not db.values
    assert not db.deadlines
    assert len(db.index) == 0
    assert keyspace.expired == 1
    assert keyspace.dirty == 0


def test_set_takes_the_deadline_away_and_put_leaves_it(db):
    db.put(b'k', b'v')
    db.set_deadline(b'k', NOW_MS + 10)
    db.put(b'k', b'w')
    assert db.deadline_of(b'k') == NOW_MS + 10
    db.set(b'k', b'x')
    assert db.deadline_of(b'k') is None


def test_what_is_set_in_the_place_of_an_expired_key_is_new(db, events):
    expired(db, b'k')
    del events[:]
    db.set(b'k', b'v')
    assert events == [(0, 'k', 'expired'), (0, 'k', 'new'), (0, 'k', 'set')]
    assert db.deadline_of(b'k') is None


def test_only_deadlines_can_be_cleared(db):
    db.put(b'k', b'v')
    assert not db.clear_deadline(b'k')
    db.set_deadline(b'k', NOW_MS + 10)
    assert db.clear_deadline(b'k')
    assert db.deadline_of(b'k') is None


def test_alive_leaves_the_others_where_they_are(db):
    expired(db, b'old')
    db.put(b'a', b'1')
    db.put(b'b', b'1')
    db.set_deadline(b'b', NOW_MS)
    assert db.alive(db.values) == [b'a', b'b']
    assert b'old' in db.values


def test_a_random_key_is_found_among_many_that_expired(db):
    expired(db, *(b'%d' % number for number in range(200)))
    db.put(b'alive', b'v')
    assert db.random_key(Random(0)) == b'alive'
    db.discard(b'alive')
    assert db.random_key(Random(0)) is None
    assert not db.values


# Who is told


def test_a_change_breaks_the_watch_of_its_key_alone(db, keyspace):
    watching, other = Watching(), Watching()
    db.watch(b'k', watching)
    db.watch(b'other', other)
    keyspace.databases[1].watch(b'k', other)
    db.put(b'k', b'v')
    db.changed(b'k', b'set')
    assert watching.watch_broken
    assert not other.watch_broken


def test_a_key_that_expires_breaks_its_watch(db, keyspace):
    watching = Watching()
    db.put(b'k', b'v')
    db.set_deadline(b'k', NOW_MS + 10)
    db.watch(b'k', watching)
    keyspace.now_ms += 11
    assert not watching.watch_broken
    assert b'k' not in db
    assert watching.watch_broken


def test_a_key_that_has_expired_is_watched_as_one_that_is_not_there(db):
    watching = Watching()
    expired(db, b'k')
    db.watch(b'k', watching)
    assert b'k' not in db
    db.clear()
    assert not watching.watch_broken


def test_clearing_breaks_the_watches_of_keys_that_were_there(db):
    watching, other = Watching(), Watching()
    db.put(b'k', b'v')
    db.watch(b'k', watching)
    db.watch(b'none', other)
    db.clear()
    assert watching.watch_broken
    assert not other.watch_broken


def test_nobody_is_looked_for_when_nobody_watches_waits_or_listens(db, keyspace):
    watching = Watching()
    assert not keyspace.observed
    db.watch(b'k', watching)
    db.watch(b'l', watching)
    assert keyspace.observed
    db.unwatch(b'k', watching)
    assert keyspace.observed
    db.unwatch(b'l', watching)
    assert not keyspace.observed
    assert not db.watched
    db.wait(b'k', List, watching)
    assert keyspace.observed
    db.unwait(b'k', List, watching)
    assert not keyspace.observed
    assert not db.waiting
    keyspace.notify_classes(frozenset('KEA'))
    assert keyspace.observed


def test_only_a_value_of_the_kind_that_is_waited_for_is_ready_and_only_when_it_comes(db, keyspace):
    db.wait(b'k', List, Watching())
    db.put(b'k', b'text')
    db.changed(b'k', b'set')
    assert keyspace.ready == []
    db.put(b'k', List([b'a']))
    db.changed(b'k', b'sortstore')
    assert keyspace.ready == []
    db.remove(b'k', b'del')
    db.put(b'k', List([b'a']))
    db.changed(b'k', b'lpush')
    assert keyspace.ready == [(db, b'k')]


def test_a_stream_that_has_got_more_is_ready(db, keyspace):
    db.put(b'k', Stream())
    db.wait(b'k', Stream, Watching())
    db.changed(b'k', b'xadd')
    assert keyspace.ready == [(db, b'k')]


def test_a_change_counts_as_often_as_it_is_said(db, keyspace):
    db.put(b'k', List([b'a', b'b']))
    db.changed(b'k', b'lpush', 2)
    db.changed(b'k', b'rename_from', 0)
    assert keyspace.dirty == 2
    db.remove(b'k', b'del')
    assert keyspace.dirty == 3


def test_what_is_told_of_a_removal_that_follows_from_a_change(db, keyspace, events):
    db.put(b'k', List([b'a']))
    del events[:]
    db.get(b'k', List).pop_left()
    db.changed(b'k', b'lpop')
    db.remove_empty(b'k')
    assert events == [(0, 'k', 'lpop'), (0, 'k', 'del')]
    assert keyspace.dirty == 1
    assert b'k' not in db


# Whole databases


def test_swapping_exchanges_keys_deadlines_and_order(db, keyspace):
    other = keyspace.databases[1]
    db.put(b'a', b'1')
    db.set_deadline(b'a', NOW_MS + 10)
    other.set(b'b', b'2')
    keyspace.swap(db, other)
    assert (db.values, other.values) == ({b'b': b'2'}, {b'a': b'1'})
    assert (db.deadlines, other.deadlines) == ({}, {b'a': NOW_MS + 10})
    assert db.index.scan(0, 10)[1] == [b'b']
    keyspace.now_ms += 11
    assert other.index.due_bucket(keyspace.now_ms) >= 0


def test_swapping_breaks_the_watches_of_keys_that_are_in_either(db, keyspace):
    other = keyspace.databases[1]
    mine, theirs, nobodys = Watching(), Watching(), Watching()
    db.put(b'mine', b'v')
    other.set(b'theirs', b'v')
    db.watch(b'mine', mine)
    db.watch(b'theirs', theirs)
    db.watch(b'none', nobodys)
    keyspace.swap(db, other)
    assert mine.watch_broken
    assert theirs.watch_broken
    assert not nobodys.watch_broken


def test_a_key_that_has_expired_breaks_no_watch_by_being_swapped_in(db, keyspace):
    other = keyspace.databases[1]
    watching = Watching()
    expired(other, b'k')
    db.watch(b'k', watching)
    keyspace.swap(db, other)
    assert not watching.watch_broken


def test_swapping_serves_who_waits_for_what_has_come(db, keyspace):
    other = keyspace.databases[1]
    other.set(b'k', List([b'a']))
    other.set(b'text', b'v')
    db.wait(b'k', List, Watching())
    db.wait(b'text', List, Watching())
    keyspace.swap(db, other)
    assert keyspace.ready == [(db, b'k')]


def test_swapping_a_database_with_itself_is_no_change(db, keyspace):
    watching = Watching()
    db.put(b'k', b'v')
    db.watch(b'k', watching)
    keyspace.swap(db, db)
    assert not watching.watch_broken
    assert b'k' in db


# Memory


def test_a_large_value_is_laid_aside_and_a_small_one_is_not(db, keyspace):
    db.put(b'small', List([b'x'] * LARGE))
    db.put(b'large', List([b'x'] * (LARGE + 1)))
    db.put(b'text', b'x' * (LARGE + 1))
    for key in (b'small', b'large', b'text'):
        db.remove(key, b'del')
    assert [len(container) for container in keyspace.discarded.containers] == [LARGE + 1]


def test_a_large_value_that_expires_is_laid_aside(db, keyspace):
    for key in (b'a', b'b'):
        db.put(key, List([b'x'] * (LARGE + 1)))
        db.set_deadline(key, NOW_MS - 1)
    assert b'a' not in db
    db.expire_bucket(0)
    assert len(keyspace.discarded.containers) == 2


@pytest.mark.parametrize(('lazy_above', 'pending'), [(LARGE, LARGE + 1), (LARGE + 1, 0)])
def test_a_large_database_is_freed_lazily_when_it_is_cleared(db, keyspace, lazy_above, pending):
    for number in range(LARGE + 1):
        db.put(b'%d' % number, b'v')
    db.clear(lazy_above)
    assert keyspace.discarded.pending == pending
    assert len(db) == len(db.index) == 0
    assert keyspace.dirty == LARGE + 1


def test_a_table_that_was_large_is_given_back(db, keyspace):
    for number in range(20_000):
        db.put(b'%d' % number, b'v')
        db.set_deadline(b'%d' % number, NOW_MS)
    keyspace.now_ms += 1
    db.set(b'0', b'v')
    while (slot := db.index.due_bucket(keyspace.now_ms)) >= 0:
        db.expire_bucket(slot)
    before = sys.getsizeof(db.values) + sys.getsizeof(db.deadlines)
    keyspace.trim()
    keyspace.trim()
    assert sys.getsizeof(db.values) + sys.getsizeof(db.deadlines) < before / 100
    assert db.values == {b'0': b'v'}


def test_a_table_that_is_in_use_stays(db, keyspace):
    for number in range(HOLLOW_KEYS // 2):
        db.put(b'%d' % number, b'v')
    values = db.values
    keyspace.trim()
    assert db.values is values
