"""Keys of any kind, their deadlines, and whole databases."""

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.strategies.words import (
    Argv,
    digits,
    either,
    keys,
    line,
    many_keys,
    milliseconds,
    mostly,
    numbers,
    option,
    seconds,
    some_of,
    unix_milliseconds,
    unix_seconds,
)

patterns = st.one_of(st.sampled_from((b'*', b'?', b'[ab]', b'[^a]*', b'a*', b'*b', b'\\a', b'none', b'')), keys)
databases = numbers(2**31, -(2**31) - 1, 2**63, low=0, high=3)
# Whether a time that is counted from now is later than another one hangs on how fast the server is.
conditions = some_of(option(b'NX'), option(b'XX'), most=2)
conditions_at = some_of(option(b'NX'), option(b'XX'), option(b'GT'), option(b'LT'), most=2)
copy_options = some_of(option(b'REPLACE'), option(b'DB', databases), option(b'DB'))
types = either(b'string', b'list', b'LIST', b'hash', b'set', b'zset', b'stream', b'what')
# Keys that hold only what both servers would keep in the same way: 7.0 has no listpacks for lists and sets.
kept_alike = either(b'text', b'hash', b'integers', b'zset', b'stream')
lengths = either(*(bytes(length) for length in (1, 44, 45, 64, 65)))
integers = st.integers(-9, 9).map(digits)
# A scan takes all the few keys at once: which of them a part would have is nobody's to say.
scan_options = some_of(
    option(b'MATCH', patterns),
    option(b'TYPE', types),
    option(b'COUNT', numbers(10**9, low=50, high=60)),
    option(b'COUNT'),
).map(lambda options: [b'COUNT', b'100', *options])
cursors = mostly(st.just(b'0'), either(b'', b'-0', b'x', b' 0', b'0 ', b'18446744073709551616'), 6)
flush_modes = st.sampled_from(([], [b'ASYNC'], [b'sync'], [b'WHAT'], [b'SYNC', b'SYNC']))


def encodings() -> SearchStrategy[Argv]:
    return st.one_of(
        line(b'OBJECT', b'ENCODING', kept_alike),
        line(b'OBJECT', b'ENCODING', kept_alike),
        line(b'SET', b'text', either(lengths, b'12', b'012', b'-9223372036854775808', b'9223372036854775808')),
        line(b'HSET', b'hash', lengths, lengths),
        line(b'HDEL', b'hash', lengths),
        st.tuples(st.just(b'SADD'), st.just(b'integers'), integers).map(list),  # no other word than integers
        line(b'SREM', b'integers', integers),
        line(b'ZADD', b'zset', b'1', lengths),
        line(b'XADD', b'stream', unix_seconds, b'field', lengths),
        line(b'RENAME', kept_alike, kept_alike),
        line(b'COPY', kept_alike, kept_alike, b'REPLACE'),
    )


def commands() -> SearchStrategy[Argv]:
    return st.one_of(
        encodings(),
        line(b'DEL', many_keys),
        line(b'UNLINK', many_keys),
        line(b'EXISTS', many_keys),
        line(b'TOUCH', many_keys),
        line(b'TYPE', keys),
        line(b'KEYS', patterns),
        line(b'RENAME', keys, keys),
        line(b'RENAME', keys, keys),
        line(b'RENAMENX', keys, keys),
        line(b'COPY', keys, keys),
        line(b'COPY', keys, keys, copy_options),
        line(b'MOVE', keys, databases),
        line(b'EXPIRE', keys, seconds, conditions),
        line(b'PEXPIRE', keys, milliseconds, conditions),
        line(b'EXPIREAT', keys, unix_seconds, conditions_at),
        line(b'PEXPIREAT', keys, unix_milliseconds, conditions_at),
        line(b'PERSIST', keys),
        line(b'TTL', keys),
        line(b'SCAN', cursors, scan_options),
        line(b'OBJECT', either(b'FREQ', b'WHAT'), keys),
        line(b'DBSIZE'),
        line(b'SELECT', databases),
        line(b'SWAPDB', databases, databases),
        mostly(line(b'SELECT', databases), st.one_of(line(b'FLUSHDB', flush_modes), line(b'FLUSHALL', flush_modes)), 4),
    )
