"""The commands that wait, alone: what they take at once, and what they wait for. Who is served when: test_waiting."""

import pytest

from selredis.values.list import List


@pytest.mark.parametrize(
    ('command', 'reply'),
    [
        ('BLPOP none q other 0', [b'q', b'a']),
        ('BRPOP none q other 0', [b'q', b'c']),
        ('BLMPOP 0 2 none q LEFT COUNT 2', [b'q', [b'a', b'b']]),
        ('BLMPOP 0 1 q RIGHT COUNT 9', [b'q', [b'c', b'b', b'a']]),
        ('BLMOVE q other LEFT RIGHT 0', b'a'),
        ('BRPOPLPUSH q other 0', b'c'),
    ],
)
def test_what_is_there_is_taken_at_once(client, command, reply):
    client('RPUSH', 'q', 'a', 'b', 'c')
    client('RPUSH', 'other', 'x')
    assert client(*command.split()) == reply
    assert client.client.wait is None


@pytest.mark.parametrize(
    ('command', 'keys'),
    [
        ('BLPOP a b a 0', [b'a', b'b']),
        ('BRPOP a 0', [b'a']),
        ('BLMPOP 0 2 b a LEFT', [b'b', b'a']),
        ('BLMOVE a b LEFT RIGHT 0', [b'a']),
        ('BRPOPLPUSH a b 0', [b'a']),
    ],
)
def test_what_is_waited_for(client, command, keys):
    assert client(*command.split()) == []
    wait = client.client.wait
    assert (wait.keys, wait.kind, wait.timer) == (keys, List, None)


def test_the_timeout_is_looked_at_before_the_keys(client):
    client('SET', 'text', 'x')
    client('RPUSH', 'q', 'a')
    assert client('BLPOP', 'text', '-1') == 'ERR timeout is negative'
    assert client('BLPOP', 'q', 'soon') == 'ERR timeout is not a float or out of range'
    assert client('LLEN', 'q') == 1


def test_a_timeout_must_end_before_the_end_of_time(client, engine):
    last = 2**63 - 1 - engine.now_ms
    assert client('BLPOP', 'q', f'{last // 1000 + 1}') == 'ERR timeout is out of range'
    assert client('BLPOP', 'q', f'{last // 1000}') == []
    assert client.client.wait.timer is not None


def test_what_is_named_first_counts(clients):
    waiting, pusher = clients(2)
    pusher('RPUSH', 'two', 'b')
    pusher('RPUSH', 'one', 'a')
    assert waiting('BLPOP', 'one', 'two', '0') == [b'one', b'a']
