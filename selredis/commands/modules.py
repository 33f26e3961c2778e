"""MODULE: there are no modules, and none can be loaded."""

from selredis.engine.client import Client
from selredis.engine.command import Argv, command
from selredis.engine.help import help_on_subcommands
from selredis.resp.reply import Reply


@command('MODULE', arity=-2, since='4.0.0', group='server')
def module(client: Client, argv: Argv) -> Reply:
    """MODULE

    Groups the commands about modules.
    """
    raise NotImplementedError


@command(
    'MODULE|LIST',
    arity=2,
    flags='admin noscript',
    since='4.0.0',
    group='server',
    tips=('nondeterministic_output_order',),
)
def module_list(client: Client, argv: Argv) -> Reply:
    """MODULE LIST

    Returns the modules that are loaded: none, always.

    O(1)
    """
    return []


@command('MODULE|HELP', arity=2, flags='loading stale', since='5.0.0', group='server')
def module_help(client: Client, argv: Argv) -> Reply:
    """MODULE HELP

    Returns this text.

    O(1)
    """
    return help_on_subcommands(b'module')
