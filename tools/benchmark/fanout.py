"""PUBLISH to many subscribers: deliveries a second until all have all.

The subscribers live in a process of their own that only counts bytes; this process publishes. Two publishers take
turns, each with one batch on the way, so that the server finds the next when it is done with the last and yet handles
one at a time.
"""

import selectors
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass

from tools.benchmark.children import Channel, child
from tools.benchmark.report import BenchError, Measure, Report, progress, ratio_at_least
from tools.benchmark.scale import Scale
from tools.benchmark.servers import Program, Server, interleaved, running
from tools.benchmark.wire import connect, encode, receive_exactly

CHANNEL = 'news'
MESSAGE_BYTES = 64
RECV_BYTES = 262_144
PROBE_DELIVERIES = 20_000
PATIENCE_SECONDS = 60.0


@dataclass(frozen=True)
class Load:
    subscribers: int
    pipeline: int  # PUBLISH commands in a batch

    @property
    def name(self) -> str:
        return f'to {self.subscribers:,} subscribers' + (f', pipeline {self.pipeline}' * (self.pipeline > 1))


LOADS = (Load(100, 1), Load(1000, 1), Load(100, 16), Load(1000, 16))


@dataclass(frozen=True)
class Sample:
    """Deliveries a second, the server's CPU microseconds for each, and the receiving process's CPU share (0 to 1)."""

    rate: float
    cost_us: float
    receiver_busy: float


def measure(programs: Sequence[Program], scale: Scale, report: Report) -> None:
    table = report.table(f'PUBLISH of {MESSAGE_BYTES} bytes: deliveries a second until all have all')
    with running(programs) as servers:
        for load in LOADS:
            batches = batches_for(PROBE_DELIVERIES, load)
            probed = {server.role: sample(server, load, batches) for server in servers}
            batches = batches_for(probed['reference'].rate * scale.fanout_seconds, load)
            progress(f'fanout: {load.name}, {scale.fanout_rounds} rounds of {batches * load.pipeline:,} messages')
            rates = table.measure(load.name, '1/s', ratio_at_least(0.8))
            costs = table.measure("  server's CPU time a delivery", 'µs')
            busy = table.measure("  the receivers' CPU share", '%')
            for server in interleaved(servers, scale.fanout_rounds):
                add(sample(server, load, batches), server, rates, costs, busy)


def add(taken: Sample, server: Server, rates: Measure, costs: Measure, busy: Measure) -> None:
    rates.add(server.role, taken.rate)
    costs.add(server.role, taken.cost_us)
    busy.add(server.role, taken.receiver_busy * 100)


def batches_for(deliveries: float, load: Load) -> int:
    return max(2, round(deliveries / load.subscribers / load.pipeline))


def sample(server: Server, load: Load, batches: int) -> Sample:
    messages = batches * load.pipeline
    with child(subscribers, server.port, load.subscribers, messages) as receiving:
        receiving.receive(PATIENCE_SECONDS)
        cpu_before = server.cpu_seconds()
        started = time.perf_counter()
        publish(server.port, load, batches)
        finished, busy_seconds = receiving.receive(PATIENCE_SECONDS)
        seconds = finished - started
        deliveries = messages * load.subscribers
        cost_us = (server.cpu_seconds() - cpu_before) / deliveries * 1e6
        return Sample(deliveries / seconds, cost_us, busy_seconds / seconds)


def publish(port: int, load: Load, batches: int) -> None:
    batch = encode('PUBLISH', CHANNEL, b'x' * MESSAGE_BYTES) * load.pipeline
    replies = b':%d\r\n' % load.subscribers * load.pipeline
    publishers = [connect(port), connect(port)]
    for sock in publishers:
        sock.sendall(batch)
    for turn in range(2, batches):
        sock = publishers[turn % 2]
        receive_exactly(sock, replies)
        sock.sendall(batch)
    for sock in publishers:
        receive_exactly(sock, replies)
        sock.close()


def subscribers(channel: Channel, port: int, count: int, messages: int) -> None:
    """The receiving process: says when all are subscribed, then when all have everything and its CPU seconds."""
    sockets = [subscribe(port) for _ in range(count)]
    push = encode('message', CHANNEL, b'x' * MESSAGE_BYTES)
    channel.send('subscribed')
    cpu_before = time.process_time()
    count_bytes(sockets, [messages * len(push)] * count)
    channel.send((time.perf_counter(), time.process_time() - cpu_before))
    for sock in sockets:
        sock.close()


def subscribe(port: int, channel: str = CHANNEL) -> socket.socket:
    sock = connect(port)
    sock.sendall(encode('SUBSCRIBE', channel))
    receive_exactly(sock, b'*3\r\n$9\r\nsubscribe\r\n$%d\r\n%s\r\n:1\r\n' % (len(channel), channel.encode()))
    return sock


def count_bytes(sockets: Sequence[socket.socket], expected: Sequence[int]) -> None:
    """Receive until each socket has had its number of bytes. Raises BenchError if one is closed before that."""
    missing = sum(expected)
    buffer = bytearray(RECV_BYTES)  # one for all: a new one for each recv costs more than the recv
    with selectors.DefaultSelector() as selector:
        for sock in sockets:
            selector.register(sock, selectors.EVENT_READ, sock.recv_into)
        while missing:
            ready = selector.select(PATIENCE_SECONDS)
            if not ready:
                raise BenchError(f'{missing:,} bytes of messages never came')
            for key, _ in ready:
                size = key.data(buffer)
                if not size:
                    raise BenchError(f'a subscriber was cut off with {missing:,} bytes of messages missing')
                missing -= size
