"""redis-cli, unchanged, as a process: running on, or at its prompt on a terminal."""

import os
import pty
import re
import select
import subprocess
import termios
import time
from collections.abc import Callable
from pathlib import Path

SECONDS = 10.0  # the longest wait for anything
ESCAPES = re.compile(r'\x1b\[[0-9;?]*[A-Za-z]')
LINE_ENDS = re.compile(r'\r+\n')

Compare = Callable[..., str]
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
    """redis-cli at its prompt, on a terminal so wide that nothing is cut."""

    def __init__(self, command: list[str], directory: Path) -> None:
        self.screen = ''  # all that was shown, without colours and movements
        self.descriptor, inner = pty.openpty()
        termios.tcsetwinsize(inner, (50, 800))
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

    def hint(self, line: str) -> str:
        """Type the beginning of a line, and return what is shown of its end; the line is empty then."""
        self.type(line)
        self.see(f'> {line}')
        hint = self.see('\r')
        self.type('\x15')
        return hint

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.descriptor)
