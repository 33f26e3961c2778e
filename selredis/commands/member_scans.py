"""What HSCAN, SSCAN and ZSCAN share: SCAN for the members of one value."""

from typing import Protocol

from selredis.commands.scan import read_options
from selredis.engine.command import Argv
from selredis.errors import SYNTAX, ReplyError
from selredis.glob import compile_glob

SMALL = 128  # members; fewer are all returned at once, as Redis does with what it keeps in a small way


class Scannable(Protocol):
    """A table whose members can be walked in steps (values/buckets.py)."""

    def __len__(self) -> int: ...

    def scan(self, cursor: int, count: int) -> tuple[int, list[bytes]]: ...


def scan_members(table: Scannable, cursor: int, words: Argv, small: int = SMALL) -> tuple[int, list[bytes]]:
    """Some members and the cursor for more, as MATCH and COUNT among the words wish. Raises ReplyError.

    A table of up to `small` members is returned whole.
    """
    count, pattern, kind = read_options(words)
    if kind is not None:
        raise ReplyError(SYNTAX)
    if len(table) <= small:
        cursor, count = 0, small
    cursor, members = table.scan(cursor, count)
    if pattern not in (None, b'*'):
        members = list(filter(compile_glob(pattern), members))
    return cursor, members
