"""What only a cluster's nodes do. This server is none, and says so in the words by which clients know."""

from collections.abc import Mapping
from typing import NamedTuple

from selredis.engine.client import Client
from selredis.engine.command import NO_NOTES, Argv, command
from selredis.engine.syntax import Note, about
from selredis.errors import ReplyError
from selredis.resp.reply import Reply


def no_cluster() -> ReplyError:
    return ReplyError(b'ERR This instance has cluster support disabled')


@command('READONLY', arity=1, flags='loading stale fast', since='3.0.0', group='cluster', categories='connection')
def readonly(client: Client, argv: Argv) -> Reply:
    """READONLY

    Lets a connection read from a cluster's replica. Refused, as this is no cluster.

    O(1)
    """
    raise no_cluster()


@command('READWRITE', arity=1, flags='loading stale fast', since='3.0.0', group='cluster', categories='connection')
def readwrite(client: Client, argv: Argv) -> Reply:
    """READWRITE

    Takes READONLY back. Refused, as this is no cluster.

    O(1)
    """
    raise no_cluster()


@command('ASKING', arity=1, flags='fast', since='3.0.0', group='cluster', categories='connection')
def asking(client: Client, argv: Argv) -> Reply:
    """ASKING

    Has a cluster's node take the next command although its keys are on their way to it. Refused, as this is no cluster.

    O(1)
    """
    raise no_cluster()


@command('CLUSTER', arity=-2, since='3.0.0', group='cluster')
def cluster(client: Client, argv: Argv) -> Reply:
    """CLUSTER

    Tells of a cluster and changes it. Every subcommand is refused, as this is no cluster.
    """
    raise NotImplementedError


class Subcommand(NamedTuple):
    """What COMMAND tells of a subcommand that does nothing here."""

    syntax: str
    summary: str
    arity: int
    flags: str = 'stale'
    since: str = '3.0.0'
    tips: tuple[str, ...] = ()
    deprecated: tuple[str, str] | None = None
    history: tuple[tuple[str, str], ...] = ()
    arguments: Mapping[str, Note] = NO_NOTES


CHANGE = 'admin stale no_async_loading'
VARYING = ('nondeterministic_output',)
TYPES = dict.fromkeys(('slot', 'start-slot', 'end-slot', 'port', 'cluster-bus-port', 'config-epoch'), 'integer')
RANGES = {'start-slot-end-slot': about('range')}
SUBCOMMANDS = (
    Subcommand('ADDSLOTS slot [slot ...]', 'Gives slots to the node.', -3, CHANGE),
    Subcommand(
        'ADDSLOTSRANGE start-slot end-slot [start-slot end-slot ...]',
        'Gives ranges of slots to the node.',
        *(-4, CHANGE, '7.0.0'),
        arguments=RANGES,
    ),
    Subcommand('BUMPEPOCH', 'Goes on to the next epoch.', 2, CHANGE, tips=VARYING),
    Subcommand(
        'COUNT-FAILURE-REPORTS node-id', 'Tells how many say that a node fails.', 3, 'admin stale', tips=VARYING
    ),
    Subcommand('COUNTKEYSINSLOT slot', 'Tells how many keys are in a slot.', 3),
    Subcommand('DELSLOTS slot [slot ...]', 'Takes slots from the node.', -3, CHANGE),
    Subcommand(
        'DELSLOTSRANGE start-slot end-slot [start-slot end-slot ...]',
        'Takes ranges of slots from the node.',
        *(-4, CHANGE, '7.0.0'),
        arguments=RANGES,
    ),
    Subcommand(
        'FAILOVER [FORCE | TAKEOVER]',
        'Makes a replica the master.',
        *(-2, CHANGE),
        arguments={'force-takeover': about('options')},
    ),
    Subcommand('FLUSHSLOTS', 'Takes all slots from the node.', 2, CHANGE),
    Subcommand('FORGET node-id', 'Has the node forget another.', 3, CHANGE),
    Subcommand('GETKEYSINSLOT slot count', 'Returns keys that are in a slot.', 4, tips=VARYING),
    Subcommand('HELP', 'Tells what the subcommands do.', 2, 'loading stale', '5.0.0'),
    Subcommand('INFO', 'Tells how the cluster does.', 2, tips=VARYING),
    Subcommand('KEYSLOT key', 'Returns the slot of a key.', 3),
    Subcommand('LINKS', 'Tells how the node is connected to others.', 2, since='7.0.0', tips=VARYING),
    Subcommand(
        'MEET ip port [cluster-bus-port]',
        'Introduces the node to another.',
        *(-4, CHANGE),
        history=(('4.0.0', 'The port of the cluster bus may be given.'),),
        arguments={'cluster-bus-port': about(since='4.0.0')},
    ),
    Subcommand('MYID', 'Returns the id of the node.', 2),
    Subcommand('MYSHARDID', "Returns the id of the node's shard.", 2, since='7.2.0', tips=VARYING),
    Subcommand('NODES', 'Tells of the nodes that the node knows.', 2, tips=VARYING),
    Subcommand('REPLICAS node-id', 'Tells of the replicas of a node.', 3, 'admin stale', '5.0.0', VARYING),
    Subcommand('REPLICATE node-id', 'Makes the node a replica of another.', 3, CHANGE),
    Subcommand(
        'RESET [HARD | SOFT]',
        'Has the node forget the cluster.',
        *(-2, 'admin noscript stale'),
        arguments={'hard-soft': about('reset-type')},
    ),
    Subcommand('SAVECONFIG', 'Saves what the node knows of the cluster.', 2, CHANGE),
    Subcommand('SET-CONFIG-EPOCH config-epoch', 'Sets the epoch of a new node.', 3, CHANGE),
    Subcommand(
        'SETSLOT slot <IMPORTING node-id | MIGRATING node-id | NODE node-id | STABLE>',
        'Begins to move a slot, or tells where it is.',
        *(-4, CHANGE),
        arguments={
            'node-id-node-id-node-id-stable': about('subcommand'),
            'IMPORTING': about('importing'),
            'MIGRATING': about('migrating'),
            'NODE': about('node'),
        },
    ),
    Subcommand('SHARDS', 'Tells which slots are on which nodes.', 2, 'loading stale', '7.0.0', VARYING),
    Subcommand(
        'SLAVES node-id',
        'Tells of the replicas of a node.',
        *(3, 'admin stale', '3.0.0', VARYING),
        deprecated=('5.0.0', '`CLUSTER REPLICAS`'),
    ),
    Subcommand(
        'SLOTS',
        'Tells which slots are on which nodes.',
        *(2, 'loading stale', '3.0.0', VARYING),
        deprecated=('7.0.0', '`CLUSTER SHARDS`'),
        history=(('4.0.0', 'Nodes have ids.'), ('7.0.0', 'Nodes have further names.')),
    ),
)


def declare(subcommand: Subcommand) -> None:
    """Enter a subcommand in the table, with a handler that refuses it."""

    def refuse(client: Client, argv: Argv) -> Reply:
        raise no_cluster()

    refuse.__doc__ = f'CLUSTER {subcommand.syntax}\n\n{subcommand.summary} Refused, as this is no cluster.\n\nO(1)'
    command(
        f'CLUSTER|{subcommand.syntax.partition(" ")[0]}',
        group='cluster',
        types=TYPES,
        arity=subcommand.arity,
        flags=subcommand.flags,
        since=subcommand.since,
        tips=subcommand.tips,
        deprecated=subcommand.deprecated,
        history=subcommand.history,
        arguments=subcommand.arguments,
    )(refuse)


for _subcommand in SUBCOMMANDS:
    declare(_subcommand)
