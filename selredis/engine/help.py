"""What containers of subcommands (CLIENT, PUBSUB) share: HELP, made of the subcommands' docstrings, and an error.

HELP shows how a subcommand is called in the notation of Redis's HELP, `CHANNELS [<pattern>]`, which is not that of
redis.io: an argument is in angle brackets, a choice between words in parentheses.
"""

from collections.abc import Iterable
from textwrap import wrap

from selredis.engine.command import COMMANDS, Argv
from selredis.engine.syntax import WORD, Group, Word, docstring_parts, nested
from selredis.errors import ReplyError, c_string
from selredis.resp.reply import Status

COLUMNS = 80

# Arguments that HELP calls by another name than redis.io.
NAMES = {'group': 'groupname'}

# Subcommands whose HELP in Redis differs from the syntax line otherwise: signatures, each followed by its description
# if it isn't the summary of the docstring.
USAGES = {
    'CLIENT KILL': """\
KILL <ip:port>
    Closes the connection from this address.
KILL <option> <value> [<option> <value> [...]]
    Closes the connections that fit all options. Options are:
    * ID <client-id>
      The connection with this ID.
    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)
      Connections of a type.
    * USER <username>
      Connections authenticated as this user.
    * ADDR (<ip:port>|<unixsocket>:0)
      Connections made from this address.
    * LADDR (<ip:port>|<unixsocket>:0)
      Connections made to this local address.
    * MAXAGE <maxage>
      Connections older than this, in seconds.
    * SKIPME (YES|NO)
      Whether to leave out the current connection (default: yes).""",
    'CLIENT LIST': """\
LIST [options ...]
    Returns a line of information per client connection. Options are:
    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)
      Only connections of a type.
    * ID <client-id> [<client-id> ...]
      Only connections with these IDs.""",
    'CLIENT SETINFO': """\
SETINFO <option> <value>
    Sets information about the client, which CLIENT LIST shows. Options are:
    * LIB-NAME: the name of the client library.
    * LIB-VER: the version of the client library.""",
    'CLIENT SETNAME': 'SETNAME <name>',
    'CLIENT TRACKING': """\
TRACKING (ON|OFF) [REDIRECT <id>] [BCAST] [PREFIX <prefix> [...]]
         [OPTIN] [OPTOUT] [NOLOOP]
    Turns tracking of the keys that the connection reads on or off: invalidation
    messages for client-side caching.""",
    'CLIENT UNBLOCK': 'UNBLOCK <clientid> [TIMEOUT|ERROR]',
    'COMMAND': '(no subcommand)',
    'COMMAND GETKEYS': 'GETKEYS <full-command>',
    'COMMAND GETKEYSANDFLAGS': 'GETKEYSANDFLAGS <full-command>',
    'COMMAND LIST': """\
LIST
    Returns the names of all commands. With FILTERBY only some of them:
    * FILTERBY MODULE <module-name>
      Commands of a module.
    * FILTERBY ACLCAT <category>
      Commands in an ACL category.
    * FILTERBY PATTERN <pattern>
      Commands whose names match a glob-style pattern.""",
    'CONFIG GET': 'GET <pattern>',
    'CONFIG SET': 'SET <directive> <value>',
    'DEBUG DIGEST-VALUE': 'DIGEST-VALUE <key> [<key> ...]',
    'DEBUG ERROR': 'ERROR <string>',
    'DEBUG REPLYBUFFER': """\
REPLYBUFFER PEAK-RESET-TIME <NEVER|RESET|time>
    Accepted without effect: replies have no buffer of a fixed size.
REPLYBUFFER RESIZING <0|1>
    Accepted without effect.""",
    'LATENCY HISTOGRAM': 'HISTOGRAM [COMMAND ...]',
    'XGROUP CREATE': """\
CREATE <key> <groupname> <id|$> [option]
    Creates a consumer group that begins after an entry. Options are:
    * MKSTREAM
      Create an empty stream if the key doesn't exist.
    * ENTRIESREAD entries_read
      The number of entries the group has read so far.""",
    'XGROUP SETID': 'SETID <key> <groupname> <id|$> [ENTRIESREAD entries_read]',
}


def help_on_subcommands(container: bytes) -> list[Status]:
    """HELP of a container of subcommands."""
    command = COMMANDS[container]
    documented = list(command.subcommands.values())
    if command.takes(1):
        documented.insert(0, command)
    return help_lines(container, (each.handler.__doc__ for each in documented))


def help_lines(container: bytes, docstrings: Iterable[str | None]) -> list[Status]:
    """How to call the container; for each subcommand, in alphabetical order, its signatures and descriptions."""
    name = container.decode().upper()
    lines = [f'{name} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:']
    own_help = f'{name} HELP'
    for docstring in sorted(map(str, docstrings), key=lambda text: (text.startswith(own_help), text)):
        lines += lines_on_subcommand(docstring)
    return [Status(line.encode()) for line in lines]


def lines_on_subcommand(docstring: str) -> list[str]:
    """The lines of HELP on one subcommand."""
    documentation = docstring_parts(docstring)
    name = ' '.join(documentation.syntax.split()[:2])
    usage = USAGES.get(name) or signature(documentation.syntax.partition(' ')[2])
    if '\n' in usage:
        return usage.split('\n')
    return [usage, *wrap(documentation.summary, COLUMNS, initial_indent='    ', subsequent_indent='    ')]


def signature(syntax: str) -> str:
    """A syntax line in the notation of HELP."""
    return shown(nested(iter(WORD.findall(syntax))))


def shown(words: list[Word]) -> str:
    return ' '.join(map(shown_word, words))


def shown_word(word: Word) -> str:
    if isinstance(word, str):
        return word if word == word.upper() else f'<{NAMES.get(word, word)}>'
    first, *rest = word.words
    # [x [x ...]] is [<x> ...]
    if rest and isinstance(rest[0], Group) and rest[0].words == [first, '...']:
        return f'[{shown_word(first)} ...]'
    if word.bracket == '[':
        return f'[{shown_choice(word)}]'
    if any(isinstance(each, Group) or each.isupper() for each in word.words):
        return f'({shown_choice(word)})'
    return f'<{"".join(map(str, word.words))}>'


def shown_choice(group: Group) -> str:
    return shown(group.words).replace(' | ', '|')


def wrong_subcommand(argv: Argv) -> ReplyError:
    """The error for a subcommand with too many words, where its arity cannot tell."""
    return ReplyError(
        b"ERR unknown subcommand or wrong number of arguments for '%b'. Try %b HELP."
        % (c_string(argv[1])[:128], argv[0].upper())
    )
