"""Who supervises the server, and what it is told."""

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from selredis.log import Log
from selredis.supervision import find_supervisor


@pytest.fixture
def log(capfd: pytest.CaptureFixture[str]) -> Log:
    return Log('verbose')


class Systemd:
    def __init__(self, address: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind('\0' + address[1:] if address.startswith('@') else address)
        self.socket.settimeout(5)
        self.environment = {'NOTIFY_SOCKET': address}

    def heard(self) -> str:
        return self.socket.recv(4096).decode()


@pytest.fixture(params=['file', 'abstract'])
def systemd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Systemd]:
    address = str(tmp_path / 'notify')
    systemd = Systemd(address if request.param == 'file' else '@' + address)
    yield systemd
    systemd.socket.close()


@pytest.mark.parametrize('mode', ['systemd', 'auto'])
def test_systemd_is_told_of_start_and_end(mode, systemd, log):
    supervisor = find_supervisor(mode, log, systemd.environment)
    assert supervisor.name == 'systemd'
    assert systemd.heard() == 'STATUS=Redis is loading...\n'
    supervisor.ready()
    assert systemd.heard() == 'STATUS=Ready to accept connections\n'
    assert systemd.heard() == 'READY=1\n'
    supervisor.stopping()
    assert systemd.heard() == 'STOPPING=1\n'


def test_nobody_is_told_unless_asked_for(systemd, log):
    assert find_supervisor('no', log, systemd.environment).name == 'no'
    assert find_supervisor('auto', log, {}).name == 'no'
    systemd.socket.setblocking(False)
    with pytest.raises(BlockingIOError):
        systemd.heard()


@pytest.mark.parametrize(
    ('mode', 'environment', 'complaint'),
    [
        ('systemd', {}, 'systemd supervision error: NOTIFY_SOCKET not found!'),
        ('systemd', {'NOTIFY_SOCKET': '/no/such/socket'}, 'sd_notify: No such file or directory'),
        ('upstart', {}, 'upstart supervision requested, but UPSTART_JOB not found!'),
    ],
)
def test_a_supervisor_that_is_not_there_is_a_line_of_the_log(mode, environment, complaint, log, capfd):
    supervisor = find_supervisor(mode, log, environment)
    assert supervisor.name == 'no'
    assert capfd.readouterr().out.endswith(f'{complaint}\n')
    supervisor.ready()
    supervisor.stopping()


@pytest.mark.parametrize('mode', ['upstart', 'auto'])
def test_upstart_learns_it_by_a_stop(mode, log, monkeypatch):
    sent = []
    monkeypatch.setattr(os, 'kill', lambda _pid, number: sent.append(number))
    environment = {'UPSTART_JOB': 'redis', 'NOTIFY_SOCKET': '/no/such/socket'}
    assert find_supervisor(mode, log, environment).name == 'upstart'
    assert sent == [signal.SIGSTOP]
    assert 'UPSTART_JOB' not in environment
