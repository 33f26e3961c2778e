"""How many bytes things take in a listpack, in which Redis keeps what is small (listpack.c).

Nothing is kept so here, but Redis goes by it where it names an encoding, or divides a value into parts.
"""

from selredis.numeric import is_integer

# A listpack's header and end mark; what is in front of an element, by its length; what is behind it (listpack.c).
LISTPACK_BYTES = 7
LISTPACK_ELEMENT_BYTES = 2  # the least
STRING_HEADS = ((64, 1), (4096, 2), (1 << 32, 5))
INTEGER_BYTES = ((1 << 12, 2), (1 << 15, 3), (1 << 23, 4), (1 << 31, 5), (1 << 63, 9))  # for -n <= number < n
LENGTH_BEHIND = ((1 << 7, 1), ((1 << 14) - 1, 2), ((1 << 21) - 1, 3), ((1 << 28) - 1, 4), (1 << 33, 5))


def listpack_bytes(element: bytes) -> int:
    """What an element takes in a listpack."""
    if is_integer(element):
        size = integer_bytes(int(element))
        return size + step(LENGTH_BEHIND, size)
    return len(element) + string_bytes_around(len(element))


def string_bytes_around(length: int) -> int:
    """What stands before and behind a string of this length."""
    if length < 64:
        return 2
    if length < 126:
        return 3
    if length < 4096:
        return 4
    head = step(STRING_HEADS, length)
    return head + step(LENGTH_BEHIND, head + length)


def integer_bytes(number: int) -> int:
    return 1 if 0 <= number < 1 << 7 else step(INTEGER_BYTES, number if number >= 0 else -number - 1)


def step(steps: tuple[tuple[int, int], ...], number: int) -> int:
    """What belongs to the first limit that is above the number."""
    return next(result for limit, result in steps if number < limit)
