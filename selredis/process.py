"""What the operating system says of this process."""

import os
import resource
import sys
from typing import NamedTuple

STATUS = '/proc/self/status'  # Linux's; elsewhere getrusage has to do
KB = 1024


class Memory(NamedTuple):
    """Bytes of main memory that the process has now, that are its own, and the most that were its own so far.

    Its own is what it does not share with other programs: without the interpreter's code and libraries.
    """

    resident: int
    private: int
    peak: int


def memory() -> Memory:
    """How much memory the process takes. Where there is no /proc the system tells the peak only: it stands for all."""
    try:
        with open(STATUS, encoding='ascii', errors='replace') as file:
            return read_status(file.read())
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == 'darwin' else KB)
        return Memory(peak, peak, peak)


def read_status(text: str) -> Memory:
    """Read the text of /proc/self/status. Numbers that an old kernel leaves out are 0."""
    kilobytes: dict[str, int] = {}
    for line in text.splitlines():
        name, _, value = line.partition(':')
        if value.endswith(' kB'):
            kilobytes[name] = int(value.split()[0])
    resident = kilobytes.get('VmRSS', 0)
    shared = kilobytes.get('RssFile', 0) + kilobytes.get('RssShmem', 0)
    private = resident - shared
    # The kernel keeps the peak of all; what is shared is there from the start and hardly changes.
    peak = max(kilobytes.get('VmHWM', 0) - shared, private)
    return Memory(resident * KB, private * KB, peak * KB)


def total_memory() -> int:
    """Bytes of main memory that the machine has."""
    return os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE')


class CpuTime(NamedTuple):
    """Seconds that processors have worked for programs, and for the system on their behalf."""

    user: float
    system: float


def cpu_time() -> CpuTime:
    """Of this process."""
    return _cpu_time(resource.RUSAGE_SELF)


def cpu_time_of_children() -> CpuTime:
    """Of processes that this one has started and that have ended."""
    return _cpu_time(resource.RUSAGE_CHILDREN)


def cpu_time_of_thread() -> CpuTime | None:
    """Of the thread that asks; None where the system cannot tell."""
    return _cpu_time(resource.RUSAGE_THREAD) if hasattr(resource, 'RUSAGE_THREAD') else None


def _cpu_time(who: int) -> CpuTime:
    usage = resource.getrusage(who)
    return CpuTime(usage.ru_utime, usage.ru_stime)


def allocator() -> str:
    """What gives out memory for small objects."""
    return 'libc' if os.environ.get('PYTHONMALLOC', '').startswith('malloc') else 'pymalloc'
