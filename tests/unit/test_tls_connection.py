"""A connection that speaks TLS, over a socket pair: handshakes, what is read and sent, a turn at a time."""

import gc
import socket
import ssl
from collections.abc import Callable, Iterator
from random import Random

import pytest

import selredis.commands  # noqa: F401  (importing it fills the command table)
from selredis.clock import ManualClock
from selredis.config import Config
from selredis.engine.command import COMMANDS
from selredis.engine.engine import Engine
from selredis.net.connection import MAX_SEND_BYTES
from selredis.net.loop import Loop
from selredis.net.remote_client import READ_BYTES, ConnectionTable
from selredis.net.tls_connection import HANDSHAKE_SECONDS, TlsConnection
from selredis.resp.parser import ParserLimits
from tests.harness.certificates import Certificates
from tests.unit.conftest import FailingLog


class Peer:
    """A client's end of a socket pair. It encrypts in memory, so that a test has every byte in its hands."""

    def __init__(self, server: 'Server', context: ssl.SSLContext) -> None:
        self.server = server
        self.socket, served = socket.socketpair()
        for sock in (self.socket, served):
            sock.setblocking(False)
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname='localhost')
        self.connection = TlsConnection(
            server.engine, server.loop, server.table, served, ParserLimits(), server.context, server.secured.append
        )
        self.connection.addr, self.connection.laddr = b'here:1', b'there:2'

    def shake_hands(self, piece_bytes: int = 1 << 20) -> None:
        """Go through a handshake, sending so many bytes at a time. What ends it waits in `outgoing`."""
        while True:
            try:
                self.tls.do_handshake()
            except ssl.SSLWantReadError:
                self.send(piece_bytes)
                self.receive()
            else:
                return

    def send(self, piece_bytes: int = 1 << 20) -> None:
        """Let the server have what has been encrypted, turn by turn."""
        while self.outgoing.pending:
            data = memoryview(self.outgoing.read())
            for place in range(0, len(data), piece_bytes):
                piece = data[place : place + piece_bytes]
                while piece:
                    try:
                        piece = piece[self.socket.send(piece) :]
                    except BlockingIOError:
                        pass
                    self.server.turn()

    def receive(self) -> None:
        """Take what the server has sent by now, encrypted as it is."""
        try:
            while data := self.socket.recv(1 << 20):
                self.incoming.write(data)
            self.incoming.write_eof()
        except BlockingIOError:
            return

    def say(self, *lines: str) -> None:
        self.tls.write(''.join(line + '\r\n' for line in lines).encode())
        self.send()

    def heard(self, size: int = 1 << 20) -> bytes:
        """All that is here by now, and what comes in further turns up to a size that is known."""
        found = b''
        for _ in range(200):
            self.receive()
            try:
                while more := self.tls.read(1 << 20):
                    found += more
                return found
            except ssl.SSLZeroReturnError:  # both sides have said goodbye
                return found
            except ssl.SSLWantReadError:
                if len(found) >= size or not self.connection.unsent_bytes:
                    return found
            self.server.turn()
        raise AssertionError(f'only {len(found)} bytes came')


class Server:
    """What the server does with its connections, turn by turn."""

    def __init__(self, engine: Engine, loop: Loop, context: ssl.SSLContext) -> None:
        self.engine = engine
        self.loop = loop
        self.context = context
        self.table = ConnectionTable()
        self.secured: list[TlsConnection] = []

    def turn(self) -> None:
        engine = self.engine
        self.loop.call_again()
        self.loop.turn()
        runnable, engine.runnable = engine.runnable, []
        for client in runnable:
            client.resume()
        for client in engine.to_flush:
            client.flush()
        engine.to_flush.clear()
        doomed, engine.doomed = engine.doomed, []
        for client in doomed:
            connection = self.table.by_id(client.id)
            if connection is not None and connection.closable:
                connection.close()


@pytest.fixture
def log() -> FailingLog:
    return FailingLog()


@pytest.fixture
def server(config: Config, clock: ManualClock, log: FailingLog, certificates: Certificates) -> Iterator[Server]:
    engine = Engine(config, clock, Random(0), log)

    def fail(fd: int, error: Exception) -> None:
        raise AssertionError(fd) from error

    loop = Loop(clock, engine.timers, fail, engine.stats)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.path('server.crt'), certificates.path('server.key'))
    server = Server(engine, loop, context)
    yield server
    for connection in server.table.all():
        connection.close()
    loop.close()


@pytest.fixture
def context(certificates: Certificates) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certificates.path('ca.crt'))


@pytest.fixture
def connect(server: Server, context: ssl.SSLContext) -> Iterator[Callable[[], Peer]]:
    """Makes a client that has not said anything yet."""
    peers: list[Peer] = []

    def connect() -> Peer:
        peers.append(Peer(server, context))
        return peers[-1]

    yield connect
    for peer in peers:
        peer.socket.close()


@pytest.fixture
def peer(connect: Callable[[], Peer]) -> Peer:
    """A client that has been through its handshake."""
    peer = connect()
    peer.shake_hands()
    peer.send()
    return peer


# Handshakes


@pytest.mark.parametrize('version', ['TLSv1_2', 'TLSv1_3'])
@pytest.mark.parametrize('piece_bytes', [1, 1 << 20])
def test_a_handshake_and_a_command(version, piece_bytes, connect, context, server):
    context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
    peer = connect()
    peer.shake_hands(piece_bytes)
    peer.tls.write(b'PING\r\nECHO ' + b'x' * 100 + b'\r\n')
    peer.send(piece_bytes)
    assert peer.heard() == b'+PONG\r\n$100\r\n' + b'x' * 100 + b'\r\n'
    assert server.secured == [peer.connection]


def test_what_comes_with_the_end_of_the_handshake_is_run(connect, server):
    peer = connect()
    peer.shake_hands()
    assert server.secured == []
    peer.say('PING', 'PING')
    assert peer.heard() == b'+PONG\r\n+PONG\r\n'


def test_nothing_is_run_for_who_is_not_to_stay(connect, server):
    def refuse(connection):
        connection.queue(b'-DENIED\r\n')
        connection.close_after_replies()

    peer = connect()
    peer.connection.secured = refuse
    peer.shake_hands()
    peer.say('SET key value')
    assert peer.heard() == b'-DENIED\r\n'
    assert len(server.engine.keyspace.databases[0]) == 0
    assert not server.table


def complaint(reason: str) -> str:
    return f'Error accepting a client connection: {reason} (addr=here:1 laddr=there:2)'


@pytest.mark.parametrize(
    ('words', 'reason'),
    [
        (b'PING\r\n', 'wrong version number'),
        (b'*1\r\n$4\r\nPING\r\n', 'wrong version number'),
        (b'GET / HTTP/1.0\r\n\r\n', 'http request'),
        (b'\x16\x03\x01', 'the peer has closed the connection'),
        (b'', 'the peer has closed the connection'),
    ],
)
def test_who_does_not_speak_tls_is_cut_off(words, reason, connect, server, log):
    peer = connect()
    peer.socket.sendall(words)
    server.turn()
    peer.socket.shutdown(socket.SHUT_WR)
    server.turn()
    assert log.lines == [complaint(reason)]
    assert not server.table


def test_a_handshake_that_comes_to_no_end_is_cut_off(connect, server, clock, log):
    slow, good = connect(), connect()
    slow.socket.sendall(b'\x16')
    good.shake_hands()
    good.send()
    clock.advance(HANDSHAKE_SECONDS * 1000 - 1)
    server.turn()
    assert len(server.table) == 2
    clock.advance(1)
    server.turn()
    assert log.lines == [complaint(f'the handshake has not come to an end within {HANDSHAKE_SECONDS} seconds')]
    assert server.table.all() == [good.connection]


def test_the_peer_learns_why_a_handshake_fails(connect, server, log, certificates):
    server.context.load_verify_locations(certificates.path('ca.crt'))
    server.context.verify_mode = ssl.CERT_REQUIRED
    peer = connect()
    peer.shake_hands()  # which is over for a client before the server has seen that it shows nothing
    peer.send()
    with pytest.raises(ssl.SSLError, match='certificate required'):
        peer.heard()
    assert log.lines == [complaint('peer did not return a certificate')]


def test_a_client_that_nobody_vouches_for(connect, context, server, log, certificates):
    server.context.load_verify_locations(certificates.path('ca.crt'))
    server.context.verify_mode = ssl.CERT_OPTIONAL
    context.load_cert_chain(certificates.path('stranger.crt'), certificates.path('stranger.key'))
    peer = connect()
    peer.shake_hands()
    peer.send()
    with pytest.raises(ssl.SSLError, match='unknown ca'):
        peer.heard()
    assert log.lines == [complaint('certificate verify failed: self-signed certificate')]


# Input


def test_all_that_is_complete_is_run_in_the_turn(peer):
    """Readiness tells nothing of what has been decrypted already."""
    count = READ_BYTES // 30
    peer.tls.write(b'ECHO 0123456789012345678\r\n' * count)
    peer.send()
    assert peer.heard(count * 26) == b'$19\r\n0123456789012345678\r\n' * count


def test_a_large_value_both_ways(peer):
    value = Random(1).randbytes(5_000_000)
    peer.tls.write(b'*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$%d\r\n%b\r\n' % (len(value), value))
    peer.send()
    assert peer.heard() == b'+OK\r\n'
    peer.say('GET k')
    reply = b'$%d\r\n%b\r\n' % (len(value), value)
    assert peer.connection.unsent_bytes  # and what of it has been encrypted is counted as well
    assert peer.heard(len(reply)) == reply
    assert peer.connection.unsent_bytes == 0
    assert peer.connection.unsent is None
    peer.say('PING')
    assert peer.heard() == b'+PONG\r\n'


def test_an_array_of_large_values(peer, server):
    value = Random(1).randbytes(1_500_000)
    server.engine.keyspace.databases[0].set(b'k', value)
    reply = b'*3\r\n' + b'$%d\r\n%b\r\n' % (len(value), value) * 3
    for _ in range(2):
        peer.say('MGET k k k')
        assert peer.connection.unsent_bytes
        assert peer.heard(len(reply)) == reply
        assert peer.connection.unsent_bytes == 0
        assert peer.connection.unsent is None


def test_a_goodbye_is_understood(peer, server):
    with pytest.raises(ssl.SSLWantReadError):
        peer.tls.unwrap()
    peer.send()
    assert not server.table


@pytest.mark.parametrize('goodbye', [True, False], ids=['close_notify', 'end of file'])
def test_commands_before_the_end_of_input_all_run(goodbye, peer, server, clock, monkeypatch):
    """Also when they are more than the client gets done in its turn, with all that is left in the TLS layer."""
    incr = COMMANDS[b'INCR'].handler

    def slow_incr(client, argv):
        clock.advance(0.1)
        return incr(client, argv)

    monkeypatch.setattr(COMMANDS[b'INCR'], 'handler', slow_incr)
    count = 3 * READ_BYTES // 8
    peer.tls.write(b'INCR n\r\n' * count)
    if goodbye:
        with pytest.raises(ssl.SSLWantReadError):
            peer.tls.unwrap()
    unsent = memoryview(peer.outgoing.read())
    while unsent:
        try:
            unsent = unsent[peer.socket.send(unsent) :]
        except BlockingIOError:
            server.turn()
    peer.socket.shutdown(socket.SHUT_WR)
    while server.table:
        server.turn()
        peer.receive()  # or else the server would wait for it
    assert server.engine.keyspace.databases[0].values[b'n'] == count


def test_replies_are_sent_after_a_goodbye(peer, server):
    peer.tls.write(b'SETRANGE k 3000000 x\r\nGET k\r\nBLPOP q 0\r\nPING\r\n')
    with pytest.raises(ssl.SSLWantReadError):
        peer.tls.unwrap()
    peer.send()
    data = peer.heard(4_000_000)
    assert data.startswith(b':3000001\r\n$3000001\r\n')
    assert data.endswith(b'x\r\n+PONG\r\n')
    assert not server.table


def test_what_comes_after_a_goodbye_is_not_run(peer, server):
    peer.tls.write(b'INCR n\r\n')
    with pytest.raises(ssl.SSLWantReadError):
        peer.tls.unwrap()
    peer.outgoing.write(b'\x17\x03\x03\x00\x05hello')
    peer.send()
    assert not server.table
    assert server.engine.keyspace.databases[0].values[b'n'] == 1


def test_a_broken_record_ends_the_connection(peer, server):
    peer.socket.sendall(b'\x17\x03\x03\x00\x05hello')
    server.turn()
    assert not server.table


# Output


def test_no_more_is_encrypted_than_is_sent_at_once(peer, server):
    peer.tls.write(b'SETRANGE k 20000000 x\r\nGET k\r\n')
    peer.send()
    for _ in range(3):
        server.turn()
    connection = peer.connection
    assert connection.sealed is not None
    assert len(connection.sealed) <= MAX_SEND_BYTES * 1.1
    assert connection.unsent_bytes == len(connection.sealed) + sum(map(len, connection.unsent))


def test_a_peer_that_reads_nothing_is_cut_off_at_its_limit(peer, connect, server, log):
    server.engine.config.set_pairs([(b'client-output-buffer-limit', b'pubsub 1mb 0 0')])
    peer.say('SUBSCRIBE news')
    publisher = connect()
    publisher.shake_hands()
    for _ in range(40):
        publisher.say(f'PUBLISH news {"x" * 60_000}')
    assert peer.connection.doomed
    assert any('overcoming of output buffer limits' in line for line in log.lines)
    assert server.table.all() == [publisher.connection]


def test_a_closing_connection_sends_what_it_owes_first(peer, server):
    peer.tls.write(b'SETRANGE k 3000000 x\r\nGET k\r\nQUIT\r\n')
    peer.send()
    assert server.table
    data = peer.heard(4_000_000)
    assert data.startswith(b':3000001\r\n$3000001\r\n')
    assert data.endswith(b'x\r\n+OK\r\n')
    assert not server.table


def test_the_end_is_told_so_that_nothing_can_have_been_cut_off(peer, server):
    peer.say('QUIT')
    assert peer.heard() == b'+OK\r\n'
    peer.receive()
    assert peer.tls.read() == b''  # a goodbye; without one this would raise SSLEOFError


def test_a_goodbye_that_fails_does_not_keep_the_socket_open(peer, server, monkeypatch):
    def fail(_connection: TlsConnection) -> None:
        raise MemoryError

    monkeypatch.setattr(TlsConnection, 'send_close_notify', fail)
    with pytest.raises(MemoryError):
        peer.connection.close()
    monkeypatch.undo()
    assert peer.connection.sock.fileno() == -1
    assert not server.table
    assert not server.engine.clients


def test_protocol_answers_to_who_does_not_read_have_an_end(peer, server):
    connection = peer.connection
    connection.sealed = memoryview(b'waits')
    connection.outgoing.write(b'x' * MAX_SEND_BYTES)
    connection.push_own()
    assert not connection.doomed
    connection.outgoing.write(b'x')
    connection.push_own()
    assert connection.doomed


def test_a_peer_that_has_gone_ends_the_connection(peer, server):
    peer.socket.close()
    peer.connection.queue(b'+OK\r\n')
    server.turn()
    assert not server.table


def test_plain_bytes_are_counted(peer, server):
    stats = server.engine.stats
    before = stats.input_bytes, stats.output_bytes
    peer.say('PING')
    assert (stats.input_bytes - before[0], stats.output_bytes - before[1]) == (6, 7)


def test_what_is_gone_is_freed_without_a_collector(connect, server):
    def alive() -> int:
        return sum(type(thing) in (TlsConnection, ssl.SSLObject) for thing in gc.get_objects())

    gc.collect()
    before = alive()
    gc.disable()
    try:
        for words in (b'not TLS', b'', None):
            peer = connect()
            if words is None:
                peer.shake_hands()
                peer.say('SUBSCRIBE news', 'QUIT')
            else:
                peer.socket.sendall(words)
                server.turn()
                peer.socket.close()
                server.turn()
            del peer.connection, peer.tls
        assert not server.table
        server.secured.clear()
        server.engine.keyspace.current_client = None  # the last one
        assert alive() == before
    finally:
        gc.enable()
