"""How long 50 clients wait at worst, with a million keys loaded: quiet, and while the server has other work to do.

The clients follow an open schedule: requests leave at fixed times whatever became of the earlier ones, so a server that
stops for 50 ms is caught by every request of those 50 ms, not by one. A latency is counted from the moment a request
was really sent. What a busy machine adds has rows of its own: how late the generator was at worst in sending, and how
long the server was ready to run but had no core.

The situations:
- quiet: nothing else happens.
- expiry: as many keys again, all with the same deadline, which falls half a second into the sample.
- slow reader: a client has asked for 200 MB and takes them at some 13 MB a second.
- new lists: a client makes some 25,000 new lists a second, which makes a garbage collector look at everything.
"""

import contextlib
import gc
import selectors
import socket
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

from tools.benchmark.children import Channel, Child, child
from tools.benchmark.report import BenchError, Report, progress, value_at_most
from tools.benchmark.scale import Scale
from tools.benchmark.servers import Program, Server, interleaved, running
from tools.benchmark.wire import Peer, connect, encode, fill, numbered, numbered_command, receive_exactly

CLIENTS = 50
REQUESTS_A_SECOND = 4_000
PATIENCE_SECONDS = 30.0

EXPIRY_LEAD_SECONDS = 0.5
# How far ahead the deadline is when loading begins, in times of what loading took without deadlines, and seconds more.
MARGIN_TIMES, MARGIN_SECONDS = 3.0, 1.0

LARGE_BYTES = 20_000_000
LARGE_TIMES = 10
READ_BYTES, READ_EVERY_SECONDS = 65_536, 0.005

LISTS_AT_ONCE, LISTS_EVERY_SECONDS = 32, 0.001
UNLINK_AT_ONCE = 1_000


@dataclass(frozen=True)
class Latencies:
    """Of one sample, in milliseconds, sorted; and how late the generator was at worst in sending a request."""

    sorted_ms: list[float]
    late_ms: float

    def quantile(self, share: float) -> float:
        return self.sorted_ms[min(int(share * len(self.sorted_ms)), len(self.sorted_ms) - 1)]


def measure(programs: Sequence[Program], scale: Scale, report: Report) -> None:
    keys = scale.tails_keys
    table = report.table(
        f'Latency with {keys:,} keys, {CLIENTS} clients, {REQUESTS_A_SECOND:,} requests a second, half GET, half SET'
    )
    with running(programs) as servers:
        load_seconds: dict[str, float] = {}
        for server in servers:
            progress(f'tails: {keys:,} keys into {server.label}')
            load_seconds[server.role] = fill(server.port, numbered_command('SET', 'key', 'xxx'), keys)
        for name, situation in SITUATIONS.items():
            rows = [(share, table.measure(f'{name}: {text}', 'ms')) for text, share in QUANTILES.items()]
            longest = table.measure(f'{name}: longest', 'ms', value_at_most(10))
            late = table.measure('  the generator late by', 'ms')
            core_wait = table.measure('  the server without a core for, in all', 'ms')
            drained = table.measure('  until all have expired', 's') if situation is expiry else None
            for server in interleaved(servers, scale.tails_rounds):
                progress(f'tails: {name}, {server.label}')
                with situation(server, Sizes(keys, load_seconds[server.role])) as disturbance:
                    waited_before = server.core_wait_seconds()
                    taken = paced_requests(server.port, keys, scale.tails_seconds)
                    core_wait.add(server.role, (server.core_wait_seconds() - waited_before) * 1000)
                    for share, row in rows:
                        row.add(server.role, taken.quantile(share))
                    longest.add(server.role, taken.sorted_ms[-1])
                    late.add(server.role, taken.late_ms)
                    if drained and disturbance:
                        drained.add(server.role, disturbance.receive(PATIENCE_SECONDS))


QUANTILES = {'half within': 0.5, '99 % within': 0.99, '99.9 % within': 0.999}


def paced_requests(port: int, keys: int, seconds: float) -> Latencies:
    """Send GET and SET of random keys at an even pace over all clients; each reply is checked by its length."""
    random = Random(0)
    total = int(REQUESTS_A_SECOND * seconds)
    latencies: list[float] = []
    late = 0.0
    with contextlib.ExitStack() as stack:
        clients = [PacedClient(stack.enter_context(connect(port))) for _ in range(CLIENTS)]
        selector = stack.enter_context(selectors.DefaultSelector())
        for client in clients:
            selector.register(client.sock, selectors.EVENT_READ, client)
        stack.enter_context(without_collector())
        started = now = time.perf_counter()
        sent = 0
        while len(latencies) < total:
            due = started + sent / REQUESTS_A_SECOND
            while sent < total and due <= now:
                late = max(late, now - due)
                key = b'key:%012d' % random.randrange(keys)
                clients[sent % CLIENTS].ask(key, write=bool(sent // CLIENTS % 2))
                sent += 1
                due = started + sent / REQUESTS_A_SECOND
                now = time.perf_counter()
            if now > started + seconds + PATIENCE_SECONDS:
                raise BenchError(f'{total - len(latencies):,} of {total:,} paced requests were never answered')
            for ready, _ in selector.select(max(0.0, due - now) if sent < total else 1.0):
                latencies += ready.data.take_replies()
            now = time.perf_counter()
    return Latencies(sorted(latency * 1000 for latency in latencies), late * 1000)


class PacedClient:
    """One connection, with the time at which each unanswered request left."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.waiting: deque[tuple[float, int]] = deque()  # when it left, how many bytes its reply has
        self.received = 0

    def ask(self, key: bytes, write: bool) -> None:
        if write:
            request, reply_bytes = b'*3\r\n$3\r\nSET\r\n$16\r\n%s\r\n$3\r\nxxx\r\n' % key, len(b'+OK\r\n')
        else:
            request, reply_bytes = b'*2\r\n$3\r\nGET\r\n$16\r\n%s\r\n' % key, len(b'$3\r\nxxx\r\n')
        self.waiting.append((time.perf_counter(), reply_bytes))
        self.sock.sendall(request)

    def take_replies(self) -> Iterator[float]:
        """Seconds that each request waited whose reply is complete now."""
        received = len(self.sock.recv(65_536))
        if not received:
            raise BenchError('a paced client was cut off')
        now = time.perf_counter()
        self.received += received
        while self.waiting and self.received >= self.waiting[0][1]:
            left_at, reply_bytes = self.waiting.popleft()
            self.received -= reply_bytes
            yield now - left_at


@contextlib.contextmanager
def without_collector() -> Iterator[None]:
    """No pause of our own garbage collector in the samples."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


# --- situations: context managers that bring a server into a state which lasts for a sample ---


@dataclass(frozen=True)
class Sizes:
    keys: int
    load_seconds: float  # what loading that many took


Situation = Callable[[Server, Sizes], contextlib.AbstractContextManager[Child | None]]


@contextlib.contextmanager
def quiet(server: Server, sizes: Sizes) -> Iterator[None]:
    yield None


@contextlib.contextmanager
def expiry(server: Server, sizes: Sizes) -> Iterator[Child]:
    margin = MARGIN_TIMES * sizes.load_seconds + MARGIN_SECONDS
    while True:
        deadline = time.time() + margin
        fill(server.port, numbered_command('SET', 'gone', 'xxx', 'PXAT', int(deadline * 1000)), sizes.keys)
        if time.time() < deadline - 2 * EXPIRY_LEAD_SECONDS:
            break
        margin *= 2  # some expired while others still arrived
    time.sleep(deadline - EXPIRY_LEAD_SECONDS - time.time())
    with child(wait_for_size, server.port, sizes.keys, deadline) as watching:
        yield watching


def wait_for_size(channel: Channel, port: int, keys: int, deadline: float) -> None:
    """Tells how many seconds after the deadline the server was back at its number of keys."""
    with Peer(port) as peer:
        while peer.call('DBSIZE') != keys:
            time.sleep(0.05)
    channel.send(time.time() - deadline)


@contextlib.contextmanager
def slow_reader(server: Server, sizes: Sizes) -> Iterator[None]:
    server.call('SET', 'large', b'x' * LARGE_BYTES)
    with child(read_slowly, server.port) as reading:
        reading.receive(PATIENCE_SECONDS)
        yield None
    server.call('DEL', 'large')


def read_slowly(channel: Channel, port: int) -> None:
    """Asks for everything in one command, so that no server can wait with a part of it; says when it begins to come."""
    with connect(port) as sock:
        sock.sendall(encode('MGET', *['large'] * LARGE_TIMES))
        sock.recv(1)
        channel.send('behind')
        while sock.recv(READ_BYTES):
            time.sleep(READ_EVERY_SECONDS)


@contextlib.contextmanager
def new_lists(server: Server, sizes: Sizes) -> Iterator[None]:
    with child(make_lists, server.port) as making:
        making.receive(PATIENCE_SECONDS)
        yield None
        making.send('enough')
        made = making.receive(PATIENCE_SECONDS)
    with Peer(server.port) as peer:
        for first in range(0, made, UNLINK_AT_ONCE):
            peer.call('UNLINK', *(numbered('list') % n for n in range(first, min(first + UNLINK_AT_ONCE, made))))


def make_lists(channel: Channel, port: int) -> None:
    """Makes lists of one element until told to stop; tells how many it made."""
    batch = numbered_command('RPUSH', 'list', 'xxx') * LISTS_AT_ONCE
    made = 0
    with connect(port) as sock:
        channel.send('begun')
        while not channel.poll():
            sock.sendall(batch % tuple(range(made, made + LISTS_AT_ONCE)))
            receive_exactly(sock, b':1\r\n' * LISTS_AT_ONCE)
            made += LISTS_AT_ONCE
            time.sleep(LISTS_EVERY_SECONDS)
    channel.send(made)


SITUATIONS: dict[str, Situation] = {
    'quiet': quiet,
    'expiry': expiry,
    'slow reader': slow_reader,
    'new lists': new_lists,
}
