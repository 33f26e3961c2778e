"""A server inside another program, for the length of a `with` block: `with selredis.serve() as server: ...`.

The one file that may use threads: the server runs in one of its own, and everything in it stays in that thread.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from selredis.config import Config
from selredis.log import Log
from selredis.server import Server

JOIN_SECONDS = 10


class EmbeddedServer:
    """Where a server that runs in this process is reached: `host` and `port`, `unix_socket` ('' if it has none)."""

    def __init__(self, server: Server) -> None:
        self.host = server.host
        self.port = server.port
        self.unix_socket = server.config.path('unixsocket')


@contextmanager
def serve(port: int = 0, host: str = '127.0.0.1', unix_socket: str = '', **parameters: str) -> Iterator[EmbeddedServer]:
    """Run a server in a thread until the block ends; several at once share nothing.

    Port 0 is a free one. Further parameters are those of the configuration with `_` for `-` (`requirepass='secret'`,
    `enable_debug_command='yes'`). Logs warnings only, unless `loglevel` says otherwise.
    Raises ConfigError for a parameter that cannot be taken and ListenError for an address that is taken; at the end
    RuntimeError if the server does not stop, which a command that takes long may keep it from.
    """
    config = Config()
    given = {'port': str(port), 'bind': host, 'unixsocket': unix_socket, 'loglevel': 'warning', **parameters}
    for name, text in given.items():
        config.read_directive([name.replace('_', '-').encode(), text.encode()])
    config.finish_reading()
    log = Log(config['loglevel'], config.path('logfile'))
    server = Server(config, log, free_port=True)
    server.open()
    thread = threading.Thread(target=run, args=(server,), name=f'selredis:{server.port}', daemon=True)
    thread.start()
    try:
        yield EmbeddedServer(server)
    finally:
        server.stop()
        thread.join(JOIN_SECONDS)
        if thread.is_alive():
            raise RuntimeError(f'the server is busy, and has not stopped within {JOIN_SECONDS} seconds')


def run(server: Server) -> None:
    """What the server's thread does: from here on nothing of the server is another thread's to touch."""
    try:
        server.run()
    finally:
        server.close()
