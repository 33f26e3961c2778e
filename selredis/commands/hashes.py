"""Hashes: values by field, any field at random. Deadlines of fields are in hashes_expiry.

A field that is past its deadline is removed by whoever asks for it by name; where many fields are read it is left out,
and stays where it is. HLEN counts it until it is removed, and for HSET and HDEL it is one like any other (t_hash.c).
"""

from typing import Any

from selredis.commands.member_scans import scan_members
from selredis.commands.random_members import read_count, repeated, some_members
from selredis.commands.scan import read_cursor
from selredis.engine.client import Client
from selredis.engine.command import Argv, command, key
from selredis.engine.syntax import about
from selredis.errors import OUT_OF_RANGE, SYNTAX, ReplyError
from selredis.keyspace.database import Database
from selredis.numeric import INT64_MAX, INT64_MIN, add_long_doubles, integer, is_infinite, long_double
from selredis.resp.reply import OK, Map, Pairs, Reply
from selredis.values.hash import Hash

UNORDERED = ('nondeterministic_output_order',)
DATA = {'field-value': about('data')}
RANDOM = ('nondeterministic_output',)


def value_of(db: Database, key: bytes, fields: Hash, field: bytes) -> bytes | None:
    """The value of a field, None if there is none. One that is past its deadline is removed, perhaps with its hash."""
    if fields.deadlines is not None and fields.is_due(field, db.keyspace.now_ms):
        db.expire_field(key, fields, field)
        return None
    return fields.get(field)


# Setting


@command(
    'HSET',
    arity=-4,
    flags='write denyoom fast',
    keys=(key('RW update', 1),),
    since='2.0.0',
    group='hash',
    history=(('4.0.0', 'Several fields may be given.'),),
    arguments=DATA,
)
def hset(client: Client, argv: Argv) -> Reply:
    """HSET key field value [field value ...]

    Gives fields of a hash values, and creates it if need be; returns how many of the fields are new. A deadline that a
    field had is gone.

    O(1) for each field
    """
    db = client.db
    key = argv[1]
    fields = db.values.get(key)
    if len(argv) != 4 or type(fields) is not Hash or db.deadlines or fields.deadlines is not None:
        if len(argv) % 2:
            raise wrong_arity(b'hset')
        return put_all(db, key, db.get_or_create(key, Hash), argv)
    # The plain case: Hash.put as far as a field is concerned that is there, a quarter sooner.
    _, _, field, value = argv
    buckets = fields.buckets
    mask = fields.mask
    if mask:
        slot = hash(field) & mask
        bucket = buckets[slot] if slot < len(buckets) else buckets[slot & mask >> 1]
    else:
        bucket = buckets[0]
    if field in bucket and len(value) <= fields.longest:
        bucket[field] = value
        created = 0
    else:
        created = fields.put(field, value)
    db.changed(key, b'hset')
    return created


@command(
    'HMSET',
    arity=-4,
    flags='write denyoom fast',
    keys=(key('RW update', 1),),
    since='2.0.0',
    group='hash',
    deprecated=('4.0.0', '`HSET` with multiple field-value pairs'),
    arguments=DATA,
)
def hmset(client: Client, argv: Argv) -> Reply:
    """HMSET key field value [field value ...]

    Gives fields of a hash values, and creates it if need be.

    O(N) with N fields
    """
    if len(argv) % 2:
        raise wrong_arity(b'hmset')
    db = client.db
    put_all(db, argv[1], db.get_or_create(argv[1], Hash), argv)
    return OK


def wrong_arity(name: bytes) -> ReplyError:
    return ReplyError(b"ERR wrong number of arguments for '%b' command" % name)


def put_all(db: Database, key: bytes, fields: Hash, argv: Argv) -> int:
    """Set fields to values, as the words from the third on say; returns how many are new."""
    created = sum(map(fields.put, argv[2::2], argv[3::2]))
    db.changed(key, b'hset', len(argv) // 2 - 1)
    return created


@command(
    'HSETNX',
    arity=4,
    flags='write denyoom fast',
    keys=(key('RW insert', 1),),
    since='2.0.0',
    group='hash',
)
def hsetnx(client: Client, argv: Argv) -> Reply:
    """HSETNX key field value

    Gives a field of a hash a value, but only if there is no such field; 1 if that was done, 0 if not.

    O(1)
    """
    _, key, field, value = argv
    db = client.db
    fields: Hash | None = db.get(key, Hash)
    if fields is not None and value_of(db, key, fields, field) is not None:
        return 0
    db.get_or_create(key, Hash).put(field, value)
    db.changed(key, b'hset')
    return 1


@command(
    'HINCRBY',
    arity=4,
    flags='write denyoom fast',
    keys=(key('RW access update', 1),),
    since='2.0.0',
    group='hash',
)
def hincrby(client: Client, argv: Argv) -> Reply:
    """HINCRBY key field increment

    Adds to the integer that a field of a hash holds, and returns the sum; a field that is not there counts as 0.

    O(1)
    """
    _, key, field, text = argv
    increment = integer(text)
    db = client.db
    fields: Hash | None = db.get(key, Hash)
    value = None if fields is None else value_of(db, key, fields, field)
    total = increment if value is None else integer(value, b'ERR hash value is not an integer') + increment
    if not INT64_MIN <= total <= INT64_MAX:
        raise ReplyError(b'ERR increment or decrement would overflow')
    db.get_or_create(key, Hash).update(field, b'%d' % total)
    db.changed(key, b'hincrby')
    return total


@command(
    'HINCRBYFLOAT',
    arity=4,
    flags='write denyoom fast',
    keys=(key('RW access update', 1),),
    since='2.6.0',
    group='hash',
    types={'increment': 'double'},
)
def hincrbyfloat(client: Client, argv: Argv) -> Reply:
    """HINCRBYFLOAT key field increment

    Adds to the number with decimals that a field of a hash holds, and returns the sum; a field that is not there counts
    as 0.

    O(1)
    """
    _, key, field, increment = argv
    if is_infinite(long_double(increment)):
        raise ReplyError(b'ERR value is NaN or Infinity')
    db = client.db
    fields: Hash | None = db.get(key, Hash)
    value = None if fields is None else value_of(db, key, fields, field)
    total = add_long_doubles(b'0' if value is None else value, increment, b'ERR hash value is not a float')
    fields = db.get_or_create(key, Hash)
    fields.update(field, total)
    db.changed(key, b'hincrbyfloat')
    if client.propagates:
        client.propagate_as([b'HSET', key, field, total])
        deadline_ms = fields.deadline_of(field)
        if deadline_ms is not None:  # HSET removes it
            client.propagate_as([b'HPEXPIREAT', key, b'%d' % deadline_ms, b'FIELDS', b'1', field])
    return total


@command(
    'HDEL',
    arity=-3,
    flags='write fast',
    keys=(key('RW delete', 1),),
    since='2.0.0',
    group='hash',
    history=(('2.4.0', 'Several fields may be given.'),),
)
def hdel(client: Client, argv: Argv) -> Reply:
    """HDEL key field [field ...]

    Removes fields from a hash, and the hash with its last one; returns how many there were.

    O(N) with N fields to remove
    """
    db = client.db
    key = argv[1]
    fields: Hash | None = db.get(key, Hash)
    if fields is None:
        return 0
    removed = sum(map(fields.remove, argv[2:]))
    if removed:
        db.lost(key, fields, b'hdel', removed)
    return removed


# Reading fields by name


@command('HGET', arity=3, flags='readonly fast', keys=(key('RO access', 1),), since='2.0.0', group='hash')
def hget(client: Client, argv: Argv) -> Reply:
    """HGET key field

    Returns the value of a field of a hash.

    O(1)
    """
    db = client.db
    fields: Hash | None = db.read(argv[1], Hash)
    if fields is None:
        return None
    field = argv[2]
    if fields.deadlines is not None:
        return value_of(db, argv[1], fields, field)
    buckets = fields.buckets  # as Hash.get, 60 ns sooner
    mask = fields.mask
    if not mask:
        return buckets[0].get(field)
    slot = hash(field) & mask
    return (buckets[slot] if slot < len(buckets) else buckets[slot & mask >> 1]).get(field)


@command('HMGET', arity=-3, flags='readonly fast', keys=(key('RO access', 1),), since='2.0.0', group='hash')
def hmget(client: Client, argv: Argv) -> Reply:
    """HMGET key field [field ...]

    Returns the values of fields of a hash, null for each that is not there.

    O(N) with N fields asked for
    """
    db = client.db
    key = argv[1]
    fields: Hash | None = db.read(key, Hash)
    if fields is None:
        return [None] * (len(argv) - 2)
    if fields.deadlines is None:
        return [*map(fields.get, argv[2:])]
    now_ms = db.keyspace.now_ms
    due = dict.fromkeys(field for field in argv[2:] if fields.is_due(field, now_ms))
    values = [None if field in due else fields.get(field) for field in argv[2:]]
    if due and not db.keyspace.keep_expired:
        for field in due:
            fields.remove(field)
        db.fields_expired(key, fields, [*due])  # one event for all
    return values


@command('HSTRLEN', arity=3, flags='readonly fast', keys=(key('RO', 1),), since='3.2.0', group='hash')
def hstrlen(client: Client, argv: Argv) -> Reply:
    """HSTRLEN key field

    Returns how many bytes the value of a field of a hash has; 0 if there is none.

    O(1)
    """
    _, key, field = argv
    db = client.db
    fields: Hash | None = db.read(key, Hash)
    return 0 if fields is None else len(value_of(db, key, fields, field) or b'')


@command('HEXISTS', arity=3, flags='readonly fast', keys=(key('RO', 1),), since='2.0.0', group='hash')
def hexists(client: Client, argv: Argv) -> Reply:
    """HEXISTS key field

    Tells whether a hash has a field: 1 if so, 0 if not.

    O(1)
    """
    _, key, field = argv
    db = client.db
    fields: Hash | None = db.read(key, Hash)
    return 0 if fields is None else int(value_of(db, key, fields, field) is not None)


# Reading whole hashes


@command('HLEN', arity=2, flags='readonly fast', keys=(key('RO', 1),), since='2.0.0', group='hash')
def hlen(client: Client, argv: Argv) -> Reply:
    """HLEN key

    Returns how many fields a hash has, with those past their deadline that have not been removed yet.

    O(1)
    """
    fields: Hash | None = client.db.read(argv[1], Hash)
    return 0 if fields is None else len(fields)


@command(
    'HGETALL',
    arity=2,
    flags='readonly',
    keys=(key('RO access', 1),),
    since='2.0.0',
    group='hash',
    tips=UNORDERED,
)
def hgetall(client: Client, argv: Argv) -> Reply:
    """HGETALL key

    Returns all fields of a hash with their values. Those of a small hash are in the order in which they were added.

    O(N) with N fields
    """
    return Map(living(client, argv[1]))


@command(
    'HKEYS',
    arity=2,
    flags='readonly',
    keys=(key('RO access', 1),),
    since='2.0.0',
    group='hash',
    tips=UNORDERED,
)
def hkeys(client: Client, argv: Argv) -> Reply:
    """HKEYS key

    Returns all fields of a hash. Those of a small hash are in the order in which they were added.

    O(N) with N fields
    """
    return list(living(client, argv[1]))


@command(
    'HVALS',
    arity=2,
    flags='readonly',
    keys=(key('RO access', 1),),
    since='2.0.0',
    group='hash',
    tips=UNORDERED,
)
def hvals(client: Client, argv: Argv) -> Reply:
    """HVALS key

    Returns the values of all fields of a hash, in the order in which HKEYS returns the fields.

    O(N) with N fields
    """
    return list(living(client, argv[1]).values())


def living(client: Client, key: bytes) -> dict[Any, Any]:
    """Those fields of a hash that are not past their deadline, with their values; none if there is no such key.

    This may be the hash's own table: it is not to be changed.
    """
    fields: Hash | None = client.db.read(key, Hash)
    if fields is None:
        return {}
    due = fields.due_fields(client.engine.now_ms) if fields.deadlines is not None else None
    if due:
        return {field: value for field, value in fields.items() if field not in due}
    return fields.as_dict()


@command(
    'HRANDFIELD',
    arity=-2,
    flags='readonly',
    keys=(key('RO access', 1),),
    since='6.2.0',
    group='hash',
    tips=RANDOM,
    arguments={'count-withvalues': about('options')},
)
def hrandfield(client: Client, argv: Argv) -> Reply:
    """HRANDFIELD key [count [WITHVALUES]]

    Returns any field of a hash; with a count, up to so many different ones, or if it is negative so many of which some
    may be the same.

    O(N) with N fields returned
    """
    count = read_count(argv[2]) if len(argv) > 2 else None
    with_values = len(argv) > 3
    if with_values and (len(argv) > 4 or argv[3].upper() != b'WITHVALUES'):
        raise ReplyError(SYNTAX)
    if with_values and count is not None and abs(count) > INT64_MAX // 2:
        raise ReplyError(OUT_OF_RANGE)
    db = client.db
    fields: Hash | None = db.read(argv[1], Hash)
    hidden: set[bytes] = set()
    if fields is not None and fields.due_ms() < db.keyspace.now_ms:
        db.expire_fields(argv[1], fields)
        hidden = fields.due_fields(db.keyspace.now_ms)  # of which there are none, unless nothing may go
    if fields is None or len(fields) <= len(hidden):
        return None if count is None else []
    if hidden:
        fields = Hash((field, value) for field, value in fields.items() if field not in hidden)
    random = client.engine.random
    if count is None:
        return fields.random_member(random)
    table = fields
    if count >= 0:
        chosen = some_members(table, count, random)
    else:
        chosen = repeated(client, -count, lambda: table.random_member(random))
    return Pairs((field, table.get(field)) for field in chosen) if with_values else chosen


@command(
    'HSCAN',
    arity=-3,
    flags='readonly',
    keys=(key('RO access', 1),),
    since='2.8.0',
    group='hash',
    tips=RANDOM,
)
def hscan(client: Client, argv: Argv) -> Reply:
    """HSCAN key cursor [MATCH pattern] [COUNT count] [NOVALUES]

    Returns some fields of a hash with their values, and the cursor with which to ask for more: begin with 0, end when 0
    comes back. NOVALUES (7.4 and later): the fields alone.

    O(1) for each call, O(N) for all N fields
    """
    _, key, text, *options = argv
    cursor = read_cursor(text)
    fields: Hash | None = client.db.read(key, Hash)
    if fields is None:
        return [b'0', []]
    scan_options, with_values = read_novalues(options)
    cursor, found = scan_members(fields, cursor, scan_options, client.engine.config)
    if fields.deadlines is not None:
        now_ms = client.engine.now_ms
        found = [field for field in found if not fields.is_due(field, now_ms)]
    if with_values:
        return [b'%d' % cursor, [text for field in found for text in (field, fields.get(field))]]
    return [b'%d' % cursor, found]


def read_novalues(words: Argv) -> tuple[Argv, bool]:
    """The words without NOVALUES, and whether values are wanted. All others have an argument each."""
    left: list[bytes] = []
    rest = iter(words)
    for word in rest:
        if word.upper() != b'NOVALUES':
            left += [word, *(argument for argument in (next(rest, None),) if argument is not None)]
    return left, len(left) == len(words)
