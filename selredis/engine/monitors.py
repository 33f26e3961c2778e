"""MONITOR: clients that are told every command that runs (redis.io, "MONITOR")."""

from selredis.engine.client import Client
from selredis.engine.command import Argv, Command
from selredis.engine.redaction import redacted

# How a byte is shown in quotes, where it is not shown as it is (redis sds.c, sdscatrepr).
ESCAPES = {byte: b'\\x%02x' % byte for byte in (*range(32), *range(127, 256))} | {
    byte: b'\\' + letter
    for byte, letter in zip(b'\\"\n\r\t\a\b', (b'\\', b'"', b'n', b'r', b't', b'a', b'b'), strict=True)
}
PLAIN = bytes(byte for byte in range(256) if byte not in ESCAPES)
HIDDEN = frozenset(('skip_monitor', 'admin'))


def feed(monitors: dict[Client, None], now_us: int, client: Client, db: int, command: Command, argv: Argv) -> None:
    """Tell monitors of a call, unless commands of its kind are not for others to see."""
    if not HIDDEN.isdisjoint(command.flags):
        return
    line = b'+%d.%06d [%d %b] %b\r\n' % (
        *divmod(now_us, 1_000_000),
        db,
        place_of(client),
        b' '.join(map(quoted, redacted(command, argv))),
    )
    for monitor in monitors:
        monitor.queue(line)


def place_of(client: Client) -> bytes:
    return b'unix:' + client.addr.removesuffix(b':0') if client.on_unix_socket else client.addr


def quoted(word: bytes) -> bytes:
    """A word in quotes, in visible ASCII."""
    if not word.translate(None, PLAIN):
        return b'"%b"' % word
    return b'"%b"' % b''.join(ESCAPES.get(byte) or bytes((byte,)) for byte in word)
