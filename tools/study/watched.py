"""A driver that is watched from the inside (its function calls) or from below (its system calls), a window at a time.

Both kinds have the same verbs: `begin` a window when the driver is at rest, `mark` what comes next once it is at rest
again, and `end` it once it is. So a window has exactly what a client's words have brought about.
"""

import contextlib
import os
import re
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from multiprocessing.connection import Listener
from pathlib import Path
from typing import Any, Protocol

from tools.benchmark.report import BenchError
from tools.benchmark.servers import Program, Server
from tools.study.contestants import Startable
from tools.study.profiled import MARK, Call

ROOT = Path(__file__).resolve().parent.parent.parent
SYSTEM_CALL = 'system'
PATIENCE_SECONDS = 20.0
LOOK_SECONDS = 0.004
QUIET_LOOKS = 4

# A line of strace's log. What is cut short by another thread ends with `<unfinished ...>`, and counts there.
LINE = re.compile(rb'^(?P<pid>\d+) +(?P<name>\w+)\(')
HALT_INTERRUPTS = b'EINTR (Interrupted system call)'  # the wait that `halted` cuts short


class Watched(Protocol):
    """A running server whose calls can be seen."""

    port: int

    def begin(self) -> None: ...

    def mark(self, words: str) -> None:
        """Wait until the driver has done what it was asked, and note what comes next."""
        ...

    def end(self) -> list[Call]:
        """The calls since `begin`, once the driver is at rest again."""
        ...

    def halted(self) -> contextlib.AbstractContextManager[None]:
        """The server does not run meanwhile: what comes in is there for it all at once."""
        ...


class ProfiledServer(Server):
    """A driver under tools.study.profiled."""

    def __init__(self, startable: Startable) -> None:
        with Listener(family='AF_UNIX') as listener:
            super().__init__(profiled(startable, str(listener.address)), *calm(startable))
            self.channel = listener.accept()

    def stop(self) -> None:
        super().stop()
        if hasattr(self, 'channel'):
            self.channel.close()

    def begin(self) -> None:
        self._ask('begin')

    def mark(self, words: str) -> None:
        self._ask('mark', words)

    def end(self) -> list[Call]:
        calls = [Call(*call) for call in self._ask('end')]
        least = min((call.depth for call in calls if call.kind != MARK), default=0)
        return [call if call.kind == MARK else call._replace(depth=call.depth - least) for call in calls]

    @contextlib.contextmanager
    def halted(self) -> Iterator[None]:
        pid = self.process.pid
        os.kill(pid, signal.SIGSTOP)
        try:
            os.waitpid(pid, os.WUNTRACED)
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def _ask(self, wish: str, words: str = '') -> Any:
        self.channel.send((wish, words))
        if not self.channel.poll(PATIENCE_SECONDS):
            raise BenchError(f'{self.label} does not come to rest')
        return self.channel.recv()


def profiled(startable: Startable, address: str) -> Program:
    """The startable, whose argv is `python -m MODULE [options]`, under tools.study.profiled."""
    python, dash_m, *words = startable.argv
    assert dash_m == '-m', startable.argv
    argv = [python, '-m', 'tools.study.profiled', address, *words]
    return Program('subject', startable.label, argv, {'PYTHONPATH': str(ROOT)})


def calm(startable: Startable) -> list[str]:
    """Options for a server's clock to have its turn as seldom as may be: it is not what is looked at."""
    return [] if startable.id == 'fakeredis' else ['--hz', '1']


class TracedServer(Server):
    """A server that strace has started and writes the system calls of to a log, a line for each, as it returns."""

    def __init__(self, startable: Startable) -> None:
        environment = {'PYTHONPATH': str(ROOT)}
        argv = ['strace', '-f', '-qq', '-s', '0', '-e', 'signal=none', '-o', 'calls', *startable.argv]
        super().__init__(Program('subject', startable.label, argv, environment), *calm(startable))
        self.position = 0

    @property
    def calls_log(self) -> Path:
        return Path(self.directory.name, 'calls')

    @property
    def traced_pid(self) -> int | None:
        """The server's process; self.process is strace."""
        with contextlib.suppress(FileNotFoundError), self.calls_log.open('rb') as log:
            found = LINE.match(log.readline())
            return int(found['pid']) if found else None
        return None

    def stop(self) -> None:
        # strace ends with what it watches, and before that for nothing less than a kill, which would set it free.
        pid = self.traced_pid
        if pid is not None and self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        super().stop()

    def begin(self) -> None:
        self._settle()
        self.position = self.calls_log.stat().st_size

    def mark(self, words: str) -> None:
        self._settle()

    def end(self) -> list[Call]:
        self._settle()
        with self.calls_log.open('rb') as log:
            log.seek(self.position)
            return [Call(SYSTEM_CALL, 0, name, '', 0) for name in system_calls(log.read())]

    @contextlib.contextmanager
    def halted(self) -> Iterator[None]:
        pid = self.traced_pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        try:
            self._settle()
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def _settle(self) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        quiet = 0
        while quiet < QUIET_LOOKS:
            if time.monotonic() > deadline:
                raise BenchError(f'{self.label} does not come to rest')
            size = self.calls_log.stat().st_size
            time.sleep(LOOK_SECONDS)
            quiet = quiet + 1 if self.calls_log.stat().st_size == size else 0


def system_calls(log: bytes) -> list[str]:
    """The names in a piece of strace's log, in order, without waits that were cut short."""
    names = []
    for line in log.splitlines():
        found = LINE.match(line)
        if found and not line.endswith(HALT_INTERRUPTS):
            names.append(found['name'].decode())
    return names


def strace_missing() -> str:
    """Why system calls cannot be counted here; empty if they may be."""
    if not sys.platform.startswith('linux'):
        return 'strace is for Linux'
    return '' if shutil.which('strace') else 'strace is not installed'
