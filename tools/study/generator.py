"""The study's own load generator, for what redis-benchmark cannot do: a process of its own.

Each function with a channel is a load, run by `tools.benchmark.children.child`: it connects, says 'ready', waits for
'go', loads the server for its time, waits for what is still on the way, and sends an Outcome. Requests are prepared
bytes. Replies are compared with the bytes that they must be, or, where they are numbers that grow, by their ends.

So that the generator is not what is measured: there is no parser, one call to send and one to receive a batch, no
garbage collection, and an Outcome tells the share of its time that it was busy.
"""

import contextlib
import gc
import selectors
import socket
import struct
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random

from tools.benchmark.children import Channel
from tools.benchmark.fanout import subscribe
from tools.benchmark.report import BenchError
from tools.benchmark.wire import LOOPBACK, connect, encode, receive_exactly

RECV_BYTES = 65_536
PATIENCE_SECONDS = 60.0
BURST = 100  # connections opened at once: well below any listen backlog
SEED = 1
# Closed with a reset: thousands of connections that linger on in TIME_WAIT would soon have used up all ports.
RESET_AT_CLOSE = struct.pack('ii', 1, 0)
SERVED_SECONDS = 10.0  # until the client that has waited longest has what was pushed for it
PUNCTUAL = selectors.SelectSelector  # wakes up to the microsecond; epoll would send all that is due in a millisecond
PING, PONG, QUIT = encode('PING'), b'+PONG\r\n', encode('QUIT')


@dataclass
class Outcome:
    """What a generator did: how many units (requests, deliveries, ...) in how many seconds, busy for how many of them.

    Latencies are in seconds. `late_seconds`: of an open schedule, how long after its time a request left at worst.
    """

    count: int
    seconds: float
    busy_seconds: float
    latencies: list[float] = field(default_factory=list)
    late_seconds: float = 0.0
    cut_off: bool = False

    def figures(self) -> dict[str, float]:
        figures = {'rate': self.count / self.seconds, 'generator_busy': self.busy_seconds / self.seconds * 100}
        return {**figures, **latency_figures(self.latencies)}


QUANTILES = {'p50_us': 0.5, 'p99_us': 0.99, 'p999_us': 0.999}


def latency_figures(latencies: Sequence[float]) -> dict[str, float]:
    if not latencies:
        return {}
    ordered = sorted(latencies)
    last = len(ordered) - 1
    figures = {name: ordered[min(int(share * len(ordered)), last)] * 1e6 for name, share in QUANTILES.items()}
    return {**figures, 'worst_us': ordered[-1] * 1e6}


@dataclass(frozen=True)
class Exchange:
    """Requests and the replies that they must get. A reply that grows, as LPUSH's, is known by its first byte alone."""

    requests: Sequence[bytes]
    reply: bytes
    grows: bool = False

    def piped(self, pipeline: int, batches: int) -> 'Exchange':
        """The same in pipelines, as that many prepared batches of requests in random order."""
        random = Random(SEED)
        joined = [b''.join(random.choices(self.requests, k=pipeline)) for _ in range(batches)]
        return Exchange(joined, self.reply * pipeline, self.grows)


class Clock:
    """Counts what a load has taken, once it is told to go."""

    def __init__(self, channel: Channel) -> None:
        gc.collect()
        gc.disable()
        channel.send('ready')
        channel.recv()
        self.busy_from = time.process_time()
        self.started = time.perf_counter()

    def outcome(self, count: int, **more: object) -> Outcome:
        seconds = time.perf_counter() - self.started
        return Outcome(count, seconds, time.process_time() - self.busy_from, **more)  # type: ignore[arg-type]


@contextlib.contextmanager
def selector_of(
    sockets: Sequence[tuple[socket.socket, object]], kind: type[selectors.BaseSelector] = selectors.DefaultSelector
) -> Iterator[selectors.BaseSelector]:
    """A selector with sockets and their data; both are closed in the end."""
    with kind() as selector, contextlib.ExitStack() as stack:
        for sock, data in sockets:
            stack.callback(sock.close)
            selector.register(sock, selectors.EVENT_READ, data)
        yield selector


def select(selector: selectors.BaseSelector) -> list[tuple[selectors.SelectorKey, int]]:
    ready = selector.select(PATIENCE_SECONDS)
    if not ready:
        raise BenchError(f'the server has said nothing for {PATIENCE_SECONDS:g} s')
    return ready


def open_connections(port: int, count: int) -> list[socket.socket]:
    """Connect in bursts, and see that each connection of a burst is served before the next one."""
    sockets: list[socket.socket] = []
    for first in range(0, count, BURST):
        burst = [connect(port) for _ in range(first, min(first + BURST, count))]
        for sock in burst:
            sock.sendall(PING)
        for sock in burst:
            receive_exactly(sock, PONG)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
        sockets += burst
    return sockets


# --- request and reply ---


class Asker:
    """A connection that asks again as soon as it has its reply."""

    __slots__ = ('grows', 'missing', 'received', 'recv', 'reply', 'send')

    def __init__(self, sock: socket.socket, exchange: Exchange) -> None:
        self.recv, self.send = sock.recv, sock.sendall
        self.reply, self.grows = exchange.reply, exchange.grows
        self.received = b''

    def has_all(self, data: bytes) -> bool:
        """Whether the reply is complete with these bytes. Raises BenchError if it is not what it must be."""
        data = self.received + data
        if self.grows:
            done = data.startswith(self.reply[:1]) and data.endswith(b'\r\n')
            wrong = not data.startswith(self.reply[:1])
        else:
            done = data == self.reply
            wrong = not self.reply.startswith(data)
        if wrong or not data:
            raise BenchError(f'unexpected reply: {data[:80]!r}')
        self.received = b'' if done else data
        return done


def ask(channel: Channel, port: int, connections: int, exchange: Exchange, seconds: float) -> None:
    """Each connection has one batch of requests on the way at any time, for so many seconds. Counts batches."""
    requests = exchange.requests
    batches = len(requests)
    reply = exchange.reply
    askers = [(sock, Asker(sock, exchange)) for sock in open_connections(port, connections)]
    with selector_of(askers) as selector:
        clock = Clock(channel)
        deadline = clock.started + seconds
        for sent, (sock, _) in enumerate(askers):
            sock.sendall(requests[sent % batches])
        sent = outstanding = connections
        while outstanding:
            again = time.perf_counter() < deadline
            for key, _ in select(selector):
                asker = key.data
                data = asker.recv(RECV_BYTES)
                if data != reply and not asker.has_all(data):
                    continue
                if again:
                    asker.send(requests[sent % batches])
                    sent += 1
                else:
                    outstanding -= 1
        channel.send(clock.outcome(sent))


@dataclass
class Scheduled:
    """A connection of an open schedule: when each unanswered batch was due, and bytes of its reply so far."""

    sock: socket.socket
    due: deque[float] = field(default_factory=deque)
    replies: deque[bytes] = field(default_factory=deque)
    received: bytes = b''


def on_schedule(
    channel: Channel, port: int, connections: int, exchanges: Sequence[Exchange], rate: float, seconds: float
) -> None:
    """Batches leave at an even pace, whatever became of earlier ones, each on the next connection. Counts batches.

    A batch's latency counts from when it was due: what it waited in the generator and the server is in it.
    """
    batches = [(request, exchange.reply) for exchange in exchanges for request in exchange.requests]
    Random(SEED).shuffle(batches)
    askers = [Scheduled(sock) for sock in open_connections(port, connections)]
    total = int(rate * seconds)
    latencies: list[float] = []
    late = 0.0
    with selector_of([(asker.sock, asker) for asker in askers], PUNCTUAL) as selector:
        clock = Clock(channel)
        start, now, sent = clock.started, time.perf_counter(), 0
        while len(latencies) < total:
            due = start + sent / rate
            while sent < total and due <= now:
                late = max(late, now - due)
                asker = askers[sent % connections]
                request, reply = batches[sent % len(batches)]
                asker.due.append(due)
                asker.replies.append(reply)
                asker.sock.sendall(request)
                sent += 1
                due = start + sent / rate
                now = time.perf_counter()
            if now > start + seconds + PATIENCE_SECONDS:
                raise BenchError(f'{total - len(latencies):,} of {total:,} scheduled batches were never answered')
            for key, _ in selector.select(max(0.0, due - now) if sent < total else 1.0):
                asker = key.data
                data = asker.received + asker.sock.recv(RECV_BYTES)
                now = time.perf_counter()
                while asker.replies and data.startswith(asker.replies[0]):
                    data = data[len(asker.replies.popleft()) :]
                    latencies.append(now - asker.due.popleft())
                if data and not (asker.replies and asker.replies[0].startswith(data)):
                    raise BenchError(f'unexpected reply: {data[:80]!r}')
                asker.received = data
            now = time.perf_counter()
        channel.send(clock.outcome(total, latencies=latencies, late_seconds=late))


# --- publish and subscribe ---


class Subscriber:
    """A connection that counts the messages it gets: all alike, so bytes tell."""

    __slots__ = ('at', 'received', 'recv')

    def __init__(self, sock: socket.socket) -> None:
        self.recv = sock.recv
        self.received = 0  # whole messages
        self.at = 0  # bytes of the next one

    def take(self, data: bytes, push: bytes) -> int:
        """How many messages are complete with these bytes. Raises BenchError if they are not what was published."""
        end = self.at + len(data)
        whole, at = divmod(end, len(push))
        if not data or (push * (whole + 1))[self.at : end] != data:
            raise BenchError(f'a subscriber got {data[:80]!r}')
        self.at = at
        self.received += whole
        return whole


def publish(channel: Channel, port: int, subscribers: int, message: bytes, seconds: float) -> None:
    """PUBLISH to that many, two on the way at any time, for so many seconds. Counts deliveries; all must arrive."""
    push = encode('message', 'news', message)
    request, reply = encode('PUBLISH', 'news', message), b':%d\r\n' % subscribers
    publishers = [connect(port), connect(port)]
    listeners = [(sock, Subscriber(sock)) for sock in (subscribe(port) for _ in range(subscribers))]
    with selector_of([*listeners, *((sock, None) for sock in publishers)]) as selector:
        clock = Clock(channel)
        deadline = clock.started + seconds
        for sock in publishers:
            sock.sendall(request)
        sent, answered, delivered = 2, 0, 0
        while answered < sent or delivered < sent * subscribers:
            for key, _ in select(selector):
                subscriber = key.data
                if subscriber:
                    data = subscriber.recv(RECV_BYTES)
                    if data == push and not subscriber.at:
                        delivered += 1
                    else:
                        delivered += subscriber.take(data, push)
                    continue
                assert isinstance(key.fileobj, socket.socket)
                receive_exactly(key.fileobj, reply)
                answered += 1
                if time.perf_counter() < deadline:
                    key.fileobj.sendall(request)
                    sent += 1
        channel.send(clock.outcome(delivered))


def publish_beside_a_slow_one(
    channel: Channel, port: int, subscribers: int, message: bytes, rate: float, seconds: float
) -> None:
    """PUBLISH at an even pace to fast subscribers and to one that never reads. Counts the fast ones' deliveries.

    A delivery's latency counts from when its message was due. `cut_off` tells what became of the slow one.
    """
    push = encode('message', 'news', message)
    request = encode('PUBLISH', 'news', message)
    total = int(rate * seconds)
    latencies: list[float] = []
    late = 0.0
    publisher = connect(port)
    stuck = subscribe_with_small_buffer(port)
    listeners = [(sock, Subscriber(sock)) for sock in (subscribe(port) for _ in range(subscribers))]
    with stuck, selector_of([*listeners, (publisher, None)], PUNCTUAL) as selector:
        clock = Clock(channel)
        start, now, sent = clock.started, time.perf_counter(), 0
        replies = 0
        while len(latencies) < total * subscribers or replies < total:
            due = start + sent / rate
            while sent < total and due <= now:
                late = max(late, now - due)
                publisher.sendall(request)
                sent += 1
                due = start + sent / rate
                now = time.perf_counter()
            if now > start + seconds + PATIENCE_SECONDS:
                raise BenchError('not every message was delivered')
            for key, _ in selector.select(max(0.0, due - now) if sent < total else 1.0):
                subscriber = key.data
                if subscriber:
                    before = subscriber.received
                    subscriber.take(subscriber.recv(RECV_BYTES), push)
                    now = time.perf_counter()
                    latencies += [now - start - number / rate for number in range(before, subscriber.received)]
                else:
                    data = publisher.recv(RECV_BYTES)
                    if not data or data[:1] not in b':0123456789\r\n':
                        raise BenchError(f'PUBLISH was answered with {data[:80]!r}')
                    replies += data.count(b'\n')
            now = time.perf_counter()
        outcome = clock.outcome(len(latencies), latencies=latencies, late_seconds=late)
        publisher.sendall(encode('PUBSUB', 'NUMSUB', 'news'))
        outcome.cut_off = publisher.recv(RECV_BYTES).endswith(b':%d\r\n' % subscribers)
        channel.send(outcome)


def subscribe_with_small_buffer(port: int) -> socket.socket:
    """A subscriber for whom the kernel keeps little, so that the server soon has to keep what it does not read."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.settimeout(PATIENCE_SECONDS)
    sock.connect((LOOPBACK, port))
    sock.sendall(encode('SUBSCRIBE', 'news'))
    receive_exactly(sock, b'*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n')
    return sock


# --- blocked clients ---


def hand_off(channel: Channel, port: int, waiters: int, seconds: float) -> None:
    """RPUSH to clients that wait in BLPOP, one element at a time; each waits again once it is served. Counts elements.

    The one that has waited longest must get it. A latency is from sending RPUSH until the waiter has the element.
    """
    wait = encode('BLPOP', 'queue', 0)
    latencies: list[float] = []
    with contextlib.ExitStack() as stack:
        order = deque(stack.enter_context(sock) for sock in open_connections(port, waiters))
        for waiter in order:
            waiter.settimeout(SERVED_SECONDS)
            waiter.sendall(PING + wait)
            receive_exactly(waiter, PONG)  # so it waits now, before the next one does
        # The pusher connects last: where a server hears its clients in the order of their descriptors, it hears the
        # waiter that was served, which waits again, before the next push.
        pusher = stack.enter_context(connect(port))
        clock = Clock(channel)
        deadline = clock.started + seconds
        count, now = 0, clock.started
        while now < deadline:
            element = b'%012d' % count
            left = time.perf_counter()
            pusher.sendall(b'*3\r\n$5\r\nRPUSH\r\n$5\r\nqueue\r\n$12\r\n%s\r\n' % element)
            waiter = order.popleft()
            try:
                receive_exactly(waiter, b'*2\r\n$5\r\nqueue\r\n$12\r\n%s\r\n' % element)
            except TimeoutError:
                raise BenchError('the client that has waited longest was not served') from None
            now = time.perf_counter()
            latencies.append(now - left)
            receive_exactly(pusher, b':1\r\n')
            waiter.sendall(wait)
            order.append(waiter)
            count += 1
        channel.send(clock.outcome(count, latencies=latencies))


# --- connections ---


class Visitor:
    """A connection that says PING, then QUIT, and is read to its end."""

    __slots__ = ('received', 'sock')

    def __init__(self, port: int) -> None:
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.sock.connect((LOOPBACK, port))  # the kernel answers: the server need not have accepted
        self.sock.sendall(PING)
        self.received = b''

    def has_left(self) -> bool:
        """Read what has come and answer it; whether that was the end."""
        data = self.sock.recv(100)
        if not data:
            if self.received != PONG + b'+OK\r\n':
                raise BenchError(f'a connection ended after {self.received!r}')
            return True
        self.received += data
        if self.received == PONG:
            self.sock.sendall(QUIT)
        elif not (PONG + b'+OK\r\n').startswith(self.received):
            raise BenchError(f'unexpected reply: {self.received!r}')
        return False


def come_and_go(channel: Channel, port: int, in_flight: int, seconds: float) -> None:
    """Connect, PING, QUIT, read to the end, again and again, so many at a time. Counts connections."""
    with selectors.DefaultSelector() as selector:

        def visit() -> None:
            visitor = Visitor(port)
            selector.register(visitor.sock, selectors.EVENT_READ, visitor)

        clock = Clock(channel)
        deadline = clock.started + seconds
        for _ in range(in_flight):
            visit()
        count = 0
        while selector.get_map():
            for key, _ in select(selector):
                visitor = key.data
                if visitor.has_left():
                    selector.unregister(visitor.sock)
                    visitor.sock.close()
                    count += 1
                    if time.perf_counter() < deadline:
                        visit()
        channel.send(clock.outcome(count))


def stay(channel: Channel, port: int, connections: int) -> None:
    """Open connections, PING once on each, and keep them open until told to leave. Counts connections."""
    clock = Clock(channel)
    sockets = open_connections(port, connections)
    channel.send(clock.outcome(connections))
    channel.recv()
    for sock in sockets:
        sock.close()
