"""The page's figures as SVG text.

matplotlib draws with the light scheme's colours. In the page, each becomes a CSS variable, so that one SVG follows the
reader's colour scheme; a stand-alone file keeps them, with a style sheet that replaces them in the dark. Text stays
text, ids are unique in the page, and the same results give the same bytes.
"""

import io
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape
from textwrap import wrap
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullLocator

from tools.benchmark.report import number
from tools.study.intervals import Interval
from tools.study.palette import COLOURS, MARKERS, role_of
from tools.study.results import FIGURES, Contestant, Load, Results
from tools.study.selection import (
    BASELINE,
    LATENCIES,
    PARAMETERS,
    PARTS,
    Family,
    far_off,
    is_busy,
    main_loads,
    measured,
    median_of,
    ratio_of,
    verdict_figure,
)

PANEL_WIDTH = 380  # px at natural size: three beside each other on a laptop, one on a phone
WIDE = 470
FONT_SIZE = 11  # px
ROLES = {light: role for role, (light, _) in COLOURS.items()}
LIGHT = {role: light for role, (light, _) in COLOURS.items()}

STYLE: dict[Any, Any] = {
    'svg.fonttype': 'none',
    'svg.hashsalt': 'selredis',
    'font.family': 'sans-serif',
    'font.sans-serif': ['DejaVu Sans'],  # what is measured; wider than what browsers put in its place
    'font.size': FONT_SIZE,
    'axes.titlesize': FONT_SIZE + 1,
    'axes.titleweight': 'bold',
    'axes.titlelocation': 'left',
    'axes.labelsize': FONT_SIZE,
    'axes.labelcolor': LIGHT['muted'],
    'axes.titlecolor': LIGHT['ink'],
    'axes.edgecolor': LIGHT['line'],
    'axes.facecolor': 'none',
    'axes.grid': True,
    'axes.axisbelow': True,
    'axes.spines.top': False,
    'axes.spines.right': False,
    'grid.color': LIGHT['line'],
    'grid.linewidth': 0.7,
    'xtick.color': LIGHT['line'],
    'ytick.color': LIGHT['line'],
    'xtick.labelcolor': LIGHT['muted'],
    'ytick.labelcolor': LIGHT['muted'],
    'text.color': LIGHT['ink'],
    'figure.facecolor': 'none',
    'savefig.facecolor': 'none',
    'lines.linewidth': 1.6,
    'lines.markersize': 5.5,
}


@dataclass
class Panel:
    """One figure: its name, unique in the page, what is to be seen in words, and the SVG element."""

    name: str
    label: str
    svg: str


def colour(contestant: Contestant) -> str:
    return LIGHT[role_of(contestant)]


def drawn(name: str, label: str, size: tuple[float, float], draw: Callable[[Figure], None]) -> Panel:
    """A panel of `size` px, for the page."""
    return Panel(name, label, inline(raw_svg(size, draw), name, label))


def raw_svg(size: tuple[float, float], draw: Callable[[Figure], None]) -> str:
    """The SVG element as matplotlib writes it, without declaration and metadata; one unit is one px of `size`."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(size[0] / 72, size[1] / 72), dpi=72, layout='constrained')
        draw(figure)
        written = io.StringIO()
        figure.savefig(written, format='svg', metadata={'Date': None, 'Creator': None})
    text = written.getvalue()
    text = text[text.index('<svg') :]
    text = re.sub(r'<metadata>.*?</metadata>', '', text, flags=re.S)
    text = re.sub(r'<!--.*?-->', '', text, flags=re.S)
    text = re.sub(r'font: ?[^;"]*|font-family: [^;"]*', lambda found: font(found[0]), text)
    text = re.sub(r' transform="rotate\(-0 [^"]*"', '', text)
    text = re.sub(r'\s*\n\s*', ' ', text)
    text = re.sub(r'(\.\d\d)\d+', r'\1', text)  # a hundredth of a px is fine enough
    return re.sub(r'> <', '><', text)


def font(declaration: str) -> str:
    """The same declaration with the reader's own font."""
    sized = re.search(r'[\d.]+px', declaration)
    weight = 'bold ' if 'bold' in declaration or '700' in declaration else ''
    families = 'system-ui, -apple-system, &quot;Segoe UI&quot;, Roboto, &quot;DejaVu Sans&quot;, sans-serif'
    return f'font: {weight}{sized[0]} {families}' if sized else f'font-family: {families}'


def own_ids(svg: str, prefix: str) -> str:
    """With ids that begin with the prefix, and only those that something refers to."""
    used = set(re.findall(r'(?:href="|url\()#([^")]+)', svg))
    svg = re.sub(r' id="([^"]+)"', lambda found: f' id="{prefix}-{found[1]}"' if found[1] in used else '', svg)
    return re.sub(r'(href="|url\()#', rf'\1#{prefix}-', svg)


def inline(svg: str, name: str, label: str) -> str:
    """For a page that has the variables: one SVG for both colour schemes."""
    svg = re.sub(r'(fill|stroke): (#[0-9a-f]{6})', lambda found: f'{found[1]}: var(--{ROLES[found[2]]})', svg)
    svg = re.sub(r'<defs><style.*?</style></defs>', '', svg)
    viewed = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
    assert viewed
    opening = (
        f'<svg viewBox="0 0 {viewed[1]} {viewed[2]}" style="max-width: {float(viewed[1]) * 1.25:.0f}px" role="img"'
        f' aria-label="{escape(label)}">'
    )
    svg = opening + svg[svg.index('>') + 1 :].strip()
    return own_ids(svg, name).replace('xlink:href', 'href')


def alone(svg: str, label: str) -> str:
    """For a file of its own: its own background, and other colours where the reader prefers dark."""
    dark = ''.join(
        f'[style*="{kind}: {light}"]{{{kind}:{dark} !important}}'
        for light, dark in COLOURS.values()
        for kind in ('fill', 'stroke')
        if f'{kind}: {light}' in svg
    )
    paper_light, paper_dark = COLOURS['paper']
    head, rest = svg[: svg.index('>') + 1], svg[svg.index('>') + 1 :]
    return (
        f'{head}<title>{escape(label)}</title>'
        f'<style>.paper{{fill:{paper_light}}}'
        f'@media (prefers-color-scheme: dark){{.paper{{fill:{paper_dark}}}{dark}}}</style>'
        f'<rect class="paper" width="100%" height="100%" rx="6"/>{rest.strip()}\n'
    )


# What is drawn


def heading(figure: Figure, title: str) -> None:
    figure.suptitle(title, x=0.005, ha='left', fontsize=FONT_SIZE + 1, weight='bold', color=LIGHT['ink'])


def ticks_of_ratios(low: float, high: float) -> list[float]:
    """Round ratios for a logarithmic axis, at most eight."""
    fine = [0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 1.75, 2, 2.5, 3, 4, 5, 7, 10, 15, 20, 30, 50, 100]
    coarse = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 1.5, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000]
    for steps in (fine, [0.5, 0.6, 0.7, 0.8, 1, 1.25, 1.5, 2, 2.5, 3, 4, 5], coarse):
        inside = [step for step in steps if low <= step <= high]
        if len(inside) <= 8:
            return inside
    return [step for step in (0.01, 0.1, 1, 10, 100, 1000) if low <= step <= high]


def ratio_rows(axes: Axes, results: Results, loads: Sequence[Load], limits: tuple[float, float]) -> None:
    """A row for each load: a driver's CPU time over the selectors loop's, with its interval."""
    drivers = [one for one in results.contestants if one.kind == 'driver' and one.id != BASELINE]
    axes.set_xscale('log')
    axes.set_xlim(*limits)
    heights = [height_of(load) for load in loads]
    axes.set_ylim(sum(heights), 0)
    axes.axvline(1, color=LIGHT[role_of_id(results, BASELINE)], linewidth=1.8, zorder=1.5)
    middles: list[float] = []
    for row, (load, height) in enumerate(zip(loads, heights, strict=True)):
        top = sum(heights[:row])
        middles.append(top + height / 2)
        if row % 2:
            axes.axhspan(top, top + height, color=LIGHT['stripe'], linewidth=0, zorder=0)
        for place, driver in enumerate(drivers):
            ratio = ratio_of(load, driver.id, verdict_figure(load))
            if ratio is None:
                continue
            y = middles[row] + (place - (len(drivers) - 1) / 2) * 0.78 / max(len(drivers), 1)
            axes.plot([ratio.low, ratio.high], [y, y], color=colour(driver), linewidth=1.6, solid_capstyle='butt')
            axes.plot([ratio.median], [y], marker=MARKERS[role_of(driver)], color=colour(driver), markersize=6)
    axes.set_yticks(middles, ['\n'.join(row_label(load)) for load in loads])
    axes.tick_params(axis='y', length=0, labelcolor=LIGHT['ink'])
    axes.grid(visible=False, axis='y')
    shown = ticks_of_ratios(*limits)
    axes.xaxis.set_major_locator(FixedLocator(shown))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f'{value:g}'))
    axes.spines['left'].set_visible(False)


def role_of_id(results: Results, contestant_id: str) -> str:
    return next((role_of(one) for one in results.contestants if one.id == contestant_id), 'ink')


def ratio_limits(results: Results, loads: Iterable[Load]) -> tuple[float, float]:
    """From the lowest to the highest ratio of any driver on these loads, with 1 and some room."""
    drivers = [one.id for one in results.contestants if one.kind == 'driver']
    ratios = [ratio_of(load, driver, verdict_figure(load)) for load in loads for driver in drivers]
    found = [ratio for ratio in ratios if ratio]
    low = min([ratio.low for ratio in found if ratio.low > 0] + [0.9])
    high = max([ratio.high for ratio in found] + [1.1])
    return low / 1.04, high * 1.04


VERDICT_LABEL = "Server's CPU time a request, each driver's over the selectors loop's"


def row_label(load: Load) -> list[str]:
    return wrap(load.title, 26)


def height_of(load: Load) -> float:
    """In rows: a label of more than two lines needs more than one."""
    return max(1, 0.42 * len(row_label(load)))


def verdict_panels(results: Results) -> list[Panel]:
    panels = main_loads(results)
    limits = ratio_limits(results, [load for loads in panels.values() for load in loads])
    made: list[Panel] = []
    for place, (title, loads) in enumerate(panels.items()):

        def draw(figure: Figure, title: str = title, loads: list[Load] = loads) -> None:
            axes = figure.subplots()
            heading(figure, title)
            ratio_rows(axes, results, loads, limits)
            axes.set_xlabel('times the selectors loop')

        made.append(
            drawn(f'verdict-{place}', f'{VERDICT_LABEL}: {title}', (WIDE, 62 + 38 * sum(map(height_of, loads))), draw)
        )
    return made


def main_figure(results: Results) -> str:
    """The verdict as an SVG file of its own, right on light and on dark pages."""
    panels = main_loads(results)
    limits = ratio_limits(results, [load for loads in panels.values() for load in loads])
    columns = balanced(list(panels.items()))
    rows = max((sum(room(loads) for _, loads in column) for column in columns), default=1)

    def draw(figure: Figure) -> None:
        drivers = [one for one in results.contestants if one.kind == 'driver']
        handles = [
            Line2D(
                [],
                [],
                color=colour(one),
                marker='' if one.id == BASELINE else MARKERS[role_of(one)],
                linewidth=1.8 if one.id == BASELINE else 0,
                label=one.label,
            )
            for one in drivers
        ]
        figure.set_layout_engine('constrained', h_pad=0.09, w_pad=0.06)
        figure.legend(
            handles=handles, loc='outside upper left', ncols=3, frameon=False, handlelength=1.2, columnspacing=1.6
        )
        figure.supxlabel(
            f'{VERDICT_LABEL}, with 95 % intervals. Right of the line: dearer than the selectors loop.',
            fontsize=FONT_SIZE,
            color=LIGHT['muted'],
        )
        parts = figure.subfigures(1, max(len(columns), 1), squeeze=False)[0]
        for part, column in zip(parts, columns, strict=False):
            heights = [room(loads) - 0.8 for _, loads in column]
            grid = part.subplots(len(column), 1, squeeze=False, height_ratios=heights)
            for axes, (title, loads) in zip(grid[:, 0], column, strict=True):
                axes.set_title(title)
                ratio_rows(axes, results, loads, limits)

    return alone(own_ids(raw_svg((900, 70 + 34 * rows), draw), 'main'), VERDICT_LABEL)


def room(loads: Iterable[Load]) -> float:
    """A panel's height in rows, with its title and axis."""
    return sum(map(height_of, loads)) + 2


def balanced(panels: list[tuple[str, list[Load]]]) -> list[list[tuple[str, list[Load]]]]:
    """In two columns, cut where their heights differ least."""
    heights = [room(loads) for _, loads in panels]
    if len(panels) < 2:
        return [panels] if panels else []
    cut = min(range(1, len(panels)), key=lambda at: abs(sum(heights[:at]) - sum(heights[at:])))
    return [panels[:cut], panels[cut:]]


def family_panel(results: Results, family: Family, figure_id: str, name: str, title: str = '') -> Panel:
    """A line for each contestant over the family's parameter; hollow where the load generator was the bottleneck."""
    what = FIGURES[figure_id]
    far = far_off(results, family.loads, figure_id)
    contestants = [one for one in measured(results, family.loads, figure_id) if one not in far]
    over = PARAMETERS.get(family.parameter, family.parameter)
    label = f'{what.label} ({what.unit}) by {over}: {family.title}'

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        heading(figure, title or family.title or what.label)
        places = range(len(family.loads))
        for at, contestant in enumerate(contestants):
            shift = (at - (len(contestants) - 1) / 2) * 0.02
            found = [
                (place, load, median_of(load, contestant.id, figure_id)) for place, load in enumerate(family.loads)
            ]
            points = [(place + shift, load, interval) for place, load, interval in found if interval]
            shade = colour(contestant)
            axes.plot([x for x, _, _ in points], [interval.median for _, _, interval in points], color=shade)
            for x, load, interval in points:
                hollow = figure_id == 'rate' and is_busy(load, contestant.id)
                axes.plot([x, x], [interval.low, interval.high], color=shade, linewidth=1.2)
                axes.plot(
                    [x],
                    [interval.median],
                    marker=MARKERS[role_of(contestant)],
                    color=shade,
                    markerfacecolor=LIGHT['paper'] if hollow else shade,
                    markersize=6,
                )
        axes.set_xticks(places, family.ticks)
        axes.set_xlim(-0.3, len(family.loads) - 0.7)
        axes.set_xlabel(over)
        axes.grid(visible=False, axis='x')
        value_axis(axes, what.unit, medians(family.loads, contestants, figure_id))

    return drawn(name, label, (PANEL_WIDTH, 270), draw)


def medians(loads: Iterable[Load], contestants: Sequence[Contestant], figure_id: str) -> list[Interval]:
    return [found for load in loads for one in contestants if (found := median_of(load, one.id, figure_id))]


def value_axis(axes: Axes, unit: str, intervals: Sequence[Interval]) -> None:
    """Logarithmic where the medians are a decade apart, else from zero; every interval is in it."""
    values = [value for interval in intervals for value in interval if value > 0]
    positive = [interval.median for interval in intervals if interval.median > 0]
    if positive and max(positive) / min(positive) > 10:
        low, high = min(values) / 1.3, max(values) * 1.3
        axes.set_yscale('log')
        axes.set_ylim(low, high)
        axes.yaxis.set_major_locator(log_ticks(low, high))
        axes.yaxis.set_minor_locator(NullLocator())
    else:
        axes.set_ylim(bottom=0, top=max(values, default=0) * 1.08 or 1)
        axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: with_prefix(value)))
    axes.set_ylabel(unit)


def log_ticks(low: float, high: float) -> LogLocator:
    return LogLocator(subs=(1, 2, 5) if high / low < 50 else (1, 3) if high / low < 1000 else (1,), numticks=12)


def with_prefix(value: float) -> str:
    """A short number for an axis: 25k, 1.5M."""
    for prefix, factor in (('M', 1_000_000), ('k', 1_000)):
        if abs(value) >= factor:
            return f'{value / factor:.4g}{prefix}'
    return f'{value:.4g}'


PLATE = {'boxstyle': 'square,pad=0.2', 'facecolor': LIGHT['paper'], 'edgecolor': 'none'}


def bar_panel(results: Results, load: Load, figure_id: str, name: str) -> Panel:
    """A bar for each contestant; CPU time in two parts, where they are known."""
    what = FIGURES[figure_id]
    contestants = measured(results, [load], figure_id)
    label = f'{what.label} ({what.unit}): {load.title}'
    title = '\n'.join(wrap(load.title, 50))

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        heading(figure, title)
        far = far_off(results, [load], figure_id)
        near = [one for one in contestants if one not in far]
        right = 1.24 * max((interval.high for interval in medians([load], near, figure_id)), default=0) or 1
        for row, contestant in enumerate(contestants):
            whole = median_of(load, contestant.id, figure_id)
            assert whole
            parts = [median_of(load, contestant.id, part) for part in PARTS] if figure_id == 'cpu_us' else []
            shade = colour(contestant)
            if all(parts) and parts:
                user, system = (part.median if part else 0 for part in parts)
                axes.barh(row, user, color=shade, height=0.62)
                axes.barh(row, system, left=user, color=shade, alpha=0.45, height=0.62)
            else:
                hollow = figure_id == 'rate' and is_busy(load, contestant.id)
                face = LIGHT['paper'] if hollow else shade
                axes.barh(row, whole.median, color=face, edgecolor=shade, height=0.62, linewidth=1 if hollow else 0)
            if contestant in far:  # the bar goes on past the edge, its number stands inside
                axes.text(
                    right * 0.98,
                    row,
                    f'{number(whole.median)} \u2192',
                    va='center',
                    ha='right',
                    color=LIGHT['ink'],
                    bbox=PLATE,
                )
                continue
            axes.plot([whole.low, whole.high], [row, row], color=LIGHT['ink'], linewidth=1.2)
            axes.annotate(
                number(whole.median), (whole.high, row), xytext=(5, 0), textcoords='offset points', va='center'
            )
        axes.set_yticks(range(len(contestants)), [short(one) for one in contestants])
        axes.tick_params(axis='y', length=0, labelcolor=LIGHT['ink'])
        axes.set_ylim(len(contestants) - 0.5, -0.5)
        axes.set_xlim(0, right)
        axes.xaxis.set_major_locator(MaxNLocator(4))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: with_prefix(value)))
        said = f'{what.label} ({what.unit}), {what.better} is better'
        figure.supxlabel('\n'.join(wrap(said, 60)), fontsize=FONT_SIZE - 1, color=LIGHT['muted'])
        axes.grid(visible=False, axis='y')

    return drawn(name, label, (PANEL_WIDTH, 80 + 26 * len(contestants) + 15 * title.count('\n')), draw)


def short(contestant: Contestant) -> str:
    """A contestant's label in at most two short lines."""
    return '\n'.join(wrap(contestant.label, 20))


LATENCY_MARKERS = dict(zip(LATENCIES, 'oDsX', strict=True))


def latency_panel(results: Results, load: Load, name: str) -> Panel:
    """For each contestant median, 99th and 99.9th percentile and worst on a logarithmic axis."""
    contestants = [one for one in results.contestants if any(load.values(one.id, figure) for figure in LATENCIES)]

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        heading(figure, '\n'.join(wrap(load.title, 58)))
        axes.set_xscale('log')
        shown: list[float] = []
        for row, contestant in enumerate(contestants):
            found = {figure_id: median_of(load, contestant.id, figure_id) for figure_id in LATENCIES}
            points = [
                (interval.median, LATENCY_MARKERS[latency])
                for latency, interval in found.items()
                if interval and interval.median > 0
            ]
            shown += [x for x, _ in points]
            axes.plot([x for x, _ in points], [row] * len(points), color=colour(contestant), linewidth=1.4)
            for x, marker in points:
                axes.plot([x], [row], color=colour(contestant), marker=marker, markersize=6)
        axes.set_yticks(range(len(contestants)), [short(one) for one in contestants])
        axes.tick_params(axis='y', length=0, labelcolor=LIGHT['ink'])
        axes.set_ylim(len(contestants) - 0.5, -0.5)
        if shown:
            axes.set_xlim(min(shown) / 1.3, max(shown) * 1.3)
            axes.xaxis.set_major_locator(log_ticks(min(shown), max(shown)))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: duration(value)))
        axes.grid(visible=False, axis='y')

    return drawn(name, f'Latency: {load.title}', (WIDE, 62 + 30 * len(contestants)), draw)


def duration(microseconds: float) -> str:
    for unit, factor in (('s', 1_000_000), ('ms', 1_000)):
        if microseconds >= factor:
            return f'{microseconds / factor:g} {unit}'
    return f'{microseconds:g} µs'
