"""A contestant's running server, watched from outside: its CPU time, user and system apart, and its memory.

On Linux /proc tells both, CPU time to the nanosecond; elsewhere psutil does, where it is installed. User and system
are shares of that sum: kernels count the two in ticks, or as exactly as the sum, depending on how they were built.
"""

import importlib
import importlib.util
import os
import sys
from pathlib import Path
from typing import ClassVar, NamedTuple, Self

from tools.benchmark.servers import CLOCK_TICKS, Program, Server
from tools.study.contestants import Startable

ROOT = Path(__file__).resolve().parent.parent.parent

LINUX = sys.platform == 'linux'
PSUTIL = importlib.import_module('psutil') if importlib.util.find_spec('psutil') else None
MISSING = '' if LINUX or PSUTIL else "psutil is not installed: servers' CPU time and memory are not known without it"


def part_cores() -> str:
    """Give servers a core of their own and all else the others, where that can be; tells what was done.

    Else a sample shows whether a server and its client happened to share a core: with one connection that is the most
    of what there is to see.
    """
    if not hasattr(os, 'sched_setaffinity'):
        return 'servers and load generators run on any core'
    cores = os.sched_getaffinity(0)
    if len(cores) < 2:
        return 'servers and load generators share a core'
    Contender.core = max(cores)
    os.sched_setaffinity(0, cores - {Contender.core})
    return f'servers run on core {Contender.core}, load generators on the others'


class Usage(NamedTuple):
    """CPU seconds of all of a process's threads; `user` and `system` sum up to `total` but for their precision."""

    total: float
    user: float
    system: float

    def since(self, before: Self) -> 'Usage':
        return Usage(self.total - before.total, self.user - before.user, self.system - before.system)

    def figures(self, requests: float) -> dict[str, float]:
        """The figures of CPU time a request, in microseconds; none where CPU time is not known."""
        if MISSING:
            return {}
        total_us = self.total / requests * 1e6
        user_share = self.user / (self.user + self.system) if self.user + self.system > 0 else 0.0
        figures = {'cpu_us': total_us}
        if self.user + self.system > 0:
            figures |= {'cpu_user_us': total_us * user_share, 'cpu_system_us': total_us * (1 - user_share)}
        return figures


class Contender(Server):
    """A running contestant. Leaving the `with` block stops it. `core`: the one that all of them have to themselves."""

    core: ClassVar[int | None] = None

    def __init__(self, startable: Startable, *options: str) -> None:
        program = Program('subject', startable.label, startable.argv, {'PYTHONPATH': str(ROOT)})
        super().__init__(program, *options)
        if self.core is not None:
            os.sched_setaffinity(self.process.pid, {self.core})
        self.contestant = startable.id
        self.keys = (0, 0)  # the size of the values that its keys have, and how many there are
        self.has_items = False

    def usage(self) -> Usage:
        if LINUX:
            fields = self.proc('stat').rpartition(')')[2].split()
            user, system = int(fields[11]) / CLOCK_TICKS, int(fields[12]) / CLOCK_TICKS
            return Usage(max(self.seconds_of_threads(), user + system), user, system)
        if PSUTIL:
            times = PSUTIL.Process(self.process.pid).cpu_times()
            return Usage(times.user + times.system, times.user, times.system)
        return Usage(0.0, 0.0, 0.0)

    def seconds_of_threads(self) -> float:
        """CPU seconds to the nanosecond, of the threads that there are; 0 if one ended just now."""
        try:
            return self.cpu_seconds()
        except (ProcessLookupError, FileNotFoundError):
            return 0.0

    def resident_bytes(self) -> int:
        """Its resident memory now; 0 where that is not known."""
        if LINUX:
            return self.rss_bytes()
        return int(PSUTIL.Process(self.process.pid).memory_info().rss) if PSUTIL else 0
