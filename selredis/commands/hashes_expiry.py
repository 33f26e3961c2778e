"""How long fields of hashes live (7.4 and later)."""

from selredis.engine.client import Client
from selredis.engine.command import Argv, command, key
from selredis.engine.options import TIMES, invalid_expire_time
from selredis.errors import ReplyError
from selredis.numeric import INT64_MAX, integer
from selredis.resp.reply import Reply
from selredis.values.hash import Hash

LATEST_MS = (1 << 46) - 1  # Unix time; Redis keeps the two highest of 48 bits for later (t_hash.c)
CONDITIONS = frozenset((b'NX', b'XX', b'GT', b'LT'))

NO_SUCH_FIELD = -2
NO_DEADLINE = -1
CONDITION_NOT_MET = 0
DONE = 1
REMOVED = 2

NOT_POSITIVE = b'ERR Number of fields must be a positive integer'

TYPES = {'numfields': 'integer'}
UPDATED = key('RW update', 1)
READ = key('RO access', 1)


# Giving deadlines


@command('HEXPIRE', arity=-6, flags='write denyoom fast', keys=(UPDATED,), since='7.4.0', group='hash', types=TYPES)
def hexpire(client: Client, argv: Argv) -> Reply:
    """HEXPIRE key seconds [NX | XX | GT | LT] FIELDS numfields field [field ...]

    Lets fields of a hash live so many seconds more. NX: if they have no deadline, XX: if they have one, GT: if it is
    later than the one they have, LT: if earlier; to have none counts as the latest. For each field 1 if that was done,
    0 if not, 2 if it was removed for the time is past, -2 if there is no such field.

    O(N) with N fields
    """
    return expire_fields(client, argv, b'EX', b'hexpire')


@command('HPEXPIRE', arity=-6, flags='write denyoom fast', keys=(UPDATED,), since='7.4.0', group='hash', types=TYPES)
def hpexpire(client: Client, argv: Argv) -> Reply:
    """HPEXPIRE key milliseconds [NX | XX | GT | LT] FIELDS numfields field [field ...]

    Lets fields of a hash live so many milliseconds more, on HEXPIRE's conditions.

    O(N) with N fields
    """
    return expire_fields(client, argv, b'PX', b'hpexpire')


@command('HEXPIREAT', arity=-6, flags='write denyoom fast', keys=(UPDATED,), since='7.4.0', group='hash', types=TYPES)
def hexpireat(client: Client, argv: Argv) -> Reply:
    """HEXPIREAT key unix-time-seconds [NX | XX | GT | LT] FIELDS numfields field [field ...]

    Lets fields of a hash live until a Unix time, on HEXPIRE's conditions.

    O(N) with N fields
    """
    return expire_fields(client, argv, b'EXAT', b'hexpireat')


@command('HPEXPIREAT', arity=-6, flags='write denyoom fast', keys=(UPDATED,), since='7.4.0', group='hash', types=TYPES)
def hpexpireat(client: Client, argv: Argv) -> Reply:
    """HPEXPIREAT key unix-time-milliseconds [NX | XX | GT | LT] FIELDS numfields field [field ...]

    Lets fields of a hash live until a Unix time in milliseconds, on HEXPIRE's conditions.

    O(N) with N fields
    """
    return expire_fields(client, argv, b'PXAT', b'hpexpireat')


def expire_fields(client: Client, argv: Argv, unit: bytes, name: bytes) -> list[int]:
    """Give fields a deadline, in one of the units of TIMES; they are removed if it is past."""
    key = argv[1]
    db = client.db
    now_ms = client.engine.now_ms
    fields: Hash | None = db.get(key, Hash)
    new_ms = read_deadline_ms(unit, argv[2], now_ms, name)
    condition = argv[3].upper()
    place = 4 if condition in CONDITIONS else 3
    names = read_fields(argv, place, b'ERR Parameter `numFields` should be greater than 0')
    if fields is None:
        return [NO_SUCH_FIELD] * len(names)
    replies = [expire_field(fields, field, new_ms, now_ms, condition) for field in names]
    removed, updated = replies.count(REMOVED), replies.count(DONE)
    if removed or updated:
        db.keyspace.expired_fields += removed
        db.note_fields(key, fields)
        db.lost(key, fields, b'hdel' if removed else b'hexpire', removed + updated)
        # All in one way: the deadline has passed for each of them or for none.
        names = [field for field, reply in zip(names, replies, strict=True) if reply in (REMOVED, DONE)]
        if removed:
            client.propagate_as([b'HDEL', key, *names])
        else:
            client.propagate_as([b'HPEXPIREAT', key, b'%d' % new_ms, b'FIELDS', b'%d' % len(names), *names])
    return replies


def read_deadline_ms(unit: bytes, text: bytes, now_ms: int, command: bytes) -> int:
    """The Unix time (ms) that an amount in a unit of TIMES means; it may be past. Raises ReplyError."""
    amount = integer(text)
    if amount < 0:
        raise ReplyError(b'ERR invalid expire time, must be >= 0')
    unit_ms, from_now = TIMES[unit]
    deadline_ms = amount * unit_ms + (now_ms if from_now else 0)
    if deadline_ms > LATEST_MS:
        raise invalid_expire_time(command)
    return deadline_ms


def read_fields(argv: Argv, place: int, not_positive: bytes) -> Argv:
    """The fields behind FIELDS, which is to be the word at this place, and their number. Raises ReplyError."""
    if argv[place].upper() != b'FIELDS':
        raise ReplyError(b'ERR Mandatory argument FIELDS is missing or not at the right position')
    count = integer(argv[place + 1], not_positive)
    if not 1 <= count <= INT64_MAX:
        raise ReplyError(not_positive)
    names = argv[place + 2 :]
    if count != len(names):
        raise ReplyError(b'ERR The `numfields` parameter must match the number of arguments')
    return names


def expire_field(fields: Hash, field: bytes, new_ms: int, now_ms: int, condition: bytes) -> int:
    """Give a field a deadline; what to answer."""
    if field not in fields:
        return NO_SUCH_FIELD
    old_ms = fields.deadline_of(field)
    if old_ms is None:
        met = condition not in (b'XX', b'GT')
    else:
        met = not (
            condition == b'NX' or (condition == b'GT' and new_ms <= old_ms) or (condition == b'LT' and new_ms >= old_ms)
        )
    if not met:
        return CONDITION_NOT_MET
    if new_ms <= now_ms:
        fields.remove(field)
        return REMOVED
    fields.set_deadline(field, new_ms)
    return DONE


@command('HPERSIST', arity=-5, flags='write fast', keys=(UPDATED,), since='7.4.0', group='hash', types=TYPES)
def hpersist(client: Client, argv: Argv) -> Reply:
    """HPERSIST key FIELDS numfields field [field ...]

    Lets fields of a hash live as long as it does. For each of them 1 if it had a deadline, -1 if not, -2 if there is no
    such field.

    O(N) with N fields
    """
    db = client.db
    fields: Hash | None = db.get(argv[1], Hash)
    names = read_fields(argv, 2, NOT_POSITIVE)
    if fields is None:
        return [NO_SUCH_FIELD] * len(names)
    now_ms = client.engine.now_ms
    replies = [persist_field(fields, field, now_ms) for field in names]
    if DONE in replies:
        db.changed(argv[1], b'hpersist')
        names = [field for field, reply in zip(names, replies, strict=True) if reply == DONE]
        client.propagate_as([b'HPERSIST', argv[1], b'FIELDS', b'%d' % len(names), *names])
    return replies


def persist_field(fields: Hash, field: bytes, now_ms: int) -> int:
    """Take a field's deadline away; what to answer."""
    if field not in fields or fields.is_due(field, now_ms):
        return NO_SUCH_FIELD
    return DONE if fields.clear_deadline(field) else NO_DEADLINE


# Telling deadlines


@command('HTTL', arity=-5, flags='readonly fast', keys=(READ,), since='7.4.0', group='hash', types=TYPES)
def httl(client: Client, argv: Argv) -> Reply:
    """HTTL key FIELDS numfields field [field ...]

    Tells for each of these fields of a hash how many seconds it has to live; -1 if it has no deadline, -2 if there is
    no such field.

    O(N) with N fields
    """
    return [in_seconds(ms) for ms in times_to_live_ms(client, argv)]


@command('HPTTL', arity=-5, flags='readonly fast', keys=(READ,), since='7.4.0', group='hash', types=TYPES)
def hpttl(client: Client, argv: Argv) -> Reply:
    """HPTTL key FIELDS numfields field [field ...]

    Tells for each of these fields of a hash how many milliseconds it has to live; -1 if it has no deadline, -2 if there
    is no such field.

    O(N) with N fields
    """
    return times_to_live_ms(client, argv)


@command('HEXPIRETIME', arity=-5, flags='readonly fast', keys=(READ,), since='7.4.0', group='hash', types=TYPES)
def hexpiretime(client: Client, argv: Argv) -> Reply:
    """HEXPIRETIME key FIELDS numfields field [field ...]

    Tells for each of these fields of a hash the Unix time until which it lives; -1 if it has no deadline, -2 if there
    is no such field.

    O(N) with N fields
    """
    return [in_seconds(ms) for ms in deadlines_ms(client, argv)]


@command('HPEXPIRETIME', arity=-5, flags='readonly fast', keys=(READ,), since='7.4.0', group='hash', types=TYPES)
def hpexpiretime(client: Client, argv: Argv) -> Reply:
    """HPEXPIRETIME key FIELDS numfields field [field ...]

    Tells for each of these fields of a hash the Unix time in milliseconds until which it lives; -1 if it has no
    deadline, -2 if there is no such field.

    O(N) with N fields
    """
    return deadlines_ms(client, argv)


def deadlines_ms(client: Client, argv: Argv) -> list[int]:
    """The Unix time until which each field lives; -1: it has no deadline, -2: there is no such field."""
    fields: Hash | None = client.db.read(argv[1], Hash)
    names = read_fields(argv, 2, NOT_POSITIVE)
    if fields is None:
        return [NO_SUCH_FIELD] * len(names)
    now_ms = client.engine.now_ms
    found: list[int] = []
    for field in names:
        deadline_ms = fields.deadline_of(field)
        if deadline_ms is None:
            found.append(NO_DEADLINE if field in fields else NO_SUCH_FIELD)
        else:
            found.append(deadline_ms if deadline_ms >= now_ms else NO_SUCH_FIELD)
    return found


def times_to_live_ms(client: Client, argv: Argv) -> list[int]:
    """How long each field has to live; -1: it has no deadline, -2: there is no such field."""
    now_ms = client.engine.now_ms
    return [found_ms if found_ms < 0 else found_ms - now_ms for found_ms in deadlines_ms(client, argv)]


def in_seconds(ms: int) -> int:
    """Milliseconds to seconds, rounded up; what is negative is no time and stays as it is."""
    return ms if ms < 0 else (ms + 999) // 1000
