"""MONITOR: watch what everybody does."""

from selredis.engine.client import Client
from selredis.engine.command import Argv, command
from selredis.errors import ReplyError
from selredis.resp.reply import NO_REPLY, OK, Reply


@command('MONITOR', arity=1, flags='admin noscript loading stale', since='1.0.0', group='server')
def monitor(client: Client, argv: Argv) -> Reply:
    """MONITOR

    Sends the client a line about every command that runs, until it leaves or says RESET.
    """
    engine = client.engine
    if client.in_exec:
        raise ReplyError(b"ERR MONITOR isn't allowed for DENY BLOCKING client")
    if client in engine.monitors:
        return NO_REPLY
    engine.monitors.add(client)
    client.update_gated()
    return OK
