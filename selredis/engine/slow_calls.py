"""Slow calls: what the slow log and the latency monitor record of commands."""

from selredis.config import Config
from selredis.engine.client import Client
from selredis.engine.clocks import Clocks
from selredis.engine.command import Argv, Command
from selredis.engine.command_stats import FINE_NS
from selredis.engine.gate import Gate
from selredis.engine.latency import LatencyMonitor
from selredis.engine.redaction import redacted
from selredis.engine.slowlog import SlowLog

NEVER_NS = 1 << 63
# With a lower threshold all commands are timed one by one: a streak of brief commands may take as long together.
STREAK_NS = 1_000_000


class SlowCalls:
    """Records calls that take at least `threshold_ns`: slowlog-log-slower-than or latency-monitor-threshold.

    Of a call that takes less than `brief_ns` by the wall clock, that time is the truth and all there is to note.
    """

    __slots__ = ('_clocks', '_config', '_gate', '_latency', '_log', 'brief_ns', 'threshold_ns')

    def __init__(self, config: Config, clocks: Clocks, gate: Gate, log: SlowLog, latency: LatencyMonitor) -> None:
        self._config = config
        self._clocks = clocks
        self._gate = gate
        self._log = log
        self._latency = latency
        self.threshold_ns = NEVER_NS
        self.brief_ns = FINE_NS
        for name in ('slowlog-log-slower-than', 'latency-monitor-threshold'):
            config.on_change(name, self._apply)
        self._apply()
        gate.add(lambda: self.threshold_ns < STREAK_NS)

    def _apply(self) -> None:
        slow_us = self._config['slowlog-log-slower-than']
        threshold_ms = self._latency.threshold_ms = self._config['latency-monitor-threshold']
        self.threshold_ns = min(
            slow_us * 1000 if slow_us >= 0 else NEVER_NS,
            threshold_ms * 1_000_000 or NEVER_NS,
        )
        self.brief_ns = min(self.threshold_ns, FINE_NS)
        self._gate.update()

    def duration_ns(self, taken_ns: int) -> int:
        """Return how long a call that has just ended really took: the wall clock may have been set meanwhile."""
        return self._clocks.duration_ns(taken_ns)

    def note(self, client: Client, command: Command, argv: Argv, now_ns: int, taken_ns: int) -> None:
        """Record a call that ended at `now_ns` (Unix time), as far as it was slow enough for each log."""
        event = b'fast-command' if command.fast else b'command'
        self._latency.note(event, now_ns // 1_000_000_000, taken_ns // 1_000_000)
        slow_us = self._config['slowlog-log-slower-than']
        if 0 <= slow_us <= taken_ns // 1000 and 'skip_slowlog' not in command.flags:
            words = redacted(client.engine.commands, argv)
            self._log.add(words, now_ns // 1_000_000_000, taken_ns // 1000, client.addr, client.name)
            self._log.trim(self._config['slowlog-max-len'])
