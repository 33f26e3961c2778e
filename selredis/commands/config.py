"""CONFIG: the server's parameters, while it runs."""

import os

from selredis.config_rewrite import rewrite
from selredis.engine.client import Client
from selredis.engine.command import Argv, command
from selredis.engine.help import help_on_subcommands
from selredis.errors import SYNTAX, ReplyError
from selredis.resp.reply import OK, Map, Reply

ALL_NODES = ('request_policy:all_nodes', 'response_policy:all_succeeded')


@command('CONFIG', arity=-2, since='2.0.0', group='server')
def config_(client: Client, argv: Argv) -> Reply:
    """CONFIG

    Groups the commands about the server's parameters.
    """
    raise NotImplementedError


@command(
    'CONFIG|GET',
    arity=-3,
    flags='admin noscript loading stale',
    since='2.0.0',
    group='server',
    history=(('7.0.0', 'Several parameters may be asked for.'),),
)
def config_get(client: Client, argv: Argv) -> Reply:
    """CONFIG GET parameter [parameter ...]

    Returns the parameters that have one of these names or match one of these patterns, each with its value.

    O(N) where N is the number of parameters asked for.
    """
    return Map(client.engine.config.matching(argv[2:]).items())


@command(
    'CONFIG|SET',
    arity=-4,
    flags='admin noscript loading stale',
    since='2.0.0',
    group='server',
    tips=ALL_NODES,
    history=(('7.0.0', 'Several parameters may be set.'),),
)
def config_set(client: Client, argv: Argv) -> Reply:
    """CONFIG SET parameter value [parameter value ...]

    Gives parameters other values: all of those named or, if one cannot be set, none.

    O(N) where N is the number of parameters.
    """
    if len(argv) % 2:
        raise ReplyError(SYNTAX)
    engine = client.engine
    try:
        engine.config.set_pairs(list(zip(argv[2::2], argv[3::2], strict=True)), client.local)
    finally:
        for warning in engine.config.take_warnings():
            engine.log.warning(warning)
    return OK


@command(
    'CONFIG|RESETSTAT',
    arity=2,
    flags='admin noscript loading stale',
    since='2.0.0',
    group='server',
    tips=ALL_NODES,
)
def config_resetstat(client: Client, argv: Argv) -> Reply:
    """CONFIG RESETSTAT

    Begins to count anew what INFO counts.

    O(1)
    """
    engine = client.engine
    engine.stats.reset()
    keyspace = engine.keyspace
    keyspace.hits = keyspace.misses = keyspace.glances = keyspace.expired = keyspace.evicted = 0
    keyspace.expired_fields = 0
    keyspace.discarded.freed = 0
    engine.memory.reset_stats()
    return OK


@command(
    'CONFIG|REWRITE',
    arity=2,
    flags='admin noscript loading stale',
    since='2.8.0',
    group='server',
    tips=ALL_NODES,
)
def config_rewrite(client: Client, argv: Argv) -> Reply:
    """CONFIG REWRITE

    Writes the parameters as they are now into the configuration file that the server was started with.

    O(1)
    """
    engine = client.engine
    path = config_file_of(client)
    try:
        rewrite(engine.config, path)
    except OSError as error:
        engine.log.warning(f'CONFIG REWRITE failed: {error.strerror}')
        raise ReplyError(b'ERR Rewriting config file: %b' % reason(error)) from error
    engine.log.notice('CONFIG REWRITE executed with success.')
    return OK


def reason(error: OSError) -> bytes:
    return os.fsencode(error.strerror or str(error))


def config_file_of(client: Client) -> str:
    """The file that the client's server was started with. Raises ReplyError if there is none."""
    path = client.engine.deployment.config_file
    if not path:
        raise ReplyError(b'ERR The server is running without a config file')
    return path


@command('CONFIG|HELP', arity=2, flags='loading stale', since='5.0.0', group='server')
def config_help(client: Client, argv: Argv) -> Reply:
    """CONFIG HELP

    Returns this text.

    O(1)
    """
    return help_on_subcommands(b'config')
