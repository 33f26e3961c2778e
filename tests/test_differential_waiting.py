"""Clients that wait for each other, on redis-server and selredis: after every turn all have received the same."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import HealthCheck, given, settings

from tests.harness.servers import ReferenceServer, SelredisServer
from tests.harness.wire import Address, WireClient, encode_command, quote
from tests.strategies.waiting import CLIENTS, TURNS, Turn

# An answer to any of them may come a turn of the server's loop after what it answers, and lead to another a turn later.
TURNS_OF_SILENCE = 3
# What a consumer is told who waits in vain: in 7.0, and since 7.2, where that is said of the command that runs anew.
IN_VAIN = re.compile(
    rb'-(NOGROUP the consumer group this client was blocked on no longer exists'
    rb'|UNBLOCKED the stream key no longer exists'
    rb'|WRONGTYPE Operation against a key holding the wrong kind of value'
    rb"|NOGROUP No such key '\w+' or consumer group '\w+' in XREADGROUP with GROUP option)\r"
)


class Scene:
    """The clients of one server."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self.control = WireClient(address)
        self.control('FLUSHALL')
        self.clients = [WireClient(address) for _ in range(CLIENTS)]

    def play(self, turn: Turn) -> list[bytes]:
        """Returns what each client has received until nothing happens any more."""
        if turn.commands:
            self.clients[turn.client].send(b''.join(encode_command(*argv) for argv in turn.commands))
        else:
            # By a reset: after an end of file selredis executes what was sent behind a blocked command, Redis doesn't.
            self.clients[turn.client].reset()
            self.clients[turn.client] = WireClient(self.address)
        received = [b''] * CLIENTS
        silence = 0
        while silence < TURNS_OF_SILENCE:
            self.control('PING')
            silence += 1
            for number, client in enumerate(self.clients):
                while client.read_more(0):
                    silence = 0
                received[number] += client.unread
                client.unread = b''
        return [IN_VAIN.sub(b'-in vain\r', data) for data in received]

    def close(self) -> None:
        for client in self.clients:
            client.close()
        self.control.close()


@contextmanager
def scene_on(address: Address) -> Iterator[Scene]:
    scene = Scene(address)
    try:
        yield scene
    finally:
        scene.close()


@pytest.mark.parametrize('waiting', TURNS)
def test_all_receive_the_same(waiting: str, reference: ReferenceServer, selredis_server: SelredisServer):
    @settings(max_examples=100, deadline=None, report_multiple_bugs=False, suppress_health_check=list(HealthCheck))
    @given(TURNS[waiting])
    def same(script: list[Turn]) -> None:
        with scene_on(reference.address) as expected_scene, scene_on(selredis_server.address) as scene:
            for number, turn in enumerate(script):
                expected, received = expected_scene.play(turn), scene.play(turn)
                if expected != received:
                    pytest.fail(
                        f'{as_text(script[: number + 1])}\nexpected {expected}\nreceived {received}', pytrace=False
                    )

    same()


def as_text(script: list[Turn]) -> str:
    lines = []
    for client, commands in script:
        lines += [f'{client}> {" ".join(map(quote, argv))}' for argv in commands] or [f'{client} leaves']
    return '\n'.join(lines)
