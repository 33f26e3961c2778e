"""Streams: every command that does not wait. Ids are given, for no two servers make the same."""

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.strategies.words import Argv, digits, either, keys, line, mostly, numbers, option, some_of, values

few = st.integers(0, 5).map(digits)
good_ids = st.builds(lambda ms, seq: b'%d-%d' % (ms, seq), st.integers(0, 4), st.integers(0, 5))
GREATEST = b'18446744073709551615-18446744073709551615'
odd_ids = st.sampled_from(
    (b'', b'x', b'1-', b'-1', b'1--1', b'1-x', b' 1', b'01-02', b'+1', b'1-2-3', b'(', b'18446744073709551616', b'(x')
)
special_ids = st.sampled_from((b'-', b'+', b'$', b'>', b'0', b'0-0', b'1', b'2', GREATEST))
ids = mostly(mostly(good_ids, special_ids, 4), odd_ids, 14)
many_ids = st.lists(ids, min_size=1, max_size=3)
ends = mostly(st.one_of(good_ids, good_ids.map(lambda id_: b'(' + id_), st.sampled_from((b'-', b'+'))), ids)
new_ids = mostly(
    st.one_of(good_ids, st.integers(0, 9).map(digits), st.integers(0, 9).map(lambda ms: b'%d-*' % ms)), ids
)
later_ids = st.builds(lambda ms, seq: b'%d-%d' % (ms, seq), st.integers(1, 60), st.integers(0, 5))
counts = mostly(few, numbers(2**63 - 1, low=-1), 6)
fields = st.lists(st.tuples(values, values), min_size=1, max_size=2).map(
    lambda pairs: [word for pair in pairs for word in pair]
)
usual_fields = values.map(lambda value: [b'field', value])
entries = mostly(usual_fields, fields, 3)
groups = st.sampled_from((b'g', b'h'))
consumers = st.sampled_from((b'alice', b'bob'))
trimmed = st.one_of(
    st.tuples(st.just(b'MAXLEN'), either(b'~', b'='), counts).map(list),
    option(b'MAXLEN', counts),
    option(b'MINID', ids),
    st.tuples(st.just(b'MINID'), either(b'~', b'='), ids).map(list),
    option(b'LIMIT', counts),
)
# Who is given nothing joins a group since 7.2, too: what tells of consumers is left out.
idle_ms = mostly(st.sampled_from((b'0', b'-1', b'100000000000000')), st.just(b'x'), 14)
claim_options = (
    option(b'IDLE', counts),
    option(b'TIME', counts),
    option(b'RETRYCOUNT', counts),
    option(b'LASTID', ids),
    st.just([b'FORCE']),
    st.just([b'JUSTID']),
)


in_group = option(b'GROUP', groups, consumers)
setting_id = some_of(option(b'ENTRIESADDED', mostly(few, counts)), option(b'MAXDELETEDID', ids), most=2)
timeouts = mostly(st.sampled_from((b'0', b'1', b'100000')), st.sampled_from((b'-1', b'x', b'1.5', b'')))


def counted() -> SearchStrategy[list[bytes]]:
    return some_of(option(b'COUNT', counts), most=1)


def commands() -> SearchStrategy[Argv]:
    return st.one_of(
        line(b'XADD', keys, later_ids, entries),
        line(b'XADD', keys, new_ids, entries),
        line(b'XADD', keys, some_of(st.just([b'NOMKSTREAM']), trimmed, most=2), later_ids, entries),
        line(b'XTRIM', keys, some_of(trimmed, most=2)),
        line(b'XLEN', keys),
        line(b'XRANGE', keys, ends, ends, counted()),
        line(b'XREVRANGE', keys, ends, ends, counted()),
        line(b'XDEL', keys, many_ids),
        line(b'XREAD', counted(), b'STREAMS', keys, ids).filter(is_known_to_7_0),
        line(b'XREAD', counted(), b'STREAMS', keys, keys, ids, ids).filter(is_known_to_7_0),
        line(b'XINFO', b'STREAM', keys),
        line(b'XACK', keys, groups, many_ids),
        line(b'XPENDING', keys, groups),
        line(b'XPENDING', keys, groups, b'IDLE', b'100000000000000', ends, ends, counts),
        line(b'XGROUP', b'CREATE', keys, groups, ids, some_of(st.just([b'MKSTREAM']), option(b'ENTRIESREAD', counts))),
        line(b'XGROUP', b'SETID', keys, groups, ids, some_of(option(b'ENTRIESREAD', counts), most=1)),
        line(b'XGROUP', b'DESTROY', keys, groups),
        line(b'XGROUP', b'CREATECONSUMER', keys, groups, b'carol'),
        line(b'XGROUP', b'DELCONSUMER', keys, groups, consumers),
        line(b'XREADGROUP', b'GROUP', groups, consumers, counted(), b'STREAMS', keys, either(b'>', ids)).filter(
            is_known_to_7_0
        ),
        line(b'XCLAIM', keys, groups, consumers, idle_ms, many_ids, some_of(*claim_options)),
        line(
            b'XAUTOCLAIM', keys, groups, consumers, idle_ms, ends, some_of(option(b'COUNT', counts), option(b'JUSTID'))
        ),
        line(b'XSETID', keys, ids, setting_id),
        line(b'XINFO', b'GROUPS', keys),
        line(b'COPY', keys, keys, b'REPLACE'),
    )


def in_transaction() -> SearchStrategy[Argv]:
    blocking = some_of(option(b'BLOCK', timeouts), option(b'COUNT', counts), most=2)
    return st.one_of(
        line(b'XREAD', blocking, b'STREAMS', keys, ids),
        line(b'XREADGROUP', in_group, blocking, some_of(option(b'NOACK'), most=1), b'STREAMS', keys, either(b'>', ids)),
        line(b'XREADGROUP', in_group, blocking, b'STREAMS', keys, keys, either(b'>', ids), b'>'),
    ).filter(is_known_to_7_0)


def is_known_to_7_0(argv: Argv) -> bool:
    """The id + of XREAD is of 7.4; the words of the error about keys without ids are of 7.2."""
    upper = [word.upper() for word in argv]
    behind = argv[upper.index(b'STREAMS') + 1 :] if b'STREAMS' in upper else []
    return b'+' not in behind and len(behind) % 2 == 0
