"""What data takes that no account is kept of."""

from random import Random

import pytest

from selredis.keyspace.database import Keyspace
from selredis.keyspace.memory import Memory, table_bytes
from selredis.keyspace.survey import ASKED_MS, LARGE, STEP_KEYS, Round, Survey
from selredis.pubsub import PubSub
from selredis.values.list import List

NOW_MS = 1_700_000_000_000
COUNT = 2 * LARGE


@pytest.fixture
def keyspace():
    return Keyspace(3, PubSub([]), Random(1))


@pytest.fixture
def survey():
    return Survey()


def exact(keyspace: Keyspace) -> int:
    memory = Memory()
    return sum(map(memory.count_through, keyspace.databases)) + table_bytes(keyspace.databases)


def ask(survey: Survey, keyspace: Keyspace) -> int:
    return survey.ask(keyspace.databases, NOW_MS)


def tick(survey: Survey, keyspace: Keyspace, times: int, now_ms: int = NOW_MS) -> None:
    for _ in range(times):
        survey.tick(keyspace.databases, now_ms)


def test_little_is_counted_through(keyspace, survey):
    for number in range(100):
        for db in keyspace.databases:
            db.set(b'%d' % number, bytes(number))
            db.set_deadline(b'%d' % number, NOW_MS + 1)
    assert ask(survey, keyspace) == exact(keyspace)


def test_much_is_estimated(keyspace, survey):
    for number in range(COUNT):
        keyspace.databases[1].set(b'%d' % number, bytes(number % 200))
    assert ask(survey, keyspace) == pytest.approx(exact(keyspace), rel=0.05)


def test_a_few_large_values_are_found_in_time(keyspace, survey):
    db = keyspace.databases[1]
    for number in range(COUNT):
        db.set(b'%d' % number, b'12345')
    for number in range(3):
        db.set(b'large %d' % number, bytes(5_000_000))
    for _ in range(2):
        # All that was looked at is in it, and nothing that was not found is made up.
        assert ask(survey, keyspace) < 1.05 * exact(keyspace)
        tick(survey, keyspace, COUNT // STEP_KEYS + 2)
        for _ in range(3):
            assert ask(survey, keyspace) == pytest.approx(exact(keyspace), rel=0.05)
            tick(survey, keyspace, 5)
        keyspace.swap(db, keyspace.databases[2])  # it begins again


def test_it_goes_on_only_while_somebody_asks(keyspace, survey, monkeypatch):
    db = keyspace.databases[0]
    for number in range(COUNT):
        db.set(b'%d' % number, b'12345')
    looked = []
    ask(survey, keyspace)
    monkeypatch.setattr(Round, 'advance', lambda _, db: looked.append(db))
    tick(survey, keyspace, 2)
    assert looked == [db, db]
    tick(survey, keyspace, 100, NOW_MS + ASKED_MS)
    assert looked == [db, db]


def test_a_database_that_was_emptied_takes_nothing(keyspace, survey):
    db = keyspace.databases[0]
    nothing = ask(survey, keyspace)
    for number in range(COUNT):
        db.put(b'%d' % number, List([b'12345']))
    assert ask(survey, keyspace) > COUNT * 100
    db.clear()
    tick(survey, keyspace, 3)
    assert ask(survey, keyspace) == nothing
