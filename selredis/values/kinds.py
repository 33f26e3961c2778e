"""What the kinds of values are called, and what they have in common."""

from typing import Any

from selredis.values.list import List

STRING_KINDS = frozenset((bytes, bytearray, int))
TYPE_NAMES: dict[type, bytes] = {**dict.fromkeys(STRING_KINDS, b'string'), List: b'list'}


def text_of(value: Any) -> Any:
    """A string of whatever kind as bytes, or as the bytearray that it is."""
    return b'%d' % value if type(value) is int else value


def type_name(value: Any) -> bytes:
    """TYPE's word for a value."""
    return TYPE_NAMES[type(value)]


def copy_of(value: Any) -> Any:
    """A value to be kept under another key: what is done to one must not be seen in the other."""
    return value if type(value) in (bytes, int) else value.copy()
