"""redis-cli's interactive prompt on a terminal: its hints and its HELP are made of what COMMAND DOCS answers."""

import os
import pty
import re
import select
import subprocess
import termios
import time
from collections.abc import Iterator

import pytest

from tests.harness.servers import SelredisServer

PATIENCE_SECONDS = 10.0
COLOURS = re.compile(rb'\x1b\[[0-9;]*[a-zA-Z]')
PROMPT = '> '


class Terminal:
    """redis-cli at one end of a terminal, a typist at the other."""

    def __init__(self, command: list[str]) -> None:
        self.unread = b''
        self.screen, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (50, 200))
        self.process = subprocess.Popen(
            command,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            env={**os.environ, 'TERM': 'xterm', 'REDISCLI_HISTFILE': '/dev/null', 'REDISCLI_RCFILE': '/dev/null'},
        )
        os.close(theirs)

    def read_until(self, text: str) -> str:
        """What appears next, up to this text, without colours; AssertionError if it does not appear."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while text.encode() not in self.unread:
            ready, _, _ = select.select([self.screen], [], [], max(0.0, deadline - time.monotonic()))
            assert ready, f'no {text!r} in {self.unread!r}'
            self.unread = COLOURS.sub(b'', self.unread + os.read(self.screen, 65536))
        seen, found, self.unread = self.unread.partition(text.encode())
        return (seen + found).decode()

    def type(self, text: str) -> None:
        """Press keys. A prompt must be there: what is typed before is thrown away when it comes."""
        os.write(self.screen, text.encode())

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.screen)


@pytest.fixture
def terminal(redis_cli: str, selredis_server: SelredisServer) -> Iterator[Terminal]:
    terminal = Terminal([redis_cli, '-h', selredis_server.host, '-p', str(selredis_server.port)])
    try:
        terminal.read_until(PROMPT)
        yield terminal
    finally:
        terminal.close()


@pytest.mark.parametrize(
    ('typed', 'hint'),
    [
        ('lpop ', 'key [count]'),
        ('BLMOVE a ', 'destination LEFT|RIGHT LEFT|RIGHT timeout'),
        ('client setinfo ', 'LIB-NAME libname|LIB-VER libver'),
    ],
)
def test_hints(terminal: Terminal, typed: str, hint: str):
    terminal.type(typed)
    terminal.read_until(typed + hint)


def test_help(terminal: Terminal):
    terminal.type('help lpop\r')
    shown = terminal.read_until('group: list')
    assert 'Takes the first element of a list' in shown
    assert 'since: 1.0.0' in shown


def test_help_about_a_group(terminal: Terminal):
    terminal.type('help @transactions\r')
    assert 'Begins a transaction' in terminal.read_until('WATCH key [key ...]')


def test_commands_and_their_replies(terminal: Terminal):
    terminal.type('echo "a b"\r')
    terminal.read_until('\n"a b"\r\n')
    terminal.read_until(PROMPT)
    terminal.type('select 7\r')
    terminal.read_until('[7]> ')
    terminal.type('multi\r')
    terminal.read_until('(TX)> ')
