"""What a command may answer: plain values, and the few types that Python has no name for.

`int`, `bytes`, `None`, `list`, `float` and `bool` stand for themselves. Encoding is the encoder's work; a
handler never asks which protocol its client speaks.
"""

from selredis.resp.pieces import Output


class Status:
    """A simple string such as OK: encoded once, when it is made."""

    __slots__ = ('encoded', 'text')

    def __init__(self, text: bytes) -> None:
        self.text = text
        self.encoded = b'+%b\r\n' % text


class Error:
    """An error as a value, for where one is part of a reply (EXEC) or is sent outside of any command."""

    __slots__ = ('encoded', 'text')

    def __init__(self, text: bytes) -> None:
        self.text = text
        # A line is all that the wire has for an error (redis networking.c, addReplyErrorLength).
        self.encoded = b'-%b\r\n' % text.replace(b'\r', b' ').replace(b'\n', b' ')


class Map(dict[object, object]):
    """A map in RESP3, a flat array in RESP2 (CONFIG GET, HELLO)."""

    __slots__ = ()


class Attributes(dict[object, object]):
    """What RESP3 says about the reply that follows; it says nothing in RESP2."""

    __slots__ = ()


class Pairs(list[tuple[object, object]]):
    """An array of pairs in RESP3, a flat array in RESP2 (ZRANGE WITHSCORES)."""

    __slots__ = ()


class PairMap(list[tuple[object, object]]):
    """A map in RESP3, an array of pairs in RESP2 (XREAD). A key may be in it twice."""

    __slots__ = ()


class Strings(list[bytes]):
    """An array of nothing but `bytes`, which is encoded in half the time of one of anything (LRANGE)."""

    __slots__ = ()


class Set_(list[object]):
    """A set in RESP3, an array in RESP2."""

    __slots__ = ()


class Push(list[object]):
    """A push in RESP3, an array in RESP2 (what a subscriber receives)."""

    __slots__ = ()


class Several(list[object]):
    """Replies sent one after another, for a command that answers more than once or not at all (SUBSCRIBE a b)."""

    __slots__ = ()


class Verbatim(bytes):
    """Text for people: a verbatim string (txt) in RESP3, a bulk string in RESP2 (INFO, CLIENT LIST)."""

    __slots__ = ()


class BigNumber(int):
    """An integer of any size: `(` in RESP3, a bulk string in RESP2."""

    __slots__ = ()


class Double(bytes):
    """A double in digits of its own: `,` in RESP3, a bulk string in RESP2 (GEOPOS)."""

    __slots__ = ()


class Encoded(bytes):
    """Bytes that are RESP already."""

    __slots__ = ()


class EncodedParts(list[Output]):
    """Parts that are RESP already, to be sent one after another (EXEC, XRANGE)."""

    __slots__ = ()


class NullArray:
    """No array: `*-1` in RESP2, null in RESP3 (BLPOP whose time is over, EXEC of a touched WATCH)."""

    __slots__ = ()


class Blocked:
    """No reply yet: the client waits, and its command will run again."""

    __slots__ = ()


OK = Status(b'OK')
PONG = Status(b'PONG')
QUEUED = Status(b'QUEUED')
NULL_ARRAY = NullArray()
BLOCKED = Blocked()
NO_REPLY = Several()

# Any of the above: the encoder's table decides, by exact type.
Reply = object
