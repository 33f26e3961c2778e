"""Values to RESP: one table of encoders for each protocol.

`encoders[type(reply)](reply)` is the only encoding step; HELLO swaps the table. Heads of small lengths and small
integers are made once, at import: `b''.join((head, value, CRLF))` with a ready head takes 67 ns, formatting 108.

Large strings are not copied, whatever they are nested in: a reply that has any is encoded as `Pieces`.
"""

from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
from typing import Any

from selredis.numeric import format_double
from selredis.resp.pieces import LARGE_BYTES, Output, Pieces, cut, gathered, joined
from selredis.resp.reply import (
    Attributes,
    BigNumber,
    Double,
    Encoded,
    EncodedParts,
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

Encoders = dict[type, Callable[[Any], Output]]

CRLF = b'\r\n'
RESP2_NULL = b'$-1\r\n'
RESP3_NULL = b'_\r\n'

INTEGERS = {number: b':%d\r\n' % number for number in range(-1, 1024)}
READY_HEADS = 2048
BULK_HEADS = tuple(b'$%d\r\n' % length for length in range(READY_HEADS))
BETWEEN = tuple(b'\r\n%b' % head for head in BULK_HEADS)
ARRAY_HEADS = tuple(b'*%d\r\n' % count for count in range(128))
ARRAY_COUNTS = tuple(b'*%d' % count for count in range(128))


def encode_bulk(text: bytes | bytearray) -> Output:
    size = len(text)
    if size < READY_HEADS:  # most replies
        return b''.join((BULK_HEADS[size], text, CRLF))
    if size < LARGE_BYTES:
        return b''.join((b'$%d\r\n' % size, text, CRLF))
    # A bytearray is a value that may be changed before it is sent.
    return Pieces((b'$%d\r\n' % size, bytes(text) if isinstance(text, bytearray) else text, CRLF))


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
    """An array of strings that are all of one size and not large: joined by what is between two of them."""
    count = len(strings)
    between = BETWEEN[size] if size < READY_HEADS else b'\r\n$%d\r\n' % size
    return between.join([ARRAY_COUNTS[count] if count < 128 else b'*%d' % count, *strings]) + CRLF


def encode_strings(strings: Strings) -> Output:
    """An array of strings."""
    count = len(strings)
    sizes = [*map(len, strings)]
    if count and sizes.count(sizes[0]) == count and sizes[0] < LARGE_BYTES:
        return encode_alike(strings, sizes[0])
    parts = [CRLF] * (3 * count + 1)
    parts[0] = array_head(count)
    longest = max(sizes, default=0)
    if longest < READY_HEADS:
        parts[1::3] = [BULK_HEADS[size] for size in sizes]
    else:
        parts[1::3] = map(bulk_head, sizes)
    parts[2::3] = strings
    if longest < LARGE_BYTES:
        return b''.join(parts)
    return cut(parts, [3 * number + 2 for number, size in enumerate(sizes) if size >= LARGE_BYTES])


def make_encoders(protocol: int) -> Encoders:
    """The table of one protocol, 2 or 3."""
    encoders: Encoders = {}

    def encode_items(head: bytes, items: Iterable[Any]) -> Output:
        """Replies one after another; strings in three parts, which takes half the time of a call each."""
        parts: list[Output] = [head]
        for item in items:
            if type(item) is bytes:
                size = len(item)
                if size < READY_HEADS:
                    parts += (BULK_HEADS[size], item, CRLF)
                elif size < LARGE_BYTES:
                    parts += (b'$%d\r\n' % size, item, CRLF)
                else:
                    parts.append(encode_bulk(item))
            else:
                parts.append(encoders[type(item)](item))
        try:
            return b''.join(parts)  # type: ignore[arg-type]  # `joined` written out
        except TypeError:
            return gathered(parts)

    def encode_array(items: list[object]) -> Output:
        return encode_items(array_head(len(items)), items)

    def encode_several(replies: Several) -> Output:
        return encode_items(b'', replies)

    def flat(head: bytes, pairs: Iterable[tuple[object, object]]) -> Output:
        return encode_items(head, [half for pair in pairs for half in pair])

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
        EncodedParts: joined,
        Several: encode_several,
    }
    if protocol == 2:

        def encode_map_flat(mapping: Mapping[object, object]) -> Output:
            return flat(array_head(2 * len(mapping)), mapping.items())

        def encode_pairs_flat(pairs: Pairs) -> Output:
            return flat(array_head(2 * len(pairs)), pairs)

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

        def encode_map(mapping: Mapping[object, object]) -> Output:
            return flat(b'%%%d\r\n' % len(mapping), mapping.items())

        encoders |= {
            type(None): lambda _: RESP3_NULL,
            NullArray: lambda _: RESP3_NULL,
            Map: encode_map,
            Attributes: lambda attributes: flat(b'|%d\r\n' % len(attributes), attributes.items()),
            PairMap: lambda pairs: flat(b'%%%d\r\n' % len(pairs), pairs),
            Pairs: encode_array,
            Set_: lambda items: encode_items(b'~%d\r\n' % len(items), items),
            Push: lambda items: encode_items(b'>%d\r\n' % len(items), items),
            float: lambda number: b',%b\r\n' % format_double(number),
            Double: lambda digits: b',%b\r\n' % digits,
            bool: lambda truth: b'#t\r\n' if truth else b'#f\r\n',
            Verbatim: lambda text: b'=%d\r\ntxt:%b\r\n' % (len(text) + 4, text),
            BigNumber: lambda number: b'(%d\r\n' % number,
        }
    return encoders


ENCODERS: dict[int, Encoders] = {2: make_encoders(2), 3: make_encoders(3)}
