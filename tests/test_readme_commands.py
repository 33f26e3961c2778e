"""The README's table of commands is the table of commands."""

from pathlib import Path

import pytest

from selredis.engine.command import all_commands
from tools.command_table import BEGIN, END, MarksError, markdown, with_table

README = Path(__file__).resolve().parent.parent / 'README.md'


def test_the_readme_is_up_to_date():
    text = README.read_text(encoding='utf-8')
    assert with_table(text) == text, 'run: python3 tools/command_table.py --write README.md'


def test_every_command_is_listed_once():
    lines = markdown().splitlines()
    for command in all_commands():
        for each in (command, *command.subcommands.values()):
            name = each.name.upper().replace('|', ' ')
            only_holds_others = bool(each.subcommands) and not each.flags
            assert sum(line.startswith(f'| `{name}` |') for line in lines) == (0 if only_holds_others else 1), name


def test_every_row_has_three_cells():
    for line in markdown().splitlines():
        if line.startswith('| '):
            assert line.replace('\\|', '').count('|') == 4, line


def test_what_stands_around_the_table_is_kept():
    text = f'before\n{BEGIN}old\n{END}after\n'
    written = with_table(text)
    assert written.startswith(f'before\n{BEGIN}\n### Strings\n')
    assert written.endswith(f'\n{END}after\n')
    assert with_table(written) == written


@pytest.mark.parametrize('text', ['', BEGIN, END, f'{END}{BEGIN}'])
def test_without_both_marks_nothing_is_written(text):
    with pytest.raises(MarksError):
        with_table(text)
