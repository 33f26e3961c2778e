"""What is done with pending entries, in time. What is answered to what: transcripts/streams."""

import pytest


@pytest.fixture
def group(client):
    """A group of alice, who has been given three entries, and bob."""
    for number in (1, 2, 3):
        client('XADD', 's', f'1-{number}', 'n', number)
    client('XGROUP', 'CREATE', 's', 'g', '0')
    client('XREADGROUP', 'GROUP', 'g', 'alice', 'STREAMS', 's', '>')
    client('XGROUP', 'CREATECONSUMER', 's', 'g', 'bob')
    return client


def pending(client):
    return client('XPENDING', 's', 'g', '-', '+', 10)


def test_what_is_pending_tells_for_how_long(group, clock):
    clock.advance(7)
    group('XCLAIM', 's', 'g', 'bob', '0', '1-2')
    clock.advance(5)
    assert pending(group) == [[b'1-1', b'alice', 12, 1], [b'1-2', b'bob', 5, 2], [b'1-3', b'alice', 12, 1]]
    assert [row[0] for row in group('XPENDING', 's', 'g', 'IDLE', 6, '-', '+', 10)] == [b'1-1', b'1-3']
    assert group('XPENDING', 's', 'g', 'IDLE', 6, '-', '+', 10, 'bob') == []


def test_only_what_has_been_pending_long_enough_is_claimed(group, clock):
    clock.advance(10)
    group('XCLAIM', 's', 'g', 'alice', '0', '1-1', 'JUSTID')
    clock.advance(10)
    assert group('XCLAIM', 's', 'g', 'bob', '11', '1-1', '1-2', 'JUSTID') == [b'1-2']
    assert group('XAUTOCLAIM', 's', 'g', 'bob', '11', '-', 'JUSTID') == [b'0-0', [b'1-3'], []]
    assert pending(group) == [[b'1-1', b'alice', 10, 1], [b'1-2', b'bob', 0, 1], [b'1-3', b'bob', 0, 1]]


def test_when_an_entry_was_delivered_may_be_told(group, clock):
    clock.advance(1000)
    group('XCLAIM', 's', 'g', 'bob', '0', '1-1', 'IDLE', '300', 'JUSTID')
    group('XCLAIM', 's', 'g', 'bob', '0', '1-2', 'TIME', clock.now_ms() - 400, 'RETRYCOUNT', '5')
    group('XCLAIM', 's', 'g', 'bob', '0', '1-3', 'TIME', clock.now_ms() + 1, 'JUSTID')
    assert pending(group) == [[b'1-1', b'bob', 300, 1], [b'1-2', b'bob', 400, 5], [b'1-3', b'bob', 0, 1]]


def test_who_claims_joins_even_if_there_is_nothing_for_it(group):
    assert group('XCLAIM', 's', 'g', 'carol', '0', '9-9') == []
    assert group('XAUTOCLAIM', 's', 'g', 'dave', '1000', '-') == [b'0-0', [], []]
    assert [row[1] for row in group('XINFO', 'CONSUMERS', 's', 'g')] == [b'alice', b'bob', b'carol', b'dave']


def test_a_claim_is_wrong_as_a_whole(group):
    assert group('XCLAIM', 's', 'g', 'bob', '0', '1-1', 'LASTID', '9-9', 'FOO').startswith('ERR Unrecognized')
    assert [row[1] for row in pending(group)] == [b'alice'] * 3
    assert group('XINFO', 'GROUPS', 's')[0][7] == b'1-3'


def test_a_search_for_what_to_claim_ends_after_ten_looks_for_each(client, clock):
    client('XGROUP', 'CREATE', 's', 'g', '0', 'MKSTREAM')
    client.pipeline(*(f'XADD s 1-{number} f v' for number in range(1, 41)))
    client('XREADGROUP', 'GROUP', 'g', 'alice', 'STREAMS', 's', '>')
    clock.advance(10)
    client('XCLAIM', 's', 'g', 'alice', '0', *(f'1-{number}' for number in range(1, 36)), 'JUSTID')
    assert client('XAUTOCLAIM', 's', 'g', 'bob', '5', '-', 'COUNT', '2', 'JUSTID') == [b'1-21', [], []]
    assert client('XAUTOCLAIM', 's', 'g', 'bob', '5', '1-21', 'COUNT', '2', 'JUSTID') == [
        b'1-38',
        [b'1-36', b'1-37'],
        [],
    ]


def test_a_group_in_full(group, clock):
    clock.advance(5)
    group('XREADGROUP', 'GROUP', 'g', 'bob', 'STREAMS', 's', '>')
    group('HELLO', '3')
    now_ms = clock.now_ms()
    (told,) = group('XINFO', 'STREAM', 's', 'FULL', 'COUNT', '2')[b'groups']
    alice, bob = told.pop(b'consumers')
    assert told == {
        b'name': b'g',
        b'last-delivered-id': b'1-3',
        b'entries-read': 3,
        b'lag': 0,
        b'pel-count': 3,
        b'pending': [[b'1-1', b'alice', now_ms - 5, 1], [b'1-2', b'alice', now_ms - 5, 1]],
    }
    assert alice == {
        b'name': b'alice',
        b'seen-time': now_ms - 5,
        b'active-time': now_ms - 5,
        b'pel-count': 3,
        b'pending': [[b'1-1', now_ms - 5, 1], [b'1-2', now_ms - 5, 1]],
    }
    assert bob == {b'name': b'bob', b'seen-time': now_ms, b'active-time': -1, b'pel-count': 0, b'pending': []}


def test_a_large_group_is_freed_in_slices(client, engine, clock):
    client('XGROUP', 'CREATE', 's', 'g', '0', 'MKSTREAM')
    group = engine.keyspace.databases[0].values[b's'].groups[b'g']
    group.add_consumer(b'alice', 0)
    group.give_new(list(range(1, 20_001)), b'alice', 0)
    assert client('XGROUP', 'DESTROY', 's', 'g') == 1
    assert engine.keyspace.discarded.containers
    engine.keyspace.discarded.free_slice(clock)
    assert not engine.keyspace.discarded.containers
    assert not len(group.pending)
