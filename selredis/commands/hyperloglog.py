"""HyperLogLogs: about how many different elements there were. They are strings, and GET and SET take them along."""

from selredis.commands.strings import changeable
from selredis.engine.client import Client
from selredis.engine.command import Argv, command, key
from selredis.errors import ReplyError
from selredis.keyspace.events import NO_EVENT
from selredis.resp.reply import OK, Reply, Status
from selredis.values import hyperloglog
from selredis.values.hyperloglog import DENSE, ENCODING, SPARSE, STALE, STALE_BIT, CorruptError

NOT_ONE = b'WRONGTYPE Key is not a valid HyperLogLog string value.'
CORRUPT = b'INVALIDOBJ Corrupted HLL object detected'
NO_KEY = b'ERR The specified key does not exist'
NOT_SPARSE = b'ERR HLL encoding is not sparse'
ENCODINGS = {DENSE: Status(b'dense'), SPARSE: Status(b'sparse')}

TESTED_COUNTS = (1, 10, 100, 1_000, 10_000)


def checked(value: bytes | bytearray) -> bytes | bytearray:
    """A string that is a HyperLogLog as far as one sees at once. Raises WRONGTYPE."""
    if not hyperloglog.is_one(value):
        raise ReplyError(NOT_ONE)
    return value


@command('PFADD', arity=-2, flags='write denyoom fast', keys=(key('RW insert', 1),), since='2.8.9', group='hyperloglog')
def pfadd(client: Client, argv: Argv) -> Reply:
    """PFADD key [element [element ...]]

    Adds elements to a HyperLogLog, creating it if need be; returns whether the estimate may be another than before.

    O(1) for each element
    """
    db = client.db
    key = argv[1]
    hll = db.peek(key)
    changes = 0
    if hll is None:
        hll = hyperloglog.new()
        db.put(key, hll)
        changes = 1
    elif type(hll) is not bytearray or not hyperloglog.is_one(hll):
        hll = changeable(client, key, checked(db.get(key, bytes)))
    add = hyperloglog.add
    sparse_bytes = 0 if hll[ENCODING] == DENSE else client.engine.config['hll-sparse-max-bytes']
    try:
        for element in argv[2:]:
            changes += add(hll, element, sparse_bytes)
    except CorruptError:
        raise ReplyError(CORRUPT) from None
    if not changes:
        return 0
    hll[STALE] |= STALE_BIT
    db.changed(key, b'pfadd', changes)
    return 1


@command(
    'PFCOUNT',
    arity=-2,
    flags='readonly may_replicate',
    keys=(key('RW access', 1, -1, note='The estimate that is kept in the value may change.'),),
    since='2.8.9',
    group='hyperloglog',
)
def pfcount(client: Client, argv: Argv) -> Reply:
    """PFCOUNT key [key ...]

    Estimates how many different elements were added to a HyperLogLog, or to any of several.

    O(1) for one key that has not changed since it was asked last, O(N) for several
    """
    if len(argv) > 2:
        merged, _ = union(client, argv[1:])
        return hyperloglog.estimate(hyperloglog.counted(merged))
    db = client.db
    key = argv[1]
    value = db.read(key, bytes)
    if value is None:
        return 0
    count = hyperloglog.cached(checked(value))
    if count is None:
        try:
            count = hyperloglog.estimate(hyperloglog.histogram_of(value))
        except CorruptError:
            raise ReplyError(CORRUPT) from None
        hyperloglog.cache(changeable(client, key, value), count)
        db.changed(key, NO_EVENT)
    return count


def union(client: Client, keys: Argv) -> tuple[bytes, bool]:
    """The registers of several HyperLogLogs together, and whether any of them is dense. Raises ReplyError."""
    merged: bytes | None = None
    any_dense = False
    for key in keys:
        value = client.db.read(key, bytes)
        if value is None:
            continue
        try:
            registers = hyperloglog.registers_of(checked(value))
        except CorruptError:
            raise ReplyError(CORRUPT) from None
        any_dense = any_dense or value[ENCODING] == DENSE
        merged = registers if merged is None else hyperloglog.greatest(merged, registers)
    return merged or hyperloglog.NO_REGISTERS, any_dense


@command(
    'PFMERGE',
    arity=-2,
    flags='write denyoom',
    keys=(key('RW access insert', 1), key('RO access', 2, -1)),
    since='2.8.9',
    group='hyperloglog',
    types={'destkey': 'key', 'sourcekey': 'key'},
)
def pfmerge(client: Client, argv: Argv) -> Reply:
    """PFMERGE destkey [sourcekey [sourcekey ...]]

    Adds to a HyperLogLog everything that others were made of, creating it if need be.

    O(N) to merge N of them
    """
    db = client.db
    destination = argv[1]
    merged, any_dense = union(client, argv[1:])
    value = db.get(destination, bytes)
    if value is None:
        hll = hyperloglog.new()
        db.put(destination, hll)
    else:
        hll = changeable(client, destination, value)
    hyperloglog.raise_to(hll, merged, any_dense, client.engine.config['hll-sparse-max-bytes'])
    hll[STALE] |= STALE_BIT
    db.changed(destination, b'pfadd')
    return OK


@command(
    'PFDEBUG',
    arity=3,
    flags='write denyoom admin syscmd',
    keys=(key('RW access', 2),),
    since='2.8.9',
    group='hyperloglog',
)
def pfdebug(client: Client, argv: Argv) -> Reply:
    """PFDEBUG subcommand key

    Shows what a HyperLogLog looks like inside: GETREG its registers, DECODE its runs, ENCODING whether it is sparse or
    dense. TODENSE makes it dense, and so does GETREG.

    Depends on subcommand
    """
    _, name, key = argv
    db = client.db
    value = db.get(key, bytes)
    if value is None:
        raise ReplyError(NO_KEY)
    hll = changeable(client, key, checked(value))
    sparse = hll[ENCODING] == SPARSE
    match name.upper():
        case b'GETREG':
            if sparse:
                densify(client, key, hll)
            return list(hyperloglog.registers_of(hll))
        case b'DECODE':
            if not sparse:
                raise ReplyError(NOT_SPARSE)
            return hyperloglog.described(hll)
        case b'ENCODING':
            return ENCODINGS[hll[ENCODING]]
        case b'TODENSE':
            if sparse:
                densify(client, key, hll)
            return int(sparse)
    raise ReplyError(b"ERR Unknown PFDEBUG subcommand '%b'" % name)


def densify(client: Client, key: bytes, hll: bytearray) -> None:
    """Make the HyperLogLog at key dense. Raises ReplyError."""
    try:
        hyperloglog.make_dense(hll)
    except CorruptError:
        raise ReplyError(CORRUPT) from None
    db = client.db
    db.put(key, hll)  # it takes more than before
    db.keyspace.dirty += 1  # and that is all: to those who watch it nothing has changed


@command('PFSELFTEST', arity=1, flags='admin syscmd', since='2.8.9', group='hyperloglog')
def pfselftest(client: Client, argv: Argv) -> Reply:
    """PFSELFTEST

    Has a sparse and a dense HyperLogLog count some thousands of elements, and sees whether they come near.

    O(N) with N elements
    """
    random = client.engine.random
    registers = bytes(random.randrange(64) for _ in range(hyperloglog.REGISTERS))
    if hyperloglog.unpacked(hyperloglog.packed(registers)) != registers:
        raise ReplyError(b'TESTFAILED registers are not read as they were written')
    sparse_bytes = client.engine.config['hll-sparse-max-bytes']
    either, dense = hyperloglog.new(), hyperloglog.new()
    hyperloglog.make_dense(dense)
    seed = random.getrandbits(64)
    done = 0
    for count in TESTED_COUNTS:
        for number in range(done, count):
            element = (number ^ seed).to_bytes(8, 'little')
            hyperloglog.add(either, element, sparse_bytes)
            hyperloglog.add(dense, element, sparse_bytes)
        done = count
        estimate = hyperloglog.estimate(hyperloglog.histogram_of(dense))
        if estimate != hyperloglog.estimate(hyperloglog.histogram_of(either)):
            raise ReplyError(b'TESTFAILED dense/sparse disagree')
        # The standard error of so many registers is 1.04 / 128 of the count.
        if abs(estimate - count) > max(1, 6 * 1.04 / 128 * count):
            raise ReplyError(b'TESTFAILED Too big error. card:%d abserr:%d' % (count, abs(estimate - count)))
    return OK
