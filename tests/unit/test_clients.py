"""CLIENT KILL and UNBLOCK where time and the turn matter. Replies are in transcripts/connection."""

import pytest


def test_a_killed_client_loses_its_place_at_once(clients):
    waiting, killer = clients(2)
    waiting('BLPOP', 'q', '0')
    killer.pipeline(f'CLIENT KILL ID {waiting.client.id}', 'RPUSH q a', 'LLEN q')
    assert killer.take() == [1, 1, 1]


def test_who_kills_itself_gets_the_reply_and_no_more(clients):
    client, other = clients(2)
    client.pipeline(f'CLIENT KILL ID {client.client.id} SKIPME no', 'SET k v')
    assert other('GET', 'k') is None


def test_skipme_without_another_filter_kills_all_others(clients):
    one, two, killer = clients(3)
    assert killer('CLIENT', 'KILL', 'SKIPME', 'yes') == 2
    assert one.client.doomed
    assert two.client.doomed
    assert not killer.client.doomed


def test_skipme_no_kills_everybody(clients):
    _, _, killer = clients(3)
    killer.engine.run(killer.client, [[b'CLIENT', b'KILL', b'SKIPME', b'no']])
    assert killer.client.out == [b':3\r\n']
    assert killer.client.closing


@pytest.mark.parametrize('filter_', ['ADDR', 'LADDR'])
def test_addresses(clients, filter_):
    one, two, killer = clients(3)
    one.client.addr = one.client.laddr = b'10.0.0.1:1'
    assert killer('CLIENT', 'KILL', filter_, '10.0.0.1:1', 'TYPE', 'normal') == 1
    assert one.client.doomed
    assert not two.client.doomed


def test_an_address_alone_may_be_ones_own(client):
    client.client.addr = b'10.0.0.1:1'
    client.engine.run(client.client, [[b'CLIENT', b'KILL', b'10.0.0.1:1']])
    assert client.client.out == [b'+OK\r\n']
    assert client.client.closing


def test_unblocking_lets_the_pipeline_go_on(clients):
    waiting, other = clients(2)
    waiting.pipeline('BLPOP q 0', 'ECHO next')
    assert other('CLIENT', 'UNBLOCK', waiting.client.id) == 1
    assert waiting.take() == [None, b'next']


def test_unblocking_with_an_error(clients):
    waiting, other = clients(2)
    waiting.pipeline('BLPOP q 0', 'ECHO next')
    assert other('CLIENT', 'UNBLOCK', waiting.client.id, 'error') == 1
    assert waiting.take() == ['UNBLOCKED client unblocked via CLIENT UNBLOCK', b'next']


def test_who_was_unblocked_takes_nothing(clients):
    waiting, other = clients(2)
    waiting('BLPOP', 'q', '0')
    other.pipeline(f'CLIENT UNBLOCK {waiting.client.id}', 'RPUSH q a', 'LLEN q')
    assert other.take() == [1, 1, 1]
    assert waiting.take() == [None]
