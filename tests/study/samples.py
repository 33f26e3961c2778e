"""A made-up run of the study, for tests of what is made of one: every contestant, every group, no measurement."""

import random
from collections.abc import Mapping
from dataclasses import replace

from tools.study.results import Contestant, Load, Results, Sample

CONTESTANTS = [
    Contestant('selectors', 'selectors loop', 'driver'),
    Contestant('asyncio', 'asyncio protocol', 'driver'),
    Contestant('asyncio-now', 'asyncio protocol, writing at once', 'driver'),
    Contestant('streams', 'asyncio streams', 'driver'),
    Contestant('uvloop', 'asyncio protocol on uvloop', 'driver'),
    Contestant('redis-server', 'redis-server', 'reference'),
    Contestant('fakeredis', "fakeredis's TcpFakeServer", 'reference'),
]

# How much dearer than the selectors loop a contestant is in these samples.
COST = {
    'selectors': 1.0,
    'asyncio': 1.25,
    'asyncio-now': 1.5,
    'streams': 1.9,
    'uvloop': 0.97,
    'redis-server': 0.6,
    'fakeredis': 14.0,
}
ROUNDS = 5


def _filled(load: Load, values: Mapping[str, float], source: random.Random) -> Load:
    """The load with samples of all contestants: `values` are those of the selectors loop."""
    for number in range(ROUNDS):
        for contestant in CONTESTANTS:
            cost = COST[contestant.id] * source.uniform(0.95, 1.06)
            sample = {}
            for figure, value in values.items():
                if figure == 'rate':
                    sample[figure] = value / cost
                elif figure in ('generator_busy', 'late_us'):
                    sample[figure] = min(99.0, value / cost**0.3)
                else:
                    sample[figure] = value * cost
            load.samples.append(Sample(contestant.id, number, sample))
    return load


def _cpu(cpu_us: float, busy: float) -> dict[str, float]:
    return {
        'rate': 900_000 / cpu_us,
        'cpu_us': cpu_us,
        'cpu_user_us': cpu_us * 0.55,
        'cpu_system_us': cpu_us * 0.45,
        'generator_busy': busy,
    }


def _request(command: str, connections: int, pipeline: int, value_bytes: int, source: random.Random) -> Load:
    parts = [command, f'{connections:,} connections']
    if pipeline > 1:
        parts.append(f'pipeline {pipeline}')
    if value_bytes > 3:
        parts.append(f'{value_bytes:,} B')
    cpu_us = (9 + 12 / pipeline) * (1 + connections / 9000) * (1 + value_bytes / 30_000)
    return _filled(
        Load(
            f'request-{command}-{connections}-{pipeline}-{value_bytes}'.lower(),
            ', '.join(parts),
            'request',
            {'command': command, 'connections': connections, 'pipeline': pipeline, 'value_bytes': value_bytes},
        ),
        _cpu(cpu_us, 95 if pipeline > 1 else 60),
        source,
    )


def sample_results() -> Results:
    """The same at every call."""
    source = random.Random(3)
    loads = []
    for command in ('PING', 'SET', 'GET', 'LPUSH', 'RPOP'):
        shapes = [(connections, 1, 3) for connections in (1, 50, 500, 5000)] + [(50, 16, 3), (50, 128, 3)]
        if command in ('SET', 'GET'):
            shapes += [(50, 1, 1024), (5, 1, 1024 * 1024)]
        loads += [_request(command, *shape, source) for shape in shapes]
    for subscribers in (1, 100, 1000):
        load = Load(
            f'fan-out-{subscribers}',
            f'PUBLISH to {subscribers:,} subscribers',
            'fan-out',
            {'command': 'PUBLISH', 'subscribers': subscribers},
        )
        loads.append(_filled(load, _cpu(10 + subscribers * 4, 50), source))
    for waiters in (1, 100, 1000):
        load = Load(
            f'hand-off-{waiters}',
            f'RPUSH to the longest waiting of {waiters:,}',
            'hand-off',
            {'command': 'BLPOP', 'waiters': waiters},
        )
        loads.append(_filled(load, _cpu(40 + waiters / 100, 50), source))
    loads.append(_filled(Load('churn', 'connect, PING, QUIT', 'churn', {'connections': 50}), _cpu(90, 70), source))
    loads += [
        _filled(
            Load('idle-open', '10,000 connections come and idle, a connection', 'idle', {'connections': 10_000}),
            {'cpu_us': 80, 'connection_bytes': 1700, 'idle_cpu_share': 0.4},
            source,
        ),
        _filled(
            Load('idle-beside', 'GET on 50 connections beside 10,000 idle ones', 'idle', {'connections': 10_000}),
            _cpu(20, 60),
            source,
        ),
        _filled(
            Load(
                'slow',
                '2,000 messages of 4 KB a second to 10 subscribers and one that never reads, a delivery',
                'slow',
                {'subscribers': 10},
            ),
            {**_cpu(8, 50), 'late_us': 300},
            source,
        ),
    ]
    for sample in loads[-1].samples:
        sample.values['cut_off'] = 1.0
    for command, rate in (('GET', 5_000), ('SET', 20_000)):
        load = Load(
            f'schedule-{command}-{rate}'.lower(),
            f'{command}, {rate:,} requests a second on 50 connections',
            'schedule',
            {'command': command, 'rate': rate},
        )
        values = {'p50_us': 90, 'p99_us': 240, 'p999_us': 700, 'worst_us': 5200, 'cpu_us': 20, 'generator_busy': 30}
        loads.append(_filled(load, values, source))
    return Results(
        name='made-up',
        started='2025-01-31T12:00:00+00:00',
        quick=False,
        command='python3 tools/study/run.py --made-up',
        machine={'system': 'Linux 6.1', 'processor': 'made up, 2 cores', 'memory': '8 GB'},
        versions={'python': '3.11.7', 'uvloop': '0.21.0'},
        missing={'strace': 'strace is not installed: no system calls'},
        contestants=[replace(one) for one in CONTESTANTS],
        loads=loads,
    )
