"""COMMAND: what the table of commands tells clients about itself."""

from collections.abc import Callable, Mapping
from functools import cache

from selredis.engine.client import Client
from selredis.engine.command import UNKNOWN, Argv, Command, KeySpec, all_commands, command
from selredis.engine.command_keys import FoundKey, find_keys, has_keys, legacy_range
from selredis.engine.help import help_on_subcommands
from selredis.engine.syntax import Argument, docstring_parts, parse_syntax
from selredis.errors import SYNTAX, ReplyError
from selredis.glob import compile_glob
from selredis.resp.reply import Map, Reply, Set_, Status

ORDER_TIPS = ('nondeterministic_output_order',)

# The flags that are shown, in the order of Redis (server.c, addReplyFlagsForCommand).
SHOWN_FLAGS = (
    *('write', 'readonly', 'denyoom', 'module', 'admin', 'pubsub', 'noscript', 'blocking', 'loading', 'stale'),
    *('skip_monitor', 'skip_slowlog', 'asking', 'fast', 'no_auth', 'no_mandatory_keys', 'no_async_loading', 'no_multi'),
    *('movablekeys', 'allow_busy'),
)


@command(
    'COMMAND',
    arity=-1,
    flags='loading stale',
    since='2.8.13',
    group='server',
    categories='connection',
    tips=ORDER_TIPS,
)
def command_(client: Client, argv: Argv) -> Reply:
    """COMMAND

    Returns about every command what COMMAND INFO tells.

    O(N) where N is the number of commands.
    """
    return [info(entry) for entry in all_commands(client.engine.commands)]


@command('COMMAND|COUNT', arity=2, flags='loading stale', since='2.8.13', group='server', categories='connection')
def command_count(client: Client, argv: Argv) -> Reply:
    """COMMAND COUNT

    Returns how many commands there are, subcommands not counted.

    O(1)
    """
    return len(all_commands(client.engine.commands))


@command(
    'COMMAND|INFO',
    arity=-2,
    flags='loading stale',
    since='2.8.13',
    group='server',
    categories='connection',
    tips=ORDER_TIPS,
    history=(('7.0.0', 'Subcommands may be named, as `container|subcommand`.'),),
)
def command_info(client: Client, argv: Argv) -> Reply:
    """COMMAND INFO [command-name [command-name ...]]

    Returns what a program should know about commands: arity, flags, where the keys are. Null for a name that is none.

    O(N) where N is the number of names.
    """
    if len(argv) == 2:
        return command_(client, argv)
    entries = (named(client.engine.commands, name) for name in argv[2:])
    return [entry and info(entry) for entry in entries]


@command(
    'COMMAND|DOCS',
    arity=-2,
    flags='loading stale',
    since='7.0.0',
    group='server',
    categories='connection',
    tips=ORDER_TIPS,
)
def command_docs(client: Client, argv: Argv) -> Reply:
    """COMMAND DOCS [command-name [command-name ...]]

    Returns what people should know about commands: what they do, and their arguments. A name that is none is left out.

    O(N) where N is the number of names.
    """
    commands = client.engine.commands
    entries = [named(commands, name) for name in argv[2:]] if len(argv) > 2 else all_commands(commands)
    return Map((entry.name.encode(), docs(entry)) for entry in entries if entry is not None)


@command(
    'COMMAND|LIST',
    arity=-2,
    flags='loading stale',
    since='7.0.0',
    group='server',
    categories='connection',
    tips=ORDER_TIPS,
)
def command_list(client: Client, argv: Argv) -> Reply:
    """COMMAND LIST [FILTERBY <MODULE module-name | ACLCAT category | PATTERN pattern>]

    Returns the names of the commands and their subcommands: all, those in a category of access lists, or those that
    match a pattern.

    O(N) where N is the number of commands.
    """
    commands = all_commands(client.engine.commands)
    entries = [each for entry in commands for each in (entry, *entry.subcommands.values())]
    if len(argv) > 2:
        make_filter = FILTERS.get(argv[3].upper()) if len(argv) == 5 and argv[2].upper() == b'FILTERBY' else None
        if make_filter is None:
            raise ReplyError(SYNTAX)
        entries = list(filter(make_filter(argv[4]), entries))
    return [entry.name.encode() for entry in entries]


@command('COMMAND|GETKEYS', arity=-3, flags='loading stale', since='2.8.13', group='server', categories='connection')
def command_getkeys(client: Client, argv: Argv) -> Reply:
    """COMMAND GETKEYS command [arg [arg ...]]

    Returns the keys in a call of a command.

    O(N) where N is the number of arguments.
    """
    return [found.key for found in keys_in(client.engine.commands, argv[2:])]


@command(
    'COMMAND|GETKEYSANDFLAGS', arity=-3, flags='loading stale', since='7.0.0', group='server', categories='connection'
)
def command_getkeysandflags(client: Client, argv: Argv) -> Reply:
    """COMMAND GETKEYSANDFLAGS command [arg [arg ...]]

    Returns the keys in a call of a command, each with what the command would do to it.

    O(N) where N is the number of arguments.
    """
    return [[found.key, statuses(found.flags)] for found in keys_in(client.engine.commands, argv[2:])]


@command('COMMAND|HELP', arity=2, flags='loading stale', since='5.0.0', group='server', categories='connection')
def command_help(client: Client, argv: Argv) -> Reply:
    """COMMAND HELP

    Returns this text.

    O(1)
    """
    return help_on_subcommands(b'command')


# Looking up


def named(commands: Mapping[bytes, Command], name: bytes) -> Command | None:
    """The command of a name as COMMAND INFO gives it: `get`, `client|list`."""
    container, bar, subcommand = name.lower().partition(b'|')
    entry = commands.get(container)
    return entry.subcommands.get(subcommand) if entry and bar else entry


def keys_in(commands: Mapping[bytes, Command], call: Argv) -> list[FoundKey]:
    """The keys in a call of a command. Raises ReplyError."""
    entry = commands.get(call[0].lower())
    if entry and entry.subcommands and len(call) > 1:
        entry = entry.subcommands.get(call[1].lower())
    if entry is None:
        raise ReplyError(b'ERR Invalid command specified')
    if not has_keys(entry):
        raise ReplyError(b'ERR The command has no key arguments')
    if not entry.takes(len(call)):
        raise ReplyError(b'ERR Invalid number of arguments specified for command')
    found = find_keys(entry, call)
    if not found:
        raise ReplyError(b'ERR Invalid arguments specified for command')
    return found


def by_module(name: bytes) -> Callable[[Command], bool]:
    return lambda _: False  # there are no modules


def by_category(name: bytes) -> Callable[[Command], bool]:
    category = name.lower().decode('latin-1')
    return lambda entry: category in entry.acl_categories


def by_pattern(pattern: bytes) -> Callable[[Command], bool]:
    fits = compile_glob(pattern, nocase=True)
    return lambda entry: fits(entry.name.encode())


FILTERS = {b'MODULE': by_module, b'ACLCAT': by_category, b'PATTERN': by_pattern}


# Telling


def statuses(words: tuple[str, ...] | list[str]) -> Set_:
    return Set_(Status(word.encode()) for word in words)


@cache
def info(entry: Command) -> Reply:
    """An entry of the table for programs, subcommands included. It is the same always: the table does not change."""
    first, last, step, movable = legacy_range(entry)
    flags = entry.flags | {'movablekeys'} if movable else entry.flags
    return [
        entry.name.encode(),
        entry.arity,
        statuses([flag for flag in SHOWN_FLAGS if flag in flags]),
        first,
        last,
        step,
        statuses([f'@{category}' for category in entry.acl_categories]),
        Set_(tip.encode() for tip in entry.tips),
        Set_(key_spec(spec) for spec in entry.keys),
        [info(subcommand) for subcommand in entry.subcommands.values()] or Set_(),
    ]


def key_spec(spec: KeySpec) -> Map:
    search = Map({b'type': b'index', b'spec': Map({b'index': spec.at})})
    if spec.keyword:
        behind = Map({b'keyword': spec.keyword.encode(), b'startfrom': spec.at})
        search = Map({b'type': b'keyword', b'spec': behind})
    if spec.at == UNKNOWN:
        search = finding = Map({b'type': b'unknown', b'spec': Map()})
    elif spec.first is None:
        range_ = Map({b'lastkey': spec.last, b'keystep': spec.step, b'limit': spec.limit})
        finding = Map({b'type': b'range', b'spec': range_})
    else:
        keynum = Map({b'keynumidx': 0, b'firstkey': spec.first, b'keystep': spec.step})
        finding = Map({b'type': b'keynum', b'spec': keynum})
    told = Map({b'notes': spec.note.encode()} if spec.note else {})
    told[b'flags'] = statuses(spec.flags)
    told[b'begin_search'] = search
    told[b'find_keys'] = finding
    return told


@cache
def docs(entry: Command) -> Map:
    """An entry of the table for people, subcommands included. It is the same always: the table does not change."""
    parts = docstring_parts(entry.handler.__doc__ or '')
    since, instead = entry.deprecated or ('', '')
    doc_flags = (*(['deprecated'] if since else []), *(['syscmd'] if 'syscmd' in entry.flags else []))
    complexity = parts.complexity or ('Depends on the subcommand.' if entry.subcommands else '')
    spoken_name = entry.name.upper().replace('|', ' ')
    arguments = parse_syntax(spoken_name, parts.syntax, len(entry.keys), entry.types, entry.arguments)
    told: dict[bytes, object] = {
        b'summary': parts.summary.encode(),
        b'since': entry.since.encode(),
        b'group': entry.group.encode(),
        b'complexity': complexity.encode(),
        b'doc_flags': statuses(doc_flags),
        b'deprecated_since': since.encode(),
        b'replaced_by': instead.encode(),
        b'history': Set_([version.encode(), change.encode()] for version, change in entry.history),
        b'arguments': [argument_docs(argument) for argument in arguments],
        b'subcommands': Map((each.name.encode(), docs(each)) for each in entry.subcommands.values()),
    }
    return Map((name, value) for name, value in told.items() if value)


def argument_docs(argument: Argument) -> Map:
    told = Map({b'name': argument.name.encode(), b'type': argument.type.encode()})
    if argument.type not in ('oneof', 'block'):
        told[b'display_text'] = (argument.display_text or argument.name).encode()
    if argument.key_spec_index is not None:
        told[b'key_spec_index'] = argument.key_spec_index
    if argument.token is not None:
        told[b'token'] = argument.token.encode()
    if argument.since:
        told[b'since'] = argument.since.encode()
    if argument.deprecated_since:
        told[b'deprecated_since'] = argument.deprecated_since.encode()
    if argument.flags:
        told[b'flags'] = statuses(argument.flags)
    if argument.arguments:
        told[b'arguments'] = [argument_docs(part) for part in argument.arguments]
    return told
