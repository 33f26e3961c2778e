"""Fingerprints: those of Redis for the same data."""

from selredis.values.digest import Digest
from selredis.values.list import List
from selredis.values.sorted_set import SortedSet


def digest_of(value, has_deadline=False) -> str:
    digest = Digest()
    digest.mix_value(value, has_deadline)
    return digest.bytes.hex()


# From redis-server 7.0.15, DEBUG DIGEST-VALUE.
def test_values_have_the_digests_of_redis():
    assert digest_of(b'text') == '2ce3f57ae020966eb041fa6a47e5221ee0d42d6b'
    assert digest_of(bytearray(b'text')) == '2ce3f57ae020966eb041fa6a47e5221ee0d42d6b'
    assert digest_of(b'text', has_deadline=True) == 'ca660b853c197c3a71571192028fed85fa7a6ce8'
    assert digest_of(b'12') == '655ac46b180ad2f61a3cee25f0b1780fa2ec879a'
    assert digest_of(List([b'a', b'b', b'3'])) == '09eb1fc9381ee92790d59930ab462945f8cd948b'
    assert digest_of(SortedSet([(b'a', 1.0), (b'b', 2.5)])) == 'c45c5b051acd64070e5ed1a949939d5145f806c5'


def test_order_counts_in_a_list_only():
    assert digest_of(List([b'a', b'b'])) != digest_of(List([b'b', b'a']))
    one, other = Digest(), Digest()
    for data in (b'a', b'b'):
        one.xor(data)
    for data in (b'b', b'a'):
        other.xor(data)
    assert one.bytes == other.bytes
    assert len(one.bytes) == 20
