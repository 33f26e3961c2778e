"""How often each command was called, and how long that took: INFO commandstats, latencystats, LATENCY HISTOGRAM.

Most calls are measured one by one. Brief commands that follow each other in a client's pipeline are measured together,
for to look at the clock takes as long as half of them do, and each of them counts with the mean: of that pipeline if it
was of one command, of a tenth of a second's pipelines if it was mixed.
"""

from collections.abc import Iterator, Sequence

# Times are kept in slots 128 ns wide up to FINE_NS; above it to two digits of their nanoseconds.
FINE_SHIFT = 7
FINE_SLOTS = 1024
FINE_NS = FINE_SLOTS << FINE_SHIFT
LONGEST_NS = 1_000_000_000  # what took longer counts as that (redis server.h, LATENCY_HISTOGRAM_MAX_VALUE)


class CommandStats:
    """Of one command: calls, calls that ended in an error, calls refused before they ran, and their times in ns."""

    __slots__ = ('coarse', 'failed', 'fine', 'ns', 'rejected')

    def __init__(self) -> None:
        self.failed = 0
        self.rejected = 0
        self.ns = 0
        self.fine = [0] * FINE_SLOTS  # how many calls took so long, by slot
        self.coarse: dict[int, int] = {}  # by nanoseconds

    def add(self, count: int, ns: int) -> None:
        """Count calls that took `ns` altogether."""
        self.ns += ns
        each = ns // count if count > 1 else ns
        if each < FINE_NS:
            self.fine[each >> FINE_SHIFT] += count
        else:
            each = rounded(min(each, LONGEST_NS))
            self.coarse[each] = self.coarse.get(each, 0) + count

    @property
    def calls(self) -> int:
        return sum(self.fine) + sum(self.coarse.values())

    @property
    def microseconds(self) -> int:
        return self.ns // 1000

    def times(self) -> Iterator[tuple[int, int]]:
        """Times in ns and how many calls took so long, the shortest first."""
        for slot, count in enumerate(self.fine):
            if count:
                yield (slot + 1 << FINE_SHIFT) - 1, count
        yield from sorted(self.coarse.items())

    def percentiles(self, wanted: Sequence[float]) -> list[float]:
        """For each percentage the time in microseconds that so many of the calls did not exceed."""
        times = list(self.times())
        total = sum(count for _, count in times)
        found: list[float] = []
        for percentage in wanted:
            rest = max(int(total * min(percentage, 100.0) / 100 + 0.5), 1)
            for ns, count in times:
                rest -= count
                if rest <= 0:
                    found.append(ns / 1000)
                    break
        return found

    def histogram(self) -> dict[int, int]:
        """How many calls took no longer than 1, 2, 4, 8 ... microseconds: where that number grows.

        The bounds are 1,024 ns and its doubles; under Redis's names for them, 33 and 66 follow 16.
        """
        found: dict[int, int] = {}
        so_far = 0
        for ns, count in self.times():
            bound_ns = 1024 << (ns >> 10).bit_length()
            so_far += count
            found[(bound_ns + (bound_ns >> 7) - 1) // 1000] = so_far
        return found


def rounded(number: int) -> int:
    """A number of more than two digits with zeros for all but the first two."""
    power: int = 10 ** (len(str(number)) - 2)
    return number // power * power
