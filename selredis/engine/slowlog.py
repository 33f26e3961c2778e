"""The slow log: the last commands that took longer than they should (redis.io, "SLOWLOG")."""

from collections import deque
from itertools import islice
from typing import NamedTuple

from selredis.engine.command import Argv

# Of a longer command, and of a longer word, the rest is only counted (redis slowlog.h).
MOST_WORDS = 32
MOST_BYTES = 128


class SlowCall(NamedTuple):
    """One call: its number, when it ended (Unix time, s), how long it took (us), by whom."""

    number: int
    time_s: int
    taken_us: int
    argv: Argv
    addr: bytes
    client_name: bytes


class SlowLog:
    """The newest entry comes first. Numbers go on over `clear`."""

    __slots__ = ('_entries', '_next_number')

    def __init__(self) -> None:
        self._entries: deque[SlowCall] = deque()
        self._next_number = 0

    def __len__(self) -> int:
        return len(self._entries)

    def newest(self, count: int) -> list[SlowCall]:
        return list(islice(self._entries, count))

    def add(self, argv: Argv, time_s: int, taken_us: int, addr: bytes, client_name: bytes) -> None:
        self._entries.appendleft(SlowCall(self._next_number, time_s, taken_us, shortened(argv), addr, client_name))
        self._next_number += 1

    def trim(self, length: int) -> None:
        """Keep so many entries."""
        while len(self._entries) > length:
            self._entries.pop()

    def clear(self) -> None:
        self._entries.clear()


def shortened(argv: Argv) -> Argv:
    """A command's words, not too many and none too long."""
    more = len(argv) - MOST_WORDS
    if more > 0:
        argv = [*argv[: MOST_WORDS - 1], b'... (%d more arguments)' % (more + 1)]
    return [
        b'%b... (%d more bytes)' % (word[:MOST_BYTES], len(word) - MOST_BYTES) if len(word) > MOST_BYTES else word
        for word in argv
    ]
