"""The command line: `selredis [FILE] [--option value ...] [-]`, as redis-server takes it."""

import gc
import os
import platform
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress

from selredis.config import Config
from selredis.config_file import ConfigFileError, Invocation, UnreadableConfigFile, load, parse_command_line
from selredis.driver import Driver
from selredis.engine.command import CommandTable
from selredis.errors import ConfigError
from selredis.log import Log
from selredis.net.listener import ListenError
from selredis.process import OomScore, allocator, hash_seed_is_fixed, run_on_processors
from selredis.server import Server
from selredis.supervision import find_supervisor
from selredis.version import ARCH_BITS, GIT_DIRTY, GIT_SHA1, REDIS_VERSION, SELREDIS_VERSION, build_id

STANDARD_INPUT, STANDARD_ERROR = 0, 2
PID_FILE = '/var/run/redis.pid'  # of a server in the background, unless it is told another (redis config.h)

FIXED_HASH_SEED = (
    'WARNING The environment variable PYTHONHASHSEED is set: hashes of keys are predictable, and a client can choose'
    ' keys that make commands slow. To fix this issue unset PYTHONHASHSEED and restart the server.'
)

USAGE = """\
Usage: selredis [/path/to/redis.conf] [options] [-]
       selredis - (read the configuration from standard input)
       selredis -v or --version
       selredis -h or --help

Every parameter of the configuration is an option, too; the last word on one wins.

Examples:
       selredis (run the server with default values)
       selredis /etc/redis/6379.conf
       selredis --port 7777
       selredis --port 0 --bind 127.0.0.1 (any free port; the log tells which)
       echo 'maxclients 128' | selredis -
       selredis /etc/myredis.conf --loglevel verbose
"""


def main(arguments: Sequence[str] | None = None, make_driver: Callable[[Config, Log], Driver] = Server) -> int:
    """Run a server until it is told to stop. The exit code: 0, or 1 when the start failed."""
    open_standard_descriptors()
    invocation = parse_command_line(sys.argv[1:] if arguments is None else arguments)
    if invocation.wants == 'version':
        print(version_line())
        return 0
    if invocation.wants == 'help':
        print(USAGE, end='', file=sys.stderr)
        return 1
    commands = CommandTable()
    config = Config(commands.rename)
    log = Log()
    try:
        stdin = read_standard_input() if invocation.from_stdin else b''
        load(config, invocation.file, stdin, invocation.options)
        log.set(config['loglevel'], config.path('logfile'))
        if log.path:
            check_log_file(log.path)
    except ConfigFileError as error:
        print(error.block(REDIS_VERSION), end='', file=sys.stderr)
        return 1
    except UnreadableConfigFile as error:
        log.warning(str(error))
        return 1
    supervisor = find_supervisor(config['supervised'], log)
    in_background = config['daemonize'] and supervisor.name == 'no'
    if in_background:
        go_to_background()
    if config['syslog-enabled']:
        log.open_syslog(config['syslog-ident'], config['syslog-facility'])
    server = make_driver(config, log)
    server.engine.commands = commands
    server.supervisor = supervisor
    server.engine.deployment.supervised = supervisor.name
    pid_file = config.path('pidfile') or (PID_FILE if in_background else '')
    return serve(server, invocation, pid_file)


def version_line() -> str:
    """The line that `redis-server --version` prints, and the versions of selredis and Python.

    Redis's version comes first: programs that start a server take the first dotted number for it.
    """
    return (
        f'Redis server v={REDIS_VERSION} sha={GIT_SHA1}:{GIT_DIRTY} malloc={allocator()} bits={ARCH_BITS}'
        f' build={build_id()} selredis={SELREDIS_VERSION} python={platform.python_version()}'
    )


def serve(server: Driver, invocation: Invocation, pid_path: str = '') -> int:
    """Start, serve, stop in order; every step is a line of the log."""
    config, log = server.config, server.log
    log.notice(
        f'selredis {SELREDIS_VERSION} is starting as Redis {REDIS_VERSION},'
        f' Python {platform.python_version()}, PID: {os.getpid()}'
    )
    if invocation.file is None and not invocation.from_stdin and not invocation.options:
        log.warning(
            'Warning: no config file specified, using the default config.'
            ' In order to specify a config file use selredis /path/to/redis.conf'
        )
    else:
        log.notice('Configuration loaded')
    for warning in config.take_warnings():
        log.warning(warning)
    server.engine.deployment.config_file = invocation.file or ''
    place_process(config, log)
    take_signals(server)
    try:
        server.open()
    except ListenError as error:
        log.warning(str(error))
        return 1
    pid_file = PidFile(pid_path, log)
    keep_collector_quiet()
    log.notice('Server initialized')
    if hash_seed_is_fixed():
        log.warning(FIXED_HASH_SEED)
    for kind in server.kinds():
        log.notice(f'Ready to accept connections {kind}')
    server.supervisor.ready()
    server.run()
    pid_file.remove()
    server.close()
    log.warning('Redis is now ready to exit, bye bye...')
    return 0


def go_to_background() -> None:
    """Let whoever has started the server go on, and have nothing more to do with its terminal.

    What the log tells goes on in a file, or to nobody.
    """
    if os.fork():
        os._exit(0)
    os.setsid()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(STANDARD_ERROR + 1):
        os.dup2(nowhere, descriptor)
    os.close(nowhere)


def open_standard_descriptors() -> None:
    """Open what is closed of descriptors 0 to 2, or a client's socket would become one of them and get the log."""
    while (fd := os.open(os.devnull, os.O_RDWR)) <= STANDARD_ERROR:
        pass
    os.close(fd)


def read_standard_input() -> bytes:
    with open(STANDARD_INPUT, 'rb', closefd=False) as stdin:
        return stdin.read()


def check_log_file(path: str) -> None:
    """Raises ConfigFileError if the log file cannot be written."""
    try:
        with open(path, 'ab'):
            return
    except OSError as error:
        raise ConfigFileError(f"Can't open the log file: {error.strerror}") from error


class PidFile:
    """The file that tells the server's process id while it runs."""

    def __init__(self, path: str, log: Log) -> None:
        self.path = path
        self.log = log
        if path:
            try:
                with open(path, 'w') as file:
                    file.write(f'{os.getpid()}\n')
            except OSError as error:
                log.warning(f'Failed to write PID file: {error.strerror}')
                self.path = ''

    def remove(self) -> None:
        if self.path:
            self.log.notice('Removing the pid file.')
            try:
                os.unlink(self.path)
            except FileNotFoundError:
                return


def place_process(config: Config, log: Log) -> None:
    """Have the system treat this process as the configuration says, where it can."""
    oom_score = OomScore()

    def apply_oom_score() -> None:
        try:
            oom_score.apply(config['oom-score-adj'], config['oom-score-adj-values'][0])
        except OSError as error:
            log.warning(f'Unable to write oom_score_adj: {error.strerror}')
            raise ConfigError('Failed to set current oom_score_adj. Check server logs.') from error

    with suppress(ConfigError):  # it is in the log, and the server can do without
        apply_oom_score()
    config.on_change('oom-score-adj', apply_oom_score)
    config.on_change('oom-score-adj-values', apply_oom_score)
    if config['server_cpulist']:
        try:
            run_on_processors(config['server_cpulist'])
        except (OSError, ValueError) as error:
            log.warning(f'server_cpulist has no effect: {error}')


def take_signals(server: Driver) -> None:
    """SIGINT and SIGTERM end the server in order, a second SIGINT at once; SIGHUP and SIGPIPE mean nothing to it."""

    def on_signal(number: int) -> None:
        name = signal.Signals(number).name
        if server.signal_name and number == signal.SIGINT:
            server.log.warning('You insist... exiting now.')
            os._exit(1)
        server.signal_name = name
        server.log.warning(f'Received {name} scheduling shutdown...')

    server.call_on_signal(signal.SIGINT, on_signal)
    server.call_on_signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)


def keep_collector_quiet() -> None:
    """Keep Python's cycle collector from stopping the server: it took up to 111 ms over a million hashes.

    Keys, values and clients hold no cycles (a test holds that), so counting references frees them all.
    """
    gc.collect()
    gc.freeze()
    gc.disable()
