"""What of a run is shown with what: the main loads, loads that differ in one parameter alone, busy ones."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
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
LATENCIES = ('p50_us', 'p99_us', 'p999_us', 'worst_us')
OF_THE_GENERATOR = ('late_us', 'generator_busy')
TABLES_ONLY = (*PARTS, *OF_THE_GENERATOR, 'cut_off')  # no figures of their own


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
    """Loads that differ in one parameter alone, in its order, and what is said of each on the axis."""

    parameter: str
    title: str
    loads: list[Load]
    ticks: list[str]


Fixed = tuple[tuple[str, int | str], ...]


def families(loads: Sequence[Load]) -> list[Family]:
    """Every family of two loads or more; of those with the same words (GET, SET, ...) only the one with most loads.

    A large value may come on fewer connections than the others: then its tick says so.
    """
    common = usual(loads)
    numeric = dict.fromkeys(
        name for load in loads for name, value in load.parameters.items() if not isinstance(value, str)
    )
    return [family for parameter in numeric for family in families_over(parameter, loads, common)]


def families_over(parameter: str, loads: Sequence[Load], common: Mapping[str, int | str]) -> list[Family]:
    free = {parameter, 'connections'} if parameter == 'value_bytes' else {parameter}
    siblings: dict[Fixed, dict[int | str, Load]] = {}
    for load in loads:
        if parameter in load.parameters:
            fixed = tuple(sorted((name, value) for name, value in load.parameters.items() if name not in free))
            members = siblings.setdefault(fixed, {})
            at = load.parameters[parameter]
            if at not in members or load.parameters.get('connections') == common.get('connections'):
                members[at] = load
    best: dict[str, tuple[tuple[int, int], Family]] = {}
    for fixed, by_value in siblings.items():
        if len(by_value) < 2:
            continue
        words = ' '.join(value for _, value in fixed if isinstance(value, str))
        rank = (len(by_value), sum(common[name] == value for name, value in fixed))
        if words not in best or rank > best[words][0]:
            members_in_order = [by_value[at] for at in sorted(by_value, key=float)]
            best[words] = (rank, family_of(parameter, members_in_order, free, common))
    return [family for _, family in best.values()]


def family_of(parameter: str, loads: list[Load], free: Set[str], common: Mapping[str, int | str]) -> Family:
    others = free - {parameter}
    same = {name for name in others if len({load.parameters.get(name) for load in loads}) == 1}
    ticks = []
    for load in loads:
        exceptions = [
            f'{load.parameters[name]:,} {PARAMETERS[name]}'
            for name in others - same
            if load.parameters.get(name) != common.get(name)
        ]
        ticks.append('\n'.join([said(parameter, load.parameters[parameter]), *exceptions]))
    fixed = [(name, value) for name, value in loads[0].parameters.items() if name not in free or name in same]
    fixed += [(name, common[name]) for name in sorted(others - same)]
    return Family(
        parameter, title_of([(name, value) for name, value in fixed if not is_base(name, value)]), loads, ticks
    )


def is_base(name: str, value: int | str) -> bool:
    """Whether it goes without saying: values of a few bytes, requests that come one by one."""
    return (name == 'value_bytes' and int(value) < 10) or (name == 'pipeline' and value == 1)


def title_of(fixed: Sequence[tuple[str, int | str]]) -> str:
    """What loads have in common: `GET, 50 connections, 1 KB`."""
    parts = [value for _, value in fixed if isinstance(value, str)]
    for name, value in fixed:
        if name == 'pipeline':
            parts.append(f'pipeline {value}')
        elif name.endswith('_bytes'):
            parts.append(said(name, value))
        elif not isinstance(value, str):
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
            for load in sorted(chosen, key=shape):
                if load.parameters.get('pipeline', 1) == 1:
                    panels.setdefault('One request at a time', []).append(load)
                elif is_base('value_bytes', load.parameters.get('value_bytes', 1)):
                    panels.setdefault('Pipelined requests', []).append(load)
        elif group == 'schedule':
            continue  # shown by its latency
        elif judged:
            panels.setdefault('Clients that share, wait, come and go', []).extend(judged)
    return panels


def shape(load: Load) -> tuple[str, list[float]]:
    """By command, then from small to large."""
    sizes = [load.parameters.get(name, 0) for name in ('value_bytes', 'connections', 'pipeline')]
    return str(load.parameters.get('command', '')), [float(size) for size in sizes]
