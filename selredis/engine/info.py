"""INFO: what a server tells of itself, section by section, under the names that Redis gives to it.

Every field says what is true of this server; what is about a part that it does not have is 0, as it would be in a
Redis that does not use it. Left out is what could only be made up.

`used_memory` is what data and clients take, by a model (`keyspace.memory`), and what is compared with maxmemory;
without that it is an estimate where the keys are many (`keyspace.survey`). The interpreter and the program are not in
it: `used_memory_process` is what the process has in main memory and does not share with other programs, now and when it
was ready. The peak is the most that was ever in use when that was looked at, or that the process has grown by, if
that is more. `mem_fragmentation_ratio` is what the process has in main memory, all in all, to what it had when it was
ready together with what is in use now.
"""

import os
import sys
import time
from collections.abc import Callable, Collection
from itertools import islice

from selredis import process
from selredis.engine.engine import Engine
from selredis.keyspace.database import Database, Gone
from selredis.values.buckets import RANK_BITS
from selredis.version import ARCH_BITS, GIT_DIRTY, GIT_SHA1, REDIS_VERSION, SELREDIS_VERSION, build_id

Fields = dict[str, object]

KB = 1024
MS_A_DAY = 86_400_000

# Of more deadlines than this the mean is estimated, from about so many keys.
EXACT_DEADLINES = 10_000
SAMPLED_KEYS = 1_000
LRU_CLOCK_MAX = (1 << 24) - 1  # seconds of a clock of 24 bits (redis server.h)


def server(engine: Engine) -> Fields:
    deployment, config = engine.deployment, engine.config
    system = os.uname()
    return {
        'redis_version': REDIS_VERSION,
        'server_name': 'selredis',
        'selredis_version': SELREDIS_VERSION,
        'redis_git_sha1': GIT_SHA1,
        'redis_git_dirty': GIT_DIRTY,
        'redis_build_id': build_id(),
        'redis_mode': 'standalone',
        'os': f'{system.sysname} {system.release} {system.machine}',
        'arch_bits': ARCH_BITS,
        'monotonic_clock': time.get_clock_info('monotonic').implementation,
        'multiplexing_api': deployment.multiplexing_api,
        'atomicvar_api': 'none',  # one thread has all variables
        'gcc_version': process.gcc_version(),
        'python_version': '.'.join(map(str, sys.version_info[:3])),
        'process_id': os.getpid(),
        'process_supervised': deployment.supervised,
        'run_id': engine.run_id,
        'tcp_port': deployment.tcp_port or deployment.tls_port,
        'server_time_usec': engine.clock.now_us(),
        'uptime_in_seconds': engine.clocks.uptime_ms // 1000,
        'uptime_in_days': engine.clocks.uptime_ms // MS_A_DAY,
        'hz': config['hz'],
        'configured_hz': config['hz'],
        'lru_clock': engine.now_ms // 1000 & LRU_CLOCK_MAX,
        'executable': deployment.executable,
        'config_file': deployment.config_file,
        'io_threads_active': 0,
        **listeners(engine),
    }


def listeners(engine: Engine) -> Fields:
    """Where clients may connect, numbered by kind as in Redis."""
    found: Fields = {}
    deployment, config = engine.deployment, engine.config
    addresses = ''.join(f',bind={address}' for address in config['bind'])
    if deployment.tcp_port:
        found['listener0'] = f'name=tcp{addresses},port={deployment.tcp_port}'
    if config['unixsocket']:
        found['listener1'] = f'name=unix,bind={config["unixsocket"]}'
    if deployment.tls_port:
        found['listener2'] = f'name=tls{addresses},port={deployment.tls_port}'
    return found


def clients(engine: Engine) -> Fields:
    everyone = engine.clients.values()
    databases = engine.keyspace.databases
    return {
        'connected_clients': len(everyone),
        'cluster_connections': 0,
        'maxclients': engine.config['maxclients'],
        # Of Redis's clients these are the largest of the last seconds, of these of this moment.
        'client_recent_max_input_buffer': max((each.query_bytes for each in everyone), default=0),
        'client_recent_max_output_buffer': max((each.unsent_bytes for each in everyone), default=0),
        'blocked_clients': len(engine.blocked),
        'tracking_clients': len(engine.tracking.clients),
        'pubsub_clients': sum(1 for each in everyone if each.channels or each.patterns or each.shard_channels),
        'watching_clients': sum(1 for each in everyone if each.watched),
        'clients_in_timeout_table': sum(bool(client.wait and client.wait.timer) for client in engine.blocked),
        'total_watched_keys': sum(len(db.watched) for db in databases),
        'total_blocking_keys': sum(len({key for key, _ in db.waiting}) for db in databases),
        'total_blocking_keys_on_nokey': sum(kind is Gone for db in databases for _, kind in db.waiting),
    }


def memory(engine: Engine) -> Fields:
    account, config = engine.memory, engine.config
    process_now = process.memory()
    used = account.used_bytes()
    in_clients = account.client_bytes()
    peak = max(account.peak_bytes(process_now), used)
    overhead = account.overhead_bytes()
    # What the program takes by itself is no waste.
    wanted = account.startup.resident + used
    return {
        **sized('used_memory', used),
        **sized('used_memory_rss', process_now.resident),
        **sized('used_memory_peak', peak),
        'used_memory_peak_perc': percent(used, peak),
        'used_memory_overhead': overhead,
        'used_memory_startup': account.startup_bytes,
        'used_memory_dataset': used - overhead,
        'used_memory_dataset_perc': percent(used - overhead, used - account.startup_bytes),
        'used_memory_process': process_now.private,
        'used_memory_process_startup': account.startup.private,
        **sized('total_system_memory', process.total_memory()),
        **sized('used_memory_lua', 0),
        'used_memory_vm_eval': 0,
        'used_memory_scripts_eval': 0,
        'number_of_cached_scripts': 0,
        'number_of_functions': 0,
        'number_of_libraries': 0,
        'used_memory_vm_functions': 0,
        **sized('used_memory_vm_total', 0),
        'used_memory_functions': 0,
        **sized('used_memory_scripts', 0),
        **sized('maxmemory', config['maxmemory']),
        'maxmemory_policy': config['maxmemory-policy'],
        'mem_fragmentation_ratio': f'{process_now.resident / wanted:.2f}',
        'mem_fragmentation_bytes': process_now.resident - wanted,
        'mem_not_counted_for_evict': 0,
        'mem_replication_backlog': 0,
        'mem_total_replication_buffers': 0,
        'mem_clients_slaves': 0,
        'mem_clients_normal': in_clients,
        'mem_cluster_links': 0,
        'mem_aof_buffer': 0,
        'mem_allocator': process.allocator(),
        'active_defrag_running': 0,
        **allocator(wanted, process_now.resident),
        'lazyfree_pending_objects': engine.keyspace.discarded.pending,
        'lazyfreed_objects': engine.keyspace.discarded.freed,
    }


def allocator(allocated: int, resident: int) -> Fields:
    """The figures of the allocator. Python's reports none: as in a Redis over the C library's, they are estimated.

    `allocated` is what the process had at its start, interpreter and program, together with what is in use now.
    """
    return {
        'allocator_allocated': allocated,
        'allocator_active': resident,
        'allocator_resident': resident,
        'allocator_frag_ratio': f'{resident / allocated:.2f}',
        'allocator_frag_bytes': resident - allocated,
        'allocator_rss_ratio': '1.00',
        'allocator_rss_bytes': 0,
        'rss_overhead_ratio': '1.00',
        'rss_overhead_bytes': 0,
    }


def sized(name: str, size: int) -> Fields:
    """A number of bytes, and the same for human eyes."""
    return {name: size, f'{name}_human': human(size)}


def percent(part: int, whole: int) -> str:
    return f'{part / (whole or 1) * 100:.2f}%'


def persistence(engine: Engine) -> Fields:
    """Nothing is saved yet, nor has anything failed to be."""
    return {
        'loading': 0,
        'async_loading': 0,
        'current_cow_peak': 0,
        'current_cow_size': 0,
        'current_cow_size_age': 0,
        'current_fork_perc': '0.00',
        'current_save_keys_processed': 0,
        'current_save_keys_total': 0,
        'rdb_changes_since_last_save': engine.keyspace.dirty,
        'rdb_bgsave_in_progress': 0,
        'rdb_last_save_time': engine.started_ms // 1000,  # as in a Redis that has not saved since its start
        'rdb_last_bgsave_status': 'ok',
        'rdb_last_bgsave_time_sec': -1,
        'rdb_current_bgsave_time_sec': -1,
        'rdb_saves': 0,
        'rdb_last_cow_size': 0,
        'rdb_last_load_keys_expired': 0,
        'rdb_last_load_keys_loaded': 0,
        'aof_enabled': 0,
        'aof_rewrite_in_progress': 0,
        'aof_rewrite_scheduled': 0,
        'aof_last_rewrite_time_sec': -1,
        'aof_current_rewrite_time_sec': -1,
        'aof_last_bgrewrite_status': 'ok',
        'aof_rewrites': 0,
        'aof_rewrites_consecutive_failures': 0,
        'aof_last_write_status': 'ok',
        'aof_last_cow_size': 0,
        'module_fork_in_progress': 0,
        'module_fork_last_cow_size': 0,
    }


def stats(engine: Engine) -> Fields:
    counted, keyspace, pubsub = engine.stats, engine.keyspace, engine.pubsub
    return {
        'total_connections_received': counted.connections,
        'total_commands_processed': counted.commands,
        'instantaneous_ops_per_sec': counted.command_rate.per_second,
        'total_net_input_bytes': counted.input_bytes,
        'total_net_output_bytes': counted.output_bytes,
        'total_net_repl_input_bytes': 0,
        'total_net_repl_output_bytes': 0,
        'instantaneous_input_kbps': f'{counted.input_rate.per_second / KB:.2f}',
        'instantaneous_output_kbps': f'{counted.output_rate.per_second / KB:.2f}',
        'instantaneous_input_repl_kbps': '0.00',
        'instantaneous_output_repl_kbps': '0.00',
        'rejected_connections': counted.rejected_connections,
        'sync_full': 0,
        'sync_partial_ok': 0,
        'sync_partial_err': 0,
        'expired_keys': keyspace.expired,
        'expired_subkeys': keyspace.expired_fields,
        'expired_stale_perc': f'{stale_share(engine) * 100:.2f}',
        'expired_time_cap_reached_count': counted.expiry_cuts,
        'expire_cycle_cpu_milliseconds': counted.expiry_us // 1000,
        'evicted_keys': keyspace.evicted,
        'evicted_clients': counted.evicted_clients,
        'total_eviction_exceeded_time': engine.memory.total_exceeded_ms,
        'current_eviction_exceeded_time': engine.memory.exceeded_ms,
        'keyspace_hits': keyspace.hits,
        'keyspace_misses': keyspace.misses,
        'pubsub_channels': len(pubsub.channels),
        'pubsub_patterns': len(pubsub.patterns),
        'pubsubshard_channels': len(pubsub.shard_channels),
        'latest_fork_usec': 0,
        'total_forks': 0,
        'migrate_cached_sockets': 0,
        'slave_expires_tracked_keys': 0,
        'active_defrag_hits': 0,
        'active_defrag_misses': 0,
        'active_defrag_key_hits': 0,
        'active_defrag_key_misses': 0,
        'total_active_defrag_time': 0,
        'current_active_defrag_time': 0,
        'tracking_total_keys': len(engine.tracking.readers),
        'tracking_total_items': engine.tracking.items,
        'tracking_total_prefixes': len(engine.tracking.prefixes),
        'unexpected_error_replies': 0,
        'total_error_replies': counted.errors,
        'acl_access_denied_auth': counted.denied_auth,
        'acl_access_denied_cmd': 0,
        'acl_access_denied_key': 0,
        'acl_access_denied_channel': 0,
        'dump_payload_sanitizations': 0,
        'total_reads_processed': counted.reads,
        'total_writes_processed': counted.writes,
        'eventloop_cycles': counted.turns,
        'eventloop_duration_sum': counted.busy_ns // 1000,
        'eventloop_duration_cmd_sum': counted.commands_us,
        'instantaneous_eventloop_cycles_per_sec': counted.turn_rate.per_second,
        'instantaneous_eventloop_duration_usec': counted.busy_rate.per_second // (counted.turn_rate.per_second or 1),
        'io_threaded_reads_processed': 0,
        'io_threaded_writes_processed': 0,
        'reply_buffer_shrinks': 0,  # replies have no buffer of a fixed size
        'reply_buffer_expands': 0,
        'client_query_buffer_limit_disconnections': counted.query_limit_disconnections,
        'client_output_buffer_limit_disconnections': counted.output_limit_disconnections,
    }


def replication(engine: Engine) -> Fields:
    """A master without replicas."""
    return {
        'role': 'master',
        'connected_slaves': 0,
        **({'min_slaves_good_slaves': 0} if needs_replicas(engine) else {}),
        'master_failover_state': 'no-failover',
        'master_replid': engine.replication_id,
        'master_replid2': '0' * 40,
        'master_repl_offset': 0,
        'second_repl_offset': -1,
        'repl_backlog_active': 0,
        'repl_backlog_size': engine.config['repl-backlog-size'],
        'repl_backlog_first_byte_offset': 0,
        'repl_backlog_histlen': 0,
    }


def needs_replicas(engine: Engine) -> bool:
    """Whether writes would need replicas (min-replicas-to-write)."""
    return bool(engine.config['min-replicas-to-write'] and engine.config['min-replicas-max-lag'])


def cpu(engine: Engine) -> Fields:
    own, children, thread = process.cpu_time(), process.cpu_time_of_children(), process.cpu_time_of_thread()
    seconds = {
        'used_cpu_sys': own.system,
        'used_cpu_user': own.user,
        'used_cpu_sys_children': children.system,
        'used_cpu_user_children': children.user,
    }
    if thread is not None:
        seconds |= {'used_cpu_sys_main_thread': thread.system, 'used_cpu_user_main_thread': thread.user}
    return {name: f'{value:.6f}' for name, value in seconds.items()}


def modules(engine: Engine) -> Fields:
    return {}


def commandstats(engine: Engine) -> Fields:
    """Of commands that were called, or would have been."""
    engine.stats.fold()
    told: Fields = {}
    for command, counted in sorted(engine.stats.of_commands.items(), key=lambda item: item[0].name):
        calls = counted.calls
        if calls or counted.failed or counted.rejected:
            told[f'cmdstat_{command.name}'] = (
                f'calls={calls},usec={counted.microseconds},usec_per_call={counted.ns / 1000 / (calls or 1):.2f},'
                f'rejected_calls={counted.rejected},failed_calls={counted.failed}'
            )
    return told


def latencystats(engine: Engine) -> Fields:
    """How long most calls of commands took, in microseconds (latency-tracking, latency-tracking-info-percentiles)."""
    percentiles = engine.config['latency-tracking-info-percentiles']
    if not engine.config['latency-tracking']:
        return {}
    engine.stats.fold()
    return {
        f'latency_percentiles_usec_{command.name}': ','.join(
            f'p{trimmed(percentile)}={time_us:.3f}'
            for percentile, time_us in zip(percentiles, counted.percentiles(percentiles), strict=True)
        )
        for command, counted in sorted(engine.stats.of_commands.items(), key=lambda item: item[0].name)
        if counted.calls
    }


def trimmed(number: float) -> str:
    """A number with as many decimals as it needs, six at most."""
    return f'{number:f}'.rstrip('0').rstrip('.')


def errorstats(engine: Engine) -> Fields:
    codes = engine.stats.error_codes
    return {f'errorstat_{printable(code)}': f'count={codes[code]}' for code in sorted(codes)}


def cluster(engine: Engine) -> Fields:
    return {'cluster_enabled': 0}


def keyspace(engine: Engine) -> Fields:
    fields: Fields = {}
    for db in engine.keyspace.databases:
        if len(db):
            line = f'keys={len(db)},expires={len(db.deadlines)},avg_ttl={mean_ttl_ms(engine, db)}'
            if db.hashes_due is not None:  # as 7.4 says it, which was the first to have such hashes
                line += f',subexpiry={len(db.hashes_due)}'
            fields[f'db{db.number}'] = line
    return fields


def debug(engine: Engine) -> Fields:
    """What the event loop does, for those who look for latency; times in microseconds."""
    counted = engine.stats
    return {
        'eventloop_duration_aof_sum': 0,
        'eventloop_duration_cron_sum': counted.cron_ns // 1000,
        'eventloop_duration_max': counted.longest_turn_ns // 1000,
        'eventloop_cmd_per_cycle_max': counted.most_commands_a_turn,
    }


SECTIONS: dict[str, Callable[[Engine], Fields]] = {
    'server': server,
    'clients': clients,
    'memory': memory,
    'persistence': persistence,
    'stats': stats,
    'replication': replication,
    'cpu': cpu,
    'modules': modules,
    'commandstats': commandstats,
    'errorstats': errorstats,
    'latencystats': latencystats,
    'cluster': cluster,
    'keyspace': keyspace,
    'debug': debug,
}
ALL_SECTIONS = frozenset(SECTIONS) - {'debug'}  # which is only there if it is named
DEFAULT_SECTIONS = ALL_SECTIONS - {'commandstats', 'latencystats'}
HEADINGS = {'cpu': 'CPU'}  # others are capitalized


def info(engine: Engine, wanted: Collection[str]) -> bytes:
    """The sections among those wanted, in their own order."""
    texts: list[str] = []
    for name, section in SECTIONS.items():
        if name in wanted:
            lines = [f'# {HEADINGS.get(name, name.capitalize())}']
            lines += [f'{field}:{value}' for field, value in section(engine).items()]
            texts.append(''.join(f'{line}\r\n' for line in lines))
    return '\r\n'.join(texts).encode('utf-8', 'surrogateescape')


def mean_ttl_ms(engine: Engine, db: Database) -> int:
    """How long the keys that have a deadline will still be there, on average; an estimate if they are many."""
    found = some_deadlines(engine, db)
    return max(sum(found) // len(found) - engine.now_ms, 0) if found else 0


def stale_share(engine: Engine) -> float:
    """Which part of the keys with a deadline is past it and still in memory; an estimate if they are many."""
    stale = total = 0.0
    for db in engine.keyspace.databases:
        found = some_deadlines(engine, db)
        if found:
            total += len(db.deadlines)
            stale += len(db.deadlines) * sum(deadline < engine.now_ms for deadline in found) / len(found)
    return stale / total if total else 0.0


def some_deadlines(engine: Engine, db: Database) -> list[int]:
    """All deadlines of a database or, if they are many, those of some keys."""
    deadlines = db.deadlines
    if len(deadlines) <= EXACT_DEADLINES:
        return list(deadlines.values())
    # Keys that stand together in the index have only their hashes in common.
    _, sample = db.index.scan(engine.random.getrandbits(RANK_BITS), SAMPLED_KEYS)
    found = [deadlines[key] for key in sample if key in deadlines]
    # If hardly any key has one.
    return found or list(islice(deadlines.values(), EXACT_DEADLINES))


def human(size: int) -> str:
    """Bytes in a unit that keeps the number short (server.c, bytesToHuman)."""
    power = max(size.bit_length() - 1, 0) // 10
    return f'{size / KB**power:.2f}{"KMGTP"[power - 1]}' if 0 < power < 6 else f'{size}B'


def printable(code: bytes) -> str:
    """An error's code without what would break the lines that it stands in."""
    text = code.decode('ascii', 'backslashreplace')
    return ''.join('_' if letter in '#:\r\n' else letter for letter in text)
