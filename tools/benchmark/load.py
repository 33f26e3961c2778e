"""Many connections, large values, and a subscriber that never reads."""

import contextlib
import resource
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.benchmark.children import Channel, child
from tools.benchmark.fanout import count_bytes, subscribe
from tools.benchmark.report import BenchError, Report, progress, value_at_least, value_at_most
from tools.benchmark.scale import Scale
from tools.benchmark.servers import Program, Server, interleaved
from tools.benchmark.wire import connect, encode, receive_exactly, receive_into

MEGABYTE = 1_000_000
PING, PONG = b'*1\r\n$4\r\nPING\r\n', b'+PONG\r\n'
CONNECT_BURST = 100  # well below any listen backlog: a connection that is dropped there costs its retry of a second
SPARE_DESCRIPTORS = 200

CHANNEL = 'flood'
READERS = 10
FLOOD_BYTES = 1024
FLOOD_BATCH = 50
PATIENCE_SECONDS = 120.0


def allow_descriptors(count: int) -> None:
    """Raise this process's limit of open files, which the servers inherit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < count:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (count, max(count, hard)))
        except (ValueError, OSError) as error:
            raise BenchError(f'{count:,} open files are needed and {hard:,} allowed: {error}') from None


def many_connections(programs: Sequence[Program], scale: Scale, report: Report) -> None:
    count = scale.connections
    table = report.table(f'{count:,} connections')
    opened = table.measure('open all, each answered', 's')
    answered = table.measure('answer each once more', 's')
    lively = table.measure('connections answered', '', value_at_least(count))
    idle = table.measure('resident memory of an idle connection', 'KB', value_at_most(4))
    allow_descriptors(count + SPARE_DESCRIPTORS)
    for program in interleaved(programs, scale.load_rounds):
        progress(f'load: {count:,} connections to {program.label}')
        with contextlib.ExitStack() as stack:
            server = stack.enter_context(Server(program, '--maxclients', str(count + SPARE_DESCRIPTORS)))
            before = server.rss_bytes()
            started = time.perf_counter()
            sockets = open_connections(server.port, count, stack)
            opened.add(server.role, time.perf_counter() - started)
            started = time.perf_counter()
            lively.add(server.role, answers(sockets))
            answered.add(server.role, time.perf_counter() - started)
            time.sleep(scale.settle_seconds)
            idle.add(server.role, (server.rss_bytes() - before) / count / 1024)
    table.notes.append(
        f'idle memory: {scale.settle_seconds:g} s after the last request, less that before the first one'
    )


def open_connections(port: int, count: int, stack: contextlib.ExitStack) -> list[socket.socket]:
    """Connect in bursts, and see that each connection of a burst is served before the next one."""
    sockets: list[socket.socket] = []
    for first in range(0, count, CONNECT_BURST):
        burst = [
            stack.enter_context(connect(port, source_address(n)))
            for n in range(first, min(first + CONNECT_BURST, count))
        ]
        answers(burst)
        sockets += burst
    return sockets


def source_address(index: int) -> str:
    """Where connection number `index` comes from: another loopback address once the ports of one run short."""
    low, high = map(int, Path('/proc/sys/net/ipv4/ip_local_port_range').read_text().split())
    address = index // ((high - low) // 2)
    return f'127.0.0.{address + 1}' if address else ''


def answers(sockets: Sequence[socket.socket]) -> int:
    for sock in sockets:
        sock.sendall(PING)
    for sock in sockets:
        receive_exactly(sock, PONG)
    return len(sockets)


def large_values(programs: Sequence[Program], scale: Scale, report: Report) -> None:
    table = report.table('One large value')
    sizes = scale.value_megabytes
    set_seconds = {size: table.measure(f'SET of {size} MB', 's') for size in sizes}
    get_seconds = {size: table.measure(f'GET of {size} MB', 's') for size in sizes}
    growth = f'time of {sizes[-1]} MB over {sizes[-1] // sizes[0]} times that of {sizes[0]} MB'
    set_growth = table.measure(f'SET: {growth}', '', value_at_most(1.5))
    get_growth = table.measure(f'GET: {growth}', '', value_at_most(1.5))
    set_peak = table.measure(f'SET of {sizes[-1]} MB: peak memory over the value', '', value_at_most(2))
    get_peak = table.measure(f'GET of {sizes[-1]} MB: peak memory over the value', '', value_at_most(2))
    for program in interleaved(programs, scale.load_rounds):
        progress(f'load: values of {", ".join(map(str, sizes))} MB to {program.label}')
        with Server(program) as server:
            # The first pass is for memory, in a server that has none to reuse. Its times are the machine's: pages that
            # a virtual machine has not used for a while are slow to come.
            fresh = value_in_and_out(server, sizes[-1] * MEGABYTE)
            taken = [value_in_and_out(server, size * MEGABYTE) for size in sizes]
        for size, one in zip(sizes, taken, strict=True):
            set_seconds[size].add(server.role, one.set_seconds)
            get_seconds[size].add(server.role, one.get_seconds)
        steps = sizes[-1] / sizes[0]
        set_growth.add(server.role, taken[-1].set_seconds / taken[0].set_seconds / steps)
        get_growth.add(server.role, taken[-1].get_seconds / taken[0].get_seconds / steps)
        set_peak.add(server.role, fresh.set_peak)
        get_peak.add(server.role, fresh.get_peak)
    table.notes.append(
        'peak memory: the largest resident size less the one before the SET, in sizes of the value '
        '(which itself is one)'
    )


@dataclass(frozen=True)
class InAndOut:
    """Seconds of a SET and of a GET of one value, and the peak memory of each in sizes of the value."""

    set_seconds: float
    get_seconds: float
    set_peak: float
    get_peak: float


def value_in_and_out(server: Server, size: int) -> InAndOut:
    value = (b'0123456789abcdef' * (size // 16 + 1))[:size]
    request = b'*3\r\n$3\r\nSET\r\n$5\r\nlarge\r\n$%d\r\n%s\r\n' % (size, value)
    expected = b'$%d\r\n%s\r\n' % (size, value)
    received = bytearray(len(expected))
    with connect(server.port) as sock:
        before = server.rss_bytes()
        server.forget_peak()
        started = time.perf_counter()
        sock.sendall(request)
        receive_exactly(sock, b'+OK\r\n')
        set_seconds = time.perf_counter() - started
        set_peak = server.peak_rss_bytes() - before
        server.forget_peak()
        started = time.perf_counter()
        sock.sendall(encode('GET', 'large'))
        receive_into(sock, memoryview(received))
        get_seconds = time.perf_counter() - started
        get_peak = server.peak_rss_bytes() - before
    if received != expected:
        raise BenchError(f'{server.label} returned another value than it was given')
    server.call('DEL', 'large')
    return InAndOut(set_seconds, get_seconds, set_peak / size, get_peak / size)


def stuck_subscriber(programs: Sequence[Program], scale: Scale, report: Report) -> None:
    messages = scale.stuck_messages
    table = report.table(f'{messages:,} messages of 1 KB to {READERS} subscribers and to one that never reads')
    cut_off = table.measure('the one that never reads is cut off', 'yes/no', value_at_least(1))
    delivered = table.measure('messages the others received', '', value_at_least(messages * READERS))
    seconds = table.measure('time until they have them all', 's')
    peak = table.measure('memory gained at the peak', 'MB')
    after = table.measure('memory still gained in the end', 'MB', value_at_most(16))
    for program in interleaved(programs, scale.load_rounds):
        progress(f'load: a subscriber that never reads, {program.label}')
        with Server(program) as server:
            before = server.rss_bytes()
            with subscribe(server.port, CHANNEL), child(readers, server.port, messages) as reading:
                reading.receive(PATIENCE_SECONDS)
                started = time.perf_counter()
                flood(server.port, messages)
                finished, received = reading.receive(PATIENCE_SECONDS)
                seconds.add(server.role, finished - started)
                delivered.add(server.role, received)
                cut_off.add(server.role, subscriber_count(server) <= READERS)
                time.sleep(scale.settle_seconds)
                peak.add(server.role, (server.peak_rss_bytes() - before) / MEGABYTE)
                after.add(server.role, (server.rss_bytes() - before) / MEGABYTE)
    table.notes.append(f'in the end: {scale.settle_seconds:g} s later')


def flood(port: int, messages: int) -> None:
    """Publish in pipelines, however many receive it: one fewer from the moment the stuck one is cut off."""
    command = encode('PUBLISH', CHANNEL, b'x' * FLOOD_BYTES)
    with connect(port) as sock, sock.makefile('rb') as replies:
        for first in range(0, messages, FLOOD_BATCH):
            size = min(FLOOD_BATCH, messages - first)
            sock.sendall(command * size)
            for _ in range(size):
                if not replies.readline().startswith(b':'):
                    raise BenchError('PUBLISH was refused')


def readers(channel: Channel, port: int, messages: int) -> None:
    """The subscribers that do read: says when all are subscribed, then when they have all, and how much that was."""
    sockets = [subscribe(port, CHANNEL) for _ in range(READERS)]
    push = encode('message', CHANNEL, b'x' * FLOOD_BYTES)
    channel.send('subscribed')
    count_bytes(sockets, [messages * len(push)] * READERS)
    channel.send((time.perf_counter(), messages * READERS))
    channel.recv()  # stay subscribed until the parent has looked


def subscriber_count(server: Server) -> int:
    reply = server.call('PUBSUB', 'NUMSUB', CHANNEL)
    assert isinstance(reply, list)
    assert isinstance(reply[1], int)
    return reply[1]
