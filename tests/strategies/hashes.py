"""Hashes: every command that the reference has. What it draws at random is asked for only where there is no choice."""

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.strategies.words import Argv, any_integer, either, floats, keys, line, mostly, option, some_of, values

fields = mostly(st.sampled_from((b'f', b'g', b'h', b'n', b'')), values, 6)
many_fields = st.lists(fields, min_size=1, max_size=4)
# Numbers most often, so that there is something to count up.
texts = mostly(values, st.sampled_from((b'1', b'-5', b'9223372036854775807', b'1.5')), 2)
field_values = st.lists(st.tuples(fields, texts).map(list), min_size=1, max_size=4).map(
    lambda pairs: [word for pair in pairs for word in pair]
)
cursors = mostly(st.sampled_from((b'0', b'0', b'7', b'18446744073709551615')), any_integer, 5)
scan_options = some_of(option(b'MATCH', either(b'*', b'[f-h]', b'?', b'')), option(b'COUNT', any_integer), most=2)
# As many as a hash of these can have, so that all are returned; none; or what is refused.
counts = mostly(either(b'100', b'0', b'1000'), either(b'x', b'1.5', b'-9223372036854775808'), 4)
withvalues = mostly(st.sampled_from(([], [b'WITHVALUES'], [b'withvalues'])), st.just([b'WHAT']), 8)


def has_count(argv: Argv) -> bool:
    """One word too few is the count, without which any field may come."""
    return len(argv) != 2


def commands() -> SearchStrategy[Argv]:
    return st.one_of(
        line(b'HSET', keys, fields, texts),
        line(b'HSET', keys, field_values),
        line(b'HSET', keys, field_values),
        line(b'HMSET', keys, field_values),
        line(b'HSETNX', keys, fields, texts),
        line(b'HGET', keys, fields),
        line(b'HMGET', keys, many_fields),
        line(b'HGETALL', keys),
        line(b'HKEYS', keys),
        line(b'HVALS', keys),
        line(b'HLEN', keys),
        line(b'HSTRLEN', keys, fields),
        line(b'HEXISTS', keys, fields),
        line(b'HDEL', keys, many_fields),
        line(b'HINCRBY', keys, fields, any_integer),
        line(b'HINCRBYFLOAT', keys, fields, floats),
        line(b'HSCAN', keys, cursors, scan_options),
        line(b'HRANDFIELD', keys, counts, withvalues).filter(has_count),
    )
