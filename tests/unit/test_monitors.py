"""MONITOR: who is told what."""

import pytest


@pytest.fixture
def watched(clients):
    """A monitor, and one that it watches."""
    monitor, other = clients(2)
    other.client.addr = b'127.0.0.1:5'
    assert monitor('MONITOR') == 'OK'
    monitor.take().clear()
    return monitor, other


def test_lines(watched, clock):
    monitor, other = watched
    at = f'{clock.now_us() // 1_000_000}.{clock.now_us() % 1_000_000:06d}'
    other('SELECT', '3')
    other('SeT', b'k\r\n\x00"\\\x7f\xff\a\b\t', 'plain text')
    assert monitor.take() == [
        f'{at} [3 127.0.0.1:5] "SELECT" "3"',  # where it has led
        f'{at} [3 127.0.0.1:5] "SeT" "k\\r\\n\\x00\\"\\\\\\x7f\\xff\\a\\b\\t" "plain text"',
    ]


def told(monitor):
    """The commands that a monitor was told since the last time."""
    lines = [line.split('] ', 1)[1].replace('"', '') for line in monitor.take()]
    monitor.received.clear()
    return lines


def test_what_is_hidden(watched):
    monitor, other = watched
    other('CONFIG', 'GET', 'port')
    other('NOPE')
    other('GET')
    other('AUTH', 'secret')
    other('HELLO', '3', 'AUTH', 'default', 'secret')
    other('PING')
    assert told(monitor) == ['AUTH (redacted)', 'HELLO 3 AUTH (redacted) (redacted)', 'PING']


def test_a_transaction_is_told_when_it_runs(watched):
    monitor, other = watched
    other('MULTI')
    assert told(monitor) == ['MULTI']
    other('SET', 'a', 'b')
    assert told(monitor) == []
    other('EXEC')
    assert told(monitor) == ['SET a b', 'EXEC']


def test_who_waits_is_told_of_once(watched, clients):
    monitor, waiting = watched
    waiting('BLPOP', 'q', '0')
    assert told(monitor) == ['BLPOP q 0']
    clients(1)[0]('RPUSH', 'q', 'x')
    assert waiting.take() == [[b'q', b'x']]
    assert told(monitor) == ['RPUSH q x']


def test_monitors_are_told_of_each_other_and_of_themselves(clients):
    one, two = clients(2)
    one('MONITOR')
    two('MONITOR')
    one.take().clear()
    two.take().clear()
    one('ECHO', 'x')
    assert [line.split('] ')[1] for line in two.take()] == ['"ECHO" "x"']
    assert one.take()[0] == b'x'
    assert [line.split('] ')[1] for line in one.take()[1:]] == ['"ECHO" "x"']


def test_a_monitor_leaves_keys_alone(watched):
    monitor, _ = watched
    assert "ERR Replica can't interact with the keyspace" in monitor('GET', 'a')
    assert b' flags=O ' in monitor('CLIENT', 'INFO')[0]


def test_reset_ends_it(watched, engine):
    monitor, other = watched
    assert engine.gated
    assert monitor('RESET') == 'RESET'
    assert not engine.gated
    assert not monitor.client.gated
    monitor.take().clear()
    other('PING')
    assert monitor.take() == []


def test_a_monitor_that_leaves_is_told_no_more(watched, engine):
    monitor, other = watched
    monitor.disconnect()
    assert not engine.gated
    other('PING')
    assert monitor.client.out == []


def test_not_within_a_transaction(client):
    client('MULTI')
    client('MONITOR')
    assert client('EXEC') == ["ERR MONITOR isn't allowed for DENY BLOCKING client"]
