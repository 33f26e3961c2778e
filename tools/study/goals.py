"""What the selectors driver has to reach, and whether it has: ratios of the server's CPU time within a run."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tools.study.intervals import Interval, ratio_interval
from tools.study.results import Load, Results

SUBJECT = 'selectors'
FIGURE = 'cpu_us'


@dataclass(frozen=True)
class Goal:
    """The subject's CPU time a request is at most `limit` times that of contestant `base`, on the loads of `on`."""

    text: str
    base: str
    limit: float
    on: Callable[[Load], bool]


@dataclass(frozen=True)
class Verdict:
    """What became of a goal on one load. `clear`: the whole interval is on one side of the limit."""

    goal: Goal
    load: Load
    ratio: Interval

    @property
    def met(self) -> bool:
        return round(self.ratio.median, 2) <= self.goal.limit  # as it is printed: 1.00 is not more than 1

    @property
    def clear(self) -> bool:
        return self.ratio.high <= self.goal.limit or self.ratio.low > self.goal.limit


def every(load: Load) -> bool:
    return True


def of_connections(load: Load) -> bool:
    return load.group in ('churn', 'idle')


def pipelined(load: Load) -> bool:
    return load.group == 'request' and int(load.parameters['pipeline']) > 1


def unpipelined(load: Load) -> bool:
    return load.group == 'request' and int(load.parameters['pipeline']) == 1


def unpipelined_many(load: Load) -> bool:
    return unpipelined(load) and int(load.parameters['connections']) >= 50


GOALS = [
    Goal('no more than the asyncio protocol, on every load', 'asyncio', 1.0, every),
    Goal('unpipelined, 50 connections and more', 'asyncio', 0.9, unpipelined_many),
    Goal('connections that come and go, or are idle', 'asyncio', 0.8, of_connections),
    Goal('pipelines, against writing at once', 'asyncio-now', 0.8, pipelined),
    Goal('unpipelined, against uvloop', 'uvloop', 1.1, unpipelined),
    Goal('pipelines, against uvloop', 'uvloop', 1.0, pipelined),
]


def verdicts(results: Results) -> list[Verdict]:
    """Of each goal on each load that both sides were measured on; in the order of GOALS, then of the loads."""
    return [verdict for goal in GOALS for verdict in of_goal(goal, results.loads)]


def of_goal(goal: Goal, loads: Sequence[Load]) -> list[Verdict]:
    found: list[Verdict] = []
    for load in loads:
        pairs = in_both(load, goal.base)
        if goal.on(load) and pairs:
            found.append(Verdict(goal, load, ratio_interval(*zip(*pairs, strict=True))))
    return found


def in_both(load: Load, base: str) -> list[tuple[float, float]]:
    """The subject's CPU time and the base's, in each round that has both."""
    subject_values, base_values = (
        {sample.round: sample.values.get(FIGURE, 0.0) for sample in load.samples if sample.contestant == contestant}
        for contestant in (SUBJECT, base)
    )
    return [(value, base_values[number]) for number, value in sorted(subject_values.items()) if base_values.get(number)]
