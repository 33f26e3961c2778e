"""A command that meets a defect: what the log tells, what the client is told."""

from random import Random

import pytest

from selredis.clock import ManualClock
from selredis.config import Config
from selredis.engine.command import COMMANDS, Argv
from selredis.engine.crash_report import call_text
from selredis.engine.engine import Engine
from selredis.errors import INTERNAL
from tests.unit.conftest import Peer


class Lines:
    """A log that keeps its lines, defects with what they are."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def warning(self, text: str) -> None:
        self.lines.append(text)

    notice = verbose = debug = warning

    def defect(self, text: str, error: BaseException) -> None:
        self.lines.append(f'{text}: {error!r}')


@pytest.fixture
def log() -> Lines:
    return Lines()


@pytest.fixture
def peer(log: Lines, clock: ManualClock, config: Config, monkeypatch: pytest.MonkeyPatch) -> Peer:
    def broken(client: object, argv: Argv) -> None:
        raise LookupError('a defect')

    monkeypatch.setattr(COMMANDS[b'SET'], 'handler', broken)
    return Peer(Engine(config, clock, Random(0), log))


def test_the_client_is_told_that_it_failed_and_goes_on(peer):
    assert peer('SET', 'key', 'value') == INTERNAL.decode()
    assert peer('ECHO', 'here') == b'here'


def test_the_report_tells_of_the_client_the_command_and_the_error(peer, log):
    peer('CLIENT', 'SETNAME', 'worker')
    peer('SET', 'key', 'value')
    first, versions, state, client, command, error, last = log.lines
    assert first == '=== BUG REPORT START: cut and paste from here ==='
    assert versions.startswith('selredis ')
    assert 'connected_clients:1 ' in state
    assert client.startswith(f'Client: id={peer.client.id} ')
    assert ' name=worker ' in client
    assert command == 'Command: "SET" "key" "value"'
    assert error == f"Command 'SET' of client id={peer.client.id} failed: LookupError('a defect')"
    assert last.startswith('=== BUG REPORT END.')


def test_soon_after_a_report_a_line_must_do(peer, log, clock):
    peer('SET', 'key', 'value')
    del log.lines[:]
    peer('SET', 'key', 'value')
    (line,) = log.lines
    assert line.startswith(f"Command 'SET' of client id={peer.client.id} failed: LookupError: a defect (")
    assert 'test_crash_report.py:' in line
    clock.advance(1000)
    peer('SET', 'key', 'value')
    assert len(log.lines) == 8


def test_without_crash_log_a_line_must_do(peer, log):
    peer('CONFIG', 'SET', 'crash-log-enabled', 'no')
    peer('SET', 'key', 'value')
    assert len(log.lines) == 1


def test_what_fails_in_a_transaction_is_told_by_its_own_name(peer, log):
    for words in (['MULTI'], ['SET', 'key', 'value']):
        peer(*words)
    assert peer('EXEC') == [INTERNAL.decode()]
    assert 'Command: "SET" "key" "value"' in log.lines


@pytest.mark.parametrize(
    ('argv', 'text'),
    [
        ([b'Auth', b'secret'], '"Auth" "(redacted)"'),
        ([b'auth', b'user', b'secret'], '"auth" "(redacted)" "(redacted)"'),
        ([b'CONFIG', b'set', b'requirepass', b'secret'], '"CONFIG" "set" "requirepass" "(redacted)"'),
        ([b'SET', b'k' * 200], '"SET" "' + 'k' * 128 + '... (72 more bytes)"'),
        ([b'DEL', *[b'k'] * 40], '"DEL"' + ' "k"' * 31 + ' ... (9 more)'),
        ([b'GET', b'\xff'], r'"GET" "\xff"'),
        ([b'unheard-of'], '"unheard-of"'),
    ],
)
def test_the_command_as_it_is_shown(argv, text):
    assert call_text(COMMANDS, argv) == text


def test_a_report_is_written_even_if_it_cannot_tell_all(peer, log, monkeypatch):
    monkeypatch.setattr('selredis.engine.crash_report.process.memory', lambda: 1 // 0)
    assert peer('SET', 'key', 'value') == INTERNAL.decode()
    assert log.lines[1].startswith('What was going on cannot be told: ZeroDivisionError')
    assert 'LookupError' in log.lines[2]
