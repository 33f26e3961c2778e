"""HyperLogLogs: every command, on right values, on strings that are none, and on some that only look right."""

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.strategies.words import Argv, any_case, either, keys, line, many_keys, mostly, values

elements = st.one_of(values, st.integers(0, 100_000).map(lambda number: b'element:%d' % number), st.binary(max_size=20))
few = st.lists(elements, max_size=4)
# As many as give runs of every kind.
many = st.builds(
    lambda first, count: [b'%d' % number for number in range(first, first + count)],
    st.integers(0, 1000),
    st.integers(20, 300),
)
looking_right = st.builds(
    lambda head, runs: b'HYLL' + head + runs,
    st.sampled_from((b'\1' + bytes(11), b'\1' + bytes(10) + b'\x80', b'\0' + bytes(11), b'\2' + bytes(11))),
    st.one_of(st.binary(max_size=8), st.sampled_from((b'\x7f\xff', b'\x7f\xfe\x80', b'\x7f\xfe\x81', b'\x40'))),
)
subcommands = mostly(either(any_case(b'DECODE'), any_case(b'ENCODING'), b'TODENSE'), st.just(b'WHAT'))


def commands() -> SearchStrategy[Argv]:
    return st.one_of(
        line(b'PFADD', keys, few),
        line(b'PFADD', keys, few),
        line(b'PFADD', keys, many),
        line(b'PFCOUNT', keys),
        line(b'PFCOUNT', many_keys),
        line(b'PFMERGE', keys, st.lists(keys, max_size=3)),
        line(b'PFDEBUG', subcommands, keys),
        line(b'STRLEN', keys),
        line(b'GET', keys),
        line(b'SET', keys, looking_right),
    )
