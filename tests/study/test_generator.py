"""The load generator: what it says it did is what the server says was done to it, and wrong replies do not pass."""

import socket

import pytest

from tools.benchmark.children import child
from tools.benchmark.report import BenchError
from tools.benchmark.wire import Peer, encode
from tools.study.contender import Contender
from tools.study.contestants import CONTESTANTS
from tools.study.generator import (
    Asker,
    Exchange,
    Subscriber,
    ask,
    come_and_go,
    hand_off,
    latency_figures,
    on_schedule,
    publish,
    publish_beside_a_slow_one,
    stay,
)
from tools.study.loads import exchange

SECONDS = 0.2
PING = Exchange([encode('PING')], b'+PONG\r\n')


# Another test may have loaded numpy, which starts threads; none of them is Python's.
pytestmark = pytest.mark.filterwarnings('ignore:.*fork.*:DeprecationWarning')


@pytest.fixture
def server():
    with Contender(next(one for one in CONTESTANTS if one.id == 'selectors')) as running:
        yield running


@pytest.fixture
def any_socket():
    with socket.socket() as sock:
        yield sock


def stats(server, section='stats'):
    """The numbers of a section of INFO."""
    with Peer(server.port) as peer:
        info = peer.call('INFO', section)
    assert isinstance(info, bytes)
    fields = dict(line.split(':', 1) for line in info.decode().split('\r\n') if ':' in line)
    return {name: int(value) for name, value in fields.items() if value.isdecimal()}


class Counted:
    """What the server has counted while a load ran, without what the counting adds."""

    def __init__(self, before, after):
        self.commands = after['total_commands_processed'] - before['total_commands_processed'] - 1
        self.connections = after['total_connections_received'] - before['total_connections_received'] - 1


def run(server, task, *arguments):
    """Run a load; its outcome, and what the server counted."""
    before = stats(server)
    with child(task, server.port, *arguments) as generator:
        assert generator.receive(20) == 'ready'
        generator.send('go')
        outcome = generator.receive(20)
    assert outcome.seconds > 0
    assert 0 < outcome.busy_seconds <= outcome.seconds + 0.05
    return outcome, Counted(before, stats(server))


def test_requests_and_connections_are_as_many_as_the_server_has_counted(server):
    outcome, counted = run(server, ask, 7, PING, SECONDS)
    assert outcome.count > 7
    assert counted.commands == outcome.count + 7  # each connection is opened with a PING
    assert counted.connections == 7


@pytest.mark.parametrize('command', ['SET', 'GET', 'LPUSH', 'RPOP'])
def test_every_command_gets_the_reply_that_it_must(server, command):
    with Peer(server.port) as peer:
        for number in range(2_000):
            peer.call('SET', b'item:%012d' % number, 'xxx')
        for _ in range(100):
            peer.call('RPUSH', 'mylist', *['xxx'] * 1_000)
    outcome, counted = run(server, ask, 3, exchange(command), SECONDS)
    assert counted.commands == outcome.count + 3


def test_a_reply_that_is_not_right_ends_the_load(server, capfd):
    wrong = Exchange([encode('ECHO', 'this')], b'$4\r\nthat\r\n')
    with pytest.raises(BenchError, match='has failed'):
        run(server, ask, 2, wrong, SECONDS)
    assert 'unexpected reply' in capfd.readouterr().err


def test_a_reply_may_come_in_pieces(any_socket):
    asker = Asker(any_socket, Exchange([b''], b'$3\r\nxxx\r\n'))
    assert [asker.has_all(piece) for piece in (b'$3\r', b'\nxx', b'x\r\n')] == [False, False, True]
    with pytest.raises(BenchError, match='unexpected reply'):
        asker.has_all(b'$-1\r\n')
    with pytest.raises(BenchError, match='unexpected reply'):
        asker.has_all(b'')


def test_a_reply_that_grows_is_known_by_its_ends(any_socket):
    asker = Asker(any_socket, Exchange([b''], b':1\r\n', grows=True))
    assert [asker.has_all(piece) for piece in (b':12', b'3\r\n')] == [False, True]
    with pytest.raises(BenchError, match='unexpected reply'):
        asker.has_all(b'-WRONGTYPE\r\n')


def test_every_delivery_is_counted(server):
    outcome, counted = run(server, publish, 5, b'x' * 64, SECONDS)
    messages = counted.commands - 5
    assert messages > 2
    assert outcome.count == messages * 5


def test_a_subscriber_takes_whole_messages_out_of_any_pieces(any_socket):
    subscriber = Subscriber(any_socket)
    push = b'*3\r\nabcd'
    assert [subscriber.take(piece, push) for piece in (push[:3], push[3:] + push, push * 2 + push[:1])] == [0, 2, 2]
    assert subscriber.received == 4
    with pytest.raises(BenchError, match='a subscriber got'):
        subscriber.take(b'?', push)


def test_a_slow_subscriber_is_cut_off_and_the_fast_ones_get_everything(server):
    with Peer(server.port) as peer:
        peer.call('CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 1mb 0 0')
    outcome, _ = run(server, publish_beside_a_slow_one, 3, b'x' * 16_384, 1_000, 1.0)
    assert outcome.count == 3_000
    assert len(outcome.latencies) == 3_000
    assert outcome.cut_off


def test_a_slow_subscriber_within_the_limits_is_not_cut_off(server):
    outcome, _ = run(server, publish_beside_a_slow_one, 3, b'x' * 64, 500, SECONDS)
    assert outcome.count == 300
    assert not outcome.cut_off


@pytest.mark.parametrize('waiters', [1, 20])
def test_every_hand_off_is_a_push_and_a_wait(server, waiters):
    outcome, counted = run(server, hand_off, waiters, SECONDS)
    assert len(outcome.latencies) == outcome.count > waiters
    opening = waiters * 2  # two PINGs; the last BLPOP is still blocked, and counts when it has been served
    assert counted.commands == opening + outcome.count * 2


def test_every_visit_is_a_connection(server):
    outcome, counted = run(server, come_and_go, 10, SECONDS)
    assert outcome.count == counted.connections
    assert counted.commands == outcome.count * 2


def test_connections_stay_until_they_are_told_to_leave(server):
    before = stats(server, 'clients')['connected_clients']
    with child(stay, server.port, 150) as generator:
        generator.receive(20)
        generator.send('go')
        assert generator.receive(20).count == 150
        assert stats(server, 'clients')['connected_clients'] == before + 150


@pytest.mark.parametrize('pipeline', [1, 4])
def test_a_schedule_is_kept_and_every_request_has_its_latency(server, pipeline):
    with Peer(server.port) as peer:
        for number in range(2_000):
            peer.call('SET', b'item:%012d' % number, 'xxx')
    mixed = [exchange(command).piped(pipeline, 100) for command in ('GET', 'SET')]
    outcome, counted = run(server, on_schedule, 5, mixed, 500, 0.4)
    assert outcome.count == len(outcome.latencies) == 200
    assert counted.commands == 200 * pipeline + 5
    assert outcome.seconds >= 0.39
    assert min(outcome.latencies) > 0
    assert outcome.late_seconds >= 0


def test_latencies_are_told_by_quantiles():
    figures = latency_figures([n / 1e6 for n in range(1, 1001)])
    assert figures == pytest.approx({'p50_us': 501, 'p99_us': 991, 'p999_us': 1000, 'worst_us': 1000})
    assert latency_figures([]) == {}
