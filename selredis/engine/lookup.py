"""Finding the command that a client calls."""

from collections.abc import Mapping

from selredis.engine.command import Argv, Command
from selredis.errors import ReplyError, c_string


def find(commands: Mapping[bytes, Command], argv: Argv) -> Command | None:
    """Return the command or subcommand that argv calls, None if there is no such command.

    Raises ReplyError for an unknown subcommand.
    """
    command = commands.get(argv[0].lower())
    if command is None or not command.subcommands or len(argv) == 1:
        return command
    subcommand = command.subcommands.get(argv[1].lower())
    if subcommand is None:
        raise ReplyError(
            b"ERR unknown subcommand '%b'. Try %b HELP." % (c_string(argv[1])[:128], c_string(argv[0]).upper())
        )
    return subcommand


def unknown_command(argv: Argv) -> ReplyError:
    """Redis's error for an unknown command, with the first 128 bytes of its arguments (server.c)."""
    words = b''
    for word in argv[1:]:
        if len(words) >= 128:
            break
        words += b"'%b' " % c_string(word)[: 128 - len(words)]
    return ReplyError(b"ERR unknown command '%b', with args beginning with: %b" % (c_string(argv[0])[:128], words))


def wrong_arity(command: Command) -> bytes:
    return b"ERR wrong number of arguments for '%b' command" % command.name.encode()
