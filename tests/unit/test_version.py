"""Where Redis 7.2 and 7.4 differ, replies are those of the announced version; new commands and options of 7.4 exist.

The replies were compared with redis-server 7.2.4 and 7.4.1.
"""

import pytest

from selredis.version import REDIS_VERSION

INVALID_CURSOR = 'ERR invalid cursor'
INVALID_ID = 'ERR Invalid stream ID specified as stream command argument'
SYNTAX = 'ERR syntax error'
OOM = "OOM command not allowed when used memory > 'maxmemory'."
LONG_MIN = '-9223372036854775808'


def test_the_announced_version_is_7_2(client):
    assert REDIS_VERSION.startswith('7.2.')
    assert client('HELLO', '3')[b'version'] == REDIS_VERSION.encode()


@pytest.mark.parametrize(
    ('command', 'reply'),
    [
        ('BITCOUNT none x', 0),  # 7.4: syntax error
        ('BITCOUNT none x y', 0),  # 7.4: value is not an integer
        ('BITPOS none 1 x', -1),  # 7.4: value is not an integer
        ('BITPOS none 0 1 2 WHAT', 0),  # 7.4: syntax error
        (f'LREM none {LONG_MIN} x', 0),  # 7.4: value is out of range
        ('SSCAN none -1', [b'0', []]),  # 7.4: invalid cursor; SCAN and ZSCAN alike
        ('HSCAN none -5', [b'0', []]),
        ('SCAN 0 NOVALUES', SYNTAX),  # 7.4: NOVALUES option can only be used in HSCAN
        ('CONFIG SET maxmemory-samples 65', 'OK'),  # 7.4: must be between 1 and 64
    ],
)
def test_where_7_2_and_7_4_differ_the_reply_is_that_of_7_2(client, command, reply):
    assert client(*command.split()) == reply


def test_cursors_are_read_as_in_7_2(client):
    assert client('SSCAN', 'none', ' 1') == INVALID_CURSOR  # 7.4 skips spaces
    assert client('SSCAN', 'none', '') == [b'0', []]  # 7.4: invalid cursor


def test_the_type_of_a_key_is_checked_before_a_range_of_bits_as_in_7_2(client):
    client('RPUSH', 'list', 'x')
    for command in ('BITCOUNT list x', 'BITCOUNT list x y', 'BITPOS list 1 x', 'BITPOS list 1 0 -1 WHAT'):
        assert client(*command.split()).startswith('WRONGTYPE')


def test_xreadgroup_does_not_know_the_id_plus_as_in_7_2(client):
    client('XGROUP', 'CREATE', 'x', 'g', '0', 'MKSTREAM')
    assert client('XREADGROUP', 'GROUP', 'g', 'c', 'STREAMS', 'x', '+') == INVALID_ID  # 7.4: meaningless here


def test_out_of_memory_no_command_is_queued_as_in_7_2(client):
    """Since 7.4 only commands that may take memory are refused."""
    client('CONFIG', 'SET', 'maxmemory', '1')
    client('MULTI')
    assert client('GET', 'none') == OOM
    client('DISCARD')


def test_flags_are_those_of_7_2(client):
    wait, waitaof, sinterstore = client('COMMAND', 'INFO', 'WAIT', 'WAITAOF', 'SINTERSTORE')
    assert (wait[2], waitaof[2]) == ([], ['noscript'])  # 7.4: blocking
    assert sinterstore[8][0][1] == ['RW', 'update']  # 7.4: OW


def test_commands_and_options_of_7_4_are_additions(client):
    client('HSET', 'h', 'f', 'v')
    client('XADD', 'x', '1-1', 'f', 'v')
    assert client('HEXPIRE', 'h', '10', 'FIELDS', '1', 'f') == [1]
    assert client('HSCAN', 'h', '0', 'NOVALUES') == [b'0', [b'f']]
    assert client('XREAD', 'STREAMS', 'x', '+') == [[b'x', [[b'1-1', [b'f', b'v']]]]]
    assert client('CLIENT', 'KILL', 'MAXAGE', '1000') == 0
