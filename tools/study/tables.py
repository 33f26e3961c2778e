"""The page's tables, as HTML: goals, figures of every load and contestant, and what a run was made on. No figures."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from tools.benchmark.report import number
from tools.study.goals import GOALS, Verdict, verdicts
from tools.study.intervals import Interval
from tools.study.results import FIGURES, Contestant, Load, Results
from tools.study.selection import (
    BASELINE,
    BUSY_PERCENT,
    OF_THE_GENERATOR,
    busiest,
    is_busy,
    main_loads,
    measured,
    median_of,
    ratio_of,
    verdict_figure,
)


def interval_text(interval: Interval) -> str:
    return f'{number(interval.median)} <small>[{number(interval.low)}, {number(interval.high)}]</small>'


def ratio_text(ratio: Interval) -> str:
    return f'&times; {ratio.median:.2f} <small>[{ratio.low:.2f}, {ratio.high:.2f}]</small>'


def html_table(head: Sequence[str], rows: Iterable[Sequence[str]], kind: str = '') -> str:
    """A table that scrolls sideways in itself. Cells are HTML; the first of a row is its heading."""
    columns = ''.join(f'<th scope="col">{cell}</th>' for cell in head)
    body = ''.join(
        f'<tr><th scope="row">{row[0]}</th>{"".join(f"<td>{cell}</td>" for cell in row[1:])}</tr>\n' for row in rows
    )
    opening = f'<table class="{kind}">' if kind else '<table>'
    table = f'{opening}<thead><tr>{columns}</tr></thead>\n<tbody>{body}</tbody></table>'
    return f'<div class="scroll" tabindex="0">{table}</div>'


def goals_table(results: Results) -> str:
    """A row for each goal: on how many loads it is met, and where it is furthest from it; empty without verdicts."""
    found = verdicts(results)
    rows: list[list[str]] = []
    for goal in GOALS:
        of_goal = [verdict for verdict in found if verdict.goal == goal]
        if not of_goal:
            continue
        met = sum(verdict.met for verdict in of_goal)
        worst = max(of_goal, key=lambda verdict: verdict.ratio.median)
        rows.append(
            [
                escape(goal.text),
                mark(met == len(of_goal)),
                escape(label_of(results, goal.base)),
                f'≤ {goal.limit:g}',
                f'<span class="count">{met} of {len(of_goal)}</span> loads',
                f'{ratio_text(worst.ratio)} {escape(worst.load.title)}',
            ]
        )
    return html_table(['goal', '', 'against', 'ratio', 'met on', 'highest ratio'], rows, 'words') if rows else ''


def verdicts_table(found: Sequence[Verdict], results: Results) -> str:
    rows = [
        [
            escape(verdict.load.title),
            escape(label_of(results, verdict.goal.base)),
            f'≤ {verdict.goal.limit:g}',
            ratio_text(verdict.ratio),
            mark(verdict.met) + ('' if verdict.clear else ' <small>(the interval has the limit in it)</small>'),
        ]
        for verdict in found
    ]
    return html_table(['load', 'against', 'goal', 'selectors loop', ''], rows, 'words')


def mark(met: bool) -> str:
    return '<span class="met">✓ met</span>' if met else '<span class="missed">✗ missed</span>'


def label_of(results: Results, contestant_id: str) -> str:
    labels = {one.id: one.label for one in results.contestants}
    return labels.get(contestant_id, contestant_id)


def figure_table(results: Results, loads: Sequence[Load], figure_id: str) -> str:
    """A row for each load, a column for each contestant: the median with its interval and the ratio to the baseline."""
    contestants = measured(results, loads, figure_id)
    with_busy = figure_id != 'generator_busy' and any(busiest(load) is not None for load in loads)
    head = ['load', *(escape(one.label) for one in contestants), *(['load generator'] if with_busy else [])]
    rows = []
    for load in loads:
        if not any(load.values(one.id, figure_id) for one in contestants):
            continue
        cells = [figure_cell(load, one, figure_id) for one in contestants]
        rows.append([escape(load.title), *cells, *([busy_text(load)] if with_busy else [])])
    return html_table(head, rows, 'figures')


def figure_cell(load: Load, contestant: Contestant, figure_id: str) -> str:
    interval = median_of(load, contestant.id, figure_id)
    if interval is None:
        return '&ndash;'
    if FIGURES[figure_id].unit == 'yes/no':
        return 'yes' if all(load.values(contestant.id, figure_id)) else 'no'
    note = '<sup>†</sup>' if figure_id == 'rate' and is_busy(load, contestant.id) else ''
    ratio = (
        None if contestant.id == BASELINE or figure_id in OF_THE_GENERATOR else ratio_of(load, contestant.id, figure_id)
    )
    return interval_text(interval) + note + (f'<br>{ratio_text(ratio)}' if ratio else '')


def busy_text(load: Load) -> str:
    contestants = sorted({sample.contestant for sample in load.samples})
    shares = [share for one in contestants if (share := busiest(load, one)) is not None]
    if not shares:
        return '&ndash;'
    text = f'{min(shares):.0f}&ndash;{max(shares):.0f} %' if len(shares) > 1 else f'{shares[0]:.0f} %'
    return f'<strong>{text}</strong>' if max(shares) > BUSY_PERCENT else text


def figure_title(figure_id: str) -> str:
    figure = FIGURES[figure_id]
    label = {
        'cpu_user_us': "Server's CPU time a request, in user space",
        'cpu_system_us': "Server's CPU time a request, in the kernel",
    }.get(figure_id, figure.label)
    if figure.unit == 'yes/no':
        return label
    better = '' if figure_id in OF_THE_GENERATOR else f', {figure.better} is better'
    return f'{label} ({figure.unit}{better})'


def named(entries: Mapping[str, str]) -> str:
    """Names and what there is to say of them."""
    return html_table(['', ''], [[escape(name), escape(str(text))] for name, text in entries.items()], 'words named')


def markdown_table(results: Results) -> str:
    """The CPU time a request of each contestant and its ratio to the baseline on the main loads, for a README."""
    loads = [load for chosen in main_loads(results).values() for load in chosen]
    loads = [load for load in loads if verdict_figure(load) == 'cpu_us']
    contestants = measured(results, loads, 'cpu_us')
    lines = [
        '| CPU µs a request (ratio) | ' + ' | '.join(one.label for one in contestants) + ' |',
        '| --- |' + ' ---: |' * len(contestants),
    ]
    for load in loads:
        cells = []
        for one in contestants:
            interval = median_of(load, one.id, 'cpu_us')
            ratio = None if one.id == BASELINE else ratio_of(load, one.id, 'cpu_us')
            text = number(interval.median) if interval else ''
            cells.append(f'{text} ({ratio.median:.2f})' if interval and ratio else text)
        lines.append(f'| {load.title} | ' + ' | '.join(cells) + ' |')
    return '\n'.join(lines) + '\n'
