"""selredis/glob.py; the expectations are those of redis-server."""

import re
import tracemalloc
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selredis.glob import (
    REGEX_AFTER_TEXTS,
    REGEX_ITEMS,
    REGEX_TEXT_BYTES,
    Glob,
    _Items,
    compile_glob,
    prepared_bytes,
)

# pattern, texts that fit, texts that do not
CASES: list[tuple[bytes, list[bytes], list[bytes]]] = [
    (b'', [b''], [b'a']),
    (b'abc', [b'abc'], [b'', b'ab', b'abcd', b'xabc', b'ABC']),
    (b'*', [b'a', b'\n', b'\x00\xff'], [b'']),
    (b'***', [b'a'], [b'']),
    (b'?', [b'a', b'\n', b'\xff'], [b'', b'ab']),
    (b'a*', [b'a', b'ab', b'a\nb'], [b'', b'b', b'ba']),
    (b'*a', [b'a', b'ba', b'aa'], [b'', b'ab']),
    (b'*a*', [b'a', b'bab'], [b'', b'b']),
    (b'a*b', [b'ab', b'aab', b'abb', b'axb'], [b'a', b'b', b'ba', b'abx']),
    (b'a*a', [b'aa', b'aba'], [b'a']),
    (b'a**b', [b'ab', b'axb'], [b'a']),
    (b'h?llo', [b'hello', b'hallo'], [b'hllo', b'heello']),
    (b'h[ae]llo', [b'hello', b'hallo'], [b'hillo', b'hllo']),
    (b'h[^e]llo', [b'hallo', b'h^llo'], [b'hello', b'hllo']),
    (b'h[a-b]llo', [b'hallo', b'hbllo'], [b'hcllo', b'h-llo']),
    (b'h[b-a]llo', [b'hallo', b'hbllo'], [b'hcllo', b'h-llo']),
    (b'h\\*llo', [b'h*llo'], [b'hello', b'h\\*llo']),
    (b'a*b*c', [b'abc', b'axbxc', b'abcbc', b'aabbcc'], [b'acb', b'ab', b'abcd']),
    (b'*ab*ab*', [b'abab', b'xabxabx'], [b'ab', b'aba', b'abba']),
    (b'*a?*?b', [b'axyb', b'aaab', b'xaxxxb'], [b'axb', b'ab']),
    (b'*[ab]?', [b'ac', b'xxbx'], [b'a', b'ca', b'cc']),
    # a class may be empty or left open
    (b'[]', [], [b'', b']', b'[', b'[]']),
    (b'[]a]', [], [b'a', b']', b'a]', b']a]']),
    (b'[^]', [b'a', b']', b'^'], [b'', b'ab']),
    (b'[', [], [b'', b'[', b'a']),
    (b'[^', [b'a', b'^', b'['], [b'', b'[^']),
    (b'[ab', [b'a', b'b'], [b'', b'c', b'[ab', b'ab']),
    (b'x[ab', [b'xa'], [b'x', b'xc']),
    (b'[a-', [b'a', b'-'], [b'b', b'[']),
    (b'[a-]', [b']', b'^', b'_', b'a'], [b'-', b'b', b'\\']),  # a range down to the bracket, and left open
    (b'[a-]]', [b']', b'^', b'a'], [b'-', b'a]']),
    (b'[-a]', [b'-', b'a'], [b'b', b',']),
    (b'[a-c-e]', [b'a', b'b', b'c', b'-', b'e'], [b'd']),
    (b'[*?]', [b'*', b'?'], [b'a']),
    (b'[[]', [b'['], [b']', b'a']),
    # backslashes
    (b'\\', [b'\\'], [b'', b'a']),
    (b'a\\', [b'a\\'], [b'a']),
    (b'\\a', [b'a'], [b'\\a']),
    (b'\\\\', [b'\\'], [b'\\\\']),
    (b'\\[a]', [b'[a]'], [b'a', b'\\a']),
    (b'[\\]]', [b']'], [b'\\', b'\\]']),
    (b'[\\]', [b']'], [b'\\', b'a']),
    (b'[\\', [b'\\'], [b'a']),
    (b'[\\^a]', [b'^', b'a'], [b'b', b'\\']),
    (b'[a\\-c]', [b'a', b'-', b'c'], [b'b', b'\\']),
    (b'[a-\\]', [b'\\', b']', b'^', b'a'], [b'-', b'[', b'b']),
    # bytes are signed in ranges
    (b'[\x80-a]', [b'\x80', b'\xff', b'\x00', b'a'], [b'b', b'\x7f']),
    (b'[a-\xfe]', [b'\xfe', b'\xff', b'\x00', b'a'], [b'\xfd', b'b']),
    (b'[\xe0-\xf0]', [b'\xe0', b'\xe8', b'\xf0'], [b'\xdf', b'\xf1', b'a']),
    (b'[^\xff]', [b'a', b'\x00'], [b'\xff']),
]

NOCASE_CASES: list[tuple[bytes, list[bytes], list[bytes]]] = [
    (b'MaxMem*', [b'maxmemory', b'MAXMEM'], [b'maxme']),
    (b'*POLICY', [b'maxmemory-policy'], [b'policy1']),
    (b'a1', [b'A1', b'a1'], [b'a2']),
    (b'[a-c]X', [b'ax', b'Bx', b'CX'], [b'dx']),
    (b'[A-C]x', [b'ax', b'Bx', b'CX'], [b'dx']),
    (b'[abc]', [b'A', b'b'], [b'd']),
    (b'[^a]', [b'b'], [b'a', b'A']),
    (b'[Z-a]', [], [b'z', b'a', b'Z', b'A', b'_', b'm']),  # z to a, once lowered: nothing
    (b'[0-~]', [b'a', b'A', b'5', b'_'], [b'/', b'\x7f']),
    (b'[@-^]', [b'@', b'[', b'^'], [b'A', b'a', b'_']),
    (b'[\\A]', [b'A'], [b'a']),
    (b'\\A', [b'A', b'a'], [b'b']),
]


NEVER = 0  # the count goes down from it


def both(pattern: bytes, text: bytes, nocase: bool = False) -> bool:
    """Match with and without a regular expression; the results must be equal."""
    plain = compile_glob(pattern, nocase, regex_after=NEVER)(text)
    compiled = compile_glob(pattern, nocase)
    glob = getattr(compiled, '__self__', None)
    if isinstance(glob, Glob):
        for _ in range(REGEX_AFTER_TEXTS + REGEX_ITEMS):
            glob.matches(glob.prefix + bytes(len(pattern)))
        assert glob.regex is not None or glob.segments is None or sum(map(len, glob.segments)) > REGEX_ITEMS
    assert compiled(text) is plain
    return plain


@pytest.mark.parametrize(('pattern', 'fitting', 'others'), CASES, ids=lambda value: repr(value)[:40])
def test_patterns(pattern, fitting, others):
    assert [text for text in fitting + others if both(pattern, text)] == fitting


@pytest.mark.parametrize(('pattern', 'fitting', 'others'), NOCASE_CASES, ids=lambda value: repr(value)[:40])
def test_patterns_without_case(pattern, fitting, others):
    assert [text for text in fitting + others if both(pattern, text, nocase=True)] == fitting


ALPHABET = [b'a', b'b', b'B', b'*', b'?', b'[', b']', b'^', b'-', b'\\', b'\xff']
patterns = st.lists(st.sampled_from(ALPHABET), max_size=12).map(b''.join)
texts = st.lists(st.sampled_from(ALPHABET), max_size=12).map(b''.join)


@given(patterns, texts, st.booleans())
def test_both_forms_agree(pattern, text, nocase):
    both(pattern, text, nocase)


@given(patterns, texts)
def test_a_star_takes_whatever_stands_there(pattern, text):
    if both(pattern, text) and text:
        assert both(b'*' + pattern, text)
        assert both(pattern + b'*' if not pattern.endswith(b'\\') and b'[' not in pattern else b'*', text)


@given(st.binary(max_size=8), st.binary(max_size=8))
def test_a_quoted_pattern_fits_itself_alone(one, other):
    quoted = b''.join(b'\\%c' % byte for byte in one)
    assert both(quoted, one)
    assert both(quoted, other) == (one == other)


@pytest.mark.parametrize('filler', [b'a', b'ab', b'aab'])
@pytest.mark.parametrize(
    'pattern', [b'*[ab]?a*b', b'a*?a*aab', b'*a?[^c]*', b'[^b]*a?b', b'*b?b*', b'*?c', b'*c?*', b'*?b*[a]']
)
def test_long_texts_fit_as_short_ones_do(pattern, filler):
    """Beyond REGEX_TEXT_BYTES another algorithm takes over."""
    half = REGEX_TEXT_BYTES // 2
    for tail in (b'', b'b', b'bab', b'c', b'aab', b'cb', b'bcc'):
        short = filler * 20 + tail
        assert both(pattern, filler * half + tail) == both(pattern, short)


def test_a_place_far_into_a_long_text_is_found():
    text = b'ab' * 100_000
    assert both(b'*[ab]a?c*', text + b'aabc' + text)
    assert both(b'*[ab]a?c', text + b'aabc')
    assert not both(b'*[ab]a?c', text + b'aabcc')
    assert not both(b'*[ab]a?c*d?d*', text + b'aabc' + text)


def test_long_patterns_fit_as_short_ones_do():
    pattern = b'[ab]?' * REGEX_ITEMS
    assert both(pattern, b'ax' * REGEX_ITEMS)
    assert not both(pattern, b'ax' * REGEX_ITEMS + b'a')
    assert both(b'*' + pattern + b'*c', b'x' + b'ax' * REGEX_ITEMS + b'c')
    assert not both(b'*' + pattern + b'*c', b'ax' * (REGEX_ITEMS - 1) + b'a' + b'c')


@pytest.mark.parametrize(
    'pattern',
    [
        b'a*' * 990 + b'b',  # each star that was tried again would double the time
        b'*a?' * 990 + b'*b',
        b'*' + b'a' * 20_000 + b'b*c',
        b'*' + b'?a' * 10_000 + b'b*c',
        b'*' + b'[ab]' * 10_000 + b'c*c',
    ],
    ids=lambda pattern: repr(pattern[:8]),
)
@pytest.mark.parametrize('size', [4_000, 50_000])
def test_no_pattern_takes_long_to_fail(pattern, size):
    assert not both(pattern, b'a' * size)


@pytest.mark.parametrize(
    ('pattern', 'matching'),
    [
        (b'*?' * 1000, True),
        (b'*?' * 1001, False),
        (b'*?' * 1000 + b'*', True),
        (b'**?' * 1000, True),
        (b'?*' * 1001, True),
        (b'?*' * 1002, False),
    ],
)
def test_a_pattern_of_more_than_a_thousand_stars_matches_nothing(pattern, matching):
    assert both(pattern, b'a' * 1_500) == matching


@pytest.mark.parametrize('item', [b'?', b'a', b'\\a', b'[ab]', b'*?', b'a*'])
def test_a_pattern_of_megabytes_is_read_no_further_than_needed(item):
    """Each item would take a hundred bytes and a microsecond."""
    pattern = item * (2_000_000 // len(item))
    compiled = compile_glob(pattern)
    tracemalloc.start()
    assert not any(compiled(text) for text in (b'', b'a', b'a' * 1000))
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


def test_a_long_pattern_matches_texts_that_are_as_long():
    size = REGEX_TEXT_BYTES + 1
    for pattern in (b'?' * size, b'a?' * (size // 2) + b'*', b'[ab]' * size, b'*' + b'a' * size + b'*'):
        assert both(pattern, b'a' * size)
        assert not both(pattern, b'a' * (size - 2))
    compiled = compile_glob(b'?' * size)
    assert [compiled(b'a' * length) for length in (size - 1, size, size + 1, 3 * size, size)] == [
        *(False, True, False, False, True),
    ]
    compiled = compile_glob(b'?' * 4 * size)
    assert [compiled(b'a' * length) for length in (size, 2 * size, 4 * size, 5 * size)] == [False, False, True, False]


@given(patterns, texts)
def test_runs_of_stars_are_one_star(pattern, text):
    if b'\\' not in pattern and b'[' not in pattern:
        assert both(pattern.replace(b'*', b'***'), text) == both(pattern, text)


def test_a_quoted_star_before_a_star_stays_quoted():
    assert both(b'a\\**', b'a*b')
    assert not both(b'a\\**', b'ab')


@pytest.mark.parametrize('pattern', [b'a?', b'*[bc]', b'x*[a-c]?y', b'a*', b'?' * 16 + b'a*', b'[^\\a-c]*'])
def test_patterns_are_not_compiled_before_many_texts_came(pattern):
    """A client may subscribe to thousands of them: `re.compile` takes a millisecond for each."""
    with patch.object(re, 'compile', side_effect=AssertionError('compiled')):
        fits = compile_glob(pattern * 50)
        for text in (b'', b'news.sport', b'ab' * 500):
            fits(text)


def test_a_pattern_is_compiled_after_as_many_texts_as_were_said():
    glob = Glob(b'a?b*c*', nocase=False, regex_after=5)
    for _ in range(5 + len(b'a?bc') - 1):
        assert glob.matches(b'axbc')
    assert glob.regex is None
    assert glob.matches(b'axbc')
    assert glob.regex is not None
    assert glob.matches(b'axbc')


def test_the_search_for_a_long_segment_stops_where_no_place_is_left():
    items = CountingList([1 << ord('b') | 1 << ord('c')] * 20_000)
    text = (b'b' + b'a' * 3_000) * 10
    assert _Items(items).find(text, 0, len(text)) == -1
    assert items.read < 100


class CountingList(list[int]):
    """Counts the items that were iterated over."""

    read = 0

    def __iter__(self):
        for item in super().__iter__():
            self.read += 1
            yield item


def test_a_pattern_that_was_compiled_is_not_compiled_again():
    pattern = b'user:[0-9]*:?'
    first = Glob(pattern, False, REGEX_AFTER_TEXTS)
    for number in range(200):
        first.matches(b'user:%d:x' % number)
    assert first.regex is not None
    assert Glob(pattern, False, REGEX_AFTER_TEXTS).regex is first.regex


def test_what_is_read_of_a_pattern_is_counted_once_it_is_read():
    matches = compile_glob(b'[a-c]?*' * 100)
    assert prepared_bytes(matches) == 0
    assert matches(b'abcx' * 100)
    assert prepared_bytes(matches) > 10_000
    assert prepared_bytes(compile_glob(b'news.*')) == 0
