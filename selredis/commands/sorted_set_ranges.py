"""Sorted sets: ranges by rank, by score and by the members' bytes.

Whatever a range is told by, it is one of ranks: what `find` makes of it.
"""

from collections.abc import Callable
from math import inf
from typing import NamedTuple

from selredis.commands.lists import span
from selredis.engine.client import Client
from selredis.engine.command import Argv, command, key
from selredis.engine.syntax import about
from selredis.errors import SYNTAX, ReplyError
from selredis.keyspace.database import Database
from selredis.numeric import integer, plain_number, to_double
from selredis.resp.encoder import encode_alike
from selredis.resp.pieces import LARGE_BYTES
from selredis.resp.reply import Encoded, Pairs, Reply, Strings
from selredis.values.sorted_set import MIXED, SortedSet

NOT_A_SCORE = b'ERR min or max is not a float'
NOT_A_MEMBER = b'ERR min or max not valid string range item'
C_BLANKS = b' \t\n\v\f\r'
INFINITIES = {b'-inf': -inf, b'+inf': inf, b'inf': inf}

Ranks = tuple[int, int]
Find = Callable[[SortedSet], Ranks]


# What a range is told by


def by_rank(first: bytes, last: bytes, *, reverse: bool = False) -> Find:
    """A range of ranks, both included; negative ones count from the end. With `reverse` all are counted from there."""
    start, stop = integer(first), integer(last)

    def find(members: SortedSet) -> Ranks:
        size = len(members)
        begin, end = span(start, stop, size)
        return (size - end, size - begin) if reverse else (begin, end)

    return find


def by_score(low: bytes, high: bytes) -> Find:
    """A range of scores. Raises ReplyError."""
    least, least_excluded = read_bound(low)
    most, most_excluded = read_bound(high)

    def find(members: SortedSet) -> Ranks:
        if least == -inf and not least_excluded:
            start = 0
        else:
            start = members.up_to(least) if least_excluded else members.below(least)
        if most == inf and not most_excluded:
            return start, len(members)
        stop = members.below(most) if most_excluded else members.up_to(most)
        return start, max(start, stop)

    return find


def read_bound(text: bytes) -> tuple[float, bool]:
    """A score, and whether it is excluded: `(5`. C's strtod reads it, to which no text at all is 0."""
    plain = INFINITIES.get(text)
    if plain is None:
        plain = plain_number(text)
    if plain is not None:
        return plain, False
    excluded = text.startswith(b'(')
    readable = text[excluded:].partition(b'\0')[0]
    return to_double(readable.lstrip(C_BLANKS), NOT_A_SCORE) if readable else 0.0, excluded


def by_member(low: bytes, high: bytes) -> Find:
    """A range of members by their bytes, which has a meaning where all have the same score. Raises ReplyError."""
    least, most = read_member(low), read_member(high)

    def find(members: SortedSet) -> Ranks:
        start = least.edge(members, below=True)
        return start, max(start, most.edge(members, below=False))

    return find


class Bound(NamedTuple):
    """An end of a range of members. `sign`: -1 before all members, 1 behind them, 0 at `member`."""

    sign: int
    member: bytes
    excluded: bool

    def edge(self, members: SortedSet, *, below: bool) -> int:
        """How many members are before a range that begins here, or up to the end of one that ends here."""
        if self.sign:
            return 0 if self.sign < 0 else len(members)
        return members.before(self.member) if below != self.excluded else members.through(self.member)


def read_member(text: bytes) -> Bound:
    """Read `[member`, `(member`, `-` or `+`. Raises ReplyError."""
    first = text[:1]
    if first in (b'[', b'('):
        return Bound(0, text[1:], first == b'(')
    if text.partition(b'\0')[0] not in (b'-', b'+'):
        raise ReplyError(NOT_A_MEMBER)
    return Bound(-1 if first == b'-' else 1, b'', True)


# Reading


class Query(NamedTuple):
    """What of a sorted set is asked for. `limit` is negative for all."""

    find: Find
    reverse: bool
    offset: int
    limit: int
    with_scores: bool

    def ranks(self, members: SortedSet) -> Ranks:
        """Where in a sorted set that is."""
        start, stop = self.find(members)
        if self.offset < 0:
            return start, start
        if self.reverse:
            stop = max(stop - self.offset, start)
            return max(start, stop - self.limit) if self.limit >= 0 else start, stop
        start = min(start + self.offset, stop)
        return start, min(start + self.limit, stop) if self.limit >= 0 else stop

    def read(self, members: SortedSet) -> Reply:
        start, stop = self.ranks(members)
        if self.with_scores:
            items = Pairs(members.range_items(start, stop))
            if self.reverse:
                items.reverse()
            return items
        names = members.range(start, stop)
        if self.reverse:
            names.reverse()
        return names_reply(members, names)


def names_reply(members: SortedSet, names: list[bytes]) -> Reply:
    """Some members of a sorted set."""
    size = members.member_bytes
    if size is None or size == MIXED or size >= LARGE_BYTES:
        return Strings(names)
    return Encoded(encode_alike(names, size))


def read_query(words: Argv, by: bytes | None = None, *, reverse: bool | None = None, storing: bool = False) -> Query:
    """Read a range and what stands behind it. What `by` and `reverse` say is no option any more. Raises ReplyError."""
    first, last, *options = words
    fixed, backwards = by is not None, bool(reverse)
    offset, limit = 0, -1
    with_scores = False
    rest = iter(options)
    left = len(options)
    for word in rest:
        left -= 1
        option = word.upper()
        if option == b'WITHSCORES' and not storing:
            with_scores = True
        elif option == b'LIMIT' and left >= 2:
            offset, limit = integer(next(rest)), integer(next(rest))
            left -= 2
        elif option == b'REV' and reverse is None and not backwards:
            backwards = True
        elif option in (b'BYLEX', b'BYSCORE') and not fixed:
            by, fixed = option, True
        else:
            raise ReplyError(SYNTAX)
    if by not in (b'BYLEX', b'BYSCORE'):
        if limit != -1:
            raise ReplyError(b'ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX')
        return Query(by_rank(first, last, reverse=backwards), backwards, 0, -1, with_scores)
    if with_scores and by == b'BYLEX':
        raise ReplyError(b'ERR syntax error, WITHSCORES not supported in combination with BYLEX')
    low, high = (last, first) if backwards else (first, last)
    find = by_member(low, high) if by == b'BYLEX' else by_score(low, high)
    return Query(find, backwards, offset, limit, with_scores)


def answer(client: Client, key: bytes, query: Query) -> Reply:
    members: SortedSet | None = client.db.read(key, SortedSet)
    return [] if members is None else query.read(members)


@command(
    'ZRANGE',
    arity=-4,
    flags='readonly brief',
    keys=(key('RO access', 1),),
    since='1.2.0',
    group='sorted-set',
    history=(('6.2.0', 'REV, BYSCORE, BYLEX and LIMIT are new.'),),
    types={'start': 'string', 'stop': 'string'},
    arguments={
        'byscore-bylex': about('sortby', since='6.2.0'),
        'REV': about(since='6.2.0'),
        'LIMIT': about(since='6.2.0'),
    },
)
def zrange(client: Client, argv: Argv) -> Reply:
    """ZRANGE key start stop [BYSCORE | BYLEX] [REV] [LIMIT offset count] [WITHSCORES]

    Returns the members of a sorted set in a range: of ranks, of scores with BYSCORE, of members with BYLEX; from the
    highest to the lowest with REV, and with their scores if that is wished.

    O(log(N)+M) in the members there are and those returned
    """
    if len(argv) != 4:
        return answer(client, argv[1], read_query(argv[2:]))
    start, last = integer(argv[2]), integer(argv[3])
    members: SortedSet | None = client.db.read(argv[1], SortedSet)
    if members is None:
        return []
    if 0 <= start <= last:
        return names_reply(members, members.range(start, last + 1))
    return names_reply(members, members.range(*span(start, last, len(members))))


@command(
    'ZREVRANGE',
    arity=-4,
    flags='readonly brief',
    keys=(key('RO access', 1),),
    since='1.2.0',
    group='sorted-set',
    deprecated=('6.2.0', '`ZRANGE` with the `REV` argument'),
)
def zrevrange(client: Client, argv: Argv) -> Reply:
    """ZREVRANGE key start stop [WITHSCORES]

    Returns the members of a sorted set in a range of ranks that are counted from the end, the highest first.

    O(log(N)+M) in the members there are and those returned
    """
    return answer(client, argv[1], read_query(argv[2:], b'RANK', reverse=True))


@command(
    'ZRANGEBYSCORE',
    arity=-4,
    flags='readonly',
    keys=(key('RO access', 1),),
    since='1.0.5',
    group='sorted-set',
    deprecated=('6.2.0', '`ZRANGE` with the `BYSCORE` argument'),
    history=(('2.0.0', 'WITHSCORES is new.'),),
    types={'min': 'double', 'max': 'double'},
    arguments={'WITHSCORES': about(since='2.0.0')},
)
def zrangebyscore(client: Client, argv: Argv) -> Reply:
    """ZRANGEBYSCORE key min max [WITHSCORES] [LIMIT offset count]

    Returns the members of a sorted set in a range of scores.

    O(log(N)+M) in the members there are and those returned
    """
    return answer(client, argv[1], read_query(argv[2:], b'BYSCORE', reverse=False))


@command(
    'ZREVRANGEBYSCORE',
    arity=-4,
    flags='readonly',
    keys=(key('RO access', 1),),
    since='2.2.0',
    group='sorted-set',
    deprecated=('6.2.0', '`ZRANGE` with the `REV` and `BYSCORE` arguments'),
    history=(('2.1.6', 'A score may be excluded.'),),
    types={'min': 'double', 'max': 'double'},
)
def zrevrangebyscore(client: Client, argv: Argv) -> Reply:
    """ZREVRANGEBYSCORE key max min [WITHSCORES] [LIMIT offset count]

    Returns the members of a sorted set in a range of scores, the highest first.

    O(log(N)+M) in the members there are and those returned
    """
    return answer(client, argv[1], read_query(argv[2:], b'BYSCORE', reverse=True))


@command(
    'ZRANGEBYLEX',
    arity=-4,
    flags='readonly',
    keys=(key('RO access', 1),),
    since='2.8.9',
    group='sorted-set',
    deprecated=('6.2.0', '`ZRANGE` with the `BYLEX` argument'),
)
def zrangebylex(client: Client, argv: Argv) -> Reply:
    """ZRANGEBYLEX key min max [LIMIT offset count]

    Returns the members of a sorted set in a range of their bytes, where all have the same score.

    O(log(N)+M) in the members there are and those returned
    """
    return answer(client, argv[1], read_query(argv[2:], b'BYLEX', reverse=False))


@command(
    'ZREVRANGEBYLEX',
    arity=-4,
    flags='readonly',
    keys=(key('RO access', 1),),
    since='2.8.9',
    group='sorted-set',
    deprecated=('6.2.0', '`ZRANGE` with the `REV` and `BYLEX` arguments'),
)
def zrevrangebylex(client: Client, argv: Argv) -> Reply:
    """ZREVRANGEBYLEX key max min [LIMIT offset count]

    Returns the members of a sorted set in a range of their bytes, where all have the same score, the last first.

    O(log(N)+M) in the members there are and those returned
    """
    return answer(client, argv[1], read_query(argv[2:], b'BYLEX', reverse=True))


@command(
    'ZRANGESTORE',
    arity=-5,
    flags='write denyoom',
    keys=(key('OW update', 1), key('RO access', 2)),
    since='6.2.0',
    group='sorted-set',
    types={'dst': 'key', 'src': 'key'},
    arguments={'byscore-bylex': about('sortby')},
)
def zrangestore(client: Client, argv: Argv) -> Reply:
    """ZRANGESTORE dst src min max [BYSCORE | BYLEX] [REV] [LIMIT offset count]

    Keeps a range of a sorted set, as ZRANGE finds it, under another key; returns how many members that has.

    O(log(N)+M) in the members there are and those kept
    """
    _, destination, source, *words = argv
    query = read_query(words, storing=True)
    members: SortedSet | None = client.db.read(source, SortedSet)
    result = SortedSet() if members is None else SortedSet(members.range_items(*query.ranks(members)))
    return store(client.db, destination, result, b'zrangestore')


def store(db: Database, destination: bytes, result: SortedSet, event: bytes) -> int:
    """Keep a result in place of whatever was there, nothing if it is empty; returns how many members it has."""
    if not result:
        db.remove(destination, b'del')
        return 0
    db.set(destination, result, event)
    return len(result)


# Counting and removing


@command(
    'ZCOUNT',
    arity=4,
    flags='readonly fast',
    keys=(key('RO access', 1),),
    since='2.0.0',
    group='sorted-set',
    types={'min': 'double', 'max': 'double'},
)
def zcount(client: Client, argv: Argv) -> Reply:
    """ZCOUNT key min max

    Returns how many members of a sorted set are in a range of scores.

    O(log(N)) in the members there are
    """
    return count(client, argv[1], by_score(argv[2], argv[3]))


@command('ZLEXCOUNT', arity=4, flags='readonly fast', keys=(key('RO access', 1),), since='2.8.9', group='sorted-set')
def zlexcount(client: Client, argv: Argv) -> Reply:
    """ZLEXCOUNT key min max

    Returns how many members of a sorted set are in a range of their bytes, where all have the same score.

    O(log(N)) in the members there are
    """
    return count(client, argv[1], by_member(argv[2], argv[3]))


def count(client: Client, key: bytes, find: Find) -> int:
    members: SortedSet | None = client.db.read(key, SortedSet)
    if members is None:
        return 0
    start, stop = find(members)
    return stop - start


@command(
    'ZREMRANGEBYRANK',
    arity=4,
    flags='write',
    keys=(key('RW delete', 1),),
    since='2.0.0',
    group='sorted-set',
)
def zremrangebyrank(client: Client, argv: Argv) -> Reply:
    """ZREMRANGEBYRANK key start stop

    Removes the members of a sorted set in a range of ranks; returns how many there were.

    O(log(N)+M) in the members there are and those removed
    """
    return remove(client.db, argv[1], by_rank(argv[2], argv[3]), b'zremrangebyrank')


@command(
    'ZREMRANGEBYSCORE',
    arity=4,
    flags='write',
    keys=(key('RW delete', 1),),
    since='1.2.0',
    group='sorted-set',
    types={'min': 'double', 'max': 'double'},
)
def zremrangebyscore(client: Client, argv: Argv) -> Reply:
    """ZREMRANGEBYSCORE key min max

    Removes the members of a sorted set in a range of scores; returns how many there were.

    O(log(N)+M) in the members there are and those removed
    """
    return remove(client.db, argv[1], by_score(argv[2], argv[3]), b'zremrangebyscore')


@command(
    'ZREMRANGEBYLEX',
    arity=4,
    flags='write',
    keys=(key('RW delete', 1),),
    since='2.8.9',
    group='sorted-set',
)
def zremrangebylex(client: Client, argv: Argv) -> Reply:
    """ZREMRANGEBYLEX key min max

    Removes the members of a sorted set in a range of their bytes, where all have the same score; returns how many
    there were.

    O(log(N)+M) in the members there are and those removed
    """
    return remove(client.db, argv[1], by_member(argv[2], argv[3]), b'zremrangebylex')


def remove(db: Database, key: bytes, find: Find, event: bytes) -> int:
    members: SortedSet | None = db.get(key, SortedSet)
    if members is None:
        return 0
    start, stop = find(members)
    if start == stop:
        return 0
    if stop - start == len(members):
        # All at once, and freed bit by bit if it is large.
        db.changed(key, event, stop - start)
        db.discard(key)
        db.notify(key, b'del')
    else:
        members.remove_range(start, stop)
        db.changed(key, event, stop - start)
    return stop - start
