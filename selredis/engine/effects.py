"""Effects: what each unit of execution changed, as commands for the append-only file, replicas, or a recorder.

Theory of operation (server.c: alsoPropagate, propagatePendingCommands). A unit is one command, one EXEC with all that
it runs, one expired or evicted key. While a unit runs its effects collect in `entries`:

- A key that expires or is evicted appends its own DEL, expired hash fields an HDEL, before the command that caused it
  (keyspace/database.py: the list is shared as `keyspace.effects`).
- After each handler `record` appends the command itself if `keyspace.dirty` has grown. Where the same words would not
  lead to the same data again, because they are relative to the time, random or blocking, the handler has called
  `replace` with commands that do (`Client.propagate_as`).

When the unit ends the sinks get its effects, inside MULTI and EXEC if there are two or more. Executing them in order on
a copy of the data leads to the same data, whatever the time is there. SELECT is for the sink to insert.

Without a sink `entries` is None and nothing is collected.
"""

from collections.abc import Callable, Mapping

from selredis.engine.client import Client
from selredis.engine.command import Argv, Command
from selredis.keyspace.database import Effect, Keyspace

Sink = Callable[[list[Effect]], object]

MULTI = (b'MULTI',)
EXEC = (b'EXEC',)


class Effects:
    """The effects of the unit being executed, and the sinks that get them when it ends.

    `dirty` is the keyspace's change counter as of the last command recorded.
    """

    __slots__ = ('_clients', '_keyspace', '_replaced', '_sinks', 'dirty', 'entries')

    def __init__(self, keyspace: Keyspace, clients: Mapping[int, Client]) -> None:
        self._keyspace = keyspace
        self._clients = clients
        self._sinks: list[Sink] = []
        self._replaced = False
        self.dirty = 0
        self.entries: list[Effect] | None = None

    def add_sink(self, sink: Sink) -> None:
        """Call `sink` with the effects of every unit that begins from now on."""
        self._sinks.append(sink)
        if self.entries is None:
            self.dirty = self._keyspace.dirty
            self._collect([])

    def remove_sink(self, sink: Sink) -> None:
        self._sinks.remove(sink)
        if not self._sinks:
            self._collect(None)

    def _collect(self, entries: list[Effect] | None) -> None:
        self.entries = self._keyspace.effects = entries
        for client in self._clients.values():
            client.propagates = entries is not None

    def replace(self, database: int, commands: tuple[Argv, ...]) -> None:
        """Append these commands; the one being executed won't be recorded as it was sent."""
        if self.entries is not None:
            self._replaced = True
            self.entries += [(database, argv, False) for argv in commands]

    def record(self, database: int, command: Command, argv: Argv) -> None:
        """Append a command that has been executed, if it changed anything and has not been replaced.

        Messages (flag to_replicas) change nothing, and are for replicas alone.
        """
        assert self.entries is not None
        dirty = self._keyspace.dirty
        if dirty != self.dirty:
            self.dirty = dirty
            if not self._replaced:
                self.entries.append((database, argv, False))
        elif 'to_replicas' in command.flags:
            self.entries.append((database, argv, True))
        self._replaced = False

    def end_unit(self) -> None:
        """Hand the effects of the unit that ends here to the sinks."""
        entries = self.entries
        if entries:
            unit = entries[:]
            entries.clear()
            if len(unit) > 1:
                replicas_only = all(effect[2] for effect in unit)
                first, last = unit[0][0], unit[-1][0]
                unit = [(first, MULTI, replicas_only), *unit, (last, EXEC, replicas_only)]
            self._send(unit)

    def end_units(self) -> None:
        """Hand over effects each of which is a unit of its own: keys that expired or were evicted."""
        entries = self.entries
        if entries:
            entries.reverse()
            while entries:
                self._send([entries.pop()])

    def _send(self, unit: list[Effect]) -> None:
        for sink in self._sinks:
            sink(unit)
