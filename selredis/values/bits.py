"""Strings as rows of bits: bit 0 is the highest of the first byte.

Large values are worked on in pieces, as integers of as many bits: that takes one to three nanoseconds a byte and little
memory beside the value. What is only looked for, and zeros, go at the speed of memory.
"""

from collections.abc import Callable, Sequence
from operator import and_, or_, xor

Bits = bytes | bytearray

PIECE_BYTES = 64 * 1024  # fits a processor's cache with what is made of it
BLANKS = (bytes(PIECE_BYTES), b'\xff' * PIECE_BYTES)
INVERTED = bytes(range(255, -1, -1))
OPERATIONS: dict[bytes, Callable[[int, int], int]] = {b'AND': and_, b'OR': or_, b'XOR': xor}


def count_ones(value: Bits, first: int, stop: int) -> int:
    """How many bits from `first` to before `stop`, which are within the value, are set."""
    begin, end = first >> 3, stop + 7 >> 3
    zeros = BLANKS[0]
    count = 0
    for at in range(begin, end, PIECE_BYTES):
        if not value.startswith(zeros, at, end):
            count += int.from_bytes(value[at : min(at + PIECE_BYTES, end)], 'little').bit_count()
    if first & 7:
        count -= (value[begin] >> 8 - (first & 7)).bit_count()
    if stop & 7:
        count -= (value[end - 1] & 0xFF >> (stop & 7)).bit_count()
    return count


def find_bit(value: Bits, bit: int, first: int, stop: int) -> int:
    """The place of the first bit that is `bit`, from `first` to before `stop`, which are within the value; or -1."""
    begin, end = first >> 3, stop + 7 >> 3
    others = 0 if bit else 0xFF
    byte = (value[begin] ^ others) & 0xFF >> (first & 7)
    if not byte:
        begin = skip(value, others, begin + 1, end)
        if begin == end:
            return -1
        byte = value[begin] ^ others
    place = begin * 8 + 8 - byte.bit_length()
    return place if place < stop else -1


def skip(value: Bits, byte: int, begin: int, end: int) -> int:
    """The place from `begin` on of what is not this byte, 0 or 255; `end` if there is nothing else before it."""
    blank = BLANKS[byte & 1]
    while value.startswith(blank, begin, end):
        begin += PIECE_BYTES
    piece = value[begin : min(begin + PIECE_BYTES, end)]
    return begin + len(piece) - len(piece.lstrip(blank[:1]))


def combined(operation: Callable[[int, int], int], values: Sequence[Bits]) -> bytearray:
    """The values bit by bit; those that are shorter than the longest have zeros behind them."""
    longest = max(map(len, values))
    result = bytearray(longest)
    head, *others = values
    for at in range(0, longest, PIECE_BYTES):
        stop = min(at + PIECE_BYTES, longest)
        # With the first byte as the lowest one, a piece that ends early has zeros behind it.
        piece = int.from_bytes(head[at:stop], 'little')
        for value in others:
            piece = operation(piece, int.from_bytes(value[at:stop], 'little'))
        if piece:
            result[at:stop] = piece.to_bytes(stop - at, 'little')
    return result


def inverted(value: Bits) -> bytearray:
    """Every bit the other way round."""
    result = bytearray(len(value))
    for at in range(0, len(value), PIECE_BYTES):
        stop = min(at + PIECE_BYTES, len(value))
        result[at:stop] = value[at:stop].translate(INVERTED)
    return result


def grown(buffer: bytearray, length: int) -> bytearray:
    """A buffer with zeros behind it up to a length, which it has not yet: the same one, unless it grows much."""
    more = length - len(buffer)
    if more <= len(buffer):
        buffer += bytes(more)
        return buffer
    larger = bytearray(length)  # the system has zeros for nothing until they are written to
    larger[: len(buffer)] = buffer
    return larger


def read_field(value: Bits, first: int, width: int, signed: bool) -> int:
    """The number in so many bits, the highest at `first`; behind the value's end there are zeros."""
    begin, end = first >> 3, first + width + 7 >> 3
    window = value[begin:end]
    bits = int.from_bytes(window, 'big') << 8 * (end - begin - len(window)) >> 8 * end - first - width
    bits &= (1 << width) - 1
    return bits - (1 << width) if signed and bits >> width - 1 else bits


def write_field(buffer: bytearray, first: int, width: int, number: int) -> None:
    """Set so many bits, which are within the buffer, to a number that they can hold."""
    begin, end = first >> 3, first + width + 7 >> 3
    shift = 8 * end - first - width
    mask = (1 << width) - 1
    bits = int.from_bytes(buffer[begin:end], 'big') & ~(mask << shift) | (number & mask) << shift
    buffer[begin:end] = bits.to_bytes(end - begin, 'big')


def limits(width: int, signed: bool) -> tuple[int, int]:
    """The lowest and the highest number that so many bits can hold."""
    return (-(1 << width - 1), (1 << width - 1) - 1) if signed else (0, (1 << width) - 1)


def wrapped(number: int, width: int, signed: bool) -> int:
    """What is left of a number in so many bits."""
    bits = number & (1 << width) - 1
    return bits - (1 << width) if signed and bits >> width - 1 else bits
