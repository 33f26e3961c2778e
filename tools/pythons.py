#!/usr/bin/env python3
"""Runs the tests that depend on the Python on every other CPython of this machine that selredis supports.

    python3 tools/pythons.py                  TESTS (see below) on each, two at a time
    python3 tools/pythons.py -k parser        other arguments for pytest

It looks for python3 and python3.N in /usr/bin, on the PATH and among the versions of pyenv, and runs one interpreter
of each version. That of the interpreter which runs this file is left out: tools/test.py has tested it. Debian's
/usr/bin/python3 is never left out for another of its version. Exit code 1 if tests fail or Debian's Python was not run.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tools.test import OLDEST_PYTHON, ROOT, Aside

DEBIAN_PYTHON = Path('/usr/bin/python3')
NAME = re.compile(r'python3(\.[0-9]+)?')
QUESTION = 'import sys; print(sys.implementation.name, *sys.version_info[:3], sys.executable)'
AT_ONCE = 2

# The engine, the wire, the server, TLS and the embedded server. They take about two minutes with each interpreter.
TESTS = [
    'tests/unit',
    'tests/test_transcripts.py::test_in_process',
    *(f'tests/test_{name}.py' for name in ('server', 'tls', 'embedded', 'redis_py', 'running', 'command_line')),
]


@dataclass(frozen=True)
class Interpreter:
    """A CPython: the path of its program without symbolic links, and its version as (3, 11, 2)."""

    path: Path
    version: tuple[int, ...]

    def __str__(self) -> str:
        return f'CPython {".".join(map(str, self.version))} ({self.path})'


def directories(environment: dict[str, str]) -> Iterator[Path]:
    """Where interpreters may be."""
    yield DEBIAN_PYTHON.parent
    yield from (Path(name) for name in environment.get('PATH', '').split(os.pathsep) if name)
    home = Path(environment.get('HOME', '/'))
    for root in (Path(environment.get('PYENV_ROOT') or home / '.pyenv'), home / '.pyenv'):
        yield from sorted(root.glob('versions/*/bin'))


def interpreter_at(path: Path) -> Interpreter | None:
    """The CPython that a program is or starts; None if it is none."""
    try:
        answer = subprocess.run([path, '-Ic', QUESTION], capture_output=True, text=True, timeout=60, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None  # such as pyenv's stand-in for a version that isn't selected
    implementation, *version, executable = answer.rstrip('\n').split(' ', 4)
    if implementation != 'cpython':
        return None
    return Interpreter(Path(executable).resolve(), tuple(map(int, version)))


def find_interpreters(places: Iterable[Path]) -> list[Interpreter]:
    """The supported CPythons in these directories, each once, in their order."""
    paths = [path for place in places for path in sorted(place.glob('python3*')) if NAME.fullmatch(path.name)]
    interpreters = map(interpreter_at, dict.fromkeys(path.resolve() for path in paths))
    return [each for each in dict.fromkeys(interpreters) if each is not None and each.version >= OLDEST_PYTHON]


def choose(interpreters: list[Interpreter], tested: Interpreter) -> list[Interpreter]:
    """One interpreter of each version but that of the tested one; Debian's unless it is the tested one."""
    debian = DEBIAN_PYTHON.resolve()
    versions = {tested.version}
    chosen = []
    for each in sorted(interpreters, key=lambda each: (each.path != debian, each.version)):
        if each.path != tested.path and (each.path == debian or each.version not in versions):
            chosen.append(each)
            versions.add(each.version)
    return chosen


def is_debian_missing(run: list[Interpreter]) -> bool:
    """Whether Debian's Python is there, isn't known to be too old, and isn't among those that were run."""
    if not DEBIAN_PYTHON.exists() or DEBIAN_PYTHON.resolve() in [each.path for each in run]:
        return False
    debian = interpreter_at(DEBIAN_PYTHON)
    return debian is None or debian.version >= OLDEST_PYTHON


def run_tests(interpreters: list[Interpreter], words: list[str]) -> list[tuple[Interpreter, int, float]]:
    """Run the tests with each of these interpreters at the same time. Return their exit codes and seconds."""
    with ExitStack() as stack:
        checks = []
        for each in interpreters:
            command = [str(each.path), str(ROOT / 'tools' / 'test.py'), '--only-tests', *words]
            checks.append(Aside(command, stack.enter_context(tempfile.TemporaryFile())))
            stack.callback(checks[-1].end)
        results = []
        for each, check in zip(interpreters, checks, strict=True):
            print(f'== {each}', flush=True)
            results.append((each, *check.finish()))
        return results


def main() -> int:
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    tested = Interpreter(Path(sys.executable).resolve(), sys.version_info[:3])
    found = find_interpreters(directories(dict(os.environ)))
    print('found:', *found, sep='\n  ', flush=True)
    chosen = choose(found, tested)
    results = []
    for number in range(0, len(chosen), AT_ONCE):
        results += run_tests(chosen[number : number + AT_ONCE], sys.argv[1:] or TESTS)
    print(f'==\n  not run again: {tested}')
    for interpreter, code, seconds in results:
        print(f'  {"FAILED" if code else "passed"} {seconds:6.1f} s  {interpreter}')
    failed = any(code for _, code, _ in results)
    if is_debian_missing([tested, *chosen]):
        print(f'  FAILED: {DEBIAN_PYTHON} is there and was not run')
        failed = True
    print('FAILED' if failed else 'all passed')
    return 1 if failed else 0


if __name__ == '__main__':
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
