"""Several clients at once, of which some wait: what each of them says in turn.

Since 7.2 a command that waits is run anew when one of its keys is there, and may take from another of its keys;
before, it took from the key that was there. So that the reference may judge, who waits for several keys waits for
those of SHELVES, into which nothing is ever moved, and no transaction pushes.
"""

from typing import NamedTuple

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.strategies.words import Argv, Part, digits, either

CLIENTS = 4

belt = st.sampled_from((b'a', b'b', b'text'))
shelf = st.sampled_from((b'c', b'd'))
any_key = st.one_of(belt, shelf)
elements = st.lists(st.integers(0, 99).map(digits), min_size=1, max_size=4)
scored = st.lists(st.integers(0, 9), min_size=1, max_size=3).map(
    lambda drawn: [word for number in drawn for word in (digits(number), b'm%d' % number)]
)
ends = either(b'LEFT', b'RIGHT')
sides = either(b'MIN', b'MAX')
counts = st.integers(1, 4).map(digits)
for_ever = b'0'


class Turn(NamedTuple):
    """What a client says in one go; nothing: it leaves, and another comes in its place."""

    client: int
    commands: list[Argv]


def line(*parts: Part) -> SearchStrategy[Argv]:
    """A command without a flaw: a word more or less would be a timeout, or a key to wait for."""
    drawn = st.tuples(*(st.just(part) if isinstance(part, bytes) else part for part in parts))
    return drawn.map(lambda parts: [word for part in parts for word in (part if isinstance(part, list) else [part])])


def waits() -> SearchStrategy[Argv]:
    return st.one_of(
        line(either(b'BLPOP', b'BRPOP'), any_key, for_ever),
        line(either(b'BLPOP', b'BRPOP'), shelf, shelf, for_ever),
        line(b'BLMOVE', any_key, belt, ends, ends, for_ever),
        line(b'BRPOPLPUSH', belt, belt, for_ever),
        line(b'BLMPOP', for_ever, b'1', any_key, ends, b'COUNT', counts),
        line(b'BLMPOP', for_ever, b'2', b'd', b'c', ends, b'COUNT', counts),
        line(either(b'BZPOPMIN', b'BZPOPMAX'), any_key, for_ever),
        line(either(b'BZPOPMIN', b'BZPOPMAX'), shelf, shelf, for_ever),
        line(b'BZMPOP', for_ever, b'1', any_key, sides, b'COUNT', counts),
    )


def changes(key: SearchStrategy[bytes]) -> SearchStrategy[Argv]:
    return st.one_of(
        line(b'RPUSH', key, elements),
        line(b'LPUSH', key, elements),
        line(b'RPUSH', key, elements),
        line(b'LMOVE', key, belt, ends, ends),
        line(b'ZADD', key, scored),
        line(b'ZADD', key, scored),
        line(b'ZUNIONSTORE', belt, b'1', key),
        line(b'RENAME', belt, belt),
        line(b'COPY', belt, belt, b'REPLACE'),
        line(b'LPOP', key),
        line(b'DEL', key),
        line(b'SET', b'text', b'x'),
        line(b'LRANGE', key, b'0', b'-1'),
    )


def turns() -> SearchStrategy[list[Turn]]:
    transaction = st.lists(st.one_of(changes(belt), changes(belt), waits()), min_size=1, max_size=4).map(
        lambda commands: [[b'MULTI'], *commands, [b'EXEC']]
    )
    said = st.one_of(
        waits().map(lambda argv: [argv]),
        waits().map(lambda argv: [argv]),
        changes(any_key).map(lambda argv: [argv]),
        changes(any_key).map(lambda argv: [argv]),
        st.lists(st.one_of(waits(), changes(any_key)), min_size=2, max_size=3),
        transaction,
        st.just(list[Argv]()),
    )
    turn = st.builds(Turn, st.integers(0, CLIENTS - 1), said)
    return st.integers(2, 30).flatmap(lambda count: st.lists(turn, min_size=count, max_size=count))
