"""What clients take of memory, kept below `maxmemory-clients` by disconnecting those that take most.

While there is a limit each client's share is known: as it was when the client was last sent something, or left half a
request behind. (What a turn adds by commands that are whole counts when it ends, and a read brings a quarter of a
megabyte at most.) The sum may be too high, for what a client has taken of its replies since then is still in it; so it
is made anew before anybody is disconnected. Without a limit nothing is kept, and nothing is paid.

Clients that CLIENT NO-EVICT spares count, too.
"""

from collections.abc import Mapping

from selredis.config import Config
from selredis.engine.client import Client
from selredis.engine.client_info import claim_of
from selredis.engine.stats import Stats
from selredis.log import Logger

# A lower limit would leave nobody to tell the server a better one (networking.c, getClientEvictionLimit).
LEAST_LIMIT_BYTES = 128 * 1024


class ClientEviction:
    """One server's account of its clients. `limit_bytes`: 0 for none. `due`: `evict` has something to look at."""

    __slots__ = ('_clients', '_config', '_exhausted', '_log', '_of', '_stats', 'due', 'limit_bytes', 'total_bytes')

    def __init__(self, config: Config, clients: Mapping[int, Client], stats: Stats, log: Logger) -> None:
        self._config = config
        self._clients = clients
        self._stats = stats
        self._log = log
        self._of: dict[Client, int] = {}
        self._exhausted = False  # and the log has said so
        self.limit_bytes = 0
        self.total_bytes = 0
        self.due = False
        for name in ('maxmemory', 'maxmemory-clients'):
            self._config.on_change(name, self._apply)
        self._apply()

    def _apply(self) -> None:
        config = self._config
        limit = config['maxmemory-clients']
        if limit < 0:  # a share of maxmemory
            limit = config['maxmemory'] * -limit // 100
        self.limit_bytes = max(limit, LEAST_LIMIT_BYTES) if limit else 0
        self._exhausted = False
        self._count()

    def _count(self) -> None:
        """Add up all clients."""
        self._of = {}
        self.total_bytes = 0
        self.due = False
        if self.limit_bytes:
            for client in self._clients.values():
                self.note(client)

    def note(self, client: Client) -> None:
        """Learn what a client takes now."""
        if client.doomed:
            return
        size = claim_of(client)
        more = size - self._of.get(client, 0)
        self._of[client] = size
        self.total_bytes += more
        if self.total_bytes >= self.limit_bytes:
            self.due = True

    def forget(self, client: Client) -> None:
        # The difference first, as it may fail to be allocated.
        self.total_bytes, _ = self.total_bytes - self._of.get(client, 0), self._of.pop(client, None)

    def evict(self) -> None:
        """Disconnect the clients that take most, until the others take less than the limit."""
        self._count()
        self.due = False
        if self.total_bytes < self.limit_bytes:
            self._exhausted = False
            return
        for client in sorted(self._of, key=self._of.__getitem__, reverse=True):
            if client.no_evict:
                continue
            self._log.notice(f'Evicting client: {client.describe()}')
            self._stats.evicted_clients += 1
            client.doom()
            if self.total_bytes < self.limit_bytes:
                self._exhausted = False
                return
        if not self._exhausted:  # Redis says so at every command
            self._exhausted = True
            self._log.warning('Over client maxmemory after evicting all evictable clients')

    def sizes(self) -> list[int]:
        """What each client that may be evicted takes."""
        return [size for client, size in self._of.items() if not client.no_evict]
