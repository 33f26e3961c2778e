"""A client's socket that speaks TLS.

The standard library encrypts and decrypts in memory; the socket is read and written here, as any other. So there is
nothing to be read that readiness does not tell of, and a write never has to wait for a read:

    socket -> incoming -> tls.read  -> the parser, as much as there is, at each read
    out    -> tls.write -> outgoing -> sealed -> socket

`sealed` is what has been encrypted and not been taken by the socket. While there is any nothing more is encrypted: what
waits, waits as plain text in `unsent`, where the limits of plain connections see it.

A newcomer shakes hands first, a bit at each read, which nobody waits for. Whoever takes too long, or does not speak TLS
at all, is cut off, and the log tells why.
"""

import socket
import ssl
from collections.abc import Callable, Sequence

from selredis.engine.engine import Engine
from selredis.net.connection import MAX_SEND_BYTES, RETRY, Buffer, Connection
from selredis.net.loop import Loop
from selredis.net.remote_client import READ_BYTES, ConnectionTable
from selredis.net.tls import reason_of
from selredis.resp.parser import ParserLimits

# How long a handshake may take. Redis gives it as long as a client may be silent (timeout), which is for ever.
HANDSHAKE_SECONDS = 10
# How much goes through OpenSSL's buffers at a time, for they keep the size that they once had.
PIECE_BYTES = 32 * 1024
PIECES_A_TURN = READ_BYTES // PIECE_BYTES


class TlsConnection(Connection):
    """`secured(connection)` is called when the handshake is over, before anything that the client says is run."""

    __slots__ = ('handshake_timer', 'incoming', 'outgoing', 'sealed', 'secured', 'shaken', 'tls')

    def __init__(
        self,
        engine: Engine,
        loop: Loop,
        table: ConnectionTable,
        sock: socket.socket,
        limits: ParserLimits,
        context: ssl.SSLContext,
        secured: Callable[['TlsConnection'], object],
    ) -> None:
        super().__init__(engine, loop, table, sock, limits)
        self.incoming = ssl.MemoryBIO()
        self.outgoing = ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_side=True)
        self.secured = secured
        self.shaken = False  # hands
        self.sealed: memoryview | None = None
        self.handshake_timer = engine.timers.call_at(engine.monotonic_ms() + HANDSHAKE_SECONDS * 1000, self.give_up)

    # Input

    def on_readable(self) -> None:
        """Read a bounded amount, decrypt all of it that is complete, and run it."""
        for _ in range(PIECES_A_TURN):
            if self.doomed or self.input_ended or (self.held_bytes and self.overfed):
                return
            buffer = self.table.buffer
            try:
                count = self.sock.recv_into(buffer, PIECE_BYTES)
            except RETRY:
                return
            except OSError as error:
                self.lose(error.strerror)
                return
            if not count:
                if self.shaken:
                    self.end_input()
                else:
                    self.lose('the peer has closed the connection')
                return
            self.incoming.write(buffer[:count])
            if self.shaken or self.shake_hands():
                self.unseal()
            if self.outgoing.pending:
                self.push_own()
            if count < PIECE_BYTES:
                return

    def shake_hands(self) -> bool:
        """Go on with the handshake; whether it is over."""
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        except ssl.SSLError as error:
            self.lose(reason_of(error))
            self.push_own()  # which tells the peer why
            return False
        self.shaken = True
        self.handshake_timer.cancel()
        self.secured(self)
        return True

    def give_up(self) -> None:
        self.lose(f'the handshake has not come to an end within {HANDSHAKE_SECONDS} seconds')

    def lose(self, reason: str | None) -> None:
        """The peer is gone, or cannot be understood."""
        if not (self.shaken or self.doomed):
            addr, laddr = (text.decode('ascii', 'backslashreplace') for text in (self.addr, self.laddr))
            self.engine.log.warning(f'Error accepting a client connection: {reason} (addr={addr} laddr={laddr})')
        self.doom()

    def unseal(self) -> None:
        """Decrypt and run what has come; nothing that is complete stays behind, for nobody would tell of it."""
        buffer = self.table.buffer
        read: Callable[[int, memoryview], int] = self.tls.read  # type: ignore[assignment]  # as it is with a buffer
        more = True
        while more and not self.doomed:
            filled = 0
            ended = broken = False
            try:
                while filled < READ_BYTES:
                    count = read(READ_BYTES - filled, buffer[filled:])
                    if not count:
                        ended = True
                        break
                    filled += count
            except ssl.SSLWantReadError:
                more = False
            except ssl.SSLError:
                broken = True
            if filled:
                if self.parser.awaited_bytes >= READ_BYTES and not self.behind:
                    self.receive_value(buffer[:filled])
                else:
                    self.receive(buffer[:filled].tobytes())
            if broken:
                self.doom()
            elif ended:  # by a close_notify: nothing after it counts (RFC 8446, 6.1)
                self.end_input()
                return

    # Output

    def send(self, data: bytes | memoryview) -> int:
        """Encrypt bytes, all of them, and send what the socket takes."""
        if not data:
            return 0
        sealed: list[bytes] = []
        try:
            for start in range(0, len(data), PIECE_BYTES):
                self.tls.write(data[start : start + PIECE_BYTES])
                sealed.append(self.outgoing.read())
        except ssl.SSLError:
            self.doom()
            return 0
        self.push(sealed[0] if len(sealed) == 1 else b''.join(sealed))
        engine = self.engine
        stats = engine.stats
        stats.writes += 1
        stats.output_bytes += len(data)
        self.last_active_ms = engine.keyspace.now_ms
        return len(data)

    def send_vector(self, buffers: Sequence[Buffer]) -> int:
        return self.send(b''.join(buffers))

    def push_own(self) -> None:
        """Send what the protocol has to say for itself: of a handshake, of keys, of an end."""
        if self.sealed is None:
            self.push(self.outgoing.read())
        elif self.outgoing.pending > MAX_SEND_BYTES:
            # There is no end to what a peer that does not read may ask for.
            self.doom()

    def push(self, sealed: bytes) -> None:
        """Send what has been encrypted; what the socket does not take waits, and all else behind it."""
        data = memoryview(sealed)
        sent = self.give(data)
        if sent < len(data) and not self.doomed:
            self.sealed = data[sent:]
            self.unsent_bytes += len(self.sealed)
            if self.unsent is None:
                self.begin_unsent()
            self.check_limits()

    def give(self, data: memoryview) -> int:
        """Hand encrypted bytes to the socket; how many it took."""
        try:
            return self.sock.send(data)
        except RETRY:
            return 0
        except OSError:
            self.doom()
            return 0

    def on_writable(self) -> None:
        """Send what has been encrypted, then a bounded piece of what has piled up behind it."""
        sealed = self.sealed
        if sealed is not None and not self.doomed:
            sent = self.give(sealed)
            self.unsent_bytes -= sent
            if sent < len(sealed):
                self.sealed = sealed[sent:]
                return
            self.sealed = None
            if self.outgoing.pending:
                self.push_own()
        if self.sealed is not None:
            return
        if self.unsent:
            super().on_writable()
        elif self.unsent is not None and not self.doomed:
            self.end_unsent()

    def end_unsent(self) -> None:
        if self.sealed is None:
            super().end_unsent()

    def close(self) -> None:
        try:
            self.handshake_timer.cancel()
            if self.shaken and self.sealed is None:
                self.send_close_notify()
        finally:
            super().close()

    def send_close_notify(self) -> None:
        """Tell the peer that nothing was cut off. Its own close_notify is not waited for."""
        try:
            self.tls.unwrap()
        except ssl.SSLError:
            pass
        self.give(memoryview(self.outgoing.read()))
