"""Refusals: what may keep a command from running, each a small function, in the order in which Redis asks.

Only clients or servers in an unusual state come here (`client.gated`, `engine.gated`); the plain case pays two
attribute tests. A gate returns the error to answer, or None.
"""

from selredis.engine.client import Client
from selredis.engine.command import Argv, Command
from selredis.errors import NOAUTH

SUBSCRIBER_COMMANDS = frozenset(
    'ping quit reset subscribe unsubscribe psubscribe punsubscribe ssubscribe sunsubscribe'.split()
)


def authentication(client: Client, command: Command, _argv: Argv) -> bytes | None:
    if client.authenticated or 'no_auth' in command.flags:
        return None
    return NOAUTH


def subscriber_mode(client: Client, command: Command, _argv: Argv) -> bytes | None:
    """In RESP2 replies cannot be told from messages, so a subscriber may do little else (RESP2, pub/sub mode)."""
    if client.protocol > 2 or not client.subscribed or command.name in SUBSCRIBER_COMMANDS:
        return None
    return (
        b"ERR Can't execute '%b': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET"
        b' are allowed in this context' % command.name.encode()
    )


def transaction_rules(client: Client, command: Command, _argv: Argv) -> bytes | None:
    if client.transaction is not None and 'no_multi' in command.flags:
        return b'ERR Command not allowed inside a transaction'
    return None


GATES = (authentication, transaction_rules, subscriber_mode)


def refusal(client: Client, command: Command, argv: Argv) -> bytes | None:
    """Why this client may not run this command now; None if it may."""
    for gate in GATES:
        error = gate(client, command, argv)
        if error is not None:
            return error
    return None
