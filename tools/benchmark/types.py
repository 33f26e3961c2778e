"""The data types beyond strings and lists: speed, growth with size, and memory of an element.

Growth is the server's CPU time of an operation on a key of a million elements, over that on one of a thousand: it tells
whether an operation that should not depend on the size does not.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from tools.benchmark.report import Report, progress, ratio_at_least, value_at_most
from tools.benchmark.scale import Scale
from tools.benchmark.servers import Program, Server, interleaved, running
from tools.benchmark.speed import run_redis_benchmark
from tools.benchmark.wire import encode, fill

NUMBER = '#'  # in a command that fills: the element's number; in one of a load: any number below the key's size
ANY_NUMBER = '__rand_int__'  # as redis-benchmark has it, twelve digits
ZERO, FIELD = '0' * 12, b'%012d'  # a number in twelve digits
FEW = 1_000
PIPELINE = 16
CLIENTS = 50
SETTLE_SECONDS = 0.5
PROBE_REQUESTS = 20_000
MOST_GROWTH = 4.0


@dataclass(frozen=True)
class Structure:
    """A key, and the command that gives it one element more."""

    key: str
    words: str
    reply: bytes = b':1\r\n'


HASH = Structure('hash', 'HSET hash field:# xxx')
SET = Structure('set', 'SADD set element:#')
SORTED_SET = Structure('zset', 'ZADD zset # element:#')
STREAM = Structure('stream', 'XADD stream 0-1# field value', b'$15\r\n0-1%012d\r\n')
STRUCTURES = (HASH, SET, SORTED_SET, STREAM)


@dataclass(frozen=True)
class Load:
    """A command at pipelines of 16, on a structure that has so many elements already."""

    words: str
    on: Structure | None = None
    rate_goal: float = 0.0
    grows: bool = True  # asked at a thousand and a million elements, too


LOADS = (
    Load('HSET hash field:# xxx', HASH, 0.5),
    Load('HGET hash field:#', HASH, 0.5),
    Load('SADD set element:#', SET, 0.5),
    Load('SISMEMBER set element:#', SET),
    Load('SRANDMEMBER set', SET),
    Load('SPOP set', SET, 0.5, grows=False),
    Load('ZADD zset # element:#', SORTED_SET, 0.3),
    Load('ZINCRBY zset 1 element:#', SORTED_SET, 0.3),
    Load('ZRANGE zset {half} {half_and_9}', SORTED_SET, 0.3),
    Load('ZRANK zset element:#', SORTED_SET),
    Load('ZRANGEBYSCORE zset {half} +inf LIMIT 0 10', SORTED_SET),
    Load('XADD stream * field value', STREAM, 0.3),
    Load('XRANGE stream 0-1{half:012} + COUNT 10', STREAM, 0.3),
    Load('PFADD hyperloglog element:#', None, 0.3, grows=False),
)


def speed(programs: Sequence[Program], scale: Scale, report: Report) -> None:
    size = scale.type_elements // 10
    rates = report.table(f'Data types: requests a second, keys of {size:,} elements, pipelines of {PIPELINE}')
    costs = report.table("The server's CPU time a request, microseconds (the same samples)")
    with running(programs) as servers:
        for load in LOADS:
            # SPOP empties what it works on: what would be left is as many elements as it takes in one sample.
            taken = load.words.startswith('SPOP')
            probed = [prepared(server, load, size, PROBE_REQUESTS) for server in servers]
            requests = max(1_000, round(probed[0][0] * scale.type_seconds))
            progress(f'types: {load.words}, {scale.type_rounds} rounds of {requests:,}')
            goal = ratio_at_least(load.rate_goal) if load.rate_goal else None
            rate_row = rates.measure(load.words.format(**places(size)), '1/s', goal)
            cost_row = costs.measure(load.words.format(**places(size)), 'µs')
            for server in interleaved(servers, scale.type_rounds):
                rate, cost_us = prepared(server, load, requests + size if taken else size, requests)
                rate_row.add(server.role, rate)
                cost_row.add(server.role, cost_us)


def growth(programs: Sequence[Program], scale: Scale, report: Report) -> None:
    table = report.table(f'CPU time of an operation among {scale.type_elements:,} elements over that among {FEW:,}')
    with running(programs) as servers:
        for load in LOADS:
            if not load.grows:
                continue
            progress(f'types: growth of {load.words}')
            row = table.measure(' '.join(load.words.split()[:2]), 'times', value_at_most(MOST_GROWTH))
            for server in servers:
                few, many = (cheapest(server, load, size, scale.type_rounds) for size in (FEW, scale.type_elements))
                row.add(server.role, many / few)


def cheapest(server: Server, load: Load, size: int, rounds: int) -> float:
    """The least CPU time of a request, microseconds, of some samples on a key that has so many elements."""
    prepared(server, load, size, PROBE_REQUESTS)
    return min(sample(server, load, size, PROBE_REQUESTS)[1] for _ in range(rounds))


def memory(programs: Sequence[Program], scale: Scale, report: Report) -> None:
    table = report.table(f'Memory of an element of {scale.type_elements:,}, bytes of the process')
    for structure in STRUCTURES:
        row = table.measure(structure.words, 'B')
        for program in programs:
            with Server(program) as server:
                progress(f'types: memory of {structure.words} in {server.label}')
                before = server.rss_bytes()
                fill_with(server, structure, scale.type_elements)
                time.sleep(SETTLE_SECONDS)
                row.add(server.role, (server.rss_bytes() - before) / scale.type_elements)


def places(size: int) -> dict[str, int]:
    """What stands in a load's command for places in its key."""
    return {'half': size // 2, 'half_and_9': size // 2 + 9}


def prepared(server: Server, load: Load, size: int, requests: int) -> tuple[float, float]:
    """`sample` on a key that has so many elements."""
    if load.on is not None:
        fill_with(server, load.on, size)
    return sample(server, load, size, requests)


def fill_with(server: Server, structure: Structure, size: int) -> None:
    """Give a key so many elements, and no others."""
    server.call('DEL', structure.key)
    command = encode(*(word.replace(NUMBER, ZERO) for word in structure.words.split()))
    fill(server.port, command.replace(ZERO.encode(), FIELD), size, structure.reply)


def sample(server: Server, load: Load, size: int, requests: int) -> tuple[float, float]:
    """One run of redis-benchmark: requests a second, and microseconds of the server's CPU time for each."""
    words = load.words.format(**places(size)).replace(NUMBER, ANY_NUMBER).split()
    before = server.cpu_seconds()
    rate = run_redis_benchmark(
        server, ['-n', str(requests), '-c', str(CLIENTS), '-P', str(PIPELINE), '-r', str(size), *words]
    )
    return rate, (server.cpu_seconds() - before) / requests * 1e6
