"""Resident memory of small string keys, as redis-benchmark makes them."""

import time
from collections.abc import Sequence

from tools.benchmark.report import BenchError, Report, progress, ratio_at_most
from tools.benchmark.scale import Scale
from tools.benchmark.servers import Program, Server, interleaved
from tools.benchmark.wire import fill, numbered_command

MEGABYTE = 1_000_000
SETTLE_SECONDS = 0.5  # a rehash or a release that follows the last write


def measure(programs: Sequence[Program], scale: Scale, report: Report) -> None:
    count = scale.memory_keys
    table = report.table(f'{count:,} keys of 16 bytes with values of 3 bytes')
    resident = table.measure('resident memory', 'MB', ratio_at_most(1.6))
    gained = table.measure('less that of the empty server', 'MB')
    each = table.measure('for a key', 'bytes')
    seconds = table.measure('time to load them, pipelined', 's')
    for program in interleaved(programs, scale.memory_rounds):
        with Server(program) as server:
            progress(f'memory: {count:,} keys into {server.label}')
            before = server.rss_bytes()
            seconds.add(server.role, fill(server.port, numbered_command('SET', 'key', 'xxx'), count))
            if (size := server.call('DBSIZE')) != count:
                raise BenchError(f'{server.label} has {size!r} keys after {count:,} were set')
            time.sleep(SETTLE_SECONDS)
            after = server.rss_bytes()
            resident.add(server.role, after / MEGABYTE)
            gained.add(server.role, (after - before) / MEGABYTE)
            each.add(server.role, (after - before) / count)
