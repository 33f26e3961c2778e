"""Sets. What is left to chance is asked for in such numbers only that all come.

The reference keeps small sets of anything but integers in hash tables, whose order is not ours. (tests/unit/
test_set_order.py has the order of 7.2.) Sets of integers are in ascending order, and stand under keys of their own.
"""

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.strategies.words import (
    Argv,
    any_integer,
    digits,
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

UNORDERED = {b'SMEMBERS', b'SINTER', b'SUNION', b'SDIFF', b'SSCAN', b'SPOP', b'SRANDMEMBER'}
INTEGER_KEYS = (b'integers', b'more integers')  # of sets of nothing else

integer_keys = st.sampled_from(INTEGER_KEYS)
many_integer_keys = st.lists(st.sampled_from((*INTEGER_KEYS, b'no integers')), min_size=1, max_size=3).map(
    lambda keys: [INTEGER_KEYS[0], *keys]
)
integers = st.one_of(
    st.integers(-12, 12), st.integers(-(2**63), 2**63 - 1), st.sampled_from((2**63 - 1, -(2**63), 2**31, 10**18))
).map(digits)
many_integers = st.lists(integers, min_size=1, max_size=6)
more_integers = st.integers(0, 99).map(lambda start: [b'%d' % (start + 37 * step % 300) for step in range(300)])

all_of_them = either(b'100', b'1000', b'0')
no_count = st.sampled_from((b'-9223372036854775808', b'x', b'', b'9223372036854775808'))
negative = either(b'-1', b'-5')
counts_of_keys = mostly(either(b'1', b'2', b'3'), any_integer, 5)


def of_integers() -> SearchStrategy[Argv]:
    """Commands on sets of integers alone: nothing may be appended to them."""
    return st.one_of(
        exactly(b'SADD', integer_keys, many_integers),
        exactly(b'SADD', integer_keys, mostly(many_integers, more_integers, 5)),
        exactly(b'SREM', integer_keys, mostly(many_integers, more_integers, 3)),
        exactly(b'SMOVE', integer_keys, integer_keys, integers),
        exactly(b'SMEMBERS', integer_keys),
        exactly(b'SMEMBERS', integer_keys),
        exactly(b'SSCAN', integer_keys, b'0', some_of(option(b'MATCH', either(b'*', b'*1*')), most=1)),
        exactly(b'SINTER', many_integer_keys),
        exactly(b'SUNION', many_integer_keys),
        exactly(b'SDIFF', many_integer_keys),
        exactly(b'SINTERSTORE', integer_keys, many_integer_keys),
        exactly(b'SUNIONSTORE', integer_keys, many_integer_keys),
        exactly(b'SDIFFSTORE', integer_keys, many_integer_keys),
        exactly(b'SRANDMEMBER', integer_keys, b'1000'),
        exactly(b'SPOP', integer_keys, b'1000'),
        exactly(b'SORT', integer_keys, b'BY', b'nosort', some_of(option(b'DESC'), option(b'LIMIT', small, small))),
    )


def commands() -> SearchStrategy[Argv]:
    return st.one_of(
        of_integers(),
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
