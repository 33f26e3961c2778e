"""What the system says of a process."""

import mmap
import os
import sys

import pytest

from selredis import process
from selredis.process import (
    Memory,
    OomScore,
    allocator,
    cpu_time,
    cpu_time_of_children,
    memory,
    read_status,
    run_on_processors,
    total_memory,
)

STATUS = """\
Name:\tpython
VmPeak:\t   30000 kB
VmHWM:\t   20000 kB
VmRSS:\t   18000 kB
RssAnon:\t    9000 kB
RssFile:\t    8000 kB
RssShmem:\t    1000 kB
Threads:\t1
"""


def test_what_is_shared_is_not_the_process_s_own():
    assert read_status(STATUS) == Memory(resident=18000 * 1024, private=9000 * 1024, peak=11000 * 1024)


def test_the_peak_is_never_below_the_present():
    assert read_status(STATUS.replace('20000', '10000')).peak == 9000 * 1024


def test_an_old_kernel_tells_less():
    assert read_status('VmRSS:\t   18000 kB\n') == Memory(18000 * 1024, 18000 * 1024, 18000 * 1024)


@pytest.mark.skipif(sys.platform != 'linux', reason='elsewhere the system tells the peak only')
def test_memory_follows_what_is_allocated():
    before = memory()
    # Pages of its own: the allocator might give out some that the process has had all along.
    block = mmap.mmap(-1, 32 * 1024 * 1024, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    block[::4096] = b'x' * len(block[::4096])
    with_block = memory()
    assert with_block.private - before.private > 30 * 1024 * 1024
    assert with_block.resident > with_block.private
    block.close()
    after = memory()
    assert after.private < with_block.private
    assert after.peak > with_block.private - 1024 * 1024  # the kernel's numbers lag a little behind


def test_there_is_more_memory_than_the_process_has():
    used = memory()
    assert 0 < used.private <= used.resident < total_memory()


def test_processor_time_goes_on():
    before = cpu_time()
    while cpu_time().user == before.user:
        sum(range(1000))
    assert cpu_time() >= before
    assert cpu_time_of_children() >= (0.0, 0.0)


@pytest.mark.parametrize(('setting', 'name'), [('', 'pymalloc'), ('malloc', 'libc'), ('malloc_debug', 'libc')])
def test_allocator(monkeypatch, setting, name):
    monkeypatch.setitem(os.environ, 'PYTHONMALLOC', setting)
    assert allocator() == name


# What the system is asked to do with it


@pytest.fixture
def score_file(tmp_path, monkeypatch):
    path = tmp_path / 'oom_score_adj'
    path.write_text('100\n')
    monkeypatch.setattr(process, 'OOM_SCORE', str(path))
    return path


@pytest.mark.parametrize(
    ('mode', 'score', 'text'), [('yes', 200, '300\n'), ('absolute', 7, '7\n'), ('yes', 950, '1000\n')]
)
def test_the_oom_score_and_back(score_file, mode, score, text):
    oom_score = OomScore()
    oom_score.apply(mode, score)
    assert score_file.read_text() == text
    oom_score.apply('yes', -50)
    assert score_file.read_text() == '50\n'
    oom_score.apply('no', 0)
    assert score_file.read_text() == '100\n'


def test_the_oom_score_is_left_alone(score_file):
    score_file.unlink()
    OomScore().apply('no', 5)
    with pytest.raises(FileNotFoundError):
        OomScore().apply('yes', 5)


@pytest.mark.parametrize(
    ('listed', 'processors'), [('0', {0}), ('0,2,4-5', {0, 2, 4, 5}), ('1-7:3', {1, 4, 7}), ('3-3', {3})]
)
def test_processors(monkeypatch, listed, processors):
    asked = []
    monkeypatch.setattr(os, 'sched_setaffinity', lambda *arguments: asked.append(arguments), raising=False)
    run_on_processors(listed)
    assert asked == [(0, processors)]


@pytest.mark.parametrize('listed', ['', 'a', '0,', '5-3', '1-', '0-4:0', '-1', '1-99999999999'])
def test_what_is_no_list_of_processors(listed):
    with pytest.raises(ValueError, match='not a list of processors'):
        run_on_processors(listed)
