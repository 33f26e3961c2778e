"""A block of a stream's entries: many entries in a few objects. What blocks are for, and when one ends: stream.py."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

from selredis.resp.encoder import array_head, encode_bulk
from selredis.values.listpack import (
    LISTPACK_BYTES,
    LISTPACK_ELEMENT_BYTES,
    integer_bytes,
    listpack_bytes,
    string_bytes_around,
)

SEQ_BITS = 64
SEQ_END = 1 << SEQ_BITS
SEQ_MASK = SEQ_END - 1
LAST_ID = (1 << 128) - 1
SIGNED_END = 1 << 63

SHORT_BYTES = 64  # a string that is shorter has two bytes around it in a listpack
INTEGER_DIGITS = 20  # what is longer is no integer to a listpack


def id_text(id_: int) -> bytes:
    """An id as Redis writes it."""
    return b'%d-%d' % (id_ >> SEQ_BITS, id_ & SEQ_MASK)


def number_bytes(number: int) -> int:
    """What a number takes in a listpack, which has 64 bits for it and a sign."""
    if number >= SIGNED_END:
        number -= SEQ_END
    elif number < -SIGNED_END:
        number += SEQ_END
    return integer_bytes(number) + 1


# The same for one from 0 to below SIGNED_END, by its bits.
NUMBER_BYTES = tuple([number_bytes((1 << bits) - 1) for bits in range(SEQ_BITS)])


def widened(numbers: 'array[int]', number: int) -> 'array[int]':
    """The numbers, and one more that is too large for an array of their size."""
    wide = array('I' if number >> 32 == 0 else 'Q', numbers)
    wide.append(number)
    return wide


class Shape:
    """The fields of entries that have the same ones, and what follows from them.

    `template` is such an entry in RESP, of either protocol, with places for its id, its values, and their lengths.
    """

    __slots__ = ('fields', 'size', 'template', 'width')

    def __init__(self, fields: tuple[bytes, ...]) -> None:
        self.fields = fields
        self.width = len(fields)
        self.size = sum(map(len, fields))
        pairs = [encode_bulk(field).replace(b'%', b'%%') + b'$%d\r\n%b\r\n' for field in fields]
        self.template = b'*2\r\n$%d\r\n%b\r\n' + array_head(2 * self.width) + b''.join(pairs)

    def listpack_bytes(self) -> int:
        """What stands in front of a node's entries in its listpack, but for the numbers of those there are and were."""
        fields = sum(map(listpack_bytes, self.fields))
        return LISTPACK_BYTES + number_bytes(self.width) + fields + LISTPACK_ELEMENT_BYTES


class Block:
    """Entries side by side: `ms` (behind `start_ms`) and `seqs` make their ids, `ends` tell where in `blob` texts end.

    The places before `first` are those of deleted entries. The texts of an entry with the block's own fields are its
    values, of any other its fields and values in turn. `counts` is None as long as there are no others; then it tells
    how many texts each entry has, 0 for one with those fields.
    """

    __slots__ = (
        'blob',
        'counts',
        'deleted',
        'ends',
        'first',
        'last_deleted',
        'ms',
        'seqs',
        'shape',
        'start_ms',
        'start_seq',
    )

    def __init__(self, first_id: int, shape: Shape) -> None:
        self.start_ms = first_id >> SEQ_BITS
        self.start_seq = first_id & SEQ_MASK
        self.shape = shape
        self.ms: array[int] = array('H')
        self.seqs: array[int] = array('H')
        self.ends: array[int] = array('H')
        self.blob: bytes | bytearray = bytearray()
        self.counts: array[int] | None = None
        self.first = 0
        self.deleted = 0
        self.last_deleted = 0  # the greatest id of those

    def __len__(self) -> int:
        return len(self.ms) - self.first

    def copy(self) -> 'Block':
        block = Block(self.start_ms << SEQ_BITS | self.start_seq, self.shape)
        block.ms, block.seqs, block.ends = self.ms[:], self.seqs[:], self.ends[:]
        block.blob = self.blob[:]
        block.counts = None if self.counts is None else self.counts[:]
        block.first, block.deleted, block.last_deleted = self.first, self.deleted, self.last_deleted
        return block

    @property
    def stop(self) -> int:
        """The place behind the last entry."""
        return len(self.ms)

    def id_at(self, place: int) -> int:
        return self.start_ms + self.ms[place] << SEQ_BITS | self.seqs[place]

    def ids(self, first: int, stop: int) -> list[int]:
        start_ms = self.start_ms
        ids = zip(self.ms[first:stop], self.seqs[first:stop], strict=True)
        return [start_ms + ms << SEQ_BITS | seq for ms, seq in ids]

    def place(self, id_: int) -> int:
        """Where the first entry is whose id is not below this one; behind the last if there is none."""
        ms = (id_ >> SEQ_BITS) - self.start_ms
        if ms < 0:
            return self.first
        first = bisect_left(self.ms, ms, self.first)
        return bisect_left(self.seqs, id_ & SEQ_MASK, first, bisect_right(self.ms, ms, first))

    def append(self, id_: int, same_fields: bool, texts: Sequence[bytes], size: int) -> int:
        """Add an entry behind the last; `texts` are its values, if it has other fields than the block both in turn.

        `size`: of all its texts together. Returns `listpack_bytes`.
        """
        ms = (id_ >> SEQ_BITS) - self.start_ms
        seq = id_ & SEQ_MASK
        try:
            self.ms.append(ms)
        except OverflowError:
            self.ms = widened(self.ms, ms)
        try:
            self.seqs.append(seq)
        except OverflowError:
            self.seqs = widened(self.seqs, seq)
        ends = self.ends
        blob = self.blob
        for text in texts:
            blob += text  # in place: only the last block is appended to
            try:
                ends.append(len(blob))
            except OverflowError:
                ends = self.ends = widened(ends, len(blob))
        if not same_fields or self.counts is not None:
            self._append_count(0 if same_fields else len(texts))
        return self.listpack_bytes(ms, seq - self.start_seq, same_fields, texts, size)

    def _append_count(self, count: int) -> None:
        if self.counts is None:
            self.counts = array('H', bytes(2 * (len(self.ms) - 1)))
        try:
            self.counts.append(count)
        except OverflowError:
            self.counts = widened(self.counts, count)

    def listpack_bytes(self, ms: int, seq: int, same_fields: bool, texts: Sequence[bytes], size: int) -> int:
        """What an entry takes in a listpack, if none of its texts is an integer.

        `ms` and `seq`: how far its id is behind the one that the listpack began with. `size`: of all texts together.
        """
        count = len(texts)
        long = size >= SHORT_BYTES
        size += 2 * LISTPACK_ELEMENT_BYTES
        if 0 <= seq < SIGNED_END and ms < SIGNED_END:
            size += NUMBER_BYTES[ms.bit_length()] + NUMBER_BYTES[seq.bit_length()]
        else:
            size += number_bytes(ms) + number_bytes(seq)
        if same_fields and not long and count < 100:  # most often
            return size + 2 * count
        size += number_bytes(count + (3 if same_fields else 4)) - LISTPACK_ELEMENT_BYTES
        if not same_fields:
            size += number_bytes(count // 2)
        return size + sum([string_bytes_around(len(text)) for text in texts])

    def integer_savings(self, first: int) -> int:
        """How many bytes less a listpack needs for those texts of the entries from a place on that are integers."""
        at = self._text_at(first)
        begin = self.ends[at - 1] if at else 0
        blob = self.blob
        saved = 0
        for end in self.ends[at:]:
            if end - begin <= INTEGER_DIGITS:
                text = bytes(blob[begin:end])
                if text.isdigit() or text.startswith(b'-'):
                    saved += len(text) + 2 - listpack_bytes(text)
            begin = end
        return saved

    def _text_at(self, place: int) -> int:
        """Which of the block's texts is the first of an entry."""
        width = self.shape.width
        if self.counts is None:
            return place * width
        return sum([count or width for count in self.counts[:place]])

    def remove(self, first: int, stop: int) -> None:
        """Take out entries, but not all that there are."""
        self.deleted += stop - first
        self.last_deleted = max(self.last_deleted, self.id_at(stop - 1))
        if first == self.first:
            self.first = stop
            return
        begin_text, end_text = self._text_at(first), self._text_at(stop)
        ends = self.ends
        begin = ends[begin_text - 1] if begin_text else 0
        size = ends[end_text - 1] - begin
        blob = self.blob
        if isinstance(blob, bytes):
            self.blob = blob[:begin] + blob[begin + size :]
        else:
            del blob[begin : begin + size]
        rest = array(ends.typecode, [end - size for end in ends[end_text:]])
        del ends[begin_text:]
        ends += rest
        del self.ms[first:stop]
        del self.seqs[first:stop]
        if self.counts is not None:
            del self.counts[first:stop]

    def rows(self, first: int, stop: int) -> Iterator[tuple[int, bool, list[bytes]]]:
        """Of each entry its id, whether it has the block's fields, and its texts."""
        ends, blob, counts, width = self.ends, self.blob, self.counts, self.shape.width
        at = self._text_at(first)
        begin = ends[at - 1] if at else 0
        for place in range(first, stop):
            count = counts[place] if counts is not None else 0
            stop_at = at + (count or width)
            texts = []
            for end in ends[at:stop_at]:
                texts.append(bytes(blob[begin:end]))
                begin = end
            at = stop_at
            yield self.id_at(place), not count, texts

    def entries(self, first: int, stop: int) -> Iterator[tuple[int, list[bytes]]]:
        """Of each entry its id, and its fields and values in turn."""
        fields = self.shape.fields
        for id_, same_fields, texts in self.rows(first, stop):
            if same_fields:
                texts = [word for pair in zip(fields, texts, strict=True) for word in pair]
            yield id_, texts

    def encoded(self, first: int, stop: int) -> list[bytes]:
        """Each entry in RESP, of either protocol: an array of its id and an array of its fields and values.

        Twice as quick as lists of bytes, which the encoder would walk through again.
        """
        if self.counts is not None:
            return [encoded_entry(id_text(id_), words) for id_, words in self.entries(first, stop)]
        width, template = self.shape.width, self.shape.template
        start_ms, ends, blob = self.start_ms, self.ends, self.blob
        at = first * width
        begin = ends[at - 1] if at else 0
        rows: list[bytes] = []
        append = rows.append
        ids = zip(self.ms[first:stop], self.seqs[first:stop], strict=True)
        if width == 1:
            for (ms, seq), end in zip(ids, ends[first:stop], strict=True):
                id_ = b'%d-%d' % (start_ms + ms, seq)
                append(template % (len(id_), id_, end - begin, blob[begin:end]))
                begin = end
            return rows
        for ms, seq in ids:
            id_ = b'%d-%d' % (start_ms + ms, seq)
            parts: list[object] = [len(id_), id_]
            for end in ends[at : at + width]:
                parts += (end - begin, blob[begin:end])
                begin = end
            at += width
            append(template % tuple(parts))
        return rows


def encoded_entry(id_: bytes, words: list[bytes]) -> bytes:
    """An entry in RESP."""
    return b''.join((b'*2\r\n', encode_bulk(id_), array_head(len(words)), *map(encode_bulk, words)))
