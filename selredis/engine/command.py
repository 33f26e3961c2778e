"""The command table: what a command is called, what it takes, what it touches, and the function that carries it out.

A module of `selredis.commands` declares its commands with `@command`; importing it enters them here. Registration
wraps nothing: a handler is called as it is written. The table is COMMAND, COMMAND DOCS, key extraction, arity errors
and the README's list.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from selredis.engine.syntax import Note
from selredis.errors import ConfigError
from selredis.resp.reply import Reply

Argv = Sequence[bytes]
UNLIMITED = 1 << 62
UNKNOWN = 0  # the place of keys that are found otherwise; a command's name is there, and never a key
MANY_WORDS = 64
NO_TYPES: Mapping[str, str] = MappingProxyType({})
NO_NOTES: Mapping[str, Note] = MappingProxyType({})

# The categories that access lists know, in the order in which Redis names them (acl.c, ACLCommandCategories).
CATEGORIES = (
    *('keyspace', 'read', 'write', 'set', 'sortedset', 'list', 'hash', 'string', 'bitmap', 'hyperloglog', 'geo'),
    *('stream', 'pubsub', 'admin', 'fast', 'slow', 'blocking', 'dangerous', 'connection', 'transaction', 'scripting'),
)
# Groups whose commands have a category in common. (That of pub/sub follows from the flag.)
CATEGORY_OF_GROUP = {
    'bitmap': 'bitmap',
    'connection': 'connection',
    'generic': 'keyspace',
    'geo': 'geo',
    'hyperloglog': 'hyperloglog',
    'hash': 'hash',
    'list': 'list',
    'stream': 'stream',
    'set': 'set',
    'sorted-set': 'sortedset',
    'string': 'string',
    'transactions': 'transaction',
}
CATEGORIES_OF_FLAG = {
    'admin': ('admin', 'dangerous'),
    'blocking': ('blocking',),
    'fast': ('fast',),
    'pubsub': ('pubsub',),
    'readonly': ('read',),
    'write': ('write',),
}


class KeySpec(NamedTuple):
    """Where keys are among the words of a command, and what happens to them (redis.io, "Command key specifications").

    The search begins at word `at`. Either a range: to the word `last` places behind it (negative: counted from the
    end of the command), every `step` words; or, with `first`, a number of keys stands at `at` and the keys `first`
    words behind it. With `keyword` the search begins behind the first such word that is found from word `at` on, and a
    `last` of -1 with a `limit` means the first part of the words left, divided in so many. Where `at` is UNKNOWN no
    such rule tells the keys. `flags` are Redis's own words: RO, RW, OW or RM,
    then access, update, insert, delete; not_key for what is only found like a key; variable_flags if they depend on the
    options. `note` tells people what they mean.
    """

    flags: tuple[str, ...]
    at: int
    last: int
    step: int
    first: int | None
    note: str = ''
    keyword: str = ''
    limit: int = 0


def key(flags: str, at: int, last: int = 0, step: int = 1, *, note: str = '') -> KeySpec:
    """Keys in a range of words."""
    return KeySpec(tuple(flags.split()), at, last, step, None, note)


def numkeys(flags: str, at: int, first: int = 1, step: int = 1) -> KeySpec:
    """Keys behind their own number."""
    return KeySpec(tuple(flags.split()), at, 0, step, first)


def keyword(flags: str, word: str, at: int, last: int = 0, step: int = 1, *, limit: int = 0) -> KeySpec:
    """Keys in a range of words behind a keyword."""
    return KeySpec(tuple(flags.split()), at, last, step, None, '', word, limit)


def unknown(flags: str, *, note: str) -> KeySpec:
    """Keys that no rule tells: engine/command_keys.py has a function for their command, if its words tell them."""
    return KeySpec(tuple(flags.split()), UNKNOWN, 0, 1, None, note)


class Command:
    """One command or subcommand, as declared."""

    __slots__ = (
        'arguments',
        'arity',
        'brief',
        'categories',
        'container',
        'deprecated',
        'fast',
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
        'types',
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
        types: Mapping[str, str] = NO_TYPES,
        arguments: Mapping[str, Note] = NO_NOTES,
    ) -> None:
        self.container, _, _ = name.lower().rpartition('|')
        self.name = name.lower()  # in full: 'client|list'
        self.handler = handler
        self.arity = arity
        self.flags = frozenset(flags.split())
        self.fast = 'fast' in self.flags
        self.keys = keys
        self.since = since
        self.group = group
        # Beyond those that follow from flags and group; behind a minus, those that do not although they would.
        self.categories = frozenset(categories.split())
        self.tips = tips
        self.deprecated = deprecated  # the version, and what to use instead
        self.history = history
        self.types = types
        self.arguments = arguments
        self.subcommands: dict[bytes, Command] = {}  # by lower-case name
        # How many words a plain client may call it with. None for a container or a protected command: those take the
        # path with all checks.
        self.low = abs(arity) if 'protected' not in self.flags else UNLIMITED
        self.brief = not self.flags.isdisjoint(('fast', 'brief')) and 'blocking' not in self.flags
        # A brief command with many words isn't brief: it is to be timed alone.
        self.high = arity if arity > 0 else MANY_WORDS if self.brief else UNLIMITED

    def takes(self, count: int) -> bool:
        """Whether a command of so many words, its name included, is complete."""
        arity = self.arity
        return count == arity if arity > 0 else count >= -arity

    @property
    def acl_categories(self) -> list[str]:
        """All its categories in Redis's order: those that follow from flags and group, and those declared.

        What only holds subcommands has none of its group: there is nothing to allow but them.
        """
        found = set(self.categories)
        for flag in self.flags:
            found.update(CATEGORIES_OF_FLAG.get(flag, ()))
        if 'fast' not in found:
            found.add('slow')
        if not self.subcommands:
            found.add(CATEGORY_OF_GROUP.get(self.group, ''))
        found -= {category.removeprefix('-') for category in self.categories if category.startswith('-')}
        return [category for category in CATEGORIES if category in found]


COMMANDS: dict[bytes, Command] = {}  # by lower-case and by upper-case name; subcommands are in their containers

# Commands of Redis 7.4 that aren't implemented. `rename-command` accepts them: hardened configuration files have such
# lines.
UNIMPLEMENTED = frozenset(
    b"""
    acl bgrewriteaof bgsave dump eval eval_ro evalsha evalsha_ro failover fcall fcall_ro function lastsave migrate psync
    replconf replicaof restore restore-asking save script slaveof sync
    """.split()
)


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
    types: Mapping[str, str] = NO_TYPES,
    arguments: Mapping[str, Note] = NO_NOTES,
) -> Callable[[Callable[..., Reply]], Callable[..., Reply]]:
    """Enter a handler in the table. A subcommand is named 'CLIENT|LIST' and declared after its container.

    `flags` are those of COMMAND INFO and, not shown there, protected, may_replicate, touches_arbitrary_keys, syscmd
    and, of this server alone: brief, one call takes about a microsecond, though Redis does not call it fast; and
    to_replicas, it is propagated to replicas although it changes nothing.
    `deprecated`: since when, and what to use instead. `history`: version and change. `types`: of arguments whose name
    does not tell (engine/syntax.py, TYPES). `arguments`: what their names in COMMAND DOCS and their versions are, where
    the syntax line does not tell.
    """

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
            types=types,
            arguments=arguments,
        )
        if entry.container:
            parent = COMMANDS[entry.container.encode()]
            parent.subcommands[entry.name.rpartition('|')[2].encode()] = entry
            parent.low = UNLIMITED
        else:
            COMMANDS[entry.name.encode()] = COMMANDS[entry.name.upper().encode()] = entry
        return handler

    return register


class CommandTable(dict[bytes, Command]):
    """The commands of one server, by the names that it has for them (rename-command)."""

    __slots__ = ('_unimplemented',)

    def __init__(self) -> None:
        super().__init__(COMMANDS)
        self._unimplemented = UNIMPLEMENTED

    def rename(self, name: bytes, new_name: bytes) -> None:
        """Rename a command, or disable it if the new name is empty.

        A command that isn't implemented may be renamed, too, and is unknown by any name. Raises ConfigError if no
        command has the old name, or one has the new name already.
        """
        name, target = name.lower(), new_name.lower()
        command = self.get(name)
        if command is None and name not in self._unimplemented:
            raise ConfigError('No such command in rename-command')
        self._unimplemented -= {name}
        self.pop(name, None)
        self.pop(name.upper(), None)
        if not target:
            return
        if target in self or target in self._unimplemented:
            raise ConfigError('Target command name already exists')
        if command is None:
            self._unimplemented |= {target}
        else:
            self[target] = self[target.upper()] = command


def all_commands(commands: Mapping[bytes, Command] = COMMANDS) -> list[Command]:
    """Every command in the order of declaration, without subcommands."""
    return list(dict.fromkeys(commands.values()))
