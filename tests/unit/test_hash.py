"""A hash alone: beside a dict, and what it knows of deadlines."""

from collections import Counter
from random import Random
from sys import getsizeof

from hypothesis import given, settings
from hypothesis import strategies as st

from selredis.values.due_times import NEVER_MS
from selredis.values.hash import FIELDS_PER_BUCKET, LISTPACK_ENTRIES, Hash

NOW_MS = 1_700_000_000_000
MANY = 20 * FIELDS_PER_BUCKET


def field(number: int) -> bytes:
    return b'field:%d' % number


def filled(count: int) -> Hash:
    return Hash((field(number), b'%d' % number) for number in range(count))


STEPS = st.lists(
    st.tuples(st.sampled_from(('put', 'update', 'remove', 'expire', 'persist', 'pass')), st.integers(0, 150)),
    max_size=400,
)


@settings(max_examples=60, deadline=None)
@given(STEPS, st.integers(0, MANY))
def test_it_does_what_two_dicts_do(steps, count):
    fields = filled(count)
    values = {field(number): b'%d' % number for number in range(count)}
    deadlines: dict[bytes, int] = {}
    now_ms = NOW_MS
    for step, (verb, number) in enumerate(steps):
        name = field(number)
        value = b'new %d' % step
        match verb:
            case 'put':
                assert fields.put(name, value) == (name not in values)
                values[name] = value
                deadlines.pop(name, None)
            case 'update':
                fields.update(name, value)
                values[name] = value
            case 'remove':
                assert fields.remove(name) == (values.pop(name, None) is not None)
                deadlines.pop(name, None)
            case 'expire' if name in values:
                deadlines[name] = NOW_MS + step * number
                fields.set_deadline(name, deadlines[name])
            case 'persist':
                assert fields.clear_deadline(name) == (deadlines.pop(name, None) is not None)
            case 'pass':
                now_ms += number
                due = {name for name, deadline_ms in deadlines.items() if deadline_ms < now_ms}
                assert fields.due_fields(now_ms) == due
                assert len(fields.remove_due(now_ms, MANY)) == len(due)
                for name in due:
                    del values[name], deadlines[name]
        assert fields.deadline_of(name) == deadlines.get(name)
    copy = fields.copy()
    for number in range(10):
        fields.put(field(number), b'after')
    assert dict(copy.items()) == values
    assert sorted(copy) == sorted(values)
    assert sorted(copy.unordered_values()) == sorted(values.values())
    assert len(copy) == len(values)
    assert copy.due_ms() <= min(deadlines.values(), default=NEVER_MS)
    assert all(copy.get(name) == value and name in copy for name, value in values.items())
    assert len(copy.remove_due(NEVER_MS, 2 * MANY)) == len(deadlines)
    assert set(copy) == values.keys() - deadlines.keys()


def test_every_field_is_found_by_a_scan():
    fields = filled(MANY)
    found: list[bytes] = []
    cursor = None
    while cursor != 0:
        cursor, some = fields.scan(cursor or 0, 10)
        found += some
    assert Counter(found) == Counter(map(field, range(MANY)))


def test_random_fields_are_even():
    fields = filled(100)
    random = Random(1)
    drawn = Counter(fields.random_member(random) for _ in range(20_000))
    assert len(drawn) == 100
    assert min(drawn.values()) > 130
    assert max(drawn.values()) < 280


def test_due_fields_are_removed_some_at_a_time():
    fields = filled(MANY)
    for number in range(0, MANY, 2):
        fields.set_deadline(field(number), NOW_MS)
    assert fields.remove_due(NOW_MS, MANY) == []
    first = len(fields.remove_due(NOW_MS + 1, 100))
    assert 100 <= first < 100 + 3 * FIELDS_PER_BUCKET
    assert fields.due_ms() <= NOW_MS
    assert len(fields.remove_due(NOW_MS + 1, MANY)) == MANY // 2 - first
    assert fields.due_ms() == NEVER_MS
    assert len(fields) == MANY // 2


def test_deadlines_follow_their_fields_when_buckets_split_and_join():
    fields = filled(2)
    fields.set_deadline(field(1), NOW_MS + 5)
    for number in range(2, MANY):
        fields.put(field(number), b'')
    for number in range(2, MANY):
        fields.remove(field(number))
    assert fields.due_ms() <= NOW_MS + 5
    assert fields.remove_due(NOW_MS + 5, 1) == []
    assert len(fields.remove_due(NOW_MS + 6, 1)) == 1
    assert list(fields) == [field(0)]


def test_a_hash_without_deadlines_has_nothing_for_them():
    fields = filled(10)
    assert fields.deadlines is None
    assert fields.due_ms() == NEVER_MS
    assert not fields.is_due(field(1), NEVER_MS)
    assert not fields.clear_deadline(field(1))


def test_it_remembers_how_large_it_and_what_has_gone_was():
    fields = filled(30)
    fields.put(field(1), bytes(70))
    fields.put(field(1), b'short')
    assert fields.longest == 70
    fields.put(bytes(80), b'')
    fields.remove(bytes(80))
    assert fields.longest == 80
    for number in range(20):
        fields.remove(field(number))
    assert fields.most == 31


def test_deadlines_that_are_over_leave_no_large_table():
    fields = filled(5000)
    for number in range(5000):
        fields.set_deadline(field(number), NOW_MS + number % 10)
    assert fields.deadlines is not None
    large = getsizeof(fields.deadlines.times)
    fields.remove_due(NOW_MS + 10, 5000)
    assert getsizeof(fields.deadlines.times) < large / 100


def test_shortening_ends():
    fields = filled(MANY)
    for number in range(MANY):
        fields.set_deadline(field(number), NOW_MS)
    steps = 0
    while len(fields):
        fields.shorten(100)
        steps += 1
    assert steps < 20
    assert fields.deadlines is not None
    assert not fields.deadlines.times


def test_a_small_hash_has_its_fields_in_the_order_in_which_they_were_added():
    fields = filled(LISTPACK_ENTRIES)
    order = [field(number) for number in range(LISTPACK_ENTRIES)]
    assert list(fields) == order
    fields.put(field(7), b'changed')
    assert list(fields.items())[7] == (field(7), b'changed')
    fields.remove(field(8))
    fields.put(field(8), b'again')
    order.remove(field(8))
    assert list(fields) == [*order, field(8)]
    assert list(fields.copy()) == list(fields)
    fields.put(b'one more', b'')
    assert len(fields.buckets) > 1
    assert len(fields) == LISTPACK_ENTRIES + 1


def test_only_hashes_of_few_fields_share_their_names():
    hashes = [Hash((b'shared by %d' % number, b'') for number in range(2 * FIELDS_PER_BUCKET)) for _ in range(2)]
    same = [one is other for one, other in zip(*hashes, strict=True)]
    assert same == [True] * FIELDS_PER_BUCKET + [False] * FIELDS_PER_BUCKET


DEADLINE_STEPS = st.lists(
    st.tuples(st.sampled_from(('put', 'update', 'remove', 'expire', 'persist')), st.integers(0, 8), st.integers(0, 2)),
    max_size=60,
)


@settings(max_examples=100, deadline=None)
@given(DEADLINE_STEPS)
def test_fields_with_deadlines_come_first_in_their_order(steps):
    fields = filled(9)
    fields.set_deadline(field(0), NOW_MS)
    # As a listpack with deadlines: a new one stands before the first that is not earlier, none at the end.
    model: list[tuple[bytes, int]] = [(field(0), NOW_MS), *((field(number), NEVER_MS) for number in range(1, 9))]

    def place(name: bytes, deadline_ms: int) -> None:
        at = next((at for at, (_, its_ms) in enumerate(model) if its_ms >= deadline_ms), len(model))
        model.insert(len(model) if deadline_ms == NEVER_MS else at, (name, deadline_ms))

    for verb, number, ms in steps:
        name = field(number)
        entry = next((entry for entry in model if entry[0] == name), None)
        if verb == 'put':
            fields.put(name, b'')
        elif verb == 'update':
            fields.update(name, b'')
        elif verb == 'remove':
            fields.remove(name)
        elif verb == 'persist':
            fields.clear_deadline(name)
        elif entry is not None:
            fields.set_deadline(name, NOW_MS + ms)
        has_deadline = entry is not None and entry[1] != NEVER_MS
        if entry is not None and (verb in ('remove', 'expire') or (verb in ('put', 'persist') and has_deadline)):
            model.remove(entry)
            if verb != 'remove':
                place(name, NOW_MS + ms if verb == 'expire' else NEVER_MS)
        elif entry is None and verb in ('put', 'update'):
            place(name, NEVER_MS)
        assert list(fields) == [name for name, _ in model]
        assert [name for name, _ in fields.items()] == list(fields)
