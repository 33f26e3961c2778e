"""How much memory values take: what CPython asks of its allocator for them, and what that makes of it.

Objects up to 512 bytes come from pymalloc, in steps of 16 bytes; larger ones from the C library, which adds a word and
rounds as well, and takes whole pages for what is very large (CPython 3.11 to 3.14, glibc, 64 bits).
"""

from array import array
from collections import Counter
from collections.abc import Callable, Collection
from itertools import chain, islice
from sys import getrefcount, getsizeof
from typing import Any

from selredis.values.buckets import Buckets
from selredis.values.due_times import DueTimes
from selredis.values.hash import FIELDS_PER_BUCKET, Deadlines, Hash
from selredis.values.list import List
from selredis.values.set import Set
from selredis.values.sorted_set import SortedSet
from selredis.values.stream import Stream
from selredis.values.stream_block import Block, Shape
from selredis.values.stream_groups import Consumer, Delivery, Group, IdMap

FEW = 24  # strings; those of fewer are added up one by one, of more by length
SMALL = 512
HUGE = 128 * 1024
PAGE = 4096

# A name of a field that is referred to more often is shared by many hashes, and counts for none of them. (These few are
# its hash, the cache of names, the command that has just brought it, and who asks.)
FEW_REFERENCES = 8

BYTES_HEAD = 33  # of a bytes object, its final NUL included; one of no byte or of one is there once for all
INT_BYTES = 32  # those from -5 to 256 are there once for all; they are counted nevertheless
BYTEARRAY_HEAD = getsizeof(bytearray())
LIST_HEAD = getsizeof([])


def allocated(size: int) -> int:
    """What the allocator gives for so many bytes."""
    if size <= SMALL:
        return size + 15 & ~15
    if size < HUGE:
        return size + 23 & ~15
    return size + 16 + PAGE - 1 & -PAGE


ID_BYTES = allocated(getsizeof(1 << 104))
PLACE_BYTES = 43  # of a key and its value in a dict, between two times that it grows (30 to 60)
ID_MAP_BYTES = allocated(getsizeof(IdMap())) + 3 * allocated(LIST_HEAD)
CHUNK_BYTES = 2 * allocated(LIST_HEAD) + 5 * allocated(8 * 8)  # of an IdMap's lists, from its first id on
DELIVERY_BYTES = ID_BYTES + allocated(getsizeof(Delivery(b'', 0, 0))) + 40  # with its places in two of them
NAME_BYTES = BYTES_HEAD + 8  # of a name, beside its bytes, as rounding makes it on average
# Names that clients have the server keep: channels, patterns, watched keys, prefixes. Of each, beside its bytes, the
# object and its place in the client's table; and in the server's table its place and the dict of the clients that have
# named it, which grows when they are more than FEW_NAMERS.
KEPT_NAME_BYTES = NAME_BYTES + PLACE_BYTES
NAME_TABLE_BYTES = PLACE_BYTES + allocated(getsizeof({})) + allocated(getsizeof({None: None}) - getsizeof({}))
FEW_NAMERS = 5
GROUP_BYTES = allocated(getsizeof(Group(0, 0))) + ID_MAP_BYTES + allocated(getsizeof({})) + PLACE_BYTES + NAME_BYTES
CONSUMER_BYTES = allocated(getsizeof(Consumer(0))) + ID_MAP_BYTES + PLACE_BYTES + NAME_BYTES
STREAM_BYTES = allocated(getsizeof(Stream())) + 2 * allocated(LIST_HEAD) + allocated(getsizeof({})) + ID_BYTES
SHAPE_BYTES = allocated(getsizeof(Shape(())))
BLOCK_BYTES = allocated(getsizeof(Block(0, Shape(())))) + 3 * allocated(getsizeof(array('H'))) + ID_BYTES + 16
BUCKETS_BYTES = allocated(getsizeof(Set())) + allocated(LIST_HEAD)
LOTS_BYTES = allocated(LIST_HEAD)
DEADLINES_BYTES = sum(allocated(getsizeof(part)) for part in (Deadlines(1), DueTimes(), [None], array('q')))
# More than a set takes. Of a run its list, its array, and their bounds and places; of a score the object, its place and
# that of its member.
SORTED_SET_BYTES = allocated(getsizeof(SortedSet())) - allocated(getsizeof(Set())) + 2 * allocated(LIST_HEAD)
RUN_BYTES = allocated(LIST_HEAD) + allocated(getsizeof(array('d'))) + 4 * 8
SCORE_BYTES = allocated(getsizeof(0.0)) + 17
LIST_BYTES = allocated(getsizeof(List())) + allocated(LIST_HEAD)


def string_bytes(length: int) -> int:
    """What a bytes object of this length takes."""
    return allocated(BYTES_HEAD + length) if length > 1 else 0


def strings_bytes(strings: Collection[bytes]) -> int:
    """What many bytes objects take."""
    if len(strings) <= FEW:
        return sum([string_bytes(len(each)) for each in strings])
    return sum(string_bytes(length) * count for length, count in Counter(map(len, strings)).items())


def bytearray_bytes(value: bytearray) -> int:
    return allocated(BYTEARRAY_HEAD) + allocated(getsizeof(value) - BYTEARRAY_HEAD)


def list_bytes(items: List, samples: int) -> int:
    """A list with its elements: all of them, or the mean of so many that are spread over it. 0: all."""
    count = len(items)
    places = items.places
    head = list_frame(items)
    if not samples or count <= samples:
        return head + strings_bytes(places)  # free places hold no memory
    sample = places[items.first :: count // samples][:samples]
    return head + strings_bytes(sample) * count // samples


def list_frame(items: List) -> int:
    return LIST_BYTES + allocated(getsizeof(items.places) - LIST_HEAD)


def list_part(items: List, start: int, most: int) -> tuple[int, int, int]:
    elements = items.range(start, start + most)
    stop = start + len(elements)
    return strings_bytes(elements), len(elements), stop if stop < len(items) else 0


def buckets_bytes(table: Buckets[Any], samples: int) -> int:
    """The buckets of a table without their members: all, or the mean of so many that are spread over it. 0: all."""
    buckets = table.buckets
    count = len(buckets)
    sample = buckets[:: count // samples][:samples] if samples and count > samples else buckets
    return sum([allocated(getsizeof(bucket)) for bucket in sample]) * count // len(sample)


def buckets_frame(table: Buckets[Any]) -> int:
    return BUCKETS_BYTES + allocated(getsizeof(table.buckets) - LIST_HEAD)


def buckets_part(table: Buckets[Any], slot: int, most: int) -> tuple[int, int, int]:
    buckets = table.buckets
    part = buckets[slot : slot + -(-most // table.usual)]
    stop = slot + len(part)
    members = list(chain.from_iterable(part))
    size = sum([allocated(getsizeof(bucket)) for bucket in part]) + strings_bytes(members)
    if type(table) is Hash:
        size += strings_bytes([value for bucket in part for value in bucket.values()])
    return size, len(members), stop if stop < len(buckets) else 0


def set_bytes(members: Set, samples: int) -> int:
    """A set with its members: all of them, or the mean of so many that stand together. 0: all."""
    count = len(members)
    head = set_frame(members) + buckets_bytes(members, samples)
    if not samples or count <= samples:
        return head + strings_bytes(list(members.unordered()))
    return head + strings_bytes(list(islice(members.unordered(), samples))) * count // samples


def set_frame(members: Set) -> int:
    size = buckets_frame(members)
    if members.mask:
        size += LOTS_BYTES + allocated(getsizeof(members.lots) - LIST_HEAD) + allocated(getsizeof(members.gone))
    return size


def hash_bytes(fields: Hash, samples: int) -> int:
    """A hash with its fields and their deadlines: all of them, or the mean of so many that stand together. 0: all."""
    count = len(fields)
    size = hash_frame(fields) + buckets_bytes(fields, samples)
    some = count if not samples else min(samples, count)
    in_sample = strings_bytes(list(islice(fields.unordered_values(), some)))
    if count > FIELDS_PER_BUCKET:
        in_sample += strings_bytes(list(islice(fields.unordered(), some)))
    else:
        names = islice(fields.unordered(), some)
        in_sample += sum([string_bytes(len(name)) for name in names if getrefcount(name) <= FEW_REFERENCES])
    return size + in_sample * count // (some or 1)


def hash_frame(fields: Hash) -> int:
    size = buckets_frame(fields)
    if fields.deadlines is not None:
        size += DEADLINES_BYTES + allocated(getsizeof(fields.deadlines.times)) + len(fields.deadlines.times) * INT_BYTES
        size += allocated(len(fields.buckets) * 8)
    return size


def sorted_set_bytes(members: SortedSet, samples: int) -> int:
    """A sorted set with its members: all of them, or the mean of so many that stand together. 0: all."""
    count = len(members)
    size = sorted_set_frame(members) + buckets_bytes(members, samples)
    some = count if not samples else min(samples, count)
    return size + strings_bytes(list(islice(members, some))) * count // (some or 1)


def sorted_set_frame(members: SortedSet) -> int:
    return SORTED_SET_BYTES + buckets_frame(members) + len(members.member_runs) * RUN_BYTES + len(members) * SCORE_BYTES


def stream_bytes(stream: Stream, samples: int) -> int:
    """A stream with its entries, or with the mean of some of its blocks, and with its groups."""
    count = len(stream.blocks)
    blocks = stream.blocks[:: count // samples][:samples] if samples and count > samples else stream.blocks
    size = sum(map(block_bytes, blocks)) * count // (len(blocks) or 1)
    shapes = {id(block.shape): block.shape for block in blocks}
    size += sum(shape_bytes(shape) for shape in shapes.values())
    return stream_frame(stream) + size


def stream_frame(stream: Stream) -> int:
    totals = stream.group_totals
    return (
        STREAM_BYTES
        + totals.groups * GROUP_BYTES
        + totals.consumers * CONSUMER_BYTES
        + totals.pending * DELIVERY_BYTES
        + totals.name_bytes
        + min(totals.groups + totals.consumers, 2 * totals.pending) * CHUNK_BYTES
    )


def stream_part(stream: Stream, index: int, most: int) -> tuple[int, int, int]:
    blocks = stream.blocks
    size = count = 0
    while index < len(blocks) and count < most:
        block = blocks[index]
        size += block_bytes(block)
        if not index or blocks[index - 1].shape is not block.shape:  # only neighbours share one
            size += shape_bytes(block.shape)
        count += len(block)
        index += 1
    return size, count, index if index < len(blocks) else 0


def shape_bytes(shape: Shape) -> int:
    fields = shape.fields
    return (
        SHAPE_BYTES
        + allocated(getsizeof(fields))
        + strings_bytes(fields)
        + allocated(getsizeof(shape.between))
        + strings_bytes(shape.between)
    )


def block_bytes(block: Block) -> int:
    numbers = (block.ms, block.seqs, block.ends)
    size = BLOCK_BYTES + sum([allocated(len(each) * each.itemsize) for each in numbers])
    blob = block.blob
    return size + (string_bytes(len(blob)) if isinstance(blob, bytes) else bytearray_bytes(blob))


# For each kind whose values have members: what one takes, from so many samples.
OF_CONTAINERS: dict[type, Callable[[Any, int], int]] = {
    Hash: hash_bytes,
    List: list_bytes,
    Set: set_bytes,
    SortedSet: sorted_set_bytes,
    Stream: stream_bytes,
}


# The same in parts, so that a large value can be measured a part at a time. FRAMES: the size of a value without its
# members, in O(1). PARTS: the size of about `most` of its members from a place on; returns bytes, the number of
# members, and the place where the next part begins, 0 after the last.
FRAMES: dict[type, Callable[[Any], int]] = {
    Hash: hash_frame,
    List: list_frame,
    Set: set_frame,
    SortedSet: sorted_set_frame,
    Stream: stream_frame,
}
PARTS: dict[type, Callable[[Any, int, int], tuple[int, int, int]]] = {
    Hash: buckets_part,
    List: list_part,
    Set: buckets_part,
    SortedSet: buckets_part,
    Stream: stream_part,
}


def size_of(value: Any, samples: int = 0) -> int:
    """What a value takes, in bytes. One with many members is estimated from so many of them; 0: from all."""
    kind = type(value)
    if kind is bytes:
        return string_bytes(len(value))
    if kind is int:
        return INT_BYTES
    if kind is bytearray:
        return bytearray_bytes(value)
    return OF_CONTAINERS[kind](value, samples)
