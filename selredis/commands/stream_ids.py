"""What the commands on streams share: ids as they are given, and entries as they are answered."""

import re

from selredis.errors import ReplyError
from selredis.numeric import is_integer
from selredis.resp.encoder import array_head
from selredis.resp.pieces import Output
from selredis.resp.reply import EncodedParts
from selredis.values.stream_block import LAST_ID, SEQ_BITS, SEQ_END, SEQ_MASK

INVALID_ID = b'ERR Invalid stream ID specified as stream command argument'
ID_TEXT_END = 128
# What C's strtoull takes; Redis leaves to it what is no number written as it would write it (util.c, string2ull).
NUMBER = re.compile(rb'[ \t\n\v\f\r]*([+-]?)(\d+)')


def read_id(text: bytes, missing_seq: int = 0) -> int:
    """An id, `<ms>-<seq>` or only `<ms>`. Raises ReplyError."""
    ms, dash, seq = text.partition(b'-')
    if len(text) < ID_TEXT_END:
        if ms.isdigit() and (seq.isdigit() or not dash):
            upper, lower = int(ms), int(seq) if dash else missing_seq
            if upper < SEQ_END and lower < SEQ_END:
                return upper << SEQ_BITS | lower
        ms, dash, seq = text.partition(b'\0')[0].partition(b'-')
        upper_read, lower_read = read_unsigned(ms), read_unsigned(seq) if dash else missing_seq
        if upper_read is not None and lower_read is not None:
            return upper_read << SEQ_BITS | lower_read
    raise ReplyError(INVALID_ID)


def read_unsigned(text: bytes) -> int | None:
    """A number of 64 bits as strtoull reads it: a minus turns it over. None for what is none."""
    match = NUMBER.fullmatch(text)
    if match is None or (text.startswith(b'-') and is_integer(text)):
        return None
    number = int(match[2])
    if number >= SEQ_END:
        return None
    return -number & SEQ_MASK if match[1] == b'-' else number


def read_any_id(text: bytes, missing_seq: int = 0) -> int:
    """An id, or - for the least and + for the greatest that there is. Raises ReplyError."""
    readable = text.partition(b'\0')[0] if 0 in text else text
    if readable == b'-':
        return 0
    return LAST_ID if readable == b'+' else read_id(text, missing_seq)


def read_interval_start(text: bytes) -> int:
    """Where a range begins, ( for behind an id. Raises ReplyError."""
    if not (text.startswith(b'(') and len(text) > 1):
        return read_any_id(text)
    id_ = read_id(text[1:])
    if id_ == LAST_ID:
        raise ReplyError(b'ERR invalid start ID for the interval')
    return id_ + 1


def read_interval_end(text: bytes) -> int:
    """Where a range ends, ( for before an id; one without its second part is the last of its time."""
    if not (text.startswith(b'(') and len(text) > 1):
        return read_any_id(text, SEQ_MASK)
    id_ = read_id(text[1:], SEQ_MASK)
    if not id_:
        raise ReplyError(b'ERR invalid end ID for the interval')
    return id_ - 1


def entries_reply(rows: list[Output]) -> EncodedParts:
    """Entries that are in RESP already, as an array."""
    return EncodedParts((array_head(len(rows)), *rows))
