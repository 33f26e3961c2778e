"""What a Prometheus exporter reads is there: the names that oliver006/redis_exporter 1.6x looks for in a Redis 7.

Left out are those of other servers (KeyDB, Tile38, hosted ones), of replicas, of sentinels, of a cluster, of Redis
before 7, and those that Redis itself shows only while it saves or with `appendonly yes`.
"""

import pytest

FIELDS = """
    uptime_in_seconds process_id configured_hz hz redis_version redis_build_id redis_mode os tcp_port run_id
    connected_clients blocked_clients maxclients tracking_clients clients_in_timeout_table pubsub_clients
    watching_clients total_watched_keys total_blocking_keys total_blocking_keys_on_nokey cluster_connections
    client_recent_max_output_buffer client_recent_max_input_buffer
    allocator_active allocator_allocated allocator_resident allocator_frag_ratio allocator_frag_bytes
    allocator_rss_ratio allocator_rss_bytes rss_overhead_ratio rss_overhead_bytes
    used_memory used_memory_rss used_memory_peak used_memory_lua used_memory_vm_eval used_memory_scripts_eval
    used_memory_overhead used_memory_startup used_memory_dataset number_of_cached_scripts number_of_functions
    number_of_libraries used_memory_vm_functions used_memory_scripts used_memory_functions used_memory_vm_total
    maxmemory maxmemory_policy mem_fragmentation_ratio mem_fragmentation_bytes mem_clients_slaves mem_clients_normal
    mem_cluster_links mem_aof_buffer mem_replication_backlog mem_total_replication_buffers mem_not_counted_for_evict
    total_system_memory lazyfree_pending_objects lazyfreed_objects active_defrag_running
    expired_stale_perc expired_time_cap_reached_count expire_cycle_cpu_milliseconds migrate_cached_sockets
    active_defrag_hits active_defrag_misses active_defrag_key_hits active_defrag_key_misses
    loading async_loading rdb_changes_since_last_save rdb_bgsave_in_progress rdb_last_save_time rdb_last_bgsave_status
    rdb_last_bgsave_time_sec rdb_current_bgsave_time_sec rdb_saves rdb_last_cow_size rdb_last_load_keys_expired
    rdb_last_load_keys_loaded aof_enabled aof_rewrite_in_progress aof_rewrite_scheduled aof_last_rewrite_time_sec
    aof_current_rewrite_time_sec aof_last_cow_size aof_last_bgrewrite_status aof_last_write_status
    module_fork_in_progress module_fork_last_cow_size
    pubsub_channels pubsub_patterns pubsubshard_channels latest_fork_usec total_forks
    role connected_slaves repl_backlog_size repl_backlog_active repl_backlog_first_byte_offset repl_backlog_histlen
    master_repl_offset second_repl_offset master_replid slave_expires_tracked_keys sync_full sync_partial_ok
    sync_partial_err
    total_connections_received total_commands_processed rejected_connections total_net_input_bytes
    total_net_output_bytes total_net_repl_input_bytes total_net_repl_output_bytes
    instantaneous_ops_per_sec instantaneous_input_kbps instantaneous_output_kbps
    expired_keys evicted_keys evicted_clients total_eviction_exceeded_time current_eviction_exceeded_time
    keyspace_hits keyspace_misses tracking_total_keys tracking_total_items tracking_total_prefixes
    unexpected_error_replies total_error_replies total_reads_processed total_writes_processed
    io_threaded_reads_processed io_threaded_writes_processed io_threads_active dump_payload_sanitizations
    acl_access_denied_auth acl_access_denied_cmd acl_access_denied_key acl_access_denied_channel
    eventloop_cycles eventloop_duration_sum eventloop_duration_cmd_sum instantaneous_eventloop_cycles_per_sec
    instantaneous_eventloop_duration_usec
    used_cpu_sys used_cpu_user used_cpu_sys_children used_cpu_user_children
    cluster_enabled
""".split()

WORDS = frozenset(
    'redis_version redis_build_id redis_mode os run_id maxmemory_policy role master_replid rdb_last_bgsave_status'
    ' aof_last_bgrewrite_status aof_last_write_status'.split()
)


@pytest.fixture
def info(client) -> dict[str, str]:
    client('SET', 'a', 'b', 'EX', '100')
    client('NOPE')
    lines = client('INFO', 'ALL').decode().split('\r\n')
    return dict(line.split(':', 1) for line in lines if ':' in line)


@pytest.mark.parametrize('field', FIELDS)
def test_info_field(info, field):
    assert info[field]
    if field not in WORDS:
        float(info[field].removesuffix('%'))


def test_info_of_commands_errors_and_databases(info):
    assert dict(pair.split('=') for pair in info['cmdstat_set'].split(',')).keys() == {
        *('calls', 'usec', 'usec_per_call', 'rejected_calls', 'failed_calls'),
    }
    assert dict(pair.split('=') for pair in info['latency_percentiles_usec_set'].split(',')).keys() == {
        *('p50', 'p99', 'p99.9'),
    }
    assert info['errorstat_ERR'] == 'count=1'
    assert dict(pair.split('=') for pair in info['db0'].split(',')).keys() == {'keys', 'expires', 'avg_ttl'}


def test_client_list(client):
    client('CLIENT', 'SETNAME', 'exporter')
    fields = dict(pair.split('=', 1) for pair in client('CLIENT', 'LIST').decode().split())
    assert fields.keys() >= set(
        'id name age idle flags db omem cmd addr user resp sub psub ssub multi qbuf qbuf-free obl oll tot-mem'
        ' argv-mem multi-mem rbs rbp events redir lib-name lib-ver'.split()
    )


def test_slow_log(client):
    client('CONFIG', 'SET', 'slowlog-log-slower-than', '0')
    client('GET', 'a')
    assert client('SLOWLOG', 'LEN') > 0
    [[number, time_s, taken_us, *_]] = client('SLOWLOG', 'GET', '1')
    assert all(type(value) is int for value in (number, time_s, taken_us))


def test_latency(client, engine):
    engine.latency.threshold_ms = 1
    engine.latency.note(b'command', 1_700_000_000, 5)
    assert client('LATENCY', 'LATEST') == [[b'command', 1_700_000_000, 5, 5]]
    assert isinstance(client('LATENCY', 'HISTOGRAM'), list)


def test_configuration(client):
    pairs = client('CONFIG', 'GET', '*')
    values = dict(zip(pairs[::2], pairs[1::2], strict=True))
    assert values.keys() >= {
        *(b'maxmemory', b'maxclients', b'databases', b'io-threads', b'save', b'appendonly', b'slowlog-max-len'),
        *(b'slowlog-log-slower-than', b'timeout', b'tcp-keepalive', b'maxmemory-policy', b'latency-tracking'),
    }
    for name in ('maxmemory', 'maxclients', 'io-threads'):
        assert int(values[name.encode()]) >= 0
