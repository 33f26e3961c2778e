"""Searches: which of many places are in a circle or a box."""

from operator import itemgetter

from selredis.commands.geo import NUMBERS, UNIT, coordinates, read_position, read_unit
from selredis.engine.client import Client
from selredis.engine.command import Argv, command, key, keyword
from selredis.engine.syntax import about
from selredis.errors import SYNTAX, ReplyError
from selredis.keyspace.database import Database
from selredis.numeric import floating, integer
from selredis.resp.reply import Reply
from selredis.values import geo
from selredis.values.selection import first_in_order
from selredis.values.sorted_set import SortedSet

NO_SUCH_MEMBER = b'ERR could not decode requested zset member'
NO_RADIUS = b'ERR need numeric radius'
NEGATIVE_RADIUS = b'ERR radius cannot be negative'
NO_WIDTH = b'ERR need numeric width'
NO_HEIGHT = b'ERR need numeric height'
NEGATIVE_SIDE = b'ERR height or width cannot be negative'
COUNT_TOO_SMALL = b'ERR COUNT must be > 0'
ANY_OF_ALL = b'ERR the ANY argument requires COUNT argument'
NOT_STORED = b'ERR %b is not compatible with WITHDIST, WITHHASH and WITHCOORD options'

# What COMMAND DOCS says of arguments, and of versions.
RADIUS_PLAIN = {'m-km-ft-mi': UNIT, 'count-any': about('count-block')}
RADIUS = {**RADIUS_PLAIN, 'ANY': about(since='6.2.0')}  # which Redis does not tell of GEORADIUSBYMEMBER_RO
RADIUS_STORE = {**RADIUS, 'key-key': about('store'), 'STORE': about('storekey'), 'STOREDIST': about('storedistkey')}
SHAPE = {
    'm-km-ft-mi': UNIT,
    'count-any': about('count-block'),
    'member-fromlonlat': about('from'),
    'radius-m-km-ft-mi-width-height-m-km-ft-mi': about('by'),
    'radius-m-km-ft-mi': about('circle'),
    'width-height-m-km-ft-mi': about('box'),
}
ANY = ('6.2.0', '`COUNT` takes `ANY`.')
UPPER_CASE = ('7.0.0', 'Units may be written in capitals.')

WITH = frozenset((b'WITHDIST', b'WITHHASH', b'WITHCOORD'))


class Query:
    """What a search asks for, as its words are read.

    `around` and `by`: the options that tell centre and shape, once they were read. `sizes`, in `unit`: radius, or width
    and height. `flags`: WITH... and ANY. `order`: ASC, DESC or nothing. A `count` of 0 is all.
    """

    __slots__ = (
        'around',
        'by',
        'by_distance',
        'centre',
        'count',
        'destination',
        'flags',
        'may_store',
        'order',
        'points',
        'searches',
        'sizes',
        'unit',
    )

    def __init__(self, points: SortedSet | None, *, searches: bool = False, may_store: bool = False) -> None:
        self.points = points
        self.searches = searches  # GEOSEARCH and GEOSEARCHSTORE; the others tell centre and shape without options
        self.may_store = may_store
        self.around = self.by = self.order = b''
        self.centre = geo.Position(0.0, 0.0)
        self.sizes: tuple[float, ...] = (0.0,)
        self.unit = 1.0
        self.count = 0
        self.flags: set[bytes] = set()
        self.destination: bytes | None = None
        self.by_distance = False  # distances are stored as scores

    @property
    def shape(self) -> geo.Shape:
        if self.by == b'BYBOX':
            width, height = self.sizes
            return geo.Box(self.centre, width, height, self.unit)
        return geo.Circle(self.centre, self.sizes[0] * self.unit)

    def around_place(self, longitude: bytes, latitude: bytes) -> None:
        self.centre = read_position(longitude, latitude)
        self.around = b'FROMLONLAT'

    def around_member(self, member: bytes) -> None:
        """Raises ReplyError if it is not there; where nothing is at all the search goes on, and finds nothing."""
        self.around = b'FROMMEMBER'
        if self.points is not None:
            score = self.points.score(member)
            if score is None:
                raise ReplyError(NO_SUCH_MEMBER)
            self.centre = geo.position(score)

    def by_radius(self, radius: bytes, unit: bytes) -> None:
        self.sizes = (floating(radius, NO_RADIUS),)
        if self.sizes[0] < 0:
            raise ReplyError(NEGATIVE_RADIUS)
        self.unit = read_unit(unit)
        self.by = b'BYRADIUS'

    def by_box(self, width: bytes, height: bytes, unit: bytes) -> None:
        self.sizes = floating(width, NO_WIDTH), floating(height, NO_HEIGHT)
        if min(self.sizes) < 0:
            raise ReplyError(NEGATIVE_SIDE)
        self.unit = read_unit(unit)
        self.by = b'BYBOX'

    def read(self, argv: Argv, start: int) -> None:
        """Read all options, which begin with word `start`. Raises ReplyError if they are not right, or not complete."""
        at = start
        while at < len(argv):
            option = argv[at].upper()
            at += 1
            words = argv[at : at + 3]
            if option in WITH or option == b'ANY':
                self.flags.add(option)
            elif option in (b'ASC', b'DESC'):
                self.order = option
            elif option == b'COUNT' and words:
                self.count = integer(words[0])
                if self.count <= 0:
                    raise ReplyError(COUNT_TOO_SMALL)
                at += 1
            elif option in (b'STORE', b'STOREDIST') and words and self.may_store and not self.searches:
                self.destination, self.by_distance = words[0], option == b'STOREDIST'
                at += 1
            elif option == b'STOREDIST' and self.may_store and self.searches:
                self.by_distance = True
            elif self.searches:
                at += self.read_shape(option, words)
            else:
                raise ReplyError(SYNTAX)
        self.check(argv[0])

    def read_shape(self, option: bytes, words: Argv) -> int:
        """Read one of the options that tell centre and shape; returns how many of the words behind it are its."""
        if option == b'FROMMEMBER' and len(words) >= 1 and self.around != b'FROMLONLAT':
            self.around_member(words[0])
            return 1
        if option == b'FROMLONLAT' and len(words) >= 2 and self.around != b'FROMMEMBER':
            self.around_place(words[0], words[1])
            return 2
        if option == b'BYRADIUS' and len(words) >= 2 and self.by != b'BYBOX':
            self.by_radius(words[0], words[1])
            return 2
        if option == b'BYBOX' and len(words) >= 3 and self.by != b'BYRADIUS':
            self.by_box(*words)
            return 3
        raise ReplyError(SYNTAX)

    def check(self, name: bytes) -> None:
        """Raises ReplyError for options that do not go together, or are missing; `name` is what is searched with."""
        if self.destination is not None and self.flags & WITH:
            raise ReplyError(NOT_STORED % (b'GEOSEARCHSTORE' if self.searches else b'STORE option in GEORADIUS'))
        if not self.around:
            raise ReplyError(b'ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for ' + name)
        if not self.by:
            raise ReplyError(b'ERR exactly one of BYRADIUS and BYBOX can be specified for ' + name)
        if b'ANY' in self.flags and not self.count:
            raise ReplyError(ANY_OF_ALL)

    def answer(self, db: Database) -> Reply:
        """Search; return or store what is found."""
        found = [] if self.points is None else self.found(self.points)
        if self.destination is not None:
            return self.store(db, self.destination, found)
        if not self.flags & WITH:
            return [match[1] for match in found]
        return list(map(self.row, found))

    def found(self, points: SortedSet) -> list[geo.Match]:
        """What there is, in order."""
        count = self.count
        some = b'ANY' in self.flags  # whichever are found first
        found = geo.search(points, self.shape, count if some else 0)
        if self.order == b'DESC':
            return first_in_order(found, count or len(found), lambda match: -match[0])
        if self.order or (count and not some):
            return first_in_order(found, count or len(found), itemgetter(0))
        return found

    def row(self, match: geo.Match) -> list[Reply]:
        """What is said of a member."""
        length, member, score, longitude, latitude = match
        row: list[Reply] = [member]
        if b'WITHDIST' in self.flags:
            row.append(geo.format_distance(length / self.unit))
        if b'WITHHASH' in self.flags:
            row.append(int(score))
        if b'WITHCOORD' in self.flags:
            row.append(coordinates(geo.Position(longitude, latitude)))
        return row

    def store(self, db: Database, destination: bytes, found: list[geo.Match]) -> int:
        """Keep what is found in place of whatever was there, nothing if it is nothing; returns how many it is."""
        if not found:
            db.remove(destination, b'del')
            return 0
        if self.by_distance:
            points = SortedSet((member, length / self.unit) for length, member, *_ in found)
        else:
            points = SortedSet((member, score) for _, member, score, *_ in found)
        if destination in db:
            db.clear_deadline(destination)
        db.put(destination, points)
        db.changed(destination, b'geosearchstore' if self.searches else b'georadiusstore', len(points))
        return len(points)


@command(
    'GEOSEARCH',
    arity=-7,
    flags='readonly',
    keys=(key('RO access', 1),),
    since='6.2.0',
    group='geo',
    history=(UPPER_CASE,),
    types=NUMBERS,
    arguments=SHAPE,
)
def geosearch(client: Client, argv: Argv) -> Reply:
    """GEOSEARCH key <FROMMEMBER member | FROMLONLAT longitude latitude>
    <<BYRADIUS radius> <M | KM | FT | MI> | <BYBOX width> height <M | KM | FT | MI>> [ASC | DESC] [COUNT count [ANY]]
    [WITHCOORD] [WITHDIST] [WITHHASH]

    Returns the members within a circle or a box around a member or a place.

    O(N+log(M)) where N is the number of members in the grid's cells around the shape, and M of all.
    """
    query = Query(client.db.read(argv[1], SortedSet), searches=True)
    query.read(argv, 2)
    return query.answer(client.db)


@command(
    'GEOSEARCHSTORE',
    arity=-8,
    flags='write denyoom',
    keys=(key('OW update', 1), key('RO access', 2)),
    since='6.2.0',
    group='geo',
    history=(UPPER_CASE,),
    types=NUMBERS,
    arguments=SHAPE,
)
def geosearchstore(client: Client, argv: Argv) -> Reply:
    """GEOSEARCHSTORE destination source <FROMMEMBER member | FROMLONLAT longitude latitude>
    <<BYRADIUS radius> <M | KM | FT | MI> | <BYBOX width> height <M | KM | FT | MI>> [ASC | DESC] [COUNT count [ANY]]
    [STOREDIST]

    Stores the members within a circle or a box, with STOREDIST their distances from its centre as scores, and returns
    how many they are.

    O(N+log(M)) where N is the number of members in the grid's cells around the shape, and M of all.
    """
    query = Query(client.db.read(argv[2], SortedSet), searches=True, may_store=True)
    query.destination = argv[1]
    query.read(argv, 3)
    return query.answer(client.db)


@command(
    'GEORADIUS',
    arity=-6,
    flags='write denyoom',
    keys=(key('RO access', 1), keyword('OW update', 'STORE', 6), keyword('OW update', 'STOREDIST', 6)),
    since='3.2.0',
    group='geo',
    deprecated=('6.2.0', '`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` argument'),
    history=(ANY, UPPER_CASE),
    types=NUMBERS,
    arguments=RADIUS_STORE,
)
def georadius(client: Client, argv: Argv) -> Reply:
    """GEORADIUS key longitude latitude radius <M | KM | FT | MI> [WITHCOORD] [WITHDIST] [WITHHASH]
    [COUNT count [ANY]] [ASC | DESC] [STORE key | STOREDIST key]

    Returns or stores the members within a circle around a place.

    O(N+log(M)) where N is the number of members in the grid's cells around the circle, and M of all.
    """
    return around_place(client, argv, may_store=True)


@command(
    'GEORADIUS_RO',
    arity=-6,
    flags='readonly',
    keys=(key('RO access', 1),),
    since='3.2.10',
    group='geo',
    deprecated=('6.2.0', '`GEOSEARCH` with the `BYRADIUS` argument'),
    history=(ANY,),
    types=NUMBERS,
    arguments=RADIUS,
)
def georadius_ro(client: Client, argv: Argv) -> Reply:
    """GEORADIUS_RO key longitude latitude radius <M | KM | FT | MI> [WITHCOORD] [WITHDIST] [WITHHASH]
    [COUNT count [ANY]] [ASC | DESC]

    Returns the members within a circle around a place.

    O(N+log(M)) where N is the number of members in the grid's cells around the circle, and M of all.
    """
    return around_place(client, argv, may_store=False)


@command(
    'GEORADIUSBYMEMBER',
    arity=-5,
    flags='write denyoom',
    keys=(key('RO access', 1), keyword('OW update', 'STORE', 5), keyword('OW update', 'STOREDIST', 5)),
    since='3.2.0',
    group='geo',
    deprecated=('6.2.0', '`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` and `FROMMEMBER` arguments'),
    history=(UPPER_CASE,),
    types=NUMBERS,
    arguments=RADIUS_STORE,
)
def georadiusbymember(client: Client, argv: Argv) -> Reply:
    """GEORADIUSBYMEMBER key member radius <M | KM | FT | MI> [WITHCOORD] [WITHDIST] [WITHHASH]
    [COUNT count [ANY]] [ASC | DESC] [STORE key | STOREDIST key]

    Returns or stores the members within a circle around one of them.

    O(N+log(M)) where N is the number of members in the grid's cells around the circle, and M of all.
    """
    return around_member(client, argv, may_store=True)


@command(
    'GEORADIUSBYMEMBER_RO',
    arity=-5,
    flags='readonly',
    keys=(key('RO access', 1),),
    since='3.2.10',
    group='geo',
    deprecated=('6.2.0', '`GEOSEARCH` with the `BYRADIUS` and `FROMMEMBER` arguments'),
    types=NUMBERS,
    arguments=RADIUS_PLAIN,
)
def georadiusbymember_ro(client: Client, argv: Argv) -> Reply:
    """GEORADIUSBYMEMBER_RO key member radius <M | KM | FT | MI> [WITHCOORD] [WITHDIST] [WITHHASH]
    [COUNT count [ANY]] [ASC | DESC]

    Returns the members within a circle around one of them.

    O(N+log(M)) where N is the number of members in the grid's cells around the circle, and M of all.
    """
    return around_member(client, argv, may_store=False)


def around_place(client: Client, argv: Argv, *, may_store: bool) -> Reply:
    query = Query(client.db.read(argv[1], SortedSet), may_store=may_store)
    query.around_place(argv[2], argv[3])
    query.by_radius(argv[4], argv[5])
    query.read(argv, 6)
    return query.answer(client.db)


def around_member(client: Client, argv: Argv, *, may_store: bool) -> Reply:
    query = Query(client.db.read(argv[1], SortedSet), may_store=may_store)
    query.around_member(argv[2])
    # Redis looks at the radius only where there is something to search.
    if query.points is None:
        query.by = b'BYRADIUS'
    else:
        query.by_radius(argv[3], argv[4])
    query.read(argv, 5)
    return query.answer(client.db)
