"""What only a cluster's nodes do. This server is none, and says so in the words by which clients know."""

from selredis.engine.client import Client
from selredis.engine.command import Argv, command
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

    Tells of a cluster and changes it. Refused with any subcommand, as this is no cluster.

    Depends on subcommand.
    """
    raise no_cluster()
