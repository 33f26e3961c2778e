"""selredis/clock.py"""

import time

import pytest

from selredis.clock import Clock, ManualClock, SystemClock, not_replaced


def test_the_system_clock_tells_unix_time_in_both_units():
    clock: Clock = SystemClock()
    before = time.time_ns()
    now_us, now_ms = clock.now_us(), clock.now_ms()
    after = time.time_ns()
    assert before // 1_000 <= now_us <= after // 1_000
    assert before // 1_000_000 <= now_ms <= after // 1_000_000


def test_the_system_clock_counts_monotonic_microseconds():
    clock: Clock = SystemClock()
    before = time.monotonic_ns() // 1_000
    assert before <= clock.monotonic_us() <= time.monotonic_ns() // 1_000


def test_functions_that_a_program_has_replaced_are_not_read(monkeypatch):
    day_ns = 86_400 * 10**9
    real_ns, real_monotonic_ns = time.time_ns, time.monotonic_ns
    clock: Clock = SystemClock()
    for name in ('time_ns', 'monotonic_ns', 'time', 'monotonic'):
        monkeypatch.setattr(time, name, lambda: 300 * day_ns)
    for read_ns, real in ((clock.now_ns, real_ns), (clock.monotonic_ns, real_monotonic_ns)):
        assert abs(read_ns() - real()) < day_ns
    assert abs(clock.now_ms() - real_ns() // 10**6) < day_ns // 10**6
    assert abs(clock.monotonic_us() - real_monotonic_ns() // 1000) < day_ns // 1000
    # They may be replaced already when this module is imported.
    read_ns = not_replaced(time.monotonic_ns, time.CLOCK_MONOTONIC)
    assert abs(read_ns() - real_monotonic_ns()) < day_ns
    assert not_replaced(real_ns, time.CLOCK_REALTIME) is real_ns


def test_a_manual_clock_may_be_set_without_time_passing():
    clock = ManualClock(start_ms=5_000)
    monotonic_ns = clock.monotonic_ns()
    clock.set(-7)
    assert (clock.now_ms(), clock.now_us()) == (-7, -7_000)
    assert clock.monotonic_ns() == monotonic_ns


def test_a_manual_clock_stands_still():
    clock: Clock = ManualClock(start_ms=5_000)
    assert (clock.now_ms(), clock.now_us()) == (5_000, 5_000_000)
    assert clock.monotonic_us() == clock.monotonic_us()


def test_advance_moves_all_of_a_manual_clock():
    clock = ManualClock(start_ms=5_000)
    monotonic_us = clock.monotonic_us()
    clock.advance(1_500)
    assert (clock.now_ms(), clock.now_us()) == (6_500, 6_500_000)
    assert clock.monotonic_us() - monotonic_us == 1_500_000


def test_parts_of_a_millisecond_add_up():
    clock = ManualClock(start_ms=0)
    clock.advance(0.4)
    clock.advance(0.6)
    assert clock.now_ms() == 1


def test_a_manual_clock_does_not_go_back():
    clock = ManualClock()
    with pytest.raises(ValueError, match='go back'):
        clock.advance(-1)


def test_to_sleep_is_to_let_time_pass():
    clock = ManualClock(start_ms=0)
    clock.sleep(0.25)
    assert (clock.now_ms(), clock.monotonic_us()) == (250, 250_000)
    system: Clock = SystemClock()
    before_us = system.monotonic_us()
    system.sleep(0.001)
    assert system.monotonic_us() - before_us >= 1_000
