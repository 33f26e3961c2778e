"""The server behind real sockets: limits, listeners, refusals, broken input, fairness, the end.

Every server runs in this process (`selredis.serve`), so that a test costs milliseconds.
"""

import errno
import os
import socket
import stat
import struct
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import selredis
from selredis.clock import ManualClock
from selredis.config import Config
from selredis.embedded import EmbeddedServer
from selredis.engine.executor import Executor
from selredis.errors import ConfigError
from selredis.net.listener import Listener, ListenError
from selredis.server import Server
from tests.harness.in_process import FailingLog
from tests.harness.wire import BROKEN_REQUESTS, Address, WireClient, encode_command

Connect = Callable[..., WireClient]


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Opens a connection to a server, or to another address of it; all are closed when the test ends."""
    opened: list[WireClient] = []

    def connect(server: EmbeddedServer, address: Address | None = None) -> WireClient:
        opened.append(WireClient(address or (server.host, server.port)))
        return opened[-1]

    yield connect
    for client in opened:
        client.close()


def read_to_end(client: WireClient) -> bytes:
    """All bytes until the server closes."""
    while client.read_more(client.timeout):
        pass
    assert client.closed
    return client.unread


def wait_until(condition: Callable[[], bool], tries: int = 100_000) -> None:
    for _ in range(tries):
        if condition():
            return
    raise AssertionError('it did not come true')


# Listeners


def test_serves_on_a_free_port_and_stops_with_the_block(connect: Connect) -> None:
    with selredis.serve() as server:
        client = connect(server)
        assert client('PING').text == b'PONG'
    assert read_to_end(client) == b''
    with pytest.raises(ConnectionRefusedError):
        connect(server)


def test_several_servers_share_nothing(connect: Connect) -> None:
    with selredis.serve() as one, selredis.serve() as other:
        connect(one)('SET', 'key', 'one')
        connect(one)('SUBSCRIBE', 'news')
        assert connect(other)('GET', 'key').value is None
        assert connect(other)('PUBLISH', 'news', 'x').text == b'0'


def test_a_taken_port_is_raised_to_the_caller() -> None:
    with selredis.serve() as server:
        taken = selredis.serve(port=server.port)
        with pytest.raises(ListenError, match=f'Failed listening on port {server.port}'), taken:
            pass


def test_a_wrong_parameter_is_raised_to_the_caller() -> None:
    with pytest.raises(ConfigError), selredis.serve(maxclients='many'):
        pass


def test_unix_socket_with_permissions_is_removed_at_the_end(connect: Connect, tmp_path: Path) -> None:
    path = str(tmp_path / 'redis.sock')
    with selredis.serve(unix_socket=path, unixsocketperm='700') as server:
        assert server.unix_socket == path
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o700
        assert connect(server, path)('PING').text == b'PONG'
        assert connect(server)('PING').text == b'PONG'
    assert not os.path.exists(path)


def test_a_unix_socket_left_behind_is_replaced(connect: Connect, tmp_path: Path) -> None:
    path = str(tmp_path / 'redis.sock')
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(path)
    with selredis.serve(unix_socket=path) as server:
        assert connect(server, path)('PING').text == b'PONG'


def test_a_file_where_the_unix_socket_should_be_is_kept(tmp_path: Path) -> None:
    path = tmp_path / 'redis.sock'
    path.write_text('precious')
    with pytest.raises(ListenError), selredis.serve(unix_socket=str(path)):
        pass
    assert path.read_text() == 'precious'


def test_one_port_on_several_addresses(connect: Connect) -> None:
    with selredis.serve(host='127.0.0.1 127.0.0.2') as server:
        for host in ('127.0.0.1', '127.0.0.2'):
            assert connect(server, (host, server.port))('PING').text == b'PONG'


def test_an_optional_address_may_be_missing(connect: Connect) -> None:
    with selredis.serve(host='127.0.0.1 -198.51.100.1') as server:
        assert connect(server)('PING').text == b'PONG'
    with pytest.raises(ListenError), selredis.serve(host='127.0.0.1 198.51.100.1'):
        pass


def test_ipv6(connect: Connect) -> None:
    try:
        socket.create_server(('::1', 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip('needs IPv6 on the loopback interface')
    with selredis.serve(host='::1') as server:
        client = connect(server, ('::1', server.port))
        assert b' laddr=[::1]:%d ' % server.port in client('CLIENT', 'INFO').text


# Who may come in


def test_newcomer_past_maxclients_is_told_why(connect: Connect) -> None:
    with selredis.serve(maxclients='2') as server:
        one, other = connect(server), connect(server)
        one('PING'), other('PING')
        assert read_to_end(connect(server)) == b'-ERR max number of clients reached\r\n'
        assert b'rejected_connections:1\r\n' in one('INFO', 'stats').text
        other.close()
        wait_until(lambda: b'connected_clients:1\r\n' in one('INFO', 'clients').text)
        assert connect(server)('PING').text == b'PONG'


def test_stranger_from_outside_is_refused_in_protected_mode(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('selredis.driver.is_local', lambda _host: False)
    with selredis.serve() as server:
        assert read_to_end(connect(server)).startswith(b'-DENIED Redis is running in protected mode because')
    with selredis.serve(requirepass='secret') as server:
        assert connect(server)('AUTH', 'secret').text == b'OK'
    with selredis.serve(protected_mode='no') as server:
        assert connect(server)('PING').text == b'PONG'


def test_nothing_but_auth_without_the_password(connect: Connect) -> None:
    with selredis.serve(requirepass='secret') as server:
        client = connect(server)
        assert client('GET', 'key').text == b'NOAUTH Authentication required.'
        client.send(encode_command('AUTH', 'secret') + encode_command('MSET', *range(40)))
        assert [client.read().text, client.read().text] == [b'OK', b'OK']


@pytest.mark.parametrize(
    ('request_', 'error'),
    [
        (b'*11\r\n', b'-ERR Protocol error: unauthenticated multibulk length\r\n'),
        (b'*1\r\n$16385\r\n', b'-ERR Protocol error: unauthenticated bulk length\r\n'),
    ],
)
def test_a_stranger_may_not_announce_much(connect: Connect, request_: bytes, error: bytes) -> None:
    with selredis.serve(requirepass='secret') as server:
        client = connect(server)
        client.send(request_)
        assert read_to_end(client) == error


# Broken input


@pytest.mark.parametrize(
    ('request_', 'error'),
    BROKEN_REQUESTS,
)
def test_broken_input_gets_the_replies_before_it_then_its_error(
    connect: Connect, request_: bytes, error: bytes
) -> None:
    with selredis.serve() as server:
        client = connect(server)
        client.send(b'PING\r\n' + request_)
        assert read_to_end(client) == b'+PONG\r\n-ERR Protocol error: ' + error + b'\r\n'


def test_broken_input_behind_a_waiting_command_is_told_when_its_turn_comes(connect: Connect) -> None:
    with selredis.serve() as server:
        waiting = connect(server)
        waiting.send(b'BLPOP list 0\r\n*x\r\n')
        pusher = connect(server)
        wait_until(lambda: b'blocked_clients:1\r\n' in pusher('INFO', 'clients').text)
        pusher('RPUSH', 'list', 'element')
        assert read_to_end(waiting) == (
            b'*2\r\n$4\r\nlist\r\n$7\r\nelement\r\n-ERR Protocol error: invalid multibulk length\r\n'
        )


# What a client may cost


def test_a_pipeline_before_end_of_file_runs_on_a_unix_socket(connect: Connect, tmp_path: Path) -> None:
    path = str(tmp_path / 'redis.sock')
    with selredis.serve(unix_socket=path) as server:
        client = connect(server, path)
        with ThreadPoolExecutor(1) as pool:
            sent = encode_command('INCR', 'count') * 200_000
            sending = pool.submit(client.socket.sendall, sent)
            sending.add_done_callback(lambda _: client.socket.shutdown(socket.SHUT_WR))
            assert read_to_end(client) == b''.join(b':%d\r\n' % number for number in range(1, 200_001))
            sending.result()


def test_request_past_the_query_buffer_limit_ends_the_connection(connect: Connect) -> None:
    with selredis.serve(client_query_buffer_limit='1mb') as server:
        client = connect(server)
        client.send(b'*2\r\n$4\r\nECHO\r\n$3000000\r\n' + b'x' * 2_000_000)
        assert read_to_end(client) == b''
        assert b'client_query_buffer_limit_disconnections:1\r\n' in connect(server)('INFO', 'stats').text


def test_subscriber_that_does_not_read_is_cut_off_and_the_others_miss_nothing(connect: Connect) -> None:
    limit = 'pubsub 1mb 0 0'
    with selredis.serve(client_output_buffer_limit=limit, loglevel='nothing') as server:
        slow, quick, publisher = connect(server), connect(server), connect(server)
        slow.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow('SUBSCRIBE', 'news')
        quick('SUBSCRIBE', 'news')
        message = 'x' * 10_000
        sent = 0
        while publisher('PUBLISH', 'news', message).text == b'2':
            sent += 1
            assert quick.read().items[2].text == message.encode()
            assert sent < 5_000
        assert quick.read().items[2].text == message.encode()
        info = publisher('INFO', 'stats').text
        assert b'client_output_buffer_limit_disconnections:1\r\n' in info
        assert publisher('PUBSUB', 'NUMSUB', 'news').items[1].text == b'1'


def test_soft_limit_cuts_off_who_stays_over_it(connect: Connect) -> None:
    with selredis.serve(client_output_buffer_limit='pubsub 0 100kb 1', loglevel='nothing') as server:
        slow, publisher = connect(server), connect(server)
        slow.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow('SUBSCRIBE', 'news')
        for _ in range(800):  # past what the kernel takes for it
            publisher('PUBLISH', 'news', 'x' * 10_000)
        assert publisher('PUBSUB', 'NUMSUB', 'news').items[1].text == b'1'
        wait_until(lambda: publisher('PUBSUB', 'NUMSUB', 'news').items[1].text == b'0')


def test_reading_pauses_while_replies_pile_up_and_nothing_is_lost(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr('selredis.net.connection.HIGH_WATER_BYTES', 1_000_000)
    monkeypatch.setattr('selredis.net.connection.LOW_WATER_BYTES', 500_000)
    with selredis.serve() as server:
        greedy, other = connect(server), connect(server)
        other('SET', 'large', 'x' * 200_000)
        count = 400
        greedy.socket.settimeout(0.5)
        request = encode_command('GET', 'large') * count + encode_command('INCR', 'done') * 1
        greedy.send(request)
        # The engine stops the batch at the mark: its end has not been run.
        wait_until(lambda: b' omem=0 ' not in other('CLIENT', 'LIST', 'ID', '1').text)
        assert other('GET', 'done').value is None
        for _ in range(count):
            assert len(greedy.read(10).text) == 200_000
        assert greedy.read(10).text == b'1'


def test_a_client_with_endless_input_does_not_starve_the_others(connect: Connect) -> None:
    with selredis.serve() as server:
        greedy, other = connect(server), connect(server)
        greedy.socket.setblocking(False)
        requests = b'PING\r\n' * 200_000
        sent = greedy.socket.send(requests)
        answered = [other('PING').text for _ in range(20)]
        assert answered == [b'PONG'] * 20
        greedy.timeout = 10
        greedy.socket.setblocking(True)
        for _ in range(sent // 6):
            assert greedy.read().text == b'PONG'


def test_a_large_value_goes_in_and_out(connect: Connect) -> None:
    value = os.urandom(20_000_000)
    with selredis.serve() as server:
        client = connect(server)
        assert client('SET', 'large', value).text == b'OK'
        assert client('GET', 'large').text == value


def test_idle_client_is_closed_after_timeout_but_no_subscriber_or_waiting_one(connect: Connect) -> None:
    with selredis.serve(timeout='1') as server:
        idle, subscriber, waiting = connect(server), connect(server), connect(server)
        subscriber('SUBSCRIBE', 'news')
        waiting.send_command('BLPOP', 'list', 0)
        assert read_to_end(idle) == b''
        last = connect(server)
        assert last('PUBLISH', 'news', 'still there').text == b'1'
        last('RPUSH', 'list', 'element')
        assert waiting.read().items[1].text == b'element'


def test_client_that_leaves_while_it_waits_loses_nothing(connect: Connect) -> None:
    with selredis.serve() as server:
        leaving, pusher = connect(server), connect(server)
        leaving.send_command('BLPOP', 'list', 0)
        wait_until(lambda: b'blocked_clients:1\r\n' in pusher('INFO', 'clients').text)
        leaving.close()
        wait_until(lambda: b'blocked_clients:0\r\n' in pusher('INFO', 'clients').text)
        pusher('RPUSH', 'list', 'element')
        assert pusher('LPOP', 'list').text == b'element'


# Failures around us


def test_without_descriptors_accepting_pauses_and_goes_on(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    class Exhausted:
        """A listening socket for which the system has no descriptors, the first three times."""

        def __init__(self, sock: socket.socket) -> None:
            self.sock = sock
            self.refusals = 3

        def __getattr__(self, name: str) -> object:
            return getattr(self.sock, name)

        def accept(self) -> object:
            if self.refusals:
                self.refusals -= 1
                raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
            return self.sock.accept()

    complaints: list[OSError] = []
    listen = Listener.__init__

    def listen_exhausted(
        self: Listener, loop: object, timers: object, sock: object, kind: object, accepted: object, _: object
    ) -> None:
        listen(self, loop, timers, Exhausted(sock), kind, accepted, complaints.append)  # type: ignore[arg-type]

    monkeypatch.setattr(Listener, '__init__', listen_exhausted)
    with selredis.serve() as server:
        assert connect(server)('PING').text == b'PONG'
    assert [error.errno for error in complaints] == [errno.EMFILE]  # said once, though it failed three times


def test_callback_that_fails_costs_its_connection_only(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    defects: list[str] = []
    monkeypatch.setattr('selredis.log.Log.defect', lambda _self, text, _error: defects.append(text))

    def fail(self: object, client: object, batch: list[list[bytes]]) -> None:
        if batch[0] == [b'FAIL']:
            raise ZeroDivisionError
        run(self, client, batch)  # type: ignore[arg-type]

    run = Executor.run
    monkeypatch.setattr(Executor, 'run', fail)
    with selredis.serve() as server:
        victim, other = connect(server), connect(server)
        victim('PING'), other('PING')
        victim.send(b'FAIL\r\n')
        assert read_to_end(victim) == b''
        assert other('PING').text == b'PONG'
    assert len(defects) == 1
    assert 'its callback failed' in defects[0]


def test_who_has_given_the_password_may_announce_much_and_after_reset_no_more(connect: Connect) -> None:
    with selredis.serve(requirepass='secret') as server:
        client = connect(server)
        client('AUTH', 'secret')
        assert client('MSET', *range(40)).text == b'OK'
        client('RESET')
        client.send(b'*11\r\n')
        assert read_to_end(client) == b'-ERR Protocol error: unauthenticated multibulk length\r\n'


def test_newcomers_that_hang_up_at_once_cost_nothing() -> None:
    config = Config()
    config.read_directive([b'port', b'0'])
    server = Server(config, FailingLog('nothing'), ManualClock())
    server.open()
    for _ in range(3):
        with socket.create_connection((server.host, server.port)) as newcomer:
            newcomer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))  # it ends in a reset
    for _ in range(3):
        server.loop.call_again()
        server.loop.turn()
    assert len(server.table) == 0
    server.close()


@pytest.mark.parametrize('address', [b'\xff', b'a..b', b'x' * 64 + b'.org'])
def test_what_can_be_no_address_leaves_the_old_ones_as_they_are(connect: Connect, address: bytes) -> None:
    with selredis.serve() as server:
        client = connect(server)
        assert b'Failed to bind to specified addresses' in client('CONFIG', 'SET', 'bind', address).text
        assert connect(server)('PING').text == b'PONG'
