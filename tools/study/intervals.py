"""The median of a few samples and how sure it is: bootstrap 95 % intervals, and ratios within a run.

The bootstrap asks what the median would have been had other rounds been drawn: n samples are drawn from the n there
are, with replacement, again and again, and the middle 95 % of the medians of the draws are the interval. For a median
nothing needs to be drawn: how often each pair of samples is in the middle of a draw is known exactly, from n alone. So
the interval is what infinitely many draws would give, the same on every machine.

With fewer than seven rounds the interval is from the smallest sample to the largest: so few cannot say more.
"""

from collections.abc import Sequence
from functools import lru_cache
from math import comb
from typing import NamedTuple

OUTSIDE = 0.025  # of the draws' medians, on either side of the interval


class Interval(NamedTuple):
    """A median and where it lies with 95 % confidence."""

    low: float
    median: float
    high: float


def median_interval(values: Sequence[float]) -> Interval:
    """The median of samples and its interval. Raises ValueError if there are none."""
    if not values:
        raise ValueError('no samples')
    ordered = sorted(values)
    size = len(ordered)
    medians = sorted(
        ((ordered[lower] + ordered[upper]) / 2, probability) for lower, upper, probability in middle_pairs(size)
    )
    return Interval(
        quantile(medians, OUTSIDE),
        (ordered[(size - 1) // 2] + ordered[size // 2]) / 2,
        quantile(medians, 1 - OUTSIDE),
    )


def ratio_interval(values: Sequence[float], base_values: Sequence[float]) -> Interval:
    """The median of the ratios of rounds, and its interval. What disturbs a round disturbs both sides of its ratio.

    Rounds that only one side has do not count. Raises ValueError if no round has both.
    """
    return median_interval([value / base for value, base in zip(values, base_values, strict=False) if base > 0])


def quantile(weighted: Sequence[tuple[float, float]], share: float) -> float:
    """The smallest of the sorted values that with those below it has that share of the probability."""
    reached = 0.0
    for value, probability in weighted:
        reached += probability
        if reached >= share:
            return value
    return weighted[-1][0]  # the sum of all is 1 but for rounding


@lru_cache
def middle_pairs(size: int) -> tuple[tuple[int, int, float], ...]:
    """Which two of `size` sorted samples are in the middle of a draw (the same if odd), and how probable that is."""
    below = (size + 1) // 2  # how many of a draw are at most the lower one of its middle
    if size % 2:
        return tuple((n, n, at_least(below, size, n + 1) - at_least(below, size, n)) for n in range(size))
    pairs: list[tuple[int, int, float]] = []
    for lower in range(size):
        exactly = at_least(below, size, lower + 1) - at_least(below, size, lower)
        for upper in range(lower + 1, size):
            # Half of the draw is at most `lower` and touches it, the other half at least `upper` and touches it.
            left = ((lower + 1) / size) ** below - (lower / size) ** below
            right = ((size - upper) / size) ** below - ((size - upper - 1) / size) ** below
            probability = comb(size, below) * left * right
            pairs.append((lower, upper, probability))
            exactly -= probability
        pairs.append((lower, lower, exactly))
    return tuple(pairs)


def at_least(count: int, draws: int, favourable: int) -> float:
    """How probable it is that at least `count` of the draws are among `favourable` ones out of as many as draws."""
    share = favourable / draws
    return sum(comb(draws, n) * share**n * (1 - share) ** (draws - n) for n in range(count, draws + 1))
