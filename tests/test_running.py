"""The server as a service: in the background, supervised, told to end and by whom."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.harness.servers import SelredisServer
from tests.harness.wire import WireClient

SELREDIS = [sys.executable, '-m', 'selredis']
DEBIAN_CONFIGURATION = Path('/etc/redis/redis.conf')
PATIENCE_SECONDS = 20.0

Start = Callable[..., SelredisServer]


class Background:
    """A server that has gone to the background: the files that it was told of, in a directory of its own."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.socket, self.log, self.pid_file = (str(directory / name) for name in ('redis.sock', 'log', 'pid'))

    def start(self, *options: str) -> subprocess.CompletedProcess[str]:
        files = ['--dir', str(self.directory), '--unixsocket', self.socket, '--logfile', self.log]
        command = [*SELREDIS, *options, '--port', '0', *files, '--pidfile', self.pid_file]
        return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)

    def wait_for(self, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert time.monotonic() < deadline, self.text()

    def text(self) -> str:
        return Path(self.log).read_text() if os.path.exists(self.log) else ''

    @property
    def pid(self) -> int:
        self.wait_for(lambda: os.path.exists(self.pid_file) and Path(self.pid_file).read_text().endswith('\n'))
        return int(Path(self.pid_file).read_text())


@pytest.fixture
def background(tmp_path: Path) -> Iterator[Background]:
    background = Background(tmp_path)
    yield background
    for pid in {int(line.partition(':')[0]) for line in background.text().splitlines()}:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


# In the background


def test_it_goes_to_the_background_and_leaves_no_trace(background: Background, redis_cli: str) -> None:
    started = background.start('--daemonize', 'yes')
    assert (started.returncode, started.stdout, started.stderr) == (0, '', '')
    pid = background.pid
    assert os.getsid(pid) == pid
    for descriptor in range(3):
        assert os.readlink(f'/proc/{pid}/fd/{descriptor}') == os.devnull
    background.wait_for(lambda: 'Ready to accept connections unix' in background.text())
    assert f', PID: {pid}\n' in background.text()
    at = [redis_cli, '-s', background.socket]
    assert subprocess.run([*at, 'PING'], capture_output=True, text=True, check=True).stdout == 'PONG\n'
    subprocess.run([*at, 'SHUTDOWN'], capture_output=True, timeout=PATIENCE_SECONDS, check=True)
    background.wait_for(lambda: 'bye bye' in background.text())
    assert not os.path.exists(background.pid_file)
    assert not os.path.exists(background.socket)


def test_what_is_wrong_with_the_configuration_is_told_before(background: Background) -> None:
    started = background.start('--daemonize', 'yes', '--maxclients', 'many')
    assert started.returncode == 1
    assert '*** FATAL CONFIG FILE ERROR' in started.stderr
    assert background.text() == ''


@pytest.mark.skipif(not os.access(DEBIAN_CONFIGURATION, os.R_OK), reason='needs the Debian package redis-server')
def test_debians_configuration(background: Background) -> None:
    started = background.start(str(DEBIAN_CONFIGURATION))
    assert (started.returncode, started.stderr) == (0, '')
    background.wait_for(lambda: 'Ready to accept' in background.text())
    assert ' # ' not in background.text()  # no warnings
    os.kill(background.pid, signal.SIGTERM)
    background.wait_for(lambda: 'bye bye' in background.text())


# Supervised


def test_systemd_is_told_how_the_server_fares(start_selredis: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind('')  # an abstract address that the system chooses
        systemd.settimeout(PATIENCE_SECONDS)
        monkeypatch.setenv('NOTIFY_SOCKET', '@' + os.fsdecode(systemd.getsockname()[1:]))
        server = start_selredis('--supervised', 'auto', '--daemonize', 'yes')
        assert systemd.recv(100) == b'STATUS=Redis is loading...\n'
        assert systemd.recv(100) == b'STATUS=Ready to accept connections\n'
        assert systemd.recv(100) == b'READY=1\n'
        with WireClient(server.address) as client:
            # It has not gone to the background: systemd would take that for its end.
            information = client('INFO', 'server').text.decode()
            assert 'process_supervised:systemd\r\n' in information
            assert f'process_id:{server.pid}\r\n' in information
        assert server.stop(signal.SIGTERM) == 0
        assert systemd.recv(100) == b'STOPPING=1\n'
    assert any('Supervised by systemd. Please make sure' in line for line in server.log)


def test_nobody_there_to_supervise_is_a_warning(start_selredis: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv('NOTIFY_SOCKET', raising=False)
    server = start_selredis('--supervised', 'systemd')
    assert server.log[0].endswith(' # systemd supervision error: NOTIFY_SOCKET not found!')
    with WireClient(server.address) as client:
        assert b'process_supervised:no\r\n' in client('INFO', 'server').text


def test_upstart_sees_it_stop_once(tmp_path: Path) -> None:
    log = tmp_path / 'log'
    command = [*SELREDIS, '--port', '0', '--unixsocket', str(tmp_path / 'redis.sock'), '--supervised', 'upstart']
    environment = {**os.environ, 'UPSTART_JOB': 'redis'}
    with log.open('w') as output, subprocess.Popen(command, stdout=output, env=environment) as process:
        try:
            _, status = os.waitpid(process.pid, os.WUNTRACED)
            assert os.WIFSTOPPED(status)
            assert log.read_text().endswith(' * supervised by upstart, will stop to signal readiness.\n')
            process.send_signal(signal.SIGCONT)
            while 'Ready to accept' not in log.read_text():
                assert process.poll() is None
            process.terminate()
            assert process.wait(PATIENCE_SECONDS) == 0
        finally:
            process.kill()


# The end


def test_a_signal_that_asks_to_save_ends_nothing_while_nothing_can_be_saved(start_selredis: Start) -> None:
    server = start_selredis('--shutdown-on-sigterm', 'save')
    server.process.send_signal(signal.SIGTERM)
    server.wait_for_log('Errors trying to shut down the server')
    with WireClient(server.address) as client:
        assert client('PING').text == b'PONG'
        assert client('CONFIG', 'SET', 'shutdown-on-sigterm', 'save force').text == b'OK'
    assert server.stop(signal.SIGTERM) == 0
    assert [line for line in server.log if re.search('bye bye', line)] == server.log[-1:]


def test_the_syslog_may_be_asked_for_where_nobody_keeps_it(start_selredis: Start) -> None:
    server = start_selredis('--syslog-enabled', 'yes', '--syslog-ident', 'selredis-test', '--syslog-facility', 'local7')
    assert server.stop(signal.SIGTERM) == 0
    assert any('Server initialized' in line for line in server.log)
