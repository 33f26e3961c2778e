"""Fingerprints of data, for tests: what is the same has the same on any server (redis debug.c, computeDatasetDigest).

Twenty bytes, each step of SHA-1: `xor` where order does not count, `mix` where it does.
"""

from collections.abc import Callable
from typing import Any

from selredis.numeric import format_double
from selredis.values.hash import Hash
from selredis.values.kinds import STRING_KINDS, text_of
from selredis.values.list import List
from selredis.values.set import Set
from selredis.values.sorted_set import SortedSet
from selredis.values.stream import Stream
from selredis.values.stream_block import SEQ_BITS, SEQ_MASK

HAS_DEADLINE = b'!!expire!!'
FIELD_HAS_DEADLINE = b'!!hexpire!!'  # of a hash: 7.4 and later
SIZE = 20


def sha1_of(data: bytes | bytearray) -> int:
    from hashlib import sha1

    return int.from_bytes(sha1(data, usedforsecurity=False).digest(), 'big')


class Digest:
    """A fingerprint in the making."""

    __slots__ = ('state',)

    def __init__(self) -> None:
        self.state = 0

    def xor(self, data: bytes | bytearray) -> None:
        self.state ^= sha1_of(data)

    def mix(self, data: bytes | bytearray) -> None:
        self.xor(data)
        self.state = sha1_of(self.bytes)

    def mix_value(self, value: Any, has_deadline: bool) -> None:
        """Take in a value, its kind, and whether it will expire (not when)."""
        number, mix_members = MIXERS[type(value)]
        self.mix(number.to_bytes(4, 'big'))
        mix_members(self, value)
        if has_deadline:
            self.xor(HAS_DEADLINE)

    @property
    def bytes(self) -> bytes:
        return self.state.to_bytes(SIZE, 'big')


def mix_string(digest: Digest, value: Any) -> None:
    digest.mix(text_of(value))


def mix_list(digest: Digest, value: Any) -> None:
    for element in value:
        digest.mix(element)


def mix_stream(digest: Digest, value: Stream) -> None:
    for id_, words in value.entries():
        digest.mix(b'%d.%d' % (id_ >> SEQ_BITS, id_ & SEQ_MASK))
        for word in words:
            digest.mix(word)


def mix_set(digest: Digest, value: Any) -> None:
    for member in value:
        digest.xor(member)


def mix_hash(digest: Digest, value: Hash) -> None:
    for field, text in value.items():
        of_field = Digest()
        of_field.mix(field)
        of_field.mix(text)
        if value.deadline_of(field) is not None:
            of_field.xor(FIELD_HAS_DEADLINE)
        digest.xor(of_field.bytes)


def mix_sorted_set(digest: Digest, value: SortedSet) -> None:
    for member, score in value.items():
        of_member = Digest()
        of_member.mix(member)
        of_member.mix(format_double(score))
        digest.xor(of_member.bytes)


# For each kind Redis's number of it (server.h, OBJ_STRING ...), and what takes in its members.
MIXERS: dict[type, tuple[int, Callable[[Digest, Any], None]]] = {
    **dict.fromkeys(STRING_KINDS, (0, mix_string)),
    List: (1, mix_list),
    Set: (2, mix_set),
    Hash: (4, mix_hash),
    SortedSet: (3, mix_sorted_set),
    Stream: (6, mix_stream),
}
