"""Who has started the server and is to know how it fares: systemd, by datagrams, or upstart, by a stop.

See sd_notify(3), and "expect stop" of upstart's init(5).
"""

import os
import signal
import socket
from collections.abc import MutableMapping

from selredis.log import Log


class Supervisor:
    """Nobody. `name` is what INFO calls it."""

    name = 'no'

    def ready(self) -> None:
        """Clients may come in from now on."""

    def stopping(self) -> None:
        """The server has begun to end."""


class Upstart(Supervisor):
    name = 'upstart'

    def __init__(self, log: Log, environment: MutableMapping[str, str]) -> None:
        log.notice('supervised by upstart, will stop to signal readiness.')
        os.kill(os.getpid(), signal.SIGSTOP)
        environment.pop('UPSTART_JOB')


class Systemd(Supervisor):
    name = 'systemd'

    def __init__(self, log: Log, address: str) -> None:
        self.log = log
        self.address = '\0' + address[1:] if address.startswith('@') else address

    def ready(self) -> None:
        self.tell('STATUS=Ready to accept connections\n')
        self.tell('READY=1\n')

    def stopping(self) -> None:
        self.tell('STOPPING=1\n')

    def tell(self, text: str) -> bool:
        """Send a datagram; whether that could be done."""
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
                sock.connect(self.address)
                sock.send(text.encode())
        except OSError as error:
            self.log.warning(f'systemd supervision error: sd_notify: {error.strerror or error}')
            return False
        return True


def find_supervisor(mode: str, log: Log, environment: MutableMapping[str, str] = os.environ) -> Supervisor:
    """Who is there of those that `supervised` speaks of: upstart, systemd, auto for either, or no.

    Tells it that the server has begun. If it is not there, or cannot be told, the log says so, and it is nobody.
    """
    if mode == 'auto':
        if 'UPSTART_JOB' in environment:
            log.verbose('Upstart supervision detected.')
            mode = 'upstart'
        elif 'NOTIFY_SOCKET' in environment:
            log.verbose('Systemd supervision detected.')
            mode = 'systemd'
    if mode == 'upstart':
        if 'UPSTART_JOB' in environment:
            return Upstart(log, environment)
        log.warning('upstart supervision requested, but UPSTART_JOB not found!')
    elif mode == 'systemd':
        address = environment.get('NOTIFY_SOCKET')
        if not address:
            log.warning('systemd supervision error: NOTIFY_SOCKET not found!')
        else:
            systemd = Systemd(log, address)
            if systemd.tell('STATUS=Redis is loading...\n'):
                log.notice(
                    'Supervised by systemd. Please make sure you set appropriate values for TimeoutStartSec and'
                    ' TimeoutStopSec in your service unit.'
                )
                return systemd
    return Supervisor()
