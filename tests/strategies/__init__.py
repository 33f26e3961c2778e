"""Random commands by group, for tests/test_differential.py. A group is a module with a function `commands`."""

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.strategies import (
    bitmaps,
    connection,
    generic,
    geo,
    hashes,
    hyperloglogs,
    lists,
    pubsub,
    server,
    sets,
    sorted_sets,
    sorting,
    streams,
    strings,
    transactions,
)
from tests.strategies.words import Argv, keys, line, many_values, mostly, values

GROUPS: dict[str, SearchStrategy[Argv]] = {
    'bitmaps': bitmaps.commands(),
    'connection': connection.commands(),
    'generic': generic.commands(),
    'geo': geo.commands(),
    'hashes': hashes.commands(),
    'hyperloglogs': hyperloglogs.commands(),
    'lists': lists.commands(),
    'pubsub': pubsub.commands(),
    'server': server.commands(),
    'sets': sets.commands(),
    'sorted_sets': sorted_sets.commands(),
    'sorting': sorting.commands(),
    'streams': streams.commands(),
    'strings': strings.commands(),
    'transactions': transactions.commands(),
}

# Groups that have the client refused most else for a while: a subscriber in RESP2 may do little.
APART = {'pubsub'}

# What would wait for somebody else's command, were it not inside a transaction.
WAITING: dict[str, SearchStrategy[Argv]] = {
    'lists': lists.in_transaction(),
    'sorted_sets': sorted_sets.in_transaction(),
}

# Commands whose replies have no order.
UNORDERED = {b'KEYS', b'SCAN', b'PUBSUB'} | hashes.UNORDERED | sets.UNORDERED | sorted_sets.UNORDERED

# Keys of every type, so that each group also meets those that it cannot take.
setting_up = st.one_of(line(b'SET', keys, values), line(b'RPUSH', keys, many_values), line(b'DEL', keys))


def program(*groups: str) -> SearchStrategy[list[Argv]]:
    """Commands of these groups in any order, some of them in transactions."""
    alone = st.one_of(*(GROUPS[group] for group in groups))
    usual = mostly(alone, setting_up, 5)
    waiting = [WAITING[group] for group in groups if group in WAITING]
    inside = mostly(usual, st.one_of(*waiting), 3) if waiting else usual
    transaction = st.lists(inside, max_size=4).map(lambda commands: [[b'MULTI'], *commands, [b'EXEC']])
    unit = mostly(usual.map(lambda argv: [argv]), transaction, 12)
    # Left to itself hypothesis prefers short lists.
    units = st.integers(1, 40).flatmap(lambda count: st.lists(unit, min_size=count, max_size=count))
    return units.map(lambda units: [argv for unit in units for argv in unit])
