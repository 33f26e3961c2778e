"""Fixtures: the reference server, a selredis server, and the programs of Debian that tests need."""

import os
import shutil
from collections.abc import Callable, Iterator

import pytest

from tests.harness.certificates import Certificates
from tests.harness.servers import ReferenceServer, SelredisServer

PACKAGES = {
    'redis-server': 'redis-server',
    'redis-cli': 'redis-tools',
    'redis-benchmark': 'redis-tools',
    'openssl': 'openssl',
}


def program(name: str) -> str:
    """The path of a program of one of Debian's packages; without it the test is skipped, or fails where CI=true."""
    path = shutil.which(name)
    if path is not None:
        return path
    reason = f'needs {name}: install the Debian package {PACKAGES[name]}'
    if os.environ.get('CI') == 'true':
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope='session')
def redis_cli() -> str:
    """The path of redis-cli."""
    return program('redis-cli')


@pytest.fixture(scope='session')
def redis_benchmark() -> str:
    return program('redis-benchmark')


@pytest.fixture(scope='session')
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Certificates of an authority of the tests' own; add to them, and leave those that are there."""
    return Certificates(program('openssl'), tmp_path_factory.mktemp('certificates'))


@pytest.fixture(scope='session')
def reference() -> Iterator[ReferenceServer]:
    """redis-server 7.0.15, shared: leave its parameters as they were."""
    program('redis-server')
    with ReferenceServer() as server:
        yield server


@pytest.fixture(scope='session')
def selredis_server() -> Iterator[SelredisServer]:
    """A selredis server, shared: leave its parameters as they were."""
    with SelredisServer() as server:
        yield server


@pytest.fixture
def start_selredis() -> Iterator[Callable[..., SelredisServer]]:
    """A function that starts a server of the test's own, options as on the command line; it ends with the test."""
    servers: list[SelredisServer] = []

    def start(*options: str) -> SelredisServer:
        servers.append(SelredisServer(*options))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()
