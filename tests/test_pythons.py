"""tools/pythons.py and `tools/test.py --python` with programs in place of interpreters. No tests are run."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness.servers import ROOT
from tools import pythons
from tools.pythons import Interpreter, choose, directories, find_interpreters, interpreter_at, is_debian_missing


@pytest.fixture
def program(tmp_path: Path):
    """A function that makes a program which gives an answer and exits with a code."""

    def make(name: str, answer: str, code: int = 0) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'#!/bin/sh\necho "{answer}"\nexit {code}\n')
        path.chmod(0o755)
        return path

    return make


def cpython(path: str, *version: int) -> Interpreter:
    return Interpreter(Path(path), version)


def test_the_running_interpreter_is_found():
    found = interpreter_at(Path(sys.executable))
    assert found is not None
    assert found.version == sys.version_info[:3]


def test_a_shim_stands_for_the_interpreter_that_it_starts(program):
    shim = program('shims/python3', 'cpython 3 12 1 /versions/3.12.1/bin/python3.12')
    assert interpreter_at(shim) == cpython('/versions/3.12.1/bin/python3.12', 3, 12, 1)


def test_only_cpythons_from_3_11_on_are_found_and_each_once(program, tmp_path):
    for name, answer, code in (
        ('one/python3.11', 'cpython 3 11 0 /one/python3.11', 0),
        ('one/python3.10', 'cpython 3 10 13 /one/python3.10', 0),
        ('one/python3.13', 'cpython 3 13 0 /one/python3.13', 127),
        ('one/python3-config', 'cpython 3 14 0 /one/python3-config', 0),
        ('one/python3.9', 'pypy 3 11 13 /one/python3.9', 0),
        ('two/python3', 'cpython 3 11 0 /one/python3.11', 0),
        ('two/python3.14', 'cpython 3 14 1 /two/with a blank/python3.14', 0),
    ):
        program(name, answer, code)
    (tmp_path / 'two' / 'python3.15').symlink_to(tmp_path / 'two' / 'python3.14')
    (tmp_path / 'two' / 'python3.16').symlink_to(tmp_path / 'nothing')
    places = [tmp_path / 'one', tmp_path / 'two', tmp_path / 'three']
    assert find_interpreters(places) == [
        cpython('/one/python3.11', 3, 11, 0),
        cpython('/two/with a blank/python3.14', 3, 14, 1),
    ]


def test_debian_the_path_and_pyenv_are_searched(tmp_path):
    for name in ('.pyenv/versions/3.12.1/bin', 'elsewhere/versions/3.13.0/bin'):
        (tmp_path / name).mkdir(parents=True)
    environment = {'PATH': '/first::/second', 'HOME': str(tmp_path), 'PYENV_ROOT': str(tmp_path / 'elsewhere')}
    assert [*directories(environment)] == [
        Path('/usr/bin'),
        Path('/first'),
        Path('/second'),
        tmp_path / 'elsewhere/versions/3.13.0/bin',
        tmp_path / '.pyenv/versions/3.12.1/bin',
    ]


def test_one_of_each_version_is_chosen_but_not_that_of_the_tested_one():
    found = [cpython('/a', 3, 13, 0), cpython('/b', 3, 12, 1), cpython('/c', 3, 13, 0), cpython('/d', 3, 12, 2)]
    assert choose(found, cpython('/tested', 3, 12, 2)) == [found[1], found[0]]


def test_debian_python_is_chosen_though_another_has_its_version(monkeypatch):
    monkeypatch.setattr(pythons, 'DEBIAN_PYTHON', Path('/debian'))
    found = [cpython('/a', 3, 11, 2), cpython('/debian', 3, 11, 2), cpython('/b', 3, 11, 1)]
    assert choose(found, cpython('/a', 3, 11, 2)) == [found[1], found[2]]
    assert choose(found, cpython('/b', 3, 11, 1)) == [found[1]]
    assert choose(found, cpython('/debian', 3, 11, 2)) == [found[2]]


@pytest.mark.parametrize(
    ('answer', 'code', 'missing'),
    [
        ('cpython 3 11 2 /usr/bin/python3.11', 0, True),
        ('cpython 3 9 2 /usr/bin/python3.9', 0, False),
        ('', 1, True),
    ],
)
def test_debian_python_is_missing_unless_it_was_run_or_is_too_old(program, monkeypatch, answer, code, missing):
    path = program('python3', answer, code)
    monkeypatch.setattr(pythons, 'DEBIAN_PYTHON', path)
    assert is_debian_missing([cpython('/a', 3, 11, 2)]) == missing
    assert not is_debian_missing([Interpreter(path, (3, 11, 2))])


def test_no_debian_python_is_missing_where_there_is_none(monkeypatch, tmp_path):
    monkeypatch.setattr(pythons, 'DEBIAN_PYTHON', tmp_path / 'python3')
    assert not is_debian_missing([])


def test_another_interpreter_gets_the_other_arguments(program):
    path = program('python3', '$*')
    command = [sys.executable, ROOT / 'tools' / 'test.py', '-x', '--python', path, '-k', 'blpop', '--only-tests']
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stdout == f'{ROOT / "tools" / "test.py"} --only-tests -x -k blpop\n'


def test_an_interpreter_that_is_not_there_is_an_error(tmp_path):
    command = [sys.executable, ROOT / 'tools' / 'test.py', '--python', tmp_path / 'python3']
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (2, f'{tmp_path / "python3"}: No such file or directory\n')
