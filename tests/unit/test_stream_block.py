"""A block of a stream's entries, alone. Blocks together: test_stream."""

from selredis.values.stream_block import LAST_ID, SEQ_BITS, Block, Shape


def at(ms: int, seq: int = 0) -> int:
    return ms << SEQ_BITS | seq


def test_a_block_keeps_numbers_of_any_size():
    block = Block(at(5, 7), Shape((b'f',)))
    ids = [at(5, 7), at(5, 70_000), at(5, 1 << 40), at(70_005), at(1 << 40), LAST_ID]
    for id_ in ids:
        block.append(id_, True, [b'v' * 30_000], 30_000)
    assert block.ids(0, 6) == ids
    assert [block.place(id_) for id_ in ids] == list(range(6))
    assert [block.place(id_ + 1) for id_ in ids[:-1]] == list(range(1, 6))
    assert [len(texts[1]) for _, texts in block.entries(0, 6)] == [30_000] * 6


def test_what_is_deleted_at_the_front_leaves_its_place_behind():
    block = Block(at(5), Shape((b'f',)))
    for seq in range(6):
        block.append(at(5, seq), seq != 3, [b'v'] if seq != 3 else [b'g', b'w'], 1)
    block.remove(0, 1)
    block.remove(2, 3)
    block.remove(1, 2)
    assert (block.first, block.stop, len(block), block.deleted, block.last_deleted) == (2, 5, 3, 3, at(5, 2))
    assert list(block.entries(2, 5)) == [(at(5, 3), [b'g', b'w']), (at(5, 4), [b'f', b'v']), (at(5, 5), [b'f', b'v'])]
    assert block.place(0) == block.place(at(5, 3)) == 2
    assert block.encoded(4, 5) == [b'*2\r\n$3\r\n5-5\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n']
