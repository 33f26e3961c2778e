"""Data types: no keys, no clients."""

from collections import deque


class List(deque[bytes]):
    """A list: quick at both ends, and its blocks keep a walk along it short."""

    __slots__ = ()
