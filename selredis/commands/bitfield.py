"""BITFIELD: numbers of any width anywhere in a string."""

from typing import NamedTuple

from selredis.commands.bitmaps import bit_offset, reaching
from selredis.engine.client import Client
from selredis.engine.command import Argv, command, key
from selredis.engine.syntax import about
from selredis.errors import SYNTAX, ReplyError
from selredis.numeric import integer
from selredis.resp.reply import Reply
from selredis.values.bits import limits, read_field, wrapped, write_field

BAD_TYPE = b'ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.'
BAD_OVERFLOW = b'ERR Invalid OVERFLOW type specified'
ONLY_GET = b'ERR BITFIELD_RO only supports the GET subcommand'

WORDS_OF = {b'GET': 3, b'SET': 4, b'INCRBY': 4, b'OVERFLOW': 2}
OVERFLOWS = frozenset((b'WRAP', b'SAT', b'FAIL'))
MOST_BITS = {b'i': 64, b'u': 63}


class Operation(NamedTuple):
    """What to do with the number in so many bits, the highest at `first`."""

    name: bytes  # GET, SET or INCRBY
    first: int
    width: int
    signed: bool
    operand: int
    overflow: bytes  # WRAP, SAT or FAIL


def read_operations(client: Client, words: list[bytes]) -> list[Operation]:
    """Raises ReplyError for what is no operation."""
    operations: list[Operation] = []
    overflow = b'WRAP'
    place = 0
    while place < len(words):
        name = words[place].upper()
        own = words[place : place + WORDS_OF.get(name, 0)]
        if not own or len(own) < WORDS_OF[name]:
            raise ReplyError(SYNTAX)
        place += len(own)
        if name == b'OVERFLOW':
            overflow = own[1].upper()
            if overflow not in OVERFLOWS:
                raise ReplyError(BAD_OVERFLOW)
            continue
        width, signed = read_type(own[1])
        by_width = own[2].startswith(b'#')
        first = bit_offset(client, own[2][1:], width) if by_width else bit_offset(client, own[2])
        operand = integer(own[3]) if len(own) > 3 else 0
        operations.append(Operation(name, first, width, signed, operand, overflow))
    return operations


def read_type(text: bytes) -> tuple[int, bool]:
    """The width in bits, and whether one of them is a sign: i1 to i64, u1 to u63. Raises ReplyError."""
    sign = text[:1]
    width = integer(text[1:], BAD_TYPE)
    if not 1 <= width <= MOST_BITS.get(sign, 0):
        raise ReplyError(BAD_TYPE)
    return width, sign == b'i'


def fitted(number: int, operation: Operation) -> int | None:
    """The number as the field can hold it; None if it cannot and the operation is to fail then.

    To SET numbers have 64 bits: negative ones are large to a field without a sign, and so is to one with a sign what
    is lower than any number by 2**63 (bitops.c, checkSignedBitfieldOverflow).
    """
    lowest, highest = limits(operation.width, operation.signed)
    if lowest <= number <= highest:
        return number
    if operation.overflow == b'FAIL':
        return None
    if operation.overflow == b'WRAP':
        return wrapped(number, operation.width, operation.signed)
    if number > highest:
        return highest
    if operation.name == b'SET' and (not operation.signed or highest - number >= 1 << 63):
        return highest
    return lowest


def write(buffer: bytearray, operation: Operation) -> tuple[int | None, bool]:
    """Carry out a SET or INCRBY; returns its reply and whether the number has changed, None if it has failed."""
    name, first, width, signed, operand, _ = operation
    old = read_field(buffer, first, width, signed)
    new = fitted(operand if name == b'SET' else old + operand, operation)
    if new is None:
        return None, False
    write_field(buffer, first, width, new)
    return old if name == b'SET' else new, new != old


@command(
    'BITFIELD',
    arity=-2,
    flags='write denyoom',
    keys=(key('RW update access variable_flags', 1, note='With nothing but GET the key is only read.'),),
    since='3.2.0',
    group='bitmap',
    types={'value': 'integer'},
    arguments={
        'get-overflow-set-incrby': about('operation'),
        'overflow-set-incrby': about('write'),
        'set-incrby': about('write-operation'),
        'GET': about('get-block'),
        'OVERFLOW': about('overflow-block'),
        'SET': about('set-block'),
        'INCRBY': about('incrby-block'),
    },
)
def bitfield(client: Client, argv: Argv) -> Reply:
    """BITFIELD key [<GET encoding offset |
        [OVERFLOW <WRAP | SAT | FAIL>] <SET encoding offset value | INCRBY encoding offset increment>> [...]]

    Reads, sets and counts up numbers of any width in a string, at an offset in bits or, behind a #, in numbers.
    OVERFLOW tells those that follow what to do with a number that is too large: wrap around, stay at the limit, or
    leave it as it was and return nil.

    O(1) for each operation
    """
    _, key, *words = argv
    operations = read_operations(client, words)
    written = [operation for operation in operations if operation.name != b'GET']
    if not written:
        return read_all(client, key, operations)
    highest = max(operation.first + operation.width - 1 for operation in written)
    buffer, fresh = reaching(client, key, highest)
    replies: list[int | None] = []
    changes = 0
    for operation in operations:
        name, first, width, signed, _, _ = operation
        if name == b'GET':
            replies.append(read_field(buffer, first, width, signed))
            continue
        reply, different = write(buffer, operation)
        replies.append(reply)
        changes += reply is not None and (fresh or different)
    if changes:
        client.db.changed(key, b'setbit', count=changes)
    elif fresh:  # OVERFLOW FAIL: the string has grown, which isn't counted as a change
        client.propagate_as(argv)
    return replies


def read_all(client: Client, key: bytes, operations: list[Operation]) -> Reply:
    value = client.db.read(key, bytes) or b''
    return [read_field(value, first, width, signed) for _, first, width, signed, _, _ in operations]


@command(
    'BITFIELD_RO',
    arity=-2,
    flags='readonly fast',
    keys=(key('RO access', 1),),
    since='6.0.0',
    group='bitmap',
    arguments={'GET': about('get-block')},
)
def bitfield_ro(client: Client, argv: Argv) -> Reply:
    """BITFIELD_RO key [GET encoding offset [GET encoding offset ...]]

    BITFIELD for those who only read.

    O(1) for each operation
    """
    _, key, *words = argv
    operations = read_operations(client, words)
    if any(operation.name != b'GET' for operation in operations):
        raise ReplyError(ONLY_GET)
    return read_all(client, key, operations)
