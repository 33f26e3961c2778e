"""What clients say while a driver is watched: one request, or the smallest thing that several clients do together."""

import contextlib
import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tools.benchmark.fanout import subscribe
from tools.benchmark.wire import connect, encode, receive_exactly
from tools.study.watched import Watched

Once = Callable[[], None]
Stage = Callable[[Watched], contextlib.AbstractContextManager[Once]]

KEY, VALUE, QUEUE, CHANNEL, MESSAGE = 'key', 'value', 'queue', 'channel', 'message'
GET = encode('GET', KEY)
GET_REPLY = b'$%d\r\n%s\r\n' % (len(VALUE), VALUE.encode())
PUBLISH = encode('PUBLISH', CHANNEL, MESSAGE)
BLPOP = encode('BLPOP', QUEUE, 0)
RPUSH = encode('RPUSH', QUEUE, VALUE)


@dataclass(frozen=True)
class Scenario:
    """`stage` opens what clients are needed and gives what is done in every window; that is `units` of a `unit`.

    `followed`: its path is kept call by call, not only counted.
    """

    id: str
    title: str
    unit: str
    units: int
    stage: Stage
    followed: bool = False


def exchange(sock: socket.socket, request: bytes, reply: bytes) -> None:
    sock.sendall(request)
    receive_exactly(sock, reply)


@contextlib.contextmanager
def connected(port: int, count: int) -> Iterator[list[socket.socket]]:
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(connect(port)) for _ in range(count)]


def get(connections: int, pipeline: int) -> Stage:
    @contextlib.contextmanager
    def stage(server: Watched) -> Iterator[Once]:
        with connected(server.port, connections) as socks:
            exchange(socks[0], encode('SET', KEY, VALUE), b'+OK\r\n')

            def once() -> None:
                with server.halted() if connections > 1 else contextlib.nullcontext():
                    for sock in socks:
                        sock.sendall(GET * pipeline)
                for sock in socks:
                    receive_exactly(sock, GET_REPLY * pipeline)

            yield once

    return stage


def publish(subscribers: int) -> Stage:
    @contextlib.contextmanager
    def stage(server: Watched) -> Iterator[Once]:
        with connected(server.port, 1) as [publisher], contextlib.ExitStack() as stack:
            audience = [stack.enter_context(subscribe(server.port, CHANNEL)) for _ in range(subscribers)]

            def once() -> None:
                exchange(publisher, PUBLISH, b':%d\r\n' % subscribers)
                for sock in audience:
                    receive_exactly(sock, encode('message', CHANNEL, MESSAGE))

            yield once

    return stage


@contextlib.contextmanager
def hand_off(server: Watched) -> Iterator[Once]:
    with connected(server.port, 2) as [waiting, pushing]:

        def once() -> None:
            waiting.sendall(BLPOP)
            server.mark('Another client says RPUSH.')
            exchange(pushing, RPUSH, b':1\r\n')
            receive_exactly(waiting, encode(QUEUE, VALUE))

        yield once


@contextlib.contextmanager
def churn(server: Watched) -> Iterator[Once]:
    def once() -> None:
        with connected(server.port, 1) as [sock]:
            exchange(sock, encode('PING'), b'+PONG\r\n')
            exchange(sock, encode('QUIT'), b'+OK\r\n')
            sock.recv(1)

    yield once


SCENARIOS: Sequence[Scenario] = (
    Scenario('get', 'GET', 'request', 1, get(1, 1), followed=True),
    Scenario('get-50', 'GET, 50 connections at once', 'request', 50, get(50, 1)),
    Scenario('get-pipeline', 'GET, pipeline 16', 'request', 16, get(1, 16)),
    Scenario('publish', 'PUBLISH to 2 subscribers', 'message', 1, publish(2), followed=True),
    Scenario('publish-10', 'PUBLISH to 10 subscribers', 'message', 1, publish(10)),
    Scenario('hand-off', 'BLPOP that waits, and the RPUSH that ends it', 'hand-off', 1, hand_off, followed=True),
    Scenario('churn', 'connect, PING, QUIT', 'connection', 1, churn),
)
