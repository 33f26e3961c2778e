"""Whole databases: how large they are, emptying and exchanging them."""

import sys

from selredis.engine.client import Client
from selredis.engine.command import Argv, command
from selredis.engine.options import database
from selredis.engine.syntax import about
from selredis.errors import SYNTAX, ReplyError
from selredis.keyspace.freeing import LARGE
from selredis.numeric import integer32
from selredis.resp.reply import OK, Reply

FLUSH_TIPS = ('request_policy:all_shards', 'response_policy:all_succeeded')
FLUSH_HISTORY = (('4.0.0', 'ASYNC is new.'), ('6.2.0', 'SYNC is new.'))


@command(
    'DBSIZE',
    arity=1,
    flags='readonly fast',
    since='1.0.0',
    group='server',
    categories='keyspace',
    tips=('request_policy:all_shards', 'response_policy:agg_sum'),
)
def dbsize(client: Client, argv: Argv) -> Reply:
    """DBSIZE

    Counts the keys of the database, with those past their deadline that have not been removed yet.

    O(1)
    """
    return len(client.db)


@command(
    'FLUSHDB',
    arity=-1,
    flags='write',
    since='1.0.0',
    group='server',
    categories='dangerous keyspace',
    tips=FLUSH_TIPS,
    history=FLUSH_HISTORY,
    arguments={'ASYNC': about(since='4.0.0'), 'SYNC': about(since='6.2.0')},
)
def flushdb(client: Client, argv: Argv) -> Reply:
    """FLUSHDB [ASYNC | SYNC]

    Removes all keys of the database. SYNC: the memory is given back at once, and not little by little.

    O(N) with N keys
    """
    lazy_above = read_mode(argv)
    client.engine.tracking.flush()
    client.db.clear(lazy_above)
    client.propagate_as([b'FLUSHDB'])  # even if it was empty: a replica's may not be
    return OK


@command(
    'FLUSHALL',
    arity=-1,
    flags='write',
    since='1.0.0',
    group='server',
    categories='dangerous keyspace',
    tips=FLUSH_TIPS,
    history=FLUSH_HISTORY,
    arguments={'ASYNC': about(since='4.0.0'), 'SYNC': about(since='6.2.0')},
)
def flushall(client: Client, argv: Argv) -> Reply:
    """FLUSHALL [ASYNC | SYNC]

    Removes all keys of all databases. SYNC: the memory is given back at once, and not little by little.

    O(N) with N keys
    """
    lazy_above = read_mode(argv)
    client.engine.tracking.flush()
    for db in client.engine.keyspace.databases:
        db.clear(lazy_above)
    client.propagate_as([b'FLUSHALL'])
    return OK


def read_mode(argv: Argv) -> int:
    """Return the number of keys above which a database is freed lazily: LARGE, 0 with ASYNC, no limit with SYNC."""
    match [word.upper() for word in argv[1:]]:
        case []:
            return LARGE
        case [b'ASYNC']:
            return 0
        case [b'SYNC']:
            return sys.maxsize
    raise ReplyError(SYNTAX)


@command(
    'SWAPDB',
    arity=3,
    flags='write fast',
    since='4.0.0',
    group='server',
    categories='dangerous keyspace',
)
def swapdb(client: Client, argv: Argv) -> Reply:
    """SWAPDB index1 index2

    Exchanges two databases: every client finds itself in the other's keys at once.

    O(N) with N keys that are watched or waited for
    """
    keyspace = client.engine.keyspace
    numbers = integer32(argv[1], b'ERR invalid first DB index'), integer32(argv[2], b'ERR invalid second DB index')
    one, other = (database(client, number) for number in numbers)
    keyspace.swap(one, other)
    keyspace.dirty += 1
    return OK
