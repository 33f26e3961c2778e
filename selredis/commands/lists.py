"""Lists: pushing, popping, and reaching into them. The commands that wait are in lists_blocking."""

from collections.abc import Callable
from itertools import islice
from typing import NamedTuple, TypeVar

from selredis.engine.client import Client
from selredis.engine.command import Argv, command, key, numkeys
from selredis.engine.syntax import about
from selredis.errors import INDEX_OUT_OF_RANGE, MUST_BE_POSITIVE, NO_SUCH_KEY, OUT_OF_RANGE, SYNTAX, ReplyError
from selredis.keyspace.database import Database
from selredis.numeric import INT64_MAX, INT64_MIN, integer
from selredis.resp.reply import NULL_ARRAY, OK, Reply, Strings
from selredis.values.list import List

T = TypeVar('T')


class End(NamedTuple):
    """One end of a list: its operations, and the keyspace events of these, named like the commands."""

    push: Callable[[List, bytes], int]
    extend: Callable[[List, Argv], int]
    pop: Callable[[List], bytes]
    take: Callable[[List, int], list[bytes]]
    pushed: bytes
    popped: bytes


LEFT = End(List.push_left, List.extend_left, List.pop_left, List.take_left, b'lpush', b'lpop')
RIGHT = End(List.push_right, List.extend_right, List.pop_right, List.take_right, b'rpush', b'rpop')
ENDS = {b'LEFT': LEFT, b'RIGHT': RIGHT}


def end_named(word: bytes) -> End:
    """Read LEFT or RIGHT."""
    end = ENDS.get(word.upper())
    if end is None:
        raise ReplyError(SYNTAX)
    return end


def positive(text: bytes, error: bytes = MUST_BE_POSITIVE) -> int:
    """Read an integer that is 0 or more. Raises ReplyError(error) for anything else."""
    number = integer(text, error)
    if number < 0:
        raise ReplyError(error)
    return number


def span(start: int, stop: int, length: int) -> tuple[int, int]:
    """Where a range begins and ends in a list, end excluded; both its words may count from the end, where -1 is last.

    An empty range begins and ends at 0.
    """
    if start < 0:
        start = max(start + length, 0)
    stop = min(stop + length if stop < 0 else stop, length - 1) + 1
    return (start, stop) if start < stop else (0, 0)


# Pushing


@command(
    'LPUSH',
    arity=-3,
    flags='write denyoom fast',
    keys=(key('RW insert', 1),),
    since='1.0.0',
    group='list',
    history=(('2.4.0', 'Several elements may be given.'),),
)
def lpush(client: Client, argv: Argv) -> Reply:
    """LPUSH key element [element ...]

    Puts elements at the front of a list, one after another, and creates it if need be; returns its length.

    O(1) for each element
    """
    db = client.db
    key = argv[1]
    items = db.values.get(key)  # the plain case, 30 ns sooner
    if type(items) is not List or db.deadlines:
        items = db.get_or_create(key, List)
    if len(argv) == 3:
        length = items.push_left(argv[2])
        db.changed(key, b'lpush')
    else:
        length = items.extend_left(argv[2:])
        db.changed(key, b'lpush', len(argv) - 2)
    return length


@command(
    'RPUSH',
    arity=-3,
    flags='write denyoom fast',
    keys=(key('RW insert', 1),),
    since='1.0.0',
    group='list',
    history=(('2.4.0', 'Several elements may be given.'),),
)
def rpush(client: Client, argv: Argv) -> Reply:
    """RPUSH key element [element ...]

    Puts elements at the end of a list, one after another, and creates it if need be; returns its length.

    O(1) for each element
    """
    db = client.db
    key = argv[1]
    items = db.values.get(key)  # the plain case, 30 ns sooner
    if type(items) is not List or db.deadlines:
        items = db.get_or_create(key, List)
    if len(argv) == 3:
        length = items.push_right(argv[2])
        db.changed(key, b'rpush')
    else:
        length = items.extend_right(argv[2:])
        db.changed(key, b'rpush', len(argv) - 2)
    return length


@command(
    'LPUSHX',
    arity=-3,
    flags='write denyoom fast',
    keys=(key('RW insert', 1),),
    since='2.2.0',
    group='list',
    history=(('4.0.0', 'Several elements may be given.'),),
)
def lpushx(client: Client, argv: Argv) -> Reply:
    """LPUSHX key element [element ...]

    Puts elements at the front of a list that is there; returns its length, 0 if there is none.

    O(1) for each element
    """
    return push_if_there(client.db, argv, LEFT)


@command(
    'RPUSHX',
    arity=-3,
    flags='write denyoom fast',
    keys=(key('RW insert', 1),),
    since='2.2.0',
    group='list',
    history=(('4.0.0', 'Several elements may be given.'),),
)
def rpushx(client: Client, argv: Argv) -> Reply:
    """RPUSHX key element [element ...]

    Puts elements at the end of a list that is there; returns its length, 0 if there is none.

    O(1) for each element
    """
    return push_if_there(client.db, argv, RIGHT)


def push_if_there(db: Database, argv: Argv, end: End) -> int:
    _, key, *elements = argv
    items: List | None = db.get(key, List)
    if items is None:
        return 0
    length = end.extend(items, elements)
    db.changed(key, end.pushed, len(elements))
    return length


# Popping


@command(
    'LPOP',
    arity=-2,
    flags='write fast',
    keys=(key('RW access delete', 1),),
    since='1.0.0',
    group='list',
    history=(('6.2.0', 'A count may be given.'),),
    arguments={'count': about(since='6.2.0')},
)
def lpop(client: Client, argv: Argv) -> Reply:
    """LPOP key [count]

    Takes the first element of a list; with a count, an array of up to so many.

    O(N) in the elements taken
    """
    if len(argv) != 2:
        return pop_counted(client.db, argv, LEFT)
    db = client.db
    key = argv[1]
    items = db.values.get(key)  # the plain case, 30 ns sooner
    if type(items) is not List or db.deadlines:
        items = db.get(key, List)
        if items is None:
            return None
    element = items.pop_left()
    db.changed(key, b'lpop')
    if not items.places:
        db.remove_empty(key)
    return element


@command(
    'RPOP',
    arity=-2,
    flags='write fast',
    keys=(key('RW access delete', 1),),
    since='1.0.0',
    group='list',
    history=(('6.2.0', 'A count may be given.'),),
    arguments={'count': about(since='6.2.0')},
)
def rpop(client: Client, argv: Argv) -> Reply:
    """RPOP key [count]

    Takes the last element of a list; with a count, an array of up to so many, the last one first.

    O(N) in the elements taken
    """
    if len(argv) != 2:
        return pop_counted(client.db, argv, RIGHT)
    db = client.db
    key = argv[1]
    items = db.values.get(key)  # the plain case, 30 ns sooner
    if type(items) is not List or db.deadlines:
        items = db.get(key, List)
        if items is None:
            return None
    element = items.pop_right()
    db.changed(key, b'rpop')
    if not items.places:
        db.remove_empty(key)
    return element


def pop_counted(db: Database, argv: Argv, end: End) -> Reply:
    if len(argv) > 3:
        raise ReplyError(b"ERR wrong number of arguments for '%b' command" % end.popped)
    _, key, text = argv
    count = positive(text)
    items: List | None = db.get(key, List)
    if items is None:
        return NULL_ARRAY
    if count == 0:
        return []
    return take(db, key, items, end, count)


def pop(db: Database, key: bytes, items: List, end: End) -> bytes:
    """Take one element of the list at a key."""
    element = end.pop(items)
    db.lost(key, items, end.popped, 1)
    return element


def take(db: Database, key: bytes, items: List, end: End, count: int) -> list[bytes]:
    """Take so many elements, or all, of the list at a key."""
    elements = end.take(items, count)
    db.lost(key, items, end.popped, len(elements))
    return elements


@command(
    'LMPOP',
    arity=-4,
    flags='write',
    keys=(numkeys('RW access delete', 1),),
    since='7.0.0',
    group='list',
)
def lmpop(client: Client, argv: Argv) -> Reply:
    """LMPOP numkeys key [key ...] <LEFT | RIGHT> [COUNT count]

    Takes one element, or up to so many, of the first list that there is; returns its key and the elements.

    O(N+M) in the keys given and the elements taken
    """
    keys, end, count = read_mpop(argv[1:], end_named)
    return pop_of_first(client, keys, end, count) or NULL_ARRAY


def read_mpop(words: Argv, end_named: Callable[[bytes], T]) -> tuple[Argv, T, int]:
    """Read what LMPOP, ZMPOP and those that wait have in common: the keys, the end and the count."""
    numkeys = integer(words[0], b'ERR numkeys should be greater than 0')
    if numkeys <= 0:
        raise ReplyError(b'ERR numkeys should be greater than 0')
    if numkeys + 1 >= len(words):
        raise ReplyError(SYNTAX)
    keys = words[1 : numkeys + 1]
    end = end_named(words[numkeys + 1])
    options = words[numkeys + 2 :]
    if not options:
        return keys, end, 1
    if options[0].upper() != b'COUNT' or len(options) == 1:
        raise ReplyError(SYNTAX)
    count = integer(options[1], b'ERR count should be greater than 0')
    if count <= 0:
        raise ReplyError(b'ERR count should be greater than 0')
    if len(options) > 2:
        raise ReplyError(SYNTAX)
    return keys, end, count


def pop_of_first(client: Client, keys: Argv, end: End, count: int) -> list[Reply] | None:
    """Take up to count elements of the first list that there is; its key and the elements, None if there is none."""
    db = client.db
    for key in keys:
        items: List | None = db.get(key, List)
        if items is not None:
            elements = take(db, key, items, end, count)
            if client.propagates:
                client.propagate_as([end.popped.upper(), key, b'%d' % len(elements)])
            return [key, elements]
    return None


# From one list to another


@command(
    'LMOVE',
    arity=5,
    flags='write denyoom',
    keys=(key('RW access delete', 1), key('RW insert', 2)),
    since='6.2.0',
    group='list',
    arguments={'left-right': about('wherefrom', 'whereto')},
)
def lmove(client: Client, argv: Argv) -> Reply:
    """LMOVE source destination <LEFT | RIGHT> <LEFT | RIGHT>

    Takes an element from one end of a list and puts it at an end of another, or of the same; returns the element.

    O(1)
    """
    _, source, destination, from_end, to_end = argv
    return move(client.db, source, destination, end_named(from_end), end_named(to_end))


@command(
    'RPOPLPUSH',
    arity=3,
    flags='write denyoom',
    keys=(key('RW access delete', 1), key('RW insert', 2)),
    since='1.2.0',
    group='list',
    deprecated=('6.2.0', '`LMOVE` with the `RIGHT` and `LEFT` arguments'),
)
def rpoplpush(client: Client, argv: Argv) -> Reply:
    """RPOPLPUSH source destination

    Takes the last element of a list and puts it at the front of another, or of the same; returns the element.

    O(1)
    """
    _, source, destination = argv
    return move(client.db, source, destination, RIGHT, LEFT)


def move(db: Database, source: bytes, destination: bytes, from_end: End, to_end: End) -> bytes | None:
    """Move an element and return it; None if there is no source. Raises WRONGTYPE before anything has changed."""
    items: List | None = db.get(source, List)
    if items is None:
        return None
    target: List = db.get_or_create(destination, List)
    element = from_end.pop(items)
    to_end.push(target, element)
    # Redis tells of the push first, and counts the two as one change.
    db.changed(destination, to_end.pushed, 0)
    db.lost(source, items, from_end.popped, 1)
    return element


# Reading


@command('LLEN', arity=2, flags='readonly fast', keys=(key('RO', 1),), since='1.0.0', group='list')
def llen(client: Client, argv: Argv) -> Reply:
    """LLEN key

    Returns the length of a list.

    O(1)
    """
    items: List | None = client.db.read(argv[1], List)
    return 0 if items is None else len(items)


@command('LRANGE', arity=4, flags='readonly', keys=(key('RO access', 1),), since='1.0.0', group='list')
def lrange(client: Client, argv: Argv) -> Reply:
    """LRANGE key start stop

    Returns the elements from one index to another, both included.

    O(N) in the elements returned
    """
    _, key, first, last = argv
    start, stop = integer(first), integer(last)
    items: List | None = client.db.read(key, List)
    if items is None:
        return []
    return Strings(items.range(*span(start, stop, len(items))))


@command('LINDEX', arity=3, flags='readonly', keys=(key('RO access', 1),), since='1.0.0', group='list')
def lindex(client: Client, argv: Argv) -> Reply:
    """LINDEX key index

    Returns the element at an index; negative ones count from the end, where -1 is the last.

    O(1)
    """
    _, key, text = argv
    items: List | None = client.db.read(key, List)
    if items is None:
        return None
    index = place_in(items, integer(text))
    return None if index is None else items[index]


def place_in(items: List, index: int) -> int | None:
    """The index counted from the front, None if no element is there."""
    length = len(items)
    if index < 0:
        index += length
    return index if 0 <= index < length else None


@command('LPOS', arity=-3, flags='readonly', keys=(key('RO access', 1),), since='6.0.6', group='list')
def lpos(client: Client, argv: Argv) -> Reply:
    """LPOS key element [RANK rank] [COUNT num-matches] [MAXLEN len]

    Returns the index of an element that equals the one given, or with COUNT an array of indices. RANK begins with a
    later match, or from the end if it is negative; MAXLEN bounds how many elements are looked at.

    O(N) in the elements looked at
    """
    _, key, element, *options = argv
    rank, count, within = read_lpos_options(options)
    items: List | None = client.db.read(key, List)
    if items is None:
        return None if count is None else []
    found = items.find(element, backwards=rank < 0, within=within or None)
    # Counts as large as 64 bits tell are more than islice takes.
    skipped = min(abs(rank) - 1, len(items))
    wanted = 1 if count is None else min(count or len(items), len(items))
    indices = list(islice(found, skipped, skipped + wanted))
    if count is not None:
        return indices
    return indices[0] if indices else None


def read_lpos_options(words: list[bytes]) -> tuple[int, int | None, int]:
    """Read RANK, COUNT (None if it is not given; 0: all) and MAXLEN (0: no bound)."""
    rank, count, within = 1, None, 0
    rest = iter(words)
    for word in rest:
        option, text = word.upper(), next(rest, None)
        if text is None:
            raise ReplyError(SYNTAX)
        if option == b'RANK':
            rank = integer(text)
            if rank == INT64_MIN:
                raise ReplyError(b'%b, value must between %d and %d' % (OUT_OF_RANGE, -INT64_MAX, INT64_MAX))
            if rank == 0:
                raise ReplyError(
                    b"ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ..."
                    b' or use negative to start from the end of the list'
                )
        elif option == b'COUNT':
            count = positive(text, b"ERR COUNT can't be negative")
        elif option == b'MAXLEN':
            within = positive(text, b"ERR MAXLEN can't be negative")
        else:
            raise ReplyError(SYNTAX)
    return rank, count, within


# Changing within


@command('LSET', arity=4, flags='write denyoom', keys=(key('RW update', 1),), since='1.0.0', group='list')
def lset(client: Client, argv: Argv) -> Reply:
    """LSET key index element

    Replaces the element at an index.

    O(1)
    """
    _, key, text, element = argv
    items: List | None = client.db.get(key, List)
    if items is None:
        raise ReplyError(NO_SUCH_KEY)
    index = place_in(items, integer(text))
    if index is None:
        raise ReplyError(INDEX_OUT_OF_RANGE)
    items[index] = element
    client.db.changed(key, b'lset')
    return OK


@command('LINSERT', arity=5, flags='write denyoom', keys=(key('RW insert', 1),), since='2.2.0', group='list')
def linsert(client: Client, argv: Argv) -> Reply:
    """LINSERT key <BEFORE | AFTER> pivot element

    Puts an element before or behind the first one that equals the pivot; returns the length, -1 if there is no pivot.

    O(N)
    """
    _, key, where, pivot, element = argv
    offset = {b'BEFORE': 0, b'AFTER': 1}.get(where.upper())
    if offset is None:
        raise ReplyError(SYNTAX)
    items: List | None = client.db.get(key, List)
    if items is None:
        return 0
    index = next(items.find(pivot), None)
    if index is None:
        return -1
    items.insert(index + offset, element)
    client.db.changed(key, b'linsert')
    return len(items)


@command('LREM', arity=4, flags='write', keys=(key('RW delete', 1),), since='1.0.0', group='list')
def lrem(client: Client, argv: Argv) -> Reply:
    """LREM key count element

    Removes the elements that equal one: the first so many, if the count is negative the last, if it is 0 all; returns
    how many there were.

    O(N)
    """
    _, key, text, element = argv
    count = integer(text)
    items: List | None = client.db.get(key, List)
    if items is None:
        return 0
    lost = items.remove(element, count)
    if lost:
        client.db.lost(key, items, b'lrem', lost)
    return lost


@command('LTRIM', arity=4, flags='write', keys=(key('RW delete', 1),), since='1.0.0', group='list')
def ltrim(client: Client, argv: Argv) -> Reply:
    """LTRIM key start stop

    Keeps the elements from one index to another, both included, and removes all others.

    O(N) in the elements removed
    """
    _, key, first, last = argv
    start, stop = integer(first), integer(last)
    db = client.db
    items: List | None = db.get(key, List)
    if items is None:
        return OK
    length = len(items)
    start, stop = span(start, stop, length)
    if start < stop:
        items.trim(start, stop)
        db.changed(key, b'ltrim', length - len(items))
    else:
        # All at once, and freed bit by bit if it is large.
        db.changed(key, b'ltrim', length)
        db.discard(key)
        db.notify(key, b'del')
    return OK
