"""OBJECT: what is known of a value beside what is in it."""

from typing import Any

from selredis.engine.client import Client
from selredis.engine.command import Argv, command, key
from selredis.engine.engine import Engine
from selredis.engine.help import help_on_subcommands
from selredis.errors import ReplyError
from selredis.numeric import is_integer
from selredis.resp.reply import Reply
from selredis.values.encoding import encoding_of

SHARED_INTEGERS = 10_000  # from 0 on there is one of each for all keys in Redis (server.h, OBJ_SHARED_INTEGERS)
SHARED_REFERENCES = 2**31 - 1
NO_LFU = (
    b'ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching'
    b' between policies at runtime LRU and LFU data will take some time to adjust.'
)
NO_IDLE_TIMES = (
    b'ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when switching between policies'
    b' at runtime LRU and LFU data will take some time to adjust.'
)


@command('OBJECT', arity=-2, since='2.2.3', group='generic')
def object_(client: Client, argv: Argv) -> Reply:
    """OBJECT

    Groups the commands about what is known of a value.
    """
    raise NotImplementedError


@command(
    'OBJECT|ENCODING',
    arity=3,
    flags='readonly',
    keys=(key('RO', 2),),
    since='2.2.3',
    group='generic',
    tips=('nondeterministic_output',),
)
def object_encoding(client: Client, argv: Argv) -> Reply:
    """OBJECT ENCODING key

    Tells how Redis would keep the value of a key.

    O(1)
    """
    value = client.db.inspect(argv[2])
    return None if value is None else encoding_of(value, client.engine.config)


@command(
    'OBJECT|FREQ',
    arity=3,
    flags='readonly',
    keys=(key('RO', 2),),
    since='4.0.0',
    group='generic',
    tips=('nondeterministic_output',),
)
def object_freq(client: Client, argv: Argv) -> Reply:
    """OBJECT FREQ key

    Tells how often a key is used, on a logarithmic scale from 0 to 255, under a policy that goes by it (LFU).

    O(1)
    """
    if client.db.inspect(argv[2]) is None:
        return None
    uses = client.engine.keyspace.uses
    if not uses.by_frequency:
        raise ReplyError(NO_LFU)
    return uses.frequency(client.db, argv[2])


@command(
    'OBJECT|IDLETIME',
    arity=3,
    flags='readonly',
    keys=(key('RO', 2),),
    since='2.2.3',
    group='generic',
    tips=('nondeterministic_output',),
)
def object_idletime(client: Client, argv: Argv) -> Reply:
    """OBJECT IDLETIME key

    Tells for how many seconds, at least, a key has not been used. Under a policy that does not go by it that is noted
    from the first such question on.

    O(1)
    """
    if client.db.inspect(argv[2]) is None:
        return None
    uses = client.engine.keyspace.uses
    if uses.by_frequency:
        raise ReplyError(NO_IDLE_TIMES)
    client.engine.memory.note_idle_times()
    return uses.idle_ms(client.db, argv[2]) // 1000


@command(
    'OBJECT|REFCOUNT',
    arity=3,
    flags='readonly',
    keys=(key('RO', 2),),
    since='2.2.3',
    group='generic',
    tips=('nondeterministic_output',),
)
def object_refcount(client: Client, argv: Argv) -> Reply:
    """OBJECT REFCOUNT key

    Tells how many references Redis would hold to the value of a key: one, or no end of them to a small integer.

    O(1)
    """
    value = client.db.inspect(argv[2])
    return None if value is None else SHARED_REFERENCES if is_shared(client.engine, value) else 1


def is_shared(engine: Engine, value: Any) -> bool:
    """Whether a value is an integer that Redis has only once: not where each key is to have its own LRU or LFU note."""
    if engine.config['maxmemory'] and engine.config['maxmemory-policy'].endswith(('lru', 'lfu')):
        return False
    if type(value) is bytes and not is_integer(value):
        return False
    return type(value) in (bytes, int) and 0 <= int(value) < SHARED_INTEGERS


@command('OBJECT|HELP', arity=2, flags='loading stale', since='6.2.0', group='generic')
def object_help(client: Client, argv: Argv) -> Reply:
    """OBJECT HELP

    Returns this text.

    O(1)
    """
    return help_on_subcommands(b'object')
