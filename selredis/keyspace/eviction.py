"""Which keys have to go when memory is short: maxmemory-policy, in the way of Redis (evict.c).

All but the random policies rank keys by a score: the ms since the last use, the lack of uses, the nearness of the
deadline. Each time a key is to go, a few keys of each database are looked at (`maxmemory-samples`), the sixteen best
of all that were ever looked at are kept in a pool, and the best of these goes: far better than the few alone would do.
"""

from bisect import insort
from collections.abc import Callable
from random import Random
from typing import NamedTuple

from selredis.keyspace.database import Database, Keyspace
from selredis.keyspace.uses import MOST
from selredis.values.due_times import NEVER_MS

POOL = 16
# If at least one key in so many has a deadline, such keys are found among any; else by the index, which takes longer.
DENSE = 4


class Candidate(NamedTuple):
    """A key that may go, the sooner the higher its score."""

    score: int
    number: int  # of the database
    key: bytes


Score = Callable[[Database, bytes], int]


class Evictor:
    """Chooses keys of one keyspace."""

    __slots__ = ('_keyspace', '_next', '_pool', '_random')

    def __init__(self, keyspace: Keyspace, random: Random) -> None:
        self._keyspace = keyspace
        self._random = random
        self._pool: list[Candidate] = []  # the best last
        self._next = 0  # the database whose turn it is

    def forget(self) -> None:
        """Forget all candidates: they were chosen by another policy."""
        self._pool.clear()

    def choose(self, policy: str, samples: int) -> tuple[Database, bytes] | None:
        """The key to go next, None if there is none."""
        scope, _, way = policy.partition('-')
        volatile = scope == 'volatile'
        if way == 'random':
            return self._choose_at_random(volatile)
        return self._choose_best(volatile, self._scores()[way], samples)

    def _scores(self) -> dict[str, Score]:
        uses = self._keyspace.uses
        return {
            'lru': uses.idle_ms,
            'lfu': lambda db, key: MOST - uses.frequency(db, key),
            'ttl': lambda db, key: NEVER_MS - db.deadlines[key],
        }

    def _choose_at_random(self, volatile: bool) -> tuple[Database, bytes] | None:
        """A key of the next database that has any."""
        databases = self._keyspace.databases
        for _ in databases:
            self._next = (self._next + 1) % len(databases)
            db = databases[self._next]
            if db.deadlines if volatile else db.values:
                return db, volatile_keys(db, self._random, 1)[0] if volatile else db.index.random_key(self._random)
        return None

    def _choose_best(self, volatile: bool, score: Score, samples: int) -> tuple[Database, bytes] | None:
        pool = self._pool
        databases = self._keyspace.databases
        while True:
            found = False
            for db in databases:
                if db.deadlines if volatile else db.values:
                    found = True
                    self._look_at_some(db, volatile, score, samples)
            if not found:
                pool.clear()
                return None
            while pool:
                best = pool.pop()
                db = databases[best.number]
                # It may have gone, or have been used, since it was looked at.
                if best.key in (db.deadlines if volatile else db.values) and score(db, best.key) >= best.score:
                    return db, best.key

    def _look_at_some(self, db: Database, volatile: bool, score: Score, samples: int) -> None:
        pool = self._pool
        find = volatile_keys if volatile else any_keys
        for key in find(db, self._random, samples):
            candidate = Candidate(score(db, key), db.number, key)
            if len(pool) < POOL:
                insort(pool, candidate)
            elif candidate.score > pool[0].score:
                del pool[0]
                insort(pool, candidate)


def any_keys(db: Database, random: Random, count: int) -> list[bytes]:
    return db.index.some_keys(random, count)


def volatile_keys(db: Database, random: Random, count: int) -> list[bytes]:
    """Some keys with a deadline, at least one, of a database that has any."""
    deadlines, index = db.deadlines, db.index
    if len(deadlines) * DENSE >= len(db.values):
        wanted = count * len(db.values) // len(deadlines)
        found = [key for key in index.some_keys(random, wanted) if key in deadlines][:count]
        if found:
            return found
    found = []
    while len(found) < count:
        slot = index.any_bucket_with_deadlines(random)
        keys = [key for key in index.buckets[slot] if key in deadlines]
        if keys:
            found.append(keys[int(random.random() * len(keys))])
        else:
            index.due_times.correct(slot, NEVER_MS)
    return found
