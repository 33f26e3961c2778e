"""What `tracing` has found, as HTML: calls by layer, paths call by call, and system calls. Any part may be missing."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from itertools import groupby
from typing import Any

from tools.study.profiled import MARK, PYTHON, C, Call
from tools.study.results import Contestant, Results
from tools.study.tables import html_table
from tools.study.tracing import read_call

# A file belongs to the first layer that has its beginning; a C function belongs where it is called from.
LAYERS = {
    'loop and transport': (
        'asyncio/',
        'uvloop/',
        'selectors.py',
        'socket.py',
        'signal.py',
        'selredis/net/loop.py',
        'selredis/net/listener.py',
        'selredis/timers.py',
    ),
    'connection, and the turn of the server': (
        'selredis/net/',
        'selredis/driver.py',
        'selredis/server.py',
        'tools/study/',
    ),
    'parser and encoder': ('selredis/resp/',),
    'command': ('selredis/commands/',),
    'engine': ('selredis/',),
}
OTHER = 'the rest of the standard library'


def layer_of(file: str) -> str:
    return next((layer for layer, beginnings in LAYERS.items() if file.startswith(beginnings)), OTHER)


class Counts:
    """Calls in a window of one scenario by (layer, kind), of one contestant."""

    def __init__(self, functions: Mapping[str, int], units: int) -> None:
        self.units = units
        self.by_layer: Counter[tuple[str, str]] = Counter()
        for what, times in functions.items():
            kind, file, _ = what.split('|', 2)
            self.by_layer[layer_of(file), kind] += times

    def of(self, kind: str, layer: str = '') -> float:
        """A unit's calls of a kind, in one layer or in all."""
        chosen = (times for (of_layer, of_kind), times in self.by_layer.items() if of_kind == kind)
        return (self.by_layer[layer, kind] if layer else sum(chosen)) / self.units

    def cell(self, layer: str = '') -> str:
        python, c = self.of(PYTHON, layer), self.of(C, layer)
        return f'{count(python)} + {count(c)}' if python or c else '0'


def count(value: float) -> str:
    """Whole numbers as they are; averages with two digits."""
    return f'{value:.0f}' if value == int(value) else f'{value:.2f}'


def times_of(name: str, times: int) -> str:
    return f'{escape(name)} &times;{times}' if times > 1 else escape(name)


def scenarios(results: Results) -> dict[str, dict[str, Any]]:
    return {scenario['id']: scenario for scenario in results.traces.get('scenarios', [])}


def seen_in(results: Results, part: str, scenario: str) -> list[Contestant]:
    """The contestants that have this scenario in a part of the traces."""
    traced = results.traces.get(part, {})
    return [one for one in results.contestants if scenario in traced.get(one.id, {})]


def counts_of(results: Results, contestant: Contestant, scenario: str) -> Counts:
    functions = results.traces['calls'][contestant.id][scenario]['functions']
    return Counts(functions, scenarios(results)[scenario]['units'])


def calls_table(results: Results) -> str:
    """Python + C calls by scenario and driver."""
    shown = {name: scenario for name, scenario in scenarios(results).items() if seen_in(results, 'calls', name)}
    drivers = [one for one in results.contestants if one.id in results.traces.get('calls', {})]
    if not shown:
        return ''
    rows = []
    for scenario_id, scenario in shown.items():
        here = seen_in(results, 'calls', scenario_id)
        cells = [counts_of(results, one, scenario_id).cell() if one in here else '' for one in drivers]
        rows.append([f'{escape(scenario["title"])} <small>a {escape(scenario["unit"])}</small>', *cells])
    return html_table(['Python + C calls', *(escape(one.label) for one in drivers)], rows, 'figures')


def agreement(results: Results) -> str:
    """How many of all windows were as the one that is shown: `90 of 100`."""
    windows = [window for traced in results.traces.get('calls', {}).values() for window in traced.values()]
    return f'{sum(window["agreed"] for window in windows):,} of {sum(window["rounds"] for window in windows):,}'


def layers_table(results: Results, scenario_id: str) -> str:
    """Python + C calls of a scenario by layer and driver."""
    drivers = seen_in(results, 'calls', scenario_id)
    if not drivers:
        return ''
    counted = [counts_of(results, one, scenario_id) for one in drivers]
    rows = [[layer, *(counts.cell(layer) for counts in counted)] for layer in (*LAYERS, OTHER)]
    rows = [row for row in rows if any(cell != '0' for cell in row[1:])]
    rows.append(['<b>together</b>', *(f'<b>{counts.cell()}</b>' for counts in counted)])
    unit = escape(scenarios(results)[scenario_id]['unit'])
    return html_table([f'Python + C calls a {unit}', *(escape(one.label) for one in drivers)], rows, 'figures')


def paths(results: Results, scenario_id: str) -> str:
    """A scenario call by call, a <details> for each driver."""
    parts = []
    for driver in seen_in(results, 'paths', scenario_id):
        calls = [read_call(text) for text in results.traces['paths'][driver.id][scenario_id]]
        numbers = Counter(call.kind for call in calls)
        summary = f'{escape(driver.label)}: {numbers[PYTHON]} Python calls, {numbers[C]} C calls'
        listing = '\n'.join(path_lines(calls))
        parts.append(f'<details><summary>{summary}</summary>\n<pre><code>{listing}</code></pre></details>')
    return f'<div class="side-by-side">{"".join(f"<div>{part}</div>" for part in parts)}</div>' if parts else ''


def path_lines(calls: Iterable[Call]) -> Iterator[str]:
    """Python calls a line each, with their place; the C calls in between, those of one caller on a line."""
    for (kind, depth), run in groupby(calls, lambda call: (call.kind, call.depth)):
        indent = '  ' * depth
        if kind == C:
            names = [(name, sum(1 for _ in same)) for name, same in groupby(run, lambda call: call.function)]
            words = ', '.join(times_of(name, times) for name, times in names)
            yield f'{indent}<small>{words}</small>'
            continue
        for call in run:
            if kind == MARK:
                yield f'<b>— {escape(call.function)} —</b>'
            else:
                yield f'{indent}{escape(call.function)} <i>{escape(call.file)}:{call.line}</i>'


def system_table(results: Results) -> str:
    """System calls a unit by name, a row for each scenario and name."""
    traced = results.traces.get('system', {})
    contestants = [one for one in results.contestants if one.id in traced]
    rows: list[list[str]] = []
    for scenario_id, scenario in scenarios(results).items():
        orders = {one.id: Counter(traced[one.id].get(scenario_id, {}).get('order', '').split()) for one in contestants}
        names = dict.fromkeys(name for order in orders.values() for name in order)
        if not names:
            continue
        rows.append(
            [
                f'<b>{escape(scenario["title"])}</b> <small>a {escape(scenario["unit"])}</small>',
                *(f'<b>{count(orders[one.id].total() / scenario["units"])}</b>' for one in contestants),
            ]
        )
        for name in names:
            found = [orders[one.id][name] / scenario['units'] for one in contestants]
            rows.append([f'<code>{escape(name)}</code>', *(count(times) if times else '' for times in found)])
    return html_table(['System calls', *(escape(one.label) for one in contestants)], rows, 'figures') if rows else ''


def system_order(results: Results, scenario_id: str) -> str:
    """The system calls of a scenario in their order; runs of one name are put together."""
    rows = []
    for one in seen_in(results, 'system', scenario_id):
        names = results.traces['system'][one.id][scenario_id]['order'].split()
        runs = [(name, sum(1 for _ in same)) for name, same in groupby(names)]
        words = ' → '.join(times_of(name, times) for name, times in runs)
        rows.append([escape(one.label), f'<code>{words}</code>'])
    return html_table(['', 'in this order, until it waits again'], rows, 'words') if rows else ''


def missing(results: Results, what: str) -> str:
    """Why a part has nothing to show, as a note; empty if nothing is said of it."""
    reasons = {name: reason for name, reason in results.missing.items() if name.startswith(what)}
    return ''.join(
        f'<p class="note">Not measured: {escape(name)}: {escape(reason)}.</p>' for name, reason in reasons.items()
    )
