"""SLOWLOG: the last commands that took long."""

from selredis.engine.client import Client
from selredis.engine.command import Argv, command
from selredis.engine.help import help_on_subcommands
from selredis.errors import ReplyError
from selredis.numeric import integer
from selredis.resp.reply import OK, Reply

ENTRIES = 10  # if the client does not say how many
ALL_NODES = 'request_policy:all_nodes'
COUNT_OUT_OF_RANGE = b'ERR count should be greater than or equal to -1'


@command('SLOWLOG', arity=-2, since='2.2.12', group='server')
def slowlog(client: Client, argv: Argv) -> Reply:
    """SLOWLOG

    Groups the commands about the log of slow commands.
    """
    raise NotImplementedError


@command(
    'SLOWLOG|GET',
    arity=-2,
    flags='admin loading stale',
    since='2.2.12',
    group='server',
    tips=(ALL_NODES, 'nondeterministic_output'),
    history=(('4.0.0', 'Each entry has the address of the client and its name.'),),
)
def slowlog_get(client: Client, argv: Argv) -> Reply:
    """SLOWLOG GET [count]

    Returns slow commands, the last one first: number, Unix time, microseconds, words, client's address and name. Ten
    of them, or count; -1 for all.

    O(N) where N is the number of entries returned
    """
    log = client.engine.slowlog
    if len(argv) > 3:
        raise ReplyError(b"ERR wrong number of arguments for 'slowlog|get' command")
    count = integer(argv[2], COUNT_OUT_OF_RANGE) if len(argv) > 2 else ENTRIES
    if count < -1:
        raise ReplyError(COUNT_OUT_OF_RANGE)
    return [list(entry) for entry in log.newest(len(log) if count == -1 else count)]


@command(
    'SLOWLOG|LEN',
    arity=2,
    flags='admin loading stale',
    since='2.2.12',
    group='server',
    tips=(ALL_NODES, 'response_policy:agg_sum', 'nondeterministic_output'),
)
def slowlog_len(client: Client, argv: Argv) -> Reply:
    """SLOWLOG LEN

    Returns how many entries the log has.

    O(1)
    """
    return len(client.engine.slowlog)


@command(
    'SLOWLOG|RESET',
    arity=2,
    flags='admin loading stale',
    since='2.2.12',
    group='server',
    tips=(ALL_NODES, 'response_policy:all_succeeded'),
)
def slowlog_reset(client: Client, argv: Argv) -> Reply:
    """SLOWLOG RESET

    Empties the log.

    O(N) where N is the number of entries in it.
    """
    client.engine.slowlog.clear()
    return OK


@command('SLOWLOG|HELP', arity=2, flags='loading stale', since='6.2.0', group='server')
def slowlog_help(client: Client, argv: Argv) -> Reply:
    """SLOWLOG HELP

    Returns this text.

    O(1)
    """
    return help_on_subcommands(b'slowlog')
