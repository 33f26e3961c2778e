"""CLIENT TRACKING and its like: how a client that caches keys learns which of them are stale."""

from selredis.commands.clients import ON_OFF, YES_NO, chosen
from selredis.engine.client import Client
from selredis.engine.command import Argv, command
from selredis.engine.syntax import about
from selredis.engine.tracking_mode import Tracking
from selredis.errors import SYNTAX, ReplyError, c_string
from selredis.numeric import integer
from selredis.resp.reply import OK, Map, Reply, Set_

REDIRECTED_TWICE = b'ERR A client can only redirect to a single other client'
NO_TARGET = b'ERR The client ID you want redirect to does not exist'
PREFIX_WITHOUT_BCAST = b'ERR PREFIX option requires BCAST mode to be enabled'
BCAST_SWITCHED = (
    b"ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then re-enabling it with a"
    b' different mode.'
)
BCAST_WITH_OPT = b'ERR OPTIN and OPTOUT are not compatible with BCAST'
OPTIN_AND_OPTOUT = b"ERR You can't specify both OPTIN mode and OPTOUT mode"
OPT_SWITCHED = (
    b"ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then re-enabling it with a"
    b' different mode.'
)
OVERLAP = b"ERR Prefix '%b' overlaps with %b '%b'. Prefixes for a single client must not overlap."
CACHING_WITHOUT_OPT = (
    b'ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled'
)
YES_WITHOUT_OPTIN = b'ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.'
NO_WITHOUT_OPTOUT = b'ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.'


@command(
    'CLIENT|TRACKING',
    arity=-3,
    flags='noscript loading stale',
    since='6.0.0',
    group='connection',
    arguments={
        'on-off': about('status'),
        'BCAST': about('BCAST'),
        'OPTIN': about('OPTIN'),
        'OPTOUT': about('OPTOUT'),
        'NOLOOP': about('NOLOOP'),
    },
)
def client_tracking(client: Client, argv: Argv) -> Reply:
    """CLIENT TRACKING <ON | OFF> [REDIRECT client-id] [PREFIX prefix [PREFIX prefix ...]] [BCAST] [OPTIN] [OPTOUT]
        [NOLOOP]

    Has the server remember which keys the client reads, or with BCAST take those that begin with its prefixes, and tell
    it when one of them changes.

    O(1) for every prefix.
    """
    tracking, prefixes = read_options(client, argv[3:])
    table = client.engine.tracking
    if chosen(argv[2], ON_OFF):
        check_compatible(client, tracking, prefixes)
        table.begin(client, tracking, prefixes or [b''] * tracking.bcast)
    else:
        table.end(client)
    return OK


def read_options(client: Client, words: Argv) -> tuple[Tracking, list[bytes]]:
    """Read how to track, and prefixes. Raises ReplyError for what is no option, and for a target that is not there."""
    tracking = Tracking()
    prefixes: list[bytes] = []
    rest = iter(words)
    left = len(words)
    for word in rest:
        left -= 1
        match word.upper():
            case b'REDIRECT' if left:
                left -= 1
                if tracking.redirect:
                    raise ReplyError(REDIRECTED_TWICE)
                tracking.redirect = integer(next(rest))
                if tracking.redirect not in client.engine.clients:
                    raise ReplyError(NO_TARGET)
            case b'PREFIX' if left:
                left -= 1
                prefixes.append(next(rest))
            case b'BCAST':
                tracking.bcast = True
            case b'OPTIN':
                tracking.optin = True
            case b'OPTOUT':
                tracking.optout = True
            case b'NOLOOP':
                tracking.noloop = True
            case _:
                raise ReplyError(SYNTAX)
    return tracking, prefixes


def check_compatible(client: Client, tracking: Tracking, prefixes: list[bytes]) -> None:
    """Raises ReplyError for options that exclude each other, or how the client tracks already."""
    before = client.tracking
    if prefixes and not tracking.bcast:
        raise ReplyError(PREFIX_WITHOUT_BCAST)
    if before is not None and before.bcast != tracking.bcast:
        raise ReplyError(BCAST_SWITCHED)
    if tracking.bcast and (tracking.optin or tracking.optout):
        raise ReplyError(BCAST_WITH_OPT)
    if tracking.optin and tracking.optout:
        raise ReplyError(OPTIN_AND_OPTOUT)
    if before is not None and ((tracking.optin and before.optout) or (tracking.optout and before.optin)):
        raise ReplyError(OPT_SWITCHED)
    if tracking.bcast:
        check_prefixes(prefixes, sorted(before.prefixes) if before is not None else [])


def check_prefixes(prefixes: list[bytes], present: list[bytes]) -> None:
    """Raises ReplyError where two prefixes would tell of the same key: of new ones, or of a new one and a present one.

    (Redis answers a collision behind the first prefix with the error and then with OK, too.)
    """
    colliding = overlapping([*prefixes, *present])
    for place, prefix in enumerate(prefixes):
        if prefix not in colliding:
            continue
        for other in present:
            if overlap(prefix, other):
                raise ReplyError(OVERLAP % (c_string(prefix), b'an existing prefix', c_string(other)))
        for other in prefixes[place + 1 :]:
            if overlap(prefix, other):
                raise ReplyError(OVERLAP % (c_string(prefix), b'another provided prefix', c_string(other)))


def overlapping(prefixes: list[bytes]) -> set[bytes]:
    """Return those that are a prefix of another one, or have one among the others. O(N log N)."""
    found: set[bytes] = set()
    shorter: list[bytes] = []  # each a prefix of the next, and the last of the one before in order
    for prefix in sorted(prefixes):
        while shorter and not prefix.startswith(shorter[-1]):
            shorter.pop()
        if shorter:
            found |= {prefix, shorter[-1]}
        shorter.append(prefix)
    return found


def overlap(one: bytes, other: bytes) -> bool:
    return one.startswith(other) or other.startswith(one)


@command(
    'CLIENT|CACHING',
    arity=3,
    flags='noscript loading stale',
    since='6.0.0',
    group='connection',
    arguments={'yes-no': about('mode')},
)
def client_caching(client: Client, argv: Argv) -> Reply:
    """CLIENT CACHING <YES | NO>

    Has keys of the next command, or transaction, be remembered in spite of OPTIN, or not be in spite of OPTOUT.

    O(1)
    """
    tracking = client.tracking
    if tracking is None:
        raise ReplyError(CACHING_WITHOUT_OPT)
    if chosen(argv[2], YES_NO):
        if not tracking.optin:
            raise ReplyError(YES_WITHOUT_OPTIN)
    elif not tracking.optout:
        raise ReplyError(NO_WITHOUT_OPTOUT)
    tracking.caching = True
    return OK


@command('CLIENT|GETREDIR', arity=2, flags='noscript loading stale', since='6.0.0', group='connection')
def client_getredir(client: Client, argv: Argv) -> Reply:
    """CLIENT GETREDIR

    Returns the number of the client that is told of stale keys in this one's place; 0 for none, -1 without tracking.

    O(1)
    """
    return client.tracking.redirect if client.tracking is not None else -1


@command('CLIENT|TRACKINGINFO', arity=2, flags='noscript loading stale', since='6.2.0', group='connection')
def client_trackinginfo(client: Client, argv: Argv) -> Reply:
    """CLIENT TRACKINGINFO

    Tells how the connection tracks keys, whom it redirects to, and its prefixes.

    O(N) where N is the number of prefixes.
    """
    tracking = client.tracking
    if tracking is None:
        return Map({b'flags': Set_([b'off']), b'redirect': -1, b'prefixes': []})
    flags = (
        (b'on', True),
        (b'bcast', tracking.bcast),
        (b'optin', tracking.optin),
        (b'caching-yes', tracking.optin and tracking.caching),
        (b'optout', tracking.optout),
        (b'caching-no', tracking.optout and tracking.caching),
        (b'noloop', tracking.noloop),
        (b'broken_redirect', tracking.broken),
    )
    return Map(
        {
            b'flags': Set_([flag for flag, holds in flags if holds]),
            b'redirect': tracking.redirect,
            b'prefixes': sorted(tracking.prefixes),
        }
    )
