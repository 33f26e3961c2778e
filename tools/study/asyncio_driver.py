"""The engine's driver on an asyncio loop, but for its connections: turns, deadlines, listeners, signals, the end.

Both servers on asyncio are made of it; what a connection is, and how it is read, is theirs.
"""

import argparse
import asyncio
import gc
import importlib
import socket
import sys
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol

from selredis import cli
from selredis.config import Config
from selredis.driver import Driver
from selredis.log import Log
from selredis.net.listener import remove_socket_file
from selredis.timers import Timer, Timers

DEPARTURES_A_COLLECTION = 500


class LoopTimer(Timer):
    """A callback that the loop keeps."""

    __slots__ = ('handle',)

    def __init__(self, callback: Callable[[], object], waits_in: Timers) -> None:
        super().__init__(callback, waits_in)
        self.handle: asyncio.TimerHandle

    def cancel(self) -> None:
        if self.callback is not None:
            self.callback = None
            self.handle.cancel()


class LoopTimers(Timers):
    """The engine's deadlines, each a `loop.call_at`: asyncio's clock is the engine's, in seconds.

    `settle` is called behind every callback, for what it has queued.
    """

    __slots__ = ('loop', 'on_error', 'settle')

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        on_error: Callable[[Exception], object],
        settle: Callable[[], object],
    ) -> None:
        super().__init__(on_error)
        self.loop = loop
        self.on_error = on_error
        self.settle = settle

    def call_at(self, deadline_ms: int, callback: Callable[[], object]) -> Timer:
        timer = LoopTimer(callback, self)
        timer.handle = self.loop.call_at(deadline_ms / 1000, self.run, timer)
        return timer

    def run(self, timer: LoopTimer) -> None:
        callback, timer.callback = timer.callback, None
        del timer.handle  # which knows this timer, too
        assert callback is not None
        try:
            callback()
        except Exception as error:
            self.on_error(error)
        self.settle()


class AsyncioListener:
    """A listening socket that an asyncio server takes newcomers from."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        sock: socket.socket,
        kind: str,
        serve: Coroutine[Any, Any, asyncio.AbstractServer],
    ) -> None:
        self.loop = loop
        self.sock = sock
        self.kind = kind
        self.starting = loop.create_task(serve)

    def close(self) -> None:
        name = self.sock.getsockname()
        if self.starting.done() and not self.starting.exception():
            self.starting.result().close()
        else:
            self.starting.cancel()
            self.loop.remove_reader(self.sock)  # it may be watched already
            self.sock.close()
        if isinstance(name, str) and name:
            remove_socket_file(name)


class AsyncioDriver(Driver):
    """A driver on any asyncio loop. What clients are owed leaves once a turn, or at once if `flush_now`.

    Whoever has handed input to the engine calls `settle` behind it.
    """

    def __init__(self, config: Config, log: Log, loop: asyncio.AbstractEventLoop, *, flush_now: bool = False) -> None:
        self.loop = loop
        self.turn_is_due = False
        self.departures = 0
        self.settle = self.turn if flush_now else self.call_again
        timers = LoopTimers(loop, lambda error: log.defect('A timer failed', error), self.call_again)
        super().__init__(config, log, timers=timers)
        self.ended = loop.create_future()
        self.engine.deployment.multiplexing_api = type(loop).__module__.partition('.')[0]
        loop.set_exception_handler(self.on_loop_error)

    def call_again(self) -> None:
        # A handle of the loop's next iteration: whatever was ready in this one has been read by then.
        if not self.turn_is_due:
            self.turn_is_due = True
            self.loop.call_soon(self.turn)

    def turn(self) -> None:
        """What is to be done behind the clients' input: replies to whom they are owed, goodbyes."""
        self.turn_is_due = False
        self.before_sleep()

    def call_on_signal(self, number: int, callback: Callable[[int], object]) -> None:
        def on_signal() -> None:
            callback(number)
            self.call_again()

        self.loop.add_signal_handler(number, on_signal)

    def count_departure(self) -> None:
        """Have the collector, which is off otherwise, free what asyncio leaves to it of connections that have ended.

        That is a kilobyte or more of each: a transport knows methods of its own (up to 3.12), and the error that ended
        a connection knows the frames that know its transport. Always on, the collector costs some 5% of all CPU time.
        """
        self.departures += 1
        if self.departures % DEPARTURES_A_COLLECTION == 0:
            gc.collect()

    def run(self) -> None:
        self.loop.run_until_complete(self.ended)

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self.shut_down)

    def end(self) -> None:
        if not self.ended.done():
            self.ended.set_result(None)

    def close(self) -> None:
        self.close_listeners()
        for connection in self.table.all():
            connection.doom()
            connection.close()
        self.loop.run_until_complete(self.let_all_end())
        self.loop.close()

    async def let_all_end(self) -> None:
        """Have coroutines end where they are, and the loop tell connections of their end and close their sockets."""
        others = asyncio.all_tasks(self.loop) - {asyncio.current_task(self.loop)}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await asyncio.sleep(0)

    def on_loop_error(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """What no callback has caught. The loop goes on; of a connection whose protocol failed it has let go."""
        error = context.get('exception')
        if isinstance(error, OSError) and 'socket.accept()' in context['message']:
            self.on_out_of_descriptors(error)
        elif error is not None:
            self.log.defect(context['message'], error)
        else:
            self.log.warning(context['message'])


class MakeDriver(Protocol):
    """What a server's driver is made with."""

    def __call__(
        self, config: Config, log: Log, loop: asyncio.AbstractEventLoop, *, flush_now: bool
    ) -> AsyncioDriver: ...


def main(make_driver: MakeDriver, name: str, arguments: Sequence[str] | None = None) -> int:
    """The command line: selredis's own, but for two options more. Returns the exit code."""
    parser = argparse.ArgumentParser(
        prog=name,
        usage=f'{name} [--flush turn|now] [--loop asyncio|uvloop] [options of selredis]',
        description='The engine of selredis on asyncio. All other options are those of python3 -m selredis.',
        allow_abbrev=False,
    )
    parser.add_argument(
        '--flush', choices=('turn', 'now'), default='turn', help='when replies leave: once a turn (the default), or now'
    )
    parser.add_argument('--loop', choices=('asyncio', 'uvloop'), default='asyncio')
    chosen, rest = parser.parse_known_args(arguments)
    try:
        loop = importlib.import_module(chosen.loop).new_event_loop()
    except ImportError:
        print(f'{chosen.loop} is not installed', file=sys.stderr)
        return 1
    asyncio.set_event_loop(loop)
    return cli.main(rest, lambda config, log: make_driver(config, log, loop, flush_now=chosen.flush == 'now'))
