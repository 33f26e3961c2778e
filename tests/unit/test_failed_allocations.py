"""An allocation that fails at any step of a command, or of closing a client, leaves the tables consistent."""

import socket
from collections.abc import Callable
from random import Random

import pytest

import selredis.commands  # noqa: F401  (importing it fills the command table)
from selredis.clock import ManualClock
from selredis.config import Config
from selredis.engine.client import Client
from selredis.engine.engine import Engine
from selredis.log import Log
from selredis.net.connection import Connection
from selredis.server import Server
from tests.harness.failures import CAN_FAIL_ALLOCATIONS, AllocationFailure, LineFailure
from tests.harness.invariants import check_deserted, check_invariants
from tests.harness.wire import WireClient, encode_command
from tests.unit.conftest import Peer, as_sent, settle

KINDS = [LineFailure, AllocationFailure]
SUCCESSES = 40  # one after the other, after which no later allocation is expected to be reached
MOST_STEPS = 5000


class Defects(Log):
    """Takes what it is told of defects."""

    def __init__(self) -> None:
        super().__init__('nothing')
        self.defects: list[str] = []

    def defect(self, text: str, error: BaseException) -> None:
        self.defects.append(text)


@pytest.fixture(params=KINDS, ids=['line', 'allocation'])
def failure(request: pytest.FixtureRequest) -> type:
    kind: type = request.param
    if kind is AllocationFailure and not CAN_FAIL_ALLOCATIONS:
        pytest.skip('this Python cannot have single allocations fail: they fail line by line only')
    return kind


@pytest.fixture(autouse=True)
def small_buckets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes and sets are split as soon as a bucket is full, so that a test needs fewer members."""
    monkeypatch.setattr('selredis.values.hash.LEAST_ROOM', 0)
    monkeypatch.setattr('selredis.values.set.LEAST_ROOM', 0)


class Scene:
    """An engine and two clients of it. What goes wrong in a command is handled as a driver does."""

    def __init__(self, parameters: dict[str, str]) -> None:
        config = Config()
        for name, value in parameters.items():
            config.read_directive([name.encode(), value.encode()])
        self.log = Defects()
        self.clock = ManualClock(start_ms=1_700_000_000_000)
        self.engine = Engine(config, self.clock, Random(0), self.log)
        self.client, self.other = Peer(self.engine), Peer(self.engine)

    def run(self, peer: Peer, command: str, failing: LineFailure | AllocationFailure) -> bool:
        """Run a command in which a step fails; whether it succeeded all the same."""
        argv: list[bytes] = command.encode().split()
        client = peer.client
        try:
            with failing:
                self.engine.run(client, [argv])
        except MemoryError:
            client.doom()
        if self.engine.keyspace.ready:
            self.engine.serve_ready()
        settle(self.engine)
        return not client.doomed and b'-ERR internal error' not in as_sent(client.out)

    def check(self) -> None:
        for peer in (self.client, self.other):
            peer.take()
        check_invariants(self.engine)
        for peer in (self.client, self.other):
            peer.disconnect()
        check_deserted(self.engine)


def steps(failure: type, attempt: Callable[[LineFailure | AllocationFailure], bool]) -> int:
    """Have each step fail in turn, until there is none left; returns how many failed attempts there were."""
    failed = successes = 0
    for step in range(1, MOST_STEPS):
        failing = failure(step - 1 if failure is AllocationFailure else step)
        succeeded = attempt(failing)
        if not failing.reached:
            assert succeeded
            return failed
        failed += not succeeded
        successes = successes + 1 if succeeded else 0
        if failure is AllocationFailure and successes == SUCCESSES:
            return failed
    raise AssertionError('it has no end')


MEASURED = {'maxmemory': '100mb', 'maxmemory-policy': 'allkeys-lru'}
NOTIFIED = {'notify-keyspace-events': 'KEA'}
FULL_BUCKET = [f'SET key:{number} x' for number in range(24)]
SPLIT_BUCKETS = [f'SET key:{number} x' for number in range(24 * 16)]

# What has been said before: by the other client if it begins with `other`. Then the command.
COMMANDS: dict[str, tuple[dict[str, str], list[str], str]] = {
    'watch': ({}, ['SET b 1'], 'WATCH a b c'),
    'watch watched keys': ({}, ['other WATCH a b', 'WATCH a'], 'WATCH a b c'),
    'watch an expired key': ({}, ['SET a 1 PXAT 1'], 'WATCH a'),
    'subscribe': ({}, [], 'SUBSCRIBE a b a'),
    'subscribe again': ({}, ['other SUBSCRIBE a b', 'SUBSCRIBE a'], 'SUBSCRIBE a b c'),
    'psubscribe': ({}, [], 'PSUBSCRIBE a* b?[x] a*'),
    'psubscribe again': ({}, ['other PSUBSCRIBE a* b*', 'PSUBSCRIBE a*'], 'PSUBSCRIBE a* b* c*'),
    'ssubscribe': ({}, ['other SSUBSCRIBE a'], 'SSUBSCRIBE a b'),
    'blpop': ({}, ['other BLPOP q 0'], 'BLPOP q r q 0'),
    'blpop with a timeout': ({}, [], 'BLPOP q r 5'),
    'xreadgroup': (
        {},
        ['XGROUP CREATE s g $ MKSTREAM', 'XGROUP CREATECONSUMER s g c'],
        'XREADGROUP GROUP g c BLOCK 0 STREAMS s >',
    ),
    'set': ({}, [], 'SET k v'),
    'set another kind': ({}, ['RPUSH k a b', 'other WATCH k'], 'SET k v'),
    'set with a deadline': ({}, ['SET k v'], 'SET k v PX 1000'),
    'set an expired key': ({}, ['SET k v PXAT 1'], 'SET k v'),
    'set in a full bucket': ({}, FULL_BUCKET, 'SET k v'),
    'set in one of many buckets': ({}, SPLIT_BUCKETS, 'SET k v'),
    'set with maxmemory': (MEASURED, [], 'SET k v'),
    'set with a deadline and maxmemory': (MEASURED, ['SET k v'], 'SET k v PX 1000'),
    'set over a deadline with maxmemory': (MEASURED, ['SET k v PX 1000'], 'SET k v'),
    'set another kind with maxmemory': (MEASURED, ['RPUSH k a b'], 'SET k v'),
    'set with notifications': (NOTIFIED, ['other PSUBSCRIBE *'], 'SET k v'),
    'rpush': ({}, [], 'RPUSH k a b'),
    'rpush with a client waiting': ({}, ['other BLPOP k 0'], 'RPUSH k a b'),
    'rpush with maxmemory': (MEASURED, [], 'RPUSH k a b'),
    'lpush on a long list': ({}, ['RPUSH k' + ' x' * 100], 'LPUSH k a'),
    'sadd': ({}, ['other WATCH k'], 'SADD k a b'),
    'sadd that splits': ({}, ['SADD k ' + ' '.join(map(str, range(180)))], 'SADD k a b'),
    'sadd to a large set': ({}, ['SADD k ' + ' '.join(map(str, range(359))), 'SREM k 1 2 3'], 'SADD k a 1 b c d'),
    'sadd with maxmemory': (MEASURED, [], 'SADD k a b'),
    'hset': ({}, [], 'HSET k f v g w'),
    'hset that splits': ({}, ['HSET k ' + ' '.join(f'{n} v' for n in range(40))], 'HSET k f v'),
    'hset beside a deadline': (
        {},
        ['HSET k ' + ' '.join(f'{n} v' for n in range(40)), 'HPEXPIRE k 1000 FIELDS 1 7'],
        'HSET k f v 7 w',
    ),
    'hset with maxmemory': (MEASURED, [], 'HSET k f v'),
}


@pytest.mark.filterwarnings('ignore::pytest.PytestUnraisableExceptionWarning')
@pytest.mark.parametrize(('parameters', 'before', 'command'), COMMANDS.values(), ids=COMMANDS)
def test_a_failed_allocation_leaves_the_tables_consistent(
    failure: type, parameters: dict[str, str], before: list[str], command: str
) -> None:
    def attempt(failing: LineFailure | AllocationFailure) -> bool:
        scene = Scene(parameters)
        for said in before:
            peer = scene.other if said.startswith('other ') else scene.client
            peer(*said.removeprefix('other ').split())
        try:
            succeeded = scene.run(scene.client, command, failing)
            scene.check()
        except BaseException as error:
            error.add_note(f'at step {failing.step} of {command}')
            raise
        return succeeded

    assert steps(failure, attempt) > 5


# Closing


class ClosingScene:
    """A server, turned by hand, and one client that is in as many tables as a client can be."""

    def __init__(self, *, blocked: bool) -> None:
        config = Config()
        config.read_directive([b'maxmemory-clients', b'100mb'])
        self.log = Defects()
        self.server = Server(config, self.log, ManualClock(start_ms=1_700_000_000_000))
        ours, theirs = socket.socketpair()
        self.server.on_accepted(theirs, '')
        self.wire = WireClient(ours)
        said = [
            'HELLO 3',
            'WATCH a b',
            'SUBSCRIBE a b',
            'PSUBSCRIBE a* b*',
            'SSUBSCRIBE a',
            'CLIENT TRACKING ON BCAST PREFIX a PREFIX b',
            'BLPOP q r 5' if blocked else 'MONITOR',
        ]
        self.wire.send(b''.join(encode_command(*command.split()) for command in said))
        self.turn()
        self.turn()
        (connection,) = self.server.table.all()
        assert isinstance(connection, Connection)
        self.connection = connection
        self.wire.arrived()
        assert (self.connection.wait is not None) == blocked

    def turn(self) -> None:
        self.server.loop.call_again()
        self.server.loop.turn()

    def close_with(self, failing: LineFailure | AllocationFailure, close: Callable[['ClosingScene'], object]) -> None:
        """What a turn of the loop does for a client that leaves; the loop's own lines do not fail."""
        server = self.server
        with failing:
            try:
                close(self)
            except Exception as error:  # noqa: BLE001  (as the loop does)
                server.on_callback_error(self.connection.fd, error)
            try:
                server.close_doomed()
            except Exception as error:  # noqa: BLE001
                server.report(error)

    def check(self) -> None:
        server = self.server
        for _ in range(3):
            self.turn()
        assert not server.table
        assert self.connection.sock.fileno() == -1
        self.wire.read_more(0)
        assert self.wire.closed
        check_deserted(server.engine)
        check_at_rest(server)

    def end(self) -> None:
        self.wire.close()
        self.server.close()


def check_at_rest(server: Server) -> None:
    """The loop waits: nothing is ready, and nothing asks for another turn."""
    server.before_sleep()
    assert not server.loop._again
    assert server.loop.selector.select(0) == []


def hang_up(scene: ClosingScene) -> None:
    scene.wire.socket.shutdown(socket.SHUT_WR)
    scene.connection.on_readable()


def kill(scene: ClosingScene) -> None:
    scene.connection.doom()


def quit_(scene: ClosingScene) -> None:
    scene.connection.close_after_replies()


@pytest.mark.filterwarnings('ignore::pytest.PytestUnraisableExceptionWarning')
@pytest.mark.parametrize('blocked', [True, False], ids=['blocked', 'monitor'])
@pytest.mark.parametrize('close', [hang_up, kill, quit_])
def test_a_failed_allocation_does_not_keep_a_client_from_being_closed(
    failure: type, close: Callable[[ClosingScene], object], blocked: bool
) -> None:
    def attempt(failing: LineFailure | AllocationFailure) -> bool:
        scene = ClosingScene(blocked=blocked)
        try:
            scene.close_with(failing, close)
            succeeded = not scene.log.defects
            scene.check()
            return succeeded
        except BaseException as error:
            error.add_note(f'at step {failing.step}')
            raise
        finally:
            scene.end()

    assert steps(failure, attempt) > 5


@pytest.mark.parametrize('what', ['unwatch_all', 'update_halted', 'update_gated'])
@pytest.mark.parametrize('close', [hang_up, kill, quit_])
def test_a_defect_in_closing_gives_the_socket_back_and_does_not_spin(
    what: str, close: Callable[[ClosingScene], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_client: Client) -> None:
        raise RuntimeError('a defect')

    scene = ClosingScene(blocked=True)
    monkeypatch.setattr(Client, what, fail)
    scene.close_with(LineFailure(0), close)
    for _ in range(3):
        scene.turn()
    assert scene.connection.sock.fileno() == -1
    assert not scene.server.table
    assert scene.log.defects
    check_at_rest(scene.server)
    assert len(scene.log.defects) <= 3
    monkeypatch.undo()
    scene.check()
    scene.end()
