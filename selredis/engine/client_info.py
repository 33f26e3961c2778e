"""What CLIENT LIST and the log tell of a client: one line of text."""

from __future__ import annotations

from sys import getsizeof
from typing import TYPE_CHECKING

from selredis.pubsub import matcher_bytes
from selredis.values.size import KEPT_NAME_BYTES, NAME_TABLE_BYTES, allocated

if TYPE_CHECKING:
    from selredis.engine.client import Client
    from selredis.engine.command import Argv

# What a connection at rest takes of the process (measured, CPython 3.11, 64 bits).
CLIENT_BYTES = 1700
WATCHED_BYTES = allocated(getsizeof((None, None)))  # of a watched key, more than of other names
# Of each key that a blocked client waits for, and of each key that any client waits for (measured as above).
AWAITED_KEY_BYTES = 160
AWAITED_TABLE_BYTES = 420


def describe(client: Client, running: Argv | None = None) -> bytes:
    """A client's line, without its end, under the names that redis.io's "CLIENT LIST" explains.

    `running` is the command that the client is in the middle of; like those that wait for their turn, it counts as
    read and not done with. There are no buffers of a fixed size, so what Redis tells of those is 0.
    """
    transaction = client.transaction
    running_query_bytes = request_bytes(running) if running is not None else 0
    running_argument_bytes = sum(map(len, running)) if running is not None else 0
    fields: tuple[tuple[bytes, int | bytes], ...] = (
        (b'id', client.id),
        (b'addr', client.addr),
        (b'laddr', client.laddr),
        (b'fd', client.fd),
        (b'name', client.name),
        (b'age', age_seconds(client)),
        (b'idle', idle_seconds(client)),
        (b'flags', flags(client)),
        (b'db', client.db.number),
        (b'sub', len(client.channels)),
        (b'psub', len(client.patterns)),
        (b'ssub', len(client.shard_channels)),
        (b'multi', len(transaction.queued) if transaction is not None else -1),
        (b'watch', len(client.watched)),
        (b'qbuf', client.query_bytes + running_query_bytes),
        (b'qbuf-free', client.announced_bytes),
        (b'argv-mem', client.argument_bytes + running_argument_bytes),
        (b'multi-mem', transaction.queued_bytes if transaction is not None else 0),
        (b'rbs', 0),
        (b'rbp', 0),
        (b'obl', sum(map(len, client.out))),
        (b'oll', client.unsent_pieces),
        (b'omem', client.unsent_bytes),
        (b'tot-mem', claim_of(client) + running_query_bytes + running_argument_bytes),
        (b'events', client.events),
        (b'cmd', client.command.name.encode() if client.command is not None else b'NULL'),
        (b'user', client.user),
        (b'redir', client.tracking.redirect if client.tracking is not None else -1),
        (b'resp', client.protocol),
        (b'lib-name', client.lib_name),
        (b'lib-ver', client.lib_ver),
    )
    return b' '.join(b'%b=%b' % (name, text_of(value)) for name, value in fields)


def age_seconds(client: Client) -> int:
    return (client.engine.monotonic_ms() - client.created_ms) // 1000


def idle_seconds(client: Client) -> int:
    """Whole seconds since the client was active; never more than its age."""
    idle_ms = max(client.engine.now_ms - client.last_active_ms, 0)
    # The wall clock and the monotonic clock are read at different moments.
    return min(idle_ms // 1000, age_seconds(client))


def memory_of(client: Client, *, with_tables: bool = True) -> int:
    """Bytes that a client takes: what it has said and is still to run, what it is yet to be sent, and what it keeps.

    `with_tables`: with the tables in which the server has the names that it keeps (channels, patterns, watched keys,
    prefixes), as if no other client had the same names. O(1).
    """
    transaction, tracking, wait = client.transaction, client.tracking, client.wait
    name_bytes = KEPT_NAME_BYTES + NAME_TABLE_BYTES if with_tables else KEPT_NAME_BYTES
    size = CLIENT_BYTES + len(client.name) + len(client.lib_name) + len(client.lib_ver)
    names = len(client.channels) + len(client.shard_channels) + len(client.patterns)
    if names:
        size += names * name_bytes + client.subscribed_bytes
        if with_tables:
            size += matcher_bytes(len(client.patterns))
    if client.watched:
        size += len(client.watched) * (name_bytes + WATCHED_BYTES) + client.watched_bytes
    if tracking is not None:
        size += len(tracking.prefixes) * name_bytes + tracking.prefix_bytes
    if wait is not None:
        keys = len(wait.keys) * (1 + wait.or_gone)
        size += keys * (AWAITED_KEY_BYTES + AWAITED_TABLE_BYTES if with_tables else AWAITED_KEY_BYTES)
    return (
        size
        + client.query_bytes
        + client.argument_bytes
        + (transaction.queued_bytes if transaction is not None else 0)
        + sum(map(len, client.out))
        + client.unsent_bytes
    )


def claim_of(client: Client) -> int:
    """Bytes that a client takes or has laid claim to: maxmemory-clients and tot-mem mean this.

    A value that has been announced counts as a whole. Redis allocates it at once, where it counts as qbuf-free until it
    is here; and what is sure to be too much need not be waited for.
    """
    return memory_of(client) + client.announced_bytes


def text_of(value: int | bytes) -> bytes:
    return value.partition(b'\0')[0] if isinstance(value, bytes) else b'%d' % value


def flags(client: Client) -> bytes:
    """A letter for each state that is not the usual one, N if there is none (redis networking.c, order included)."""
    letters = (
        (b'O', client in client.engine.monitors),
        (b'P', client.subscribed),
        (b'x', client.transaction is not None),
        (b'b', client.wait is not None),
        (b't', client.tracking is not None),
        (b'R', client.tracking is not None and client.tracking.broken),
        (b'B', client.tracking is not None and client.tracking.bcast),
        (b'd', client.watch_broken),
        (b'c', client.closing),
        (b'u', client.unblocked),
        (b'A', client.doomed),
        (b'U', client.on_unix_socket),
        (b'e', client.no_evict),
        (b'T', client.no_touch),
    )
    return b''.join(letter for letter, holds in letters if holds) or b'N'


def request_bytes(argv: Argv) -> int:
    """How many bytes a command is on the wire."""
    return len(b'*%d\r\n' % len(argv)) + sum(len(b'$%d\r\n' % len(word)) + len(word) + 2 for word in argv)
