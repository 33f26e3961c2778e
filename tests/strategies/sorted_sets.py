"""Sorted sets. Scores are such as 7.0 and 7.2 write alike: few bits, and no more than seventeen digits."""

from typing import TypeAlias

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.strategies.lists import counted_keys, counts, timeouts
from tests.strategies.words import (
    Argv,
    any_integer,
    either,
    exactly,
    keys,
    line,
    many_values,
    mostly,
    not_floats,
    numbers,
    option,
    small,
    some_of,
    values,
)

Words: TypeAlias = SearchStrategy[list[bytes]]

level_keys = either(b'level', b'other')

scores = mostly(
    st.one_of(
        st.sampled_from((b'0', b'-0', b'1', b'2', b'1.5', b'-1', b'3.0e3', b'0x10', b'inf', b'-inf', b'+Infinity')),
        st.integers(-20, 20).map(lambda number: b'%.3f' % (number / 8)),
    ),
    st.one_of(not_floats, either(b'1e400', b'(1')),
    12,
)
pairs = st.lists(st.tuples(scores, values), min_size=1, max_size=5).map(
    lambda drawn: [word for two in drawn for word in two]
)
level = st.lists(values, min_size=1, max_size=5).map(lambda drawn: [word for name in drawn for word in (b'0', name)])
add_options = some_of(*(option(name) for name in (b'NX', b'XX', b'GT', b'LT', b'CH', b'INCR')), most=2)

score_bounds = mostly(
    st.one_of(scores, scores.map(lambda score: b'(' + score), either(b'-inf', b'+inf')),
    either(b'', b'(', b' 1', b'(( 1', b'1e400', b'-1e400', b'1e-400', b'1\0x', b'((1', b'(nan'),
)
member_bounds = mostly(
    st.one_of(
        st.sampled_from((b'-', b'+')), values.map(lambda name: b'[' + name), values.map(lambda name: b'(' + name)
    ),
    either(b'', b'x', b'-x', b'+\0', b'--', b'++'),
    12,
)
limit = option(b'LIMIT', numbers(2**31, 2**63 - 1, low=-2, high=4), numbers(2**63 - 1, low=-1, high=4))
with_scores = option(b'WITHSCORES')
rev = option(b'REV')
of_ranks = st.tuples(any_integer, any_integer).map(list)
of_scores = st.tuples(score_bounds, score_bounds).map(list)
of_members = st.tuples(member_bounds, member_bounds).map(list)


def asked_for(bounds: SearchStrategy[list[bytes]], name: list[bytes], *more: SearchStrategy[list[bytes]]) -> Words:
    """A range with its options; LIMIT, which those of ranks do not have, is for the others."""
    options = some_of(rev, *(() if not name else (limit,)), *more)
    return st.tuples(bounds, options).map(lambda drawn: [*drawn[0], *name, *drawn[1]])


def ranges(*more: SearchStrategy[list[bytes]]) -> Words:
    """A range of ranks or scores; once in a while with options that do not fit."""
    return st.one_of(
        asked_for(of_ranks, [], *more),
        asked_for(of_scores, [b'BYSCORE'], *more),
        st.tuples(of_scores, some_of(limit, rev, option(b'BYSCORE'))).map(lambda drawn: [*drawn[0], *drawn[1]]),
    )


weights = mostly(either(b'1', b'2', b'-1', b'0.5', b'0', b'inf', b'-inf'), not_floats, 20)
weighted = option(b'WEIGHTS', st.lists(weights, min_size=1, max_size=3))
aggregate = option(b'AGGREGATE', mostly(either(b'SUM', b'MIN', b'MAX', b'max'), st.just(b'AVG'), 12))
ends = mostly(either(b'MIN', b'MAX', b'min'), st.just(b'MIDDLE'))
all_of_them = mostly(
    either(b'100', b'1000', b'0'), either(b'x', b'', b'-9223372036854775808', b'9223372036854775807'), 6
)


def by_members() -> SearchStrategy[Argv]:
    """What goes by the members' bytes, over keys that nobody else uses: all their scores are the same."""
    return st.one_of(
        line(b'ZADD', level_keys, level),
        line(b'ZADD', level_keys, level),
        line(b'ZREM', level_keys, many_values),
        line(b'ZLEXCOUNT', level_keys, of_members),
        line(b'ZRANGE', level_keys, asked_for(of_members, [b'BYLEX'], with_scores)),
        line(b'ZRANGESTORE', level_keys, level_keys, asked_for(of_members, [b'BYLEX'])),
        line(b'ZRANGEBYLEX', level_keys, of_members, some_of(limit)),
        line(b'ZREVRANGEBYLEX', level_keys, of_members, some_of(limit)),
        line(b'ZREMRANGEBYLEX', level_keys, of_members),
    )


def commands() -> SearchStrategy[Argv]:
    return st.one_of(
        by_members(),
        line(b'ZADD', keys, pairs),
        line(b'ZADD', keys, pairs),
        line(b'ZADD', keys, add_options, pairs),
        line(b'ZADD', keys, add_options, scores, values),
        line(b'ZINCRBY', keys, scores, values),
        line(b'ZREM', keys, many_values),
        line(b'ZCARD', keys),
        line(b'ZSCORE', keys, values),
        line(b'ZMSCORE', keys, many_values),
        # Since 7.2 they take another word.
        line(b'ZRANK', keys, values).filter(lambda argv: len(argv) < 4),
        line(b'ZREVRANK', keys, values).filter(lambda argv: len(argv) < 4),
        line(b'ZCOUNT', keys, of_scores),
        line(b'ZRANGE', keys, ranges(with_scores)),
        line(b'ZRANGE', keys, ranges(with_scores)),
        line(b'ZRANGESTORE', keys, keys, ranges()),
        line(b'ZREVRANGE', keys, of_ranks, some_of(with_scores)),
        line(b'ZRANGEBYSCORE', keys, of_scores, some_of(with_scores, limit)),
        line(b'ZREVRANGEBYSCORE', keys, of_scores, some_of(with_scores, limit)),
        line(b'ZREMRANGEBYRANK', keys, of_ranks),
        line(b'ZREMRANGEBYSCORE', keys, of_scores),
        line(b'ZPOPMIN', keys),
        line(b'ZPOPMAX', keys, counts),
        line(b'ZMPOP', counted_keys, ends, some_of(option(b'COUNT', counts), most=2)),
        line(b'ZUNION', counted_keys, some_of(weighted, aggregate, with_scores)),
        line(b'ZINTER', counted_keys, some_of(weighted, aggregate, with_scores)),
        line(b'ZDIFF', counted_keys, some_of(with_scores)),
        line(b'ZUNIONSTORE', keys, counted_keys, some_of(weighted, aggregate)),
        line(b'ZINTERSTORE', keys, counted_keys, some_of(weighted, aggregate)),
        line(b'ZDIFFSTORE', keys, counted_keys),
        line(b'ZINTERCARD', counted_keys, some_of(option(b'LIMIT', small))),
        exactly(b'ZRANDMEMBER', keys, all_of_them),
        line(b'ZSCAN', keys, mostly(st.just(b'0'), st.just(b'x')), some_of(option(b'MATCH', b'*')), b'COUNT', b'1000'),
        line(b'SADD', keys, many_values),
    )


def in_transaction() -> SearchStrategy[Argv]:
    return st.one_of(
        line(b'BZPOPMIN', keys, timeouts),
        line(b'BZPOPMAX', keys, keys, timeouts),
        line(b'BZMPOP', timeouts, counted_keys, ends, some_of(option(b'COUNT', counts), most=2)),
    )
