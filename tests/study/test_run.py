"""The study's run from end to end: a quick one with its page, and one that is interrupted."""

import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

from tools.study.contestants import CONTESTANTS
from tools.study.measurement import main
from tools.study.plan import GROUPS, full
from tools.study.results import Results

RUN = Path(__file__).resolve().parent.parent.parent / 'tools' / 'study' / 'run.py'
QUICK_SECONDS = 240.0  # a machine that others use as well may need as long
PATIENCE_SECONDS = 60.0


def quick_run(stored: Path, *options: str) -> tuple[Results, str]:
    """What a run of one round has stored and printed."""
    argv = [sys.executable, str(RUN), '--quick', '--rounds', '1', '--output', str(stored), *options]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=QUICK_SECONDS, check=False)
    assert done.returncode == 0, done.stderr
    return Results.read(stored), done.stdout


def check_samples(results: Results, contestants: set[str]) -> None:
    """AssertionError if some of them were not measured under some load."""
    for load in results.loads:
        assert {sample.contestant for sample in load.samples} >= contestants, load.id
        for sample in load.samples:
            assert sample.values['rate'] > 0, load.id
            assert sample.values['cpu_us'] > 0, load.id


def test_a_quick_run_measures_everything_and_makes_its_page(tmp_path):
    stored = tmp_path / 'quick.json'
    compared = {'selectors', 'asyncio', 'streams'}
    results, said = quick_run(stored, '--name', 'quick', '--contestants', ','.join(compared))
    assert results.name == 'quick'
    assert results.quick
    groups = set(GROUPS) if shutil.which('redis-benchmark') else set(GROUPS) - {'request'}
    assert {load.group for load in results.loads} >= groups
    check_samples(results, compared)
    assert set(results.traces['calls']) == compared
    page = stored.with_suffix('.html').read_text(encoding='utf-8')
    assert '</html>' in page
    assert all(load.title in page for load in results.loads)
    assert 'selectors / asyncio <= 1' in said
    assert str(stored) in said


def test_a_quick_run_measures_everybody(tmp_path):
    results, _ = quick_run(tmp_path / 'quick.json', '--only', 'churn')
    here = {one.id for one in CONTESTANTS if not one.missing}
    assert {one.id for one in results.contestants} == here
    check_samples(results, here - {'fakeredis'})


@pytest.mark.skipif(not Path('/proc/self/environ').exists(), reason='looks for processes in /proc')
@pytest.mark.parametrize('signal_number', [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_its_samples_and_no_process(tmp_path, signal_number):
    stored = tmp_path / 'interrupted.json'
    mark = str(uuid.uuid4())
    argv = [sys.executable, str(RUN), '--quick', '--only', 'fan-out,churn', '--rounds', '1000', '--output', str(stored)]
    argv += ['--contestants', 'selectors,asyncio']
    with subprocess.Popen(argv, stderr=subprocess.PIPE, text=True, env={**os.environ, 'STUDY_TEST': mark}) as run:
        try:
            assert run.stderr is not None
            deadline = time.monotonic() + PATIENCE_SECONDS
            # Itself, two servers, and the third load generator: there are samples.
            seen: set[str] = set()
            while len(seen) < 6:
                running = processes_with(mark)
                if len(running) >= 4:
                    seen.update(running)
                assert time.monotonic() < deadline
            run.send_signal(signal_number)
            assert run.wait(PATIENCE_SECONDS) == 130
            assert 'the run was interrupted' in run.stderr.read()
        finally:
            run.kill()
    assert processes_with(mark) == []
    results = Results.read(stored)
    assert 'the rest' in results.missing
    assert results.loads[0].samples
    assert stored.with_suffix('.html').exists()


def processes_with(mark):
    """The processes whose environment has this, zombies aside."""
    found = []
    for path in Path('/proc').glob('[0-9]*/environ'):
        try:
            environment = path.read_bytes()
        except OSError:
            continue  # it has ended, or is somebody else's
        if mark.encode() in environment:
            found.append(path.parent.name)
    return found


@pytest.mark.parametrize(
    ('arguments', 'said'),
    [
        (['--only', 'everything'], "no 'everything'; there are request, fan-out"),
        (['--contestants', 'selectors,twisted'], "no 'twisted'; there are selectors, asyncio"),
        (['--rounds', '0'], 'at least one'),
    ],
)
def test_what_cannot_be_chosen_is_told(monkeypatch, capsys, arguments, said):
    monkeypatch.setattr(sys, 'argv', [str(RUN), *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_a_full_run_is_planned_to_take_less_than_forty_minutes():
    contestants = sum(one.id != 'fakeredis' for one in CONTESTANTS)
    planned = sum(kind.sample_seconds * kind.rounds * contestants for kind in full(10_000))
    assert planned / 60 < 36  # which leaves some minutes for following requests, and for a machine that is slow


def test_every_load_of_a_full_run_has_a_name_of_its_own():
    loads = [load for kind in full(10_000) for load in kind.loads]
    assert len({load.id for load in loads}) == len(loads)
    assert len({load.title for load in loads}) == len(loads)
    assert {load.group for load in loads} == set(GROUPS)
