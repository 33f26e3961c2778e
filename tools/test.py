#!/usr/bin/env python3
"""All checks, with nothing to install first: format, lint, types, floors, tests.

    python3 tools/test.py                     everything
    python3 tools/test.py -k blpop -x         other arguments are passed to pytest
    python3 tools/test.py --python PATH       with another interpreter, Python 3.11 or later
    python3 tools/test.py --only-tests        only pytest, without tests/study, and so with fewer packages to install

The first run with an interpreter creates a virtual environment in .venv-test/ and installs the project with its extras
there; it is created again when pyproject.toml, the interpreter or the location of the checkout changes. Exit code 1 if
a check fails, 2 if the environment cannot be created.
"""

from __future__ import annotations  # so that Python 3.8, too, gets as far as to report that it is too old

import argparse
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
from typing import BinaryIO, NoReturn

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENTS = ROOT / '.venv-test'
OLDEST_PYTHON = (3, 11)
ALL_EXTRAS = ['lint', 'study', 'test']
# Tests start hundreds of servers: without compiled modules each of them takes three times as long.
SURROUNDINGS = {name: value for name, value in os.environ.items() if name != 'PYTHONDONTWRITEBYTECODE'}


class SetupError(Exception):
    """The environment cannot be made; str() says why and what helps."""


def ready_environment(extras: list[str]) -> Path:
    """The Python of an environment that has the project and these extras. Raises SetupError."""
    kind = '-'.join(['.'.join(map(str, sys.version_info[:3])), *extras])
    depends_on = (ROOT / 'pyproject.toml').read_bytes() + str(ROOT).encode() + sys.prefix.encode()
    directory = ENVIRONMENTS / f'{kind}-{hashlib.sha256(depends_on).hexdigest()[:12]}'
    python = directory / 'bin' / 'python'
    finished = directory / 'finished'
    if finished.exists():
        return python
    for outdated in ENVIRONMENTS.glob(f'{kind}-*'):
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
        f'.[{",".join(extras)}]',
    ]
    if subprocess.run(install, check=False, cwd=ROOT).returncode:
        raise SetupError('pip could not install the project and its extras; its reason is above')
    finished.touch()
    return python


def exchange_interpreter(python: str, words: list[str]) -> NoReturn:
    """Go on as another process, with an interpreter that is given as a path or by its name. Raises SetupError."""
    try:
        os.execvp(python, [python, __file__, *words])
    except OSError as error:
        raise SetupError(f'{python}: {error.strerror}') from error


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
    parser = argparse.ArgumentParser(usage=__doc__, allow_abbrev=False)
    parser.add_argument('--python', metavar='PATH')
    parser.add_argument('--only-tests', action='store_true')
    options, words = parser.parse_known_args()
    only_tests = ['--only-tests'] if options.only_tests else []
    try:
        if options.python:
            exchange_interpreter(options.python, [*only_tests, *words])
        if sys.version_info < OLDEST_PYTHON:
            raise SetupError(f'selredis needs Python {".".join(map(str, OLDEST_PYTHON))} or later')
        python = str(ready_environment(['test'] if options.only_tests else ALL_EXTRAS))
    except SetupError as error:
        print(error, file=sys.stderr)
        return 2
    if options.only_tests:
        return run({'tests': [python, '-m', 'pytest', *(words or ['--ignore=tests/study'])]}, {})
    checks = {
        'format': [python, '-m', 'ruff', 'format', '--check', '.'],
        'lint': [python, '-m', 'ruff', 'check', '.'],
        'types': [python, '-m', 'mypy'],
        'floors': [python, 'tools/floors.py'],
        'tests': [python, '-m', 'pytest', *words],
    }
    if words:
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
