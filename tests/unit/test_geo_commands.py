"""Geo commands: what transcripts do not show."""

from random import Random

import pytest

from tests.unit.conftest import Peer

SICILY = (13.361389, 38.115556, 'Palermo', 15.087269, 37.502669, 'Catania')


@pytest.fixture
def sicily(client: Peer) -> Peer:
    assert client('GEOADD', 'Sicily', *map(str, SICILY)) == 2
    return client


def changes(client: Peer, *words: str) -> int:
    before = client.engine.keyspace.dirty
    client(*words)
    return client.engine.keyspace.dirty - before


def test_changes_count_by_members(sicily: Peer):
    assert changes(sicily, 'GEOADD', 'Sicily', '1', '1', 'x', '2', '2', 'y', '15.087269', '37.502669', 'Catania') == 2
    assert changes(sicily, 'GEOADD', 'Sicily', 'NX', '3', '3', 'x') == 0
    assert changes(sicily, 'GEOADD', 'Sicily', '3', '3', 'x') == 1
    assert changes(sicily, 'GEOSEARCHSTORE', 'd', 'Sicily', 'FROMLONLAT', '15', '37', 'BYRADIUS', '200', 'km') == 2
    assert changes(sicily, 'GEORADIUS', 'Sicily', '15', '37', '200', 'km', 'STORE', 'd', 'COUNT', '1') == 1
    assert changes(sicily, 'GEORADIUS', 'none', '15', '37', '200', 'km', 'STORE', 'd') == 1
    assert changes(sicily, 'GEORADIUS', 'none', '15', '37', '200', 'km', 'STORE', 'd') == 0


def test_distances_are_stored_in_the_unit_asked_for(sicily: Peer):
    words = 'Sicily', 'FROMMEMBER', 'Palermo', 'BYRADIUS', '200', 'km'
    assert sicily('GEOSEARCHSTORE', 'd', *words, 'STOREDIST') == 2
    assert sicily('ZRANGE', 'd', '0', '-1') == [b'Palermo', b'Catania']
    assert float(sicily('ZSCORE', 'd', 'Catania')) == pytest.approx(166.2741516)
    assert sicily('ZSCORE', 'd', 'Palermo') == b'0'


def test_what_is_stored_over_itself_is_another_set(sicily: Peer):
    sicily('COPY', 'Sicily', 'copy')
    assert sicily('GEORADIUSBYMEMBER', 'Sicily', 'Palermo', '1', 'm', 'STORE', 'Sicily') == 1
    assert sicily('ZRANGE', 'Sicily', '0', '-1') == [b'Palermo']
    assert sicily('ZCARD', 'copy') == 2


def test_a_destination_loses_its_deadline(sicily: Peer):
    sicily('SET', 'd', 'x', 'EX', '100')
    sicily('GEORADIUSBYMEMBER', 'Sicily', 'Palermo', '1', 'm', 'STORE', 'd')
    assert sicily('TTL', 'd') == -1


def test_a_search_counts_as_reading_whether_it_stores_or_not(sicily: Peer):
    keyspace = sicily.engine.keyspace
    hits, misses = keyspace.hits, keyspace.misses
    sicily('GEOSEARCHSTORE', 'd', 'Sicily', 'FROMMEMBER', 'Palermo', 'BYRADIUS', '1', 'm')
    sicily('GEOSEARCH', 'Sicily', 'FROMMEMBER', 'Palermo', 'BYRADIUS', '1', 'm')
    sicily('GEOSEARCHSTORE', 'd', 'none', 'FROMMEMBER', 'Palermo', 'BYRADIUS', '1', 'm')
    assert (keyspace.hits - hits, keyspace.misses - misses) == (2, 1)


def test_a_large_set_is_searched_as_a_small_one(client: Peer):
    """More than the encoding of small ones, and more than a cell that is not cut further has."""
    random = Random(1)
    words: list[str] = []
    for number in range(2000):
        words += [f'{random.gauss(0, 1):.4f}', f'{random.gauss(0, 1):.4f}', str(number)]
    assert client('GEOADD', 'g', *words) == 2000
    near = client('GEOSEARCH', 'g', 'FROMLONLAT', '0', '0', 'BYRADIUS', '30', 'km', 'WITHDIST', 'ASC')
    lengths = [float(length) for _, length in near]
    assert lengths == sorted(lengths)
    assert 20 < len(near) < 200
    assert lengths[-1] <= 30
    first = client('GEOSEARCH', 'g', 'FROMLONLAT', '0', '0', 'BYRADIUS', '30', 'km', 'COUNT', '5')
    assert first == [member for member, _ in near[:5]]
    some = client('GEOSEARCH', 'g', 'FROMLONLAT', '0', '0', 'BYRADIUS', '30', 'km', 'COUNT', '5', 'ANY')
    assert some == client('GEOSEARCH', 'g', 'FROMLONLAT', '0', '0', 'BYRADIUS', '30', 'km')[:5]
