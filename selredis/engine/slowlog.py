"""The slow log: the last commands that took longer than they should (redis.io, "SLOWLOG")."""

from collections import deque
from itertools import islice
from sys import getsizeof
from typing import NamedTuple

from selredis.engine.command import Argv
from selredis.values.size import INT_BYTES, allocated, strings_bytes

# Of a longer command, and of a longer word, the rest is only counted (redis slowlog.h).
MOST_WORDS = 32
MOST_BYTES = 128
ENTRY_BYTES = allocated(getsizeof((None,) * 6)) + allocated(getsizeof([])) + 3 * INT_BYTES + 8


class SlowCall(NamedTuple):
    """One call: its number, when it ended (Unix time, s), how long it took (us), by whom."""

    number: int
    time_s: int
    taken_us: int
    argv: Argv
    addr: bytes
    client_name: bytes


class SlowLog:
    """The newest entry comes first. Numbers go on over `clear`. `used`: memory of the entries, in bytes."""

    __slots__ = ('_entries', '_names', '_next_number', 'used')

    def __init__(self) -> None:
        self._entries: deque[SlowCall] = deque()
        self._names: dict[bytes, int] = {}  # of clients, and in how many entries, which have the same object
        self._next_number = 0
        self.used = 0

    def __len__(self) -> int:
        return len(self._entries)

    def newest(self, count: int) -> list[SlowCall]:
        return list(islice(self._entries, count))

    def add(self, argv: Argv, time_s: int, taken_us: int, addr: bytes, client_name: bytes) -> None:
        entry = SlowCall(self._next_number, time_s, taken_us, shortened(argv), addr, client_name)
        if client_name not in self._names:
            self.used += len(client_name)
        self._names[client_name] = self._names.get(client_name, 0) + 1
        self.used += entry_bytes(entry)
        self._entries.appendleft(entry)
        self._next_number += 1

    def trim(self, length: int) -> None:
        """Keep so many entries."""
        while len(self._entries) > length:
            entry = self._entries.pop()
            self.used -= entry_bytes(entry)
            self._names[entry.client_name] -= 1
            if not self._names[entry.client_name]:
                del self._names[entry.client_name]
                self.used -= len(entry.client_name)

    def clear(self) -> None:
        self._entries.clear()
        self._names.clear()
        self.used = 0


def entry_bytes(entry: SlowCall) -> int:
    """Memory of an entry without the client's name."""
    return ENTRY_BYTES + allocated(8 * len(entry.argv)) + strings_bytes(entry.argv)


def shortened(argv: Argv) -> Argv:
    """A command's words, not too many and none too long."""
    more = len(argv) - MOST_WORDS
    if more > 0:
        argv = [*argv[: MOST_WORDS - 1], b'... (%d more arguments)' % (more + 1)]
    return [
        b'%b... (%d more bytes)' % (word[:MOST_BYTES], len(word) - MOST_BYTES) if len(word) > MOST_BYTES else word
        for word in argv
    ]
