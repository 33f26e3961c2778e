"""What HSCAN, SSCAN and ZSCAN share: SCAN for the members of one value."""

from collections.abc import Iterator
from typing import Protocol

from selredis.commands.scan import read_options
from selredis.engine.command import Argv
from selredis.errors import SYNTAX, ReplyError
from selredis.glob import compile_glob
from selredis.values.encoding import Limits, encoding_of

COMPACT = frozenset((b'intset', b'listpack', b'listpackex'))  # encodings whose members are all returned at once


class Scannable(Protocol):
    """A table whose members can be walked in steps (values/buckets.py)."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[bytes]: ...

    def scan(self, cursor: int, count: int) -> tuple[int, list[bytes]]: ...


def scan_members(table: Scannable, cursor: int, words: Argv, limits: Limits) -> tuple[int, list[bytes]]:
    """Some members and the cursor for more, as MATCH and COUNT among the words wish. Raises ReplyError.

    All members of what Redis would keep in an intset or a listpack are returned at once, in their order.
    """
    count, pattern, kind = read_options(words)
    if kind is not None:
        raise ReplyError(SYNTAX)
    if (not cursor and count >= len(table)) or encoding_of(table, limits) in COMPACT:
        cursor, members = 0, list(table)
    else:
        cursor, members = table.scan(cursor, count)
    if pattern not in (None, b'*'):
        members = list(filter(compile_glob(pattern), members))
    return cursor, members
