"""What the kinds of values are called, and what they have in common."""

from typing import Any

from selredis.values.list import List

TYPE_NAMES: dict[type, bytes] = {bytes: b'string', bytearray: b'string', List: b'list'}


def type_name(value: Any) -> bytes:
    """TYPE's word for a value."""
    return TYPE_NAMES[type(value)]


def copy_of(value: Any) -> Any:
    """A value to be kept under another key: what is done to one must not be seen in the other."""
    return value if type(value) is bytes else value.copy()
