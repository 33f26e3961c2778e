from random import Random

import pytest

from selredis.values.encoding import encoding_of
from selredis.values.list import List
from selredis.values.set import Set
from selredis.values.sorted_set import SortedSet


@pytest.mark.parametrize(
    ('value', 'expected'),
    [
        (b'0', b'int'),
        (b'-9223372036854775808', b'int'),
        (b'9223372036854775807', b'int'),
        (b'9223372036854775808', b'embstr'),
        (b'01', b'embstr'),
        (b'', b'embstr'),
        (b'x' * 44, b'embstr'),
        (b'x' * 45, b'raw'),
        (bytearray(b'1'), b'raw'),
    ],
)
def test_of_strings(value, expected):
    assert encoding_of(value, {}) == expected


# The bytes are those that redis 7.2's listpack.c gives.
@pytest.mark.parametrize(
    ('elements', 'limit', 'expected'),
    [
        ([b'a'], -2, b'listpack'),
        ([b'x' * 8185], -2, b'listpack'),  # 7 + 8185 = 8192
        ([b'x' * 8186], -2, b'quicklist'),
        ([b'x' * 8178, b''], -2, b'listpack'),  # 7 + 5 + 8178 + 2 + 0 = 8192
        ([b'x' * 8178, b'1'], -2, b'quicklist'),
        ([b'1'] * 4093, -2, b'listpack'),  # 7 + 4092 * 2 + 1 = 8192
        ([b'1'] * 4094, -2, b'quicklist'),
        ([b'1'] * 1_000_000, -2, b'quicklist'),
        ([b'x' * 4000, b'x' * 100], -1, b'quicklist'),
        ([b'x' * 60000], -5, b'listpack'),
        ([b'x' * 60000], -6, b'listpack'),  # lower than any is as the lowest
        ([b'x' * 60000, b'x' * 5536], -6, b'quicklist'),
        ([b'a', b'b', b'c'], 3, b'listpack'),
        ([b'a', b'b', b'c', b'd'], 3, b'quicklist'),
        ([b'x' * 8192], 3, b'quicklist'),
        ([b'a'], 0, b'listpack'),  # 0 is as 1
        ([b'a', b'b'], 0, b'quicklist'),
    ],
)
def test_of_lists(elements, limit, expected):
    assert encoding_of(List(elements), {'list-max-listpack-size': limit}) == expected


@pytest.mark.parametrize(
    ('count', 'longest', 'expected'),
    [(1, 1, b'listpack'), (128, 64, b'listpack'), (129, 1, b'skiplist'), (1, 65, b'skiplist')],
)
def test_of_sorted_sets(count, longest, expected):
    limits = {'zset-max-listpack-entries': 128, 'zset-max-listpack-value': 64}
    members = SortedSet((b'%0*d' % (max(longest, 3), number), 0.0) for number in range(count))
    assert encoding_of(members, limits) == expected
    members.put(b'last', 1.0)
    for member in list(members)[:-1]:
        members.remove(member)
    assert encoding_of(members, limits) == (b'listpack' if count < 128 and longest < 65 else b'skiplist')


@pytest.mark.parametrize(
    ('members', 'gone', 'expected'),
    [
        ([b'1', b'2'], [], b'intset'),
        ([b'1', b'2'], [b'2'], b'intset'),
        ([b'1', b'a'], [], b'listpack'),
        ([b'1', b'a'], [b'a'], b'listpack'),  # what has become a listpack does not go back
        ([b'1', b''], [b''], b'listpack'),
        ([b'1', b'01'], [b'01'], b'listpack'),
        ([b'1', b'x' * 64], [b'x' * 64], b'listpack'),
        ([b'1', b'x' * 65], [b'x' * 65], b'hashtable'),
        ([b'a', b'b', b'c', b'd', b'e', b'f'], [], b'hashtable'),
        ([b'a', b'b', b'c', b'd', b'e', b'f'], [b'a', b'b'], b'hashtable'),
        ([b'1', b'2', b'3', b'4'], [], b'listpack'),
        ([b'1', b'2', b'3', b'4'], [b'4'], b'listpack'),
    ],
)
def test_of_sets(members, gone, expected):
    limits = {'set-max-intset-entries': 3, 'set-max-listpack-entries': 5, 'set-max-listpack-value': 64}
    value = Set(members)
    for member in gone:
        value.remove(member)
    assert encoding_of(value, limits) == encoding_of(value.copy(), limits) == expected


def test_what_is_popped_of_a_set_is_remembered():
    limits = {'set-max-intset-entries': 3, 'set-max-listpack-entries': 5, 'set-max-listpack-value': 64}
    value = Set([b'1', b'a'])
    while b'a' in value:
        value.pop_random(Random(1))
    value.add(b'1')
    assert encoding_of(value, limits) == b'listpack'
