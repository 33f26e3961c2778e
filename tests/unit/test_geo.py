"""Points on the earth: expectations are redis-server's, or geometry's."""

from math import inf
from random import Random

import pytest

from selredis.values import geo
from selredis.values.geo import Box, Cell, Circle, Position
from selredis.values.sorted_set import SortedSet

PALERMO = 3479099956230698.0
CATANIA = 3479447370796909.0


def test_a_score_tells_the_middle_of_a_cell():
    assert geo.score_at(13.361389, 38.115556) == PALERMO
    assert geo.position(PALERMO) == (13.361389338970184, 38.1155563954963)
    assert geo.score_at(*geo.position(PALERMO)) == PALERMO


@pytest.mark.parametrize('longitude', [-180.0, -0.5, 0.0, 179.9999])
@pytest.mark.parametrize('latitude', [-85.05112878, 0.0, 1e-9, 85.05])
def test_a_position_is_kept_to_half_a_cell(longitude: float, latitude: float):
    place = geo.position(geo.score_at(longitude, latitude))
    assert place.longitude == pytest.approx(longitude, abs=geo.COLUMN_WIDTH)
    assert place.latitude == pytest.approx(latitude, abs=geo.ROW_HEIGHT)


def test_what_is_on_the_edge_of_the_map_is_beyond_the_last_cell():
    corner = geo.cell_at(180.0, 85.05112878, 26)
    assert corner == (1 << 26, 1 << 26, 26)
    assert corner.first_score == 3 << 52
    assert geo.position(corner.first_score) == (180.0, 85.05112878)
    assert geo.cell_at(180.0, 0.0, 2) == Cell(4, 2, 2)
    assert Cell(4, 2, 2).beside(1, 0) == Cell(1, 2, 2)


@pytest.mark.parametrize(
    ('score', 'bits'),
    [
        (0.9, 0),
        (-0.9, 0),
        (-5.0, 2**64 - 5),
        (2.0**63, 1 << 63),
        (2.0**64, 0),
        (inf, 0),
        (-(2.0**63), 1 << 63),
        (-1e300, 1 << 63),
    ],
)
def test_any_score_means_some_bits(score: float, bits: int):
    assert geo.as_unsigned(score) == bits


def test_many_positions_are_each_as_alone():
    random = Random(1)
    scores = [float(random.getrandbits(52)) for _ in range(200)] + [0.5, 2.0**52 - 1, 2.0**52, 3.0 * 2**52]
    assert list(zip(*geo.positions(scores), strict=True)) == list(map(geo.position, scores))
    for score in scores:
        assert list(zip(*geo.positions([score]), strict=True)) == [geo.position(score)]


def test_bits_come_apart_as_they_were_put_together():
    random = Random(2)
    for _ in range(200):
        even, odd = random.getrandbits(32), random.getrandbits(32)
        bits = geo.interleave(even, odd)
        assert geo.every_other(bits, geo.EVEN_BITS) == even
        assert geo.every_other(bits, geo.ODD_BITS) == odd
    assert geo.interleave(0b101, 0b010) == 0b011001


def test_a_geohash_is_as_others_write_it():
    assert geo.geohash(geo.position(PALERMO)) == b'sqc8b49rny0'
    assert geo.geohash(Position(-5.6, 42.6)).startswith(b'ezs42')


def test_distances():
    palermo, catania = geo.position(PALERMO), geo.position(CATANIA)
    assert geo.format_distance(geo.distance(*palermo, *catania)) == b'166274.1516'
    assert geo.distance(*palermo, *palermo) == 0
    quarter = geo.EARTH_RADIUS * 3.141592653589793 / 2
    assert geo.distance(0, 0, 90, 0) == pytest.approx(quarter)
    assert geo.distance(180, 0, -180, 10) == pytest.approx(quarter / 9)
    assert geo.distance(0, 85, 180, -85) == pytest.approx(2 * quarter)


def test_the_ends_of_the_earth_are_no_number_apart():
    """Where rounding makes the haversine more than 1."""
    random = Random(3)
    for _ in range(2000):
        longitude, latitude = random.uniform(-180, 0), random.uniform(-85, 85)
        assert geo.distance(longitude, latitude, longitude + 180, -latitude) <= 20_020_741


@pytest.mark.parametrize(
    ('length', 'text'),
    [
        (0.0, b'0.0000'),
        (0.00005, b'0.0000'),
        (0.00006, b'0.0001'),
        (1.5, b'1.5000'),
        (20015086.79602, b'20015086.7960'),
    ],
)
def test_distances_have_four_decimals(length: float, text: bytes):
    assert geo.format_distance(length) == text


@pytest.mark.parametrize(
    ('degrees', 'text'),
    [
        (0.0, b'0'),
        (-0.0, b'0'),
        (-1e-20, b'0'),
        (180.0, b'180'),
        (-100.0, b'-100'),
        (13.361389338970184, b'13.36138933897018433'),
    ],
)
def test_coordinates_have_up_to_17_decimals(degrees: float, text: bytes):
    assert geo.format_coordinate(degrees) == text


def test_a_wide_search_has_few_cells_and_a_narrow_one_leaves_out_what_is_clear_of_it():
    assert geo.covering(Circle(Position(10, 10), inf)) == [
        Cell(1, 1, 1),
        Cell(1, 0, 1),
        Cell(0, 1, 1),
        Cell(0, 0, 1),
    ]
    assert geo.covering(Circle(Position(10, 10), 0)) == [geo.cell_at(10, 10, 26)]
    assert 1 < len(geo.covering(Circle(Position(10, 10), 1000))) < 9
    assert geo.step_for(0, 0) == 26
    assert geo.step_for(1e-300, 0) == 26
    assert [geo.step_for(1000, latitude) for latitude in (0, 66, 67, -81)] == [14, 14, 13, 12]


@pytest.fixture(scope='module')
def points() -> SortedSet:
    """As many in the world as in a town."""
    random = Random(4)
    places = [(random.uniform(-180, 180), random.uniform(-85, 85)) for _ in range(3000)]
    places += [(10 + random.gauss(0, 0.1), 50 + random.gauss(0, 0.1)) for _ in range(3000)]
    return SortedSet((b'%d' % number, geo.score_at(*place)) for number, place in enumerate(places))


def in_cells(points: SortedSet, shape: geo.Shape) -> list[geo.Match]:
    """The search without the cutting."""
    found = []
    for cell in geo.covering(shape):
        items = points.range_items(points.below(cell.first_score), points.below(cell.end_score))
        found += shape.matches(items) if items else []
    return found


@pytest.mark.parametrize('centre', [(10, 50), (179.99, 0), (-180, 80), (100, -85)])
@pytest.mark.parametrize('size', [0.0, 1e4, 3e5, 1.1e7, inf])
def test_cutting_cells_loses_nothing(centre: tuple[float, float], size: float, points: SortedSet):
    place = Position(*centre)
    for shape in (Circle(place, size), Box(place, size, 2 * size, 1.0), Box(place, 3 * size, size / 1000, 1000.0)):
        expected = in_cells(points, shape)
        assert geo.search(points, shape) == expected
        for limit in (1, 7, 600):
            assert geo.search(points, shape, limit) == expected[:limit]


def test_a_circle_holds_what_is_no_further_than_its_radius(points: SortedSet):
    place = Position(10, 50)
    lengths = {member: geo.distance(*place, *geo.position(score)) for member, score in points.items()}
    found = geo.search(points, Circle(place, 20_000))
    assert {match[1]: match[0] for match in found} == {
        member: length for member, length in lengths.items() if length <= 20_000
    }


def test_a_box_holds_what_is_within_its_sides(points: SortedSet):
    found = {match[1] for match in geo.search(points, Box(Position(10, 50), 20, 10, 1000.0))}
    for member, score in points.items():
        place = geo.position(score)
        within = (
            geo.distance(10, place.latitude, *place) <= 10_000 and geo.distance(place.longitude, 50, *place) <= 5_000
        )
        assert (member in found) == within


def test_only_a_part_of_many_members_is_looked_at(points: SortedSet):
    looked_at = sum(stop - start for start, stop in geo.candidates(points, Circle(Position(10, 50), 2000)))
    assert looked_at < 400 < len(points)
