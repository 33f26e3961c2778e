"""selredis/timers.py"""

import gc
import weakref
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selredis.timers import SMALL_HEAP, Timer, Timers


@pytest.fixture
def ran() -> list[str]:
    return []


@pytest.fixture
def errors() -> list[Exception]:
    return []


@pytest.fixture
def timers(errors) -> Timers:
    return Timers(errors.append)


def test_nothing_runs_before_its_deadline(timers, ran):
    timers.call_at(100, lambda: ran.append('a'))
    timers.run_due(99)
    assert ran == []
    timers.run_due(100)
    assert ran == ['a']


def test_each_runs_once(timers, ran):
    timers.call_at(100, lambda: ran.append('a'))
    timers.run_due(100)
    timers.run_due(200)
    assert ran == ['a']


def test_order_is_that_of_deadlines_then_of_arrival(timers, ran):
    for deadline_ms, name in ((30, 'd'), (10, 'a'), (20, 'b'), (20, 'c')):
        timers.call_at(deadline_ms, partial(ran.append, name))
    timers.run_due(30)
    assert ran == ['a', 'b', 'c', 'd']


def test_a_cancelled_timer_never_runs(timers, ran):
    timer = timers.call_at(10, lambda: ran.append('a'))
    timer.cancel()
    timer.cancel()
    timers.run_due(10)
    assert ran == []
    assert len(timers) == 0


def test_cancelling_what_has_run_does_nothing(timers, ran):
    timer = timers.call_at(10, lambda: ran.append('a'))
    timers.call_at(20, lambda: ran.append('b'))
    timers.run_due(10)
    timer.cancel()
    assert len(timers) == 1
    timers.run_due(20)
    assert ran == ['a', 'b']


def test_a_callback_may_cancel_one_that_is_due_with_it(timers, ran):
    waiting: list[Timer] = []
    timers.call_at(10, lambda: waiting[0].cancel())
    waiting.append(timers.call_at(10, lambda: ran.append('second')))
    timers.call_at(10, lambda: ran.append('third'))
    timers.run_due(10)
    assert ran == ['third']
    assert len(timers) == 0


def test_a_callback_may_add_timers(timers, ran):
    timers.call_at(10, lambda: timers.call_at(20, lambda: ran.append('added')))
    timers.run_due(10)
    timers.run_due(20)
    assert ran == ['added']


def test_what_a_callback_adds_waits_for_the_next_call_even_if_due(timers, ran):
    def renew():
        ran.append('tick')
        timers.call_at(0, renew)

    timers.call_at(0, renew)
    timers.run_due(10)
    assert ran == ['tick']
    assert timers.seconds_until_next(10) == 0.0
    timers.run_due(10)
    assert ran == ['tick', 'tick']


def test_a_callback_that_raises_is_reported_and_does_not_stop_the_others(timers, ran, errors):
    mistake = ZeroDivisionError()

    def fail():
        raise mistake

    timers.call_at(10, fail)
    timers.call_at(10, lambda: ran.append('next'))
    timers.run_due(10)
    assert errors == [mistake]
    assert ran == ['next']


def test_seconds_until_next(timers):
    assert timers.seconds_until_next(0) is None
    later = timers.call_at(2_500, print)
    sooner = timers.call_at(2_000, print)
    assert timers.seconds_until_next(1_000) == 1.0
    assert timers.seconds_until_next(9_000) == 0.0
    sooner.cancel()
    assert timers.seconds_until_next(1_000) == 1.5
    later.cancel()
    assert timers.seconds_until_next(1_000) is None


def test_remains_of_cancelled_timers_are_dropped_when_they_outweigh_the_others(timers):
    kept = [timers.call_at(1_000 + n, print) for n in range(10)]
    for n in range(10_000):
        timers.call_at(n, print).cancel()
        assert len(timers._heap) <= 2 * len(kept) + SMALL_HEAP
    assert len(timers) == len(kept)


def test_a_cancelled_timer_holds_on_to_nothing(timers):
    class Wait:
        def expire(self):
            pass

    wait = Wait()
    gone = weakref.ref(wait)
    timer = timers.call_at(10, wait.expire)
    timer.cancel()
    del wait
    gc.collect()
    assert gone() is None


@given(st.lists(st.tuples(st.integers(0, 50), st.booleans()), max_size=300), st.integers(0, 50))
def test_whatever_is_cancelled_the_rest_runs_in_order(plan, now_ms):
    ran: list[tuple[int, int]] = []
    errors: list[Exception] = []
    timers = Timers(errors.append)
    made = [
        timers.call_at(deadline_ms, partial(ran.append, (deadline_ms, arrival)))
        for arrival, (deadline_ms, _) in enumerate(plan)
    ]
    for timer, (_, cancelled) in zip(made, plan, strict=True):
        if cancelled:
            timer.cancel()
    living = sorted((deadline_ms, n) for n, (deadline_ms, cancelled) in enumerate(plan) if not cancelled)
    assert len(timers) == len(living)
    timers.run_due(now_ms)
    assert ran == [entry for entry in living if entry[0] <= now_ms]
    assert len(timers) == len(living) - len(ran)
    timers.run_due(50)
    assert ran == living
    assert timers.seconds_until_next(50) is None
