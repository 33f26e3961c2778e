import pytest

from selredis.clock import ManualClock
from selredis.keyspace.freeing import BUCKETS_A_LOOK, LARGE, MEMBERS_A_LOOK, SLICE_US, Discarded
from selredis.values.list import List


class Ticking(ManualClock):
    """A clock that goes on by a quarter of a slice each time it is looked at."""

    def monotonic_us(self):
        self.advance(SLICE_US / 4 / 1000)
        return super().monotonic_us()


@pytest.mark.parametrize(
    ('container', 'a_look'),
    [
        (dict.fromkeys(range(10_000), b'v'), MEMBERS_A_LOOK),
        (List([b'x'] * 10_000), MEMBERS_A_LOOK),
        ([[b'key']] * 10_000, BUCKETS_A_LOOK),
    ],
    ids=['dict', 'list', 'buckets'],
)
def test_a_slice_ends_when_its_time_is_over(container, a_look):
    discarded = Discarded()
    discarded.add(container)
    assert discarded.free_slice(Ticking())
    assert len(container) == 10_000 - 4 * a_look
    while discarded.free_slice(Ticking()):
        pass
    assert not container
    assert not discarded.containers


def test_all_goes_in_one_slice_if_there_is_time():
    discarded = Discarded()
    containers = [{1: b'v'}, List([b'x'] * 20_000), [[b'key']], bytearray(20_000)]
    discarded.add(*containers)
    assert not discarded.free_slice(ManualClock())
    assert not any(containers)


def test_large_values_within_a_dict_are_laid_aside_in_their_turn():
    discarded = Discarded()
    small, large = List([b'x'] * LARGE), List([b'x'] * (LARGE + 1))
    discarded.add({b'small': small, b'large': large})
    discarded.free_slice(ManualClock())
    assert not large
    assert len(small) == LARGE  # nobody holds it any more, but this test


def test_where_there_is_nothing_no_clock_is_read():
    class Unread(ManualClock):
        def monotonic_us(self):
            raise AssertionError

    assert not Discarded().free_slice(Unread())


# Objects of INFO


def test_a_value_counts_as_one_object_when_it_is_gone():
    discarded = Discarded()
    discarded.add(List([b'x'] * 10_000), objects=1)
    discarded.free_slice(Ticking())
    assert (discarded.pending, discarded.freed) == (1, 0)
    while discarded.free_slice(Ticking()):
        pass
    assert (discarded.pending, discarded.freed) == (0, 1)


@pytest.mark.parametrize('free', [lambda discarded: discarded.free_slice(ManualClock()), Discarded.free])
def test_a_database_counts_as_its_keys_whatever_they_hold(free):
    discarded = Discarded()
    discarded.add([[b'key']], {b'a': 1}, {b'a': b'v', b'b': List([b'x'] * (LARGE + 1))}, objects=2)
    assert (discarded.pending, discarded.freed) == (2, 0)
    free(discarded)
    assert (discarded.pending, discarded.freed) == (0, 2)
