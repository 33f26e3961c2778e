"""Follows single requests through the drivers: which functions are called, and which system calls are made.

Every scenario is played several times, each time in a window of its own that opens and closes while the server is at
rest. What came most often is taken: a window in which the server's clock had its turn as well differs, and is seldom.
So the counts are whole numbers, and the same on every machine with the same Python.
"""

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from tools.benchmark.report import BenchError
from tools.study.contestants import CONTESTANTS, Startable
from tools.study.profiled import MARK, Call
from tools.study.scenarios import SCENARIOS, Scenario
from tools.study.watched import ProfiledServer, TracedServer, Watched, strace_missing

WARM_UPS = 3
ROUNDS, QUICK_ROUNDS = 11, 3


@dataclasses.dataclass(frozen=True)
class Window:
    """The calls that came most often in the windows of a scenario, and in how many of how many they came so."""

    calls: tuple[Call, ...]
    agreed: int
    rounds: int


def trace(
    startables: Sequence[Startable] = CONTESTANTS,
    *,
    quick: bool = False,
    progress: Callable[[str], object] = lambda _: None,
) -> tuple[dict[str, Any], dict[str, str]]:
    """Follow every scenario through every contestant; a few seconds for each. `progress` is told what comes next.

    Returns what Results.traces holds, and what is to be added to Results.missing. All of it is JSON:

        'scenarios': [{'id', 'title', 'unit', 'units'}]     what one window has: `units` times one `unit`
        'calls':     {contestant: {scenario: {'rounds', 'agreed', 'functions': {'kind|file|function': count}}}}
        'paths':     {contestant: {scenario: ['kind|depth|file|line|function']}}
        'system':    {contestant: {scenario: {'rounds', 'agreed', 'order': 'name name ...'}}}

    `kind` is 'python', 'c' or 'mark' (see profiled.Call); counts are of a window, not of a unit. Function calls are
    recorded of drivers only, and their paths in the scenarios that are `followed`. fakeredis has a thread for each
    connection, and is not followed at all.
    """
    rounds = QUICK_ROUNDS if quick else ROUNDS
    traces: dict[str, Any] = {
        'scenarios': [
            {'id': scenario.id, 'title': scenario.title, 'unit': scenario.unit, 'units': scenario.units}
            for scenario in SCENARIOS
        ],
        'calls': {},
        'paths': {},
        'system': {},
    }
    missing: dict[str, str] = {}
    here = [startable for startable in startables if not startable.missing and startable.id != 'fakeredis']
    for startable in here:
        if startable.kind == 'driver':
            progress(f'function calls: {startable.label}')
            try:
                with ProfiledServer(startable) as server:
                    add_functions(traces, startable.id, watch_all(server, rounds))
            except (BenchError, OSError) as error:
                missing[f'function calls: {startable.label}'] = first_line(error)
    reason = strace_missing()
    if reason:
        missing['system calls'] = reason
        return traces, missing
    for startable in here:
        progress(f'system calls: {startable.label}')
        try:
            with TracedServer(startable) as traced:
                add_system_calls(traces, startable.id, watch_all(traced, rounds))
        except (BenchError, OSError) as error:
            missing[f'system calls: {startable.label}'] = first_line(error)
    return traces, missing


def add_functions(traces: dict[str, Any], contestant: str, windows: dict[str, Window]) -> None:
    traces['calls'][contestant] = {
        scenario: {'rounds': window.rounds, 'agreed': window.agreed, 'functions': counted(window.calls)}
        for scenario, window in windows.items()
    }
    traces['paths'][contestant] = {
        scenario.id: [written(call) for call in windows[scenario.id].calls]
        for scenario in SCENARIOS
        if scenario.followed
    }


def add_system_calls(traces: dict[str, Any], contestant: str, windows: dict[str, Window]) -> None:
    traces['system'][contestant] = {
        scenario: {
            'rounds': window.rounds,
            'agreed': window.agreed,
            'order': ' '.join(call.function for call in window.calls),
        }
        for scenario, window in windows.items()
    }


def watch_all(server: Watched, rounds: int) -> dict[str, Window]:
    return {scenario.id: watch(server, scenario, rounds) for scenario in SCENARIOS}


def watch(server: Watched, scenario: Scenario, rounds: int) -> Window:
    """Play a scenario in so many windows."""
    seen: Counter[tuple[Call, ...]] = Counter()
    with scenario.stage(server) as once:
        for _ in range(WARM_UPS):
            once()
        for _ in range(rounds):
            server.begin()
            once()
            seen[tuple(server.end())] += 1
    return usual(seen)


def usual(seen: Counter[tuple[Call, ...]]) -> Window:
    """What came most often; of several that came as often, the middle one by length."""
    most = max(seen.values())
    candidates = sorted((calls for calls, times in seen.items() if times == most), key=len)
    return Window(candidates[(len(candidates) - 1) // 2], most, seen.total())


def counted(calls: Iterable[Call]) -> dict[str, int]:
    """How often each function was called, by its file (a C function: by its caller's), most often first."""
    counts = Counter(f'{call.kind}|{call.file}|{call.function}' for call in calls if call.kind != MARK)
    return dict(counts.most_common())


def written(call: Call) -> str:
    """A call as one word of a path; `read_call` reads it again."""
    return f'{call.kind}|{call.depth}|{call.file}|{call.line}|{call.function}'


def read_call(text: str) -> Call:
    kind, depth, file, line, function = text.split('|', 4)
    return Call(kind, int(depth), function, file, int(line))


def first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
