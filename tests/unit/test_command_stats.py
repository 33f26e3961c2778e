"""What is counted and measured of commands, and who is told: INFO, LATENCY, SLOWLOG."""

import pytest

from selredis.engine.command import COMMANDS
from selredis.engine.command_stats import FINE_NS, LONGEST_NS, CommandStats


@pytest.fixture
def counted(engine):
    """A function: what is counted of a command, in INFO's words."""

    def of(name: str) -> tuple[int, int, int]:
        engine.stats.fold()
        container, _, rest = name.partition('|')
        command = COMMANDS[container.encode()]
        stats = engine.stats.of_commands[command.subcommands[rest.encode()] if rest else command]
        return stats.calls, stats.rejected, stats.failed

    return of


# Counting


def test_calls_in_every_position_of_a_pipeline(client, counted):
    client('GET', 'a')
    client.pipeline(
        'GET a', 'GET a', 'SET a b', 'GET a', 'LRANGE l 0 9', 'LRANGE l 0 9', 'get a', 'CLIENT ID', 'SET a b'
    )
    client.pipeline(*['GET a'] * 150)
    assert counted('get') == (155, 0, 0)
    assert counted('set') == (2, 0, 0)
    assert counted('lrange') == (2, 0, 0)
    assert counted('client|id') == (1, 0, 0)


def test_errors(client, counted):
    client('SET', 's', 'text')
    client('LPUSH', 's', 'x')
    client.pipeline('GET s', 'INCR s', 'INCR s', 'GET s')
    client('GET')
    client.pipeline('GET', 'GET a b')
    assert counted('lpush') == (1, 0, 1)
    assert counted('incr') == (2, 0, 2)
    assert counted('get') == (2, 3, 0)


def test_a_transaction_counts_what_it_runs(client, counted):
    client('SET', 's', 'text')
    client.pipeline('MULTI', 'GET s', 'LPUSH s x', 'EXEC')
    assert counted('multi') == counted('exec') == counted('get') == (1, 0, 0)
    assert counted('lpush') == (1, 0, 1)
    client.pipeline('MULTI', 'GET', 'EXEC')
    assert counted('exec') == (2, 0, 1)
    assert counted('get') == (1, 1, 0)


def test_who_waits_is_counted_once_when_it_is_over(clients, counted, engine, clock):
    waiting, pushing = clients(2)
    waiting('BLPOP', 'q', '0')
    assert COMMANDS[b'blpop'] not in engine.stats.of_commands
    pushing('RPUSH', 'q', 'x')
    assert counted('blpop') == (1, 0, 0)
    waiting('BLPOP', 'q', '1')
    clock.advance(1000)
    engine.run_timers()
    assert counted('blpop') == (2, 0, 0)
    waiting('BLPOP', 'q', '0')
    pushing('CLIENT', 'UNBLOCK', waiting.client.id, 'ERROR')
    assert counted('blpop') == (3, 0, 1)


def test_reset(client, engine):
    client.pipeline('GET a', 'SET a b', 'GET a')
    client('CONFIG', 'RESETSTAT')
    engine.stats.fold()
    assert [command.name for command in engine.stats.of_commands] == ['config|resetstat']


# Times


def test_a_long_call_is_measured(client, engine, clock):
    client.pipeline('GET a', 'CONFIG SET latency-tracking yes', 'GET a')
    client('CONFIG', 'SET', 'enable-debug-command', 'yes')
    engine.config.read_directive([b'enable-debug-command', b'yes'])
    client.pipeline('DEBUG SLEEP 0.25', 'GET a')
    stats = engine.stats.of_commands[COMMANDS[b'debug']]
    assert stats.microseconds == 250_000
    assert engine.stats.of_commands[COMMANDS[b'get']].microseconds == 0
    assert stats.percentiles([0, 50, 99, 100]) == [250_000] * 4


@pytest.mark.parametrize('ns', [0, 127, 1_000, FINE_NS - 1, FINE_NS, 12_345_678, LONGEST_NS])
def test_times_are_kept_to_two_digits(ns):
    stats = CommandStats()
    stats.add(1, ns)
    [found] = stats.percentiles([50])
    assert ns / 1000 * 0.9 <= found <= max(ns / 1000 * 1.01, 0.127 + ns / 1000)


def test_percentiles():
    stats = CommandStats()
    for us in range(1, 1001):
        stats.add(1, us * 1000)
    found = stats.percentiles([50, 99, 99.9, 100])
    assert found == pytest.approx([500, 990, 999, 1000], rel=0.03)
    assert stats.calls == 1000
    assert stats.microseconds == 500_500


def test_histogram_counts_up():
    stats = CommandStats()
    stats.add(3, 3 * 500)  # half a microsecond each
    stats.add(1, 1_500)
    stats.add(1, 40_000)
    stats.add(1, 3_000_000_000)
    assert stats.histogram() == {1: 3, 2: 4, 66: 5, 1082130: 6}


def test_calls_measured_together_share_their_time():
    stats = CommandStats()
    stats.add(10, 10_000)
    assert stats.percentiles([1, 100]) == [1.023, 1.023]
    assert stats.ns == 10_000


# INFO and LATENCY HISTOGRAM


def test_info(client):
    client('SET', 's', 'text')
    client('LPUSH', 's', 'x')
    client('CLIENT', 'ID')
    lines = client('INFO', 'commandstats').decode().split('\r\n')
    assert lines[0] == '# Commandstats'
    assert lines[1] == 'cmdstat_client|id:calls=1,usec=0,usec_per_call=0.00,rejected_calls=0,failed_calls=0'
    assert 'cmdstat_lpush:calls=1,usec=0,usec_per_call=0.00,rejected_calls=0,failed_calls=1' in lines
    lines = client('INFO', 'latencystats').decode().split('\r\n')
    assert 'latency_percentiles_usec_set:p50=0.127,p99=0.127,p99.9=0.127' in lines
    client('CONFIG', 'SET', 'latency-tracking-info-percentiles', '0 12.5 100')
    assert b'latency_percentiles_usec_set:p0=0.127,p12.5=0.127,p100=0.127\r\n' in client('INFO', 'latencystats')
    client('CONFIG', 'SET', 'latency-tracking', 'no')
    assert client('INFO', 'latencystats') == b'# Latencystats\r\n'


def test_latency_histogram(client):
    client('CONFIG', 'RESETSTAT')
    client('SET', 'a', 'b')
    client('CLIENT', 'ID')
    one = [b'calls', 1, b'histogram_usec', [1, 1]]
    assert client('LATENCY', 'HISTOGRAM', 'set', 'nope', 'get') == [b'set', one]
    assert client('LATENCY', 'HISTOGRAM', 'client') == [b'client|id', one]
    assert client('LATENCY', 'HISTOGRAM', 'client|id') == [b'client|id', one]
    named = client('LATENCY', 'HISTOGRAM')[::2]
    assert sorted(named) == [b'client|id', b'config|resetstat', b'latency|histogram', b'set']


# SLOWLOG


@pytest.fixture
def sleepy(client, engine):
    """A client that may say DEBUG."""
    engine.config.read_directive([b'enable-debug-command', b'yes'])
    return client


def test_slow_calls_are_kept(sleepy, engine):
    sleepy('CLIENT', 'SETNAME', 'me')
    sleepy.client.addr = b'127.0.0.1:9'
    sleepy('DEBUG', 'SLEEP', '0.0099')
    assert sleepy('SLOWLOG', 'LEN') == 0
    sleepy('DEBUG', 'SLEEP', '0.01')
    at_s = engine.now_ms // 1000
    sleepy('DEBUG', 'SLEEP', '0.5')
    later, earlier = sleepy('SLOWLOG', 'GET')
    assert earlier == [0, at_s, 10_000, [b'DEBUG', b'SLEEP', b'0.01'], b'127.0.0.1:9', b'me']
    assert (later[0], later[2]) == (1, 500_000)
    assert sleepy('SLOWLOG', 'GET', '1') == [later]
    assert sleepy('SLOWLOG', 'GET', '-1') == [later, earlier]
    assert sleepy('SLOWLOG', 'GET', '0') == []
    assert sleepy('SLOWLOG', 'RESET') == 'OK'
    assert sleepy('SLOWLOG', 'LEN') == 0


def test_all_calls_are_kept_if_none_is_fast_enough(client):
    client('CONFIG', 'SET', 'slowlog-log-slower-than', '0')
    client('SLOWLOG', 'RESET')
    client.pipeline('GET a', 'GET b', 'SET a b', 'MULTI', 'GET c', 'EXEC', 'NOPE', 'GET')
    words = [entry[3] for entry in client('SLOWLOG', 'GET', '-1')]
    said = ['SLOWLOG RESET', 'GET a', 'GET b', 'SET a b', 'MULTI', 'GET c']  # nothing of EXEC itself
    assert words == [line.encode().split() for line in reversed(said)]
    client('CONFIG', 'SET', 'slowlog-log-slower-than', '-1')
    client('SLOWLOG', 'RESET')
    client.pipeline('GET a', 'GET b')
    assert client('SLOWLOG', 'LEN') == 0


def test_a_long_call_among_brief_ones_is_kept(client, clock, monkeypatch):
    client('ZADD', 'z', *(word for number in range(400) for word in (str(number), f'member:{number}')))
    zrange = COMMANDS[b'zrange'].handler

    def slow_zrange(caller, argv):
        clock.advance(20 if argv[3] == b'-1' else 0)
        return zrange(caller, argv)

    monkeypatch.setattr(COMMANDS[b'zrange'], 'handler', slow_zrange)
    client.pipeline('ZCARD z', 'ZRANGE z 0 1', 'ZRANGE z 0 -1', 'ZRANGE z 0 1', 'ZRANGE z 1 -1', 'ZCARD z')
    client.pipeline('ZRANGE z 0 1', 'ZRANGE z 2 -1', 'ZRANGE z 0 399')
    kept = [entry[2:4] for entry in client('SLOWLOG', 'GET')]
    assert kept == [[20_000, [b'ZRANGE', b'z', start, b'-1']] for start in (b'2', b'1', b'0')]


def test_entries_are_short_and_few(client):
    client('CONFIG', 'SET', 'slowlog-log-slower-than', '0', 'slowlog-max-len', '2')
    client('RPUSH', 'l', *map(str, range(31)))
    client('SET', 'a', 'x' * 129)
    large, many = client('SLOWLOG', 'GET')
    assert large[3] == [b'SET', b'a', b'x' * 128 + b'... (1 more bytes)']
    assert len(many[3]) == 32
    assert many[3][-1] == b'... (2 more arguments)'


def test_passwords_are_not_kept(client):
    client('CONFIG', 'SET', 'slowlog-log-slower-than', '0')
    client('SLOWLOG', 'RESET')
    client('CONFIG', 'SET', 'requirepass', 'hunter2', 'timeout', '0')
    client('AUTH', 'hunter2')
    client('AUTH', 'default', 'hunter2')
    client('HELLO', '3', 'AUTH', 'default', 'hunter2', 'SETNAME', 'me')
    client('CONFIG', 'SET', 'REQUIREPASS', '')
    hidden = b'(redacted)'
    assert [entry[3] for entry in client('SLOWLOG', 'GET')][:5] == [
        [b'CONFIG', b'SET', b'REQUIREPASS', hidden],
        [b'HELLO', b'3', b'AUTH', hidden, hidden, b'SETNAME', b'me'],
        [b'AUTH', hidden, hidden],
        [b'AUTH', hidden],
        [b'CONFIG', b'SET', b'requirepass', hidden, b'timeout', b'0'],
    ]


# The latency monitor


def test_latency_events(sleepy, engine, clock):
    sleepy('DEBUG', 'SLEEP', '0.2')
    assert sleepy('LATENCY', 'LATEST') == []
    assert b'latency-monitor-threshold' in sleepy('LATENCY', 'DOCTOR')
    sleepy('CONFIG', 'SET', 'latency-monitor-threshold', '100')
    assert sleepy('LATENCY', 'DOCTOR') == b'No latency spike was observed so far.\n'
    sleepy('DEBUG', 'SLEEP', '0.099')
    assert sleepy('LATENCY', 'LATEST') == []
    times = []
    for ms in (300, 500, 400):
        clock.advance(-clock.now_ms() % 1000)  # so that each has a second of its own
        sleepy('DEBUG', 'SLEEP', str(ms / 1000))
        times.append([engine.now_ms // 1000, ms])
    sleepy('DEBUG', 'SLEEP', '0.1')
    assert sleepy('LATENCY', 'HISTORY', 'command') == times
    assert sleepy('LATENCY', 'LATEST') == [[b'command', *times[-1], 500]]
    doctor = sleepy('LATENCY', 'DOCTOR').decode()
    assert '1. command: 3 latency spikes (average 400ms, mean deviation 66ms, period 0.67 sec). Worst' in doctor
    assert sleepy('LATENCY', 'HISTORY', 'nope') == []
    assert sleepy('LATENCY', 'RESET', 'nope') == 0
    assert sleepy('LATENCY', 'RESET', 'COMMAND') == 1
    assert sleepy('LATENCY', 'LATEST') == []


def test_expiry_that_takes_long_is_an_event(client, engine, clock):
    client('CONFIG', 'SET', 'latency-monitor-threshold', '1')
    engine.latency.note(b'expire-cycle', 7, 0)
    engine.latency.note(b'expire-cycle', 7, 1)
    engine.latency.note(b'expire-cycle', 7, 3)
    engine.latency.note(b'expire-cycle', 7, 2)
    assert client('LATENCY', 'LATEST') == [[b'expire-cycle', 7, 3, 3]]
    assert client('LATENCY', 'RESET') == 1


def test_graph(client, engine, clock):
    engine.latency.threshold_ms = 1
    now_s = engine.now_ms // 1000
    for ago_s, ms in ((200_000, 10), (7_300, 20), (130, 35), (59, 40), (0, 25)):
        engine.latency.note(b'command', now_s - ago_s, ms)
    assert client('LATENCY', 'GRAPH', 'command').decode().split('\n') == [
        'command - high 40 ms, low 10 ms (all time high 40 ms)',
        '-' * 80,
        '  o# ',
        '  ||_',
        ' o|||',
        '_||||',
        '     ',
        '22250',
        'dhm9s',
        '   s ',
        '',
    ]
    assert client('LATENCY', 'GRAPH', 'nope') == "ERR No samples available for event 'nope'"
