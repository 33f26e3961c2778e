"""Keys of whatever kind: which there are, removing, renaming, copying and moving them."""

from selredis.engine.client import Client
from selredis.engine.command import Argv, command, key
from selredis.engine.options import database
from selredis.errors import NO_SUCH_KEY, SAME_OBJECT, SYNTAX, ReplyError
from selredis.glob import compile_glob
from selredis.keyspace.database import Database
from selredis.keyspace.freeing import UNLINK_ABOVE
from selredis.numeric import integer32
from selredis.resp.reply import OK, Reply, Status
from selredis.values.kinds import TYPE_NAMES, copy_of

TYPES = {kind: Status(name) for kind, name in TYPE_NAMES.items()}
NO_TYPE = Status(b'none')


@command(
    'DEL',
    arity=-2,
    flags='write',
    keys=(key('RM delete', 1, -1),),
    since='1.0.0',
    group='generic',
    tips=('request_policy:multi_shard', 'response_policy:agg_sum'),
)
def del_(client: Client, argv: Argv) -> Reply:
    """DEL key [key ...]

    Removes keys, and returns how many there were.

    O(N) with N keys; the memory of large values is given back little by little
    """
    remove = client.db.remove
    return sum(remove(key, b'del') for key in argv[1:])


@command(
    'UNLINK',
    arity=-2,
    flags='write fast',
    keys=(key('RM delete', 1, -1),),
    since='4.0.0',
    group='generic',
    tips=('request_policy:multi_shard', 'response_policy:agg_sum'),
)
def unlink(client: Client, argv: Argv) -> Reply:
    """UNLINK key [key ...]

    Removes keys, and returns how many there were. Here DEL, too, takes no longer for a large value.

    O(N) with N keys; the memory of large values is given back little by little
    """
    remove = client.db.remove
    return sum(remove(key, b'del', UNLINK_ABOVE) for key in argv[1:])


@command(
    'EXISTS',
    arity=-2,
    flags='readonly fast',
    keys=(key('RO', 1, -1),),
    since='1.0.0',
    group='generic',
    tips=('request_policy:multi_shard', 'response_policy:agg_sum'),
    history=(('3.0.3', 'Several keys may be given.'),),
)
def exists(client: Client, argv: Argv) -> Reply:
    """EXISTS key [key ...]

    Counts those of the keys that exist; one that is given twice counts twice.

    O(N) with N keys
    """
    glance = client.db.glance
    return sum(glance(key) is not None for key in argv[1:])


@command(
    'TOUCH',
    arity=-2,
    flags='readonly fast',
    keys=(key('RO', 1, -1),),
    since='3.2.1',
    group='generic',
    tips=('request_policy:multi_shard', 'response_policy:agg_sum'),
)
def touch(client: Client, argv: Argv) -> Reply:
    """TOUCH key [key ...]

    Counts those of the keys that exist, as if they had been used.

    O(N) with N keys
    """
    db = client.db
    uses = client.engine.keyspace.uses
    found = 0
    for key in argv[1:]:
        if db.read_any(key) is not None:
            found += 1
            if client.no_touch and uses.noted:
                uses.note_anyway(db, key)
    return found


@command('TYPE', arity=2, flags='readonly fast', keys=(key('RO', 1),), since='1.0.0', group='generic')
def type_(client: Client, argv: Argv) -> Reply:
    """TYPE key

    Tells what kind of value is at a key; none if there is no such key.

    O(1)
    """
    value = client.db.glance(argv[1])
    return NO_TYPE if value is None else TYPES[type(value)]


@command(
    'KEYS',
    arity=2,
    flags='readonly',
    since='1.0.0',
    group='generic',
    categories='dangerous',
    tips=('request_policy:all_shards', 'nondeterministic_output_order'),
)
def keys(client: Client, argv: Argv) -> Reply:
    """KEYS pattern

    Returns all keys that match a glob pattern, at once and in any order. For large databases there is SCAN.

    O(N) with N keys in the database
    """
    pattern = argv[1]
    db = client.db
    return db.alive(db.values if pattern == b'*' else filter(compile_glob(pattern), db.values))


@command(
    'RANDOMKEY',
    arity=1,
    flags='readonly touches_arbitrary_keys',
    since='1.0.0',
    group='generic',
    tips=('request_policy:all_shards', 'response_policy:special', 'nondeterministic_output'),
)
def randomkey(client: Client, argv: Argv) -> Reply:
    """RANDOMKEY

    Returns any one of the keys, each as likely as another.

    O(1)
    """
    return client.db.random_key(client.engine.random)


@command(
    'RENAME',
    arity=3,
    flags='write',
    keys=(key('RW access delete', 1), key('OW update', 2)),
    since='1.0.0',
    group='generic',
)
def rename(client: Client, argv: Argv) -> Reply:
    """RENAME key newkey

    Gives a key another name, under which whatever was there is removed. The deadline stays with the value.

    O(1)
    """
    move_value(client.db, argv[1], argv[2], replace=True)
    return OK


@command(
    'RENAMENX',
    arity=3,
    flags='write fast',
    keys=(key('RW access delete', 1), key('OW insert', 2)),
    since='1.0.0',
    group='generic',
    history=(('3.2.0', 'The same name twice is no error.'),),
)
def renamenx(client: Client, argv: Argv) -> Reply:
    """RENAMENX key newkey

    Gives a key another name, but only if there is no key of that name; 1 if that was done, 0 if not.

    O(1)
    """
    return int(move_value(client.db, argv[1], argv[2], replace=False))


def move_value(db: Database, source: bytes, target: bytes, *, replace: bool) -> bool:
    """Rename a key; False if nothing was done. Raises ReplyError if there is no such key."""
    if source not in db:
        raise ReplyError(NO_SUCH_KEY)
    if source == target:
        return False
    if target in db:
        if not replace:
            return False
        db.discard(target)
    db.move(source, db, target)
    db.changed(source, b'rename_from', 0)
    db.changed(target, b'rename_to')
    return True


@command('MOVE', arity=3, flags='write fast', keys=(key('RW access update', 1),), since='1.0.0', group='generic')
def move(client: Client, argv: Argv) -> Reply:
    """MOVE key db

    Moves a key to another database, but only if there is none of that name; 1 if that was done, 0 if not.

    O(1)
    """
    _, key, number = argv
    source = client.db
    target = database(client, integer32(number))
    if target is source:
        raise ReplyError(SAME_OBJECT)
    if key not in source or key in target:
        return 0
    source.move(key, target, key)
    source.changed(key, b'move_from', 0)
    target.changed(key, b'move_to')
    return 1


@command(
    'COPY',
    arity=-3,
    flags='write denyoom',
    keys=(key('RO access', 1), key('OW update', 2)),
    since='6.2.0',
    group='generic',
)
def copy(client: Client, argv: Argv) -> Reply:
    """COPY source destination [DB destination-db] [REPLACE]

    Copies a value with its deadline to another key, also of another database; 1 if that was done. If there is such a
    key nothing is done, unless it is to be replaced.

    O(N) with N members, O(1) for strings
    """
    _, key, newkey, *options = argv
    source = target = client.db
    replace = False
    rest = iter(options)
    for word in rest:
        match word.upper():
            case b'REPLACE':
                replace = True
            case b'DB' if (number := next(rest, None)) is not None:
                target = database(client, integer32(number))
            case _:
                raise ReplyError(SYNTAX)
    if target is source and key == newkey:
        raise ReplyError(SAME_OBJECT)
    value = source.read_any(key)
    if value is None or (newkey in target and not replace):
        return 0
    value = copy_of(value)
    if newkey in target:
        target.discard(newkey)
    target.put_new(newkey, value, source.deadline_of(key))
    target.changed(newkey, b'copy_to')
    return 1
