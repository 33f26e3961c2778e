"""selredis/numeric.py; the expectations are those of redis-server."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selredis.errors import NOT_AN_INTEGER, ReplyError
from selredis.numeric import INT64_MAX, INT64_MIN, integer, is_integer, memory_bytes

INTEGERS = [
    b'0',
    b'7',
    b'-7',
    b'10',
    b'1000000',
    b'999999999999999999',
    b'1000000000000000000',
    b'9223372036854775807',
    b'-9223372036854775808',
]

NOT_INTEGERS = [
    b'',
    b'-',
    b'+1',
    b'-0',
    b'00',
    b'01',
    b'-01',
    b'1_000',
    b' 1',
    b'1 ',
    b'1\n',
    b'1\x00',
    b'1.0',
    b'1e3',
    b'0x10',
    b'--1',
    b'a',
    b'\xd9\xa1',  # an Arabic one in UTF-8
    b'\xb2',  # a superscript two in Latin-1
    b'9223372036854775808',
    b'-9223372036854775809',
    b'10000000000000000000',
    b'1' * 5000,
]


@pytest.mark.parametrize('text', INTEGERS)
def test_integers_are_read(text):
    assert integer(text) == int(text)
    assert is_integer(text)


@pytest.mark.parametrize('text', NOT_INTEGERS)
def test_what_redis_would_not_write_is_no_integer(text):
    with pytest.raises(ReplyError) as error:
        integer(text)
    assert error.value.text == NOT_AN_INTEGER
    assert not is_integer(text)


def test_the_error_is_the_callers():
    with pytest.raises(ReplyError) as error:
        integer(b'x', b'ERR invalid cursor')
    assert error.value.text == b'ERR invalid cursor'


@given(st.integers(INT64_MIN, INT64_MAX))
def test_every_integer_of_64_bits_is_read(value):
    assert integer(b'%d' % value) == value


@given(st.integers())
def test_no_wider_integer_is_read(value):
    assert is_integer(b'%d' % value) == (INT64_MIN <= value <= INT64_MAX)


@given(st.text('0123456789-+_ .', max_size=22).map(str.encode))
def test_what_is_read_is_written_the_same(text):
    if is_integer(text):
        assert b'%d' % integer(text) == text


@pytest.mark.parametrize(
    ('text', 'amount'),
    [
        (b'0', 0),
        (b'1', 1),
        (b'007', 7),
        (b'5b', 5),
        (b'1k', 1_000),
        (b'1kb', 1_024),
        (b'2m', 2_000_000),
        (b'2Mb', 2_097_152),
        (b'3G', 3_000_000_000),
        (b'3gB', 3_221_225_472),
        (b'18446744073709551615', 2**64 - 1),
        (b'', 0),
        (b'mb', 0),
    ],
)
def test_amounts_of_memory(text, amount):
    assert memory_bytes(text) == amount


@pytest.mark.parametrize(
    'text',
    [
        b'-1',
        b'+1',
        b'1.5k',
        b'1 k',
        b'1kk',
        b'1t',
        b'1bk',
        b'x',
        b' 1',
        b'1\n',
        b'18446744073709551616',
        b'20000000000gb',
    ],
)
def test_what_is_no_amount_of_memory(text):
    with pytest.raises(ValueError, match='memory'):
        memory_bytes(text)
