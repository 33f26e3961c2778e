"""Lists: every command that does not wait. Those that do are asked inside a transaction, where nothing waits."""

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.strategies.words import (
    Argv,
    any_integer,
    digits,
    either,
    keys,
    line,
    many_keys,
    many_values,
    mostly,
    not_floats,
    numbers,
    option,
    small,
    some_of,
    values,
)

ends = mostly(either(b'LEFT', b'RIGHT', b'left'), st.just(b'MIDDLE'))
counts = mostly(st.integers(1, 4).map(digits), numbers(2**31, 2**63 - 1, low=-1, high=0), 4)
lpos_options = some_of(option(b'RANK', small), option(b'COUNT', counts), option(b'MAXLEN', counts))
lmpop_options = some_of(option(b'COUNT', counts), most=2)
sides = mostly(either(b'BEFORE', b'AFTER', b'after'), st.just(b'BESIDE'))
# Those past 2**63 ms are left out: the reference, before 7.2, takes some for negative.
timeouts = mostly(st.sampled_from((b'0', b'1', b'0.001', b'-0', b'1e3', b'.5', b'-1', b'-0.5')), not_floats, 4)
# How many keys follow is nearly always said rightly.
counted_keys = st.tuples(many_keys, st.sampled_from((0,) * 10 + (1, -1))).map(
    lambda drawn: [b'%d' % (len(drawn[0]) + drawn[1]), *drawn[0]]
)


def commands() -> SearchStrategy[Argv]:
    return st.one_of(
        line(b'LPUSH', keys, many_values),
        line(b'RPUSH', keys, many_values),
        line(b'RPUSH', keys, many_values),
        line(b'LPUSHX', keys, many_values),
        line(b'RPUSHX', keys, many_values),
        line(b'LPOP', keys),
        line(b'RPOP', keys),
        line(b'LPOP', keys, counts),
        line(b'RPOP', keys, counts),
        line(b'LLEN', keys),
        line(b'LRANGE', keys, any_integer, any_integer),
        line(b'LINDEX', keys, any_integer),
        line(b'LSET', keys, small, values),
        line(b'LINSERT', keys, sides, values, values),
        line(b'LREM', keys, small, values),
        line(b'LTRIM', keys, any_integer, any_integer),
        line(b'LPOS', keys, values, lpos_options),
        line(b'LMOVE', keys, keys, ends, ends),
        line(b'RPOPLPUSH', keys, keys),
        line(b'LMPOP', counted_keys, ends, lmpop_options),
    )


def ends_in_small_timeout(argv: Argv) -> bool:
    """One word too many is the timeout instead, and may be one that is left out."""
    return len(argv[-1]) < 16


def in_transaction() -> SearchStrategy[Argv]:
    return st.one_of(
        line(b'BLPOP', many_keys, timeouts).filter(ends_in_small_timeout),
        line(b'BRPOP', many_keys, timeouts).filter(ends_in_small_timeout),
        line(b'BLMOVE', keys, keys, ends, ends, timeouts),
        line(b'BRPOPLPUSH', keys, keys, timeouts),
        line(b'BLMPOP', timeouts, counted_keys, ends, lmpop_options),
    )
