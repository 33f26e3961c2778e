"""CLIENT PAUSE: what it holds back, in which order that comes, and that nothing is left of it."""

import pytest

from tests.harness.invariants import check_deserted, check_invariants

OVER_MS = 1_000


@pytest.fixture
def pass_time(engine, clock):
    """Let time go by, and let those go on for whom it brought something."""

    def pass_ms(ms):
        clock.advance(ms)
        engine.run_timers()
        while engine.runnable:
            engine.runnable.pop(0).resume()

    return pass_ms


def flags(client):
    return client.client.describe().partition(' flags=')[2].partition(' ')[0]


def test_a_pause_of_writing_lets_others_read(clients):
    pausing, other = clients(2)
    assert pausing('CLIENT', 'PAUSE', 1000, 'WRITE') == 'OK'
    assert other('GET', 'k') is None
    assert other('PING') == 'PONG'
    assert other('SUBSCRIBE', 'news') == [b'subscribe', b'news', 1]
    assert pausing('ECHO', 'x') == b'x'


@pytest.mark.parametrize('command', ['SET k v', 'DEL k', 'BLPOP q 0', 'FLUSHALL', 'PUBLISH news x', 'SPUBLISH news x'])
def test_what_writes_waits_until_the_pause_is_over(clients, pass_time, command):
    pausing, other = clients(2)
    pausing('RPUSH', 'q', 'a')
    pausing('CLIENT', 'PAUSE', OVER_MS, 'WRITE')
    assert other(*command.split()) == []
    pass_time(OVER_MS - 1)
    assert other.take() == []
    pass_time(1)
    assert len(other.take()) == 1


def test_a_pause_is_of_all_commands_unless_it_says_otherwise(clients, pass_time):
    pausing, other = clients(2)
    pausing('CLIENT', 'PAUSE', OVER_MS)
    assert other('PING') == []
    assert pausing('CLIENT', 'UNPAUSE') == [], 'not even this'
    pass_time(OVER_MS)
    assert other.take() == ['PONG']


def test_errors_that_need_no_running_come_at_once(clients):
    pausing, other = clients(2)
    pausing('CLIENT', 'PAUSE', 1000, 'ALL')
    assert other('SET', 'k').startswith('ERR wrong number of arguments')
    assert other('NONSENSE').startswith('ERR unknown command')
    assert other('CLIENT', 'NONSENSE').startswith('ERR unknown subcommand')


def test_a_pipeline_goes_on_in_its_order(clients):
    pausing, other = clients(2)
    pausing('CLIENT', 'PAUSE', 1000, 'WRITE')
    other.pipeline('GET k', 'SET k v', 'GET k', 'INCR n')
    assert other.take() == [None]
    other.engine.run(pausing.client, [[b'GET', b'n']])
    assert pausing.take()[-1] is None
    pausing('CLIENT', 'UNPAUSE')
    assert other.take() == [None, 'OK', b'v', 1]


def test_clients_go_on_in_the_order_in_which_they_came(clients):
    pausing, *others = clients(4)
    pausing('CLIENT', 'PAUSE', 1000, 'WRITE')
    for other in (others[1], others[2], others[0]):
        other('INCR', 'n')
    pausing('CLIENT', 'UNPAUSE')
    assert [other.take() for other in others] == [[3], [1], [2]]


def test_the_later_end_counts(clients, pass_time):
    pausing, other = clients(2)
    pausing('CLIENT', 'PAUSE', 1000, 'WRITE')
    pausing('CLIENT', 'PAUSE', 10, 'WRITE')
    other('SET', 'k', 'v')
    pass_time(999)
    assert other.take() == []
    pass_time(1)
    assert other.take() == ['OK']


def test_a_pause_becomes_longer(clients, pass_time):
    pausing, other = clients(2)
    pausing('CLIENT', 'PAUSE', 10, 'WRITE')
    pausing('CLIENT', 'PAUSE', 1000, 'WRITE')
    other('SET', 'k', 'v')
    pass_time(999)
    assert other.take() == []
    pass_time(1)
    assert other.take() == ['OK']


def test_the_stricter_kind_counts(clients, pass_time):
    pausing, other = clients(2)
    pausing.pipeline('MULTI', 'CLIENT PAUSE 1000 ALL', 'CLIENT PAUSE 2000 WRITE', 'EXEC')
    assert other('GET', 'k') == []
    pass_time(1999)
    assert other.take() == []
    pass_time(1)
    assert other.take() == [None]


def test_a_pause_of_writing_becomes_one_of_all(clients):
    pausing, other = clients(2)
    pausing('CLIENT', 'PAUSE', 1000, 'WRITE')
    pausing('CLIENT', 'PAUSE', 0, 'ALL')
    assert other('GET', 'k') == []


def test_no_time_is_no_pause(clients, engine):
    pausing, other = clients(2)
    assert pausing('CLIENT', 'PAUSE', 0) == 'OK'
    assert other('SET', 'k', 'v') == 'OK'
    assert not engine.pause.active
    assert len(engine.timers) == 0


def test_when_it_is_over_nothing_is_left(clients, engine, pass_time):
    pausing, other = clients(2)
    pausing('CLIENT', 'PAUSE', OVER_MS, 'WRITE')
    assert engine.gated
    other('SET', 'k', 'v')
    pass_time(OVER_MS)
    assert not engine.gated
    assert not engine.keyspace.keep_expired
    assert len(engine.timers) == 0
    assert other('SET', 'k', 'v') == 'OK'
    other.take()
    engine.to_flush.clear()
    for client in (pausing.client, other.client):
        client.queued = False
    check_invariants(engine)


def test_unpausing_without_a_pause(client):
    assert client('CLIENT', 'UNPAUSE') == 'OK'


@pytest.mark.parametrize(
    ('words', 'error'),
    [
        (['x'], 'ERR timeout is not an integer or out of range'),
        (['1.5'], 'ERR timeout is not an integer or out of range'),
        (['-1'], 'ERR timeout is negative'),
        ([2**63 - 1], 'ERR timeout is out of range'),
        ([2**63], 'ERR timeout is not an integer or out of range'),
        (['100', 'READ'], 'ERR CLIENT PAUSE mode must be WRITE or ALL'),
        (
            ['100', 'WRITE', 'ALL'],
            "ERR unknown subcommand or wrong number of arguments for 'PAUSE'. Try CLIENT HELP.",
        ),
    ],
)
def test_errors(client, engine, words, error):
    assert client('CLIENT', 'PAUSE', *words) == error
    assert not engine.pause.active


def test_who_is_held_back_counts_as_blocked(clients):
    pausing, other = clients(2)
    pausing('CLIENT', 'PAUSE', 1000, 'WRITE')
    other('SET', 'k', 'v')
    assert b'blocked_clients:1\r\n' in pausing('INFO', 'clients')
    assert b'total_blocking_keys:0\r\n' in pausing('INFO', 'clients')
    assert flags(other) == 'b'
    assert flags(pausing) == 'N'


def test_who_is_held_back_cannot_be_unblocked(clients):
    pausing, other = clients(2)
    pausing('CLIENT', 'PAUSE', 1000, 'WRITE')
    other('BLPOP', 'q', '0')
    assert pausing('CLIENT', 'UNBLOCK', other.client.id) == 0
    assert pausing('CLIENT', 'UNBLOCK', other.client.id, 'ERROR') == 0
    assert flags(other) == 'b'


@pytest.mark.parametrize('end', ['kill', 'disconnect'])
def test_who_goes_while_held_back_leaves_nothing_behind(clients, engine, end):
    pausing, other = clients(2)
    pausing('CLIENT', 'PAUSE', 1000, 'WRITE')
    other.pipeline('SET k v', 'SET l v')
    if end == 'kill':
        assert pausing('CLIENT', 'KILL', 'ID', other.client.id) == 1
    else:
        other.disconnect()
    assert not engine.blocked
    pausing('CLIENT', 'UNPAUSE')
    assert pausing('EXISTS', 'k', 'l') == 0
    pausing.disconnect()
    check_deserted(engine)


def test_a_transaction_that_writes_waits(clients):
    pausing, other = clients(2)
    other.pipeline('MULTI', 'GET k', 'SET k v')
    pausing('CLIENT', 'PAUSE', 1000, 'WRITE')
    assert other('EXEC') == []
    pausing('CLIENT', 'UNPAUSE')
    assert other.take()[-1] == [None, 'OK']


def test_a_write_is_queued_only_when_the_pause_is_over(clients):
    # As in Redis, which asks before it queues.
    pausing, other = clients(2)
    other('MULTI')
    pausing('CLIENT', 'PAUSE', 1000, 'WRITE')
    assert other('SET', 'k', 'v') == []
    pausing('CLIENT', 'UNPAUSE')
    assert other.take()[-1] == 'QUEUED'
    assert other('EXEC') == ['OK']


def test_a_transaction_that_only_reads_runs(clients):
    pausing, other = clients(2)
    pausing('CLIENT', 'PAUSE', 1000, 'WRITE')
    other.pipeline('MULTI', 'GET k', 'PING', 'EXEC')
    assert other.take()[-1] == [None, 'PONG']


def test_a_pause_begins_at_the_end_of_its_transaction(clients, engine, clock):
    pausing, other = clients(2)
    pausing('SET', 'old', 'v', 'PX', '10')
    engine.active_expire = False
    clock.advance(11)
    pausing.pipeline('MULTI', 'CLIENT PAUSE 1000 WRITE', 'INCR old', 'SET k v', 'EXEC')
    assert pausing.take()[-1] == ['OK', 1, 'OK']
    assert other('GET', 'old') == b'1'
    assert other('SET', 'k', 'w') == []


def test_who_waits_for_a_key_is_not_served_in_a_pause(clients, engine):
    waiting, pausing = clients(2)
    waiting('BLPOP', 'q', '0')
    pausing.pipeline('MULTI', 'RPUSH q a', 'CLIENT PAUSE 1000 WRITE', 'EXEC')
    assert waiting.take() == []
    assert pausing('LLEN', 'q') == 1
    pausing('CLIENT', 'UNPAUSE')
    assert waiting.take() == [[b'q', b'a']]
    assert not engine.blocked


def test_who_waits_for_a_key_gives_up_in_a_pause(clients, pass_time):
    waiting, pausing = clients(2)
    waiting('BLPOP', 'q', '0.1')
    pausing('CLIENT', 'PAUSE', 1000, 'ALL')
    pass_time(100)
    assert waiting.take() == [None]


def test_the_reply_that_was_not_wanted_is_left_out(clients):
    pausing, other = clients(2)
    pausing('CLIENT', 'PAUSE', 1000, 'WRITE')
    other.pipeline('CLIENT REPLY SKIP', 'SET k v', 'SET k w', 'PING')
    pausing('CLIENT', 'UNPAUSE')
    assert other.take() == ['OK', 'PONG']


# Keys in a pause


def test_keys_past_their_deadline_are_hidden_and_stay(clients, engine, clock):
    pausing, other = clients(2)
    pausing('SET', 'k', 'v', 'PX', '10')
    pausing('CLIENT', 'PAUSE', 1000, 'WRITE')
    clock.advance(11)
    assert other('GET', 'k') is None
    assert other('EXISTS', 'k') == 0
    assert other('TTL', 'k') == -2
    assert other('KEYS', '*') == []
    assert other('RANDOMKEY') is None
    assert not engine.expire_some()
    assert other('DBSIZE') == 1
    assert engine.keyspace.expired == 0
    pausing('CLIENT', 'UNPAUSE')
    assert other('GET', 'k') is None
    assert engine.keyspace.expired == 1


def test_a_random_key_is_found_among_hidden_ones(clients, clock):
    pausing, other = clients(2)
    pausing('DEBUG', 'POPULATE', '300')
    for number in range(300):
        pausing('PEXPIRE', f'key:{number}', '10')
    pausing('SET', 'alive', 'v')
    pausing('CLIENT', 'PAUSE', 1000, 'WRITE')
    clock.advance(11)
    assert other('RANDOMKEY') == b'alive'


def test_there_may_be_no_key_at_all(clients):
    pausing, other = clients(2)
    pausing('CLIENT', 'PAUSE', 1000, 'WRITE')
    assert other('RANDOMKEY') is None


def test_a_hidden_key_breaks_a_watch(clients, clock):
    pausing, other = clients(2)
    other('SET', 'k', 'v', 'PX', '10')
    other.pipeline('WATCH k', 'MULTI', 'PING')
    pausing('CLIENT', 'PAUSE', 1000, 'WRITE')
    clock.advance(11)
    assert other('EXEC') is None
