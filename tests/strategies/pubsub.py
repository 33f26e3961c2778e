"""One client's subscriptions, a name at a time so that each command has one reply, and who listens to what.

What a client publishes to itself comes before the reply in 7.0, behind it in 7.2; so what is published here goes to
channels that nobody subscribes to.
"""

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.strategies.words import Argv, line, values

channels = st.sampled_from((b'a', b'b', b'ab', b''))
some_channels = st.lists(channels, max_size=3)
patterns = st.sampled_from((b'a', b'a*', b'?', b'[ab]', b'[^a]', b'\\a', b'a[', b'*b'))
deaf = st.sampled_from((b'xy', b'xyz', b'\xff\xff'))


def one_name(verbs: SearchStrategy[bytes], names: SearchStrategy[bytes]) -> SearchStrategy[Argv]:
    return st.tuples(verbs, names).map(list)


def commands() -> SearchStrategy[Argv]:
    return st.one_of(
        one_name(st.sampled_from((b'SUBSCRIBE', b'UNSUBSCRIBE', b'SSUBSCRIBE', b'SUNSUBSCRIBE')), channels),
        one_name(st.sampled_from((b'PSUBSCRIBE', b'PUNSUBSCRIBE')), patterns),
        line(b'PUBLISH', deaf, values),
        line(b'SPUBLISH', deaf, values),
        line(b'PUBSUB', b'NUMSUB', some_channels),
        line(b'PUBSUB', b'NUMPAT'),
        line(b'PUBSUB', b'SHARDNUMSUB', some_channels),
        line(b'PUBSUB', b'CHANNELS'),
        line(b'PUBSUB', b'CHANNELS', patterns),
        line(b'PUBSUB', b'SHARDCHANNELS', patterns),
        line(b'PUBSUB', b'WHAT', values),
        line(b'PING'),
        line(b'GET', channels),
        line(b'RESET'),
    )
