"""Runs a part of a load in a process of its own, so that it gets a core of its own if there is one."""

import contextlib
import multiprocessing
import os
import signal
import traceback
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import Any

from tools.benchmark.report import BenchError

# fork: the child begins in microseconds and needs nothing pickled; the benchmark has no threads that it could harm.
FORK = multiprocessing.get_context('fork')


@contextlib.contextmanager
def child(task: Callable[..., None], *arguments: object) -> Iterator['Child']:
    """Runs task(channel, *arguments) in a process that is ended, at the latest, with the `with` block."""
    ours, theirs = FORK.Pipe()
    process = FORK.Process(target=run, args=(task, ours, theirs, arguments), daemon=True)
    process.start()
    theirs.close()
    try:
        yield Child(task.__name__, ours)
    finally:
        process.terminate()
        process.join()
        ours.close()


def run(task: Callable[..., None], parents: 'Channel', channel: 'Channel', arguments: tuple[object, ...]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # ctrl-C is the parent's business
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    parents.close()  # or the end of the parent would never be seen
    try:
        task(channel, *arguments)
    except (BenchError, OSError):
        traceback.print_exc()
        os._exit(1)


class Child:
    """The parent's end of the pipe to a child."""

    def __init__(self, name: str, channel: 'Channel') -> None:
        self.name = name
        self.channel = channel

    def send(self, message: object) -> None:
        self.channel.send(message)

    def receive(self, seconds: float) -> Any:
        """The child's next message. Raises BenchError if it has none in that time, or has died."""
        if not self.channel.poll(seconds):
            raise BenchError(f'{self.name} has not answered for {seconds:g} s')
        try:
            return self.channel.recv()
        except EOFError:
            raise BenchError(f'{self.name} has failed; its traceback is above') from None


Channel = Connection
