"""What the README lists is what there is."""

from pathlib import Path

import pytest

from selredis.config_table import ACCEPTED
from selredis.engine.command import all_commands
from tools.readme_tables import REFUSED, MarksError, accepted_markdown, commands_markdown, marks, with_list, with_lists

BEGIN, END = marks('commands')
README = Path(__file__).resolve().parent.parent / 'README.md'


def test_the_readme_is_up_to_date():
    text = README.read_text(encoding='utf-8')
    assert with_lists(text) == text, 'run: python3 tools/readme_tables.py --write README.md'


def test_every_command_is_listed_once():
    lines = commands_markdown().splitlines()
    for command in all_commands():
        for each in (command, *command.subcommands.values()):
            name = each.name.upper().replace('|', ' ')
            only_holds_others = bool(each.subcommands) and not each.flags
            listed = each.name == REFUSED or not (only_holds_others or each.container == REFUSED)
            assert sum(line.startswith(f'| `{name}` |') for line in lines) == listed, name


def test_every_parameter_without_effect_is_listed():
    assert accepted_markdown().count('`') == 2 * len([parameter for parameter in ACCEPTED if not parameter.hidden])


def test_every_row_has_three_cells():
    for line in commands_markdown().splitlines():
        if line.startswith('| '):
            assert line.replace('\\|', '').count('|') == 4, line


def test_what_stands_around_the_table_is_kept():
    text = f'before\n{BEGIN}old\n{END}after\n'
    written = with_list(text, 'commands')
    assert written.startswith(f'before\n{BEGIN}\n### Strings\n')
    assert written.endswith(f'\n{END}after\n')
    assert with_list(written, 'commands') == written


@pytest.mark.parametrize('text', ['', BEGIN, END, f'{END}{BEGIN}'])
def test_without_both_marks_nothing_is_written(text):
    with pytest.raises(MarksError):
        with_list(text, 'commands')
