"""Client-side caching: whom the table tells, when, and what is left behind. What is said is in transcripts/tracking."""

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from selredis.clock import ManualClock
from selredis.config import Config
from selredis.engine.engine import Engine
from selredis.engine.tracking import KEYS_A_ROUND
from tests.harness.wire import parse
from tests.unit.conftest import FailingLog, Peer, settle

KEYS = [b'a', b'b', b'ab']


@pytest.fixture
def table(engine):
    return engine.tracking


@pytest.fixture
def tracking(engine):
    """A function that makes a RESP3 client which tracks."""

    def make(*options):
        peer = Peer(engine)
        peer('HELLO', 3)
        assert peer('CLIENT', 'TRACKING', 'ON', *options) == 'OK'
        peer.received.clear()
        return peer

    return make


def told(peer):
    """What the client has been told to forget since it was last asked: keys, None for all."""
    messages = [message for message in peer.take() if isinstance(message, list) and message[:1] == [b'invalidate']]
    peer.received.clear()
    return [key for _, keys in messages for key in ([None] if keys is None else keys)]


def counts(peer):
    """What INFO tells: clients, keys, items, prefixes."""
    text = peer('INFO', 'everything')
    names = ('clients', 'total_keys', 'total_items', 'total_prefixes')
    fields = dict(line.split(b':', 1) for line in text.split(b'\r\n') if b':' in line)
    return tuple(int(fields[b'tracking_' + name.encode()]) for name in names)


def test_nothing_is_remembered_of_clients_that_do_not_track(client, engine):
    client('GET', 'a')
    assert counts(client) == (0, 0, 0, 0)
    assert not engine.keyspace.observed


def test_info_counts_clients_keys_readers_and_prefixes(client, tracking):
    one, other, _ = tracking(), tracking(), tracking('BCAST', 'PREFIX', 'x', 'PREFIX', 'y')
    one('MGET', 'a', 'b', 'a')
    other('GET', 'a')
    assert counts(client) == (3, 2, 3, 2)
    client('SET', 'a', 1)
    assert counts(client) == (3, 1, 1, 2)


def test_everybody_who_has_read_a_key_is_told_once(client, tracking):
    readers = [tracking() for _ in range(4)]
    for reader in readers * 2:
        reader('GET', 'a')
        reader.received.clear()
    client('SET', 'a', 1)
    client('SET', 'a', 2)
    assert [told(reader) for reader in readers] == [[b'a']] * 4


def test_the_keyspace_tells_of_changes_only_while_somebody_may_want_to_know(client, engine, tracking):
    keyspace = engine.keyspace
    reader = tracking()
    assert not keyspace.observed
    reader('GET', 'a')
    assert keyspace.observed
    client('SET', 'a', 1)
    assert not keyspace.observed
    listener = tracking('BCAST')
    assert keyspace.observed
    listener('CLIENT', 'TRACKING', 'OFF')
    assert not keyspace.observed


def test_client_list_tells_who_tracks_how(client, tracking):
    def about(peer):
        fields = dict(word.split(b'=', 1) for word in peer('CLIENT', 'INFO').split())
        return fields[b'flags'], fields[b'redir']

    target = tracking()
    assert about(client) == (b'N', b'-1')
    assert about(target) == (b't', b'0')
    assert about(tracking('BCAST')) == (b'tB', b'0')
    redirecting = tracking('REDIRECT', target.client.id)
    assert about(redirecting) == (b't', b'%d' % target.client.id)
    redirecting('GET', 'a')
    target.disconnect()
    client('SET', 'a', 1)
    redirecting.take()
    redirecting.received.clear()
    assert about(redirecting) == (b'tR', b'%d' % target.client.id)


# Who leaves


@pytest.mark.parametrize('leave', [lambda peer: peer('RESET'), lambda peer: peer('QUIT'), Peer.disconnect])
def test_of_who_leaves_only_its_number_stays_until_the_key_changes(client, engine, table, tracking, leave):
    leaving, staying = tracking(), tracking()
    leaving('GET', 'a')
    staying('GET', 'a')
    leave(leaving)
    assert list(table.clients) == [staying.client]
    assert table.items == 2
    client('SET', 'a', 1)
    assert told(staying) == [b'a']
    assert (table.items, table.readers) == (0, {})
    assert not engine.keyspace.observed


@pytest.mark.parametrize('leave', [lambda peer: peer('RESET'), lambda peer: peer('QUIT'), Peer.disconnect])
def test_prefixes_go_with_the_last_client_that_has_them(client, engine, table, tracking, leave):
    leaving, staying = tracking('BCAST', 'PREFIX', 'a', 'PREFIX', 'bb'), tracking('BCAST', 'PREFIX', 'a')
    leave(leaving)
    assert list(table.prefixes) == [b'a']
    leave(staying)
    assert not table.prefixes
    assert not engine.keyspace.observed


def test_who_leaves_in_the_turn_of_a_change_is_not_told_of_it(engine, table, tracking):
    listener = tracking('BCAST')
    engine.run(Peer(engine).client, [[b'SET', b'a', b'1']])
    assert table.changed
    listener.disconnect()
    assert not table.changed
    settle(engine)


def test_who_tracks_again_in_another_connection_is_another_client(client, tracking):
    before = tracking()
    before('GET', 'a')
    before.disconnect()
    after = tracking()
    client('SET', 'a', 1)
    assert told(after) == []


@pytest.mark.parametrize('leave', [lambda peer: peer('QUIT'), Peer.disconnect])
def test_a_client_learns_that_the_one_it_redirects_to_is_gone(engine, client, tracking, leave):
    target = Peer(engine)
    reader = tracking('REDIRECT', target.client.id)
    reader('GET', 'a')
    leave(target)
    client('SET', 'a', 1)
    assert reader.take()[-1] == [b'tracking-redir-broken', target.client.id]


def test_in_resp2_nobody_can_be_told_that_the_other_is_gone(engine, client):
    target, reader = Peer(engine), Peer(engine)
    reader('CLIENT', 'TRACKING', 'ON', 'REDIRECT', target.client.id)
    reader('GET', 'a')
    target.disconnect()
    client('SET', 'a', 1)
    assert reader.take() == ['OK', None]


# What changes keys beside commands


def test_a_key_whose_time_is_over_is_stale_when_it_goes(client, clock, engine, tracking):
    reader = tracking()
    client('SET', 'a', 1, 'PX', 100)
    client('SET', 'b', 1, 'PX', 100)
    reader('MGET', 'a', 'b')
    clock.advance(200)
    assert told(reader) == []
    client('EXISTS', 'a')
    assert told(reader) == [b'a']
    engine.tell_time()
    engine.expire_some()
    assert told(reader) == [b'b']


@pytest.mark.parametrize('mode', [(), ('BCAST',)])
def test_nobody_has_changed_a_key_that_expires(clock, engine, tracking, mode):
    reader = tracking(*mode, 'NOLOOP')
    reader('SET', 'a', 1, 'PX', 100)
    reader('GET', 'a')
    assert told(reader) == []
    clock.advance(200)
    engine.tell_time()
    engine.expire_some()
    settle(engine)
    assert told(reader) == [b'a']


def test_who_has_a_key_expire_by_reading_it_is_told_behind_the_reply(client, clock, engine, tracking):
    reader = tracking()
    client('MSET', 'a', 1, 'b', 2)
    client('PEXPIRE', 'b', 100)
    reader('MGET', 'a', 'b')
    clock.advance(200)
    assert reader('MGET', 'a', 'b') == [[b'1', None], [b'invalidate', [b'b']]]


def test_a_client_that_does_not_wish_to_hear_itself_hears_what_others_make_of_its_wait(client, clients, tracking):
    (pusher,) = clients(1)
    waiting, other = tracking('NOLOOP'), tracking('NOLOOP')
    for peer in (waiting, other):
        peer('LLEN', 'to')
    waiting('BLMOVE', 'from', 'to', 'LEFT', 'LEFT', 0)
    pusher('RPUSH', 'from', 'x')
    assert told(waiting) == []
    assert told(other) == [b'to']


@pytest.mark.parametrize('mode', [(), ('BCAST',)])
def test_a_key_that_is_evicted_is_stale(client, config, tracking, mode):
    reader = tracking(*mode, 'NOLOOP')
    reader('SET', 'a', 1)
    reader('GET', 'a')
    assert told(reader) == []
    config.set_pairs([(b'maxmemory', b'1'), (b'maxmemory-policy', b'allkeys-random')])
    client('PING')
    assert told(reader) == [b'a']


def test_what_is_evicted_for_a_command_is_told_before_its_reply(client, clock, config, engine, tracking):
    reader = tracking()
    client('SET', 'a', 1)
    reader('GET', 'a')
    config.set_pairs([(b'maxmemory', b'1'), (b'maxmemory-policy', b'volatile-random')])
    engine.keyspace.databases[0].set_deadline(b'a', clock.now_ms() + 1000)
    assert reader('GET', 'a') == [[b'invalidate', [b'a']], None]


def test_an_emptied_database_is_no_change_of_its_keys(client, tracking):
    listener = tracking('BCAST')
    client('SET', 'a', 1)
    client('WATCH', 'a')
    assert told(listener) == [b'a']
    client('FLUSHDB')
    assert told(listener) == [None]


# Broadcasting


def test_changes_of_a_turn_make_one_message_for_each_prefix(client, engine, tracking):
    listener = tracking('BCAST', 'PREFIX', 'a', 'PREFIX', 'b')
    client.pipeline('SET b 1', 'SET a2 1', 'SET c 1', 'SET a1 1', 'DEL a2', 'SET a2 1')
    assert listener.take() == [[b'invalidate', [b'a1', b'a2']], [b'invalidate', [b'b']]]


def test_the_last_to_change_a_key_in_a_turn_counts_for_those_that_do_not_wish_to_hear_themselves(engine, tracking):
    one, other = (tracking('BCAST', 'NOLOOP') for _ in range(2))
    engine.run(one.client, [[b'SET', key, b'1'] for key in (b'a', b'b', b'c')])
    engine.run(other.client, [[b'SET', b'b', b'2']])
    settle(engine)
    assert told(one) == [b'b']
    assert told(other) == [b'a', b'c']


def test_a_key_shorter_than_a_prefix_does_not_begin_with_it(client, tracking):
    listener = tracking('BCAST', 'PREFIX', 'aa', 'PREFIX', 'b')
    client('MSET', 'a', 1, '', 2, 'aa', 3, 'aab', 4, 'b', 5)
    assert told(listener) == [b'aa', b'aab', b'b']


# The limit


def limit(config, max_keys):
    config.set_pairs([(b'tracking-table-max-keys', b'%d' % max_keys)])


def read_keys(peer, count):
    for number in range(count):
        peer('GET', number)
    peer.received.clear()


def test_a_full_table_forgets_keys_of_which_it_tells(config, engine, table, tracking):
    limit(config, 3)
    reader = tracking('NOLOOP')
    read_keys(reader, 3)
    assert not engine.gated
    reader('GET', 'more')
    assert len(table.readers) == 4
    assert engine.gated
    engine.tick()
    assert len(told(reader)) == 1
    assert len(table.readers) == 3
    assert not engine.gated


def test_a_full_table_forgets_before_the_next_command_of_anybody(client, config, table, tracking):
    limit(config, 3)
    reader = tracking()
    reader('MGET', 1, 2, 3, 4)
    client('PING')
    assert len(table.readers) == 3
    assert len(told(reader)) == 1


def test_what_is_forgotten_is_told_before_the_reply_even_in_a_transaction(config, tracking):
    reader = tracking('NOLOOP')
    reader('MGET', 1, 2)
    reader('MULTI')
    limit(config, 1)
    stale, queued = reader('PING')
    assert stale[0] == b'invalidate'
    assert queued == 'QUEUED'


def test_a_table_far_over_its_limit_is_worked_off_faster_and_faster(config, engine, table, tracking):
    read_keys(tracking(), 1 + 7 * KEYS_A_ROUND)
    limit(config, 1)
    sizes = []
    while len(table.readers) > 1:
        engine.tick()
        sizes.append(len(table.readers))
    assert sizes == [1 + left * KEYS_A_ROUND for left in (6, 4, 1, 0)]
    limit(config, 0)
    read_keys(tracking(), 1 + 7 * KEYS_A_ROUND)
    engine.tick()
    assert len(table.readers) == 1 + 7 * KEYS_A_ROUND


def test_an_emptied_large_table_is_freed_in_slices(client, engine, table, tracking):
    reader = tracking()
    for start in range(0, 10_500, 500):
        reader('MGET', *range(start, start + 500))
    reader.received.clear()
    client('FLUSHALL')
    assert told(reader) == [None]
    assert counts(client) == (1, 0, 0, 0)
    assert engine.keyspace.discarded.containers
    while engine.expire_some():
        pass
    reader('GET', 'a')
    assert table.readers == {b'a': reader.client.id}


# What a client caches and has not been told to forget is what the server would answer


class Cache:
    """A client that keeps what it has read until it is told that it is stale.

    `apart`: it speaks RESP2, and is told in another connection. Of what it changes itself it need not be told (NOLOOP).
    """

    def __init__(self, engine, mode, noloop, apart):
        self.peer = Peer(engine)
        self.mode = mode
        self.noloop = noloop
        self.ear = Peer(engine) if apart else self.peer
        self.kept = {}  # commands and their replies
        self.unread = b''
        words = [mode] if mode in ('OPTIN', 'OPTOUT') else []
        if mode == 'BCAST':
            words = ['BCAST', 'PREFIX', 'a']
        if noloop:
            words.append('NOLOOP')
        if apart:
            self.ear('SUBSCRIBE', '__redis__:invalidate')
            words += ['REDIRECT', self.ear.client.id]
        else:
            self.peer('HELLO', 3)
        self.peer('CLIENT', 'TRACKING', 'ON', *words)
        self.ear.received.clear()

    def caches(self, argv, caching):
        if self.mode == 'BCAST':
            return all(key.startswith(b'a') for key in argv[1:2])
        return caching if self.mode != 'ALL' else True

    def run(self, engine, unit, caching):
        """Run a unit, commands that read or write, in a transaction if they are several."""
        commands = [[b'MULTI'], *unit, [b'EXEC']] if len(unit) > 1 else unit
        if self.mode == 'OPTIN' and caching:
            commands = [[b'CLIENT', b'CACHING', b'YES'], *commands]
        if self.mode == 'OPTOUT' and not caching:
            commands = [[b'CLIENT', b'CACHING', b'NO'], *commands]
        engine.run(self.peer.client, commands)
        settle(engine)
        data = self.take(self.peer)
        if self.ear is not self.peer:
            data = [reply for reply in data if reply.kind != '>']
        replies = data
        number = 0
        for reply in replies:
            if reply.kind == '>':
                self.forget(reply)
                continue
            number += 1
            if number == len(commands):
                self.keep(unit, reply.items if len(unit) > 1 else [reply], caching)
        assert number == len(commands)
        self.listen()

    def keep(self, unit, replies, caching):
        for argv, reply in zip(unit, replies, strict=True):
            if argv[0] in READING:
                self.kept.pop(tuple(argv), None)
                if self.caches(argv, caching):
                    self.kept[tuple(argv)] = reply
        if self.noloop:
            for argv in unit:
                if argv[0] not in READING:
                    for key in argv[1:]:
                        self.drop(key)

    def drop(self, key):
        for argv in [argv for argv in self.kept if argv[1] == key]:
            del self.kept[argv]

    def forget(self, message):
        assert message.items[0].text in (b'invalidate', b'message')
        keys = message.items[-1]
        if keys.value is None:
            self.kept.clear()
        else:
            for key in keys.items:
                self.drop(key.text)

    def take(self, peer):
        data = b''.join(peer.client.out)
        peer.client.out.clear()
        replies, at = [], 0
        while at < len(data):
            reply, at = parse(data, at)
            replies.append(reply)
        return replies

    def listen(self):
        """Take in what has been said since."""
        for message in self.take(self.ear):
            self.forget(message)


READING = (b'GET', b'STRLEN', b'EXISTS', b'TYPE', b'LRANGE', b'LLEN')
keys = st.sampled_from(KEYS)
reading = st.one_of(
    st.tuples(st.sampled_from((b'GET', b'STRLEN', b'EXISTS', b'TYPE', b'LLEN')), keys),
    st.tuples(st.just(b'LRANGE'), keys, st.just(b'0'), st.just(b'-1')),
)
writing = st.one_of(
    st.tuples(st.just(b'SET'), keys, st.sampled_from((b'1', b'2'))),
    st.tuples(st.just(b'SET'), keys, st.just(b'3'), st.just(b'PX'), st.just(b'50')),
    st.tuples(st.sampled_from((b'INCR', b'DEL', b'LPOP', b'PERSIST', b'GETDEL')), keys),
    st.tuples(st.sampled_from((b'RPUSH', b'APPEND')), keys, st.just(b'x')),
    st.tuples(st.sampled_from((b'RENAME', b'COPY')), keys, keys),
    st.tuples(st.just(b'LMOVE'), keys, keys, st.just(b'LEFT'), st.just(b'RIGHT')),
    st.tuples(st.just(b'PEXPIRE'), keys, st.sampled_from((b'50', b'-1'))),
    st.tuples(st.sampled_from((b'FLUSHDB', b'FLUSHALL'))),
)
unit = st.one_of(
    reading.map(lambda argv: [argv]),
    writing.map(lambda argv: [argv]),
    st.lists(st.one_of(reading, writing), min_size=2, max_size=4),
)
client_kinds = st.tuples(st.sampled_from(('ALL', 'OPTIN', 'OPTOUT', 'BCAST')), st.booleans(), st.booleans())
steps = st.one_of(
    st.tuples(st.just('run'), st.integers(0, 3), unit, st.booleans()),
    st.tuples(st.just('run'), st.integers(0, 3), unit, st.booleans()),
    st.tuples(st.just('run'), st.integers(0, 3), unit, st.booleans()),
    st.tuples(st.sampled_from(('pass time', 'expire', 'limit'))),
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.tuples(client_kinds, client_kinds, client_kinds, client_kinds), st.lists(steps, min_size=5, max_size=30))
def test_what_clients_keep_is_what_the_server_would_answer(kinds, program):
    clock = ManualClock(start_ms=1_700_000_000_000)
    config = Config()
    engine = Engine(config, clock, Random(0), FailingLog())
    caches = [Cache(engine, *kind) for kind in kinds]
    observer = Peer(engine)
    for step, *words in program:
        match step:
            case 'run':
                number, commands, caching = words
                caches[number].run(engine, [list(argv) for argv in commands], caching)
            case 'pass time':
                clock.advance(100)
            case 'expire':
                engine.tell_time()
                engine.expire_some()
            case 'limit':
                limit(config, 2 if config['tracking-table-max-keys'] != 2 else 1)
                engine.tick()
        for key in KEYS:
            observer('EXISTS', key)  # it goes now if its time is over
        for cache in caches:
            cache.listen()
        for cache in caches:
            for argv, kept in cache.kept.items():
                engine.run(observer.client, [list(argv)])
                (now,) = cache.take(observer)
                assert now.value == kept.value or (not now.value and not kept.value), (cache.mode, argv)
    assert engine.tracking.items == sum(
        len(known) if isinstance(known, set) else 1 for known in engine.tracking.readers.values()
    )
