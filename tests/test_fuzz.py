"""A few seconds of each fuzzer, and that the fuzzers find what they are for."""

import subprocess
import sys
from pathlib import Path

import pytest

from selredis.engine.command import COMMANDS, all_commands
from selredis.resp.parser import Argv, RequestParser
from tests.fuzz import byte_streams, grammar
from tests.fuzz.byte_streams import WireFuzzer
from tests.fuzz.fuzzer import Failure, Found, failure_of, first_failure, shrink, without_collection
from tests.fuzz.programs import CommandFuzzer, Program
from tests.fuzz.stage import Argv as Words
from tests.fuzz.stage import Step

ROOT = Path(__file__).resolve().parent.parent
SEED = 1
BYTE_STREAMS = 10_000
COMMANDS_RUN = 15_000


def run_tool(*options: str) -> None:
    """In a process of its own, as the order of keys depends on PYTHONHASHSEED: a failure can be repeated."""
    command = [sys.executable, 'tools/fuzz.py', *options]
    result = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


def test_byte_streams_are_read_the_same_however_they_arrive() -> None:
    run_tool('wire', '--seed', str(SEED), '--inputs', str(BYTE_STREAMS))


def test_random_commands_leave_the_server_whole() -> None:
    run_tool('commands', '--seed', str(SEED), '--inputs', str(COMMANDS_RUN))


def test_every_command_is_in_the_grammar() -> None:
    made = {maker.name for maker in (*grammar.USUAL, *grammar.RARE_CALLS)}
    declared = {each.name for entry in all_commands() for each in (entry.subcommands.values() or (entry,))}
    assert declared - made == {'debug', 'pfselftest', 'shutdown'}


@pytest.mark.parametrize('fuzzer', [WireFuzzer(), CommandFuzzer()], ids=lambda fuzzer: fuzzer.name)
def test_an_input_follows_from_seed_and_number(fuzzer: WireFuzzer | CommandFuzzer) -> None:
    assert fuzzer.make(3, 7) == fuzzer.make(3, 7)
    assert fuzzer.make(3, 7) != fuzzer.make(3, 8)
    assert fuzzer.make(3, 7) != fuzzer.make(4, 7)


# --- faults that are there ---


class ForgetfulParser(RequestParser):
    """Loses what it is fed if that begins with a line feed."""

    def feed(self, data: bytes) -> list[Argv]:
        return super().feed(data.removeprefix(b'\n'))


def test_a_parser_that_loses_a_byte_between_two_reads_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(byte_streams, 'RequestParser', ForgetfulParser)
    fuzzer = WireFuzzer()
    with without_collection():
        found = first_failure(fuzzer, SEED, range(1000))
        assert found is not None
        smallest = shrink(fuzzer, found, seconds=5)
    assert 'read differently from the exact reader' in found.failure.kind
    assert sum(map(len, smallest.made.batches)) <= sum(map(len, found.made.batches))


def fail(client: object, argv: Words) -> bytes:
    raise RuntimeError('planted')


def answer(client: object, argv: Words) -> bytes:
    return b'as it should be'


def make_cycle(client: object, argv: Words) -> bytes:
    cycle: list[object] = []
    cycle.append(cycle)
    return b''


kept: list[object] = []


def leak(client: object, argv: Words) -> bytes:
    kept.append(object())
    return b''


@pytest.mark.parametrize(
    ('handler', 'kind'),
    [
        (fail, 'defect: RuntimeError: planted'),
        (make_cycle, 'uncollected cycle'),
        (leak, 'memory does not come back'),
        (answer, ''),
    ],
)
def test_a_command_with_a_fault_is_found(monkeypatch: pytest.MonkeyPatch, handler: object, kind: str) -> None:
    monkeypatch.setattr(COMMANDS[b'get'], 'handler', handler)
    program = Program((Step(0, ([b'PING'], [b'GET', b'str']), 0), Step(1, (), 10)), repeated=True)
    with without_collection():
        failure = failure_of(CommandFuzzer(), program)
    kept.clear()
    assert (failure.kind if failure else '') == kind


def test_a_failing_program_is_shrunk_to_the_command_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(COMMANDS[b'strlen'], 'handler', fail)
    fuzzer = CommandFuzzer()
    with without_collection():
        found = first_failure(fuzzer, SEED, range(1, 50))
        assert found is not None
        smallest = shrink(fuzzer, found)
    calls = [argv for step in smallest.made.steps for argv in step.commands]
    assert b'STRLEN' in [word.upper() for argv in calls for word in argv]
    assert len(calls) <= 3
    assert 'client ' in fuzzer.show(smallest.made)


def test_a_failure_that_changes_is_not_taken_for_the_same() -> None:
    class TwoFaults(CommandFuzzer):
        def check(self, made: Program) -> None:
            raise Failure('both' if len(made.steps) > 1 else 'one')

    steps = tuple(Step(client, (), 0) for client in range(4))
    found = Found(0, Program(steps, repeated=False), Failure('both'))
    assert len(shrink(TwoFaults(), found).made.steps) == 2
