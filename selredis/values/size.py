"""How much memory values take: what CPython asks of its allocator for them, and what that makes of it.

Objects up to 512 bytes come from pymalloc, in steps of 16 bytes; larger ones from the C library, which adds a word and
rounds as well, and takes whole pages for what is very large (CPython 3.11 to 3.14, glibc, 64 bits).
"""

from collections import Counter
from collections.abc import Callable, Collection
from sys import getsizeof
from typing import Any

from selredis.values.list import List

FEW = 24  # strings; those of fewer are added up one by one, of more by length
SMALL = 512
HUGE = 128 * 1024
PAGE = 4096

BYTES_HEAD = 33  # of a bytes object, its final NUL included; one of no byte or of one is there once for all
INT_BYTES = 32  # those from -5 to 256 are there once for all; they are counted nevertheless
BYTEARRAY_HEAD = getsizeof(bytearray())
LIST_HEAD = getsizeof([])


def allocated(size: int) -> int:
    """What the allocator gives for so many bytes."""
    if size <= SMALL:
        return size + 15 & ~15
    if size < HUGE:
        return size + 23 & ~15
    return size + 16 + PAGE - 1 & -PAGE


LIST_BYTES = allocated(getsizeof(List())) + allocated(LIST_HEAD)


def string_bytes(length: int) -> int:
    """What a bytes object of this length takes."""
    return allocated(BYTES_HEAD + length) if length > 1 else 0


def strings_bytes(strings: Collection[bytes]) -> int:
    """What many bytes objects take."""
    if len(strings) <= FEW:
        return sum([string_bytes(len(each)) for each in strings])
    return sum(string_bytes(length) * count for length, count in Counter(map(len, strings)).items())


def bytearray_bytes(value: bytearray) -> int:
    return allocated(BYTEARRAY_HEAD) + allocated(getsizeof(value) - BYTEARRAY_HEAD)


def list_bytes(items: List, samples: int) -> int:
    """A list with its elements: all of them, or the mean of so many that are spread over it. 0: all."""
    count = len(items)
    places = items.places
    head = LIST_BYTES + allocated(getsizeof(places) - LIST_HEAD)
    if not samples or count <= samples:
        return head + strings_bytes(places)  # free places hold no memory
    sample = places[items.first :: count // samples][:samples]
    return head + strings_bytes(sample) * count // samples


# For each kind whose values have members: what one takes, from so many samples.
OF_CONTAINERS: dict[type, Callable[[Any, int], int]] = {List: list_bytes}


def size_of(value: Any, samples: int = 0) -> int:
    """What a value takes, in bytes. One with many members is estimated from so many of them; 0: from all."""
    kind = type(value)
    if kind is bytes:
        return string_bytes(len(value))
    if kind is int:
        return INT_BYTES
    if kind is bytearray:
        return bytearray_bytes(value)
    return OF_CONTAINERS[kind](value, samples)
