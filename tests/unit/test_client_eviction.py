"""maxmemory-clients: who is disconnected, who is not, and what is known of clients meanwhile."""

import socket
from collections.abc import Iterator

import pytest

from selredis.clock import ManualClock
from selredis.config import Config
from selredis.engine.client_eviction import LEAST_LIMIT_BYTES
from selredis.engine.client_info import CLIENT_BYTES, memory_of
from selredis.net.remote_client import READ_BYTES
from selredis.server import Server
from tests.harness.in_process import FailingLog
from tests.harness.wire import Reply, WireClient, encode_command

KB, MB = 1024, 1024**2


class Lines(FailingLog):
    """A log that is read by a test."""

    def __init__(self) -> None:
        super().__init__('nothing')
        self.lines: list[str] = []

    def warning(self, text: str) -> None:
        self.lines.append(text)

    notice = warning


class Scene:
    """A server in this process, and clients at the other ends of socket pairs."""

    def __init__(self) -> None:
        self.log = Lines()
        self.config = Config()
        self.server = Server(self.config, self.log, ManualClock())
        self.engine = self.server.engine
        self.clients: list[WireClient] = []
        self.control = self.open()

    def open(self) -> WireClient:
        ours, theirs = socket.socketpair()
        self.server.on_accepted(theirs, 'tcp')
        self.clients.append(WireClient(ours))
        return self.clients[-1]

    def close(self) -> None:
        for client in self.clients:
            client.close()
        self.server.close()

    def turn(self) -> None:
        for _ in range(2):
            self.server.loop.call_again()
            self.server.loop.turn()

    def send(self, client: WireClient, data: bytes) -> None:
        """Send, a read's worth at a time."""
        for at in range(0, len(data), READ_BYTES // 4):
            try:
                client.send(data[at : at + READ_BYTES // 4])
            except OSError:
                break
            self.turn()

    def say(self, client: WireClient, *words: bytes | str | int) -> Reply:
        client.send(encode_command(*words))
        self.turn()
        return client.read(0)

    def limit(self, size: bytes | int) -> None:
        self.say(self.control, 'CONFIG', 'SET', 'maxmemory-clients', size)

    def connected(self) -> list[str]:
        """Names of clients."""
        lines = self.say(self.control, 'CLIENT', 'LIST').text.decode().splitlines()
        return [line.partition(' name=')[2].partition(' ')[0] for line in lines]

    def large(self, name: str, size: int) -> WireClient:
        """A client of that name that has sent so much of a command, and no more."""
        client = self.open()
        self.say(client, 'CLIENT', 'SETNAME', name)
        self.send(client, b'*2\r\n$%d\r\n%b\r\n' % (size, b'x' * size))
        return client


@pytest.fixture
def scene() -> Iterator[Scene]:
    scene = Scene()
    yield scene
    scene.close()


def test_without_a_limit_nothing_is_kept(scene: Scene) -> None:
    scene.large('large', MB)
    eviction = scene.engine.client_eviction
    assert (eviction.limit_bytes, eviction.total_bytes, eviction.due) == (0, 0, False)
    assert eviction.sizes() == []
    assert scene.connected() == ['', 'large']


def test_half_a_command_may_be_too_much(scene: Scene) -> None:
    scene.limit(MB)
    scene.large('large', MB)
    assert scene.connected() == ['']
    assert any(line.startswith('Evicting client: id=2 ') for line in scene.log.lines)
    assert b'evicted_clients:1\r\n' in scene.say(scene.control, 'INFO', 'stats').text


def test_what_is_announced_counts_at_once(scene: Scene) -> None:
    # Or else a command that is too large could be complete, and run, in the very turn that passes the limit.
    scene.limit(MB)
    client = scene.open()
    scene.send(client, b'*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1048576\r\nx')
    assert scene.connected() == ['']


def test_what_is_announced_is_shown(scene: Scene) -> None:
    client = scene.open()
    scene.send(client, b'*2\r\n$1000000\r\n' + b'x' * 999_000)
    line = scene.say(scene.control, 'CLIENT', 'LIST', 'ID', 2).text
    assert b' qbuf=999000 qbuf-free=1002 ' in line
    assert b' tot-mem=%d ' % (CLIENT_BYTES + 1_000_002) in line
    assert memory_of(scene.engine.clients[2]) == CLIENT_BYTES + 999_000


def test_whole_commands_are_run_and_forgotten(scene: Scene) -> None:
    scene.limit(MB)
    client = scene.open()
    for _ in range(5):
        scene.send(client, encode_command('SET', 'k', 'v' * (MB - 100 * KB)))
        assert client.read(0).text == b'OK'
    scene.say(client, 'PING')
    assert scene.engine.client_eviction.sizes() == [CLIENT_BYTES, CLIENT_BYTES]


def test_what_waits_for_exec_counts(scene: Scene) -> None:
    scene.limit(200 * KB)
    client = scene.open()
    scene.say(client, 'MULTI')
    for _ in range(3):
        scene.send(client, encode_command('SET', 'k', 'v' * 90 * KB))
    assert scene.connected() == ['']


@pytest.mark.parametrize('command', ['WATCH', 'SUBSCRIBE', 'PSUBSCRIBE', 'SSUBSCRIBE'])
def test_many_small_things_count(scene: Scene, command: str) -> None:
    scene.limit(LEAST_LIMIT_BYTES)
    client = scene.open()
    scene.send(client, encode_command(command, *range(600)))
    assert scene.connected() == ['']


@pytest.mark.parametrize('command', ['WATCH', 'SUBSCRIBE', 'PSUBSCRIBE', 'SSUBSCRIBE'])
def test_long_names_count(scene: Scene, command: str) -> None:
    scene.limit(LEAST_LIMIT_BYTES)
    client = scene.open()
    for letter in 'abcd':  # none of the commands is too much by itself
        scene.send(client, encode_command(command, letter * (LEAST_LIMIT_BYTES // 3)))
    assert scene.connected() == ['']


def test_prefixes_that_are_tracked_count(scene: Scene) -> None:
    scene.limit(LEAST_LIMIT_BYTES)
    client = scene.open()
    scene.say(client, 'HELLO', '3')
    prefixes = [word for number in range(1000, 1600) for word in ('PREFIX', number)]
    scene.send(client, encode_command('CLIENT', 'TRACKING', 'ON', 'BCAST', *prefixes))
    assert scene.connected() == ['']


def test_unread_replies_count(scene: Scene) -> None:
    scene.say(scene.control, 'SETRANGE', 'k', 200 * KB, 'v')
    scene.limit(MB)
    client = scene.open()
    for _ in range(20):
        try:
            client.send(encode_command('GET', 'k'))
        except OSError:
            break
        scene.turn()
    assert scene.connected() == ['']


def test_what_is_published_to_a_client_counts(scene: Scene) -> None:
    scene.limit(MB)
    client = scene.open()
    scene.say(client, 'SUBSCRIBE', 'news')
    for _ in range(40):
        scene.say(scene.control, 'PUBLISH', 'news', 'x' * 90 * KB)
    assert scene.connected() == ['']


def test_the_largest_go_first_and_no_more_than_need_to(scene: Scene) -> None:
    for name, size in (('a', 200 * KB), ('b', 400 * KB), ('c', 100 * KB), ('d', 300 * KB)):
        scene.large(name, size)
    scene.limit(400 * KB)
    assert scene.connected() == ['', 'a', 'c']
    assert scene.engine.client_eviction.total_bytes < 400 * KB


def test_a_lower_limit_takes_effect_at_once(scene: Scene) -> None:
    scene.limit(4 * MB)
    for number in range(10):
        scene.large(f'client{number}', 300 * KB)
    assert len(scene.connected()) == 11
    scene.limit(2 * MB)
    assert len(scene.connected()) == 7


def test_who_asked_not_to_be_evicted_stays_and_counts(scene: Scene) -> None:
    spared = scene.open()
    scene.say(scene.control, 'CLIENT', 'NO-EVICT', 'on')
    scene.say(spared, 'CLIENT', 'SETNAME', 'spared')
    scene.say(spared, 'CLIENT', 'NO-EVICT', 'on')
    scene.send(spared, b'*2\r\n$1000000\r\n' + b'x' * 1_000_000)
    scene.open()
    scene.limit(MB)
    assert scene.connected() == ['', 'spared', '']
    scene.limit(900 * KB)
    assert scene.connected() == ['', 'spared']
    assert [line for line in scene.log.lines if 'maxmemory' in line] == [
        'Over client maxmemory after evicting all evictable clients'
    ]


def test_who_wants_to_be_evicted_again_is(scene: Scene) -> None:
    scene.say(scene.control, 'SETRANGE', 'k', 200 * KB, 'v')
    scene.limit(MB)
    client = scene.open()
    scene.say(scene.control, 'CLIENT', 'NO-EVICT', 'on')
    scene.say(client, 'CLIENT', 'NO-EVICT', 'on')
    for _ in range(20):
        client.send(encode_command('GET', 'k'))
        scene.turn()
    assert scene.connected() == ['', '']
    client.send(encode_command('CLIENT', 'NO-EVICT', 'off'))
    scene.turn()
    assert scene.connected() == ['']


def test_a_share_of_maxmemory(scene: Scene) -> None:
    eviction = scene.engine.client_eviction
    scene.limit(b'7%')
    assert eviction.limit_bytes == 0
    scene.say(scene.control, 'CONFIG', 'SET', 'maxmemory', '6mb')
    assert eviction.limit_bytes == 6 * MB * 7 // 100
    scene.large('large', 6 * MB * 7 // 100)
    assert scene.connected() == ['']
    scene.say(scene.control, 'CONFIG', 'SET', 'maxmemory', '0')
    assert eviction.limit_bytes == 0


def test_a_limit_that_leaves_nobody_is_raised(scene: Scene) -> None:
    scene.limit(1)
    assert scene.engine.client_eviction.limit_bytes == LEAST_LIMIT_BYTES


def test_the_sum_is_made_anew_before_anybody_goes(scene: Scene) -> None:
    scene.limit(MB)
    eviction = scene.engine.client_eviction
    client = scene.large('large', 700 * KB)
    scene.send(client, b'$1\r\nx\r\n')  # what it sent is run, an unknown command, and its memory is free
    eviction._of[next(iter(scene.engine.clients.values()))] += 600 * KB
    eviction.total_bytes += 600 * KB
    scene.large('other', 500 * KB)
    assert scene.connected() == ['', 'large', 'other']


def test_who_is_gone_is_forgotten(scene: Scene) -> None:
    scene.limit(MB)
    client = scene.large('large', 700 * KB)
    assert scene.engine.client_eviction.total_bytes > 700 * KB
    client.close()
    scene.turn()
    assert scene.engine.client_eviction.total_bytes == memory_of(*scene.engine.clients.values())


def test_an_output_limit_comes_first(scene: Scene) -> None:
    # As in Redis: who is cut off by its own limit needs not be evicted, nor anybody else in its place.
    scene.say(scene.control, 'SETRANGE', 'k', 4 * MB, 'v')
    scene.say(scene.control, 'CONFIG', 'SET', 'client-output-buffer-limit', 'normal 3mb 0 0')
    scene.limit(10 * MB)
    scene.large('large', 6 * MB)
    for _ in range(2):
        scene.open().send(encode_command('GET', 'k'))
    scene.turn()
    assert scene.connected() == ['', 'large']
    assert scene.engine.stats.evicted_clients == 0
