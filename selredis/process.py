"""What the operating system says of this process, and what it is asked to do with it."""

import os
import platform
import re
import resource
import sys
from typing import NamedTuple

STATUS = '/proc/self/status'  # Linux's; elsewhere getrusage has to do
OOM_SCORE = '/proc/self/oom_score_adj'
MOST_PROCESSORS = 1 << 16
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


def hash_seed_is_fixed() -> bool:
    """Return whether the environment sets the seed of Python's hashes, which is random otherwise."""
    return not sys.flags.ignore_environment and os.environ.get('PYTHONHASHSEED', 'random') not in ('', 'random')


def allocator() -> str:
    """What gives out memory for small objects."""
    return 'libc' if os.environ.get('PYTHONMALLOC', '').startswith('malloc') else 'pymalloc'


def gcc_version() -> str:
    """The GCC that Python was compiled with; 0.0.0, as in Redis, if it was another compiler."""
    found = re.match(r'GCC (\d+\.\d+\.\d+)', platform.python_compiler())
    return found[1] if found else '0.0.0'


class OomScore:
    """How likely the system is to end this process when memory runs out (redis server.c, setOOMScoreAdj)."""

    def __init__(self) -> None:
        self.inherited: int | None = None  # while the score is another one

    def apply(self, mode: str, score: int) -> None:
        """Set the score (`absolute`), the one that the process was started with and so much (`yes`), or that (`no`).

        Raises OSError.
        """
        if mode != 'no':
            if self.inherited is None:
                with open(OOM_SCORE) as file:
                    self.inherited = int(file.read())
            if mode == 'yes':
                score += self.inherited
        elif self.inherited is None:
            return
        else:
            score, self.inherited = self.inherited, None
        with open(OOM_SCORE, 'w') as file:
            file.write(f'{max(-1000, min(score, 1000))}\n')


def run_on_processors(listed: str) -> None:
    """Keep this process to some processors: `0,2-5`, or `0-7:2` for every second. Elsewhere than on Linux in vain.

    Raises ValueError for another list, OSError if the system has no such processor.
    """
    processors: set[int] = set()
    for part in listed.split(','):
        match = re.fullmatch(r'([0-9]+)(?:-([0-9]+)(?::([0-9]+))?)?', part)
        if match is None:
            raise ValueError('not a list of processors')
        first, last, step = int(match[1]), int(match[2] or match[1]), int(match[3] or 1)
        if not (step and first <= last < MOST_PROCESSORS):
            raise ValueError('not a list of processors')
        processors.update(range(first, last + 1, step))
    if hasattr(os, 'sched_setaffinity'):
        os.sched_setaffinity(0, processors)
