"""What servers are loaded with: each kind of load takes one sample of one server at a time."""

import resource
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

from tools.benchmark.children import child
from tools.benchmark.speed import LIST, lengthen_list, redis_benchmark
from tools.benchmark.speed import Load as BenchmarkLoad
from tools.benchmark.wire import encode, fill, numbered, numbered_command
from tools.study.contender import Contender, Usage
from tools.study.generator import Exchange, Outcome, ask, come_and_go, hand_off, on_schedule, publish, stay
from tools.study.generator import publish_beside_a_slow_one as publish_slow
from tools.study.results import Load

KILOBYTE, MEGABYTE = 1024, 1024 * 1024
PATIENCE_SECONDS = 120.0

KEYS = {3: 100_000, KILOBYTE: 10_000, MEGABYTE: 1}  # by the size of their values: redis-benchmark picks one of them
ITEMS = 2_000  # keys of the own generator
FILLED_IN_BULK = (3, KILOBYTE)
PROBE_SECONDS = 0.15
ASSUMED_RATES = {1: 10_000.0, 16: 60_000.0, 128: 100_000.0}  # by pipeline, for the first probe
MEGABYTES_A_SECOND = 200.0
GENERATOR_RATE = 150_000  # requests a second that the own generator never reaches
SETTLE_SECONDS = 0.5  # after the last connection, before memory is looked at

MESSAGE = b'x' * 64
SLOW_LIMIT = 'pubsub 1mb 0 0'
SLOW_MESSAGE = b'x' * 4096


class Kind(ABC):
    """A load as it is planned: how many rounds, and about how many seconds a sample takes in all.

    `fresh`: each sample has a server of its own, started with `options`. `for_scale`: a very slow reference takes part.
    """

    fresh = False
    options: Sequence[str] = ()
    for_scale = False

    def __init__(self, loads: Sequence[Load], rounds: int, sample_seconds: float) -> None:
        self.loads = loads
        self.rounds = rounds
        self.sample_seconds = sample_seconds

    @property
    def group(self) -> str:
        return self.loads[0].group

    @abstractmethod
    def sample(self, server: Contender) -> list[dict[str, float]]:
        """The figures of one sample, of each of its loads. Raises BenchError or OSError if it cannot be taken."""


def load_keys(server: Contender, value_bytes: int, keys: int) -> None:
    """Make every key that redis-benchmark may ask for, so that a GET always finds one, unless they are there."""
    if server.keys == (value_bytes, keys):
        return
    server.call('FLUSHALL')
    server.has_items = False
    if value_bytes in FILLED_IN_BULK:
        fill(server.port, numbered_command('SET', 'key', b'x' * value_bytes), keys)
    else:
        for number in range(keys):
            server.call('SET', numbered('key') % number, b'x' * value_bytes)
    server.keys = (value_bytes, keys)


def load_items(server: Contender) -> None:
    """The same for the own generator, whose keys nothing else writes to."""
    if not server.has_items:
        fill(server.port, numbered_command('SET', 'item', 'xxx'), ITEMS)
        server.has_items = True


class Benchmarked(Kind):
    """Request and reply, by redis-benchmark."""

    def __init__(
        self,
        command: str,
        connections: int,
        pipeline: int,
        value_bytes: int,
        rounds: int,
        seconds: float,
        keys: int = 0,
    ) -> None:
        super().__init__([request_load(command, connections, pipeline, value_bytes)], rounds, seconds + 0.1)
        self.keys = keys or KEYS[value_bytes]
        test = 'ping_mbulk' if command == 'PING' else command.lower()
        self.driven = BenchmarkLoad(test, connections, pipeline, value_bytes)
        self.for_scale = command in ('PING', 'SET', 'GET') and value_bytes == 3 and connections == 50 and pipeline == 1
        self.seconds = seconds
        self.rates: dict[str, float] = {}  # of each contestant, as far as it is known

    def sample(self, server: Contender) -> list[dict[str, float]]:
        load_keys(server, self.driven.value_bytes, self.keys)
        if server.contestant not in self.rates:
            large = self.driven.value_bytes == MEGABYTE
            self.rates[server.contestant] = MEGABYTES_A_SECOND if large else ASSUMED_RATES[self.driven.pipeline]
            self.run(server, min(PROBE_SECONDS, self.seconds / 2))
        return [self.run(server, self.seconds)]

    def run(self, server: Contender, seconds: float) -> dict[str, float]:
        requests = max(self.driven.clients, round(self.rates[server.contestant] * seconds))
        if self.driven.test in ('lpush', 'rpop'):
            server.call('DEL', LIST)
        if self.driven.test == 'rpop':
            lengthen_list(server, requests)
        busy_before = children_seconds()
        before = server.usage()
        started = time.perf_counter()
        rate = redis_benchmark(server, self.driven, requests, self.keys)
        took = time.perf_counter() - started
        used = server.usage().since(before)
        self.rates[server.contestant] = rate
        busy = (children_seconds() - busy_before) / took * 100
        return {'rate': rate, **used.figures(requests), 'generator_busy': busy}


def children_seconds() -> float:
    """CPU seconds of programs that were run to their end, so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def generate(server: Contender, task: Callable[..., None], *arguments: object) -> tuple[Outcome, Usage]:
    """Run a load of the own generator; what it did, and what the server used meanwhile."""
    with child(task, server.port, *arguments) as generator:
        generator.receive(PATIENCE_SECONDS)
        before = server.usage()
        generator.send('go')
        outcome: Outcome = generator.receive(PATIENCE_SECONDS)
        return outcome, server.usage().since(before)


class Generated(Kind):
    """A load of the own generator, which counts units of `requests` each."""

    def __init__(
        self,
        load: Load,
        rounds: int,
        sample_seconds: float,
        task: Callable[..., None],
        *arguments: object,
        requests: int = 1,
        for_scale: bool = False,
    ) -> None:
        super().__init__([load], rounds, sample_seconds)
        self.task, self.arguments, self.requests = task, arguments, requests
        self.for_scale = for_scale

    def sample(self, server: Contender) -> list[dict[str, float]]:
        self.prepare(server)
        outcome, used = generate(server, self.task, *self.arguments)
        figures = outcome.figures() | used.figures(outcome.count * self.requests)
        figures['rate'] *= self.requests
        return [figures | self.more(outcome)]

    def prepare(self, server: Contender) -> None:
        """Have the server hold what the load needs."""

    def more(self, outcome: Outcome) -> dict[str, float]:
        """What the load has for figures besides."""
        return {}


class Asked(Generated):
    """Request and reply on more connections than redis-benchmark could be told to open before it counts."""

    def __init__(self, command: str, connections: int, rounds: int, seconds: float) -> None:
        load = request_load(command, connections, 1, 3)
        in_all = seconds + 0.1 + connections * CONNECTION_SECONDS
        super().__init__(load, rounds, in_all, ask, connections, exchange(command), seconds)
        self.command, self.seconds = command, seconds

    def prepare(self, server: Contender) -> None:
        load_items(server)
        if self.command in ('LPUSH', 'RPOP'):
            server.call('DEL', LIST)
        if self.command == 'RPOP':
            lengthen_list(server, int(GENERATOR_RATE * self.seconds))


# How long things take, for the plan.
CONNECTION_SECONDS = 0.00022  # to open a connection and to close it
FRESH_SECONDS = 1.3  # to start a server and fill it


def exchange(command: str) -> Exchange:
    """Prepared requests of one command and the reply to each, of 3-byte values and keys that exist."""
    keys = [numbered('item') % number for number in range(ITEMS)]
    if command == 'SET':
        return Exchange([encode('SET', key, 'xxx') for key in keys], b'+OK\r\n')
    if command == 'GET':
        return Exchange([encode('GET', key) for key in keys], b'$3\r\nxxx\r\n')
    if command == 'LPUSH':
        return Exchange([encode('LPUSH', LIST, 'xxx')], b':1\r\n', grows=True)
    if command == 'RPOP':
        return Exchange([encode('RPOP', LIST)], b'$3\r\nxxx\r\n')
    return Exchange([encode('PING')], b'+PONG\r\n')


def request_load(command: str, connections: int, pipeline: int, value_bytes: int) -> Load:
    size = {3: '3 B', KILOBYTE: '1 KB', MEGABYTE: '1 MB'}[value_bytes]
    parts = [f'{command} {size}' if value_bytes > 3 else command, plural(connections, 'connection')]
    if pipeline > 1:
        parts.append(f'pipeline {pipeline}')
    return Load(
        f'request-{command.lower()}-c{connections}-p{pipeline}-{value_bytes}',
        ', '.join(parts),
        'request',
        {'command': command, 'connections': connections, 'pipeline': pipeline, 'value_bytes': value_bytes},
    )


def plural(count: int, noun: str) -> str:
    return f'{count:,} {noun}' + 's' * (count != 1)


def fan_out(subscribers: int, rounds: int, seconds: float) -> Generated:
    """Figures are a delivery's."""
    load = Load(
        f'fan-out-{subscribers}',
        f'PUBLISH to {plural(subscribers, "subscriber")}, a delivery',
        'fan-out',
        {'command': 'PUBLISH', 'subscribers': subscribers, 'value_bytes': len(MESSAGE)},
    )
    in_all = seconds + 0.1 + subscribers * CONNECTION_SECONDS
    return Generated(
        load, rounds, in_all, publish, subscribers, MESSAGE, seconds, for_scale=subscribers == SCALE_SUBSCRIBERS
    )


SCALE_SUBSCRIBERS = 100


def handing_off(waiters: int, rounds: int, seconds: float) -> Generated:
    load = Load(
        f'hand-off-{waiters}',
        f'RPUSH to the longest-waiting of {plural(waiters, "BLPOP client")}',
        'hand-off',
        {'command': 'RPUSH', 'waiters': waiters},
    )
    return Generated(load, rounds, seconds + 0.1 + waiters * CONNECTION_SECONDS, hand_off, waiters, seconds)


def churn(in_flight: int, rounds: int, seconds: float) -> Generated:
    load = Load(
        f'churn-{in_flight}', f'Connect, PING, QUIT: {in_flight} at a time', 'churn', {'connections': in_flight}
    )
    return Generated(load, rounds, seconds + 0.1, come_and_go, in_flight, seconds)


class SlowSubscriber(Generated):
    """Figures are a delivery's to the fast ones. The slow one is cut off once more than a megabyte waits for it."""

    def __init__(self, rate: int, subscribers: int, rounds: int, seconds: float) -> None:
        load = Load(
            f'slow-{subscribers}',
            f'{rate:,} messages of 4 KB a second to {subscribers} subscribers and one that never reads, a delivery',
            'slow',
            {'command': 'PUBLISH', 'subscribers': subscribers, 'rate': rate, 'value_bytes': len(SLOW_MESSAGE)},
        )
        super().__init__(load, rounds, seconds + 0.2, publish_slow, subscribers, SLOW_MESSAGE, rate, seconds)

    def prepare(self, server: Contender) -> None:
        server.call('CONFIG', 'SET', 'client-output-buffer-limit', SLOW_LIMIT)

    def more(self, outcome: Outcome) -> dict[str, float]:
        return {'cut_off': float(outcome.cut_off), 'late_us': outcome.late_seconds * 1e6}


class Paced(Generated):
    """Half GET, half SET at an even pace, latencies counted from when a request was due."""

    def __init__(self, rate: int, connections: int, pipeline: int, rounds: int, seconds: float) -> None:
        piped = f' in pipelines of {pipeline}' if pipeline > 1 else ''
        load = Load(
            f'schedule-{rate}-p{pipeline}',
            f'{rate:,} requests a second{piped}, GET and SET, {connections} connections',
            'schedule',
            {'command': 'GET and SET', 'connections': connections, 'pipeline': pipeline, 'rate': rate},
        )
        mixed = [exchange(command).piped(pipeline, ITEMS) for command in ('GET', 'SET')]
        arguments = (connections, mixed, rate / pipeline, seconds)
        super().__init__(load, rounds, seconds + 0.2, on_schedule, *arguments, requests=pipeline)

    def prepare(self, server: Contender) -> None:
        load_items(server)

    def more(self, outcome: Outcome) -> dict[str, float]:
        return {'late_us': outcome.late_seconds * 1e6}


class Idle(Kind):
    """Many connections that say nothing, in two loads: what it costs to have them come (a connection: accept, one PING,
    memory, and the CPU time while they are idle), and what a GET of 50 others costs beside them.
    """

    fresh = True
    active = 50

    def __init__(self, connections: int, rounds: int, seconds: float) -> None:
        opened = Load(
            f'idle-{connections}-open',
            f'{connections:,} connections come and idle, a connection',
            'idle',
            {'command': 'PING', 'connections': connections},
        )
        beside = Load(
            f'idle-{connections}-beside',
            f'GET on {self.active} connections beside {connections:,} idle ones',
            'idle',
            {'command': 'GET', 'connections': connections},
        )
        in_all = SETTLE_SECONDS + 2 * seconds + FRESH_SECONDS + connections * CONNECTION_SECONDS
        super().__init__([opened, beside], rounds, in_all)
        self.connections, self.seconds = connections, seconds
        self.options = ('--maxclients', str(connections + 2 * self.active))

    def sample(self, server: Contender) -> list[dict[str, float]]:
        load_items(server)
        resident_before = server.resident_bytes()
        with child(stay, server.port, self.connections) as idling:
            idling.receive(PATIENCE_SECONDS)
            before = server.usage()
            idling.send('go')
            outcome: Outcome = idling.receive(PATIENCE_SECONDS)
            opened = outcome.figures() | server.usage().since(before).figures(self.connections)
            time.sleep(SETTLE_SECONDS)
            resident = server.resident_bytes()
            if resident:
                opened['connection_bytes'] = (resident - resident_before) / self.connections
            before = server.usage()
            started = time.perf_counter()
            time.sleep(self.seconds)
            used = server.usage().since(before)
            if used.figures(1):
                opened['idle_cpu_share'] = used.total / (time.perf_counter() - started) * 100
            outcome, used = generate(server, ask, self.active, exchange('GET'), self.seconds)
        return [opened, outcome.figures() | used.figures(outcome.count)]
