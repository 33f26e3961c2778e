"""Sets. What is left to chance is asked for in such numbers only that all come."""

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.strategies.words import (
    Argv,
    any_integer,
    either,
    exactly,
    keys,
    line,
    many_keys,
    many_values,
    mostly,
    option,
    small,
    some_of,
    values,
)

UNORDERED = {b'SMEMBERS', b'SINTER', b'SUNION', b'SDIFF', b'SSCAN', b'SPOP', b'SRANDMEMBER', b'SORT'}

all_of_them = either(b'100', b'1000', b'0')
no_count = st.sampled_from((b'-9223372036854775808', b'x', b'', b'9223372036854775808'))
negative = either(b'-1', b'-5')
counts_of_keys = mostly(either(b'1', b'2', b'3'), any_integer, 5)


def commands() -> SearchStrategy[Argv]:
    return st.one_of(
        line(b'SADD', keys, many_values),
        line(b'SADD', keys, many_values),
        line(b'SADD', keys, st.lists(st.integers(-3, 9).map(lambda number: b'%d' % number), min_size=1, max_size=6)),
        line(b'SREM', keys, many_values),
        line(b'SMOVE', keys, keys, values),
        line(b'SISMEMBER', keys, values),
        line(b'SMISMEMBER', keys, many_values),
        line(b'SCARD', keys),
        line(b'SMEMBERS', keys),
        line(b'SINTER', many_keys),
        line(b'SUNION', many_keys),
        line(b'SDIFF', many_keys),
        line(b'SINTERSTORE', keys, many_keys),
        line(b'SUNIONSTORE', keys, many_keys),
        line(b'SDIFFSTORE', keys, many_keys),
        line(b'SINTERCARD', counts_of_keys, many_keys, some_of(option(b'LIMIT', small))),
        exactly(b'SPOP', keys, mostly(all_of_them, st.one_of(no_count, negative), 5)),
        exactly(b'SRANDMEMBER', keys, mostly(all_of_them, no_count, 5)),
        line(
            b'SSCAN',
            keys,
            mostly(st.just(b'0'), either(b'x', b'1x', b'- 1')),
            some_of(option(b'COUNT', mostly(all_of_them, no_count, 5)), option(b'MATCH', b'*')),
        ),
        line(b'SORT', keys, st.just(b'ALPHA')),
        line(b'TYPE', keys),
    )
