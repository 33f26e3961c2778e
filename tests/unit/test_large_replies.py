"""Commands that return large values: a reply shares them with the keyspace, however they are nested in it."""

from random import Random

import pytest

from selredis.resp.pieces import buffers_of
from tests.unit.conftest import as_sent

LARGE = Random(0).randbytes(100_000)
BULK = b'$%d\r\n%b\r\n' % (len(LARGE), LARGE)


def run(client, *words: bytes):
    """What a command queues."""
    client.take()
    client.engine.run(client.client, [list(words)])
    return list(client.client.out)


def shared(queued) -> int:
    """How many times the value is in the output as the object that is stored."""
    return sum(buffer is LARGE for data in queued for buffer in buffers_of(data))


@pytest.fixture(params=[b'2', b'3'])
def full(client, request):
    """A client, whose database has the value in each type that keeps it as it is."""
    client('HELLO', request.param)
    for words in (b'SET s', b'SET t', b'RPUSH l a', b'HSET h f', b'SADD set', b'ZADD z 1'):
        client(*words.split(), LARGE)
    return client


@pytest.mark.parametrize(
    ('line', 'count'),
    [
        ('GET s', 1),
        ('GETDEL s', 1),
        ('GETEX s', 1),
        ('MGET s nothing t s', 3),
        ('LRANGE l 0 -1', 1),
        ('LINDEX l -1', 1),
        ('LPOP l 2', 1),
        ('HGET h f', 1),
        ('HGETALL h', 1),
        ('HMGET h f none f', 2),
        ('HVALS h', 1),
        ('HRANDFIELD h 2 WITHVALUES', 1),
        ('HSCAN h 0', 1),
        ('SMEMBERS set', 1),
        ('SPOP set 1', 1),
        ('SSCAN set 0', 1),
        ('SUNION set', 1),
        ('ZRANGE z 0 -1', 1),
        ('ZRANGE z 0 -1 WITHSCORES', 1),
        ('ZPOPMIN z', 1),
        ('SORT l ALPHA DESC', 1),
        ('LMPOP 1 l LEFT COUNT 2', 1),
        ('ZMPOP 1 z MIN', 1),
        ('BLPOP set l 0', 0),
        ('BRPOP l 0', 1),
    ],
)
def test_a_reply_shares_large_values(full, line, count):
    queued = run(full, *line.encode().split())
    assert shared(queued) == count
    assert as_sent(queued).count(BULK) == count


def test_exec_shares_the_large_values_of_its_replies(full):
    full('MULTI')
    full('MGET', 's', 't')
    full('HGETALL', 'h')
    queued = run(full, b'EXEC')
    assert shared(queued) == 3
    assert as_sent(queued).startswith(b'*2\r\n*2\r\n' + BULK * 2)


def test_a_client_that_waits_gets_a_large_value_as_it_came(clients):
    waiting, pusher = clients(2)
    waiting('BLPOP', 'q', '0')
    pusher.engine.run(pusher.client, [[b'RPUSH', b'q', LARGE]])
    assert shared(waiting.client.out) == 1
    assert as_sent(waiting.client.out) == b'*2\r\n$1\r\nq\r\n' + BULK


def test_what_a_command_publishes_to_its_own_client_stays_behind_a_large_reply(client):
    client('HELLO', '3')
    client('SUBSCRIBE', 'news')
    client('SET', 's', LARGE)
    queued = run(client, b'PUBLISH', b'news', LARGE)
    assert shared(queued) == 1
    assert as_sent(queued).startswith(b':1\r\n>3\r\n')
    client('MULTI')
    client('PUBLISH', 'news', 'x')
    client('GET', 's')
    queued = run(client, b'EXEC')
    assert shared(queued) == 1
    assert as_sent(queued) == b'*2\r\n:1\r\n' + BULK + b'>3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$1\r\nx\r\n'


@pytest.mark.parametrize('fields', [('f',), ('f', 'g')])
def test_entries_with_large_values_are_as_they_were_added(clients, fields):
    client, reader = clients(2)
    values = {field: Random(field).randbytes(100_000) for field in fields}
    words = [word for pair in values.items() for word in pair]
    for number in (1, 2):
        client('XADD', 'x', f'{number}-0', *words)
    client('XADD', 'x', '3-0', 'other', 'small')
    entry = [word.encode() if isinstance(word, str) else word for word in words]
    assert client('XRANGE', 'x', '-', '+') == [[b'1-0', entry], [b'2-0', entry], [b'3-0', [b'other', b'small']]]
    assert client('XREVRANGE', 'x', '2-0', '2-0') == [[b'2-0', entry]]
    assert client('XREAD', 'STREAMS', 'x', '1-0') == [[b'x', [[b'2-0', entry], [b'3-0', [b'other', b'small']]]]]
    client('XGROUP', 'CREATE', 'x', 'g', '0')
    assert reader('XREADGROUP', 'GROUP', 'g', 'me', 'COUNT', '1', 'STREAMS', 'x', '>') == [[b'x', [[b'1-0', entry]]]]
    assert reader('XREADGROUP', 'GROUP', 'g', 'me', 'STREAMS', 'x', '0') == [[b'x', [[b'1-0', entry]]]]
    assert reader('XCLAIM', 'x', 'g', 'you', '0', '1-0') == [[b'1-0', entry]]
    assert reader('XINFO', 'STREAM', 'x')[-3] == [b'1-0', entry]


def test_a_field_of_a_stream_may_be_large(client):
    field = Random(7).randbytes(100_000)
    client('XADD', 'x', '1-0', field, 'a')
    client('XADD', 'x', '2-0', field, 'b')
    assert client('XRANGE', 'x', '-', '+') == [[b'1-0', [field, b'a']], [b'2-0', [field, b'b']]]
