"""A long random conversation of several clients with a server, the same for every seed.

Nothing in it depends on the time, or on what a server may choose. Its order is as sure: a client says more than one
command in a step only while nobody has said anything behind a command that waits, for that runs in a turn of its own.
"""

from collections.abc import Iterator
from random import Random
from typing import Literal, NamedTuple

from tests.harness.wire import Word, encode_command

CLIENTS = 6
PROTOCOLS: tuple[Literal[2, 3], ...] = (2, 3)  # in turns
MOST_COMMANDS = 12  # in a step
MOST_WAITING = 3

KEYS = ('a', 'b', 'c', 'd')
LISTS = ('p', 'q', 'r', 'a')
CHANNELS = ('news', 'nuts', 'x')
PATTERNS = ('n*', '?', '[mn]uts')
VALUES = ('', '0', '17', '-3', '3.5', 'text', 'two\r\nlines', 'x' * 300, 'y' * 20_000, 'z' * 200_000)
FAR = 32_503_680_000  # the year 3000


class Step(NamedTuple):
    """What happens next, and to whom. Between two pieces the server has its turn."""

    client: int
    action: Literal['say', 'leave', 'reset', 'unblock', 'outlive']
    pieces: tuple[bytes, ...] = ()
    replies: bool = False  # at least one comes, if only in a while


class Words:
    """Commands by chance."""

    def __init__(self, random: Random) -> None:
        self.random = random

    def key(self) -> str:
        return self.random.choice(KEYS)

    def list_key(self) -> str:
        return self.random.choice(LISTS)

    def value(self) -> str:
        return self.random.choices(VALUES, (4, 4, 4, 4, 4, 4, 4, 4, 2, 1))[0]

    def small(self) -> int:
        return self.random.randint(-4, 6)

    def end(self) -> str:
        return self.random.choice(('LEFT', 'RIGHT'))

    def values(self) -> list[str]:
        return [self.value() for _ in range(self.random.randint(1, 4))]

    def command(self) -> list[Word]:
        family = self.random.choices(
            (self.string, self.any_list, self.any_key, self.pubsub, self.other), (4, 5, 3, 4, 4)
        )
        return family[0]()

    def string(self) -> list[Word]:
        key, value, small = self.key(), self.value(), self.small()
        return self.random.choice(
            [
                ['SET', key, value],
                ['SET', key, value, 'GET'],
                ['SET', key, value, 'NX', 'EXAT', FAR + small],
                ['SET', key, value, 'PXAT', 1],
                ['GET', key],
                ['GETDEL', key],
                ['GETEX', key, 'EXAT', FAR + small],
                ['APPEND', key, small],
                ['INCRBY', key, small],
                ['INCRBYFLOAT', key, '0.25'],
                ['STRLEN', key],
                ['GETRANGE', key, small, 4],
                ['SETRANGE', key, abs(small), 'ab'],
                ['MSET', key, value, self.key(), small],
                ['MGET', *KEYS],
                ['LCS', key, self.key(), 'LEN'] if len(value) < 100 else ['EXISTS', *KEYS],
            ]
        )

    def any_list(self) -> list[Word]:
        key, small = self.list_key(), self.small()
        return self.random.choice(
            [
                ['RPUSH', key, *self.values()],
                ['LPUSH', key, *self.values()],
                ['RPUSHX', key, *self.values()],
                ['LPOP', key],
                ['RPOP', key, abs(small)],
                ['LRANGE', key, small, -1],
                ['LLEN', key],
                ['LINDEX', key, small],
                ['LINSERT', key, 'BEFORE', '17', 'text'],
                ['LSET', key, small, self.value()],
                ['LREM', key, small, '17'],
                ['LTRIM', key, small, small + 4],
                ['LPOS', key, 'text', 'COUNT', 0],
                ['LMOVE', key, self.list_key(), self.end(), self.end()],
                ['LMPOP', 2, key, self.list_key(), self.end(), 'COUNT', 2],
            ]
        )

    def any_key(self) -> list[Word]:
        key, other = self.random.choice(KEYS + LISTS), self.random.choice(KEYS + LISTS)
        return self.random.choice(
            [
                ['DEL', key, other],
                ['UNLINK', key],
                ['RENAME', key, other],
                ['RENAMENX', key, other],
                ['COPY', key, other, 'REPLACE'],
                ['TYPE', key],
                ['EXISTS', key, other],
                ['EXPIREAT', key, FAR + self.small()],
                ['PEXPIREAT', key, 1],
                ['EXPIRETIME', key],
                ['PERSIST', key],
                ['MOVE', key, 1],
                ['DBSIZE'],
                ['OBJECT', 'ENCODING', key],
            ]
        )

    def pubsub(self) -> list[Word]:
        channel, pattern = self.random.choice(CHANNELS), self.random.choice(PATTERNS)
        publishing: list[list[Word]] = [['PUBLISH', channel, self.value()] for _ in range(6)]
        commands: list[list[Word]] = [
            ['SUBSCRIBE', channel],
            ['SUBSCRIBE', *CHANNELS],
            ['PSUBSCRIBE', pattern],
            ['SSUBSCRIBE', channel],
            ['UNSUBSCRIBE'],
            ['PUNSUBSCRIBE'],
            ['SUNSUBSCRIBE', channel],
            ['RESET'],
            *publishing,
            ['SPUBLISH', channel, self.value()],
            ['PUBSUB', 'NUMSUB', *CHANNELS],
            ['PUBSUB', 'NUMPAT'],
        ]
        return self.random.choice(commands)

    def other(self) -> list[Word]:
        return self.random.choice(
            [
                ['PING'],
                ['ECHO', self.value()],
                ['SELECT', self.random.choice((0, 0, 0, 1))],
                ['WATCH', self.key()],
                ['UNWATCH'],
                ['MULTI'],
                ['MULTI'],
                ['EXEC'],
                ['EXEC'],
                ['EXEC'],
                ['DISCARD'],
                ['CLIENT', 'REPLY', 'SKIP'],
                ['HELLO', self.random.choice((2, 3))],
                ['CONFIG', 'SET', 'notify-keyspace-events', self.random.choice(('', 'Kl', 'EA'))],
                ['NOSUCH', self.value()[:30]],
                ['GET'],
                ['SWAPDB', 0, 1],
            ]
        )

    def waiting(self, seconds: Word = 0) -> list[Word]:
        key, other = self.list_key(), self.list_key()
        return self.random.choice(
            [
                ['BLPOP', key, other, seconds],
                ['BRPOP', key, seconds],
                ['BLMOVE', key, other, self.end(), self.end(), seconds],
                ['BLMPOP', seconds, 2, key, other, self.end(), 'COUNT', 2],
            ]
        )


def script(seed: int, count: int) -> Iterator[Step]:
    """So many steps. Before the first, clients in turn speak RESP2 and RESP3."""
    random = Random(seed)
    words = Words(random)
    waiting: dict[int, bool] = {}  # who may wait, and whether it has said something behind that

    def pieces(commands: list[list[Word]]) -> tuple[bytes, ...]:
        data = b''.join(spell(random, command) for command in commands)
        if random.random() < 0.5:
            return (data,)
        places = sorted({random.randrange(1, len(data)) for _ in range(random.randint(1, 3))})
        return tuple(data[begin:end] for begin, end in zip([0, *places], [*places, len(data)], strict=True))

    for _ in range(count):
        client = random.randrange(CLIENTS)
        chance = random.random()
        if client in waiting:
            if chance < 0.12:
                waiting[client] = True
                yield Step(client, 'say', pieces([words.command()]))
            elif chance < 0.5:
                del waiting[client]
                yield Step(client, 'unblock')
            elif chance < 0.58:
                del waiting[client]
                yield Step(client, random.choice(('leave', 'reset')))
        elif chance < 0.1 and len(waiting) < MOST_WAITING:
            waiting[client] = False
            yield Step(client, 'say', pieces([words.waiting()]))
        elif chance < 0.12:
            yield Step(client, random.choice(('leave', 'reset')))
        elif chance < 0.14:
            # Whatever the client has said before, it gets one reply: that the time is over, or why it may not wait.
            yield Step(client, 'say', pieces([['RESET']]))
            yield Step(client, 'say', pieces([['BLPOP', 'never', '0.002']]), replies=True)
        elif chance < 0.16:
            yield Step(client, 'outlive')
        else:
            most = 1 if any(waiting.values()) else MOST_COMMANDS
            yield Step(client, 'say', pieces([words.command() for _ in range(random.randint(1, most))]))


def spell(random: Random, command: list[Word]) -> bytes:
    """The command as RESP has it, or inline where that can be and chance will have it."""
    texts = [str(word) for word in command]
    if random.random() < 0.1 and all(text.isalnum() for text in texts) and sum(map(len, texts)) < 1000:
        return ' '.join(texts).encode() + b'\r\n'
    return encode_command(*command)
