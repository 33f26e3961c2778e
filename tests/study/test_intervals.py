"""The statistics of the study on samples whose answers are known."""

import itertools
from collections import Counter, defaultdict
from statistics import median

import pytest

from tools.study.intervals import Interval, median_interval, middle_pairs, ratio_interval


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
    assert median_interval([1, 20, 30, 40, 50, 60, 1000]) == Interval(20, 40, 60)


def test_no_samples_are_an_error():
    with pytest.raises(ValueError, match='no samples'):
        median_interval([])


@pytest.mark.parametrize('size', [1, 2, 3, 4, 5, 6])
def test_the_probabilities_are_those_of_all_draws(size):
    draws = list(itertools.product(range(size), repeat=size))
    counted = Counter(float(median(draw)) for draw in draws)
    known: dict[float, float] = defaultdict(float)
    for lower, upper, probability in middle_pairs(size):
        known[(lower + upper) / 2] += probability
    assert {key: known[key] for key in counted} == pytest.approx({key: n / len(draws) for key, n in counted.items()})
    assert sum(known.values()) == pytest.approx(1)


def test_it_agrees_with_scipy():
    stats = pytest.importorskip('scipy.stats')
    numpy = pytest.importorskip('numpy')
    samples = numpy.random.default_rng(1).normal(100, 10, size=25)
    drawn = stats.bootstrap((samples,), numpy.median, method='percentile', n_resamples=20_000, rng=1)
    interval = median_interval(list(samples))
    assert interval.low == pytest.approx(drawn.confidence_interval.low, rel=0.005)
    assert interval.high == pytest.approx(drawn.confidence_interval.high, rel=0.005)


def test_a_ratio_is_taken_round_by_round():
    # The second round was disturbed for both: the ratio is the same.
    assert ratio_interval([8, 80, 8.4], [10, 100, 10]) == pytest.approx((0.8, 0.8, 0.84))


def test_rounds_of_one_side_only_do_not_count():
    assert ratio_interval([5, 1, 1], [10]) == Interval(0.5, 0.5, 0.5)
    with pytest.raises(ValueError, match='no samples'):
        ratio_interval([1], [])
