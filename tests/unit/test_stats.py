"""Counters and rates."""

import pytest

from selredis.engine.stats import ERROR_CODES, Rate, Stats

TENTH_US = 100_000


def test_a_rate_is_the_mean_of_sixteen_samples():
    rate = Rate()
    for tenth in range(9):
        rate.sample(tenth * 50, tenth * TENTH_US)
    assert rate.per_second == 500 // 2
    for tenth in range(9, 17):
        rate.sample(tenth * 50, tenth * TENTH_US)
    assert rate.per_second == 500
    for tenth in range(17, 33):
        rate.sample(800, tenth * TENTH_US)
    assert rate.per_second == 0


def test_the_first_sample_is_only_where_counting_begins():
    rate = Rate()
    rate.sample(1_000_000, 0)
    assert rate.per_second == 0


def test_a_clock_that_stands_still_does_no_harm():
    rate = Rate()
    rate.sample(1, 5)
    rate.sample(2, 5)
    assert rate.per_second == 0


@pytest.mark.parametrize('ticks_a_second', [10, 100, 500])
def test_rates_do_not_depend_on_hz(ticks_a_second):
    stats = Stats()
    for tick in range(4 * ticks_a_second):
        stats.commands = 1000 * tick // ticks_a_second
        stats.input_bytes = 10 * stats.commands
        stats.sample(tick * 1_000_000 // ticks_a_second)
    assert stats.command_rate.per_second == pytest.approx(1000, rel=0.01)
    assert stats.input_rate.per_second == pytest.approx(10_000, rel=0.01)
    assert stats.output_rate.per_second == 0


def test_errors_are_counted_by_their_first_word():
    stats = Stats()
    for text in (b'ERR a', b'ERR b', b'WRONGTYPE c', b'one-word', b'no-space-in-the-first-32-bytes-of-it really'):
        stats.count_error(text)
    assert stats.errors == 5
    assert stats.error_codes == {b'ERR': 4, b'WRONGTYPE': 1}


def test_clients_cannot_make_up_codes_without_end():
    stats = Stats()
    for number in range(2 * ERROR_CODES):
        stats.count_error(b'CODE%d text' % number)
        stats.count_error(b'CODE0 text')
    assert len(stats.error_codes) == ERROR_CODES
    assert stats.errors == 4 * ERROR_CODES
    assert stats.error_codes[b'CODE0'] == 2 * ERROR_CODES + 1


def test_reset():
    stats = Stats()
    stats.count_error(b'ERR a')
    stats.commands = 7
    stats.sample(0)
    stats.sample(TENTH_US)
    stats.reset()
    assert (stats.errors, stats.error_codes, stats.commands, stats.command_rate.per_second) == (0, {}, 0, 0)
