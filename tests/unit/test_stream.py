"""The stream's structure alone: it must hold what a plain list of entries would, in blocks as Redis makes them."""

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selredis.values.listpack import listpack_bytes
from selredis.values.stream import Stream
from selredis.values.stream_block import LAST_ID, SEQ_BITS, encoded_entry, id_text, number_bytes
from selredis.values.stream_groups import Group

Entry = tuple[int, list[bytes]]


def at(ms: int, seq: int = 0) -> int:
    return ms << SEQ_BITS | seq


# How far an id is behind the one before it: a few, past the end of a number of 16, 32 and 64 bits, and another time.
steps_in_time = st.one_of(
    st.integers(1, 3), st.sampled_from((70_000, 1 << 33, at(1), at(300) - 5, at(1 << 20), at(1 << 40)))
)
texts = st.sampled_from((b'', b'a', b'%d', b'7', b'-12', b'123456', b'01', b'x' * 30, b'x' * 130))
entries = st.one_of(
    st.tuples(st.just(b'f'), texts).map(list),
    st.tuples(st.just(b'f'), texts, st.just(b'g'), texts).map(list),
    st.lists(texts, min_size=1, max_size=2).map(lambda words: words * 2),
)
# Where in the stream, as a share of its entries.
shares = st.floats(0, 1)
actions = st.lists(
    st.one_of(
        st.tuples(st.just('append'), st.lists(st.tuples(steps_in_time, entries), min_size=1, max_size=20)),
        st.tuples(st.just('delete'), shares),
        st.tuples(st.just('trim'), shares, st.booleans()),
        st.tuples(st.just('trim below'), shares, st.booleans()),
        st.tuples(st.just('range'), shares, shares, st.integers(0, 9)),
    ),
    max_size=20,
)


def apply(stream: Stream, model: list[Entry], action: tuple[object, ...], limits: tuple[int, int]) -> None:
    """Do the same to the stream and to its model, and compare what they return."""

    def id_at(share: object) -> int:
        assert isinstance(share, float)
        return model[min(int(share * len(model)), len(model) - 1)][0] if model else 5

    match action:
        case 'append', list(rows):
            for step, words in rows:
                id_ = stream.last_id + step
                stream.append(id_, words, *limits)
                model.append((id_, words))
        case 'delete', share:
            id_ = id_at(share)
            there = any(id_ == each for each, _ in model)
            assert (id_ in stream) == there
            assert stream.delete(id_) == there
            assert not stream.delete(id_)
            model[:] = [entry for entry in model if entry[0] != id_]
        case 'trim', float(share), whole_blocks:
            length = int(share * len(model))
            before = len(model)
            count = stream.trim_to_length(length, whole_blocks=bool(whole_blocks))
            assert len(stream) == before - count >= length
            assert whole_blocks or len(stream) == length
            del model[:count]
        case 'trim below', share, whole_blocks:
            id_ = id_at(share)
            count = stream.trim_below(id_, whole_blocks=bool(whole_blocks))
            assert all(each < id_ for each, _ in model[:count])
            assert whole_blocks or all(each >= id_ for each, _ in model[count:])
            del model[:count]
        case 'range', one, other, int(count):
            first, last = sorted((id_at(one), id_at(other)))
            found = [(id_, words) for id_, words in model if first <= id_ <= last]
            encoded = [encoded_entry(id_text(id_), words) for id_, words in found]
            assert list(stream.entries(first, last)) == found
            assert stream.encoded(first, last, count) == encoded[: count or None]
            assert stream.encoded(first, last, count, backwards=True) == encoded[::-1][: count or None]


@settings(max_examples=150, deadline=None)
@given(actions, st.sampled_from(((100, 4096), (3, 4096), (100, 120), (0, 0))))
def test_does_what_a_plain_list_does(script: list[tuple[object, ...]], limits: tuple[int, int]):
    stream, model = Stream(), list[Entry]()
    for action in script:
        apply(stream, model, action, limits)
        assert list(stream.entries()) == model
        assert len(stream) == len(model)
        assert stream.first_id == (model[0][0] if model else 0)
        assert stream.top_id == (model[-1][0] if model else 0)
        assert all(len(block) for block in stream.blocks), 'a block without entries'
        assert [stream.encoded_entry(id_) for id_, _ in model] == stream.encoded(0, LAST_ID)
    assert list(stream.copy().entries()) == model


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(steps_in_time, entries), min_size=1, max_size=40))
def test_a_block_is_as_full_as_a_listpack_of_its_entries(rows: list[tuple[int, list[bytes]]]):
    stream = Stream()
    id_ = 0
    for step, words in rows:
        id_ += step
        stream.append(id_, words, 0, 0)
    (block,) = stream.blocks
    (head,) = stream.heads
    fields = rows[0][1][::2]
    numbers = [0, len(fields), 0]
    total = 7 + sum(map(number_bytes, numbers)) - 2 + sum(map(listpack_bytes, fields))
    for entry_id, words in stream.entries():
        same = words[::2] == fields
        numbers = [0, (entry_id >> SEQ_BITS) - (head >> SEQ_BITS), (entry_id - head) % (1 << SEQ_BITS)]
        stored = words[1::2] if same else words
        numbers += [len(stored) + 3] if same else [len(words) // 2, len(words) + 4]
        total += sum(map(number_bytes, numbers)) + sum(map(listpack_bytes, stored))
    assert stream._bound >= total
    stream._measure()
    assert stream._bound == total
    assert block.stop == len(rows)


def test_blocks_end_after_so_many_entries_or_bytes():
    stream = Stream()
    for number in range(1, 251):
        stream.append(number, [b'field', b'value'])
    assert [len(block) for block in stream.blocks] == [100, 100, 50]
    for number in range(251, 300):
        stream.append(number, [b'field', b'x' * 1000])
    assert [len(block) for block in stream.blocks][2:5] == [53, 4, 4]


def test_what_is_deleted_counts_for_when_a_block_is_full():
    stream = Stream()
    for number in range(1, 100):
        stream.append(number, [b'f', b'v'])
    for number in range(2, 90):
        stream.delete(number)
    stream.append(100, [b'f', b'v'])
    stream.append(101, [b'f', b'v'])
    assert [len(block) for block in stream.blocks] == [12, 1]


def test_a_block_that_is_the_last_again_is_appended_to():
    stream = Stream()
    for number in range(1, 6):
        stream.append(number, [b'f', b'x' * 1000])
    assert [len(block) for block in stream.blocks] == [4, 1]
    stream.delete(5)
    stream.append(6, [b'f', b'v'])
    assert [len(block) for block in stream.blocks] == [5]
    assert [id_ for id_, _ in stream.entries()] == [1, 2, 3, 4, 6]


def test_only_whole_blocks_are_trimmed_roughly():
    stream = Stream()
    for number in range(1, 351):
        stream.append(number, [b'f', b'v'])
    assert stream.trim_to_length(120, whole_blocks=True) == 200
    assert stream.trim_to_length(120, whole_blocks=True) == 0
    assert stream.trim_to_length(50, whole_blocks=True, limit=99) == 0
    assert stream.trim_below(301, whole_blocks=True, limit=100) == 100
    assert stream.trim_below(340, whole_blocks=True) == 0
    assert stream.trim_below(340) == 39
    assert [id_ for id_, _ in stream.entries()] == list(range(340, 351))


def test_an_entry_that_is_too_large_for_redis_is_refused(monkeypatch):
    monkeypatch.setattr('selredis.values.stream.MAX_NODE_BYTES', 1000)
    stream = Stream()
    with pytest.raises(ValueError, match='too large'):
        stream.append(1, [b'field', b'x' * 996])
    assert not stream.blocks
    stream.append(1, [b'field', b'x' * 995])
    with pytest.raises(ValueError, match='too large'):
        stream.append(2, [b'field', b'x' * 996])
    assert list(stream.entries()) == [(1, [b'field', b'x' * 995])]


def test_entries_with_a_short_text_take_few_bytes():
    stream = Stream()
    for number in range(10_000):
        stream.append(at(1_700_000_000_000 + number // 3, number % 3), [b'field', b'value%d' % (number % 10)])
    arrays = sum(sys.getsizeof(numbers) for block in stream.blocks for numbers in (block.ms, block.seqs, block.ends))
    blobs = sum(sys.getsizeof(block.blob) for block in stream.blocks)
    blocks = sum(
        sys.getsizeof(block) + sys.getsizeof(head) + 16 for block, head in zip(stream.blocks, stream.heads, strict=True)
    )
    assert (arrays + blobs + blocks) / 10_000 < 20
    assert len({id(block.shape) for block in stream.blocks}) == 1


def test_a_copy_is_another_stream():
    stream = Stream()
    for number in range(1, 130):
        stream.append(number, [b'f', b'v'])
    stream.add_group(b'g', 5, None)
    copy = stream.copy()
    copy.delete(1)
    copy.append(200, [b'f', b'w'])
    copy.groups[b'g'].last_id = 7
    assert (stream.first_id, stream.top_id, stream.groups[b'g'].last_id) == (1, 129, 5)
    assert (copy.first_id, copy.top_id, copy.max_deleted_id) == (2, 200, 1)


def test_it_lets_go_of_everything_a_part_at_a_time():
    stream = Stream()
    for number in range(1, 1001):
        stream.append(number, [b'f', b'v'])
    for name in (b'g', b'h'):
        stream.add_group(name, 0, 0)
        group = stream.groups[name]
        group.add_consumer(b'c', 0)
        group.give_new(list(range(1, 1001)), b'c', 0)
    parts = 0
    while stream:
        stream.shorten(500)
        parts += 1
    assert not stream.groups
    assert 6 < parts < 30


# What is known of how much a group has read


def numbered(count: int) -> Stream:
    stream = Stream()
    for number in range(1, count + 1):
        stream.append(number, [b'f', b'v'])
    return stream


@pytest.mark.parametrize(
    ('id_', 'deleted', 'expected'),
    [
        (0, (), 0),
        (1, (), 1),
        (2, (), None),
        (5, (), 5),
        (6, (), None),
        (1, (1,), 1),
        (2, (1,), 2),
        (1, (3,), None),
        (5, (3,), 5),
        (3, (1, 2, 3, 4, 5), 5),
        (6, (1, 2, 3, 4, 5), None),
    ],
)
def test_how_many_entries_there_have_been_up_to_an_id(id_: int, deleted: tuple[int, ...], expected: int | None):
    stream = numbered(5)
    for each in deleted:
        stream.delete(each)
    assert stream.entries_up_to(id_) == expected


def test_a_group_lags_behind_by_what_it_has_not_read():
    stream = numbered(5)
    group = Group(0, None)
    assert stream.lag_of(group) == 5
    stream.count_read(group, [1])
    assert (group.last_id, group.entries_read, stream.lag_of(group)) == (1, 1, 4)
    stream.count_read(group, [2, 3])
    assert (group.last_id, group.entries_read, stream.lag_of(group)) == (3, 3, 2)
    stream.delete(4)
    assert stream.lag_of(group) is None


def test_a_gap_behind_what_is_read_leaves_it_open_how_much_that_was():
    stream = numbered(5)
    group = Group(0, 0)
    stream.delete(3)
    stream.count_read(group, [1, 2])
    assert group.entries_read is None
    assert stream.lag_of(group) is None
    stream.count_read(group, [4])
    assert group.entries_read is None
    stream.count_read(group, [5])
    assert stream.lag_of(group) == 0


def test_nothing_lags_in_a_stream_that_has_never_had_an_entry():
    assert Stream().lag_of(Group(at(9), None)) == 0
    assert Stream().entries_up_to(at(9)) == 0
