"""What sets have in common, together, and of their own: SINTER, SUNION, SDIFF, and what keeps the result."""

from collections.abc import Iterable
from itertools import chain

from selredis.engine.client import Client
from selredis.engine.command import Argv, command, key, numkeys
from selredis.errors import SYNTAX, ReplyError
from selredis.keyspace.database import Database
from selredis.numeric import integer, is_integer
from selredis.resp.reply import Reply, Set_
from selredis.values.set import Set, as_added, ascending

UNORDERED = ('nondeterministic_output_order',)
NUMKEYS_NOT_POSITIVE = b'ERR numkeys should be greater than 0'
LIMIT_NEGATIVE = b"ERR LIMIT can't be negative"

EMPTY = Set()  # what a key that is not there counts as; nobody changes it


def read_sets(db: Database, keys: Iterable[bytes]) -> list[Set]:
    """The sets at keys. Raises WRONGTYPE."""
    return [db.read(key, Set) or EMPTY for key in keys]


def intersection(sets: list[Set], limit: int = 0) -> list[bytes]:
    """What is in all of them; with a limit so many members at the most."""
    first, *others = sorted(sets, key=len)
    found: list[bytes] = []
    for member in first:
        if all(member in other for other in others):
            found.append(member)
            if len(found) == limit:
                break
    return found


def union(sets: list[Set]) -> Iterable[bytes]:
    """What is in any of them, once, in the order in which Redis adds it to the result."""
    return sets[0] if len(sets) == 1 else dict.fromkeys(chain.from_iterable(sets))


def difference(sets: list[Set]) -> list[bytes]:
    """What is in the first and in none of the others, in the order of Redis's result."""
    first, *others = sets
    others = sorted(filter(None, others), key=len, reverse=True)  # what is in a large one is soon found there
    if is_subtracted(sets):
        kept = dict.fromkeys(as_added(list(first)))
        for member in chain.from_iterable(others):
            kept.pop(member, None)
        return list(kept)
    found = [member for member in first if not any(member in other for other in others)]
    return found if first.is_intset else as_added(found)


def is_subtracted(sets: list[Set]) -> bool:
    """Whether SDIFF adds all of the first set to the result and then removes the others' members.

    Redis does so if it is less work than to look up each member of the first set in the others (t_set.c, algorithm 2),
    and the result may have another order.
    """
    there = [len(each) for each in sets if each is not EMPTY]
    return sets[0] is not EMPTY and len(there) * there[0] // 2 > sum(there)


def store(db: Database, destination: bytes, result: Set, event: bytes) -> int:
    """Keep a result in place of whatever was there, nothing if it is empty; returns how many members it has."""
    if not result:
        db.remove(destination, b'del')
        return 0
    db.set(destination, result, event)
    return len(result)


@command(
    'SINTER',
    arity=-2,
    flags='readonly',
    keys=(key('RO access', 1, -1),),
    since='1.0.0',
    group='set',
    tips=UNORDERED,
)
def sinter(client: Client, argv: Argv) -> Reply:
    """SINTER key [key ...]

    Returns what is in all of several sets.

    O(N*M) worst case where N is the size of the smallest set and M their number.
    """
    return Set_(intersection(read_sets(client.db, argv[1:])))


@command(
    'SINTERSTORE',
    arity=-3,
    flags='write denyoom',
    keys=(key('RW update', 1), key('RO access', 2, -1)),
    since='1.0.0',
    group='set',
)
def sinterstore(client: Client, argv: Argv) -> Reply:
    """SINTERSTORE destination key [key ...]

    Keeps what is in all of several sets; returns how much that is.

    O(N*M) worst case where N is the size of the smallest set and M their number.
    """
    _, destination, *keys = argv
    sets = read_sets(client.db, keys)
    result = Set(intersection(sets))
    if not min(sets, key=len).is_intset and not all(map(is_integer, result.unordered())):
        result.keep_order()  # only a result of integers alone is made an intset
    return store(client.db, destination, result, b'sinterstore')


@command(
    'SINTERCARD',
    arity=-3,
    flags='readonly',
    keys=(numkeys('RO access', 1),),
    since='7.0.0',
    group='set',
    types={'limit': 'integer'},
)
def sintercard(client: Client, argv: Argv) -> Reply:
    """SINTERCARD numkeys key [key ...] [LIMIT limit]

    Returns how much is in all of several sets, or the limit if that is less.

    O(N*M) worst case where N is the size of the smallest set and M their number.
    """
    count = integer(argv[1], NUMKEYS_NOT_POSITIVE)
    if count < 1:
        raise ReplyError(NUMKEYS_NOT_POSITIVE)
    if count > len(argv) - 2:
        raise ReplyError(b"ERR Number of keys can't be greater than number of args")
    limit = 0
    options = iter(argv[2 + count :])
    for option in options:
        amount = next(options, None)
        if option.upper() != b'LIMIT' or amount is None:
            raise ReplyError(SYNTAX)
        limit = integer(amount, LIMIT_NEGATIVE)
        if limit < 0:
            raise ReplyError(LIMIT_NEGATIVE)
    return len(intersection(read_sets(client.db, argv[2 : 2 + count]), limit))


@command(
    'SUNION',
    arity=-2,
    flags='readonly',
    keys=(key('RO access', 1, -1),),
    since='1.0.0',
    group='set',
    tips=UNORDERED,
)
def sunion(client: Client, argv: Argv) -> Reply:
    """SUNION key [key ...]

    Returns what is in any of several sets.

    O(N) where N is the number of all their members.
    """
    sets = read_sets(client.db, argv[1:])
    members = list(union(sets))
    return Set_(ascending(members) if all(each.is_intset for each in sets) else as_added(members))


@command(
    'SUNIONSTORE',
    arity=-3,
    flags='write denyoom',
    keys=(key('OW update', 1), key('RO access', 2, -1)),
    since='1.0.0',
    group='set',
)
def sunionstore(client: Client, argv: Argv) -> Reply:
    """SUNIONSTORE destination key [key ...]

    Keeps what is in any of several sets; returns how much that is.

    O(N) where N is the number of all their members.
    """
    _, destination, *keys = argv
    return store(client.db, destination, Set(union(read_sets(client.db, keys))), b'sunionstore')


@command(
    'SDIFF',
    arity=-2,
    flags='readonly',
    keys=(key('RO access', 1, -1),),
    since='1.0.0',
    group='set',
    tips=UNORDERED,
)
def sdiff(client: Client, argv: Argv) -> Reply:
    """SDIFF key [key ...]

    Returns what is in the first of several sets, and in no other of them.

    O(N) where N is the number of all their members.
    """
    return Set_(difference(read_sets(client.db, argv[1:])))


@command(
    'SDIFFSTORE',
    arity=-3,
    flags='write denyoom',
    keys=(key('OW update', 1), key('RO access', 2, -1)),
    since='1.0.0',
    group='set',
)
def sdiffstore(client: Client, argv: Argv) -> Reply:
    """SDIFFSTORE destination key [key ...]

    Keeps what is in the first of several sets, and in no other of them; returns how much that is.

    O(N) where N is the number of all their members.
    """
    _, destination, *keys = argv
    sets = read_sets(client.db, keys)
    result = Set(difference(sets))
    if is_subtracted(sets):
        result.most = len(sets[0])
        if not sets[0].is_intset:
            result.keep_order()
    return store(client.db, destination, result, b'sdiffstore')
