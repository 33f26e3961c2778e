"""MONITOR: clients that are told every command that runs (redis.io, "MONITOR")."""

from selredis.engine.client import Client
from selredis.engine.command import Argv, Command
from selredis.engine.redaction import redacted
from selredis.resp.inline import quote

HIDDEN = frozenset(('skip_monitor', 'admin'))


def feed(monitors: dict[Client, None], now_us: int, client: Client, db: int, command: Command, argv: Argv) -> None:
    """Tell monitors of a call, unless commands of its kind are not for others to see."""
    if not HIDDEN.isdisjoint(command.flags):
        return
    line = b'+%d.%06d [%d %b] %b\r\n' % (
        *divmod(now_us, 1_000_000),
        db,
        place_of(client),
        b' '.join(map(quote, redacted(client.engine.commands, argv))),
    )
    for monitor in monitors:
        monitor.queue(line)


def place_of(client: Client) -> bytes:
    return b'unix:' + client.addr.removesuffix(b':0') if client.on_unix_socket else client.addr
