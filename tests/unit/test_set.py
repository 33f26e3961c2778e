"""Sets alone, and the buckets that they are made of."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selredis.values.set import INTSET_ENTRIES, MEMBERS_PER_BUCKET, SORTED, Set, ascending


def numbered(start: int, stop: int) -> list[bytes]:
    return [b'member:%d' % number for number in range(start, stop)]


def whole_scan(members: Set, count: int, cursor: int = 0) -> list[bytes]:
    found: list[bytes] = []
    while True:
        cursor, some = members.scan(cursor, count)
        found += some
        if not cursor:
            return found


steps = st.lists(
    st.one_of(
        st.tuples(st.just('add'), st.integers(0, 300)),
        st.tuples(st.just('remove'), st.integers(0, 300)),
        st.tuples(st.just('add many'), st.integers(0, 300)),
        st.tuples(st.just('remove many'), st.integers(0, 300)),
        st.tuples(st.just('pop'), st.integers(0, 9)),
    ),
    max_size=40,
)


@settings(deadline=None, max_examples=60)
@given(steps)
def test_it_is_like_a_python_set(steps):
    members, model = Set(), set()
    random = Random(1)
    for step, number in steps:
        name = b'%d' % number
        match step:
            case 'add':
                assert members.add(name) == (name not in model)
                model.add(name)
            case 'remove':
                assert members.remove(name) == (name in model)
                model.discard(name)
            case 'add many':
                for each in numbered(number, number + 90):
                    assert members.add(each) == (each not in model)
                    model.add(each)
            case 'remove many':
                for each in numbered(number, number + 90):
                    assert members.remove(each) == (each in model)
                    model.discard(each)
            case 'pop' if model:
                popped = members.pop_random(random)
                model.remove(popped)
        assert len(members) == len(model)
    assert set(members) == model
    if len(members.buckets) > 1:
        assert sorted(members.lots) == sorted(model | members.gone)
        assert model.isdisjoint(members.gone)
    else:
        assert not members.lots
    assert sorted(members.copy()) == sorted(model)
    assert sorted(whole_scan(members, 7)) == sorted(model)
    assert all(name in members for name in model)


@pytest.mark.parametrize('size', [1, 5, MEMBERS_PER_BUCKET, 1000, 48 * MEMBERS_PER_BUCKET])
def test_each_member_is_as_likely_as_another(size):
    members = Set(numbered(0, size))
    random = Random(7)
    drawn = Counter(members.random_member(random) for _ in range(100 * size))
    assert len(drawn) == size
    chi_squared = sum((count - 100) ** 2 / 100 for count in drawn.values())
    assert chi_squared < size + 6 * (2 * size) ** 0.5 + 10


def test_each_is_as_likely_after_many_have_gone_and_come_back():
    size = 600
    members = Set(numbered(0, 2 * size))
    random = Random(3)
    for name in numbered(size, 2 * size):
        members.remove(name)
    for name in numbered(0, size // 2):
        members.remove(name)
        if random.random() < 0.5:
            members.pop_random(random)
    for name in numbered(0, size):
        members.add(name)
    for name in numbered(size, 2 * size):
        members.remove(name)
    assert sorted(members) == sorted(numbered(0, size))
    for drawn_from in (members, members.copy()):
        drawn = Counter(drawn_from.random_member(random) for _ in range(100 * size))
        assert set(drawn) == set(members)
        assert sum((count - 100) ** 2 / 100 for count in drawn.values()) < size + 6 * (2 * size) ** 0.5


def test_members_that_are_gone_are_few_beside_the_others():
    members = Set(numbered(0, 20_000))
    worst = 0.0
    for name in numbered(0, 19_000):
        members.remove(name)
        worst = max(worst, len(members.gone) / len(members.lots))
        assert len(members.lots) == len(members) + len(members.gone)
    assert 0.3 < worst < 0.9


def test_a_scan_returns_what_is_there_all_the_while():
    stay, go, come = numbered(0, 2000), numbered(2000, 4000), numbered(4000, 6000)
    members = Set(stay + go)
    found: list[bytes] = []
    cursor = 0
    for number in range(100_000):
        cursor, some = members.scan(cursor, 10)
        found += some
        if not cursor:
            break
        if number < len(go):
            members.remove(go[number])
            members.add(come[number])
    assert set(found) >= set(stay)
    assert len(found) == len(set(found))


def test_a_large_set_is_let_go_in_pieces():
    members = Set(numbered(0, 5000))
    sizes = []
    while members:
        members.shorten(500)
        sizes.append(len(members))
    assert 5 < len(sizes) <= 10
    assert sizes[-1] == 0


def test_a_set_that_has_shrunk_holds_few_buckets():
    members = Set(numbered(0, 5000))
    for name in numbered(10, 5000):
        members.remove(name)
    assert len(members.buckets) == 1
    assert members.most == 5000


def test_integers_alone_are_ascending():
    members = Set(b'%d' % (37 * number % INTSET_ENTRIES) for number in range(INTSET_ENTRIES))
    assert list(members) == [b'%d' % number for number in range(INTSET_ENTRIES)]
    assert members.is_intset
    members.remove(b'5')
    members.add(b'-5')
    assert list(members)[:7] == [b'-5', b'0', b'1', b'2', b'3', b'4', b'6']


def test_the_first_other_member_ends_the_ascending_integers():
    members = Set((b'3', b'1'))
    members.add(b'x')
    members.add(b'2')
    members.remove(b'x')
    assert list(members) == [b'1', b'3', b'2']
    assert not members.is_intset


def test_integers_are_not_sorted_again_before_one_is_added():
    members = Set((b'3', b'1'))
    list(members)
    bucket = members.buckets[0]
    members.remove(b'1')
    assert list(members) == [b'3']
    assert members.buckets[0] is bucket == {b'3': SORTED}
    members.add(b'1')
    assert list(members) == [b'1', b'3']


@given(st.lists(st.one_of(st.integers(-200, 200), st.integers(-(2**63), 2**63 - 1))))
def test_ascending_is_the_order_of_the_numbers(numbers):
    assert ascending([b'%d' % number for number in numbers]) == [b'%d' % number for number in sorted(numbers)]
