"""Strings: SET and GET in all their forms, and the commands that change a string in place or take a part of it.

A string is `bytes` until APPEND or SETRANGE changes it, then a `bytearray`: what is appended to a large value costs
what it is long, not what the value is. Any command that sets the value makes it `bytes` again.
"""

from typing import NamedTuple

from selredis.commands.expiry import expire_key
from selredis.engine.client import Client
from selredis.engine.command import Argv, command, key
from selredis.engine.options import TIMES, read_deadline_ms
from selredis.engine.syntax import about
from selredis.errors import STRING_TOO_LONG, SYNTAX, ReplyError
from selredis.numeric import integer
from selredis.resp.reply import OK, Reply
from selredis.values.kinds import STRING_KINDS, text_of

CONDITIONS = frozenset((b'NX', b'XX'))
SET_OPTIONS = frozenset((*CONDITIONS, b'GET', b'KEEPTTL', *TIMES))
GETEX_OPTIONS = frozenset((b'PERSIST', *TIMES))


class Options(NamedTuple):
    """What stands behind the value of SET or the key of GETEX; b'' for what was not given."""

    condition: bytes  # NX or XX
    get: bool
    lifetime: bytes  # EX, PX, EXAT, PXAT, KEEPTTL or PERSIST
    time: bytes  # the word behind one of the first four


def read_options(words: list[bytes], allowed: frozenset[bytes]) -> Options:
    """Read options in any order. One condition and one lifetime may be given, and given again: the last time counts.

    Raises ReplyError for a word that is no option, options that exclude each other, and a time that is missing.
    """
    condition = lifetime = time = b''
    get = False
    rest = iter(words)
    for word in rest:
        option = word.upper()
        if option not in allowed:
            raise ReplyError(SYNTAX)
        if option == b'GET':
            get = True
        elif option in CONDITIONS:
            if condition not in (b'', option):
                raise ReplyError(SYNTAX)
            condition = option
        else:
            if lifetime not in (b'', option):
                raise ReplyError(SYNTAX)
            lifetime = option
            if option in TIMES:
                following = next(rest, None)
                if following is None:
                    raise ReplyError(SYNTAX)
                time = following
    return Options(condition, get, lifetime, time)


@command('GET', arity=2, flags='readonly fast', keys=(key('RO access', 1),), since='1.0.0', group='string')
def get(client: Client, argv: Argv) -> Reply:
    """GET key

    Returns the string stored at a key.

    O(1)
    """
    return client.db.read(argv[1], bytes)


@command(
    'SET',
    arity=-3,
    flags='write denyoom brief',
    keys=(key('RW access update variable_flags', 1, note='The key is read only with `GET`.'),),
    since='1.0.0',
    group='string',
    history=(
        ('2.6.12', 'EX, PX, NX and XX are new.'),
        ('6.0.0', 'KEEPTTL is new.'),
        ('6.2.0', 'GET, EXAT and PXAT are new.'),
        ('7.0.0', 'NX and GET may be given together.'),
    ),
    arguments={
        'nx-xx': about(since='2.6.12'),
        'GET': about(since='6.2.0'),
        'EX': about(since='2.6.12'),
        'PX': about(since='2.6.12'),
        'EXAT': about(since='6.2.0'),
        'PXAT': about(since='6.2.0'),
        'KEEPTTL': about(since='6.0.0'),
    },
)
def set_(client: Client, argv: Argv) -> Reply:
    """SET key value [NX | XX] [GET]
        [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | KEEPTTL]

    Stores a string at a key, whatever was there before. NX: only if nothing was there, XX: only if something was. GET
    returns the string that was there.

    O(1)
    """
    db = client.db
    if len(argv) == 3:
        _, key, value = argv
        db.set(key, value)
        return OK
    _, key, value, *words = argv
    options = read_options(words, SET_OPTIONS)
    deadline_ms = None
    if options.lifetime in TIMES:
        deadline_ms = read_deadline_ms(options.lifetime, options.time, client.engine.now_ms, b'set')
    old = db.read(key, bytes) if options.get else None
    if options.condition and (key in db) == (options.condition == b'NX'):
        return old
    if options.lifetime == b'KEEPTTL':
        db.expire_if_due(key)
        db.put(key, value)
        db.changed(key, b'set')
        if client.propagates:
            client.propagate_as([b'SET', key, value, b'KEEPTTL'])
    elif deadline_ms is None:
        db.set(key, value)
        if client.propagates:
            client.propagate_as([b'SET', key, value])
    else:
        set_until(client, key, value, deadline_ms)
    return old if options.get else OK


def set_until(client: Client, key: bytes, value: bytes, deadline_ms: int | None) -> None:
    """Store a string that lives until then, None: for ever. With a deadline that is past it expires when next seen."""
    db = client.db
    if deadline_ms is None:
        db.set(key, value)
    else:
        db.expire_if_due(key)
        db.put(key, value)
        db.set_deadline(key, deadline_ms)
        db.changed(key, b'set')
        db.notify(key, b'expire')
        if client.propagates:
            client.propagate_as([b'SET', key, value, b'PXAT', b'%d' % deadline_ms])


@command(
    'SETNX',
    arity=3,
    flags='write denyoom fast',
    keys=(key('OW insert', 1),),
    since='1.0.0',
    group='string',
    deprecated=('2.6.12', '`SET` with the `NX` argument'),
)
def setnx(client: Client, argv: Argv) -> Reply:
    """SETNX key value

    Stores a string at a key if nothing is there; returns whether it did.

    O(1)
    """
    _, key, value = argv
    if key in client.db:
        return 0
    set_until(client, key, value, None)
    return 1


@command(
    'SETEX',
    arity=4,
    flags='write denyoom',
    keys=(key('OW update', 1),),
    since='2.0.0',
    group='string',
    deprecated=('2.6.12', '`SET` with the `EX` argument'),
)
def setex(client: Client, argv: Argv) -> Reply:
    """SETEX key seconds value

    Stores a string that expires after so many seconds.

    O(1)
    """
    _, key, seconds, value = argv
    set_until(client, key, value, read_deadline_ms(b'EX', seconds, client.engine.now_ms, b'setex'))
    return OK


@command(
    'PSETEX',
    arity=4,
    flags='write denyoom',
    keys=(key('OW update', 1),),
    since='2.6.0',
    group='string',
    deprecated=('2.6.12', '`SET` with the `PX` argument'),
)
def psetex(client: Client, argv: Argv) -> Reply:
    """PSETEX key milliseconds value

    Stores a string that expires after so many milliseconds.

    O(1)
    """
    _, key, milliseconds, value = argv
    set_until(client, key, value, read_deadline_ms(b'PX', milliseconds, client.engine.now_ms, b'psetex'))
    return OK


@command(
    'GETSET',
    arity=3,
    flags='write denyoom fast',
    keys=(key('RW access update', 1),),
    since='1.0.0',
    group='string',
    deprecated=('6.2.0', '`SET` with the `!GET` argument'),
)
def getset(client: Client, argv: Argv) -> Reply:
    """GETSET key value

    Stores a string at a key and returns the one that was there.

    O(1)
    """
    _, key, value = argv
    old = client.db.read(key, bytes)
    set_until(client, key, value, None)
    if client.propagates:
        client.propagate_as([b'SET', key, value])
    return old


@command('GETDEL', arity=2, flags='write fast', keys=(key('RW access delete', 1),), since='6.2.0', group='string')
def getdel(client: Client, argv: Argv) -> Reply:
    """GETDEL key

    Returns the string stored at a key and deletes the key.

    O(1)
    """
    _, key = argv
    value = client.db.read(key, bytes)
    if client.db.remove(key, b'del') and client.propagates:
        client.propagate_as([b'DEL', key])
    return value


@command(
    'GETEX',
    arity=-2,
    flags='write fast',
    keys=(key('RW access update', 1, note='What may be updated is the deadline.'),),
    since='6.2.0',
    group='string',
)
def getex(client: Client, argv: Argv) -> Reply:
    """GETEX key [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | PERSIST]

    Returns the string stored at a key and sets its deadline, or with PERSIST takes it away.

    O(1)
    """
    _, key, *words = argv
    db, now_ms = client.db, client.engine.now_ms
    options = read_options(words, GETEX_OPTIONS)
    value = db.read(key, bytes)
    if value is None:
        return None
    if options.lifetime in TIMES:
        deadline_ms = read_deadline_ms(options.lifetime, options.time, now_ms, b'getex')
        expire_key(client, key, deadline_ms)
    elif options.lifetime and db.clear_deadline(key):
        db.changed(key, b'persist')
        if client.propagates:
            client.propagate_as([b'PERSIST', key])
    return value


@command(
    'MGET',
    arity=-2,
    flags='readonly fast',
    keys=(key('RO access', 1, -1),),
    since='1.0.0',
    group='string',
    tips=('request_policy:multi_shard',),
)
def mget(client: Client, argv: Argv) -> Reply:
    """MGET key [key ...]

    Returns the strings stored at several keys, nil for a key that holds none.

    O(N) in the number of keys
    """
    values = [client.db.read_any(key) for key in argv[1:]]
    return [text_of(value) if type(value) in STRING_KINDS else None for value in values]


def pairs(argv: Argv) -> list[tuple[bytes, bytes]]:
    """The keys and values behind the name of MSET or MSETNX. Raises ReplyError if a value is missing."""
    name, *words = argv
    if len(words) % 2:
        raise ReplyError(b"ERR wrong number of arguments for '%b' command" % name.lower())
    return list(zip(words[::2], words[1::2], strict=True))


@command(
    'MSET',
    arity=-3,
    flags='write denyoom',
    keys=(key('OW update', 1, -1, 2),),
    since='1.0.1',
    group='string',
    tips=('request_policy:multi_shard', 'response_policy:all_succeeded'),
)
def mset(client: Client, argv: Argv) -> Reply:
    """MSET key value [key value ...]

    Stores strings at several keys at once.

    O(N) in the number of keys
    """
    for key, value in pairs(argv):
        set_until(client, key, value, None)
    return OK


@command(
    'MSETNX',
    arity=-3,
    flags='write denyoom',
    keys=(key('OW insert', 1, -1, 2),),
    since='1.0.1',
    group='string',
)
def msetnx(client: Client, argv: Argv) -> Reply:
    """MSETNX key value [key value ...]

    Stores strings at several keys at once if nothing is at any of them; returns whether it did.

    O(N) in the number of keys
    """
    items = pairs(argv)
    if any(key in client.db for key, _ in items):
        return 0
    for key, value in items:
        set_until(client, key, value, None)
    return 1


def check_length(client: Client, length: int, added: int) -> None:
    """Raises ReplyError if a string of this length with so many bytes behind it would be too long."""
    if length + added > client.engine.config['proto-max-bulk-len']:
        raise ReplyError(STRING_TOO_LONG)


def changeable(client: Client, key: bytes, value: bytes | bytearray) -> bytearray:
    """The value of key as one that can be changed in place, from now on kept like that."""
    if isinstance(value, bytearray):
        return value
    buffer = bytearray(value)
    client.db.put(key, buffer)
    return buffer


@command('APPEND', arity=3, flags='write denyoom fast', keys=(key('RW insert', 1),), since='2.0.0', group='string')
def append(client: Client, argv: Argv) -> Reply:
    """APPEND key value

    Writes a string behind the one stored at a key, or stores it if there is none; returns the length of the whole.

    O(1) for each byte appended, over many calls
    """
    _, key, text = argv
    db = client.db
    value = db.get(key, bytes)
    if value is None:
        db.put(key, text)
        length = len(text)
    else:
        check_length(client, len(value), len(text))
        buffer = changeable(client, key, value)
        buffer += text
        length = len(buffer)
    db.changed(key, b'append')
    return length


@command('SETRANGE', arity=4, flags='write denyoom', keys=(key('RW update', 1),), since='2.2.0', group='string')
def setrange(client: Client, argv: Argv) -> Reply:
    """SETRANGE key offset value

    Overwrites part of the string stored at a key, from an offset on, with zero bytes before it where the string is
    shorter than that; returns the length of the whole.

    O(M) in the length of the value, and of the zero bytes
    """
    _, key, offset_text, piece = argv
    offset = integer(offset_text)
    if offset < 0:
        raise ReplyError(b'ERR offset is out of range')
    db = client.db
    value = db.get(key, bytes)
    if not piece:
        return 0 if value is None else len(value)
    check_length(client, offset, len(piece))
    buffer = changeable(client, key, value or b'')
    if offset > len(buffer):
        buffer += bytes(offset - len(buffer))
    buffer[offset : offset + len(piece)] = piece
    db.changed(key, b'setrange')
    return len(buffer)


@command('STRLEN', arity=2, flags='readonly fast', keys=(key('RO', 1),), since='2.2.0', group='string')
def strlen(client: Client, argv: Argv) -> Reply:
    """STRLEN key

    Returns the length in bytes of the string stored at a key, 0 if there is none.

    O(1)
    """
    return len(client.db.read(argv[1], bytes) or b'')


@command('GETRANGE', arity=4, flags='readonly', keys=(key('RO access', 1),), since='2.4.0', group='string')
def getrange(client: Client, argv: Argv) -> Reply:
    """GETRANGE key start end

    Returns part of the string stored at a key, both ends included; negative ones are counted from its end.

    O(N) in the length of the part
    """
    _, key, start_text, end_text = argv
    start, end = integer(start_text), integer(end_text)
    value = client.db.read(key, bytes) or b''
    if start < 0 and end < 0 and start > end:
        return b''
    first = max(start + len(value), 0) if start < 0 else start
    last = max(end + len(value), 0) if end < 0 else end
    return value[first : last + 1]


@command(
    'SUBSTR',
    arity=4,
    flags='readonly',
    keys=(key('RO access', 1),),
    since='1.0.0',
    group='string',
    deprecated=('2.0.0', '`GETRANGE`'),
)
def substr(client: Client, argv: Argv) -> Reply:
    """SUBSTR key start end

    The former name of GETRANGE.

    O(N) in the length of the part
    """
    return getrange(client, argv)
