"""What the log tells of a command that has met a defect of this server: enough to find it, and no passwords."""

from __future__ import annotations

import platform
import traceback
from collections.abc import Mapping

from selredis import process
from selredis.engine.client import Client
from selredis.engine.command import Argv, Command
from selredis.engine.command_keys import find_keys
from selredis.engine.redaction import redacted
from selredis.version import REDIS_VERSION, SELREDIS_VERSION

PAUSE_MS = 1000  # from one report to the next; a client may ask for the same thing again and again
SHOWN_WORDS = 32
SHOWN_BYTES = 128  # of a word


class CrashReports:
    """Writes a report of many lines, or one line: with crash-log-enabled no, and soon after a report."""

    __slots__ = ('_written_ms',)

    def __init__(self) -> None:
        self._written_ms: int | None = None

    def write(self, client: Client, argv: Argv, error: Exception) -> None:
        """Log that a command has failed with an error that is no reply. Never raises, whatever is wrong."""
        engine = client.engine
        log = engine.log
        text = f"Command '{shown(argv[0]).decode('ascii', 'backslashreplace')}' of client id={client.id} failed"
        now_ms = engine.monotonic_ms()
        recently = self._written_ms is not None and now_ms - self._written_ms < PAUSE_MS
        if recently or not engine.config['crash-log-enabled']:
            log.warning(f'{text}: {in_short(error)}')
            return
        self._written_ms = now_ms
        log.warning('=== BUG REPORT START: cut and paste from here ===')
        for line in circumstances(client, argv):
            log.warning(line)
        log.defect(text, error)
        log.warning('=== BUG REPORT END. The server goes on. Please report this to the makers of selredis. ===')


def circumstances(client: Client, argv: Argv) -> list[str]:
    """The lines of a report before the traceback."""
    try:
        engine = client.engine
        clients, databases = len(engine.clients), engine.keyspace.databases
        return [
            f'selredis {SELREDIS_VERSION}, as Redis {REDIS_VERSION}, Python {platform.python_version()},'
            f' {platform.platform()}',
            f'uptime_in_seconds:{engine.clocks.uptime_ms // 1000} connected_clients:{clients}'
            f' blocked_clients:{len(engine.blocked)} used_memory_rss:{process.memory().resident}'
            f' keys:{sum(map(len, databases))} total_commands_processed:{engine.stats.commands}',
            f'Client: {client.describe()}',
            f'Command: {call_text(engine.commands, argv)}',
        ]
    except Exception as error:  # noqa: BLE001  (what is broken may well be what is told here)
        return [f'What was going on cannot be told: {in_short(error)}']


def call_text(commands: Mapping[bytes, Command], argv: Argv) -> str:
    """A command's words, quoted, the long ones cut, and no more than some of them; passwords are left out."""
    words = [b'"%b"' % shown(word) for word in redacted(commands, argv)[:SHOWN_WORDS]]
    if len(argv) > SHOWN_WORDS:
        words.append(b'... (%d more)' % (len(argv) - SHOWN_WORDS))
    return b' '.join(words).decode('ascii', 'backslashreplace')


def clean_up(client: Client, command: Command, argv: Argv) -> None:
    """Leave nothing half-done of a command that has failed: the client doesn't wait, and no key has an empty value.

    Transactions that watch one of its keys abort, and cached copies are invalidated: it may have changed.
    """
    client.engine.blocked.unblock(client)
    if 'write' in command.flags:
        for key, _ in find_keys(command, argv) or ():
            client.db.settle(key)


def shown(word: bytes) -> bytes:
    if len(word) <= SHOWN_BYTES:
        return word
    return b'%b... (%d more bytes)' % (word[:SHOWN_BYTES], len(word) - SHOWN_BYTES)


def in_short(error: Exception) -> str:
    """What an error is, and where it came from: `TypeError: unhashable type (commands/lists.py:12)`."""
    text = ''.join(traceback.format_exception_only(error)).strip()
    frames = traceback.extract_tb(error.__traceback__)
    return f'{text} ({frames[-1].filename}:{frames[-1].lineno})' if frames else text
