"""What can go wrong between a client and this server, and the texts that say so.

The texts are those of Redis, letter for letter: clients match on them.
"""

WRONG_TYPE = b'WRONGTYPE Operation against a key holding the wrong kind of value'
SYNTAX = b'ERR syntax error'
NOT_AN_INTEGER = b'ERR value is not an integer or out of range'
NOT_A_FLOAT = b'ERR value is not a valid float'
OUT_OF_RANGE = b'ERR value is out of range'
TIMEOUT_OUT_OF_RANGE = b'ERR timeout is out of range'
TIMEOUT_NEGATIVE = b'ERR timeout is negative'
MUST_BE_POSITIVE = b'ERR value is out of range, must be positive'
NO_SUCH_KEY = b'ERR no such key'
INDEX_OUT_OF_RANGE = b'ERR index out of range'
SAME_OBJECT = b'ERR source and destination objects are the same'
STRING_TOO_LONG = b'ERR string exceeds maximum allowed size (proto-max-bulk-len)'
DB_OUT_OF_RANGE = b'ERR DB index is out of range'
NOAUTH = b'NOAUTH Authentication required.'
UNBLOCKED = b'UNBLOCKED client unblocked via CLIENT UNBLOCK'
INTERNAL = b'ERR internal error'


def c_string(text: bytes) -> bytes:
    """Return what C's printf shows of a text, in Redis's error messages: all before its first NUL."""
    return text.partition(b'\0')[0]


class ReplyError(Exception):
    """The client broke a rule of Redis: `text` is the error reply, its code word first, without the dash.

    Raise a new one each time: a shared instance would keep old frames alive.
    """

    def __init__(self, text: bytes) -> None:
        super().__init__(text)
        self.text = text


class ProtocolError(Exception):
    """The peer does not speak RESP: `text` is answered as an error, then the connection closes."""

    def __init__(self, text: bytes) -> None:
        super().__init__(text)
        self.text = text


class ConfigError(Exception):
    """A parameter's name or value cannot be taken; str() is Redis's reason."""


class TlsError(Exception):
    """TLS cannot be had as it is configured; str() is the line for the log."""
