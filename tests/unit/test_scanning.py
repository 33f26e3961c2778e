"""The dict that can be scanned, alone: it must do what a dict does, and a scan what SCAN promises."""

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selredis.values import scanning
from selredis.values.scanning import RANK_BITS, ScannableDict, ranks_of, reverse_bits

MANY = 700


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    """So that few members are spread over many parts."""
    monkeypatch.setattr(scanning, 'MOST', 8)
    monkeypatch.setattr(scanning, 'FEW', 3)


def names(start: int, stop: int) -> list[bytes]:
    return [b'member:%d' % number for number in range(start, stop)]


def filled(count: int) -> ScannableDict[int]:
    return ScannableDict((name, number) for number, name in enumerate(names(0, count)))


def check(table: ScannableDict[int], model: dict[bytes, int]) -> None:
    """Every member is in the part where it is looked for, and each part in all places that are its own."""
    assert dict(table.items()) == model
    assert sorted(table) == sorted(model)
    assert len(table) == len(model)
    assert len(table.parts) == table.mask + 1
    for slot, part in enumerate(table.parts):
        bits = table._bits(slot)
        for member in part:
            assert hash(member) & (1 << bits) - 1 == slot & (1 << bits) - 1
        places = [place for place, other in enumerate(table.parts) if other is part]
        assert places == list(range(slot & (1 << bits) - 1, len(table.parts), 1 << bits))


steps = st.lists(
    st.tuples(st.sampled_from(('set', 'delete', 'fill', 'empty')), st.integers(0, MANY), st.integers(0, MANY)),
    max_size=12,
)


@settings(max_examples=30)
@given(steps)
def test_it_is_a_dict(steps):
    table: ScannableDict[int] = ScannableDict()
    model: dict[bytes, int] = {}
    for verb, one, other in steps:
        if verb == 'set':
            table[b'member:%d' % one] = model[b'member:%d' % one] = other
        elif verb == 'delete':
            member = b'member:%d' % one
            if model.pop(member, None) is not None:
                del table[member]
        elif verb == 'fill':
            for name in names(one, other):
                table[name] = model[name] = one
        else:
            for name in names(one, other):
                if model.pop(name, None) is not None:
                    del table[name]
        check(table, model)
        assert table.get(b'member:%d' % one) == model.get(b'member:%d' % one)
        assert (b'member:%d' % other in table) == (b'member:%d' % other in model)


def test_what_is_not_there():
    table = filled(100)
    assert table.get(b'other') is None
    with pytest.raises(KeyError):
        table[b'other']
    with pytest.raises(KeyError):
        del table[b'other']


def test_a_copy_is_another():
    table = filled(100)
    copied = table.copy()
    check(copied, dict(table.items()))
    for name in names(0, 100):
        del copied[name]
    check(copied, {})
    check(table, {name: number for number, name in enumerate(names(0, 100))})


def test_when_all_are_gone_it_is_small_again():
    table = filled(MANY)
    assert len(table.parts) > MANY / 8
    for name in names(0, MANY):
        del table[name]
    assert len(table.parts) == 1


def test_it_can_be_let_go_in_pieces():
    table = filled(MANY)
    lengths = []
    while table:
        table.shorten(100)
        lengths.append(len(table))
    assert all(before - 100 <= after < before for before, after in pairwise([MANY, *lengths]))
    assert len(lengths) < 10


# --- scanning ---


def scan(table: ScannableDict[int], count: int) -> list[bytes]:
    """A whole scan."""
    cursor, found = table.scan(0, count)
    while cursor:
        assert cursor < 2**31
        cursor, more = table.scan(cursor, count)
        found += more
    return found


@pytest.mark.parametrize('size', [0, 1, 8, 9, 100, MANY])
@pytest.mark.parametrize('count', [1, 3, 10, 1000])
def test_a_scan_returns_every_member_once(size, count):
    assert Counter(scan(filled(size), count)) == Counter(names(0, size))


def test_a_step_returns_about_as_many_as_it_was_asked_for():
    table = filled(MANY)
    for count in (1, 5, 10, 100):
        cursor, found = table.scan(0, count)
        assert cursor
        assert count <= len(found) <= count * 5 // 4 + 1


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(0, MANY), st.integers(0, MANY), st.booleans()), max_size=30))
def test_what_stays_is_returned_whatever_comes_and_goes(changes):
    table = filled(MANY // 2)
    faithful = set(names(0, 50))
    found: set[bytes] = set()
    cursor = 0
    for start, stop, come in changes:
        cursor, members = table.scan(cursor, 7)
        found.update(members)
        if not cursor:
            break
        for name in names(max(start, 50), stop):
            if come:
                table[name] = 0
            elif name in table:
                del table[name]
    while cursor:
        cursor, members = table.scan(cursor, 50)
        found.update(members)
    assert changes == [] or found >= faithful


@pytest.mark.parametrize('cursor', [1, 2**30, 2**31 - 1, 2**31, 2**63, 2**64 - 1])
@pytest.mark.parametrize('size', [0, 5, 100])
def test_any_number_is_a_cursor(cursor, size):
    table = filled(size)
    while cursor:
        cursor, members = table.scan(cursor, 10)
        assert set(members) <= set(names(0, size))


class Same(bytes):
    """Bytes that have all the same hash."""

    __slots__ = ()

    def __hash__(self) -> int:
        return 5


def test_members_that_no_hash_tells_apart_come_together():
    table: ScannableDict[int] = ScannableDict((Same(name), 0) for name in names(0, 20))
    assert len(table.parts) <= 32
    cursor, found = table.scan(0, 1)
    assert sorted(found) == sorted(names(0, 20))
    assert table.scan(cursor, 1) == (0, [])


def test_ranks_are_hashes_in_reversed_order():
    members = names(0, 50)
    assert ranks_of(members) == [reverse_bits(hash(member)) for member in members]
    assert reverse_bits(1) == 1 << RANK_BITS - 1
