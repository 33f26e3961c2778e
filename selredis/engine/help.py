"""What containers of subcommands (CLIENT, PUBSUB) share: HELP, made of the subcommands' docstrings, and an error."""

from collections.abc import Iterable
from textwrap import wrap

from selredis.engine.command import COMMANDS, Argv
from selredis.engine.engine import c_string
from selredis.engine.syntax import docstring_parts
from selredis.errors import ReplyError
from selredis.resp.reply import Status

COLUMNS = 80


def help_on_subcommands(container: bytes) -> list[Status]:
    """HELP of a container of subcommands."""
    subcommands = COMMANDS[container].subcommands.values()
    return help_lines(container, (subcommand.handler.__doc__ for subcommand in subcommands))


def help_lines(container: bytes, docstrings: Iterable[str | None]) -> list[Status]:
    """A line that tells how to call the container, then for each subcommand its syntax and, indented, what it does."""
    lines = [f'{container.decode().upper()} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:']
    for docstring in docstrings:
        documentation = docstring_parts(docstring or '')
        lines.append(documentation.syntax.partition(' ')[2])
        lines += wrap(documentation.summary, COLUMNS, initial_indent='    ', subsequent_indent='    ')
    return [Status(line.encode()) for line in lines]


def wrong_subcommand(argv: Argv) -> ReplyError:
    """The error for a subcommand with too many words, where its arity cannot tell."""
    return ReplyError(
        b"ERR unknown subcommand or wrong number of arguments for '%b'. Try %b HELP."
        % (c_string(argv[1])[:128], argv[0].upper())
    )
