"""DEBUG: what its replies do not show; who may use it."""

import pytest

from selredis.commands.debug import SUBCOMMANDS, c_number


def test_sleep_lets_time_pass(client, clock):
    start_ms = clock.now_ms()
    assert client('DEBUG', 'SLEEP', '0.25') == 'OK'
    assert clock.now_ms() == start_ms + 250


def test_keys_expire_while_the_server_sleeps(client):
    client.pipeline('SET a 1 PX 100', 'DEBUG SLEEP 0.2', 'GET a')
    assert client.take() == ['OK', 'OK', None]


def test_a_transaction_happens_at_one_time(client):
    client.pipeline('MULTI', 'SET a 1 PX 100', 'DEBUG SLEEP 0.2', 'GET a', 'EXEC')
    assert client.take()[-1] == ['OK', 'OK', b'1']
    assert client('GET', 'a') is None


def test_active_expiry_can_be_stopped(client, engine, clock):
    client('DEBUG', 'SET-ACTIVE-EXPIRE', '0')
    client('SET', 'a', '1', 'PX', '1')
    clock.advance(10)
    engine.tick()
    engine.expire_some()
    assert client('DBSIZE') == 1
    client('DEBUG', 'SET-ACTIVE-EXPIRE', '1')
    engine.expire_some()
    assert client('DBSIZE') == 0


def test_pause_cron(client, engine):
    client('DEBUG', 'PAUSE-CRON', '1')
    assert engine.cron_paused
    client('DEBUG', 'PAUSE-CRON', '0')
    assert not engine.cron_paused


def test_log(client, engine):
    client('DEBUG', 'LOG', b'a \xff line')
    assert engine.log.lines == ['DEBUG LOG: a \\xff line']


def test_populate_breaks_watches_and_counts_for_no_change(clients, engine):
    watcher, other = clients(2)
    watcher('WATCH', 'key:1')
    dirty = engine.keyspace.dirty
    other('DEBUG', 'POPULATE', '2')
    watcher('MULTI')
    assert watcher('EXEC') is None
    assert engine.keyspace.dirty == dirty


def test_populate_cuts_long_names(client, engine):
    client('DEBUG', 'POPULATE', '12', 'x' * 125)
    assert sorted(engine.keyspace.databases[0].values) == [b'x' * 125 + b':0', b'x' * 125 + b':1'] + [
        b'x' * 125 + b':%d' % number for number in range(2, 10)
    ]


def test_object_counts_no_hit_and_no_miss(client, engine):
    client('SET', 'a', 'text')
    client('DEBUG', 'OBJECT', 'a')
    client('DEBUG', 'OBJECT', 'b')
    assert (engine.keyspace.hits, engine.keyspace.misses) == (0, 0)


def test_digest_tells_databases_and_deadlines_apart(client):
    def digest():
        return client('DEBUG', 'DIGEST')

    empty = digest()
    client('SET', 'a', '1')
    in_0 = digest()
    client('EXPIRE', 'a', '100')
    with_deadline = digest()
    client('EXPIRE', 'a', '200')
    assert digest() == with_deadline
    client('PERSIST', 'a')
    client('MOVE', 'a', '1')
    in_1 = digest()
    assert len({empty, in_0, with_deadline, in_1}) == 4
    assert empty == '0' * 40


def test_stringmatch_test(client):
    assert client('DEBUG', 'STRINGMATCH-TEST') == 'Apparently Redis did not crash: test passed'


def test_clients_by_size(clients, config):
    client, other = clients(2)
    assert client('DEBUG', 'CLIENT-EVICTION') == 'ERR maxmemory-clients is disabled.'
    other('MULTI')
    other('SET', 'k', 'v' * 70_000)
    config.set_pairs([(b'maxmemory-clients', b'1mb')])
    lines = client('DEBUG', 'CLIENT-EVICTION').decode().splitlines()
    assert len(lines) == 19
    assert lines[0].startswith('bucket          0 -      32767: tot-mem:       1')
    assert lines[0].endswith(', clients: 1')
    assert lines[2].startswith('bucket      65536 -     131071: tot-mem:      7')
    assert lines[2].endswith(', clients: 1')
    assert lines[18] == 'bucket 4294967296+            : tot-mem:          0, clients: 0'


@pytest.mark.parametrize(
    'words', ['PEAK-RESET-TIME 100', 'peak-reset-time never', 'PEAK-RESET-TIME RESET', 'RESIZING 0']
)
def test_buffers_for_replies_are_taken_note_of(client, words):
    assert client('DEBUG', 'REPLYBUFFER', *words.split()) == 'OK'


def test_buffers_for_replies_errors(client):
    assert client('DEBUG', 'REPLYBUFFER', 'PEAK-RESET-TIME', 'x') == 'ERR value is not an integer or out of range'
    assert client('DEBUG', 'REPLYBUFFER', 'x', '1').startswith('ERR unknown subcommand or wrong number of arguments')


def test_a_push_follows_the_reply_to_its_command(client):
    client('HELLO', '3')
    reply, push = client('DEBUG', 'PROTOCOL', 'push')
    assert (push, reply) == ([b'server-cpu-usage', 42], b'Some real reply following the push reply')


def test_help_tells_of_every_subcommand(client):
    lines = client('DEBUG', 'HELP')
    assert lines[0] == 'DEBUG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:'
    shown = {line.split()[0] for line in lines[1:] if not line.startswith(' ')}
    assert shown == {name.decode() for name in SUBCOMMANDS}


@pytest.mark.parametrize(
    ('allowed', 'local', 'may'),
    [('no', True, False), ('local', True, True), ('local', False, False), ('yes', False, True)],
)
def test_who_may(client, config, allowed, local, may):
    config.read_directive([b'enable-debug-command', allowed.encode()])
    client.client.local = local
    reply = client('DEBUG', 'SLEEP', '0')
    assert (reply == 'OK') is may
    assert may or reply.startswith(
        'ERR DEBUG command not allowed. If the enable-debug-command option is set to "local"'
    )


@pytest.mark.parametrize(
    ('text', 'number'),
    [(b'', 0), (b'x', 0), (b'1', 1), (b' 2x', 2), (b'-1', -1), (b'.5', 0.5), (b'5.', 5), (b'1e1', 10), (b'1e', 1)],
)
def test_numbers_are_read_as_far_as_they_go(text, number):
    assert c_number(text) == number
