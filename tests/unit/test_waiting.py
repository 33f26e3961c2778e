"""Clients that wait for keys: who is served when, by what, and what is left behind."""

from copy import copy
from itertools import product

import pytest

from selredis.engine.client import Client
from selredis.engine.command import COMMANDS
from selredis.engine.executor import Executor
from selredis.resp.reply import Reply
from selredis.values.list import List
from tests.unit.conftest import settle


@pytest.fixture
def db(engine):
    return engine.keyspace.databases[0]


@pytest.fixture
def nothing_waits(engine):
    """Holds that a test leaves no trace of its waits."""
    yield
    assert not engine.blocked
    assert not any(db.waiting for db in engine.keyspace.databases)
    assert not engine.keyspace.observed
    assert len(engine.timers) == 0


pytestmark = pytest.mark.usefixtures('nothing_waits')


def test_who_waits_is_sent_nothing_until_a_push(clients):
    waiting, pusher = clients(2)
    assert waiting('BLPOP', 'q', '0') == []
    assert waiting.client.halted
    assert pusher('RPUSH', 'q', 'a') == 1
    assert waiting.take() == [[b'q', b'a']]
    assert not waiting.client.halted


def test_they_are_served_in_the_order_in_which_they_came(clients):
    *waiting, pusher = clients(5)
    for peer in waiting:
        peer('BLPOP', 'q', '0')
    for number in range(4):
        pusher('RPUSH', 'q', number)
    assert [peer.take() for peer in waiting] == [[[b'q', b'%d' % number]] for number in range(4)]


def test_several_elements_serve_several(clients):
    *waiting, pusher = clients(4)
    for peer in waiting:
        peer('BRPOP', 'q', '0')
    assert pusher('RPUSH', 'q', 'a', 'b') == 2
    assert [peer.take() for peer in waiting] == [[[b'q', b'b']], [[b'q', b'a']], []]
    pusher('RPUSH', 'q', 'c')


def test_who_is_served_waits_no_longer_for_its_other_keys(clients, db):
    waiting, pusher = clients(2)
    waiting('BLPOP', 'one', 'two', 'three', 'two', '0')
    assert len(db.waiting) == 3
    pusher('RPUSH', 'two', 'a')
    assert waiting.take() == [[b'two', b'a']]
    assert not db.waiting
    assert pusher('RPUSH', 'one', 'a') == 1


def test_who_waits_in_another_database_is_not_served(clients, engine):
    waiting, pusher = clients(2)
    waiting.client.db = engine.keyspace.databases[1]
    waiting('BLPOP', 'q', '0')
    pusher('RPUSH', 'q', 'a')
    assert waiting.take() == []
    waiting.disconnect()


def test_a_value_of_another_kind_serves_nobody(clients):
    waiting, pusher = clients(2)
    waiting('BLPOP', 'q', '0')
    pusher('SET', 'q', 'text')
    pusher('GETDEL', 'q')
    assert waiting.take() == []
    pusher('RPUSH', 'q', 'a')
    assert waiting.take() == [[b'q', b'a']]


@pytest.mark.parametrize(
    ('waits', 'stores', 'adds', 'served'),
    [
        ('BZPOPMIN q 0', 'ZUNIONSTORE q 1 zset', 'ZADD q 0 m', [b'q', b'm', 0.0]),
        ('BZPOPMIN q 0', 'ZRANGESTORE q zset 0 -1', 'ZADD q 0 m', [b'q', b'm', 0.0]),
        ('BLPOP q 0', 'SORT list STORE q', 'LPUSH q m', [b'q', b'm']),
    ],
)
def test_what_takes_the_place_of_another_kind_serves_nobody_nor_does_more_of_it(clients, waits, stores, adds, served):
    waiting, other = clients(2)
    waiting('HELLO', 3)
    waiting.received.clear()
    other('ZADD', 'zset', '1', 'element')
    other('RPUSH', 'list', '1')
    waiting(*waits.split())
    other('SET', 'q', 'text')
    assert other(*stores.split()) == 1
    assert other(*adds.split()) > 0
    assert waiting.take() == []
    other('DEL', 'q')
    other(*adds.split())
    assert waiting.take() == [served]


def test_a_pipeline_behind_a_wait_goes_on_afterwards(clients):
    waiting, pusher = clients(2)
    waiting.pipeline('RPUSH a 1', 'BLPOP q 0', 'RPUSH a 2', 'BLPOP q 0', 'LLEN a')
    assert waiting.take() == [1]
    pusher('RPUSH', 'q', 'x')
    assert waiting.take() == [1, [b'q', b'x'], 2]
    pusher('RPUSH', 'q', 'y')
    assert waiting.take() == [1, [b'q', b'x'], 2, [b'q', b'y'], 2]


def test_the_pusher_s_own_pipeline_comes_behind_those_it_serves(clients):
    waiting, pusher = clients(2)
    waiting('BLPOP', 'q', '0')
    pusher.pipeline('RPUSH q a', 'BLPOP q 0')
    assert waiting.take() == [[b'q', b'a']]
    assert pusher.take() == [1]
    waiting('RPUSH', 'q', 'b')
    assert pusher.take() == [1, [b'q', b'b']]


def test_a_wait_ends_at_its_deadline(clients, clock, engine):
    (waiting,) = clients(1)
    waiting('BLPOP', 'q', '0.5')
    clock.advance(499)
    engine.run_timers()
    assert waiting.take() == []
    clock.advance(1)
    engine.run_timers()
    assert waiting.take() == [None]


def test_fractions_of_a_millisecond_are_rounded_up(clients, clock, engine):
    (waiting,) = clients(1)
    waiting('BLPOP', 'q', '0.0001')
    engine.run_timers()
    assert waiting.take() == []
    clock.advance(1)
    engine.run_timers()
    assert waiting.take() == [None]


def test_zero_is_for_ever(clients, clock, engine):
    (waiting,) = clients(1)
    waiting('BLPOP', 'q', '0')
    clock.advance(10**12)
    engine.run_timers()
    assert waiting.take() == []
    waiting.disconnect()


def test_who_was_served_in_time_hears_nothing_at_its_deadline(clients, clock, engine):
    waiting, pusher = clients(2)
    waiting('BLPOP', 'q', '1')
    pusher('RPUSH', 'q', 'a')
    clock.advance(2000)
    engine.run_timers()
    assert waiting.take() == [[b'q', b'a']]


def test_what_was_said_during_a_wait_runs_when_its_time_is_over(clients, clock, engine):
    (waiting,) = clients(1)
    waiting.pipeline('BLPOP q 1', 'RPUSH q a')
    clock.advance(1000)
    engine.run_timers()
    settle(engine)
    assert waiting.take() == [None, 1]


def test_the_next_in_line_is_served_when_the_first_is_gone(clients):
    first, second, pusher = clients(3)
    first('BLPOP', 'q', '0')
    second('BLPOP', 'q', '0')
    first.disconnect()
    pusher('RPUSH', 'q', 'a')
    assert first.take() == []
    assert second.take() == [[b'q', b'a']]


def test_nothing_is_given_to_one_that_is_to_be_closed(clients, engine, db):
    waiting, pusher = clients(2)
    waiting('BLPOP', 'q', '0')
    waiting.client.doom()
    engine.run(pusher.client, [[b'RPUSH', b'q', b'a']])
    assert list(db.values[b'q']) == [b'a']


def test_an_element_moved_on_serves_those_who_wait_for_it(clients, db):
    *waiting, pusher = clients(4)
    waiting[0]('BLMOVE', 'one', 'two', 'LEFT', 'RIGHT', '0')
    waiting[1]('BLMOVE', 'two', 'three', 'LEFT', 'RIGHT', '0')
    waiting[2]('BLPOP', 'three', '0')
    pusher('RPUSH', 'one', 'a')
    assert [peer.take() for peer in waiting] == [[b'a'], [b'a'], [[b'three', b'a']]]
    assert not db.values


def test_a_circle_of_moves_ends(clients, db):
    one, two, pusher = clients(3)
    one('BLMOVE', 'a', 'b', 'LEFT', 'RIGHT', '0')
    two('BLMOVE', 'b', 'a', 'LEFT', 'RIGHT', '0')
    pusher('RPUSH', 'a', 'x')
    assert one.take() == two.take() == [b'x']
    assert list(db.values) == [b'a']


def test_an_error_met_while_waiting_is_the_answer(clients, db):
    first, second, pusher = clients(3)
    pusher('SET', 'text', 'x')
    first('BLMOVE', 'q', 'text', 'LEFT', 'LEFT', '0')
    second('BLPOP', 'q', '0')
    pusher('RPUSH', 'q', 'a')
    (error,) = first.take()
    assert error.startswith('WRONGTYPE')
    assert second.take() == [[b'q', b'a']]


def test_keys_have_their_turn_in_the_order_in_which_they_were_filled(engine, clients, db):
    first, second, both = clients(3)
    first('BLPOP', 'one', '0')
    second('BLPOP', 'two', '0')
    both('BLPOP', 'one', 'two', '0')
    # As one unit, like a transaction.
    for key, *elements in ((b'two', b'b'), (b'one', b'a'), (b'two', b'bb')):
        db.get_or_create(key, List).extend_right(elements)
        db.changed(key, b'rpush')
    engine.serve_ready()
    # `both` is served for `two`, and takes from `one`, which it named first.
    assert second.take() == [[b'two', b'b']]
    assert both.take() == [[b'one', b'a']]
    assert first.take() == []
    first.disconnect()


def test_inside_a_transaction_nobody_waits(client):
    client.client.in_exec = True
    assert client('BLPOP', 'q', '0') is None
    assert client('BLMPOP', '0', '1', 'q', 'LEFT') is None
    assert client('BLMOVE', 'q', 'r', 'LEFT', 'LEFT', '0') is None
    assert client('BRPOPLPUSH', 'q', 'r', '0') is None


def test_unblocking_with_an_error(clients, engine):
    (waiting,) = clients(1)
    waiting('BLPOP', 'q', '0')
    engine.blocked.unblock_with_error(waiting.client)
    assert waiting.take() == ['UNBLOCKED client unblocked via CLIENT UNBLOCK']


def test_unblocking_as_if_its_time_were_over(clients, engine):
    (waiting,) = clients(1)
    waiting.pipeline('BLMOVE q r LEFT LEFT 0', 'LLEN r')
    engine.blocked.time_out(waiting.client)
    settle(engine)
    assert waiting.take() == [None, 0]


@pytest.mark.parametrize('command', ['BLPOP q 100', 'BRPOP q r 100', 'BLMPOP 100 1 q LEFT', 'BLMOVE q r LEFT LEFT 100'])
def test_time_over_is_a_null_array_in_resp2(client, engine, command):
    client.pipeline(command)
    engine.blocked.time_out(client.client)
    assert client.client.out == [b'*-1\r\n']


def test_time_over_is_a_null_in_resp3(client, engine):
    client.client.set_protocol(3)
    client('BLPOP', 'q', '100')
    engine.blocked.time_out(client.client)
    assert client.client.out == [b'_\r\n']


@pytest.mark.parametrize(('waiters', 'elements'), list(product((1, 10), (1, 3, 10, 30))))
def test_each_element_is_given_once(clients, waiters, elements, db):
    *waiting, pusher = clients(waiters + 1)
    for peer in waiting:
        peer('BLPOP', 'q', '0')
    pusher('RPUSH', 'q', *range(elements))
    given = [int(reply[1]) for peer in waiting for reply in peer.take()]
    left = [int(element) for element in db.values.get(b'q', ())]
    assert given + left == list(range(elements))
    for peer in waiting:
        peer.disconnect()


def test_serving_one_of_many_does_not_look_at_the_others(clients, engine, monkeypatch):
    *waiting, pusher = clients(1001)
    for peer in waiting:
        peer('BLPOP', 'q', '0')
    runs = []
    call = Executor.call

    def counted(self, client, command, argv):
        runs.append(client)
        return call(self, client, command, argv)

    monkeypatch.setattr(Executor, 'call', counted)
    pusher('RPUSH', 'q', 'a', 'b')
    assert runs == [waiting[0].client, waiting[1].client]
    for peer in waiting:
        peer.disconnect()


def test_who_goes_on_waiting_keeps_its_deadline_and_goes_behind_the_others(engine, clients, clock, db):
    picky, other, pusher = clients(3)

    def never_content(client: Client, argv: list[bytes]) -> Reply:
        return client.block_on([b'q'], List, 1000, on_timeout=None)

    for peer in (picky, other):
        peer('BLPOP', 'q', '1')
    command = picky.client.wait.command = copy(COMMANDS[b'blpop'])
    command.handler = never_content
    pusher('RPUSH', 'q', 'a')
    assert other.take() == [[b'q', b'a']]
    assert list(db.waiting[b'q', List]) == [picky.client]
    other('BLPOP', 'q', '1')
    clock.advance(600)
    pusher('RPUSH', 'q', 'b')
    assert list(db.waiting[b'q', List]) == [picky.client]
    clock.advance(400)
    engine.run_timers()
    assert picky.take() == [None]
