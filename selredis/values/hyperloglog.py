"""HyperLogLog: about how many different elements there were, in at most 12 KB, kept as a string in Redis's own bytes.

An element's hash chooses one of 16384 registers, which keeps the longest run of zeros that any hash has had in front of
its first one. The value is the string that redis-server would have made of the same elements, bit by bit:

    HYLL                4 bytes
    encoding            1 byte, SPARSE or DENSE
    not used            3 bytes
    the last estimate   8 bytes, the lowest first; its highest bit is set when it is out of date
    registers

DENSE are 6 bits for each register, from the lowest bits of the first byte on. SPARSE is a row of runs of registers:

    00nnnnnn            n + 1 that are 0
    01nnnnnn nnnnnnnn   n + 1 that are 0
    1vvvvvnn            n + 1 that are v + 1

A sparse one becomes dense when it would take more than hll-sparse-max-bytes, or a register more than 32. What it looks
like depends on the order in which its elements came; so a register is set as Redis does it (hyperloglog.c,
hllSparseSet), by dividing the run that it is in and putting together what is alike next to it.
"""

import re
from collections import Counter
from collections.abc import Sequence
from math import floor, inf, isfinite, log, sqrt
from struct import Struct, unpack_from
from zlib import adler32

DENSE, SPARSE = 0, 1
INDEX_BITS = 14
REGISTERS = 1 << INDEX_BITS
HASH_BITS = 64 - INDEX_BITS  # in which zeros are counted
HEAD_BYTES = 16
DENSE_BYTES = HEAD_BYTES + REGISTERS * 6 // 8
ENCODING, STALE = 4, 15  # places of bytes
DENSE_HEAD, SPARSE_HEAD = b'HYLL\0', b'HYLL\1'
STALE_BIT = 0x80

MOST_IN_RUN = 32
ZEROS_IN_BYTE = 64  # as many as a run of one byte can have
EQUALS_IN_BYTE = 4
LOOKED_AT = 5  # runs, from the one before the changed one on, that may be put together

RUN = re.compile(rb'[\x40-\x7f].|.', re.DOTALL)
RUN_BYTES = 2 * REGISTERS + 1  # no more are needed to see whether they are right
NO_REGISTERS = bytes(REGISTERS)
REGISTERS_OF_RUN = {
    bytes((byte,)): bytes(byte + 1) if byte < 0x40 else bytes(((byte >> 2 & 31) + 1,)) * ((byte & 3) + 1)
    for byte in (*range(0x40), *range(0x80, 0x100))
}
SPANS = bytes(byte + 1 if byte < 0x40 else (byte & 3) + 1 if byte >= 0x80 else 0 for byte in range(256))
LONG_RUNS = bytes(0x40 <= byte < 0x80 for byte in range(256))
WALKED_BYTES = 600  # up to here it is quicker to walk over all runs than to leap
STEP_BYTES = 1000  # their spans add up to less than what adler32 wraps around at
NEAR_BYTES = 16

from_bytes = int.from_bytes
MASK = (1 << 64) - 1
FACTOR = 0xC6A4A7935BD1E995
SEED = 0xADC83B19
READY_BYTES = 72  # of elements that are hashed a little quicker
FIRST_STATES = [SEED ^ size * FACTOR & MASK for size in range(READY_BYTES)]
WORDS = [Struct(f'<{size >> 3}Q').unpack_from for size in range(READY_BYTES)]
INDEX_MASK = REGISTERS - 1
LAST_BIT = 1 << HASH_BITS
# Where the first one is in the lowest 8 bits, from 1 on; 0 for nowhere.
FIRST_ONES = bytes((byte & -byte).bit_length() for byte in range(256))


class CorruptError(Exception):
    """A string that begins like a HyperLogLog, whose registers are not as many as there must be."""


def new() -> bytearray:
    """One that nothing was added to; its estimate is up to date."""
    return bytearray(b'HYLL\1' + bytes(11)) + zeros(REGISTERS)


def is_one(value: bytes | bytearray) -> bool:
    """Whether a string looks like one; its registers may be wrong nevertheless, if it is sparse."""
    if value.startswith(DENSE_HEAD):
        return len(value) == DENSE_BYTES
    return value.startswith(SPARSE_HEAD) and len(value) >= HEAD_BYTES


def hashed(element: bytes) -> int:
    """MurmurHash64A with Redis's seed."""
    factor, mask = FACTOR, MASK
    size = len(element)
    if size < READY_BYTES:
        state = FIRST_STATES[size]
        words = WORDS[size](element)
        rest = from_bytes(element, 'little') >> (size & ~7) * 8
    else:
        state = SEED ^ size * factor & mask
        words = unpack_from(f'<{size >> 3}Q', element)
        rest = from_bytes(element[size & ~7 :], 'little')
    for word in words:
        word = word * factor & mask
        state = (state ^ (word ^ word >> 47) * factor) * factor & mask
    if size & 7:
        state = (state ^ rest) * factor & mask
    state = (state ^ state >> 47) * factor & mask
    return state ^ state >> 47


def register_of(element: bytes) -> tuple[int, int]:
    """Which register an element is counted in, and what it raises it to."""
    code = hashed(element)
    rest = code >> INDEX_BITS
    count = FIRST_ONES[rest & 0xFF]
    if not count:
        rest |= LAST_BIT
        count = (rest & -rest).bit_length()
    return code & INDEX_MASK, count


def add(hll: bytearray, element: bytes, sparse_bytes: int) -> bool:
    """Add an element; whether that has changed a register. `sparse_bytes`: the most that a sparse one may take.

    The estimate is not declared out of date. Raises CorruptError.
    """
    index, count = register_of(element)
    return set_dense(hll, index, count) if hll[ENCODING] == DENSE else set_sparse(hll, index, count, sparse_bytes)


def set_dense(hll: bytearray, index: int, count: int) -> bool:
    """Raise a register of a dense one to `count`; False if it has as much already."""
    # Two bytes in the second of which the register ends: those before the first register are the header's.
    bit = 6 * index
    at = (bit + 5 >> 3) + HEAD_BYTES - 1
    shift = bit + 8 * HEAD_BYTES - 8 * at
    two = hll[at] | hll[at + 1] << 8
    old = two >> shift & 63
    if old >= count:
        return False
    two += count - old << shift
    hll[at] = two & 0xFF
    hll[at + 1] = two >> 8
    return True


def set_sparse(hll: bytearray, index: int, count: int, sparse_bytes: int) -> bool:
    """Raise a register of a sparse one to `count`; False if it has as much already.

    It becomes dense if it must. Raises CorruptError.
    """
    if count > MOST_IN_RUN:
        make_dense(hll)
        return set_dense(hll, index, count)
    before, at, first, span = find(hll, index)
    code = hll[at]
    left, right = index - first, first + span - 1 - index
    if code & 0x80:
        old = (code >> 2 & 31) + 1
        if old >= count:
            return False
        runs = equals(old, left) + equals(count, 1) + equals(old, right)
    else:
        runs = zeros(left) + equals(count, 1) + zeros(right)
    size = 2 if LONG_RUNS[code] else 1
    total = len(hll) + len(runs) - size
    if len(runs) > size and total > sparse_bytes:
        make_dense(hll)
        return set_dense(hll, index, count)
    hll[at : at + size] = runs
    del hll[total:]  # where the last byte of the last run was missing
    join_alike(hll, before)
    hll[STALE] |= STALE_BIT
    return True


def equals(number: int, length: int) -> bytes:
    """A run of registers that are not 0."""
    return bytes((0x80 | number - 1 << 2 | length - 1,)) if length else b''


def zeros(length: int) -> bytes:
    """A run of registers that are 0."""
    if length > ZEROS_IN_BYTE:
        return (0x4000 | length - 1).to_bytes(2, 'big')
    return bytes((length - 1,)) if length else b''


def find(hll: bytearray, index: int) -> tuple[int, int, int, int]:
    """The run that a register is in: where the one before it is and where it is, its first register, how many it has.

    Where there is none before it that is the first run, too. Raises CorruptError if there are not so many registers.
    """
    end = len(hll)
    before = at = HEAD_BYTES
    first = 0
    if end > WALKED_BYTES:
        before, at, first = leap(hll, index)
    left = index - first  # registers from the beginning of the run at `at` to this one
    while at < end:
        span = SPANS[hll[at]]
        if span:
            if left < span:
                return before, at, index - left, span
            before = at
            at += 1
        else:
            span = ((hll[at] & 0x3F) << 8 | (hll[at + 1] if at + 1 < end else 0)) + 1
            if left < span:
                return before, at, index - left, span
            before = at
            at += 2
        left -= span
    raise CorruptError


def leap(hll: bytearray, index: int) -> tuple[int, int, int]:
    """A run not far before a register: where the one before it is and where it is, and its first register.

    From each run of two bytes to the next, and within what is between them by halves: adler32 adds up bytes, and
    nothing else that comes with Python does that quicker.
    """
    spans = hll.translate(SPANS)
    long_runs = hll.translate(LONG_RUNS)
    end = len(hll)
    before = at = HEAD_BYTES
    first = 0
    while True:
        stop = long_runs.find(1, at, at + STEP_BYTES)
        is_long = stop >= 0
        if not is_long:
            stop = min(at + STEP_BYTES, end)
        span = adler32(spans[at:stop], 0) & 0xFFFF
        if first + span > index:
            break
        if stop > at:
            before = stop - 1
        first += span
        at = stop
        if is_long:
            span = ((hll[at] & 0x3F) << 8 | (hll[at + 1] if at + 1 < end else 0)) + 1
            if first + span > index:
                return before, at, first
            before = at
            at += 2
            first += span
        if at >= end:
            return before, at, first
    while stop - at > NEAR_BYTES:
        middle = at + stop >> 1
        span = adler32(spans[at:middle], 0) & 0xFFFF
        if first + span > index:
            stop = middle
        else:
            before = middle - 1
            at = middle
            first += span
    return before, at, first


def join_alike(hll: bytearray, at: int) -> None:
    """Put together runs of the same number, where one has room for both: the few from this place on."""
    for _ in range(LOOKED_AT):
        if at + 1 >= len(hll):
            return
        code, following = hll[at], hll[at + 1]
        if not code & 0x80:
            at += 2 if LONG_RUNS[code] else 1
        elif code >> 2 == following >> 2 and (code & 3) + (following & 3) + 2 <= EQUALS_IN_BYTE:
            hll[at : at + 2] = bytes((code + (following & 3) + 1,))
        else:
            at += 1


def make_dense(hll: bytearray) -> None:
    """Change the encoding of a sparse one. Raises CorruptError."""
    hll[HEAD_BYTES:] = packed(registers_of(hll))
    hll[ENCODING] = DENSE


def registers_of(hll: bytes | bytearray) -> bytes:
    """The registers, a byte for each. Raises CorruptError."""
    if hll[ENCODING] == DENSE:
        return unpacked(hll[HEAD_BYTES:])
    runs: list[bytes] = []
    total = 0
    for run in RUN.findall(hll, HEAD_BYTES, HEAD_BYTES + RUN_BYTES):
        registers = REGISTERS_OF_RUN.get(run) or NO_REGISTERS[: span_of_long(run)]
        total += len(registers)
        if total > REGISTERS:
            break
        runs.append(registers)
    if total != REGISTERS:
        raise CorruptError
    return b''.join(runs)


def span_of_long(run: bytes) -> int:
    """How many registers there are in a run of two bytes; the last of which may be missing."""
    return (int.from_bytes(run.ljust(2, b'\0'), 'big') & 0x3FFF) + 1


def histogram_of(hll: bytes | bytearray) -> list[int]:
    """How many registers have each of the numbers from 0 to 63. Raises CorruptError."""
    if hll[ENCODING] == DENSE:
        return counted(registers_of(hll))
    histogram = [0] * 64
    for run, count in Counter(RUN.findall(hll, HEAD_BYTES, HEAD_BYTES + RUN_BYTES)).items():
        registers = REGISTERS_OF_RUN.get(run)
        if registers is None:
            histogram[0] += span_of_long(run) * count
        else:
            histogram[registers[0]] += len(registers) * count
    if sum(histogram) != REGISTERS:
        raise CorruptError
    return histogram


def counted(registers: bytes) -> list[int]:
    """How many registers have each of the numbers from 0 to 63."""
    histogram = [0] * 64
    left = len(registers)
    number = 0
    while left:
        count = histogram[number] = registers.count(number)
        left -= count
        number += 1
    return histogram


# The registers all at once, as one large integer with a register in each byte.
def every(bits: int, mask: int) -> int:
    """This mask in every so many bits of an integer as large as all registers."""
    return int.from_bytes(mask.to_bytes(bits // 8, 'little') * (REGISTERS * 8 // bits), 'little')


EVERY_FIRST_OF_2, EVERY_SECOND_OF_2 = every(16, 0x003F), every(16, 0x3F00)
EVERY_LOW_6, EVERY_HIGH_6 = every(16, 0x003F), every(16, 0x0FC0)
EVERY_FIRST_PAIR, EVERY_SECOND_PAIR = every(32, 0x0FFF), every(32, 0x0FFF0000)
EVERY_LOW_12, EVERY_HIGH_12 = every(32, 0x000FFF), every(32, 0xFFF000)
EVERY_TOP_BIT = every(8, 0x80)


def packed(registers: bytes) -> bytes:
    """Registers in 6 bits each."""
    row = int.from_bytes(registers, 'little')
    row = row & EVERY_FIRST_OF_2 | (row & EVERY_SECOND_OF_2) >> 2
    row = row & EVERY_FIRST_PAIR | (row & EVERY_SECOND_PAIR) >> 4
    fours = row.to_bytes(REGISTERS, 'little')
    result = bytearray(DENSE_BYTES - HEAD_BYTES)
    for place in range(3):
        result[place::3] = fours[place::4]
    return bytes(result)


def unpacked(data: bytes | bytearray) -> bytes:
    """The registers in 6 bits each, a byte for each."""
    fours = bytearray(REGISTERS)
    for place in range(3):
        fours[place::4] = data[place::3]
    row = int.from_bytes(fours, 'little')
    row = row & EVERY_LOW_12 | (row & EVERY_HIGH_12) << 4
    row = row & EVERY_LOW_6 | (row & EVERY_HIGH_6) << 2
    return row.to_bytes(REGISTERS, 'little')


def greatest(some: bytes, others: bytes) -> bytes:
    """The greater one of each two registers."""
    one, other = int.from_bytes(some, 'little'), int.from_bytes(others, 'little')
    # The top bit of a byte survives the subtraction where the first one is not less.
    not_less = ((one | EVERY_TOP_BIT) - other) & EVERY_TOP_BIT
    chosen = not_less - (not_less >> 7)
    return (other ^ (one ^ other) & chosen).to_bytes(REGISTERS, 'little')


def cached(hll: bytes | bytearray) -> int | None:
    """The estimate that is kept in the value, None if it is out of date."""
    return None if hll[STALE] & STALE_BIT else int.from_bytes(hll[8:HEAD_BYTES], 'little')


def cache(hll: bytearray, count: int) -> None:
    """Keep an estimate in the value."""
    hll[8:HEAD_BYTES] = (count & MASK).to_bytes(8, 'little')


def estimate(histogram: Sequence[int]) -> int:
    """About how many different elements make such registers (Ertl, arXiv:1702.01284, algorithm 6)."""
    z = REGISTERS * tau((REGISTERS - histogram[HASH_BITS + 1]) / REGISTERS)
    for number in range(HASH_BITS, 0, -1):
        z = (z + histogram[number]) * 0.5
    z += REGISTERS * sigma(histogram[0] / REGISTERS)
    count = 0.5 / log(2) * REGISTERS * REGISTERS / z if z else inf
    # Only registers that no hash makes give more; llroundl and a cast make the lowest number of it.
    if not isfinite(count) or count >= 2.0**63:
        return -(1 << 63)
    whole = floor(count)
    return whole + (count - whole >= 0.5)


def sigma(x: float) -> float:
    if x == 1:
        return inf
    y, z, before = 1.0, x, -1.0
    while z != before:
        x *= x
        before = z
        z += x * y
        y += y
    return z


def tau(x: float) -> float:
    if x in (0, 1):
        return 0
    y, z, before = 1.0, 1 - x, -1.0
    while z != before:
        x = sqrt(x)
        before = z
        y *= 0.5
        z -= (1 - x) ** 2 * y
    return z / 3


def raise_to(hll: bytearray, registers: bytes, dense: bool, sparse_bytes: int) -> None:
    """Raise registers of one that has no greater ones; it becomes dense if it must, or if that is wished."""
    if hll[ENCODING] == SPARSE and not dense:
        old = registers_of(hll)
        for index, (count, number) in enumerate(zip(registers, old, strict=True)):
            if count > number:
                set_sparse(hll, index, count, sparse_bytes)
                if hll[ENCODING] == DENSE:
                    break
        else:
            return
    hll[HEAD_BYTES:] = packed(registers)
    hll[ENCODING] = DENSE


def described(hll: bytearray) -> bytes:
    """The runs of a sparse one, as PFDEBUG DECODE shows them."""
    words: list[bytes] = []
    for run in RUN.findall(hll, HEAD_BYTES):
        registers = REGISTERS_OF_RUN.get(run)
        if registers is None:
            words.append(b'Z:%d' % span_of_long(run))
        elif registers[0]:
            words.append(b'v:%d,%d' % (registers[0], len(registers)))
        else:
            words.append(b'z:%d' % len(registers))
    return b' '.join(words)
