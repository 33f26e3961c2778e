"""The first of many in order, those that are equal in the order in which redis-server has them."""

from collections.abc import Callable
from operator import eq, itemgetter
from typing import TypeVar

T = TypeVar('T')


def first_in_order(rows: list[T], count: int, key: Callable[[T], float]) -> list[T]:
    """The `count` rows with the lowest keys, in order.

    All of them are sorted stably, as by C's qsort of the GNU library. Of a part, Redis sorts only that (pqsort.c), and
    equal ones come in an order of its own; so they do here.
    """
    ordered = sorted(rows, key=key)
    if count >= len(rows):
        return ordered
    keys = list(map(key, ordered[: count + 1]))
    if any(map(eq, keys, keys[1:])):
        return partly_sorted(rows, count, key)
    return ordered[:count]


def partly_sorted(rows: list[T], count: int, key: Callable[[T], float]) -> list[T]:
    """What Bentley's and McIlroy's quicksort makes of it, leaving alone what is wholly behind `count`.

    ("Engineering a sort function", 1993.) Pairs of key and row are exchanged; those equal to the pivot gather at both
    ends, and go to the middle at last.
    """
    pairs = [(key(row), row) for row in rows]
    key_of = itemgetter(0)
    spans = [(0, len(pairs))]
    while spans:
        start, stop = spans.pop()
        size = stop - start
        if size < 7:
            pairs[start:stop] = sorted(pairs[start:stop], key=key_of)  # stable, as sorting by insertion is
            continue
        place = pivot(pairs, start, stop)
        pairs[start], pairs[place] = pairs[place], pairs[start]
        middle = pairs[start][0]
        equal_low = low = start + 1
        equal_high = high = stop - 1
        while True:
            while low <= high and pairs[low][0] <= middle:
                if pairs[low][0] == middle:
                    pairs[equal_low], pairs[low] = pairs[low], pairs[equal_low]
                    equal_low += 1
                low += 1
            while low <= high and pairs[high][0] >= middle:
                if pairs[high][0] == middle:
                    pairs[high], pairs[equal_high] = pairs[equal_high], pairs[high]
                    equal_high -= 1
                high -= 1
            if low > high:
                break
            pairs[low], pairs[high] = pairs[high], pairs[low]
            low += 1
            high -= 1
        exchange(pairs, start, low, min(equal_low - start, low - equal_low))
        exchange(pairs, low, stop, min(equal_high - high, stop - equal_high - 1))
        sides = (start, start + low - equal_low), (stop - (equal_high - high), stop)
        spans += [side for side in sides if side[1] - side[0] > 1 and side[0] < count]
    return [row for _, row in pairs[:count]]


def exchange(pairs: list[tuple[float, T]], start: int, stop: int, count: int) -> None:
    """Exchange the first and the last `count` of what is from start to stop."""
    if count:
        first = pairs[start : start + count]
        pairs[start : start + count] = pairs[stop - count : stop]
        pairs[stop - count : stop] = first


def pivot(pairs: list[tuple[float, T]], start: int, stop: int) -> int:
    """The place of what should be about the middle one: of seven; of more the median of three, or of three medians."""
    size = stop - start
    middle = start + size // 2
    if size == 7:
        return middle
    first, last = start, stop - 1
    if size > 40:
        apart = size // 8
        first = median(pairs, first, first + apart, first + 2 * apart)
        middle = median(pairs, middle - apart, middle, middle + apart)
        last = median(pairs, last - 2 * apart, last - apart, last)
    return median(pairs, first, middle, last)


def median(pairs: list[tuple[float, T]], first: int, second: int, third: int) -> int:
    a, b, c = pairs[first][0], pairs[second][0], pairs[third][0]
    if a < b:
        return second if b < c else third if a < c else first
    return second if b > c else first if a < c else third
