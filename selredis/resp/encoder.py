"""Values to RESP: one table of encoders for each protocol.

`encoders[type(reply)](reply)` is the only encoding step; HELLO swaps the table. Heads of small lengths and small
integers are made once, at import: `b''.join((head, value, CRLF))` with a ready head takes 67 ns, formatting 108.
"""

from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
from typing import Any

from selredis.numeric import format_double
from selredis.resp.reply import (
    Attributes,
    BigNumber,
    Double,
    Encoded,
    Error,
    Map,
    NullArray,
    PairMap,
    Pairs,
    Push,
    Set_,
    Several,
    Status,
    Strings,
    Verbatim,
)

Encoders = dict[type, Callable[[Any], bytes]]

CRLF = b'\r\n'
RESP2_NULL = b'$-1\r\n'
RESP3_NULL = b'_\r\n'

INTEGERS = {number: b':%d\r\n' % number for number in range(-1, 1024)}
READY_HEADS = 2048
BULK_HEADS = tuple(b'$%d\r\n' % length for length in range(READY_HEADS))
BETWEEN = tuple(b'\r\n%b' % head for head in BULK_HEADS)
ARRAY_HEADS = tuple(b'*%d\r\n' % count for count in range(128))
ARRAY_COUNTS = tuple(b'*%d' % count for count in range(128))


def encode_bulk(text: bytes | bytearray) -> bytes:
    size = len(text)  # `bulk_head` written out: most replies come by here
    return b''.join((BULK_HEADS[size] if size < READY_HEADS else b'$%d\r\n' % size, text, CRLF))


def encode_integer(number: int) -> bytes:
    return INTEGERS.get(number) or b':%d\r\n' % number


encode_status = attrgetter('encoded')  # stays in C: a function of ours would take twice as long


def as_it_is(data: Encoded) -> bytes:
    return data


def bulk_head(size: int) -> bytes:
    return BULK_HEADS[size] if size < READY_HEADS else b'$%d\r\n' % size


def array_head(count: int) -> bytes:
    return ARRAY_HEADS[count] if count < 128 else b'*%d\r\n' % count


def encode_alike(strings: list[bytes], size: int) -> bytes:
    """An array of strings that are all of one size: joined by what is between two of them."""
    count = len(strings)
    between = BETWEEN[size] if size < READY_HEADS else b'\r\n$%d\r\n' % size
    return between.join([ARRAY_COUNTS[count] if count < 128 else b'*%d' % count, *strings]) + CRLF


def encode_strings(strings: Strings) -> bytes:
    """An array of strings."""
    count = len(strings)
    sizes = [*map(len, strings)]
    if count and sizes.count(sizes[0]) == count:
        return encode_alike(strings, sizes[0])
    parts = [CRLF] * (3 * count + 1)
    parts[0] = array_head(count)
    if max(sizes, default=0) < READY_HEADS:
        parts[1::3] = [BULK_HEADS[size] for size in sizes]
    else:
        parts[1::3] = map(bulk_head, sizes)
    parts[2::3] = strings
    return b''.join(parts)


def make_encoders(protocol: int) -> Encoders:
    """The table of one protocol, 2 or 3."""
    encoders: Encoders = {}

    def encode_items(items: Iterable[Any]) -> list[bytes]:
        """Replies one after another, to be joined; strings in three parts, which takes half the time of a call each."""
        parts: list[bytes] = []
        for item in items:
            if type(item) is bytes and len(item) < READY_HEADS:
                parts += (BULK_HEADS[len(item)], item, CRLF)
            else:
                parts.append(encoders[type(item)](item))
        return parts

    def encode_array(items: list[object]) -> bytes:
        return array_head(len(items)) + b''.join(encode_items(items))

    def encode_several(replies: Several) -> bytes:
        return b''.join(encode_items(replies))

    def flat(pairs: Iterable[tuple[object, object]]) -> bytes:
        return b''.join(encode_items([half for pair in pairs for half in pair]))

    encoders |= {
        int: encode_integer,
        bytes: encode_bulk,
        bytearray: encode_bulk,
        list: encode_array,
        tuple: encode_array,
        Strings: encode_strings,
        Status: encode_status,
        Error: encode_status,
        Encoded: as_it_is,
        Several: encode_several,
    }
    if protocol == 2:

        def encode_map_flat(mapping: Mapping[object, object]) -> bytes:
            return array_head(2 * len(mapping)) + flat(mapping.items())

        def encode_pairs_flat(pairs: Pairs) -> bytes:
            return array_head(2 * len(pairs)) + flat(pairs)

        encoders |= {
            type(None): lambda _: RESP2_NULL,
            NullArray: lambda _: b'*-1\r\n',
            Map: encode_map_flat,
            Attributes: lambda _: b'',
            PairMap: encode_array,
            Pairs: encode_pairs_flat,
            Set_: encode_array,
            Push: encode_array,
            float: lambda number: encode_bulk(format_double(number)),
            bool: lambda truth: b':1\r\n' if truth else b':0\r\n',
            Double: encode_bulk,
            Verbatim: encode_bulk,
            BigNumber: lambda number: encode_bulk(b'%d' % number),
        }
    else:

        def encode_map(mapping: Mapping[object, object]) -> bytes:
            return b'%%%d\r\n' % len(mapping) + flat(mapping.items())

        encoders |= {
            type(None): lambda _: RESP3_NULL,
            NullArray: lambda _: RESP3_NULL,
            Map: encode_map,
            Attributes: lambda attributes: b'|%d\r\n' % len(attributes) + flat(attributes.items()),
            PairMap: lambda pairs: b'%%%d\r\n' % len(pairs) + flat(pairs),
            Pairs: encode_array,
            Set_: lambda items: b'~%d\r\n' % len(items) + b''.join(encode_items(items)),
            Push: lambda items: b'>%d\r\n' % len(items) + b''.join(encode_items(items)),
            float: lambda number: b',%b\r\n' % format_double(number),
            Double: lambda digits: b',%b\r\n' % digits,
            bool: lambda truth: b'#t\r\n' if truth else b'#f\r\n',
            Verbatim: lambda text: b'=%d\r\ntxt:%b\r\n' % (len(text) + 4, text),
            BigNumber: lambda number: b'(%d\r\n' % number,
        }
    return encoders


ENCODERS: dict[int, Encoders] = {2: make_encoders(2), 3: make_encoders(3)}
