"""A client whose replies an asyncio transport takes: what protocols and streams have in common."""

import asyncio
import socket
from typing import cast

from selredis.driver import origin_of
from selredis.net.remote_client import HIGH_WATER_BYTES, UNCOUNTED_BYTES, RemoteClient
from selredis.resp.pieces import buffers_of, joined
from tools.study.asyncio_driver import AsyncioDriver


class TransportClient(RemoteClient):
    """Output by `transport`, which sends at once what the socket takes, keeps the rest and sends it by and by.

    A subclass provides `update_congested`. One that the loop tells when bytes stay with the transport, and when they
    have left, sets `told_of_unsent` and keeps `unsent_bytes` true; for others the transport is asked after each write.
    """

    __slots__ = ('driver', 'reading', 'transport')

    told_of_unsent = False

    def __init__(self, driver: AsyncioDriver) -> None:
        driver.engine.tell_time()
        super().__init__(driver.engine, driver.table, driver.limits)
        del driver.engine.clients[self.id]  # for all others there is nobody yet
        self.driver = driver
        self.reading = True
        self.transport: asyncio.Transport

    @property
    def on_unix_socket(self) -> bool:
        return bool(self.transport.get_extra_info('socket').family == socket.AF_UNIX)

    @property
    def unsent_pieces(self) -> int:
        return 1 if self.unsent_bytes else 0

    @property
    def events(self) -> bytes:
        return (b'r' if self.reading else b'') + (b'w' if self.unsent_bytes else b'')

    @property
    def closable(self) -> bool:
        return True  # the transport sends what is left before it closes

    def welcome(self, transport: asyncio.BaseTransport) -> bool:
        """Take a newcomer in, or tell it why not and hang up; whether it may stay."""
        self.transport = cast(asyncio.Transport, transport)  # uvloop's are none by inheritance
        sock = transport.get_extra_info('socket')
        try:
            origin = origin_of(sock, sock.getpeername())
            refusal = self.driver.refusal(origin.local)
            if not refusal:
                self.driver.introduce(self, sock, origin)
        except OSError:
            self.transport.abort()  # gone again already
            return False
        if refusal:
            self.transport.write(refusal)
            self.transport.close()
            return False
        self.table.add(self)
        self.engine.clients[self.id] = self
        return True

    def part(self) -> None:
        """Leave nothing behind, once the connection is lost."""
        try:
            self.doom()
        finally:
            if self.table.by_id(self.id) is self:
                self.table.remove(self)
        self.engine.forget(self)
        self.driver.count_departure()
        self.driver.call_again()

    def flush(self) -> None:
        """Give the transport what was queued in this turn."""
        self.queued = False
        out = self.out
        if not out or self.doomed:
            return
        data = out[0] if len(out) == 1 else joined(out)
        if len(data) > UNCOUNTED_BYTES and self.check_output_limit(len(data)):
            return
        out.clear()
        for piece in buffers_of(data):
            if self.unsent_bytes:
                self.write_behind(piece)
            else:
                self.transport.write(piece)
        engine = self.engine
        stats = engine.stats
        stats.writes += 1
        stats.output_bytes += len(data)
        self.last_active_ms = engine.keyspace.now_ms
        if self.unsent_bytes or not self.told_of_unsent:
            self.update_unsent()

    def write_behind(self, data: bytes) -> None:
        """Have bytes sent behind those that the peer has not taken yet."""
        self.transport.write(data)

    def close(self) -> None:
        if self.doomed:
            self.transport.abort()
        else:
            self.transport.close()

    def count_unsent(self) -> int:
        """How many bytes the peer has not taken, as of now."""
        return self.transport.get_write_buffer_size()

    def update_unsent(self) -> None:
        """After more may have come to wait: cut the peer off, or have it wait, if that is too much."""
        self.unsent_bytes = self.count_unsent()
        if not self.check_output_limit() and self.unsent_bytes > HIGH_WATER_BYTES and not self.congested:
            self.update_congested()

    def update_congested(self) -> None:
        """Stop or go on with the peer's requests, as it leaves too much of its replies unread or no longer does."""
        raise NotImplementedError

    def check_output_limit(self, queued_bytes: int = 0) -> bool:
        if self.unsent_bytes:
            self.unsent_bytes = self.count_unsent()
        return super().check_output_limit(queued_bytes)
