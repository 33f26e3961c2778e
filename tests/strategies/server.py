"""The server's own commands: those whose reply is the same on both, and that change nothing for later programs."""

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.strategies import lists, strings
from tests.strategies.words import Argv, any_case, either, keys, line, many_keys, numbers

parameters = st.lists(
    st.sampled_from((b'maxclients', b'TIMEOUT', b'hz', b'proto-max-bulk-len', b'nope', b'h?', b'[a', b'repl-time*')),
    min_size=1,
    max_size=1,
)
# Pushes come beside a reply, and would be taken for one.
types = st.sampled_from(
    tuple(b'string integer double bignum null array set map attrib verbatim true false nope'.split())
)
# For a number of keys that is none 7.2 falls back on reading as much of it as is one.
calls = (
    st.one_of(strings.commands(), lists.commands())
    .filter(lambda argv: len(argv) > 1)
    .filter(lambda argv: argv[0].upper() != b'LMPOP')
)


def commands() -> SearchStrategy[Argv]:
    return st.one_of(
        line(b'DEBUG', b'DIGEST'),
        line(b'DEBUG', any_case(b'DIGEST-VALUE'), many_keys),
        line(b'DEBUG', b'POPULATE', numbers(low=-1, high=3)),
        line(b'DEBUG', b'POPULATE', numbers(low=-1, high=3), keys),
        line(b'DEBUG', b'PROTOCOL', types),
        line(b'CONFIG', b'GET', parameters),
        line(b'WAIT', numbers(low=-2, high=0), numbers(low=-1)),
        st.one_of(*(line(name) for name in (b'ROLE', b'READONLY', b'READWRITE', b'ASKING'))),
        line(b'CLUSTER', either(b'INFO', b'slots', b'MYID', b'KEYSLOT', b'NOPE', b'HELP'), st.lists(keys, max_size=1)),
        line(b'MODULE', any_case(b'LIST')),
        st.just([b'INFO', b'cluster']),
        calls.map(lambda argv: [b'COMMAND', b'GETKEYS', *argv]),
        calls.map(lambda argv: [b'COMMAND', b'GETKEYSANDFLAGS', *argv]),
    )
