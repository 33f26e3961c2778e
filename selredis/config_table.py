"""The table of parameters: name, alias, kind of value, default, and when and by whom it may be set.

A parameter is declared once, in HONOURED if it does here what it does in Redis, in ACCEPTED if it is taken, checked
and shown, and changes nothing. To declare one is all it takes for files, the command line and CONFIG to know it.
Redis's own table is static_configs in config.c; names, ranges and defaults are those of 7.2.
"""

from collections.abc import Callable
from typing import Any, Generic, NamedTuple, TypeVar

from selredis.config_kinds import (
    INT_MAX,
    INT_MIN,
    LONG_MAX,
    UINT_MAX,
    ULONG_MAX,
    Addresses,
    Choice,
    Choices,
    Directory,
    EventClasses,
    Integer,
    Integers,
    Kind,
    Memory,
    MemoryOrPercent,
    Octal,
    OutputLimit,
    OutputLimits,
    OutputLimitsByClass,
    Percentiles,
    ReplicaOf,
    SavePoints,
    Secret,
    Text,
    YesNo,
    expand_template,
)
from selredis.errors import ConfigError

V = TypeVar('V')

KB, MB, GB = 1024, 1024**2, 1024**3


class Parameter(NamedTuple, Generic[V]):
    name: str
    kind: Kind[V]
    default: V
    alias: str = ''
    immutable: bool = False  # set at start only
    protected: bool = False  # CONFIG SET takes it only if enable-protected-configs says so
    hidden: bool = False  # no pattern of CONFIG GET finds it; for tests of the server
    names_file: bool = False  # setting it to the same name again has the file read again
    unkept: str = ''  # what a value other than the default asks for and does not get yet: the log says so
    refusal: str = ''  # why the server does not start with a value other than the default

    def names(self) -> list[str]:
        return [self.name, self.alias] if self.alias else [self.name]


def base_name(what: str, may_be_empty: bool) -> Callable[[str], None]:
    """A check that the value names a file without a directory."""
    parameter, sort = what.split()

    def check(value: str) -> None:
        if not value and not may_be_empty:
            raise ConfigError(f"{parameter} can't be empty")
        if '/' in value or '\\' in value:
            raise ConfigError(f"{parameter} can't be a path, just a {sort}")

    return check


def check_no_defragmentation(value: bool) -> None:
    if value:
        raise ConfigError(
            'Active defragmentation cannot be enabled: it requires a Redis server compiled with a modified Jemalloc '
            'like the one shipped by default with the Redis source distribution'
        )


def check_shutdown_flags(value: tuple[str, ...]) -> None:
    if 'save' in value and 'nosave' in value:
        raise ConfigError("shutdown options SAVE and NOSAVE can't be used simultaneously")


def check_title_template(value: str) -> None:
    """The title may not be empty where the program has no name and the server a file, a port and a socket."""
    known = dict.fromkeys(('title', 'server-mode'), '')
    known |= dict.fromkeys(('listen-addr', 'config-file', 'port', 'tls-port', 'unixsocket'), '-')
    try:
        title = expand_template(value, known)
    except ValueError:
        title = ''
    if not title.strip(' '):
        raise ConfigError('template format is invalid or contains unknown variables')


def check_host_name(value: str) -> None:
    if len(value) >= 256:
        raise ConfigError('Hostnames must be less than 256 characters')
    if not all(c.isascii() and (c.isalnum() or c in '-.') for c in value):
        raise ConfigError('Hostnames may only contain alphanumeric characters, hyphens or dots')


def check_node_name(value: str) -> None:
    if any(c in '!#$%&()*+:;<>?@[]^{|}~' for c in value):
        raise ConfigError('Announced human node name contained invalid character')


NO_PERSISTENCE = 'nothing is saved to disk yet, the data is lost when the server stops'
NO_REPLICATION = 'there is no replication yet'
NO_REPLICAS = f'{NO_REPLICATION}, writes are not held back'
NO_CLUSTER = 'clusters are not supported'
NO_ACL = 'there are no users but the default one yet'
NO_AFFINITY = 'there are no such threads or processes'
NO_TITLE = 'the process keeps the title that it was started with'
NO_SESSION_CACHE = 'how many sessions are kept, and how long, is for OpenSSL to choose'
NO_MARK = 'packets are not marked'

LIMITS_BY_DEFAULT = OutputLimits(
    normal=OutputLimit(0, 0, 0),
    slave=OutputLimit(256 * MB, 64 * MB, 60),
    pubsub=OutputLimit(32 * MB, 8 * MB, 60),
)

NO_YES_LOCAL = Choice('no', 'yes', 'local')
SHUTDOWN_FLAGS = Choices('default', 'save', 'nosave', 'now', 'force', check=check_shutdown_flags)
FACILITIES = Choice('user', *(f'local{number}' for number in range(8)))
POLICIES = Choice(
    'volatile-lru',
    'volatile-lfu',
    'volatile-random',
    'volatile-ttl',
    'allkeys-lru',
    'allkeys-lfu',
    'allkeys-random',
    'noeviction',
)
PORT = Integer(0, 65535)
UP_FROM_0 = Integer(0, INT_MAX)
UP_FROM_1 = Integer(1, INT_MAX)
ANY_INT = Integer(INT_MIN, INT_MAX)
COUNT = Integer(0, LONG_MAX)
BYTES = Memory(0, LONG_MAX)
PERHAPS_TEXT = Text(may_be_none=True)

HONOURED: tuple[Parameter[Any], ...] = (
    # Who may connect, and how
    Parameter('bind', Addresses(), ('*', '-::*')),
    Parameter('port', PORT, 6379),
    Parameter('unixsocket', PERHAPS_TEXT, '', immutable=True),
    Parameter('unixsocketperm', Octal(0, 0o777), 0, immutable=True),
    Parameter('tcp-backlog', UP_FROM_0, 511, immutable=True),
    Parameter('tcp-keepalive', UP_FROM_0, 300),
    Parameter('timeout', UP_FROM_0, 0),
    Parameter('maxclients', Integer(1, UINT_MAX), 10000),
    Parameter('protected-mode', YesNo(), True),
    Parameter('requirepass', Secret(), b''),
    Parameter('enable-protected-configs', NO_YES_LOCAL, 'no', immutable=True),
    Parameter('enable-debug-command', NO_YES_LOCAL, 'no', immutable=True),
    Parameter('tls-port', PORT, 0),
    Parameter('tls-cert-file', PERHAPS_TEXT, '', names_file=True),
    Parameter('tls-key-file', PERHAPS_TEXT, '', names_file=True),
    Parameter('tls-key-file-pass', Secret(), b''),
    Parameter('tls-dh-params-file', PERHAPS_TEXT, '', names_file=True),
    Parameter('tls-ca-cert-file', PERHAPS_TEXT, '', names_file=True),
    Parameter('tls-ca-cert-dir', PERHAPS_TEXT, '', names_file=True),
    Parameter('tls-auth-clients', Choice('no', 'yes', 'optional'), 'yes'),
    Parameter('tls-protocols', PERHAPS_TEXT, ''),
    Parameter('tls-ciphers', PERHAPS_TEXT, ''),
    Parameter('tls-ciphersuites', PERHAPS_TEXT, ''),
    Parameter('tls-prefer-server-ciphers', YesNo(), False),
    Parameter('tls-session-caching', YesNo(), True),
    # How much of what
    Parameter('client-query-buffer-limit', Memory(MB, LONG_MAX), GB),
    Parameter('client-output-buffer-limit', OutputLimitsByClass(), LIMITS_BY_DEFAULT),
    Parameter('proto-max-bulk-len', Memory(MB, LONG_MAX), 512 * MB),
    Parameter('databases', UP_FROM_1, 16, immutable=True),
    Parameter('maxmemory', Memory(0, ULONG_MAX), 0),
    Parameter('maxmemory-policy', POLICIES, 'noeviction'),
    Parameter('maxmemory-samples', UP_FROM_1, 5),
    Parameter('maxmemory-eviction-tenacity', Integer(0, 100), 10),
    Parameter('maxmemory-clients', MemoryOrPercent(0, LONG_MAX), 0),
    Parameter('lfu-log-factor', UP_FROM_0, 10),
    Parameter('lfu-decay-time', UP_FROM_0, 1),
    Parameter('tracking-table-max-keys', COUNT, 1000000),
    Parameter('hash-max-listpack-entries', COUNT, 512, alias='hash-max-ziplist-entries'),
    Parameter('hash-max-listpack-value', BYTES, 64, alias='hash-max-ziplist-value'),
    Parameter('list-max-listpack-size', ANY_INT, -2, alias='list-max-ziplist-size'),
    Parameter('stream-node-max-bytes', BYTES, 4 * KB),
    Parameter('stream-node-max-entries', COUNT, 100),
    Parameter('hll-sparse-max-bytes', BYTES, 3000),
    Parameter('set-max-intset-entries', COUNT, 512),
    Parameter('set-max-listpack-entries', COUNT, 128),
    Parameter('set-max-listpack-value', COUNT, 64),
    Parameter('zset-max-listpack-entries', COUNT, 128, alias='zset-max-ziplist-entries'),
    Parameter('zset-max-listpack-value', BYTES, 64, alias='zset-max-ziplist-value'),
    # The process
    Parameter('daemonize', YesNo(), False, immutable=True),
    Parameter('supervised', Choice('upstart', 'systemd', 'auto', 'no'), 'no', immutable=True),
    Parameter('dir', Directory(), '', protected=True),
    Parameter('pidfile', PERHAPS_TEXT, '', immutable=True),
    Parameter('shutdown-on-sigint', SHUTDOWN_FLAGS, ()),
    Parameter('shutdown-on-sigterm', SHUTDOWN_FLAGS, ()),
    Parameter('crash-log-enabled', YesNo(), True),
    Parameter('server_cpulist', PERHAPS_TEXT, '', immutable=True),
    Parameter('oom-score-adj', Choice('no', 'yes', 'relative', 'absolute', same={'relative': 'yes'}), 'no'),
    Parameter('oom-score-adj-values', Integers(-2000, 2000, 'oom-score-adj-values'), (0, 200, 800)),
    Parameter('hz', Integer(0, INT_MAX, clamp=(1, 500)), 10),
    # What is watched and logged
    Parameter('logfile', Text(), '', immutable=True),
    Parameter('loglevel', Choice('debug', 'verbose', 'notice', 'warning', 'nothing'), 'notice'),
    Parameter('syslog-enabled', YesNo(), False, immutable=True),
    Parameter('syslog-ident', Text(), 'redis', immutable=True),
    Parameter('syslog-facility', FACILITIES, 'local0', immutable=True),
    Parameter('slowlog-log-slower-than', Integer(-1, LONG_MAX), 10000),
    Parameter('slowlog-max-len', COUNT, 128),
    Parameter('latency-monitor-threshold', COUNT, 0),
    Parameter('latency-tracking', YesNo(), True),
    Parameter('latency-tracking-info-percentiles', Percentiles(), (50.0, 99.0, 99.9)),
    Parameter('notify-keyspace-events', EventClasses(), frozenset()),
)

ACCEPTED: tuple[Parameter[Any], ...] = (
    # The process
    Parameter('always-show-logo', YesNo(), False, immutable=True),
    Parameter('set-proc-title', YesNo(), True, immutable=True),
    Parameter(
        'proc-title-template', Text(check_title_template), '{title} {listen-addr} {server-mode}', unkept=NO_TITLE
    ),
    Parameter('locale-collate', Text(), ''),
    Parameter('crash-memcheck-enabled', YesNo(), True),
    Parameter('use-exit-on-panic', YesNo(), False, hidden=True),
    Parameter('watchdog-period', UP_FROM_0, 0, hidden=True),
    Parameter('ignore-warnings', Text(), ''),
    Parameter('disable-thp', YesNo(), True, immutable=True),
    Parameter('io-threads', Integer(1, 128), 1, immutable=True),
    Parameter('io-threads-do-reads', YesNo(), False, immutable=True),
    Parameter('bio_cpulist', PERHAPS_TEXT, '', immutable=True, unkept=NO_AFFINITY),
    Parameter('aof_rewrite_cpulist', PERHAPS_TEXT, '', immutable=True, unkept=NO_AFFINITY),
    Parameter('bgsave_cpulist', PERHAPS_TEXT, '', immutable=True, unkept=NO_AFFINITY),
    Parameter('shutdown-timeout', UP_FROM_0, 10),
    Parameter('enable-module-command', NO_YES_LOCAL, 'no', immutable=True),
    Parameter('aclfile', Text(), '', immutable=True, refusal=NO_ACL),
    Parameter('acl-pubsub-default', Choice('allchannels', 'resetchannels'), 'resetchannels'),
    Parameter('acllog-max-len', COUNT, 128),
    Parameter('bind-source-addr', PERHAPS_TEXT, ''),
    Parameter('tls-session-cache-size', UP_FROM_0, 20 * KB, unkept=NO_SESSION_CACHE),
    Parameter('tls-session-cache-timeout', UP_FROM_0, 300, unkept=NO_SESSION_CACHE),
    Parameter('socket-mark-id', Integer(0, UINT_MAX), 0, immutable=True, unkept=NO_MARK),
    # Memory and the sizes at which encodings change
    Parameter('activedefrag', YesNo(check_no_defragmentation), False),
    Parameter('active-defrag-cycle-min', Integer(1, 99), 1),
    Parameter('active-defrag-cycle-max', Integer(1, 99), 25),
    Parameter('active-defrag-threshold-lower', Integer(0, 1000), 10),
    Parameter('active-defrag-threshold-upper', Integer(0, 1000), 100),
    Parameter('active-defrag-max-scan-fields', Integer(1, LONG_MAX), 1000),
    Parameter('active-defrag-ignore-bytes', Memory(1, LONG_MAX), 100 * MB),
    Parameter('jemalloc-bg-thread', YesNo(), True),
    Parameter('lazyfree-lazy-eviction', YesNo(), False),
    Parameter('lazyfree-lazy-expire', YesNo(), False),
    Parameter('lazyfree-lazy-server-del', YesNo(), False),
    Parameter('lazyfree-lazy-user-del', YesNo(), False),
    Parameter('lazyfree-lazy-user-flush', YesNo(), False),
    Parameter('activerehashing', YesNo(), True),
    Parameter('dynamic-hz', YesNo(), True),
    Parameter('active-expire-effort', Integer(1, 10), 1),
    Parameter('list-compress-depth', UP_FROM_0, 0),
    Parameter('busy-reply-threshold', COUNT, 5000, alias='lua-time-limit'),
    # Persistence
    Parameter('save', SavePoints(), (), unkept=NO_PERSISTENCE),
    Parameter('stop-writes-on-bgsave-error', YesNo(), True),
    Parameter('rdbcompression', YesNo(), True),
    Parameter('rdbchecksum', YesNo(), True, immutable=True),
    Parameter('rdb-del-sync-files', YesNo(), False),
    Parameter('rdb-save-incremental-fsync', YesNo(), True),
    Parameter('rdb-key-save-delay', ANY_INT, 0, hidden=True),
    Parameter('key-load-delay', ANY_INT, 0, hidden=True),
    Parameter('loading-process-events-interval-bytes', Integer(KB, INT_MAX), 2 * MB, hidden=True),
    Parameter('sanitize-dump-payload', Choice('no', 'yes', 'clients'), 'no'),
    Parameter('dbfilename', Text(base_name('dbfilename filename', may_be_empty=True)), 'dump.rdb', protected=True),
    Parameter('appendonly', YesNo(), False, unkept=NO_PERSISTENCE),
    Parameter(
        'appendfilename',
        Text(base_name('appendfilename filename', may_be_empty=False)),
        'appendonly.aof',
        immutable=True,
    ),
    Parameter(
        'appenddirname', Text(base_name('appenddirname dirname', may_be_empty=False)), 'appendonlydir', immutable=True
    ),
    Parameter('appendfsync', Choice('everysec', 'always', 'no'), 'everysec'),
    Parameter('no-appendfsync-on-rewrite', YesNo(), False),
    Parameter('auto-aof-rewrite-percentage', UP_FROM_0, 100),
    Parameter('auto-aof-rewrite-min-size', BYTES, 64 * MB),
    Parameter('aof-load-truncated', YesNo(), True),
    Parameter('aof-use-rdb-preamble', YesNo(), True),
    Parameter('aof-timestamp-enabled', YesNo(), False),
    Parameter('aof-rewrite-incremental-fsync', YesNo(), True),
    Parameter('aof-disable-auto-gc', YesNo(), False, hidden=True),
    # Replication
    Parameter('replicaof', ReplicaOf(), None, alias='slaveof', immutable=True, refusal=NO_REPLICATION),
    Parameter('masteruser', Secret(), b''),
    Parameter('masterauth', Secret(), b''),
    Parameter('replica-serve-stale-data', YesNo(), True, alias='slave-serve-stale-data'),
    Parameter('replica-read-only', YesNo(), True, alias='slave-read-only'),
    Parameter('replica-ignore-maxmemory', YesNo(), True, alias='slave-ignore-maxmemory'),
    Parameter('replica-lazy-flush', YesNo(), False, alias='slave-lazy-flush'),
    Parameter('replica-priority', UP_FROM_0, 100, alias='slave-priority'),
    Parameter('replica-announced', YesNo(), True),
    Parameter('replica-announce-ip', PERHAPS_TEXT, '', alias='slave-announce-ip'),
    Parameter('replica-announce-port', PORT, 0, alias='slave-announce-port'),
    Parameter('replica-ignore-disk-write-errors', YesNo(), False),
    Parameter('repl-diskless-sync', YesNo(), True),
    Parameter('repl-diskless-sync-delay', UP_FROM_0, 5),
    Parameter('repl-diskless-sync-max-replicas', UP_FROM_0, 0),
    Parameter('repl-diskless-load', Choice('disabled', 'on-empty-db', 'swapdb'), 'disabled'),
    Parameter('repl-disable-tcp-nodelay', YesNo(), False),
    Parameter('repl-ping-replica-period', UP_FROM_1, 10, alias='repl-ping-slave-period'),
    Parameter('repl-timeout', UP_FROM_1, 60),
    Parameter('repl-backlog-size', Memory(1, LONG_MAX, clamp=(16 * KB, LONG_MAX)), MB),
    Parameter('repl-backlog-ttl', COUNT, 3600),
    Parameter('min-replicas-to-write', UP_FROM_0, 0, alias='min-slaves-to-write', unkept=NO_REPLICAS),
    Parameter('min-replicas-max-lag', UP_FROM_0, 10, alias='min-slaves-max-lag'),
    Parameter('propagation-error-behavior', Choice('ignore', 'panic', 'panic-on-replicas'), 'ignore'),
    Parameter('tls-replication', YesNo(), False),
    Parameter('tls-client-cert-file', PERHAPS_TEXT, '', names_file=True, unkept=NO_REPLICATION),
    Parameter('tls-client-key-file', PERHAPS_TEXT, '', names_file=True, unkept=NO_REPLICATION),
    Parameter('tls-client-key-file-pass', Secret(), b'', unkept=NO_REPLICATION),
    # Clusters
    Parameter('cluster-enabled', YesNo(), False, immutable=True, refusal=NO_CLUSTER),
    Parameter('cluster-config-file', Text(), 'nodes.conf', immutable=True),
    Parameter('cluster-port', PORT, 0, immutable=True),
    Parameter('cluster-node-timeout', COUNT, 15000),
    Parameter('cluster-ping-interval', COUNT, 0, hidden=True),
    Parameter('cluster-link-sendbuf-limit', Memory(0, ULONG_MAX), 0),
    Parameter('cluster-require-full-coverage', YesNo(), True),
    Parameter('cluster-migration-barrier', UP_FROM_0, 1),
    Parameter('cluster-allow-replica-migration', YesNo(), True),
    Parameter('cluster-replica-validity-factor', UP_FROM_0, 10, alias='cluster-slave-validity-factor'),
    Parameter('cluster-replica-no-failover', YesNo(), False, alias='cluster-slave-no-failover'),
    Parameter('cluster-allow-reads-when-down', YesNo(), False),
    Parameter('cluster-allow-pubsubshard-when-down', YesNo(), True),
    Parameter('cluster-preferred-endpoint-type', Choice('ip', 'hostname', 'unknown-endpoint'), 'ip'),
    Parameter('cluster-announce-ip', PERHAPS_TEXT, ''),
    Parameter('cluster-announce-hostname', Text(check_host_name, may_be_none=True), ''),
    Parameter('cluster-announce-human-nodename', Text(check_node_name, may_be_none=True), ''),
    Parameter('cluster-announce-port', PORT, 0),
    Parameter('cluster-announce-tls-port', PORT, 0),
    Parameter('cluster-announce-bus-port', PORT, 0),
    Parameter('tls-cluster', YesNo(), False),
)

PARAMETERS = HONOURED + ACCEPTED

# Directives of old files that Redis reads over (config.c, deprecated_configs).
OUTDATED = frozenset({b'list-max-ziplist-entries', b'list-max-ziplist-value', b'lua-replicate-commands'})

BY_NAME = {name.encode(): parameter for parameter in PARAMETERS for name in parameter.names()}
