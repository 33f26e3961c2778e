"""Starts a server, watches it from outside, and stops it whatever happens."""

import contextlib
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self, TypeVar

from tools.benchmark.report import BenchError, Role
from tools.benchmark.wire import LOOPBACK, Peer, Reply

START_SECONDS = 15.0
STOP_SECONDS = 15.0
POLL_SECONDS = 0.0005
CLOCK_TICKS = os.sysconf('SC_CLK_TCK')

Either = TypeVar('Either')


@dataclass(frozen=True)
class Program:
    """A server that can be started: argv with {port} where the port goes, and what its environment has on top."""

    role: Role
    label: str
    argv: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not any('{port}' in word for word in self.argv):
            raise BenchError(f'no {{port}} in the command of {self.label}: {" ".join(self.argv)}')


def byte_compiling(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without what would have every start compile the program anew: an installed one never does."""
    return {name: value for name, value in environment.items() if name != 'PYTHONDONTWRITEBYTECODE'}


class Server:
    """A running server. Leaving the `with` block stops it."""

    def __init__(self, program: Program, *options: str) -> None:
        """Start it and wait for its first PONG; `seconds_to_pong` tells how long that took."""
        self.role: Role = program.role
        self.label = program.label
        self.port = free_port()
        self.directory = tempfile.TemporaryDirectory(prefix='bench-')
        self.log = Path(self.directory.name, 'log')
        argv = [word.replace('{port}', str(self.port)) for word in program.argv]
        with self.log.open('wb') as log:
            started = time.perf_counter()
            # A session of its own: ctrl-C reaches the benchmark only, which then stops its servers in order.
            self.process = subprocess.Popen(
                [*argv, *options],
                cwd=self.directory.name,
                env={**byte_compiling(os.environ), **program.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            self.wait_for_pong()
        except BaseException:
            self.stop()
            raise
        self.seconds_to_pong = time.perf_counter() - started

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    def wait_for_pong(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            if self.process.poll() is not None:
                log = self.log.read_text(errors='replace')[-1500:]
                raise BenchError(f'{self.label} ended at its start with code {self.process.returncode}:\n{log}')
            try:
                with socket.create_connection((LOOPBACK, self.port), START_SECONDS) as sock:
                    sock.sendall(b'*1\r\n$4\r\nPING\r\n')
                    answer = sock.recv(100)
                    if answer == b'+PONG\r\n':
                        return
                    if answer and not answer.startswith(b'-LOADING'):
                        raise BenchError(f'{self.label} answers its first PING with {answer!r}')
            except (ConnectionRefusedError, ConnectionResetError):
                pass
            if time.monotonic() > deadline:
                raise BenchError(f'{self.label} does not answer {START_SECONDS:g} s after its start')
            time.sleep(POLL_SECONDS)

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.directory.cleanup()

    def call(self, *words: bytes | str | int) -> Reply:
        with Peer(self.port) as peer:
            return peer.call(*words)

    def cpu_seconds(self) -> float:
        """User and system time so far, of all threads."""
        nanoseconds = sum(int(text.split()[0]) for text in self.of_threads('schedstat'))
        if nanoseconds:
            return nanoseconds / 1e9
        fields = self.proc('stat').rpartition(')')[2].split()  # a kernel without schedstat: in ticks of 10 ms
        return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS

    def core_wait_seconds(self) -> float:
        """How long its threads were ready to run and had no core, so far; 0 from a kernel without schedstat."""
        return sum(int(text.split()[1]) for text in self.of_threads('schedstat')) / 1e9

    def wake_ups(self) -> int:
        """How often a thread has gone to sleep and been woken, so far."""
        return sum(status_field(text, 'voluntary_ctxt_switches') for text in self.of_threads('status'))

    def rss_bytes(self) -> int:
        return status_field(self.proc('status'), 'VmRSS') * 1024

    def peak_rss_bytes(self) -> int:
        """The largest resident size since the start, or since `forget_peak`."""
        return status_field(self.proc('status'), 'VmHWM') * 1024

    def forget_peak(self) -> None:
        Path(f'/proc/{self.process.pid}/clear_refs').write_text('5')  # proc(5): resets the high-water mark

    def proc(self, name: str) -> str:
        if self.process.poll() is not None:
            log = self.log.read_text(errors='replace')[-1500:]
            raise BenchError(f'{self.label} has died with code {self.process.returncode}:\n{log}')
        return Path(f'/proc/{self.process.pid}/{name}').read_text()

    def of_threads(self, name: str) -> list[str]:
        self.proc('stat')  # says so if it has died
        return [path.read_text() for path in Path(f'/proc/{self.process.pid}/task').glob(f'*/{name}')]


def status_field(status: str, name: str) -> int:
    for line in status.splitlines():
        key, _, rest = line.partition(':')
        if key == name:
            return int(rest.split()[0])
    raise BenchError(f'/proc has no {name}')


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind((LOOPBACK, 0))
        port = sock.getsockname()[1]
        assert isinstance(port, int)
        return port


@contextlib.contextmanager
def running(programs: Sequence[Program], *options: str) -> Iterator[list[Server]]:
    """Both servers, side by side."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(Server(program, *options)) for program in programs]


def interleaved(both: Sequence[Either], rounds: int) -> Iterator[Either]:
    """Each of two servers or programs in each round; who goes first alternates, so that a drift favours neither."""
    for turn in range(rounds):
        yield from both if turn % 2 == 0 else reversed(both)
