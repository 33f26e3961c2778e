"""Transactions begun, spoilt, given up and run at any moment, with keys watched, and changed by the client itself."""

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.strategies.words import Argv, keys, line, many_keys, many_values, values

databases = st.sampled_from((b'0', b'0', b'0', b'1', b'2'))


def commands() -> SearchStrategy[Argv]:
    return st.one_of(
        line(b'MULTI'),
        line(b'MULTI'),
        line(b'EXEC'),
        line(b'EXEC'),
        line(b'DISCARD'),
        line(b'WATCH', many_keys),
        line(b'WATCH', many_keys),
        line(b'UNWATCH'),
        line(b'SET', keys, values),
        line(b'GET', keys),
        line(b'INCR', keys),
        line(b'RPUSH', keys, many_values),
        line(b'DEL', many_keys),
        line(b'PEXPIREAT', keys, st.sampled_from((b'1', b'32503680000000'))),
        line(b'SELECT', databases),
        line(b'SWAPDB', databases, databases),
        line(b'FLUSHDB'),
        line(b'NOSUCHCOMMAND', values),
    )
