"""`with selredis.serve() as server:` as README.md promises it, and what it leaves behind: nothing, garbage included."""

import errno
import gc
import os
import re
import resource
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

import selredis
from selredis.embedded import EmbeddedServer
from selredis.errors import ConfigError
from selredis.net.listener import ListenError
from selredis.server import Server
from tests.harness.wire import WireClient, encode_command

README = Path(__file__).parent.parent / 'README.md'
WAIT_SECONDS = 10.0


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, 'it did not come true'


def connect(server: EmbeddedServer) -> WireClient:
    return WireClient((server.host, server.port))


def server_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith('selredis:')]


def open_descriptors() -> set[str]:
    """What this process has open, each with its number."""
    directory = '/proc/self/fd'
    if not os.path.isdir(directory):
        pytest.skip(f'needs {directory}')
    found = set()
    for number in os.listdir(directory):
        try:
            found.add(f'{number} {os.readlink(f"{directory}/{number}")}')
        except FileNotFoundError:  # the one by which the directory was read
            continue
    return found


@pytest.fixture
def leaves_nothing() -> Iterator[None]:
    """No thread of a server and no descriptor is there after the test that was not there before."""
    before = open_descriptors()
    yield
    assert server_threads() == []
    assert open_descriptors() == before


# As documented


def test_the_example_of_the_readme(leaves_nothing: None) -> None:
    example = re.search(r'### In a test run\n\n```python\n(.*?)```', README.read_text(), re.DOTALL)
    assert example is not None
    names: dict[str, redis.Redis] = {}
    exec(example[1], names)
    names['client'].close()


def test_tells_where_it_is(leaves_nothing: None, tmp_path: Path) -> None:
    path = str(tmp_path / 'redis.sock')
    with selredis.serve(host='127.0.0.2', unix_socket=path) as server:
        assert (server.host, server.unix_socket) == ('127.0.0.2', path)
        assert server.port > 0
    with selredis.serve() as server:
        assert (server.host, server.unix_socket) == ('127.0.0.1', '')


def test_a_port_of_choice(leaves_nothing: None) -> None:
    with selredis.serve() as server:
        port = server.port
    with selredis.serve(port=port) as server:
        assert server.port == port


def test_parameters_are_those_of_the_configuration(leaves_nothing: None) -> None:
    limit = 'pubsub 1mb 0 0'
    with (
        selredis.serve(enable_debug_command='yes', requirepass='secret', client_output_buffer_limit=limit) as server,
        connect(server) as client,
    ):
        assert client('PING').text.startswith(b'NOAUTH')
        assert client('AUTH', 'secret').text == b'OK'
        assert client('DEBUG', 'JMAP').kind == '-'  # allowed, though there is no such thing
        assert b'pubsub 1048576 0 0' in client('CONFIG', 'GET', 'client-output-buffer-limit').items[1].text


def test_many_at_once_each_with_its_own_keys(leaves_nothing: None) -> None:
    count = 8
    with selredis.serve() as first, connect(first) as client:
        client('SET', 'key', 'first')
        for number in range(count):
            with selredis.serve() as server, connect(server) as other:
                assert server.port != first.port
                assert other('GET', 'key').value is None
                other('SET', 'key', number)
        assert client('GET', 'key').text == b'first'


def test_several_serve_clients_at_the_same_time(leaves_nothing: None) -> None:
    with selredis.serve() as one, selredis.serve() as two, selredis.serve() as three:
        assert len({one.port, two.port, three.port}) == 3
        assert len(server_threads()) == 3
        clients = [connect(server) for server in (one, two, three)]
        for number, client in enumerate(clients):
            client.send(encode_command('SET', 'key', number) + encode_command('GET', 'key'))
        assert [(client.read().text, client.read().text) for client in clients] == [
            (b'OK', b'%d' % number) for number in range(3)
        ]
        for client in clients:
            client.close()


def test_several_clients_in_threads_of_their_own(leaves_nothing: None) -> None:
    with selredis.serve() as server:

        def count() -> None:
            with connect(server) as client:
                for _ in range(200):
                    client('INCR', 'counter')

        threads = [threading.Thread(target=count) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(WAIT_SECONDS)
        with connect(server) as client:
            assert client('GET', 'counter').text == b'800'


# A start that fails


@pytest.mark.parametrize(
    'parameters',
    [{'no_such_parameter': 'yes'}, {'port': 'x'}, {'hz': ''}, {'client_output_buffer_limit': 'pubsub 1mb'}],
)
def test_what_is_no_configuration_is_raised(leaves_nothing: None, parameters: dict[str, str]) -> None:
    with pytest.raises(ConfigError), selredis.serve(**parameters):  # type: ignore[arg-type]
        pytest.fail('the block must not run')


def test_a_failed_start_leaves_nothing_open(leaves_nothing: None, tmp_path: Path) -> None:
    with pytest.raises(ListenError), selredis.serve(unix_socket=str(tmp_path / 'none' / 'redis.sock')):
        pytest.fail('the block must not run')
    with pytest.raises(ListenError), selredis.serve(host='192.0.2.1'):
        pytest.fail('the block must not run')


# The end


@pytest.mark.parametrize('error', [ZeroDivisionError, KeyboardInterrupt, SystemExit])
def test_what_the_block_raises_comes_out_and_the_server_has_stopped(
    leaves_nothing: None, tmp_path: Path, error: type[BaseException]
) -> None:
    path = tmp_path / 'redis.sock'
    with pytest.raises(error), selredis.serve(unix_socket=str(path)) as server:  # noqa: PT012  (the block is the test)
        assert path.exists()
        raise error
    assert not path.exists()
    with pytest.raises(ConnectionRefusedError):
        connect(server)


def test_stops_with_clients_of_every_kind(leaves_nothing: None, tmp_path: Path) -> None:
    path = tmp_path / 'redis.sock'
    with selredis.serve(unix_socket=str(path)) as server:
        idle, waiting, subscriber, half, greedy = clients = [connect(server) for _ in range(5)]
        clients.append(WireClient(str(path)))
        idle('PING')
        waiting.send_command('BLPOP', 'list', 0)
        subscriber('SUBSCRIBE', 'news')
        half.send(b'*2\r\n$3\r\nGET\r\n$100\r\nunfin')
        idle('SET', 'large', b'x' * 1_000_000)
        greedy.send(encode_command('GET', 'large') * 3)
        wait_until(lambda: b'blocked_clients:1\r\n' in idle('INFO', 'clients').text)
        reader = threading.Thread(target=lambda: [greedy.read() for _ in range(3)])
        reader.start()
    assert not path.exists()
    reader.join(WAIT_SECONDS)
    for client in clients:
        while client.read_more(WAIT_SECONDS):
            pass
        assert client.closed
        client.close()


def test_a_peer_that_does_not_read_does_not_keep_it(leaves_nothing: None) -> None:
    with selredis.serve() as server:
        client = connect(server)
        client('SET', 'large', b'x' * 20_000_000)
        client.send(encode_command('GET', 'large'))
        start = time.monotonic()
    assert time.monotonic() - start < WAIT_SECONDS
    assert server_threads() == []
    client.close()


def test_a_server_that_is_too_busy_to_stop_is_an_error_and_stops_later(
    leaves_nothing: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = threading.Event()
    monkeypatch.setattr(Server, 'run', lambda _: done.wait(WAIT_SECONDS))
    monkeypatch.setattr('selredis.embedded.JOIN_SECONDS', 0.01)
    with pytest.raises(RuntimeError, match='the server is busy'), selredis.serve():
        pass
    done.set()
    wait_until(lambda: not server_threads())


def test_shutdown_by_a_client_ends_it_early(leaves_nothing: None) -> None:
    with selredis.serve() as server:
        with connect(server) as client:
            client.send_command('SHUTDOWN', 'NOSAVE')
            with pytest.raises(EOFError):
                client.read()
        wait_until(lambda: not server_threads())
    with pytest.raises(ConnectionRefusedError):
        connect(server)


# Garbage

# By command line a server runs with Python's cycle collector off (selredis/cli.py, keep_collector_quiet). So whatever
# clients do may leave no object behind that only the collector would find.

CYCLE_COMMANDS = [
    line.split()
    for line in """
        PING
        ECHO text
        SET key 10
        SET key 11 EX 100 GET
        SET key 12 NX XX
        GET key
        GETEX key PX 100000
        INCR key
        INCRBYFLOAT key 0.5
        INCR text-that-is-not-there
        APPEND key xyz
        INCR key
        SETRANGE key 2 abc
        GETRANGE key 0 -1
        MSET a 1 b 2 c 3
        MSETNX a 1 d 2
        MGET a b list none
        LCS a b
        LCS a b IDX
        SET short x PX 1
        SETEX key 100 value
        SETEX key 0 value
        EXPIRE key 50 GT
        EXPIRE key x
        PEXPIREAT a 1
        PERSIST key
        TTL key
        RPUSH list a b c d e
        LPUSH key element
        LRANGE list 0 -1
        LPOS list c COUNT 0
        LINSERT list BEFORE c x
        LSET list 100 x
        LREM list 0 x
        LTRIM list 1 -1
        LMOVE list other LEFT RIGHT
        LMPOP 2 list other LEFT COUNT 2
        LPOP list 0
        COPY list copy REPLACE
        RENAME copy renamed
        RENAME none renamed
        MOVE renamed 1
        OBJECT ENCODING list
        OBJECT NO-SUCH list
        TYPE list
        SCAN 0 COUNT 3
        SCAN x
        KEYS *
        RANDOMKEY
        BLPOP none 0.001
        BLMOVE none other LEFT LEFT 0.001
        BLMPOP 0.001 1 none LEFT
        BLPOP none x
        SELECT 1
        DBSIZE
        FLUSHDB ASYNC
        SELECT 0
        SELECT 99
        SWAPDB 0 1
        SWAPDB 0 1
        WATCH key
        MULTI
        SET key 1
        BLPOP none 0
        INCR list
        EXEC
        MULTI
        SET key
        SET key 2
        EXEC
        EXEC
        MULTI
        GET key
        DISCARD
        UNWATCH
        NO-SUCH-COMMAND a b
        GET
        CONFIG GET *
        CONFIG SET timeout 0 hz 10
        CONFIG SET hz many
        CONFIG SET no-such-parameter 1
        CONFIG NO-SUCH
        INFO everything
        COMMAND INFO get
        COMMAND DOCS set
        COMMAND GETKEYS MSET a 1
        COMMAND GETKEYS PING
        CLIENT LIST
        CLIENT INFO
        CLIENT SETNAME worker
        CLIENT SETINFO lib-name worker
        CLIENT KILL ID 0
        CLIENT KILL 1.2.3.4:5
        CLIENT UNBLOCK 0
        PUBLISH news message
        PUBSUB CHANNELS
        HELLO 3
        CONFIG GET maxclients
        HELLO 4
        HELLO 2
        DEBUG OBJECT list
        DEBUG SLEEP 0
        DEBUG NO-SUCH
        AUTH wrong
        RESET
        LOLWUT
        TIME
        FLUSHALL
    """.strip().splitlines()
]


def one_of_each(server: EmbeddedServer) -> None:
    """Connections that do what connections do, then go, or are sent away, in every way."""
    with connect(server) as client, connect(server) as other:
        for words in CYCLE_COMMANDS:
            client(*words)
        client.send(b''.join(encode_command(*words) for words in CYCLE_COMMANDS))
        for _ in CYCLE_COMMANDS:
            client.read()
        client.send(b'SET inline value\r\nGET inline\r\n\r\n')
        assert [client.read().text, client.read().text] == [b'OK', b'value']
        wait_for_pause(client, other)
        transactions(client, other)
        waits(server, client, other)
        subscriptions(server, client)
        partings(server, client)
        client('FLUSHALL')
        client.send_command('QUIT')
        while client.read_more(WAIT_SECONDS):
            pass


def wait_for_pause(client: WireClient, other: WireClient) -> None:
    client('CLIENT', 'PAUSE', 100_000, 'WRITE')
    other.send_command('SET', 'paused', 'value')
    client('CLIENT', 'UNPAUSE')
    assert other.read().text == b'OK'


def transactions(client: WireClient, other: WireClient) -> None:
    client('WATCH', 'key')
    other('SET', 'key', 'changed')
    client('MULTI')
    client('SET', 'key', 'mine')
    assert client('EXEC').value is None


def waits(server: EmbeddedServer, client: WireClient, other: WireClient) -> None:
    other.send_command('BLPOP', 'a', 'jobs', 0)
    wait_for_blocked(client, 1)
    client('RPUSH', 'jobs', 'job')
    assert other.read().items[1].text == b'job'
    other.send(encode_command('BLMOVE', 'jobs', 'done', 'LEFT', 'RIGHT', 100) + encode_command('PING') * 3)
    wait_for_blocked(client, 1)
    client('MULTI')
    client('RPUSH', 'jobs', 'job', 'another')
    client('EXEC')
    assert other.read().text == b'job'
    assert [other.read().text for _ in range(3)] == [b'PONG'] * 3
    client('DEL', 'jobs')
    for reason in ('TIMEOUT', 'ERROR'):
        number = other('CLIENT', 'ID').text
        other.send_command('BLPOP', 'jobs', 100)
        wait_for_blocked(client, 1)
        client('CLIENT', 'UNBLOCK', number, reason)
        other.read()
    with connect(server) as leaving:
        leaving.send_command('BLPOP', 'jobs', 0)
        wait_for_blocked(client, 1)
    wait_for_blocked(client, 0)


def wait_for_blocked(client: WireClient, count: int) -> None:
    wait_until(lambda: b'blocked_clients:%d\r\n' % count in client('INFO', 'clients').text)


def subscriptions(server: EmbeddedServer, client: WireClient) -> None:
    with connect(server) as subscriber, WireClient((server.host, server.port), 3) as modern:
        for each in (subscriber, modern):
            each('SUBSCRIBE', 'news')
            each('PSUBSCRIBE', 'n*')
            each('SSUBSCRIBE', 'news')
        subscriber('GET', 'key')
        client('PUBLISH', 'news', 'message')
        client('SPUBLISH', 'news', 'message')
        for each in (subscriber, modern):
            assert [each.read().items[0].text for _ in range(3)] == [b'message', b'pmessage', b'smessage']
        subscriber('UNSUBSCRIBE')


def partings(server: EmbeddedServer, client: WireClient) -> None:
    """Connections that end by the server's will, and by an abrupt end of the client's."""
    for broken in (b'*1\r\nxyz\r\n', b'*abc\r\n', b'*1\r\n$abc\r\n', b'PING "oops\r\n'):
        with connect(server) as stranger:
            stranger.send(broken)
            while stranger.read_more(WAIT_SECONDS):
                pass
    with connect(server) as victim, connect(server) as subscriber:
        subscriber('SUBSCRIBE', 'news')
        number = victim('CLIENT', 'ID').text
        victim('MULTI')
        assert client('CLIENT', 'KILL', 'ID', number).text == b'1'
        client('CLIENT', 'KILL', 'TYPE', 'pubsub')
        while subscriber.read_more(WAIT_SECONDS):
            pass
    with connect(server) as unread:
        unread('SET', 'large', b'x' * 200_000)
        unread.send(encode_command('GET', 'large') * 20)
    with connect(server) as half:
        half.send(b'*2\r\n$3\r\nGET\r\n$100\r\nunfin')


def garbage(server: EmbeddedServer, rounds: int) -> Counter[str]:
    """The kinds of objects that so many rounds leave to the collector, and how many of each."""
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        for _ in range(rounds):
            one_of_each(server)
        with connect(server) as last:
            wait_until(lambda: b'connected_clients:1\r\n' in last('INFO', 'clients').text)
            gc.collect()
            return Counter(type(thing).__qualname__ for thing in gc.garbage)
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
        gc.collect()


def test_what_clients_do_makes_no_work_for_the_collector() -> None:
    limit = 'normal 2mb 0 0'
    with selredis.serve(loglevel='nothing', enable_debug_command='yes', client_output_buffer_limit=limit) as server:
        one_of_each(server)  # what is made once may be garbage once
        few, many = garbage(server, 10), garbage(server, 100)
    assert not many - few


def test_a_limit_that_the_system_refuses_makes_no_work_for_the_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_kind: int, limits: tuple[int, int]) -> None:
        if limits[0] > 20_000:
            raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    with selredis.serve(loglevel='nothing') as server, connect(server) as client:
        monkeypatch.setattr(resource, 'getrlimit', lambda _kind: (20_000, 20_000))
        monkeypatch.setattr(resource, 'setrlimit', refuse)
        gc.collect()
        gc.disable()
        try:
            for _ in range(10):
                assert client('CONFIG', 'SET', 'maxclients', 100_000).kind == '-'
            assert gc.collect() == 0
        finally:
            gc.enable()


def test_a_program_that_replaces_the_functions_of_time_does_not_stop_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """As freezegun does, in whose world the monotonic clock is Unix time and stands still."""
    with selredis.serve() as server:
        client = connect(server)
        assert client('SET', 'k', 'v', 'PX', '3600000').text == b'OK'
        frozen_ns = time.time_ns() + 300 * 86_400 * 10**9
        with monkeypatch.context() as patch:
            patch.setattr(time, 'time', lambda: frozen_ns / 10**9)
            patch.setattr(time, 'time_ns', lambda: frozen_ns)
            patch.setattr(time, 'monotonic', lambda: frozen_ns / 10**9)
            patch.setattr(time, 'monotonic_ns', lambda: frozen_ns)
            assert client('BLPOP', 'q', '0.3').kind == '*'
        assert client('BLPOP', 'q', '0.3').kind == '*'
        assert 0 < int(client('PTTL', 'k').text) <= 3_600_000
        client.close()
