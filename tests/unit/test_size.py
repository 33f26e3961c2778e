"""What values take: the model of CPython's allocator."""

import sys

import pytest

from selredis.values.hash import FIELDS_PER_BUCKET, Hash
from selredis.values.list import List
from selredis.values.size import FRAMES, PARTS, allocated, size_of, string_bytes, strings_bytes
from selredis.values.sorted_set import SortedSet


@pytest.mark.parametrize(
    ('size', 'given'),
    [(0, 0), (1, 16), (16, 16), (17, 32), (512, 512), (513, 528), (520, 528), (521, 544), (200_000, 200_704)],
)
def test_the_allocator_rounds(size, given):
    assert allocated(size) == given


def test_strings_of_no_byte_or_one_are_there_once_for_all():
    assert [size_of(value) for value in (b'', b'x', b'xy')] == [0, 0, 48]


@pytest.mark.parametrize('length', [2, 100, 479, 480, 1000, 1_000_000])
def test_a_string_takes_no_less_than_its_object(length):
    size = sys.getsizeof(bytes(length))
    assert size <= string_bytes(length) == size_of(bytes(length)) <= size + 4096


def test_many_strings_take_what_each_of_them_takes():
    strings = [bytes(length) for length in (0, 1, 5, 5, 700)]
    assert strings_bytes(strings) == sum(map(size_of, strings))


def test_all_integers_count_alike():
    assert size_of(5) == size_of(2**62) == 32


def test_a_string_that_is_changed_in_place_counts_the_room_that_it_has():
    buffer = bytearray(1000)
    before = size_of(buffer)
    del buffer[:10]
    assert size_of(buffer) == before
    buffer += bytes(10_000)
    assert size_of(buffer) >= 10_990


def test_a_list_counts_its_elements_and_their_places():
    items = List([b'element'] * 1000)
    assert size_of(items) == pytest.approx(1000 * (48 + 8), rel=0.01)
    items.take_left(400)
    assert size_of(items) == pytest.approx(600 * 48 + 1000 * 8, rel=0.01)


def test_a_sample_tells_of_all_where_elements_are_alike():
    items = List([b'element'] * 1000)
    assert size_of(items, 5) == size_of(items, 0)
    items.push_left(bytes(100_000))
    assert size_of(items, 1) > 1000 * 100_000
    assert size_of(items, 5000) == size_of(items)


def test_a_sorted_set_counts_members_scores_and_their_places():
    members = SortedSet((b'member:%06d' % number, number / 8) for number in range(10_000))
    assert 125 * 10_000 < size_of(members) < 145 * 10_000
    # By chance a few buckets have a tenth more or fewer members than others: of many tables that comes to nothing.
    many = [SortedSet((b'%d:%06d' % (table, number), number / 8) for number in range(2000)) for table in range(10)]
    assert sum(size_of(each, 5) for each in many) == pytest.approx(sum(map(size_of, many)), rel=0.1)


def test_a_hash_of_one_bucket_takes_what_its_parts_take():
    hashes = [Hash((b'field:%d' % number, b'value') for number in range(3 * FIELDS_PER_BUCKET)) for _ in range(20)]
    for fields in hashes:
        size, count, cursor = PARTS[Hash](fields, 0, len(fields))
        assert (count, cursor) == (len(fields), 0)
        assert size_of(fields) == FRAMES[Hash](fields) + size
