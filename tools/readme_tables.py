#!/usr/bin/env python3
"""Prints what the README lists as Markdown: the commands, and the parameters that have no effect yet.

    python3 tools/readme_tables.py                     both
    python3 tools/readme_tables.py --write README.md   put them into the file, each between its two marks
    python3 tools/readme_tables.py --check README.md   exit code 1 if the file has others

They are made from the table of commands and the table of parameters themselves. A test holds the README to them: who
changes a command's summary runs --write.
"""

import argparse
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from textwrap import fill
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import selredis.commands  # noqa: F401  (importing it fills the command table)
from selredis.config_table import ACCEPTED, Parameter
from selredis.engine.command import Command, all_commands
from selredis.engine.syntax import docstring_parts

# In the order in which they are printed; other groups come behind them, under their own name.
TITLES = {
    'string': 'Strings',
    'list': 'Lists',
    'hash': 'Hashes',
    'set': 'Sets',
    'sorted-set': 'Sorted sets',
    'stream': 'Streams',
    'bitmap': 'Bitmaps',
    'hyperloglog': 'HyperLogLog',
    'geo': 'Geo',
    'generic': 'Keys',
    'transactions': 'Transactions',
    'pubsub': 'Publish and subscribe',
    'connection': 'Connections',
    'server': 'The server',
}


REFUSED = 'cluster'  # with all its subcommands


class MarksError(Exception):
    """The file has not the two marks between which a list belongs."""


def listed() -> list[Command]:
    """All commands and subcommands by name, without what only holds subcommands.

    Where all of these are refused it is the other way round.
    """
    commands = [each for entry in all_commands() for each in (entry, *entry.subcommands.values())]
    shown = (each for each in commands if each.name == REFUSED or each.flags or not each.subcommands)
    return sorted((each for each in shown if each.container != REFUSED), key=lambda each: each.name)


def escaped(text: str) -> str:
    return text.replace('|', '\\|').replace('<', '\\<')


def row(command: Command) -> str:
    summary = docstring_parts(command.handler.__doc__ or '').summary
    return f'| `{command.name.upper().replace("|", " ")}` | {command.since} | {escaped(summary)} |\n'


def commands_markdown() -> str:
    """A section for each group of commands: their names, since which Redis there are such, and what they do."""
    commands = listed()
    groups = dict.fromkeys([*TITLES, *(command.group for command in commands)])
    sections: list[str] = []
    for group in groups:
        rows = [row(command) for command in commands if command.group == group]
        if rows:
            title = TITLES.get(group, group.capitalize())
            sections.append(f'### {title}\n\n| command | since | |\n| --- | --- | --- |\n{"".join(rows)}')
    return '\n'.join(sections)


def accepted_markdown() -> str:
    """The names of the parameters that are taken and change nothing, and of those whose default alone is taken."""
    taken = names_of(parameter for parameter in ACCEPTED if not (parameter.refusal or parameter.hidden))
    refused = names_of(parameter for parameter in ACCEPTED if parameter.refusal)
    lead = 'Of these only the default is taken, and with any other value the server does not start: '
    return f'{fill_lines(taken)}\n{fill_lines(lead + refused)}'


def names_of(parameters: Iterable[Parameter[Any]]) -> str:
    return ', '.join(f'`{name}`' for name in sorted(parameter.name for parameter in parameters))


def fill_lines(text: str) -> str:
    return fill(text, 120, break_on_hyphens=False) + '\n'


LISTS: dict[str, Callable[[], str]] = {'accepted': accepted_markdown, 'commands': commands_markdown}


def marks(name: str) -> tuple[str, str]:
    return f'<!-- {name} -->\n', f'<!-- /{name} -->\n'


def with_list(text: str, name: str) -> str:
    """The text of a file with one of LISTS as it is now between its marks. Raises MarksError."""
    begin_mark, end_mark = marks(name)
    before, begin, rest = text.partition(begin_mark)
    _, end, after = rest.partition(end_mark)
    if not (begin and end):
        raise MarksError(f'no lines {begin_mark.strip()!r} and {end_mark.strip()!r} to put the list between')
    return f'{before}{begin}\n{LISTS[name]()}\n{end}{after}'


def with_lists(text: str) -> str:
    for name in LISTS:
        text = with_list(text, name)
    return text


def main() -> int:
    parser = argparse.ArgumentParser(description='Print what the README lists as Markdown.')
    parser.add_argument('--write', type=Path, metavar='FILE', help='put the lists into the file')
    parser.add_argument('--check', type=Path, metavar='FILE', help='exit code 1 if the file is not up to date')
    options = parser.parse_args()
    path: Path | None = options.write or options.check
    if path is None:
        print('\n'.join(make() for make in LISTS.values()), end='')
        return 0
    text = path.read_text(encoding='utf-8')
    try:
        wanted = with_lists(text)
    except MarksError as error:
        print(f'{path}: {error}', file=sys.stderr)
        return 1
    if options.check:
        if wanted != text:
            print(f'{path}: out of date, run: python3 tools/readme_tables.py --write {path}', file=sys.stderr)
        return int(wanted != text)
    path.write_text(wanted, encoding='utf-8')
    return 0


if __name__ == '__main__':
    sys.exit(main())
