"""A stream: entries in the order of their ids, read anywhere in it at once, and kept in few bytes.

Theory of operation. An id is one integer, `ms << 64 | seq`, so that order, successor and predecessor are those of
numbers. Entries stand in blocks of about a hundred, each with the fields of its first entry and, for all of its entries
together, one string of their texts and a few arrays of small numbers: an entry with a short value takes some fifteen
bytes, and a million of them are ten thousand blocks, not millions of objects. A block is found by bisecting the ids at
which the blocks begin, an entry by bisecting within its block. Only the last block is appended to; its string is a
bytearray, that of the others bytes.

Blocks end where Redis would begin another node (stream-node-max-entries, stream-node-max-bytes), for `MAXLEN ~` and
its like take away whole nodes, and XLEN tells how many entries there were in them. A node is full by the bytes of its
listpack; `_bound` is never less than those, and made exact only when it says that the block is full: only a closer look
at a text tells whether it is an integer, which takes less.

Redis only marks what is deleted. Here it is gone, but for what is deleted at the front of a block, as trimming does one
entry at a time: the block begins behind it. What counts for when it is full is remembered: how many were deleted.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator

from selredis.resp.encoder import array_head, encode_bulk
from selredis.values.listpack import (
    LISTPACK_BYTES,
    LISTPACK_ELEMENT_BYTES,
    integer_bytes,
    listpack_bytes,
    string_bytes_around,
)
from selredis.values.stream_groups import Group

SEQ_BITS = 64
SEQ_END = 1 << SEQ_BITS
SEQ_MASK = SEQ_END - 1
LAST_ID = (1 << 128) - 1
SIGNED_END = 1 << 63

SHORT_BYTES = 64  # a string that is shorter has two bytes around it in a listpack
INTEGER_DIGITS = 20  # what is longer is no integer to a listpack
MAX_NODE_BYTES = 1 << 30  # t_stream.c, STREAM_LISTPACK_MAX_SIZE
COUNTS_BYTES = 20  # at most, of the two counts with which a listpack begins


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

    def __init__(self, fields: list[bytes]) -> None:
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

    def append(self, id_: int, same_fields: bool, texts: list[bytes], size: int) -> int:
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

    def listpack_bytes(self, ms: int, seq: int, same_fields: bool, texts: list[bytes], size: int) -> int:
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


class Stream:
    """Entries by id, and the consumer groups that read them. One without entries may be in a database.

    `last_id` is the greatest id that an entry has ever had, `max_deleted_id` that of those that XDEL has taken out.
    """

    __slots__ = (
        '_bound',
        '_measured',
        'blocks',
        'entries_added',
        'groups',
        'heads',
        'last_id',
        'length',
        'max_deleted_id',
    )

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.heads: list[int] = []  # for each block the id with which it began, which may be deleted
        self.length = 0
        self.last_id = 0
        self.max_deleted_id = 0
        self.entries_added = 0
        self.groups: dict[bytes, Group] = {}
        # Of the last block: an upper bound of its listpack's bytes (but for two counts), and up to which place the
        # entries are in there exactly.
        self._bound = 0
        self._measured = 0

    def __len__(self) -> int:
        return self.length

    def __contains__(self, id_: int) -> bool:
        return self._find(id_) is not None

    def copy(self) -> 'Stream':
        stream = Stream()
        stream.blocks = [block.copy() for block in self.blocks]
        stream.heads = self.heads[:]
        stream.length, stream.entries_added = self.length, self.entries_added
        stream.last_id, stream.max_deleted_id = self.last_id, self.max_deleted_id
        stream.groups = {name: group.copy() for name, group in self.groups.items()}
        stream._bound, stream._measured = self._bound, self._measured
        return stream

    def shorten(self, count: int) -> None:
        """Let go of so many entries, or of what is pending in groups: the stream is of no more use."""
        for name, group in self.groups.items():
            if not group.shorten(count):
                del self.groups[name]
            return
        while count > 0 and self.blocks:
            gone = len(self.blocks.pop())
            self.heads.pop()
            self.length -= gone
            count -= gone

    @property
    def first_id(self) -> int:
        """The id of the first entry, 0 if there is none."""
        return self.blocks[0].id_at(self.blocks[0].first) if self.blocks else 0

    @property
    def top_id(self) -> int:
        """The id of the last entry, 0 if there is none."""
        return self.blocks[-1].id_at(-1) if self.blocks else 0

    # Adding and reading

    def append(self, id_: int, words: list[bytes], node_entries: int = 100, node_bytes: int = 4096) -> None:
        """Add an entry of fields and values in turn; its id must be above `last_id`.

        A block has at most so many entries and about so many bytes, 0 is no limit; what was deleted of it counts.
        Raises ValueError, and adds nothing, if the entry is too large for Redis.
        """
        fields, values = words[::2], words[1::2]
        size = sum(map(len, values))
        if self.blocks:
            block = self.blocks[-1]
            shape = block.shape
            same_fields = fields == shape.fields
            total = size + (shape.size if same_fields else sum(map(len, fields)))
            left_bytes = (node_bytes if 0 < node_bytes <= MAX_NODE_BYTES else MAX_NODE_BYTES) - total
            made = len(block.ms) - block.first + block.deleted
            near = self._bound >= left_bytes - COUNTS_BYTES
            if made >= node_entries > 0 or (near and self._is_full(left_bytes)):
                block = self._open(id_, fields, total)
                same_fields = True
        else:
            block = self._open(id_, fields, sum(map(len, words)))
            same_fields = True
        if same_fields:
            self._bound += block.append(id_, True, values, size)
        else:
            self._bound += block.append(id_, False, words, total)
        self.length += 1
        self.entries_added += 1
        self.last_id = id_

    def _open(self, id_: int, fields: list[bytes], total: int) -> Block:
        """Begin a block with an entry of so many bytes. Raises ValueError if those are too many for any block."""
        if total > MAX_NODE_BYTES:
            raise ValueError('too large for Redis')
        if self.blocks:
            self.blocks[-1].blob = bytes(self.blocks[-1].blob)
        shape = self.blocks[-1].shape if self.blocks else None
        if shape is None or shape.fields != fields:
            shape = Shape(fields)
        block = Block(id_, shape)
        self.blocks.append(block)
        self.heads.append(id_)
        self._bound = shape.listpack_bytes()
        self._measured = 0
        return block

    def _is_full(self, left_bytes: int) -> bool:
        """Whether the last block's listpack has as many bytes."""
        block = self.blocks[-1]
        left_bytes -= number_bytes(len(block)) + number_bytes(block.deleted)
        if self._bound < left_bytes:
            return False
        self._measure()
        return self._bound >= left_bytes

    def _measure(self) -> None:
        """Make the bound of the last block exact."""
        block = self.blocks[-1]
        self._bound -= block.integer_savings(self._measured)
        self._measured = block.stop

    def spans(self, first: int, last: int, count: int = 0) -> list[tuple[Block, int, int]]:
        """Where the entries with ids from `first` to `last` are: blocks, and places in them from one up to another.

        `count`: no more than so many, 0: all.
        """
        spans: list[tuple[Block, int, int]] = []
        blocks = self.blocks
        index = max(bisect_right(self.heads, first) - 1, 0)
        left = count or self.length
        while left and index < len(blocks):
            block = blocks[index]
            index += 1
            beyond = index >= len(blocks) or self.heads[index] > last
            begin = block.first if spans else block.place(first)
            stop = min(block.place(last + 1) if beyond else block.stop, begin + left)
            if begin < stop:
                spans.append((block, begin, stop))
                left -= stop - begin
            if beyond:
                break
        return spans

    def spans_back(self, first: int, last: int, count: int = 0) -> list[tuple[Block, int, int]]:
        """`spans` from the end: of more than `count` entries the last; the last span comes first."""
        spans: list[tuple[Block, int, int]] = []
        left = count or self.length
        index = bisect_right(self.heads, last) - 1
        while left and index >= 0:
            block = self.blocks[index]
            beyond = self.heads[index] <= first
            stop = block.stop if spans else block.place(last + 1)
            begin = max(block.place(first) if beyond else block.first, stop - left)
            if begin < stop:
                spans.append((block, begin, stop))
                left -= stop - begin
            if beyond:
                break
            index -= 1
        return spans

    def entries(self, first: int = 0, last: int = LAST_ID) -> Iterator[tuple[int, list[bytes]]]:
        """Ids, and fields and values in turn. The stream must not change meanwhile."""
        for block, begin, stop in self.spans(first, last):
            yield from block.entries(begin, stop)

    def encoded(self, first: int, last: int, count: int = 0, *, backwards: bool = False) -> list[bytes]:
        """The entries with ids from `first` to `last`, each in RESP; `count`: no more than so many, 0: all."""
        rows: list[bytes] = []
        if backwards:
            for block, begin, stop in self.spans_back(first, last, count):
                rows += block.encoded(begin, stop)[::-1]
        else:
            for block, begin, stop in self.spans(first, last, count):
                rows += block.encoded(begin, stop)
        return rows

    def encoded_entry(self, id_: int) -> bytes | None:
        """One entry in RESP, None if there is none."""
        found = self._find(id_)
        if found is None:
            return None
        index, place = found
        return self.blocks[index].encoded(place, place + 1)[0]

    def _find(self, id_: int) -> tuple[int, int] | None:
        """The block of an entry and its place in it, None if there is none."""
        index = bisect_right(self.heads, id_) - 1
        if index < 0:
            return None
        block = self.blocks[index]
        place = block.place(id_)
        return (index, place) if place < block.stop and block.id_at(place) == id_ else None

    # Deleting

    def delete(self, id_: int) -> bool:
        """Take out an entry (XDEL); False if there is none."""
        found = self._find(id_)
        if found is None:
            return False
        index, place = found
        self._remove(index, place, place + 1)
        self.max_deleted_id = max(self.max_deleted_id, id_)
        return True

    def trim_to_length(self, length: int, *, whole_blocks: bool = False, limit: int = 0) -> int:
        """Take out the oldest entries until so many are left; returns how many those were.

        `whole_blocks`: only blocks that are wholly too much. `limit`: no more than so many entries, 0: any number.
        """
        if self.length <= length:
            return 0
        block_count = deleted = 0
        most = self.length - length
        for block in self.blocks:
            entries = len(block)
            if deleted + entries > most or deleted == most or (limit and deleted + entries > limit):
                break
            block_count += 1
            deleted += entries
        self._drop_blocks(block_count, deleted)
        if not whole_blocks and deleted < most:
            self._trim_first_block(most - deleted)
            deleted = most
        return deleted

    def trim_below(self, id_: int, *, whole_blocks: bool = False, limit: int = 0) -> int:
        """Take out the entries with ids below this one, as `trim_to_length` does."""
        block_count = deleted = 0
        for block in self.blocks:
            entries = len(block)
            if max(block.id_at(-1), block.last_deleted) >= id_ or (limit and deleted + entries > limit):
                break
            block_count += 1
            deleted += entries
        self._drop_blocks(block_count, deleted)
        if not whole_blocks and self.blocks:
            count = self.blocks[0].place(id_) - self.blocks[0].first
            self._trim_first_block(count)
            deleted += count
        return deleted

    def _drop_blocks(self, count: int, entries: int) -> None:
        """Take out the first blocks, which have so many entries."""
        if count:
            del self.blocks[:count]
            del self.heads[:count]
            self.length -= entries

    def _trim_first_block(self, count: int) -> None:
        if count:
            first = self.blocks[0].first
            self._remove(0, first, first + count)

    def _remove(self, index: int, first: int, stop: int) -> None:
        """Take out entries of a block."""
        block = self.blocks[index]
        is_last = index == len(self.blocks) - 1
        self.length -= stop - first
        if stop - first == len(block):
            del self.blocks[index]
            del self.heads[index]
            if is_last and self.blocks:
                self._reopen()
            return
        if is_last and first > block.first and stop > self._measured:
            self._measure()  # what is gone cannot be measured any more
        block.remove(first, stop)
        self._measured = min(self._measured, block.stop) if is_last else self._measured

    def _reopen(self) -> None:
        """Make what is the last block now one that is appended to."""
        block = self.blocks[-1]
        block.blob = bytearray(block.blob)
        entries = -block.integer_savings(block.first)
        for id_, same_fields, texts in block.rows(block.first, block.stop):
            ms, seq = (id_ >> SEQ_BITS) - block.start_ms, (id_ & SEQ_MASK) - block.start_seq
            entries += block.listpack_bytes(ms, seq, same_fields, texts, sum(map(len, texts)))
        # What the deleted ones took is known no longer: they are taken for average.
        self._bound = block.shape.listpack_bytes() + entries + block.deleted * entries // len(block)
        self._measured = block.stop

    # What a group has read (t_stream.c, streamEstimateDistanceFromFirstEverEntry and its neighbours)

    def has_deleted_from(self, id_: int) -> bool:
        """Whether XDEL has, as far as is known, made a gap in the stream at this id or behind it."""
        deleted = self.max_deleted_id
        return bool(self.length and deleted and id_ <= deleted and self.first_id <= deleted)

    def entries_up_to(self, id_: int) -> int | None:
        """How many entries there have ever been up to this id, None if nobody can tell."""
        added, length = self.entries_added, self.length
        if not added:
            return 0
        if id_ == self.last_id or (not length and id_ < self.last_id):
            return added
        if id_ > self.last_id:
            return None
        first, deleted = self.first_id, self.max_deleted_id
        if not deleted or deleted < first:
            if id_ < first:
                return added - length
            if id_ == first:
                return added - length + 1
        return None

    def lag_of(self, group: Group) -> int | None:
        """How many entries a group has yet to be given, None if nobody can tell."""
        if not self.entries_added:
            return 0
        read = group.entries_read
        if read is None or self.has_deleted_from(group.last_id):
            read = self.entries_up_to(group.last_id)
        return None if read is None else self.entries_added - read

    def count_read(self, group: Group, ids: list[int]) -> None:
        """Note that a group has been given entries, which are behind all that it has been given so far."""
        if group.entries_read is not None and not self.has_deleted_from(ids[0]):
            group.entries_read += len(ids)
        else:
            for id_ in ids:
                if group.entries_read is not None and not self.has_deleted_from(id_):
                    group.entries_read += 1
                elif self.entries_added:
                    group.entries_read = self.entries_up_to(id_)
        group.last_id = ids[-1]
