"""Samples, goals and the tables made of them."""

import sys
import time
from dataclasses import dataclass, field
from statistics import median
from typing import Literal

Role = Literal['reference', 'subject']

STARTED = time.monotonic()


class BenchError(Exception):
    """Something could not be measured; the text says what and why."""


def progress(text: str) -> None:
    print(f'{time.monotonic() - STARTED:7.1f} s  {text}', file=sys.stderr, flush=True)


@dataclass(frozen=True)
class Goal:
    """A bound on the ratio to the reference, or on the subject's own value."""

    relation: Literal['≥', '≤']
    limit: float
    of: Literal['ratio', 'value']

    def met_by(self, reached: float) -> bool:
        reached = round(reached, 2)  # as it is printed: 2.00 is not more than 2
        return reached >= self.limit if self.relation == '≥' else reached <= self.limit


def ratio_at_least(limit: float) -> Goal:
    return Goal('≥', limit, 'ratio')


def ratio_at_most(limit: float) -> Goal:
    return Goal('≤', limit, 'ratio')


def value_at_least(limit: float) -> Goal:
    return Goal('≥', limit, 'value')


def value_at_most(limit: float) -> Goal:
    return Goal('≤', limit, 'value')


@dataclass
class Measure:
    """One row: the same quantity sampled of both servers, round by round.

    The unit 'yes/no' is for facts: 1 and 0 are printed as yes and no, and there is no ratio.
    """

    name: str
    unit: str
    goal: Goal | None = None
    reference: list[float] = field(default_factory=list)
    subject: list[float] = field(default_factory=list)

    def add(self, role: Role, value: float) -> None:
        (self.reference if role == 'reference' else self.subject).append(value)

    def ratios(self) -> list[float]:
        """The subject's value over the reference's, a round at a time; none where there is nothing to compare."""
        if self.unit == 'yes/no':
            return []
        pairs = zip(self.reference, self.subject, strict=False)
        return [subject / reference for reference, subject in pairs if reference > 0 and subject >= 0]

    def verdict(self) -> str:
        reached = self.ratios() if self.goal and self.goal.of == 'ratio' else self.subject
        if not self.goal or not reached:
            return ''
        return 'met' if self.goal.met_by(median(reached)) else 'missed'

    def cells(self) -> list[str]:
        ratios = self.ratios()
        return [
            self.name,
            '' if self.unit == 'yes/no' else self.unit,
            self.text_of(self.reference),
            self.text_of(self.subject),
            f'{median(ratios):.2f}' if ratios else '',
            f'{min(ratios):.2f}..{max(ratios):.2f}' if len(ratios) > 1 else '',
            self.goal_text(),
            self.verdict(),
        ]

    def text_of(self, samples: list[float]) -> str:
        if not samples:
            return '-'
        if self.unit == 'yes/no':
            return 'yes' if all(samples) else 'no'
        return number(median(samples))

    def goal_text(self) -> str:
        if self.goal is None:
            return ''
        if self.unit == 'yes/no':
            return 'yes'
        if self.goal.of == 'ratio':
            return f'{self.goal.relation} {self.goal.limit:g}'
        return f'{self.goal.relation} {self.goal.limit:,.10g} {self.unit}'.rstrip()


@dataclass
class Table:
    """The rows of one subject, and notes printed under them."""

    title: str
    measures: list[Measure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def measure(self, name: str, unit: str, goal: Goal | None = None) -> Measure:
        made = Measure(name, unit, goal)
        self.measures.append(made)
        return made


@dataclass
class Report:
    """Everything measured so far. Tables enter it before their samples, so an interrupted run still has something."""

    tables: list[Table] = field(default_factory=list)

    def table(self, title: str) -> Table:
        made = Table(title)
        self.tables.append(made)
        return made


def number(value: float) -> str:
    """Three digits that count, in whole numbers from a hundred on."""
    if abs(value) >= 99.95:
        return f'{value:,.0f}'
    if abs(value) < 0.0005:
        return '0'
    return f'{value:#.3g}'.rstrip('.')


def heading(reference: str, subject: str) -> list[str]:
    return ['', 'unit', reference, subject, 'ratio', 'range', 'goal', '']


NUMERIC_COLUMNS = range(2, 6)


def plain(table: Table, reference: str, subject: str) -> str:
    rows = [heading(reference, subject), *(measure.cells() for measure in table.measures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [table.title, '']
    for row in rows:
        cells = [
            cell.rjust(width) if column in NUMERIC_COLUMNS else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append('  '.join(cells).rstrip())
    lines += [f'  note: {note}' for note in table.notes]
    return '\n'.join(lines)


def markdown(table: Table, reference: str, subject: str) -> str:
    columns = heading(reference, subject)
    lines = [f'**{table.title}**', '', '| ' + ' | '.join(columns) + ' |']
    lines.append('|' + '|'.join(' ---: ' if n in NUMERIC_COLUMNS else ' --- ' for n in range(len(columns))) + '|')
    lines += ['| ' + ' | '.join(measure.cells()) + ' |' for measure in table.measures]
    if table.notes:
        lines += ['', *(f'- {note}' for note in table.notes)]
    return '\n'.join(lines)
