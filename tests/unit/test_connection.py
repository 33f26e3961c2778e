"""A connection over a socket pair: what it reads, holds, sends and keeps, a turn at a time."""

import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from random import Random

import pytest

import selredis.commands  # noqa: F401  (importing it fills the command table)
from selredis.clock import ManualClock
from selredis.config import Config
from selredis.engine.command import COMMANDS
from selredis.engine.engine import Engine
from selredis.engine.executor import SLICE_MS
from selredis.net.connection import MAX_SEND_BYTES, Connection
from selredis.net.loop import Loop
from selredis.net.remote_client import HIGH_WATER_BYTES, READ_BYTES, UNCOUNTED_BYTES, ConnectionTable
from selredis.resp.parser import ParserLimits
from selredis.resp.pieces import LARGE_BYTES, buffers_of
from tests.harness.invariants import check_invariants
from tests.unit.conftest import FailingLog


class Peer:
    """One end of a socket pair, and the connection at the other."""

    def __init__(self, driver: 'Driver') -> None:
        self.driver = driver
        self.socket, served = socket.socketpair()
        self.socket.settimeout(5)
        served.setblocking(False)
        self.connection = Connection(driver.engine, driver.loop, driver.table, served, ParserLimits())

    def say(self, *lines: str) -> None:
        self.socket.sendall(''.join(line + '\r\n' for line in lines).encode())

    def heard(self) -> bytes:
        """All that is here by now."""
        self.socket.setblocking(False)
        data = b''
        try:
            while more := self.socket.recv(1 << 20):
                data += more
        except BlockingIOError:
            pass
        self.socket.settimeout(5)
        return data


class Driver:
    """What the server does with its connections, turn by turn."""

    def __init__(self, engine: Engine, loop: Loop) -> None:
        self.engine = engine
        self.loop = loop
        self.table = ConnectionTable()
        self.peers: list[Peer] = []

    def connect(self) -> Peer:
        self.peers.append(Peer(self))
        return self.peers[-1]

    def turn(self) -> None:
        self.loop.call_again()
        self.loop.turn()
        self.settle()

    def settle(self) -> None:
        engine = self.engine
        runnable, engine.runnable = engine.runnable, []
        for client in runnable:
            client.resume()
        for client in engine.to_flush:
            client.flush()
        engine.to_flush.clear()
        doomed, engine.doomed = engine.doomed, []
        for client in doomed:
            connection = self.table.by_id(client.id)
            if connection is not None and (client.doomed or not connection.unsent_bytes):
                connection.close()


@pytest.fixture
def driver(config: Config) -> Iterator[Driver]:
    engine = Engine(config, ManualClock(start_ms=1_700_000_000_000), Random(0), FailingLog())

    def fail(fd: int, error: Exception) -> None:
        raise AssertionError(fd) from error

    loop = Loop(engine.clock, engine.timers, fail, engine.stats)
    driver = Driver(engine, loop)
    yield driver
    for connection in driver.table.all():
        connection.close()
    for peer in driver.peers:
        peer.socket.close()
    loop.close()


@pytest.fixture
def connect(driver: Driver) -> Callable[[], Peer]:
    return driver.connect


# --- input ------------------------------------------------------------------------------------------------------------


def test_replies_leave_at_the_end_of_the_turn(driver, connect):
    peer = connect()
    peer.say('PING', 'PING x')
    driver.turn()
    assert peer.heard() == b'+PONG\r\n$1\r\nx\r\n'


def test_half_a_command_waits_for_its_other_half(driver, connect):
    peer = connect()
    peer.socket.sendall(b'*2\r\n$4\r\nECHO\r\n$5\r\nhe')
    driver.turn()
    assert peer.heard() == b''
    assert peer.connection.query_bytes == 2
    assert peer.connection.argument_bytes == 4
    peer.socket.sendall(b'llo\r\n')
    driver.turn()
    assert peer.heard() == b'$5\r\nhello\r\n'
    assert peer.connection.query_bytes == 0


def test_a_pipeline_behind_a_waiting_command_waits_its_turn(driver, connect):
    waiting, pusher = connect(), connect()
    waiting.say('BLPOP q 0', 'ECHO 1')
    driver.turn()
    waiting.say('ECHO 2')
    driver.turn()
    assert waiting.heard() == b''
    pusher.say('RPUSH q x')
    driver.turn()
    driver.turn()
    assert waiting.heard() == b'*2\r\n$1\r\nq\r\n$1\r\nx\r\n$1\r\n1\r\n$1\r\n2\r\n'


def test_what_comes_in_the_turn_in_which_a_wait_ends_stays_behind_what_came_before(driver, connect):
    pusher, waiting = connect(), connect()
    waiting.say('BLPOP q 0', 'ECHO 1')
    driver.turn()
    pusher.say('RPUSH q x')
    waiting.say('ECHO 2')
    for connection in (pusher.connection, waiting.connection):
        connection.on_readable()
    driver.settle()
    driver.turn()
    assert waiting.heard() == b'*2\r\n$1\r\nq\r\n$1\r\nx\r\n$1\r\n1\r\n$1\r\n2\r\n'


def test_a_peer_that_hangs_up_while_it_waits_loses_nothing(driver, connect):
    pusher, waiting = connect(), connect()
    waiting.say('BLPOP q 0')
    driver.turn()
    waiting.socket.close()
    pusher.say('RPUSH q x', 'LLEN q')
    for connection in (waiting.connection, pusher.connection):
        connection.on_readable()
    driver.settle()
    assert pusher.heard() == b':1\r\n:1\r\n'
    assert len(driver.table) == 1


def test_end_of_file_runs_held_input_and_sends_its_replies(driver, connect, slow):
    slow('INCR', 0.1)
    peer = connect()
    peer.say(*['INCR n'] * 20_000)
    peer.socket.shutdown(socket.SHUT_WR)
    heard = b''
    while driver.table:
        driver.turn()
        heard += peer.heard()
    assert heard == b''.join(b':%d\r\n' % number for number in range(1, 20_001))


def test_end_of_file_abandons_each_blocked_command_and_runs_the_others(driver, connect):
    peer, pusher = connect(), connect()
    peer.say('BLPOP q 0', 'INCR n', 'CLIENT REPLY SKIP', 'BLPOP q 0', 'INCR n', 'BLMOVE q r LEFT LEFT 0', 'INCR n')
    driver.turn()
    peer.socket.shutdown(socket.SHUT_WR)
    for _ in range(6):
        driver.turn()
    assert peer.heard() == b':1\r\n:2\r\n:3\r\n'
    assert driver.table.all() == [pusher.connection]
    pusher.say('RPUSH q x')
    driver.turn()
    assert pusher.heard() == b':1\r\n'
    check_invariants(driver.engine)


def test_end_of_file_is_read_once(driver, connect):
    """The socket stays readable at end of file: to watch it any longer would keep the loop from waiting."""
    peer = connect()
    driver.engine.keyspace.databases[0].set(b'k', b'x' * 3_000_000)
    peer.say('GET k')
    peer.socket.shutdown(socket.SHUT_WR)
    driver.turn()
    driver.turn()
    connection = peer.connection
    assert connection.input_ended
    assert connection.events == b'w'
    assert connection in driver.table.all()
    heard = 0
    while driver.table:
        heard += len(peer.heard())
        driver.turn()
    assert heard + len(peer.heard()) == len(b'$3000000\r\n') + 3_000_000 + 2


def test_a_congested_client_runs_its_commands_after_end_of_file(driver, connect):
    peer = connect()
    driver.engine.keyspace.databases[0].set(b'k', b'x' * 10_000_000)
    peer.say(*['GET k'] * 10, 'INCR n')
    peer.socket.shutdown(socket.SHUT_WR)
    for _ in range(10):
        driver.turn()
    assert peer.connection.congested
    heard = b''
    while driver.table:
        heard = (heard + peer.heard())[-100:]
        driver.turn()
    assert (heard + peer.heard()).endswith(b'x\r\n:1\r\n')


def test_a_reset_ends_a_client_at_once(driver, connect):
    server = socket.create_server(('127.0.0.1', 0))
    ours = socket.create_connection(server.getsockname())
    served, _ = server.accept()
    server.close()
    served.setblocking(False)
    connection = Connection(driver.engine, driver.loop, driver.table, served, ParserLimits())
    ours.sendall(b'BLPOP q 0\r\nINCR n\r\n')
    driver.turn()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    ours.close()
    driver.turn()
    assert connection.doomed
    assert not driver.table
    assert b'n' not in driver.engine.keyspace.databases[0]


def test_commands_before_authentication_run_before_end_of_file(driver, connect, config):
    config.set_pairs([(b'requirepass', b'secret')])
    peer = connect()
    peer.say('AUTH secret', *['INCR n'] * 3000)
    peer.socket.shutdown(socket.SHUT_WR)
    heard = b''
    while driver.table:
        driver.turn()
        heard += peer.heard()
    assert heard.endswith(b':3000\r\n')


def test_a_broken_request_is_answered_behind_the_replies_before_it(driver, connect):
    peer = connect()
    peer.socket.sendall(b'PING\r\n*1\r\nPING\r\n')
    driver.turn()
    assert peer.socket.recv(100) == b"+PONG\r\n-ERR Protocol error: expected '$', got 'P'\r\n"
    assert peer.socket.recv(100) == b''


def test_a_client_that_sends_too_much_at_once_is_cut_off(driver, connect, config):
    config.set_pairs([(b'client-query-buffer-limit', b'1mb')])
    peer = connect()
    peer.socket.sendall(b'*2\r\n$4\r\nECHO\r\n$2000000\r\n')
    sent = 0
    while not peer.connection.doomed:
        sent += peer.socket.send(b'x' * READ_BYTES)
        driver.turn()
    assert 1024 * 1024 <= sent <= 1024 * 1024 + READ_BYTES
    assert driver.engine.stats.query_limit_disconnections == 1


def test_held_input_counts_towards_the_limit(driver, connect, config):
    config.set_pairs([(b'client-query-buffer-limit', b'1mb')])
    peer = connect()
    peer.say('BLPOP q 0')
    driver.turn()
    while not peer.connection.doomed:
        peer.socket.send(b'PING\r\n' * 1000)
        driver.turn()
    assert driver.engine.stats.query_limit_disconnections == 1


def test_the_words_of_half_a_command_count_towards_the_limit(driver, connect, config):
    config.set_pairs([(b'client-query-buffer-limit', b'1mb')])
    peer = connect()
    peer.socket.sendall(b'*1000000000\r\n')
    words = 0
    while not peer.connection.doomed:
        peer.socket.send(b'$1\r\nx\r\n' * 1000)
        driver.turn()
        words += 1000
    assert words < 1024 * 1024 // 40
    assert driver.engine.stats.query_limit_disconnections == 1


def test_words_are_counted_for_their_own_command_only(driver, connect, config):
    config.set_pairs([(b'client-query-buffer-limit', b'1mb')])
    peer = connect()
    value = b'$300000\r\n' + b'x' * 300_000 + b'\r\n'
    for _ in range(5):
        for piece in (b'*5\r\n$4\r\nMSET\r\n$1\r\na\r\n' + value, b'$1\r\nb\r\n' + value[:-5]):
            peer.connection.parser.feed(piece)
        assert peer.connection.argument_bytes == 300_006
        assert len(peer.connection.parser.feed(value[-5:])) == 1
        assert peer.connection.argument_bytes == 0


def test_input_that_comes_byte_by_byte_is_held_in_few_pieces(driver, connect):
    peer = connect()
    peer.say('BLPOP q 0')
    driver.turn()
    for _ in range(2000):
        for byte in b'ECHO x\r\n':
            peer.connection.hold(bytes([byte]))
    assert len(peer.connection.held) < 10
    connect().say('RPUSH q 1')
    driver.turn()
    driver.turn()
    assert peer.heard().endswith(b'$1\r\nx\r\n' * 2000)


# --- others have their turn -------------------------------------------------------------------------------------------


@pytest.fixture
def slow(driver, monkeypatch):
    """Makes a command take some milliseconds."""

    def make_slow(name: str, ms: float) -> None:
        handler = COMMANDS[name.encode()].handler

        def slow_handler(client, argv):
            driver.engine.clock.advance(ms)
            return handler(client, argv)

        monkeypatch.setattr(COMMANDS[name.encode()], 'handler', slow_handler)

    return make_slow


def test_a_client_whose_command_takes_long_lets_others_have_their_turn(driver, connect, slow):
    slow('KEYS', SLICE_MS + 1)
    greedy, other = connect(), connect()
    greedy.say('KEYS *', 'KEYS *', 'INCR n', 'KEYS *', 'INCR n')
    driver.turn()
    assert greedy.heard() == b'*0\r\n' * 2  # it was its turn again before the next wait
    other.say('INCR n')
    driver.turn()
    assert other.heard() == b':1\r\n'
    driver.turn()
    driver.turn()
    assert greedy.heard() == b':2\r\n*1\r\n$1\r\nn\r\n:3\r\n'


def test_a_long_pipeline_of_short_commands_lets_others_have_their_turn(driver, connect, slow):
    slow('INCR', 0.1)
    greedy, other = connect(), connect()
    greedy.say(*['INCR n'] * 1000)
    driver.turn()
    other.say('GET n')
    driver.turn()
    assert int(other.heard().split()[1]) < 300
    for _ in range(20):
        driver.turn()
    assert greedy.heard() == b''.join(b':%d\r\n' % number for number in range(1, 1001))


def test_a_client_that_is_behind_is_not_read_any_further(driver, connect, slow):
    slow('KEYS', SLICE_MS + 1)
    greedy = connect()
    greedy.socket.settimeout(0)
    sent = 0
    for _ in range(200):
        try:
            sent += greedy.socket.send(b'KEYS *\r\n' * 1000)
        except BlockingIOError:
            pass
        driver.turn()
    assert greedy.connection.query_bytes <= 3 * READ_BYTES
    assert greedy.connection.held_bytes >= READ_BYTES


# --- authentication ---------------------------------------------------------------------------------------------------


def test_a_stranger_that_does_not_read_is_cut_off_soon(driver, connect, config):
    config.set_pairs([(b'requirepass', b'secret')])
    peer = connect()
    peer.socket.settimeout(0)
    most = 0
    while not peer.connection.doomed:
        try:
            peer.socket.send(b'x\n' * 1000)
        except BlockingIOError:
            pass
        driver.turn()
        most = max(most, peer.connection.unsent_bytes)
    assert most < 10_000
    assert driver.engine.stats.output_limit_disconnections == 1


def test_a_stranger_that_reads_may_go_on_guessing(driver, connect, config):
    config.set_pairs([(b'requirepass', b'secret')])
    peer = connect()
    for _ in range(100):
        peer.say(*['AUTH wrong'] * 100)
        driver.turn()
        driver.turn()
        assert peer.heard().count(b'-WRONGPASS') == 100
    peer.say('AUTH secret')
    driver.turn()
    assert peer.heard() == b'+OK\r\n'


def test_input_of_an_unauthenticated_client_is_kept_within_bounds(driver, connect, config):
    config.set_pairs([(b'requirepass', b'secret')])
    peer = connect()
    peer.socket.setblocking(False)
    (connection,) = driver.table.all()
    for _ in range(60):
        with suppress(BlockingIOError):
            while True:
                peer.socket.send(b'*2\r\n$3\r\nGET\r\n$1\r\nk\r\n' * 4096)
        driver.turn()
        with suppress(BlockingIOError):
            peer.socket.recv(READ_BYTES)
        assert connection.query_bytes <= 3 * READ_BYTES


def test_a_stranger_may_send_little(driver, connect, config):
    config.set_pairs([(b'requirepass', b'secret')])
    peer = connect()
    peer.socket.sendall(b'*11\r\n')
    driver.turn()
    assert peer.socket.recv(100) == b'-ERR Protocol error: unauthenticated multibulk length\r\n'


def test_auth_in_a_pipeline_lifts_the_limits_for_what_follows(driver, connect, config):
    config.set_pairs([(b'requirepass', b'secret')])
    peer = connect()
    words = b''.join(b'$1\r\n%d\r\n' % (n % 10) for n in range(12))
    peer.socket.sendall(b'PING\r\nAUTH secret\r\n*13\r\n$4\r\nMGET\r\n' + words + b'PING\r\n')
    driver.turn()
    assert peer.heard() == b'-NOAUTH Authentication required.\r\n+OK\r\n*12\r\n' + b'$-1\r\n' * 12 + b'+PONG\r\n'


# --- output -----------------------------------------------------------------------------------------------------------


def test_what_the_socket_does_not_take_leaves_when_it_is_writable(driver, connect):
    peer = connect()
    driver.engine.keyspace.databases[0].set(b'k', b'x' * 3_000_000)
    peer.say('GET k', 'PING')
    driver.turn()
    assert peer.connection.unsent_bytes > 0
    assert peer.connection.unsent_pieces > 0
    assert peer.connection.events == b'rw'
    data = b''
    while peer.connection.unsent_bytes:
        data += peer.heard()
        driver.turn()
    data += peer.heard()
    assert data == b'$3000000\r\n' + b'x' * 3_000_000 + b'\r\n+PONG\r\n'
    assert peer.connection.events == b'r'


def test_who_quits_gets_all_replies_first(driver, connect):
    peer = connect()
    driver.engine.keyspace.databases[0].set(b'k', b'x' * 1_000_000)
    peer.say('GET k', 'QUIT')
    driver.turn()
    assert peer.connection.closing
    data = b''
    while len(driver.table):
        data += peer.heard()
        driver.turn()
    data += peer.heard()
    assert data.endswith(b'x\r\n+OK\r\n')
    assert peer.socket.recv(1) == b''


def test_a_reader_that_does_not_read_is_asked_no_more(driver, connect):
    peer = connect()
    driver.engine.keyspace.databases[0].set(b'k', b'x' * 10_000_000)
    peer.say(*['GET k'] * 10)
    for _ in range(10):
        driver.turn()
    assert peer.connection.unsent_bytes > HIGH_WATER_BYTES
    assert peer.connection.events == b'w'
    assert peer.connection.pending
    received = 0
    while received < 10 * (10_000_000 + len(b'$10000000\r\n\r\n')):
        received += len(peer.heard())
        driver.turn()
    assert peer.connection.events == b'r'
    assert not peer.connection.pending


def arrived(driver: Driver, peer: Peer, count: int) -> bytes:
    """So many bytes, in as many turns as they take."""
    pieces = []
    while count > 0:
        pieces.append(peer.heard())
        count -= len(pieces[-1])
        driver.turn()
    return b''.join(pieces)


def bulk(text: bytes) -> bytes:
    return b'$%d\r\n%b\r\n' % (len(text), text)


def test_large_values_in_an_array_are_kept_as_they_are_stored(driver, connect):
    peer = connect()
    large, small = b'x' * 3_000_000, b'y' * 100
    db = driver.engine.keyspace.databases[0]
    db.set(b'large', large)
    db.set(b'small', small)
    peer.say('MGET small large large small large')
    driver.turn()
    connection = peer.connection
    kept = [memoryview(piece).obj for piece in connection.unsent]
    assert sum(each is large for each in kept) == 3
    reply = b'*5\r\n' + b''.join(map(bulk, (small, large, large, small, large)))
    waiting = connection.unsent_bytes
    assert waiting == sum(map(len, connection.unsent))
    assert arrived(driver, peer, len(reply)) == reply
    assert connection.unsent_bytes == 0
    assert connection.unsent is None


@pytest.mark.parametrize('size', [LARGE_BYTES - 1, LARGE_BYTES, MAX_SEND_BYTES - 100, MAX_SEND_BYTES, 2_500_000])
@pytest.mark.parametrize('count', [1, 2, 30])
def test_an_array_of_values_of_any_size_arrives_whole(driver, connect, size, count):
    peer = connect()
    driver.engine.keyspace.databases[0].set(b'k', Random(size).randbytes(size))
    value = driver.engine.keyspace.databases[0].values[b'k']
    reply = b'*%d\r\n' % count + bulk(value) * count
    for pipelined in (1, 2):
        peer.say(*['MGET' + ' k' * count, 'PING'] * pipelined)
        driver.turn()
        assert arrived(driver, peer, pipelined * (len(reply) + 7)) == (reply + b'+PONG\r\n') * pipelined
    assert peer.connection.unsent_bytes == 0


def test_a_large_value_that_is_deleted_is_sent_all_the_same(driver, connect):
    peer, other = connect(), connect()
    value = Random(1).randbytes(3_000_000)
    driver.engine.keyspace.databases[0].set(b'k', value)
    peer.say('MGET k k')
    driver.turn()
    other.say('DEL k')
    driver.turn()
    reply = b'*2\r\n' + bulk(value) * 2
    assert arrived(driver, peer, len(reply)) == reply


def test_what_a_reply_of_large_values_shares_counts_towards_the_limit_each_time(driver, connect, config):
    set_limit(config, b'normal 2999999 0 0')
    peer = connect()
    driver.engine.keyspace.databases[0].set(b'k', b'x' * 1_000_000)
    peer.say('MGET k k')
    driver.turn()
    assert arrived(driver, peer, 2_000_000).startswith(b'*2\r\n')
    assert not peer.connection.doomed
    peer.say('MGET k k k')
    driver.turn()
    assert driver.engine.stats.output_limit_disconnections == 1


def test_large_values_behind_unread_output_wait_without_being_copied(driver, connect):
    peer = connect()
    value = Random(2).randbytes(2_000_000)
    driver.engine.keyspace.databases[0].set(b'k', value)
    peer.say('MGET k k')
    driver.turn()
    peer.say('PING', 'MULTI', 'GET k', 'EXEC', 'HSET h f v', 'HGETALL h')
    driver.turn()
    assert any(piece is value for piece in peer.connection.unsent)
    reply = b'*2\r\n' + bulk(value) * 2 + b'+PONG\r\n+OK\r\n+QUEUED\r\n*1\r\n' + bulk(value)
    reply += b':1\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n'
    assert arrived(driver, peer, len(reply)) == reply


def test_subscribers_share_a_large_message(driver, connect):
    listening = connect(), connect()
    for peer in listening:
        peer.say('SUBSCRIBE news')
    driver.turn()
    for peer in listening:
        peer.heard()
    message = Random(3).randbytes(5_000_000)
    assert driver.engine.pubsub.publish(b'news', message) == 2
    for peer in listening:
        assert any(buffer is message for data in peer.connection.out for buffer in buffers_of(data))
    driver.settle()
    frame = b'*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n' + bulk(message)
    for peer in listening:
        assert arrived(driver, peer, len(frame)) == frame


# --- limits of output -------------------------------------------------------------------------------------------------


def set_limit(config: Config, text: bytes) -> None:
    config.set_pairs([(b'client-output-buffer-limit', text)])


def test_a_reply_past_the_hard_limit_is_not_sent_at_all(driver, connect, config):
    set_limit(config, b'normal 100000 0 0')
    peer = connect()
    driver.engine.keyspace.databases[0].set(b'k', b'x' * 100_000)
    peer.say('GET k')
    driver.turn()
    assert peer.socket.recv(1) == b''
    assert driver.engine.stats.output_limit_disconnections == 1
    (line,) = driver.engine.log.lines
    assert line.startswith('Client id=1 ')
    assert line.endswith(' scheduled to be closed ASAP for overcoming of output buffer limits.')


def test_a_reply_of_many_pieces_past_the_hard_limit_is_told_of_once(driver, connect, config):
    set_limit(config, b'normal 100000 0 0')
    peer = connect()
    driver.engine.keyspace.databases[0].set(b'k', b'x' * 1_000_000)
    peer.say(*['GET k'] * 3)
    driver.turn()
    assert peer.socket.recv(1) == b''
    assert driver.engine.stats.output_limit_disconnections == 1


def test_a_reply_below_the_hard_limit_is_sent(driver, connect, config):
    set_limit(config, b'normal 100000 0 0')
    peer = connect()
    driver.engine.keyspace.databases[0].set(b'k', b'x' * 99_000)
    peer.say('GET k')
    driver.turn()
    assert len(peer.heard()) == len(b'$99000\r\n') + 99_000 + 2


def test_a_short_reply_is_past_no_limit(driver, connect, config):
    set_limit(config, b'normal 1000 0 0')
    peer = connect()
    driver.engine.keyspace.databases[0].set(b'k', b'x' * (UNCOUNTED_BYTES - 100))
    peer.say('GET k')
    driver.turn()
    assert len(peer.heard()) > UNCOUNTED_BYTES - 100


def test_commands_of_a_client_that_is_cut_off_are_run_to_the_end_of_the_unit(driver, connect, config):
    set_limit(config, b'normal 100000 0 0')
    peer = connect()
    db = driver.engine.keyspace.databases[0]
    db.set(b'k', b'x' * 150_000)
    peer.say('MULTI', 'SET before 1', 'GET k', 'SET after 1', 'EXEC')
    driver.turn()
    assert peer.connection.doomed
    assert b'before' in db
    assert b'after' in db


def test_a_subscriber_that_does_not_read_is_cut_off_and_the_others_miss_nothing(driver, connect, config):
    set_limit(config, b'pubsub 1000000 0 0')
    publisher, deaf, listening = connect(), connect(), connect()
    for peer in (deaf, listening):
        peer.say('SUBSCRIBE news')
    driver.turn()
    deaf.heard()
    listening.heard()
    heard = messages = 0
    while not deaf.connection.doomed:
        publisher.say('PUBLISH news ' + 'x' * 10_000)
        messages += 1
        driver.turn()
        driver.turn()
        heard += len(listening.heard())
    frame = b'*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$10000\r\n' + b'x' * 10_000 + b'\r\n'
    assert heard == messages * len(frame)
    assert driver.engine.pubsub.channels == {b'news': {listening.connection: None}}


def test_the_soft_limit_allows_a_while(driver, connect, config):
    set_limit(config, b'pubsub 0 100000 3')
    clock = driver.engine.clock
    publisher, deaf = connect(), connect()
    deaf.say('SUBSCRIBE news')
    driver.turn()
    while deaf.connection.unsent_bytes < 200_000:
        publisher.say('PUBLISH news ' + 'x' * 50_000)
        driver.turn()
        driver.turn()
    assert list(driver.table.over_soft_limit) == [deaf.connection]
    clock.advance(3_000)
    assert not deaf.connection.check_output_limit()
    clock.advance(1)
    assert deaf.connection.check_output_limit()
    assert deaf.connection.doomed


# --- the table --------------------------------------------------------------------------------------------------------


def test_the_table_finds_connections_and_adds_up(driver, connect):
    one, two = connect(), connect()
    table = driver.table
    assert table.by_fd(one.connection.fd) is one.connection
    assert table.by_id(two.connection.id) is two.connection
    assert table.by_id(99) is None
    one.socket.sendall(b'*2\r\n$4\r\nECHO\r\n$9\r\nabc')
    two.socket.sendall(b'*2\r\n$4\r\nECHO\r\n$9\r\nabcd')
    driver.turn()
    assert table.unread_bytes == 7
    assert table.unsent_bytes == 0
    one.socket.close()
    driver.turn()
    assert table.all() == [two.connection]
    assert driver.engine.clients == {two.connection.id: two.connection}


def test_a_connection_that_cannot_be_watched_leaves_nothing(driver, monkeypatch):
    def fail(fd: int, callback: object) -> None:
        raise MemoryError

    monkeypatch.setattr(driver.loop, 'add_reader', fail)
    ours, served = socket.socketpair()
    with ours, pytest.raises(MemoryError):
        Connection(driver.engine, driver.loop, driver.table, served, ParserLimits())
    assert served.fileno() == -1
    assert not driver.table
    assert not driver.engine.clients


def test_idle_time_ends_with_bytes_in_either_direction(driver, connect):
    publisher, listening = connect(), connect()
    listening.say('SUBSCRIBE news')
    driver.turn()
    driver.engine.clock.advance(5_000)
    publisher.say('PUBLISH news x')
    driver.turn()
    assert listening.connection.last_active_ms == driver.engine.now_ms
    driver.engine.clock.advance(5_000)
    driver.engine.tell_time()
    listening.socket.sendall(b'*1\r\n$4\r\nPI')
    driver.turn()
    assert listening.connection.last_active_ms == driver.engine.now_ms
