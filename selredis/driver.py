"""What a server does between its clients' bytes, whatever loop brings them.

A driver takes newcomers, hands what they send to the engine and carries the replies back. This is the part of it that
does not depend on how descriptors are watched: who may come in, what happens once a turn and `hz` times a second, and
how it ends.
"""

from __future__ import annotations

import os
import resource
import socket
import sys
from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple, Protocol

import selredis.commands  # noqa: F401  (importing them fills the command table)
from selredis.clock import Clock, SystemClock
from selredis.config import Config
from selredis.engine.client import Client
from selredis.engine.engine import Engine
from selredis.engine.executor import SLICE_MS
from selredis.errors import ConfigError, TlsError
from selredis.log import Log
from selredis.net.listener import ListenError, format_address, listen_tcp, listen_unix
from selredis.net.remote_client import ConnectionTable, RemoteClient
from selredis.resp.parser import ParserLimits
from selredis.supervision import Supervisor
from selredis.timers import Timers

RESERVED_DESCRIPTORS = 32  # for listeners, the log, files (redis server.h, CONFIG_MIN_RESERVED_FDS)
LAST_FLUSH_MS = 1_000  # at the end: how long peers may take to read what is left for them
DEFECT_PAUSE_MS = 1_000  # from one report of what fails between turns to the next: it may fail in all of them
LONGEST_KEEPALIVE_SECONDS = 32767  # Linux refuses more (net/tcp.h, MAX_TCP_KEEPIDLE)

KINDS = ('tcp', 'unix', 'tls')  # of connections, in the order in which Redis numbers them

TOO_MANY = b'-ERR max number of clients reached\r\n'
PROTECTED = (
    b'-DENIED Redis is running in protected mode because protected mode is enabled and no password is set for the'
    b' default user. In this mode connections are only accepted from the loopback interface. If you want to connect'
    b' from external computers to Redis you may adopt one of the following solutions: 1) Just disable protected mode'
    b" sending the command 'CONFIG SET protected-mode no' from the loopback interface by connecting to Redis from the"
    b' same host the server is running, however MAKE SURE Redis is not publicly accessible from internet if you do so.'
    b' Use CONFIG REWRITE to make this change permanent. 2) Alternatively you can just disable the protected mode by'
    b" editing the Redis configuration file, and setting the protected mode option to 'no', and then restarting the"
    b" server. 3) If you started the server manually just for testing, restart it with the '--protected-mode no'"
    b' option. 4) Set up an authentication password for the default user. NOTE: You only need to do one of the above'
    b' things in order for the server to start accepting connections from the outside.\r\n'
)

# Whose change means another context of TLS.
TLS_PARAMETERS = (
    'tls-cert-file',
    'tls-key-file',
    'tls-key-file-pass',
    'tls-dh-params-file',
    'tls-ca-cert-file',
    'tls-ca-cert-dir',
    'tls-auth-clients',
    'tls-protocols',
    'tls-ciphers',
    'tls-ciphersuites',
    'tls-prefer-server-ciphers',
    'tls-session-caching',
)


class Listening(Protocol):
    """A listening socket that newcomers of one of KINDS are taken from until it is closed."""

    sock: socket.socket
    kind: str

    def close(self) -> None:
        """Take no more. A unix socket's file goes, too."""


class Binding(NamedTuple):
    """What the listeners of one kind were asked for: where, and by which port (0 for a free one)."""

    addresses: tuple[str, ...]
    port: int


class Origin(NamedTuple):
    """Where a newcomer is from and where it has come to, as CLIENT LIST tells; whether it is on this machine."""

    addr: bytes
    laddr: bytes
    local: bool


class Driver:
    """One server: `open` its listeners, `run` it, `close` it. Servers in one process share nothing.

    A driver of some loop provides `add_listener`, `call_again`, `call_on_signal`, `run`, `stop`, `end` and `close`, and
    has `before_sleep` called once a turn, behind everything that clients have said in it.

    `free_port`: port 0 means a free port even if clients may come in otherwise, too; without it, as in Redis, a server
    with port 0 and a unix socket or a TLS port has no port for plain TCP.
    """

    def __init__(
        self,
        config: Config,
        log: Log,
        clock: Clock | None = None,
        timers: Timers | None = None,
        *,
        free_port: bool = False,
    ) -> None:
        self.config = config
        self.log = log
        self.clock = clock or SystemClock()
        self.engine = Engine(config, self.clock, Random(), log, timers)
        self.table = ConnectionTable()
        self.limits = ParserLimits(config['proto-max-bulk-len'])
        self.listeners: list[Listening] = []
        self.bindings: dict[str, Binding] = {}  # by kind
        self.port = self.asked_port = 0
        self.host = ''
        self.supervisor = Supervisor()
        self.free_port = free_port
        self.expire_backlog = False
        self.stopping = False
        self.signal_name = ''  # of a signal that asks for the end; a handler may set it at any moment
        self.reported_ms: int | None = None  # when a failure between turns was last told of
        self.engine.deployment.executable = sys.executable
        config.on_change('loglevel', self.apply_log)
        config.on_change('proto-max-bulk-len', self.apply_limits)
        config.on_change('maxclients', self.apply_maxclients)
        for name in TLS_PARAMETERS:  # before those that open what needs the context
            config.on_change(name, self.apply_tls)
        config.on_change('bind', self.rebind_addresses)
        for name in ('port', 'tls-port'):
            config.on_change(name, self.rebind_ports)

    # What a loop provides

    def add_listener(self, sock: socket.socket, kind: str) -> None:
        """Take newcomers of one of KINDS from a listening socket, from the next turn on; adds to `listeners`."""
        raise NotImplementedError

    def prepare_tls(self) -> None:
        """Have newcomers of TLS speak it as is configured now. Raises TlsError; then all stays as it was."""
        raise TlsError('TLS is not supported by this driver.')

    def call_again(self) -> None:
        """Do not wait at the end of this turn: there is more to do in the next."""
        raise NotImplementedError

    def call_on_signal(self, number: int, callback: Callable[[int], object]) -> None:
        """Call back, with its number, soon after each such signal. In the main thread only."""
        raise NotImplementedError

    def run(self) -> None:
        """Serve until SHUTDOWN, a signal noted in `signal_name`, or `stop`."""
        raise NotImplementedError

    def stop(self) -> None:
        """End `run` in order; may be called from another thread."""
        raise NotImplementedError

    def end(self) -> None:
        """Have `run` return when the present turn is over."""
        raise NotImplementedError

    def close(self) -> None:
        """Give back everything that the server holds of the system."""
        raise NotImplementedError

    # Start and end

    def open(self) -> None:
        """Listen where the configuration says. Raises ListenError; then nothing stays open."""
        config = self.config
        try:
            self.raise_descriptor_limit()
            if config['tls-port']:
                self.prepare_tls()
            self.open_ports()
            if config['unixsocket']:
                path = config.path('unixsocket')
                self.add_listener(listen_unix(path, config['unixsocketperm'], config['tcp-backlog']), 'unix')
            if not self.listeners:
                raise ListenError('Configured to not listen anywhere, exiting.')
        except ListenError:
            self.close()
            raise
        except TlsError as error:
            self.close()
            self.log.warning(str(error))
            raise ListenError('Failed to configure TLS. Check logs for more info.') from error
        for listener in self.listeners:
            secured = ' (tls)' if listener.kind == 'tls' else ''
            self.log.notice(f'Listening on {format_address(listener.sock.getsockname())}{secured}')
        self.engine.timers.call_at(self.engine.monotonic_ms(), self.cron)

    def wanted_bindings(self) -> dict[str, Binding]:
        """What the configuration asks for, by kind."""
        config = self.config
        wanted = {}
        if config['port'] or self.free_port or not (config['unixsocket'] or config['tls-port']):
            wanted['tcp'] = Binding(config['bind'], config['port'])
        if config['tls-port']:
            wanted['tls'] = Binding(config['bind'], config['tls-port'])
        return wanted

    def open_ports(self) -> None:
        """Listen on those ports that are wanted and not open yet. Raises ListenError."""
        for kind, binding in self.wanted_bindings().items():
            if kind in self.bindings:
                continue
            port = binding.port
            if kind == 'tcp':
                if self.asked_port != port:
                    self.asked_port = self.port = port
                port = self.port  # a free port that was found once is kept when the addresses change
            for sock in listen_tcp(binding.addresses, port, self.config['tcp-backlog'], self.log.warning, kind):
                if kind == 'tcp':
                    self.host, self.port = self.host or sock.getsockname()[0], sock.getsockname()[1]
                self.add_listener(sock, kind)
            self.bindings[kind] = binding
        deployment = self.engine.deployment
        deployment.tcp_port = self.port if 'tcp' in self.bindings else 0
        deployment.tls_port = self.config['tls-port']

    def shut_down(self) -> None:
        """Begin the end: no new connections and no more commands, but who is owed replies may still take them."""
        if self.stopping:
            return
        self.stopping = True
        self.engine.timers.call_at(self.engine.monotonic_ms() + LAST_FLUSH_MS, self.end)
        self.call_again()
        self.supervisor.stopping()
        self.close_listeners()
        for connection in self.table.all():
            connection.close_after_replies()

    def close_listeners(self, kind: str = '') -> None:
        """Take no more newcomers of that kind, or of any."""
        closing = [listener for listener in self.listeners if kind in ('', listener.kind)]
        self.listeners = [listener for listener in self.listeners if listener not in closing]
        for listener in closing:
            if listener.kind == 'unix':
                self.log.notice('Removing the unix socket file.')
            listener.close()

    def kinds(self) -> list[str]:
        """What there is to connect by, of KINDS."""
        open_ = {listener.kind for listener in self.listeners}
        return [kind for kind in KINDS if kind in open_]

    # Turns

    def before_sleep(self) -> None:
        """Once a turn, before the wait. Closing comes last: nothing is closed while a table is being walked."""
        engine = self.engine
        stats = engine.stats
        stats.turns += 1
        commands = stats.commands
        if commands - stats.commands_before_turn > stats.most_commands_a_turn:
            stats.most_commands_a_turn = commands - stats.commands_before_turn
        stats.commands_before_turn = commands
        # A defect of ours costs what it hits. Everybody gets replies all the same, and the server ends when it is told.
        try:
            if engine.keyspace.ready:
                engine.serve_ready()
            if engine.runnable and not engine.shutdown_requested:
                self.resume()
            if self.expire_backlog:
                self.in_background(self.expire)
            if engine.tracking.changed:
                engine.tracking.broadcast()
        except Exception as error:
            self.report(error)
        try:
            if engine.to_flush:
                self.flush()
            if engine.client_eviction.due:
                engine.client_eviction.evict()
            if engine.doomed:
                self.close_doomed()
        except Exception as error:
            self.report(error)
        if self.stopping:
            if not self.table:
                self.end()
        elif engine.shutdown_requested or (self.signal_name and self.may_end()):
            self.log.notice('User requested shutdown...')
            try:
                self.shut_down()
            except Exception as error:
                self.report(error)

    def may_end(self) -> bool:
        """Whether a signal ends the server; not if it is to save the data first, for that cannot be done yet."""
        options = self.config[f'shutdown-on-{self.signal_name.lower()}']
        if 'save' not in options or 'force' in options:
            return True
        self.log.warning(
            f"Nothing can be saved to disk yet, can't exit: shutdown-on-{self.signal_name.lower()} asks for it"
        )
        self.log.warning('Errors trying to shut down the server. Check the logs for more information.')
        self.signal_name = ''
        return False

    def report(self, error: Exception, text: str = 'What goes on between turns failed') -> None:
        """Log what has failed between turns, once a while."""
        now_ms = self.engine.monotonic_ms()
        if self.reported_ms is None or now_ms - self.reported_ms >= DEFECT_PAUSE_MS:
            self.reported_ms = now_ms
            self.log.defect(text, error)

    def resume(self) -> None:
        """Let clients go on whose commands or input had to wait. What they make runnable has its turn next.

        However many there are, it takes no longer than two of them may; the others keep their places.
        """
        engine = self.engine
        runnable, engine.runnable = engine.runnable, []
        stop_ms = engine.monotonic_ms() + SLICE_MS
        place = 0
        try:
            for client in runnable:
                place += 1
                try:
                    client.resume()
                except Exception as error:
                    self.on_callback_error(client.fd, error)
                if engine.monotonic_ms() > stop_ms:
                    break
        finally:
            engine.runnable[:0] = runnable[place:]
        if engine.runnable or engine.keyspace.ready:
            self.call_again()

    def expire(self) -> None:
        """A slice of active expiry; while many keys are due, one every turn."""
        self.expire_backlog = self.engine.expire_some()
        if self.expire_backlog:
            self.call_again()

    def flush(self) -> None:
        to_flush = self.engine.to_flush
        for client in to_flush:
            try:
                client.flush()
            except Exception as error:
                self.on_callback_error(client.fd, error)
        eviction = self.engine.client_eviction
        try:
            if eviction.limit_bytes:
                for client in to_flush:
                    eviction.note(client)
        finally:
            to_flush.clear()

    def close_doomed(self) -> None:
        """Close who is to be closed; a client that is still owed replies is closed when it has taken them.

        If closing a client fails (MemoryError), it is tried again in the next turn.
        """
        doomed = self.engine.doomed
        failed: list[Client] = []
        place = 0
        try:
            for client in doomed:  # including those that closing another one adds
                if not self.try_to_close(client):
                    failed.append(client)
                place += 1
        finally:
            doomed[:place] = failed

    def try_to_close(self, client: Client) -> bool:
        """Close a client if it is closable. Return False after a failure, which is logged; the socket is closed."""
        try:
            connection = self.table.by_id(client.id)
            if connection is None:
                self.engine.forget(client)
            elif connection.closable:
                connection.close()
        except Exception as error:
            self.report(error, f'Closing client id={client.id} failed')
            return False
        return True

    def cron(self) -> None:
        """`hz` times a second: what goes on without any client asking for it."""
        engine = self.engine
        now_ms = engine.monotonic_ms()
        engine.timers.call_at(now_ms + 1000 // self.config['hz'], self.cron)
        if not engine.cron_paused:
            self.in_background(self.housekeeping)

    def in_background(self, work: Callable[[], object]) -> None:
        """Run background work and count its time."""
        read_ns = self.engine.clock.monotonic_ns
        begin_ns = read_ns()
        work()
        self.engine.stats.cron_ns += read_ns() - begin_ns

    def housekeeping(self) -> None:
        """What `cron` does each time: statistics, expiry, limits of memory and time."""
        self.engine.tick()
        if not self.expire_backlog:
            self.expire()
        for connection in list(self.table.over_soft_limit):
            connection.check_output_limit()
        if self.config['timeout']:
            self.close_idle(self.config['timeout'] * 1000)

    def close_idle(self, idle_ms: int) -> None:
        """Close who has been silent for longer; subscribers, monitors and waiting clients may be (redis timeout.c)."""
        oldest_ms = self.engine.now_ms - idle_ms
        for connection in self.table.all():
            if connection.last_active_ms >= oldest_ms or connection.wait is not None:
                continue
            if not (connection.subscribed or connection in self.engine.monitors):
                self.log.verbose('Closing idle client')
                connection.doom()

    # Newcomers

    def refusal(self, local: bool) -> bytes:
        """Why a newcomer may not stay, as its error; empty if it may."""
        return self.crowded() or self.admission_error(local)

    def crowded(self) -> bytes:
        """The error for a newcomer while there are as many clients as there may be, otherwise empty."""
        if len(self.table) < self.config['maxclients']:
            return b''
        self.engine.stats.rejected_connections += 1
        return TOO_MANY

    def admission_error(self, local: bool) -> bytes:
        """Why a newcomer that can be spoken to may not stay; empty if it may, and then it is counted."""
        config = self.config
        if config['protected-mode'] and not config['requirepass'] and not local:
            self.engine.stats.rejected_connections += 1
            return PROTECTED
        self.engine.stats.connections += 1
        return b''

    def introduce(self, client: RemoteClient, sock: socket.socket, origin: Origin) -> None:
        """Note who and where a newcomer is, and have the system ask it now and then whether it still is.

        Raises OSError if it has gone already.
        """
        client.fd = sock.fileno()
        client.addr, client.laddr, client.local = origin
        if sock.family == socket.AF_UNIX:
            self.log.verbose(f'Accepted connection to {self.config["unixsocket"]}')
            return
        if self.config['tcp-keepalive']:
            keep_alive(sock, self.config['tcp-keepalive'])
        self.log.verbose(f'Accepted {client.addr.decode()}')

    def on_out_of_descriptors(self, error: OSError) -> None:
        self.log.warning(f'Accepting client connection: {error.strerror}: no more until some descriptors are free')

    def on_callback_error(self, fd: int, error: Exception) -> None:
        """A defect of ours costs the connection that met it, not the server."""
        connection = self.table.by_fd(fd)
        if connection is None:
            self.log.defect('A callback failed', error)
        else:
            self.log.defect(f'Closing client id={connection.id}: its callback failed', error)
            try:
                connection.doom()
            except Exception as failure:  # close_doomed tries again
                self.report(failure, f'Removing client id={connection.id} failed')

    # Configuration

    def apply_log(self) -> None:
        self.log.set(self.config['loglevel'], self.log.path)

    def apply_limits(self) -> None:
        self.limits.max_bulk_bytes = self.config['proto-max-bulk-len']

    def apply_maxclients(self) -> None:
        """Raises ConfigError if the system has fewer descriptors than so many clients need."""
        wanted = self.config['maxclients']
        self.raise_descriptor_limit()
        if self.config['maxclients'] < wanted:
            raise ConfigError(
                'The operating system is not able to handle the specified number of clients, try with'
                f' {self.config["maxclients"]}'
            )

    def apply_tls(self) -> None:
        """Raises ConfigError if TLS cannot be had as it is configured now; it goes on as it was then."""
        if not self.config['tls-port']:
            return
        try:
            self.prepare_tls()
        except TlsError as error:
            self.log.warning(str(error))
            raise ConfigError('Unable to update TLS configuration. Check server logs.') from error

    def rebind_addresses(self) -> None:
        self.rebind('Failed to bind to specified addresses.')

    def rebind_ports(self) -> None:
        self.rebind('Unable to listen on this port. Check server logs.')

    def rebind(self, failure: str) -> None:
        """Listen on the addresses and the ports that are configured now; the old ones stay if that fails.

        Raises ConfigError(failure).
        """
        wanted = self.wanted_bindings()
        if 'tls' in wanted and 'tls' not in self.bindings:
            self.apply_tls()
        for kind, binding in list(self.bindings.items()):
            if wanted.get(kind) != binding:
                self.close_listeners(kind)
                del self.bindings[kind]
        ports = self.asked_port, self.port
        try:
            self.open_ports()
        except ListenError as error:
            self.asked_port, self.port = ports
            raise ConfigError(failure) from error

    def raise_descriptor_limit(self) -> None:
        """Raise RLIMIT_NOFILE as far as maxclients needs; where the system refuses, lower maxclients and say so.

        Raises ListenError if not even a single client could come in.
        """
        clients = self.config['maxclients']
        wanted = clients + RESERVED_DESCRIPTORS
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft == resource.RLIM_INFINITY or soft >= wanted:
            return
        try:
            unlimited = hard == resource.RLIM_INFINITY
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard if unlimited else max(wanted, hard)))
            self.log.notice(f'Increased maximum number of open files to {wanted} (it was originally set to {soft}).')
            return
        except (OSError, ValueError) as error:
            reason = str(error)  # alone: the traceback of the error holds this frame, and so would hold itself
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        if hard <= RESERVED_DESCRIPTORS:
            raise ListenError(
                f"Your current 'ulimit -n' of {soft} is not enough for the server to start."
                f' Please increase your open file limit to at least {wanted}. Exiting.'
            )
        self.config.lower_maxclients(hard - RESERVED_DESCRIPTORS)
        self.log.warning(f'You requested maxclients of {clients} requiring at least {wanted} max file descriptors.')
        self.log.warning(f"Server can't set maximum open files to {wanted} because of OS error: {reason}.")
        self.log.warning(
            f'Current maximum open files is {hard}. maxclients has been reduced to {hard - RESERVED_DESCRIPTORS} to'
            " compensate for low ulimit. If you need higher maxclients increase 'ulimit -n'."
        )


def refuse(sock: socket.socket, error: bytes) -> None:
    """Tell a newcomer why it cannot stay, if it listens, and hang up."""
    with sock:
        sock.setblocking(False)
        try:
            sock.send(error)
        except OSError:
            return


def origin_of(sock: socket.socket, name: Any) -> Origin:
    """Where a newcomer comes from; `name` is its end of the socket as the system tells it.

    For a unix socket that is its path, for both ends. Raises OSError if the newcomer has gone already.
    """
    if sock.family == socket.AF_UNIX:
        path = os.fsencode(sock.getsockname()) + b':0'
        return Origin(path, path, local=True)
    return Origin(format_address(name).encode(), format_address(sock.getsockname()).encode(), is_local(name[0]))


def is_local(host: str) -> bool:
    """Whether an address is one of this machine alone."""
    return host == '::1' or host.startswith(('127.', '::ffff:127.'))


def keep_alive(sock: socket.socket, seconds: int) -> None:
    """Have the system ask silent peers whether they are still there (redis anet.c, anetKeepAlive)."""
    seconds = min(seconds, LONGEST_KEEPALIVE_SECONDS)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, 'TCP_KEEPIDLE'):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, seconds)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, max(1, seconds // 3))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)
