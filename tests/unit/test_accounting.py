"""Databases that keep books: the account of what they take is always what counting through says."""

from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from selredis.keyspace import memory as memory_module
from selredis.keyspace.accounting import MeasuredDatabase, MeasuredNotedDatabase, NotedDatabase, keep_books
from selredis.keyspace.database import Database, Keyspace
from selredis.keyspace.memory import (
    FEW_MEMBERS,
    INDEX_BYTES,
    NUMBER_BYTES,
    table_bytes,
)
from selredis.pubsub import PubSub
from selredis.values import size
from selredis.values.hash import Hash
from selredis.values.list import List
from selredis.values.set import Set
from selredis.values.size import size_of
from selredis.values.sorted_set import SortedSet
from tests.unit.conftest import ErrorText

NOW_MS = 1_700_000_000_000
K = INDEX_BYTES + 48  # a key of a few letters


@pytest.fixture
def keyspace():
    keyspace = Keyspace(3, PubSub([]), Random(1))
    keyspace.now_ms = NOW_MS
    keyspace.memory.measure(keyspace.databases)
    keep_books(keyspace)
    return keyspace


@pytest.fixture
def db(keyspace):
    return keyspace.databases[0]


def counted(keyspace: Keyspace) -> int:
    """What everything takes, counted through without touching the account."""
    total = 0
    for db in keyspace.databases:
        books = db.sizes, db.counts
        db.sizes, db.counts = {}, {}
        total += keyspace.memory.count_through(db)
        db.sizes, db.counts = books
    return total


def push(db: Database, key: bytes, *elements: bytes) -> None:
    db.get_or_create(key, List).extend_right(list(elements))
    db.changed(key, b'rpush', len(elements))


def test_the_class_of_databases_follows_the_books():
    keyspace = Keyspace(2, PubSub([]), Random(1))
    db = keyspace.databases[1]
    for measured, noted, kind in (
        (True, False, MeasuredDatabase),
        (True, True, MeasuredNotedDatabase),
        (False, True, NotedDatabase),
        (False, False, Database),
    ):
        keyspace.memory.measured, keyspace.uses.noted = measured, noted
        keep_books(keyspace)
        assert type(db) is kind


def test_strings(keyspace, db):
    memory = keyspace.memory
    db.set(b'abc', b'12345')
    assert memory.used == db.used == K + 48
    db.set(b'abc', b'1')
    assert memory.used == K
    db.set(b'abc', bytes(100))
    assert memory.used == K + 144
    db.put(b'abc', 17)
    assert memory.used == K + 32
    db.set_deadline(b'abc', NOW_MS + 1)
    db.set_deadline(b'abc', NOW_MS + 2)
    assert memory.used == K + 32 + NUMBER_BYTES
    db.set(b'abc', b'1')
    assert memory.used == K
    db.set_deadline(b'abc', NOW_MS + 2)
    assert db.clear_deadline(b'abc')
    assert not db.clear_deadline(b'abc')
    assert memory.used == K
    assert db.remove(b'abc', b'del')
    assert memory.used == db.used == 0


def test_keys_that_expire(keyspace, db):
    for key in (b'abc', b'def'):
        db.set(key, b'12345')
        db.set_deadline(key, NOW_MS - 1)
    assert db.get(b'abc', bytes) is None
    assert keyspace.memory.used == K + 48 + NUMBER_BYTES
    db.expire_bucket(db.index.due_bucket(NOW_MS))
    assert keyspace.memory.used == db.used == 0
    assert keyspace.expired == 2


def test_what_changes_in_place_is_measured_again(keyspace, db):
    memory = keyspace.memory
    push(db, b'abc', b'12345')
    items = db.get(b'abc', List)
    assert memory.used == K + size_of(items) + NUMBER_BYTES
    items.push_left(bytes(1000))
    db.changed(b'abc', b'lpush')
    assert memory.used == K + size_of(items) + NUMBER_BYTES
    db.put(b'abc', buffer := bytearray(b'12345'))
    buffer += bytes(1000)
    db.changed(b'abc', b'append')
    assert memory.used == K + size_of(buffer) + NUMBER_BYTES
    db.set(b'abc', b'1')
    assert memory.used == K
    assert not db.sizes


def test_databases_that_change_places_keep_their_accounts(keyspace, db):
    other = keyspace.databases[1]
    push(db, b'abc', *[b'12345'] * 100)
    used = db.used
    keyspace.swap(db, other)
    assert (db.used, other.used) == (0, used)
    other.discard(b'abc')
    assert keyspace.memory.used == other.used == 0
    assert not other.counts


def test_clearing_takes_all_of_one_database(keyspace, db):
    keyspace.databases[2].set(b'abc', b'1')
    for number in range(100):
        db.set(b'%d' % number, b'1')
        push(db, b'list %d' % number, b'1')
    db.clear()
    assert keyspace.memory.used == K
    assert (db.used, db.sizes) == (0, {})


@pytest.mark.parametrize('event', [b'lpush', b'rpush'])
def test_what_is_pushed_on_a_long_list_counts_at_once(keyspace, db, event):
    push(db, b'abc', *[b'12345'] * 1000)
    items = db.get(b'abc', List)
    before = keyspace.memory.used
    (items.push_left if event == b'lpush' else items.push_right)(bytes(1_000_000))
    db.changed(b'abc', event)
    assert keyspace.memory.used - before == pytest.approx(1_000_000, rel=0.01)


def test_other_changes_of_a_long_list_are_averages_until_they_are_many(keyspace, db):
    push(db, b'abc', *[b'12345'] * 500, *[bytes(10_000)] * 500)
    items = db.get(b'abc', List)
    before = keyspace.memory.used
    for _ in range(100):
        items.pop_right()
        db.changed(b'abc', b'rpop')
    assert keyspace.memory.used - before == pytest.approx(-100 * 10_000 / 2, rel=0.05)
    for _ in range(26):
        items.pop_right()
        db.changed(b'abc', b'rpop')
    assert keyspace.memory.used == pytest.approx(counted(keyspace), rel=0.03)


def test_a_list_that_shrinks_is_counted_exactly_in_the_end(keyspace, db):
    push(db, b'abc', *[bytes(number) for number in range(FEW_MEMBERS * 10)])
    items = db.get(b'abc', List)
    while len(items) > FEW_MEMBERS // 2:
        items.pop_left()
        db.changed(b'abc', b'lpop')
    assert keyspace.memory.used == counted(keyspace)


def test_the_account_follows_the_tables(keyspace, db):
    memory = keyspace.memory
    empty = memory.tables
    assert empty == table_bytes(keyspace.databases)
    for number in range(1000):
        db.set(b'%d' % number, b'1')
    full = table_bytes(keyspace.databases)
    steps = []
    while memory.tables < full:
        before = memory.tables
        memory.follow_tables(keyspace.databases)
        steps.append(memory.tables - before)
    assert len(steps) > 20
    assert max(steps) == steps[0] <= (full - empty) // 16 + 1
    db.clear()  # what has gone counts at once
    assert memory.tables == empty


def test_passing_the_bound_is_said_once(keyspace, db):
    said = []
    memory = keyspace.memory
    memory.on_passed = lambda: said.append(memory.used)
    memory.bound = 2 * K
    for key in (b'abc', b'def', b'ghi', b'jkl'):
        db.set(key, b'1')
    assert said == [3 * K]
    assert memory.passed


def test_an_account_that_ends_leaves_nothing(keyspace, db):
    push(db, b'abc', *[b'12345'] * 1000)
    keyspace.memory.stop(keyspace.databases)
    keep_books(keyspace)
    assert (db.used, db.sizes, db.counts, keyspace.memory.used) == (0, {}, {}, 0)


class Looks:
    """How many members, blocks and numbers the model of memory looks at."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        for name in ('allocated', 'string_bytes', 'block_bytes', 'shape_bytes'):
            self.watch(monkeypatch, name, lambda _: 1)
        self.watch(monkeypatch, 'strings_bytes', len)

    def watch(self, monkeypatch: pytest.MonkeyPatch, name: str, looks: Callable[[Any], int]) -> None:
        function = getattr(size, name)

        def counted(argument: Any) -> int:
            self.count += looks(argument)
            result: int = function(argument)
            return result

        for module in (size, memory_module):
            if hasattr(module, name):
                monkeypatch.setattr(module, name, counted)


def fill(client: Any, count: int) -> None:
    """A value of each kind with so many members, fields with deadlines, groups, consumers or pending entries."""
    for start in range(0, count, 500):
        names = range(start, min(start + 500, count))
        pairs = [word for number in names for word in (number, f'value {number}')]
        client('RPUSH', 'list', *names)
        client('SADD', 'set', *names)
        client('ZADD', 'zset', *(word for number in names for word in (number, f'member {number}')))
        client('HSET', 'hash', *pairs)
        client('HSET', 'expiring', *pairs)
        client('HPEXPIRE', 'expiring', 10**9, 'FIELDS', len(names), *names)
    client('XADD', 'groups', '1-1', 'field', 'value')
    client('XGROUP', 'CREATE', 'consumers', 'g', '0', 'MKSTREAM')
    client('XGROUP', 'CREATE', 'pending', 'g', '0', 'MKSTREAM')
    for number in range(count):
        client('XGROUP', 'CREATE', 'groups', f'group:{number}', '0')
        client('XGROUP', 'CREATECONSUMER', 'consumers', 'g', f'consumer {number}')
        client('XADD', 'pending', '*', 'field', f'value {number}')
    client('XREADGROUP', 'GROUP', 'g', 'c', 'STREAMS', 'pending', '>')
    client('XTRIM', 'pending', 'MAXLEN', '5')


BRIEF_COMMANDS = (
    'LSET list 5 {n}|LINSERT list BEFORE 7 {n}|RPUSH list {n}|LPUSH list {n}|LPOP list|RPOP list'
    '|LMOVE list l2 LEFT LEFT',
    'SADD set new:{n}|SREM set {n}|SPOP set|SMOVE set s2 {n}',
    'ZADD zset 1 new:{n}|ZINCRBY zset 5 new:{n}|ZREM zset {n}|ZPOPMIN zset|ZREMRANGEBYRANK zset 0 0',
    'HSET hash new:{n} v|HSET hash {n} longer|HDEL hash {n}|HINCRBY hash number 1',
    'HSET expiring new:{n} v|HPEXPIRE expiring 1000 FIELDS 1 {n}|HPERSIST expiring FIELDS 1 {n}|HDEL expiring {n}',
    'XGROUP CREATE groups new:{n} 0|XADD groups * f v|XREADGROUP GROUP new:{n} c COUNT 1 STREAMS groups >'
    '|XACK groups new:{n} 1-1|XGROUP SETID groups group:1 0|XGROUP DESTROY groups new:{n}|XTRIM groups MAXLEN 1',
    'XGROUP CREATECONSUMER consumers g new:{n}|XADD consumers * f v|XREADGROUP GROUP g new:{n} STREAMS consumers >'
    '|XGROUP DELCONSUMER consumers g new:{n}|XTRIM consumers MAXLEN 1',
    'XADD pending * f v|XREADGROUP GROUP g d COUNT 1 STREAMS pending >|XAUTOCLAIM pending g d 0 0 COUNT 1'
    '|XCLAIM pending g d 0 1-1|XTRIM pending MAXLEN 2',
    'RENAME {k} moved|MOVE moved 1|SELECT 1|RENAME moved {k}|MOVE {k} 0|SWAPDB 0 1|SWAPDB 0 1|SELECT 0',
)


@pytest.mark.parametrize('commands', BRIEF_COMMANDS, ids=lambda commands: commands.split()[1])
def test_a_change_looks_at_few_members_however_many_there_are(engine, client, monkeypatch, commands):
    # The most that one command looks at must not grow with the value. A bucket of a set has up to 360 members.
    client('CONFIG', 'SET', 'maxmemory', '1gb')
    fill(client, 3000)
    looks = Looks(monkeypatch)
    most = 0
    keys = ['list', 'set', 'zset', 'hash', 'expiring', 'groups', 'consumers', 'pending']
    for number in range(600):
        for text in commands.split('|'):
            before = looks.count
            reply = client(*text.format(n=number, k=keys[number % len(keys)]).split())
            assert not isinstance(reply, ErrorText), (text, reply)
            most = max(most, looks.count - before)
    assert most <= 700
    monkeypatch.undo()
    assert engine.keyspace.memory.used == pytest.approx(counted(engine.keyspace), rel=0.02)


def test_the_walk_measures_every_member_in_the_end(keyspace, db):
    for kind, add, event in (
        (Set, lambda value, name: value.add(name), b'sadd'),
        (SortedSet, lambda value, name: value.put(name, 1.0), b'zadd'),
        (Hash, lambda value, name: value.put(name, name), b'hset'),
    ):
        value = db.get_or_create(b'abc', kind)
        for number in range(2000):
            add(value, b'%d' % number)
        db.changed(b'abc', event)
        for number in range(2000):  # what is much larger than what was there
            add(value, bytes(1000) + b'%d' % number)
            db.changed(b'abc', event)
        for _ in range(600):  # 8 of 4,000 members with each change
            db.changed(b'abc', event)
        assert keyspace.memory.used == pytest.approx(counted(keyspace), rel=0.01)
        db.discard(b'abc')
    assert keyspace.memory.used == 0


def test_groups_consumers_and_pending_entries_count_at_once(engine, client):
    client('CONFIG', 'SET', 'maxmemory', '1gb')
    memory = engine.keyspace.memory
    client.pipeline('XADD s 1 f v', 'XADD s 2 f v', 'XGROUP CREATE s g 0')
    for command in (
        'XGROUP CREATE s ' + 'long' * 100 + ' 0',
        'XGROUP CREATECONSUMER s g ' + 'long' * 100,
        'XREADGROUP GROUP g c STREAMS s >',
    ):
        before = memory.used
        client(*command.split())
        assert memory.used > before + 300
        assert memory.used == counted(engine.keyspace)
    for command in ('XACK s g 1', 'XGROUP DELCONSUMER s g c', 'XGROUP DESTROY s g'):
        before = memory.used
        client(*command.split())
        assert memory.used < before
        assert memory.used == counted(engine.keyspace)


COMMANDS = (
    'SET {k} short',
    'SET {k} ' + 'x' * 700,
    'SET {k} 1 PX 100',
    'SET {k} 2 KEEPTTL',
    'MSETNX {k} 1 {other} 2',
    'APPEND {k} more',
    'SETRANGE {k} 50 x',
    'INCR {k}',
    'INCRBYFLOAT {k} 0.5',
    'GETDEL {k}',
    'GETEX {k} PX 50',
    'RPUSH {k} a bb ccc dddd eeeee',
    'LPUSH {k} ' + 'y' * 600,
    'LPOP {k} 2',
    'RPOP {k}',
    'LSET {k} 0 other',
    'LREM {k} 0 a',
    'LTRIM {k} 1 20',
    'LINSERT {k} BEFORE a new',
    'LMOVE {k} {other} LEFT RIGHT',
    'SORT {k} ALPHA STORE {other}',
    'SADD {k} ' + ' '.join(f'member:{number}' for number in range(100)),
    'SREM {k} member:1 member:2',
    'SPOP {k} 5',
    'SUNIONSTORE {k} {k} {other}',
    'ZADD {k} ' + ' '.join(f'{number} member:{number}' for number in range(100)),
    'ZPOPMAX {k} 3',
    'HSET {k} ' + ' '.join(f'field:{number} value:{number}' for number in range(100)),
    'HSET {k} a 1 b ' + 'x' * 300,
    'HDEL {k} field:1 a',
    'HPEXPIRE {k} 50 FIELDS 3 field:1 field:2 b',
    'XADD {k} * field value',
    'XADD {k} MAXLEN 3 * other ' + 'x' * 300,
    'XGROUP CREATE {k} group 0 MKSTREAM',
    'XREADGROUP GROUP group consumer COUNT 3 STREAMS {k} >',
    'XAUTOCLAIM {k} group other 0 0',
    'XGROUP DELCONSUMER {k} group other',
    'XGROUP DESTROY {k} group',
    'DEL {k}',
    'UNLINK {k} {other}',
    'RENAME {k} {other}',
    'COPY {k} {other} REPLACE',
    'COPY {k} {other} DB 2 REPLACE',
    'MOVE {k} 1',
    'SWAPDB 0 2',
    'PEXPIRE {k} 100',
    'PERSIST {k}',
    'FLUSHDB',
    'DEBUG POPULATE 10',
    'OBJECT IDLETIME {k}',
    'TOUCH {k}',
    'WATCH {k}',
    'UNWATCH',
)


@pytest.mark.parametrize('policy', ['noeviction', 'allkeys-lru', 'allkeys-lfu'])
def test_whatever_commands_do_is_in_the_account(engine, client, clock, policy):
    chance = Random(policy)
    keyspace = engine.keyspace
    client('CONFIG', 'SET', 'maxmemory', '1gb', 'maxmemory-policy', policy)
    for turn in range(2000):
        words = chance.choice(COMMANDS).split()
        names = {'k': b'key%d' % chance.randrange(12), 'other': b'key%d' % chance.randrange(12)}
        if words[0] in ('FLUSHDB', 'SWAPDB') and chance.random() < 0.8:
            continue
        client(*(names[word[1:-1]] if word[0] == '{' else word for word in words))
        if turn % 10 == 0:
            clock.advance(20)
            engine.expire_some()
        if turn % 20 == 0:
            exact = not any(db.counts for db in keyspace.databases)
            assert keyspace.memory.used == sum(db.used for db in keyspace.databases)
            assert counted(keyspace) == pytest.approx(keyspace.memory.used, rel=1e-9 if exact else 0.2)
    for db in keyspace.databases:
        db.clear()
    assert keyspace.memory.used == 0
    assert not any(db.uses for db in keyspace.databases)
