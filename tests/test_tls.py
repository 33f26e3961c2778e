"""TLS from the outside: redis-cli, redis-py and sockets, at a server whose certificates and ports change."""

import os
import signal
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis

import selredis
from tests.harness.certificates import Certificates
from tests.harness.servers import SelredisServer
from tests.harness.wire import WireClient, encode_command

Open = Callable[..., WireClient]


def free_port() -> int:
    """A port that was free a moment ago: for tls-port 0 means none."""
    with socket.create_server(('127.0.0.1', 0)) as sock:
        port: int = sock.getsockname()[1]
        return port


class TlsServer:
    """A server of the test's own process: where it is, and a plain client that configures it."""

    def __init__(self, tls_port: int, plain: WireClient) -> None:
        self.tls_port = tls_port
        self.plain = plain

    def set(self, *pairs: str) -> str:
        return self.plain('CONFIG', 'SET', *pairs).text.decode()

    def info(self, section: str) -> str:
        return self.plain('INFO', section).text.decode()


@contextmanager
def serving(certificates: Certificates, **parameters: str) -> Iterator[TlsServer]:
    port = free_port()
    given = {
        'tls_port': str(port),
        'tls_cert_file': certificates.path('server.crt'),
        'tls_key_file': certificates.path('server.key'),
        'tls_ca_cert_file': certificates.path('ca.crt'),
        **parameters,
    }
    with (
        selredis.serve(**given) as server,  # type: ignore[arg-type]  # names as they come
        WireClient((server.host, server.port)) as plain,
    ):
        yield TlsServer(port, plain)


@pytest.fixture
def server(certificates: Certificates) -> Iterator[TlsServer]:
    with serving(certificates) as server:
        yield server


@pytest.fixture
def connect(certificates: Certificates) -> Iterator[Open]:
    """Opens a client that speaks TLS; with the client's certificate, unless told another name or none."""
    opened: list[WireClient] = []

    def connect(port: int, shows: str | None = 'client') -> WireClient:
        context = ssl.create_default_context(cafile=certificates.path('ca.crt'))
        if shows:
            context.load_cert_chain(certificates.path(f'{shows}.crt'), certificates.path(f'{shows}.key'))
        sock = socket.create_connection(('127.0.0.1', port), 10)
        opened.append(WireClient(context.wrap_socket(sock, server_hostname='localhost')))
        return opened[-1]

    yield connect
    for client in opened:
        client.close()


def serial_number(client: WireClient) -> str:
    """Of the certificate that the server has shown."""
    assert isinstance(client.socket, ssl.SSLSocket)
    certificate = client.socket.getpeercert()
    assert certificate
    return str(certificate['serialNumber'])


def refused(client: WireClient) -> bool:
    """Whether the server ends the connection. With TLS 1.3 that is after the client's handshake is over."""
    try:
        client.send_command('PING')
        client.read()
    except (ssl.SSLError, EOFError):
        return True
    return False


def say_and_end(server: TlsServer, certificates: Certificates, data: bytes, *, close_notify: bool) -> bytes:
    """Send all in one go, then end of file, with or without a close_notify before it; return what is received.

    The record layer is in memory: an SSLSocket can't be read after its close_notify.
    """
    context = ssl.create_default_context(cafile=certificates.path('ca.crt'))
    context.load_cert_chain(certificates.path('client.crt'), certificates.path('client.key'))
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname='localhost')
    with socket.create_connection(('127.0.0.1', server.tls_port), 60) as sock:
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                sock.sendall(outgoing.read())
                incoming.write(sock.recv(1 << 16))
        tls.write(data)
        if close_notify:
            with pytest.raises(ssl.SSLWantReadError):
                tls.unwrap()
        sealed = outgoing.read()
        with ThreadPoolExecutor(1) as pool:
            sending = pool.submit(sock.sendall, sealed)
            sending.add_done_callback(lambda _: sock.shutdown(socket.SHUT_WR))
            while received := sock.recv(1 << 20):
                incoming.write(received)
            sending.result()
    found = b''
    try:
        while more := tls.read(1 << 20):
            found += more
    except ssl.SSLZeroReturnError:  # how the server's close_notify is told if one was sent
        pass
    return found


# End of file


@pytest.mark.parametrize('close_notify', [True, False])
def test_slow_commands_before_end_of_file_all_run(
    server: TlsServer, certificates: Certificates, close_notify: bool
) -> None:
    server.plain('RPUSH', 'list', *range(3000))
    said = b'SORT list STORE sorted\r\nINCR count\r\n' * 100
    heard = say_and_end(server, certificates, said, close_notify=close_notify)
    assert heard == b''.join(b':3000\r\n:%d\r\n' % number for number in range(1, 101))


@pytest.mark.parametrize('close_notify', [True, False])
def test_a_long_pipeline_before_end_of_file_runs(
    server: TlsServer, certificates: Certificates, close_notify: bool
) -> None:
    heard = say_and_end(server, certificates, encode_command('INCR', 'count') * 50_000, close_notify=close_notify)
    assert heard == b''.join(b':%d\r\n' % number for number in range(1, 50_001))


# Who may come in


def test_clients_show_a_certificate_or_need_not(server: TlsServer, connect: Open) -> None:
    port = server.tls_port
    assert connect(port)('PING').text == b'PONG'
    assert refused(connect(port, None))
    assert refused(connect(port, 'stranger'))
    server.set('tls-auth-clients', 'optional')
    assert connect(port, None)('PING').text == b'PONG'
    assert refused(connect(port, 'stranger'))
    server.set('tls-auth-clients', 'no')
    assert connect(port, None)('PING').text == b'PONG'
    server.set('tls-auth-clients', 'yes')
    assert refused(connect(port, None))


def test_a_handshake_that_stalls_holds_up_nobody(server: TlsServer, connect: Open) -> None:
    with socket.create_connection(('127.0.0.1', server.tls_port)) as slow:
        slow.sendall(b'\x16\x03\x01\x02')
        assert connect(server.tls_port)('PING').text == b'PONG'
        assert server.plain('PING').text == b'PONG'


def test_who_is_one_too_many_is_told_nothing(certificates: Certificates) -> None:
    with serving(certificates, maxclients='1') as server:
        with socket.create_connection(('127.0.0.1', server.tls_port), 10) as sock:
            assert sock.recv(100) == b''
        assert 'rejected_connections:1\r\n' in server.info('stats')


def test_a_stranger_from_outside_is_refused_once_it_can_be_told(
    certificates: Certificates, connect: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(certificates) as server:
        monkeypatch.setattr('selredis.driver.is_local', lambda _host: False)
        client = connect(server.tls_port)
        assert client.read().text.startswith(b'DENIED Redis is running in protected mode because')
        assert not client.read_more(10)
        assert client.closed


def test_what_info_and_client_list_tell(server: TlsServer, connect: Open) -> None:
    client = connect(server.tls_port)
    assert f'listener2:name=tls,bind=127.0.0.1,port={server.tls_port}\r\n' in server.info('server')
    line = client('CLIENT', 'INFO').text.decode()
    assert f' laddr=127.0.0.1:{server.tls_port} ' in line
    assert ' events=r ' in line


# Configuration


def test_other_certificates_are_shown_to_newcomers(
    server: TlsServer, connect: Open, certificates: Certificates
) -> None:
    certificates.sign('second')
    old = connect(server.tls_port)
    files = [certificates.path(name) for name in ('second.crt', 'second.key')]
    assert server.set('tls-cert-file', files[0], 'tls-key-file', files[1]) == 'OK'
    new = connect(server.tls_port)
    assert serial_number(new) != serial_number(old)
    assert old('PING').text == new('PING').text == b'PONG'
    # The same file again is read again.
    certificates.sign('second')
    assert server.set('tls-cert-file', files[0]) == 'OK'
    newest = connect(server.tls_port)
    assert serial_number(newest) not in (serial_number(new), serial_number(old))


def test_what_cannot_be_loaded_changes_nothing(server: TlsServer, connect: Open, certificates: Certificates) -> None:
    before = serial_number(connect(server.tls_port))
    for pairs in (
        ('tls-cert-file', '/no/such/file'),
        ('tls-key-file', certificates.path('client.key')),
        ('timeout', '100', 'tls-ciphers', 'ROT13'),
    ):
        assert server.set(*pairs) == (
            f"ERR CONFIG SET failed (possibly related to argument '{pairs[-2]}')"
            ' - Unable to update TLS configuration. Check server logs.'
        )
    assert server.plain('CONFIG', 'GET', 'timeout').items[1].text == b'0'
    assert serial_number(connect(server.tls_port)) == before


def test_tls_may_be_opened_moved_and_closed(certificates: Certificates, connect: Open) -> None:
    with serving(certificates, tls_port='0') as server:
        one, other = free_port(), free_port()
        assert server.set('tls-port', str(one)) == 'OK'
        client = connect(one)
        assert server.set('tls-port', str(other)) == 'OK'
        assert connect(other)('PING').text == client('PING').text == b'PONG'
        with pytest.raises(ConnectionRefusedError):
            connect(one)
        assert server.set('tls-port', '0') == 'OK'
        with pytest.raises(ConnectionRefusedError):
            connect(other)
        assert 'listener2' not in server.info('server')
        assert client('PING').text == b'PONG'


def test_tls_moves_to_other_addresses_with_the_plain_port(server: TlsServer, connect: Open) -> None:
    assert server.set('bind', '127.0.0.2 127.0.0.1') == 'OK'
    for address in ('127.0.0.1', '127.0.0.2'):
        socket.create_connection((address, server.tls_port)).close()
    assert server.set('bind', '127.0.0.1 192.0.2.1').startswith('ERR CONFIG SET failed')
    assert connect(server.tls_port)('PING').text == b'PONG'
    socket.create_connection(('127.0.0.2', server.tls_port)).close()


def test_a_port_that_cannot_be_had_leaves_the_old_one(server: TlsServer, connect: Open) -> None:
    with socket.create_server(('127.0.0.1', 0)) as taken:
        port = taken.getsockname()[1]
        assert server.set('tls-port', str(port)) == (
            "ERR CONFIG SET failed (possibly related to argument 'tls-port')"
            ' - Unable to listen on this port. Check server logs.'
        )
    assert connect(server.tls_port)('PING').text == b'PONG'
    assert server.plain('CONFIG', 'GET', 'tls-port').items[1].text == b'%d' % server.tls_port


def test_no_tls_port_is_opened_without_a_certificate(certificates: Certificates) -> None:
    with serving(certificates, tls_port='0', tls_cert_file='') as server:
        assert server.set('tls-port', str(free_port())) == (
            "ERR CONFIG SET failed (possibly related to argument 'tls-port')"
            ' - Unable to update TLS configuration. Check server logs.'
        )
        assert server.set('tls-key-file', '/no/such/file') == 'OK'  # which nothing asks for


def test_a_port_may_change_from_tls_to_plain_and_back(server: TlsServer, connect: Open) -> None:
    port = str(server.tls_port)
    assert server.set('tls-port', '0', 'port', port) == 'OK'
    with WireClient(('127.0.0.1', int(port))) as plain:
        assert plain('PING').text == b'PONG'
        assert plain('CONFIG', 'SET', 'port', '0', 'tls-port', port).text == b'OK'
    assert connect(int(port))('PING').text == b'PONG'


# Clients


@pytest.fixture
def python_client(server: TlsServer, certificates: Certificates) -> Iterator[Any]:
    client = redis.Redis.from_url(
        f'rediss://localhost:{server.tls_port}',
        ssl_ca_certs=certificates.path('ca.crt'),
        ssl_certfile=certificates.path('client.crt'),
        ssl_keyfile=certificates.path('client.key'),
        socket_timeout=10,
    )
    yield client
    client.close()


def test_redis_py_with_large_values_and_pipelines(python_client: Any) -> None:
    value = os.urandom(5_000_000)
    python_client.set('large', value)
    assert python_client.get('large') == value
    pipeline = python_client.pipeline(transaction=False)
    for number in range(5_000):
        pipeline.set(f'key:{number}', number)
        pipeline.get(f'key:{number}')
    assert pipeline.execute()[1::2] == [b'%d' % number for number in range(5_000)]


def test_redis_py_with_messages_and_waits(python_client: Any) -> None:
    with python_client.pubsub(ignore_subscribe_messages=True) as subscriber:
        subscriber.subscribe('news')
        assert subscriber.get_message(timeout=10) is None  # that it has subscribed
        assert python_client.publish('news', 'x' * 100_000) == 1
        assert subscriber.get_message(timeout=10)['data'] == b'x' * 100_000
    pusher = threading.Timer(0, lambda: python_client.rpush('list', 'item'))
    pusher.start()
    assert python_client.blpop('list', timeout=10) == (b'list', b'item')
    pusher.join()


@pytest.fixture
def process(certificates: Certificates, start_selredis: Callable[..., SelredisServer]) -> SelredisServer:
    """A server without a plain port."""
    return start_selredis(
        *('--tls-port', str(free_port()), '--tls-auth-clients', 'optional'),
        *('--tls-cert-file', certificates.path('server.crt'), '--tls-key-file', certificates.path('server.key')),
        *('--tls-ca-cert-file', certificates.path('ca.crt')),
    )


def test_redis_cli(process: SelredisServer, redis_cli: str, certificates: Certificates, tmp_path: Path) -> None:
    def run(*words: str, stdin: str = '', shows: bool = True) -> str:
        command = [
            redis_cli,
            '-h',
            'localhost',
            '-p',
            str(process.port),
            '--tls',
            '--cacert',
            certificates.path('ca.crt'),
        ]
        if shows:
            command += ['--cert', certificates.path('client.crt'), '--key', certificates.path('client.key')]
        ended = subprocess.run([*command, *words], input=stdin, capture_output=True, text=True, timeout=20, check=True)
        return ended.stdout

    value = os.urandom(1_000_000).hex()
    assert run('-x', 'SET', 'key', stdin=value) == 'OK\n'
    assert run('GET', 'key') == f'{value}\n'
    assert run('PING', shows=False) == 'PONG\n'
    assert run('--pipe', stdin='SET a 1\r\nINCR a\r\n').endswith('errors: 0, replies: 2\n')
    assert f'tcp_port:{process.port}\n' in run('INFO', 'server').replace('\r', '')
    assert process.stop(signal.SIGTERM) == 0
    lines = [line.split(' ', 6)[-1] for line in process.log]
    assert f'Listening on 127.0.0.1:{process.port} (tls)' in lines
    assert [line for line in lines if line.startswith('Ready')] == ['Ready to accept connections tls']


def test_no_start_without_a_certificate() -> None:
    with pytest.raises(AssertionError) as raised:
        SelredisServer('--tls-port', str(free_port()))
    lines = [line.split(' ', 6)[-1] for line in str(raised.value).splitlines()[-2:]]
    assert lines == ['No tls-cert-file configured!', 'Failed to configure TLS. Check logs for more info.']
