"""From process start to first PONG, and what a server costs while nobody asks it anything."""

import time
from collections.abc import Sequence

from tools.benchmark.report import Report, Table, progress, value_at_most
from tools.benchmark.scale import Scale
from tools.benchmark.servers import Program, Server, interleaved, running

MEGABYTE = 1_000_000


def measure(programs: Sequence[Program], scale: Scale, report: Report) -> None:
    table = report.table('Start and idle')
    pong = table.measure('process start to first PONG', 'ms', value_at_most(150))
    resident = table.measure('resident memory after that', 'MB')
    progress(f'start: {scale.start_rounds} starts of each')
    for program in programs:
        with Server(program):
            pass  # the first start reads files that the others find in memory
    for program in interleaved(programs, scale.start_rounds):
        with Server(program) as server:
            pong.add(server.role, server.seconds_to_pong * 1000)
            resident.add(server.role, server.rss_bytes() / MEGABYTE)
    add_idle(table, programs, scale.idle_seconds)


def add_idle(table: Table, programs: Sequence[Program], seconds: float) -> None:
    progress(f'start: both idle for {seconds:g} s')
    cpu = table.measure('CPU share at idle', '%')
    wake_ups = table.measure('wake-ups at idle', '1/s', value_at_most(11))  # ten ticks a second, and one at the edge
    with running(programs) as servers:
        time.sleep(1)  # what a server still does after its start
        before = [(server.cpu_seconds(), server.wake_ups()) for server in servers]
        started = time.perf_counter()
        time.sleep(seconds)
        for server, (cpu_before, wake_ups_before) in zip(servers, before, strict=True):
            elapsed = time.perf_counter() - started
            cpu.add(server.role, (server.cpu_seconds() - cpu_before) / elapsed * 100)
            wake_ups.add(server.role, (server.wake_ups() - wake_ups_before) / elapsed)
