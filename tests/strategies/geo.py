"""Places on the earth: few of them, many the same, some at the edges of the map.

Distances are not stored: as scores 7.0 and 7.2 write them with different digits.
"""

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.strategies.words import (
    Argv,
    any_case,
    keys,
    line,
    many_values,
    mostly,
    not_floats,
    numbers,
    option,
    some_of,
    values,
)

longitudes = st.one_of(
    st.sampled_from((0.0, 0.001, 0.1, 1.0, 90.0, 179.9, 180.0, -180.0, -179.999, -0.001)), st.floats(-180, 180)
)
latitudes = st.one_of(
    st.sampled_from((0.0, 0.001, 0.1, 1.0, 66.5, 85.0, 85.05112878, -85.05112878, -80.5)),
    st.floats(-85.05112878, 85.05112878),
)
off_the_map = st.tuples(st.sampled_from((b'181', b'inf', b'1e300', b'0')), st.sampled_from((b'86', b'-inf', b'-85.06')))
right = st.tuples(longitudes, latitudes).map(lambda place: tuple(b'%r' % degrees for degrees in place))
places = mostly(right, mostly(off_the_map, st.tuples(not_floats, not_floats)), 30).map(list)
members = mostly(values, st.just(b'nobody'))
points = st.lists(st.tuples(places, values), min_size=1, max_size=6).map(
    lambda drawn: [word for place, name in drawn for word in (*place, name)]
)
add_options = some_of(option(b'NX'), option(b'XX'), option(b'CH'), most=1)

sizes = mostly(
    st.one_of(
        st.sampled_from((b'0', b'1', b'100', b'1e4', b'2e7', b'1e-300', b'1e300', b'inf')),
        st.integers(-2, 24).map(lambda power: b'%r' % (3.0 * 2.0**power)),
    ),
    mostly(not_floats, st.just(b'-1')),
    20,
)
units = mostly(st.sampled_from((b'm', b'km', b'ft', b'mi')).flatmap(any_case), st.just(b'parsec'), 20)
circles = st.tuples(sizes, units).map(list)

counts = numbers(2**63 - 1, low=1, high=5)
some = (
    option(b'ASC'),
    option(b'DESC'),
    option(b'COUNT', counts),
    st.tuples(option(b'COUNT', counts), option(b'ANY')).map(lambda two: two[0] + two[1]),
    option(b'ANY'),
)
said = option(b'WITHDIST'), option(b'WITHCOORD'), option(b'WITHHASH')
centres = st.one_of(option(b'FROMMEMBER', members), option(b'FROMLONLAT', places))
shapes = st.one_of(option(b'BYRADIUS', circles), option(b'BYBOX', sizes, circles))


def query(*options: SearchStrategy[list[bytes]]) -> SearchStrategy[list[bytes]]:
    """Centre, shape and options in any order; now and then one too many."""
    parts = st.tuples(centres, shapes, some_of(*options), mostly(st.just([]), st.one_of(centres, shapes), 20))
    return parts.flatmap(st.permutations).map(lambda parts: [word for part in parts for word in part])


def commands() -> SearchStrategy[Argv]:
    plain = mostly(some_of(*some, *said), some_of(*some, option(b'STORE', keys)), 3)
    return st.one_of(
        line(b'GEOADD', keys, points),
        line(b'GEOADD', keys, points),
        line(b'GEOADD', keys, add_options, points),
        line(b'GEOPOS', keys, many_values),
        line(b'GEOHASH', keys, many_values),
        line(b'GEODIST', keys, members, members),
        line(b'GEODIST', keys, members, members, units),
        line(b'GEOSEARCH', keys, query(*some, *said)),
        line(b'GEOSEARCH', keys, query(*some, *said)),
        line(b'GEOSEARCHSTORE', keys, keys, query(*some)),
        line(b'GEORADIUS', keys, places, circles, plain),
        line(b'GEORADIUS_RO', keys, places, circles, plain),
        line(b'GEORADIUSBYMEMBER', keys, members, circles, plain),
        line(b'GEORADIUSBYMEMBER_RO', keys, members, circles, plain),
    )
