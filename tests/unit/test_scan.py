import pytest

from selredis.commands.scan import read_cursor
from selredis.errors import ReplyError


def test_a_scan_returns_every_key_a_few_at_a_time(client):
    keys = {b'key:%d' % number for number in range(500)}
    for key in keys:
        client('SET', key, 'v')
    cursor, found, calls = b'0', [], 0
    while True:
        cursor, some = client('SCAN', cursor)
        assert len(some) <= 12
        found += some
        calls += 1
        if cursor == b'0':
            break
    assert sorted(found) == sorted(keys)
    assert 40 <= calls <= 60


@pytest.mark.parametrize('options', [['MATCH', 'key:1*'], ['TYPE', 'list'], ['MATCH', 'none'], ['TYPE', 'none']])
def test_a_call_may_return_nothing_and_yet_not_be_the_end(client, options):
    for number in range(100):
        client('SET', f'key:{number}', 'v')
    client('RPUSH', 'list', 'a')
    expected = (
        {b'list'} if options[1] == 'list' else {key for key in client('KEYS', 'key:1*') if options[1] == 'key:1*'}
    )
    cursor, found, calls = b'0', [], 0
    while calls == 0 or cursor != b'0':
        cursor, some = client('SCAN', cursor, 'COUNT', '5', *options)
        found += some
        calls += 1
    assert set(found) == expected
    assert calls > 15


def test_the_type_of_a_key_is_looked_at_as_a_read(engine, client):
    client('SET', 'a', 'v')
    client('SCAN', '0', 'TYPE', 'list')
    assert (engine.keyspace.hits, engine.keyspace.misses) == (1, 0)


@pytest.mark.parametrize(
    ('text', 'cursor'),
    [
        (b'0', 0),
        (b'', 0),
        (b'17', 17),
        (b'+17', 17),
        (b'-1', 2**64 - 1),
        (b'-18446744073709551615', 1),
        (b'18446744073709551615', 2**64 - 1),
        (b'0' * 5000 + b'5', 5),
        (b'12\x00x', 12),
        (b'\x00', 0),
    ],
)
def test_a_cursor_is_read_as_c_reads_it(text, cursor):
    assert read_cursor(text) == cursor


@pytest.mark.parametrize(
    'text', [b'x', b' 1', b'1 ', b'\t1', b'+', b'-', b'--1', b'1.0', b'0x1', b'18446744073709551616', b'9' * 100_000]
)
def test_no_cursor(text):
    with pytest.raises(ReplyError, match='invalid cursor'):
        read_cursor(text)
