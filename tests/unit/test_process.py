"""What the system says of a process."""

import os
import sys

import pytest

from selredis.process import Memory, allocator, cpu_time, cpu_time_of_children, memory, read_status, total_memory

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
    block = bytearray(32 * 1024 * 1024)
    block[::4096] = b'x' * len(block[::4096])
    with_block = memory()
    assert with_block.private - before.private > 30 * 1024 * 1024
    assert with_block.resident > with_block.private
    del block
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
