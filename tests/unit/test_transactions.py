"""Transactions: time, waiters and what others see. What the commands answer is in transcripts/transactions."""

from selredis.engine.client import Client
from tests.unit.conftest import as_sent


def test_a_watched_key_that_expires_breaks_the_watch(client, clock):
    client('SET', 'k', 'v', 'PX', '100')
    client('WATCH', 'k')
    clock.advance(101)
    client.pipeline('MULTI', 'PING', 'EXEC')
    assert client.take()[-1] is None


def test_a_watched_key_that_still_lives_does_not(client, clock):
    client('SET', 'k', 'v', 'PX', '100')
    client('WATCH', 'k')
    clock.advance(99)
    client.pipeline('MULTI', 'PING', 'EXEC')
    assert client.take()[-1] == ['PONG']


def test_a_key_that_had_expired_before_it_was_watched_is_absent(client, clock):
    client('SET', 'k', 'v', 'PX', '100')
    clock.advance(101)
    client('WATCH', 'k')
    client.pipeline('MULTI', 'PING', 'EXEC')
    assert client.take()[-1] == ['PONG']


def test_a_key_that_had_expired_before_it_was_watched_may_come_back(clients, clock):
    client, other = clients(2)
    client('SET', 'k', 'v', 'PX', '100')
    clock.advance(101)
    client('WATCH', 'k')
    other('SET', 'k', 'new')
    client.pipeline('MULTI', 'PING', 'EXEC')
    assert client.take()[-1] is None


def test_a_watch_is_broken_by_active_expiry_too(client, clock, engine):
    client('SET', 'k', 'v', 'PX', '100')
    client('WATCH', 'k')
    clock.advance(101)
    engine.tell_time()
    engine.expire_some()
    assert client.client.watch_broken


def test_waiters_are_served_after_the_whole_transaction(clients):
    waiting, client = clients(2)
    waiting('BLPOP', 'q', '0')
    client.pipeline('MULTI', 'RPUSH q a', 'LLEN q', 'RPUSH q b', 'EXEC')
    assert client.take()[-1] == [1, 1, 2]
    assert waiting.take() == [[b'q', b'a']]


def test_a_defect_in_one_command_leaves_the_others(client, engine, monkeypatch):
    def crash(client, argv):
        raise ZeroDivisionError

    class Broken:
        handler = staticmethod(crash)
        flags: frozenset[str] = frozenset()

    told = []
    monkeypatch.setattr(engine.log, 'defect', lambda _text, error: told.append(error))
    client.pipeline('MULTI', 'ECHO 1', 'ECHO 2', 'ECHO 3')
    client.client.transaction.queued[1] = (Broken, [b'ECHO', b'2'])
    assert client('EXEC') == [b'1', 'ERR internal error', b'3']
    assert [type(error) for error in told] == [ZeroDivisionError]
    assert not client.client.in_exec


def test_who_leaves_within_a_transaction_leaves_nothing_behind(clients, engine):
    client, other = clients(2)
    client('WATCH', 'k')
    client('MULTI')
    client('SET', 'k', 'v')
    client.disconnect()
    assert other('GET', 'k') is None
    assert engine.keyspace.databases[0].watched == {}


def test_a_transaction_is_shown_as_one_while_it_runs(client):
    client.pipeline('MULTI', 'ECHO 1', 'CLIENT INFO', 'EXEC')
    info = client.take()[-1][1]
    assert b' flags=x ' in info
    assert b' multi=2 ' in info


def test_a_broken_watch_makes_more_watching_pointless(clients, engine):
    client, other = clients(2)
    client('WATCH', 'a')
    other('SET', 'a', '1')
    client('WATCH', 'b')
    assert b'b' not in engine.keyspace.databases[0].watched


def test_to_watch_a_key_twice_is_to_watch_it_once(client, engine):
    client('WATCH', 'k', 'k')
    client('WATCH', 'k')
    client('UNWATCH')
    assert engine.keyspace.databases[0].watched == {}
    assert not engine.keyspace.observed


def test_a_client_without_a_socket_may_have_a_transaction(engine):
    client = Client(engine)
    engine.run(client, [[b'MULTI'], [b'SET', b'k', b'v'], [b'GET', b'k'], [b'EXEC']])
    assert as_sent(client.out) == b'+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n+OK\r\n$1\r\nv\r\n'
