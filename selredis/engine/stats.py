"""Counters that INFO tells and CONFIG RESETSTAT sets back."""

from selredis.engine.command import Command
from selredis.engine.command_stats import FINE_SHIFT, FINE_SLOTS, CommandStats

# As in Redis: the mean of 16 samples, a tenth of a second apart (server.h, STATS_METRIC_SAMPLES). A little less, so
# that ten ticks a second make ten samples, even if one comes early.
SAMPLES = 16
SAMPLE_US = 90_000

ERROR_CODES = 128  # kinds of errors that are counted apart; what clients can make up must not grow without end
CODE_BYTES = 32


class Rate:
    """How much a counter has grown a second, lately."""

    __slots__ = ('_last_us', '_last_value', '_place', '_samples')

    def __init__(self) -> None:
        self._samples = [0] * SAMPLES
        self._place = 0
        self._last_value = 0
        self._last_us = -1

    def sample(self, value: int, now_us: int) -> None:
        """Learn what the counter is now; it may not be earlier than it was the last time."""
        span_us = now_us - self._last_us
        if self._last_us >= 0 and span_us:
            self._samples[self._place] = (value - self._last_value) * 1_000_000 // span_us
            self._place = (self._place + 1) % SAMPLES
        self._last_value = value
        self._last_us = now_us

    @property
    def per_second(self) -> int:
        return sum(self._samples) // SAMPLES


class Stats:
    """What the server has done since its start or the last reset. Bytes and connections are the driver's to count."""

    __slots__ = (
        '_next_sample_us',
        'busy_ns',
        'busy_rate',
        'command_rate',
        'commands',
        'commands_before_turn',
        'connections',
        'cron_ns',
        'denied_auth',
        'error_codes',
        'errors',
        'evicted_clients',
        'expiry_cuts',
        'expiry_us',
        'input_bytes',
        'input_rate',
        'longest_turn_ns',
        'most_commands_a_turn',
        'of_commands',
        'output_bytes',
        'output_limit_disconnections',
        'output_rate',
        'pool_ns',
        'pooled',
        'query_limit_disconnections',
        'reads',
        'rejected_connections',
        'turn_rate',
        'turns',
        'writes',
    )

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.commands = 0
        self.of_commands: dict[Command, CommandStats] = {}  # those that were called
        self.pooled: dict[Command, int] = {}  # calls that were measured together, and are not folded yet
        self.pool_ns = 0
        self.connections = 0
        self.denied_auth = 0  # wrong passwords
        self.turns = 0  # of the driver's loop
        self.busy_ns = 0  # when it was not waiting, if it tells
        self.longest_turn_ns = 0  # likewise
        self.cron_ns = 0  # spent on background work
        self.commands_before_turn = 0  # processed before the current turn
        self.most_commands_a_turn = 0
        self.expiry_cuts = 0  # searches for expired keys that ended for the time they took
        self.expiry_us = 0  # spent on removing keys past their deadline
        self.errors = 0
        self.error_codes: dict[bytes, int] = {}
        self.input_bytes = 0
        self.output_bytes = 0
        self.reads = 0
        self.writes = 0
        self.rejected_connections = 0
        self.evicted_clients = 0
        self.query_limit_disconnections = 0
        self.output_limit_disconnections = 0
        self.command_rate = Rate()
        self.input_rate = Rate()
        self.output_rate = Rate()
        self.turn_rate = Rate()
        self.busy_rate = Rate()
        self._next_sample_us = 0

    def of_command(self, command: Command) -> CommandStats:
        """What is counted about a command, from now on if nothing was so far."""
        entry = self.of_commands.get(command)
        if entry is None:
            entry = self.of_commands[command] = CommandStats()
        return entry

    def add_streak(self, command: Command, count: int, total: int, ns: int) -> None:
        """Count commands that were timed together, the last `count` of which are one and the same.

        If there were others before them, which are pooled already, each counts with the mean of all such streaks.
        """
        self.commands += total
        if count < total:
            self.pool(command, count)
            self.pool_ns += ns
            return
        entry = self.of_commands.get(command) or self.of_command(command)
        slot = ns // count >> FINE_SHIFT
        if slot < FINE_SLOTS:  # `CommandStats.add` written out, for this runs for most pipelines
            entry.ns += ns
            entry.fine[slot] += count
        else:
            entry.add(count, ns)

    def pool(self, command: Command, count: int) -> None:
        """Count calls of a brief command whose time is measured together with that of others."""
        self.pooled[command] = self.pooled.get(command, 0) + count

    def fold(self) -> None:
        """Share the time that was measured together among those calls; before anybody looks at `of_commands`."""
        if self.pooled:
            mean_ns = max(self.pool_ns, 0) // sum(self.pooled.values())
            for command, count in self.pooled.items():
                self.of_command(command).add(count, count * mean_ns)
            self.pooled = {}
            self.pool_ns = 0

    @property
    def commands_us(self) -> int:
        """How long all commands took."""
        return (self.pool_ns + sum(of_command.ns for of_command in self.of_commands.values())) // 1000

    def count_error(self, text: bytes) -> None:
        """Count an error reply, in all and under its code: the word that it begins with."""
        self.errors += 1
        code, space, _ = text[:CODE_BYTES].partition(b' ')
        if not space:
            code = b'ERR'
        if code in self.error_codes or len(self.error_codes) < ERROR_CODES:
            self.error_codes[code] = self.error_codes.get(code, 0) + 1

    def sample(self, now_us: int) -> None:
        """Learn what time it is (monotonic); to be called ten times a second or more often."""
        if now_us >= self._next_sample_us:
            self._next_sample_us = now_us + SAMPLE_US
            self.command_rate.sample(self.commands, now_us)
            self.input_rate.sample(self.input_bytes, now_us)
            self.output_rate.sample(self.output_bytes, now_us)
            self.turn_rate.sample(self.turns, now_us)
            self.busy_rate.sample(self.busy_ns // 1000, now_us)


class Deployment:
    """What the driver tells of how the server was started; INFO shows it."""

    __slots__ = ('config_file', 'executable', 'multiplexing_api', 'supervised', 'tcp_port', 'tls_port')

    def __init__(self) -> None:
        self.tcp_port = 0
        self.tls_port = 0
        self.supervised = 'no'
        self.config_file = ''
        self.executable = ''
        self.multiplexing_api = ''
