"""Where a transcript is played: over sockets, against any server."""

import time
from abc import ABC, abstractmethod

from tests.harness.transcript import (
    CLOSED,
    Observed,
    Protocol,
    Received,
    Step,
    Transcript,
    as_text,
    matches,
    name_of,
    ordered,
)
from tests.harness.wire import Address, Reply, WireClient, render

# What a reply may take that will come; only a failing test waits so long.
PATIENCE_SECONDS = 5.0
# How long a client must be without an answer to be taken for one that waits, while recording.
PARKED_SECONDS = 0.2


class Stage(ABC):
    """A server, flushed and without other clients, for the length of one transcript."""

    @abstractmethod
    def play(self, step: Step, expected: Received | None) -> Observed:
        """Send what the step says; returns all that its client and the others received by the time it was done.

        `expected` tells what to wait for. None: nobody knows yet, the transcript is being recorded.
        """

    @abstractmethod
    def close(self) -> None: ...


class SocketStage(Stage):
    """Clients on sockets of their own, opened when they first speak, and one more to see what goes on behind them."""

    def __init__(self, address: Address, transcript: Transcript, protocol: Protocol) -> None:
        self.address = address
        self.protocol = protocol
        self.control = WireClient(address)
        self.clients: dict[int, WireClient] = {}
        self.ids: dict[int, bytes] = {}
        self.control('FLUSHALL')
        found = [self.control('CONFIG', 'GET', name).value for name in transcript.parameters_set()]
        self.saved = [word for pair in found if isinstance(pair, list) for word in pair]

    def play(self, step: Step, expected: Received | None) -> Observed:
        if step.client not in self.clients:
            self.open(step.client)
        sender = self.clients[step.client]
        sender.send(step.sent(self.ids))
        observed: Observed = {client: [] for client in self.clients}
        if expected is None:
            self.wait_for(sender, observed[step.client], 1, PARKED_SECONDS)
        else:
            if step.client not in expected and 'silent' not in step.directives:
                self.wait_until_parked(step.client, observed[step.client])
            for number, lines in expected.items():
                if number in self.clients:
                    count = 1 if 'like' in step.directives else len(lines)
                    self.wait_for(self.clients[number], observed[number], count, PATIENCE_SECONDS)
        # All that the server had to say to anybody before this is on its way before the answer is.
        self.control('PING')
        for number, client in list(self.clients.items()):
            observed[number] += client.arrived()
            if client.closed:
                observed[number].append(CLOSED)
                client.close()
                del self.clients[number], self.ids[number]
        return observed

    def open(self, number: int) -> None:
        client = WireClient(self.address, self.protocol)
        self.clients[number] = client
        reply = client('CLIENT', 'ID')
        self.ids[number] = reply.text if reply.kind == ':' else b'-1'  # no access before AUTH

    def wait_for(self, client: WireClient, replies: list[Reply], lines: int, seconds: float) -> None:
        """Read until there are so many lines of text, the time is over or the connection closed."""
        deadline = time.monotonic() + seconds
        while sum(render(reply).count('\n') + 1 for reply in replies) + client.closed < lines:
            try:
                replies.append(client.read(max(0.0, deadline - time.monotonic())))
            except (TimeoutError, EOFError):
                if not client.closed:
                    return

    def wait_until_parked(self, number: int, replies: list[Reply]) -> None:
        """Wait until the client is blocked, or has been answered after all."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            replies += self.clients[number].arrived()
            about = self.control('CLIENT', 'LIST', 'ID', self.ids[number]).text
            flags = about.partition(b' flags=')[2].partition(b' ')[0]
            if replies or b'b' in flags:
                return
        raise AssertionError(f'client {number} neither got a reply nor waits for one: {about!r}')

    def close(self) -> None:
        for id_ in self.ids.values():
            # Its waits and subscriptions must be gone before the next transcript begins.
            self.control('CLIENT', 'KILL', 'ID', id_)
        for client in self.clients.values():
            client.close()
        for name, value in zip(self.saved[::2], self.saved[1::2], strict=True):
            self.control('CONFIG', 'SET', name.text, value.text)
        self.control.close()


def replay(stage: Stage, transcript: Transcript, protocol: Protocol, on_reference: bool = False) -> None:
    """Play a transcript; AssertionError at the first step whose replies are not the expected ones.

    On the reference server nothing is expected of the steps that were written by hand.
    """
    __tracebackhide__ = True  # for pytest: the message says it all
    try:
        for step in transcript.steps:
            if on_reference and step.by_hand:
                stage.play(step, None)
                continue
            expected = step.expected(protocol)
            received = as_text(ordered(step, stage.play(step, expected)), protocol)
            if not matches(step, expected, received):
                raise AssertionError(
                    f'{name_of(transcript.path)}.txt:{step.line_number} in RESP{protocol}\n{step.said}\n'
                    f'expected\n{listing(expected)}\nreceived\n{listing(received)}'
                )
    finally:
        stage.close()


def listing(received: Received) -> str:
    lines = [f'  client {client}: {line}' for client, lines in sorted(received.items()) for line in lines]
    return '\n'.join(lines) or '  nothing'
