"""INFO."""

from selredis.engine.client import Client
from selredis.engine.command import Argv, command
from selredis.engine.info import ALL_SECTIONS, DEFAULT_SECTIONS, info
from selredis.resp.reply import Reply, Verbatim

EVERY_SECTION = ('all', 'everything')


@command(
    'INFO',
    arity=-1,
    flags='loading stale',
    since='1.0.0',
    group='server',
    categories='dangerous',
    tips=('nondeterministic_output', 'request_policy:all_shards', 'response_policy:special'),
    history=(('7.0.0', 'Several sections may be named.'),),
)
def info_(client: Client, argv: Argv) -> Reply:
    """INFO [section [section ...]]

    Returns information and statistics about the server as lines of `name:value`. DEFAULT: all sections except
    commandstats, latencystats and debug; ALL and EVERYTHING: all except debug.

    O(1)
    """
    wanted = {word.lower().decode('latin-1') for word in argv[1:]}
    if len(argv) == 1 or 'default' in wanted:
        wanted |= DEFAULT_SECTIONS
    if not wanted.isdisjoint(EVERY_SECTION):
        wanted |= ALL_SECTIONS
    if 'module_list' in wanted:
        wanted.add('modules')
    return Verbatim(info(client.engine, wanted))
