"""What of a run is shown with what: the main loads, loads that differ in one parameter alone, busy ones."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tools.study.intervals import Interval, median_interval, ratio_interval
from tools.study.results import FIGURES, Contestant, Load, Results

BASELINE = 'selectors'
BUSY_PERCENT = 90  # from here on the load generator may be what is measured: throughput says nothing of the server

# The groups in the order in which they are shown; others come behind them, under their own name.
GROUPS = {
    'request': 'Request and reply',
    'fan-out': 'Fan-out: PUBLISH to many',
    'hand-off': 'Hand-off: RPUSH to the longest waiting',
    'churn': 'Churn: connections come and go',
    'idle': 'Idle connections',
    'slow': 'A slow subscriber beside fast ones',
    'schedule': 'Latency on an open schedule',
}
PARAMETERS = {
    'connections': 'connections',
    'pipeline': 'requests in a pipeline',
    'value_bytes': 'size of the value',
    'subscribers': 'subscribers',
    'waiters': 'waiting clients',
    'rate': 'requests a second',
}
MAIN_COMMANDS = ('SET', 'GET')
FAR = 2.5
PARTS = ('cpu_user_us', 'cpu_system_us')


def number(value: float) -> str:
    """Three digits that count, in whole numbers from a hundred on."""
    if abs(value) >= 99.95:
        return f'{value:,.0f}'
    if abs(value) < 0.0005:
        return '0'
    return f'{value:#.3g}'.rstrip('.')


def size(size_bytes: float) -> str:
    """3 B, 1 KB, 1 MB; for sizes of values, which are round."""
    for unit, factor in (('MB', 1024 * 1024), ('KB', 1024)):
        if size_bytes >= factor:
            return f'{size_bytes / factor:.3g} {unit}'
    return f'{size_bytes:.3g} B'


def said(parameter: str, value: float | str) -> str:
    """A parameter's value as on an axis or in a title: `50`, `1 KB`, `GET`."""
    if isinstance(value, str):
        return value
    return size(value) if parameter.endswith('_bytes') else f'{value:,.10g}'


def groups(results: Results) -> dict[str, list[Load]]:
    """The loads of each group, in the order in which they are shown; without loads that have no samples."""
    shown: dict[str, list[Load]] = {group: [] for group in GROUPS}
    for load in results.loads:
        if load.samples:
            shown.setdefault(load.group, []).append(load)
    return {group: loads for group, loads in shown.items() if loads}


def figures_of(loads: Iterable[Load]) -> list[str]:
    """Which figures any sample of these loads has, in the order of FIGURES."""
    seen = {figure for load in loads for sample in load.samples for figure in sample.values}
    return [figure for figure in FIGURES if figure in seen]


def measured(results: Results, loads: Iterable[Load], figure: str) -> list[Contestant]:
    """The contestants that have this figure in any of the loads."""
    seen = {sample.contestant for load in loads for sample in load.samples if figure in sample.values}
    return [contestant for contestant in results.contestants if contestant.id in seen]


def far_off(results: Results, loads: Sequence[Load], figure: str) -> list[Contestant]:
    """References so far above every driver that to show them would flatten what the drivers differ by."""
    if FIGURES[figure].better == 'higher':
        return []
    shown = measured(results, loads, figure)
    highest = {
        one.id: max(found.median for load in loads if (found := median_of(load, one.id, figure))) for one in shown
    }
    of_drivers = max((highest[one.id] for one in shown if one.kind == 'driver'), default=0)
    return [one for one in shown if one.kind == 'reference' and highest[one.id] > FAR * of_drivers > 0]


def median_of(load: Load, contestant: str, figure: str) -> Interval | None:
    values = load.values(contestant, figure)
    return median_interval(values) if values else None


def ratio_of(load: Load, contestant: str, figure: str) -> Interval | None:
    """A contestant's figure over the selectors loop's, in the rounds that have both; None where there is none."""
    values, base_values = (
        {
            sample.round: sample.values[figure]
            for sample in load.samples
            if sample.contestant == name and figure in sample.values
        }
        for name in (contestant, BASELINE)
    )
    rounds = [number for number in values if base_values.get(number, 0) > 0]
    return ratio_interval([values[n] for n in rounds], [base_values[n] for n in rounds]) if rounds else None


def busiest(load: Load, contestant: str = '') -> float | None:
    """The load generator's median share of a core in percent, with this contestant or at its busiest."""
    names = [contestant] if contestant else sorted({sample.contestant for sample in load.samples})
    medians = [median_of(load, name, 'generator_busy') for name in names]
    return max((interval.median for interval in medians if interval), default=None)


def is_busy(load: Load, contestant: str = '') -> bool:
    busy = busiest(load, contestant)
    return busy is not None and busy > BUSY_PERCENT


def usual(loads: Sequence[Load]) -> dict[str, int | str]:
    """The value of each parameter that most of these loads have."""
    names = dict.fromkeys(name for load in loads for name in load.parameters)
    return {
        name: Counter(load.parameters[name] for load in loads if name in load.parameters).most_common(1)[0][0]
        for name in names
    }


@dataclass
class Family:
    """Loads that differ in one parameter alone, in its order."""

    parameter: str
    title: str
    loads: list[Load]


def families(loads: Sequence[Load]) -> list[Family]:
    """Every family of two loads or more; of those with the same words (GET, SET, ...) only the one with most loads."""
    found: list[Family] = []
    common = usual(loads)
    numeric = dict.fromkeys(
        name for load in loads for name, value in load.parameters.items() if not isinstance(value, str)
    )
    for parameter in numeric:
        siblings: dict[tuple[tuple[str, int | str], ...], list[Load]] = {}
        for load in loads:
            if parameter in load.parameters:
                others = sorted((name, value) for name, value in load.parameters.items() if name != parameter)
                siblings.setdefault(tuple(others), []).append(load)
        best: dict[str, tuple[tuple[int, int], Family]] = {}
        for fixed, members in siblings.items():
            if len(members) < 2:
                continue
            words = ' '.join(value for _, value in fixed if isinstance(value, str))
            rank = (len(members), sum(common[name] == value for name, value in fixed))
            if words not in best or rank > best[words][0]:
                members = sorted(members, key=lambda load: load.parameters[parameter])
                best[words] = (rank, Family(parameter, title_of(fixed), members))
        found += [family for _, family in best.values()]
    return found


def title_of(fixed: Iterable[tuple[str, int | str]]) -> str:
    """What loads have in common: `GET, 50 connections, 3 B`."""
    parts = [value for _, value in fixed if isinstance(value, str)]
    for name, value in fixed:
        if name == 'pipeline' and value != 1:
            parts.append(f'pipeline {value}')
        elif name.endswith('_bytes'):
            parts.append(said(name, value))
        elif not isinstance(value, str) and name != 'pipeline':
            parts.append(f'{value:,} {PARAMETERS.get(name, name)}')
    return ', '.join(parts)


def verdict_figure(load: Load) -> str:
    """What a load is judged by: CPU time a request, or where nothing is requested the CPU at idle."""
    return 'cpu_us' if 'cpu_us' in figures_of([load]) else 'idle_cpu_share'


def main_loads(results: Results) -> dict[str, list[Load]]:
    """The loads of the first figure by panel's title: SET and GET in every shape, and all that are of another kind."""
    panels: dict[str, list[Load]] = {}
    for group, loads in groups(results).items():
        judged = [load for load in loads if verdict_figure(load) in figures_of([load])]
        if group == 'request':
            chosen = [load for load in judged if load.parameters.get('command') in MAIN_COMMANDS] or judged
            for load in chosen:
                piped = load.parameters.get('pipeline', 1) != 1
                panels.setdefault('Pipelined requests' if piped else 'One request at a time', []).append(load)
        elif group == 'schedule':
            continue  # judged by its latency
        elif judged:
            panels.setdefault('Clients that share, wait, come and go', []).extend(judged)
    return panels
