"""Commands as others may see them: in the slow log, to monitors and in reports, without the passwords in them."""

from selredis.config import is_secret
from selredis.engine.command import Argv, Command

REDACTED = b'(redacted)'


def redacted(command: Command, argv: Argv) -> Argv:
    """The words of a call, with REDACTED for each one that may be a password (redis.io, "MONITOR").

    As in Redis: of AUTH and HELLO AUTH the names go, too; of CONFIG SET the values of secret parameters, of CONFIG
    SET's words even where the call is refused.
    """
    match command.name:
        case 'auth':
            return [argv[0], *[REDACTED] * (len(argv) - 1)]
        case 'hello':
            return redacted_hello(argv)
        case 'config|set':
            return [
                REDACTED if place >= 3 and place % 2 and is_secret(argv[place - 1]) else word
                for place, word in enumerate(argv)
            ]
        case _:
            return argv


def redacted_hello(argv: Argv) -> Argv:
    shown: list[bytes] = []
    hidden = 0
    for word in argv:
        if hidden:
            hidden -= 1
            shown.append(REDACTED)
            continue
        if len(shown) > 1 and word.upper() == b'AUTH':
            hidden = 2
        shown.append(word)
    return shown
