"""An engine alone, with a clock turned by hand and clients that have no socket."""

from collections.abc import Callable, Iterable
from random import Random
from typing import Any

import pytest

import selredis.commands  # noqa: F401  (importing it fills the command table)
from selredis.clock import ManualClock
from selredis.config import Config
from selredis.engine.client import Client
from selredis.engine.engine import Engine
from selredis.resp.pieces import Output, buffers_of
from tests.harness.wire import Reply, as_bytes, parse


class FailingLog:
    """The engine reports only its own defects as exceptions: one that is logged fails the test."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def warning(self, text: str) -> None:
        self.lines.append(text)

    notice = verbose = debug = warning

    def defect(self, text: str, error: BaseException) -> None:
        raise AssertionError(text) from error


def as_sent(queued: Iterable[Output]) -> bytes:
    """What a driver makes of output: the bytes on the wire."""
    return b''.join(buffer for data in queued for buffer in buffers_of(data))


class Peer:
    """A client and what has been sent to it. Calling it runs a command and returns what that queued, decoded.

    One reply is returned as it is, several as a list of them, none as `[]`. Errors are `ErrorText`, simple strings
    `str`, nulls None, maps dicts, doubles floats.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.client = Client(engine)
        self.received: list[Any] = []

    def __call__(self, *words: bytes | str | int) -> Any:
        before = len(self.take())
        self.engine.run(self.client, [[as_bytes(word) for word in words]])
        settle(self.engine)
        fresh = self.take()[before:]
        return fresh[0] if len(fresh) == 1 else fresh

    def pipeline(self, *commands: str) -> None:
        """Several commands in one batch, words split at spaces."""
        self.engine.run(self.client, [command.encode().split() for command in commands])
        settle(self.engine)

    def take(self) -> list[Any]:
        """All that has been received so far, with what is queued now at its end."""
        data = as_sent(self.client.out)
        self.client.out.clear()
        at = 0
        while at < len(data):
            reply, at = parse(data, at)
            self.received.append(decode(reply))
        return self.received

    def disconnect(self) -> None:
        self.engine.forget(self.client)


class ErrorText(str):
    """An error reply."""

    __slots__ = ()


def decode(reply: Reply) -> Any:
    kind, value = reply.kind, reply.value
    if isinstance(value, list):
        items = [decode(item) for item in value]
        return dict(zip(items[::2], items[1::2], strict=True)) if kind == '%' else items
    if value is None:
        return None
    match kind:
        case '+':
            return value.decode()
        case '-':
            return ErrorText(value.decode())
        case ':' | '(':
            return int(value)
        case ',':
            return float(value)
        case '#':
            return value == b't'
        case _:
            return value


def settle(engine: Engine) -> None:
    """What a driver does with the engine's lists, without any I/O: flush, resume, close."""
    while engine.runnable:
        engine.runnable.pop(0).resume()
    if engine.tracking.changed:
        engine.tracking.broadcast()
    for client in engine.to_flush:
        client.queued = False
    engine.to_flush.clear()
    for client in engine.doomed:
        engine.forget(client)
    engine.doomed.clear()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(start_ms=1_700_000_000_000)


@pytest.fixture
def config() -> Config:
    config = Config()
    config.read_directive([b'enable-debug-command', b'yes'])
    return config


@pytest.fixture
def engine(clock: ManualClock, config: Config) -> Engine:
    return Engine(config, clock, Random(0), FailingLog())


@pytest.fixture
def clients(engine: Engine) -> Callable[[int], list[Peer]]:
    return lambda count: [Peer(engine) for _ in range(count)]


@pytest.fixture
def client(engine: Engine) -> Peer:
    return Peer(engine)
