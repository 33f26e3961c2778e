"""SCAN: a database's keys a few at a time. The order and the cursor are KeyIndex's."""

import re

from selredis.engine.client import Client
from selredis.engine.command import Argv, command
from selredis.engine.syntax import about
from selredis.errors import SYNTAX, ReplyError
from selredis.glob import compile_glob
from selredis.keyspace.database import Database
from selredis.numeric import integer
from selredis.resp.reply import Reply
from selredis.values.kinds import type_name

INVALID_CURSOR = b'ERR invalid cursor'
CURSOR = re.compile(rb'([+-]?)(\d+)')
ULONG_END = 1 << 64


@command(
    'SCAN',
    arity=-2,
    flags='readonly touches_arbitrary_keys',
    since='2.8.0',
    group='generic',
    tips=('nondeterministic_output', 'request_policy:special', 'response_policy:special'),
    history=(('6.0.0', 'TYPE is new.'),),
    arguments={'TYPE': about(since='6.0.0')},
)
def scan(client: Client, argv: Argv) -> Reply:
    """SCAN cursor [MATCH pattern] [COUNT count] [TYPE type]

    Returns some keys, and the cursor with which to ask for more: begin with 0, end when 0 comes back. A key that is
    there all the while is returned, whatever comes and goes meanwhile.

    O(1) for each call, O(N) for all N keys
    """
    _, cursor, *options = argv
    position = read_cursor(cursor)
    count, pattern, kind = read_options(options)
    db = client.db
    position, keys = db.index.scan(position, count)
    if pattern not in (None, b'*'):
        keys = list(filter(compile_glob(pattern), keys))
    if kind is not None:
        keys = of_kind(db, keys, kind)
    elif db.deadlines:
        keys = [key for key in keys if not db.expire_if_due(key)]
    return [b'%d' % position, keys]


def read_cursor(text: bytes) -> int:
    """Read a cursor as strtoul does: any sign, no digits at all for 0. Raises ReplyError."""
    text = text.partition(b'\0')[0]
    if not text:
        return 0
    match = CURSOR.fullmatch(text)
    if match is None:
        raise ReplyError(INVALID_CURSOR)
    sign, digits = match.groups()
    digits = digits.lstrip(b'0') or b'0'  # Python reads no number of thousands of digits
    if len(digits) > 20 or int(digits) >= ULONG_END:
        raise ReplyError(INVALID_CURSOR)
    return -int(digits) % ULONG_END if sign == b'-' else int(digits)


def read_options(words: Argv) -> tuple[int, bytes | None, bytes | None]:
    """How many keys are wanted, a pattern that they match, the name of their type. Raises ReplyError."""
    count = 10
    pattern = kind = None
    rest = iter(words)
    for word in rest:
        option = word.upper()
        argument = next(rest, None)
        if argument is None:
            raise ReplyError(SYNTAX)
        if option == b'COUNT':
            count = integer(argument)
            if count < 1:
                raise ReplyError(SYNTAX)
        elif option == b'MATCH':
            pattern = argument
        elif option == b'TYPE':
            kind = argument
        else:
            raise ReplyError(SYNTAX)
    return count, pattern, kind


def of_kind(db: Database, keys: list[bytes], name: bytes) -> list[bytes]:
    """Those of the keys that have values of a type, none if there is no such type. Up to 7.2 that is no error."""
    name = name.lower()
    values = ((key, db.inspect(key)) for key in keys)
    return [key for key, value in values if value is not None and type_name(value) == name]
