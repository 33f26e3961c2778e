"""Words for random commands: plausible ones by the name of the argument, and hostile ones for any place."""

from collections.abc import Sequence
from random import Random

from selredis.commands import debug
from selredis.engine.command import CATEGORIES

MAX_BULK_BYTES = 64 * 1024  # proto-max-bulk-len of the fuzzed server: SETRANGE and SETBIT take no more memory
NOW_MS = 1_700_000_000_000  # Unix time at which a program begins

# Keys by the type of the value that they begin with; any command may give them another.
KEYS_OF = {
    'string': (b'str', b'num', b'float', b'long'),
    'bitmap': (b'bits', b'str', b'num'),
    'hyperloglog': (b'hll', b'hll2'),
    'list': (b'list', b'list2', b'longlist'),
    'hash': (b'hash', b'hash2', b'longhash'),
    'set': (b'set', b'set2', b'intset', b'longset'),
    'sorted-set': (b'zset', b'zset2', b'longzset'),
    'geo': (b'geo', b'zset'),
    'stream': (b'stream', b'stream2', b'longstream'),
}
OTHER_KEYS = (b'none', b'none2', b'', b'\xff\0\r\n', b'fleeting', b'key:1')
KEYS = tuple(dict.fromkeys(key for keys in KEYS_OF.values() for key in keys)) + OTHER_KEYS

NUMBERS = (
    *(b'0', b'1', b'2', b'3', b'5', b'10', b'100', b'-1', b'-2', b'-5', b'-100', b'128', b'255', b'1000'),
    *(b'2147483647', b'4294967296', b'9223372036854775807', b'-9223372036854775808', b'9223372036854775806'),
)
NOT_INTEGERS = (
    *(b'', b' 1', b'1 ', b'+1', b'01', b'-0', b'1.0', b'1e2', b'0x1', b'1_0', b'x', b'9223372036854775808'),
    *(b'-9223372036854775809', b'18446744073709551615', b'18446744073709551616', b'1' * 40, b'\xff', b'1\0'),
)
FLOATS = (
    *(b'0', b'1', b'-1', b'2', b'0.1', b'-0.5', b'3.0e3', b'1e-7', b'1e17', b'1.5', b'3', b'-0', b'1e308', b'-1e308'),
    *(b'inf', b'-inf', b'+inf', b'Infinity', b'5e-324', b'0.30000000000000004', b'9007199254740993'),
)
NOT_FLOATS = (
    b'nan',
    b'-nan',
    b'NaN',
    b'',
    b' 1',
    b'1 ',
    b'1x',
    b'1e',
    b'--1',
    b'1_0',
    b'1,5',
    b'\xff',
    b'0x1p3',
    b'1e400',
)
VALUES = (
    *(b'', b'a', b'b', b'c', b'x', b'yy', b'text', b'0', b'7', b'-3', b'2.5', b'\0', b'\r\n', b'\xff\xfe', b'a b'),
    *(b'x' * 63, b'x' * 65, b'y' * 200, b'z' * 1500, b'foobarbaz', b'ohmytext', b'mynewtext', b'*', b'$5'),
)
LONG_VALUES = (b'v' * 3000, b'w' * 20_000)
MEMBERS = (
    b'a',
    b'b',
    b'c',
    b'd',
    b'e',
    b'1',
    b'2',
    b'3',
    b'100',
    b'-7',
    b'',
    b'x' * 65,
    b'\xff',
    b'm1',
    b'm2',
    b'Palermo',
)
FIELDS = (b'f', b'f1', b'f2', b'f3', b'a', b'1', b'', b'x' * 65, b'\0')
PATTERNS = (
    *(b'*', b'?', b'', b'a*', b'*a', b'[a-c]', b'[^a]', b'[', b'[^a-', b'\\', b'\\*', b'*[a-z]*', b'str*', b'n?m*'),
    *(b'l[io]*', b'[]]', b'[z-a]', b'h*l', b'**', b'*?*?*', b'news', b'n*', b'__key*', b'w_*', b'hash->f1', b'#'),
)
SMALL = (b'0', b'1', b'1', b'2', b'3', b'5', b'10', b'100', b'-1', b'-3')
# Never a negative one that is large: so many members would be returned.
COUNTS = (*SMALL, b'2147483648', b'9223372036854775807', b'-9223372036854775808')
INDEXES = (*SMALL, b'-2', b'-100', b'1000000', b'-1000000', b'9223372036854775807', b'-9223372036854775808')
IDS = (
    *(b'5-1', b'5-1', b'5-1', b'5-2', b'5-2', b'1-1', b'6-0', b'0', b'0-0', b'0-1', b'$', b'>', b'6', b'7-3'),
    *(b'-', b'-', b'+', b'+', b'*', b'5-*', b'(5-1'),
    *(b'(0', b'1700000000000-0', b'1700000000001-*', b'18446744073709551615-18446744073709551615', b'99-99'),
    *(b'18446744073709551615', b'18446744073709551615-0', b'9223372036854775808-1', b'-1-1', b'1-', b'1-1-1', b'x-1'),
)
SCORE_BOUNDS = (*FLOATS, *FLOATS, b'(1', b'(2', b'(-inf', b'(inf', b'(', b'(nan')
LEX_BOUNDS = (b'-', b'+', b'[a', b'(a', b'[c', b'(c', b'[', b'(', b'[\xff', b'a', b'')
TIMEOUTS = (b'0', b'0', b'0.01', b'0.05', b'1', b'5', b'1000', b'0.0001', b'1e3', b'-1', b'9223372036854775', b'inf')
SECONDS = (b'1', b'2', b'10', b'100', b'1000000', b'0', b'-1', b'9223372036854775', b'9223372036854775807')
MILLISECONDS = (b'1', b'10', b'25', b'100', b'1000', b'100000000', b'0', b'-1', b'9223372036854775807')
UNIX_SECONDS = (b'1700000001', b'1700000010', b'1700001000', b'1', b'0', b'-1', b'32503680000', b'9223372036854775')
UNIX_MILLISECONDS = (
    b'1700000000001',
    b'1700000000100',
    b'1700000010000',
    b'1',
    b'0',
    b'32503680000123',
    b'9223372036854775807',
)
CHANNELS = (b'news', b'weather', b'', b'__keyspace@0__:str', b'__keyevent@0__:set', b'__redis__:invalidate', b'\xff')
ENCODINGS = (b'u8', b'i8', b'u1', b'i64', b'u63', b'u64', b'i65', b'i5', b'u13', b'i0', b'x8', b'u')
OFFSETS = (
    b'0',
    b'1',
    b'7',
    b'8',
    b'100',
    b'#0',
    b'#1',
    b'#3',
    b'65535',
    b'524287',
    b'524288',
    b'-1',
    b'9223372036854775807',
)
TYPES = (b'string', b'list', b'hash', b'set', b'zset', b'stream', b'nope')
COMMAND_NAMES = (
    b'get',
    b'SET',
    b'mget',
    b'client|list',
    b'xread',
    b'sort',
    b'nope',
    b'zunionstore',
    b'config|set',
    b'EVAL',
    b'',
)
PROTOCOL_TYPES = tuple(debug.EXAMPLES)
SECTIONS = (
    *(
        b'server',
        b'clients',
        b'memory',
        b'stats',
        b'replication',
        b'cpu',
        b'commandstats',
        b'latencystats',
        b'keyspace',
    ),
    *(b'errorstats', b'cluster', b'modules', b'persistence', b'everything', b'all', b'default', b'nope'),
)

# Values of parameters that change what commands do, and nothing outside the server. Each list begins with the default.
PARAMETERS: dict[bytes, tuple[bytes, ...]] = {
    b'maxmemory': (b'0', b'0', b'100mb', b'1mb', b'300kb', b'1'),
    b'maxmemory-policy': (
        *(b'noeviction', b'allkeys-lru', b'volatile-lru', b'allkeys-lfu', b'volatile-lfu', b'allkeys-random'),
        *(b'volatile-random', b'volatile-ttl'),
    ),
    b'maxmemory-samples': (b'5', b'1', b'64'),
    b'maxmemory-eviction-tenacity': (b'10', b'0', b'100'),
    b'maxmemory-clients': (b'0', b'0', b'10mb', b'5%', b'100kb'),
    b'client-query-buffer-limit': (b'1gb', b'1mb'),
    b'client-output-buffer-limit': (
        b'normal 0 0 0 slave 256mb 64mb 60 pubsub 32mb 8mb 60',
        b'normal 100kb 10kb 1',
        b'pubsub 20kb 1kb 1',
    ),
    b'lfu-log-factor': (b'10', b'0', b'100'),
    b'lfu-decay-time': (b'1', b'0'),
    b'tracking-table-max-keys': (b'1000000', b'0', b'1', b'3'),
    b'hash-max-listpack-entries': (b'512', b'0', b'2'),
    b'hash-max-listpack-value': (b'64', b'1'),
    b'list-max-listpack-size': (b'-2', b'2', b'-1', b'0'),
    b'set-max-intset-entries': (b'512', b'0', b'2'),
    b'set-max-listpack-entries': (b'128', b'0', b'2'),
    b'zset-max-listpack-entries': (b'128', b'0', b'2'),
    b'zset-max-listpack-value': (b'64', b'1'),
    b'stream-node-max-entries': (b'100', b'1', b'2', b'0'),
    b'stream-node-max-bytes': (b'4kb', b'1', b'0'),
    b'hll-sparse-max-bytes': (b'3000', b'0', b'20'),
    b'notify-keyspace-events': (b'', b'KEA', b'K$lshzxetdmn', b'Eg'),
    b'slowlog-log-slower-than': (b'10000', b'0', b'-1'),
    b'slowlog-max-len': (b'128', b'0', b'1'),
    b'latency-monitor-threshold': (b'0', b'1'),
    b'latency-tracking': (b'yes', b'no'),
    b'latency-tracking-info-percentiles': (b'50 99 99.9', b'', b'0 100'),
    b'lazyfree-lazy-user-del': (b'no', b'yes'),
    b'lazyfree-lazy-user-flush': (b'no', b'yes'),
    b'timeout': (b'0', b'0', b'1'),
    b'hz': (b'10', b'1', b'500'),
    b'requirepass': (b'', b'', b'secret'),
    b'crash-log-enabled': (b'yes', b'no'),
}
PARAMETER_NAMES = (*PARAMETERS, b'*', b'max*', b'nope', b'', b'[a', b'PORT', b'save')

# By the name that the syntax line of a command shows.
WORDS: dict[str, tuple[bytes, ...]] = {
    **dict.fromkeys(('member', 'member1', 'member2', 'pivot'), MEMBERS),
    'element': (*MEMBERS, *VALUES),
    'value': (*VALUES, *VALUES, *FLOATS, *NUMBERS, *LONG_VALUES),
    **dict.fromkeys(('field', 'event'), FIELDS),
    **dict.fromkeys(('score', 'weight', 'increment', 'decrement'), (*FLOATS, *NUMBERS)),
    **dict.fromkeys(('id', 'last-id', 'lastid', 'max-deleted-id'), IDS),
    'threshold': (*SMALL, *IDS),
    'group': (b'g', b'g', b'g', b'g', b'g', b'g', b'h', b''),
    'consumer': (b'alice', b'alice', b'bob', b'bob', b''),
    **dict.fromkeys(('pattern', 'prefix'), PATTERNS),
    **dict.fromkeys(('channel', 'shardchannel'), CHANNELS),
    'timeout': TIMEOUTS,
    'cursor': (b'0', b'0', b'0', b'1', b'2', b'17', b'9223372036854775808', b'18446744073709551615'),
    'encoding': ENCODINGS,
    'offset': OFFSETS,
    'bit': (b'0', b'1', b'2'),
    'longitude': (b'13.361389', b'15.087269', b'0', b'180', b'-180', b'181', b'-0.0001', b'2.5'),
    'latitude': (b'38.115556', b'37.502669', b'0', b'85.05112878', b'-85.05112878', b'86', b'90', b'-1'),
    **dict.fromkeys(('radius', 'width', 'height'), (b'200', b'0', b'0.001', b'1e6', b'1e308', b'-1', b'40000', b'5')),
    **dict.fromkeys(('db', 'destination-db', 'index1', 'index2'), (b'0', b'1', b'1', b'15', b'16', b'-1')),
    'client-id': tuple(b'%d' % number for number in range(1, 12)),
    'seconds': SECONDS,
    **dict.fromkeys(('milliseconds', 'min-idle-time', 'ms'), MILLISECONDS),
    'unix-time-seconds': UNIX_SECONDS,
    'unix-time-milliseconds': UNIX_MILLISECONDS,
    'type': (*TYPES, *PROTOCOL_TYPES),
    **dict.fromkeys(('command', 'command-name'), COMMAND_NAMES),
    'section': SECTIONS,
    'event': (b'command', b'fast-command', b'expire-cycle', b'eviction-cycle', b'nope'),
    'parameter': PARAMETER_NAMES,
    'protover': (b'2', b'3', b'2', b'3', b'4', b'1'),
    'username': (b'default', b'default', b'nope'),
    'password': (b'secret', b'secret', b'wrong', b''),
    'category': tuple(category.encode() for category in CATEGORIES),
    'ip:port': (b'127.0.0.1:1', b':0', b'x'),
    **dict.fromkeys(('slot', 'start-slot', 'end-slot'), (b'0', b'1', b'16383', b'16384', b'-1')),
    **dict.fromkeys(('count', 'num-matches', 'len', 'rank', 'limit', 'samples', 'maxage'), COUNTS),
    **dict.fromkeys(('start', 'stop', 'end', 'index'), INDEXES),
    **dict.fromkeys(('libname', 'libver', 'connection-name', 'clientname'), (b'name', b'', b'a b', b'1.0', b'x' * 100)),
    'message': VALUES,
    'subcommand': (b'GETREG', b'DECODE', b'ENCODING', b'TODENSE', b'nope'),
    'version': (b'5', b'6', b'7', b'0'),
}
# Of some commands, or groups of commands, a name means something else.
WORDS_OF: dict[tuple[str, str], tuple[bytes, ...]] = {
    **{(f'z{verb}bylex', name): LEX_BOUNDS for verb in ('range', 'revrange', 'remrange') for name in ('min', 'max')},
    **{
        (f'z{verb}byscore', name): SCORE_BOUNDS for verb in ('range', 'revrange', 'remrange') for name in ('min', 'max')
    },
    **{('zlexcount', name): LEX_BOUNDS for name in ('min', 'max')},
    **{('zcount', name): SCORE_BOUNDS for name in ('min', 'max')},
    ('xadd', 'id'): (b'*', b'5-*', b'6-*', b'7-3', b'99-99', b'0-1', b'1700000000000-0', b'5-1', b'0', b'5-3'),
    ('xread', 'id'): (b'0', b'$', b'5-1', b'$', b'0-0', b'+', b'6-0'),
    ('xreadgroup', 'id'): (b'>', b'>', b'>', b'0', b'5-1', b'$'),
    **{(f'zrange{end}', name): INDEXES for end in ('', 'store') for name in ('start', 'stop', 'min', 'max')},
    ('auth', 'username'): (b'default',),
    ('stream', 'start'): IDS,
    ('stream', 'end'): IDS,
    ('connection', 'index'): (b'0', b'0', b'1', b'2', b'15', b'16', b'-1'),
    ('string', 'offset'): (*SMALL, b'1000', b'65535', b'65536', b'9223372036854775807'),
    ('string', 'increment'): (*NUMBERS, *FLOATS),
    ('connection', 'timeout'): (b'0', b'1', b'10', b'100', b'1000', b'-1', b'9223372036854775807'),
    ('bitmap', 'value'): (b'0', b'1', b'0', b'1', b'2', b'-1', b'255', b'256', b'9223372036854775807'),
}
ANY_WORDS: tuple[bytes, ...] = (*VALUES, *NUMBERS, *NOT_INTEGERS, *FLOATS, *NOT_FLOATS)
HOSTILE = (*NOT_INTEGERS, *NOT_FLOATS, *NUMBERS, *VALUES, *PATTERNS, *KEYS)
HOSTILE_SHARE = 24  # of so many words one is hostile


def words_for(name: str, command: str, group: str, kind: str) -> Sequence[bytes]:
    """Return words to choose from for an argument, one in HOSTILE_SHARE of which is a hostile one."""
    if kind == 'key':
        own = KEYS_OF.get(group, KEYS)
        own = (own[0], own[0], *own)
        return (*own * (1 + 4 * len(KEYS) // len(own)), *KEYS)
    plausible = WORDS_OF.get((command, name)) or WORDS_OF.get((group, name)) or WORDS.get(name)
    if plausible is None:
        plausible = NUMBERS if kind in ('integer', 'unix-time') else FLOATS if kind == 'double' else ANY_WORDS
    # Weigh the two: repeat the plausible words until the hostile ones are one in so many.
    times = 1 + (HOSTILE_SHARE - 1) * len(HOSTILE) // len(plausible)
    return (*plausible * times, *HOSTILE)


def long_filling() -> list[list[bytes]]:
    """Commands that make values beyond the limits of small encodings."""
    random = Random(1)
    numbers = [b'%d' % random.randrange(10**6) for _ in range(150)]
    return [
        [b'SET', b'long', b'long value ' * 300],
        [b'RPUSH', b'longlist', *numbers],
        [b'HSET', b'longhash', *numbers],
        [b'SADD', b'longset', *numbers[:140], b'text'],
        [b'ZADD', b'longzset', *(word for number in numbers for word in (number[:3], b'm' + number))],
        *([b'XADD', b'longstream', b'%d-1' % (number + 1), b'f', b'%d' % number] for number in range(12)),
    ]


FILLING: list[list[bytes]] = [
    [b'SET', b'str', b'value'],
    [b'MSET', b'num', b'10', b'float', b'2.5', b'bits', b'\xf0\x0f'],
    [b'SET', b'fleeting', b'x', b'PX', b'20'],
    [b'PFADD', b'hll', b'a', b'b', b'c'],
    [b'RPUSH', b'list', b'a', b'b', b'', b'\xff', b'7', b'a'],
    [b'RPUSH', b'list2', b'1', b'2', b'3'],
    [b'HSET', b'hash', b'f', b'1', b'f1', b'2.5', b'f2', b'text', b'a', b'b'],
    [b'HPEXPIRE', b'hash', b'30', b'FIELDS', b'1', b'f2'],
    [b'SADD', b'set', b'a', b'b', b'c', b'x'],
    [b'SADD', b'intset', b'1', b'2', b'3', b'100', b'-7'],
    [b'ZADD', b'zset', b'1', b'a', b'2', b'b', b'2', b'c', b'inf', b'd', b'-1.5', b'e'],
    [b'GEOADD', b'geo', b'13.361389', b'38.115556', b'Palermo', b'15.087269', b'37.502669', b'a'],
    [b'XADD', b'stream', b'5-1', b'f', b'1'],
    [b'XADD', b'stream', b'5-2', b'f', b'2', b'f1', b'x'],
    [b'XGROUP', b'CREATE', b'stream', b'g', b'0'],
    [b'XREADGROUP', b'GROUP', b'g', b'alice', b'COUNT', b'1', b'STREAMS', b'stream', b'>'],
]
LONG_FILLING = long_filling()
