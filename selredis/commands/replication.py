"""Replication, as a server that has no replicas sees it: ROLE, and waiting for who will not come."""

from types import NoneType

from selredis.engine.client import Client
from selredis.engine.command import Argv, command
from selredis.engine.options import read_wait_in_ms
from selredis.errors import MUST_BE_POSITIVE, ReplyError
from selredis.numeric import integer
from selredis.resp.reply import Reply

TIMEOUT_TYPE = {'timeout': 'integer'}
SHARDS_TIPS = ('request_policy:all_shards', 'response_policy:agg_min')


@command(
    'ROLE', arity=1, flags='noscript loading stale fast', since='2.8.12', group='server', categories='admin dangerous'
)
def role(client: Client, argv: Argv) -> Reply:
    """ROLE

    Returns what this server is, which is a master, how much it has sent to its replicas, and which these are: none.

    O(1)
    """
    return [b'master', 0, []]


@command(
    'WAIT',
    arity=3,
    since='3.0.0',
    group='generic',
    categories='-keyspace connection',
    tips=SHARDS_TIPS,
    types=TIMEOUT_TYPE,
)
def wait(client: Client, argv: Argv) -> Reply:
    """WAIT numreplicas timeout

    Waits until so many replicas have what this client has written, or so many milliseconds; returns how many do.

    O(1)
    """
    replicas = integer(argv[1])
    wait_ms = read_wait_in_ms(argv[2], client.engine.now_ms)
    return 0 if replicas <= 0 else client.block_on([], NoneType, wait_ms, on_timeout=0)


@command(
    'WAITAOF',
    arity=4,
    flags='noscript',
    since='7.2.0',
    group='generic',
    categories='-keyspace connection',
    tips=SHARDS_TIPS,
    types=TIMEOUT_TYPE,
)
def waitaof(client: Client, argv: Argv) -> Reply:
    """WAITAOF numlocal numreplicas timeout

    Waits until what this client has written is on the disks of this server, if numlocal is 1, and of so many replicas,
    or so many milliseconds; returns whether it is on this one's, and on how many of theirs.

    O(1)
    """
    local = integer(argv[1])
    if not 0 <= local <= 1:
        raise ReplyError(b'ERR value is out of range, value must between 0 and 1')
    replicas = integer(argv[2])
    if replicas < 0:
        raise ReplyError(MUST_BE_POSITIVE)
    wait_ms = read_wait_in_ms(argv[3], client.engine.now_ms)
    if local:
        raise ReplyError(b'ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.')
    return [0, 0] if not replicas else client.block_on([], NoneType, wait_ms, on_timeout=[0, 0])
