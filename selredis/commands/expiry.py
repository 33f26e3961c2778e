"""How long keys live."""

from selredis.engine.client import Client
from selredis.engine.command import Argv, command, key
from selredis.engine.options import deadline_ms
from selredis.engine.syntax import about
from selredis.errors import ReplyError, c_string
from selredis.numeric import integer
from selredis.resp.reply import Reply

CONDITIONS = frozenset((b'NX', b'XX', b'GT', b'LT'))
NX_AND_OTHERS = b'ERR NX and XX, GT or LT options at the same time are not compatible'
GT_AND_LT = b'ERR GT and LT options at the same time are not compatible'
HISTORY = (('7.0.0', 'NX, XX, GT and LT are new.'),)
NO_SUCH_KEY_HISTORY = (('2.8.0', 'Returns -2 if there is no such key.'),)


@command(
    'EXPIRE',
    arity=-3,
    flags='write fast',
    keys=(key('RW update', 1),),
    since='1.0.0',
    group='generic',
    history=HISTORY,
    arguments={'nx-xx-gt-lt': about(since='7.0.0')},
)
def expire(client: Client, argv: Argv) -> Reply:
    """EXPIRE key seconds [NX | XX | GT | LT]

    Lets a key live so many seconds more. NX: if it has no deadline, XX: if it has one, GT: if that is later than the
    one it has, LT: if earlier; to have none counts as the latest. 1 if that was done, 0 if not.

    O(1)
    """
    return expire_at(client, argv, b'EX', b'expire')


@command(
    'PEXPIRE',
    arity=-3,
    flags='write fast',
    keys=(key('RW update', 1),),
    since='2.6.0',
    group='generic',
    history=HISTORY,
    arguments={'nx-xx-gt-lt': about(since='7.0.0')},
)
def pexpire(client: Client, argv: Argv) -> Reply:
    """PEXPIRE key milliseconds [NX | XX | GT | LT]

    Lets a key live so many milliseconds more, on EXPIRE's conditions.

    O(1)
    """
    return expire_at(client, argv, b'PX', b'pexpire')


@command(
    'EXPIREAT',
    arity=-3,
    flags='write fast',
    keys=(key('RW update', 1),),
    since='1.2.0',
    group='generic',
    history=HISTORY,
    arguments={'nx-xx-gt-lt': about(since='7.0.0')},
)
def expireat(client: Client, argv: Argv) -> Reply:
    """EXPIREAT key unix-time-seconds [NX | XX | GT | LT]

    Lets a key live until a Unix time, on EXPIRE's conditions.

    O(1)
    """
    return expire_at(client, argv, b'EXAT', b'expireat')


@command(
    'PEXPIREAT',
    arity=-3,
    flags='write fast',
    keys=(key('RW update', 1),),
    since='2.6.0',
    group='generic',
    history=HISTORY,
    arguments={'nx-xx-gt-lt': about(since='7.0.0')},
)
def pexpireat(client: Client, argv: Argv) -> Reply:
    """PEXPIREAT key unix-time-milliseconds [NX | XX | GT | LT]

    Lets a key live until a Unix time in milliseconds, on EXPIRE's conditions.

    O(1)
    """
    return expire_at(client, argv, b'PXAT', b'pexpireat')


def expire_at(client: Client, argv: Argv, unit: bytes, name: bytes) -> int:
    """Give a key a deadline, in one of the units of TIMES; a key whose deadline is past is removed."""
    _, key, time, *words = argv
    conditions = read_conditions(words)
    now_ms = client.engine.now_ms
    new_ms = deadline_ms(unit, integer(time), now_ms, name)
    db = client.db
    if key not in db:
        return 0
    if conditions and not may_replace(db.deadline_of(key), new_ms, conditions):
        return 0
    expire_key(client, key, new_ms)
    return 1


def expire_key(client: Client, key: bytes, deadline_ms: int) -> None:
    """Set the deadline (Unix time, ms) of an existing key; remove the key if the deadline has passed."""
    db = client.db
    if deadline_ms <= client.engine.now_ms:
        db.remove(key, b'del')
        if client.propagates:
            client.propagate_as([b'DEL', key])
    else:
        db.set_deadline(key, deadline_ms)
        db.changed(key, b'expire')
        if client.propagates:
            client.propagate_as([b'PEXPIREAT', key, b'%d' % deadline_ms])


def read_conditions(words: list[bytes]) -> set[bytes]:
    """The conditions of EXPIRE and its like. Raises ReplyError for others, and for those that exclude each other."""
    conditions = set()
    for word in words:
        condition = word.upper()
        if condition not in CONDITIONS:
            raise ReplyError(b'ERR Unsupported option ' + c_string(word))
        conditions.add(condition)
    if b'NX' in conditions and len(conditions) > 1:
        raise ReplyError(NX_AND_OTHERS)
    if conditions >= {b'GT', b'LT'}:
        raise ReplyError(GT_AND_LT)
    return conditions


def may_replace(old_ms: int | None, new_ms: int, conditions: set[bytes]) -> bool:
    """Whether a deadline, None if there is none, meets the conditions for a new one."""
    if old_ms is None:
        return conditions.isdisjoint((b'XX', b'GT'))
    return not (
        b'NX' in conditions or (b'GT' in conditions and new_ms <= old_ms) or (b'LT' in conditions and new_ms >= old_ms)
    )


@command('PERSIST', arity=2, flags='write fast', keys=(key('RW update', 1),), since='2.2.0', group='generic')
def persist(client: Client, argv: Argv) -> Reply:
    """PERSIST key

    Lets a key live for ever; 1 if it had a deadline, 0 if not.

    O(1)
    """
    key = argv[1]
    db = client.db
    if key not in db or not db.clear_deadline(key):
        return 0
    db.changed(key, b'persist')
    return 1


@command(
    'TTL',
    arity=2,
    flags='readonly fast',
    keys=(key('RO access', 1),),
    since='1.0.0',
    group='generic',
    tips=('nondeterministic_output',),
    history=NO_SUCH_KEY_HISTORY,
)
def ttl(client: Client, argv: Argv) -> Reply:
    """TTL key

    Tells how many seconds a key has to live; -1 if it lives for ever, -2 if there is no such key.

    O(1)
    """
    return in_seconds(time_to_live_ms(client, argv[1]))


@command(
    'PTTL',
    arity=2,
    flags='readonly fast',
    keys=(key('RO access', 1),),
    since='2.6.0',
    group='generic',
    tips=('nondeterministic_output',),
    history=NO_SUCH_KEY_HISTORY,
)
def pttl(client: Client, argv: Argv) -> Reply:
    """PTTL key

    Tells how many milliseconds a key has to live; -1 if it lives for ever, -2 if there is no such key.

    O(1)
    """
    return time_to_live_ms(client, argv[1])


@command('EXPIRETIME', arity=2, flags='readonly fast', keys=(key('RO access', 1),), since='7.0.0', group='generic')
def expiretime(client: Client, argv: Argv) -> Reply:
    """EXPIRETIME key

    Tells the Unix time until which a key lives; -1 if it lives for ever, -2 if there is no such key.

    O(1)
    """
    return in_seconds(read_deadline_ms(client, argv[1]))


@command('PEXPIRETIME', arity=2, flags='readonly fast', keys=(key('RO access', 1),), since='7.0.0', group='generic')
def pexpiretime(client: Client, argv: Argv) -> Reply:
    """PEXPIRETIME key

    Tells the Unix time in milliseconds until which a key lives; -1 if it lives for ever, -2 if there is no such key.

    O(1)
    """
    return read_deadline_ms(client, argv[1])


def read_deadline_ms(client: Client, key: bytes) -> int:
    """The Unix time until which a key lives; -1: for ever, -2: there is no such key."""
    if client.db.glance(key) is None:
        return -2
    found_ms = client.db.deadline_of(key)
    return -1 if found_ms is None else found_ms


def time_to_live_ms(client: Client, key: bytes) -> int:
    """How long a key has to live; -1: for ever, -2: there is no such key."""
    found_ms = read_deadline_ms(client, key)
    return found_ms if found_ms < 0 else max(found_ms - client.engine.now_ms, 0)


def in_seconds(ms: int) -> int:
    """Milliseconds to seconds, rounded; what is negative is no time and stays as it is."""
    return ms if ms < 0 else (ms + 500) // 1000
