"""What belongs to consumer groups, alone."""

import gc

from hypothesis import given, settings
from hypothesis import strategies as st

from selredis.values.stream_groups import CHUNK, Group, IdMap

ids = st.integers(0, 5 * CHUNK)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just('set'), ids),
            st.tuples(st.just('pop'), ids),
            st.tuples(st.just('append'), st.integers(1, 3 * CHUNK)),
            st.tuples(st.just('insert'), ids, st.integers(1, 3 * CHUNK)),
            st.tuples(st.just('pop many'), ids, st.integers(1, 3 * CHUNK)),
        ),
        max_size=20,
    )
)
def test_an_id_map_does_what_a_sorted_dict_does(script: list[tuple[object, ...]]):
    mapping: IdMap[int] = IdMap()
    model: dict[int, int] = {}
    for number, action in enumerate(script):
        match action:
            case 'set', int(id_):
                mapping[id_] = model[id_] = number
            case 'pop', int(id_):
                assert mapping.pop(id_) == model.pop(id_, None)
            case 'append', int(count):
                first = max(model, default=0) + 1
                fresh = list(range(first, first + count))
                mapping.extend(fresh, [number] * count)
                model.update(dict.fromkeys(fresh, number))
            case 'insert', int(first), int(count):
                for id_ in range(first, first + count):
                    mapping[id_] = model[id_] = number
            case 'pop many', int(first), int(count):
                for id_ in range(first, first + 2 * count, 2):
                    assert mapping.pop(id_) == model.pop(id_, None)
        expected = sorted(model.items())
        assert list(mapping.items()) == expected
        assert list(mapping.ids()) == [id_ for id_, _ in expected]
        assert len(mapping) == len(model)
        if model:
            assert (mapping.first, mapping.last) == (min(model), max(model))
        middle = 2 * CHUNK
        assert mapping.get(middle) == model.get(middle)
        assert list(mapping.items(middle)) == [item for item in expected if item[0] >= middle]
        assert all(len(chunk) <= 2 * CHUNK for chunk in mapping._ids)


def with_consumers(*names: bytes) -> Group:
    group = Group(0, 0)
    for name in names:
        group.add_consumer(name, 1000)
    return group


def pending(group: Group, name: bytes | None = None) -> list[tuple[int, bytes, int, int]]:
    mapping = group.pending if name is None else group.consumers[name].pending
    return [(id_, each.consumer, each.time_ms, each.count) for id_, each in mapping.items()]


def test_an_entry_is_pending_with_one_consumer_only():
    group = with_consumers(b'a', b'b')
    group.give_new([1, 2], b'a', 10)
    group.give(2, b'b', 20, 5)
    group.give(3, b'b', 30, 1)
    assert pending(group) == [(1, b'a', 10, 1), (2, b'b', 20, 5), (3, b'b', 30, 1)]
    assert pending(group, b'a') == [(1, b'a', 10, 1)]
    assert pending(group, b'b') == [(2, b'b', 20, 5), (3, b'b', 30, 1)]


def test_a_group_that_is_set_back_takes_entries_from_whom_it_gave_them_to():
    group = with_consumers(b'a', b'b')
    group.give_new([1, 2, 3], b'a', 10)
    group.give_new([2, 3, 4], b'b', 20)
    assert pending(group, b'a') == [(1, b'a', 10, 1)]
    assert pending(group, b'b') == [(id_, b'b', 20, 1) for id_ in (2, 3, 4)]
    assert len(group.pending) == 4


def test_what_is_acknowledged_is_pending_no_longer():
    group = with_consumers(b'a')
    group.give_new([1, 2], b'a', 10)
    assert group.acknowledge(1)
    assert not group.acknowledge(1)
    assert pending(group) == pending(group, b'a') == [(2, b'a', 10, 1)]


def test_a_consumer_leaves_with_all_that_is_pending_with_it():
    group = with_consumers(b'a', b'b')
    group.give_new([1, 3], b'a', 10)
    group.give_new([4], b'b', 10)
    assert group.remove_consumer(b'a') == 2
    assert pending(group) == [(4, b'b', 10, 1)]


def test_a_copy_shares_nothing():
    group = with_consumers(b'a', b'b')
    group.give_new([1, 2], b'a', 10)
    group.consumers[b'a'].active_ms = 10
    copy = group.copy()
    copy.acknowledge(1)
    copy.give(2, b'b', 20, 9)
    assert pending(group) == [(1, b'a', 10, 1), (2, b'a', 10, 1)]
    assert pending(copy) == [(2, b'b', 20, 9)]
    assert (copy.consumers[b'a'].seen_ms, copy.consumers[b'a'].active_ms) == (1000, 10)


def test_nothing_goes_round_in_a_circle():
    group = with_consumers(b'a')
    group.give_new(list(range(1, 100)), b'a', 10)
    gc.collect()
    gc.disable()
    try:
        del group
        assert gc.collect() == 0
    finally:
        gc.enable()
