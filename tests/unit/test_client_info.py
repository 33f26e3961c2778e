"""The line that CLIENT LIST and the log show of a client."""

import pytest

from selredis.engine.client_info import CLIENT_BYTES, WATCHED_BYTES, describe, memory_of, request_bytes
from selredis.pubsub import matcher_bytes
from selredis.values.size import KEPT_NAME_BYTES, NAME_TABLE_BYTES

NAMES = (
    'id addr laddr fd name age idle flags db sub psub ssub multi watch qbuf qbuf-free argv-mem multi-mem rbs rbp'
    ' obl oll omem tot-mem events cmd user redir resp lib-name lib-ver'
).split()


def fields(client) -> dict[str, str]:
    return dict(field.split('=', 1) for field in describe(client.client).decode().split(' '))


def test_the_fields_of_redis_in_their_order(client):
    assert list(fields(client)) == NAMES


def test_a_client_at_rest(client):
    assert fields(client) == {
        'id': str(client.client.id),
        'addr': '',
        'laddr': '',
        'fd': '-1',
        'name': '',
        'age': '0',
        'idle': '0',
        'flags': 'N',
        'db': '0',
        'sub': '0',
        'psub': '0',
        'ssub': '0',
        'multi': '-1',
        'watch': '0',
        'qbuf': '0',
        'qbuf-free': '0',
        'argv-mem': '0',
        'multi-mem': '0',
        'rbs': '0',
        'rbp': '0',
        'obl': '0',
        'oll': '0',
        'omem': '0',
        'tot-mem': str(CLIENT_BYTES),
        'events': '',
        'cmd': 'NULL',
        'user': 'default',
        'redir': '-1',
        'resp': '2',
        'lib-name': '',
        'lib-ver': '',
    }


@pytest.mark.parametrize('ms_to_next_second', [1, 500, 1000])
def test_a_client_is_not_idle_for_longer_than_it_has_been_connected(engine, clock, clients, ms_to_next_second):
    clock.advance(-clock.now_ms() % 1000 + 1000 - ms_to_next_second)
    engine.tick()
    (client,) = clients(1)
    clock.advance(ms_to_next_second)
    engine.tick()
    shown = fields(client)
    assert int(shown['idle']) <= int(shown['age'])


def test_age_and_idle_time_are_in_seconds(client, engine, clock):
    clock.advance(5_000)
    client('PING')
    clock.advance(3_000)
    engine.tell_time()
    shown = fields(client)
    assert (shown['age'], shown['idle']) == ('8', '3')


def test_what_the_client_is_told_of_itself(client):
    client('SELECT', '3')
    client('CLIENT', 'SETNAME', 'me')
    client('CLIENT', 'SETINFO', 'LIB-NAME', 'redis-py')
    client('CLIENT', 'SETINFO', 'LIB-VER', '8.0')
    client('HELLO', '3')
    shown = fields(client)
    assert shown['db'] == '3'
    assert shown['name'] == 'me'
    assert shown['resp'] == '3'
    assert (shown['lib-name'], shown['lib-ver']) == ('redis-py', '8.0')
    assert shown['cmd'] == 'hello'


def test_what_it_is_in_the_middle_of_counts(client):
    shown = client('CLIENT', 'INFO').decode()
    assert ' qbuf=26 ' in shown
    assert ' argv-mem=10 ' in shown
    assert ' cmd=client|info ' in shown
    assert shown.endswith('\n')


def test_request_bytes_is_the_size_on_the_wire():
    assert request_bytes([b'CLIENT', b'INFO']) == len(b'*2\r\n$6\r\nCLIENT\r\n$4\r\nINFO\r\n')


def test_a_transaction(clients):
    client, other = clients(2)
    client('WATCH', 'k')
    client('MULTI')
    client('GET', 'k')
    other('SET', 'k', 'v')
    shown = fields(client)
    assert shown['flags'] == 'xd'
    assert shown['multi'] == '1'
    assert int(shown['multi-mem']) > 0
    in_key = KEPT_NAME_BYTES + WATCHED_BYTES + NAME_TABLE_BYTES + len('k')
    assert int(shown['tot-mem']) == CLIENT_BYTES + in_key + int(shown['multi-mem'])


def test_subscriptions(client):
    client('SUBSCRIBE', 'a', 'b')
    client('PSUBSCRIBE', 'c')
    client('SSUBSCRIBE', 'd', 'e', 'f')
    shown = fields(client)
    assert (shown['flags'], shown['sub'], shown['psub'], shown['ssub']) == ('P', '2', '1', '3')
    client.take()
    assert memory_of(client.client) == CLIENT_BYTES + 6 * (KEPT_NAME_BYTES + NAME_TABLE_BYTES + 1) + matcher_bytes(1)


KEEPING = {
    'SUBSCRIBE {name}': 'UNSUBSCRIBE {name}',
    'PSUBSCRIBE {name}*': 'PUNSUBSCRIBE',
    'SSUBSCRIBE {name}': 'SUNSUBSCRIBE',
    'WATCH {name}': 'UNWATCH',
    'CLIENT SETNAME {name}': 'RESET',
    'CLIENT SETINFO LIB-NAME {name}': 'CLIENT SETINFO LIB-NAME x',
    'CLIENT TRACKING ON BCAST PREFIX {name}': 'CLIENT TRACKING OFF',
}


@pytest.mark.parametrize('command', KEEPING)
def test_the_length_of_a_name_that_is_kept_for_a_client_counts(client, command):
    client('HELLO', '3')
    before = int(fields(client)['tot-mem'])
    name = 'x' * 100_000
    client(*command.format(name=name).split())
    client.take()
    assert int(fields(client)['tot-mem']) - before >= 100_000
    client(*command.format(name=name).split())  # twice is no more
    client.take()
    assert int(fields(client)['tot-mem']) - before < 1_000_000
    client('CLIENT', 'SETNAME', '')
    client(*KEEPING[command].format(name=name).split())
    client.take()
    assert int(fields(client)['tot-mem']) - before <= 1


def test_keys_that_a_blocked_client_waits_for_count(client, engine):
    before = int(fields(client)['tot-mem'])
    client('BLPOP', *(f'key:{number}' for number in range(1000)), '0')
    assert int(fields(client)['tot-mem']) - before > 500_000
    engine.blocked.unblock(client.client)
    assert int(fields(client)['tot-mem']) == before


class Unwalked(dict):
    """A table that nobody may walk."""

    def __iter__(self):
        raise AssertionError('walked')

    keys = values = items = __iter__


def test_the_line_is_as_quick_however_many_names_are_kept(client):
    client('SUBSCRIBE', 'a', 'b')
    client('PSUBSCRIBE', 'c')
    client('WATCH', 'd')
    for name in ('channels', 'patterns', 'shard_channels', 'watched'):
        setattr(client.client, name, Unwalked(getattr(client.client, name)))
    assert fields(client)['sub'] == '2'
    assert memory_of(client.client) > CLIENT_BYTES


def test_what_is_queued_for_it(clients):
    listening, publisher = clients(2)
    listening('SUBSCRIBE', 'a')
    listening.take()
    publisher('PUBLISH', 'a', 'x' * 100)
    assert int(fields(listening)['obl']) == sum(map(len, listening.client.out))


def test_states_are_letters_in_the_order_of_redis(client, engine):
    client.pipeline('CLIENT NO-EVICT on', 'CLIENT NO-TOUCH on', 'BLPOP q 0')
    assert fields(client)['flags'] == 'beT'
    engine.blocked.unblock(client.client)
    engine.run(client.client, [[b'QUIT']])
    assert fields(client)['flags'] == 'ceT'


def test_who_has_just_waited(clients):
    waiting, other = clients(2)
    waiting('BLPOP', 'q', '0')
    other.engine.run(other.client, [[b'RPUSH', b'q', b'a']])
    assert fields(waiting)['flags'] == 'u'
    waiting.client.resume()
    assert fields(waiting)['flags'] == 'N'


def test_the_log_shows_it_as_text(client):
    assert client.client.describe() == describe(client.client).decode()


def test_a_name_ends_at_its_first_nul_as_in_redis(client):
    client('CLIENT', 'SETNAME', b'me\0 flags=A')
    assert ' name=me age=' in client.client.describe()


def test_watched_keys_are_counted(client):
    client('WATCH', 'a', 'b', 'a')
    assert fields(client)['watch'] == '2'
    client('UNWATCH')
    assert fields(client)['watch'] == '0'
