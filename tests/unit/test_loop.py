"""The event loop alone, over socket pairs."""

import os
import signal
import socket
import threading
from collections.abc import Iterator

import pytest

from selredis.clock import ManualClock, SystemClock
from selredis.engine.stats import Stats
from selredis.net.loop import Loop
from selredis.timers import Timers


class Fault(Exception):
    """What a callback of these tests raises."""


@pytest.fixture
def faults() -> list[object]:
    return []


@pytest.fixture
def loop(faults: list[object]) -> Iterator[Loop]:
    loop = Loop(SystemClock(), Timers(faults.append), lambda fd, error: faults.append((fd, error)), Stats())
    yield loop
    loop.close()


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    one, other = socket.socketpair()
    one.setblocking(False)
    other.setblocking(False)
    yield one, other
    one.close()
    other.close()


def test_reader_is_called_when_there_is_something_to_read(
    loop: Loop, pair: tuple[socket.socket, socket.socket]
) -> None:
    one, other = pair
    seen: list[bytes] = []
    loop.add_reader(one.fileno(), lambda: seen.append(one.recv(100)))
    loop.call_again()
    loop.turn()
    assert seen == []
    other.send(b'hello')
    loop.turn()
    assert seen == [b'hello']


def test_writer_is_called_until_it_is_removed(loop: Loop, pair: tuple[socket.socket, socket.socket]) -> None:
    one, _ = pair
    calls: list[str] = []
    loop.add_writer(one.fileno(), lambda: calls.append('writable'))
    loop.turn()
    loop.turn()
    loop.remove_writer(one.fileno())
    loop.call_again()
    loop.turn()
    assert calls == ['writable'] * 2


def test_reader_and_writer_of_one_descriptor_are_watched_apart(
    loop: Loop, pair: tuple[socket.socket, socket.socket]
) -> None:
    one, other = pair
    calls: list[str] = []
    loop.add_reader(one.fileno(), lambda: calls.append(f'read {one.recv(9)!r}'))
    loop.add_writer(one.fileno(), lambda: calls.append('write'))
    loop.remove_writer(one.fileno())
    other.send(b'x')
    loop.turn()
    assert calls == ["read b'x'"]


def test_forgotten_descriptor_is_watched_no_more(loop: Loop, pair: tuple[socket.socket, socket.socket]) -> None:
    one, other = pair
    calls: list[str] = []
    loop.add_reader(one.fileno(), lambda: calls.append('read'))
    loop.forget(one.fileno())
    loop.forget(one.fileno())
    other.send(b'x')
    loop.call_again()
    loop.turn()
    assert calls == []


def test_timer_ends_a_wait(loop: Loop) -> None:
    loop.timers.call_at(loop.now_ms() + 20, loop.stop)
    loop.run()
    assert loop.turns <= 4  # it waited, it did not spin


def test_before_wait_runs_once_a_turn(loop: Loop) -> None:
    calls: list[str] = []
    loop.before_wait = lambda: calls.append('before')
    for _ in range(3):
        loop.call_again()
        loop.turn()
    assert calls == ['before'] * 3


def test_stop_from_before_wait_ends_run_without_waiting(loop: Loop) -> None:
    loop.before_wait = loop.stop
    loop.run()
    assert loop.turns == 1


def test_callback_that_raises_is_reported_and_the_loop_goes_on(
    loop: Loop, faults: list[object], pair: tuple[socket.socket, socket.socket]
) -> None:
    one, other = pair
    fault = Fault()

    def fail() -> None:
        one.recv(1)
        raise fault

    loop.add_reader(one.fileno(), fail)
    other.send(b'ab')
    loop.turn()
    loop.turn()
    assert faults == [(one.fileno(), fault)] * 2


def test_call_from_another_thread_wakes_the_loop(loop: Loop) -> None:
    here: list[int] = []

    def note_and_stop() -> None:
        here.append(threading.get_ident())
        loop.stop()

    thread = threading.Thread(target=lambda: loop.call_threadsafe(note_and_stop))
    loop.before_wait = lambda: thread.start() if loop.turns == 1 else None
    loop.run()
    thread.join()
    assert here == [threading.get_ident()]


def test_signal_wakes_the_loop(loop: Loop) -> None:
    noted: list[int] = []
    before = signal.signal(signal.SIGUSR2, lambda number, _frame: noted.append(number))
    try:
        loop.wake_on_signals()
        thread = threading.Thread(target=lambda: os.kill(os.getpid(), signal.SIGUSR2))

        def look() -> None:
            if loop.turns == 1:
                thread.start()
            if noted:
                loop.stop()

        loop.before_wait = look
        loop.run()
        thread.join()
    finally:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGUSR2, before)
    assert noted == [signal.SIGUSR2]


def test_it_tells_how_long_it_did_not_wait(loop: Loop, pair: tuple[socket.socket, socket.socket]) -> None:
    clock = ManualClock()
    loop.read_ns = clock.monotonic_ns
    one, other = pair

    def take_three_ms() -> None:
        one.recv(100)
        clock.advance(3)

    loop.add_reader(one.fileno(), take_three_ms)
    other.send(b'hello')
    loop.turn()
    loop.meter.longest_turn_ns = 0
    before_ns = loop.meter.busy_ns
    for _ in range(2):
        loop.call_again()
        loop.turn()
    assert loop.meter.busy_ns - before_ns == loop.meter.longest_turn_ns == 3_000_000
