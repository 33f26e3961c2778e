"""DEBUG: for tests of the server and of clients, where enable-debug-command allows it.

One command in the table, as in Redis: its first word chooses. Of Redis's are here those that mean something here; what
saves or loads, crashes the server or shows the innards of data types that are kept otherwise is not.
"""

import re
from collections.abc import Callable

from selredis.commands.config import config_file_of, reason
from selredis.commands.objects import SHARED_REFERENCES, is_shared
from selredis.config_rewrite import rewrite
from selredis.engine.client import Client
from selredis.engine.command import Argv, command
from selredis.engine.help import help_lines, wrong_subcommand
from selredis.errors import MUST_BE_POSITIVE, NO_SUCH_KEY, ReplyError, c_string
from selredis.glob import compile_glob
from selredis.keyspace.database import Database
from selredis.numeric import integer, memory_bytes
from selredis.resp.reply import OK, Attributes, BigNumber, Error, Map, Push, Reply, Set_, Several, Status, Verbatim
from selredis.values.digest import Digest
from selredis.values.encoding import encoding_of

Handler = Callable[[Client, Argv], Reply]

# By name: how many words there may be, DEBUG and the name included, and what to do.
SUBCOMMANDS: dict[bytes, tuple[range, Handler]] = {}

ANY_NUMBER = 1 << 31
POPULATED_KEY_BYTES = 127  # a longer name is cut (debug.c)
LONGEST_SLEEP_SECONDS = 1e9
PACKED_THRESHOLD_MAX = (1 << 32) - (1 << 20)

# Classes of clients by size: the first is of less than 32 KB, the last of 4 GB and more (server.h, as for buckets).
SMALLEST_CLASS_BITS, LARGEST_CLASS_BITS = 15, 33

MATCHES_TESTED = 2_000
FUZZ = b'**??[]^-\\\\aabbc'  # what patterns and texts are made of
FUZZ_BYTES = 32
TEST_PASSED = Status(b'Apparently Redis did not crash: test passed')


def subcommand(name: bytes, low: int, high: int | None = None) -> Callable[[Handler], Handler]:
    """Enter a subcommand that takes `low` words or, if `high` is given, up to so many."""

    def register(handler: Handler) -> Handler:
        SUBCOMMANDS[name] = range(low, (high or low) + 1), handler
        return handler

    return register


@command('DEBUG', arity=-2, flags='admin noscript loading stale protected syscmd', since='1.0.0', group='server')
def debug(client: Client, argv: Argv) -> Reply:
    """DEBUG

    Does what only tests need.

    Depends on the subcommand.
    """
    counts, handler = SUBCOMMANDS.get(argv[1].upper(), (range(0), None))
    if handler is None or len(argv) not in counts:
        raise wrong_subcommand(argv)
    return handler(client, argv)


# The server


@subcommand(b'SLEEP', 3)
def sleep(client: Client, argv: Argv) -> Reply:
    """DEBUG SLEEP seconds

    Stops the whole server for a time.
    """
    client.engine.clock.sleep(min(max(c_number(argv[2]), 0.0), LONGEST_SLEEP_SECONDS))
    if not client.in_exec:  # a transaction happens at one time
        client.engine.tell_time()
    return OK


@subcommand(b'CONFIG-REWRITE-FORCE-ALL', 2)
def config_rewrite_force_all(client: Client, argv: Argv) -> Reply:
    """DEBUG CONFIG-REWRITE-FORCE-ALL

    Writes all parameters into the configuration file, those that have their default value, too.
    """
    try:
        rewrite(client.engine.config, config_file_of(client), everything=True)
    except OSError as error:
        raise ReplyError(b'ERR CONFIG-REWRITE-FORCE-ALL failed: %b' % reason(error)) from error
    return OK


@subcommand(b'SET-ACTIVE-EXPIRE', 3)
def set_active_expire(client: Client, argv: Argv) -> Reply:
    """DEBUG SET-ACTIVE-EXPIRE <0 | 1>

    Lets keys expire in the background, or only when they are looked at.
    """
    client.engine.active_expire = c_number(argv[2]) != 0
    return OK


@subcommand(b'PAUSE-CRON', 3)
def pause_cron(client: Client, argv: Argv) -> Reply:
    """DEBUG PAUSE-CRON <0 | 1>

    Leaves out what else happens some times a second, until it is told to go on.
    """
    client.engine.cron_paused = c_number(argv[2]) != 0
    return OK


@subcommand(b'CHANGE-REPL-ID', 2)
def change_repl_id(client: Client, argv: Argv) -> Reply:
    """DEBUG CHANGE-REPL-ID

    Gives the history of changes another id.
    """
    engine = client.engine
    engine.log.notice('Changing replication IDs after receiving DEBUG change-repl-id')
    engine.replication_id = engine.new_id()
    return OK


@subcommand(b'LOG', 3)
def log(client: Client, argv: Argv) -> Reply:
    """DEBUG LOG message

    Writes a message to the log.
    """
    client.engine.log.warning(f'DEBUG LOG: {c_string(argv[2]).decode("utf-8", "backslashreplace")}')
    return OK


@subcommand(b'QUICKLIST-PACKED-THRESHOLD', 3)
def quicklist_packed_threshold(client: Client, argv: Argv) -> Reply:
    """DEBUG QUICKLIST-PACKED-THRESHOLD size

    Would have larger elements of lists kept apart, were lists kept in pieces; here it changes nothing.
    """
    try:
        if memory_bytes(c_string(argv[2])) <= PACKED_THRESHOLD_MAX:
            return OK
    except ValueError:
        pass
    raise ReplyError(b'ERR argument must be a memory value bigger than 1 and smaller than 4gb')


# Keys


@subcommand(b'OBJECT', 3)
def object_(client: Client, argv: Argv) -> Reply:
    """DEBUG OBJECT key

    Tells where a value is in memory, how many references Redis would hold to it, its encoding, when it was used last
    (Unix time in s, as far as OBJECT IDLETIME knows) or, under an LFU policy, its mark, and for how long it was not.
    """
    value = client.db.values.get(argv[2])
    if value is None:
        raise ReplyError(NO_SUCH_KEY)
    engine = client.engine
    references = SHARED_REFERENCES if is_shared(engine, value) else 1
    encoding = encoding_of(value, engine.config)
    engine.memory.note_idle_times()
    uses = engine.keyspace.uses
    use = client.db.uses.get(argv[2], uses.since_ms)
    idle_seconds = 0 if uses.by_frequency else uses.idle_ms(client.db, argv[2]) // 1000
    return Status(
        b'Value at:0x%x refcount:%d encoding:%b lru:%d lru_seconds_idle:%d'
        % (id(value), references, encoding, use if uses.by_frequency else use // 1000, idle_seconds)
    )


@subcommand(b'POPULATE', 3, 5)
def populate(client: Client, argv: Argv) -> Reply:
    """DEBUG POPULATE count [prefix] [size]

    Makes so many strings, key:0, key:1 and so on, but for keys that are there; with a size, of so many bytes.
    """
    count = positive(argv[2])
    prefix = c_string(argv[3]) if len(argv) > 3 else b'key'
    size = positive(argv[4]) if len(argv) > 4 else 0
    db = client.db
    for number in range(count):
        key = (b'%b:%d' % (prefix, number))[:POPULATED_KEY_BYTES]
        if key not in db:
            value = b'value:%d' % number
            db.put(key, value[:size].ljust(size, b'\0') if size else value)
            db.touch(key)  # it counts for no change
    return OK


@subcommand(b'DIGEST', 2)
def digest(client: Client, argv: Argv) -> Reply:
    """DEBUG DIGEST

    Returns a fingerprint of all databases.
    """
    everything = Digest()
    for db in client.engine.keyspace.databases:
        if not db.values:
            continue
        everything.mix(db.number.to_bytes(4, 'big'))
        for key in db.values:
            of_key = Digest()
            of_key.mix(key)
            mix_value(of_key, db, key)
            everything.xor(of_key.bytes)
    return Status(everything.bytes.hex().encode())


@subcommand(b'DIGEST-VALUE', 2, ANY_NUMBER)
def digest_value(client: Client, argv: Argv) -> Reply:
    """DEBUG DIGEST-VALUE [key [key ...]]

    Returns a fingerprint of each value, zeros for a key that is not there.
    """
    digests: list[Status] = []
    for key in argv[2:]:
        of_value = Digest()
        if key in client.db.values:
            mix_value(of_value, client.db, key)
        digests.append(Status(of_value.bytes.hex().encode()))
    return digests


def mix_value(digest: Digest, db: Database, key: bytes) -> None:
    digest.mix_value(db.values[key], key in db.deadlines)


@subcommand(b'STRINGMATCH-TEST', 2)
def stringmatch_test(client: Client, argv: Argv) -> Reply:
    """DEBUG STRINGMATCH-TEST

    Matches thousands of texts with glob patterns, all of them made up at random.
    """
    random = client.engine.random
    for _ in range(MATCHES_TESTED):
        pattern, text = (bytes(random.choices(FUZZ, k=random.randrange(FUZZ_BYTES))) for _ in range(2))
        compile_glob(pattern)(text)
    return TEST_PASSED


# Clients


@subcommand(b'CLIENT-EVICTION', 2)
def client_eviction(client: Client, argv: Argv) -> Reply:
    """DEBUG CLIENT-EVICTION

    Tells how many clients that maxmemory-clients may close there are of each size, and what they take together.
    """
    eviction = client.engine.client_eviction
    if not eviction.limit_bytes:
        raise ReplyError(b'ERR maxmemory-clients is disabled.')
    by_class: list[list[int]] = [[] for _ in range(LARGEST_CLASS_BITS - SMALLEST_CLASS_BITS + 1)]
    for size in eviction.sizes():
        class_ = min(max(size.bit_length() - SMALLEST_CLASS_BITS, 0), len(by_class) - 1)
        by_class[class_].append(size)
    lines: list[str] = []
    for class_, sizes in enumerate(by_class):
        low = 1 << (class_ - 1 + SMALLEST_CLASS_BITS) if class_ else 0
        last = class_ == len(by_class) - 1
        span = '+            : ' if last else f' - {(1 << (class_ + SMALLEST_CLASS_BITS)) - 1:10}: '
        lines.append(f'bucket {low:10}{span}tot-mem: {sum(sizes):10}, clients: {len(sizes)}\n')
    return Verbatim(''.join(lines).encode())


@subcommand(b'REPLYBUFFER', 4)
def replybuffer(client: Client, argv: Argv) -> Reply:
    """DEBUG REPLYBUFFER <PEAK-RESET-TIME <NEVER | RESET | milliseconds> | RESIZING <0 | 1>>

    Would tell when clients' buffers for replies are made smaller, were they of a fixed size; here it changes nothing.
    """
    match argv[2].upper():
        case b'PEAK-RESET-TIME':
            if argv[3].upper() not in (b'NEVER', b'RESET'):
                integer(argv[3])
        case b'RESIZING':
            pass
        case _:
            raise wrong_subcommand(argv)
    return OK


@subcommand(b'ERROR', 3)
def error(client: Client, argv: Argv) -> Reply:
    """DEBUG ERROR message

    Returns an error with this text, its code included.
    """
    return Error(argv[2])  # as a value: it is not counted as one


@subcommand(b'PROTOCOL', 3)
def protocol(client: Client, argv: Argv) -> Reply:
    """DEBUG PROTOCOL type

    Returns a value of a type: string, integer, double, bignum, null, array, set, map, attrib, push, verbatim, true or
    false.
    """
    name = argv[2].lower()
    if name not in EXAMPLES:
        raise ReplyError(b'ERR Wrong protocol type name. Please use one of the following: %b' % b'|'.join(EXAMPLES))
    if name == b'push' and client.protocol == 2:
        raise ReplyError(b'ERR RESP2 is not supported by this command')
    return EXAMPLES[name]


EXAMPLES: dict[bytes, Reply] = {
    b'string': b'Hello World',
    b'integer': 12345,
    b'double': 3.141,
    b'bignum': BigNumber(1234567999999999999999999999999999999),
    b'null': None,
    b'array': [0, 1, 2],
    b'set': Set_([0, 1, 2]),
    b'map': Map({0: False, 1: True, 2: False}),
    b'attrib': Several(
        [Attributes({b'key-popularity': [b'key:123', 90]}), b'Some real reply following the attribute'],
    ),
    # A push to the client itself follows the reply (7.2 and later).
    b'push': Several([b'Some real reply following the push reply', Push([b'server-cpu-usage', 42])]),
    b'verbatim': Verbatim(b'This is a verbatim\nstring'),
    b'true': True,
    b'false': False,
}


@subcommand(b'HELP', 2)
def help_(client: Client, argv: Argv) -> Reply:
    """DEBUG HELP

    Returns this text.
    """
    return help_lines(b'debug', (handler.__doc__ for _, handler in SUBCOMMANDS.values()))


# Numbers


def c_number(text: bytes) -> float:
    """What C makes of the beginning of a text that is a number, 0 if there is none."""
    match = re.match(rb'\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,2})?)', text)
    return float(match[1]) if match else 0.0


def positive(text: bytes) -> int:
    """An integer that is not negative. Raises ReplyError."""
    number = integer(text, MUST_BE_POSITIVE)
    if number < 0:
        raise ReplyError(MUST_BE_POSITIVE)
    return number
