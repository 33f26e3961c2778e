#!/usr/bin/env python3
"""All checks, with nothing to install first: format, lint, types, floors, tests.

    python3 tools/test.py                     everything
    python3 tools/test.py -k blpop -x         what follows goes to pytest

The first run makes a virtual environment in .venv-test/ and installs the project with its extras there; it is
made anew when pyproject.toml, the Python or the place of the checkout is another. Exit code 1 if a check fails, 2 if
the environment cannot be made.
"""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import venv
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENTS = ROOT / '.venv-test'
OLDEST_PYTHON = (3, 11)
# Tests start hundreds of servers: without compiled modules each of them takes three times as long.
SURROUNDINGS = {name: value for name, value in os.environ.items() if name != 'PYTHONDONTWRITEBYTECODE'}


class SetupError(Exception):
    """The environment cannot be made; str() says why and what helps."""


def environment_key() -> str:
    """What an environment depends on, as a directory's name that begins with Python's version."""
    version = '.'.join(map(str, sys.version_info[:3]))
    depends_on = (ROOT / 'pyproject.toml').read_bytes() + str(ROOT).encode() + sys.prefix.encode()
    return f'{version}-{hashlib.sha256(depends_on).hexdigest()[:12]}'


def ready_environment() -> Path:
    """The Python of an environment that has the project and its extras. Raises SetupError."""
    directory = ENVIRONMENTS / environment_key()
    python = directory / 'bin' / 'python'
    finished = directory / 'finished'
    if finished.exists():
        return python
    version = directory.name.partition('-')[0]
    for outdated in ENVIRONMENTS.glob(f'{version}-*'):
        shutil.rmtree(outdated)
    print(f'making {directory.relative_to(ROOT)}', flush=True)
    try:
        venv.create(directory, with_pip=True, symlinks=True)
    except subprocess.CalledProcessError as error:
        raise SetupError(f'python -m venv failed; on Debian it needs the package python3-venv\n{error}') from error
    install = [
        str(python),
        '-m',
        'pip',
        'install',
        '--quiet',
        '--disable-pip-version-check',
        '--editable',
        '.[study,test]',
    ]
    if subprocess.run(install, check=False, cwd=ROOT).returncode:
        raise SetupError('pip could not install the project and its extras; its reason is above')
    finished.touch()
    return python


class Aside:
    """A check that runs beside others, and says what it has to say when they are through."""

    def __init__(self, command: list[str], output: BinaryIO) -> None:
        self.started = time.time()
        self.output = output
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=SURROUNDINGS, stdout=self.output, stderr=subprocess.STDOUT
        )

    def finish(self) -> tuple[int, float]:
        """Wait for its end and print what it said; returns its exit code and how long it took in seconds."""
        code = self.process.wait()
        seconds = os.fstat(self.output.fileno()).st_mtime - self.started  # its last word comes at its end
        self.output.seek(0)
        sys.stdout.flush()
        sys.stdout.buffer.write(self.output.read())
        return code, seconds

    def end(self) -> None:
        """Leave nothing running."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait()


def main() -> int:
    # Ended by a signal, leave no check running behind.
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    if sys.version_info < OLDEST_PYTHON:
        print(f'selredis needs Python {".".join(map(str, OLDEST_PYTHON))} or later', file=sys.stderr)
        return 2
    try:
        python = str(ready_environment())
    except SetupError as error:
        print(error, file=sys.stderr)
        return 2
    checks = {
        'format': [python, '-m', 'ruff', 'format', '--check', '.'],
        'lint': [python, '-m', 'ruff', 'check', '.'],
        'types': [python, '-m', 'mypy'],
        'floors': [python, 'tools/floors.py'],
        'tests': [python, '-m', 'pytest', *sys.argv[1:]],
    }
    if len(sys.argv) > 1:
        return run(checks, {})
    # The study's tests take about as long as the others and wait much: they go beside them, and the types do.
    checks['tests'].append('--ignore=tests/study')
    beside = {
        'types': checks.pop('types'),
        'study': [python, '-m', 'pytest', 'tests/study', '-p', 'no:cacheprovider'],
    }
    with ExitStack() as stack:
        aside = {}
        for name, command in beside.items():
            aside[name] = Aside(command, stack.enter_context(tempfile.TemporaryFile()))
            stack.callback(aside[name].end)
        return run(checks, aside)


def run(checks: dict[str, list[str]], aside: dict[str, Aside]) -> int:
    """Run checks one after the other, then see what those that ran aside have found. The exit code of all."""
    results: list[tuple[str, int, float]] = []
    for name, command in checks.items():
        print(f'== {name}', flush=True)
        started = time.monotonic()
        code = subprocess.run(command, check=False, cwd=ROOT, env=SURROUNDINGS).returncode
        results.append((name, code, time.monotonic() - started))
    for name, check in aside.items():
        print(f'== {name}', flush=True)
        results.append((name, *check.finish()))
    failed = any(code for _, code, _ in results)
    print('==')
    for name, code, seconds in results:
        print(f'  {name:8} {"FAILED" if code else "passed"} {seconds:6.1f} s')
    print('FAILED' if failed else 'all passed')
    return 1 if failed else 0


if __name__ == '__main__':
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
