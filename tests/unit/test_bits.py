"""Rows of bits beside what their digits say, around the ends of bytes and pieces."""

from operator import and_, or_, xor
from random import Random

import pytest

from selredis.values.bits import (
    PIECE_BYTES,
    combined,
    count_ones,
    find_bit,
    grown,
    inverted,
    limits,
    read_field,
    wrapped,
    write_field,
)

LENGTHS = (1, 2, 7, 40)
LARGE = (PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 2 * PIECE_BYTES + 3)


def digits(value):
    return ''.join(f'{byte:08b}' for byte in value)


def samples(random):
    for length in LENGTHS:
        yield from (random.randbytes(length), bytes(length), b'\xff' * length, bytes(length - 1) + b'\1')


def test_bits_are_counted_and_found_within_any_range():
    random = Random(1)
    for value in samples(random):
        row = digits(value)
        for _ in range(60):
            first = random.randrange(len(row))
            stop = random.randrange(first + 1, len(row) + 1)
            assert count_ones(value, first, stop) == row.count('1', first, stop)
            for bit in (0, 1):
                assert find_bit(bytearray(value), bit, first, stop) == row.find(str(bit), first, stop)


@pytest.mark.parametrize('length', LARGE)
def test_large_values_are_counted_and_searched_piece_by_piece(length):
    for place in {0, 1, length // 2, PIECE_BYTES - 2, PIECE_BYTES - 1, length - 1} & set(range(length)):
        for background, byte, bit in ((b'\0', 0x10, 1), (b'\xff', 0xEF, 0)):
            value = bytearray(background * length)
            value[place] = byte
            assert find_bit(value, bit, 0, 8 * length) == 8 * place + 3
            assert find_bit(value, bit, 8 * place + 4, 8 * length) == -1
            assert count_ones(value, 0, 8 * length) == (1 if bit else 8 * length - 1)
            assert find_bit(value, bit, 0, 8 * place + 3) == -1 if place else True


@pytest.mark.parametrize(
    'lengths', [(1,), (3, 3), (5, 2), (2, 5, 0), (PIECE_BYTES + 5, 9), (PIECE_BYTES, PIECE_BYTES + 1)]
)
@pytest.mark.parametrize('operation', [and_, or_, xor])
def test_values_are_combined_with_zeros_behind_the_shorter_ones(operation, lengths):
    random = Random(2)
    values = [random.randbytes(length) for length in lengths]
    padded = [value.ljust(max(lengths), b'\0') for value in values]
    expected = bytearray(padded[0])
    for other in padded[1:]:
        expected = bytearray(map(operation, expected, other))
    assert combined(operation, values) == expected


@pytest.mark.parametrize('length', [1, 9, *LARGE])
def test_a_value_is_inverted(length):
    value = Random(3).randbytes(length)
    assert inverted(value) == bytes(255 - byte for byte in value)
    assert inverted(inverted(value)) == value


def test_a_buffer_grows_in_place_unless_it_grows_much():
    buffer = bytearray(b'abc')
    assert grown(buffer, 5) is buffer
    assert buffer == b'abc\0\0'
    assert grown(buffer, 20) == b'abc' + bytes(17)
    assert grown(bytearray(), 3) == bytes(3)


def test_fields_of_any_width_are_read_and_written_anywhere():
    random = Random(4)
    buffer = bytearray(random.randbytes(24))
    for _ in range(2000):
        signed = random.random() < 0.5
        width = random.randrange(1, 65 if signed else 64)
        first = random.randrange(8 * len(buffer) - width + 1)
        number = random.randint(*limits(width, signed))
        row = digits(buffer)
        write_field(buffer, first, width, number)
        assert read_field(buffer, first, width, signed) == number
        written = f'{number & (1 << width) - 1:0{width}b}'
        assert digits(buffer) == row[:first] + written + row[first + width :]


def test_behind_the_end_fields_read_as_zeros():
    assert read_field(b'\xff', 4, 8, False) == 0b11110000
    assert read_field(b'\xff', 4, 8, True) == 0b11110000 - 256
    assert read_field(b'\xff', 8, 63, False) == 0
    assert read_field(b'', 1000, 64, True) == 0


def test_numbers_wrap_around():
    assert wrapped(256, 8, False) == 0
    assert wrapped(-1, 8, False) == 255
    assert wrapped(128, 8, True) == -128
    assert wrapped(-129, 8, True) == 127
    assert wrapped(1 << 63, 64, True) == -(1 << 63)
