"""Sorted sets: members with scores, one by one. Ranges are in sorted_set_ranges, what takes members out at an end in
sorted_set_pops, and what several sets have together in sorted_set_algebra."""

from math import isnan

from selredis.commands.member_scans import scan_members
from selredis.commands.random_members import read_count, repeated, some_members
from selredis.commands.scan import read_cursor
from selredis.engine.client import Client
from selredis.engine.command import Argv, command, key
from selredis.engine.syntax import about
from selredis.errors import OUT_OF_RANGE, SYNTAX, ReplyError
from selredis.keyspace.database import Database
from selredis.numeric import INT64_MAX, floating, format_double, plain_number
from selredis.resp.reply import NULL_ARRAY, Pairs, Reply
from selredis.values.encoding import encoding_of
from selredis.values.sorted_set import SortedSet

NOT_A_NUMBER = b'ERR resulting score is not a number (NaN)'

# Scores that many members have: each the same object, and read in a tenth of the time.
READY_SCORES = {b'%d' % number: float(number) for number in range(1024)}
ADD_OPTIONS = frozenset((b'NX', b'XX', b'GT', b'LT', b'CH', b'INCR'))


# One member, or some


@command(
    'ZADD',
    arity=-4,
    flags='write denyoom fast',
    keys=(key('RW update', 1),),
    since='1.2.0',
    group='sorted-set',
    history=(
        ('2.4.0', 'Several members may be given.'),
        ('3.0.2', 'XX, NX, CH and INCR are new.'),
        ('6.2.0', 'GT and LT are new.'),
    ),
    types={'score': 'double'},
    arguments={
        'nx-xx': about('condition', since='3.0.2'),
        'gt-lt': about('comparison', since='6.2.0'),
        'CH': about('change', since='3.0.2'),
        'INCR': about('increment', since='3.0.2'),
        'score-member': about('data'),
    },
)
def zadd(client: Client, argv: Argv) -> Reply:
    """ZADD key [NX | XX] [GT | LT] [CH] [INCR] score member [score member ...]

    Gives members of a sorted set scores, and creates it if need be; returns how many members are new, or with CH how
    many were changed. NX leaves alone what is there, XX what is not; GT and LT change a score only to a greater or a
    lesser one. With INCR the score is added to that of one member, which is returned.

    O(log(N)) for each member, in the members there are
    """
    db = client.db
    key = argv[1]
    if len(argv) == 4 and (score := READY_SCORES.get(argv[2]) or plain_number(argv[2])) is not None:
        members = db.values.get(key)  # the plain case, 30 ns sooner
        if type(members) is not SortedSet or db.deadlines:
            members = db.get_or_create(key, SortedSet)
        old = members.put(argv[3], score)
        if old is None:
            db.changed(key, b'zadd')
            return 1
        if old != score:
            db.changed(key, b'zadd')
        return 0
    options, scores, names = read_zadd(argv)
    if b'INCR' in options:
        return increase(db, key, names[0], scores[0], options)
    return give_scores(db, key, names, scores, options)


def give_scores(db: Database, key: bytes, names: Argv, scores: list[float], options: frozenset[bytes]) -> int:
    """Do what ZADD does without INCR; its reply."""
    added = updated = 0
    members = db.get(key, SortedSet)
    if members is None:
        if b'XX' in options:
            return 0
        members = db.get_or_create(key, SortedSet)
    for name, score in zip(names, scores, strict=True):
        if not options.isdisjoint((b'NX', b'XX', b'GT', b'LT')) and not wanted(members.score(name), score, options):
            continue
        old = members.put(name, score)
        added += old is None
        updated += old is not None and old != score
    if added or updated:
        db.changed(key, b'zadd', added + updated)
    return added + updated if b'CH' in options else added


def read_score(text: bytes) -> float:
    """Read a score. Raises ReplyError."""
    score = READY_SCORES.get(text)
    return floating(text) if score is None else score


def read_zadd(argv: Argv) -> tuple[frozenset[bytes], list[float], Argv]:
    """The options of ZADD, in capitals, the scores and the members. Raises ReplyError."""
    place = 2
    words = []
    while place < len(argv) and (word := argv[place].upper()) in ADD_OPTIONS:
        words.append(word)
        place += 1
    options = frozenset(words)
    pairs = argv[place:]
    if not pairs or len(pairs) % 2:
        raise ReplyError(SYNTAX)
    if options >= {b'NX', b'XX'}:
        raise ReplyError(b'ERR XX and NX options at the same time are not compatible')
    if len(options & {b'GT', b'LT', b'NX'}) > 1:
        raise ReplyError(b'ERR GT, LT, and/or NX options at the same time are not compatible')
    if b'INCR' in options and len(pairs) > 2:
        raise ReplyError(b'ERR INCR option supports a single increment-element pair')
    return options, [read_score(text) for text in pairs[::2]], pairs[1::2]


def wanted(old: float | None, score: float, options: frozenset[bytes]) -> bool:
    """Whether the options of ZADD allow a score, where there was another, or None."""
    if old is None:
        return b'XX' not in options
    if b'NX' in options:
        return False
    return not (b'GT' in options and score <= old) and not (b'LT' in options and score >= old)


@command(
    'ZINCRBY',
    arity=4,
    flags='write denyoom fast',
    keys=(key('RW access update', 1),),
    since='1.2.0',
    group='sorted-set',
)
def zincrby(client: Client, argv: Argv) -> Reply:
    """ZINCRBY key increment member

    Adds to the score of a member of a sorted set, 0 if it is not there yet; returns the new score.

    O(log(N)) in the members there are
    """
    _, key, text, member = argv
    return increase(client.db, key, member, read_score(text), frozenset())


def increase(db: Database, key: bytes, member: bytes, increment: float, options: frozenset[bytes]) -> float | None:
    """Add to the score of a member, and return it; None if the options do not allow that."""
    members = db.values.get(key)  # the plain case, 30 ns sooner
    if type(members) is not SortedSet or db.deadlines:
        members = db.get(key, SortedSet)
    old = None if members is None else members.score(member)
    score = increment if old is None else old + increment
    if isnan(score) and b'NX' not in options:
        raise ReplyError(NOT_A_NUMBER)
    if options and not wanted(old, score, options):
        return None
    if members is None:
        members = db.get_or_create(key, SortedSet)
    members.put(member, score)
    if old != score:
        db.changed(key, b'zincr')
    return score


@command(
    'ZREM',
    arity=-3,
    flags='write fast',
    keys=(key('RW delete', 1),),
    since='1.2.0',
    group='sorted-set',
    history=(('2.4.0', 'Several members may be removed.'),),
)
def zrem(client: Client, argv: Argv) -> Reply:
    """ZREM key member [member ...]

    Removes members from a sorted set, and the set with its last one; returns how many were in it.

    O(M*log(N)) in the members to be removed and those there are
    """
    key = argv[1]
    members: SortedSet | None = client.db.get(key, SortedSet)
    if members is None:
        return 0
    count = sum(map(members.remove, argv[2:]))
    if count:
        client.db.lost(key, members, b'zrem', count)
    return count


@command('ZCARD', arity=2, flags='readonly fast', keys=(key('RO', 1),), since='1.2.0', group='sorted-set')
def zcard(client: Client, argv: Argv) -> Reply:
    """ZCARD key

    Returns how many members a sorted set has.

    O(1)
    """
    members: SortedSet | None = client.db.read(argv[1], SortedSet)
    return 0 if members is None else len(members)


@command('ZSCORE', arity=3, flags='readonly fast', keys=(key('RO access', 1),), since='1.2.0', group='sorted-set')
def zscore(client: Client, argv: Argv) -> Reply:
    """ZSCORE key member

    Returns the score of a member.

    O(1)
    """
    members: SortedSet | None = client.db.read(argv[1], SortedSet)
    return None if members is None else members.score(argv[2])


@command('ZMSCORE', arity=-3, flags='readonly fast', keys=(key('RO access', 1),), since='6.2.0', group='sorted-set')
def zmscore(client: Client, argv: Argv) -> Reply:
    """ZMSCORE key member [member ...]

    Returns the score of each of several members.

    O(N) in the members asked for
    """
    members: SortedSet | None = client.db.read(argv[1], SortedSet)
    if members is None:
        return [None] * (len(argv) - 2)
    return list(map(members.score, argv[2:]))


@command(
    'ZRANK',
    arity=-3,
    flags='readonly fast',
    keys=(key('RO access', 1),),
    since='2.0.0',
    group='sorted-set',
    history=(('7.2.0', 'WITHSCORE is new.'),),
)
def zrank(client: Client, argv: Argv) -> Reply:
    """ZRANK key member [WITHSCORE]

    Returns how many members are before this one in order of their scores; with its score if that is wished.

    O(log(N)) in the members there are
    """
    return rank(client, argv, reverse=False)


@command(
    'ZREVRANK',
    arity=-3,
    flags='readonly fast',
    keys=(key('RO access', 1),),
    since='2.0.0',
    group='sorted-set',
    history=(('7.2.0', 'WITHSCORE is new.'),),
)
def zrevrank(client: Client, argv: Argv) -> Reply:
    """ZREVRANK key member [WITHSCORE]

    Returns how many members are behind this one in order of their scores; with its score if that is wished.

    O(log(N)) in the members there are
    """
    return rank(client, argv, reverse=True)


def rank(client: Client, argv: Argv, *, reverse: bool) -> Reply:
    _, key, member, *options = argv
    if len(options) > 1:
        raise ReplyError(b"ERR wrong number of arguments for '%b' command" % argv[0].lower())
    if options and options[0].upper() != b'WITHSCORE':
        raise ReplyError(SYNTAX)
    members: SortedSet | None = client.db.read(key, SortedSet)
    place = None if members is None else members.rank(member)
    if members is None or place is None:
        return NULL_ARRAY if options else None
    if reverse:
        place = len(members) - 1 - place
    return [place, members.score(member)] if options else place


# At random, and in steps


@command(
    'ZRANDMEMBER',
    arity=-2,
    flags='readonly',
    keys=(key('RO access', 1),),
    since='6.2.0',
    group='sorted-set',
    tips=('nondeterministic_output',),
    arguments={'count-withscores': about('options')},
)
def zrandmember(client: Client, argv: Argv) -> Reply:
    """ZRANDMEMBER key [count [WITHSCORES]]

    Returns one member of a sorted set at random, or a number of different ones; if that is negative so many, some
    perhaps several times.

    O(N) in the members returned
    """
    random = client.engine.random
    if len(argv) == 2:
        members: SortedSet | None = client.db.read(argv[1], SortedSet)
        return None if members is None else members.random_member(random)
    count = read_count(argv[2])
    with_scores = len(argv) > 3
    if with_scores:
        if len(argv) > 4 or argv[3].upper() != b'WITHSCORES':
            raise ReplyError(SYNTAX)
        if abs(count) > INT64_MAX // 2:
            raise ReplyError(OUT_OF_RANGE)
    members = client.db.read(argv[1], SortedSet)
    if members is None or not count:
        return []
    if count < 0:
        some = members
        names = repeated(client, -count, lambda: some.random_member(random))
    elif count >= len(members):
        names = list(members)[::-1]  # as Redis iterates over a sorted set (t_zset.c, zuiInitIterator)
    else:
        names = some_members(members, count, random)
    return Pairs((name, members.score(name)) for name in names) if with_scores else names


@command(
    'ZSCAN',
    arity=-3,
    flags='readonly',
    keys=(key('RO access', 1),),
    since='2.8.0',
    group='sorted-set',
    tips=('nondeterministic_output',),
)
def zscan(client: Client, argv: Argv) -> Reply:
    """ZSCAN key cursor [MATCH pattern] [COUNT count]

    Returns some members of a sorted set with their scores, and the cursor with which to ask for more: begin with 0,
    end when 0 comes back.

    O(1) for each call, O(N) for all N members
    """
    cursor = read_cursor(argv[2])
    members: SortedSet | None = client.db.read(argv[1], SortedSet)
    if members is None:
        return [b'0', []]
    cursor, found = scan_members(members, cursor, argv[3:], client.engine.config)
    # Where Redis has a skiplist, it goes through all digits that a double may have.
    small = encoding_of(members, client.engine.config) == b'listpack'
    items: list[bytes] = []
    for name in found:
        score = members.score(name)
        assert score is not None
        items += (name, format_double(score) if small else b'%.17g' % score)
    return [b'%d' % cursor, items]
