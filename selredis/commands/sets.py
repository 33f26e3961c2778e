"""Sets: members, any of them at random."""

from selredis.commands.member_scans import scan_members
from selredis.commands.random_members import read_count, repeated, some_members
from selredis.commands.scan import read_cursor
from selredis.engine.client import Client
from selredis.engine.command import Argv, command, key
from selredis.engine.syntax import about
from selredis.errors import MUST_BE_POSITIVE, SYNTAX, ReplyError
from selredis.keyspace.database import Database
from selredis.numeric import integer
from selredis.resp.reply import Reply, Set_
from selredis.values.set import Set, as_added

UNORDERED = ('nondeterministic_output_order',)
RANDOM = ('nondeterministic_output',)
# SPOP makes a new set of the members that are left if it returns this many times as many (SPOP_MOVE_STRATEGY_MUL).
SPOP_REBUILD = 5


# One member, or some


@command(
    'SADD',
    arity=-3,
    flags='write denyoom fast',
    keys=(key('RW insert', 1),),
    since='1.0.0',
    group='set',
    history=(('2.4.0', 'Several members may be added.'),),
)
def sadd(client: Client, argv: Argv) -> Reply:
    """SADD key member [member ...]

    Adds members to a set, creating it first if need be; returns how many were not in it.

    O(1) for each member
    """
    key = argv[1]
    db = client.db
    members = db.values.get(key)  # the plain case, without a call
    if type(members) is not Set or db.deadlines or type(db) is not Database:
        members = db.get_or_create(key, Set)
    if len(argv) == 3:
        added = 1 if members.add(argv[2]) else 0
    else:
        added = sum(map(members.add, argv[2:]))
    if added:
        db.changed(key, b'sadd', added)
    return added


@command(
    'SREM',
    arity=-3,
    flags='write fast',
    keys=(key('RW delete', 1),),
    since='1.0.0',
    group='set',
    history=(('2.4.0', 'Several members may be removed.'),),
)
def srem(client: Client, argv: Argv) -> Reply:
    """SREM key member [member ...]

    Removes members from a set, and the set with its last one; returns how many were in it.

    O(N) where N is the number of members to be removed.
    """
    key = argv[1]
    members = client.db.get(key, Set)
    if members is None:
        return 0
    removed = sum(map(members.remove, argv[2:]))
    if removed:
        client.db.lost(key, members, b'srem', removed)
    return removed


@command(
    'SMOVE',
    arity=4,
    flags='write fast',
    keys=(key('RW access delete', 1), key('RW insert', 2)),
    since='1.0.0',
    group='set',
)
def smove(client: Client, argv: Argv) -> Reply:
    """SMOVE source destination member

    Moves a member from one set to another; returns whether it was in the first.

    O(1)
    """
    _, source, destination, member = argv
    db = client.db
    origin = db.get(source, Set)
    if origin is None:
        return 0
    target = db.get(destination, Set)
    if origin is target:
        return int(member in origin)
    if not origin.remove(member):
        return 0
    db.lost(source, origin, b'srem', 1)
    if db.get_or_create(destination, Set).add(member):
        db.changed(destination, b'sadd')
    return 1


@command('SISMEMBER', arity=3, flags='readonly fast', keys=(key('RO', 1),), since='1.0.0', group='set')
def sismember(client: Client, argv: Argv) -> Reply:
    """SISMEMBER key member

    Returns whether something is in a set.

    O(1)
    """
    members: Set | None = client.db.read(argv[1], Set)
    member = argv[2]
    return 1 if members is not None and member in members.bucket_of(member) else 0


@command('SMISMEMBER', arity=-3, flags='readonly fast', keys=(key('RO access', 1),), since='6.2.0', group='set')
def smismember(client: Client, argv: Argv) -> Reply:
    """SMISMEMBER key member [member ...]

    Returns for each of several whether it is in a set.

    O(N) where N is the number of members asked for.
    """
    members = client.db.read(argv[1], Set)
    if members is None:
        return [0] * (len(argv) - 2)
    return [int(member in members) for member in argv[2:]]


@command('SCARD', arity=2, flags='readonly fast', keys=(key('RO', 1),), since='1.0.0', group='set')
def scard(client: Client, argv: Argv) -> Reply:
    """SCARD key

    Returns how many members a set has.

    O(1)
    """
    return len(client.db.read(argv[1], Set) or ())


@command(
    'SMEMBERS',
    arity=2,
    flags='readonly',
    keys=(key('RO access', 1),),
    since='1.0.0',
    group='set',
    tips=UNORDERED,
)
def smembers(client: Client, argv: Argv) -> Reply:
    """SMEMBERS key

    Returns all members of a set.

    O(N) where N is the number of members.
    """
    return Set_(client.db.read(argv[1], Set) or ())


@command(
    'SSCAN',
    arity=-3,
    flags='readonly',
    keys=(key('RO access', 1),),
    since='2.8.0',
    group='set',
    tips=RANDOM,
)
def sscan(client: Client, argv: Argv) -> Reply:
    """SSCAN key cursor [MATCH pattern] [COUNT count]

    Returns some members of a set, and the cursor with which to ask for more: begin with 0, end when 0 comes back.

    O(1) for each call, O(N) for all N members
    """
    cursor = read_cursor(argv[2])
    members = client.db.read(argv[1], Set)
    if members is None:
        return [b'0', []]
    cursor, found = scan_members(members, cursor, argv[3:], client.engine.config)
    return [b'%d' % cursor, found]


# At random


@command(
    'SPOP',
    arity=-2,
    flags='write fast',
    keys=(key('RW access delete', 1),),
    since='1.0.0',
    group='set',
    tips=RANDOM,
    arguments={'count': about(since='3.2.0')},
    history=(('3.2.0', 'A number of members may be asked for.'),),
)
def spop(client: Client, argv: Argv) -> Reply:
    """SPOP key [count]

    Takes one member, or a number of them, out of a set at random and returns them.

    O(1) for each member
    """
    if len(argv) > 3:
        raise ReplyError(SYNTAX)
    key = argv[1]
    db = client.db
    random = client.engine.random
    if len(argv) == 2:
        members = db.values.get(key)  # the plain case, without a call
        if type(members) is not Set or db.deadlines:
            members = db.get(key, Set)
        if members is None:
            return None
        member: bytes = members.pop_random(random)
        db.lost(key, members, b'spop')
        if client.propagates:
            client.propagate_as([b'SREM', key, member])
        return member
    count = integer(argv[2], MUST_BE_POSITIVE)
    if count < 0:
        raise ReplyError(MUST_BE_POSITIVE)
    members = db.get(key, Set)
    if members is None or not count:
        return Set_()
    size = len(members)
    if count >= size:
        db.changed(key, b'spop', size)
        db.remove_empty(key)
        if client.propagates:
            client.propagate_as([b'DEL', key])
        return Set_(as_added(list(members)))
    if (size - count) * SPOP_REBUILD <= count:
        kept = dict.fromkeys(some_members(members, size - count, random))
        popped = [each for each in members if each not in kept]
        members.rebuild(kept)
    else:
        before = [] if members.mask or members.is_intset else list(members)
        popped = [members.pop_random(random) for _ in range(count)]
        if before:  # Redis takes them from a listpack in its order
            chosen = set(popped)
            popped = [each for each in before if each in chosen]
    db.changed(key, b'spop', count)
    if client.propagates:
        client.propagate_as([b'SREM', key, *popped])
    return Set_(popped)


@command(
    'SRANDMEMBER',
    arity=-2,
    flags='readonly',
    keys=(key('RO access', 1),),
    since='1.0.0',
    group='set',
    tips=RANDOM,
    arguments={'count': about(since='2.6.0')},
    history=(('2.6.0', 'A number of members may be asked for.'),),
)
def srandmember(client: Client, argv: Argv) -> Reply:
    """SRANDMEMBER key [count]

    Returns one member of a set at random, or a number of different ones; if that is negative so many, some perhaps
    several times.

    O(1) for each member
    """
    if len(argv) > 3:
        raise ReplyError(SYNTAX)
    random = client.engine.random
    if len(argv) == 2:
        members = client.db.read(argv[1], Set)
        return None if members is None else members.random_member(random)
    count = read_count(argv[2])
    members = client.db.read(argv[1], Set)
    if members is None or not count:
        return []
    if count < 0:
        return repeated(client, -count, lambda: members.random_member(random))
    return some_members(members, count, random)
