"""The server: the engine behind sockets, on the loop over selectors."""

import signal
import socket
from collections.abc import Callable
from typing import Any

from selredis.clock import Clock
from selredis.config import Config
from selredis.driver import Driver, Origin, origin_of, refuse
from selredis.log import Log
from selredis.net.connection import Connection
from selredis.net.listener import Listener
from selredis.net.loop import Loop


class Server(Driver):
    """A driver of the engine over `net.loop.Loop`."""

    def __init__(self, config: Config, log: Log, clock: Clock | None = None, *, free_port: bool = False) -> None:
        super().__init__(config, log, clock, free_port=free_port)
        self.loop = Loop(self.clock, self.engine.timers, self.on_callback_error, self.engine.stats)
        self.loop.before_wait = self.before_sleep
        self.connect_tls: Callable[[socket.socket], Connection] | None = None  # for who comes in by TLS from now on
        self.engine.deployment.multiplexing_api = type(self.loop.selector).__name__.removesuffix('Selector').lower()

    def add_listener(self, sock: socket.socket, kind: str) -> None:
        accepted = self.on_accepted_tls if kind == 'tls' else self.on_accepted
        self.listeners.append(Listener(self.loop, self.engine.timers, sock, kind, accepted, self.on_out_of_descriptors))

    def prepare_tls(self) -> None:
        from selredis.net.tls import make_context
        from selredis.net.tls_connection import TlsConnection

        context, warnings = make_context(self.config)
        for warning in warnings:
            self.log.warning(warning)
        self.connect_tls = lambda sock: TlsConnection(
            self.engine, self.loop, self.table, sock, self.limits, context, self.on_secured
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
            connection.doom()
            self.try_to_close(connection)
        self.loop.close()

    def on_accepted(self, sock: socket.socket, name: Any) -> None:
        """Make a connection of a new socket, or tell it why not."""
        try:
            origin = origin_of(sock, name)
            refusal = self.refusal(origin.local)
            if refusal:
                refuse(sock, refusal)
                return
            prepare(sock)
        except OSError:
            sock.close()  # the newcomer has gone again already
            return
        self.engine.tell_time()
        self.settle_in(Connection(self.engine, self.loop, self.table, sock, self.limits), origin)

    def on_accepted_tls(self, sock: socket.socket, name: Any) -> None:
        """Make a connection of a new socket, which is to shake hands before anybody can tell it anything."""
        try:
            if self.crowded():
                sock.close()
                return
            origin = origin_of(sock, name)
            prepare(sock)
        except OSError:
            sock.close()
            return
        self.engine.tell_time()
        assert self.connect_tls is not None
        self.settle_in(self.connect_tls(sock), origin)

    def settle_in(self, connection: Connection, origin: Origin) -> None:
        try:
            self.introduce(connection, connection.sock, origin)
        except OSError:
            connection.doom()

    def on_secured(self, connection: Connection) -> None:
        """A handshake is over: the newcomer may stay, or is told why not."""
        error = self.admission_error(connection.local)
        if error:
            connection.queue(error)
            connection.close_after_replies()


def prepare(sock: socket.socket) -> None:
    """Make a newcomer's socket one for the loop. Raises OSError if it has gone already."""
    sock.setblocking(False)
    if sock.family != socket.AF_UNIX:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
