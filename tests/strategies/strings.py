"""Strings: every command, with right and wrong arguments."""

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.strategies.words import (
    Argv,
    any_integer,
    deadlines,
    floats,
    keys,
    line,
    many_keys,
    milliseconds,
    numbers,
    option,
    seconds,
    some_of,
    values,
)

# Beyond any string at once, or near: never an offset that would make one of hundreds of megabytes.
offsets = numbers(100, 2**29, 2**63 - 1, low=-1, high=12)
pairs = st.lists(st.tuples(keys, values), min_size=1, max_size=3).map(
    lambda chosen: [w for pair in chosen for w in pair]
)

set_options = some_of(option(b'NX'), option(b'XX'), option(b'GET'), option(b'KEEPTTL'), *deadlines, option(b'EX'))
getex_options = some_of(*deadlines, option(b'PERSIST'), option(b'KEEPTTL'), most=2)
lcs_options = some_of(
    option(b'LEN'),
    option(b'IDX'),
    option(b'MINMATCHLEN', numbers(low=-1, high=3)),
    option(b'WITHMATCHLEN'),
    option(b'WHAT'),
)


def commands() -> SearchStrategy[Argv]:
    return st.one_of(
        line(b'SET', keys, values),
        line(b'SET', keys, values, set_options),
        line(b'GET', keys),
        line(b'GETEX', keys, getex_options),
        line(b'GETDEL', keys),
        line(b'GETSET', keys, values),
        line(b'SETNX', keys, values),
        line(b'SETEX', keys, seconds, values),
        line(b'PSETEX', keys, milliseconds, values),
        line(b'MGET', many_keys),
        line(b'MSET', pairs),
        line(b'MSETNX', pairs),
        line(b'APPEND', keys, values),
        line(b'STRLEN', keys),
        line(b'GETRANGE', keys, any_integer, any_integer),
        line(b'SUBSTR', keys, any_integer, any_integer),
        line(b'SETRANGE', keys, offsets, values),
        line(b'INCR', keys),
        line(b'DECR', keys),
        line(b'INCRBY', keys, any_integer),
        line(b'DECRBY', keys, any_integer),
        line(b'INCRBYFLOAT', keys, floats),
        line(b'LCS', keys, keys, lcs_options),
    )
