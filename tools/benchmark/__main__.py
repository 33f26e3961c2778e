"""Command line of the benchmark: chooses sections, runs them, prints the tables."""

import argparse
import dataclasses
import json
import os
import platform
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

from tools.benchmark import fanout, load, memory, speed, start, tails, types
from tools.benchmark.report import BenchError, Report, markdown, plain, progress
from tools.benchmark.scale import FULL, QUICK, Scale
from tools.benchmark.servers import Program

ROOT = Path(__file__).resolve().parent.parent.parent

Section = Callable[[Sequence[Program], Scale, Report], None]
SECTIONS: dict[str, Sequence[Section]] = {
    'speed': [speed.measure],
    'fanout': [fanout.measure],
    'load': [load.many_connections, load.large_values, load.stuck_subscriber],
    'tails': [tails.measure],
    'start': [start.measure],
    'memory': [memory.measure],
    'types': [types.speed, types.growth, types.memory],
}
REFERENCE = "redis-server --port {port} --save '' --appendonly no"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog='tools/bench.py',
        description='Measures selredis beside redis-server, interleaved, and prints medians and ratios.',
    )
    parser.add_argument('--quick', action='store_true', help='smaller sizes and fewer rounds, under two minutes')
    parser.add_argument(
        '--only', type=sections, default=list(SECTIONS), metavar='SECTION,...', help=', '.join(SECTIONS)
    )
    parser.add_argument('--types', dest='only', action='store_const', const=['types'], help='as --only types')
    parser.add_argument('--rounds', type=rounds, metavar='N', help='rounds of every section')
    parser.add_argument('--python', default=sys.executable, help='the interpreter that runs selredis')
    parser.add_argument('--server', metavar='COMMAND', help="another server in selredis's place, with {port} in it")
    parser.add_argument('--markdown', action='store_true', help='print tables for the README')
    parser.add_argument('--json', type=Path, metavar='FILE', help='write every sample to FILE')
    return parser.parse_args()


def sections(text: str) -> list[str]:
    names = text.split(',')
    for name in names:
        if name not in SECTIONS:
            raise argparse.ArgumentTypeError(f'no section {name!r}; there are {", ".join(SECTIONS)}')
    return names


def rounds(text: str) -> int:
    count = int(text)
    if count < 1:
        raise argparse.ArgumentTypeError('at least one round')
    return count


def main() -> int:
    chosen = arguments()
    if sys.platform != 'linux':
        sys.exit('CPU time and memory are read from /proc as Linux has it')
    if not (shutil.which('redis-server') and shutil.which('redis-benchmark')):
        sys.exit('needs redis-server and redis-benchmark: Debian packages redis-server and redis-tools')
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    scale = QUICK if chosen.quick else FULL
    if chosen.rounds:
        scale = with_rounds(scale, chosen.rounds)
    programs = (Program('reference', 'redis-server', shlex.split(REFERENCE)), subject(chosen))
    stolen_before = cpu_ticks()
    report = Report()
    try:
        failures = [run(section, programs, scale, report) for name in chosen.only for section in SECTIONS[name]]
    except KeyboardInterrupt:
        failures = [True]
        progress('interrupted; what there is:')
    notes = machine(chosen, stolen_before)
    show(report, notes, programs, chosen.markdown)
    if chosen.json:
        samples = {'machine': notes, **dataclasses.asdict(report)}
        chosen.json.write_text(json.dumps(samples, indent=1, ensure_ascii=False) + '\n', encoding='utf-8')
    return 1 if any(failures) else 0


def stop(number: int, frame: FrameType | None) -> None:
    """A signal that ends the benchmark passes through every `finally`, so that no server is left behind."""
    sys.exit(128 + number)


def run(section: Section, programs: Sequence[Program], scale: Scale, report: Report) -> bool:
    """Measure one subject; whether that failed. The others are measured all the same."""
    try:
        section(programs, scale, report)
    except (BenchError, OSError, subprocess.SubprocessError) as error:
        progress(f'FAILED: {error}')
        report.tables[-1].notes.append(f'could not be measured to the end: {error}')
        return True
    return False


def subject(chosen: argparse.Namespace) -> Program:
    if chosen.server:
        argv = shlex.split(chosen.server)
        return Program('subject', Path(argv[0]).name, argv)
    argv = [chosen.python, '-m', 'selredis', '--port', '{port}']
    return Program('subject', 'selredis', argv, {'PYTHONPATH': str(ROOT)})


def with_rounds(scale: Scale, count: int) -> Scale:
    return dataclasses.replace(
        scale,
        speed_rounds=count,
        fanout_rounds=count,
        load_rounds=count,
        tails_rounds=count,
        start_rounds=count,
        memory_rounds=count,
        type_rounds=count,
    )


def machine(chosen: argparse.Namespace, before: list[int]) -> list[str]:
    """What was run, on what, and how much of it the host took away meanwhile."""
    models = [line for line in Path('/proc/cpuinfo').read_text().splitlines() if line.startswith('model name')]
    model = models[0].partition(':')[2].strip() if models else platform.machine()
    ran = [now - then for now, then in zip(cpu_ticks(), before, strict=True)]
    stolen = ran[STEAL] / max(1, sum(ran)) * 100
    return [
        f'{os.cpu_count()} cores of {model}, Linux {platform.release()}; {stolen:.1f} % stolen by the host',
        f'{version("redis-server", "--version")}; {chosen.server or version(chosen.python, "--version")}',
        'tools/bench.py ' + shlex.join(sys.argv[1:]),
    ]


STEAL = 7  # user nice system idle iowait irq softirq steal, proc(5)


def cpu_ticks() -> list[int]:
    with Path('/proc/stat').open() as stat:
        return [int(word) for word in stat.readline().split()[1:9]]


def version(*argv: str) -> str:
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.partition(' sha')[0].strip()


def show(report: Report, notes: Sequence[str], programs: Sequence[Program], as_markdown: bool) -> None:
    render = markdown if as_markdown else plain
    reference, other = (program.label for program in programs)
    for table in report.tables:
        print(render(table, reference, other), end='\n\n')
    print('\n'.join(f'- {note}' for note in notes))


if __name__ == '__main__':
    sys.exit(main())
