"""The study's run: what is measured, one sample after the other, and what becomes of the samples."""

import argparse
import contextlib
import datetime as dt
import resource
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn, TypeVar

from tools.benchmark.report import BenchError
from tools.study import machine, plan
from tools.study.contender import MISSING, ROOT, Contender, part_cores
from tools.study.contestants import CONTESTANTS
from tools.study.goals import GOALS, SUBJECT, Verdict, verdicts
from tools.study.loads import Benchmarked, Kind
from tools.study.page import write_page
from tools.study.progress import Progress
from tools.study.results import Contestant, Results, Sample
from tools.study.tracing import trace

RESULTS = ROOT / 'tools' / 'study' / 'results'
TRACES = 'traces'
PARTS = (*plan.GROUPS, TRACES)
TRACE_SECONDS, QUICK_TRACE_SECONDS = 9.0, 5.0  # for each contestant
START_SECONDS = 0.5  # of a server
FOR_SCALE = 'fakeredis'  # very slow, with a thread for each connection: a few loads, few rounds
FOR_SCALE_ROUNDS = 2
SPARE_DESCRIPTORS = 500
Each = TypeVar('Each')
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
FAILURES = (BenchError, OSError, subprocess.SubprocessError)


def main() -> int:
    chosen = arguments()
    interruption = Interruption()
    results = Results(
        name=chosen.name,
        started=dt.datetime.now().astimezone().isoformat(timespec='seconds'),
        quick=chosen.quick,
        command=shlex.join(['tools/study/run.py', *sys.argv[1:]]),
        machine=machine.machine(),
        versions=machine.versions(),
        missing=machine.missing(),
    )
    results.machine['placement'] = part_cores()
    if MISSING:
        results.missing['CPU time'] = MISSING
    run = Run(results, chosen, interruption)
    code = 0
    try:
        run.measure()
    except KeyboardInterrupt:
        results.missing['the rest'] = 'the run was interrupted'
        code = 130
    finally:
        for what, why in results.missing.items():
            print(f'{what}: {why}', file=sys.stderr)
        results.loads = [load for load in results.loads if load.samples]
        results.save(chosen.output)
        page = chosen.output.with_suffix('.html')
        write_page(results, page)
    print(verdict_table(verdicts(results)))
    print(f'{chosen.output}\n{page}')
    return code or int(run.failed)


class Interruption:
    """A signal that ends the run, through every `finally`, so that no process is left; once is enough."""

    def __init__(self) -> None:
        self.came = False
        for number in ENDING:
            signal.signal(number, self.on_signal)

    def on_signal(self, number: int, frame: FrameType | None) -> NoReturn:
        self.came = True
        for each in ENDING:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    def check(self) -> None:
        """Raises KeyboardInterrupt, too, after a signal: Python drops one that is raised while it forks."""
        if self.came:
            raise KeyboardInterrupt


# --- the command line ---


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog='tools/study/run.py',
        description='Measures the drivers side by side, stores every sample, and makes a page of them.',
    )
    parser.add_argument('--quick', action='store_true', help='small loads and few rounds, under two minutes')
    parser.add_argument('--name', help='of the run; without it the date and time')
    parser.add_argument('--only', type=choice(PARTS), default=list(PARTS), metavar='GROUP,...', help=', '.join(PARTS))
    ids = [contestant.id for contestant in CONTESTANTS]
    parser.add_argument('--contestants', type=choice(ids), default=ids, metavar='ID,...', help=', '.join(ids))
    parser.add_argument('--rounds', type=positive, metavar='N', help='rounds of every load')
    parser.add_argument('--output', type=Path, metavar='FILE', help='where to store the samples; the page is beside it')
    chosen = parser.parse_args()
    chosen.name = chosen.name or dt.datetime.now().astimezone().strftime('%Y-%m-%d-%H%M')
    chosen.output = chosen.output or RESULTS / f'{chosen.name}.json'
    return chosen


def choice(known: Sequence[str]) -> Callable[[str], list[str]]:
    def chosen(text: str) -> list[str]:
        for name in text.split(','):
            if name not in known:
                raise argparse.ArgumentTypeError(f'no {name!r}; there are {", ".join(known)}')
        return text.split(',')

    return chosen


def positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError('at least one')
    return int(text)


# --- measuring ---


class Run:
    """Takes the samples of a plan. What cannot be measured is told in `results.missing`; `failed` if it could have."""

    def __init__(self, results: Results, chosen: argparse.Namespace, interruption: Interruption) -> None:
        self.results = results
        self.interruption = interruption
        self.quick: bool = chosen.quick
        self.failed = False
        self.startables = [one for one in CONTESTANTS if one.id in chosen.contestants and not one.missing]
        connections = descriptors(plan.IDLE_CONNECTIONS + SPARE_DESCRIPTORS) - SPARE_DESCRIPTORS
        if connections < plan.IDLE_CONNECTIONS:
            connections = max(1, connections)
            results.missing['10,000 connections'] = f'the system allows {connections:,} (ulimit -n)'
        kinds = (plan.quick if chosen.quick else plan.full)(connections)
        self.kinds = [kind for kind in kinds if kind.group in chosen.only]
        if 'redis-benchmark' in results.missing:
            self.kinds = [kind for kind in self.kinds if not isinstance(kind, Benchmarked)]
        for kind in self.kinds:
            kind.rounds = chosen.rounds or kind.rounds
        self.tracing = TRACES in chosen.only
        results.contestants = [Contestant(one.id, one.label, one.kind) for one in self.startables]
        results.loads = [load for kind in self.kinds for load in kind.loads]

    def measure(self) -> None:
        with Progress(self.planned_seconds()) as self.progress:
            if any(not kind.fresh for kind in self.kinds):
                self.measure_side_by_side([kind for kind in self.kinds if not kind.fresh])
            for kind in self.kinds:
                if kind.fresh:
                    self.measure_afresh(kind)
            if self.tracing:
                self.trace()

    def planned_seconds(self) -> float:
        seconds = START_SECONDS * len(self.startables)
        for kind in self.kinds:
            seconds += sum(kind.sample_seconds * rounds_of(kind, one.id) for one in self.startables)
        return seconds + self.trace_seconds() * self.tracing

    def trace_seconds(self) -> float:
        return (QUICK_TRACE_SECONDS if self.quick else TRACE_SECONDS) * len(self.startables)

    def measure_side_by_side(self, kinds: Sequence[Kind]) -> None:
        """All servers run, one of them is under load at a time."""
        with contextlib.ExitStack() as stack:
            servers: list[Contender] = []
            for startable in self.startables:
                self.show(f'starting {startable.label}')
                try:
                    servers.append(stack.enter_context(Contender(startable)))
                except FAILURES as error:
                    self.fail(startable.id, error)
                self.progress.advance(START_SECONDS)
            for kind in kinds:
                for number, server in interleaved(kind, servers, lambda server: server.contestant):
                    self.sample(kind, number, server)

    def measure_afresh(self, kind: Kind) -> None:
        """Each sample has a server of its own, which nothing has used before."""
        for number, startable in interleaved(kind, self.startables, lambda startable: startable.id):
            try:
                with Contender(startable, *kind.options) as server:
                    self.sample(kind, number, server)
            except FAILURES as error:
                self.fail(f'{kind.loads[0].id}, {startable.id}', error)

    def sample(self, kind: Kind, number: int, server: Contender) -> None:
        self.show(f'{kind.loads[0].title}: {server.label}')
        try:
            for load, values in zip(kind.loads, kind.sample(server), strict=True):
                load.samples.append(Sample(server.contestant, number, values))
        except FAILURES as error:
            self.fail(f'{kind.loads[0].id}, {server.contestant}', error)
        self.progress.advance(kind.sample_seconds)

    def trace(self) -> None:
        """Follow single requests: function calls of the drivers, then system calls of all, each a step as long."""
        drivers = [one for one in self.startables if one.kind == 'driver']
        steps = len(drivers) + (len(self.startables) if 'strace' not in self.results.missing else 0)
        share = self.trace_seconds() / max(1, steps)
        steps_left = steps

        def step(doing: str) -> None:
            nonlocal steps_left
            if steps_left < steps:
                self.progress.advance(share)
            steps_left -= 1
            self.show(doing)

        traces, missing = trace(self.startables, quick=self.quick, progress=step)
        self.progress.advance(share)
        self.results.traces = traces
        self.results.missing |= missing

    def show(self, doing: str) -> None:
        self.interruption.check()
        self.progress.show(doing)

    def fail(self, what: str, error: Exception) -> None:
        self.failed = True
        self.results.missing[what] = f'failed: {error}'
        self.progress.say(f'{what} FAILED: {error}')


def rounds_of(kind: Kind, contestant: str) -> int:
    if contestant != FOR_SCALE:
        return kind.rounds
    return min(FOR_SCALE_ROUNDS, kind.rounds) if kind.for_scale else 0


def interleaved(kind: Kind, contestants: Sequence[Each], id_of: Callable[[Each], str]) -> Iterator[tuple[int, Each]]:
    """Each contestant in each round. Another one is first from round to round, and every other round is backwards."""
    for number in range(kind.rounds):
        start = number % max(1, len(contestants))
        order = [*contestants[start:], *contestants[:start]]
        for contestant in reversed(order) if number % 2 else order:
            if number < rounds_of(kind, id_of(contestant)):
                yield number, contestant


def descriptors(count: int) -> int:
    """Raise this process's limit of open files, which servers and generators inherit, as far as allowed; the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= count:
        return count
    wanted = count if hard == resource.RLIM_INFINITY else min(count, hard)
    while wanted > soft:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (ValueError, OSError):
            wanted = wanted * 3 // 4  # less is allowed than the limit says
        else:
            return wanted
    return soft


# --- what it comes to ---


def verdict_table(found: Sequence[Verdict]) -> str:
    """Each goal with its loads: the ratio, its interval, and whether it is met."""
    lines: list[str] = []
    for goal in GOALS:
        of_goal = [verdict for verdict in found if verdict.goal is goal]
        if of_goal:
            met = sum(verdict.met for verdict in of_goal)
            lines.append(f'\n{SUBJECT} / {goal.base} <= {goal.limit:g}: {goal.text} ({met} of {len(of_goal)} met)')
        lines += [line_of(verdict) for verdict in of_goal]
    return '\n'.join(lines) or 'nothing to compare'


def line_of(verdict: Verdict) -> str:
    low, median, high = verdict.ratio
    result = ('met' if verdict.met else 'MISSED') + ('' if verdict.clear else ', not clearly')
    return f'  {verdict.load.title:<75} {median:5.2f}  [{low:.2f}, {high:.2f}]  {result}'


if __name__ == '__main__':
    sys.exit(main())
