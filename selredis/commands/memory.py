"""MEMORY: what keys and the server take."""

import gc
import sys

from selredis import process
from selredis.engine.client import Client
from selredis.engine.command import Argv, command, key
from selredis.engine.help import help_on_subcommands
from selredis.engine.info import human
from selredis.errors import SYNTAX, ReplyError
from selredis.keyspace.memory import INDEX_BYTES, NUMBER_BYTES, key_bytes
from selredis.numeric import integer
from selredis.resp.reply import OK, Map, Reply, Verbatim

SAMPLES = 5  # members that a value is estimated from, unless told otherwise (object.c, OBJ_COMPUTE_SIZE_DEF_SAMPLES)

# From where on MEMORY DOCTOR finds fault (object.c, getMemoryDoctorReport)
LITTLE_BYTES = 5 << 20
PEAK_RATIO = 1.5
FRAGMENTATION_RATIO = 1.4
FRAGMENTATION_BYTES = 10 << 20
CLIENT_BYTES = 200 << 10

ADVICE_ON_PEAK = (
    'Peak: there was a time when more than one and a half times as much memory was in use as now. The allocator keeps'
    ' some of it for later, so that the process seems larger than its data; as new data comes it is used again. Only a'
    ' restart gives all of it back.'
)
ADVICE_ON_FRAGMENTATION = (
    'Fragmentation: the process has more than 1.4 times as much memory as data, clients and the program itself take.'
    ' Either the peak is long past (see there if it is named), or values of many different sizes have come and gone.'
)
ADVICE_ON_CLIENTS = (
    'Clients: on average each of them holds more than 200 KB in buffers. Subscribers that do not keep up, very long'
    ' pipelines or very large replies are the usual reasons; CLIENT LIST (tot-mem, omem, qbuf) shows whose they are.'
)


@command('MEMORY', arity=-2, since='4.0.0', group='server')
def memory(client: Client, argv: Argv) -> Reply:
    """MEMORY

    Groups the commands about memory.
    """
    raise NotImplementedError


@command(
    'MEMORY|DOCTOR',
    arity=2,
    since='4.0.0',
    group='server',
    tips=('nondeterministic_output', 'request_policy:all_shards', 'response_policy:special'),
)
def memory_doctor(client: Client, argv: Argv) -> Reply:
    """MEMORY DOCTOR

    Looks for what is wrong with the use of memory, and tells what may be done about it.

    O(1)
    """
    engine = client.engine
    account = engine.memory
    process_now = process.memory()
    used = account.used_bytes()
    if used < LITTLE_BYTES:
        return Verbatim(b'There is next to nothing in memory: whether it is used well cannot be told yet.\n')
    wanted = account.startup.resident + used
    wasted = process_now.resident - wanted
    found = []
    if account.peak_bytes(process_now) > used * PEAK_RATIO:
        found.append(ADVICE_ON_PEAK)
    if wasted > FRAGMENTATION_BYTES and process_now.resident > wanted * FRAGMENTATION_RATIO:
        found.append(ADVICE_ON_FRAGMENTATION)
    if account.client_bytes() > CLIENT_BYTES * len(engine.clients):
        found.append(ADVICE_ON_CLIENTS)
    if not found:
        return Verbatim(b'Nothing is wrong with the use of memory, as far as can be seen from inside.\n')
    lines = ['Some things about the use of memory may deserve a look:', '']
    for advice in found:
        lines += [f' * {advice}', '']
    return Verbatim('\n'.join(lines).encode())


@command(
    'MEMORY|MALLOC-STATS',
    arity=2,
    since='4.0.0',
    group='server',
    tips=('nondeterministic_output', 'request_policy:all_shards', 'response_policy:special'),
)
def memory_malloc_stats(client: Client, argv: Argv) -> Reply:
    """MEMORY MALLOC-STATS

    Tells what Python and the system know of the memory of the process.

    O(1)
    """
    now = process.memory()
    lines = [
        f'allocator: {process.allocator()} for up to 512 bytes, the C library for more',
        f'blocks of pymalloc in use: {sys.getallocatedblocks()}',
        f'resident: {now.resident} ({human(now.resident)})',
        f'private: {now.private} ({human(now.private)})',
        f'largest private so far: {now.peak} ({human(now.peak)})',
        f'objects that the collector leaves alone: {gc.get_freeze_count()}',
        f'objects that the collector watches, by generation: {" ".join(map(str, gc.get_count()))}',
    ]
    return Verbatim(''.join(f'{line}\n' for line in lines).encode())


@command(
    'MEMORY|PURGE',
    arity=2,
    since='4.0.0',
    group='server',
    tips=('request_policy:all_shards', 'response_policy:all_succeeded'),
)
def memory_purge(client: Client, argv: Argv) -> Reply:
    """MEMORY PURGE

    Gives memory back at once that would be given back little by little: of what was removed, and of tables that have
    become too large.

    O(N) in what was removed lately
    """
    keyspace = client.engine.keyspace
    keyspace.discarded.free()
    keyspace.trim()
    return OK


@command(
    'MEMORY|STATS',
    arity=2,
    since='4.0.0',
    group='server',
    tips=('nondeterministic_output', 'request_policy:all_shards', 'response_policy:special'),
)
def memory_stats(client: Client, argv: Argv) -> Reply:
    """MEMORY STATS

    Tells what takes how much memory, in bytes.

    O(1)
    """
    engine = client.engine
    account, databases = engine.memory, [db for db in engine.keyspace.databases if db.values]
    process_now = process.memory()
    used = account.used_bytes()
    peak = max(account.peak_bytes(process_now), used)
    overhead = account.overhead_bytes()
    keys = sum(len(db.values) for db in databases)
    wanted = account.startup.resident + used
    stats: dict[object, object] = {
        b'peak.allocated': peak,
        b'total.allocated': used,
        b'startup.allocated': account.startup_bytes,
        b'replication.backlog': 0,
        b'clients.slaves': 0,
        b'clients.normal': account.client_bytes(),
        b'cluster.links': 0,
        b'aof.buffer': 0,
        b'lua.caches': 0,
        b'functions.caches': 0,
    }
    for db in databases:
        stats[b'db.%d' % db.number] = Map(
            {
                b'overhead.hashtable.main': sys.getsizeof(db.values) + len(db.values) * INDEX_BYTES,
                b'overhead.hashtable.expires': sys.getsizeof(db.deadlines) + len(db.deadlines) * NUMBER_BYTES,
                b'overhead.hashtable.slot-to-keys': 0,
            }
        )
    stats |= {
        b'overhead.total': overhead,
        b'keys.count': keys,
        b'keys.bytes-per-key': (used - account.startup_bytes) // keys if keys else 0,
        b'dataset.bytes': used - overhead,
        b'dataset.percentage': (used - overhead) * 100 / ((used - account.startup_bytes) or 1),
        b'peak.percentage': used * 100 / (peak or 1),
        b'fragmentation': process_now.resident / wanted,
        b'fragmentation.bytes': process_now.resident - wanted,
    }
    return Map(stats)


@command(
    'MEMORY|USAGE',
    arity=-3,
    flags='readonly',
    keys=(key('RO', 2),),
    since='4.0.0',
    group='server',
)
def memory_usage(client: Client, argv: Argv) -> Reply:
    """MEMORY USAGE key [SAMPLES count]

    Tells how many bytes a key takes with its value and its places in tables. The value is estimated from five of its
    members, or as many as are given; 0: from all.

    O(N) where N is the number of samples.
    """
    _, _, key, *options = argv
    samples = SAMPLES
    while options:
        if options[0].upper() != b'SAMPLES' or len(options) == 1:
            raise ReplyError(SYNTAX)
        samples = integer(options[1])
        if samples < 0:
            raise ReplyError(SYNTAX)
        del options[:2]
    db = client.db
    if key not in db.values:
        return None
    return key_bytes(db, key, samples)


@command('MEMORY|HELP', arity=2, flags='loading stale', since='4.0.0', group='server')
def memory_help(client: Client, argv: Argv) -> Reply:
    """MEMORY HELP

    Returns this text.

    O(1)
    """
    return help_on_subcommands(b'memory')
