"""When keys were used last, and how often."""

from random import Random

import pytest

from selredis.keyspace.uses import MOST, NEW, Uses

MINUTE_MS = 60_000
NOW_MS = 1_700_000_000_000


class Counted:
    """What Uses needs of a keyspace."""

    def __init__(self):
        self.now_ms = NOW_MS
        self.dirty = self.hits = self.glances = 0
        self.current_client = None


class Silent:
    no_touch = True


class Notes:
    def __init__(self):
        self.uses = {}


@pytest.fixture
def keyspace():
    return Counted()


@pytest.fixture
def uses(keyspace):
    return Uses(keyspace, Random(1))


@pytest.fixture
def db():
    return Notes()


def test_idle_since_the_last_use(uses, keyspace, db):
    uses.begin([db], by_frequency=False)
    uses.note(db, b'k')
    keyspace.now_ms += 5000
    assert uses.idle_ms(db, b'k') == 5000
    uses.note(db, b'k')
    assert uses.idle_ms(db, b'k') == 0


def test_uses_at_about_one_time_share_a_number(uses, keyspace, db):
    uses.begin([db], by_frequency=False)
    for number in range(10):
        keyspace.now_ms += 10
        uses.note(db, b'%d' % number)
    assert len(set(map(id, db.uses.values()))) == 1
    keyspace.now_ms += 100
    uses.note(db, b'later')
    assert uses.idle_ms(db, b'later') == 0


def test_a_clock_that_was_set_back_makes_nothing_negative(uses, keyspace, db):
    uses.begin([db], by_frequency=False)
    uses.note(db, b'k')
    keyspace.now_ms -= 10 * MINUTE_MS
    assert uses.idle_ms(db, b'k') == 0
    uses.note(db, b'k')
    assert db.uses[b'k'] == keyspace.now_ms


def test_a_key_without_a_note_counts_from_when_any_key_was_used_last(uses, keyspace, db):
    keyspace.hits += 1
    uses.look()
    keyspace.now_ms += 7000
    keyspace.hits += 2
    keyspace.glances += 2  # TTL and the like
    uses.look()
    uses.begin([db], by_frequency=False)
    assert uses.idle_ms(db, b'k') == 7000
    keyspace.dirty += 1  # between two looks
    uses.begin([db], by_frequency=False)
    assert uses.idle_ms(db, b'k') == 0


def test_what_a_silent_client_does_is_no_use(uses, keyspace, db):
    uses.begin([db], by_frequency=False)
    uses.note(db, b'k')
    keyspace.now_ms += 3000
    keyspace.current_client = Silent()
    uses.note(db, b'k')
    assert uses.idle_ms(db, b'k') == 3000
    uses.note_anyway(db, b'k')
    assert uses.idle_ms(db, b'k') == 0


def test_a_new_key_has_some_credit(uses, db):
    uses.begin([db], by_frequency=True)
    uses.note_new(db, b'k')
    assert uses.frequency(db, b'k') == uses.frequency(db, b'unknown') == NEW
    uses.note(db, b'k')
    assert uses.frequency(db, b'k') == NEW + 1


def test_keys_that_exist_when_counting_begins_have_the_frequency_of_new_ones(uses, keyspace, db):
    uses.look()
    keyspace.now_ms += 60 * MINUTE_MS
    uses.begin([db], by_frequency=True)
    assert uses.frequency(db, b'idle for an hour') == NEW
    keyspace.now_ms += 2 * MINUTE_MS
    assert uses.frequency(db, b'idle for an hour') == NEW - 2


# Redis's own table of what so many hits make of the counter (redis.conf, lfu-log-factor).
@pytest.mark.parametrize(('factor', 'hits', 'counter'), [(0, 300, 255), (10, 100, 10), (10, 1000, 18), (100, 1000, 11)])
def test_the_counter_is_logarithmic(uses, db, factor, hits, counter):
    uses.begin([db], by_frequency=True)
    uses.log_factor = factor
    found = []
    for _ in range(5):
        uses.note_new(db, b'k')
        for _ in range(hits):
            uses.note(db, b'k')
        found.append(uses.frequency(db, b'k'))
    assert sum(found) / len(found) == pytest.approx(counter, rel=0.2)


@pytest.mark.parametrize(('decay', 'left'), [(1, 10), (5, 18), (0, 20)])
def test_the_counter_goes_down_with_time(uses, keyspace, db, decay, left):
    uses.begin([db], by_frequency=True)
    uses.decay_minutes = decay
    db.uses[b'k'] = uses.mark(20)
    keyspace.now_ms += 10 * MINUTE_MS
    assert uses.frequency(db, b'k') == left
    keyspace.now_ms += 1000 * MINUTE_MS
    assert uses.frequency(db, b'k') == (20 if not decay else 0)


def test_time_that_has_counted_does_not_count_again(uses, keyspace, db):
    uses.begin([db], by_frequency=True)
    uses.log_factor = 10**9
    db.uses[b'k'] = uses.mark(20)
    keyspace.now_ms += 10 * MINUTE_MS
    uses.note(db, b'k')
    assert uses.frequency(db, b'k') == 10


def test_the_counter_has_an_end(uses, db):
    uses.begin([db], by_frequency=True)
    db.uses[b'k'] = uses.mark(MOST)
    uses.note(db, b'k')
    assert uses.frequency(db, b'k') == MOST


def test_marks_of_one_minute_share_numbers(uses, db):
    uses.begin([db], by_frequency=True)
    uses.note_new(db, b'a')
    uses.note_new(db, b'b')
    assert db.uses[b'a'] is db.uses[b'b']


def test_notes_of_one_kind_are_no_use_for_the_other(uses, db):
    uses.begin([db], by_frequency=True)
    uses.note_new(db, b'k')
    uses.begin([db], by_frequency=False)
    assert db.uses == {}
    uses.note(db, b'k')
    uses.end([db])
    assert (db.uses, uses.noted) == ({}, False)
