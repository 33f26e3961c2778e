"""Bits of strings: single ones, how many are set, where the first is, and strings combined bit by bit."""

from selredis.commands.strings import changeable
from selredis.engine.client import Client
from selredis.engine.command import Argv, command, key
from selredis.engine.syntax import about
from selredis.errors import SYNTAX, ReplyError
from selredis.numeric import integer
from selredis.resp.reply import Reply
from selredis.values.bits import OPERATIONS, Bits, combined, count_ones, find_bit, grown, inverted

BAD_OFFSET = b'ERR bit offset is not an integer or out of range'
BAD_BIT = b'ERR bit is not an integer or out of range'
BIT_IS_0_OR_1 = b'ERR The bit argument must be 1 or 0.'
ONE_SOURCE = b'ERR BITOP NOT must be called with a single source key.'

BITS_OF_UNIT = {b'BYTE': 8, b'BIT': 1}
UNIT_HISTORY = (('7.0.0', 'BYTE and BIT are new.'),)


def bit_offset(client: Client, text: bytes, factor: int = 1) -> int:
    """Read the place of a bit, in units of so many bits. Raises ReplyError for one past the longest string."""
    offset = integer(text, BAD_OFFSET) * factor
    if not 0 <= offset >> 3 < client.engine.config['proto-max-bulk-len']:
        raise ReplyError(BAD_OFFSET)
    return offset


def reaching(client: Client, key: bytes, offset: int) -> tuple[bytearray, bool]:
    """The string at key, changeable and long enough to have that bit; and whether it is new or longer than before."""
    db = client.db
    value = db.peek(key)
    if type(value) is not bytearray:
        value = db.get(key, bytes)
        value = bytearray() if value is None else changeable(client, key, value)
    length = (offset >> 3) + 1
    if length <= len(value):
        return value, False
    value = grown(value, length)
    db.put(key, value)
    return value, True


@command(
    'SETBIT',
    arity=4,
    flags='write denyoom brief',
    keys=(key('RW access update', 1),),
    since='2.2.0',
    group='bitmap',
    types={'value': 'integer'},
)
def setbit(client: Client, argv: Argv) -> Reply:
    """SETBIT key offset value

    Sets one bit of a string to 0 or 1 and returns what it was. A string that does not reach so far gets zeros.

    O(1)
    """
    _, key, offset_text, bit_text = argv
    offset = bit_offset(client, offset_text)
    bit = integer(bit_text, BAD_BIT)
    if bit not in (0, 1):
        raise ReplyError(BAD_BIT)
    buffer, fresh = reaching(client, key, offset)
    place = offset >> 3
    mask = 0x80 >> (offset & 7)
    byte = buffer[place]
    old = 1 if byte & mask else 0
    if fresh or old != bit:
        buffer[place] = byte ^ mask if old != bit else byte
        client.db.changed(key, b'setbit')
    return old


@command('GETBIT', arity=3, flags='readonly fast', keys=(key('RO access', 1),), since='2.2.0', group='bitmap')
def getbit(client: Client, argv: Argv) -> Reply:
    """GETBIT key offset

    Returns one bit of a string, 0 where there is none.

    O(1)
    """
    _, key, offset_text = argv
    offset = bit_offset(client, offset_text)
    value = client.db.read(key, bytes)
    place = offset >> 3
    if value is None or place >= len(value):
        return 0
    return 1 if value[place] & 0x80 >> (offset & 7) else 0


def span(start: int, end: int, total: int) -> tuple[int, int]:
    """A range that is given with both ends, negative ones from the value's end, as (first, stop) within it."""
    first = max(start + total, 0) if start < 0 else start
    last = max(end + total, 0) if end < 0 else end
    return first, min(last, total - 1) + 1


def bits_of_unit(words: list[bytes]) -> int:
    """How many bits the unit has that a range is given in, by what stands behind it. Raises ReplyError."""
    if not words:
        return 8
    bits = BITS_OF_UNIT.get(words[0].upper())
    if bits is None:
        raise ReplyError(SYNTAX)
    return bits


@command(
    'BITCOUNT',
    arity=-2,
    flags='readonly',
    keys=(key('RO access', 1),),
    since='2.6.0',
    group='bitmap',
    history=UNIT_HISTORY,
    arguments={'start-end-byte-bit': about('range'), 'byte-bit': about('unit', since='7.0.0')},
)
def bitcount(client: Client, argv: Argv) -> Reply:
    """BITCOUNT key [start end [BYTE | BIT]]

    Counts the bits of a string that are set, or those in a range of it; negative ends are counted from its end.

    O(N) in the length of the range
    """
    _, key, *words = argv
    value = client.db.read(key, bytes)
    if value is None:
        return 0  # up to 7.2 without a check of the range
    if len(words) not in (0, 2, 3):
        raise ReplyError(SYNTAX)
    start, end = (integer(words[0]), integer(words[1])) if words else (0, -1)
    if start < 0 and end < 0 and start > end:
        return 0  # up to 7.2 without a check of the unit
    bits = bits_of_unit(words[2:])
    first, stop = span(start, end, len(value) * 8 // bits)
    return count_ones(value, first * bits, stop * bits) if first < stop else 0


@command(
    'BITPOS',
    arity=-3,
    flags='readonly',
    keys=(key('RO access', 1),),
    since='2.8.7',
    group='bitmap',
    types={'bit': 'integer'},
    history=UNIT_HISTORY,
    arguments={
        'start-end-byte-bit': about('range'),
        'end-byte-bit': about('end-unit-block'),
        'byte-bit': about('unit', since='7.0.0'),
    },
)
def bitpos(client: Client, argv: Argv) -> Reply:
    """BITPOS key bit [start [end [BYTE | BIT]]]

    Finds the first bit of a string, or of a range of it, that is 0 or that is 1; returns -1 if there is none. Where no
    end is given there are zeros behind the string.

    O(N) in the length of the range
    """
    _, key, bit_text, *words = argv
    bit = integer(bit_text)
    if bit not in (0, 1):
        raise ReplyError(BIT_IS_0_OR_1)
    value: Bits | None = client.db.read(key, bytes)
    if value is None:
        return -bit  # up to 7.2 without a check of the range
    if len(words) > 3:
        raise ReplyError(SYNTAX)
    start = integer(words[0]) if words else 0
    bits = bits_of_unit(words[2:])
    end = integer(words[1]) if len(words) > 1 else -1
    first, stop = span(start, end, len(value) * 8 // bits)
    if first >= stop:
        return -1
    place = find_bit(value, bit, first * bits, stop * bits)
    return len(value) * 8 if place < 0 and not bit and len(words) < 2 else place


@command(
    'BITOP',
    arity=-4,
    flags='write denyoom',
    keys=(key('OW update', 2), key('RO access', 3, -1)),
    since='2.6.0',
    group='bitmap',
    types={'destkey': 'key'},
    arguments={'and-or-xor-not': about('operation')},
)
def bitop(client: Client, argv: Argv) -> Reply:
    """BITOP <AND | OR | XOR | NOT> destkey key [key ...]

    Combines strings bit by bit, or inverts one, stores the result at a key and returns its length. Behind those that
    are shorter than the longest there are zeros.

    O(N) in the length of all strings
    """
    _, name, destination, *keys = argv
    name = name.upper()
    operation = OPERATIONS.get(name)
    if operation is None and name != b'NOT':
        raise ReplyError(SYNTAX)
    if operation is None and len(keys) > 1:
        raise ReplyError(ONE_SOURCE)
    db = client.db
    values: list[Bits] = [db.read(key, bytes) or b'' for key in keys]
    if not any(values):
        db.remove(destination, b'del')
        return 0
    result = inverted(values[0]) if operation is None else combined(operation, values)
    db.set(destination, result)
    return len(result)
