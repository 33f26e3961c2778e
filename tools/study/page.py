"""Makes of a run of the study one self-contained HTML page, a figure for the README, or a table in Markdown.

    python3 tools/study/report.py FILE                 the page, beside FILE
    python3 tools/study/report.py FILE -o page.html
    python3 tools/study/report.py FILE --figure OUT.svg
    python3 tools/study/report.py FILE --markdown

The page needs no script and nothing from elsewhere. Whatever a run lacks is left out; without matplotlib the page has
its tables.
"""

import argparse
import sys
from collections.abc import Iterable, Sequence
from html import escape
from importlib.util import find_spec
from pathlib import Path

from tools.study.explanation import explanation_html
from tools.study.goals import verdicts
from tools.study.palette import MARKERS, css_variables, role_of
from tools.study.results import FIGURES, Load, Results
from tools.study.selection import (
    BUSY_PERCENT,
    GROUPS,
    LATENCIES,
    OF_THE_GENERATOR,
    PARAMETERS,
    PARTS,
    TABLES_ONLY,
    families,
    far_off,
    figures_of,
    groups,
    is_busy,
    main_loads,
)
from tools.study.tables import (
    figure_table,
    figure_title,
    goals_table,
    markdown_table,
    named,
    verdicts_table,
)

HAS_MATPLOTLIB = find_spec('matplotlib') is not None
if HAS_MATPLOTLIB:
    from tools.study import figures
    from tools.study.figures import Panel

SHAPES = {
    'o': '<circle cx="7" cy="7" r="4.5"/>',
    's': '<rect x="3" y="3" width="8" height="8"/>',
    'D': '<path d="M7 1.5 12.5 7 7 12.5 1.5 7z"/>',
    '^': '<path d="M7 2 12 11.5H2z"/>',
    'v': '<path d="M7 12 2 2.5h10z"/>',
    '<': '<path d="M2 7 11.5 2v10z"/>',
    'X': '<path d="M2 4 4 2l3 3 3-3 2 2-3 3 3 3-2 2-3-3-3 3-2-2 3-3z"/>',
    '*': '<path d="M7 1 8.8 5.2 13 5.6 9.8 8.4 10.8 13 7 10.5 3.2 13 4.2 8.4 1 5.6 5.2 5.2z"/>',
}

Lines = list[str]
MORE = (*PARTS, *LATENCIES, *OF_THE_GENERATOR)  # tables that are folded twice


def write_page(results: Results, path: Path) -> None:
    path.write_text(page(results), encoding='utf-8')


def page(results: Results) -> str:
    style = (Path(__file__).parent / 'page.css').read_text(encoding='utf-8')
    sections = [
        *opening(results),
        *verdict_section(results),
        *(line for group, loads in groups(results).items() for line in group_section(results, group, loads)),
        explanation_html(results),
        *run_section(results),
    ]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f'<title>selredis: the study, run {escape(results.name)}</title>\n'
        f'<style>\n{css_variables()}{style}</style>\n</head>\n<body>\n<main>\n'
        + '\n'.join(sections)
        + '\n</main>\n</body>\n</html>\n'
    )


def opening(results: Results) -> Lines:
    rounds = len({sample.round for load in results.loads for sample in load.samples})
    quick = ' It was a quick run: few rounds, short loads, wide intervals.' if results.quick else ''
    drivers = sum(one.kind == 'driver' for one in results.contestants)
    return [
        '<header>',
        '<h1>One engine, several event loops</h1>',
        f'<p class="run">Run <b>{escape(results.name)}</b>, begun {escape(results.started)}:'
        f' <code>{escape(results.command)}</code></p>',
        '</header>',
        f'<p>{drivers} drivers run the same Redis engine in Python, that of selredis: they differ in how bytes come and'
        ' go and in nothing else. redis-server and fakeredis, where they took part, are there for scale. Every load was'
        f' put on one server after the other, in {rounds} interleaved rounds at most (A B C, A B C, &hellip;), so that'
        ' what disturbs the machine disturbs all of them. Figures are medians over the rounds, with a bootstrap 95 %'
        ' interval in brackets or as a thin line. A ratio is taken within each round, and the selectors loop is 1;'
        ' ratios can be compared between machines, the figures themselves cannot. What counts most is the CPU time that'
        f' the server takes for a request: it holds where the load generator is the bottleneck, too.{quick}</p>',
    ]


def legend(results: Results, loads: Iterable[Load]) -> str:
    seen = {sample.contestant for load in loads for sample in load.samples}
    entries = [
        f'<li><svg viewBox="0 0 14 14" aria-hidden="true" style="fill: var(--{role_of(one)})">'
        f'{SHAPES[MARKERS[role_of(one)]]}</svg>{escape(one.label)}</li>'
        for one in results.contestants
        if one.id in seen
    ]
    return f'<ul class="legend">{"".join(entries)}</ul>'


def grid(panels: 'Sequence[Panel]', caption: str, kind: str = '') -> str:
    """Figures beside each other, as many as there is room for, with one caption in words (HTML)."""
    if not panels:
        return ''
    drawn = ''.join(f'<div>{panel.svg}</div>\n' for panel in panels)
    return f'<figure><figcaption>{caption}</figcaption>\n<div class="grid {kind}">{drawn}</div></figure>'


def fold(summary: str, content: str) -> str:
    return f'<details><summary>{summary}</summary>\n{content}\n</details>'


def verdict_section(results: Results) -> Lines:
    loads = [load for chosen in main_loads(results).values() for load in chosen]
    lines = ['<section id="verdict">', '<h2>What the loop costs</h2>']
    if HAS_MATPLOTLIB and loads:
        drivers = [one.id for one in results.contestants if one.kind == 'driver']
        lines += [
            legend(
                results, [Load('', '', '', {}, [s for load in loads for s in load.samples if s.contestant in drivers])]
            ),
            grid(
                figures.verdict_panels(results),
                'CPU time that the server takes for a request, that of each driver over that of the selectors loop. The'
                ' vertical line is the selectors loop: <b>to the right of it a driver costs more, to the left less</b>.'
                ' The axis is logarithmic.',
                'wide',
            ),
        ]
    table = goals_table(results)
    if table:
        found = verdicts(results)
        missed = [verdict for verdict in found if not verdict.met]
        lines += [
            '<h3>Goals</h3>',
            '<p>CPU time a request of the selectors loop over that of the other: here <b>below 1 is cheaper</b>.'
            ' A goal is met if it is met on every load that it is about.</p>',
            table,
        ]
        if missed:
            lines.append(fold(f'Missed: {len(missed)} of {len(found)}', verdicts_table(missed, results)))
        lines.append(fold(f'Every load and goal ({len(found)})', verdicts_table(found, results)))
    return [*lines, '</section>']


def group_section(results: Results, group: str, loads: list[Load]) -> Lines:
    lines = [f'<section id="group-{escape(group)}">', f'<h2>{escape(GROUPS.get(group, group.capitalize()))}</h2>']
    if HAS_MATPLOTLIB:
        lines.append(legend(results, loads))
        if group == 'request':
            lines += request_figures(results, loads)
        elif group != 'schedule':
            lines += other_figures(results, group, loads)
        lines += latency_figures(results, group, loads)
    if any(is_busy(load) for load in loads) and 'rate' in figures_of(loads):
        lines.append(
            f'<p class="note">Where the load generator was more than {BUSY_PERCENT} % busy (hollow in figures of'
            ' throughput, † in tables), throughput says nothing of the server: CPU time does.</p>'
        )
    tables = {
        figure_id: fold(f'Table: {escape(figure_title(figure_id))}', figure_table(results, loads, figure_id))
        for figure_id in figures_of(loads)
    }
    lines += [table for figure_id, table in tables.items() if figure_id not in MORE]
    more = [table for figure_id, table in tables.items() if figure_id in MORE]
    if more:
        lines.append(fold(f'{len(more)} more tables' if len(more) > 1 else '1 more table', '\n'.join(more)))
    return [*lines, '</section>']


def swept(
    results: Results, group: str, loads: Sequence[Load], figure_id: str, title: str = ''
) -> dict[str, 'list[Panel]']:
    """A figure's panels by the parameter that they are over."""
    panels: dict[str, list[Panel]] = {}
    measured_loads = [load for load in loads if figure_id in figures_of([load])]
    for family in families(measured_loads):
        made = panels.setdefault(family.parameter, [])
        name = f'{group}-{figure_id}-{family.parameter}-{len(made)}'
        made.append(figures.family_panel(results, family, figure_id, name, title))
    return panels


def request_figures(results: Results, loads: Sequence[Load]) -> Lines:
    lines: Lines = []
    for parameter, panels in swept(results, 'request', loads, 'cpu_us').items():
        caption = (
            f'Server&rsquo;s CPU time a request in µs: <b>lower is better</b>.{far_note(results, loads, "cpu_us")}'
        )
        lines += [f'<h3>CPU time by {escape(PARAMETERS.get(parameter, parameter))}</h3>', grid(panels, caption)]
    chosen = [load for load in loads if load.parameters.get('command') == 'GET'] or list(loads)
    bars = [
        figures.bar_panel(results, load, 'cpu_us', f'request-parts-{at}')
        for at, load in enumerate(chosen)
        if 'cpu_us' in figures_of([load])
    ]
    if bars:
        lines += ['<h3>User space and kernel</h3>', grid(bars, PARTS_CAPTION)]
    rates = [
        grid(panels, f'Requests a second by {escape(PARAMETERS.get(parameter, parameter))}: <b>higher is better</b>.')
        for parameter, panels in swept(results, 'request', loads, 'rate').items()
    ]
    if rates:
        lines += ['<h3>Throughput</h3>', fold('Figures of throughput', '\n'.join(rates))]
    return lines


PARTS_CAPTION = (
    'Server&rsquo;s CPU time a request in µs: the full colour is user space, the pale one the kernel;'
    ' <b>shorter is better</b>. A bar that ends in an arrow is cut off.'
)


def far_note(results: Results, loads: Sequence[Load], figure_id: str) -> str:
    """Which contestants lines may leave out."""
    far = far_off(results, loads, figure_id)
    names = ' and '.join(escape(one.label) for one in far)
    return f' {names}: left out where far above the drivers; see the table.' if far else ''


def other_figures(results: Results, group: str, loads: Sequence[Load]) -> Lines:
    """Lines over what varies; where nothing does, and for CPU time in two parts, bars."""
    over: list[Panel] = []
    bars: list[Panel] = []
    has_parts = any(part in figures_of(loads) for part in PARTS)
    for figure_id in figures_of(loads):
        if figure_id in (*TABLES_ONLY, *LATENCIES):
            continue
        what = FIGURES[figure_id]
        panels = swept(results, group, loads, figure_id, f'{what.label}: {what.better} is better')
        over += [panel for made in panels.values() for panel in made]
        if not panels or (figure_id == 'cpu_us' and has_parts):
            bars += [
                figures.bar_panel(results, load, figure_id, f'{group}-{figure_id}-{at}')
                for at, load in enumerate(loads)
                if figure_id in figures_of([load])
            ]
    parts = 'CPU time: the full colour is user space, the pale one the kernel. ' if has_parts else ''
    return [
        grid(over, f'Medians, with their intervals as thin lines.{far_note(results, loads, "cpu_us")}'),
        grid(bars, f'{parts}Numbers are medians; a bar that ends in an arrow is cut off.'),
    ]


LATENCY_FROM = {
    'schedule': 'Latency from the moment that a request was due, so that waiting in the queue counts',
    'slow': 'Latency of a delivery to the fast ones',
    'hand-off': 'Latency from RPUSH to its element at the client that waited',
}


def latency_figures(results: Results, group: str, loads: Sequence[Load]) -> Lines:
    panels = [
        figures.latency_panel(results, load, f'{group}-latency-{at}')
        for at, load in enumerate(loads)
        if any(figure in figures_of([load]) for figure in LATENCIES)
    ]
    return [
        grid(
            panels,
            f'{LATENCY_FROM.get(group, "Latency")}: median (circle),'
            ' 99th percentile (diamond), 99.9th (square) and the worst (cross), on a logarithmic axis; <b>further left'
            ' is better</b>.',
            'wide',
        )
    ]


def run_section(results: Results) -> Lines:
    lines = ['<section id="run">', '<h2>What it was run on</h2>']
    for title, entries in (('Machine', results.machine), ('Versions', results.versions)):
        if entries:
            lines += [f'<h3>{title}</h3>', named(entries)]
    lines.append('<h3>What was missing</h3>')
    lines.append(named(results.missing) if results.missing else '<p>Nothing: everything could be measured.</p>')
    if not HAS_MATPLOTLIB:
        lines.append('<p class="note">matplotlib is not installed: the page has no figures.</p>')
    return [*lines, '</section>']


def main() -> int:
    parser = argparse.ArgumentParser(prog='report.py', description='Make a page of what a run of the study has stored.')
    parser.add_argument('file', type=Path, metavar='FILE', help='what run.py has written')
    parser.add_argument('-o', '--output', type=Path, metavar='OUT', help='the page (default: FILE with .html)')
    parser.add_argument('--figure', type=Path, metavar='OUT', help='write the main figure instead, as SVG')
    parser.add_argument('--markdown', action='store_true', help='print the main table instead')
    options = parser.parse_args()
    results = Results.read(options.file)
    if options.markdown:
        print(markdown_table(results), end='')
    elif options.figure is None:
        write_page(results, options.output or options.file.with_suffix('.html'))
    elif HAS_MATPLOTLIB:
        options.figure.write_text(figures.main_figure(results), encoding='utf-8')
    else:
        print('matplotlib is not installed: no figure', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
