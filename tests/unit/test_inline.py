"""Expected words are those of redis-server 7.0.15, asked with `RPUSH key <line>`."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from selredis.resp.inline import quote, split_words

WORDS = [
    (b'', []),
    (b' \t\r\n\v\f ', []),
    (b'a', [b'a']),
    (b'  a  b\tc\r', [b'a', b'b', b'c']),
    (b'\v\fa \vb', [b'a', b'b']),  # parted where a word could begin
    (b'a\vb\fc', [b'a\vb\fc']),  # but not within one
    (b'a\v', [b'a\v']),
    (b'\xff \x80\x01', [b'\xff', b'\x80\x01']),
    (rb'a\nb \x41', [rb'a\nb', rb'\x41']),  # no escapes outside of quotes
    (b'""', [b'']),
    (b'\'\' ""', [b'', b'']),
    (b'"a b" c', [b'a b', b'c']),
    (b'a"b c"', [b'ab c']),
    (b"a'b c' d", [b'ab c', b'd']),
    (b'"a"\v"b"', [b'a', b'b']),
    (b'"it\'s" \'say "a"\'', [b"it's", b'say "a"']),
    (rb'"\n\r\t\b\a"', [b'\n\r\t\b\a']),
    (rb'"\q\\\"\v\0"', [b'q\\"v0']),
    (rb'"\x41\xfF\x00"', [b'A\xff\0']),
    (rb'"\x4 \xg1 \X41"', [b'x4 xg1 X41']),
    (rb"'\n \x41 \\ \' \"'", [rb"\n \x41 \\ ' " + b'\\"']),
    (b"'a\\\\'", None),  # the second backslash quotes the quote
    (b'"a\r\n\t b"', [b'a\r\n\t b']),
]

UNBALANCED = [
    b'"',
    b"'",
    b'a"',
    b'"a',
    b"'a",
    b'"a"b',
    b"'a'b",
    b'"a""b"',
    b'\'a\'"b"',
    b'a "b',
    b'"a\\',
    b'"a\\"',
    b"'a\\'",
    b'"a\\x4',
    b'ok "a"b ok',
]


@pytest.mark.parametrize(('line', 'words'), WORDS)
def test_words_of_a_line(line, words):
    assert split_words(line) == words


@pytest.mark.parametrize('line', UNBALANCED)
def test_a_quote_must_be_closed_and_end_its_word(line):
    assert split_words(line) is None


@pytest.mark.parametrize(('line', 'words'), [(b'a\0 b', [b'a']), (b'\0', []), (b'"a\0"', None), (b'"a" \0"', [b'a'])])
def test_a_line_ends_at_a_nul(line, words):
    assert split_words(line) == words


@pytest.mark.parametrize('line', [b'"', b"'", b'"\\', b"'\\", b'"\\x41', b' "a"', b'"a" ', b'\v', b"'\\'"])
def test_a_long_line_of_the_same_thing_takes_no_time(line):
    split_words(line * 65536)


@given(st.lists(st.binary()))
@example([b'\\x41', b'"\\', b"'", b'\0'])
def test_a_quoted_word_is_any_bytes(words):
    line = b' '.join(b'"%b"' % b''.join(b'\\x%02x' % byte for byte in word) for word in words)
    assert split_words(line) == words


@given(st.text(alphabet='ab\\"\' \t\v\0xn1', max_size=12))
def test_any_line_has_words_or_none(line):
    words = split_words(line.encode())
    assert words is None or all(type(word) is bytes for word in words)


@given(st.binary())
@example(b'')
def test_a_quoted_word_is_read_back(word):
    assert split_words(quote(word)) == [word]


def test_quotes_are_visible_ascii():
    assert quote(b'a "b" \\ \r\n\t\a\b \0\x7f\xff') == rb'"a \"b\" \\ \r\n\t\a\b \x00\x7f\xff"'
