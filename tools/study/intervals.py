"""The median of a few samples and how sure it is: bootstrap 95 % intervals, and ratios within a run."""

from collections.abc import Sequence
from functools import lru_cache
from statistics import median
from typing import NamedTuple

try:
    import numpy as np
    from scipy import stats
except ImportError:
    stats = None

CONFIDENCE = 0.95
DRAWS = 2_000
SEED = 1  # the same samples give the same interval


class Interval(NamedTuple):
    """A median and where it lies with 95 % confidence; without scipy, between which samples it lies."""

    low: float
    median: float
    high: float


def median_interval(values: Sequence[float]) -> Interval:
    """The median of samples and its interval, by the percentile bootstrap. Raises ValueError if there are none."""
    if not values:
        raise ValueError('no samples')
    return _interval_of_sorted(tuple(sorted(values)))


@lru_cache(maxsize=100_000)
def _interval_of_sorted(values: tuple[float, ...]) -> Interval:
    if stats is None or values[0] == values[-1]:
        return Interval(values[0], median(values), values[-1])
    drawn = stats.bootstrap(
        (values,), np.median, confidence_level=CONFIDENCE, n_resamples=DRAWS, method='percentile', rng=SEED
    ).confidence_interval
    return Interval(float(drawn.low), median(values), float(drawn.high))


def ratio_interval(values: Sequence[float], base_values: Sequence[float]) -> Interval:
    """The median of the ratios of rounds, and its interval. What disturbs a round disturbs both sides of its ratio.

    Rounds that only one side has do not count. Raises ValueError if no round has both.
    """
    return median_interval([value / base for value, base in zip(values, base_values, strict=False) if base > 0])
