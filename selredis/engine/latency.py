"""The latency monitor: what kept everybody waiting, and when (redis.io, "Latency monitoring")."""

from collections import deque
from typing import NamedTuple

MOST_SAMPLES = 160  # of an event (redis latency.h, LATENCY_TS_LEN)

# The graph, in characters
COLUMNS = 80
ROWS = 4
STEPS = '_o#'  # how high a column reaches within its topmost row
BELOW = '|'


class Sample(NamedTuple):
    """The worst that happened in one second: Unix time in s, duration in ms."""

    time_s: int
    taken_ms: int


class Event:
    """What is known of one kind of event: the last samples, the oldest first, and the worst of all times."""

    __slots__ = ('samples', 'worst_ms')

    def __init__(self) -> None:
        self.samples: deque[Sample] = deque(maxlen=MOST_SAMPLES)
        self.worst_ms = 0

    def add(self, time_s: int, taken_ms: int) -> None:
        self.worst_ms = max(self.worst_ms, taken_ms)
        if self.samples and self.samples[-1].time_s == time_s:
            last = self.samples.pop()
            taken_ms = max(last.taken_ms, taken_ms)
        self.samples.append(Sample(time_s, taken_ms))


class LatencyMonitor:
    """Events by name. `threshold_ms`: what takes less is none; 0 for no monitoring."""

    __slots__ = ('events', 'threshold_ms')

    def __init__(self) -> None:
        self.events: dict[bytes, Event] = {}
        self.threshold_ms = 0

    def note(self, name: bytes, time_s: int, taken_ms: int) -> None:
        """Remember something that took a time, if it took long enough."""
        if self.threshold_ms and taken_ms >= self.threshold_ms:
            self.events.setdefault(name, Event()).add(time_s, taken_ms)

    def forget(self, name: bytes) -> int:
        """Forget an event; how many of that name, in large or small letters, there were."""
        names = [each for each in self.events if each == name.lower()]
        for each in names:
            del self.events[each]
        return len(names)


def graph(name: bytes, event: Event, now_s: int) -> str:
    """A column for each sample, the highest for the longest, and below it how long ago it was."""
    times_ms = [sample.taken_ms for sample in event.samples]
    low, high = min(times_ms), max(times_ms)
    lines = [
        f'{name.decode()} - high {high} ms, low {low} ms (all time high {event.worst_ms} ms)',
        '-' * COLUMNS,
    ]
    samples = list(event.samples)
    parts = []
    for start in range(0, len(samples), COLUMNS):
        part = samples[start : start + COLUMNS]
        heights = [step(sample.taken_ms, low, high) for sample in part]
        rows = [''.join(character(height, row) for height in heights) for row in reversed(range(ROWS))]
        ages = [age(max(now_s - sample.time_s, 0)) for sample in part]
        rows.append(' ' * len(part))
        longest = max(map(len, ages))
        rows += [''.join(text) for text in zip(*(text.ljust(longest) for text in ages), strict=True)]
        parts.append(''.join(f'{row}\n' for row in rows))
    return '\n'.join(lines) + '\n' + '\n'.join(parts)


def step(value: int, low: int, high: int) -> int:
    """How many steps high a value is between the lowest and the highest."""
    steps = len(STEPS) * ROWS
    return min((value - low) * steps // (high - low or 1), steps - 1)


def character(height: int, row: int) -> str:
    """What a column shows in a row, counted from the bottom."""
    within = height - row * len(STEPS)
    if within < 0:
        return ' '
    return STEPS[within] if within < len(STEPS) else BELOW


def age(seconds: int) -> str:
    for unit, size in (('d', 86_400), ('h', 3_600), ('m', 60)):
        if seconds >= size:
            return f'{seconds // size}{unit}'
    return f'{seconds}s'


# What to look into where an event shows up.
ADVICE = {
    b'command': (
        'Some commands take long. SLOWLOG GET shows which; they run alone, everybody else waits.',
        'Deleting, expiring or evicting very large values takes time as well: spread them over several keys.',
    ),
    b'fast-command': (
        'Commands that do little took long: the system does not let the server run. Look for other load on the'
        ' machine, or for noisy neighbours of a virtual one; redis-cli --intrinsic-latency 100 measures it.',
    ),
    b'expire-cycle': ('Many keys expire at once. Spread their deadlines.',),
    b'eviction-cycle': ('Much had to be evicted at once: a large value was stored, or maxmemory was lowered.',),
    b'eviction-del': ('Values that were evicted were large. Spread them over several keys.',),
}


def report(monitor: LatencyMonitor, slowlog_us: int, now_s: int) -> str:
    """What happened, and what may be done about it. `slowlog_us` is slowlog-log-slower-than."""
    if not monitor.events:
        if not monitor.threshold_ms:
            return (
                'Latency monitoring is off, so there is nothing to tell.'
                ' CONFIG SET latency-monitor-threshold <milliseconds> turns it on.\n'
            )
        return 'No latency spike was observed so far.\n'
    lines = ['There were latency spikes:', '']
    advice: list[str] = []
    for number, (name, event) in enumerate(monitor.events.items(), 1):
        lines.append(f'{number}. {name.decode()}: {described(event, now_s)}')
        advice += ADVICE.get(name, ())
        if name == b'command' and (slowlog_us < 0 or slowlog_us > monitor.threshold_ms * 1000):
            advice.append(f'CONFIG SET slowlog-log-slower-than {monitor.threshold_ms * 1000} has all of them logged.')
    if advice:
        lines += ['', 'What may help:', '', *(f'- {each}' for each in dict.fromkeys(advice))]
    return ''.join(f'{line}\n' for line in lines)


def described(event: Event, now_s: int) -> str:
    """An event in numbers."""
    times_ms = [sample.taken_ms for sample in event.samples]
    count = len(times_ms)
    mean = sum(times_ms) // count
    deviation = sum(abs(mean - taken_ms) for taken_ms in times_ms) // count
    period_s = max(now_s - event.samples[0].time_s, 1) / count
    return (
        f'{count} latency spikes (average {mean}ms, mean deviation {deviation}ms, period {period_s:.2f} sec).'
        f' Worst all time event {event.worst_ms}ms.'
    )
