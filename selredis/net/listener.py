"""Listening sockets: opening them as the configuration says, and accepting in bounded bursts."""

from __future__ import annotations

import errno
import os
import socket
import stat
from collections.abc import Callable, Sequence
from typing import Any

from selredis.net.loop import Loop
from selredis.timers import Timer, Timers

ACCEPTS_A_TURN = 64  # so that a flood of newcomers cannot starve those who are in
PAUSE_MS = 100  # without descriptors: how long until the next try
PORT_TRIES = 16  # free ports tried until one is free on every address

NO_DESCRIPTORS = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
# Of an address that is optional ("-::1"), what may be wrong with it (redis server.c, listenToPort).
ADDRESS_MISSING = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT, errno.EPROTO)


class ListenError(Exception):
    """No address, or no descriptors, to take connections with; str() is the line for the log."""


class Listener:
    """One listening socket; its `kind` is what its newcomers are, in Redis's words: `tcp`, `unix` or `tls`.

    `accepted(sock, name)` is called for each newcomer, with where it comes from as the system tells it,
    `out_of_descriptors(error)` once a pause.
    """

    def __init__(
        self,
        loop: Loop,
        timers: Timers,
        sock: socket.socket,
        kind: str,
        accepted: Callable[[socket.socket, Any], object],
        out_of_descriptors: Callable[[OSError], object],
    ) -> None:
        self.loop = loop
        self.timers = timers
        self.sock = sock
        self.kind = kind
        self.accepted = accepted
        self.out_of_descriptors = out_of_descriptors
        self.pause: Timer | None = None
        self.short_of_descriptors = False
        sock.setblocking(False)
        self.listen()

    @property
    def address(self) -> str:
        """`127.0.0.1:6379`, `[::1]:6379`, or the path of a unix socket."""
        return format_address(self.sock.getsockname())

    def listen(self) -> None:
        """Accept newcomers from the next turn on."""
        self.pause = None
        self.loop.add_reader(self.sock.fileno(), self.on_readable)

    def on_readable(self) -> None:
        """Accept as many as a turn allows."""
        for _ in range(ACCEPTS_A_TURN):
            try:
                sock, name = self.sock.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in NO_DESCRIPTORS:
                    continue  # a trouble of that newcomer's network, which has lost it (accept(2))
                # The newcomer stays in the kernel's queue, and the socket readable: trying on would only spin.
                if not self.short_of_descriptors:
                    self.short_of_descriptors = True
                    self.out_of_descriptors(error)
                self.loop.remove_reader(self.sock.fileno())
                self.pause = self.timers.call_at(self.loop.now_ms() + PAUSE_MS, self.listen)
                return
            self.short_of_descriptors = False
            self.accepted(sock, name)

    def close(self) -> None:
        """Accept no more. A unix socket's file goes, too, if it is still this one's."""
        if self.pause is not None:
            self.pause.cancel()
        self.loop.forget(self.sock.fileno())
        name = self.sock.getsockname()
        self.sock.close()
        if isinstance(name, str) and name:
            remove_socket_file(name)


def format_address(name: tuple[str, int] | tuple[str, int, int, int] | str) -> str:
    if isinstance(name, str):
        return name
    host, port = name[:2]
    return f'[{host}]:{port}' if ':' in host else f'{host}:{port}'


def listen_tcp(
    addresses: Sequence[str], port: int, backlog: int, log: Callable[[str], object], kind: str = 'tcp'
) -> list[socket.socket]:
    """Open a socket for every address, all on one port; port 0 is one that is free on all of them.

    A `-` before an address makes it optional, `*` is every IPv4 address and `::*` every IPv6 one. Raises ListenError,
    which calls them by their `kind`.
    """
    for _ in range(PORT_TRIES):
        sockets: list[socket.socket] = []
        chosen = port
        try:
            for address in addresses:
                sock = _open(address, chosen, backlog, log, kind)
                if sock is not None:
                    sockets.append(sock)
                    chosen = sock.getsockname()[1]
        except ListenError:
            for sock in sockets:
                sock.close()
            if port == 0 and sockets:
                continue
            raise
        if addresses and not sockets:
            raise ListenError(f'Failed listening on port {port} ({kind}), aborting.')
        return sockets
    raise ListenError(f'Failed listening on port {port} ({kind}), aborting.')


def _open(address: str, port: int, backlog: int, log: Callable[[str], object], kind: str) -> socket.socket | None:
    optional = address.startswith('-')
    host = address.removeprefix('-')
    sock: socket.socket | None = None
    try:
        name = {'*': '0.0.0.0', '::*': '::'}.get(host, host)
        family, where = resolve(name, port)
        sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(where)
        sock.listen(backlog)
    except OSError as error:
        if sock is not None:
            sock.close()
        if optional and (error.errno in ADDRESS_MISSING or isinstance(error, socket.gaierror)):
            return None
        reason = error.strerror or str(error)
        log(f'Warning: Could not create server TCP listening socket {host}:{port}: bind: {reason}')
        raise ListenError(f'Failed listening on port {port} ({kind}), aborting.') from error
    return sock


def resolve(host: str, port: int) -> tuple[int, Any]:
    """The first address of a host, and its family. Raises OSError if there is none."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except UnicodeError as error:  # no host can have such a name
        raise socket.gaierror(socket.EAI_NONAME, 'Name or service not known') from error
    family, _, _, _, where = found[0]
    return family, where


def listen_unix(path: str, mode: int, backlog: int) -> socket.socket:
    """Open a unix socket; mode 0 leaves the permissions to umask.

    A socket that an earlier run left behind is replaced, and so is an empty regular file (a temporary file, whose name
    was chosen with it). Raises ListenError if there is anything else, or if the system refuses.
    """
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        make_way(path)
        sock.bind(path)
        if mode:
            os.chmod(path, mode)
        sock.listen(backlog)
    except OSError as error:
        sock.close()
        raise ListenError(f'Failed opening Unix socket: bind: {error.strerror or error}') from error
    except ListenError:
        sock.close()
        raise
    return sock


def make_way(path: str) -> None:
    """Remove a stale socket or an empty regular file. Raises ListenError if something else has the name."""
    if not os.path.lexists(path):
        return
    if not is_replaceable(path):
        raise ListenError(f'Failed opening Unix socket: {path} exists and is neither a socket nor an empty file')
    os.unlink(path)


def is_replaceable(path: str) -> bool:
    """Whether there is a socket or an empty regular file, or a symbolic link to one."""
    try:
        found = os.stat(path)
    except FileNotFoundError:  # a symbolic link to nothing
        return False
    return stat.S_ISSOCK(found.st_mode) or (stat.S_ISREG(found.st_mode) and found.st_size == 0)


def remove_socket_file(path: str) -> None:
    """Remove a unix socket's file; never a file of another kind."""
    try:
        if stat.S_ISSOCK(os.lstat(path).st_mode):
            os.unlink(path)
    except FileNotFoundError:
        return
