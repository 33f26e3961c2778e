#!/usr/bin/env python3
"""Prints the commands that there are as Markdown, made from the table of commands itself.

    python3 tools/command_table.py                     the table
    python3 tools/command_table.py --write README.md   put it into the file, between its two marks
    python3 tools/command_table.py --check README.md   exit code 1 if the file has another table

A test holds the README to it: who changes a command's summary runs --write.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import selredis.commands  # noqa: F401  (importing it fills the command table)
from selredis.engine.command import Command, all_commands
from selredis.engine.syntax import docstring_parts

BEGIN = '<!-- commands -->\n'
END = '<!-- /commands -->\n'

# In the order in which they are printed; other groups come behind them, under their own name.
TITLES = {
    'string': 'Strings',
    'list': 'Lists',
    'generic': 'Keys',
    'transactions': 'Transactions',
    'pubsub': 'Publish and subscribe',
    'connection': 'Connections',
    'server': 'The server',
}


class MarksError(Exception):
    """The file has not the two marks between which the table belongs."""


def listed() -> list[Command]:
    """All commands and subcommands by name, without what only holds subcommands."""
    commands = [each for entry in all_commands() for each in (entry, *entry.subcommands.values())]
    return sorted((each for each in commands if each.flags or not each.subcommands), key=lambda each: each.name)


def escaped(text: str) -> str:
    return text.replace('|', '\\|').replace('<', '\\<')


def row(command: Command) -> str:
    summary = docstring_parts(command.handler.__doc__ or '').summary
    return f'| `{command.name.upper().replace("|", " ")}` | {command.since} | {escaped(summary)} |\n'


def markdown() -> str:
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


def with_table(text: str) -> str:
    """The text of a file with the present table between its marks. Raises MarksError."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise MarksError(f'no lines {BEGIN.strip()!r} and {END.strip()!r} to put the table between')
    return f'{before}{begin}\n{markdown()}\n{end}{after}'


def main() -> int:
    parser = argparse.ArgumentParser(description='Print the table of commands as Markdown.')
    parser.add_argument('--write', type=Path, metavar='FILE', help='put it into the file')
    parser.add_argument('--check', type=Path, metavar='FILE', help='exit code 1 if the file is not up to date')
    options = parser.parse_args()
    path: Path | None = options.write or options.check
    if path is None:
        print(markdown(), end='')
        return 0
    text = path.read_text(encoding='utf-8')
    try:
        wanted = with_table(text)
    except MarksError as error:
        print(f'{path}: {error}', file=sys.stderr)
        return 1
    if options.check:
        if wanted != text:
            print(f'{path}: out of date, run: python3 tools/command_table.py --write {path}', file=sys.stderr)
        return int(wanted != text)
    path.write_text(wanted, encoding='utf-8')
    return 0


if __name__ == '__main__':
    sys.exit(main())
