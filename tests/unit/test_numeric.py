"""selredis/numeric.py; the expectations are those of redis-server."""

import math
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selredis.errors import NOT_A_FLOAT, NOT_AN_INTEGER, ReplyError
from selredis.numeric import (
    INT64_MAX,
    INT64_MIN,
    add_long_doubles,
    floating,
    format_double,
    format_long_double,
    integer,
    is_integer,
    long_double,
    memory_bytes,
    timeout_ms,
    to_double,
)


def shortened(argument: object) -> str:
    return repr(argument)[:40]


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


@pytest.mark.parametrize('text', NOT_INTEGERS, ids=shortened)
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


FLOATS: list[tuple[bytes, float]] = [
    (b'0', 0.0),
    (b'3', 3.0),
    (b'-3.25', -3.25),
    (b'+3.25', 3.25),
    (b'3.', 3.0),
    (b'.5', 0.5),
    (b'0007', 7.0),
    (b'1e3', 1000.0),
    (b'1E+3', 1000.0),
    (b'25e-2', 0.25),
    (b'0e99999999999999999999', 0.0),
    (b'0x10', 16.0),
    (b'-0X1.8p1', -3.0),
    (b'0x.8P-1', 0.25),
    (b'0x0p99999999999999999999', 0.0),
    (b'inf', math.inf),
    (b'-Infinity', -math.inf),
    (b'+INF', math.inf),
    (b'1.7976931348623157e308', 1.7976931348623157e308),
    (b'5e-324', 5e-324),
    (b'3e-324', 5e-324),
    (b'1' + b'0' * 308, 1e308),
]

NOT_FLOATS = [
    b'',
    b'.',
    b'-',
    b' 1',
    b'1 ',
    b'1\n',
    b'1\x00',
    b'1_000',
    b'1,5',
    b'1e',
    b'1e+',
    b'e5',
    b'.e5',
    b'0x',
    b'0x.p1',
    b'0x1p',
    b'0b1',
    b'1.2.3',
    b'--1',
    b'nan',
    b'-NaN',
    b'nan(1)',
    b'infinit',
    b'one',
]

OUT_OF_A_DOUBLES_RANGE = [
    b'1e309',
    b'-1e309',
    b'1' + b'0' * 309,
    b'1e-400',
    b'-2e-324',
    b'0.' + b'0' * 400 + b'1',
    b'0x1p1024',
    b'0x1p-1080',
    b'1e99999999999999999999',
    b'1e-99999999999999999999',
]


@pytest.mark.parametrize(('text', 'value'), FLOATS, ids=shortened)
def test_floats_are_read(text, value):
    assert floating(text) == value


@pytest.mark.parametrize(
    ('text', 'value'),
    [
        (b'2.5', 2.5),
        (b'0x10', 16.0),
        (b'1e400', math.inf),
        (b'-1e400', -math.inf),
        (b'1e-400', 0.0),
        (b'0x1p1024', math.inf),
        (b'-0x1p1024', -math.inf),
        (b'inf', math.inf),
    ],
)
def test_what_is_out_of_range_may_be_infinite_or_zero(text, value):
    assert to_double(text) == value


@pytest.mark.parametrize('text', NOT_FLOATS, ids=shortened)
def test_what_is_no_double(text):
    with pytest.raises(ReplyError) as error:
        to_double(text, b'ERR no')
    assert error.value.text == b'ERR no'


def test_a_float_keeps_the_sign_of_zero():
    assert math.copysign(1, floating(b'-0')) == -1


@pytest.mark.parametrize('text', NOT_FLOATS + OUT_OF_A_DOUBLES_RANGE, ids=shortened)
def test_what_is_no_float(text):
    with pytest.raises(ReplyError) as error:
        floating(text)
    assert error.value.text == NOT_A_FLOAT


@pytest.mark.parametrize(
    'text',
    [
        b'1' * 300_000 + b'x',
        b'-1.' + b'1' * 300_000 + b'x',
        b'0x' + b'f' * 300_000 + b'x',
        b'1e' + b'1' * 300_000 + b'x',
    ],
    ids=shortened,
)
def test_a_long_text_is_refused_in_one_pass(text):
    """In time that grew with the square of its length this would not end."""
    with pytest.raises(ReplyError):
        floating(text)


@given(st.floats(allow_nan=False))
def test_a_float_is_read_as_it_was_written(value):
    assert floating(repr(value).encode()) == value
    assert floating(value.hex().encode()) == value
    assert floating(format_double(value)) == value


@given(st.text('0019+-..eE', max_size=9))
def test_texts_of_digits_signs_points_and_exponents_are_floats_where_they_are_in_python(text):
    try:
        value = float(text)
    except ValueError:
        value = None
    underflows = value == 0 and text.lower().partition('e')[0].strip('+-.0') != ''
    if value is None or math.isinf(value) or underflows:
        with pytest.raises(ReplyError):
            floating(text.encode())
    else:
        assert floating(text.encode()) == value


@pytest.mark.parametrize(
    ('value', 'text'),
    [
        (0.0, b'0'),
        (-0.0, b'-0'),
        (-3.0, b'-3'),
        (0.1, b'0.1'),
        (3.1, b'3.1'),
        (1 / 3, b'0.3333333333333333'),
        (100.5, b'100.5'),
        (12345.678, b'12345.678'),
        (12345.12345678, b'1.234512345678e+4'),
        (-12345.12345678, b'-1.234512345678e+4'),
        (123456.789012, b'123456.789012'),
        (123456789.5, b'123456789.5'),
        (1000000000000000.5, b'1000000000000000.5'),
        (1e17, b'100000000000000000'),
        (2.0**62, b'4611686018427387904'),
        (-(2.0**62), b'-4611686018427387904'),
        (2.0**62 + 1024, b'4611686018427389000'),
        (1e19, b'1e+19'),
        (12345678901234567890.0, b'12345678901234567000'),
        (1.5e22, b'1.5e+22'),
        (1e100, b'1e+100'),
        (1.7976931348623157e308, b'1.7976931348623157e+308'),
        (0.0015, b'0.0015'),
        (0.000123, b'0.000123'),
        (0.0001234, b'1.234e-4'),
        (1e-5, b'0.00001'),
        (1.234e-5, b'1.234e-5'),
        (1e-7, b'1e-7'),
        (-1.5e-7, b'-1.5e-7'),
        (5e-324, b'5e-324'),
        (math.inf, b'inf'),
        (-math.inf, b'-inf'),
        (math.nan, b'nan'),
    ],
)
def test_doubles_are_written_as_in_replies(value, text):
    assert format_double(value) == text


@pytest.mark.parametrize(
    ('value', 'increment', 'total'),
    [
        (b'3.0', b'1.000000000000000005', b'4.00000000000000001'),
        (b'10.5', b'0.1', b'10.6'),
        (b'5.0e3', b'2.0e2', b'5200'),
        (b'0.1', b'0.2', b'0.3'),
        (b'1', b'-1.1', b'-0.1'),
        (b'-1', b'1', b'0'),
        (b'+1', b'-0', b'1'),
        (b'.5', b'5.', b'5.5'),
        (b'0x1p-1', b'0X1.8p1', b'3.5'),
        (b'0', b'-0.00000000000000000001', b'0'),
        (b'0.000000000000000015', b'0', b'0.00000000000000002'),
        (b'9007199254740993', b'0.5', b'9007199254740993.5'),
        (b'123456789.123456789', b'987654321.987654321', b'1111111111.11111110995989293'),
        (b'1234567890123456789', b'0.000000001', b'1234567890123456789'),
        (b'1e20', b'0.1', b'100000000000000000000'),
        # 2**64: from here on not every integer has its own long double
        (b'18446744073709551615', b'1', b'18446744073709551616'),
        (b'18446744073709551616', b'1', b'18446744073709551616'),
        (b'18446744073709551616', b'3', b'18446744073709551620'),
        (b'1e-4950', b'0', b'0'),
        (b'1e-4950', b'1e300', b'1' + format_long_double(long_double(b'1e300'))[1:]),
    ],
)
def test_sums_of_incrbyfloat(value, increment, total):
    assert add_long_doubles(value, increment) == total


def test_the_largest_long_double_is_written_out():
    largest = add_long_doubles(b'1.189731495357231765e4932', b'0')
    assert len(largest) == 4933
    assert largest.startswith(b'1189731495357231765021263853030970205169')
    assert largest.endswith(b'444156604419552086811989770240')
    assert add_long_doubles(largest, b'-1') == largest


def test_more_digits_than_python_takes_at_once():
    total = add_long_doubles(b'9' * 4400, b'0')
    assert len(total) == 4401
    assert total.startswith(b'1000000000000000000033139484120682669725')
    assert total.endswith(b'376871120077693759332896735232')
    assert add_long_doubles(b'1.' + b'0' * 5000 + b'1', b'1') == b'2'


@pytest.mark.parametrize(
    'text',
    [*NOT_FLOATS, b'1e4933', b'-1e4933', b'1e-4952', b'0x1p16384', b'1e99999999', b'1' * 5120],
    ids=shortened,
)
def test_incrbyfloat_refuses_what_is_no_long_double(text):
    for pair in ((text, b'1'), (b'1', text)):
        with pytest.raises(ReplyError) as error:
            add_long_doubles(*pair)
        assert error.value.text == NOT_A_FLOAT


@pytest.mark.parametrize(
    ('value', 'increment'), [(b'inf', b'1'), (b'1', b'-inf'), (b'inf', b'-inf'), (b'1e4932', b'1e4932')]
)
def test_incrbyfloat_refuses_an_infinite_sum(value, increment):
    with pytest.raises(ReplyError) as error:
        add_long_doubles(value, increment)
    assert error.value.text == b'ERR increment would produce NaN or Infinity'


@given(st.integers(-(10**40), 10**40), st.integers(-400, 400))
def test_a_long_double_is_the_nearest_of_64_bits(digits, power):
    significand, exponent = long_double(b'%de%d' % (digits, power))
    exact = digits * Fraction(10) ** power
    assert abs(significand * Fraction(2) ** exponent - exact) <= Fraction(2) ** exponent / 2
    assert digits == 0 or 2**63 <= abs(significand) <= 2**64


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_double_is_a_long_double(value):
    significand, exponent = long_double(value.hex().encode())
    assert significand * Fraction(2) ** exponent == Fraction(value)


@pytest.mark.parametrize(
    ('text', 'wait_ms'),
    [
        (b'0', 0),
        (b'1', 1000),
        (b'1.5', 1500),
        (b'0.1', 100),
        (b'0.001', 1),
        (b'0.0001', 1),
        (b'1e-30', 1),
        (b'1.0001', 1001),
        (b'1e3', 1_000_000),
        (b'0x10', 16_000),
        (b'-0', 0),
        (b'-0.0009', 0),  # rounded up
        (b'9223372036854775', 9_223_372_036_854_775_000),
        (b'9223372036854775.807', INT64_MAX),
    ],
)
def test_timeouts_are_read_in_seconds(text, wait_ms):
    assert timeout_ms(text) == wait_ms


@pytest.mark.parametrize(
    ('text', 'error'),
    [
        (b'abc', b'ERR timeout is not a float or out of range'),
        (b'', b'ERR timeout is not a float or out of range'),
        (b' 1', b'ERR timeout is not a float or out of range'),
        (b'nan', b'ERR timeout is not a float or out of range'),
        (b'1e5000', b'ERR timeout is not a float or out of range'),
        (b'1e-5000', b'ERR timeout is not a float or out of range'),
        (b'-1', b'ERR timeout is negative'),
        (b'-1e300', b'ERR timeout is negative'),
        (b'-inf', b'ERR timeout is negative'),
        (b'9223372036854776', b'ERR timeout is out of range'),
        (b'0x7FFFFFFFFFFFFFFF', b'ERR timeout is out of range'),
        (b'1e300', b'ERR timeout is out of range'),
        (b'inf', b'ERR timeout is out of range'),
    ],
)
def test_what_is_no_timeout(text, error):
    with pytest.raises(ReplyError) as refusal:
        timeout_ms(text)
    assert refusal.value.text == error


@pytest.mark.parametrize('text', [b'0', b'-1', b'1023', b'1024', b'-129', b'99999'])
def test_an_integer_may_stand_in_a_value_that_was_changed_in_place(text):
    value: Any = bytearray(text)
    assert integer(value) == integer(text) == int(text)
    assert is_integer(value)


class LongText(bytes):
    """A text of megabytes, not to be read: its length says enough."""

    def isdigit(self):
        raise AssertionError('read')


def test_the_length_is_checked_before_the_digits():
    """INCR of a value of 500 MB reads it at every call."""
    text = LongText(b'1' * 1000)
    assert not is_integer(text)
    with pytest.raises(ReplyError):
        integer(text)
    with pytest.raises(AssertionError):
        is_integer(LongText(b'1'))
