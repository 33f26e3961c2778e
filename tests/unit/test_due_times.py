from array import array
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from selredis.values.due_times import GROUP, GROUP_BITS, NEVER_MS, DueTimes

times = st.one_of(st.integers(0, 20), st.just(NEVER_MS), st.just(-5))
places = st.integers(0, 10_000)
steps = st.one_of(
    st.tuples(st.just('append'), st.integers(1, 300), times),
    st.tuples(st.just('pop'), st.integers(1, 300), st.none()),
    st.tuples(st.just('lower'), places, times),
    st.tuples(st.just('correct'), places, times),
    st.tuples(st.just('first_due'), st.none(), times),
)


def groups_are_never_too_late(due_times):
    return all(
        above[place] <= min(level[place << GROUP_BITS : place + 1 << GROUP_BITS])
        for level, above in pairwise(due_times.levels)
        for place in range(len(above))
    )


def has_the_right_shape(due_times):
    sizes = [len(level) for level in due_times.levels]
    return sizes[-1] <= GROUP and all(above == -(-below // GROUP) for below, above in pairwise(sizes))


@settings(deadline=None)
@given(st.lists(steps, max_size=30))
def test_as_a_plain_list_would_tell(program):
    due_times = DueTimes()
    bounds: list[int] = []
    for verb, where, due_ms in program:
        if verb == 'append':
            for _ in range(where):
                due_times.append(due_ms)
                bounds.append(due_ms)
        elif verb == 'pop':
            for _ in range(min(where, len(bounds))):
                assert due_times.pop() == bounds.pop()
        elif verb == 'first_due':
            expected = next((slot for slot, bound in enumerate(bounds) if bound < due_ms), -1)
            assert due_times.first_due(due_ms) == expected
        elif bounds:
            slot = where % len(bounds)
            if verb == 'lower':
                due_times.lower(slot, due_ms)
                bounds[slot] = min(bounds[slot], due_ms)
            else:
                due_times.correct(slot, due_ms)
                bounds[slot] = due_ms
        assert len(due_times) == len(bounds)
        assert list(due_times.levels[0]) == bounds
        assert has_the_right_shape(due_times)
        assert groups_are_never_too_late(due_times)


def test_a_slot_is_due_when_its_time_is_past_and_not_before():
    due_times = DueTimes()
    due_times.append(100)
    assert due_times.first_due(100) == -1
    assert due_times.first_due(101) == 0


def test_none_is_due_where_there_is_no_slot():
    assert DueTimes().first_due(NEVER_MS) == -1


def test_while_nothing_is_due_only_the_top_is_looked_at():
    due_times = DueTimes()
    for _ in range(5000):
        due_times.append(NEVER_MS)
    due_times.levels[:-1] = [array('q') for _ in due_times.levels[1:]]
    assert due_times.first_due(1000) == -1
