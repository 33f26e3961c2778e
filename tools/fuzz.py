#!/usr/bin/env python3
"""Runs a fuzzer for any length of time: of byte streams for the request parser, or of commands on a whole server.

    python3 tools/fuzz.py wire --inputs 10000000
    python3 tools/fuzz.py commands --seed 7 --minutes 60
    python3 tools/fuzz.py commands --seed 7 --only 1234       one input again, as a failure says

An input follows from the seed and its number; PYTHONHASHSEED is set accordingly. At the first failure the input is
shrunk and printed. Exit code 1 after a failure. Needs nothing but Python.
"""

import argparse
import os
import platform
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from selredis.process import memory
from tests.fuzz.byte_streams import WireFuzzer
from tests.fuzz.fuzzer import Failure, Found, Fuzzer, failure_of, shrink, without_collection
from tests.fuzz.programs import CommandFuzzer

PROGRESS_SECONDS = 10.0
WARM_SECONDS = 30.0  # then caches are full
MOST_GROWTH_BYTES = 64 * 1024 * 1024  # of the process from then on
MEGABYTE = 1024 * 1024

FUZZERS: dict[str, Fuzzer[Any]] = {fuzzer.name: fuzzer for fuzzer in (WireFuzzer(), CommandFuzzer())}


class Run:
    """One run of a fuzzer: how many inputs there were, and how fast."""

    def __init__(self, fuzzer: Fuzzer[Any], seed: int) -> None:
        self.fuzzer = fuzzer
        self.seed = seed
        self.inputs = 0
        self.started = time.monotonic()
        self.warm_bytes = 0

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started

    def go(self, inputs: float, seconds: float) -> Found[Any] | None:
        """Check inputs until that many or that much time is over; returns the first that fails."""
        number = 0
        next_report = PROGRESS_SECONDS
        while self.inputs < inputs and self.seconds < seconds:
            made = self.fuzzer.make(self.seed, number)
            failure = failure_of(self.fuzzer, made)
            if failure is not None:
                return Found(number, made, failure)
            self.inputs += self.fuzzer.count(made)
            number += 1
            if self.seconds > next_report:
                next_report = self.seconds + PROGRESS_SECONDS
                self.report()
                if self.warm_bytes == 0 and self.seconds > WARM_SECONDS:
                    self.warm_bytes = memory().private
                elif self.warm_bytes and memory().private > self.warm_bytes + MOST_GROWTH_BYTES:
                    return Found(number, made, Failure('the process grows', f'{self.warm_bytes} bytes when warm'))
        return None

    def report(self) -> None:
        rate = self.inputs / max(self.seconds, 0.001)
        print(
            f'{self.inputs:,} {self.fuzzer.unit} in {self.seconds:,.0f} s, {rate:,.0f}/s,'
            f' {memory().private / MEGABYTE:.0f} MB',
            flush=True,
        )


def report_failure(fuzzer: Fuzzer[Any], seed: int, found: Found[Any]) -> None:
    print(f'FAILED: {found.failure.kind}\n{found.failure.details}')
    smallest = shrink(fuzzer, found)
    print(f'The smallest input found that fails in this way:\n\n{fuzzer.show(smallest.made)}\n')
    if smallest.failure.details != found.failure.details:
        print(smallest.failure.details)
    print(f'Repeat: {Path(sys.executable)} tools/fuzz.py {fuzzer.name} --seed {seed} --only {found.number}', flush=True)


def hash_seed(seed: int) -> str:
    """What PYTHONHASHSEED must be: the order of keys in a server depends on their hashes."""
    return str(1 + seed % (2**32 - 1))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('fuzzer', choices=FUZZERS)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--inputs', type=float, default=float('inf'), help='stop after so many')
    parser.add_argument('--minutes', type=float, default=float('inf'), help='stop after so long')
    parser.add_argument('--only', type=int, metavar='NUMBER', help='check a single input')
    options = parser.parse_args()
    if os.environ.get('PYTHONHASHSEED') != hash_seed(options.seed):
        os.environ['PYTHONHASHSEED'] = hash_seed(options.seed)
        os.execv(sys.executable, [sys.executable, *sys.argv])
    fuzzer = FUZZERS[options.fuzzer]
    with without_collection():
        if options.only is not None:
            made = fuzzer.make(options.seed, options.only)
            failure = failure_of(fuzzer, made)
            found = None if failure is None else Found(options.only, made, failure)
        else:
            run = Run(fuzzer, options.seed)
            found = run.go(options.inputs, options.minutes * 60)
            run.report()
        if found is not None:
            report_failure(fuzzer, options.seed, found)
            return 1
    python = f'{platform.python_implementation()} {platform.python_version()}'
    print(f'{fuzzer.name}: no failure (seed {options.seed}, {python})')
    return 0


if __name__ == '__main__':
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
