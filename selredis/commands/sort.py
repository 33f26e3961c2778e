"""SORT: the elements of a key in order, by what they are or by what other keys say of them."""

import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from selredis.commands.hashes import value_of
from selredis.engine.client import Client
from selredis.engine.command import Argv, command, key, unknown
from selredis.engine.syntax import about
from selredis.errors import SYNTAX, WRONG_TYPE, ReplyError
from selredis.keyspace.database import Database
from selredis.numeric import floating, integer
from selredis.resp.reply import Reply
from selredis.values.hash import Hash
from selredis.values.kinds import STRING_KINDS, text_of
from selredis.values.list import List
from selredis.values.set import Set
from selredis.values.sorted_set import SortedSet

NO_DOUBLE = b"ERR One or more scores can't be converted into double"
C_BLANKS = b' \t\n\v\f\r'
LEAST_NORMAL = sys.float_info.min

PATTERN_NOTE = 'For BY and GET: which keys these are depends on the elements that are sorted.'
STORE_NOTE = 'For STORE, which may stand anywhere behind the key.'
ARGUMENTS_RO = {
    'BY': about('by-pattern', key_spec=1),
    'GET': about('get-pattern', key_spec=1),
    'ALPHA': about('sorting'),
}
ARGUMENTS = {**ARGUMENTS_RO, 'STORE': about(key_spec=2)}


class Options(NamedTuple):
    """What SORT was asked for. `offset` and `limit` select from the result; a negative limit is all."""

    by: bytes | None
    gets: list[bytes]
    offset: int
    limit: int
    descending: bool
    alpha: bool
    destination: bytes | None

    @property
    def keeps_order(self) -> bool:
        """Whether the elements stay in the order that they have: BY something that is the same for all."""
        return self.by is not None and b'*' not in to_nul(self.by)


@command(
    'SORT',
    arity=-2,
    flags='write denyoom',
    keys=(
        key('RO access', 1),
        unknown('RO access', note=PATTERN_NOTE),
        unknown('OW update', note=STORE_NOTE),
    ),
    since='1.0.0',
    group='generic',
    categories='-keyspace set sortedset list dangerous',
    arguments=ARGUMENTS,
)
def sort(client: Client, argv: Argv) -> Reply:
    """SORT key [BY pattern] [LIMIT offset count] [GET pattern [GET pattern ...]] [ASC | DESC] [ALPHA]
    [STORE destination]

    Returns the elements of a list, set or sorted set in order, by their own value or by that of the keys a pattern
    makes of them; or keys made of them instead; or stores them as a list and returns its length.

    O(N+M*log(M)) in the elements there are and those returned; O(N) if they are not sorted
    """
    options = read_options(argv, may_store=True)
    rows = sorted_rows(client.db, argv[1], options)
    if options.destination is None:
        return rows
    return store(client.db, options.destination, rows)


@command(
    'SORT_RO',
    arity=-2,
    flags='readonly',
    keys=(key('RO access', 1), unknown('RO access', note=PATTERN_NOTE)),
    since='7.0.0',
    group='generic',
    categories='-keyspace set sortedset list dangerous',
    arguments=ARGUMENTS_RO,
)
def sort_ro(client: Client, argv: Argv) -> Reply:
    """SORT_RO key [BY pattern] [LIMIT offset count] [GET pattern [GET pattern ...]] [ASC | DESC] [ALPHA]

    Returns what SORT returns, and stores nothing.

    O(N+M*log(M)) in the elements there are and those returned; O(N) if they are not sorted
    """
    return sorted_rows(client.db, argv[1], read_options(argv, may_store=False))


def read_options(argv: Argv, *, may_store: bool) -> Options:
    """Of an option that is given twice the last one counts. Raises ReplyError at the first that is wrong."""
    by = destination = None
    offset, limit = 0, -1
    descending = alpha = False
    gets: list[bytes] = []
    words = iter(argv[2:])
    left = len(argv) - 2  # words after the present one
    for word in words:
        left -= 1
        option = word.upper()
        if option in (b'ASC', b'DESC'):
            descending = option == b'DESC'
        elif option == b'ALPHA':
            alpha = True
        elif option == b'LIMIT' and left >= 2:
            offset, limit = integer(next(words)), integer(next(words))
            left -= 2
        elif left and (option in (b'BY', b'GET') or (option == b'STORE' and may_store)):
            argument = next(words)
            left -= 1
            if option == b'GET':
                gets.append(argument)
            elif option == b'STORE':
                destination = argument
            elif by is None or b'*' in to_nul(by):  # a constant pattern cannot be taken back
                by = argument
        else:
            raise ReplyError(SYNTAX)
    return Options(by, gets, max(offset, 0), limit, descending, alpha, destination)


def sorted_rows(db: Database, key: bytes, options: Options) -> list[bytes | None]:
    """The elements in order, or for each of them what GET asks for; None for what is not there."""
    value = db.read_any(key)
    elements = elements_of(value)
    if type(value) is Set and options.destination is not None and options.keeps_order:
        options = options._replace(by=None, alpha=True)  # so that it is stored the same everywhere
    if options.by is None:
        elements = in_order(elements, elements, options)
    elif not options.keeps_order:
        elements = in_order(elements, list(map(reader(db, options.by), elements)), options)
    elif options.descending and type(value) is not Set:
        elements = elements[::-1]
    elements = elements[options.offset :]
    if options.limit >= 0:
        elements = elements[: options.limit]
    if not options.gets:
        return [*elements]
    readers = [reader(db, pattern) for pattern in options.gets]
    return [read(element) for element in elements for read in readers]


def store(db: Database, destination: bytes, rows: Iterable[bytes | None]) -> int:
    items = List(row or b'' for row in rows)
    if not items:
        db.remove(destination, b'del')
        return 0
    if destination in db:
        db.clear_deadline(destination)
    db.put(destination, items)
    db.changed(destination, b'sortstore', len(items))
    return len(items)


# What is sorted

ELEMENTS: dict[type, Callable[[Any], list[bytes]]] = {
    List: list,
    Set: list,
    SortedSet: list,
}


def elements_of(value: Any) -> list[bytes]:
    """The elements of what can be sorted, in its own order; none of None. Raises WRONGTYPE."""
    if value is None:
        return []
    elements = ELEMENTS.get(type(value))
    if elements is None:
        raise ReplyError(WRONG_TYPE)
    return elements(value)


def reader(db: Database, pattern: bytes) -> Callable[[bytes], bytes | None]:
    """What finds the value that a pattern of BY or GET means for an element; None if there is none, or no string.

    It is the element itself for '#', and nothing for a pattern without a star. The star is looked for before any NUL,
    as is the arrow behind it that makes it a field of a hash.
    """
    readable = to_nul(pattern)
    if readable == b'#':
        return lambda element: element
    before, star, after = readable.partition(b'*')
    if not star:
        return lambda _: None
    part, arrow, field = after.partition(b'->')
    behind = pattern[len(before) + 1 :]  # with all that a NUL hides
    if arrow and field:
        return lambda element: field_of(db, before + element + part, behind[len(part) + 2 :])

    def string(element: bytes) -> bytes | None:
        value = db.read_any(before + element + behind)
        if type(value) is bytes:
            return value
        return bytes(text_of(value)) if type(value) in STRING_KINDS else None

    return string


def field_of(db: Database, key: bytes, field: bytes) -> bytes | None:
    """The value of a field, None if there is none, or no hash."""
    fields = db.read_any(key)
    return value_of(db, key, fields, field) if type(fields) is Hash else None


# The order


def in_order(elements: list[bytes], weights: Sequence[bytes | None], options: Options) -> list[bytes]:
    """The elements by weight. Numbers that are the same leave it to the elements; texts, to the order there was.

    No weight is the number 0, or a text before all others. Raises ReplyError for weights that are no numbers.
    """
    places = list(range(len(elements)))
    if not options.alpha:
        numbers = [number(weight) if weight else 0.0 for weight in weights]
        # One after the other, for sorting keeps the order of what is equal: pairs take three times as long.
        places.sort(key=elements.__getitem__, reverse=options.descending)
        places.sort(key=numbers.__getitem__, reverse=options.descending)
        return [elements[place] for place in places]
    # Where the result is only shown, the order is strcoll's, to which a text ends at its first NUL.
    stored = options.destination is not None
    texts = [(weight if stored else to_nul(weight)) if weight else b'' for weight in weights]
    places.sort(key=texts.__getitem__, reverse=options.descending)
    places.sort(key=lambda place: weights[place] is not None, reverse=options.descending)
    return [elements[place] for place in places]


def number(text: bytes) -> float:
    """A weight as C's strtod reads it, blanks before it included. Raises ReplyError if any of it is left over.

    To strtod a number too small to be told in full is out of range; decimals cannot tell one of those in full.
    """
    readable = to_nul(text)
    if not readable:
        return 0.0
    value = floating(readable.lstrip(C_BLANKS), NO_DOUBLE)
    if 0 < abs(value) < LEAST_NORMAL and b'x' not in readable.lower():
        raise ReplyError(NO_DOUBLE)
    return value


def to_nul(text: bytes) -> bytes:
    """What C sees of a text."""
    return text.partition(b'\0')[0]
