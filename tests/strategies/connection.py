"""The connection's own commands. It stays open, and is answered: QUIT and CLIENT REPLY are for transcripts."""

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.strategies.words import Argv, any_integer, either, line, mostly, numbers, values

names = mostly(st.sampled_from((b'me', b'other', b'', b'!~')), values, 3)
users = st.sampled_from((b'default', b'default', b'nobody', b'Default', b''))
switches = st.sampled_from((b'ON', b'off', b'On', b'maybe', b''))
types = st.sampled_from((b'normal', b'NORMAL', b'pubsub', b'replica', b'slave', b'master', b'other', b''))
databases = mostly(numbers(15, 16, 2**31 - 1, 2**31, -(2**31), -(2**31) - 1, low=-1, high=1), any_integer)
nobody = st.sampled_from((b'999999999', b'9223372036854775807'))
reasons = st.sampled_from((b'TIMEOUT', b'error', b'why'))
# Of clients that there are not: what is said of the others, their number and addresses, is each server's own.
filters = st.one_of(
    st.tuples(st.just(b'ID'), mostly(nobody, numbers(low=-1, high=0), 5)),
    st.tuples(st.just(b'type'), st.sampled_from((b'master', b'replica', b'other'))),
    st.tuples(st.just(b'USER'), users),
    st.tuples(either(b'ADDR', b'laddr'), st.just(b'1.2.3.4:5')),
    st.tuples(st.just(b'SKIPME'), st.sampled_from((b'yes', b'maybe'))),
    st.tuples(st.just(b'WHAT')),
).map(list)


def commands() -> SearchStrategy[Argv]:
    return st.one_of(
        line(b'PING'),
        line(b'PING', values),
        line(b'ECHO', values),
        line(b'SELECT', databases),
        line(b'SELECT', databases),
        line(b'AUTH', values),
        line(b'AUTH', users, values),
        line(b'RESET'),
        line(b'CLIENT', b'GETNAME'),
        line(b'CLIENT', b'SETNAME', names),
        line(b'CLIENT', b'NO-EVICT', switches),
        line(b'CLIENT', b'LIST', b'ID', nobody),
        line(b'CLIENT', b'LIST', b'TYPE', st.sampled_from((b'master', b'replica', b'slave', b'other'))),
        line(b'CLIENT', b'KILL', b'ID', nobody, filters),
        line(b'CLIENT', b'KILL', st.just(b'1.2.3.4:5')),
        line(b'CLIENT', b'UNBLOCK', nobody),
        line(b'CLIENT', b'UNBLOCK', mostly(nobody, any_integer), reasons),
        line(b'CLIENT', either(b'WHAT', b'REPLY', b'GETNAME'), values),
    )
