"""The page of a made-up run: whole, self-contained, the same for the same results, and without errors where a run lacks
something."""

import re
import subprocess
import sys
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.study.samples import sample_results
from tools.study.figures import main_figure
from tools.study.page import main, page, write_page
from tools.study.palette import COLOURS, MARKERS, css_variables
from tools.study.results import Results
from tools.study.tables import markdown_table

ROOT = Path(__file__).resolve().parent.parent.parent
VOID = {'meta', 'br', 'hr', 'img', 'col', 'link', 'input', 'wbr'}


class Outline(HTMLParser):
    """Reads a page and keeps what is wrong with its tags, its ids, its references and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.ids: Counter[str] = Counter()
        self.references: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        self.note(attrs)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.note(attrs)

    def note(self, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == 'id':
                self.ids[value or ''] += 1
            if name in ('href', 'src', 'xlink:href', 'srcset', 'data', 'action'):
                self.references.append(value or '')
            self.references += re.findall(r'url\(["\']?([^)"\']*)', value or '')

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f'</{tag}> at {self.getpos()}')

    def handle_data(self, data: str) -> None:
        self.text.append(data)
        self.references += re.findall(r'url\(["\']?([^)"\']*)', data) if self.open[-1:] == ['style'] else []


def outline(text: str) -> Outline:
    read = Outline()
    read.feed(text)
    read.close()
    return read


@pytest.fixture(scope='module')
def made() -> str:
    return page(sample_results())


def test_tags_are_balanced_and_ids_unique(made):
    read = outline(made)
    assert read.wrong == []
    assert read.open == []
    assert [name for name, count in read.ids.items() if count > 1] == []


def test_nothing_comes_from_elsewhere_and_nothing_runs(made):
    read = outline(made)
    assert {reference for reference in read.references if not reference.startswith('#')} == set()
    assert {reference[1:] for reference in read.references} <= set(read.ids)
    assert '<script' not in made
    assert '@import' not in made
    assert '://' not in made


def test_every_contestant_load_and_what_was_missing_are_named(made):
    results = sample_results()
    text = ' '.join(outline(made).text)
    for contestant in results.contestants:
        assert contestant.label in text
    for load in results.loads:
        assert load.title in text
    for name, reason in results.missing.items():
        assert name in text
        assert reason in text


def test_figures_follow_the_colour_scheme(made):
    drawn = ''.join(re.findall(r'<svg.*?</svg>', made, re.S))
    assert re.findall(r'(?:fill|stroke): ?#', drawn) == []
    used = set(re.findall(r'var\(--([a-z-]+)\)', drawn))
    assert used <= set(re.findall(r'--([a-z-]+):', css_variables()))
    assert {one.id for one in sample_results().contestants} <= used


def few_loads() -> Results:
    """A run of a load or two of each kind."""
    results = sample_results()
    kept = ('get-50-1-3', 'get-50-16-3', 'fan-out-1', 'churn', 'slow', 'schedule-get-5000')
    results.loads = [load for load in results.loads if load.id.endswith(kept)]
    return results


def test_the_same_results_give_the_same_bytes(tmp_path):
    write_page(few_loads(), tmp_path / 'page.html')
    assert (tmp_path / 'page.html').read_text(encoding='utf-8') == page(few_loads())


def whole(results) -> str:
    """The page, which must be well-formed, too."""
    text = page(results)
    read = outline(text)
    assert read.wrong == []
    assert read.open == []
    return text


def test_a_run_without_anything_has_a_page():
    results = sample_results()
    results.loads, results.contestants, results.machine, results.versions, results.missing = [], [], {}, {}, {}
    assert 'Nothing: everything could be measured.' in whole(results)


@pytest.mark.parametrize('gone', ['selectors', 'uvloop', 'fakeredis'])
def test_a_contestant_may_be_missing(gone):
    results = few_loads()
    results.contestants = [one for one in results.contestants if one.id != gone]
    for load in results.loads:
        load.samples = [sample for sample in load.samples if sample.contestant != gone]
    whole(results)


@pytest.mark.parametrize('group', ['request', 'fan-out', 'hand-off', 'churn', 'idle', 'slow', 'schedule'])
def test_a_group_may_be_alone_with_one_round_of_one_contestant(group):
    results = sample_results()
    results.loads = [load for load in results.loads if load.group == group][:2]
    for load in results.loads:
        load.samples = [sample for sample in load.samples if sample.round == 0 and sample.contestant == 'asyncio']
    assert results.loads[0].title in whole(results)


def test_figures_may_be_missing_or_zero():
    results = few_loads()
    for load in results.loads:
        for sample in load.samples:
            sample.values = {name: 0.0 for name in sample.values if name not in ('cpu_user_us', 'rate')}
    results.loads[0].samples[0].values = {}
    whole(results)


def test_a_group_and_a_contestant_that_nobody_knows_are_shown():
    results = sample_results()
    results.loads = [load for load in results.loads if load.group == 'churn']
    results.loads[0].group = 'novel'
    results.contestants[3].id = 'other-loop'
    for sample in results.loads[0].samples:
        sample.contestant = sample.contestant.replace('streams', 'other-loop')
    text = whole(results)
    assert 'Novel' in text
    assert 'var(--other)' in text


def test_names_are_escaped():
    results = sample_results()
    results.loads = results.loads[:2]
    results.loads[0].title = '<b> & "quotes"'
    results.contestants[0].label = '<i>loop</i>'
    results.command = 'run.py <name>'
    text = whole(results)
    assert '<i>loop' not in text
    assert '&lt;b&gt; &amp;' in text
    assert 'run.py &lt;name&gt;' in text


def test_the_main_figure_is_a_file_of_its_own():
    svg = main_figure(sample_results())
    read = outline(svg)
    assert read.wrong == []
    assert read.open == []
    assert 'var(' not in svg
    assert 'prefers-color-scheme: dark' in svg
    assert {reference for reference in read.references if not reference.startswith('#')} == set()
    assert main_figure(few_loads()) == main_figure(few_loads())


def test_the_markdown_table_has_a_row_for_each_main_load():
    lines = markdown_table(sample_results()).splitlines()
    assert lines[0].startswith('| CPU µs a request')
    assert len({line.count('|') for line in lines}) == 1
    assert any(line.startswith('| GET, 50 connections, pipeline 16 | ') for line in lines)


def test_every_colour_is_its_own():
    light = [pair[0] for pair in COLOURS.values()]
    assert len(set(light)) == len(light)
    assert len(set(MARKERS.values())) == len(MARKERS)
    assert set(MARKERS) <= set(COLOURS)


@pytest.fixture
def stored(tmp_path) -> Path:
    """The file of a small run."""
    results = sample_results()
    results.loads = [load for load in results.loads if load.group == 'churn']
    path: Path = tmp_path / 'made-up.json'
    results.save(path)
    return path


def test_the_program_works_by_its_path_from_anywhere(tmp_path, stored):
    def run(*options: str) -> str:
        command = [sys.executable, str(ROOT / 'tools/study/report.py'), str(stored), *options]
        return subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True, timeout=120).stdout

    assert run() == ''
    assert '</html>' in (tmp_path / 'made-up.html').read_text(encoding='utf-8')
    run('-o', str(tmp_path / 'other.html'))
    assert (tmp_path / 'other.html').read_bytes() == (tmp_path / 'made-up.html').read_bytes()


def test_the_program_makes_the_figure_or_the_table_alone(tmp_path, stored, monkeypatch, capsys):
    def run(*options: str) -> str:
        monkeypatch.setattr(sys, 'argv', ['report.py', str(stored), *options])
        assert main() == 0
        said: str = capsys.readouterr().out
        return said

    assert run('--figure', str(tmp_path / 'main.svg')) == ''
    assert (tmp_path / 'main.svg').read_text(encoding='utf-8').startswith('<svg')
    assert 'connect, PING, QUIT' in run('--markdown')
    assert not stored.with_suffix('.html').exists()
