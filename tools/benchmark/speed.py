"""Throughput and CPU time a request, with redis-benchmark."""

import csv
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from tools.benchmark.report import BenchError, Goal, Report, progress, ratio_at_least, ratio_at_most
from tools.benchmark.scale import Scale
from tools.benchmark.servers import Program, Server, interleaved, running
from tools.benchmark.wire import LOOPBACK, fill, numbered_command

KEYS = 100_000
LIST = 'mylist'  # the one redis-benchmark pushes to
PUSH_AT_ONCE = 1_000
PROBE_REQUESTS = {1: 10_000, 16: 100_000, 64: 100_000}  # by pipeline: some tenths of a second
SAMPLE_LIMIT_SECONDS = 120.0


@dataclass(frozen=True)
class Load:
    """One kind of load: a test of redis-benchmark and how it is driven."""

    test: str  # as redis-benchmark's -t takes it
    clients: int = 50
    pipeline: int = 1
    value_bytes: int = 3
    rate_goal: float = 0.0
    cpu_goal: float = 0.0

    @property
    def name(self) -> str:
        command = self.test.removesuffix('_mbulk').upper()
        size = ', 1 KB' if self.value_bytes == 1024 else ''
        return f'{command}{size}, {self.clients} clients' + (f', pipeline {self.pipeline}' * (self.pipeline > 1))


def loads() -> list[Load]:
    single = ('ping_mbulk', 'set', 'get')
    at_16 = {'ping_mbulk': 0.7, 'set': 0.7, 'get': 0.6, 'incr': 0.6, 'lpush': 0.5, 'rpop': 0.5}
    at_64 = {'ping_mbulk': 0.5, 'set': 0.5, 'get': 0.5, 'incr': 0.5, 'lpush': 0.45, 'rpop': 0.5}
    return [
        *(Load(test, rate_goal=0.95, cpu_goal=1.35) for test in single),
        *(Load(test, clients=500, rate_goal=0.85) for test in single),
        *(Load(test, pipeline=16, rate_goal=goal) for test, goal in at_16.items()),
        *(Load(test, pipeline=64, rate_goal=goal) for test, goal in at_64.items()),
        *(Load(test, pipeline=16, value_bytes=1024, rate_goal=0.75) for test in ('set', 'get')),
    ]


def measure(programs: Sequence[Program], scale: Scale, report: Report) -> None:
    throughput = report.table('Throughput, requests a second (redis-benchmark, 3-byte values, 100,000 random keys)')
    cpu = report.table("The server's CPU time a request, microseconds (the same samples)")
    with running(programs) as servers:
        loaded_bytes = 0
        for load in loads():
            if load.value_bytes != loaded_bytes:
                loaded_bytes = load.value_bytes
                for server in servers:
                    load_keys(server, loaded_bytes)
            requests = max(1000, round(probe(servers, load) * scale.speed_seconds))
            progress(f'speed: {load.name}, {scale.speed_rounds} rounds of {requests:,}')
            rates = throughput.measure(load.name, '1/s', ratio_at_least(load.rate_goal))
            costs = cpu.measure(load.name, 'µs', cpu_goal(load))
            for server in interleaved(servers, scale.speed_rounds):
                rate, cost_us = sample(server, load, requests)
                rates.add(server.role, rate)
                costs.add(server.role, cost_us)


def cpu_goal(load: Load) -> Goal | None:
    return ratio_at_most(load.cpu_goal) if load.cpu_goal else None


def load_keys(server: Server, value_bytes: int) -> None:
    """Every key that redis-benchmark can pick exists from the start, so that a GET always finds one."""
    server.call('FLUSHALL')
    fill(server.port, numbered_command('SET', 'key', b'x' * value_bytes), KEYS)
    fill(server.port, numbered_command('SET', 'counter', '0'), KEYS)


def probe(servers: Sequence[Server], load: Load) -> float:
    """Warm both servers up with a load; returns redis-server's requests a second."""
    rates = {server.role: sample(server, load, PROBE_REQUESTS[load.pipeline])[0] for server in servers}
    return rates['reference']


def sample(server: Server, load: Load, requests: int) -> tuple[float, float]:
    """One run of redis-benchmark: requests a second, and microseconds of the server's CPU time for each."""
    if load.test in ('lpush', 'rpop'):
        server.call('DEL', LIST)
    if load.test == 'rpop':
        lengthen_list(server, requests)
    before = server.cpu_seconds()
    rate = redis_benchmark(server, load, requests)
    return rate, (server.cpu_seconds() - before) / requests * 1e6


def lengthen_list(server: Server, length: int) -> None:
    """Give RPOP's list an element for every request of a sample."""
    for _ in range(-(-length // PUSH_AT_ONCE)):
        server.call('RPUSH', LIST, *[b'xxx'] * PUSH_AT_ONCE)


def redis_benchmark(server: Server, load: Load, requests: int, keys: int = KEYS) -> float:
    options = ['-t', load.test, '-n', str(requests), '-c', str(load.clients), '-P', str(load.pipeline)]
    return run_redis_benchmark(server, [*options, '-d', str(load.value_bytes), '-r', str(keys)])


def run_redis_benchmark(server: Server, options: Sequence[str]) -> float:
    """Run redis-benchmark with one kind of request; returns how many it got answered a second."""
    argv = ['redis-benchmark', '--csv', '-h', LOOPBACK, '-p', str(server.port), *options]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=SAMPLE_LIMIT_SECONDS, check=False)
    for row in csv.reader(done.stdout.splitlines()):
        if len(row) > 1 and row[0] != 'test':
            return float(row[1])
    raise BenchError(f'{" ".join(argv)} ended with code {done.returncode}: {(done.stdout + done.stderr)[-500:]}')
