"""Strings that are numbers: the INCR family."""

from selredis.engine.client import Client
from selredis.engine.command import Argv, command, key
from selredis.errors import ReplyError
from selredis.keyspace.database import Database
from selredis.numeric import INT64_MAX, INT64_MIN, add_long_doubles, integer
from selredis.resp.reply import Reply

COUNTER = key('RW access update', 1)


def increase(db: Database, key: bytes, increment: int) -> int:
    """Add to the integer at key, 0 if there is none, and return the sum. Raises ReplyError.

    From then on the string is kept as an int, so that it need not be read and written each time.
    """
    value = db.get(key, bytes)
    number = increment if value is None else integer(value) + increment
    if not INT64_MIN <= number <= INT64_MAX:
        raise ReplyError(b'ERR increment or decrement would overflow')
    db.put(key, number)
    db.changed(key, b'incrby')
    return number


@command('INCR', arity=2, flags='write denyoom fast', keys=(COUNTER,), since='1.0.0', group='string')
def incr(client: Client, argv: Argv) -> Reply:
    """INCR key

    Adds one to the integer stored at a key and returns the sum; a key that is not there counts as 0.

    O(1)
    """
    key = argv[1]
    db = client.db
    value = db.values.get(key)
    if type(value) is int and value < INT64_MAX and key not in db.deadlines:  # the plain case, in half the time
        db.values[key] = value = value + 1
        db.changed(key, b'incrby')
        return value
    return increase(db, key, 1)


@command('DECR', arity=2, flags='write denyoom fast', keys=(COUNTER,), since='1.0.0', group='string')
def decr(client: Client, argv: Argv) -> Reply:
    """DECR key

    Subtracts one from the integer stored at a key and returns the difference; a key that is not there counts as 0.

    O(1)
    """
    return increase(client.db, argv[1], -1)


@command('INCRBY', arity=3, flags='write denyoom fast', keys=(COUNTER,), since='1.0.0', group='string')
def incrby(client: Client, argv: Argv) -> Reply:
    """INCRBY key increment

    Adds a number to the integer stored at a key and returns the sum; a key that is not there counts as 0.

    O(1)
    """
    _, key, increment = argv
    return increase(client.db, key, integer(increment))


@command('DECRBY', arity=3, flags='write denyoom fast', keys=(COUNTER,), since='1.0.0', group='string')
def decrby(client: Client, argv: Argv) -> Reply:
    """DECRBY key decrement

    Subtracts a number from the integer stored at a key and returns the difference; a key that is not there counts as 0.

    O(1)
    """
    _, key, decrement_text = argv
    decrement = integer(decrement_text)
    if decrement == INT64_MIN:  # its opposite has no place in 64 bits
        raise ReplyError(b'ERR decrement would overflow')
    return increase(client.db, key, -decrement)


@command(
    'INCRBYFLOAT',
    arity=3,
    flags='write denyoom fast',
    keys=(COUNTER,),
    since='2.6.0',
    group='string',
    types={'increment': 'double'},
)
def incrbyfloat(client: Client, argv: Argv) -> Reply:
    """INCRBYFLOAT key increment

    Adds a number with decimals to the one stored at a key and returns the sum; a key that is not there counts as 0.

    O(1)
    """
    _, key, increment = argv
    db = client.db
    value = db.get(key, bytes)
    total = add_long_doubles(b'0' if value is None else bytes(value), increment)
    db.put(key, total)
    db.changed(key, b'incrbyfloat')
    if client.propagates:
        client.propagate_as([b'SET', key, total, b'KEEPTTL'])
    return total
