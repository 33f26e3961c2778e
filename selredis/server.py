"""The server: the engine behind sockets, on the loop over selectors."""

import signal
import socket
from collections.abc import Callable

from selredis.clock import Clock
from selredis.config import Config
from selredis.driver import Driver, refuse
from selredis.log import Log
from selredis.net.connection import Connection
from selredis.net.listener import Listener
from selredis.net.loop import Loop


class Server(Driver):
    """A driver of the engine over `net.loop.Loop`."""

    def __init__(self, config: Config, log: Log, clock: Clock | None = None, *, free_port: bool = False) -> None:
        super().__init__(config, log, clock, free_port=free_port)
        self.loop = Loop(self.clock, self.engine.timers, self.on_callback_error)
        self.loop.before_wait = self.before_sleep
        self.engine.deployment.multiplexing_api = type(self.loop.selector).__name__.removesuffix('Selector').lower()

    def add_listener(self, sock: socket.socket) -> None:
        self.listeners.append(
            Listener(self.loop, self.engine.timers, sock, self.on_accepted, self.on_out_of_descriptors)
        )

    def call_again(self) -> None:
        self.loop.call_again()

    def call_on_signal(self, number: int, callback: Callable[[int], object]) -> None:
        signal.signal(number, lambda number, _frame: callback(number))
        self.loop.wake_on_signals()

    def run(self) -> None:
        self.loop.run()

    def stop(self) -> None:
        self.loop.call_threadsafe(self.shut_down)

    def end(self) -> None:
        self.loop.stop()

    def close(self) -> None:
        self.close_listeners()
        for connection in self.table.all():
            connection.close()
        self.loop.close()

    def on_accepted(self, sock: socket.socket) -> None:
        """Make a connection of a new socket, or tell it why not."""
        try:
            refusal = self.refusal(sock)
            if refusal:
                refuse(sock, refusal)
                return
            sock.setblocking(False)
            if sock.family != socket.AF_UNIX:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError:
            sock.close()  # the newcomer has gone again already
            return
        self.engine.tell_time()
        connection = Connection(self.engine, self.loop, self.table, sock, self.limits)
        try:
            self.introduce(connection, sock)
        except OSError:
            connection.doom()
