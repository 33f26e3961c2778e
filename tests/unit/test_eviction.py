"""Which keys have to go."""

from random import Random

import pytest

from selredis.keyspace.accounting import keep_books
from selredis.keyspace.database import Database, Keyspace
from selredis.keyspace.eviction import Evictor, volatile_keys
from selredis.pubsub import PubSub

NOW_MS = 1_700_000_000_000
COUNT = 1000


@pytest.fixture
def keyspace():
    keyspace = Keyspace(4, PubSub([]), Random(1))
    keyspace.now_ms = NOW_MS
    return keyspace


@pytest.fixture
def evictor(keyspace):
    return Evictor(keyspace, Random(2))


def note(keyspace: Keyspace, way: str) -> None:
    keyspace.uses.begin(keyspace.databases, by_frequency=way == 'lfu')
    keep_books(keyspace)


def fill(db: Database, *, volatile: bool = False) -> list[bytes]:
    """Keys that were used at times, and as often, and will expire, in their order."""
    keys = [b'%d' % number for number in range(COUNT)]
    uses = db.keyspace.uses
    for number, key in enumerate(keys):
        db.set(key, b'1')
        db.uses[key] = uses.mark(number // 4) if uses.by_frequency else NOW_MS - (COUNT - number) * 1000
        if volatile:
            db.set_deadline(key, NOW_MS + number)
    return keys


def evict(evictor: Evictor, policy: str, count: int) -> list[bytes]:
    gone = []
    for _ in range(count):
        victim = evictor.choose(policy, 5)
        assert victim is not None
        db, key = victim
        db.evict(key)
        gone.append(key)
    return gone


@pytest.mark.parametrize(
    'policy', ['allkeys-lru', 'allkeys-lfu', 'volatile-lru', 'volatile-lfu', 'volatile-ttl', 'allkeys-random']
)
def test_what_is_worth_least_goes_first(keyspace, evictor, policy):
    scope, _, way = policy.partition('-')
    if way in ('lru', 'lfu'):
        note(keyspace, way)
    fill(keyspace.databases[0], volatile=scope == 'volatile')
    gone = evict(evictor, policy, COUNT // 4)
    assert len(set(gone)) == COUNT // 4
    assert keyspace.evicted == COUNT // 4
    of_the_worst_half = sum(int(key) < COUNT // 2 for key in gone)
    if way == 'random':
        assert 0.35 < of_the_worst_half / len(gone) < 0.65
    else:
        assert of_the_worst_half / len(gone) > 0.95


@pytest.mark.parametrize('way', ['lru', 'lfu', 'ttl', 'random'])
def test_only_keys_with_deadlines_go_under_a_volatile_policy(keyspace, evictor, way):
    if way in ('lru', 'lfu'):
        note(keyspace, way)
    db = keyspace.databases[0]
    fill(db)
    few = [b'%d' % number for number in range(0, COUNT, 97)]
    for key in few:
        db.set_deadline(key, NOW_MS + 10_000)
    assert sorted(evict(evictor, f'volatile-{way}', len(few))) == sorted(few)
    assert evictor.choose(f'volatile-{way}', 5) is None


def test_the_nearest_deadlines_are_found_among_keys_without(keyspace, evictor):
    db = keyspace.databases[0]
    fill(db)
    for number in range(100):
        db.set_deadline(b'%d' % number, NOW_MS + number)
    gone = evict(evictor, 'volatile-ttl', 25)
    assert sum(int(key) < 50 for key in gone) > 20


def test_random_policies_take_databases_in_turn(keyspace, evictor):
    for number in (1, 3):
        fill(keyspace.databases[number], volatile=True)
    evict(evictor, 'allkeys-random', 100)
    evict(evictor, 'volatile-random', 100)
    assert [len(db) for db in keyspace.databases] == [0, COUNT - 100, 0, COUNT - 100]


def test_all_databases_are_looked_at(keyspace, evictor):
    note(keyspace, 'lru')
    recent, old = keyspace.databases[1], keyspace.databases[2]
    fill(old)
    for key in fill(recent):
        recent.uses[key] = NOW_MS
    evict(evictor, 'allkeys-lru', 50)
    assert (len(recent), len(old)) == (COUNT, COUNT - 50)


def test_a_key_that_was_used_since_it_was_chosen_stays(keyspace, evictor):
    note(keyspace, 'lru')
    db = keyspace.databases[0]
    keys = fill(db)
    victim = evictor.choose('allkeys-lru', 5)
    assert victim is not None
    for key in keys[: COUNT // 2]:
        db.uses[key] = NOW_MS  # those that wait in the pool as well
    gone = evict(evictor, 'allkeys-lru', 10)
    assert all(int(key) >= COUNT // 2 for key in gone)


def test_nothing_to_choose_from(keyspace, evictor):
    for policy in ('allkeys-lru', 'allkeys-random', 'volatile-ttl', 'volatile-random'):
        assert evictor.choose(policy, 5) is None


def test_deadlines_that_were_taken_away_are_learned(keyspace):
    db = keyspace.databases[0]
    for key in fill(db, volatile=True):
        if key != b'500':
            db.clear_deadline(key)
    assert volatile_keys(db, Random(0), 1) == [b'500']


@pytest.mark.parametrize('count', [1, 5, 50, COUNT, 2 * COUNT])
def test_some_keys_are_different_ones(keyspace, count):
    db = keyspace.databases[0]
    fill(db)
    chance = Random(0)
    for _ in range(20):
        some = db.index.some_keys(chance, count)
        assert len(set(some)) == len(some) == min(count, COUNT)
