"""Servers as subprocesses: redis-server, the reference, and selredis."""

import atexit
import functools
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from tests.harness.wire import Address

ROOT = Path(__file__).resolve().parent.parent.parent
READY = re.compile(r'[Rr]eady to accept connections')
LISTENING = re.compile(r'Listening on (\S+):(\d+)')
START_SECONDS = 20.0


@functools.cache
def guard() -> list[str]:
    """What to put before a command so that it dies with this process, even with one that is killed."""
    words = ['setpriv', '--pdeathsig', 'KILL', '--']
    works = shutil.which('setpriv') and subprocess.run([*words, 'true'], check=False).returncode == 0
    return words if works else []


class ServerProcess:
    """A server in a directory of its own, from the line of its log that says it is ready until `stop`."""

    def __init__(self, command: Sequence[str]) -> None:
        self.log: list[str] = []
        self.log_grew = threading.Condition()
        self.log_ended = False
        self.process = subprocess.Popen(
            [*guard(), *command],
            cwd=self.directory,
            env={**os.environ, 'PYTHONPATH': str(ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors='replace',
        )
        atexit.register(self.stop)
        self.reader = threading.Thread(target=self.read_log, daemon=True)
        self.reader.start()
        try:
            self.wait_for_log(READY.pattern, START_SECONDS)
        except BaseException:
            self.stop()
            raise

    @property
    def directory(self) -> Path:
        """Made on first use, gone after `stop`."""
        if not hasattr(self, 'temporary'):
            self.temporary = tempfile.TemporaryDirectory(prefix='selredis-test-')
        return Path(self.temporary.name)

    @property
    def address(self) -> Address:
        raise NotImplementedError

    @property
    def pid(self) -> int:
        return self.process.pid

    def read_log(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                with self.log_grew:
                    self.log.append(line.rstrip('\n'))
                    self.log_grew.notify_all()
        with self.log_grew:
            self.log_ended = True
            self.log_grew.notify_all()

    def wait_for_log(self, pattern: str, seconds: float = 10.0) -> str:
        """The first line of the log that matches; AssertionError with the log if none comes in time."""
        deadline = time.monotonic() + seconds
        with self.log_grew:
            while True:
                for line in self.log:
                    if re.search(pattern, line):
                        return line
                left = deadline - time.monotonic()
                if self.log_ended or left <= 0:
                    raise AssertionError(f'no line {pattern!r} in the log:\n' + '\n'.join(self.log))
                self.log_grew.wait(left)

    def wait(self, seconds: float = 10.0) -> int:
        """Wait for the process to end by itself; returns its exit code, its log is complete then."""
        code = self.process.wait(seconds)
        self.reader.join(seconds)
        return code

    def stop(self, signal_number: int = signal.SIGKILL) -> int:
        """End the process, by force unless told otherwise; returns its exit code."""
        atexit.unregister(self.stop)
        if self.process.poll() is None:
            self.process.send_signal(signal_number)
        try:
            return self.wait()
        finally:
            self.process.kill()
            self.process.wait()
            self.temporary.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class ReferenceServer(ServerProcess):
    """redis-server, on a unix socket, saving nothing."""

    def __init__(self, *options: str) -> None:
        program = shutil.which('redis-server')
        if program is None:
            raise FileNotFoundError('redis-server')
        fixed = ['--port', '0', '--unixsocket', self.address, '--save', '', '--enable-debug-command', 'yes']
        super().__init__([program, *fixed, *options])

    @property
    def address(self) -> str:
        return str(self.directory / 'redis.sock')


class SelredisServer(ServerProcess):
    """`python -m selredis`, or another driver of its engine, on a free port of 127.0.0.1.

    Options are those of selredis's command line.
    """

    def __init__(self, *options: str, argv: Sequence[str] = (sys.executable, '-m', 'selredis')) -> None:
        fixed = ['--port', '0', '--bind', '127.0.0.1', '--enable-debug-command', 'yes']
        super().__init__([*argv, *fixed, *options])

    @property
    def address(self) -> tuple[str, int]:
        """The first listener's host and port, as the log tells them."""
        for line in self.log:
            found = LISTENING.search(line)
            if found:
                return found[1].strip('[]'), int(found[2])
        raise AssertionError('no listener in the log:\n' + '\n'.join(self.log))

    @property
    def host(self) -> str:
        return self.address[0]

    @property
    def port(self) -> int:
        return self.address[1]
