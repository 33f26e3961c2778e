"""The program as an operator meets it: its arguments, its log, its signals, its end."""

import os
import platform
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from selredis.cli import main
from selredis.version import REDIS_VERSION, SELREDIS_VERSION
from tests.conftest import program
from tests.harness.servers import SelredisServer, ServerProcess
from tests.harness.wire import Reply, WireClient, encode_command

SELREDIS = [sys.executable, '-m', 'selredis']
LOG_LINE = re.compile(r'(\d+):M \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d\.\d{3} ([.*#-]) (.*)')
Refused = Callable[..., tuple[str, str]]
Write = Callable[[str, str], str]
SOME_PORT = ['--port', '0', '--bind', '127.0.0.1']


class Program(SelredisServer):
    """A process started by exactly this command."""

    def __init__(self, *command: str) -> None:
        ServerProcess.__init__(self, command)

    def messages(self) -> list[str]:
        """The log without what stands before each message; fails on a line that has another format."""
        messages = []
        for line in self.log:
            found = LOG_LINE.fullmatch(line)
            assert found, line
            assert int(found[1]) == self.pid
            messages.append(f'{found[2]} {found[3]}')
        return messages


Start = Callable[..., Program]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts selredis with these arguments; `shell` is what a shell does with them, given as "$@"."""
    started: list[Program] = []

    def start(*arguments: str, shell: str = '') -> Program:
        command = [*SELREDIS, *arguments]
        if shell:
            command = ['sh', '-c', shell, 'sh', *command]
        started.append(Program(*command))
        return started[-1]

    yield start
    for server in started:
        server.stop()


SAY_READY = 'echo Ready to accept connections'
"""For a server whose log goes elsewhere: the harness waits for this line, then `wait_for_text` tells more."""


def wait_for_text(path: Path, text: str, server: Program) -> None:
    """Wait until the server has written text to a file."""
    while not path.exists() or text not in path.read_text():
        assert server.process.poll() is None


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(name: str, text: str) -> str:
        path = tmp_path / name
        path.write_text(text)
        return str(path)

    return write


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Refused:
    """Asks for a start that is refused, in this process; returns standard output and standard error."""

    def started(*_: object) -> int:
        raise AssertionError('it started')

    def refused(*arguments: str) -> tuple[str, str]:
        assert main(arguments) == 1
        out, err = capfd.readouterr()
        return out, err

    monkeypatch.setattr('selredis.cli.serve', started)
    return refused


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a command that ends by itself."""
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=20)


def free_port() -> int:
    """A port for a server that has a unix socket, too: port 0 would be none then."""
    with socket.create_server(('127.0.0.1', 0)) as sock:
        port: int = sock.getsockname()[1]
        return port


def parameter(server: SelredisServer, name: str) -> bytes:
    with WireClient(server.address) as client:
        return client('CONFIG', 'GET', name).items[1].text


def as_text(reply: Reply) -> str:
    return reply.text.decode()


# What needs no server


@pytest.mark.parametrize('option', ['-v', '--version'])
def test_version(option: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main([option]) == 0
    out = capfd.readouterr().out
    fields = dict(field.split('=', 1) for field in out.removeprefix('Redis server ').split())
    assert out.startswith(f'Redis server v={REDIS_VERSION} sha=00000000:0 malloc=')
    assert out.count('\n') == 1
    assert list(fields) == ['v', 'sha', 'malloc', 'bits', 'build', 'selredis', 'python']
    assert fields['selredis'] == SELREDIS_VERSION
    assert fields['python'] == platform.python_version()
    assert int(fields['build'], 16) > 0


def test_the_first_dotted_number_of_the_version_is_that_of_redis(capfd: pytest.CaptureFixture[str]) -> None:
    main(['--version'])
    assert re.findall(r'\d+(?:\.\d+)+', capfd.readouterr().out)[0] == REDIS_VERSION


@pytest.mark.parametrize('option', ['-h', '--help'])
def test_help_is_an_error_as_in_redis(option: str, refused: Refused) -> None:
    out, usage = refused(option)
    assert out == ''
    assert usage.startswith('Usage: selredis [/path/to/redis.conf] [options] [-]\n')


WRONG: list[tuple[str, list[str]]] = [
    ('port 0\nbogus x\n', []),
    ('# one\n\nport "0\n', []),
    ('port 0 1\n', []),
    ('maxclients -1\n', []),
    ('oom-score-adj loud\n', []),
    ('port 70000\n', []),
    ('dir /no/such/directory\n', []),
    ('include', []),
    ('protected-mode maybe', []),
    ('client-output-buffer-limit normal 1 2\n', []),
    ('port 0\n', ['--port', 'many']),
    ('port 0\n', ['--no-such-thing', '1']),
    ('port 0\n', ['--port']),
    ('port 0\n', ['--port', '1', '2']),
    ('port 0\n', ['stray']),
    ('port 0\n', ['--logfile', '/no/such/directory/log']),
]


@pytest.mark.parametrize(('text', 'options'), WRONG)
def test_a_wrong_directive_is_refused_in_the_words_of_the_reference(
    text: str, options: list[str], write: Write, refused: Refused
) -> None:
    path = write('redis.conf', text)
    reference = run(program('redis-server'), path, *options)
    assert reference.returncode == 1
    out, block = refused(path, *options)
    assert out == reference.stdout == ''
    # Where the line is in the file, the file is named, too.
    assert block.replace(f' of {path}\n', '\n').replace(REDIS_VERSION, '7.0.15') == reference.stderr


def test_a_wrong_directive_of_an_included_file_is_told_with_that_file(write: Write, refused: Refused) -> None:
    inner = write('inner.conf', 'timeout 5\ntimeout never\n')
    _, block = refused(write('redis.conf', f'port 0\ninclude {inner}\n'))
    assert f"at line 2 of {inner}\n>>> 'timeout never'\n" in block


def test_a_password_is_not_repeated(write: Write, refused: Refused) -> None:
    _, block = refused(write('redis.conf', 'requirepass one two\n'))
    assert ">>> 'requirepass (redacted)'\nwrong number of arguments\n" in block


def test_what_this_server_cannot_do_at_all_is_no_start(refused: Refused) -> None:
    _, block = refused('--cluster-enabled', 'yes')
    assert 'cluster-enabled yes: clusters are not supported\n' in block


def test_a_missing_file_is_a_line_of_the_log(refused: Refused) -> None:
    out, err = refused('/no/such/file')
    assert err == ''
    found = LOG_LINE.fullmatch(out.rstrip('\n'))
    assert found
    assert found[3] == "Fatal error, can't open config file '/no/such/file': No such file or directory"


# Start


def test_the_log_of_a_start_and_an_end(start: Start) -> None:
    server = start(*SOME_PORT)
    server.stop(signal.SIGTERM)
    messages = server.messages()
    assert messages[0].endswith(f', PID: {server.pid}')
    assert messages[1:] == [
        '* Configuration loaded',
        f'* Listening on 127.0.0.1:{server.port}',
        '* Server initialized',
        '* Ready to accept connections tcp',
        '# Received SIGTERM scheduling shutdown...',
        '* User requested shutdown...',
        '# Redis is now ready to exit, bye bye...',
    ]


def test_without_arguments_it_wants_the_usual_port() -> None:
    with socket.socket() as taken:
        try:
            taken.bind(('', 6379))
            taken.listen()
        except OSError:
            pass  # somebody else has it
        ended = run(*SELREDIS)
    assert ended.returncode == 1
    assert ' # Warning: no config file specified, using the default config. In order to' in ended.stdout
    assert 'listening socket *:6379: bind: Address already in use' in ended.stdout
    assert 'Failed listening on port 6379 (tcp), aborting.' in ended.stdout


def test_file_then_standard_input_then_options_the_last_word_wins(start: Start, write: Write) -> None:
    write('more.conf', 'timeout 111\ntcp-keepalive 60\n')
    path = write(
        'redis.conf',
        '# A comment\n\nPort 0\nbind "127.0.0.1"\n'
        "logfile ''\n   requirepass 'it\\'s \\x41'\ntimeout 1\n"
        f'dir {Path(write("x", "")).parent}\ninclude "more.conf"\nmaxclients 10\nhz 20\n',
    )
    write('stdin', 'maxclients 20\nhz 30\n')
    server = start(path, '--hz', '40', '-', shell=f'exec "$@" <{Path(path).parent}/stdin')
    with WireClient(server.address) as client:
        assert as_text(client('AUTH', "it's \\x41")) == 'OK'
        asked = {'timeout': '111', 'tcp-keepalive': '60', 'maxclients': '20', 'hz': '40'}
        for name, value in asked.items():
            assert as_text(client('CONFIG', 'GET', name).items[1]) == value
        assert f'config_file:{path}\r\n' in as_text(client('INFO', 'server'))


def test_a_rewritten_file_starts_the_same_server_again(start: Start, write: Write, tmp_path: Path) -> None:
    theirs = '# mine\nport 0\nbind 127.0.0.1\nhz {}\nrename-command GET fetch\nsave 900 1\n'
    path = write('redis.conf', theirs.format(10))
    first = start(path, '--enable-debug-command', 'yes', '--dir', str(tmp_path))
    with WireClient(first.address) as client:
        assert as_text(client('CONFIG', 'SET', 'hz', '50', 'requirepass', 'a "b"', 'maxmemory', '3gb')) == 'OK'
        assert as_text(client('CONFIG', 'REWRITE')) == 'OK'
        before = client('CONFIG', 'GET', '*').items
    first.stop()
    assert Path(path).read_text().startswith(theirs.format(50) + '\n# Generated by CONFIG REWRITE\n')
    second = start(path)
    with WireClient(second.address) as client:
        assert as_text(client('AUTH', 'a "b"')) == 'OK'
        assert client('CONFIG', 'GET', '*').items == before
        assert as_text(client('GET', 'a')).startswith("ERR unknown command 'GET'")


def test_configuration_from_standard_input_alone(start: Start, write: Write) -> None:
    path = write('stdin', 'port 0\nbind 127.0.0.1\nmaxclients 77\n')
    assert parameter(start('-', shell=f'exec "$@" <{path}'), 'maxclients') == b'77'


def test_parameters_without_effect_are_warned_about(start: Start) -> None:
    server = start(*SOME_PORT, '--appendonly', 'yes')
    line = server.wait_for_log('appendonly')
    assert ' # WARNING: "appendonly yes" has no effect: ' in line


@pytest.mark.parametrize(('seed', 'warned'), [('0', True), ('4711', True), ('random', False), ('', False)])
def test_a_fixed_hash_seed_is_warned_about(
    start: Start, monkeypatch: pytest.MonkeyPatch, seed: str, warned: bool
) -> None:
    monkeypatch.setenv('PYTHONHASHSEED', seed)
    messages = start(*SOME_PORT).messages()
    assert any(line.startswith('# WARNING The environment variable PYTHONHASHSEED') for line in messages) is warned


def test_a_taken_port_is_told_in_a_line(start: Start) -> None:
    first = start(*SOME_PORT)
    second = run(*SELREDIS, '--port', str(first.port), '--bind', '127.0.0.1')
    assert second.returncode == 1
    assert second.stderr == ''
    assert [line.partition(' # ')[2] for line in second.stdout.splitlines()[-2:]] == [
        f'Warning: Could not create server TCP listening socket 127.0.0.1:{first.port}: bind: Address already in use',
        f'Failed listening on port {first.port} (tcp), aborting.',
    ]


def test_unix_socket_alone_in_place_of_an_empty_file(start: Start, tmp_path: Path) -> None:
    path = str(tmp_path / 'redis.sock')
    Path(path).touch()
    server = start('--port', '0', '--unixsocket', path)
    with WireClient(path) as client:
        assert as_text(client('PING')) == 'PONG'
    assert server.stop(signal.SIGTERM) == 0
    assert not os.path.exists(path)
    assert server.messages()[2:5] == [
        f'* Listening on {path}',
        '* Server initialized',
        '* Ready to accept connections unix',
    ]
    assert '* Removing the unix socket file.' in server.messages()


def without_capability(name: str) -> list[str]:
    """What to put before a command so that root is not above what it is to meet; nothing is needed for others."""
    if os.geteuid() != 0:
        return []
    words = ['setpriv', f'--bounding-set=-{name}', f'--inh-caps=-{name}', '--']
    if shutil.which('setpriv') is None or subprocess.run([*words, 'true'], check=False).returncode:
        pytest.skip('as root, needs setpriv: install the Debian package util-linux')
    return words


def limited(descriptors: int) -> str:
    words = ' '.join(without_capability('sys_resource'))
    return f'ulimit -n {descriptors}; exec {words} "$@"'


def test_too_few_descriptors_for_maxclients_are_told(start: Start) -> None:
    server = start(*SOME_PORT, '--maxclients', '1000', shell=limited(100))
    assert [message for message in server.messages() if message.startswith('#')] == [
        '# You requested maxclients of 1000 requiring at least 1032 max file descriptors.',
        "# Server can't set maximum open files to 1032 because of OS error: not allowed to raise maximum limit.",
        '# Current maximum open files is 100. maxclients has been reduced to 68 to compensate for low ulimit.'
        " If you need higher maxclients increase 'ulimit -n'.",
    ]
    assert parameter(server, 'maxclients') == b'68'


def test_the_soft_limit_of_descriptors_is_raised(start: Start) -> None:
    server = start(*SOME_PORT, '--maxclients', '300', shell='ulimit -S -n 200; exec "$@"')
    server.wait_for_log(r'Increased maximum number of open files to 332 \(it was originally set to 200\)\.')
    assert parameter(server, 'maxclients') == b'300'


def test_hardly_any_descriptors_are_no_start() -> None:
    ended = run('sh', '-c', limited(32), 'sh', *SELREDIS, *SOME_PORT)
    assert ended.returncode == 1
    assert "Your current 'ulimit -n' of 32 is not enough for the server to start." in ended.stdout.splitlines()[-1]


def test_a_directory_that_cannot_be_written_to_is_no_hindrance(start: Start, tmp_path: Path) -> None:
    closed = tmp_path / 'closed'
    closed.mkdir(0o555)
    words = ' '.join(without_capability('dac_override'))
    server = start(*SOME_PORT, '--pidfile', 'pid', shell=f'cd {closed}; exec {words} "$@"')
    server.wait_for_log('# Failed to write PID file: Permission denied')
    assert parameter(server, 'dir') == os.fsencode(closed)


def test_a_directory_that_is_gone_is_no_hindrance(start: Start, tmp_path: Path) -> None:
    gone = tmp_path / 'gone'
    gone.mkdir()
    server = start(*SOME_PORT, shell=f'cd {gone}; rmdir {gone}; exec "$@"')
    assert parameter(server, 'dir') == b''


@pytest.mark.skipif(not os.path.isdir('/proc/self/fd'), reason='needs /proc')
def test_closed_standard_descriptors_do_not_become_sockets(start: Start, tmp_path: Path) -> None:
    server = start(*SOME_PORT, '--pidfile', str(tmp_path / 'pid'), shell=f'{SAY_READY}; exec "$@" <&- >&- 2>&-')
    wait_for_text(tmp_path / 'pid', '\n', server)
    for descriptor in range(3):
        assert os.readlink(f'/proc/{server.pid}/fd/{descriptor}') == os.devnull
    assert server.stop(signal.SIGTERM) == 0


def test_standard_output_that_nobody_reads_any_more_ends_nothing(tmp_path: Path) -> None:
    path = str(tmp_path / 'redis.sock')
    command = [*SELREDIS, '--port', '0', '--unixsocket', path, '--loglevel', 'verbose']
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        while 'Ready to accept' not in process.stdout.readline():
            assert process.poll() is None
        process.stdout.close()
        with WireClient(path) as client:
            assert as_text(client('PING')) == 'PONG'
        process.terminate()
        assert process.wait(10) == 0
        assert process.stderr.read() == ''


# The log


@pytest.mark.parametrize(('level', 'marks'), [('verbose', '-*#'), ('notice', '*#'), ('warning', '#'), ('nothing', '')])
def test_loglevel(level: str, marks: str, start: Start, tmp_path: Path) -> None:
    path, log = str(tmp_path / 'redis.sock'), tmp_path / 'log'
    options = ['--port', '0', '--unixsocket', path, '--logfile', str(log), '--loglevel', level]
    server = start(*options, '--pidfile', str(tmp_path / 'pid'), shell=f'{SAY_READY}; exec "$@"')
    wait_for_text(tmp_path / 'pid', '\n', server)
    with WireClient(path) as client:
        assert as_text(client('PING')) == 'PONG'
    assert server.stop(signal.SIGTERM) == 0
    lines = log.read_text().splitlines() if log.exists() else []
    assert {found[2] for line in lines if (found := LOG_LINE.fullmatch(line))} == set(marks)
    assert any(line.endswith(f' - Accepted connection to {path}') for line in lines) == ('-' in marks)
    assert server.log == ['Ready to accept connections']  # which is what the shell said


def test_loglevel_changes_while_it_runs(start: Start) -> None:
    server = start(*SOME_PORT)
    with WireClient(server.address) as client:
        client('CONFIG', 'SET', 'loglevel', 'verbose')
        WireClient(server.address).close()
        server.wait_for_log(r' - Accepted 127\.0\.0\.1:\d+')


def test_a_log_file_that_was_moved_away_is_begun_anew(start: Start, tmp_path: Path) -> None:
    path, log, moved = str(tmp_path / 'redis.sock'), tmp_path / 'log', tmp_path / 'log.1'
    options = ['--port', '0', '--unixsocket', path, '--logfile', str(log), '--loglevel', 'verbose']
    server = start(*options, shell=f'{SAY_READY}; exec "$@"')
    wait_for_text(log, 'Ready to accept', server)
    os.rename(log, moved)
    with WireClient(path) as client:
        client('PING')
    assert log.read_text().endswith(f' - Accepted connection to {path}\n')
    assert log.read_text().count('\n') == 1


def test_pid_file_is_there_while_the_server_is(start: Start, tmp_path: Path) -> None:
    server = start(*SOME_PORT, '--dir', str(tmp_path), '--pidfile', 'redis.pid')
    path = tmp_path / 'redis.pid'
    assert path.read_text() == f'{server.pid}\n'
    assert server.stop(signal.SIGTERM) == 0
    assert not path.exists()
    assert '* Removing the pid file.' in server.messages()


# The end


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_in_order(number: signal.Signals, start: Start, tmp_path: Path) -> None:
    path = tmp_path / 'redis.sock'
    server = start('--port', str(free_port()), '--bind', '127.0.0.1', '--unixsocket', str(path))
    value = b'x' * 10_000_000  # more than the system takes for a peer that does not read
    with WireClient(server.address) as reading, WireClient(str(path)) as waiting, WireClient(server.address) as idle:
        idle('SET', 'key', value)
        waiting.send_command('BLPOP', 'list', 0)
        reading.send(encode_command('GET', 'key'))
        reading.read_more(10)
        server.process.send_signal(number)
        while path.exists():
            assert server.process.poll() is None
        with pytest.raises(ConnectionRefusedError):
            WireClient(server.address)
        # What was owed is still to be had.
        with reading.socket.makefile('rb') as rest:
            assert reading.unread + rest.read() == b'$%d\r\n%b\r\n' % (len(value), value)
        for client in (waiting, idle):
            assert not client.read_more(10)
            assert client.closed
            assert client.unread == b''
    assert server.wait() == 0
    assert f'# Received {number.name} scheduling shutdown...' in server.messages()


def test_a_client_that_does_not_read_cannot_hold_up_the_end(start: Start) -> None:
    server = start(*SOME_PORT)
    with WireClient(server.address) as client:
        client('SET', 'key', 'x' * 10_000_000)
        client.send_command('GET', 'key')
        assert client.read_more(10)
        server.process.send_signal(signal.SIGTERM)
        assert server.wait() == 0


def test_a_second_sigint_ends_it_at_once(start: Start) -> None:
    server = start(*SOME_PORT, '--enable-debug-command', 'yes')
    with WireClient(server.address) as client:
        client.send(encode_command('DEBUG', 'LOG', 'soon asleep') + encode_command('DEBUG', 'SLEEP', 60))
        server.wait_for_log('soon asleep')
        server.process.send_signal(signal.SIGINT)
        server.wait_for_log('Received SIGINT scheduling shutdown')
        server.process.send_signal(signal.SIGINT)
        assert server.wait() == 1
    assert server.messages()[-1] == '# You insist... exiting now.'


def test_sighup_and_sigpipe_mean_nothing(start: Start) -> None:
    server = start(*SOME_PORT)
    before = list(server.log)
    for number in (signal.SIGHUP, signal.SIGPIPE):
        server.process.send_signal(number)
    with WireClient(server.address) as client:
        assert as_text(client('PING')) == 'PONG'
    assert server.log == before


@pytest.mark.parametrize('words', [['SHUTDOWN'], ['SHUTDOWN', 'NOSAVE'], ['SHUTDOWN', 'NOW', 'FORCE']])
def test_shutdown_ends_it_without_a_word(words: list[str], start: Start, tmp_path: Path) -> None:
    server = start(*SOME_PORT, '--pidfile', str(tmp_path / 'pid'))
    with WireClient(server.address) as asking, WireClient(server.address) as other:
        asking.send(encode_command('PING') + encode_command(*words) + encode_command('SET', 'too', 'late'))
        assert as_text(asking.read()) == 'PONG'
        for client in (asking, other):
            assert not client.read_more(10)
            assert client.closed
            assert client.unread == b''
    assert server.wait() == 0
    assert not (tmp_path / 'pid').exists()
    assert server.messages()[-1] == '# Redis is now ready to exit, bye bye...'
