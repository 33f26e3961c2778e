"""Refusals: what may keep a command from running, each a small function, in the order in which Redis asks.

Only clients in an unusual state come here (`client.gated`), and commands that are protected;
the plain case pays two attribute tests. Whether a command exists and has all its words is asked before. A gate returns
the error to answer, or None.
"""

from selredis.engine.client import Client
from selredis.engine.command import Command
from selredis.errors import NOAUTH

SUBSCRIBER_COMMANDS = frozenset(
    'ping quit reset subscribe unsubscribe psubscribe punsubscribe ssubscribe sunsubscribe'.split()
)


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


def subscriber_mode(client: Client, command: Command) -> bytes | None:
    """In RESP2 replies cannot be told from messages, so a subscriber may do little else (RESP2, pub/sub mode)."""
    if client.protocol > 2 or not client.subscribed or command.name in SUBSCRIBER_COMMANDS:
        return None
    return (
        b"ERR Can't execute '%b': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET"
        b' are allowed in this context' % command.name.encode()
    )


GATES = (protected, authentication, transaction_rules, subscriber_mode)


def refusal(client: Client, command: Command) -> bytes | None:
    """Why this client may not run this command now; None if it may."""
    for gate in GATES:
        error = gate(client, command)
        if error is not None:
            return error
    return None
