"""What transcripts of hashes cannot show: chance, whole scans, and where an error comes half-way."""

from collections import Counter


def fill(client, count, key='h'):
    client('HSET', key, *(word for number in range(count) for word in (f'f{number}', number)))


def test_hscan_walks_a_large_hash(client):
    fill(client, 2000)
    found: Counter[bytes] = Counter()
    cursor, calls = b'0', 0
    while calls == 0 or cursor != b'0':
        cursor, some = client('HSCAN', 'h', cursor, 'COUNT', 50)
        assert all(field == b'f' + value for field, value in zip(some[::2], some[1::2], strict=True))
        found.update(some[::2])
        calls += 1
    assert found == Counter(b'f%d' % number for number in range(2000))
    assert 30 < calls < 80


def test_hscan_without_values(client):
    fill(client, 2000)
    cursor, some = client('HSCAN', 'h', '0', 'NOVALUES', 'COUNT', 50, 'MATCH', 'f1*')
    assert int(cursor) < 1 << 31
    assert all(field.startswith(b'f1') for field in some)


def test_hrandfield_returns_different_fields(client):
    fill(client, 1000)
    for count in (1, 10, 300, 999, 1000):
        fields = client('HRANDFIELD', 'h', count)
        assert len(fields) == len(set(fields)) == count
    pairs = client('HRANDFIELD', 'h', 10, 'WITHVALUES')
    assert all(field == b'f' + value for field, value in zip(pairs[::2], pairs[1::2], strict=True))


def test_hrandfield_with_repetition(client):
    fill(client, 5)
    drawn = Counter(client('HRANDFIELD', 'h', -5000))
    assert len(drawn) == 5
    assert min(drawn.values()) > 800


def test_hrandfield_with_values_gives_pairs_in_resp3(client):
    client('HELLO', 3)
    client('HSET', 'h', 'f', 'v')
    assert client('HRANDFIELD', 'h', 1, 'WITHVALUES') == [[b'f', b'v']]
    assert client('HRANDFIELD', 'h', -2, 'WITHVALUES') == [[b'f', b'v'], [b'f', b'v']]


def test_hgetall_of_a_large_hash(client):
    fill(client, 1000)
    flat = client('HGETALL', 'h')
    assert dict(zip(flat[::2], flat[1::2], strict=True)) == {b'f%d' % number: b'%d' % number for number in range(1000)}
    client('HELLO', 3)
    assert len(client('HGETALL', 'h')) == len(client('HKEYS', 'h')) == len(client('HVALS', 'h')) == 1000


def test_what_a_hash_returns_is_not_its_own_table(client):
    fill(client, 3)
    client.pipeline('MULTI', 'HGETALL h', 'HDEL h f0', 'HGETALL h', 'EXEC')
    assert [len(reply) for reply in client.take()[-1][::2]] == [6, 4]


def test_changes_are_counted_by_field(client, engine):
    client('HSET', 'h', 'f', 'v', 'g', 'w', 'f', 'x')
    assert engine.keyspace.dirty == 3
    client('HDEL', 'h', 'f', 'g', 'nope')
    assert engine.keyspace.dirty == 5


def test_a_watched_hash(clients):
    one, other = clients(2)
    one('HSET', 'h', 'f', 'v')
    one('WATCH', 'h')
    other('HDEL', 'h', 'nope')
    one('MULTI')
    assert one('EXEC') == []
    one('WATCH', 'h')
    other('HSET', 'h', 'f', 'v')
    one('MULTI')
    assert one('EXEC') is None
