"""OBJECT ENCODING: what Redis would call the way in which it keeps such a value.

Values are kept in one way here. The name follows from the value itself, as Redis would have come to it.
"""

from selredis.numeric import is_integer

EMBEDDED_BYTES = 44  # longer strings are apart from their header (object.c, OBJ_ENCODING_EMBSTR_SIZE_LIMIT)


def encoding_of(value: object) -> bytes:
    """The name of a value's encoding."""
    match value:
        case bytearray():  # changed in place, which Redis does in a buffer of its own, however short
            return b'raw'
        case bytes():
            if is_integer(value):
                return b'int'
            return b'embstr' if len(value) <= EMBEDDED_BYTES else b'raw'
    raise TypeError(f'a value of type {type(value).__name__} has no encoding')
