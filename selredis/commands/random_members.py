"""What HRANDFIELD, SRANDMEMBER and ZRANDMEMBER share: a number of members at random."""

from collections.abc import Callable, Iterator
from random import Random
from typing import Protocol, TypeVar

from selredis.engine.client import Client
from selredis.errors import ReplyError
from selredis.numeric import INT64_MAX, integer

A_LOOK = 10_000  # members drawn between two looks at what a reply takes
MOST_BYTES = 1 << 30
BULK_BYTES = 16  # of a member in a reply, beside its own

SMALL = 128  # members; Redis returns random members of a listpack in its order

T = TypeVar('T')


class Drawable(Protocol):
    """A table that gives random members (values/buckets.py)."""

    mask: int

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[bytes]: ...

    def unordered(self) -> Iterator[bytes]: ...

    def random_member(self, random: Random) -> bytes: ...


def read_count(text: bytes) -> int:
    """A number of members, negative for such as may come several times. Raises ReplyError."""
    count = integer(text)
    if count < -INT64_MAX:
        raise ReplyError(b'ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807')
    return count


def some_members(table: Drawable, count: int, random: Random) -> list[bytes]:
    """So many different members, or all: any choice as likely as another."""
    size = len(table)
    if count >= size:
        return list(table)
    if count > 1 and (size <= SMALL or not table.mask):
        members = list(table)
        return [members[place] for place in sorted(random.sample(range(size), count))]
    if 3 * count > size:
        return random.sample(list(table.unordered()), count)
    found: dict[bytes, None] = {}
    while len(found) < count:
        found[table.random_member(random)] = None
    return list(found)


def repeated(client: Client, count: int, draw: Callable[[], bytes]) -> list[bytes]:
    """What so many drawings give.

    A client that asks for more than it may leave unread is cut off on the way, as in Redis. Raises ReplyError where
    that has no limit and the reply would take gigabytes.
    """
    found: list[bytes] = []
    size = 0
    while count > len(found):
        drawn = [draw() for _ in range(min(A_LOOK, count - len(found)))]
        size += sum(map(len, drawn)) + BULK_BYTES * len(drawn)
        found += drawn
        if client.check_output_limit(size):
            return []
        if size > MOST_BYTES:
            raise ReplyError(b'ERR value is out of range')
    return found
