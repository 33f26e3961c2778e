"""Points on the earth as scores of a sorted set: where they are, how far apart, and which of them a shape holds.

Theory of operation. The map is cut into a grid: at step n it has 2**n columns from west to east and 2**n rows from
south to north, up to the latitudes where a Mercator map ends. A point is kept as its cell at step 26; the bits of
column and row, one of each in turn, make a number of 52 bits, its score. So a cell of a smaller step holds exactly the
scores that begin with its own bits: a range. To search a shape, a step is estimated at which the cell of its centre and
the eight around it cover it (not always, near the poles and the 180th meridian), and members of these cells are looked
at one by one.

What is found, and in which order, is what redis-server finds: the same operations on doubles in the same order
(geohash.c, geohash_helper.c, geo.c). What Redis has not is that a cell with many members is cut further, and those
parts that are clear of the shape are left out: the nine cells are up to ten times as large as a circle.

Longitudes and latitudes are degrees; distances are metres, if nothing else is said.
"""

from binascii import unhexlify
from collections.abc import Iterator, Sequence
from math import asin, cos, floor, inf, isfinite, nan, pi, radians, sin, sqrt
from struct import pack, unpack
from typing import NamedTuple

from selredis.values.sorted_set import Element, SortedSet

LONGITUDE_MAX = 180.0
LATITUDE_MAX = 85.05112878  # EPSG:3857
STEPS = 26
EARTH_RADIUS = 6372797.560856
MERCATOR_MAX = 20037726.37  # half the width of the map
RADIANS = pi / 180

WIDTH = 2 * LONGITUDE_MAX
HEIGHT = 2 * LATITUDE_MAX
COLUMN_WIDTH = WIDTH / 2**STEPS
ROW_HEIGHT = HEIGHT / 2**STEPS

FEW = 40  # members of a cell that is not cut further
AT_ONCE = 512  # members that are looked at together
# More than rounding can do to any distance, about a metre.
MARGIN = 1e-5  # degrees
ROUNDING = MARGIN * RADIANS

# In the order of the search: columns to the east, rows to the north.
AROUND = ((0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (-1, 1), (1, -1), (-1, -1))

UNITS = {b'm': 1.0, b'km': 1000.0, b'ft': 0.3048, b'mi': 1609.34}
GEOHASH_DIGITS = b'0123456789bcdefghjkmnpqrstuvwxyz'

# Every other bit of a byte is a hexadecimal digit: its bits in even places, those in odd ones, and back.
EVEN_BITS = b''.join(b'%x' % int(f'{byte:08b}'[1::2], 2) for byte in range(256))
ODD_BITS = b''.join(b'%x' % int(f'{byte:08b}'[0::2], 2) for byte in range(256))
SPREAD = bytes.maketrans(b'0123456789abcdef', bytes(int(f'{digit:b}', 4) for digit in range(16)))

# A member that a shape holds: distance from the centre, member, score, longitude, latitude. (There may be very many: a
# tuple with names takes seven times as long to make.)
Match = tuple[float, bytes, float, float, float]


class Position(NamedTuple):
    longitude: float
    latitude: float


class Cell(NamedTuple):
    """A cell of the grid. What is on the eastern or northern edge of the map is one column or row beyond the last."""

    column: int
    row: int
    step: int

    @property
    def first_score(self) -> float:
        return float(interleave(self.row, self.column) << 2 * (STEPS - self.step))

    @property
    def end_score(self) -> float:
        """The first score behind it."""
        return float(interleave(self.row, self.column) + 1 << 2 * (STEPS - self.step))

    @property
    def west(self) -> float:
        return self.column / (1 << self.step) * WIDTH - LONGITUDE_MAX

    @property
    def east(self) -> float:
        return (self.column + 1) / (1 << self.step) * WIDTH - LONGITUDE_MAX

    @property
    def south(self) -> float:
        return self.row / (1 << self.step) * HEIGHT - LATITUDE_MAX

    @property
    def north(self) -> float:
        return (self.row + 1) / (1 << self.step) * HEIGHT - LATITUDE_MAX

    def beside(self, eastward: int, northward: int) -> 'Cell':
        """The cell so many columns and rows on. The map is taken for round both ways."""
        mask = (1 << self.step) - 1
        column = self.column + eastward & mask if eastward else self.column
        row = self.row + northward & mask if northward else self.row
        return Cell(column, row, self.step)


def interleave(even: int, odd: int) -> int:
    """The number that has the bits of one of 32 bits in even places, and those of the other in odd ones."""
    high, low = (b'%08x' % odd).translate(SPREAD), (b'%08x' % even).translate(SPREAD)
    return int.from_bytes(high, 'big') << 1 | int.from_bytes(low, 'big')


def every_other(bits: int, places: bytes) -> int:
    """The bits in EVEN_BITS or ODD_BITS of a number of 64 bits."""
    return int(bits.to_bytes(8, 'big').translate(places), 16)


def on_map(longitude: float, latitude: float) -> bool:
    return -LONGITUDE_MAX <= longitude <= LONGITUDE_MAX and -LATITUDE_MAX <= latitude <= LATITUDE_MAX


def cell_at(longitude: float, latitude: float, step: int) -> Cell:
    column = int((longitude + LONGITUDE_MAX) / WIDTH * (1 << step))
    return Cell(column, int((latitude + LATITUDE_MAX) / HEIGHT * (1 << step)), step)


def score_at(longitude: float, latitude: float) -> float:
    return cell_at(longitude, latitude, STEPS).first_score


def position(score: float) -> Position:
    """The middle of the cell that a score means. Any score means some, if not always one on the map."""
    bits = as_unsigned(score)
    row, column = every_other(bits, EVEN_BITS), every_other(bits, ODD_BITS)
    row_above, column_after = row + 1 & 0xFFFFFFFF, column + 1 & 0xFFFFFFFF
    longitude = ((column * COLUMN_WIDTH - LONGITUDE_MAX) + (column_after * COLUMN_WIDTH - LONGITUDE_MAX)) / 2
    latitude = ((row * ROW_HEIGHT - LATITUDE_MAX) + (row_above * ROW_HEIGHT - LATITUDE_MAX)) / 2
    return Position(
        max(min(longitude, LONGITUDE_MAX), -LONGITUDE_MAX),
        max(min(latitude, LATITUDE_MAX), -LATITUDE_MAX),
    )


def positions(scores: Sequence[float]) -> tuple[list[float], list[float]]:
    """The longitudes and latitudes that scores below 2**54 mean: `position` for many, all at once, and one or more."""
    count = len(scores)
    packed = pack(f'>{count}Q', *map(int, scores))
    columns = unpack(f'>{count}I', unhexlify(packed.translate(ODD_BITS)))
    rows = unpack(f'>{count}I', unhexlify(packed.translate(EVEN_BITS)))
    longitudes = [
        ((column * COLUMN_WIDTH - LONGITUDE_MAX) + ((column + 1) * COLUMN_WIDTH - LONGITUDE_MAX)) / 2
        for column in columns
    ]
    latitudes = [((row * ROW_HEIGHT - LATITUDE_MAX) + ((row + 1) * ROW_HEIGHT - LATITUDE_MAX)) / 2 for row in rows]
    # What is on an edge of the map is beyond its last cell.
    if max(columns) >> STEPS:
        longitudes = [min(longitude, LONGITUDE_MAX) for longitude in longitudes]
    if max(rows) >> STEPS:
        latitudes = [min(latitude, LATITUDE_MAX) for latitude in latitudes]
    return longitudes, latitudes


def as_unsigned(score: float) -> int:
    """A score as an integer of 64 bits without sign, as x86-64 makes one of a double that is out of its range."""
    if score >= 2.0**64:
        return 0
    if score > -(2.0**63):
        return int(score) & 0xFFFF_FFFF_FFFF_FFFF
    return 1 << 63


def geohash(place: Position) -> bytes:
    """The 11 characters that others know a place by. Their map goes to the poles, and 52 bits are ten and a bit."""
    column = int((place.longitude + 180.0) / 360.0 * 2**STEPS)
    row = int((place.latitude + 90.0) / 180.0 * 2**STEPS)
    bits = interleave(row, column)
    return bytes(GEOHASH_DIGITS[bits >> shift & 31] for shift in range(47, 0, -5)) + b'0'


def distance(longitude1: float, latitude1: float, longitude2: float, latitude2: float) -> float:
    """The way between two points along the surface of a sphere (haversine formula)."""
    v = sin((radians(longitude2) - radians(longitude1)) / 2)
    if v == 0.0:
        return latitude_distance(latitude1, latitude2)
    south, north = radians(latitude1), radians(latitude2)
    u = sin((north - south) / 2)
    # Rounding may lift it above 1 by one bit, which its root has no more.
    square = u * u + cos(south) * cos(north) * v * v
    return 2.0 * EARTH_RADIUS * asin(sqrt(square))


def latitude_distance(latitude1: float, latitude2: float) -> float:
    return EARTH_RADIUS * abs(radians(latitude2) - radians(latitude1))


def format_distance(length: float) -> bytes:
    """Four decimals, in whichever unit."""
    return b'%d.%04d' % divmod(round(length * 10_000.0), 10_000)


def format_coordinate(degrees: float) -> bytes:
    """17 decimals without the zeros at their end."""
    text = (b'%.17f' % degrees).rstrip(b'0').rstrip(b'.')
    return b'0' if text == b'-0' else text


# Shapes


class Shape:
    """What is searched around a centre.

    `half_width` and `half_height` are of the box around it, `reach` of its point that is furthest from the centre.
    """

    __slots__ = ('half_height', 'half_width', 'latitude', 'longitude', 'reach')

    def __init__(self, centre: Position, half_width: float, half_height: float, reach: float) -> None:
        self.longitude, self.latitude = centre
        self.half_width = half_width
        self.half_height = half_height
        self.reach = reach

    def matches(self, items: list[Element]) -> list[Match]:
        """Those of one or more elements that are within."""
        raise NotImplementedError

    def longitude_reach(self) -> float:
        """How many degrees to the east and west no point of it is beyond."""
        raise NotImplementedError


class Circle(Shape):
    __slots__ = ()

    def __init__(self, centre: Position, radius: float) -> None:
        super().__init__(centre, radius, radius, radius)

    def matches(self, items: list[Element]) -> list[Match]:
        # `distance`, written out; what is clearly too far away is found so before the last steps.
        found: list[Match] = []
        append = found.append
        reach = self.reach
        half_angle = reach / EARTH_RADIUS / 2 + ROUNDING
        far = sin(half_angle) ** 2 if half_angle < pi / 2 else inf
        meridian, parallel = radians(self.longitude), radians(self.latitude)
        cosine = cos(parallel)
        height = reach / EARTH_RADIUS / RADIANS + MARGIN
        south, north = self.latitude - height, self.latitude + height
        longitudes, latitudes = positions([score for _, score in items])
        for (member, score), longitude, latitude in zip(items, longitudes, latitudes, strict=True):
            if not south < latitude < north:
                continue
            v = sin((radians(longitude) - meridian) / 2)
            angle = radians(latitude)
            if v == 0.0:
                length = EARTH_RADIUS * abs(angle - parallel)
            else:
                u = sin((angle - parallel) / 2)
                square = u * u + cosine * cos(angle) * v * v
                if square > far:
                    continue
                length = 2.0 * EARTH_RADIUS * asin(sqrt(square))
            if length <= reach:
                append((length, member, score, longitude, latitude))
        return found

    def longitude_reach(self) -> float:
        angle = self.reach / EARTH_RADIUS
        from_pole = pi / 2 - abs(radians(self.latitude))
        # The meridians that touch the circle do so not at the latitude of its centre.
        return asin(sin(angle) / sin(from_pole)) / RADIANS if angle + ROUNDING < from_pole else 180.0


class Box(Shape):
    """A box whose height is measured along a meridian, and its width at the latitude of the point in question."""

    __slots__ = ()

    def __init__(self, centre: Position, width: float, height: float, unit: float) -> None:
        diagonal = sqrt(width / 2 * (width / 2) + height / 2 * (height / 2)) * unit
        super().__init__(centre, width * unit / 2, height * unit / 2, diagonal)

    def matches(self, items: list[Element]) -> list[Match]:
        found: list[Match] = []
        centre = self.longitude, self.latitude
        longitudes, latitudes = positions([score for _, score in items])
        for (member, score), longitude, latitude in zip(items, longitudes, latitudes, strict=True):
            if (
                latitude_distance(latitude, centre[1]) <= self.half_height
                and distance(longitude, latitude, centre[0], latitude) <= self.half_width
            ):
                found.append((distance(*centre, longitude, latitude), member, score, longitude, latitude))
        return found

    def longitude_reach(self) -> float:
        highest = min(abs(self.latitude) + self.half_height / EARTH_RADIUS / RADIANS, LATITUDE_MAX)
        half = self.half_width / EARTH_RADIUS / 2
        ratio = sin(half) / cos(radians(highest)) if half < pi / 2 else inf
        return 2 * asin(ratio) / RADIANS if ratio < 1 else 180.0


# The search


def search(points: SortedSet, shape: Shape, limit: int = 0) -> list[Match]:
    """The points that a shape holds, in order of cells and, within a cell, of scores; not more than `limit`, 0: all."""
    found: list[Match] = []
    items: list[Element] = []
    at_once = min(AT_ONCE, 4 * limit) if limit else AT_ONCE
    for start, stop in candidates(points, shape):
        while start < stop:
            end = min(stop, start + at_once - len(items))
            items += points.range_items(start, end)
            start = end
            if len(items) == at_once:
                found += shape.matches(items)
                items.clear()
                if limit and len(found) >= limit:
                    return found[:limit]
    if items:
        found += shape.matches(items)
    return found[:limit] if limit else found


def candidates(points: SortedSet, shape: Shape) -> Iterator[tuple[int, int]]:
    """Ranges of ranks in which all points of a shape are that Redis finds."""
    window = Window(shape)
    for cell in covering(shape):
        start, stop = points.below(cell.first_score), points.below(cell.end_score)
        if start == stop:
            continue
        if cell.column >> cell.step or cell.row >> cell.step:  # on the edge of the map
            yield start, stop
        else:
            shift = STEPS - cell.step
            score = int(cell.first_score)
            yield from window.ranges(points, score, cell.column << shift, cell.row << shift, shift, start, stop)


def covering(shape: Shape) -> list[Cell]:
    """The cells in which a shape is searched: that of the centre, and those of the eight around it that are needed.

    This is where Redis may miss points, by whose estimate and order it goes.
    """
    longitude, latitude = shape.longitude, shape.latitude
    height = shape.half_height / EARTH_RADIUS / RADIANS
    north, south = latitude + height, latitude - height
    # South of the equator the longer side of what is a box on the sphere is the other one.
    side = south if latitude < 0 else north
    width = shape.half_width / EARTH_RADIUS / cos(side * RADIANS) / RADIANS if isfinite(side) else nan
    west, east = longitude - width, longitude + width

    step = step_for(shape.reach, latitude)
    centre = cell_at(longitude, latitude, step)
    if step > 1 and (
        centre.beside(0, 1).north < north
        or centre.beside(0, -1).south > south
        or centre.beside(1, 0).east < east
        or centre.beside(-1, 0).west > west
    ):
        step -= 1
        centre = cell_at(longitude, latitude, step)

    columns, rows = {1, 0, -1}, {1, 0, -1}
    if step >= 2:
        if centre.west < west:
            columns.discard(-1)
        if centre.east > east:
            columns.discard(1)
        if centre.south < south:
            rows.discard(-1)
        if centre.north > north:
            rows.discard(1)
    cells = [centre]
    for eastward, northward in AROUND:
        if eastward in columns and northward in rows:
            cell = centre.beside(eastward, northward)
            # At the first step a cell has the same one on both sides.
            if len(cells) == 1 or cell != cells[-1]:
                cells.append(cell)
    return cells


def step_for(reach: float, latitude: float) -> int:
    """The step at which nine cells should cover what is within reach."""
    if reach == 0:
        return STEPS
    step = -1
    while reach < MERCATOR_MAX:
        reach *= 2
        step += 1
    if abs(latitude) > 66:
        step -= 1
        if abs(latitude) > 80:
            step -= 1
    return min(max(step, 1), STEPS)


class Window:
    """Columns and rows of step 26 beyond which there is nothing of a shape; it may lie across the edge of the map."""

    __slots__ = ('high_column', 'high_row', 'low_column', 'low_row')

    def __init__(self, shape: Shape) -> None:
        height = shape.half_height / EARTH_RADIUS / RADIANS + MARGIN
        width = shape.longitude_reach() + MARGIN
        self.low_row = self.low_column = -(1 << 32)
        self.high_row = self.high_column = 1 << 32
        if height < HEIGHT:
            self.low_row = floor((shape.latitude - height + LATITUDE_MAX) / ROW_HEIGHT)
            self.high_row = floor((shape.latitude + height + LATITUDE_MAX) / ROW_HEIGHT)
        if width < LONGITUDE_MAX:
            self.low_column = floor((shape.longitude - width + LONGITUDE_MAX) / COLUMN_WIDTH)
            self.high_column = floor((shape.longitude + width + LONGITUDE_MAX) / COLUMN_WIDTH)

    def ranges(
        self, points: SortedSet, score: int, west: int, south: int, shift: int, start: int, stop: int
    ) -> Iterator[tuple[int, int]]:
        """Those parts of a cell's range of ranks that are not clear of the window.

        The cell's first score, column and row, at step 26, of which it has 2**shift.
        """
        last = (1 << shift) - 1
        if self.low_row > south + last or self.high_row < south or self.misses(west, west + last):
            return
        if stop - start <= FEW or not shift or self.holds(west, west + last, south, south + last):
            yield start, stop
            return
        shift -= 1
        for part in range(4):
            score += (part > 0) << 2 * shift
            end = stop if part == 3 else points.below(float(score + (1 << 2 * shift)))
            if start < end:
                column, row = west + (part >> 1 << shift), south + ((part & 1) << shift)
                yield from self.ranges(points, score, column, row, shift, start, end)
            start = end

    def misses(self, west: int, east: int) -> bool:
        """Whether columns are beyond it, all the way around the earth."""
        low, high = self.low_column, self.high_column
        around = 1 << STEPS
        return not any(low <= east + turn and west + turn <= high for turn in (0, around, -around))

    def holds(self, west: int, east: int, south: int, north: int) -> bool:
        """Whether columns and rows are within it: then there is no more to cut off."""
        rows = self.low_row <= south and north <= self.high_row
        return rows and self.low_column <= west and east <= self.high_column
