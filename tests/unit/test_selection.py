"""The first of many in order."""

from operator import itemgetter
from random import Random

import pytest

from selredis.values.selection import first_in_order, partly_sorted

Row = tuple[float, int]
key = itemgetter(0)


def rows(count: int, keys: int, seed: int) -> list[Row]:
    random = Random(seed)
    return [(float(random.randrange(keys)), number) for number in range(count)]


@pytest.mark.parametrize('count', [1, 2, 6, 7, 8, 40, 41, 300])
@pytest.mark.parametrize('keys', [1, 2, 5, 1000])
def test_those_with_the_lowest_keys_come_in_order(count: int, keys: int):
    for seed in range(5):
        given = rows(count, keys, seed)
        for wanted in {1, 2, 5, count // 2, count - 1, count} - {0}:
            for found in (first_in_order(given, wanted, key), partly_sorted(given, wanted, key)):
                assert list(map(key, found)) == sorted(map(key, given))[:wanted]
                assert len(set(found)) == len(found)
                assert set(found) <= set(given)


def test_all_of_them_are_sorted_stably():
    given = rows(300, 10, 1)
    assert first_in_order(given, 300, key) == sorted(given, key=key)
    assert first_in_order(given, 1000, key) == sorted(given, key=key)
    assert first_in_order([], 1, key) == []


def test_nothing_is_changed():
    given = rows(50, 3, 1)
    before = given.copy()
    first_in_order(given, 10, key)
    assert given == before


def test_equal_ones_come_as_redis_has_them():
    """GEOSEARCH's order of thirteen members, ten of them in one place, with COUNT 4."""
    given = [(157.0, 'm'), *((0.0, letter) for letter in 'abcdefghij'), (157.0, 'k'), (157.0, 'l')]
    assert [letter for _, letter in first_in_order(given, 4, key)] == ['i', 'a', 'b', 'c']
