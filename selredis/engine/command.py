"""The command table: what a command is called, what it takes, what it touches, and the function that carries it out.

A module of `selredis.commands` declares its commands with `@command`; importing it enters them here. Registration
wraps nothing: a handler is called as it is written. The table is COMMAND, COMMAND DOCS, key extraction, arity errors
and the README's list.
"""

from collections.abc import Callable
from typing import NamedTuple

from selredis.resp.reply import Reply

Argv = list[bytes]
UNLIMITED = 1 << 62


class KeySpec(NamedTuple):
    """Where keys are among the words of a command, and what happens to them (redis.io, "Command key specifications").

    The search begins at word `at`. Either a range: to the word `last` places behind it (negative: counted from the
    end of the command), every `step` words; or, with `first`, a number of keys stands at `at` and the keys `first`
    words behind it. `flags` are Redis's own words: RO, RW, OW or RM, then access, update, insert, delete.
    """

    flags: tuple[str, ...]
    at: int
    last: int
    step: int
    first: int | None


def key(flags: str, at: int, last: int = 0, step: int = 1) -> KeySpec:
    """Keys in a range of words."""
    return KeySpec(tuple(flags.split()), at, last, step, None)


def numkeys(flags: str, at: int, first: int = 1, step: int = 1) -> KeySpec:
    """Keys behind their own number."""
    return KeySpec(tuple(flags.split()), at, 0, step, first)


class Command:
    """One command or subcommand, as declared."""

    __slots__ = (
        'arity',
        'categories',
        'container',
        'deprecated',
        'flags',
        'group',
        'handler',
        'high',
        'history',
        'keys',
        'low',
        'name',
        'since',
        'subcommands',
        'tips',
    )

    def __init__(
        self,
        name: str,
        handler: Callable[..., Reply],
        *,
        arity: int,
        flags: str,
        keys: tuple[KeySpec, ...],
        since: str,
        group: str,
        categories: str,
        tips: tuple[str, ...],
        deprecated: tuple[str, str] | None,
        history: tuple[tuple[str, str], ...],
    ) -> None:
        self.container, _, _ = name.lower().rpartition('|')
        self.name = name.lower()  # in full: 'client|list'
        self.handler = handler
        self.arity = arity
        self.flags = frozenset(flags.split())
        self.keys = keys
        self.since = since
        self.group = group
        self.categories = frozenset(categories.split())  # beyond those that follow from flags and group
        self.tips = tips
        self.deprecated = deprecated  # the version, and what to use instead
        self.history = history
        self.subcommands: dict[bytes, Command] = {}  # by lower-case name
        # The words a command may have; a container or a protected command fits none, so that it is always looked at more
        # closely.
        self.low = UNLIMITED if 'protected' in self.flags else abs(arity)
        self.high = arity if arity > 0 else UNLIMITED

    def takes(self, count: int) -> bool:
        """Whether a command of so many words, its name included, is complete."""
        arity = self.arity
        return count == arity if arity > 0 else count >= -arity


COMMANDS: dict[bytes, Command] = {}  # by lower-case and by upper-case name; subcommands are in their containers


def command(
    name: str,
    *,
    arity: int,
    since: str,
    group: str,
    flags: str = '',
    keys: tuple[KeySpec, ...] = (),
    categories: str = '',
    tips: tuple[str, ...] = (),
    deprecated: tuple[str, str] | None = None,
    history: tuple[tuple[str, str], ...] = (),
) -> Callable[[Callable[..., Reply]], Callable[..., Reply]]:
    """Enter a handler in the table. A subcommand is named 'CLIENT|LIST' and declared after its container."""

    def register(handler: Callable[..., Reply]) -> Callable[..., Reply]:
        entry = Command(
            name,
            handler,
            arity=arity,
            flags=flags,
            keys=keys,
            since=since,
            group=group,
            categories=categories,
            tips=tips,
            deprecated=deprecated,
            history=history,
        )
        if entry.container:
            parent = COMMANDS[entry.container.encode()]
            parent.subcommands[entry.name.rpartition('|')[2].encode()] = entry
            parent.low = UNLIMITED
        else:
            COMMANDS[entry.name.encode()] = COMMANDS[entry.name.upper().encode()] = entry
        return handler

    return register


def all_commands() -> list[Command]:
    """Every command in the order of declaration, without subcommands."""
    return list(dict.fromkeys(COMMANDS.values()))
