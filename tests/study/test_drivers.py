"""What every driver of the engine does alike, over real sockets, each in a process of its own."""

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.harness.servers import ROOT, SelredisServer
from tests.harness.wire import BROKEN_REQUESTS, WireClient, encode_command
from tests.study.conftest import Guests, open_descriptors
from tests.study.waits import WAIT_SECONDS, part, read_bytes, read_to_end, reset, slow_client, wait_until
from tools.study.contestants import Startable

Start = Callable[..., SelredisServer]
LAST_LINE = 'Redis is now ready to exit, bye bye...'
MB = 1024 * 1024
WAIT_MOST = 3.0  # seconds of a wait that is to end after one, on a busy machine
PARTINGS = pytest.mark.parametrize('leave', [part, reset], ids=['end', 'reset'])


def field(client: WireClient, name: str, other: WireClient) -> bytes:
    """What `client` is told of `other` in CLIENT LIST; empty if it is not there."""
    port = other.socket.getsockname()[1]
    for line in client('CLIENT', 'LIST').text.splitlines():
        fields = dict(word.split(b'=', 1) for word in line.split(b' '))
        if fields[b'addr'].endswith(b':%d' % port):
            return fields[name.encode()]
    return b''


def is_there(client: WireClient, other: WireClient) -> bool:
    return bool(field(client, 'id', other))


def info(client: WireClient, name: str) -> int:
    found = re.search(rb'^%b:(\d+)\r$' % name.encode(), client('INFO', 'everything').text, re.MULTILINE)
    assert found, name
    return int(found[1])


def wait_for_blocked(client: WireClient, count: int) -> None:
    wait_until(lambda: info(client, 'blocked_clients') == count)


def bulk(data: bytes) -> bytes:
    return b'$%d\r\n%b\r\n' % (len(data), data)


def message(channel: bytes, data: bytes, protocol: int = 2) -> bytes:
    return (b'>' if protocol == 3 else b'*') + b'3\r\n$7\r\nmessage\r\n' + bulk(channel) + bulk(data)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """What is entered here is left when the test ends."""
    with ExitStack() as stack:
        yield stack


def test_a_deadline_may_be_far_ahead(guests: Guests) -> None:
    waiting, client = guests(), guests()
    waiting.send_command('BLPOP', 'q', '9000000000000')
    wait_for_blocked(client, 1)
    assert client('CLIENT', 'PAUSE', str(2**62), 'WRITE').text == b'OK'
    assert client('CLIENT', 'UNPAUSE').text == b'OK'
    assert client('BLPOP', 'none', '0.1').kind == '*'
    assert client('RPUSH', 'q', 'x').text == b'1'
    assert [item.text for item in waiting.read().items] == [b'q', b'x']


# Requests

REQUESTS = (
    encode_command('SET', 'key', 'two\r\nlines')
    + encode_command('GET', 'key')
    + b'ECHO "a b"\r\n\r\n'
    + encode_command('LRANGE', 'none', 0, -1)
    + b'NOSUCH\r\n'
)
REPLIES = (
    b"+OK\r\n$10\r\ntwo\r\nlines\r\n$3\r\na b\r\n*0\r\n-ERR unknown command 'NOSUCH', with args beginning with: \r\n"
)


def test_requests_may_be_split_anywhere(guests: Guests) -> None:
    client, other = guests(), guests()
    for place in range(1, len(REQUESTS)):
        client.send(REQUESTS[:place])
        other('PING')  # so that the server has read the first part
        client.send(REQUESTS[place:])
        assert read_bytes(client, len(REPLIES)) == REPLIES, place


def test_requests_may_come_byte_by_byte(guests: Guests) -> None:
    client, other = guests(), guests()
    for byte in REQUESTS:
        client.send(bytes([byte]))
        other('PING')
    assert read_bytes(client, len(REPLIES)) == REPLIES


def test_many_requests_may_come_in_one_piece(guests: Guests) -> None:
    client = guests()
    client.send(REQUESTS * 1000)
    assert read_bytes(client, 1000 * len(REPLIES)) == REPLIES * 1000


@pytest.mark.parametrize(
    ('broken', 'error'),
    BROKEN_REQUESTS,
    ids=['type', 'length', 'count', 'quotes', 'inline'],
)
def test_a_broken_request_gets_the_replies_before_it_then_its_error_then_the_end(
    guests: Guests, broken: bytes, error: bytes
) -> None:
    client = guests()
    client.send(REQUESTS * 3 + broken)
    assert read_to_end(client) == REPLIES * 3 + b'-ERR Protocol error: ' + error + b'\r\n'


def test_replies_wait_until_all_is_sent(guests: Guests) -> None:
    client = guests()
    value = b'x' * 500
    client('SET', 'key', value)
    client.send(encode_command('GET', 'key') * 10_000)
    assert read_bytes(client, 10_000 * len(bulk(value))) == bulk(value) * 10_000


def test_an_array_of_large_values_arrives_whole(guests: Guests) -> None:
    client = guests()
    value = os.urandom(3 * MB)
    client('SET', 'key', value)
    client('SET', 'small', 'x')
    client.send(encode_command('MGET', 'small', *['key'] * 3) * 3 + encode_command('PING'))
    reply = b'*4\r\n' + bulk(b'x') + bulk(value) * 3
    assert read_bytes(client, 3 * len(reply) + 7) == reply * 3 + b'+PONG\r\n'


def test_a_large_message_reaches_all_subscribers(guests: Guests) -> None:
    publisher, old, new = guests(), guests(), guests(protocol=3)
    for subscriber in (old, new):
        subscriber('SUBSCRIBE', 'news')
    data = os.urandom(3 * MB)
    for _ in range(3):
        publisher('PUBLISH', 'news', data)
    for protocol, subscriber in ((2, old), (3, new)):
        frame = message(b'news', data, protocol)
        assert read_bytes(subscriber, 3 * len(frame)) == frame * 3


def test_a_peer_that_ends_its_requests_gets_its_replies(guests: Guests) -> None:
    client = guests()
    client.send(REQUESTS)
    client.socket.shutdown(socket.SHUT_WR)
    assert read_to_end(client) == REPLIES


def test_quit_is_answered_behind_what_came_before_it_and_nothing_after(guests: Guests) -> None:
    client, other = guests(), guests()
    value = b'x' * 100_000
    client('SET', 'key', value)
    client.send(encode_command('GET', 'key') * 50 + encode_command('QUIT') + encode_command('SET', 'after', 'x'))
    assert read_to_end(client) == bulk(value) * 50 + b'+OK\r\n'
    assert other('EXISTS', 'after').text == b'0'


def test_fifty_megabytes_in_and_out(guests: Guests) -> None:
    client, other = guests(), guests()
    value = os.urandom(MB) * 50
    client.send(encode_command('SET', 'large', value))
    assert read_bytes(client, 5) == b'+OK\r\n'
    client.send_command('GET', 'large')
    assert other('PING').text == b'PONG'
    assert read_bytes(client, len(bulk(value))) == bulk(value)


# Publish and subscribe


def subscribers(guests: Guests, count: int) -> list[tuple[WireClient, int]]:
    """Clients subscribed to `news`, each with its protocol, which they take in turns."""
    made = []
    for number in range(count):
        protocol = 2 + number % 2
        client = guests(protocol)
        client('SUBSCRIBE', 'news')
        made.append((client, protocol))
    return made


def test_all_subscribers_receive_all_messages_in_order(guests: Guests) -> None:
    publishers, listening = [guests(), guests()], subscribers(guests, 60)
    said = b''
    for number in range(50):
        said += b'%d ' % number
        assert publishers[number % 2]('PUBLISH', 'news', number).text == b'60'
    publishers[0].send(b''.join(encode_command('PUBLISH', 'news', number) for number in range(50, 150)))
    assert read_bytes(publishers[0], 500) == b':60\r\n' * 100
    for client, protocol in listening:
        expected = b''.join(message(b'news', b'%d' % number, protocol) for number in range(150))
        assert read_bytes(client, len(expected)) == expected


def test_what_one_publishes_to_oneself_comes_behind_the_reply(guests: Guests) -> None:
    other = guests()
    other('SUBSCRIBE', 'news')
    client = guests(3)
    client.send(
        b'SUBSCRIBE news\r\nPUBLISH news 1\r\nPING\r\nMULTI\r\nPUBLISH news 2\r\nPUBLISH news 3\r\nEXEC\r\nPING\r\n'
    )
    one, two, three = (message(b'news', digit, 3) for digit in (b'1', b'2', b'3'))
    expected = (
        b'>3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n:2\r\n' + one + b'+PONG\r\n'
        b'+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n:2\r\n:2\r\n' + two + three + b'+PONG\r\n'
    )
    assert read_bytes(client, len(expected)) == expected
    expected = b''.join(message(b'news', digit) for digit in (b'1', b'2', b'3'))
    assert read_bytes(other, len(expected)) == expected


def test_a_message_does_not_wait_for_the_one_before_to_be_acknowledged(guests: Guests) -> None:
    publisher, client = guests(), guests(3)
    client('SUBSCRIBE', 'news')
    expected = message(b'news', b'x', 3)
    before = time.monotonic()
    for _ in range(40):
        client('PING')  # whose reply the system acknowledges some 40 ms later, if at all (Nagle's algorithm)
        publisher('PUBLISH', 'news', 'x')
        assert read_bytes(client, len(expected)) == expected
    assert time.monotonic() - before < 1


def test_subscribers_that_vanish_take_nothing_from_the_others(guests: Guests) -> None:
    publisher, listening = guests(), subscribers(guests, 30)
    requests = b''.join(encode_command('PUBLISH', 'news', b'%d ' % number * 200) for number in range(600))
    step = len(requests) // 20
    for number in range(20):
        publisher.send(requests[number * step : (number + 1) * step])
        client, _ = listening.pop(len(listening) // 2)
        if number % 2:
            reset(client)
        else:
            client.close()
    publisher.send(requests[20 * step :])
    counts = [int(publisher.read().text) for _ in range(600)]
    assert counts == sorted(counts, reverse=True)
    wait_until(lambda: publisher('PUBLISH', 'other', '').text == b'0' and info(publisher, 'connected_clients') == 12)
    assert publisher('PUBSUB', 'NUMSUB', 'news').items[1].text == b'10'
    for client, protocol in listening:
        expected = b''.join(message(b'news', b'%d ' % number * 200, protocol) for number in range(600))
        assert read_bytes(client, len(expected)) == expected


def test_keyspace_events_reach_subscribers(guests: Guests) -> None:
    client, other = guests(), guests()
    other('CONFIG', 'SET', 'notify-keyspace-events', 'KEA')
    client('PSUBSCRIBE', '__key*__:*')
    other.send(encode_command('SET', 'key', 'x', 'PX', 1) + encode_command('RPUSH', 'list', 'x'))
    wait_until(lambda: other('EXISTS', 'key').text == b'0')
    events = {tuple(item.text for item in client.read().items[2:]) for _ in range(8)}
    other('CONFIG', 'SET', 'notify-keyspace-events', '')
    assert (b'__keyevent@0__:expired', b'key') in events
    assert (b'__keyspace@0__:list', b'rpush') in events


# Clients that wait


def test_who_waits_longest_is_served_first(guests: Guests) -> None:
    waiting, pusher = [guests() for _ in range(12)], guests()
    for number, client in enumerate(waiting, 1):
        client.send_command('BLPOP', 'one', 'other', 0)
        wait_for_blocked(pusher, number)
    pusher('RPUSH', 'one', *range(4))
    pusher.send(b''.join(encode_command('RPUSH', key, number) for number, key in enumerate(['other', 'one'] * 4, 4)))
    for number, client in enumerate(waiting):
        assert client.read().items[1].text == b'%d' % number


def test_a_wait_ends_in_time(guests: Guests) -> None:
    clients = [guests() for _ in range(5)]
    before = time.monotonic()
    for number, client in enumerate(clients):
        client.send_command('BLPOP', 'none', f'0.{5 - number}')
    for number, client in reversed(list(enumerate(clients))):
        assert client.read_raw() == b'*-1\r\n'
        passed = time.monotonic() - before
        assert passed >= (5 - number) / 10 - 0.005
    assert passed < WAIT_MOST


@PARTINGS
def test_who_vanishes_while_it_waits_loses_nothing_to_the_others(
    guests: Guests, leave: Callable[[WireClient], None]
) -> None:
    first, second, pusher = guests(), guests(), guests()
    first.send_command('BLPOP', 'list', 0)
    wait_for_blocked(pusher, 1)
    second.send_command('BLPOP', 'list', 0)
    wait_for_blocked(pusher, 2)
    leave(first)
    wait_for_blocked(pusher, 1)
    assert pusher('RPUSH', 'list', 'x', 'y').text == b'2'
    assert second.read().items[1].text == b'x'
    assert pusher('LRANGE', 'list', 0, -1).items[0].text == b'y'


def test_a_reset_connection_drops_the_commands_behind_a_blocked_one(guests: Guests) -> None:
    client, other = guests(), guests()
    client.send(encode_command('BLPOP', 'list', 0) + encode_command('SET', 'key', 'x' * 1000) * 1000)
    wait_for_blocked(other, 1)
    wait_until(lambda: int(field(other, 'qbuf', client)) > 1_000_000)
    reset(client)
    wait_for_blocked(other, 0)
    assert other('EXISTS', 'key').text == b'0'


def test_what_is_sent_behind_a_wait_runs_after_it(guests: Guests) -> None:
    client, other = guests(), guests()
    client.send(encode_command('BLPOP', 'list', 0) + encode_command('GET', 'key') + b'*1\r\n$4\r\nPI')
    wait_for_blocked(other, 1)
    client.send(b'NG\r\n' + encode_command('APPEND', 'key', 'z'))
    other('SET', 'key', 'x')
    assert not client.arrived()
    other.send(b'MULTI\r\nRPUSH list a\r\nAPPEND key y\r\nEXEC\r\n')
    expected = b'*2\r\n$4\r\nlist\r\n$1\r\na\r\n$2\r\nxy\r\n+PONG\r\n:3\r\n'
    assert read_bytes(client, len(expected)) == expected


def test_waiting_clients_can_be_unblocked_and_killed(guests: Guests) -> None:
    timed_out, failed, killed, other = guests(), guests(), guests(), guests()
    ids = [client('CLIENT', 'ID').text for client in (timed_out, failed, killed)]
    for client in (timed_out, failed, killed):
        client.send(encode_command('BLPOP', 'list', 0) + b'PING\r\n')
    wait_for_blocked(other, 3)
    assert other('CLIENT', 'UNBLOCK', ids[0]).text == b'1'
    assert other('CLIENT', 'UNBLOCK', ids[1], 'ERROR').text == b'1'
    assert other('CLIENT', 'KILL', 'ID', ids[2]).text == b'1'
    assert read_bytes(timed_out, 12) == b'*-1\r\n+PONG\r\n'
    assert failed.read().text == b'UNBLOCKED client unblocked via CLIENT UNBLOCK'
    assert failed.read().text == b'PONG'
    assert read_to_end(killed) == b''
    assert other('RPUSH', 'list', 'x').text == b'1'


def test_many_waits_leave_no_memory_behind(server: SelredisServer, guests: Guests) -> None:
    clients = [guests() for _ in range(50)]

    def wait_often() -> None:
        for client in clients:
            client.send(encode_command('BLPOP', 'none', '0.001') * 100)
        for client in clients:
            assert read_bytes(client, 500) == b'*-1\r\n' * 100

    wait_often()
    before = resident_bytes(server)
    wait_often()
    assert resident_bytes(server) - before < 2 * MB


# Transactions


def test_a_watched_key_that_another_changes_undoes_the_transaction(guests: Guests) -> None:
    client, other = guests(), guests()
    client('WATCH', 'key')
    other('SET', 'key', 'x')
    client.send(b'MULTI\r\nSET key y\r\nEXEC\r\nMULTI\r\nGET key\r\nINCR n\r\nEXEC\r\n')
    expected = b'+OK\r\n+QUEUED\r\n*-1\r\n+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n$1\r\nx\r\n:1\r\n'
    assert read_bytes(client, len(expected)) == expected


def test_who_vanishes_in_a_transaction_changes_nothing(guests: Guests) -> None:
    client, other = guests(), guests()
    client.send(b'WATCH key\r\nMULTI\r\nSET key y\r\n')
    assert read_bytes(client, 19) == b'+OK\r\n+OK\r\n+QUEUED\r\n'
    reset(client)
    wait_until(lambda: info(other, 'connected_clients') == 2)
    assert other('GET', 'key').value is None


# Slow readers


def test_a_subscriber_past_the_hard_limit_is_cut_off_and_the_others_miss_nothing(
    server: SelredisServer, guests: Guests
) -> None:
    publisher, listening = guests(), subscribers(guests, 4)
    slow = guests.adopt(slow_client(server.address))
    slow('SUBSCRIBE', 'news')
    publisher('CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 8mb 0 0')
    cut_off = info(publisher, 'client_output_buffer_limit_disconnections')
    data = b'x' * 65_000
    published = 0
    while publisher('PUBLISH', 'news', data).text == b'5':
        published += 1
        for client, protocol in listening:
            expected = message(b'news', data, protocol)
            assert read_bytes(client, len(expected)) == expected
    # What the two systems between them take does not count.
    assert 8 * MB < published * len(data) < 20 * MB
    assert info(publisher, 'client_output_buffer_limit_disconnections') == cut_off + 1
    assert len(read_to_end(slow)) < published * len(message(b'news', data))
    publisher('CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 32mb 8mb 60')
    assert 'overcoming of output buffer limits' in server.wait_for_log('overcoming')


def test_a_subscriber_past_the_soft_limit_for_too_long_is_cut_off(server: SelredisServer, guests: Guests) -> None:
    publisher, ((fast, protocol),) = guests(), subscribers(guests, 1)
    slow = guests.adopt(slow_client(server.address))
    slow('SUBSCRIBE', 'news')
    publisher('CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 0 1mb 1')
    data = b'x' * 100_000
    while int(field(publisher, 'omem', slow)) < MB:
        assert publisher('PUBLISH', 'news', data).text == b'2'
        before = time.monotonic()
        expected = message(b'news', data, protocol)
        assert read_bytes(fast, len(expected)) == expected
    wait_until(lambda: not is_there(publisher, slow))
    assert 0.9 < time.monotonic() - before < WAIT_MOST
    publisher('CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 32mb 8mb 60')
    assert publisher('PUBLISH', 'news', '').text == b'1'
    assert read_to_end(slow)


def memory(server: SelredisServer, name: str) -> int:
    """Bytes of the process as the system counts them; 0 where it does not."""
    path = Path(f'/proc/{server.pid}/status')
    found = re.search(rf'^{name}:\s+(\d+) kB$', path.read_text(), re.MULTILINE) if path.exists() else None
    return int(found[1]) * 1024 if found else 0


def resident_bytes(server: SelredisServer) -> int:
    return memory(server, 'VmRSS')


LATE_REPLIES = 400  # of 1 MB


def test_who_reads_late_loses_nothing_and_costs_bounded_memory(start: Start) -> None:
    server = start()
    with WireClient(server.address) as slow, WireClient(server.address) as other:
        value = os.urandom(1000) * 1000
        slow('SET', 'key', value)
        before = memory(server, 'VmHWM')
        slow.send((encode_command('GET', 'key') + encode_command('INCR', 'count')) * LATE_REPLIES)
        wait_until(lambda: int(field(other, 'omem', slow)) > 64 * MB)
        slow.send(b'INCR count\r\n' * 20_000)  # what cannot run for now
        assert int(field(other, 'omem', slow)) < 70 * MB
        assert int(other('GET', 'count').text) < 100
        for number in range(1, LATE_REPLIES + 1):
            expected = bulk(value) + b':%d\r\n' % number
            assert read_bytes(slow, len(expected)) == expected
        expected = b''.join(b':%d\r\n' % (LATE_REPLIES + number) for number in range(1, 20_001))
        assert read_bytes(slow, len(expected)) == expected
        # Not all replies: what waits, 64 MB, up to four times while asyncio's buffer moves.
        assert memory(server, 'VmHWM') - before < 300 * MB
        wait_until(lambda: field(other, 'omem', slow) == b'0')


@PARTINGS
def test_who_vanishes_with_much_unread_and_unsaid_leaves_nothing(
    server: SelredisServer, guests: Guests, leave: Callable[[WireClient], None]
) -> None:
    slow, other = guests.adopt(slow_client(server.address)), guests()
    slow('SET', 'key', 'x' * 1_000_000)
    slow.send(encode_command('GET', 'key') * 100 + b'INCR count\r\n' * 20_000)
    wait_until(lambda: int(field(other, 'omem', slow)) > 64 * MB)
    leave(slow)
    wait_until(lambda: info(other, 'connected_clients') == 2)
    assert other('EXISTS', 'count').text == b'0'


def test_who_is_killed_with_much_unread_and_unsaid_leaves_nothing(server: SelredisServer, guests: Guests) -> None:
    slow, other = guests.adopt(slow_client(server.address)), guests()
    number = slow('CLIENT', 'ID').text
    slow('SET', 'key', 'x' * 1_000_000)
    slow.send(encode_command('GET', 'key') * 100 + b'INCR count\r\n' * 20_000)
    wait_until(lambda: int(field(other, 'omem', slow)) > 64 * MB)
    assert other('CLIENT', 'KILL', 'ID', number).text == b'1'
    wait_until(lambda: info(other, 'connected_clients') == 2)
    wait_until(lambda: open_descriptors(server) <= guests.descriptors + 1)


# End of file


def end_input(client: WireClient, last: bytes = b'') -> None:
    """Send what is left to say, and end of file."""
    client.socket.sendall(last)
    client.socket.shutdown(socket.SHUT_WR)


def test_pipelined_commands_before_end_of_file_all_run(guests: Guests) -> None:
    client, other = guests(), guests()
    sent = encode_command('INCR', 'count') * 200_000
    expected = b''.join(b':%d\r\n' % number for number in range(1, 200_001))
    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(end_input, client, sent)
        assert read_to_end(client) == expected
        sending.result()
    assert other('GET', 'count').text == b'200000'


def test_inline_commands_before_end_of_file_all_run(guests: Guests) -> None:
    client, other = guests(), guests()
    client.send(b'INCR count\r\n' * 20_000)
    end_input(client)
    assert read_to_end(client).endswith(b':19999\r\n:20000\r\n')
    assert other('GET', 'count').text == b'20000'


def test_end_of_file_abandons_a_blocked_command_and_runs_those_after_it(guests: Guests) -> None:
    client, other = guests(), guests()
    client.send(b'BLPOP list 0\r\nINCR count\r\nBLPOP list 0\r\nINCR count\r\n')
    wait_for_blocked(other, 1)
    end_input(client)
    assert read_to_end(client) == b':1\r\n:2\r\n'
    assert other('RPUSH', 'list', 'x').text == b'1'


def test_end_of_file_does_not_drop_commands_that_a_pause_holds_back(guests: Guests) -> None:
    client, other = guests(), guests()
    other('CLIENT', 'PAUSE', 60_000, 'WRITE')
    client.send(b'INCR count\r\nINCR count\r\n')
    end_input(client)
    wait_for_blocked(other, 1)
    other('CLIENT', 'UNPAUSE')
    assert read_to_end(client) == b':1\r\n:2\r\n'


@pytest.mark.parametrize(
    ('said', 'heard'),
    [
        (b'SUBSCRIBE news\r\n', b'*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n'),
        (b'MONITOR\r\n', b'+OK\r\n'),
        (b'MULTI\r\nINCR count\r\n', b'+OK\r\n+QUEUED\r\n'),
        (b'INCR other\r\n*2\r\n$4\r\nINCR\r\n$5\r\ncou', b':1\r\n'),
        (b'CLIENT REPLY OFF\r\nINCR other\r\n', b''),
        (b'', b''),
    ],
    ids=['subscriber', 'monitor', 'transaction', 'half', 'silent', 'nothing'],
)
def test_a_client_is_closed_at_end_of_file_when_its_input_has_run(guests: Guests, said: bytes, heard: bytes) -> None:
    client, other = guests(), guests()
    client.send(said)
    end_input(client)
    assert read_to_end(client) == heard
    assert other('EXISTS', 'count').text == b'0'


def test_a_slow_reader_gets_all_replies_after_end_of_file(server: SelredisServer, guests: Guests) -> None:
    slow, other = guests.adopt(slow_client(server.address)), guests()
    value = b'x' * 1_000_000
    slow('SET', 'key', value)
    slow.send(encode_command('GET', 'key') * 100 + encode_command('INCR', 'count'))
    end_input(slow)
    wait_until(lambda: int(field(other, 'omem', slow)) > 64 * MB)
    assert other('EXISTS', 'count').text == b'0'
    expected = bulk(value) * 100 + b':1\r\n'
    assert read_bytes(slow, len(expected)) == expected
    assert read_to_end(slow) == b''


def unread_after_end_of_file(server: SelredisServer, guests: Guests, other: WireClient) -> WireClient:
    slow = guests.adopt(slow_client(server.address))
    slow('SET', 'key', 'x' * 1_000_000)
    slow.send(encode_command('GET', 'key') * 20)
    wait_until(lambda: int(field(other, 'omem', slow)) > 8 * MB)
    end_input(slow)
    return slow


def test_end_of_file_with_replies_unread_costs_no_cpu_time(server: SelredisServer, guests: Guests) -> None:
    other = guests()
    slow = unread_after_end_of_file(server, guests, other)
    wait_until(lambda: field(other, 'events', slow) in (b'', b'w'))
    turns = info(other, 'eventloop_cycles')
    for _ in range(20):
        other('PING')
    assert info(other, 'eventloop_cycles') - turns < 200


def test_a_client_after_end_of_file_can_be_killed(server: SelredisServer, guests: Guests) -> None:
    other = guests()
    slow = unread_after_end_of_file(server, guests, other)
    number = field(other, 'id', slow)
    assert other('CLIENT', 'KILL', 'ID', number).text == b'1'
    wait_until(lambda: info(other, 'connected_clients') == 2)
    wait_until(lambda: open_descriptors(server) <= guests.descriptors + 1)


def test_a_reset_after_end_of_file_ends_a_client_with_replies_unread(server: SelredisServer, guests: Guests) -> None:
    other = guests()
    slow = unread_after_end_of_file(server, guests, other)
    reset(slow)
    wait_until(lambda: info(other, 'connected_clients') == 2)


def test_timeout_ends_a_client_that_does_not_read_after_end_of_file(start: Start, stack: ExitStack) -> None:
    server = start('--timeout', '1')
    other, slow = (stack.enter_context(client) for client in (WireClient(server.address), slow_client(server.address)))
    slow('SET', 'key', 'x' * 1_000_000)
    slow.send(encode_command('GET', 'key') * 20)
    end_input(slow)
    wait_until(lambda: info(other, 'connected_clients') == 1)


def test_clients_after_end_of_file_count_towards_maxclients(server: SelredisServer, guests: Guests) -> None:
    other = guests()
    slow = unread_after_end_of_file(server, guests, other)
    other('CONFIG', 'SET', 'maxclients', 2)
    assert read_to_end(guests.adopt(WireClient(server.address))) == b'-ERR max number of clients reached\r\n'
    reset(slow)
    wait_until(lambda: info(other, 'connected_clients') == 2)
    other('CONFIG', 'SET', 'maxclients', 10_000)


def test_client_list_tells_what_a_client_does(server: SelredisServer, guests: Guests) -> None:
    other, waiting = guests(), guests()
    slow = guests.adopt(slow_client(server.address))
    waiting.send_command('BLPOP', 'list', 0)
    wait_for_blocked(other, 1)
    assert field(other, 'flags', waiting) == b'b'
    assert field(other, 'cmd', waiting) == b'blpop'
    slow('SET', 'key', 'x' * 100_000)
    slow.send(encode_command('GET', 'key') * 100)
    wait_until(lambda: int(field(other, 'omem', slow)) > 1_000_000)
    assert field(other, 'events', slow) == b'rw'
    assert int(field(other, 'tot-mem', slow)) > 1_000_000
    read_bytes(slow, 100 * len(bulk(b'x' * 100_000)))
    wait_until(lambda: field(other, 'omem', slow) == b'0')
    assert field(other, 'events', slow) == b'r'
    assert field(other, 'oll', slow) == b'0'
    assert int(field(other, 'fd', slow)) > 2
    assert field(other, 'laddr', slow) == b'%b:%d' % (server.host.encode(), server.port)


# Who may come in


def test_newcomer_past_maxclients_is_told_why(guests: Guests, server: SelredisServer) -> None:
    client = guests()
    client('CONFIG', 'SET', 'maxclients', 3)
    one = guests()
    for _ in range(3):
        assert read_to_end(guests.adopt(WireClient(server.address))) == b'-ERR max number of clients reached\r\n'
    one.close()
    wait_until(lambda: info(client, 'connected_clients') == 2)
    guests()
    client('CONFIG', 'SET', 'maxclients', 10_000)


def test_nothing_but_auth_without_the_password(guests: Guests, server: SelredisServer) -> None:
    client = guests()
    client('CONFIG', 'SET', 'requirepass', 'secret')
    stranger = guests.adopt(WireClient(server.address))
    stranger.send(encode_command('GET', 'key') + encode_command('AUTH', 'secret') + encode_command('MSET', *range(40)))
    assert [stranger.read().text for _ in range(3)] == [b'NOAUTH Authentication required.', b'OK', b'OK']
    stranger = guests.adopt(WireClient(server.address))
    stranger.send(b'*11\r\n')
    assert read_to_end(stranger) == b'-ERR Protocol error: unauthenticated multibulk length\r\n'
    client('CONFIG', 'SET', 'requirepass', '')


def test_silent_clients_are_sent_away(start: Start, stack: ExitStack) -> None:
    server = start('--timeout', '1')
    client, silent, subscriber, waiting = (stack.enter_context(WireClient(server.address)) for _ in range(4))
    silent('PING')
    subscriber('SUBSCRIBE', 'news')
    waiting.send_command('BLPOP', 'list', 0)
    wait_until(lambda: not is_there(client, silent))
    assert read_to_end(silent) == b''
    assert is_there(client, subscriber)
    assert is_there(client, waiting)


def test_who_is_still_at_the_door_disturbs_nobody(start: Start, stack: ExitStack) -> None:
    server = start()
    for said in ('CLIENT LIST', 'CLIENT KILL SKIPME yes'):
        sleeper, other = (stack.enter_context(WireClient(server.address)) for _ in range(2))
        other('PING')
        sleeper.send_command('DEBUG', 'SLEEP', '0.1')
        # Both are there in the same turn when the server awakes.
        newcomer = stack.enter_context(WireClient(server.address))
        newcomer.send(b'PING\r\n')
        other.send_command(*said.split())
        assert other.read().kind in '$:'
        newcomer.read_more(WAIT_MOST)
        assert newcomer.closed or newcomer.unread == b'+PONG\r\n'
        assert newcomer.closed or is_there(other, newcomer)


# Listeners


def test_a_unix_socket_is_there_while_the_server_is(start: Start, tmp_path: Path) -> None:
    path = str(tmp_path / 'redis.sock')
    server = start('--unixsocket', path, '--unixsocketperm', '700')
    assert os.stat(path).st_mode & 0o777 == 0o700
    with WireClient(path) as client:
        assert client('SET', 'key', 'x' * 1_000_000).text == b'OK'
        assert len(client('GET', 'key').text) == 1_000_000
        assert b' flags=U ' in client('CLIENT', 'INFO').text
        assert server.stop(signal.SIGTERM) == 0
        assert read_to_end(client) == b''
    assert not os.path.exists(path)


def test_the_port_can_be_changed(guests: Guests, server: SelredisServer, driver: Startable) -> None:
    client = guests()
    old = server.port
    with socket.create_server(('127.0.0.1', 0)) as taken:
        error = client('CONFIG', 'SET', 'port', taken.getsockname()[1]).text
        new = taken.getsockname()[1]
    assert b'Unable to listen on this port' in error
    guests(address=(server.host, old))
    assert client('CONFIG', 'SET', 'port', new).text == b'OK'
    guests(address=(server.host, new))
    with pytest.raises(ConnectionRefusedError):
        WireClient((server.host, old))
    assert client('CONFIG', 'SET', 'bind', '127.0.0.1 127.0.0.2').text == b'OK'
    guests(address=('127.0.0.2', new))
    assert client('CONFIG', 'SET', 'bind', '127.0.0.1').text == b'OK'
    assert client('CONFIG', 'SET', 'port', old).text == b'OK'
    guests()


def test_a_port_that_is_taken_ends_the_start(driver: Startable) -> None:
    with socket.create_server(('127.0.0.1', 0)) as taken:
        port = str(taken.getsockname()[1])
        argv = [word.format(port=port) for word in driver.argv]
        ended = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=WAIT_SECONDS, check=False)
    assert ended.returncode == 1
    assert f'Failed listening on port {port} (tcp), aborting.' in ended.stdout
    assert 'Traceback' not in ended.stdout + ended.stderr


# Come and gone


def come_and_go(server: SelredisServer, count: int) -> None:
    for number in range(count):
        client = WireClient(server.address)
        match number % 6:
            case 0:
                client('PING')
            case 1:
                client('SUBSCRIBE', 'news')
                reset(client)
            case 2:
                client.send_command('BLPOP', 'list', 0)
            case 3:
                client.send_command('BLPOP', 'list', 0)
                client.send(b'PING\r\n')
                reset(client)
            case 4:
                client('QUIT')
            case 5:
                reset(client)
        client.close()


def test_who_comes_and_goes_leaves_nothing(server: SelredisServer, guests: Guests) -> None:
    client = guests()
    before = 0
    for count in (500, 3000):
        before = resident_bytes(server)
        come_and_go(server, count)
        wait_until(lambda: info(client, 'connected_clients') == 2)
        assert info(client, 'blocked_clients') == 0
        wait_until(lambda: open_descriptors(server) <= guests.descriptors + 1)
    assert resident_bytes(server) - before < 2 * MB


# The end


def owed(server: SelredisServer, stack: ExitStack) -> tuple[WireClient, bytes]:
    """A client that has not read what it has asked for, and what that is."""
    client = stack.enter_context(WireClient(server.address))
    client('SET', 'large', 'x' * 1_000_000)
    client.send(encode_command('GET', 'large') * 24 + encode_command('INCR', 'done'))
    with WireClient(server.address) as other:
        wait_until(lambda: other('EXISTS', 'done').text == b'1')
        assert int(field(other, 'omem', client)) > MB
    return client, bulk(b'x' * 1_000_000) * 24 + b':1\r\n'


def end_by_command(server: SelredisServer) -> None:
    with WireClient(server.address) as client:
        client.send_command('SHUTDOWN', 'NOSAVE')
        assert read_to_end(client) == b''


def end_by_sigterm(server: SelredisServer) -> None:
    os.kill(server.pid, signal.SIGTERM)


def end_by_sigint(server: SelredisServer) -> None:
    os.kill(server.pid, signal.SIGINT)


@pytest.mark.parametrize('end', [end_by_command, end_by_sigterm, end_by_sigint])
def test_the_end_is_in_order(start: Start, end: Callable[[SelredisServer], None], stack: ExitStack) -> None:
    server = start()
    clients = [stack.enter_context(WireClient(server.address)) for _ in range(4)]
    idle, waiting, subscriber, half = clients
    idle('PING')
    waiting.send(encode_command('BLPOP', 'list', 0) + encode_command('SET', 'key', 'x'))
    subscriber('SUBSCRIBE', 'news')
    half.send(b'*2\r\n$3\r\nGET\r\n$100\r\nunfin')
    wait_for_blocked(idle, 1)
    debtor, expected = owed(server, stack)
    end(server)
    assert read_to_end(debtor) == expected
    for client in clients:
        assert read_to_end(client) == b''
    assert server.wait() == 0
    assert server.log[-1].endswith(LAST_LINE)
    with pytest.raises(ConnectionRefusedError):
        WireClient(server.address)


def test_who_does_not_read_cannot_keep_the_server(start: Start, stack: ExitStack) -> None:
    server = start()
    owed(server, stack)
    before = time.monotonic()
    os.kill(server.pid, signal.SIGTERM)
    assert server.wait() == 0
    assert time.monotonic() - before < WAIT_MOST
    assert server.log[-1].endswith(LAST_LINE)
