"""A long random conversation with each driver: every connection gets the same bytes as from the selectors loop."""

import functools
import select
from typing import NamedTuple

import pytest

from tests.harness.wire import WireClient, encode_command
from tests.study.conftest import DRIVERS, check_log, start_driver
from tests.study.script import CLIENTS, PROTOCOLS, Step, script
from tests.study.waits import WAIT_SECONDS, reset, wait_until
from tools.study.contestants import Startable

SEEDS = range(2)
STEPS = 400
# An answer may come a turn of the server's loop after what it answers, and lead to another a turn later.
TURNS_OF_SILENCE = 3


class Heard(NamedTuple):
    """What came of a step: bytes by client, behind them what the server said to `control`."""

    step: Step
    received: list[bytes]


class Conversation:
    """The clients of one server that is theirs alone."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.address = address
        self.control = WireClient(address)
        self.control('DEBUG', 'SET-ACTIVE-EXPIRE', 0)  # which is the clock's choice
        self.clients: list[WireClient] = []
        self.ids: list[bytes] = []
        for number in range(CLIENTS):
            self.enter(number)

    def enter(self, number: int) -> None:
        client = WireClient(self.address, PROTOCOLS[number % 2])
        self.clients[number : number + 1] = [client]
        self.ids[number : number + 1] = [client('CLIENT', 'ID').text]

    def play(self, step: Step) -> list[bytes]:
        """Returns what each client has received when nothing happens any more."""
        received = [b''] * (CLIENTS + 1)
        client = self.clients[step.client]
        match step.action:
            case 'say':
                for piece in step.pieces:
                    client.send(piece)
                    self.settle(received)
                if step.replies and not received[step.client]:
                    assert client.read_more(WAIT_SECONDS)
                    received[step.client], client.unread = client.unread, b''
            case 'leave' | 'reset':
                if step.action == 'reset':
                    reset(client)
                client.close()
                self.settle(received)
                self.enter(step.client)
            case 'unblock':
                received[-1] = self.ask('CLIENT', 'UNBLOCK', self.ids[step.client])
            case 'outlive':
                received[-1] = self.ask('SET', 'fleeting', 'x', 'PX', 1)
                wait_until(lambda: self.control('EXISTS', 'fleeting').text == b'0')
        self.settle(received)
        return received

    def ask(self, *words: str | bytes | int) -> bytes:
        self.control.send_command(*words)
        return self.control.read_raw()

    def settle(self, received: list[bytes]) -> None:
        """Read until nobody gets anything any more."""
        silence = 0
        while silence < TURNS_OF_SILENCE:
            self.control('PING')
            silence += 1
            here = {client.socket: number for number, client in enumerate(self.clients) if client.socket.fileno() >= 0}
            while ready := select.select(here, [], [], 0)[0]:
                silence = 0
                for sock in ready:
                    client = self.clients[here[sock]]
                    assert client.read_more(WAIT_SECONDS), 'closed by the server'
                    received[here[sock]] += client.unread
                    client.unread = b''

    def close(self) -> None:
        for client in [*self.clients, self.control]:
            client.close()


@functools.cache
def conversation(driver_id: str, seed: int) -> list[Heard]:
    """What a new server of a driver answers, and at last the digest of all its keys."""
    driver = next(driver for driver in DRIVERS if driver.id == driver_id)
    with start_driver(driver) as server:
        talk = Conversation(server.address)
        try:
            heard = [Heard(step, talk.play(step)) for step in script(seed, STEPS)]
            end = [talk.ask('DEBUG', 'DIGEST'), talk.ask('DBSIZE')]
        finally:
            talk.close()
        check_log(server)
    return [*heard, Heard(Step(0, 'leave'), end)]


@pytest.mark.parametrize('seed', SEEDS)
def test_all_hear_the_same_from_every_driver(driver: Startable, seed: int) -> None:
    expected, heard = conversation('selectors', seed), conversation(driver.id, seed)
    for number, (one, other) in enumerate(zip(expected, heard, strict=True)):
        if one.received != other.received:
            said = '\n'.join(
                f'{step.client} {step.action} {step.pieces!r:.300}' for step, _ in heard[: number + 1][-25:]
            )
            pytest.fail(f'{said}\nexpected {one.received!r:.3000}\nreceived {other.received!r:.3000}', pytrace=False)


def test_the_conversation_is_one(driver: Startable) -> None:
    """Somebody is served, somebody's time is over, and most commands are no errors."""
    received = b''.join(b''.join(heard.received) for seed in SEEDS for heard in conversation(driver.id, seed))
    assert received.count(b'+QUEUED') > 100
    assert received.count(b'message\r\n') > 100
    assert 100 < received.count(b'\r\n-') < 2000
    commands = sum(piece.count(b'\r\n*') for seed in SEEDS for step in script(seed, STEPS) for piece in step.pieces)
    assert commands > 2000
    assert encode_command('PING') in b''.join(piece for step in script(0, STEPS) for piece in step.pieces)
