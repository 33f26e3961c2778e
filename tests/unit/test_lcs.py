"""LCS against the table that Redis fills, spelled out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selredis.commands.lcs import Run, common_indexes, common_length, common_runs


def by_table(one: bytes, other: bytes) -> list[tuple[int, int]]:
    """The indexes that the way back through the whole table finds, from the end."""
    table = [[0] * (len(other) + 1) for _ in range(len(one) + 1)]
    for i in range(1, len(one) + 1):
        for j in range(1, len(other) + 1):
            alike = one[i - 1] == other[j - 1]
            table[i][j] = table[i - 1][j - 1] + 1 if alike else max(table[i - 1][j], table[i][j - 1])
    found = []
    i, j = len(one), len(other)
    while i and j:
        if one[i - 1] == other[j - 1]:
            i, j = i - 1, j - 1
            found.append((i, j))
        elif table[i - 1][j] > table[i][j - 1]:
            i -= 1
        else:
            j -= 1
    return found


texts = st.one_of(
    *(st.lists(st.sampled_from(letters), max_size=14).map(bytes) for letters in (b'ab', b'abc', b'\0\xffxyz'))
)


@given(texts, texts)
def test_finds_what_redis_finds(one, other):
    expected = by_table(one, other)
    assert list(common_indexes(one, other)) == expected
    assert common_length(one, other) == len(expected)
    assert sum(run.length for run in common_runs(one, other)) == len(expected)


def test_runs_are_side_by_side_in_both_strings():
    assert common_runs(b'ohmytext', b'mynewtext') == [Run(4, 5, 4), Run(2, 0, 2)]


def test_an_empty_string_has_nothing_in_common():
    assert common_runs(b'', b'abc') == common_runs(b'abc', b'') == common_runs(b'', b'') == []
    assert common_length(b'', b'abc') == common_length(b'', b'') == 0


@pytest.mark.parametrize('turned', [False, True])
def test_a_very_long_string_and_a_very_short_one(turned):
    texts = (b'ab', b'xa' + b'x' * 1_000_000 + b'bx')
    one, other = reversed(texts) if turned else texts
    expected = [Run(1, 1_000_002, 1), Run(0, 1, 1)]
    assert common_runs(one, other) == [Run(run.other_start, run.start, 1) if turned else run for run in expected]


def test_strings_too_long_for_redis_table_are_refused(client, engine):
    engine.config.set_pairs([(b'proto-max-bulk-len', b'1mb')])
    client('SETRANGE', 'k', '510', 'x')
    assert client('LCS', 'k', 'k', 'LEN') == 511
    client('APPEND', 'k', 'x')
    assert 'transient memory for LCS exceeds proto-max-bulk-len' in client('LCS', 'k', 'k', 'LEN')
