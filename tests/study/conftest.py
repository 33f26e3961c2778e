"""Fixtures: each driver of the study in turn, its servers, and clients of them that leave nothing behind."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.harness.servers import SelredisServer
from tests.harness.wire import Address, WireClient
from tests.study.waits import wait_until
from tools.study.contestants import CONTESTANTS, Startable

DRIVERS = [startable for startable in CONTESTANTS if startable.kind == 'driver']
DEFECTS = re.compile(r'Traceback|was never|callback failed|[Ff]atal error|[Uu]nhandled|\w+Error\b')


def start_driver(driver: Startable, *options: str) -> SelredisServer:
    return SelredisServer(*options, argv=[word.format(port=0) for word in driver.argv])


def check_log(server: SelredisServer) -> None:
    """AssertionError if a driver has met what it did not expect."""
    assert not [line for line in server.log if DEFECTS.search(line)], '\n'.join(server.log)


def open_descriptors(server: SelredisServer) -> int:
    """How many the server has; 0 where the system does not tell."""
    directory = Path(f'/proc/{server.pid}/fd')
    return len(list(directory.iterdir())) if directory.exists() else 0


class Guests:
    """Clients of one server, and `control`, which sees whether they have left anything behind."""

    def __init__(self, server: SelredisServer) -> None:
        self.server = server
        self.opened: list[WireClient] = []
        self.control = WireClient(server.address)
        self.control('FLUSHALL')
        self.descriptors = open_descriptors(server)

    def __call__(self, protocol: int = 2, address: Address | None = None) -> WireClient:
        """A client that is connected; its first reply has come."""
        client = WireClient(address or self.server.address, 3 if protocol == 3 else 2)
        self.opened.append(client)
        client('PING')
        return client

    def adopt(self, client: WireClient) -> WireClient:
        self.opened.append(client)
        return client

    def leave(self) -> None:
        """AssertionError if the server then has more clients or descriptors than before any came."""
        for client in self.opened:
            client.close()
        control = self.control
        with control:
            wait_until(lambda: b'connected_clients:1\r\n' in control('INFO', 'clients').text)
            wait_until(lambda: open_descriptors(self.server) <= self.descriptors)
            assert control('CLIENT', 'LIST').text.count(b'\n') == 1


@pytest.fixture(scope='module', params=DRIVERS, ids=lambda driver: driver.id)
def driver(request: pytest.FixtureRequest) -> Startable:
    startable: Startable = request.param
    if startable.missing:
        if os.environ.get('CI') == 'true':
            pytest.fail(startable.missing, pytrace=False)
        pytest.skip(startable.missing)
    return startable


@pytest.fixture(scope='module')
def server(driver: Startable) -> Iterator[SelredisServer]:
    """The driver's server that a file's tests share: they leave no key, no client and no parameter behind."""
    with start_driver(driver) as server:
        yield server
        check_log(server)


@pytest.fixture
def guests(server: SelredisServer) -> Iterator[Guests]:
    """Opens clients of the shared server, on an empty keyspace."""
    guests = Guests(server)
    yield guests
    guests.leave()
    check_log(server)


@pytest.fixture
def start(driver: Startable) -> Iterator[Callable[..., SelredisServer]]:
    """A function that starts a server of the test's own, options as on the command line."""
    servers: list[SelredisServer] = []

    def start(*options: str) -> SelredisServer:
        servers.append(start_driver(driver, *options))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()
        check_log(server)
