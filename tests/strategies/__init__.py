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
from tests.strategies.words import Argv, exactly, keys, line, many_values, mostly, values

# Keys of every type, so that each group also meets those that it cannot take. A set has one member: of several it would
# be nobody's to say which of them are a part, and SORT may be asked for one.
setting_up = mostly(
    st.one_of(
        line(b'SET', keys, values),
        line(b'SETBIT', keys, bitmaps.offsets, b'1'),
        line(b'PFADD', keys, hyperloglogs.few),
        line(b'RPUSH', keys, many_values),
        line(b'HSET', keys, hashes.field_values),
        exactly(b'SADD', keys, values),
        line(b'ZADD', keys, sorted_sets.pairs),
        line(b'GEOADD', keys, geo.points),
        line(b'XADD', keys, streams.later_ids, streams.entries),
        line(b'XGROUP', b'CREATE', keys, streams.groups, streams.ids, b'MKSTREAM'),
    ),
    line(b'DEL', keys),
    2,
)

GROUPS: dict[str, SearchStrategy[Argv]] = {
    'bitmaps': bitmaps.commands(),
    'connection': connection.commands(),
    'generic': mostly(generic.commands(), setting_up, 2),
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
    'streams': streams.in_transaction(),
}

# What would end a transaction too early for what must not wait.
ENDS = {b'EXEC', b'DISCARD', b'RESET'}

SORTING = {b'SORT', b'SORT_RO'}

# Commands whose replies have no order.
UNORDERED = {b'KEYS', b'SCAN', b'PUBSUB'}

# Keys of values that have an order in the reference, whichever command of `sets.UNORDERED` or SORT returns it.
ORDERED_KEYS = {*sets.INTEGER_KEYS, sorting.LIST}


def has_no_order(argv: Argv, after_sort: bool = False) -> bool:
    """Whether the order of a command's reply is undetermined. SORT converts a sorted set to a skiplist."""
    name = argv[0].upper()
    if name in sets.UNORDERED or name in SORTING:
        return len(argv) > 1 and argv[1] not in ORDERED_KEYS
    return name in UNORDERED or (name == b'ZSCAN' and after_sort)


def program(*groups: str) -> SearchStrategy[list[Argv]]:
    """Commands of these groups in any order, some of them in transactions."""
    alone = st.one_of(*(GROUPS[group] for group in groups))
    usual = mostly(alone, setting_up, 7)
    waiting = [WAITING[group] for group in groups if group in WAITING]
    lasting = usual.filter(lambda argv: argv[0].upper() not in ENDS)
    inside = mostly(lasting, st.one_of(*waiting), 3) if waiting else usual
    transaction = st.lists(inside, max_size=4).map(lambda commands: [[b'MULTI'], *commands, [b'EXEC']])
    unit = mostly(usual.map(lambda argv: [argv]), transaction, 12)
    # Left to itself hypothesis prefers short lists.
    units = st.integers(1, 40).flatmap(lambda count: st.lists(unit, min_size=count, max_size=count))
    return units.map(lambda units: [argv for unit in units for argv in unit])
