"""A wall clock that is set, be it to a time that no calendar has: nothing fails, and durations stay right."""

import selectors
import socket
from random import Random

import pytest

from selredis.clock import ManualClock
from selredis.engine.command import COMMANDS
from selredis.engine.engine import Engine
from selredis.engine.executor import SLICE_MS, STREAK_COMMANDS
from selredis.net.loop import MAX_WAIT_SECONDS, Loop
from tests.unit.conftest import ErrorText, FailingLog, Peer

NOW_MS = 1_700_000_000_000
DAY_MS = 86_400_000
JUMPS_MS = [300 * DAY_MS, -300 * DAY_MS, 60_000, -60_000]
# Year 9999, the last of 64 bits in ns and in ms, the epoch, before it, and the first in ns and ms.
TIMES_MS = [253_402_300_799_999, 9_223_372_036_854, (1 << 63) - 1, 0, 1, -1, -9_223_372_036_855, -(1 << 63)]

PROGRAM = """
SET a 1
SET b 1 EX 100
SET c 1 PXAT 5
GETEX a EX 10
EXPIRE a 100
PEXPIRE a 100 GT
EXPIREAT a 1
TTL b
PTTL b
EXPIRETIME b
PERSIST b
OBJECT IDLETIME b
DEBUG OBJECT b
SCAN 0
RANDOMKEY
HSET h f v g w
HEXPIRE h 100 FIELDS 1 f
HPEXPIREAT h 5 FIELDS 1 g
HTTL h FIELDS 2 f g
HGETALL h
HSCAN h 0
RPUSH l a b
BLPOP l 1
BLMPOP 1 1 l LEFT
BZPOPMIN z 0.01
XADD x * f v
XADD x * f v
XADD x MAXLEN ~ 5 * f v
XRANGE x - +
XGROUP CREATE x g 0
XREADGROUP GROUP g c STREAMS x >
XPENDING x g
XPENDING x g IDLE 0 - + 10
XAUTOCLAIM x g d 0 0
XCLAIM x g c 0 1-1 IDLE 5 TIME 7
XINFO STREAM x FULL
XINFO CONSUMERS x g
XREAD BLOCK 1 STREAMS x $
INFO everything
TIME
LASTSAVE
CLIENT LIST
CLIENT INFO
CLIENT KILL MAXAGE 1000000 SKIPME yes
CLIENT PAUSE 1 WRITE
CLIENT UNPAUSE
SLOWLOG GET -1
LATENCY LATEST
LATENCY HISTORY command
LATENCY DOCTOR
LATENCY GRAPH expire-cycle
LATENCY HISTOGRAM
MEMORY STATS
MEMORY DOCTOR
DEBUG SLEEP 0.001
DEBUG DIGEST
MULTI
SET a 1 PX 5
PTTL a
EXEC
SORT l ALPHA
COPY b e
RENAME e d
WAIT 1 1
NOSUCHCOMMAND
"""


def run_program(peer: Peer, clock: ManualClock) -> list[object]:
    """Run every command that has to do with time, and let what waits go on."""
    replies = []
    for line in PROGRAM.split('\n')[1:-1]:
        reply = peer(*line.split())
        if peer.client.wait is not None:
            peer('CLIENT', 'UNBLOCK', peer.client.id)
            clock.advance(1000)
            peer.engine.run_timers()
            for client in peer.engine.runnable:
                client.resume()
            peer.engine.runnable.clear()
        peer.engine.tick()
        peer.engine.expire_some()
        replies.append(reply)
    return replies


def texts(reply: object) -> list[str]:
    return [text for each in reply for text in texts(each)] if isinstance(reply, list) else [str(reply)]


@pytest.mark.parametrize('policy', ['noeviction', 'allkeys-lru', 'volatile-lfu'])
@pytest.mark.parametrize('set_ms', TIMES_MS)
def test_no_command_fails_at_any_time(engine, clock, clients, set_ms, policy):
    peer, monitor = clients(2)
    peer('CONFIG', 'SET', 'maxmemory-policy', policy, 'maxmemory', '100mb')
    peer('CONFIG', 'SET', 'slowlog-log-slower-than', '0', 'latency-monitor-threshold', '1')
    monitor('MONITOR')
    run_program(peer, clock)  # so that there is something of another time
    clock.set(set_ms)
    assert not any('internal error' in text for text in texts(run_program(peer, clock)))
    clock.set(NOW_MS)
    assert not any('internal error' in text for text in texts(run_program(peer, clock)))


@pytest.mark.parametrize('set_ms', TIMES_MS)
def test_a_server_may_start_at_any_time(config, set_ms):
    clock = ManualClock(set_ms)
    peer = Peer(Engine(config, clock, Random(0), FailingLog()))
    assert not any('internal error' in text for text in texts(run_program(peer, clock)))


def info(peer: Peer, name: str) -> int:
    text = peer('INFO', 'everything').decode()
    return int(text.partition(f'{name}:')[2].partition('\r')[0])


def told(peer: Peer, name: str) -> int:
    text = peer('CLIENT', 'LIST', 'ID', peer.client.id).decode()
    return int(text.partition(f' {name}=')[2].partition(' ')[0])


@pytest.mark.parametrize('jump_ms', JUMPS_MS)
def test_uptime_is_how_long_the_server_has_run(engine, clock, client, jump_ms):
    clock.advance(5_000)
    clock.set(NOW_MS + jump_ms)
    assert info(client, 'uptime_in_seconds') == 5
    assert info(client, 'uptime_in_days') == 0
    assert info(client, 'server_time_usec') == (NOW_MS + jump_ms) * 1000


@pytest.mark.parametrize('jump_ms', JUMPS_MS)
def test_age_and_idle_time_of_clients_do_not_follow_the_wall_clock(engine, clock, clients, jump_ms):
    client, other = clients(2)
    other('PING')
    engine.tick()
    clock.advance(5_000)
    engine.tick()
    clock.set(clock.now_ms() + jump_ms)
    client('PING')
    clock.advance(100)
    engine.tick()
    clock.advance(900)
    text = client('CLIENT', 'LIST', 'ID', other.client.id).decode()
    assert ' age=6 ' in text
    assert ' idle=6 ' in text or ' idle=5 ' in text
    assert engine.now_ms - client.client.last_active_ms == 0
    assert client('CLIENT', 'KILL', 'MAXAGE', '7', 'SKIPME', 'no') == 0


@pytest.mark.parametrize('jump_ms', JUMPS_MS)
def test_who_was_active_since_the_wall_clock_was_set_is_not_idle(engine, clock, client, jump_ms):
    engine.tick()
    clock.set(clock.now_ms() + jump_ms)
    clock.advance(10)
    client('PING')
    clock.advance(50)
    engine.tick()
    assert engine.now_ms - client.client.last_active_ms == 50


def test_idle_time_is_never_negative(clock, clients):
    client, other = clients(2)
    other('PING')
    clock.set(NOW_MS - DAY_MS)
    assert b' idle=0 ' in client('CLIENT', 'LIST', 'ID', other.client.id)


def slow_handler(monkeypatch, name: str, act) -> None:
    handler = COMMANDS[name.encode()].handler

    def acting(client, argv):
        act()
        return handler(client, argv)

    monkeypatch.setattr(COMMANDS[name.encode()], 'handler', acting)


@pytest.mark.parametrize('jump_ms', JUMPS_MS)
@pytest.mark.parametrize('took_ms', [0, 3, 25])
@pytest.mark.parametrize('pipelined', [False, True])
def test_a_call_during_which_the_wall_clock_is_set_took_as_long_as_it_did(
    engine, clock, client, monkeypatch, jump_ms, took_ms, pipelined
):
    client('CONFIG', 'SET', 'slowlog-log-slower-than', '2000', 'latency-monitor-threshold', '2')
    engine.tick()

    def act() -> None:
        clock.advance(took_ms)
        clock.set(clock.now_ms() + jump_ms)

    slow_handler(monkeypatch, 'KEYS', act)
    clock.advance(50)
    client.pipeline('ECHO x', 'KEYS *', 'ECHO y') if pipelined else client('KEYS', '*')
    client.take()
    calls = [entry for entry in engine.slowlog.newest(10) if entry.argv[0] == b'KEYS']
    assert [entry.taken_us for entry in calls] == ([took_ms * 1000] if took_ms >= 2 else [])
    assert [event.worst_ms for event in engine.latency.events.values()] == ([took_ms] if took_ms >= 2 else [])
    assert engine.stats.of_commands[COMMANDS[b'KEYS']].microseconds == took_ms * 1000


def test_a_slow_call_after_the_wall_clock_was_set_took_as_long_as_it_did(engine, clock, client, monkeypatch):
    client('CONFIG', 'SET', 'slowlog-log-slower-than', '2000')
    slow_handler(monkeypatch, 'KEYS', lambda: clock.advance(30))
    engine.tick()
    clock.set(NOW_MS + DAY_MS)
    client('KEYS', '*')
    engine.tick()
    client('KEYS', '*')
    assert [entry.taken_us for entry in engine.slowlog.newest(10)] == [30_000, 30_000]


def test_a_pipeline_yields_when_the_wall_clock_was_set_back(engine, clock, client, monkeypatch):
    slow_handler(monkeypatch, 'INCR', lambda: clock.advance(SLICE_MS))
    slow_handler(monkeypatch, 'DECR', lambda: clock.set(clock.now_ms() - DAY_MS))
    engine.run(client.client, [[b'DECR', b'n'], *[[b'INCR', b'n']] * 5000])
    assert client.client.gave_way
    assert len(client.client.pending) >= 5001 - STREAK_COMMANDS


@pytest.mark.parametrize('jump_ms', JUMPS_MS)
def test_the_least_recently_used_key_is_the_same_whatever_the_wall_clock_shows(engine, clock, client, jump_ms):
    client('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru', 'maxmemory', '100mb')
    client('SET', 'old', '1')
    clock.advance(20_000)
    client('SET', 'middle', '1')
    engine.tick()
    clock.set(clock.now_ms() + jump_ms)
    engine.tick()
    clock.advance(20_000)
    client('SET', 'new', '1')
    clock.advance(20_000)
    engine.tick()
    assert [client('OBJECT', 'IDLETIME', key) for key in ('old', 'middle', 'new')] == [60, 40, 20]


@pytest.mark.parametrize('jump_ms', JUMPS_MS)
def test_a_counter_of_uses_decays_by_minutes_that_have_passed(engine, clock, client, jump_ms):
    client('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lfu', 'maxmemory', '100mb')
    client('SET', 'k', '1')
    before = client('OBJECT', 'FREQ', 'k')
    engine.tick()
    clock.set(clock.now_ms() + jump_ms)
    engine.tick()
    assert before - 1 <= client('OBJECT', 'FREQ', 'k') <= before


def test_a_consumer_that_was_active_later_than_now_has_been_inactive_for_no_time(clock, client):
    client('XADD', 'x', '*', 'f', 'v')
    client('XGROUP', 'CREATE', 'x', 'g', '0')
    client('XREADGROUP', 'GROUP', 'g', 'me', 'STREAMS', 'x', '>')
    clock.set(NOW_MS - 1)
    ((*_, inactive),) = client('XINFO', 'CONSUMERS', 'x', 'g')
    assert inactive == 0


def test_entries_of_a_stream_go_on_when_the_clock_was_set_back(clock, client):
    first = client('XADD', 'x', '*', 'f', 'v')
    clock.set(NOW_MS - DAY_MS)
    assert client('XADD', 'x', '*', 'f', 'v') == first.replace(b'-0', b'-1')


def test_debug_sleep_takes_any_number(clock, client):
    for seconds in ('1e99', '-1e99', '99999999999999999999'):
        assert not isinstance(client('DEBUG', 'SLEEP', seconds), ErrorText)


@pytest.mark.parametrize('deadline_ms', [MAX_WAIT_SECONDS * 1000 + 1, 300 * DAY_MS, (1 << 63) - 1, 1 << 100])
def test_a_timer_far_ahead_is_waited_for_in_parts(engine, clock, monkeypatch, deadline_ms):
    def fail(fd: int, error: Exception) -> None:
        raise AssertionError(fd) from error

    waits: list[float | None] = []
    loop = Loop(clock, engine.timers, fail, engine.stats)
    select = loop.selector.select

    def select_at_once(timeout: float | None) -> list[tuple[selectors.SelectorKey, int]]:
        waits.append(timeout)
        one.send(b'x')  # so that there is something to wait for, and the system's own limits apply
        return select(timeout)

    one, other = socket.socketpair()
    loop.add_reader(other.fileno(), lambda: other.recv(10))
    monkeypatch.setattr(loop.selector, 'select', select_at_once)
    try:
        engine.timers.call_at(int(deadline_ms), lambda: None)
        loop.turn()
        loop.turn()
    finally:
        one.close()
        other.close()
        loop.close()
    assert waits == [MAX_WAIT_SECONDS] * 2
