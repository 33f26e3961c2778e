"""Cross-protocol scripting: a web page that makes a browser send HTTP to this server."""

from selredis.clock import Clock
from selredis.engine.client import Client
from selredis.engine.command import Argv
from selredis.log import Logger

HTTP_WORDS = frozenset((b'host:', b'post'))
WARNING_INTERVAL_MS = 60_000


class CrossProtocolGuard:
    """Closes clients that speak HTTP, and logs it at most once a minute."""

    __slots__ = ('_clock', '_log', '_warned_ms')

    def __init__(self, clock: Clock, log: Logger) -> None:
        self._clock = clock
        self._log = log
        self._warned_ms: int | None = None

    def check(self, client: Client, argv: Argv) -> None:
        """Close a client whose unknown command is a word that begins a line of an HTTP request."""
        if argv[0].lower() not in HTTP_WORDS:
            return
        now_ms = self._clock.monotonic_us() // 1000
        if self._warned_ms is None or now_ms - self._warned_ms > WARNING_INTERVAL_MS:
            self._warned_ms = now_ms
            self._log.warning(
                'Possible SECURITY ATTACK detected. It looks like somebody is sending POST or Host: commands to Redis.'
                ' This is likely due to an attacker attempting to use Cross Protocol Scripting to compromise your Redis'
                f' instance. Connection from {client.addr.decode("ascii", "backslashreplace")} aborted.'
            )
        client.doom()
