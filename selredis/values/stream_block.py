"""A block of a stream's entries: many entries in a few objects. What blocks are for, and when one ends: stream.py."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

from selredis.resp.encoder import BULK_HEADS, CRLF, READY_HEADS, array_head, bulk_head, encode_bulk
from selredis.resp.pieces import LARGE_BYTES, Output, joined
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


# What is in front of an id in RESP, where an entry begins with it; by the length of the id.
ENTRY_HEADS = tuple([b'*2\r\n' + bulk_head(size) for size in range(len(b'%d-%d' % (SEQ_MASK, SEQ_MASK)) + 1)])


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


MOST_NUMBER_BYTES = number_bytes(SIGNED_END - 1)


def widened(numbers: 'array[int]', number: int) -> 'array[int]':
    """The numbers, and one more that is too large for an array of their size."""
    wide = array('I' if number >> 32 == 0 else 'Q', numbers)
    wide.append(number)
    return wide


class Shape:
    """The fields of entries that have the same ones, and what follows from them.

    `between`: what stands in RESP, of either protocol, in front of each value's length, behind the id or a value.
    `most_around`: what it takes in a listpack beside its values, if they are short, at the most.
    """

    __slots__ = ('between', 'fields', 'most_around', 'size', 'width')

    def __init__(self, fields: tuple[bytes, ...]) -> None:
        self.fields = fields
        self.width = len(fields)
        self.size = sum(map(len, fields))
        around_values = self.width * string_bytes_around(0)
        self.most_around = 2 * MOST_NUMBER_BYTES + LISTPACK_ELEMENT_BYTES + number_bytes(self.width + 3) + around_values
        self.between = [b'\r\n%b%b\r\n' % (bulk_head(len(field)), field) for field in fields]
        if fields:
            self.between[0] = CRLF + array_head(2 * self.width) + self.between[0].removeprefix(CRLF)

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

        `size`: of all its texts together. Returns how many bytes it takes in a listpack at the most.
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
        if same_fields and size < SHORT_BYTES:  # most often
            return size + self.shape.most_around
        return 2 * MOST_NUMBER_BYTES + self.texts_bytes(same_fields, texts, size)

    def _append_count(self, count: int) -> None:
        if self.counts is None:
            self.counts = array('H', bytes(2 * (len(self.ms) - 1)))
        try:
            self.counts.append(count)
        except OverflowError:
            self.counts = widened(self.counts, count)

    def texts_bytes(self, same_fields: bool, texts: Sequence[bytes], size: int) -> int:
        """What an entry takes in a listpack beside the two numbers of its id, if none of its texts is an integer.

        `size`: of all texts together.
        """
        count = len(texts)
        size += LISTPACK_ELEMENT_BYTES + number_bytes(count + (3 if same_fields else 4))
        if not same_fields:
            size += number_bytes(count // 2)
        return size + sum([string_bytes_around(len(text)) for text in texts])

    def number_savings(self, first: int) -> int:
        """How many bytes less than at the most a listpack needs for the ids of the entries from a place on."""
        start_seq = self.start_seq
        ids = zip(self.ms[first:], self.seqs[first:], strict=True)
        return sum([2 * MOST_NUMBER_BYTES - number_bytes(ms) - number_bytes(seq - start_seq) for ms, seq in ids])

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

    def encoded(self, first: int, stop: int) -> list[Output]:
        """Each entry in RESP, of either protocol: an array of its id and an array of its fields and values.

        Twice as quick as lists of bytes, which the encoder would walk through again.
        """
        if self.counts is not None or len(self.blob) >= LARGE_BYTES:  # so that large values are copied once only
            return [encoded_entry(id_text(id_), words) for id_, words in self.entries(first, stop)]
        width, between = self.shape.width, self.shape.between
        ends, blob = self.ends, self.blob
        at = first * width
        begin = ends[at - 1] if at else 0
        rows: list[Output] = []
        append, join = rows.append, b''.join
        ids = self.id_texts(first, stop)
        if width == 1:
            (before_value,) = between
            for id_, end in zip(ids, ends[first:stop], strict=True):
                size = end - begin
                value_head = BULK_HEADS[size] if size < READY_HEADS else bulk_head(size)  # most without a call
                append(join((ENTRY_HEADS[len(id_)], id_, before_value, value_head, blob[begin:end], CRLF)))
                begin = end
            return rows
        for id_ in ids:
            parts: list[bytes | bytearray] = [ENTRY_HEADS[len(id_)], id_]
            for before_value, end in zip(between, ends[at : at + width], strict=True):
                parts += (before_value, bulk_head(end - begin), blob[begin:end])
                begin = end
            at += width
            parts.append(CRLF)
            append(join(parts))
        return rows

    def id_texts(self, first: int, stop: int) -> list[bytes]:
        """The ids of some entries, of one at least, as Redis writes them."""
        start_ms, all_ms, seqs = self.start_ms, self.ms[first:stop], self.seqs[first:stop]
        if all_ms[0] == all_ms[-1]:  # a number less to write for each, as where all have come at their own time
            before_seq = b'%d-' % (start_ms + all_ms[0])
            return [before_seq + b'%d' % seq for seq in seqs]
        if not any(seqs):
            return [b'%d-0' % (start_ms + ms) for ms in all_ms]
        return [b'%d-%d' % (start_ms + ms, seq) for ms, seq in zip(all_ms, seqs, strict=True)]


def encoded_entry(id_: bytes, words: list[bytes]) -> Output:
    """An entry in RESP."""
    return joined((b'*2\r\n', encode_bulk(id_), array_head(len(words)), *map(encode_bulk, words)))
