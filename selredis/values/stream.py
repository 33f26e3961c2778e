"""A stream: entries in the order of their ids, read anywhere in it at once, and kept in few bytes.

Theory of operation. An id is one integer, `ms << 64 | seq`, so that order, successor and predecessor are those of
numbers. Entries stand in blocks of about a hundred, each with the fields of its first entry and, for all of its entries
together, one string of their texts and a few arrays of small numbers: an entry with a short value takes some fifteen
bytes, and a million of them are ten thousand objects of a kind, not millions. A block is found by bisecting the ids at
which the blocks begin, an entry by bisecting within its block. Only the last block is appended to; its string is a
bytearray, that of the others bytes.

Blocks end where Redis would begin another node (stream-node-max-entries, stream-node-max-bytes), for `MAXLEN ~` and
its like take away whole nodes, and XLEN tells how many entries there were in them. A node is full by the bytes of its
listpack; `_bound` is never less than those, and made exact only when it says that the block is full.

What of an entry is deleted here is gone; Redis only marks it, and so a block remembers how many were, and the last.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator

from selredis.resp.encoder import array_head, encode_bulk
from selredis.values.listpack import LISTPACK_BYTES, LISTPACK_ELEMENT_BYTES, integer_bytes, listpack_bytes
from selredis.values.stream_groups import Group

SEQ_BITS = 64
SEQ_END = 1 << SEQ_BITS
SEQ_MASK = SEQ_END - 1
LAST_ID = (1 << 128) - 1
ID_HEAD_BYTES = 22  # at most, of an entry in a listpack: two numbers and a flag
LEAST_LONG = 64  # bytes of a string from which on more than two bytes are around it
MAX_NODE_BYTES = 1 << 30  # t_stream.c, STREAM_LISTPACK_MAX_SIZE


def id_text(id_: int) -> bytes:
    """An id as Redis writes it."""
    return b'%d-%d' % (id_ >> SEQ_BITS, id_ & SEQ_MASK)


def widened(numbers: 'array[int]', number: int) -> 'array[int]':
    """The numbers, and one more that is too large for an array of their size."""
    wide = array('I' if number >> 32 == 0 else 'Q', numbers)
    wide.append(number)
    return wide


class Block:
    """Entries side by side: `ms` (behind `start_ms`) and `seqs` make their ids, `ends` tell where in `blob` texts end.

    Those of an entry with the block's own `fields` are its values, of any other its fields and values in turn. `counts`
    is None as long as there are no others; then it tells how many texts each entry has, 0 for one with those fields.
    """

    __slots__ = ('blob', 'counts', 'deleted', 'ends', 'fields', 'last_deleted', 'ms', 'seqs', 'start_ms')

    def __init__(self, start_ms: int, fields: list[bytes]) -> None:
        self.start_ms = start_ms
        self.fields = fields
        self.ms: array[int] = array('H')
        self.seqs: array[int] = array('H')
        self.ends: array[int] = array('H')
        self.blob: bytes | bytearray = bytearray()
        self.counts: array[int] | None = None
        self.deleted = 0
        self.last_deleted = 0  # the greatest id of those

    def __len__(self) -> int:
        return len(self.ms)

    def copy(self) -> 'Block':
        block = Block(self.start_ms, self.fields)
        block.ms, block.seqs, block.ends = self.ms[:], self.seqs[:], self.ends[:]
        block.blob = self.blob[:]
        block.counts = None if self.counts is None else self.counts[:]
        block.deleted, block.last_deleted = self.deleted, self.last_deleted
        return block

    def id_at(self, place: int) -> int:
        return self.start_ms + self.ms[place] << SEQ_BITS | self.seqs[place]

    def ids(self, first: int, stop: int) -> list[int]:
        start_ms = self.start_ms
        ms, seqs = self.ms[first:stop], self.seqs[first:stop]
        return [start_ms + ms << SEQ_BITS | seq for ms, seq in zip(ms, seqs, strict=True)]

    def place(self, id_: int) -> int:
        """Where the first entry is whose id is not below this one; behind the last if there is none."""
        ms = (id_ >> SEQ_BITS) - self.start_ms
        if ms < 0:
            return 0
        first = bisect_left(self.ms, ms)
        return bisect_left(self.seqs, id_ & SEQ_MASK, first, bisect_right(self.ms, ms, first))

    def append(self, id_: int, same_fields: bool, texts: list[bytes]) -> None:
        """Add an entry behind the last; `texts` are its values, if it has other fields than the block both in turn."""
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
        if not same_fields or self.counts is not None:
            self._append_count(0 if same_fields else len(texts))
        ends = self.ends
        blob = self.blob
        for text in texts:
            blob += text  # in place: only the last block is appended to
            try:
                ends.append(len(blob))
            except OverflowError:
                ends = self.ends = widened(ends, len(blob))

    def _append_count(self, count: int) -> None:
        if self.counts is None:
            self.counts = array('H', bytes(2 * (len(self.ms) - 1)))
        try:
            self.counts.append(count)
        except OverflowError:
            self.counts = widened(self.counts, count)

    def _text_at(self, place: int) -> int:
        """Which of the block's texts is the first of an entry."""
        width = len(self.fields)
        if self.counts is None:
            return place * width
        return sum([count or width for count in self.counts[:place]])

    def remove(self, first: int, stop: int) -> None:
        """Take out entries, none of which is the last that there is."""
        self.deleted += stop - first
        self.last_deleted = max(self.last_deleted, self.id_at(stop - 1))
        begin_text, end_text = self._text_at(first), self._text_at(stop)
        ends = self.ends
        begin = ends[begin_text - 1] if begin_text else 0
        size = ends[end_text - 1] - begin
        blob = self.blob
        if isinstance(blob, bytes):
            self.blob = blob[:begin] + blob[begin + size :]
        else:
            del blob[begin : begin + size]
        rest = array(ends.typecode, [end - size for end in ends[end_text:]]) if size else ends[end_text:]
        del ends[begin_text:]
        ends += rest
        del self.ms[first:stop]
        del self.seqs[first:stop]
        if self.counts is not None:
            del self.counts[first:stop]

    def rows(self, first: int, stop: int) -> Iterator[tuple[int, bool, list[bytes]]]:
        """Of each entry its id, whether it has the block's fields, and its texts."""
        ends, blob, counts, width = self.ends, self.blob, self.counts, len(self.fields)
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
        for id_, same_fields, texts in self.rows(first, stop):
            yield (
                id_,
                [word for pair in zip(self.fields, texts, strict=True) for word in pair] if same_fields else texts,
            )

    def encoded(self, first: int, stop: int) -> list[bytes]:
        """Each entry in RESP, of either protocol: an array of its id and an array of its fields and values.

        Twice as quick as a list for each entry and bytes for each text, which the encoder would walk through again.
        """
        if self.counts is not None:
            return [encoded_entry(id_text(id_), words) for id_, words in self.entries(first, stop)]
        fields = self.fields
        width = len(fields)
        pairs = b''.join([encode_bulk(field).replace(b'%', b'%%') + b'$%d\r\n%b\r\n' for field in fields])
        template = b'*2\r\n$%d\r\n%b\r\n' + array_head(2 * width) + pairs
        start_ms, seqs, ends, blob = self.start_ms, self.seqs, self.ends, self.blob
        at = first * width
        begin = ends[at - 1] if at else 0
        rows: list[bytes] = []
        append = rows.append
        for place, ms in enumerate(self.ms[first:stop], first):
            id_ = b'%d-%d' % (start_ms + ms, seqs[place])
            if width == 1:
                end = ends[place]
                append(template % (len(id_), id_, end - begin, blob[begin:end]))
                begin = end
            else:
                parts: list[object] = [len(id_), id_]
                for end in ends[at : at + width]:
                    parts += (end - begin, blob[begin:end])
                    begin = end
                at += width
                append(template % tuple(parts))
        return rows

    def listpack_bytes(self, id_: int, same_fields: bool, texts: list[bytes], head: int) -> int:
        """What an entry takes in the listpack of a node that begins with the id `head`."""
        elements = len(texts) + (3 if same_fields else 4)
        size = LISTPACK_ELEMENT_BYTES + number_bytes(elements) + sum(map(listpack_bytes, texts))
        size += number_bytes((id_ >> SEQ_BITS) - (head >> SEQ_BITS))
        size += number_bytes((id_ & SEQ_MASK) - (head & SEQ_MASK))
        return size if same_fields else size + number_bytes(len(texts) // 2)


def number_bytes(number: int) -> int:
    """What a number takes in a listpack; from 2**63 on it would be taken for a negative one."""
    return (
        integer_bytes(number if -(1 << 63) <= number < 1 << 63 else number - (SEQ_END if number > 0 else -SEQ_END)) + 1
    )


def encoded_entry(id_: bytes, words: list[bytes]) -> bytes:
    """An entry in RESP."""
    return b''.join((b'*2\r\n', encode_bulk(id_), array_head(len(words)), *map(encode_bulk, words)))


Span = tuple[Block, int, int]


class Stream:
    """Entries by id, and the consumer groups that read them. One without entries may be in a database.

    `last_id` is the greatest id that an entry has ever had, `max_deleted_id` that of those that XDEL has taken out.
    """

    __slots__ = (
        '_bound',
        '_field_bytes',
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
        # Of the last block: an upper bound of its listpack's bytes (but for two counts), how many of its entries are in
        # there exactly, and the bytes of its field names.
        self._bound = 0
        self._measured = 0
        self._field_bytes = 0

    def __len__(self) -> int:
        return self.length

    def __bool__(self) -> bool:
        return self.length > 0

    def __contains__(self, id_: int) -> bool:
        return self._find(id_) is not None

    def copy(self) -> 'Stream':
        stream = Stream()
        stream.blocks = [block.copy() for block in self.blocks]
        stream.heads = self.heads[:]
        stream.length, stream.entries_added = self.length, self.entries_added
        stream.last_id, stream.max_deleted_id = self.last_id, self.max_deleted_id
        stream.groups = {name: group.copy() for name, group in self.groups.items()}
        stream._bound, stream._measured, stream._field_bytes = self._bound, self._measured, self._field_bytes
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
        return self.blocks[0].id_at(0) if self.blocks else 0

    @property
    def top_id(self) -> int:
        """The id of the last entry, 0 if there is none."""
        return self.blocks[-1].id_at(-1) if self.blocks else 0

    # Adding and reading

    def append(self, id_: int, words: list[bytes], node_entries: int = 100, node_bytes: int = 4096) -> None:
        """Add an entry of fields and values in turn; its id must be above `last_id`.

        A block has at most so many entries and about so many bytes, 0 is no limit; what was deleted of it counts.
        """
        fields, values = words[::2], words[1::2]
        size = sum(map(len, values))
        if self.blocks:
            block = self.blocks[-1]
            same_fields = fields == block.fields
            total = size + (self._field_bytes if same_fields else sum(map(len, fields)))
            made = len(block.ms) + block.deleted
            if made >= node_entries > 0 or self._has_no_room(total, node_bytes):
                block.blob = bytes(block.blob)
                block = self._open(id_, fields)
                same_fields = True
        else:
            block = self._open(id_, fields)
            same_fields = True
        if same_fields:
            texts = values
        else:
            texts = words
            size = total
        block.append(id_, same_fields, texts)
        around = 2 if size < LEAST_LONG else 10
        self._bound += ID_HEAD_BYTES + 10 + size + len(texts) * around
        self.length += 1
        self.entries_added += 1
        self.last_id = id_

    def _open(self, id_: int, fields: list[bytes]) -> Block:
        """Begin a block."""
        if self.blocks and self.blocks[-1].fields == fields:
            fields = self.blocks[-1].fields  # there once for all
        block = Block(id_ >> SEQ_BITS, fields)
        self.blocks.append(block)
        self.heads.append(id_)
        self._field_bytes = sum(map(len, fields))
        self._bound = master_bytes(fields)
        self._measured = 0
        return block

    def _has_no_room(self, total: int, node_bytes: int) -> bool:
        """Whether an entry of so many bytes begins another block."""
        if not 0 < node_bytes <= MAX_NODE_BYTES:
            node_bytes = MAX_NODE_BYTES
        block = self.blocks[-1]
        total += number_bytes(len(block)) + number_bytes(block.deleted)
        if self._bound + total < node_bytes:
            return False
        self._measure()
        return self._bound + total >= node_bytes

    def _measure(self) -> None:
        """Make the bound of the last block exact."""
        block, head = self.blocks[-1], self.heads[-1]
        for id_, same_fields, texts in block.rows(self._measured, len(block)):
            size = sum(map(len, texts))
            around = 2 if size < LEAST_LONG else 10
            self._bound -= ID_HEAD_BYTES + 10 + size + len(texts) * around
            self._bound += block.listpack_bytes(id_, same_fields, texts, head)
        self._measured = len(block)

    def spans(self, first: int, last: int, count: int = 0) -> list[Span]:
        """Where the entries with ids from `first` to `last` are, in order; `count`: no more than so many, 0: all."""
        spans: list[Span] = []
        blocks = self.blocks
        index = max(bisect_right(self.heads, first) - 1, 0)
        left = count or self.length
        while left and index < len(blocks):
            block = blocks[index]
            index += 1
            begin = block.place(first) if not spans else 0
            stop = len(block)
            beyond = index >= len(blocks) or self.heads[index] > last
            if beyond:
                stop = block.place(last + 1)
            stop = min(stop, begin + left)
            if begin < stop:
                spans.append((block, begin, stop))
                left -= stop - begin
            if beyond:
                break
        return spans

    def spans_back(self, first: int, last: int, count: int = 0) -> list[Span]:
        """`spans` from the end: if `count` is given, those of the last entries; the last span comes first."""
        spans: list[Span] = []
        left = count or self.length
        index = bisect_right(self.heads, last) - 1
        while left and index >= 0:
            block = self.blocks[index]
            stop = block.place(last + 1) if not spans else len(block)
            beyond = self.heads[index] <= first
            begin = max(block.place(first) if beyond else 0, stop - left)
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
        return (index, place) if place < len(block) and block.id_at(place) == id_ else None

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
        block_count = deleted = 0
        left = self.length
        for block in self.blocks:
            entries = len(block)
            if left - entries < length or left <= length or (limit and deleted + entries > limit):
                break
            block_count += 1
            left -= entries
            deleted += entries
        self._drop_blocks(block_count, deleted)
        if not whole_blocks and self.length > length:
            deleted += self._trim_first_block(self.length - length)
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
            deleted += self._trim_first_block(self.blocks[0].place(id_))
        return deleted

    def _drop_blocks(self, count: int, entries: int) -> None:
        """Take out the first blocks, which have so many entries."""
        if count:
            del self.blocks[:count]
            del self.heads[:count]
            self.length -= entries

    def _trim_first_block(self, count: int) -> int:
        if count:
            self._remove(0, 0, count)
        return count

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
        if is_last and stop > self._measured:
            self._measure()
        block.remove(first, stop)
        if is_last:
            self._measured -= stop - first

    def _reopen(self) -> None:
        """Make what is the last block now one that is appended to."""
        block, head = self.blocks[-1], self.heads[-1]
        block.blob = bytearray(block.blob)
        self._field_bytes = sum(map(len, block.fields))
        entries = sum(block.listpack_bytes(*row, head) for row in block.rows(0, len(block)))
        # What the deleted ones took is known no longer: they are taken for average.
        self._bound = master_bytes(block.fields) + entries + block.deleted * entries // len(block)
        self._measured = len(block)

    # What a group has read (t_stream.c, streamEstimateDistanceFromFirstEverEntry and its neighbours)

    def has_deleted_from(self, id_: int) -> bool:
        """Whether XDEL has, as far as is known, made a gap in the stream at this id or behind it."""
        deleted = self.max_deleted_id
        return bool(self.length and deleted and self.first_id <= deleted and id_ <= deleted)

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

    def count_read(self, group: Group, id_: int) -> None:
        """Note that a group has been given an entry, which is behind all that it has been given so far."""
        if group.entries_read is not None and not self.has_deleted_from(id_):
            group.entries_read += 1
        elif self.entries_added:
            group.entries_read = self.entries_up_to(id_)
        group.last_id = id_


def master_bytes(fields: list[bytes]) -> int:
    """What stands in front of a node's entries in its listpack, but for the numbers of those there are and were."""
    return LISTPACK_BYTES + number_bytes(len(fields)) + sum(map(listpack_bytes, fields)) + LISTPACK_ELEMENT_BYTES
