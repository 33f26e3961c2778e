"""HyperLogLog's registers and runs beside the plainest way to have them."""

from random import Random

import pytest

from selredis.values.hyperloglog import (
    DENSE,
    DENSE_BYTES,
    ENCODING,
    HEAD_BYTES,
    REGISTERS,
    SPARSE,
    CorruptError,
    add,
    estimate,
    greatest,
    hashed,
    histogram_of,
    is_one,
    make_dense,
    new,
    packed,
    raise_to,
    registers_of,
    set_dense,
    set_sparse,
    unpacked,
)

ROOM = 20_000  # for any sparse one


def model_of(elements):
    registers = [0] * REGISTERS
    for element in elements:
        code = hashed(element)
        index = code % REGISTERS
        registers[index] = max(registers[index], zeros_of(code))
    return bytes(registers)


def zeros_of(code):
    """The place of the first 1 behind the index, the lowest bit first, counted from 1."""
    rest = f'{code >> 14:050b}'[::-1] + '1'
    return rest.index('1') + 1


def filled(count, *, dense=False, room=ROOM):
    hll = new()
    if dense:
        make_dense(hll)
    elements = [b'element:%d' % number for number in range(count)]
    for element in elements:
        add(hll, element, room)
    return hll, elements


@pytest.mark.parametrize(
    ('element', 'code'),
    [
        (b'', 0xD8DFEA6585BC9732),
        (b'a', 0x53D2470A9B43B1A7),
        (b'01234567', 0x4F529B651CB08252),
        (b'0123456789abcdef012', 0xBF2C8DBAC9C47B1A),
        (b'x' * 100, 0x2C4D1FDDABBFFBB8),
    ],
)
def test_elements_are_hashed_as_in_redis(element, code):
    assert hashed(element) == code


def test_a_hash_does_not_depend_on_how_many_words_are_read_at_once():
    for size in range(100):
        element = bytes(range(size))
        assert 0 <= hashed(element) < 1 << 64
    assert len({hashed(bytes(size)) for size in range(200)}) == 200


@pytest.mark.parametrize('count', [0, 1, 10, 300, 2500])
def test_sparse_and_dense_have_the_same_registers(count):
    sparse, elements = filled(count)
    dense, _ = filled(count, dense=True)
    assert sparse[ENCODING] == SPARSE
    assert dense[ENCODING] == DENSE
    assert registers_of(sparse) == registers_of(dense) == model_of(elements)
    assert histogram_of(sparse) == histogram_of(dense)
    assert abs(estimate(histogram_of(dense)) - count) <= count * 0.05


def test_what_changes_nothing_says_so():
    for hll, elements in (filled(50), filled(50, dense=True)):
        before = bytes(hll)
        assert not any(add(hll, element, ROOM) for element in elements)
        assert hll == before


def test_one_that_would_take_too_much_becomes_dense():
    hll, elements = filled(100, room=200)
    assert len(hll) == DENSE_BYTES
    assert registers_of(hll) == model_of(elements)


def test_a_register_too_great_for_a_run_makes_it_dense():
    hll = new()
    assert set_sparse(hll, 5, 32, ROOM)
    assert hll[ENCODING] == SPARSE
    assert set_sparse(hll, 6, 33, ROOM)
    assert hll[ENCODING] == DENSE
    assert registers_of(hll) == bytes(5) + b'\x20\x21' + bytes(REGISTERS - 7)


@pytest.mark.parametrize('setter', [set_dense, lambda hll, index, count: set_sparse(hll, index, count, ROOM)])
def test_registers_are_raised_one_by_one(setter):
    random = Random(1)
    hll = new()
    if setter is set_dense:
        make_dense(hll)
    model = bytearray(REGISTERS)
    # Close together at the ends, so that runs are divided and put together in every way.
    places = [*range(40), *range(REGISTERS - 40, REGISTERS)] * 8 + random.sample(range(REGISTERS), 700)
    for index in places:
        count = random.randrange(1, 5)
        assert setter(hll, index, count) == (count > model[index])
        model[index] = max(count, model[index])
    assert registers_of(hll) == model
    assert hll[0:4] == b'HYLL'


def test_registers_are_packed_and_unpacked():
    registers = Random(2).randbytes(REGISTERS).translate(bytes(byte & 63 for byte in range(256)))
    row = int.from_bytes(packed(registers), 'little')
    assert len(packed(registers)) == DENSE_BYTES - HEAD_BYTES
    for index in (0, 1, 2, 3, 4, 5, 1000, 8191, REGISTERS - 2, REGISTERS - 1):
        assert row >> 6 * index & 63 == registers[index]
    assert unpacked(packed(registers)) == registers


def test_the_greater_of_two_registers_is_taken():
    random = Random(3)
    one, other = (bytes(random.choices((0, 1, 31, 32, 62, 63), k=REGISTERS)) for _ in range(2))
    assert greatest(one, other) == bytes(map(max, one, other))


@pytest.mark.parametrize('room', [ROOM, 300])
@pytest.mark.parametrize('dense', [False, True])
def test_registers_are_raised_together(room, dense):
    hll, _ = filled(60)
    other, elements = filled(120)
    registers = greatest(registers_of(hll), registers_of(other))
    raise_to(hll, registers, dense, room)
    assert registers_of(hll) == registers == model_of(elements)
    assert hll[ENCODING] == (DENSE if dense or room == 300 else SPARSE)


def sparse(*runs):
    return bytearray(b'HYLL\1' + bytes(11) + b''.join(runs))


@pytest.mark.parametrize(
    'hll',
    [
        sparse(),
        sparse(b'\x7f\xfe'),
        sparse(b'\x7f\xff\0'),
        sparse(b'\x7f\xff\x80'),
        sparse(b'\x7f\xff' * 1000),
        sparse(b'\0' * 40_000),
        sparse(b'\x7f'),
    ],
)
def test_the_wrong_number_of_registers_is_noticed(hll):
    before = bytes(hll)
    for look in (registers_of, histogram_of, make_dense):
        with pytest.raises(CorruptError):
            look(hll)
    assert hll == before


@pytest.mark.parametrize('index', [0, 1, 5000, REGISTERS - 1])
@pytest.mark.parametrize('runs', [b'', b'\x40', b'\xff' * 500, b'\0' * 2000, b'\x40\0' * 900, b'\x80' * 1400 + b'\x41'])
def test_a_register_that_is_not_there_is_noticed(index, runs):
    hll = sparse(runs)
    try:
        set_sparse(hll, index, 3, ROOM)
    except CorruptError:
        assert hll == sparse(runs)


def test_random_bytes_do_no_harm():
    random = Random(4)
    for _ in range(300):
        hll = sparse(random.randbytes(random.choice((1, 3, 30, 700, 3000))))
        for _ in range(5):
            try:
                set_sparse(hll, random.randrange(REGISTERS), random.randrange(1, 40), 3000)
                estimate(histogram_of(hll))
            except CorruptError:
                pass


@pytest.mark.parametrize(
    ('value', 'expected'),
    [
        (b'', False),
        (b'HYLL', False),
        (b'HYLL\1' + bytes(10), False),
        (b'HYLL\1' + bytes(11), True),
        (b'HYLL\2' + bytes(11), False),
        (b'HYLL\0' + bytes(11), False),
        (b'HYLL\0' + bytes(DENSE_BYTES - 5), True),
        (b'HYLL\0' + bytes(DENSE_BYTES - 4), False),
        (b'hyll\1' + bytes(11), False),
    ],
)
def test_what_looks_like_one(value, expected):
    assert is_one(value) == expected


@pytest.mark.parametrize('number', range(64))
def test_registers_that_are_all_alike_give_an_estimate(number):
    histogram = [0] * 64
    histogram[number] = REGISTERS
    count = estimate(histogram)
    assert -(1 << 63) <= count < 1 << 63
    if 2 < number < 45:
        assert 2 ** (number + 13) < count < 2 ** (number + 15)
