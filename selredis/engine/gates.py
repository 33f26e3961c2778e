"""Refusals: what may keep a command from running, each a small function, in the order in which Redis asks.

Only clients in an unusual state come here (`client.gated`), and commands that are protected;
the plain case pays two attribute tests. Whether a command exists and has all its words is asked before. A gate returns
the error to answer, or None.
"""

from selredis.engine.client import Client
from selredis.engine.command import Command
from selredis.engine.memory import Outcome
from selredis.errors import NOAUTH

SUBSCRIBER_COMMANDS = frozenset(
    'ping quit reset subscribe unsubscribe psubscribe punsubscribe ssubscribe sunsubscribe'.split()
)
ABOUT_KEYS = frozenset(('readonly', 'write', 'may_replicate'))
# Of the commands of a transaction, those that end it.
ALLOWED_WITHOUT_MEMORY = frozenset('discard quit reset'.split())


def protected(client: Client, command: Command) -> bytes | None:
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


def authentication(client: Client, command: Command) -> bytes | None:
    if client.authenticated or 'no_auth' in command.flags or not client.engine.config['requirepass']:
        return None
    return NOAUTH


def transaction_rules(client: Client, command: Command) -> bytes | None:
    if client.transaction is not None and 'no_multi' in command.flags:
        return b'ERR Command not allowed inside a transaction'
    return None


def out_of_memory(client: Client, command: Command) -> bytes | None:
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


def subscriber_mode(client: Client, command: Command) -> bytes | None:
    """In RESP2 replies cannot be told from messages, so a subscriber may do little else (RESP2, pub/sub mode)."""
    if client.protocol > 2 or not client.subscribed or command.name in SUBSCRIBER_COMMANDS:
        return None
    return (
        b"ERR Can't execute '%b': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET"
        b' are allowed in this context' % command.name.encode()
    )


def monitor_mode(client: Client, command: Command) -> bytes | None:
    """To Redis a monitor is a replica of a kind, and those do not work with keys."""
    if client in client.engine.monitors and not ABOUT_KEYS.isdisjoint(command.flags):
        return b"ERR Replica can't interact with the keyspace"
    return None


GATES = (protected, authentication, transaction_rules, out_of_memory, subscriber_mode, monitor_mode)


def refusal(client: Client, command: Command) -> bytes | None:
    """Why this client may not run this command now; None if it may."""
    for gate in GATES:
        error = gate(client, command)
        if error is not None:
            return error
    return None
