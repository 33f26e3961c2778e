"""The statistics of the study on samples whose answers are known."""

import pytest

from tools.study.intervals import Interval, median_interval, ratio_interval


def test_one_sample_is_its_own_interval():
    assert median_interval([7.5]) == Interval(7.5, 7.5, 7.5)


def test_samples_that_agree_leave_no_doubt():
    assert median_interval([3.0] * 6) == Interval(3.0, 3.0, 3.0)


def test_the_order_of_samples_does_not_matter():
    assert median_interval([5, 1, 4, 2, 3]) == median_interval([1, 2, 3, 4, 5])


def test_few_samples_say_no_more_than_their_range():
    assert median_interval([10, 20, 30, 40, 50]) == Interval(10, 30, 50)
    assert median_interval([10, 20]) == Interval(10, 15, 20)


def test_seven_samples_leave_out_the_extremes():
    pytest.importorskip('scipy')
    assert median_interval([1, 20, 30, 40, 50, 60, 1000]) == Interval(20, 40, 60)


def test_no_samples_are_an_error():
    with pytest.raises(ValueError, match='no samples'):
        median_interval([])


def test_without_scipy_the_interval_is_the_range(monkeypatch):
    monkeypatch.setattr('tools.study.intervals.stats', None)
    assert median_interval([3, 1, 2, 5, 4, 6, 7.5]) == Interval(1, 4, 7.5)


def test_a_ratio_is_taken_round_by_round():
    # The second round was disturbed for both: the ratio is the same.
    assert ratio_interval([8, 80, 8.4], [10, 100, 10]) == pytest.approx((0.8, 0.8, 0.84))


def test_rounds_of_one_side_only_do_not_count():
    assert ratio_interval([5, 1, 1], [10]) == Interval(0.5, 0.5, 0.5)
    with pytest.raises(ValueError, match='no samples'):
        ratio_interval([1], [])
