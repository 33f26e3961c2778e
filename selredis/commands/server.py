"""The server as a whole: the time it has, its end, and a picture."""

from random import Random

from selredis.engine.client import Client
from selredis.engine.command import Argv, command
from selredis.engine.syntax import about
from selredis.errors import SYNTAX, ReplyError
from selredis.numeric import integer
from selredis.resp.reply import NO_REPLY, Reply, Verbatim
from selredis.version import REDIS_VERSION

SHUTDOWN_OPTIONS = frozenset((b'NOSAVE', b'SAVE', b'NOW', b'FORCE', b'ABORT'))

# The size of the picture
COLUMNS = 66
ROWS = 12
WALLS = '\u2571\u2572'  # diagonals


@command('TIME', arity=1, flags='loading stale fast', since='2.6.0', group='server', tips=('nondeterministic_output',))
def time(client: Client, argv: Argv) -> Reply:
    """TIME

    Returns the server's time: Unix time in seconds, and the microseconds that have passed of the present one.

    O(1)
    """
    seconds, microseconds = divmod(client.engine.clock.now_us(), 1_000_000)
    return [b'%d' % seconds, b'%d' % microseconds]


@command(
    'SHUTDOWN',
    arity=-1,
    flags='admin noscript loading stale no_multi allow_busy',
    since='1.0.0',
    group='server',
    history=(('7.0.0', '`NOW`, `FORCE` and `ABORT` may be said.'),),
    arguments={
        'nosave-save': about('save-selector'),
        'NOW': about(since='7.0.0'),
        'FORCE': about(since='7.0.0'),
        'ABORT': about(since='7.0.0'),
    },
)
def shutdown(client: Client, argv: Argv) -> Reply:
    """SHUTDOWN [NOSAVE | SAVE] [NOW] [FORCE] [ABORT]

    Ends the server. The client gets no reply, its connection closes.

    O(1)
    """
    engine = client.engine
    options = {word.upper() for word in argv[1:]}
    if not options <= SHUTDOWN_OPTIONS or {b'SAVE', b'NOSAVE'} <= options or (b'ABORT' in options and len(options) > 1):
        raise ReplyError(SYNTAX)
    if b'ABORT' in options:
        raise ReplyError(b'ERR No shutdown in progress.')  # it waits for nothing, so it is over at once
    if b'SAVE' in options:
        # To be silent about it would cost somebody their data.
        engine.log.warning('SHUTDOWN SAVE: nothing can be saved to disk yet')
        if b'FORCE' not in options:
            engine.log.warning("Can't exit without saving; SHUTDOWN NOSAVE or SHUTDOWN SAVE FORCE would")
            raise ReplyError(b'ERR Errors trying to SHUTDOWN. Check logs.')
    engine.shutdown_requested = True
    for other in engine.clients.values():
        other.halted = True  # nothing runs any more, in this turn neither
    client.close_after_replies()
    return NO_REPLY


@command('LOLWUT', arity=-1, flags='readonly fast', since='5.0.0', group='server')
def lolwut(client: Client, argv: Argv) -> Reply:
    """LOLWUT [VERSION version]

    Draws a maze, and tells the version of Redis that this server is to its clients.
    """
    if len(argv) > 2 and argv[1].upper() == b'VERSION':
        integer(argv[2])  # there is one picture for all of them
    return Verbatim(f'{maze(client.engine.random)}\n\nRedis ver. {REDIS_VERSION}\n'.encode())


def maze(random: Random) -> str:
    """A wall in every place, at random this way or that: 10 PRINT CHR$(205.5+RND(1)); : GOTO 10 (C64, 1982)."""
    return '\n'.join(''.join(random.choices(WALLS, k=COLUMNS)) for _ in range(ROWS))
