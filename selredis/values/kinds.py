"""What the kinds of values are called, and what they have in common.

A kind with members is a class of its own. To have a new one take part in everything it is enough that it is a
`Container`, and that it is entered here, in `encoding.NAMES`, `digest.MIXERS` and `size.OF_CONTAINERS`.
"""

from typing import Any, Protocol

from selredis.values.hash import Hash
from selredis.values.list import List
from selredis.values.set import Set
from selredis.values.sorted_set import SortedSet
from selredis.values.stream import Stream

STRING_KINDS = frozenset((bytes, bytearray, int))
TYPE_NAMES: dict[type, bytes] = {
    **dict.fromkeys(STRING_KINDS, b'string'),
    Hash: b'hash',
    List: b'list',
    Set: b'set',
    SortedSet: b'zset',
    Stream: b'stream',
}


class Container(Protocol):
    """A value with members; in a database there is none without any."""

    def __len__(self) -> int:
        """How many members it has."""

    def copy(self) -> 'Container':
        """The same members, to be kept under another key."""

    def shorten(self, count: int) -> None:
        """Let go of so many members, whichever are the quickest: the value is of no more use."""


def text_of(value: Any) -> Any:
    """A string of whatever kind as bytes, or as the bytearray that it is."""
    return b'%d' % value if type(value) is int else value


def type_name(value: Any) -> bytes:
    """TYPE's word for a value."""
    return TYPE_NAMES[type(value)]


def copy_of(value: Any) -> Any:
    """A value to be kept under another key: what is done to one must not be seen in the other."""
    return value if type(value) in (bytes, int) else value.copy()
