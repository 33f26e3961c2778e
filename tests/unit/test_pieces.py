"""Output of several buffers: what is sent is what would be sent if all was joined, and no large value is copied."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selredis.resp.encoder import ENCODERS
from selredis.resp.pieces import LARGE_BYTES, Output, Pieces, buffers_of, joined
from selredis.resp.reply import (
    Attributes,
    EncodedParts,
    Map,
    PairMap,
    Pairs,
    Push,
    Set_,
    Several,
    Strings,
    Verbatim,
)
from tests.unit.conftest import as_sent

LARGE = b'x' * LARGE_BYTES
OTHER = b'y' * (LARGE_BYTES + 1)


def is_shared(value: bytes, output: Output) -> bool:
    return any(buffer is value for buffer in buffers_of(output))


def bulk(text: bytes) -> bytes:
    return b'$%d\r\n%b\r\n' % (len(text), text)


def test_small_parts_are_joined():
    assert joined([]) == b''
    assert joined([b'a', b'b']) == b'ab'


def test_parts_with_pieces_share_their_buffers():
    output = joined([b'a', b'b', Pieces([b'head', LARGE, b'tail']), b'c', OTHER])
    assert isinstance(output, Pieces)
    assert as_sent([output]) == b'abhead' + LARGE + b'tailc' + OTHER
    assert len(output) == len(as_sent([output]))
    assert is_shared(LARGE, output)
    assert is_shared(OTHER, output)


def test_bytes_before_pieces_make_pieces():
    output = b'*' + Pieces([b'1\r\n', LARGE])
    assert as_sent([output]) == b'*1\r\n' + LARGE
    assert is_shared(LARGE, output)


@pytest.mark.parametrize('protocol', [2, 3])
@pytest.mark.parametrize(
    'reply',
    [
        LARGE,
        [LARGE],
        [LARGE, OTHER, LARGE],
        (b'a', LARGE, 7, None),
        [1, [b'a', [LARGE]], b'b'],
        Strings((LARGE, LARGE)),
        Strings((b'a', LARGE, b'', b'b')),
        Set_((b'a', LARGE)),
        Push((b'message', LARGE)),
        Map({b'f': LARGE}),
        Pairs(((b'f', LARGE),)),
        PairMap(((b'key', [LARGE]),)),
        [Map({b'f': [LARGE]}), b'z'],
        Several((b'a', LARGE)),
        EncodedParts((b'*1\r\n', ENCODERS[2][bytes](LARGE))),
    ],
    ids=lambda reply: type(reply).__name__,
)
def test_a_large_string_is_not_copied_whatever_it_is_nested_in(protocol, reply):
    output = ENCODERS[protocol][type(reply)](reply)
    assert is_shared(LARGE, output)
    assert bulk(LARGE) in as_sent([output])
    assert len(output) == len(as_sent([output]))


def test_attributes_may_be_large():
    output = ENCODERS[3][Attributes](Attributes({b'a': LARGE}))
    assert as_sent([output]) == b'|1\r\n' + bulk(b'a') + bulk(LARGE)


def test_a_value_that_may_change_before_it_is_sent_is_copied():
    value = bytearray(LARGE)
    output = ENCODERS[2][list]([value])
    value[:1] = b'z'
    value += b'more'
    assert as_sent([output]) == b'*1\r\n' + bulk(LARGE)


def test_a_large_verbatim_string():
    text = Verbatim(LARGE)
    assert as_sent([ENCODERS[2][Verbatim](text)]) == bulk(LARGE)
    assert as_sent([ENCODERS[3][Verbatim](text)]) == b'=%d\r\ntxt:%b\r\n' % (len(text) + 4, text)


SIZES = st.sampled_from([0, 1, 2047, 2048, 3000, LARGE_BYTES - 1, LARGE_BYTES, LARGE_BYTES + 1])
ITEMS = st.recursive(st.builds(bytes, SIZES) | st.integers(0, 5) | st.none(), lambda items: st.lists(items, max_size=4))


def encoded(item: object) -> bytes:
    match item:
        case None:
            return b'$-1\r\n'
        case int():
            return b':%d\r\n' % item
        case bytes():
            return bulk(item)
        case list():
            return b'*%d\r\n' % len(item) + b''.join(map(encoded, item))
    raise AssertionError(item)


@given(st.lists(ITEMS, max_size=5))
def test_any_nesting_is_sent_as_if_it_was_joined(items):
    output = ENCODERS[2][list](items)
    assert as_sent([output]) == encoded(items)
    assert len(output) == len(encoded(items))


@given(st.lists(st.builds(bytes, SIZES), max_size=6))
def test_arrays_of_strings_of_any_size(strings):
    output = ENCODERS[2][Strings](Strings(strings))
    assert as_sent([output]) == encoded(strings)
