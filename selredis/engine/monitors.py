"""MONITOR: clients that receive every command that is executed (redis.io, "MONITOR")."""

from selredis.clock import Clock
from selredis.engine.client import Client
from selredis.engine.command import Argv, Command
from selredis.engine.gate import Gate
from selredis.engine.redaction import redacted
from selredis.resp.inline import quote

HIDDEN = frozenset(('skip_monitor', 'admin'))


class Monitors(dict[Client, None]):
    """The monitoring clients of one server, in the order in which they began."""

    __slots__ = ('_clock', '_gate')

    def __init__(self, clock: Clock, gate: Gate) -> None:
        super().__init__()
        self._clock = clock
        self._gate = gate
        gate.add(lambda: bool(self))

    def add(self, client: Client) -> None:
        self[client] = None
        self._gate.update()

    def discard(self, client: Client) -> None:
        self.pop(client, None)
        self._gate.update()  # in any case: it may be called again after it has failed

    def feed(self, client: Client, command: Command, argv: Argv) -> None:
        """Send a call to the monitors, unless commands of its kind are hidden from them."""
        if not HIDDEN.isdisjoint(command.flags):
            return
        line = b'+%d.%06d [%d %b] %b\r\n' % (
            *divmod(self._clock.now_us(), 1_000_000),
            client.db.number,
            place_of(client),
            b' '.join(map(quote, redacted(client.engine.commands, argv))),
        )
        for monitor in self:
            monitor.queue(line)


def place_of(client: Client) -> bytes:
    return b'unix:' + client.addr.removesuffix(b':0') if client.on_unix_socket else client.addr
