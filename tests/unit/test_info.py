"""INFO: every field is true."""

import random
import re

import pytest

from selredis.engine.client_info import memory_of
from selredis.engine.info import EXACT_DEADLINES, SECTIONS, human, info, mean_ttl_ms
from selredis.process import Memory


@pytest.fixture
def ask(client):
    """A function: the fields of INFO with these sections, by name."""

    def fields(*sections: str) -> dict[str, str]:
        text = client('INFO', *sections).decode()
        assert text.replace('\r\n', '').count('\n') == 0
        lines = [line for line in text.split('\r\n') if line and not line.startswith('#')]
        return dict(line.split(':', 1) for line in lines)

    return fields


def headings(text: bytes) -> list[str]:
    return [line[2:] for line in text.decode().split('\r\n') if line.startswith('# ')]


def test_sections(client):
    by_default = headings(client('INFO'))
    assert by_default == [
        *('Server', 'Clients', 'Memory', 'Persistence', 'Stats', 'Replication', 'CPU', 'Modules'),
        *('Errorstats', 'Cluster', 'Keyspace'),
    ]
    assert headings(client('INFO', 'DEFAULT')) == by_default
    everything = [*by_default[:-3], 'Commandstats', 'Errorstats', 'Latencystats', 'Cluster', 'Keyspace']
    for name in ('all', 'EVERYTHING'):
        assert headings(client('INFO', name)) == everything
    assert headings(client('INFO', 'keyspace', 'CPU', 'nope', 'cpu')) == ['CPU', 'Keyspace']
    assert headings(client('INFO', 'module_list')) == ['Modules']
    assert headings(client('INFO', 'commandstats', 'default')) == [*by_default[:-3], 'Commandstats', *by_default[-3:]]
    assert client('INFO', 'nope') == b''
    assert headings(client('INFO', 'debug')) == ['Debug']
    assert headings(client('INFO', 'everything', 'debug')) == [*everything, 'Debug']


def test_sections_are_parted_by_an_empty_line(engine):
    assert info(engine, ['cluster', 'keyspace']) == b'# Cluster\r\ncluster_enabled:0\r\n\r\n# Keyspace\r\n'


def test_server(ask, engine, clock):
    engine.deployment.tcp_port = 7000
    clock.advance(3 * 86_400_000 + 5_600)
    told = ask('server')
    assert (told['redis_version'], told['server_name'], told['redis_mode']) == ('7.2.4', 'selredis', 'standalone')
    assert (told['uptime_in_seconds'], told['uptime_in_days']) == (str(3 * 86_400 + 5), '3')
    assert told['server_time_usec'] == str(clock.now_us())
    assert told['tcp_port'] == '7000'
    assert told['listener0'] == 'name=tcp,bind=*,bind=-::*,port=7000'
    assert len(told['run_id']) == 40
    assert told['run_id'] == engine.run_id != engine.replication_id


def test_config_file_is_told_byte_for_byte(client, engine):
    engine.deployment.config_file = '/caf\udce9.conf'
    assert b'\r\nconfig_file:/caf\xe9.conf\r\n' in info(engine, ['server'])


def test_hz_is_the_present_one(client, ask):
    client('CONFIG', 'SET', 'hz', '50')
    assert (ask('server')['hz'], ask('server')['configured_hz']) == ('50', '50')


def test_clients(ask, clients):
    subscriber, watcher, waiting, patient = clients(4)
    subscriber('SUBSCRIBE', 'c')
    watcher('WATCH', 'a', 'b')
    waiting('BLPOP', 'x', 'y', '5')
    patient('BLPOP', 'y', '0')
    told = ask('clients')
    assert told['connected_clients'] == '5'
    assert told['blocked_clients'] == '2'
    assert told['clients_in_timeout_table'] == '1'
    assert told['total_blocking_keys'] == '2'
    assert told['pubsub_clients'] == '1'
    assert told['watching_clients'] == '1'
    assert told['total_watched_keys'] == '2'
    for gone in (subscriber, watcher, waiting, patient):
        gone.disconnect()
    told = ask('clients')
    assert told['connected_clients'] == '1'
    assert {told[name] for name in told if name not in ('connected_clients', 'maxclients')} == {'0'}


def test_memory(client, ask, engine, monkeypatch):
    engine.memory.startup = Memory(resident=2 << 20, private=1 << 20, peak=1 << 20)
    monkeypatch.setattr('selredis.process.memory', lambda: Memory(resident=6 << 20, private=5 << 20, peak=9 << 20))
    monkeypatch.setattr('selredis.process.total_memory', lambda: 8 << 30)
    client('SET', 'k', bytes(2 << 20))
    told = ask('memory')
    used = int(told['used_memory'])
    assert 2 << 20 < used < (2 << 20) + 20_000
    assert told['used_memory_human'] in ('2.00M', '2.01M')
    assert (told['used_memory_rss'], told['used_memory_rss_human']) == (str(6 << 20), '6.00M')
    assert told['used_memory_peak_human'] == '8.00M'  # what the process had more than at the start
    assert told['used_memory_peak_perc'] == f'{used / (8 << 20):.2%}'
    assert (told['used_memory_process'], told['used_memory_process_startup']) == (str(5 << 20), str(1 << 20))
    assert int(told['used_memory_dataset']) + int(told['used_memory_overhead']) == used
    assert told['allocator_frag_ratio'] == told['mem_fragmentation_ratio'] == '1.50'
    assert told['allocator_frag_bytes'] == told['mem_fragmentation_bytes']
    assert int(told['allocator_allocated']) == (2 << 20) + used
    assert told['allocator_active'] == told['allocator_resident'] == told['used_memory_rss']
    assert int(told['mem_fragmentation_bytes']) == (4 << 20) - used
    assert told['mem_clients_normal'] == str(memory_of(client.client))
    assert told['total_system_memory_human'] == '8.00G'


def test_changes_since_the_last_save_are_those_since_the_start(client, ask):
    client.pipeline('SET a 1', 'RPUSH l 1 2 3', 'GET a', 'DEL a nope')
    assert ask('persistence')['rdb_changes_since_last_save'] == '5'


def test_stats(client, ask, engine, clock):
    engine.stats.input_bytes = 12_345
    client.pipeline('SET a 1 PX 10', 'GET a', 'GET nope')
    clock.advance(20)
    engine.tick()
    engine.expire_some()
    client('NOPE')
    told = ask('stats')
    assert told['total_commands_processed'] == '3'
    assert told['total_net_input_bytes'] == '12345'
    assert (told['keyspace_hits'], told['keyspace_misses']) == ('1', '1')
    assert told['expired_keys'] == '1'
    assert told['total_error_replies'] == '1'
    assert ask('errorstats') == {'errorstat_ERR': 'count=1'}


def test_speed(client, ask, engine, clock):
    for _ in range(20):
        engine.tick()
        clock.advance(100)
        client.pipeline(*['PING'] * 10)
        engine.stats.input_bytes += 2048
    told = ask('stats')
    assert told['instantaneous_ops_per_sec'] == '100'
    assert told['instantaneous_input_kbps'] == '20.00'
    assert told['instantaneous_output_kbps'] == '0.00'


def test_subscriptions(client, ask):
    client('HELLO', '3')
    client('SUBSCRIBE', 'a', 'b')
    client('PSUBSCRIBE', 'c*')
    client('SSUBSCRIBE', 'd')
    told = ask('stats')
    assert (told['pubsub_channels'], told['pubsub_patterns'], told['pubsubshard_channels']) == ('2', '1', '1')


def test_replication_id_is_that_of_the_server(ask, engine, client):
    first = ask('replication')['master_replid']
    assert first == engine.replication_id
    client('DEBUG', 'CHANGE-REPL-ID')
    assert ask('replication')['master_replid'] != first


def test_error_codes_cannot_break_lines(engine):
    engine.stats.count_error(b'A:\r\n# \xff x')
    engine.stats.count_error(b'\xff:# x')
    assert info(engine, ['errorstats']) == (b'# Errorstats\r\nerrorstat_A____:count=1\r\nerrorstat_\\xff__:count=1\r\n')


def test_keyspace(client, ask):
    client.pipeline('SET a 1', 'SET b 1 PX 3000', 'SET c 1 PX 1000', 'SELECT 5', 'SET d 1')
    assert ask('keyspace') == {'db0': 'keys=3,expires=2,avg_ttl=2000', 'db5': 'keys=1,expires=0,avg_ttl=0'}


@pytest.mark.parametrize('share', [1, 10, 10_000])
def test_the_mean_of_many_deadlines_is_estimated(engine, share):
    db = engine.keyspace.databases[0]
    chance = random.Random(1)
    for number in range(EXACT_DEADLINES * 2):
        key = b'%d' % number
        db.put(key, b'')
        if number % share == 0:
            db.set_deadline(key, engine.now_ms + chance.randrange(100_000, 200_000))
    assert mean_ttl_ms(engine, db) == pytest.approx(150_000, rel=0.1)


def test_the_mean_is_found_where_hardly_any_key_has_a_deadline(engine, monkeypatch):
    monkeypatch.setattr('selredis.engine.info.EXACT_DEADLINES', 2)
    monkeypatch.setattr('selredis.engine.info.SAMPLED_KEYS', 1)
    db = engine.keyspace.databases[0]
    for number in range(20_000):
        db.put(b'%d' % number, b'')
    for number in range(3):
        db.set_deadline(b'%d' % number, engine.now_ms + 7000)
    assert mean_ttl_ms(engine, db) == 7000


def test_deadlines_that_are_past_are_no_negative_mean(engine):
    db = engine.keyspace.databases[0]
    db.put(b'a', b'')
    db.set_deadline(b'a', engine.now_ms - 1000)
    assert mean_ttl_ms(engine, db) == 0


@pytest.mark.parametrize(
    ('size', 'text'),
    [
        (0, '0B'),
        (1023, '1023B'),
        (1024, '1.00K'),
        (1536, '1.50K'),
        (1024**2 - 1, '1024.00K'),
        (1024**2, '1.00M'),
        (5 * 1024**3, '5.00G'),
        (1024**4, '1.00T'),
        (1024**5, '1.00P'),
        (1024**6, '1152921504606846976B'),
    ],
)
def test_human(size, text):
    assert human(size) == text


def test_sections_have_distinct_fields(engine):
    names = [name for section in SECTIONS.values() for name in section(engine)]
    assert len(names) == len(set(names))


def test_commands_that_are_refused_are_not_processed(client, ask):
    client.pipeline('PING', 'NOPE', 'GET', 'LPUSH a x', 'GET a', 'CLIENT nope')
    assert ask('stats')['total_commands_processed'] == '3'  # a wrong type is found out by running it


@pytest.mark.parametrize(
    ('command', 'pending'),
    [
        ('UNLINK small', 0),
        ('UNLINK large', 1),
        ('UNLINK large small text', 1),
        ('DEL large', 0),
        ('FLUSHDB ASYNC', 3),
        ('FLUSHALL ASYNC', 3),
        ('FLUSHALL SYNC', 0),
        ('FLUSHALL', 0),
    ],
)
def test_lazily_freed_objects_are_counted(client, ask, engine, command, pending):
    client('SADD', 'small', *range(64))
    client('SADD', 'large', *range(65))
    client('SET', 'text', 'x' * 1000)
    client(*command.split())
    assert int(ask('memory')['lazyfree_pending_objects']) == pending
    while engine.expire_some():
        pass
    told = ask('memory')
    assert (told['lazyfree_pending_objects'], told['lazyfreed_objects']) == ('0', str(pending))
    client('CONFIG', 'RESETSTAT')
    assert ask('memory')['lazyfreed_objects'] == '0'


def test_a_stream_with_groups_counts_as_one_lazily_freed_object(client, ask, engine):
    for number in range(100):
        client('XADD', 's', '*', 'f', number)
    client('XGROUP', 'CREATE', 's', 'g', '0')
    client('XREADGROUP', 'GROUP', 'g', 'c', 'STREAMS', 's', '>')
    client('UNLINK', 's')
    while engine.expire_some():
        pass
    assert ask('memory')['lazyfreed_objects'] == '1'


def test_an_idle_server_is_not_fragmented(ask):
    told = ask('memory')
    for name in ('allocator_frag_ratio', 'allocator_rss_ratio', 'rss_overhead_ratio', 'mem_fragmentation_ratio'):
        assert 0.5 < float(told[name]) < 2


def test_what_the_program_was_built_with(ask):
    told = ask('server')
    assert told['atomicvar_api'] == 'none'
    assert re.fullmatch(r'\d+\.\d+\.\d+', told['gcc_version'])


def test_there_are_no_reply_buffers_to_resize(client, ask):
    client('SET', 'k', 'x' * 100_000)
    client('GET', 'k')
    told = ask('stats')
    assert (told['reply_buffer_shrinks'], told['reply_buffer_expands']) == ('0', '0')


def test_good_replicas_are_counted_where_writes_need_some(client, ask):
    assert 'min_slaves_good_slaves' not in ask('replication')
    client('CONFIG', 'SET', 'min-replicas-to-write', '1')
    assert ask('replication')['min_slaves_good_slaves'] == '0'


def test_debug(client, ask, engine):
    stats = engine.stats
    stats.cron_ns, stats.longest_turn_ns, stats.most_commands_a_turn = 7_000, 9_999, 3
    expected = {
        'eventloop_duration_aof_sum': '0',
        'eventloop_duration_cron_sum': '7',
        'eventloop_duration_max': '9',
        'eventloop_cmd_per_cycle_max': '3',
    }
    assert ask('debug') == expected
    client('CONFIG', 'RESETSTAT')
    assert ask('debug') == dict.fromkeys(expected, '0')
