"""redis-cli, unchanged, in every mode that needs nothing which is not there yet."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.harness.servers import SelredisServer
from tests.harness.wire import WireClient

SECONDS = 10.0  # the longest wait for anything
ESCAPES = re.compile(r'\x1b\[[0-9;?]*[A-Za-z]')
LINE_ENDS = re.compile(r'\r+\n')

Run = Callable[..., str]
Follow = Callable[..., 'Follower']
Terminals = Callable[..., 'Terminal']


class Follower:
    """A redis-cli that goes on printing; its lines are waited for."""

    def __init__(self, command: list[str]) -> None:
        self.lines: list[str] = []
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        self.descriptor = self.process.stdout.fileno()
        self.unread = b''

    def read(self, count: int) -> list[str]:
        """Its next lines."""
        deadline = time.monotonic() + SECONDS
        while self.unread.count(b'\n') < count:
            ready, _, _ = select.select([self.descriptor], [], [], max(0, deadline - time.monotonic()))
            data = os.read(self.descriptor, 65536) if ready else b''
            assert data, f'only {self.unread!r}'
            self.unread += data
        *lines, self.unread = self.unread.split(b'\n', count)
        return [line.decode() for line in lines]

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


class Terminal:
    """redis-cli at its prompt, on a terminal of 160 columns."""

    def __init__(self, command: list[str], directory: Path) -> None:
        self.screen = ''  # all that was shown, without colours and movements
        self.descriptor, inner = pty.openpty()
        termios.tcsetwinsize(inner, (50, 160))
        environment = {
            **os.environ,
            'TERM': 'xterm',
            'REDISCLI_HISTFILE': str(directory / 'history'),
            'REDISCLI_RCFILE': os.devnull,
        }
        self.process = subprocess.Popen(
            command, stdin=inner, stdout=inner, stderr=inner, env=environment, start_new_session=True
        )
        os.close(inner)

    def type(self, text: str) -> None:
        os.write(self.descriptor, text.encode())

    def see(self, text: str) -> str:
        """Wait until text is shown, and return what was shown before it since the last time."""
        deadline = time.monotonic() + SECONDS
        while text not in self.screen:
            ready, _, _ = select.select([self.descriptor], [], [], max(0, deadline - time.monotonic()))
            assert ready, f'no {text!r} in {self.screen!r}'
            self.screen = ESCAPES.sub('', self.screen + os.read(self.descriptor, 65536).decode())
            self.screen = LINE_ENDS.sub('\n', self.screen)
        before, _, self.screen = self.screen.partition(text)
        return before

    def ask(self, line: str, prompt: str) -> str:
        """Type a line and return what it is answered with, up to the prompt, which must be complete to be typed at."""
        self.type(line)
        self.see(f'> {line}')
        self.type('\r')
        self.see('\n')
        return self.see(prompt).rstrip('\r')

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.descriptor)


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


@pytest.fixture
def run(at: list[str]) -> Run:
    """Runs redis-cli with these arguments to its end, and returns what it printed."""

    def run(*arguments: str, stdin: bytes = b'', code: int = 0) -> str:
        ended = subprocess.run(
            [*at, *arguments],
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=SECONDS,
            check=False,
        )
        assert ended.returncode == code, ended.stdout
        return ended.stdout.decode()

    return run


@pytest.fixture
def follow(at: list[str]) -> Iterator[Follow]:
    started: list[Follower] = []

    def follow(*arguments: str) -> Follower:
        started.append(Follower([*at, *arguments]))
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


def test_two_subscribe_a_third_publishes(run: Run, follow: Follow) -> None:
    subscribers = [follow('--no-raw', 'SUBSCRIBE', 'news') for _ in range(2)]
    for subscriber in subscribers:
        assert subscriber.read(4)[1:] == ['1) "subscribe"', '2) "news"', '3) (integer) 1']
    assert run('--no-raw', 'PUBLISH', 'news', 'hello') == '(integer) 2\n'
    for subscriber in subscribers:
        assert subscriber.read(3) == ['1) "message"', '2) "news"', '3) "hello"']


def test_subscribers_by_pattern_and_in_resp3(run: Run, follow: Follow) -> None:
    pattern = follow('PSUBSCRIBE', 'n?ws', 'other')
    assert pattern.read(6) == ['psubscribe', 'n?ws', '1', 'psubscribe', 'other', '2']
    pushed = follow('-3', 'SUBSCRIBE', 'news')
    assert pushed.read(3) == ['subscribe', 'news', '1']
    shard = follow('SSUBSCRIBE', 'news')
    assert shard.read(3) == ['ssubscribe', 'news', '1']
    assert run('PUBLISH', 'news', 'hello') == '2\n'
    assert pattern.read(4) == ['pmessage', 'n?ws', 'news', 'hello']
    assert pushed.read(3) == ['message', 'news', 'hello']
    assert run('SPUBLISH', 'news', 'ahoy') == '1\n'
    assert shard.read(3) == ['smessage', 'news', 'ahoy']


def test_a_wait_in_one_terminal_is_ended_by_another(run: Run, follow: Follow, client: WireClient) -> None:
    waiting = follow('--no-raw', 'BLPOP', 'jobs', '0')
    while b'blocked_clients:1\r\n' not in client('INFO', 'clients').text:
        assert waiting.process.poll() is None
    assert run('RPUSH', 'jobs', 'first') == '1\n'
    first, second, *_ = waiting.read(2)
    assert [first, second] == ['1) "jobs"', '2) "first"']


# The prompt


def test_prompt_shows_hints_of_the_commands_there_are(terminal: Terminals) -> None:
    shown = terminal()
    shown.see('> ')
    shown.type('blpop ')
    shown.see('> blpop key [key ...] timeout')
    shown.type('a ')
    shown.see('> blpop a [key ...] timeout')
    shown.type('\x15BLMOVE a ')
    shown.see('> BLMOVE a destination LEFT|RIGHT LEFT|RIGHT timeout')
    shown.type('\x15client kill ')
    shown.see('> client kill ip:port|[ID client-id]')
    shown.type('\x15set k v ')
    shown.see('> set k v [NX|XX] [GET] [EX seconds|PX milliseconds|EXAT unix-time-seconds|')


def test_help_at_the_prompt(terminal: Terminals, server: SelredisServer, client: WireClient) -> None:
    shown = terminal()
    prompt = f'{server.host}:{server.port}> '
    shown.see(prompt)
    docs = client('COMMAND', 'DOCS', 'blpop').items[1].items
    assert docs[0].text == b'summary'
    assert shown.ask('help blpop', prompt) == (
        f'\n  BLPOP key [key ...] timeout\n  summary: {docs[1].text.decode()}\n  since: 2.0.0\n  group: list\n\n'
    )
    everything = shown.ask('help @transactions', prompt)
    for name in ('DISCARD', 'EXEC', 'MULTI', 'UNWATCH', 'WATCH'):
        assert f'\n  {name} ' in everything


def test_replies_at_the_prompt(terminal: Terminals, server: SelredisServer) -> None:
    shown = terminal()
    prompt = f'{server.host}:{server.port}> '
    shown.see(prompt)
    assert shown.ask('set greeting "hello \\x41"', prompt) == 'OK\n'
    assert shown.ask('get greeting', prompt) == '"hello A"\n'
    assert shown.ask('get nothing', prompt) == '(nil)\n'
    assert shown.ask('rpush l a b', prompt) == '(integer) 2\n'
    assert shown.ask('lrange l 0 -1', prompt) == '1) "a"\n2) "b"\n'
    assert shown.ask('incr greeting', prompt) == '(error) ERR value is not an integer or out of range\n'
    assert shown.ask('lrange x 0 -1', prompt) == '(empty array)\n'
    assert shown.ask('hello 3', prompt).startswith('1# "server" => "redis"\n2# "version" => "7.2.4"\n')
    assert shown.ask('config get port', prompt) == '1# "port" => "0"\n'
    assert shown.ask('info server', prompt).startswith('# Server\nredis_version:7.2.4\n')


def test_prompt_knows_the_database_and_the_transaction(terminal: Terminals, server: SelredisServer) -> None:
    shown = terminal('-n', '2')
    prompt = f'{server.host}:{server.port}'
    shown.see(f'{prompt}[2]> ')
    assert shown.ask('select 7', f'{prompt}[7]> ') == 'OK\n'
    assert shown.ask('multi', f'{prompt}[7](TX)> ') == 'OK\n'
    assert shown.ask('set a 1', f'{prompt}[7](TX)> ') == 'QUEUED\n'
    assert shown.ask('get a', f'{prompt}[7](TX)> ') == 'QUEUED\n'
    assert shown.ask('exec', f'{prompt}[7]> ') == '1) OK\n2) "1"\n'
    shown.ask('multi', f'{prompt}[7](TX)> ')
    shown.ask('get', f'{prompt}[7](TX)> ')
    refusal = '(error) EXECABORT Transaction discarded because of previous errors.\n'
    assert shown.ask('exec', f'{prompt}[7]> ') == refusal


def test_prompt_connects_again_after_a_restart(
    redis_cli: str, terminal: Terminals, start_selredis: Callable[..., SelredisServer], tmp_path: Path
) -> None:
    path = str(tmp_path / 'redis.sock')
    first = start_selredis('--unixsocket', path)
    shown = terminal('-s', path, command=[redis_cli])
    prompt = f'redis {path}> '
    shown.see(prompt)
    assert shown.ask('ping', prompt) == 'PONG\n'
    first.stop(signal.SIGTERM)
    shown.ask('ping', 'not connected> ')
    start_selredis('--unixsocket', path)
    assert shown.ask('ping', prompt) == 'PONG\n'


# One command and its output


def test_values_and_protocols(run: Run, client: WireClient) -> None:
    client('RPUSH', 'l', 'a', 'c,d', 'e"f')
    assert run('--csv', 'LRANGE', 'l', '0', '-1') == '"a","c,d","e\\"f"\n'
    assert json.loads(run('--json', 'LRANGE', 'l', '0', '-1')) == ['a', 'c,d', 'e"f']
    assert json.loads(run('--json', 'CONFIG', 'GET', 'maxclients')) == {'maxclients': '10000'}
    assert run('-3', '--no-raw', 'CONFIG', 'GET', 'maxclients') == '1# "maxclients" => "10000"\n'
    assert run('--no-raw', 'CONFIG', 'GET', 'maxclients') == '1) "maxclients"\n2) "10000"\n'
    assert run('-d', '|', 'LRANGE', 'l', '0', '-1') == 'a|c,d|e"f\n'
    assert run('--quoted-input', 'EXISTS', '"\\x6c"') == '1\n'
    assert run('-e', 'INCR', 'l', code=1).startswith('WRONGTYPE Operation against a key holding the wrong kind of')


def test_standard_input_as_the_last_argument(run: Run, client: WireClient) -> None:
    value = bytes(range(128)) * 400
    assert run('-x', 'SET', 'key', stdin=value) == 'OK\n'
    assert client('GET', 'key').text == value
    assert run('-X', 'value', 'SET', 'key', 'value', 'GET', stdin=b'new').encode() == value + b'\n'
    assert client('GET', 'key').text == b'new'


def test_commands_from_standard_input(run: Run) -> None:
    assert run(stdin=b'SET a 1\nINCR a\n\nGET a\n') == 'OK\n2\n2\n'


def test_repeated_at_an_interval(run: Run) -> None:
    began = time.monotonic()
    assert run('-r', '5', '-i', '0.1', 'INCR', 'n') == '1\n2\n3\n4\n5\n'
    assert time.monotonic() - began >= 0.4


def test_databases_and_urls(run: Run, redis_cli: str, server: SelredisServer) -> None:
    assert run('-n', '3', 'SET', 'key', 'three') == 'OK\n'
    url = f'redis://{server.host}:{server.port}/3'
    ended = subprocess.run([redis_cli, '-u', url, 'GET', 'key'], capture_output=True, check=True, timeout=SECONDS)
    assert ended.stdout == b'three\n'
    assert run('DBSIZE') == '0\n'


def test_passwords(redis_cli: str, start_selredis: Callable[..., SelredisServer]) -> None:
    server = start_selredis('--requirepass', 'secret')

    def say(*arguments: str) -> str:
        ended = subprocess.run([redis_cli, *arguments], capture_output=True, text=True, check=False, timeout=SECONDS)
        return ended.stderr + ended.stdout

    at = ['-h', server.host, '-p', str(server.port), '--no-auth-warning']
    assert say(*at, 'PING') == 'NOAUTH Authentication required.\n\n'
    assert say(*at, '-a', 'secret', 'PING') == 'PONG\n'
    assert say(*at, '--user', 'default', '--pass', 'secret', '-3', 'PING') == 'PONG\n'
    assert say('-u', f'redis://default:secret@{server.host}:{server.port}', '--no-auth-warning', 'PING') == 'PONG\n'
    assert say(*at, '-a', 'wrong', 'PING') == (
        'AUTH failed: WRONGPASS invalid username-password pair or user is disabled.\n'
        'NOAUTH Authentication required.\n\n'
    )


def test_unix_socket(redis_cli: str, start_selredis: Callable[..., SelredisServer], tmp_path: Path) -> None:
    path = str(tmp_path / 'redis.sock')
    start_selredis('--unixsocket', path)
    ended = subprocess.run([redis_cli, '-s', path, 'PING'], capture_output=True, check=True, timeout=SECONDS)
    assert ended.stdout == b'PONG\n'


# The other modes


def test_pipe_takes_a_hundred_thousand_commands(run: Run, client: WireClient) -> None:
    commands = b''.join(b'SET key:%d value:%d\r\n' % (number, number) for number in range(99_999))
    summary = run('--pipe', stdin=commands + b'*2\r\n$4\r\nINCR\r\n$5\r\nkey:1\r\n', code=1)
    assert summary.splitlines() == [
        'ERR value is not an integer or out of range',
        'All data transferred. Waiting for the last reply...',
        'Last reply received from server.',
        'errors: 1, replies: 100000',
    ]
    assert client('DBSIZE').text == b'99999'
    assert client('GET', 'key:77777').text == b'value:77777'


def test_scan_and_biggest_keys(run: Run, client: WireClient) -> None:
    client('MSET', *(word for number in range(2_000) for word in (f'key:{number}', 'x' * (number % 9 + 1))))
    client('SET', 'large', 'x' * 12_345)
    client('RPUSH', 'list', 1, 2, 3)
    found = run('--scan', '--pattern', 'key:1?7')
    assert sorted(found.split()) == [f'key:1{digit}7' for digit in range(10)]
    assert len(run('--scan').split()) == 2_002
    summary = run('--bigkeys')
    assert 'Sampled 2002 keys in the keyspace!' in summary
    assert 'Biggest string found \'"large"\' has 12345 bytes' in summary
    assert 'Biggest   list found \'"list"\' has 3 items' in summary


def test_latency_of_a_second(run: Run) -> None:
    least, most, average, samples = run('--latency', '--raw').split()
    assert 0 <= int(least) <= float(average) <= int(most) <= 1000
    assert int(samples) > 10


def test_stat(terminal: Terminals, client: WireClient) -> None:
    client('MSET', 'a', 1, 'b', 2)
    shown = terminal('--stat', '-i', '0.05')
    shown.see('keys       mem      clients blocked requests            connections')
    keys, mem, clients, blocked, requests, *_ = shown.see('(+0)').split()
    assert [keys, clients, blocked] == ['2', '2', '0']
    assert re.fullmatch(r'\d+\.\d\d[KMG]', mem)
    assert int(requests) > 2
