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
tells what the numbers of an id take, and whether a text is an integer, which takes less.

Redis only marks what is deleted. Here it is gone, but for what is deleted at the front of a block, as trimming does one
entry at a time: the block begins behind it. What counts for when it is full is remembered: how many were deleted.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from selredis.resp.pieces import Output
from selredis.values.stream_block import LAST_ID, SEQ_BITS, SEQ_MASK, Block, Shape, number_bytes
from selredis.values.stream_groups import NO_GROUPS, Group, GroupTotals

MAX_NODE_BYTES = 1 << 30  # t_stream.c, STREAM_LISTPACK_MAX_SIZE
COUNTS_BYTES = 20  # at most, of the two counts with which a listpack begins


class Stream:
    """Entries by id, and the consumer groups that read them. One without entries may be in a database.

    `last_id` is the greatest id that an entry has ever had, `max_deleted_id` that of those that XDEL has taken out.
    """

    __slots__ = (
        '_bound',
        '_measured',
        'blocks',
        'entries_added',
        'group_totals',
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
        self.group_totals = NO_GROUPS
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
        for name, group in self.groups.items():
            stream._enter_group(name, group.copy(stream._own_totals()))
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

    def add_group(self, name: bytes, last_id: int, entries_read: int | None) -> None:
        """Create a consumer group; there must be none of that name."""
        self._enter_group(name, Group(last_id, entries_read, self._own_totals()))

    def _own_totals(self) -> GroupTotals:
        if self.group_totals is NO_GROUPS:
            self.group_totals = GroupTotals()
        return self.group_totals

    def _enter_group(self, name: bytes, group: Group) -> None:
        self.groups[name] = group
        self.group_totals.groups += 1
        self.group_totals.name_bytes += len(name)

    def remove_group(self, name: bytes) -> Group | None:
        """Remove a consumer group and return it; None if there is none."""
        group = self.groups.pop(name, None)
        if group is not None:
            totals = self.group_totals
            totals.groups -= 1
            totals.consumers -= len(group.consumers)
            totals.pending -= len(group.pending)
            totals.name_bytes -= len(name) + sum(map(len, group.consumers))
        return group

    @property
    def first_id(self) -> int:
        """The id of the first entry, 0 if there is none."""
        return self.blocks[0].id_at(self.blocks[0].first) if self.blocks else 0

    @property
    def top_id(self) -> int:
        """The id of the last entry, 0 if there is none."""
        return self.blocks[-1].id_at(-1) if self.blocks else 0

    # Adding and reading

    def append(self, id_: int, words: Sequence[bytes], node_entries: int = 100, node_bytes: int = 4096) -> None:
        """Add an entry of fields and values in turn; its id must be above `last_id`.

        A block has at most so many entries and about so many bytes, 0 is no limit; what was deleted of it counts.
        Raises ValueError, and adds nothing, if the entry is too large for Redis.
        """
        fields, values = tuple(words[::2]), words[1::2]
        size = len(values[0]) if len(values) == 1 else sum(map(len, values))
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

    def _open(self, id_: int, fields: tuple[bytes, ...], total: int) -> Block:
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
        self._bound -= block.integer_savings(self._measured) + block.number_savings(self._measured)
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
            stop = min(block.place(last + 1) if beyond and last < self.last_id else len(block.ms), begin + left)
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

    def encoded(self, first: int, last: int, count: int = 0, *, backwards: bool = False) -> list[Output]:
        """The entries with ids from `first` to `last`, each in RESP; `count`: no more than so many, 0: all."""
        rows: list[Output] = []
        if backwards:
            for block, begin, stop in self.spans_back(first, last, count):
                rows += block.encoded(begin, stop)[::-1]
        else:
            for block, begin, stop in self.spans(first, last, count):
                rows += block.encoded(begin, stop)
        return rows

    def encoded_entry(self, id_: int) -> Output | None:
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
            entries += number_bytes(ms) + number_bytes(seq)
            entries += block.texts_bytes(same_fields, texts, sum(map(len, texts)))
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
