"""OBJECT ENCODING: what Redis would call the way in which it keeps such a value.

Values are kept in one way here. The name follows from the value itself, as Redis would have come to it. (Only where
Redis remembers what a value has been may it say otherwise: a list that has shrunk keeps its encoding for a while.)
"""

from collections.abc import Callable
from typing import Any, Protocol

from selredis.numeric import is_integer
from selredis.values.hash import Hash
from selredis.values.list import List
from selredis.values.listpack import LISTPACK_BYTES, LISTPACK_ELEMENT_BYTES, listpack_bytes
from selredis.values.set import Set
from selredis.values.sorted_set import SortedSet
from selredis.values.stream import Stream

EMBEDDED_BYTES = 44  # longer strings are apart from their header (object.c, OBJ_ENCODING_EMBSTR_SIZE_LIMIT)

NODE_BYTES = (4096, 8192, 16384, 32768, 65536)  # list-max-listpack-size -1 to -5 (quicklist.c)
SAFE_BYTES = 8192  # a listpack's most where list-max-listpack-size is a number of elements


class Limits(Protocol):
    """The parameters that tell up to which size a value is kept in a small way: list-max-listpack-size and others."""

    def __getitem__(self, name: str) -> Any: ...


def encoding_of(value: object, limits: Limits) -> bytes:
    """The name of a value's encoding."""
    return NAMES[type(value)](value, limits)


def of_bytearray(value: bytearray, limits: Limits) -> bytes:
    return b'raw'  # changed in place, which Redis does in a buffer of its own, however short


def of_int(value: int, limits: Limits) -> bytes:
    return b'int'


def of_bytes(value: bytes, limits: Limits) -> bytes:
    if is_integer(value):
        return b'int'
    return b'embstr' if len(value) <= EMBEDDED_BYTES else b'raw'


def of_list(value: List, limits: Limits) -> bytes:
    return b'listpack' if fits_listpack(value, limits['list-max-listpack-size']) else b'quicklist'


def of_stream(value: Stream, limits: Limits) -> bytes:
    return b'stream'


def of_set(value: Set, limits: Limits) -> bytes:
    count = max(len(value), value.most)
    longest = limits['set-max-listpack-value']
    may_be_intset = value.longest < 0 and count <= limits['set-max-intset-entries']
    if may_be_intset and (value.is_intset or all(map(is_integer, value.unordered()))):
        return b'intset'
    if count > limits['set-max-listpack-entries'] or value.longest > longest:
        return b'hashtable'
    return b'listpack' if max(map(len, value.unordered())) <= longest else b'hashtable'


def of_hash(value: Hash, limits: Limits) -> bytes:
    if max(len(value), value.most) > limits['hash-max-listpack-entries']:
        return b'hashtable'
    longest = limits['hash-max-listpack-value']
    if value.longest > longest or max(map(len, value.unordered())) > longest:
        return b'hashtable'
    return b'listpack' if value.deadlines is None else b'listpackex'


def of_sorted_set(value: SortedSet, limits: Limits) -> bytes:
    longest = limits['zset-max-listpack-value']
    if max(len(value), value.most) > limits['zset-max-listpack-entries'] or value.longest > longest:
        return b'skiplist'
    return b'listpack' if max(map(len, value)) <= longest else b'skiplist'


NAMES: dict[type, Callable[[Any, Limits], bytes]] = {
    bytearray: of_bytearray,
    int: of_int,
    bytes: of_bytes,
    Hash: of_hash,
    List: of_list,
    Set: of_set,
    SortedSet: of_sorted_set,
    Stream: of_stream,
}


def fits_listpack(elements: List, limit: int) -> bool:
    """Whether a list that grew at its end is within list-max-listpack-size.

    That is a number of elements or, if negative, one of NODE_BYTES.
    """
    most_bytes = SAFE_BYTES if limit >= 0 else NODE_BYTES[min(-limit, len(NODE_BYTES)) - 1]
    most = max(limit, 1) if limit >= 0 else most_bytes // LISTPACK_ELEMENT_BYTES
    if len(elements) > most:
        return False
    # Redis asks before it adds an element, and counts of that one its own bytes only (t_list.c, 7.2).
    *others, last = elements
    return LISTPACK_BYTES + sum(map(listpack_bytes, others)) + len(last) <= most_bytes
