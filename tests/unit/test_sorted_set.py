"""The sorted set's structure alone: it must do what a sorted list of scores and members would."""

from itertools import accumulate, pairwise
from math import inf

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from selredis.values import sorted_set
from selredis.values.sorted_set import SortedSet

MANY = 400

Model = dict[bytes, float]


@pytest.fixture(autouse=True)
def short_runs(monkeypatch):
    """So that few members make many runs, and many groups of runs."""
    monkeypatch.setattr(SortedSet, 'usual', 10)
    monkeypatch.setattr(sorted_set, 'LONG', 8)
    monkeypatch.setattr(sorted_set, 'SHORT', 3)
    monkeypatch.setattr(sorted_set, 'JOINED', 6)
    monkeypatch.setattr(sorted_set, 'GROUP_BITS', 2)
    monkeypatch.setattr(sorted_set, 'GROUP', 4)


def in_order(model: Model) -> list[tuple[bytes, float]]:
    return sorted(model.items(), key=lambda item: (item[1], item[0]))


def name(number: int) -> bytes:
    return b'member:%d' % number


def check(members: SortedSet, model: Model) -> None:
    expected = in_order(model)
    assert list(members.items()) == expected
    assert list(members) == [member for member, _ in expected]
    assert len(members) == len(model)
    assert {member: score for bucket in members.buckets for member, score in bucket.items()} == model
    held = {id(member) for bucket in members.buckets for member in bucket}
    assert {id(member) for member in members} == held, 'a member is kept twice'

    runs = members.member_runs
    assert [len(run) for run in runs] == [len(run) for run in members.score_runs]
    assert all(len(run) <= sorted_set.LONG for run in runs)
    assert all(runs) or len(runs) == 1
    assert len(members.bound_members) == len(members.bound_scores) == len(runs) - 1
    for number, bound in enumerate(zip(members.bound_scores, members.bound_members, strict=True)):
        assert (members.score_runs[number][-1], runs[number][-1]) <= bound
        assert bound < (members.score_runs[number + 1][0], runs[number + 1][0])
    groups = range(0, len(runs), sorted_set.GROUP) if len(runs) > 1 else ()
    assert members.totals == [sum(map(len, runs[start : start + sorted_set.GROUP])) for start in groups]
    assert members.starts in (None, [0, *accumulate(members.totals)])
    assert members.run_starts in (None, [0, *accumulate(map(len, members.member_runs[:-1]))])


numbers = st.integers(0, MANY)
few_scores = st.sampled_from((0.0, 1.0, -1.0, 2.5, inf, -inf, 1e300, 5e-324))
scores = st.one_of(few_scores, numbers.map(float))
shares = st.floats(0, 1)
steps = st.lists(
    st.one_of(
        st.tuples(st.just('put'), numbers, scores),
        st.tuples(st.just('remove'), numbers, numbers),
        st.tuples(st.just('fill'), numbers, numbers),
        st.tuples(st.just('level'), numbers, scores),
        st.tuples(st.just('empty'), numbers, numbers),
        st.tuples(st.just('cut'), shares, shares),
        st.tuples(st.just('first'), numbers, numbers),
    ),
    max_size=15,
)


def apply(members: SortedSet, model: Model, verb: str, *arguments: object) -> None:
    """Do the same to the sorted set and to its model, and compare what they return."""
    match verb, *arguments:
        case 'put', int(number), float(score):
            assert members.put(name(number), score) == model.get(name(number))
            model[name(number)] = score
        case 'remove', int(number), int():
            assert members.remove(name(number)) == (model.pop(name(number), None) is not None)
        case 'fill', int(start), int(stop):
            for number in range(start, stop):
                model[name(number)] = float(number * 7919 % MANY)
                members.put(name(number), model[name(number)])
        case 'level', int(start), float(score):
            for number in range(start, MANY, 2):
                model[name(number)] = score
                members.put(name(number), score)
        case 'empty', int(start), int(stop):
            for number in range(start, stop):
                assert members.remove(name(number)) == (model.pop(name(number), None) is not None)
        case 'cut', float(one), float(other):
            start, stop = round(one * len(model)), round(other * len(model))
            expected = in_order(model)[start:stop]
            assert members.remove_range(start, stop) == expected
            for member, _ in expected:
                del model[member]
        case 'first', int(count), int():
            for expected_one in in_order(model)[:count]:
                assert members.remove_range(0, 1) == [expected_one]
                del model[expected_one[0]]


@settings(max_examples=50)
@given(steps)
@example([('level', 0, 0.0), ('cut', 0.0, 0.5)])
def test_it_is_a_sorted_list(steps):
    members = SortedSet()
    model: Model = {}
    for step in steps:
        apply(members, model, *step)
        check(members, model)


@settings(max_examples=20)
@given(st.dictionaries(numbers.map(name), scores, max_size=MANY), scores, numbers.map(name), shares, shares)
def test_what_it_tells(model, score, member, one, other):
    members = SortedSet(model.items())
    check(members, model)
    expected = in_order(model)
    assert members.score(member) == model.get(member)
    assert (member in members) == (member in model)
    place = expected.index((member, model[member])) if member in model else None
    assert members.rank(member) == place
    assert members.below(score) == sum(each < score for each in model.values())
    assert members.up_to(score) == sum(each <= score for each in model.values())
    start, stop = round(one * len(model)), round(other * len(model))
    assert members.range_items(start, stop) == expected[start:stop]
    assert members.range(start, stop) == [each for each, _ in expected[start:stop]]
    assert members.range(0, len(model)) == [each for each, _ in expected]


@settings(max_examples=20)
@given(st.sets(numbers.map(name), max_size=MANY), numbers.map(name))
def test_members_of_one_score_are_ordered_by_their_bytes(model, member):
    members = SortedSet((each, 1.0) for each in model)
    assert list(members) == sorted(model)
    assert members.before(member) == sum(each < member for each in model)
    assert members.through(member) == sum(each <= member for each in model)
    assert members.through(b'') == 0


def filled(count: int) -> SortedSet:
    return SortedSet((name(number), float(number % 7)) for number in range(count))


def test_a_copy_is_another():
    members = filled(MANY)
    model = dict(members.items())
    copied = members.copy()
    check(copied, model)
    copied.remove_range(10, 300)
    copied.put(b'another', 1.0)
    check(members, model)


def test_minus_zero_is_zero():
    members = SortedSet([(b'a', -0.0), (b'c', 1.0)])
    members.put(b'b', -0.0)
    members.put(b'c', -0.0)
    assert [str(score) for _, score in members.items()] == ['0.0', '0.0', '0.0']
    assert [str(members.score(member)) for member in (b'a', b'b', b'c')] == ['0.0', '0.0', '0.0']


def test_it_can_be_let_go_in_pieces():
    members = filled(MANY)
    lengths = [MANY]
    while members:
        members.shorten(100)
        lengths.append(len(members))
    assert all(after < before for before, after in pairwise(lengths))
    assert len(lengths) < 10


def test_a_scan_returns_every_member():
    members = filled(MANY)
    cursor, found = members.scan(0, 10)
    while cursor:
        cursor, more = members.scan(cursor, 10)
        found += more
    assert sorted(found) == sorted(members)
