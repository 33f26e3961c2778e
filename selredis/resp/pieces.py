"""Encoded output that holds large values: several buffers in place of one, so that the values are not copied.

Small replies are joined, which is quicker than to send them one by one. `b''.join` raises TypeError before it copies
anything if one of the parts is a `Pieces`; so to look for large parts costs nothing where there are none.
"""

from collections.abc import Sequence

# A value of this size is handed through as it is. To copy 64 KB takes as long as to handle two more buffers.
LARGE_BYTES = 64 * 1024


class Pieces:
    """Buffers to be sent one after the other. `len` is the number of their bytes, as if they were joined.

    Buffers may be shared with stored values and with other replies, so all of them are immutable.
    """

    __slots__ = ('_size', 'buffers')

    def __init__(self, buffers: Sequence[bytes]) -> None:
        self.buffers = buffers
        self._size = sum(map(len, buffers))

    def __len__(self) -> int:
        return self._size

    def __radd__(self, head: bytes) -> 'Pieces':
        """The same bytes after `head`."""
        first, *others = self.buffers
        return Pieces((head + first, *others))


Output = bytes | Pieces


def buffers_of(data: Output) -> Sequence[bytes]:
    return data.buffers if isinstance(data, Pieces) else (data,)


def joined(parts: Sequence[Output]) -> Output:
    """Join encoded parts. With a `Pieces` among them the result is one, too, which shares its large buffers."""
    try:
        return b''.join(parts)  # type: ignore[arg-type]  # TypeError tells that there is a Pieces
    except TypeError:
        return gathered(parts)


def gathered(parts: Sequence[Output]) -> Pieces:
    """`joined` for parts that may be large themselves, which are not copied either."""
    return cut(parts, [place for place, part in enumerate(parts) if len(part) >= LARGE_BYTES])


def cut(parts: Sequence[Output], places: Sequence[int]) -> Pieces:
    """Join parts but for the large ones, which are at these places; no other is a `Pieces`."""
    buffers: list[bytes] = []
    begin = 0
    for place in places:
        if begin < place:
            buffers.append(b''.join(parts[begin:place]))  # type: ignore[arg-type]
        buffers += buffers_of(parts[place])
        begin = place + 1
    if begin < len(parts):
        buffers.append(b''.join(parts[begin:]))  # type: ignore[arg-type]
    return Pieces(buffers)
