"""Ids as they are given."""

import pytest

from selredis.commands.stream_ids import (
    INVALID_ID,
    entries_reply,
    read_any_id,
    read_id,
    read_interval_end,
    read_interval_start,
)
from selredis.errors import ReplyError
from selredis.values.stream_block import LAST_ID, SEQ_MASK
from tests.unit.conftest import as_sent


def pair(id_: int) -> tuple[int, int]:
    return id_ >> 64, id_ & SEQ_MASK


@pytest.mark.parametrize(
    ('text', 'expected'),
    [
        (b'5-7', (5, 7)),
        (b'5', (5, 99)),
        (b'18446744073709551615-18446744073709551615', (SEQ_MASK, SEQ_MASK)),
        (b'0-0', (0, 0)),
        # What C's strtoull makes of it.
        (b'007-01', (7, 1)),
        (b' 7- +1', (7, 1)),
        (b'+7', (7, 99)),
        (b'1--01', (1, SEQ_MASK)),
        (b'1--0', (1, 0)),
        (b'1--9223372036854775809', (1, 2**63 - 1)),
        (b'1-2\x003', (1, 2)),
    ],
)
def test_ids(text: bytes, expected: tuple[int, int]):
    assert pair(read_id(text, 99)) == expected


@pytest.mark.parametrize(
    'text',
    [
        *(
            b'',
            b'-',
            b'+',
            b'x',
            b'1-',
            b'-1',
            b'1-x',
            b'1x',
            b'1-2-3',
            b'1--1',
            b'1-*',
            b'*',
            b'$',
            b'1 ',
            b'1- ',
            b'\x001',
        ),
        *(
            b'18446744073709551616',
            b'1-18446744073709551616',
            b'1' * 200,
            b'0' * 200 + b'-1',
            b'1--9223372036854775808',
        ),
    ],
)
def test_what_is_no_id(text: bytes):
    with pytest.raises(ReplyError) as raised:
        read_id(text)
    assert raised.value.text == INVALID_ID


def test_the_least_and_the_greatest():
    assert (read_any_id(b'-'), read_any_id(b'+'), read_any_id(b'3')) == (0, LAST_ID, 3 << 64)


def test_ends_of_ranges():
    assert pair(read_interval_start(b'5')) == (5, 0)
    assert pair(read_interval_end(b'5')) == (5, SEQ_MASK)
    assert pair(read_interval_start(b'(5-%d' % SEQ_MASK)) == (6, 0)
    assert pair(read_interval_end(b'(5-0')) == (4, SEQ_MASK)
    assert pair(read_interval_end(b'(5')) == (5, SEQ_MASK - 1)
    for read, text in ((read_interval_start, b'(%d-%d' % pair(LAST_ID)), (read_interval_end, b'(0-0')):
        with pytest.raises(ReplyError, match='interval'):
            read(text)
    for text in (b'(', b'(-', b'(+', b'((1'):
        with pytest.raises(ReplyError, match='Invalid'):
            read_interval_start(text)


def test_entries_are_an_array():
    assert as_sent(entries_reply([])) == b'*0\r\n'
    assert as_sent(entries_reply([b'a', b'b'])) == b'*2\r\nab'
