"""What a run of the study has measured: every raw sample, and what it was measured on. Stored as JSON."""

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self


@dataclass(frozen=True)
class Figure:
    """A quantity that loads are measured by."""

    id: str
    label: str
    unit: str
    better: Literal['lower', 'higher']


FIGURES = {
    figure.id: figure
    for figure in (
        Figure('rate', 'Throughput', '1/s', 'higher'),
        Figure('cpu_us', "Server's CPU time a request", 'µs', 'lower'),
        Figure('cpu_user_us', 'of it in user space', 'µs', 'lower'),
        Figure('cpu_system_us', 'of it in the kernel', 'µs', 'lower'),
        Figure('p50_us', 'Latency, median', 'µs', 'lower'),
        Figure('p99_us', 'Latency, 99th percentile', 'µs', 'lower'),
        Figure('p999_us', 'Latency, 99.9th percentile', 'µs', 'lower'),
        Figure('worst_us', 'Latency, worst', 'µs', 'lower'),
        Figure('connection_bytes', 'Resident memory of an idle connection', 'B', 'lower'),
        Figure('idle_cpu_share', 'CPU while all connections are idle', '%', 'lower'),
        Figure('cut_off', 'The slow subscriber was cut off', 'yes/no', 'higher'),
        Figure('late_us', 'How late the load generator sent at worst', 'µs', 'lower'),
        Figure('generator_busy', 'How busy the load generator was', '%', 'lower'),
    )
}


@dataclass
class Contestant:
    """A server that took part. A driver runs selredis's engine; a reference is there for scale."""

    id: str
    label: str
    kind: Literal['driver', 'reference']


@dataclass
class Sample:
    """One measurement of one contestant: `values` by a Figure's id."""

    contestant: str
    round: int
    values: dict[str, float]


@dataclass
class Load:
    """One kind of load and its samples.

    `group` is what it is shown with: `request`, `fan-out`, `hand-off`, `churn`, `idle`, `slow`, `schedule`.
    `parameters` are what tells it from the others of its group: command, connections, pipeline, value_bytes, ...
    """

    id: str
    title: str
    group: str
    parameters: dict[str, int | str]
    samples: list[Sample] = field(default_factory=list)

    def values(self, contestant: str, figure: str) -> list[float]:
        """A contestant's values of a figure, by round."""
        taken = sorted((sample for sample in self.samples if sample.contestant == contestant), key=lambda s: s.round)
        return [sample.values[figure] for sample in taken if figure in sample.values]


@dataclass
class Results:
    """A whole run. `missing` tells what could not be measured, and why. `traces` is what `tracing` found."""

    name: str
    started: str
    quick: bool
    command: str
    machine: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    contestants: list[Contestant] = field(default_factory=list)
    loads: list[Load] = field(default_factory=list)
    traces: dict[str, Any] = field(default_factory=dict)

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(dataclasses.asdict(self), ensure_ascii=False, indent=1) + '\n', encoding='utf-8')

    @classmethod
    def read(cls, path: Path) -> Self:
        stored = json.loads(path.read_text(encoding='utf-8'))
        stored['contestants'] = [Contestant(**one) for one in stored['contestants']]
        stored['loads'] = [
            Load(**{**one, 'samples': [Sample(**sample) for sample in one['samples']]}) for one in stored['loads']
        ]
        return cls(**stored)
