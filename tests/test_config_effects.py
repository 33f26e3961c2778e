"""CONFIG SET of what the driver goes by takes effect at once. The loop is turned by hand, the clock stands still."""

import socket
from collections.abc import Callable, Iterator

import pytest

from selredis.clock import ManualClock
from selredis.config import Config
from selredis.engine.engine import Engine
from selredis.net.connection import Connection
from selredis.server import Server
from tests.harness.in_process import FailingLog
from tests.harness.wire import Reply, WireClient

TURNS = 10_000

Connect = Callable[[], WireClient]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def server(clock: ManualClock) -> Iterator[Server]:
    config = Config()
    config.read_directive([b'port', b'0'])
    config.read_directive([b'bind', b'127.0.0.1'])
    config.read_directive([b'enable-debug-command', b'yes'])
    server = Server(config, FailingLog('nothing'), clock)
    server.open()
    yield server
    server.close()


@pytest.fixture
def connect(server: Server) -> Iterator[Connect]:
    opened: list[WireClient] = []

    def connect() -> WireClient:
        opened.append(WireClient((server.host, server.port)))
        return opened[-1]

    yield connect
    for client in opened:
        client.close()


def turn(server: Server) -> None:
    server.loop.call_again()
    server.loop.turn()


def ask(server: Server, client: WireClient, *words: str | int) -> Reply:
    client.send_command(*words)
    for _ in range(TURNS):
        turn(server)
        replies = client.arrived()
        if replies:
            return replies[0]
    raise AssertionError(f'no reply to {words}')


def wait_until_closed(server: Server, client: WireClient) -> None:
    for _ in range(TURNS):
        turn(server)
        client.arrived()
        if client.closed:
            return
    raise AssertionError('it is still open')


def ticks(server: Server, clock: ManualClock, ms: int) -> int:
    """How often the cron ran within a span."""
    count = 0
    tick = Engine.tick

    def counted(engine: Engine) -> None:
        nonlocal count
        count += 1
        tick(engine)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Engine, 'tick', counted)
        for _ in range(ms):
            clock.advance(1)
            turn(server)
    return count


def test_hz(server: Server, connect: Connect, clock: ManualClock):
    client = connect()
    assert ask(server, client, 'CONFIG', 'SET', 'hz', 10).text == b'OK'
    assert 9 <= ticks(server, clock, 1000) <= 11
    assert ask(server, client, 'CONFIG', 'SET', 'hz', 100).text == b'OK'
    assert 90 <= ticks(server, clock, 1000) <= 101


def test_timeout(server: Server, connect: Connect, clock: ManualClock):
    idle, busy = connect(), connect()
    assert ask(server, idle, 'PING').text == b'PONG'
    clock.advance(3_600_000)
    assert ask(server, busy, 'PING').text == b'PONG'
    assert ask(server, idle, 'PING').text == b'PONG'
    assert ask(server, busy, 'CONFIG', 'SET', 'timeout', 10).text == b'OK'
    clock.advance(9_000)
    assert ask(server, busy, 'PING').text == b'PONG'
    assert not idle.closed
    clock.advance(2_000)
    wait_until_closed(server, idle)
    assert ask(server, busy, 'PING').text == b'PONG'


@pytest.mark.parametrize('jump_ms', [300 * 86_400_000, -300 * 86_400_000])
def test_timeout_is_about_time_that_has_passed(server: Server, connect: Connect, clock: ManualClock, jump_ms: int):
    idle, busy = connect(), connect()
    assert ask(server, idle, 'CONFIG', 'SET', 'timeout', 10).text == b'OK'
    turn(server)
    clock.set(clock.now_ms() + jump_ms)
    clock.advance(5_000)
    assert ask(server, busy, 'PING').text == b'PONG'
    assert len(server.engine.clients) == 2
    clock.advance(6_000)
    wait_until_closed(server, idle)
    assert ask(server, busy, 'PING').text == b'PONG'


def test_who_may_be_silent(server: Server, connect: Connect, clock: ManualClock):
    subscriber, monitor, waiting, held_back, idle = (connect() for _ in range(5))
    assert ask(server, subscriber, 'SUBSCRIBE', 'news').items[0].text == b'subscribe'
    assert ask(server, idle, 'CONFIG', 'SET', 'timeout', 10).text == b'OK'
    waiting.send_command('BLPOP', 'q', 0)
    assert ask(server, idle, 'CLIENT', 'PAUSE', 100_000, 'WRITE').text == b'OK'
    held_back.send_command('SET', 'k', 'v')
    while len(server.engine.blocked) < 2:
        turn(server)
    assert ask(server, monitor, 'MONITOR').text == b'OK'
    clock.advance(11_000)
    wait_until_closed(server, idle)
    assert len(server.engine.clients) == 4


def test_keepalive_of_newcomers(server: Server, connect: Connect):
    def asks_whether_it_is_there() -> int:
        client = connect()
        assert ask(server, client, 'PING').text == b'PONG'
        ours = max(server.table.all(), key=lambda connection: connection.id)
        assert isinstance(ours, Connection)
        return ours.sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)

    assert asks_whether_it_is_there()
    client = connect()
    assert ask(server, client, 'CONFIG', 'SET', 'tcp-keepalive', 0).text == b'OK'
    assert not asks_whether_it_is_there()


@pytest.mark.parametrize('seconds', [32_767, 32_768, 2**31 - 1])
def test_a_keepalive_longer_than_the_system_has_keeps_nobody_out(server: Server, connect: Connect, seconds: int):
    assert ask(server, connect(), 'CONFIG', 'SET', 'tcp-keepalive', seconds).text == b'OK'
    assert ask(server, connect(), 'PING').text == b'PONG'


def test_maxclients(server: Server, connect: Connect):
    client = connect()
    assert ask(server, client, 'CONFIG', 'SET', 'maxclients', 1).text == b'OK'
    assert ask(server, connect(), 'PING').text == b'ERR max number of clients reached'
    assert ask(server, client, 'CONFIG', 'SET', 'maxclients', 2).text == b'OK'
    assert ask(server, connect(), 'PING').text == b'PONG'


def test_query_limit_of_who_is_there(server: Server, connect: Connect):
    client = connect()
    assert ask(server, client, 'CONFIG', 'SET', 'client-query-buffer-limit', '1mb').text == b'OK'
    client.send(b'*2\r\n$4\r\nECHO\r\n$3000000\r\n')
    for _ in range(20):
        client.send(b'x' * 100_000)
        turn(server)
    wait_until_closed(server, client)


def test_output_limit_of_who_is_there(server: Server, connect: Connect):
    client, greedy = connect(), connect()
    assert ask(server, client, 'SET', 'large', 'x' * 1_000_000).text == b'OK'
    assert ask(server, greedy, 'PING').text == b'PONG'
    assert ask(server, client, 'CONFIG', 'SET', 'client-output-buffer-limit', 'normal 2mb 0 0').text == b'OK'
    greedy.send(b'GET large\r\n' * 30)
    for _ in range(TURNS):
        turn(server)
        if server.engine.stats.output_limit_disconnections:
            return
    raise AssertionError('it was not cut off')


def test_largest_argument(server: Server, connect: Connect):
    client = connect()
    assert ask(server, client, 'CONFIG', 'SET', 'proto-max-bulk-len', '1mb').text == b'OK'
    assert ask(server, client, 'ECHO', 'x' * 1_000_000).text == b'x' * 1_000_000
    client.send(b'*2\r\n$4\r\nECHO\r\n$1048577\r\n')
    wait_until_closed(server, client)


def test_cron_pauses(server: Server, connect: Connect, clock: ManualClock):
    client = connect()
    assert ask(server, client, 'DEBUG', 'PAUSE-CRON', 1).text == b'OK'
    assert ticks(server, clock, 1000) == 0
    assert ask(server, client, 'DEBUG', 'PAUSE-CRON', 0).text == b'OK'
    assert ticks(server, clock, 1000) >= 9
