"""The engine behind asyncio's streams: a coroutine for each connection.

    python3 -m tools.study.streams_server --port 6379

Each coroutine reads what its client says, has it run, and reads on; where the client's command waits, it awaits a
future that the engine's wake-up completes. What others send the client (PUBLISH) needs no coroutine: it is queued on
the client and written to its stream once a turn.
"""

import asyncio
import socket
import sys
from typing import Any

from selredis.net.remote_client import HIGH_WATER_BYTES, LOW_WATER_BYTES, READ_BYTES
from tools.study.asyncio_client import TransportClient
from tools.study.asyncio_driver import AsyncioDriver, AsyncioListener, main


class StreamClient(TransportClient):
    """A client that a coroutine serves, with a reader and a writer."""

    __slots__ = ('draining', 'reader', 'woken', 'writer')

    def __init__(self, driver: AsyncioDriver, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        super().__init__(driver)
        self.reader = reader
        self.writer = writer
        self.woken: asyncio.Future[None] | None = None
        self.draining: asyncio.Task[None] | None = None

    @property
    def unsent_bytes(self) -> int:
        """Nobody tells when the transport has sent what it kept: so it is asked."""
        return self.transport.get_write_buffer_size()

    @unsent_bytes.setter
    def unsent_bytes(self, _count: int) -> None:
        pass

    async def serve(self) -> None:
        """Read and run until the client leaves or is closed."""
        self.transport.set_write_buffer_limits(HIGH_WATER_BYTES, LOW_WATER_BYTES)
        reading: asyncio.Task[bytes | None] | None = None
        while data := await (reading or self.read()):
            if self.doomed:
                return
            self.receive(data)
            self.driver.settle()
            reading = None
            while self.busy and not (reading and reading.done()):
                if not reading and not self.overfed:
                    # Who awaits nothing but the end of its command does not notice that its peer has gone.
                    reading = asyncio.create_task(self.read())
                self.woken = self.driver.loop.create_future()
                await first_of(self.woken, reading)
            await self.writer.drain()
        if data is not None and not self.doomed:
            self.reading = False
            self.end_input()
            self.driver.settle()
            await self.writer.wait_closed()  # for the engine closes it, when all has been run and sent

    async def read(self) -> bytes | None:
        """What the client says next; nothing at end of file, None if the connection is lost."""
        try:
            return await self.reader.read(READ_BYTES)
        except OSError:
            return None

    @property
    def busy(self) -> bool:
        """Whether what the client has said is to be waited for before it is read on; not once it is gone."""
        return not self.doomed and (self.wait is not None or self.overfed)

    def resume(self) -> None:
        super().resume()
        self.wake()

    def close(self) -> None:
        super().close()
        self.wake()

    def wake(self) -> None:
        """Let the coroutine see what has become of its client."""
        if self.woken is not None and not self.woken.done():
            self.woken.set_result(None)

    def update_congested(self) -> None:
        self.congested = True
        self.update_halted()
        self.draining = asyncio.create_task(self.drain())

    async def drain(self) -> None:
        """Go on with the client's requests when it has read enough of its replies."""
        try:
            await self.writer.drain()
        except OSError:
            # Its peer has gone. The coroutine that serves it may wait for this very task, and would not learn of it.
            self.doom()
            self.driver.call_again()
            return
        self.congested = False
        self.update_halted()
        if not self.halted:
            self.engine.runnable.append(self)
            self.driver.call_again()


async def first_of(*futures: asyncio.Future[Any] | None) -> None:
    """Wait until one of them is done, of those that there are."""
    await asyncio.wait({future for future in futures if future is not None}, return_when=asyncio.FIRST_COMPLETED)


class StreamsServer(AsyncioDriver):
    """The coroutines' server."""

    def add_listener(self, sock: socket.socket, kind: str) -> None:
        if sock.family == socket.AF_UNIX:
            serve = asyncio.start_unix_server(self.serve, sock=sock, backlog=self.config['tcp-backlog'])
        else:
            serve = asyncio.start_server(self.serve, sock=sock, backlog=self.config['tcp-backlog'])
        self.listeners.append(AsyncioListener(self.loop, sock, kind, serve))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A newcomer's coroutine, from its arrival to its end."""
        client = StreamClient(self, reader, writer)
        try:
            if client.welcome(writer.transport):
                await client.serve()
        except (OSError, asyncio.CancelledError):
            pass  # the connection was reset, or the server ends
        finally:
            client.part()
            if not writer.is_closing():
                writer.transport.abort()  # who has left reads no more either


if __name__ == '__main__':
    sys.exit(main(StreamsServer, 'streams_server'))
