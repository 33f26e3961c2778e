"""A whole server in this process, its loop turned by hand and its clock standing still: nothing waits for anything."""

import socket
from collections.abc import Callable

import selredis.commands  # noqa: F401  (importing it fills the command table)
from selredis.clock import ManualClock
from selredis.config import Config
from selredis.log import Log
from selredis.server import Server
from tests.harness.stage import Stage
from tests.harness.transcript import CLOSED, Observed, Protocol, Received, Step
from tests.harness.wire import WireClient, encode_command

# Bytes in, the pieces in which they are sent out.
Cut = Callable[[bytes], list[bytes]]


def whole(data: bytes) -> list[bytes]:
    return [data]


def single_bytes(data: bytes) -> list[bytes]:
    return [data[at : at + 1] for at in range(len(data))]


class FailingLog(Log):
    """The server logs a defect of its own only here: that fails the test."""

    def defect(self, text: str, error: BaseException) -> None:
        raise AssertionError(text) from error


class InProcessStage(Stage):
    """Clients at the other end of socket pairs. What they say arrives in the pieces that `cut` makes of it."""

    def __init__(self, protocol: Protocol, cut: Cut = whole) -> None:
        self.protocol = protocol
        self.cut = cut
        self.clock = ManualClock()
        config = Config()
        config.read_directive([b'enable-debug-command', b'yes'])
        self.server = Server(config, FailingLog('nothing'), self.clock)
        self.clients: dict[int, WireClient] = {}
        self.ids: dict[int, bytes] = {}

    def play(self, step: Step, expected: Received | None) -> Observed:
        if step.client not in self.clients:
            self.open(step.client)
        for piece in self.cut(step.sent(self.ids)):
            self.clients[step.client].send(piece)
            self.turn()
        observed: Observed = {number: [] for number in self.clients}
        self.collect(observed)
        # An answer that is still to come is that to a wait whose time is over.
        while expected and any(not observed.get(number) for number in expected) and self.pass_time():
            self.collect(observed)
        return observed

    def open(self, number: int) -> None:
        ours, theirs = socket.socketpair()
        self.server.on_accepted(theirs, '')
        self.clients[number] = WireClient(ours)
        self.ids[number] = b'%d' % max(self.server.engine.clients)
        if self.protocol == 3:
            self.clients[number].send(encode_command('HELLO', 3))
            hello: Observed = {number: []}
            self.collect(hello)
            assert hello[number][0].kind == '%', hello

    def turn(self) -> None:
        """One turn of the loop, without the wait."""
        self.server.loop.call_again()
        self.server.loop.turn()

    def collect(self, observed: Observed) -> None:
        """Turn until nothing moves any more, and add what the clients have received."""
        engine = self.server.engine
        reads = -1
        while reads != engine.stats.reads or engine.to_flush or engine.runnable or engine.doomed:
            reads = engine.stats.reads
            self.turn()
        for number, client in list(self.clients.items()):
            observed.setdefault(number, []).extend(client.arrived())
            if client.closed:
                observed[number].append(CLOSED)
                client.close()
                del self.clients[number]

    def pass_time(self) -> bool:
        """Go on to the next timer; False if there is none."""
        seconds = self.server.engine.timers.seconds_until_next(self.server.loop.now_ms())
        if seconds is None:
            return False
        self.clock.advance(seconds * 1000)
        return True

    def close(self) -> None:
        for client in self.clients.values():
            client.close()
        self.server.close()
