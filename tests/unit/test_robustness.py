"""Whatever clients say, the server has no defect, sends well-formed replies, and its tables agree with each other."""

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

import selredis.commands  # noqa: F401  (importing it fills the command table)
from selredis.clock import ManualClock
from selredis.commands.debug import SUBCOMMANDS
from selredis.config import Config
from selredis.engine.command import Argv, Command, all_commands
from selredis.server import Server
from tests.harness.in_process import FailingLog
from tests.harness.invariants import check_deserted, check_invariants
from tests.harness.wire import Reply, WireClient, check_replies, encode_command

CLIENTS = 3
TURNS = 60
TURNS_A_FILLING = 8
TURNS_TO_SETTLE = 500  # more, and the server is taken to be turning for ever


class Scene:
    """A server in this process and some clients, at the other ends of socket pairs."""

    def __init__(self) -> None:
        self.clock = ManualClock(start_ms=1_700_000_000_000)
        config = Config()
        config.read_directive([b'enable-debug-command', b'yes'])
        config.read_directive([b'proto-max-bulk-len', b'1mb'])  # so that SETRANGE takes little memory
        self.server = Server(config, FailingLog('nothing'), self.clock)
        self.engine = self.server.engine
        self.server.cron()
        self.clients = [self.open(protocol) for protocol in (2, 3, 2)]

    def open(self, protocol: int = 2) -> WireClient:
        ours, theirs = socket.socketpair()
        self.server.on_accepted(theirs, '')
        client = WireClient(ours)
        if protocol == 3:
            client.send(encode_command('HELLO', 3))
        return client

    def come_again(self, number: int) -> None:
        self.clients[number].close()
        self.clients[number] = self.open(3 if number == 1 else 2)

    def turn(self) -> None:
        self.server.loop.call_again()
        self.server.loop.turn()

    def settle(self) -> None:
        """Turn until nothing moves any more; whoever was closed comes again."""
        engine = self.engine
        for _ in range(TURNS_TO_SETTLE):
            before = engine.stats.reads, engine.stats.writes, len(engine.clients)
            self.turn()
            for client in self.clients:
                while client.read_more(0):
                    pass
            busy = engine.to_flush or engine.runnable or engine.doomed or engine.keyspace.ready
            if not busy and before == (engine.stats.reads, engine.stats.writes, len(engine.clients)):
                break
        else:
            raise AssertionError('the server does not come to rest')
        for number, client in enumerate(self.clients):
            check_replies(client.unread)
            client.unread = b''
            if client.closed:
                self.come_again(number)

    def pass_time(self, ms: int) -> None:
        self.clock.advance(ms)
        self.settle()

    def check(self) -> None:
        """The server still answers, its tables agree, and keep nothing of clients that have gone."""
        self.settle()
        self.end_pauses()
        check_invariants(self.engine)
        fresh = self.open()
        self.clients.append(fresh)
        fresh.send(encode_command('PING'))
        self.turn()
        self.turn()
        assert fresh.read(0) == Reply('+', b'PONG')
        for client in self.clients:
            client.close()
        self.clients.clear()
        self.settle()
        self.end_pauses()  # a command behind one that blocked may have begun one
        check_deserted(self.engine)
        assert len(self.engine.timers) == 1  # cron's

    def end_pauses(self) -> None:
        while self.engine.pause.active:  # what it held back may begin another
            self.engine.pause.end()
            self.settle()

    def close(self) -> None:
        for client in self.clients:
            client.close()
        self.server.close()


@contextmanager
def scene() -> Iterator[Scene]:
    scene = Scene()
    try:
        yield scene
    finally:
        scene.close()


# --- bytes ---

fragments = st.one_of(
    st.sampled_from(
        (
            *(b'\r\n', b'\n', b'\r', b' ', b'\0', b'"', b"'", b'\\', b'\\x4', b'"a"b', b'\xff\xfe', b'-', b'+OK\r\n'),
            *(b'*', b'$', b'*1\r\n', b'*2\r\n', b'*3\r\n', b'*0\r\n', b'*-1\r\n', b'*1048577\r\n', b'*1048576\r\n'),
            *(b'$4\r\n', b'$0\r\n', b'$-1\r\n', b'$1048576\r\n', b'$1048577\r\n', b'$99999999999999999999\r\n'),
            *(
                b'*01\r\n',
                b'$ 1\r\n',
                b'$+3\r\n',
                b'*1\n',
                b'$3\n',
                b'PING',
                b'PING\r\n',
                b'SET "k\\x00" \'v\'\n',
                b'GET k',
            ),
            *(b'POST / HTTP/1.1\r\n', b'Host: example\r\n', b'x' * 70_000, b'MULTI\r\n', b'EXEC\r\n', b'QUIT\r\n'),
            *(b'SUBSCRIBE c\r\n', b'BLPOP q 0\r\n', b'HELLO 3\r\n', b'RESET\r\n', b'CLIENT REPLY SKIP\r\n'),
            encode_command('PING'),
            encode_command('SET', 'k', b'\r\n$3\r\n'),
            encode_command('LPUSH', 'q', b'\0', b''),
            encode_command('GET', 'k') * 5,
            encode_command(b'\r\n', b'\xff'),
            encode_command(b''),
        )
    ),
    st.binary(max_size=8),
)


def cut(data: bytes, lengths: list[int]) -> Iterator[bytes]:
    """The data in pieces of these lengths, over and over; 0 means all the rest."""
    at = 0
    while at < len(data):
        for length in lengths:
            yield data[at : at + length] if length else data[at:]
            at += length or len(data)


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.lists(fragments, min_size=1, max_size=12).map(b''.join), min_size=1, max_size=CLIENTS),
    st.lists(st.sampled_from((1, 2, 3, 7, 50, 0)), min_size=1, max_size=4),
)
def test_any_bytes_are_answered_or_the_connection_is_closed(said: list[bytes], lengths: list[int]) -> None:
    with scene() as stage:
        for client, data in zip(stage.clients, said, strict=False):
            # Of the rest of something long, single bytes tell nothing new.
            for piece in (*cut(data[:300], lengths), data[300:]):
                client.send(piece)
                stage.turn()
        stage.check()


# --- commands ---

KEYS = (b'text', b'number', b'list', b'long list', b'fleeting', b'fleeting list', b'none', b'', b'\xff\0\r\n')
FILLED = (
    [b'SET', b'text', b'value'],
    [b'SET', b'number', b'10'],
    [b'RPUSH', b'list', b'a', b'b', b'', b'\xff', b'7'],
    [b'RPUSH', b'long list', *(b'%d' % number for number in range(200))],
    [b'SET', b'fleeting', b'x', b'PX', b'20'],
    [b'RPUSH', b'fleeting list', b'x'],
    [b'PEXPIRE', b'fleeting list', b'30'],
    [b'SET', b'', b''],
)
NUMBERS = (
    *(
        b'0',
        b'1',
        b'2',
        b'3',
        b'-1',
        b'-2',
        b'10',
        b'100',
        b'1700000000',
        b'1700000000020',
        b'0.01',
        b'1e3',
        b'-0',
        b'nan',
    ),
    *(b'inf', b'-inf', b'2147483648', b'4294967296', b'9223372036854775807', b'-9223372036854775808', b'1e400'),
    *(b'9223372036854775808', b'18446744073709551616', b'1' * 40, b' 1', b'1 ', b'0x10', b'1_0'),
)
ODD = (
    *(
        b'\0',
        b'\r\n',
        b'a\r\nb',
        b'\xff\xfe',
        b'*',
        b'?',
        b'[',
        b'[^a-',
        b'\\',
        b'news',
        b'n*',
        b'x' * 2000,
        b'HELP',
        b'help',
    ),
    *(b'maxmemory', b'list-max-listpack-size', b'notify-keyspace-events', b'KEA', b'on', b'off', b'yes', b'no', b'all'),
    *(b'get', b'GET', b'set', b'lpush', b'blpop', b'client|list', b'config', b'string', b'push', b'map', b'attrib'),
    *(b'default', b'normal', b'pubsub', b'127.0.0.1:1'),
)
KEYWORD = re.compile(rb'\b[A-Z]{2,}\b')
# Ends or stops the server; fills the memory.
LEFT_OUT = frozenset((b'SHUTDOWN', b'SLEEP', b'POPULATE'))


class Speaker:
    """Random commands, the same for the same seed. (Drawn from hypothesis each would take a hundred times longer.)"""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)

    def batch(self) -> list[Argv]:
        random = self.random
        said: list[Argv] = []
        for _ in range(random.randint(1, 6)):
            argv = self.call(random.choice(CALLABLE)) if random.random() < 0.8 else random.choice(COMMON)
            if argv[:2] == [b'CLIENT', b'REPLY']:
                said.append([b'DISCARD'])  # in a transaction its reply, and others, would be missing in that of EXEC
            said.append(argv)
        return said

    def call(self, command: Command) -> Argv:
        """Most with as many words as the command takes, all of its own options, keys, numbers and odd words."""
        random = self.random
        argv = command.name.upper().encode().split(b'|')
        options = tuple(KEYWORD.findall((command.handler.__doc__ or '').encode()))
        if command.name == 'debug':
            options = tuple(name for name in SUBCOMMANDS if name not in LEFT_OUT)
            argv.append(random.choice(options))
        fewest = max(abs(command.arity) - len(argv), 0)
        count = fewest if command.arity > 0 else fewest + random.choice((0, 0, 1, 2, 3, 5))
        if random.random() < 0.1:
            count = random.randrange(4)
        if command.keys and command.keys[0].first is not None:
            argv += [b'0.01'] * (command.keys[0].at - 1) + [b'1', random.choice(KEYS)]
            count -= 2
        elif command.keys and count:
            argv.append(random.choice(KEYS))
            count -= 1
        kinds = (KEYS, NUMBERS, NUMBERS, ODD, options or KEYS)
        return argv + [word for _ in range(count) if (word := random.choice(random.choice(kinds))) not in LEFT_OUT]


def every_command() -> list[Command]:
    """Subcommands in place of what contains them."""
    found: list[Command] = []
    for command in all_commands():
        if command.name != 'shutdown':
            found += command.subcommands.values() or [command]
            if command.name == 'command':
                found.append(command)
    return found


CALLABLE = every_command()
# Without these clients would seldom get into the states in which commands are refused, queued or have to wait.
COMMON: tuple[Argv, ...] = (
    *(
        [b'MULTI'],
        [b'EXEC'],
        [b'WATCH', b'list', b'none'],
        [b'BLPOP', b'none', b'', b'0.01'],
        [b'RESET'],
        [b'HELLO', b'3'],
    ),
    *(
        [b'BLMOVE', b'none', b'list', b'LEFT', b'RIGHT', b'0'],
        [b'RPUSH', b'none', b'x', b'y'],
        [b'SWAPDB', b'0', b'1'],
    ),
    *(
        [b'SUBSCRIBE', b'news', b''],
        [b'PSUBSCRIBE', b'n*', b'__key*'],
        [b'PUBLISH', b'news', b'x'],
        [b'SELECT', b'1'],
    ),
    *(
        [b'CLIENT', b'KILL', b'ID', b'2'],
        [b'CLIENT', b'UNBLOCK', b'1'],
        [b'FLUSHALL'],
        [b'UNSUBSCRIBE'],
        [b'PUNSUBSCRIBE'],
    ),
    *(
        [b'CONFIG', b'SET', b'notify-keyspace-events', b'KEA'],
        [b'CLIENT', b'REPLY', b'SKIP'],
        [b'CLIENT', b'REPLY', b'ON'],
    ),
)
PAUSES_MS = (0, 0, 0, 0, 1, 10, 25, 1000, 10**9)


@settings(deadline=None, max_examples=80)
@given(st.integers(0, 2**32 - 1))
def test_any_commands_leave_the_tables_consistent(seed: int) -> None:
    speaker = Speaker(seed)
    with scene() as stage:
        for turn in range(TURNS):
            said = speaker.batch()
            if turn % TURNS_A_FILLING == 0:
                said = [*FILLED, *said]
            try:
                number = speaker.random.randrange(CLIENTS)
                if speaker.random.random() < 0.1:
                    stage.come_again(number)
                stage.clients[number].send(b''.join(encode_command(*argv) for argv in said))
                stage.settle()
                stage.pass_time(speaker.random.choice(PAUSES_MS))
                check_invariants(stage.engine)
            except Exception as error:
                error.add_note(f'turn {turn}, after {said}')
                raise
        stage.check()
