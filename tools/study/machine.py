"""What a run is measured on: the machine, and the versions of everything that takes part."""

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import subprocess
from pathlib import Path

from selredis.version import SELREDIS_VERSION

PACKAGES = ('uvloop', 'fakeredis', 'matplotlib', 'scipy', 'psutil', 'tqdm')
PROGRAMS = {'redis-server': '--version', 'redis-benchmark': '--version', 'strace': '-V'}
WHAT_FOR = {
    'uvloop': 'the asyncio protocol on uvloop is left out',
    'fakeredis': 'it is left out as a reference',
    'matplotlib': 'the page has its tables, and no figures',
    'psutil': '',  # of use where there is no /proc; contender.py says so there
    'scipy': 'intervals are from the least sample to the greatest',
    'tqdm': 'progress is told in lines',
    'redis-server': 'it is left out as a reference',
    'redis-benchmark': 'its loads are left out: requests of 1 and 50 connections, and all in pipelines',
    'strace': 'system calls are left out',
}


def machine() -> dict[str, str]:
    """Facts of this machine, by what they are; those that it tells."""
    return {
        'processor': processor(),
        'cores': str(usable_cores()),
        'memory': f'{os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30:.1f} GiB',
        'system': f'{platform.system()} {platform.release()}',
    }


def usable_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1


def processor() -> str:
    cpuinfo = Path('/proc/cpuinfo')
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding='utf-8', errors='replace').splitlines():
            if line.startswith('model name'):
                return line.partition(':')[2].strip()
    return platform.processor() or platform.machine()


def versions() -> dict[str, str]:
    """The version of each program and package that is there."""
    found = {'python': f'{platform.python_implementation()} {platform.python_version()}', 'selredis': SELREDIS_VERSION}
    for package in PACKAGES:
        if importlib.util.find_spec(package):
            found[package] = importlib.metadata.version(package)
    for program, option in PROGRAMS.items():
        if shutil.which(program):
            said = subprocess.run([program, option], capture_output=True, text=True, check=False, timeout=10).stdout
            found[program] = next((word for word in version_words(said) if word[:1].isdigit()), 'of unknown version')
    return found


def version_words(text: str) -> list[str]:
    """Words of a first line; redis-server says `v=7.0.15`, others `7.0.15`."""
    return [word.removeprefix('v=') for word in text.partition('\n')[0].split()]


def missing() -> dict[str, str]:
    """What is not installed, and what that means for a run; without what a run can do without."""
    absent = [name for name in PACKAGES if not importlib.util.find_spec(name)]
    absent += [name for name in PROGRAMS if not shutil.which(name)]
    return {name: f'not installed: {WHAT_FOR[name]}' for name in absent if WHAT_FOR[name]}
