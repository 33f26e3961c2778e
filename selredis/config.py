"""The parameters of one server: a table of what there is, and the values that CONFIG GET and CONFIG SET are about.

A parameter is declared once, in HONOURED if it does here what it does in Redis, in ACCEPTED if it is taken, checked
and shown, and changes nothing yet. To declare one is all it takes for files, the command line and CONFIG to know it.
Redis's own table is static_configs in config.c; names, ranges and defaults are those of 7.2.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from selredis.config_kinds import (
    INT_MAX,
    INT_MIN,
    LONG_MAX,
    UINT_MAX,
    ULONG_MAX,
    WRONG_NUMBER_OF_ARGUMENTS,
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
    SavePoints,
    Secret,
    Text,
    YesNo,
)
from selredis.errors import ConfigError, ReplyError
from selredis.glob import compile_glob
from selredis.resp.inline import split_words

V = TypeVar('V')

KB, MB, GB = 1024, 1024**2, 1024**3

BAD_DIRECTIVE = 'Bad directive or wrong number of arguments'


class Parameter(NamedTuple, Generic[V]):
    name: str
    kind: Kind[V]
    default: V
    alias: str = ''
    immutable: bool = False  # set at start only
    protected: bool = False  # CONFIG SET takes it only if enable-protected-configs says so
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


NO_DAEMON = 'running in the background is not supported'
NO_SUPERVISION = 'nobody is told yet that the server is ready'
NO_PERSISTENCE = 'nothing is saved to disk yet, the data is lost when the server stops'
NO_EVICTION = 'memory is not limited yet'
NO_REPLICATION = 'there is no replication yet, writes are not held back'

LIMITS_BY_DEFAULT = OutputLimits(
    normal=OutputLimit(0, 0, 0),
    slave=OutputLimit(256 * MB, 64 * MB, 60),
    pubsub=OutputLimit(32 * MB, 8 * MB, 60),
)

NO_YES_LOCAL = Choice('no', 'yes', 'local')
SHUTDOWN_FLAGS = Choices('default', 'save', 'nosave', 'now', 'force', check=check_shutdown_flags)
UP_FROM_0 = Integer(0, INT_MAX)
UP_FROM_1 = Integer(1, INT_MAX)
COUNT = Integer(0, LONG_MAX)
BYTES = Memory(0, LONG_MAX)

HONOURED: tuple[Parameter[Any], ...] = (
    Parameter('bind', Addresses(), ('*', '-::*')),
    Parameter('port', Integer(0, 65535), 6379),
    Parameter('unixsocket', Text(), '', immutable=True),
    Parameter('unixsocketperm', Octal(0, 0o777), 0, immutable=True),
    Parameter('tcp-backlog', UP_FROM_0, 511, immutable=True),
    Parameter('tcp-keepalive', UP_FROM_0, 300),
    Parameter('timeout', UP_FROM_0, 0),
    Parameter('maxclients', Integer(1, UINT_MAX), 10000),
    Parameter('protected-mode', YesNo(), True),
    Parameter('requirepass', Secret(), b''),
    Parameter('enable-protected-configs', NO_YES_LOCAL, 'no', immutable=True),
    Parameter('enable-debug-command', NO_YES_LOCAL, 'no', immutable=True),
    Parameter('client-query-buffer-limit', Memory(MB, LONG_MAX), GB),
    Parameter('client-output-buffer-limit', OutputLimitsByClass(), LIMITS_BY_DEFAULT),
    Parameter('proto-max-bulk-len', Memory(MB, LONG_MAX), 512 * MB),
    Parameter('databases', UP_FROM_1, 16, immutable=True),
    Parameter('dir', Directory(), '', protected=True),
    Parameter('pidfile', Text(), '', immutable=True),
    Parameter('logfile', Text(), '', immutable=True),
    Parameter('loglevel', Choice('debug', 'verbose', 'notice', 'warning', 'nothing'), 'notice'),
    Parameter('hz', Integer(0, INT_MAX, clamp=(1, 500)), 10),
    Parameter('notify-keyspace-events', EventClasses(), frozenset()),
    Parameter('list-max-listpack-size', Integer(INT_MIN, INT_MAX), -2, alias='list-max-ziplist-size'),
)

ACCEPTED: tuple[Parameter[Any], ...] = (
    # The process
    Parameter('daemonize', YesNo(), False, immutable=True, refusal=NO_DAEMON),
    Parameter('supervised', Choice('upstart', 'systemd', 'auto', 'no'), 'no', immutable=True, unkept=NO_SUPERVISION),
    Parameter('always-show-logo', YesNo(), False, immutable=True),
    Parameter('set-proc-title', YesNo(), True, immutable=True),
    Parameter('proc-title-template', Text(), '{title} {listen-addr} {server-mode}'),
    Parameter('locale-collate', Text(), ''),
    Parameter('crash-log-enabled', YesNo(), True),
    Parameter('crash-memcheck-enabled', YesNo(), True),
    Parameter('ignore-warnings', Text(), ''),
    Parameter('disable-thp', YesNo(), True, immutable=True),
    Parameter('oom-score-adj', Choice('no', 'yes', 'relative', 'absolute', same={'relative': 'yes'}), 'no'),
    Parameter('oom-score-adj-values', Integers(-2000, 2000, 'oom-score-adj-values'), (0, 200, 800)),
    Parameter('io-threads', Integer(1, 128), 1, immutable=True),
    Parameter('io-threads-do-reads', YesNo(), False, immutable=True),
    Parameter('shutdown-timeout', UP_FROM_0, 10),
    Parameter('shutdown-on-sigint', SHUTDOWN_FLAGS, ()),
    Parameter('shutdown-on-sigterm', SHUTDOWN_FLAGS, ()),
    Parameter('enable-module-command', NO_YES_LOCAL, 'no', immutable=True),
    Parameter('acl-pubsub-default', Choice('allchannels', 'resetchannels'), 'resetchannels'),
    Parameter('acllog-max-len', COUNT, 128),
    # Memory and the sizes at which encodings change
    Parameter('maxmemory', Memory(0, ULONG_MAX), 0, unkept=NO_EVICTION),
    Parameter(
        'maxmemory-policy',
        Choice(
            'volatile-lru',
            'volatile-lfu',
            'volatile-random',
            'volatile-ttl',
            'allkeys-lru',
            'allkeys-lfu',
            'allkeys-random',
            'noeviction',
        ),
        'noeviction',
    ),
    Parameter('maxmemory-samples', UP_FROM_1, 5),
    Parameter('maxmemory-eviction-tenacity', Integer(0, 100), 10),
    Parameter('maxmemory-clients', MemoryOrPercent(0, LONG_MAX), 0, unkept=NO_EVICTION),
    Parameter('lfu-log-factor', UP_FROM_0, 10),
    Parameter('lfu-decay-time', UP_FROM_0, 1),
    Parameter('activedefrag', YesNo(check_no_defragmentation), False),
    Parameter('jemalloc-bg-thread', YesNo(), True),
    Parameter('lazyfree-lazy-eviction', YesNo(), False),
    Parameter('lazyfree-lazy-expire', YesNo(), False),
    Parameter('lazyfree-lazy-server-del', YesNo(), False),
    Parameter('lazyfree-lazy-user-del', YesNo(), False),
    Parameter('lazyfree-lazy-user-flush', YesNo(), False),
    Parameter('activerehashing', YesNo(), True),
    Parameter('dynamic-hz', YesNo(), True),
    Parameter('active-expire-effort', Integer(1, 10), 1),
    Parameter('tracking-table-max-keys', COUNT, 1000000),
    Parameter('list-compress-depth', UP_FROM_0, 0),
    Parameter('hash-max-listpack-entries', COUNT, 512, alias='hash-max-ziplist-entries'),
    Parameter('hash-max-listpack-value', BYTES, 64, alias='hash-max-ziplist-value'),
    Parameter('set-max-intset-entries', COUNT, 512),
    Parameter('set-max-listpack-entries', COUNT, 128),
    Parameter('set-max-listpack-value', COUNT, 64),
    Parameter('zset-max-listpack-entries', COUNT, 128, alias='zset-max-ziplist-entries'),
    Parameter('zset-max-listpack-value', BYTES, 64, alias='zset-max-ziplist-value'),
    Parameter('hll-sparse-max-bytes', BYTES, 3000),
    Parameter('stream-node-max-bytes', BYTES, 4 * KB),
    Parameter('stream-node-max-entries', COUNT, 100),
    # What is watched and logged
    Parameter('slowlog-log-slower-than', Integer(-1, LONG_MAX), 10000),
    Parameter('slowlog-max-len', COUNT, 128),
    Parameter('latency-monitor-threshold', COUNT, 0),
    Parameter('latency-tracking', YesNo(), True),
    Parameter('busy-reply-threshold', COUNT, 5000, alias='lua-time-limit'),
    # Persistence
    Parameter('save', SavePoints(), (), unkept=NO_PERSISTENCE),
    Parameter('stop-writes-on-bgsave-error', YesNo(), True),
    Parameter('rdbcompression', YesNo(), True),
    Parameter('rdbchecksum', YesNo(), True, immutable=True),
    Parameter('rdb-del-sync-files', YesNo(), False),
    Parameter('rdb-save-incremental-fsync', YesNo(), True),
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
    # Replication
    Parameter('replica-serve-stale-data', YesNo(), True, alias='slave-serve-stale-data'),
    Parameter('replica-read-only', YesNo(), True, alias='slave-read-only'),
    Parameter('replica-ignore-maxmemory', YesNo(), True, alias='slave-ignore-maxmemory'),
    Parameter('replica-lazy-flush', YesNo(), False, alias='slave-lazy-flush'),
    Parameter('replica-priority', UP_FROM_0, 100, alias='slave-priority'),
    Parameter('replica-announced', YesNo(), True),
    Parameter('replica-announce-ip', Text(), '', alias='slave-announce-ip'),
    Parameter('replica-announce-port', Integer(0, 65535), 0, alias='slave-announce-port'),
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
    Parameter('min-replicas-to-write', UP_FROM_0, 0, alias='min-slaves-to-write', unkept=NO_REPLICATION),
    Parameter('min-replicas-max-lag', UP_FROM_0, 10, alias='min-slaves-max-lag'),
    Parameter('propagation-error-behavior', Choice('ignore', 'panic', 'panic-on-replicas'), 'ignore'),
)

PARAMETERS = HONOURED + ACCEPTED

# Directives of old files that Redis reads over (config.c, deprecated_configs).
OUTDATED = frozenset({b'list-max-ziplist-entries', b'list-max-ziplist-value', b'lua-replicate-commands'})

BY_NAME = {name.encode(): parameter for parameter in PARAMETERS for name in parameter.names()}

Hook = Callable[[], None]


class Config:
    """The values of one server. `config['maxclients']` is the value itself, by the parameter's own name."""

    def __init__(self) -> None:
        self._values: dict[str, Any] = {parameter.name: parameter.default for parameter in PARAMETERS}
        self._values['dir'] = working_directory()
        self._hooks: dict[str, list[Hook]] = {}
        self._warnings: list[str] = []

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def path(self, name: str) -> str:
        """The file that a parameter names, as an absolute path: a relative one is meant from `dir`. Empty for none."""
        named: str = self._values[name]
        return named and os.path.join(self._values['dir'], named)

    def allows(self, name: str, local: bool) -> bool:
        """What a choice of no, yes and local says about a client, `local` being one that came by loopback or a file."""
        choice: str = self._values[name]
        return choice == 'yes' or (choice == 'local' and local)

    def on_change(self, name: str, hook: Hook) -> None:
        """Have the hook called when CONFIG SET has given the parameter another value.

        It is called once for a whole CONFIG SET, however many of its parameters changed, with all of them in place.
        A hook that raises ConfigError has the old values put back; the hooks called so far are called again for them.
        """
        self._hooks.setdefault(name, []).append(hook)

    def lower_maxclients(self, count: int) -> None:
        """Note that the system cannot give descriptors for more clients than this."""
        self._values['maxclients'] = count

    def take_warnings(self) -> list[str]:
        """What the log should say about values that were set since the last time, a line each."""
        lines, self._warnings = self._warnings, []
        return lines

    # CONFIG GET and CONFIG SET

    def matching(self, patterns: Sequence[bytes]) -> dict[bytes, bytes]:
        """Names and values as CONFIG GET answers them: a plain name as it was asked for, aliases under their own."""
        found: dict[bytes, tuple[bytes, bytes]] = {}
        for pattern in dict.fromkeys(patterns):
            if any(special in pattern for special in (b'[', b'*', b'?')):
                wanted = list(filter(compile_glob(pattern, nocase=True), BY_NAME))
            else:
                wanted = [pattern] if pattern.lower() in BY_NAME else []
            for name in wanted:
                key = name.lower()
                found.setdefault(key, (name, self.show(BY_NAME[key])))
        return dict(found.values())

    def set_pairs(self, pairs: Sequence[tuple[bytes, bytes]], local: bool = True) -> None:
        """Set names to texts as CONFIG SET does: all of them or, with a ReplyError, none.

        `local` says whether the client may set protected parameters under `enable-protected-configs local`.
        """
        asked = self._checked(pairs, local)
        before, after = self._values, dict(self._values)
        hooks: dict[Hook, bytes] = {}
        for name, parameter, text in asked:
            words = [text]
            if parameter.kind.many:
                words = text.split(b' ') if text else []
            try:
                value = parameter.kind.read(words, after[parameter.name])
            except ConfigError as error:
                raise failed(name, str(error)) from error
            if value != after[parameter.name]:
                after[parameter.name] = value
                for hook in self._hooks.get(parameter.name, ()):
                    hooks.setdefault(hook, name)
        self._values = after
        self._call(hooks, before)
        self._warn(parameter for _, parameter, _ in asked)

    def _checked(self, pairs: Sequence[tuple[bytes, bytes]], local: bool) -> list[tuple[bytes, Parameter[Any], bytes]]:
        """The pairs with the name that an error about the value speaks of, and the parameter it belongs to."""
        asked: dict[bytes, tuple[bytes, Parameter[Any], bytes]] = {}
        for given, text in pairs:
            name = given.lower()
            parameter = BY_NAME.get(name)
            if parameter is None:
                raise ReplyError(b"ERR Unknown option or number of arguments for CONFIG SET - '%b'" % given)
            if parameter.immutable:
                raise failed(given, "can't set immutable config")
            if parameter.protected and not self.allows('enable-protected-configs', local):
                raise failed(given, "can't set protected config")
            if name in asked:
                raise failed(given, 'duplicate parameter')
            asked[name] = (name, parameter, text)
        return list(asked.values())

    def _call(self, hooks: dict[Hook, bytes], before: dict[str, Any]) -> None:
        """Call the hooks of values just set; when one refuses, put `before` back and call again those that saw more."""
        called: list[Hook] = []
        for hook, name in hooks.items():
            called.append(hook)
            try:
                hook()
            except ConfigError as error:
                self._warnings.append(
                    f'Failed applying new configuration. Possibly related to new {name.decode()} setting. '
                    'Restoring previous settings.'
                )
                self._values = before
                for again in called:
                    try:
                        again()
                    except ConfigError as second:
                        self._warnings.append(f'Failed applying restored failed CONFIG SET command: {second}')
                raise failed(name, str(error)) from error

    # Files and the command line

    def read_directive(self, words: Sequence[bytes]) -> None:
        """Take one directive of a file or one option of the command line, its name first.

        Raises ConfigError with the reason alone: the words may hold a password.
        """
        name, *arguments = words
        name = name.lower()
        parameter = BY_NAME.get(name)
        if parameter is None:
            if name in OUTDATED and len(arguments) == 1:
                return
            raise ConfigError(BAD_DIRECTIVE)
        if not parameter.kind.many:
            if len(arguments) != 1:
                raise ConfigError(WRONG_NUMBER_OF_ARGUMENTS)
        elif len(arguments) == 1 and arguments[0]:
            arguments = split_words(arguments[0]) or []
        self._values[parameter.name] = parameter.kind.read_line(arguments, self._values[parameter.name])

    def finish_reading(self) -> None:
        """All files and options are read: see what they ask for in vain, for take_warnings.

        Raises ConfigError for what the server cannot even pretend to do. Not earlier, for a later word may take it
        back: the file may be one for redis-server, with `--daemonize no` behind it.
        """
        for parameter in PARAMETERS:
            if parameter.refusal and self._values[parameter.name] != parameter.default:
                raise ConfigError(f'{parameter.name} {os.fsdecode(self.show(parameter))}: {parameter.refusal}')
        self._warn(PARAMETERS)

    def show(self, parameter: Parameter[V]) -> bytes:
        return parameter.kind.show(self._values[parameter.name])

    def _warn(self, parameters: Iterable[Parameter[Any]]) -> None:
        for parameter in parameters:
            if parameter.unkept and self._values[parameter.name] != parameter.default:
                shown = os.fsdecode(self.show(parameter))
                self._warnings.append(f'WARNING: "{parameter.name} {shown}" has no effect: {parameter.unkept}')


def working_directory() -> str:
    """Where the process stands; empty if that directory has been removed."""
    try:
        return os.getcwd()
    except FileNotFoundError:
        return ''


def failed(name: bytes, reason: str) -> ReplyError:
    text = b"ERR CONFIG SET failed (possibly related to argument '%b')" % name
    return ReplyError(text + (b' - ' + os.fsencode(reason) if reason else b''))
