"""The engine behind asyncio's protocols: the classic design, a protocol object for each connection.

    python3 -m tools.study.asyncio_server --port 6379
    python3 -m tools.study.asyncio_server --flush now       writes from data_received, as the classic design does
    python3 -m tools.study.asyncio_server --loop uvloop

The loop owns the sockets and their buffers. It tells a protocol what has come (`data_received`), that its peer does
not read (`pause_writing`, `resume_writing`) and that it is gone (`connection_lost`); the protocol hands bytes to its
transport. Connections share one engine, which their factory gives each of them: PUBLISH queues bytes on other
protocols, whose transports send them.
"""

import asyncio
import socket
import sys

from selredis.net.remote_client import HIGH_WATER_BYTES
from tools.study.asyncio_client import TransportClient
from tools.study.asyncio_driver import AsyncioDriver, AsyncioListener, main


class RedisServerProtocol(TransportClient, asyncio.Protocol):
    """A client that the loop tells what its peer has said."""

    __slots__ = ('kept', 'kept_bytes')

    told_of_unsent = True

    def __init__(self, driver: AsyncioDriver) -> None:
        super().__init__(driver)
        # Held back while writing is paused: since Python 3.12 each write takes longer, the more the transport has.
        self.kept: list[bytes] = []
        self.kept_bytes = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if self.welcome(transport):
            # So pause_writing tells of the first byte that the peer has not taken, and resume_writing that it has all.
            self.transport.set_write_buffer_limits(high=0)

    def data_received(self, data: bytes) -> None:
        if self.doomed:
            return
        self.receive(data)
        if self.held_bytes:
            self.update_reading()
        self.driver.settle()

    def eof_received(self) -> bool:
        """Keep the transport open for the replies; it reads no more."""
        self.reading = False
        self.end_input()
        self.driver.settle()
        return True

    def pause_writing(self) -> None:
        self.update_unsent()

    def resume_writing(self) -> None:
        self.unsent_bytes = 0
        self.write_kept()
        if not self.unsent_bytes:
            self.table.over_soft_limit.pop(self, None)
        if self.congested:
            self.update_congested()
            self.driver.call_again()

    def connection_lost(self, exc: Exception | None) -> None:
        self.part()

    def write_behind(self, data: bytes) -> None:
        self.kept.append(data)
        self.kept_bytes += len(data)

    def write_kept(self) -> None:
        if self.kept:
            data = b''.join(self.kept)
            self.kept.clear()
            self.kept_bytes = 0
            self.transport.write(data)

    def count_unsent(self) -> int:
        return super().count_unsent() + self.kept_bytes

    def close(self) -> None:
        if not self.doomed:
            self.write_kept()
        super().close()

    def resume(self) -> None:
        super().resume()
        if not self.reading:
            self.update_reading()

    def update_congested(self) -> None:
        self.congested = self.unsent_bytes > HIGH_WATER_BYTES
        self.update_halted()
        self.update_reading()
        if not self.halted:
            self.engine.runnable.append(self)

    def update_reading(self) -> None:
        """Have the transport read, unless the peer does not read itself, has said more than is done or has ended."""
        reading = not (self.congested or self.overfed or self.input_ended)
        if reading != self.reading:
            self.reading = reading
            if reading:
                self.transport.resume_reading()
            else:
                self.transport.pause_reading()


class ProtocolFactory:
    """Makes a protocol for each newcomer; all have the one engine, and with it the one PubSub."""

    def __init__(self, driver: AsyncioDriver) -> None:
        self.driver = driver

    def __call__(self) -> RedisServerProtocol:
        return RedisServerProtocol(self.driver)


class AsyncioServer(AsyncioDriver):
    """The protocols' server."""

    def add_listener(self, sock: socket.socket, kind: str) -> None:
        factory = ProtocolFactory(self)
        if sock.family == socket.AF_UNIX:
            serve = self.loop.create_unix_server(factory, sock=sock, backlog=self.config['tcp-backlog'])
        else:
            serve = self.loop.create_server(factory, sock=sock, backlog=self.config['tcp-backlog'])
        self.listeners.append(AsyncioListener(self.loop, sock, kind, serve))


if __name__ == '__main__':
    sys.exit(main(AsyncioServer, 'asyncio_server'))
