"""A client without a socket: its queue, and what ends it."""

import pytest

from selredis.engine.client import ReplyMode, Transaction, check_name
from selredis.engine.command import COMMANDS
from selredis.errors import ReplyError


def test_what_is_queued_enters_the_client_for_flushing_once(engine, client):
    client.client.queue(b'a')
    client.client.queue(b'b')
    assert engine.to_flush == [client.client]
    assert client.client.out == [b'a', b'b']


def test_a_client_of_its_own_number(engine, clients):
    one, other = clients(2)
    assert one.client.id != other.client.id
    assert engine.clients == {one.client.id: one.client, other.client.id: other.client}


@pytest.mark.parametrize('name', [b'', b'a', b'!~', b'redis-py(8.0)', b'a\0 b'])
def test_names(name):
    check_name(name)


@pytest.mark.parametrize('name', [b' ', b'a b', b'a\n', b'\x7f', b'\xe9'])
def test_what_cannot_be_a_name(name):
    with pytest.raises(ReplyError, match='cannot contain spaces'):
        check_name(name)


# --- the end ----------------------------------------------------------------------------------------------------------


def test_nothing_is_popped_for_a_doomed_client(engine, clients):
    waiting, pusher = clients(2)
    waiting('BLPOP', 'q', '0')
    waiting.client.doom()
    assert pusher('RPUSH', 'q', 'a') == 1
    assert pusher('LRANGE', 'q', '0', '-1') == [b'a']


def test_no_message_counts_a_doomed_client(clients):
    listening, publisher = clients(2)
    listening('SUBSCRIBE', 'a')
    listening.client.doom()
    assert publisher('PUBLISH', 'a', 'x') == 0


def test_a_doomed_client_is_not_listed_and_cannot_be_killed_again(engine, clients):
    victim, killer = clients(2)
    id_ = victim.client.id
    killer.pipeline(f'CLIENT KILL ID {id_}', f'CLIENT KILL ID {id_}', f'CLIENT LIST ID {id_}')
    assert killer.take() == [1, 0, b'']
    assert victim.client.doomed


def test_to_be_doomed_twice_is_to_be_closed_once(engine, client):
    client.client.doom()
    client.client.doom()
    client.client.close_after_replies()
    assert engine.doomed == [client.client]


def test_a_doomed_client_runs_nothing_more(client, engine):
    client.client.doom()
    client.pipeline('SET k v')
    assert b'k' not in engine.keyspace.databases[0]


def test_who_quits_gets_no_messages_any_more(engine, clients):
    quitting, publisher = clients(2)
    quitting('SUBSCRIBE', 'a')
    engine.run(quitting.client, [[b'QUIT']])
    engine.run(publisher.client, [[b'PUBLISH', b'a', b'x']])
    assert quitting.client.out == [b'+OK\r\n']
    assert publisher.client.out == [b':0\r\n']


def test_commands_behind_quit_are_not_run(client, engine):
    client.pipeline('QUIT', 'SET k v')
    assert b'k' not in engine.keyspace.databases[0]


def test_reset_leaves_the_library_as_it_was_told(client):
    client('CLIENT', 'SETINFO', 'lib-name', 'redis-py')
    client('CLIENT', 'SETNAME', 'me')
    assert client('RESET') == 'RESET'
    assert client.client.lib_name == b'redis-py'
    assert client.client.name == b''


def test_reset_gives_back_what_waits_for_memory_or_is_not_to_be_touched(client):
    client('CLIENT', 'NO-EVICT', 'on')
    client('CLIENT', 'NO-TOUCH', 'on')
    client('RESET')
    assert not client.client.no_evict
    assert not client.client.no_touch


# --- limits -----------------------------------------------------------------------------------------------------------


def test_an_endless_transaction_is_cut_off(client, engine, config):
    config.set_pairs([(b'client-query-buffer-limit', b'1mb')])
    client('MULTI')
    for _ in range(20):
        client('SET', 'k', b'x' * 60_000)
    assert client.client.doomed
    assert engine.stats.query_limit_disconnections == 1
    assert 'max query buffer length: id=' in engine.log.lines[-1]


def test_small_commands_of_a_transaction_count_with_all_that_they_take():
    transaction = Transaction()
    transaction.queue(COMMANDS[b'ping'], [b'PING'])
    assert 100 < transaction.queued_bytes < 300


def test_nothing_is_kept_of_a_transaction_that_is_lost(client):
    client('MULTI')
    client('NOSUCHCOMMAND')
    assert client('SET', 'k', 'v') == 'QUEUED'
    assert client.client.transaction.queued == []


def test_commands_that_wait_for_their_turn_count_as_read(engine, client):
    engine.run(client.client, [[b'BLPOP', b'q', b'0'], [b'SET', b'k', b'value']])
    assert client.client.query_bytes == len('SETkvalue')
    assert client.client.argument_bytes == len('BLPOPq0')


# --- gated ------------------------------------------------------------------------------------------------------------


def test_the_plain_case_is_not_looked_at_more_closely(client):
    client('HELLO', '3')
    assert not client.client.gated


@pytest.mark.parametrize(
    ('begin', 'end'),
    [
        ('MULTI', 'EXEC'),
        ('MULTI', 'DISCARD'),
        ('SUBSCRIBE a', 'UNSUBSCRIBE'),
        ('PSUBSCRIBE a', 'PUNSUBSCRIBE a'),
        ('SSUBSCRIBE a', 'SUNSUBSCRIBE a'),
        ('CLIENT REPLY OFF', 'CLIENT REPLY ON'),
        ('CLIENT REPLY SKIP', 'PING'),
        ('MULTI', 'RESET'),
        ('SUBSCRIBE a', 'RESET'),
        ('CLIENT REPLY OFF', 'RESET'),
    ],
)
def test_who_is_in_an_unusual_state_is_gated_as_long_as_it_lasts(client, begin, end):
    client.pipeline(begin)
    assert client.client.gated
    client.pipeline(end)
    assert not client.client.gated


def test_skip_ends_with_the_next_reply_also_where_that_has_to_wait(clients):
    waiting, pusher = clients(2)
    waiting.pipeline('CLIENT REPLY SKIP', 'BLPOP q 0', 'ECHO 1')
    assert waiting.client.reply_mode is ReplyMode.SKIP
    pusher('RPUSH', 'q', 'a')
    assert waiting.take() == [b'1']
    assert not waiting.client.gated
