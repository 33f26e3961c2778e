"""Lists: the commands that wait for an element.

A command that finds none is parked under its keys, and run again when one of them has become a list. So each handler
is written as if something were there, and ends in `block_on`.
"""

from selredis.commands.lists import LEFT, RIGHT, End, end_named, move, pop, pop_of_first, read_mpop
from selredis.engine.client import Client
from selredis.engine.command import Argv, command, key, numkeys
from selredis.engine.options import read_wait_ms
from selredis.engine.syntax import about
from selredis.resp.reply import NULL_ARRAY, Reply
from selredis.values.list import List

FRACTIONS = (('6.0.0', 'The timeout may have a fraction.'),)


@command(
    'BLPOP',
    arity=-3,
    flags='write blocking',
    keys=(key('RW access delete', 1, -2),),
    since='2.0.0',
    group='list',
    history=FRACTIONS,
)
def blpop(client: Client, argv: Argv) -> Reply:
    """BLPOP key [key ...] timeout

    Takes the first element of the first list that there is, and waits if there is none; returns key and element.

    O(N) in the keys given
    """
    return blocking_pop(client, argv, LEFT)


@command(
    'BRPOP',
    arity=-3,
    flags='write blocking',
    keys=(key('RW access delete', 1, -2),),
    since='2.0.0',
    group='list',
    history=FRACTIONS,
)
def brpop(client: Client, argv: Argv) -> Reply:
    """BRPOP key [key ...] timeout

    Takes the last element of the first list that there is, and waits if there is none; returns key and element.

    O(N) in the keys given
    """
    return blocking_pop(client, argv, RIGHT)


def blocking_pop(client: Client, argv: Argv, end: End) -> Reply:
    _, *keys, timeout = argv
    wait_ms = read_wait_ms(timeout, client.engine.now_ms)
    db = client.db
    for key in keys:
        items: List | None = db.get(key, List)
        if items is not None:
            if client.propagates:
                client.propagate_as([end.popped.upper(), key])
            return [key, pop(db, key, items, end)]
    return client.block_on(keys, List, wait_ms, on_timeout=NULL_ARRAY)


@command(
    'BLMPOP',
    arity=-5,
    flags='write blocking',
    keys=(numkeys('RW access delete', 2),),
    since='7.0.0',
    group='list',
)
def blmpop(client: Client, argv: Argv) -> Reply:
    """BLMPOP timeout numkeys key [key ...] <LEFT | RIGHT> [COUNT count]

    Takes one element, or up to so many, of the first list that there is, and waits if there is none; returns its key
    and the elements.

    O(N+M) in the keys given and the elements taken
    """
    keys, end, count = read_mpop(argv[2:], end_named)
    wait_ms = read_wait_ms(argv[1], client.engine.now_ms)
    return pop_of_first(client, keys, end, count) or client.block_on(keys, List, wait_ms, on_timeout=NULL_ARRAY)


@command(
    'BLMOVE',
    arity=6,
    flags='write denyoom blocking',
    keys=(key('RW access delete', 1), key('RW insert', 2)),
    since='6.2.0',
    group='list',
    arguments={'left-right': about('wherefrom', 'whereto')},
)
def blmove(client: Client, argv: Argv) -> Reply:
    """BLMOVE source destination <LEFT | RIGHT> <LEFT | RIGHT> timeout

    Takes an element from one end of a list, waiting for one if need be, and puts it at an end of another, or of the
    same; returns the element.

    O(1)
    """
    _, source, destination, from_end, to_end, timeout = argv
    instead = [b'LMOVE', source, destination, from_end, to_end]
    return blocking_move(client, source, destination, end_named(from_end), end_named(to_end), timeout, instead)


@command(
    'BRPOPLPUSH',
    arity=4,
    flags='write denyoom blocking',
    keys=(key('RW access delete', 1), key('RW insert', 2)),
    since='2.2.0',
    group='list',
    deprecated=('6.2.0', '`BLMOVE` with the `RIGHT` and `LEFT` arguments'),
    history=FRACTIONS,
)
def brpoplpush(client: Client, argv: Argv) -> Reply:
    """BRPOPLPUSH source destination timeout

    Takes the last element of a list, waiting for one if need be, and puts it at the front of another, or of the same;
    returns the element.

    O(1)
    """
    _, source, destination, timeout = argv
    instead = [b'RPOPLPUSH', source, destination]
    return blocking_move(client, source, destination, RIGHT, LEFT, timeout, instead)


def blocking_move(
    client: Client, source: bytes, destination: bytes, from_end: End, to_end: End, timeout: bytes, instead: Argv
) -> Reply:
    """Move an element or block; `instead` is the command that does the same and never blocks."""
    wait_ms = read_wait_ms(timeout, client.engine.now_ms)
    element = move(client.db, source, destination, from_end, to_end)
    if element is not None:
        client.propagate_as(instead)
        return element
    if client.in_exec:  # where Redis answers another null than to one whose time is over
        return None
    return client.block_on([source], List, wait_ms, on_timeout=NULL_ARRAY)
