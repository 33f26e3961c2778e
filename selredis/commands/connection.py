"""Connections: saying hello and goodbye, authentication, the choice of database and protocol."""

from selredis.acl import is_secret
from selredis.engine.client import Client, check_name
from selredis.engine.command import Argv, command
from selredis.engine.syntax import about
from selredis.errors import DB_OUT_OF_RANGE, SYNTAX, ReplyError, c_string
from selredis.numeric import integer
from selredis.resp.reply import OK, PONG, Map, Reply, Status
from selredis.version import REDIS_VERSION

INT_MIN, INT_MAX = -(2**31), 2**31 - 1
DEFAULT_USER = b'default'
RESET_DONE = Status(b'RESET')

HELLO_NEEDS_AUTH = (
    b'NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass>'
    b' option can be used to authenticate the client and select the RESP protocol version at the same time'
)
NO_PASSWORD = (
    b'ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration'
    b' is correct?'
)


@command(
    'PING',
    arity=-1,
    flags='fast',
    since='1.0.0',
    group='connection',
    tips=('request_policy:all_shards', 'response_policy:all_succeeded'),
)
def ping(client: Client, argv: Argv) -> Reply:
    """PING [message]

    Returns PONG, or the message.

    O(1)
    """
    if len(argv) == 1 and not client.gated:
        return PONG
    if len(argv) > 2:
        raise ReplyError(b"ERR wrong number of arguments for 'ping' command")
    if client.gated and client.protocol == 2 and client.subscribed:
        # In the shape of a message, which is all that a subscriber expects.
        return [b'pong', argv[1] if len(argv) > 1 else b'']
    return PONG if len(argv) == 1 else argv[1]


@command('ECHO', arity=2, flags='loading stale fast', since='1.0.0', group='connection')
def echo(client: Client, argv: Argv) -> Reply:
    """ECHO message

    Returns the message.

    O(1)
    """
    return argv[1]


def authenticate(client: Client, user: bytes, password: bytes) -> None:
    """Let the client in if user and password are right. Raises ReplyError.

    The one user there is needs no password until requirepass sets one.
    """
    secret = client.engine.config['requirepass']
    if user != DEFAULT_USER or (secret and not is_secret(password, secret)):
        client.engine.stats.denied_auth += 1
        raise ReplyError(b'WRONGPASS invalid username-password pair or user is disabled.')
    client.user = user
    client.authenticated = True
    client.update_gated()


@command(
    'AUTH',
    arity=-2,
    flags='noscript loading stale fast no_auth allow_busy',
    since='1.0.0',
    group='connection',
    history=(('6.0.0', 'A user name may come first.'),),
    arguments={'username': about(since='6.0.0')},
)
def auth(client: Client, argv: Argv) -> Reply:
    """AUTH [username] password

    Tells the server who the client is.

    O(N) where N is the number of passwords that the user has.
    """
    if len(argv) > 3:
        raise ReplyError(SYNTAX)
    if len(argv) == 3:
        authenticate(client, argv[1], argv[2])
    elif client.engine.config['requirepass']:
        authenticate(client, DEFAULT_USER, argv[1])
    else:
        raise ReplyError(NO_PASSWORD)
    return OK


@command(
    'HELLO',
    arity=-1,
    flags='noscript loading stale fast no_auth allow_busy',
    since='6.0.0',
    group='connection',
    history=(('6.2.0', 'Without a version it tells what is, and changes nothing.'),),
    arguments={'protover-auth-clientname': about('arguments')},
)
def hello(client: Client, argv: Argv) -> Reply:
    """HELLO [protover [AUTH username password] [SETNAME clientname]]

    Chooses the version of the protocol, 2 or 3, perhaps after authentication, and tells about server and connection.

    O(1)
    """
    protocol = client.protocol
    if len(argv) > 1:
        protocol = integer(argv[1], b'ERR Protocol version is not an integer or out of range')
        if protocol not in (2, 3):
            raise ReplyError(b'NOPROTO unsupported protocol version')
    credentials: tuple[bytes, bytes] | None = None
    name: bytes | None = None
    place = 2
    while place < len(argv):
        option, behind = argv[place].upper(), len(argv) - place - 1
        if option == b'AUTH' and behind >= 2:
            credentials = argv[place + 1], argv[place + 2]
            place += 3
        elif option == b'SETNAME' and behind >= 1:
            name = argv[place + 1]
            check_name(name)
            place += 2
        else:
            raise ReplyError(b"ERR Syntax error in HELLO option '%b'" % c_string(argv[place]))
    if credentials is not None:
        authenticate(client, *credentials)
    if not client.authenticated:
        raise ReplyError(HELLO_NEEDS_AUTH)
    if name is not None:
        client.name = name
    client.set_protocol(protocol)
    client.update_gated()
    return Map(
        {
            b'server': b'redis',  # by which clients know whom they talk to
            b'version': REDIS_VERSION.encode(),
            b'proto': protocol,
            b'id': client.id,
            b'mode': b'standalone',
            b'role': b'master',
            b'modules': [],
        }
    )


@command('SELECT', arity=2, flags='loading stale fast', since='1.0.0', group='connection')
def select(client: Client, argv: Argv) -> Reply:
    """SELECT index

    Goes on in another database.

    O(1)
    """
    index = integer(argv[1])
    if not INT_MIN <= index <= INT_MAX:
        raise ReplyError(b'ERR value is out of range, value must between %d and %d' % (INT_MIN, INT_MAX))
    databases = client.engine.keyspace.databases
    if not 0 <= index < len(databases):
        raise ReplyError(DB_OUT_OF_RANGE)
    client.db = databases[index]
    return OK


@command(
    'QUIT',
    arity=-1,
    flags='noscript loading stale fast no_auth allow_busy',
    since='1.0.0',
    group='connection',
    deprecated=('7.2.0', 'just closing the connection'),
)
def quit_(client: Client, argv: Argv) -> Reply:
    """QUIT

    Closes the connection, once all replies have been sent.

    O(1)
    """
    client.close_after_replies()
    return OK


@command('RESET', arity=1, flags='noscript loading stale fast no_auth allow_busy', since='6.2.0', group='connection')
def reset(client: Client, argv: Argv) -> Reply:
    """RESET

    Makes the connection what it was when it began: no transaction, no subscriptions, database 0, RESP2, not
    authenticated.

    O(1)
    """
    client.reset()
    return RESET_DONE
