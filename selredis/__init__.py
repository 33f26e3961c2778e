"""selredis: a Redis server in pure Python, one thread, one event loop over `selectors`.

How one `SET name value` travels, from socket to socket:

1. `net/loop.py`       the selector says that a socket can be read; the loop calls its connection back
2. `net/connection.py` `on_readable` takes up to 256 KB; `receive` (`net/remote_client.py`) feeds them to the parser
3. `resp/parser.py`    `feed` returns the complete commands in them, lists of words: `[b'SET', b'name', b'value']`
4. `engine/executor.py` `run` looks each command up in the client's table (`engine/command.py`) and calls its handler;
                       for a client in an unusual state (a transaction, not authenticated, ...) `run_command` runs the
                       checks first (`engine/checks.py`). What was changed goes to the sinks (`engine/effects.py`), and
                       clients blocked on the key are retried (`engine/blocking.py`)
5. `commands/strings.py` the handler stores the value, calls `changed`, and returns `OK`
6. `keyspace/database.py` keeps keys, values and deadlines; `changed` notifies those who watch or wait for the key and
                       publishes keyspace events (`keyspace/events.py`, `pubsub.py`)
7. `resp/encoder.py`   turns the returned value into bytes for the client's protocol; they are queued
8. `driver.py`         `before_sleep`, once a turn: every client with queued output is flushed, one `send` each
9. `net/loop.py`       waits for the next readiness or deadline

The folders are floors: each file imports only from lower ones. `resp` and the small modules beside this one know
bytes and values, `values` the data types, `keyspace` and `pubsub` keys and channels, `engine` clients and commands,
`commands` what every command does, `net`, `driver`, `server` and `cli` sockets, signals and the process.
"""

from selredis.embedded import serve
from selredis.version import SELREDIS_VERSION

__all__ = ['serve']
__version__ = SELREDIS_VERSION
