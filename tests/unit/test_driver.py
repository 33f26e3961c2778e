"""What a driver does between turns when something of it fails."""

from collections.abc import Iterator

import pytest

from selredis.clock import ManualClock
from selredis.config import Config
from selredis.driver import DEFECT_PAUSE_MS, Driver, origin_of
from selredis.engine.client import Client
from selredis.engine.engine import Engine
from selredis.log import Log
from selredis.net.listener import ListenError
from selredis.server import Server


class Defects(Log):
    def __init__(self) -> None:
        super().__init__('nothing')
        self.told: list[str] = []

    def defect(self, text: str, error: BaseException) -> None:
        self.told.append(str(error))


@pytest.fixture
def log() -> Defects:
    return Defects()


@pytest.fixture
def server(config: Config, log: Defects, clock: ManualClock) -> Iterator[Server]:
    server = Server(config, log, clock)
    yield server
    server.close()


def fail(*_: object) -> None:
    raise RuntimeError('a defect')


@pytest.mark.parametrize(
    ('what', 'has_to_do'),
    [('resume', 'runnable'), ('flush', 'to_flush'), ('close_doomed', 'doomed')],
)
def test_what_fails_between_turns_does_not_end_the_server(what, has_to_do, server, log, clock, monkeypatch):
    monkeypatch.setattr(server, what, fail)
    getattr(server.engine, has_to_do).append(None)
    for _ in range(3):
        server.before_sleep()
    assert log.told == ['a defect']
    clock.advance(DEFECT_PAUSE_MS)
    server.before_sleep()
    assert log.told == ['a defect'] * 2
    server.engine.shutdown_requested = True
    server.before_sleep()
    assert server.stopping


def test_an_end_that_fails_is_an_end_all_the_same(server, log, monkeypatch):
    monkeypatch.setattr(server, 'close_listeners', fail)
    server.engine.shutdown_requested = True
    server.loop.run()
    assert log.told == ['a defect']
    monkeypatch.undo()


def test_a_driver_without_tls_says_so(server, config, monkeypatch):
    monkeypatch.setattr(Server, 'prepare_tls', Driver.prepare_tls)
    config.read_directive([b'tls-port', b'1'])
    with pytest.raises(ListenError, match=r'^Failed to configure TLS\. Check logs for more info\.$'):
        server.open()


@pytest.mark.parametrize(
    ('host', 'local'),
    [('127.0.0.1', True), ('127.1.2.3', True), ('10.0.0.1', False), ('128.0.0.1', False)],
)
def test_where_a_newcomer_comes_from(host, local):
    class Socket:
        family = 2

        def getsockname(self) -> tuple[str, int]:
            return '10.0.0.7', 6379

    assert origin_of(Socket(), (host, 1234)) == (f'{host}:1234'.encode(), b'10.0.0.7:6379', local)  # type: ignore[arg-type]


def test_the_time_of_cron_and_of_more_expiry_is_counted(server, clock, monkeypatch):
    slices = [True, False]

    def expire(_: Engine) -> bool:
        clock.advance(2)
        return slices.pop(0)

    monkeypatch.setattr(Engine, 'expire_some', expire)
    server.cron()
    assert server.engine.stats.cron_ns == 2_000_000
    server.before_sleep()
    server.before_sleep()
    assert server.engine.stats.cron_ns == 4_000_000


def test_the_most_commands_of_a_turn_are_counted(server):
    client = Client(server.engine)
    for count in (1, 3, 2):
        server.engine.run(client, [[b'PING']] * count)
        server.before_sleep()
    server.before_sleep()
    assert server.engine.stats.most_commands_a_turn == 3
