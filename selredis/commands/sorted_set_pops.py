"""Sorted sets: what takes members out at an end, waiting for them if need be."""

from typing import NamedTuple

from selredis.commands.lists import positive, read_mpop
from selredis.engine.client import Client
from selredis.engine.command import Argv, command, key, numkeys
from selredis.engine.options import read_wait_ms
from selredis.errors import SYNTAX, ReplyError
from selredis.keyspace.database import Database
from selredis.resp.reply import NULL_ARRAY, Pairs, Reply
from selredis.values.sorted_set import Element, SortedSet

FRACTIONS = (('6.0.0', 'The timeout may have a fraction.'),)


class End(NamedTuple):
    """One end of a sorted set, and the event that tells that members were taken there, named like the command."""

    last: bool
    popped: bytes


MIN = End(False, b'zpopmin')
MAX = End(True, b'zpopmax')
ENDS = {b'MIN': MIN, b'MAX': MAX}


def end_named(word: bytes) -> End:
    """Read MIN or MAX."""
    end = ENDS.get(word.upper())
    if end is None:
        raise ReplyError(SYNTAX)
    return end


def take(db: Database, key: bytes, members: SortedSet, end: End, count: int) -> list[Element]:
    """Take so many members, or all, from an end of the sorted set at a key: the outermost comes first."""
    size = len(members)
    if end.last:
        taken = members.remove_range(max(size - count, 0), size)
        taken.reverse()
    else:
        taken = members.remove_range(0, min(count, size))
    db.lost(key, members, end.popped, len(taken))
    return taken


@command(
    'ZPOPMIN',
    arity=-2,
    flags='write fast',
    keys=(key('RW access delete', 1),),
    since='5.0.0',
    group='sorted-set',
)
def zpopmin(client: Client, argv: Argv) -> Reply:
    """ZPOPMIN key [count]

    Takes the member with the lowest score, or up to so many, out of a sorted set; returns them with their scores.

    O(log(N)*M) in the members there are and those taken
    """
    return pop(client.db, argv, MIN)


@command(
    'ZPOPMAX',
    arity=-2,
    flags='write fast',
    keys=(key('RW access delete', 1),),
    since='5.0.0',
    group='sorted-set',
)
def zpopmax(client: Client, argv: Argv) -> Reply:
    """ZPOPMAX key [count]

    Takes the member with the highest score, or up to so many, out of a sorted set; returns them with their scores.

    O(log(N)*M) in the members there are and those taken
    """
    return pop(client.db, argv, MAX)


def pop(db: Database, argv: Argv, end: End) -> Reply:
    if len(argv) > 3:
        raise ReplyError(SYNTAX)
    key = argv[1]
    count = positive(argv[2]) if len(argv) == 3 else 1
    members: SortedSet | None = db.get(key, SortedSet)
    if members is None or not count:
        return []
    taken = take(db, key, members, end, count)
    return list(taken[0]) if len(argv) == 2 else Pairs(taken)


@command(
    'ZMPOP',
    arity=-4,
    flags='write',
    keys=(numkeys('RW access delete', 1),),
    since='7.0.0',
    group='sorted-set',
)
def zmpop(client: Client, argv: Argv) -> Reply:
    """ZMPOP numkeys key [key ...] <MIN | MAX> [COUNT count]

    Takes one member, or up to so many, out of the first sorted set that there is; returns its key, and the members
    with their scores.

    O(K) + O(M*log(N)) in the keys given, the members taken and those there are
    """
    keys, end, count = read_mpop(argv[1:], end_named)
    return pop_of_first(client, keys, end, count) or NULL_ARRAY


def pop_of_first(client: Client, keys: Argv, end: End, count: int) -> list[Reply] | None:
    """Take up to count members of the first sorted set that there is; its key and they, None if there is none."""
    db = client.db
    for key in keys:
        members: SortedSet | None = db.get(key, SortedSet)
        if members is not None:
            taken = take(db, key, members, end, count)
            if client.propagates:
                client.propagate_as([end.popped.upper(), key, b'%d' % len(taken)])
            return [key, taken]
    return None


# Waiting


@command(
    'BZPOPMIN',
    arity=-3,
    flags='write blocking fast',
    keys=(key('RW access delete', 1, -2),),
    since='5.0.0',
    group='sorted-set',
    history=FRACTIONS,
)
def bzpopmin(client: Client, argv: Argv) -> Reply:
    """BZPOPMIN key [key ...] timeout

    Takes the member with the lowest score out of the first sorted set that there is, and waits if there is none;
    returns key, member and score.

    O(log(N)) in the members there are
    """
    return blocking_pop(client, argv, MIN)


@command(
    'BZPOPMAX',
    arity=-3,
    flags='write blocking fast',
    keys=(key('RW access delete', 1, -2),),
    since='5.0.0',
    group='sorted-set',
    history=FRACTIONS,
)
def bzpopmax(client: Client, argv: Argv) -> Reply:
    """BZPOPMAX key [key ...] timeout

    Takes the member with the highest score out of the first sorted set that there is, and waits if there is none;
    returns key, member and score.

    O(log(N)) in the members there are
    """
    return blocking_pop(client, argv, MAX)


def blocking_pop(client: Client, argv: Argv, end: End) -> Reply:
    _, *keys, timeout = argv
    wait_ms = read_wait_ms(timeout, client.engine.now_ms)
    db = client.db
    for key in keys:
        members: SortedSet | None = db.get(key, SortedSet)
        if members is not None:
            if client.propagates:
                client.propagate_as([end.popped.upper(), key])
            return [key, *take(db, key, members, end, 1)[0]]
    return client.block_on(keys, SortedSet, wait_ms, on_timeout=NULL_ARRAY)


@command(
    'BZMPOP',
    arity=-5,
    flags='write blocking',
    keys=(numkeys('RW access delete', 2),),
    since='7.0.0',
    group='sorted-set',
)
def bzmpop(client: Client, argv: Argv) -> Reply:
    """BZMPOP timeout numkeys key [key ...] <MIN | MAX> [COUNT count]

    Takes one member, or up to so many, out of the first sorted set that there is, and waits if there is none; returns
    its key, and the members with their scores.

    O(K) + O(M*log(N)) in the keys given, the members taken and those there are
    """
    keys, end, count = read_mpop(argv[2:], end_named)
    wait_ms = read_wait_ms(argv[1], client.engine.now_ms)
    popped = pop_of_first(client, keys, end, count)
    return popped or client.block_on(keys, SortedSet, wait_ms, on_timeout=NULL_ARRAY)
