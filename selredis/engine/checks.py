"""Checks that run before a command, in the order of processCommand (server.c). Each returns an error reply or None.

They run only for clients in an unusual state (`client.gated`), while the server's gate is closed, and for protected
commands; a plain client pays two attribute tests.
"""

from selredis.engine.client import Client
from selredis.engine.command import Argv, Command
from selredis.engine.cross_protocol import CrossProtocolGuard
from selredis.engine.lookup import find, unknown_command, wrong_arity
from selredis.engine.memory import Outcome
from selredis.engine.stats import Stats
from selredis.errors import NOAUTH, ReplyError

SUBSCRIBER_COMMANDS = frozenset(
    'ping quit reset subscribe unsubscribe psubscribe punsubscribe ssubscribe sunsubscribe'.split()
)
ABOUT_KEYS = frozenset(('readonly', 'write', 'may_replicate'))
# Of the commands of a transaction, those that end it.
ALLOWED_WITHOUT_MEMORY = frozenset('discard quit reset'.split())


def protected(client: Client, command: Command, argv: Argv) -> bytes | None:
    """Commands for a server's makers (enable-debug-command)."""
    if 'protected' not in command.flags:
        return None
    name = (command.container or command.name).upper()
    option = f'enable-{name.lower()}-command'
    if client.engine.config.allows(option, client.local):
        return None
    return (
        f'ERR {name} command not allowed. If the {option} option is set to "local", you can run it from a local'
        ' connection, otherwise you need to set this option in the configuration file, and then restart the server.'
    ).encode()


def authentication(client: Client, command: Command, argv: Argv) -> bytes | None:
    if client.authenticated or 'no_auth' in command.flags or not client.engine.config['requirepass']:
        return None
    return NOAUTH


def transaction_rules(client: Client, command: Command, argv: Argv) -> bytes | None:
    if client.transaction is not None and 'no_multi' in command.flags:
        return b'ERR Command not allowed inside a transaction'
    return None


def out_of_memory(client: Client, command: Command, argv: Argv) -> bytes | None:
    """What takes memory, and in a transaction all but its end, is refused while there is none (`maxmemory`)."""
    engine = client.engine
    if not engine.keyspace.memory.passed or engine.memory.make_room() is not Outcome.EXHAUSTED:
        return None
    takes_memory = 'denyoom' in command.flags
    if client.transaction is not None:
        if command.name == 'exec':
            takes_memory = any('denyoom' in queued.flags for queued, _ in client.transaction.queued)
        else:
            takes_memory = command.name not in ALLOWED_WITHOUT_MEMORY
    return b"OOM command not allowed when used memory > 'maxmemory'." if takes_memory else None


def subscriber_mode(client: Client, command: Command, argv: Argv) -> bytes | None:
    """In RESP2 replies cannot be told from messages, so a subscriber may do little else (RESP2, pub/sub mode)."""
    if client.protocol > 2 or not client.subscribed or command.name in SUBSCRIBER_COMMANDS:
        return None
    return (
        b"ERR Can't execute '%b': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET"
        b' are allowed in this context' % command.name.encode()
    )


def monitor_mode(client: Client, command: Command, argv: Argv) -> bytes | None:
    """To Redis a monitor is a replica of a kind, and those do not work with keys."""
    if client in client.engine.monitors and not ABOUT_KEYS.isdisjoint(command.flags):
        return b"ERR Replica can't interact with the keyspace"
    return None


def script(client: Client, command: Command, argv: Argv) -> bytes | None:
    """Commands that act on a connection make no sense in a script (flag noscript)."""
    if client.is_script and 'noscript' in command.flags:
        return b'ERR This Redis command is not allowed from script'
    return None


CHECKS = (protected, authentication, transaction_rules, out_of_memory, subscriber_mode, monitor_mode, script)


def failed_check(client: Client, command: Command, argv: Argv) -> bytes | None:
    """Return the error of the first check that fails, None if the client may execute the command now."""
    for check in CHECKS:
        error = check(client, command, argv)
        if error is not None:
            return error
    return None


def permitted(client: Client, argv: Argv, stats: Stats, cross_protocol: CrossProtocolGuard) -> Command:
    """Return the command that argv calls if the client may execute it now. Raises ReplyError."""
    command = find(client.commands, argv)
    if command is None:
        cross_protocol.check(client, argv)
        raise unknown_command(argv)
    client.command = command
    error = wrong_arity(command) if not command.takes(len(argv)) else failed_check(client, command, argv)
    if error is not None:
        stats.of_command(command).rejected += 1
        raise ReplyError(error)
    return command
