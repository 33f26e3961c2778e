"""Numbers as Redis reads and writes them."""

from selredis.errors import NOT_AN_INTEGER, ReplyError

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


def integer(text: bytes, error: bytes = NOT_AN_INTEGER) -> int:
    """Read a signed 64-bit integer, written as Redis would write it (util.c, string2ll).

    Raises ReplyError(error) for anything else: blanks, a plus sign, leading zeros, -0, values past 64 bits.
    """
    # On the way of every INCR and EXPIRE. Below nineteen digits nothing can overflow; in order of bytes a zero with
    # more digits behind it comes between b'0' and b'1'.
    if text.isdigit() and (text >= b'1' or text == b'0') and len(text) < 19:
        return int(text)
    if is_integer(text):
        return int(text)
    raise ReplyError(error)


def is_integer(text: bytes) -> bool:
    """Whether `integer` would take the text."""
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


def format_double(value: float) -> bytes:
    """Write a double as it stands in replies (util.c, d2string of 7.2; up to 7.0 it was %.17g)."""
    if value.is_integer() and abs(value) <= 2**62:
        return b'-0' if value == 0 and str(value) == '-0.0' else b'%d' % int(value)
    return repr(value).encode()
