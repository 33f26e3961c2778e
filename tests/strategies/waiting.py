"""Several clients at once, of which some wait: what each of them says in turn.

Since 7.2 a command that waits is run anew when one of its keys is there, and may take from another of its keys;
before, it took from the key that was there. So that the reference may judge, who waits for several keys waits for
shelves, into which nothing is ever moved, and no transaction pushes, and each of which holds values of one type.
Nor is an entry deleted: until 7.2 a reader was woken by the id that a stream remembers, and found nothing.
"""

from collections.abc import Callable
from typing import NamedTuple

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.strategies.words import Argv, Part, digits, either, mostly

CLIENTS = 4

belt = st.sampled_from((b'a', b'a', b'b', b'text'))
shelf = st.sampled_from((b'c', b'd'))  # of lists, or of streams
rack = st.sampled_from((b'e', b'f'))  # of sorted sets
on_shelf = st.one_of(belt, shelf)
on_rack = st.one_of(belt, rack)
elements = st.lists(st.integers(0, 99).map(digits), min_size=1, max_size=4)
scored = st.lists(st.integers(0, 9), min_size=1, max_size=3).map(
    lambda drawn: [word for number in drawn for word in (digits(number), b'm%d' % number)]
)
ends = either(b'LEFT', b'RIGHT')
sides = either(b'MIN', b'MAX')
counts = st.integers(1, 4).map(digits)
for_ever = b'0'
# Most often the next one.
ids = st.sampled_from((b'5-*', b'5-*', b'5-*', b'5-*', b'6-*', b'6-2'))
seen_ids = st.sampled_from((b'$', b'$', b'0', b'5-1', b'6-0'))
groups = either(b'g', b'g', b'g', b'h')
reader = st.tuples(st.just(b'GROUP'), groups, either(b'alice', b'bob')).map(list)
count = st.one_of(st.just(list[bytes]()), counts.map(lambda number: [b'COUNT', number]))
noack = st.sampled_from(([], [], [b'NOACK']))
two_shelves = st.sampled_from(([b'c', b'd'], [b'd', b'c']))


class Turn(NamedTuple):
    """What a client says in one go; nothing: it leaves, and another comes in its place."""

    client: int
    commands: list[Argv]


def line(*parts: Part) -> SearchStrategy[Argv]:
    """A command without a flaw: a word more or less would be a timeout, or a key to wait for."""
    drawn = st.tuples(*(st.just(part) if isinstance(part, bytes) else part for part in parts))
    return drawn.map(lambda parts: [word for part in parts for word in (part if isinstance(part, list) else [part])])


def waits_to_pop() -> SearchStrategy[Argv]:
    return st.one_of(
        line(either(b'BLPOP', b'BRPOP'), on_shelf, for_ever),
        line(either(b'BLPOP', b'BRPOP'), shelf, shelf, for_ever),
        line(b'BLMOVE', on_shelf, belt, ends, ends, for_ever),
        line(b'BRPOPLPUSH', belt, belt, for_ever),
        line(b'BLMPOP', for_ever, b'1', on_shelf, ends, b'COUNT', counts),
        line(b'BLMPOP', for_ever, b'2', b'd', b'c', ends, b'COUNT', counts),
        line(either(b'BZPOPMIN', b'BZPOPMAX'), on_rack, for_ever),
        line(either(b'BZPOPMIN', b'BZPOPMAX'), rack, rack, for_ever),
        line(b'BZMPOP', for_ever, b'1', on_rack, sides, b'COUNT', counts),
        line(b'BZMPOP', for_ever, b'2', b'f', b'e', sides, b'COUNT', counts),
    )


def pushes(everywhere: bool) -> SearchStrategy[Argv]:
    of_lists = on_shelf if everywhere else belt
    of_sorted_sets = on_rack if everywhere else belt
    return st.one_of(
        line(b'RPUSH', of_lists, elements),
        line(b'LPUSH', of_lists, elements),
        line(b'RPUSH', of_lists, elements),
        line(b'LMOVE', of_lists, belt, ends, ends),
        line(b'ZADD', of_sorted_sets, scored),
        line(b'ZADD', of_sorted_sets, scored),
        line(b'ZUNIONSTORE', belt, b'1', of_sorted_sets),
        line(b'LPOP', of_lists),
        line(b'DEL', of_sorted_sets),
        line(b'LRANGE', of_lists, b'0', b'-1'),
        changes(of_lists),
    )


def waits_to_read() -> SearchStrategy[Argv]:
    return st.one_of(
        line(b'XREAD', count, b'BLOCK', for_ever, b'STREAMS', on_shelf, seen_ids),
        line(b'XREAD', count, b'BLOCK', for_ever, b'STREAMS', two_shelves, seen_ids, seen_ids),
        line(b'XREADGROUP', reader, count, b'BLOCK', for_ever, noack, b'STREAMS', on_shelf, b'>'),
        line(b'XREADGROUP', reader, b'BLOCK', for_ever, count, noack, b'STREAMS', on_shelf, b'>'),
        line(b'XREADGROUP', reader, count, b'BLOCK', for_ever, noack, b'STREAMS', two_shelves, b'>', b'>'),
        line(b'XREADGROUP', reader, count, b'BLOCK', for_ever, b'STREAMS', on_shelf, either(b'0', b'5-1')),
        line(either(b'BLPOP', b'BZPOPMAX'), on_shelf, for_ever),
    )


def additions(everywhere: bool) -> SearchStrategy[Argv]:
    key = on_shelf if everywhere else belt
    return st.one_of(
        line(b'XADD', key, ids, b'field', counts),
        line(b'XADD', key, ids, b'field', counts),
        line(b'XADD', key, b'MAXLEN', counts, ids, b'field', counts),
        line(b'XGROUP', b'CREATE', key, groups, either(b'0', b'$'), b'MKSTREAM'),
        line(b'XGROUP', b'CREATE', key, groups, either(b'0', b'$'), b'MKSTREAM'),
        line(b'XGROUP', b'DESTROY', key, groups),
        line(b'XGROUP', b'SETID', key, groups, either(b'0', b'$', b'5-2')),
        line(b'XPENDING', key, groups),
        line(b'XACK', key, groups, either(b'5-0', b'5-1', b'6-0')),
        line(b'RPUSH', belt, elements),
        line(b'ZADD', belt, scored),
        line(b'SET', belt, b'x'),
        changes(key),
    )


def changes(key: SearchStrategy[bytes]) -> SearchStrategy[Argv]:
    """Of keys that hold anything."""
    return st.one_of(
        line(b'RENAME', belt, belt),
        line(b'COPY', belt, belt, b'REPLACE'),
        line(b'DEL', key),
        line(b'SET', b'text', b'x'),
    )


def turns(waits: SearchStrategy[Argv], changes: Callable[[bool], SearchStrategy[Argv]]) -> SearchStrategy[list[Turn]]:
    """Turns of which about half are those of a client that never waits, or soon nobody would say anything.

    `changes` is given whether keys of shelves may be among those that are changed.
    """
    transaction = st.lists(st.one_of(changes(False), changes(False), waits), min_size=1, max_size=4).map(
        lambda commands: [[b'MULTI'], *commands, [b'EXEC']]
    )
    change, wait = (drawn.map(lambda argv: [argv]) for drawn in (changes(True), waits))
    work = mostly(change, st.one_of(st.lists(changes(True), min_size=2, max_size=3), transaction), 3)
    said = mostly(wait, mostly(st.lists(st.one_of(waits, changes(True)), max_size=3), transaction, 3), 3)
    turn = st.one_of(
        st.builds(Turn, st.just(0), work),
        st.builds(Turn, st.integers(1, CLIENTS - 1), said),
    )
    return st.integers(2, 30).flatmap(lambda count: st.lists(turn, min_size=count, max_size=count))


with_groups = Turn(0, [[b'XGROUP', b'CREATE', key, b'g', b'$', b'MKSTREAM'] for key in (b'a', b'c', b'd')])

TURNS = {
    'to pop': turns(waits_to_pop(), pushes),
    'to read': turns(waits_to_read(), additions).map(lambda script: [with_groups, *script]),
}
