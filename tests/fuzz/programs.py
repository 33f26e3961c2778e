"""The command fuzzer: whatever clients ask for, the server stays whole and gives back what it took.

An input is a program for a few clients: pipelines of random calls (`grammar`), among data of every type, with clients
that come and go and time that passes. It runs on a server of its own. After each pipeline the replies are parsed;
every few of them all tables are compared with each other. At the end all clients leave and all keys are removed;
nothing may be left, and no object that only the cyclic garbage collector can free. Some programs run many times on one
server, which may not take more memory each time.
"""

import gc
import re
import traceback
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from random import Random
from typing import NamedTuple

from tests.fuzz.fuzzer import Failure, without_parts
from tests.fuzz.grammar import random_call
from tests.fuzz.stage import CLIENTS, Argv, FuzzedServer, Step, allocated_blocks
from tests.fuzz.vocabulary import FILLING, LONG_FILLING
from tests.harness.wire import quote

COMMANDS = 400  # a program, without those that make data
PROGRAMS_A_REPETITION = 40  # of so many programs one is run many times
WARM_ROUNDS = 4
WINDOWS = (2, 10, 20, 30, 30, 30)  # rounds between two looks at the memory; most programs end with the first
LEAST_LEAK = 0.7  # blocks a round
PAUSES_MS = (0, 0, 0, 0, 0, 1, 10, 25, 1000, 100_000, 10**9)
LEAVING_SHARE = 0.06
SITUATION_SHARE = 0.15
TRANSACTION_SHARE = 0.06
LONG_SHARE = 0.25
ACCOUNT_SHARE = 0.3  # of programs, that begin with an account of the memory
MOST_IN_A_PIPELINE = 8
PLAIN = re.compile(rb'[!#-&(-\[\]-~]+')  # words that redis-cli takes without quotes

# Without these clients would seldom get into the states in which commands are queued, held back, refused, or told of.
SITUATIONS: tuple[tuple[Argv, ...], ...] = (
    *(([b'MULTI'],), ([b'MULTI'],), ([b'EXEC'],), ([b'EXEC'],), ([b'DISCARD'],), ([b'WATCH', b'list', b'none'],)),
    ([b'WATCH', b'str'], [b'MULTI'], [b'GET', b'str']),
    *(([b'BLPOP', b'none', b'', b'0.01'],), ([b'BLMOVE', b'none', b'list', b'LEFT', b'RIGHT', b'0'],)),
    *(
        ([b'BZMPOP', b'0', b'2', b'none', b'none2', b'MIN'],),
        ([b'XREAD', b'BLOCK', b'0', b'STREAMS', b'stream', b'$'],),
    ),
    ([b'XREADGROUP', b'GROUP', b'g', b'bob', b'BLOCK', b'50', b'STREAMS', b'stream', b'>'],),
    *(([b'RPUSH', b'none', b'x', b'y'],), ([b'ZADD', b'none', b'1', b'a'],), ([b'XADD', b'stream', b'*', b'f', b'1'],)),
    *(([b'SUBSCRIBE', b'news', b''],), ([b'PSUBSCRIBE', b'n*', b'__key*'],), ([b'SSUBSCRIBE', b'news'],)),
    *(
        ([b'UNSUBSCRIBE'], [b'PUNSUBSCRIBE'], [b'SUNSUBSCRIBE']),
        ([b'RESET'],),
        ([b'HELLO', b'3'],),
        ([b'HELLO', b'2'],),
    ),
    *(([b'PUBLISH', b'news', b'x'],), ([b'SELECT', b'1'],), ([b'SELECT', b'0'],), ([b'SELECT', b'0'],)),
    *(([b'SWAPDB', b'0', b'1'],), ([b'CLIENT', b'NO-TOUCH', b'ON'],)),
    *(([b'CLIENT', b'TRACKING', b'ON'],), ([b'CLIENT', b'TRACKING', b'ON', b'BCAST', b'PREFIX', b's'],)),
    *(([b'CLIENT', b'TRACKING', b'ON', b'REDIRECT', b'1'],), ([b'CLIENT', b'TRACKING', b'OFF'],)),
    ([b'CLIENT', b'TRACKING', b'ON', b'OPTIN'], [b'CLIENT', b'CACHING', b'YES'], [b'GET', b'str']),
    *(([b'CLIENT', b'REPLY', b'SKIP'],), ([b'CLIENT', b'REPLY', b'OFF'],), ([b'CLIENT', b'REPLY', b'ON'],)),
    *(([b'CLIENT', b'REPLY', b'ON'],), ([b'CLIENT', b'PAUSE', b'20', b'WRITE'],), ([b'CLIENT', b'PAUSE', b'20'],)),
    *(([b'CLIENT', b'UNPAUSE'],), ([b'CLIENT', b'UNBLOCK', b'1'],), ([b'CLIENT', b'UNBLOCK', b'2', b'ERROR'],)),
    *(([b'CLIENT', b'KILL', b'ID', b'2'],), ([b'AUTH', b'secret'],), ([b'AUTH', b'secret'],), ([b'DEBUG', b'DIGEST'],)),
    *(([b'CONFIG', b'SET', b'maxmemory', b'100mb'],), ([b'CONFIG', b'SET', b'maxmemory', b'100mb'],)),
    *(([b'CONFIG', b'SET', b'requirepass', b''],), ([b'CONFIG', b'SET', b'maxmemory', b'0'],)),
    *(([b'CONFIG', b'SET', b'notify-keyspace-events', b'KEA'],), ([b'GET', b'str'],), ([b'SET', b'str', b'x'],)),
    *(
        ([b'EXPIRE', b'list', b'1'],),
        ([b'PEXPIRE', b'zset', b'5'],),
        ([b'HPEXPIRE', b'hash', b'5', b'FIELDS', b'1', b'f'],),
    ),
)


class Program(NamedTuple):
    """What the clients do. `repeated`: it is run again and again on one server, and its memory watched."""

    steps: tuple[Step, ...]
    repeated: bool


class CommandFuzzer:
    """Programs of random commands on a whole server."""

    name = 'commands'
    unit = 'commands'

    def make(self, seed: int, number: int) -> Program:
        random = Random(seed << 40 | number)
        rand = random.random
        steps = [Step(0, tuple(FILLING), 0)]
        if rand() < ACCOUNT_SHARE:
            steps.append(Step(0, ([b'CONFIG', b'SET', b'maxmemory', b'100mb'],), 0))
        if rand() < LONG_SHARE:
            steps.append(Step(0, tuple(LONG_FILLING), 0))
        commands = 0
        while commands < COMMANDS:
            said: list[Argv] = []
            if rand() >= LEAVING_SHARE:
                for _ in range(1 + int(rand() * MOST_IN_A_PIPELINE)):
                    if rand() < SITUATION_SHARE:
                        said += SITUATIONS[int(rand() * len(SITUATIONS))]
                    else:
                        said.append(random_call(random))
                if rand() < TRANSACTION_SHARE:
                    said = [[b'MULTI'], *said, [b'EXEC']]
            steps.append(Step(int(rand() * CLIENTS), tuple(said), PAUSES_MS[int(rand() * len(PAUSES_MS))]))
            commands += max(len(said), 1)
        return Program(tuple(steps), number % PROGRAMS_A_REPETITION == 0)

    def count(self, made: Program) -> int:
        commands = sum(len(step.commands) for step in made.steps)
        return commands * (1 + WARM_ROUNDS + WINDOWS[0]) if made.repeated else commands

    def check(self, made: Program) -> None:
        gc.collect()  # the server of the last program, which has cycles and goes as a whole
        try:
            run(made)
        except Failure:
            raise
        except Exception as error:  # noqa: BLE001  (a defect may end the server, too)
            kind = f'{type(error).__module__}.{type(error).__name__}: {str(error)[:60]}'
            raise Failure(kind, traceback.format_exc()) from None

    def reductions(self, made: Program) -> Iterable[Program]:
        for steps in without_parts(made.steps):
            yield made._replace(steps=steps)
        for place, step in enumerate(made.steps):
            for smaller in reduced_steps(step):
                yield made._replace(steps=(*made.steps[:place], smaller, *made.steps[place + 1 :]))

    def show(self, made: Program) -> str:
        lines: list[str] = []
        for step in made.steps:
            prompt = f'client {step.client}> '
            lines += [prompt + ' '.join(map(shown_word, argv)) for argv in step.commands]
            if not step.commands:
                lines.append(f'(client {step.client} disconnects, another takes its place)')
            if step.pass_ms:
                lines.append(f'({step.pass_ms} ms pass)')
        if made.repeated:
            lines.append('(run again and again on one server, with all clients closed and FLUSHALL between)')
        return '\n'.join(lines)


def run(program: Program) -> None:
    with closing(FuzzedServer()) as server:
        server.play_all(program.steps)
        if program.repeated:
            check_memory(server, program.steps)


def reduced_steps(step: Step) -> Iterator[Step]:
    """A step with fewer commands, without the time, or with fewer words."""
    for commands in without_parts(step.commands):
        yield step._replace(commands=commands)
    if step.pass_ms:
        yield step._replace(pass_ms=0)
    for place, argv in enumerate(step.commands):
        for shorter in without_parts(argv[1:]):
            argvs = (*step.commands[:place], [argv[0], *shorter], *step.commands[place + 1 :])
            yield step._replace(commands=argvs)


def shown_word(word: bytes) -> str:
    return word.decode() if PLAIN.fullmatch(word) else quote(word)


def check_memory(server: FuzzedServer, steps: Sequence[Step]) -> None:
    """Run a program again and again: each time all memory comes back. Raises Failure.

    The number of allocated blocks may grow for some rounds, while caches fill. A leak goes on growing.
    """
    for _ in range(WARM_ROUNDS):
        server.play_all(steps)
    sizes = array('q', [allocated_blocks()])  # holds no objects, which would count themselves
    for rounds in WINDOWS:
        for _ in range(rounds):
            server.play_all(steps)
        sizes.append(allocated_blocks())
        if sizes[-1] - sizes[-2] < rounds * LEAST_LEAK:
            return
    raise Failure('memory does not come back', f'allocated blocks: {list(sizes)}; rounds between: {WINDOWS}')
