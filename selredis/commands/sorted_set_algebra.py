"""What sorted sets have together, in common, and of their own: ZUNION, ZINTER, ZDIFF, and what keeps the result.

Sets take part as well: each of their members has score 1.
"""

from collections import deque
from collections.abc import Callable, Iterable
from math import isnan
from operator import itemgetter
from typing import Any, NamedTuple

from selredis.commands.sorted_set_ranges import store
from selredis.engine.client import Client
from selredis.engine.command import Argv, command, key, numkeys
from selredis.errors import SYNTAX, WRONG_TYPE, ReplyError
from selredis.numeric import floating, integer
from selredis.resp.reply import Pairs, Reply
from selredis.values.set import Set
from selredis.values.sorted_set import Element, SortedSet

LIMIT_NEGATIVE = b"ERR LIMIT can't be negative"

Aggregate = Callable[[float, float], float]


# What takes part


class Source(NamedTuple):
    """Members with scores, and what these are multiplied by."""

    items: Callable[[], Iterable[Element]]
    score: Callable[[bytes], float | None]
    size: int
    weight: float


def nothing() -> Iterable[Element]:
    return ()


def no_score(member: bytes) -> None:
    return None


def source_of(value: Any, weight: float) -> Source:
    """What a value of any kind, or None, gives. Raises WRONGTYPE."""
    if value is None:
        return Source(nothing, no_score, 0, weight)
    make = SOURCES.get(type(value))
    if make is None:
        raise ReplyError(WRONG_TYPE)
    return make(value, weight)


def of_sorted_set(value: SortedSet, weight: float) -> Source:
    return Source(value.items, value.score, len(value), weight)


def of_set(value: Set, weight: float) -> Source:
    return Source(
        lambda: ((member, 1.0) for member in value), lambda member: 1.0 if member in value else None, len(value), weight
    )


SOURCES: dict[type, Callable[[Any, float], Source]] = {SortedSet: of_sorted_set, Set: of_set}


# Scores


def total(one: float, other: float) -> float:
    """Their sum, where infinities of both signs make 0."""
    found = one + other
    return 0.0 if isnan(found) else found


def lesser(one: float, other: float) -> float:
    return other if other < one else one


def greater(one: float, other: float) -> float:
    return other if other > one else one


AGGREGATES: dict[bytes, Aggregate] = {b'SUM': total, b'MIN': lesser, b'MAX': greater}


def weighted(score: float, weight: float) -> float:
    """A score by its weight, where 0 times infinity is 0."""
    product = score * weight
    return 0.0 if isnan(product) else product


# The options


class Query(NamedTuple):
    """What is asked for. `limit`: of ZINTERCARD, 0 for none."""

    sources: list[Source]
    aggregate: Aggregate
    with_scores: bool
    limit: int

    def by_size(self) -> list[Source]:
        """The smallest first: in this order Redis adds scores up."""
        return sorted(self.sources, key=lambda source: source.size)


def read_query(client: Client, name: str, words: Argv, options: set[bytes]) -> Query:
    """Read the number of keys, the keys, and of the `options` those that are there. Raises ReplyError."""
    count = integer(words[0])
    if count < 1:
        raise ReplyError(b"ERR at least 1 input key is needed for '%b' command" % name.encode())
    if count > len(words) - 1:
        raise ReplyError(SYNTAX)
    db = client.db
    sources = [source_of(db.read_any(key), 1.0) for key in words[1 : count + 1]]
    aggregate = AGGREGATES[b'SUM']
    with_scores = False
    limit = 0
    rest = deque(words[count + 1 :])
    while rest:
        option = rest.popleft().upper()
        if option not in options:
            raise ReplyError(SYNTAX)
        if option == b'WEIGHTS' and len(rest) >= count:
            weights = [floating(rest.popleft(), b'ERR weight value is not a float') for _ in sources]
            sources = [source._replace(weight=weight) for source, weight in zip(sources, weights, strict=True)]
        elif option == b'AGGREGATE' and rest and rest[0].upper() in AGGREGATES:
            aggregate = AGGREGATES[rest.popleft().upper()]
        elif option == b'LIMIT' and rest:
            limit = integer(rest.popleft(), LIMIT_NEGATIVE)
            if limit < 0:
                raise ReplyError(LIMIT_NEGATIVE)
        elif option == b'WITHSCORES':
            with_scores = True
        else:
            raise ReplyError(SYNTAX)
    return Query(sources, aggregate, with_scores, limit)


COMBINING = {b'WEIGHTS', b'AGGREGATE'}
SHOWING = {b'WITHSCORES'}


# The three


def union(query: Query) -> dict[bytes, float]:
    """What is in any of the sources."""
    aggregate = query.aggregate
    found: dict[bytes, float] = {}
    for source in query.by_size():
        weight = source.weight
        for member, score in source.items():
            score = weighted(score, weight)
            old = found.get(member)
            found[member] = score if old is None else aggregate(old, score)
    return found


def intersection(query: Query) -> dict[bytes, float]:
    """What is in all of the sources, or so many as the limit allows."""
    aggregate = query.aggregate
    first, *others = query.by_size()
    found: dict[bytes, float] = {}
    if not first.size:
        return found
    for member, own in first.items():
        score = weighted(own, first.weight)
        for other in others:
            its = other.score(member)
            if its is None:
                break
            score = aggregate(score, its * other.weight)
        else:
            found[member] = score
            if len(found) == query.limit:
                break
    return found


def difference(query: Query) -> dict[bytes, float]:
    """What is in the first source and in no other."""
    first, *others = query.sources
    others = [other for other in others if other.size]
    if first.size * len(others) > 2 * sum(other.size for other in others):
        # Many small ones: taking out their members is less than to look for each of the first in all of them.
        found = dict(first.items())
        for other in others:
            for member in map(itemgetter(0), other.items()):
                found.pop(member, None)
        return found
    return {member: score for member, score in first.items() if all(other.score(member) is None for other in others)}


def shown(found: dict[bytes, float], query: Query) -> Reply:
    """A result in order."""
    items = sorted(found.items())
    items.sort(key=itemgetter(1))
    return Pairs(items) if query.with_scores else [member for member, _ in items]


@command(
    'ZUNION',
    arity=-3,
    flags='readonly',
    keys=(numkeys('RO access', 1),),
    since='6.2.0',
    group='sorted-set',
    types={'weight': 'integer'},
)
def zunion(client: Client, argv: Argv) -> Reply:
    """ZUNION numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE <SUM | MIN | MAX>] [WITHSCORES]

    Returns what is in any of several sorted sets, with the sum, the least or the greatest of its scores.

    O(N)+O(M*log(M)) in all their members and those of the result
    """
    query = read_query(client, 'zunion', argv[1:], COMBINING | SHOWING)
    return shown(union(query), query)


@command(
    'ZINTER',
    arity=-3,
    flags='readonly',
    keys=(numkeys('RO access', 1),),
    since='6.2.0',
    group='sorted-set',
    types={'weight': 'integer'},
)
def zinter(client: Client, argv: Argv) -> Reply:
    """ZINTER numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE <SUM | MIN | MAX>] [WITHSCORES]

    Returns what is in all of several sorted sets, with the sum, the least or the greatest of its scores.

    O(N*K)+O(M*log(M)) in the members of the smallest one, their number, and the members of the result
    """
    query = read_query(client, 'zinter', argv[1:], COMBINING | SHOWING)
    return shown(intersection(query), query)


@command(
    'ZDIFF',
    arity=-3,
    flags='readonly',
    keys=(numkeys('RO access', 1),),
    since='6.2.0',
    group='sorted-set',
)
def zdiff(client: Client, argv: Argv) -> Reply:
    """ZDIFF numkeys key [key ...] [WITHSCORES]

    Returns what is in the first of several sorted sets, and in no other of them.

    O(N*K)+O(M*log(M)) in the members of the first one, their number, and the members of the result
    """
    query = read_query(client, 'zdiff', argv[1:], SHOWING)
    return shown(difference(query), query)


@command(
    'ZINTERCARD',
    arity=-3,
    flags='readonly',
    keys=(numkeys('RO access', 1),),
    since='7.0.0',
    group='sorted-set',
    types={'limit': 'integer'},
)
def zintercard(client: Client, argv: Argv) -> Reply:
    """ZINTERCARD numkeys key [key ...] [LIMIT limit]

    Returns how much is in all of several sorted sets, or the limit if that is less.

    O(N*K) in the members of the smallest one, and their number
    """
    return len(intersection(read_query(client, 'zintercard', argv[1:], {b'LIMIT'})))


@command(
    'ZUNIONSTORE',
    arity=-4,
    flags='write denyoom',
    keys=(key('OW update', 1), numkeys('RO access', 2)),
    since='2.0.0',
    group='sorted-set',
    types={'weight': 'integer'},
)
def zunionstore(client: Client, argv: Argv) -> Reply:
    """ZUNIONSTORE destination numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE <SUM | MIN | MAX>]

    Keeps what is in any of several sorted sets, with the sum, the least or the greatest of its scores; returns how
    much that is.

    O(N)+O(M*log(M)) in all their members and those of the result
    """
    found = union(read_query(client, 'zunionstore', argv[2:], COMBINING))
    return store(client.db, argv[1], SortedSet(found.items()), b'zunionstore')


@command(
    'ZINTERSTORE',
    arity=-4,
    flags='write denyoom',
    keys=(key('OW update', 1), numkeys('RO access', 2)),
    since='2.0.0',
    group='sorted-set',
    types={'weight': 'integer'},
)
def zinterstore(client: Client, argv: Argv) -> Reply:
    """ZINTERSTORE destination numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE <SUM | MIN | MAX>]

    Keeps what is in all of several sorted sets, with the sum, the least or the greatest of its scores; returns how
    much that is.

    O(N*K)+O(M*log(M)) in the members of the smallest one, their number, and the members of the result
    """
    found = intersection(read_query(client, 'zinterstore', argv[2:], COMBINING))
    return store(client.db, argv[1], SortedSet(found.items()), b'zinterstore')


@command(
    'ZDIFFSTORE',
    arity=-4,
    flags='write denyoom',
    keys=(key('OW update', 1), numkeys('RO access', 2)),
    since='6.2.0',
    group='sorted-set',
)
def zdiffstore(client: Client, argv: Argv) -> Reply:
    """ZDIFFSTORE destination numkeys key [key ...]

    Keeps what is in the first of several sorted sets, and in no other of them; returns how much that is.

    O(N*K)+O(M*log(M)) in the members of the first one, their number, and the members of the result
    """
    found = difference(read_query(client, 'zdiffstore', argv[2:], set()))
    return store(client.db, argv[1], SortedSet(found.items()), b'zdiffstore')
