"""Adding to streams and trimming them, in time. What is answered to what: transcripts/streams."""

from selredis.values.stream import Stream


def test_ids_are_made_of_the_time_and_count_up_within_it(client, clock):
    assert client('XADD', 's', '*', 'f', 'v') == b'1700000000000-0'
    assert client('XADD', 's', '*', 'f', 'v') == b'1700000000000-1'
    clock.advance(5)
    assert client('XADD', 's', '*', 'f', 'v') == b'1700000000005-0'
    assert client('XADD', 's', '1700000000005-*', 'f', 'v') == b'1700000000005-1'


def test_ids_never_go_back_when_the_clock_does(client, clock):
    client('XADD', 's', '1800000000000-7', 'f', 'v')
    assert client('XADD', 's', '*', 'f', 'v') == b'1800000000000-8'
    client('XSETID', 's', '1800000000000-18446744073709551615')
    assert client('XADD', 's', '*', 'f', 'v') == b'1800000000001-0'


def test_entries_added_in_one_batch_differ(client):
    client.pipeline(*['XADD s * f v'] * 3)
    assert client.take() == [b'1700000000000-%d' % number for number in range(3)]


def test_what_is_refused_leaves_no_key_behind(client, engine, monkeypatch):
    monkeypatch.setattr('selredis.values.stream.MAX_NODE_BYTES', 100)
    assert client('XADD', 's', '*', 'f', 'v' * 100) == 'ERR Elements are too large to be stored'
    assert client('XADD', 's', '0-0', 'f', 'v').startswith('ERR The ID specified in XADD must be')
    assert client('EXISTS', 's') == 0
    assert client('XADD', 's', '*', 'f', 'v') == b'1700000000000-0'
    assert client('XADD', 's', '*', 'f', 'v' * 100) == 'ERR Elements are too large to be stored'
    assert client('XLEN', 's') == 1


def test_rough_trimming_without_a_limit_takes_a_hundred_blocks_at_most(client, engine):
    client('CONFIG', 'SET', 'stream-node-max-entries', 2)
    client.pipeline(*(f'XADD s 1-{number} f v' for number in range(1, 301)))
    assert client('XTRIM', 's', 'MAXLEN', '~', 0) == 200
    assert client('XTRIM', 's', 'MAXLEN', '~', 0, 'LIMIT', 0) == 100


def test_limits_of_blocks_are_those_of_the_time(client, engine):
    client('CONFIG', 'SET', 'stream-node-max-entries', 2)
    client.pipeline(*(f'XADD s 1-{number} f v' for number in range(1, 6)))
    client('CONFIG', 'SET', 'stream-node-max-entries', 0, 'stream-node-max-bytes', 0)
    client.pipeline(*(f'XADD s 2-{number} f v' for number in range(1, 200)))
    stream = engine.keyspace.databases[0].values[b's']
    assert isinstance(stream, Stream)
    assert [len(block) for block in stream.blocks] == [2, 2, 200]


def test_changes_are_counted_as_redis_counts_them(client, engine):
    def changes(*words):
        before = engine.keyspace.dirty
        client(*words)
        return engine.keyspace.dirty - before

    assert changes('XADD', 's', '1-1', 'f', 'v') == 1
    assert changes('XADD', 's', 'MAXLEN', '1', '1-2', 'f', 'v') == 1
    client.pipeline(*(f'XADD s 2-{number} f v' for number in range(1, 6)))
    assert changes('XDEL', 's', '2-1', '2-2', '9-9') == 2
    assert changes('XDEL', 's', '2-1') == 0
    assert changes('XTRIM', 's', 'MAXLEN', '2') == 2
    assert changes('XSETID', 's', '9-9') == 1
    assert changes('XGROUP', 'CREATE', 's', 'g', '0') == 1
    assert changes('XREADGROUP', 'GROUP', 'g', 'alice', 'STREAMS', 's', '>') == 2
    assert changes('XCLAIM', 's', 'g', 'alice', '0', '2-4', '2-5') == 2
    assert changes('XACK', 's', 'g', '2-4', '2-5', '2-6') == 2
    assert changes('XGROUP', 'DESTROY', 's', 'g') == 1


def test_a_stream_without_entries_is_kept_and_copied(client):
    client('XADD', 's', '1-1', 'f', 'v')
    client('XGROUP', 'CREATE', 's', 'g', '0')
    client('XDEL', 's', '1-1')
    assert client('COPY', 's', 't') == 1
    assert client('XLEN', 't') == 0
    assert client('XADD', 't', '1-1', 'f', 'v').startswith('ERR The ID specified')
    assert client('XINFO', 'GROUPS', 't')[0][1] == b'g'


def test_a_large_stream_is_freed_in_slices(client, engine, clock):
    stream = Stream()
    for number in range(1, 20_001):
        stream.append(number, [b'f', b'v'])
    db = engine.keyspace.databases[0]
    db.put(b's', stream)
    client('UNLINK', 's')
    assert engine.keyspace.discarded.containers == [stream]
    engine.keyspace.discarded.free_slice(clock)
    assert not engine.keyspace.discarded.containers
    assert not len(stream)


def test_memory_usage_tells_what_is_pending_too(client):
    client.pipeline(*(f'XADD s 1-{number} f v' for number in range(1, 201)))
    plain = client('MEMORY', 'USAGE', 's', 'SAMPLES', '0')
    assert 2_000 < plain < 5_000
    client('XGROUP', 'CREATE', 's', 'g', '0')
    client('XREADGROUP', 'GROUP', 'g', 'alice', 'STREAMS', 's', '>')
    assert client('MEMORY', 'USAGE', 's') > plain + 200 * 100
