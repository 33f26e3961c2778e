"""A server in this process and a few clients at the other ends of socket pairs, with the clock turned by hand.

What is random in the server comes from a fixed seed, so that a program always runs the same way under the same
PYTHONHASHSEED.
"""

import gc
import socket
import sys
import traceback
from collections.abc import Sequence
from typing import NamedTuple

import selredis.commands  # noqa: F401  (importing it fills the command table)
from selredis.clock import ManualClock
from selredis.config import Config
from selredis.log import Log
from selredis.server import Server
from tests.fuzz.fuzzer import Failure, check_cycles
from tests.fuzz.vocabulary import MAX_BULK_BYTES, NOW_MS, PARAMETERS
from tests.harness.invariants import check_deserted, check_invariants
from tests.harness.wire import Incomplete, check_replies, encode_command

CLIENTS = 4
RESP3_CLIENTS = (1, 3)  # the others begin with RESP2
TURNS_TO_SETTLE = 500  # more, and the server is taken to be turning forever
STEPS_A_CHECK = 10
READ_BYTES = 1 << 20
DEFAULTS = [(name, values[0]) for name, values in PARAMETERS.items()]

LAST_COMMANDS = (
    *((b'PING',), (b'FLUSHALL', b'SYNC'), (b'CONFIG', b'RESETSTAT'), (b'SLOWLOG', b'RESET'), (b'LATENCY', b'RESET')),
)

Argv = list[bytes]


class Step(NamedTuple):
    """What happens next: a client sends commands in one pipeline, or leaves if there are none; then time passes."""

    client: int
    commands: tuple[Argv, ...]
    pass_ms: int


class FuzzClock(ManualClock):
    """A clock that can also pass the deadline of every timer, at the same Unix time."""

    __slots__ = ()

    def pass_all_timers(self) -> None:
        """Cancelled timers are kept until they would have been due; the longest timeout is 2**63 ms."""
        self._monotonic_us += 1000 << 63


class DefectLog(Log):
    """Keeps what the server logs about defects of its own, and writes nothing."""

    def __init__(self) -> None:
        super().__init__('nothing')
        self.defects: list[str] = []

    def defect(self, text: str, error: BaseException) -> None:
        self.defects.append(f'{text}\n{"".join(traceback.format_exception(error))}')

    def _write(self, level: int, text: str) -> None:
        pass


class FuzzedServer:
    """The server with its clients. Every method raises Failure as soon as a fault shows."""

    def __init__(self) -> None:
        self.clock = FuzzClock(start_ms=NOW_MS)
        self.log = DefectLog()
        config = Config()
        config.read_directive([b'enable-debug-command', b'yes'])
        # Less than CONFIG SET would take: so that SETRANGE, SETBIT, and LCS take little memory and time.
        config._values['proto-max-bulk-len'] = MAX_BULK_BYTES
        self.server = Server(config, self.log, self.clock)
        self.engine = self.server.engine
        self.engine.random.seed(0)
        self.server.cron()
        self.peers: list[socket.socket] = []
        self.steps = 0

    def open(self, number: int) -> socket.socket:
        """Connect a client."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        self.server.on_accepted(theirs, '')
        if number in RESP3_CLIENTS:
            ours.send(encode_command('HELLO', '3'))
        return ours

    def turn(self) -> None:
        self.server.loop.call_again()
        self.server.loop.turn()

    def settle(self) -> None:
        """Turn until nothing moves any more, check what the clients receive; whoever was closed connects again."""
        engine = self.engine
        stats = engine.stats
        received: list[list[bytes]] = [[] for _ in self.peers]
        closed: set[int] = set()
        for _ in range(TURNS_TO_SETTLE):
            before = stats.reads, stats.writes, len(engine.clients)
            self.turn()
            after = stats.reads, stats.writes, len(engine.clients)
            if after == before:
                if not (engine.to_flush or engine.runnable or engine.doomed or engine.keyspace.ready):
                    break
            elif after[1:] != before[1:]:
                self.read(received, closed)
        else:
            raise Failure('the server does not come to rest')
        if self.log.defects:
            raise Failure('defect: ' + self.log.defects[0].rstrip().rpartition('\n')[2], self.log.defects[0])
        for pieces in received:
            if pieces:
                self.check_received(b''.join(pieces))
        for number in closed:
            self.reconnect(number)

    def read(self, received: list[list[bytes]], closed: set[int]) -> None:
        for number, peer in enumerate(self.peers):
            while number not in closed:
                try:
                    data = peer.recv(READ_BYTES)
                except BlockingIOError:
                    break
                except ConnectionResetError:
                    data = b''
                if not data:
                    closed.add(number)
                    break
                received[number].append(data)

    def check_received(self, data: bytes) -> None:
        try:
            check_replies(data)
        except Incomplete:
            raise Failure('an incomplete reply', repr(data[-200:])) from None
        except (ValueError, AssertionError) as error:
            raise Failure(f'a malformed reply: {str(error)[:60]}', f'{error}\n{data[:2000]!r}') from None

    def reconnect(self, number: int) -> None:
        self.peers[number].close()
        self.peers[number] = self.open(number)

    def play(self, step: Step) -> None:
        if step.commands:
            data = bytearray()
            for argv in step.commands:
                if argv[0] == b'CLIENT' and argv[1:2] == [b'REPLY']:
                    # Within a transaction it would leave out replies that are elements of EXEC's.
                    data += b'DISCARD\r\n'
                data += encode(argv)
            self.send(self.peers[step.client], data)
        else:
            self.reconnect(step.client)
        self.settle()
        if step.pass_ms:
            self.clock.advance(step.pass_ms)
            self.settle()
        self.steps += 1
        if self.steps % STEPS_A_CHECK == 0:
            self.check()

    def send(self, peer: socket.socket, data: bytes | bytearray) -> None:
        at = 0
        for _ in range(TURNS_TO_SETTLE):
            try:
                at += peer.send(memoryview(data)[at:])
            except BlockingIOError:
                pass
            except (BrokenPipeError, ConnectionResetError):
                return
            if at == len(data):
                return
            self.turn()

    def check(self) -> None:
        """All tables of the server agree."""
        try:
            check_invariants(self.engine)
        except AssertionError as error:
            raise invariant_failure(error) from None

    def play_all(self, steps: Sequence[Step]) -> None:
        """Play a program from the first to the last client, and leave an empty server behind."""
        self.peers = [self.open(number) for number in range(CLIENTS)]
        self.settle()
        for step in steps:
            self.play(step)
        self.end_pauses()
        self.check()
        self.empty()

    def end_pauses(self) -> None:
        """End CLIENT PAUSE; what it held back may begin another."""
        while self.engine.pause.active:
            self.engine.pause.end()
            self.settle()

    def empty(self) -> None:
        """Close all clients, check that the server answers a new one, and remove all data and statistics."""
        engine = self.engine
        for peer in self.peers:
            peer.close()
        self.peers.clear()
        self.settle()
        # A client's last commands are executed after it has closed its side: they may pause clients, or set parameters.
        self.end_pauses()
        engine.config.set_pairs(DEFAULTS)
        engine.active_expire, engine.cron_paused = True, False
        fresh = self.open(CLIENTS)
        self.peers.append(fresh)
        for argv in LAST_COMMANDS:
            self.send(fresh, encode_command(*argv))
        for _ in range(3):
            self.turn()
        replies = fresh.recv(READ_BYTES)
        fresh.close()
        self.peers.clear()
        if not replies.startswith(b'+PONG\r\n+OK\r\n+OK\r\n+OK\r\n:'):
            raise Failure('no answers to a new client', repr(replies))
        self.clock.pass_all_timers()
        self.settle()
        while engine.expire_some():
            pass
        try:
            check_deserted(engine)
            assert len(engine.timers) == 1, 'a timer is left'  # cron's
            assert not any(map(len, engine.keyspace.databases)), 'keys are left'
        except AssertionError as error:
            raise invariant_failure(error) from None
        check_cycles()

    def close(self) -> None:
        for peer in self.peers:
            peer.close()
        self.server.close()


def encode(argv: Argv) -> bytes:
    return b'*%d\r\n%b' % (len(argv), b''.join([b'$%d\r\n%b\r\n' % (len(word), word) for word in argv]))


def invariant_failure(error: AssertionError) -> Failure:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return Failure(f'invariant: {frame.name}: {frame.line}', ''.join(traceback.format_exception(error)))


def allocated_blocks() -> int:
    """Return the number of memory blocks that CPython has allocated, without garbage."""
    gc.collect()
    # The cache of type attributes keeps strings that `match` and C code make of names, again and again.
    if sys.version_info >= (3, 13):
        sys._clear_internal_caches()
    else:
        sys._clear_type_cache()
    return sys.getallocatedblocks()
