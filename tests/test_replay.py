"""What an engine propagates leads to the same data elsewhere: after every unit, whatever was executed."""

from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from selredis.clock import ManualClock
from selredis.config import Config
from selredis.engine.client import Client
from selredis.engine.engine import Engine
from tests.harness.in_process import FailingLog, InProcessStage
from tests.harness.replica import Replica
from tests.harness.stage import replay
from tests.harness.transcript import all_paths, name_of, read
from tests.strategies import GROUPS, program
from tests.strategies.waiting import TURNS, Turn
from tests.strategies.words import Argv

# DEBUG POPULATE isn't propagated; and the replica doesn't follow CONFIG SET hll-sparse-max-bytes.
NOT_REPLAYED = {'populate', 'encoding'}
LOG = FailingLog('nothing')


@pytest.mark.parametrize('path', [path for path in all_paths() if path.stem not in NOT_REPLAYED], ids=name_of)
def test_every_transcript_is_replayed(path: Path):
    transcript = read(path)
    stage = InProcessStage(transcript.protocols[0])
    replica = Replica(stage.server.engine, stage.clock, LOG)
    replay(stage, transcript, transcript.protocols[0])
    replica.compare()


class Source:
    """An engine with a replica and a few clients."""

    def __init__(self, *directives: list[bytes]) -> None:
        self.clock = ManualClock()
        config = Config()
        for directive in directives:
            config.read_directive(directive)
        self.engine = Engine(config, self.clock, Random(0), LOG)
        self.replica = Replica(self.engine, self.clock, LOG)
        self.clients: dict[int, Client] = {}

    def execute(self, batch: Sequence[Sequence[bytes]], number: int = 0) -> None:
        engine = self.engine
        client = self.clients.get(number)
        if client is None or client.doomed:
            client = self.clients[number] = Client(engine)
        if client.halted:
            client.pending += list(batch)
        elif batch:
            engine.run(client, list(batch))
        while engine.runnable:
            engine.runnable.pop(0).resume()
        for each in engine.to_flush:
            each.out.clear()
            each.queued = False
        engine.to_flush.clear()
        engine.doomed.clear()

    def pass_time(self, ms: int) -> None:
        self.clock.advance(ms)
        self.engine.run_timers()
        self.engine.expire_some()


def replaying(examples: int = 25) -> settings:
    return settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))


def without_corrupt_values(commands: list[Argv]) -> list[Argv]:
    """Leave out HyperLogLogs made by hand: where one is corrupt, PFADD fails after it has added some elements."""
    return [argv for argv in commands if not any(word.startswith(b'HYLL') for word in argv)]


@pytest.mark.parametrize('group', GROUPS)
def test_random_commands_are_replayed(group: str):
    @replaying()
    @given(program(group), st.lists(st.integers(0, 3000), max_size=5), st.randoms(use_true_random=False))
    def same(commands: list[Argv], times_ms: list[int], random: Random) -> None:
        commands = without_corrupt_values(commands)
        source = Source()
        for ms in [*times_ms, 0]:
            size = random.randrange(1, len(commands) + 1) if commands else 0
            source.execute(commands[:size])
            commands = commands[size:]
            source.pass_time(ms)
        source.execute(commands)
        source.replica.compare()

    same()


@replaying()
@given(program(*GROUPS), st.sampled_from((b'allkeys-random', b'volatile-ttl', b'allkeys-lfu', b'noeviction')))
def test_evicted_keys_are_removed_by_their_own_effects(commands: list[Argv], policy: bytes):
    source = Source([b'maxmemory', b'4000'], [b'maxmemory-policy', policy])
    for argv in without_corrupt_values(commands):
        source.execute([argv])
        source.engine.tick()
        source.pass_time(10)
    source.replica.compare()


# Commands that no reference can judge: their outcome is random or depends on the time, or 7.0 doesn't have them.
FIELDS = st.sampled_from((b'FIELDS 1 f', b'FIELDS 2 f g', b'FIELDS 3 g h no'))
UNJUDGED = st.one_of(
    st.sampled_from(
        (
            b'SADD s a b c d',
            b'SPOP s',
            b'SPOP s 2',
            b'SPOP s 9',
            b'HSET h f 1 g 2 h 3',
            b'HINCRBYFLOAT h f 1.5',
            b'HGETALL h',
            b'HMGET h f g h',
            b'HDEL h f',
            b'HLEN h',
            b'COPY h i REPLACE',
            b'RENAME h i',
            b'SET k v PX 20',
            b'SET k v KEEPTTL',
            b'GETEX k PX 30',
            b'EXPIRE s 1 NX',
            b'XADD x * f v',
            b'XADD x MAXLEN ~ 2 * f v',
            b'XGROUP CREATE x g $ MKSTREAM',
            b'XREADGROUP GROUP g alice COUNT 2 STREAMS x >',
            b'XREADGROUP GROUP g bob STREAMS x 0',
            b'XAUTOCLAIM x g bob 0 0 COUNT 1',
            b'XTRIM x MAXLEN 1',
            b'RANDOMKEY',
        )
    ).map(bytes.split),
    st.tuples(st.sampled_from((b'HPEXPIRE h 20', b'HPEXPIRE h 0', b'HEXPIRE i 1', b'HPERSIST h')), FIELDS).map(
        lambda parts: b' '.join(parts).split()
    ),
)


@replaying(100)
@given(st.lists(st.tuples(UNJUDGED, st.sampled_from((0, 0, 1, 15, 30))), min_size=20, max_size=60))
def test_random_and_timed_commands_are_replayed(steps: list[tuple[list[bytes], int]]):
    source = Source()
    for argv, ms in steps:
        source.clock.advance(ms)  # keys and fields expire when they are found, or in the background
        source.execute([argv])
        if ms == 1:
            source.pass_time(0)
    source.replica.compare()


@pytest.mark.parametrize('waiting', TURNS)
def test_commands_of_blocked_clients_are_replayed(waiting: str):
    @replaying()
    @given(TURNS[waiting])
    def same(script: list[Turn]) -> None:
        source = Source()
        for turn in script:
            if turn.commands:
                source.execute(turn.commands, turn.client)
            elif turn.client in source.clients:
                source.engine.forget(source.clients.pop(turn.client))
        source.replica.compare()

    same()
