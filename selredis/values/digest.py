"""Fingerprints of data, for tests: what is the same has the same on any server (redis debug.c, computeDatasetDigest).

Twenty bytes, each step of SHA-1: `xor` where order does not count, `mix` where it does.
"""

from hashlib import sha1
from typing import Any

from selredis.values.kinds import STRING_KINDS, text_of
from selredis.values.list import List

# Redis's numbers of the kinds (server.h, OBJ_STRING ...).
KIND_NUMBERS: dict[type, int] = {**dict.fromkeys(STRING_KINDS, 0), List: 1}
HAS_DEADLINE = b'!!expire!!'
SIZE = 20


class Digest:
    """A fingerprint in the making."""

    __slots__ = ('state',)

    def __init__(self) -> None:
        self.state = 0

    def xor(self, data: bytes | bytearray) -> None:
        self.state ^= int.from_bytes(sha1(data, usedforsecurity=False).digest(), 'big')

    def mix(self, data: bytes | bytearray) -> None:
        self.xor(data)
        self.state = int.from_bytes(sha1(self.bytes, usedforsecurity=False).digest(), 'big')

    def mix_value(self, value: Any, has_deadline: bool) -> None:
        """Take in a value, its kind, and whether it will expire (not when)."""
        self.mix(KIND_NUMBERS[type(value)].to_bytes(4, 'big'))
        if isinstance(value, List):
            for element in value:
                self.mix(element)
        else:
            self.mix(text_of(value))
        if has_deadline:
            self.xor(HAS_DEADLINE)

    @property
    def bytes(self) -> bytes:
        return self.state.to_bytes(SIZE, 'big')
