"""Numbers as Redis reads and writes them."""

import re
from math import copysign, inf, isfinite, isinf
from typing import NamedTuple

from selredis.errors import NOT_A_FLOAT, NOT_AN_INTEGER, TIMEOUT_NEGATIVE, TIMEOUT_OUT_OF_RANGE, ReplyError

INT32_MIN = -(2**31)
INT32_MAX = 2**31 - 1
INT64_MIN = -(2**63)
INT64_MAX = 2**63 - 1

MEMORY_UNITS = {
    b'': 1,
    b'b': 1,
    b'k': 1000,
    b'kb': 1024,
    b'm': 1000**2,
    b'mb': 1024**2,
    b'g': 1000**3,
    b'gb': 1024**3,
}


# Small integers, which most arguments are, by their texts: read in a third of the time, those below zero in a tenth.
READY_INTEGERS = {b'%d' % number: number for number in range(-128, 1024)}


def integer(text: bytes, error: bytes = NOT_AN_INTEGER) -> int:
    """Read a signed 64-bit integer, written as Redis would write it (util.c, string2ll).

    Raises ReplyError(error) for anything else: blanks, a plus sign, leading zeros, -0, values past 64 bits.
    """
    if len(text) < 5 and type(text) is bytes:  # a value that was changed in place is a bytearray, and has no hash
        ready = READY_INTEGERS.get(text)
        if ready is not None:
            return ready
    # On the way of every INCR and EXPIRE. Below nineteen digits nothing can overflow; in order of bytes a zero with
    # more digits behind it comes between b'0' and b'1'.
    if len(text) < 19 and text.isdigit() and (text >= b'1' or text == b'0'):  # the length first: a value may be huge
        return int(text)
    if is_integer(text):
        return int(text)
    raise ReplyError(error)


def integer32(text: bytes, error: bytes | None = None) -> int:
    """`integer` for one of 32 bits. Raises ReplyError(error), or one that tells what the matter is."""
    number = integer(text, error or NOT_AN_INTEGER)
    if not INT32_MIN <= number <= INT32_MAX:
        raise ReplyError(error or b'ERR value is out of range, value must between %d and %d' % (INT32_MIN, INT32_MAX))
    return number


def is_integer(text: bytes) -> bool:
    """Whether `integer` would take the text."""
    if len(text) < 19 and text.isdigit() and (text >= b'1' or text == b'0'):  # as there
        return True
    if len(text) > 20:
        return False
    try:
        value = int(text)
    except ValueError:
        return False
    return b'%d' % value == text and INT64_MIN <= value <= INT64_MAX


def memory_bytes(text: bytes) -> int:
    """Read an amount of memory: digits and a unit of MEMORY_UNITS in any case (util.c, memtoull).

    No digits are 0, as in Redis. Raises ValueError for what is no such amount, or past 64 bits.
    """
    digits = text.rstrip(b'bBkKmMgG')
    unit = text[len(digits) :].lower()
    if unit not in MEMORY_UNITS or not (digits == b'' or digits.isdigit()):
        raise ValueError(f'not an amount of memory: {text!r}')
    amount = int(digits or b'0') * MEMORY_UNITS[unit]
    if amount >= 1 << 64:
        raise ValueError(f'more memory than 64 bits can tell: {text!r}')
    return amount


def floating(text: bytes, error: bytes = NOT_A_FLOAT) -> float:
    """Read a double as C's strtod does, and nothing around it (util.c, string2d): also 1e5, 0x1.8p3, infinity.

    Raises ReplyError(error) for all else, for nan, and for what only infinity or zero could stand for.
    """
    # Plain digits, perhaps with a point, and too few to leave a double's range.
    if len(text) < 300 and text.replace(b'.', b'', 1).isdigit():
        return float(text)
    match = _FLOAT(text)
    if match is None:
        raise ReplyError(error)
    if match['infinity'] is not None:
        return float(text)
    try:
        value = float(text) if match['hex'] is None else float.fromhex(text.decode())
    except OverflowError:
        raise ReplyError(error) from None
    if isinf(value) or (value == 0 and _significand(match) != b''):
        raise ReplyError(error)
    return value


def to_double(text: bytes, error: bytes = NOT_A_FLOAT) -> float:
    """`floating`, where what only infinity or zero could stand for is one of these. Raises ReplyError(error)."""
    match = _FLOAT(text)
    if match is None:
        raise ReplyError(error)
    try:
        return float(text) if match['hex'] is None else float.fromhex(text.decode())
    except OverflowError:
        return -inf if text.startswith(b'-') else inf


def plain_number(text: bytes) -> float | None:
    """The double that digits alone, perhaps with a point, stand for, in a fifth of the time; None for other texts."""
    return float(text) if len(text) < 300 and text.replace(b'.', b'', 1).isdigit() else None


def format_double(value: float) -> bytes:
    """Write a double as 7.2 does in its replies (util.c, d2string; before 7.2 it was %.17g).

    The digits are the fewest that read back as the same value. Redis's own search for them (Grisu2) sometimes ends
    with more, as 52.429892100000004 for 52.4298921: one value in a thousand, and ten times the work to do alike.
    """
    if value.is_integer() and -(2.0**62) <= value <= 2.0**62:
        return b'%d' % int(value) if value or copysign(1, value) > 0 else b'-0'
    text = repr(value)
    if 0.001 <= abs(value) < 10_000 or not isfinite(value):
        return text.encode()

    # Redis and Python differ in when they turn to an exponent, and in how it looks.
    mantissa, _, exponent = text.lstrip('-').partition('e')
    whole, _, fraction = mantissa.partition('.')
    digits = (whole + fraction).lstrip('0')
    power = int(exponent or 0) - len(fraction)  # of ten, by which the digits are multiplied
    zeros = len(digits) - len(digits.rstrip('0'))
    digits, power = digits[: len(digits) - zeros], power + zeros
    first = power + len(digits) - 1  # the power of ten of the first digit
    if power >= 0 and abs(first) < len(digits) + 7:
        text = digits + '0' * power
    elif -7 < power < 0:
        text = f'{digits[:power] or "0"}.{digits[power:]:>0{-power}}'
    else:
        text = f'{digits[0]}.{digits[1:]}'.rstrip('.') + f'e{first:+d}'
    return b'-%b' % text.encode() if value < 0 else text.encode()


def timeout_ms(text: bytes) -> int:
    """Read a blocking timeout given in seconds; 0 means for ever.

    Returns whole milliseconds, rounded up as Redis does (timeout.c, getTimeoutFromObjectOrReply). Raises ReplyError
    for text that is no number, for negatives and for values past 2**63 ms.
    """
    if text.isdigit() and len(text) < 16:
        return int(text) * 1000
    seconds = long_double(text, b'ERR timeout is not a float or out of range')
    significand, exponent = _rounded(seconds.significand * 1000, 1, seconds.exponent)
    if exponent < 0:
        wait_ms = -(-significand >> -exponent)
    else:
        wait_ms = significand << exponent
    if wait_ms > INT64_MAX:
        raise ReplyError(TIMEOUT_OUT_OF_RANGE)
    if wait_ms < 0:
        raise ReplyError(TIMEOUT_NEGATIVE)
    return wait_ms


class LongDouble(NamedTuple):
    """The number significand * 2**exponent, as precise as x86's long double, in which Redis reckons INCRBYFLOAT.

    The significand has 64 bits and a sign, the exponent is at least -16445, and 2**16384 stands for infinity. There is
    no minus zero.
    """

    significand: int
    exponent: int


LONG_DOUBLE_BITS = 64
LONG_DOUBLE_MIN_EXPONENT = -16445
LONG_DOUBLE_END = 16384

# int() and %d take no more than 4300 digits at once; here may be 5119.
_DIGITS_AT_ONCE = 4000
_SPLIT = 10**_DIGITS_AT_ONCE


def add_long_doubles(value: bytes, increment: bytes, error: bytes = NOT_A_FLOAT) -> bytes:
    """Return the sum as INCRBYFLOAT stores and answers it.

    Raises ReplyError(error) for a value that is no number, and others for such an increment, and for a sum that is none
    or infinite.
    """
    one, other = long_double(value, error), long_double(increment)
    exponent = min(one.exponent, other.exponent)
    total = (one.significand << (one.exponent - exponent)) + (other.significand << (other.exponent - exponent))
    result = _rounded(total, 1, exponent)
    if any(is_infinite(number) for number in (one, other, result)):
        raise ReplyError(b'ERR increment would produce NaN or Infinity')
    return format_long_double(result)


def long_double(text: bytes, error: bytes = NOT_A_FLOAT) -> LongDouble:
    """Read what `floating` reads, with the precision and the range of a long double (util.c, string2ld).

    Raises ReplyError(error) for what only infinity or zero could stand for, and for all else that is no number or has
    5120 bytes or more.
    """
    match = _FLOAT(text) if len(text) < 5120 else None
    if match is None:
        raise ReplyError(error)
    sign = -1 if text.startswith(b'-') else 1
    if match['infinity'] is not None:
        return LongDouble(sign, LONG_DOUBLE_END)
    digits = _significand(match)
    if digits == b'':
        return LongDouble(0, 0)
    power = _power(match)
    # What is far out of range need not be made a number to be refused.
    if match['hex'] is not None:
        if not -16600 < power + 4 * len(digits) < 16600:
            raise ReplyError(error)
        number = _rounded(sign * int(digits, 16), 1, power)
    else:
        if not -5000 < power + len(digits) < 5000:
            raise ReplyError(error)
        significand = int(digits[-_DIGITS_AT_ONCE:]) + int(digits[:-_DIGITS_AT_ONCE] or b'0') * _SPLIT
        number = _rounded(sign * significand * 10 ** max(power, 0), 10 ** max(-power, 0), 0)
    if number.significand == 0 or is_infinite(number):
        raise ReplyError(error)
    return number


def format_long_double(number: LongDouble) -> bytes:
    """Write a finite long double to 17 decimals, without the zeros at its end (util.c, ld2string, LD_STR_HUMAN)."""
    scaled = abs(number.significand) * 10**17
    if number.exponent >= 0:
        count = scaled << number.exponent
    else:
        count = _half_even(scaled, 1 << -number.exponent)
    whole, decimals = divmod(count, 10**17)
    sign = b'-' if number.significand < 0 < count else b''
    fraction = (b'.%017d' % decimals).rstrip(b'0').rstrip(b'.')
    if whole < _SPLIT:
        return b'%b%d%b' % (sign, whole, fraction)
    return b'%b%d%0*d%b' % (sign, whole // _SPLIT, _DIGITS_AT_ONCE, whole % _SPLIT, fraction)


def is_infinite(number: LongDouble) -> bool:
    """Whether a number stands for infinity, or is as good as that."""
    return number.significand.bit_length() + number.exponent > LONG_DOUBLE_END


def _rounded(numerator: int, denominator: int, exponent: int) -> LongDouble:
    """The long double nearest to numerator / denominator * 2**exponent."""
    magnitude = abs(numerator)
    # The quotient has this many bits, or one less.
    bits = magnitude.bit_length() - denominator.bit_length() + 1
    if magnitude << max(1 - bits, 0) < denominator << max(bits - 1, 0):
        bits -= 1
    shift = max(bits - LONG_DOUBLE_BITS, LONG_DOUBLE_MIN_EXPONENT - exponent)
    significand = _half_even(magnitude << max(-shift, 0), denominator << max(shift, 0))
    return LongDouble(significand if numerator >= 0 else -significand, exponent + shift)


def _half_even(numerator: int, denominator: int) -> int:
    """The quotient, rounded to the nearest integer, from the middle to the even one."""
    quotient, rest = divmod(numerator, denominator)
    return quotient + (2 * rest > denominator or (2 * rest == denominator and quotient & 1 == 1))


# Possessive, so that a long text that is no number is refused in one pass.
_FLOAT = re.compile(
    rb"""[+-]? (?: (?=\.?[0-9])       (?P<decimal>[0-9]*+\.?+[0-9]*+)        (?:e(?P<power_of_10>[+-]?[0-9]++))?
                 | 0x(?=\.?[0-9a-f])  (?P<hex>[0-9a-f]*+\.?+[0-9a-f]*+)      (?:p(?P<power_of_2>[+-]?[0-9]++))?
                 | (?P<infinity>inf(?:inity)?) )""",
    re.VERBOSE | re.IGNORECASE,
).fullmatch


def _significand(match: re.Match[bytes]) -> bytes:
    """The digits of a number that _FLOAT has matched, from the first that is not zero; empty for zero."""
    text: bytes = match['decimal'] if match['hex'] is None else match['hex']
    return text.replace(b'.', b'').lstrip(b'0')


def _power(match: re.Match[bytes]) -> int:
    """The power of ten, or of two for a hexadecimal number, by which the digits are to be multiplied."""
    text: bytes = match['power_of_10'] or match['power_of_2'] or b''
    power = int(text.lstrip(b'+-0')[:9] or b'0')  # with nine digits it is out of range already
    if text.startswith(b'-'):
        power = -power
    if match['hex'] is None:
        return power - len(match['decimal'].partition(b'.')[2])
    return power - 4 * len(match['hex'].partition(b'.')[2])
