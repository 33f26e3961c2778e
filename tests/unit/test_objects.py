import pytest


@pytest.mark.parametrize(
    ('elements', 'limit', 'expected'),
    [(3, '-2', b'listpack'), (3, '2', b'quicklist'), (5000, '-2', b'quicklist'), (5000, '-5', b'listpack')],
)
def test_a_lists_encoding_follows_its_size_and_the_configured_limit(engine, client, elements, limit, expected):
    engine.config.read_directive([b'list-max-listpack-size', limit.encode()])
    client('RPUSH', 'q', *range(elements))
    assert client('OBJECT', 'ENCODING', 'q') == expected


@pytest.mark.parametrize(
    ('command', 'expected'),
    [
        ('APPEND k x', b'raw'),
        ('SETRANGE k 0 x', b'raw'),
        ('INCR number', b'int'),
        ('COPY text k REPLACE', b'embstr'),
        ('GETSET k 5', b'int'),
    ],
)
def test_a_strings_encoding_follows_how_it_came_to_be(client, command, expected):
    client('MSET', 'k', 'short', 'number', '41', 'text', 'short')
    client(*command.split())
    assert client('OBJECT', 'ENCODING', command.split()[1] if 'COPY' not in command else 'k') == expected


def test_a_copy_keeps_the_encoding(client):
    client('SET', 'k', 'short')
    client('APPEND', 'k', '!')
    client('COPY', 'k', 'copy')
    assert client('OBJECT', 'ENCODING', 'copy') == b'raw'


def test_asking_is_a_read_but_no_miss_for_those_who_listen(engine, clients):
    listener, other = clients(2)
    engine.keyspace.notify_classes(frozenset('KEm'))
    listener('PSUBSCRIBE', '__key*')
    assert other('OBJECT', 'ENCODING', 'none') is None
    assert other('OBJECT', 'REFCOUNT', 'none') is None
    assert other('OBJECT', 'FREQ', 'none') is None
    assert engine.keyspace.misses == 3
    assert len(listener.take()) == 1
    other('EXISTS', 'none')
    assert len(listener.take()) == 3


@pytest.mark.parametrize('before', ['noeviction', 'allkeys-lru'])
def test_freq_of_keys_that_exist_at_the_switch_to_lfu_is_that_of_new_keys(client, engine, clock, before):
    client('CONFIG', 'SET', 'maxmemory-policy', before)
    client('SET', 'k', 'v')
    for _ in range(3):
        clock.advance(3_600_000)
        engine.tick()
    client('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lfu')
    assert client('OBJECT', 'FREQ', 'k') == 5
