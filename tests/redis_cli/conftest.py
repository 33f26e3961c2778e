"""Fixtures: a server a module, and redis-cli's ways to talk to it, and to the reference."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.redis_cli import SECONDS, Compare, Follow, Follower, Run, Terminal, Terminals
from tests.harness.servers import ReferenceServer, SelredisServer
from tests.harness.wire import WireClient


@pytest.fixture(scope='module')
def server() -> Iterator[SelredisServer]:
    with SelredisServer() as server:
        yield server


@pytest.fixture
def client(server: SelredisServer) -> Iterator[WireClient]:
    """A connection to the server, which is empty then."""
    with WireClient(server.address) as client:
        client('FLUSHALL')
        yield client


@pytest.fixture
def at(redis_cli: str, server: SelredisServer, client: WireClient) -> list[str]:
    """redis-cli and where the server is."""
    return [redis_cli, '-h', server.host, '-p', str(server.port)]


def run_cli(command: list[str], stdin: bytes, code: int) -> str:
    """Run a redis-cli to its end; returns what it printed."""
    ended = subprocess.run(
        command, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS, check=False
    )
    assert ended.returncode == code, ended.stdout
    return ended.stdout.decode('utf-8', 'backslashreplace')


@pytest.fixture
def run(at: list[str]) -> Run:
    """Runs redis-cli with these arguments to its end, and returns what it printed."""

    def run(*arguments: str, stdin: bytes = b'', code: int = 0) -> str:
        return run_cli([*at, *arguments], stdin, code)

    return run


@pytest.fixture
def at_reference(redis_cli: str, reference: ReferenceServer) -> list[str]:
    """redis-cli and where redis-server is, which is empty then."""
    with WireClient(reference.address) as client:
        client('FLUSHALL')
    return [redis_cli, '-s', reference.address]


@pytest.fixture
def compare(at: list[str], at_reference: list[str]) -> Compare:
    """Runs redis-cli with these arguments against both servers; AssertionError if it does not print the same.

    What `masked` matches may differ, and what comes before `below`, or the order of the lines. Returns what was printed
    with selredis.
    """

    def compare(
        *arguments: str, stdin: bytes = b'', code: int = 0, masked: str = '', below: str = '', ordered: bool = True
    ) -> str:
        printed = [run_cli([*command, *arguments], stdin, code) for command in (at, at_reference)]
        texts = [text[text.index(below) :] for text in printed]
        if masked:
            texts = [re.sub(masked, '...', text) for text in texts]
        ours, theirs = (text.splitlines() if ordered else sorted(text.splitlines()) for text in texts)
        assert ours == theirs
        return printed[0]

    return compare


@pytest.fixture
def follow(at: list[str]) -> Iterator[Follow]:
    """Starts a redis-cli that goes on printing; `at` unless told otherwise."""
    started: list[Follower] = []

    def follow(*arguments: str, command: list[str] | None = None) -> Follower:
        started.append(Follower([*(command or at), *arguments]))
        return started[-1]

    yield follow
    for follower in started:
        follower.end()


@pytest.fixture
def terminal(at: list[str], tmp_path: Path) -> Iterator[Terminals]:
    """Opens redis-cli at its prompt; `at` unless told otherwise."""
    opened: list[Terminal] = []

    def terminal(*arguments: str, command: list[str] | None = None) -> Terminal:
        opened.append(Terminal([*(command or at), *arguments], tmp_path))
        return opened[-1]

    yield terminal
    for one in opened:
        one.end()
