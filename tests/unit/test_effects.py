"""What commands, transactions, expiry and eviction propagate."""

import pytest

NOW_MS = 1_700_000_000_000
SOON = b'1700000010000'


@pytest.fixture
def propagated(engine):
    """The words of all effects so far, a line each; those for replicas alone are marked."""
    lines = []

    def sink(unit):
        for database, argv, replicas_only in unit:
            text = b' '.join(argv).decode()
            lines.append(f'{database}: {text}' + (' (replicas)' if replicas_only else ''))

    engine.effects.add_sink(sink)
    return lines


def run(client, *lines):
    for line in lines:
        client(*line.split())


# Setting up, a command, and what it propagates.
REWRITTEN = [
    ([], 'SET k v EX 10', [f'SET k v PXAT {SOON.decode()}']),
    ([], 'SET k v PX 10000', [f'SET k v PXAT {SOON.decode()}']),
    ([], 'SET k v EXAT 1700000010', [f'SET k v PXAT {SOON.decode()}']),
    (['SET k a EX 10'], 'SET k v KEEPTTL', ['SET k v KEEPTTL']),
    (['SET k a'], 'SET k v XX GET', ['SET k v']),
    ([], 'SET k v NX', ['SET k v']),
    (['SET k a'], 'SET k v NX', []),
    ([], 'SETEX k 10 v', [f'SET k v PXAT {SOON.decode()}']),
    ([], 'PSETEX k 10000 v', [f'SET k v PXAT {SOON.decode()}']),
    (['SET k a'], 'GETSET k v', ['SET k v']),
    (['SET k a'], 'GETDEL k', ['DEL k']),
    ([], 'GETDEL k', []),
    (['SET k a'], 'GETEX k EX 10', [f'PEXPIREAT k {SOON.decode()}']),
    (['SET k a EX 10'], 'GETEX k PERSIST', ['PERSIST k']),
    (['SET k a'], 'GETEX k PXAT 1', ['DEL k']),
    (['SET k a'], 'GETEX k', []),
    (['SET k 1.5'], 'INCRBYFLOAT k 1', ['SET k 2.5 KEEPTTL']),
    (['HSET h f 1.5'], 'HINCRBYFLOAT h f 1', ['HSET h f 2.5']),
    (
        ['HSET h f 1.5', 'HEXPIRE h 10 FIELDS 1 f'],
        'HINCRBYFLOAT h f 1',
        ['MULTI', 'HSET h f 2.5', f'HPEXPIREAT h {SOON.decode()} FIELDS 1 f', 'EXEC'],
    ),
    (['SET k a'], 'EXPIRE k 10', [f'PEXPIREAT k {SOON.decode()}']),
    (['SET k a'], 'PEXPIRE k 10000 NX', [f'PEXPIREAT k {SOON.decode()}']),
    (['SET k a'], 'EXPIREAT k 1', ['DEL k']),
    (['SET k a'], 'EXPIRE k 10 XX', []),
    (['HSET h f v g w'], 'HEXPIRE h 10 FIELDS 2 f no', [f'HPEXPIREAT h {SOON.decode()} FIELDS 1 f']),
    (['HSET h f v g w'], 'HEXPIREAT h 1 FIELDS 2 f g', ['HDEL h f g']),
    (['HSET h f v', 'HEXPIRE h 10 FIELDS 1 f'], 'HPERSIST h FIELDS 2 no f', ['HPERSIST h FIELDS 1 f']),
    (['SADD s a'], 'SPOP s', ['SREM s a']),
    (['SADD s a b'], 'SPOP s 5', ['DEL s']),
    (['SADD s a'], 'SPOP s 0', []),
    (['RPUSH l a'], 'BLPOP no l 0', ['LPOP l']),
    (['RPUSH l a'], 'BRPOP l 0', ['RPOP l']),
    (['RPUSH l a b'], 'LMPOP 2 no l LEFT COUNT 5', ['LPOP l 2']),
    (['RPUSH l a b'], 'BLMPOP 0 1 l RIGHT', ['RPOP l 1']),
    (['RPUSH l a b'], 'BLMOVE l m LEFT RIGHT 0', ['LMOVE l m LEFT RIGHT']),
    (['RPUSH l a b'], 'BRPOPLPUSH l m 0', ['RPOPLPUSH l m']),
    (['ZADD z 1 a 2 b'], 'BZPOPMIN z 0', ['ZPOPMIN z']),
    (['ZADD z 1 a 2 b'], 'BZPOPMAX z 0', ['ZPOPMAX z']),
    (['ZADD z 1 a 2 b'], 'ZMPOP 1 z MIN COUNT 9', ['ZPOPMIN z 2']),
    (['ZADD z 1 a 2 b'], 'BZMPOP 0 1 z MAX', ['ZPOPMAX z 1']),
    ([], 'GEOADD g NX 13.361389 38.115556 p', ['ZADD g NX 3479099956230698 p']),
    ([], 'XADD x * f v', ['XADD x 1700000000000-0 f v']),
    (['XADD x 1-1 a b'], 'XADD x NOMKSTREAM MAXLEN ~ 1 2-* f v', ['XADD x MAXLEN = 2 2-0 f v']),
    (['XADD x 1-1 a b', 'XADD x 2-1 a b'], 'XTRIM x MINID 2', ['XTRIM x MAXLEN = 1']),
    (['XADD x 1-1 a b'], 'XTRIM x MAXLEN ~ 1', []),
    (['XADD x 1-1 a b'], 'XGROUP CREATE x g $', ['XGROUP CREATE x g 1-1']),
    (['XADD x 1-1 a b', 'XGROUP CREATE x g 0'], 'XGROUP SETID x g $', ['XGROUP SETID x g 1-1 ENTRIESREAD -1']),
    ([], 'FLUSHALL', ['FLUSHALL']),
    ([], 'FLUSHDB ASYNC', ['FLUSHDB']),
    ([], 'PUBLISH channel message', ['PUBLISH channel message (replicas)']),
    ([], 'SPUBLISH channel message', ['SPUBLISH channel message (replicas)']),
    (['PFADD p a'], 'PFCOUNT p', ['PFCOUNT p']),
    (['PFADD p a', 'PFCOUNT p'], 'PFCOUNT p', []),
]


@pytest.mark.parametrize(('setting_up', 'line', 'expected'), REWRITTEN, ids=lambda value: str(value)[:40])
def test_commands_are_propagated_so_that_they_lead_to_the_same_data(client, propagated, setting_up, line, expected):
    run(client, *setting_up)
    propagated.clear()
    run(client, line)
    assert propagated == [f'0: {each}' for each in expected]


@pytest.mark.parametrize(
    'line', ['GET k', 'SET k', 'SET k v XX', 'DEL k', 'LPUSH text a', 'PING', 'SELECT 3', 'NOSUCH', 'EXPIRE k 10']
)
def test_what_changes_nothing_is_not_propagated(client, propagated, line):
    run(client, 'SET text a')
    propagated.clear()
    run(client, line)
    assert propagated == []


@pytest.mark.parametrize(
    'line', ['LPUSH l a b', 'INCR n', 'DEL k', 'RENAME k j', 'SWAPDB 0 1', 'MOVE k 3', 'PFADD p a']
)
def test_other_commands_are_propagated_as_they_were_sent(client, propagated, line):
    run(client, 'SET k v')
    propagated.clear()
    run(client, line)
    assert propagated == [f'0: {line}']


def test_commands_of_a_pipeline_are_units_of_their_own(client, propagated):
    client.pipeline('SET a 1', 'GET a', 'INCR a', 'LRANGE a 0 1', 'SELECT 2', 'SET b 2')
    assert propagated == ['0: SET a 1', '0: INCR a', '2: SET b 2']


def test_exec_is_one_unit(client, propagated):
    run(client, 'MULTI', 'SET a 1', 'GET a', 'LPUSH a 1', 'SELECT 1', 'SET b 2', 'EXEC')
    assert propagated == ['0: MULTI', '0: SET a 1', '1: SET b 2', '1: EXEC']


def test_exec_that_changes_one_thing_needs_no_multi(client, propagated):
    run(client, 'MULTI', 'SET a 1', 'GET a', 'EXEC')
    assert propagated == ['0: SET a 1']


def test_a_blocked_command_is_a_unit_after_the_one_that_served_it(clients, propagated):
    waiting, pusher = clients(2)
    run(waiting, 'BLMOVE l m LEFT LEFT 0')
    run(pusher, 'MULTI', 'RPUSH l a', 'RPUSH l b', 'EXEC')
    assert propagated == ['0: MULTI', '0: RPUSH l a', '0: RPUSH l b', '0: EXEC', '0: LMOVE l m LEFT LEFT']


def test_deliveries_are_propagated_as_claims(client, propagated):
    run(client, 'XADD x 1-1 a b', 'XADD x 2-1 a b', 'XGROUP CREATE x g 0')
    propagated.clear()
    run(client, 'XREADGROUP GROUP g alice STREAMS x >')
    assert propagated == [
        '0: MULTI',
        '0: XGROUP CREATECONSUMER x g alice',
        f'0: XCLAIM x g alice 0 1-1 2-1 TIME {NOW_MS} RETRYCOUNT 1 FORCE JUSTID',
        '0: XGROUP SETID x g 2-1 ENTRIESREAD 2',
        '0: EXEC',
    ]


def test_a_claim_is_propagated_with_its_time_and_count(client, clock, propagated):
    run(client, 'XADD x 1-1 a b', 'XADD x 2-1 a b', 'XGROUP CREATE x g 0', 'XREADGROUP GROUP g alice STREAMS x >')
    run(client, 'XDEL x 2-1', 'XGROUP CREATECONSUMER x g bob')
    propagated.clear()
    clock.advance(1000)
    run(client, 'XAUTOCLAIM x g bob 500 0')
    assert propagated == [
        '0: MULTI',
        f'0: XCLAIM x g bob 0 1-1 TIME {NOW_MS + 1000} RETRYCOUNT 2 FORCE JUSTID',
        '0: XACK x g 2-1',
        '0: EXEC',
    ]


def test_a_consumer_created_by_a_read_that_blocks_is_propagated(client, propagated):
    run(client, 'XGROUP CREATE x g $ MKSTREAM')
    propagated.clear()
    run(client, 'XREADGROUP GROUP g alice BLOCK 0 STREAMS x >')
    assert propagated == ['0: XGROUP CREATECONSUMER x g alice']


# Expiry and eviction


def test_a_key_found_expired_is_removed_before_what_found_it(client, clock, propagated):
    run(client, 'SET k 5 PX 10')
    propagated.clear()
    clock.advance(11)
    run(client, 'INCR k')
    assert propagated == ['0: MULTI', '0: DEL k', '0: INCR k', '0: EXEC']


def test_a_read_that_finds_an_expired_key_propagates_its_removal(client, clock, propagated):
    run(client, 'SELECT 4', 'SET k 5 PX 10')
    propagated.clear()
    clock.advance(11)
    run(client, 'GET k')
    assert propagated == ['4: DEL k']


def test_keys_that_expire_unseen_are_units_of_their_own(client, engine, clock, propagated):
    run(client, 'SET a 1 PX 10', 'SET b 1 PX 10')
    propagated.clear()
    clock.advance(11)
    engine.run_timers()
    engine.expire_some()
    assert sorted(propagated) == ['0: DEL a', '0: DEL b']


def test_fields_that_expire_are_deleted_by_name(client, engine, clock, propagated):
    run(client, 'HSET h f 1 g 2 i 3', 'HPEXPIRE h 10 FIELDS 2 f g')
    propagated.clear()
    clock.advance(11)
    run(client, 'HGET h f')
    engine.expire_some()
    assert propagated == ['0: HDEL h f', '0: HDEL h g']


def test_evicted_keys_are_units_before_the_command(client, config, engine, propagated):
    run(client, 'SET a 1', 'SET b 2')
    propagated.clear()
    config.set_pairs([(b'maxmemory', b'1'), (b'maxmemory-policy', b'allkeys-random')])
    run(client, 'PING')
    assert sorted(propagated) == ['0: DEL a', '0: DEL b']


# Sinks


def test_a_sink_gets_nothing_of_what_was_before(client, engine):
    units: list[object] = []
    run(client, 'SET a 1')
    engine.effects.add_sink(units.append)
    run(client, 'GET a')
    assert units == []


def test_nothing_is_collected_without_sinks(client, engine, propagated):
    sink = propagated.append
    engine.effects.add_sink(sink)
    engine.effects.remove_sink(sink)
    run(client, 'SET a 1')
    assert propagated == ['0: SET a 1']
    engine.effects._sinks.clear()
