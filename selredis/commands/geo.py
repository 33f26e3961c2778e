"""Places on the earth: members of sorted sets whose scores tell where they are (see values/geo.py)."""

from collections.abc import Callable

from selredis.commands.sorted_sets import give_scores
from selredis.engine.client import Client
from selredis.engine.command import Argv, command, key
from selredis.engine.syntax import about
from selredis.errors import SYNTAX, ReplyError
from selredis.numeric import floating
from selredis.resp.reply import NULL_ARRAY, Double, Reply
from selredis.values import geo
from selredis.values.sorted_set import SortedSet

ADD_OPTIONS = frozenset((b'NX', b'XX', b'CH'))
NO_UNIT = b'ERR unsupported unit provided. please use M, KM, FT, MI'

# What COMMAND DOCS says of arguments.
NUMBERS = dict.fromkeys(('longitude', 'latitude', 'radius', 'width', 'height'), 'double')
UNIT = about('unit')


@command(
    'GEOADD',
    arity=-5,
    flags='write denyoom',
    keys=(key('RW update', 1),),
    since='3.2.0',
    group='geo',
    history=(('6.2.0', '`NX`, `XX` and `CH`.'),),
    types=NUMBERS,
    arguments={
        'nx-xx': about(since='6.2.0'),
        'CH': about('change', since='6.2.0'),
        'longitude-latitude-member': about('data'),
    },
)
def geoadd(client: Client, argv: Argv) -> Reply:
    """GEOADD key [NX | XX] [CH] longitude latitude member [longitude latitude member ...]

    Puts members at places on the earth, creating the sorted set first if need be; NX none that has one, XX only those.
    Returns how many are new; with CH, how many are new or have moved.

    O(log(N)) for each member, where N is the number of members there are.
    """
    start = 2
    while start < len(argv) and argv[start].upper() in ADD_OPTIONS:
        start += 1
    options = frozenset(word.upper() for word in argv[2:start])
    if (len(argv) - start) % 3 or len(argv) == start or options >= {b'NX', b'XX'}:
        raise ReplyError(SYNTAX)
    places = [read_position(argv[at], argv[at + 1]) for at in range(start, len(argv), 3)]
    scores = [geo.score_at(*place) for place in places]
    members = argv[start + 2 :: 3]
    before = client.db.keyspace.dirty
    reply = give_scores(client.db, argv[1], members, scores, options)
    if client.propagates and client.db.keyspace.dirty != before:
        pairs = [word for score, member in zip(scores, members, strict=True) for word in (b'%d' % score, member)]
        client.propagate_as([b'ZADD', argv[1], *argv[2:start], *pairs])
    return reply


def read_position(longitude: bytes, latitude: bytes) -> geo.Position:
    place = geo.Position(floating(longitude), floating(latitude))
    if not geo.on_map(*place):
        raise ReplyError(b'ERR invalid longitude,latitude pair %f,%f' % place)
    return place


@command(
    'GEOPOS',
    arity=-2,
    flags='readonly',
    keys=(key('RO access', 1),),
    since='3.2.0',
    group='geo',
)
def geopos(client: Client, argv: Argv) -> Reply:
    """GEOPOS key [member [member ...]]

    Returns the longitudes and latitudes of members.

    O(1) for each member
    """
    return of_each(client, argv, coordinates, NULL_ARRAY)


@command(
    'GEOHASH',
    arity=-2,
    flags='readonly',
    keys=(key('RO access', 1),),
    since='3.2.0',
    group='geo',
)
def geohash(client: Client, argv: Argv) -> Reply:
    """GEOHASH key [member [member ...]]

    Returns the places of members as Geohash strings, by which other programs know them.

    O(1) for each member
    """
    return of_each(client, argv, geo.geohash, None)


def of_each(client: Client, argv: Argv, said: Callable[[geo.Position], Reply], unknown: Reply) -> list[Reply]:
    """What is said of the position of each of several members, and `unknown` of those that are not there."""
    points = client.db.read(argv[1], SortedSet)
    scores = [None if points is None else points.score(member) for member in argv[2:]]
    return [unknown if score is None else said(geo.position(score)) for score in scores]


def coordinates(place: geo.Position) -> list[Double]:
    return [Double(geo.format_coordinate(degrees)) for degrees in place]


@command(
    'GEODIST',
    arity=-4,
    flags='readonly',
    keys=(key('RO access', 1),),
    since='3.2.0',
    group='geo',
    arguments={'m-km-ft-mi': UNIT},
)
def geodist(client: Client, argv: Argv) -> Reply:
    """GEODIST key member1 member2 [M | KM | FT | MI]

    Returns how far two members are from each other.

    O(1)
    """
    unit = read_unit(argv[4]) if len(argv) == 5 else 1.0
    if len(argv) > 5:
        raise ReplyError(SYNTAX)
    points = client.db.read(argv[1], SortedSet)
    if points is None:
        return None
    scores = points.score(argv[2]), points.score(argv[3])
    if scores[0] is None or scores[1] is None:
        return None
    return geo.format_distance(geo.distance(*geo.position(scores[0]), *geo.position(scores[1])) / unit)


def read_unit(word: bytes) -> float:
    """How many metres a unit has."""
    unit = geo.UNITS.get(word.lower())
    if unit is None:
        raise ReplyError(NO_UNIT)
    return unit
