"""KeyIndex alone. Hashes of bytes differ from run to run: what is asserted here holds for any."""

import sys
from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selredis.keyspace import index as index_module
from selredis.keyspace.index import KEYS_PER_BUCKET, KeyIndex
from selredis.values import buckets
from selredis.values.buckets import RANK_MASK, reverse_bits
from selredis.values.due_times import NEVER_MS


def numbered(start, stop):
    return [b'key:%d' % number for number in range(start, stop)]


def index_of(keys):
    index = KeyIndex()
    for key in keys:
        index.add(key)
    return index


def rank(key):
    return int(f'{hash(key) & RANK_MASK:031b}'[::-1], 2)


def whole_scan(index, count, cursor=0):
    found = []
    while True:
        cursor, keys = index.scan(cursor, count)
        assert 0 <= cursor <= RANK_MASK
        found += keys
        if cursor == 0:
            return found


def assert_well_formed(index, keys):
    assert len(index) == len(keys)
    assert sorted(key for bucket in index.buckets for key in bucket) == sorted(keys)
    assert len(index.due_times) == len(index.buckets)
    for slot, bucket in enumerate(index.buckets):
        for key in bucket:
            found, start, end = index._range(rank(key))
            assert found == slot
            assert start <= rank(key) < end


# Growing and shrinking by blocks of keys, so that buckets split and merge.
BLOCK = 40
blocks = st.lists(st.tuples(st.booleans(), st.integers(0, 15)), max_size=25)


def apply(index, present, block):
    """Add or remove a block of keys, those of it that are not there or are."""
    adding, number = block
    for key in numbered(number * BLOCK, (number + 1) * BLOCK):
        if adding and key not in present:
            index.add(key)
            present.add(key)
        elif not adding and key in present:
            index.remove(key)
            present.discard(key)


@given(st.integers(0, RANK_MASK))
def test_reversing_bits(number):
    assert reverse_bits(number) == int(f'{number:031b}'[::-1], 2)
    assert reverse_bits(reverse_bits(number)) == number


@settings(deadline=None)
@given(blocks)
def test_it_holds_the_keys_that_came_and_did_not_go(program):
    index = KeyIndex()
    present: set[bytes] = set()
    for block in program:
        apply(index, present, block)
        assert_well_formed(index, present)


def test_it_gives_its_buckets_back():
    index = index_of(numbered(0, 10_000))
    for key in numbered(0, 10_000):
        index.remove(key)
    assert len(index.buckets) <= 2
    assert_well_formed(index, [])


@settings(deadline=None, max_examples=200)
@given(st.integers(0, 30), blocks, st.lists(st.integers(1, 60), min_size=1), st.randoms(use_true_random=False))
def test_a_scan_returns_once_what_is_there_all_the_while(lasting_blocks, program, counts, random):
    lasting = {b'lasting:%d' % number for number in range(lasting_blocks * 10)}
    index = index_of(lasting)
    present: set[bytes] = set()
    for block in program[: len(program) // 2]:
        apply(index, present, block)
    meanwhile = program[len(program) // 2 :]
    ever_present = set(present)
    returned: Counter[bytes] = Counter()
    cursor = 0
    for count in counts * 1000:
        cursor, keys = index.scan(cursor, count)
        returned.update(keys)
        if cursor == 0:
            break
        if meanwhile:
            apply(index, present, meanwhile.pop(random.randrange(len(meanwhile))))
            ever_present |= present
    assert cursor == 0
    assert all(returned[key] == 1 for key in lasting)
    assert returned.keys() <= lasting | ever_present


@pytest.mark.parametrize('count', [1, 2, 10, 100, 1000, 10**18])
def test_a_scan_returns_about_as_many_keys_as_it_is_asked_for(count):
    index = index_of(numbered(0, 3000))
    cursor, keys = index.scan(0, count)
    assert min(count, 3000) <= len(keys) <= count + count // 4
    assert (cursor == 0) == (count >= 3000)


def test_the_cursor_is_zero_only_at_the_end():
    assert KeyIndex().scan(0, 10) == (0, [])
    index = index_of(numbered(0, 5))
    cursor, keys = index.scan(0, 3)
    assert cursor
    assert len(keys) == 3
    assert index.scan(cursor, 3)[0] == 0


class Counting(KeyIndex):
    """Counts how many buckets scans look at."""

    __slots__ = ('looks',)

    def __init__(self):
        super().__init__()
        self.looks = 0

    def _range(self, cursor):
        self.looks += 1
        return super()._range(cursor)


@pytest.mark.parametrize('size', [1000, 4000, 16000])
@pytest.mark.parametrize('count', [1, 10, 100])
def test_a_whole_scan_is_linear_in_all(size, count):
    index = Counting()
    for key in numbered(0, size):
        index.add(key)
    assert len(whole_scan(index, count)) == size
    assert index.looks <= size / count + 2 * len(index.buckets)


@pytest.mark.parametrize('left', [0, 10, 1000])
def test_a_whole_scan_is_no_longer_for_keys_that_are_gone(left):
    index = Counting()
    for key in numbered(0, 20_000):
        index.add(key)
    for key in numbered(left, 20_000):
        index.remove(key)
    assert sorted(whole_scan(index, 10)) == sorted(numbered(0, left))
    assert index.looks <= 2 + left


@settings(deadline=None)
@given(st.integers(0, 2**64 - 1), st.integers(1, 100))
def test_an_invented_cursor_goes_on_somewhere_and_leaves_nothing_behind(cursor, count):
    keys = numbered(0, 500)
    index = index_of(keys)
    before = [list(bucket) for bucket in index.buckets]
    found = whole_scan(index, count, cursor)
    assert sorted(found) == sorted(key for key in keys if rank(key) >= cursor & RANK_MASK)
    assert index.buckets == before


def test_keys_of_equal_rank_are_never_parted(monkeypatch):
    for module in (buckets, index_module):
        monkeypatch.setattr(module, 'hash', lambda _: 12345, raising=False)
    keys = numbered(0, 200)
    index = index_of(keys)
    assert sorted(whole_scan(index, 1)) == sorted(keys)
    assert sorted(index.scan(0, 1)[1]) == sorted(keys)
    for key in keys:
        index.remove(key)
    assert len(index) == 0


def test_what_a_scan_remembers_of_a_bucket_is_not_believed_when_that_has_changed():
    keys = numbered(0, 20)
    index = index_of(keys)
    cursor, first = index.scan(0, 5)
    index.add(b'late')
    index.remove(first[0])
    rest = whole_scan(index, 5, cursor)
    assert sorted(first + [key for key in rest if key != b'late']) == sorted(keys)
    assert (b'late' in rest) == (rank(b'late') >= cursor)


@pytest.mark.parametrize('size', [1, 2, 30, 500])
def test_every_key_is_as_likely_as_another(size):
    index = index_of(numbered(0, size))
    random = Random(7)
    drawn = Counter(index.random_key(random) for _ in range(100 * size))
    # The sum has a mean of size - 1 and a deviation of sqrt(2 * size).
    chi_squared = sum((drawn[key] - 100) ** 2 / 100 for key in numbered(0, size))
    assert chi_squared < size - 1 + 8 * (2 * size) ** 0.5


def test_a_random_key_is_found_in_an_index_that_was_large():
    index = index_of(numbered(0, 5000))
    for key in numbered(1, 5000):
        index.remove(key)
    assert index.random_key(Random(0)) == b'key:0'


def test_it_takes_little_memory():
    size = 100_000
    index = index_of(numbered(0, size))
    of_buckets = sum(map(sys.getsizeof, index.buckets)) + sys.getsizeof(index.buckets)
    of_times = sum(map(sys.getsizeof, index.due_times.levels))
    assert (of_buckets + of_times) / size < 14


# Deadlines


def due_keys(index, deadlines, now_ms):
    """What is due, as a search for expired keys finds it; it removes what it finds."""
    found = []
    while (slot := index.due_bucket(now_ms)) >= 0:
        bucket = index.buckets[slot]
        due = [key for key in bucket if deadlines.get(key, NEVER_MS) < now_ms]
        kept = [key for key in bucket if key not in due]
        index.looked_through(slot, kept, min((deadlines.get(key, NEVER_MS) for key in kept), default=NEVER_MS))
        found += due
    return found


@settings(deadline=None)
@given(blocks, st.lists(st.integers(1, 50), min_size=1), st.randoms(use_true_random=False))
def test_all_keys_that_are_due_are_found(program, deadline_pool, random):
    index = KeyIndex()
    present: set[bytes] = set()
    deadlines: dict[bytes, int] = {}
    now_ms = 0
    for block in program:
        apply(index, present, block)
        deadlines = {key: deadlines[key] for key in deadlines if key in present}
        for key in random.sample(sorted(present), min(len(present), 20)):
            deadlines[key] = now_ms + random.choice(deadline_pool)
            index.note_deadline(key, deadlines[key])
        now_ms += random.choice(deadline_pool)
        expected = [key for key, deadline_ms in deadlines.items() if deadline_ms < now_ms]
        assert sorted(due_keys(index, deadlines, now_ms)) == sorted(expected)
        present.difference_update(expected)
        deadlines = {key: deadlines[key] for key in deadlines if key in present}
        assert_well_formed(index, present)


def test_who_has_looked_through_a_bucket_is_not_sent_there_again():
    index = index_of(numbered(0, KEYS_PER_BUCKET))
    index.note_deadline(b'key:3', 100)
    slot = index.due_bucket(101)
    assert index.due_bucket(100) == -1
    # It was given more time.
    index.looked_through(slot, list(index.buckets[slot]), 500)
    assert index.due_bucket(101) == -1
    assert index.due_bucket(501) == slot
