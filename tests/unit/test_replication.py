"""WAIT and WAITAOF without replicas: only time ends them."""

from tests.unit.conftest import ErrorText


def test_wait_gives_up_after_its_timeout(engine, clock, clients):
    waiting, other = clients(2)
    assert waiting('WAIT', 1, 500) == []
    assert list(engine.blocked) == [waiting.client]
    clock.advance(499)
    engine.run_timers()
    assert waiting.take() == []
    other('SET', 'a', 1)
    clock.advance(1)
    engine.run_timers()
    assert waiting.take() == [0]
    assert not engine.blocked


def test_waitaof_gives_up_after_its_timeout(engine, clock, client):
    assert client('WAITAOF', 0, 1, 500) == []
    clock.advance(500)
    engine.run_timers()
    assert client.take() == [[0, 0]]


def test_no_timeout_is_for_ever(engine, clock, client):
    client('WAIT', 1, 0)
    clock.advance(10**12)
    engine.run_timers()
    assert client.take() == []
    client.disconnect()
    assert not engine.blocked


def test_a_timeout_past_64_bits_is_refused(client):
    assert client('WAIT', 1, 2**63 - 1) == ErrorText('ERR timeout is out of range')
