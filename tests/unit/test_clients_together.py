"""Clients that pause, kill, unblock and leave each other in any order: nothing is lost, and nothing is left behind."""

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from selredis.clock import ManualClock
from selredis.config import Config
from selredis.engine.command import Argv
from selredis.engine.engine import Engine
from tests.harness.invariants import check_invariants
from tests.harness.wire import encode_command
from tests.unit.conftest import FailingLog, Peer, settle
from tests.unit.test_robustness import CLIENTS, scene

TURNS = 40

# What clients say; {id} is the number of any of them.
SAID = tuple(
    command.split()
    for command in """
CLIENT PAUSE 20 WRITE
CLIENT PAUSE 20 ALL
CLIENT PAUSE 1000 WRITE
CLIENT PAUSE 0 ALL
CLIENT UNPAUSE
CLIENT UNPAUSE
CLIENT KILL ID {id}
CLIENT KILL ID {id} SKIPME no
CLIENT KILL TYPE pubsub
CLIENT KILL MAXAGE 1
CLIENT UNBLOCK {id}
CLIENT UNBLOCK {id} ERROR
CLIENT NO-EVICT on
CLIENT NO-EVICT off
CLIENT LIST
CLIENT TRACKING ON REDIRECT {id}
CLIENT TRACKING ON BCAST PREFIX k
CLIENT TRACKING OFF
CONFIG SET maxmemory-clients 1
CONFIG SET maxmemory-clients 0
CONFIG SET maxmemory-clients 10% maxmemory 10mb
CONFIG SET maxmemory 0
DEBUG CLIENT-EVICTION
MONITOR
RESET
HELLO 3
QUIT
BLPOP q 0
BLPOP q r 0.01
BLMOVE q r LEFT LEFT 0.02
RPUSH q a
LPUSH r b c
MULTI
MULTI
EXEC
EXEC
DISCARD
WATCH k q
SET k v PX 10
GET k
APPEND k w
DEL k q
RANDOMKEY
SUBSCRIBE news __redis__:invalidate
UNSUBSCRIBE
PUBLISH news x
PING
""".strip().splitlines()
)
LARGE = encode_command('SET', 'large', 'x' * 70_000)
PAUSES_MS = (0, 0, 0, 1, 15, 30, 2000)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32 - 1))
def test_nothing_is_left_behind(seed: int) -> None:
    random = Random(seed)
    with scene() as stage:
        for turn in range(TURNS):
            words = [random.choice(SAID) for _ in range(random.randrange(1, 6))]
            ids = [*stage.engine.clients, 12345]
            said = [[word.format(id=random.choice(ids)) for word in command] for command in words]
            try:
                number = random.randrange(CLIENTS)
                if random.random() < 0.1:
                    stage.come_again(number)
                data = b''.join(encode_command(*argv) for argv in said)
                if random.random() < 0.1:
                    data += LARGE[: random.choice((20, 50_000, len(LARGE)))]
                stage.clients[number].send(data)
                stage.settle()
                stage.pass_time(random.choice(PAUSES_MS))
                check_invariants(stage.engine)
            except Exception as error:
                error.add_note(f'turn {turn}, after {said}')
                raise
        stage.check()


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32 - 1))
def test_what_a_pause_holds_back_runs_once_and_in_order(seed: int) -> None:
    random = Random(seed)
    clock = ManualClock()
    engine = Engine(Config(), clock, random, FailingLog())
    peers = [Peer(engine) for _ in range(4)]
    counts = [0] * len(peers)
    expected: list[list[object]] = [[] for _ in peers]
    for _ in range(TURNS):
        number = random.randrange(len(peers))
        key = f'count:{number}'
        commands: list[str] = []
        for _ in range(random.randrange(1, 4)):
            match random.randrange(6):
                case 0 | 1:
                    commands.append(f'INCR {key}')
                    counts[number] += 1
                    expected[number].append(counts[number])
                case 2:
                    commands.append(f'GET {key}')
                    expected[number].append(b'%d' % counts[number] if counts[number] else None)
                case 3:
                    commands += ['MULTI', f'INCR {key}', f'GET {key}', 'EXEC']
                    counts[number] += 1
                    expected[number] += ['OK', 'QUEUED', 'QUEUED', [counts[number], b'%d' % counts[number]]]
                case 4:
                    commands.append(f'CLIENT PAUSE {random.choice((0, 5, 50))} {random.choice(("WRITE", "ALL"))}')
                    expected[number].append('OK')
                case _:
                    commands.append('CLIENT UNPAUSE')
                    expected[number].append('OK')
        client = peers[number].client
        # As a driver does: what comes while a client waits stands behind what it said before.
        batch: list[Argv] = [command.encode().split() for command in commands]
        if client.halted or client.pending:
            client.pending = [*client.pending, *batch]
        else:
            engine.run(client, batch)
        settle(engine)
        clock.advance(random.choice((0, 0, 1, 10)))
        engine.run_timers()
        settle(engine)
    while engine.pause.active:
        clock.advance(50)
        engine.run_timers()
        settle(engine)
    for peer, replies in zip(peers, expected, strict=True):
        assert peer.take() == replies
    check_invariants(engine)
