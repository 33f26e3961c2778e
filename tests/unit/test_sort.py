"""SORT: what transcripts do not show."""

import pytest

from tests.unit.conftest import Peer

NO_DOUBLE = "ERR One or more scores can't be converted into double"


def test_what_is_stored_counts_by_its_elements(client: Peer):
    client('RPUSH', 'l', 3, 1, 2)
    before = client.engine.keyspace.dirty
    client('SORT', 'l', 'GET', '#', 'GET', '#', 'STORE', 'sorted')
    assert client.engine.keyspace.dirty == before + 6
    client('SORT', 'none', 'STORE', 'sorted')
    assert client.engine.keyspace.dirty == before + 7
    client('SORT', 'none', 'STORE', 'sorted')
    assert client.engine.keyspace.dirty == before + 7


def test_a_list_stored_over_itself_is_another_one(client: Peer):
    client('RPUSH', 'l', 2, 1)
    client('COPY', 'l', 'copy')
    assert client('SORT', 'l', 'STORE', 'l') == 2
    assert client('RPUSH', 'l', 3) == 3
    assert client('LRANGE', 'copy', 0, -1) == [b'2', b'1']
    assert client('LRANGE', 'l', 0, -1) == [b'1', b'2', b'3']


def test_a_destination_past_its_deadline_is_a_new_key(client: Peer, clock):
    client('SET', 'sorted', 'x', 'PX', 10)
    client('RPUSH', 'l', 1)
    clock.advance(11)
    assert client('SORT', 'l', 'STORE', 'sorted') == 1
    assert client('TTL', 'sorted') == -1
    assert client.engine.keyspace.expired == 1


@pytest.mark.parametrize('number', ['0x1p-1074', '-0x.8p-1070', '2.2250738585072014e-308', '1' * 300, '0e-99999'])
def test_numbers_of_any_size(number: str, client: Peer):
    client('RPUSH', 'l', number)
    assert client('SORT', 'l') == [number.encode()]


@pytest.mark.parametrize('number', ['1e309', '-1e309', '1e-324', '2.2250738585072e-308', '1' * 310, '\v', '1\f'])
def test_what_no_double_tells(number: str, client: Peer):
    client('RPUSH', 'l', number)
    assert client('SORT', 'l') == NO_DOUBLE


def test_every_weight_is_looked_up_before_one_is_refused(client: Peer):
    client('RPUSH', 'l', 'a', 'b')
    client('SET', 'w_a', 'no number')
    before = client.engine.keyspace.misses
    assert client('SORT', 'l', 'BY', 'w_*') == NO_DOUBLE
    assert client.engine.keyspace.misses == before + 1


def test_nothing_is_stored_after_an_error(client: Peer):
    client('RPUSH', 'l', 'x')
    client('SET', 'kept', 'value')
    assert client('SORT', 'l', 'STORE', 'kept') == NO_DOUBLE
    assert client('GET', 'kept') == b'value'
    assert (
        client('SORT', 'kept', 'STORE', 'kept') == 'WRONGTYPE Operation against a key holding the wrong kind of value'
    )


def test_a_weight_that_was_changed_in_place_is_taken_as_it_is_now(client: Peer):
    client('RPUSH', 'l', 'a')
    client('APPEND', 'w_a', 'x')
    client('APPEND', 'w_a', 'y')
    assert client('SORT', 'l', 'BY', 'w_*', 'ALPHA', 'GET', 'w_*', 'STORE', 'sorted') == 1
    client('APPEND', 'w_a', 'z')
    assert client('LRANGE', 'sorted', 0, -1) == [b'xy']


def test_ten_thousand_elements_are_in_order(client: Peer):
    numbers = [(number * 7919) % 10_007 for number in range(10_007)]
    client('RPUSH', 'l', *numbers)
    assert client('SORT', 'l', 'DESC', 'LIMIT', 10, 3) == [b'9996', b'9995', b'9994']
