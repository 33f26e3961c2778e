"""TIME, SHUTDOWN, LOLWUT."""

import pytest


def test_time_is_the_clock_s(client, clock):
    clock.advance(1_234.567)
    seconds, microseconds = client('TIME')
    assert int(seconds) * 1_000_000 + int(microseconds) == clock.now_us() == 1_700_000_001_234_567


def test_time_is_told_to_the_microsecond(client, clock):
    clock.advance(0.007)
    assert client('TIME') == [b'1700000000', b'7']


@pytest.mark.parametrize('options', [[], ['NOSAVE'], ['now', 'force'], ['SAVE', 'FORCE']])
def test_shutdown_ends_the_server_without_a_word(client, engine, options):
    assert client('SHUTDOWN', *options) == []
    assert engine.shutdown_requested
    assert client.client.doomed


def test_nothing_runs_behind_shutdown(clients, engine):
    first, other = clients(2)
    engine.run(first.client, [[b'SET', b'a', b'1'], [b'SHUTDOWN'], [b'SET', b'b', b'1']])
    engine.run(other.client, [[b'SET', b'c', b'1']])
    assert list(engine.keyspace.databases[0].values) == [b'a']
    assert first.take() == ['OK']
    assert other.take() == []


def test_who_is_served_by_the_last_pipeline_runs_nothing_more(clients, engine):
    waiting, last = clients(2)
    waiting.pipeline('BLPOP q 0', 'SET b 1')
    engine.run(last.client, [[b'RPUSH', b'q', b'x'], [b'SHUTDOWN']])
    for client in engine.runnable:
        client.resume()
    assert waiting.take() == [[b'q', b'x']]
    assert b'b' not in engine.keyspace.databases[0].values


def test_shutdown_save_fails_as_nothing_can_be_saved(client, engine):
    assert client('SHUTDOWN', 'SAVE') == 'ERR Errors trying to SHUTDOWN. Check logs.'
    assert not engine.shutdown_requested
    assert any('nothing can be saved' in line for line in engine.log.lines)
    assert client('PING') == 'PONG'


def test_shutdown_abort_has_nothing_to_abort(client, engine):
    assert client('SHUTDOWN', 'ABORT') == 'ERR No shutdown in progress.'
    assert not engine.shutdown_requested


def test_lolwut_draws_something_else_each_time(client):
    one, other = client('LOLWUT').decode(), client('LOLWUT').decode()
    assert one.endswith('\n\nRedis ver. 7.2.4\n')
    assert one != other
    picture = one.split('\n\n')[0].split('\n')
    assert {len(line) for line in picture} == {66}
    assert len(picture) == 12


def test_lolwut_looks_the_same_in_every_version(client):
    assert client('LOLWUT', 'VERSION', '5').endswith(b'Redis ver. 7.2.4\n')
    assert client('LOLWUT', 'VERSION', 'x') == 'ERR value is not an integer or out of range'
    assert client('LOLWUT', 'VERSION').endswith(b'Redis ver. 7.2.4\n')
