"""Secrets among the arguments of a command, hidden wherever the command is shown: MONITOR, slow log, crash reports.

Redis redacts an argument as the handler reads it (redactClientCommandArgument in networking.c). Here the arguments
alone decide, so that a call that is refused shows no password either.
"""

from collections.abc import Callable, Mapping

from selredis.config import is_secret
from selredis.engine.command import Argv, Command

REDACTED = b'(redacted)'


def redacted(commands: Mapping[bytes, Command], argv: Argv) -> Argv:
    """Return the arguments with REDACTED for each one that may be a secret.

    `commands` is the server's table, by which renamed commands are recognized. A command that is an argument of
    another one (COMMAND GETKEYS) is redacted as if it were called.
    """
    start = 0
    name = full_name(commands, argv, start)
    while name in WRAPPERS:
        start += WRAPPERS[name]
        name = full_name(commands, argv, start)
    find_secrets = SECRETS.get(name)
    if find_secrets is None:
        return argv
    hidden = find_secrets(argv[start:])
    return [REDACTED if place - start in hidden else word for place, word in enumerate(argv)]


def full_name(commands: Mapping[bytes, Command], argv: Argv, start: int) -> str:
    """The name of the command at a place in argv, with its subcommand if it is one of CONTAINERS: `config|set`.

    A command that the server does not have keeps the name by which it is called. Empty at the end of argv.
    """
    if start >= len(argv):
        return ''
    word = argv[start].lower()
    command = commands.get(word)
    name = word.decode('latin-1') if command is None else command.name
    if name in CONTAINERS and start + 1 < len(argv):
        name += '|' + argv[start + 1].lower().decode('latin-1')
    return name


# Each of these returns the indexes of the secrets in the arguments of its command.


def secrets_of_auth(argv: Argv) -> set[int]:
    """User name and password, as in Redis."""
    return set(range(1, len(argv)))


def secrets_of_hello(argv: Argv) -> set[int]:
    """The two words after each AUTH, even where a client could be named so (SETNAME auth)."""
    return {place + n for place, word in enumerate(argv) if place and word.upper() == b'AUTH' for n in (1, 2)}


def secrets_of_config_set(argv: Argv) -> set[int]:
    """The word after each name of a secret parameter, even where a value is missing before it."""
    return {place + 1 for place, word in enumerate(argv) if place > 1 and is_secret(word)}


def secrets_of_migrate(argv: Argv) -> set[int]:
    """The words after AUTH and AUTH2, up to KEYS. Before the options there are a host, a port, a key and numbers."""
    found: set[int] = set()
    for place in range(4, len(argv)):
        match argv[place].upper():
            case b'AUTH':
                found.add(place + 1)
            case b'AUTH2':
                found |= {place + 1, place + 2}
            case b'KEYS':
                break
    return found


def secrets_of_acl_setuser(argv: Argv) -> set[int]:
    """The user and all of its rules, as in Redis."""
    return set(range(2, len(argv)))


# Commands that this server doesn't have yet are redacted, too: they may be arguments of COMMAND GETKEYS.
SECRETS: dict[str, Callable[[Argv], set[int]]] = {
    'auth': secrets_of_auth,
    'hello': secrets_of_hello,
    'config|set': secrets_of_config_set,
    'migrate': secrets_of_migrate,
    'acl|setuser': secrets_of_acl_setuser,
}
# Commands whose arguments end with another command, and how many words come before it.
WRAPPERS = {'command|getkeys': 2, 'command|getkeysandflags': 2, 'acl|dryrun': 3}
CONTAINERS = frozenset(name.partition('|')[0] for name in (*SECRETS, *WRAPPERS) if '|' in name)
