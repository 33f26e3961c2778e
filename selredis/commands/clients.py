"""CLIENT: what connections are called, which there are, and how to end them or their waiting."""

from collections.abc import Callable

from selredis.engine.client import Client, ReplyMode, check_name, check_printable
from selredis.engine.client_info import age_seconds, describe
from selredis.engine.command import Argv, command
from selredis.engine.help import help_on_subcommands, wrong_subcommand
from selredis.engine.options import read_wait_in_ms
from selredis.engine.syntax import about
from selredis.errors import SYNTAX, ReplyError, c_string
from selredis.numeric import integer
from selredis.resp.reply import NO_REPLY, OK, Reply, Verbatim

TYPES = frozenset((b'normal', b'master', b'replica', b'slave', b'pubsub'))
ON_OFF = {b'ON': True, b'OFF': False}
YES_NO = {b'YES': True, b'NO': False}
SETINFO_TIPS = ('request_policy:all_nodes', 'response_policy:all_succeeded')


@command('CLIENT', arity=-2, since='2.4.0', group='connection')
def client_(client: Client, argv: Argv) -> Reply:
    """CLIENT

    Groups the commands about client connections.
    """
    raise NotImplementedError


# One's own connection


@command('CLIENT|ID', arity=2, flags='noscript loading stale', since='5.0.0', group='connection')
def client_id(client: Client, argv: Argv) -> Reply:
    """CLIENT ID

    Returns the number of the connection, which no other one has or had before.

    O(1)
    """
    return client.id


@command('CLIENT|GETNAME', arity=2, flags='noscript loading stale', since='2.6.9', group='connection')
def client_getname(client: Client, argv: Argv) -> Reply:
    """CLIENT GETNAME

    Returns the connection's name.

    O(1)
    """
    return client.name or None


@command(
    'CLIENT|SETNAME', arity=3, flags='noscript loading stale', since='2.6.9', group='connection', tips=SETINFO_TIPS
)
def client_setname(client: Client, argv: Argv) -> Reply:
    """CLIENT SETNAME connection-name

    Names the connection; an empty name takes it away.

    O(1)
    """
    check_name(argv[2])
    client.name = argv[2]
    return OK


@command(
    'CLIENT|SETINFO',
    arity=4,
    flags='noscript loading stale',
    since='7.2.0',
    group='connection',
    tips=SETINFO_TIPS,
    arguments={'libname-libver': about('attr')},
)
def client_setinfo(client: Client, argv: Argv) -> Reply:
    """CLIENT SETINFO <LIB-NAME libname | LIB-VER libver>

    Tells which library the client uses, for CLIENT LIST to show.

    O(1)
    """
    _, _, attribute, value = argv
    if attribute.lower() not in (b'lib-name', b'lib-ver'):
        raise ReplyError(b"ERR Unrecognized option '%b'" % c_string(attribute))
    check_printable(value, b'ERR %b cannot contain spaces, newlines or special characters.' % c_string(attribute))
    if attribute.lower() == b'lib-name':
        client.lib_name = value
    else:
        client.lib_ver = value
    return OK


@command(
    'CLIENT|REPLY',
    arity=3,
    flags='noscript loading stale',
    since='3.2.0',
    group='connection',
    arguments={'on-off-skip': about('action')},
)
def client_reply(client: Client, argv: Argv) -> Reply:
    """CLIENT REPLY <ON | OFF | SKIP>

    Chooses whether the client gets replies: all, none, or none to the next command. Messages come all the same.

    O(1)
    """
    match argv[2].upper():
        case b'ON':
            client.reply_mode = ReplyMode.ON
        case b'OFF':
            client.reply_mode = ReplyMode.OFF
        case b'SKIP':
            if client.reply_mode is not ReplyMode.OFF:
                client.reply_mode = ReplyMode.SKIP_NEXT
        case _:
            raise ReplyError(SYNTAX)
    client.update_gated()
    return OK if client.reply_mode is ReplyMode.ON else NO_REPLY


def chosen(word: bytes, choices: dict[bytes, bool]) -> bool:
    """Read one of two words. Raises ReplyError."""
    choice = choices.get(word.upper())
    if choice is None:
        raise ReplyError(SYNTAX)
    return choice


@command('CLIENT|NO-EVICT', arity=3, flags='admin noscript loading stale', since='7.0.0', group='connection')
def client_no_evict(client: Client, argv: Argv) -> Reply:
    """CLIENT NO-EVICT <ON | OFF>

    Exempts the connection from those that are closed where clients take too much memory.

    O(1)
    """
    client.no_evict = chosen(argv[2], ON_OFF)
    return OK


@command('CLIENT|NO-TOUCH', arity=3, flags='noscript loading stale', since='7.2.0', group='connection')
def client_no_touch(client: Client, argv: Argv) -> Reply:
    """CLIENT NO-TOUCH <ON | OFF>

    Has what the client reads not count as use of the keys.

    O(1)
    """
    client.no_touch = chosen(argv[2], ON_OFF)
    return OK


# All connections


def read_type(word: bytes) -> bytes:
    """Read a type of clients, in small letters. Raises ReplyError."""
    name = word.lower()
    if name not in TYPES:
        raise ReplyError(b"ERR Unknown client type '%b'" % c_string(word))
    return name


def is_of_type(client: Client, name: bytes) -> bool:
    return name == (b'pubsub' if client.subscribed else b'normal')


def lines(caller: Client, argv: Argv, clients: list[Client]) -> Reply:
    """A line for each of these clients; argv is what the caller is in the middle of."""
    return Verbatim(b''.join(describe(client, argv if client is caller else None) + b'\n' for client in clients))


@command(
    'CLIENT|INFO',
    arity=2,
    flags='noscript loading stale',
    since='6.2.0',
    group='connection',
    tips=('nondeterministic_output',),
)
def client_info(client: Client, argv: Argv) -> Reply:
    """CLIENT INFO

    Returns what CLIENT LIST has to say of this connection.

    O(1)
    """
    return lines(client, argv, [client])


@command(
    'CLIENT|LIST',
    arity=-2,
    flags='admin noscript loading stale',
    since='2.4.0',
    group='connection',
    tips=('nondeterministic_output',),
    history=(
        ('2.8.12', 'Each line has the client `id`.'),
        ('5.0.0', 'Clients may be chosen by `TYPE`.'),
        ('6.0.0', 'Each line has the `user`.'),
        ('6.2.0', 'Each line has `argv-mem`, `tot-mem`, `laddr` and `redir`; clients may be chosen by `ID`.'),
        ('7.0.0', 'Each line has `resp`, `multi-mem`, `rbs` and `rbp`.'),
        ('7.0.3', 'Each line has `ssub`.'),
    ),
    arguments={'TYPE': about('client-type', since='5.0.0'), 'ID': about(since='6.2.0')},
)
def client_list(client: Client, argv: Argv) -> Reply:
    """CLIENT LIST [TYPE <NORMAL | MASTER | REPLICA | PUBSUB>] [ID client-id [client-id ...]]

    Returns a line about each connection: all, those of a type, or those with certain numbers.

    O(N) where N is the number of connections.
    """
    clients = client.engine.clients
    by = argv[2].upper() if len(argv) > 3 else b''
    if by == b'TYPE' and len(argv) == 4:
        type_ = read_type(argv[3])
        return lines(client, argv, [other for other in clients.values() if is_of_type(other, type_)])
    if by == b'ID':
        numbers = [integer(word, b'ERR Invalid client ID') for word in argv[3:]]
        return lines(client, argv, [clients[number] for number in numbers if number in clients])
    if len(argv) > 2:
        raise ReplyError(SYNTAX)
    return lines(client, argv, list(clients.values()))


Filter = Callable[[Client], bool]


def read_filters(client: Client, words: Argv) -> dict[bytes, Filter]:
    """Read what CLIENT KILL's victims have in common: one test for each option, of two alike the last one counts."""
    filters: dict[bytes, Filter] = {b'SKIPME': lambda other: other is not client}
    rest = iter(words)
    for word in rest:
        option = word.upper()
        value = next(rest, None)
        if value is None:
            raise ReplyError(SYNTAX)
        filters[option] = read_filter(client, option, value)
    return filters


def read_filter(client: Client, option: bytes, value: bytes) -> Filter:
    match option:
        case b'ID':
            error = b'ERR client-id should be greater than 0'
            number = integer(value, error)
            if number < 1:
                raise ReplyError(error)
            return lambda other: other.id == number
        case b'TYPE':
            type_ = read_type(value)
            return lambda other: is_of_type(other, type_)
        case b'ADDR':
            return lambda other: other.addr == value
        case b'LADDR':
            return lambda other: other.laddr == value
        case b'USER':
            if value != b'default':
                raise ReplyError(b"ERR No such user '%b'" % c_string(value))
            return lambda other: other.user == value
        case b'MAXAGE':  # 7.4 and later
            seconds = integer(value, b'ERR maxage is not an integer or out of range')
            if seconds < 1:
                raise ReplyError(b'ERR maxage should be greater than 0')
            return lambda other: age_seconds(other) >= seconds
        case b'SKIPME':
            skip = chosen(value, YES_NO)
            return lambda other: not (skip and other is client)
        case _:
            raise ReplyError(SYNTAX)


@command(
    'CLIENT|KILL',
    arity=-3,
    flags='admin noscript loading stale',
    since='2.4.0',
    group='connection',
    history=(
        ('2.8.12', 'Clients may be chosen in several ways.'),
        ('2.8.12', 'Clients may be chosen by `ID`.'),
        ('3.2.0', '`TYPE` knows `master`.'),
        ('5.0.0', '`TYPE` knows `replica`, and `slave` as its old name.'),
        ('6.2.0', 'Clients may be chosen by `LADDR`.'),
        ('7.4.0', 'Clients may be chosen by `MAXAGE`.'),
    ),
    types={'maxage': 'integer'},
    arguments={
        'ip:port-client-id-etc': about('filter'),
        'ip:port': about('old-format', deprecated='2.8.12'),
        'client-id-etc': about('new-format'),
        'ID': about(since='2.8.12'),
        'TYPE': about('client-type', since='2.8.12'),
        'MASTER': about(since='3.2.0'),
        'REPLICA': about(since='5.0.0'),
        'ADDR': about('addr'),
        'LADDR': about('laddr', since='6.2.0'),
        'MAXAGE': about(since='7.4.0'),
    },
)
def client_kill(client: Client, argv: Argv) -> Reply:
    """CLIENT KILL <ip:port | <[ID client-id] | [TYPE <NORMAL | MASTER | SLAVE | REPLICA | PUBSUB>] |
        [USER username] | [ADDR ip:port] | [LADDR ip:port] | [SKIPME <YES | NO>] |
        [MAXAGE maxage]> [...]>

    Closes connections: the one from an address, or all that fit every filter given, this one only with SKIPME NO.

    O(N) where N is the number of connections.
    """
    by_address_alone = len(argv) == 3
    if by_address_alone:
        filters = {b'ADDR': read_filter(client, b'ADDR', argv[2])}
    else:
        filters = read_filters(client, argv[2:])
    victims = [other for other in client.engine.clients.values() if all(fits(other) for fits in filters.values())]
    for victim in victims:
        if victim is client:
            client.close_after_replies()
        else:
            victim.doom()
    if not by_address_alone:
        return len(victims)
    if not victims:
        raise ReplyError(b'ERR No such client')
    return OK


@command(
    'CLIENT|PAUSE',
    arity=-3,
    flags='admin noscript loading stale',
    since='3.0.0',
    group='connection',
    history=(('6.2.0', 'The mode may be chosen: `WRITE` or `ALL`.'),),
    types={'timeout': 'integer'},
    arguments={'write-all': about('mode', since='6.2.0')},
)
def client_pause(client: Client, argv: Argv) -> Reply:
    """CLIENT PAUSE timeout [WRITE | ALL]

    Has commands wait for so many milliseconds: all of them, or with WRITE those that might change something.

    O(1)
    """
    if len(argv) > 4:
        raise wrong_subcommand(argv)
    mode = argv[3].upper() if len(argv) > 3 else b'ALL'
    if mode not in (b'WRITE', b'ALL'):
        raise ReplyError(b'ERR CLIENT PAUSE mode must be WRITE or ALL')
    engine = client.engine
    wait_ms = read_wait_in_ms(argv[2], engine.now_ms)
    engine.pause.begin(wait_ms, of_all=mode == b'ALL', at_once=not client.in_exec)
    return OK


@command('CLIENT|UNPAUSE', arity=2, flags='admin noscript loading stale', since='6.2.0', group='connection')
def client_unpause(client: Client, argv: Argv) -> Reply:
    """CLIENT UNPAUSE

    Ends a pause before its time.

    O(N) where N is the number of commands that were waiting for it.
    """
    client.engine.pause.end()
    return OK


@command(
    'CLIENT|UNBLOCK',
    arity=-3,
    flags='admin noscript loading stale',
    since='5.0.0',
    group='connection',
    arguments={'timeout-error': about('unblock-type')},
)
def client_unblock(client: Client, argv: Argv) -> Reply:
    """CLIENT UNBLOCK client-id [TIMEOUT | ERROR]

    Ends the waiting of another client, as if its time was over, or with an error. Returns whether it was waiting.

    O(log N) where N is the number of connections.
    """
    if len(argv) > 4:
        raise wrong_subcommand(argv)
    reason = argv[3].upper() if len(argv) > 3 else b'TIMEOUT'
    if reason not in (b'TIMEOUT', b'ERROR'):
        raise ReplyError(b'ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR')
    engine = client.engine
    other = engine.clients.get(integer(argv[2]))
    if other is None or other.wait is None or other.wait.postponed:
        return 0
    if reason == b'ERROR':
        engine.blocked.unblock_with_error(other)
    else:
        engine.blocked.time_out(other)
    return 1


@command('CLIENT|HELP', arity=2, flags='loading stale', since='5.0.0', group='connection')
def client_help(client: Client, argv: Argv) -> Reply:
    """CLIENT HELP

    Returns this text.

    O(1)
    """
    return help_on_subcommands(b'client')
