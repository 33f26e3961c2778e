"""Bitmaps: every command, with right and wrong arguments."""

from collections.abc import Iterable

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.strategies.words import (
    Argv,
    any_case,
    any_integer,
    digits,
    either,
    keys,
    line,
    many_keys,
    mostly,
    not_integers,
    numbers,
    option,
)


def joined(lists: Iterable[list[bytes]]) -> list[bytes]:
    return [word for words in lists for word in words]


# Within a few bytes, or beyond any string: never one that would make hundreds of megabytes.
offsets = numbers(2**32, 2**63 - 1, low=-1, high=70)
by_width = numbers(2**40, low=-1, high=9).map(lambda number: b'#' + number)
field_offsets = mostly(offsets, by_width, 2)
bits = numbers(2, low=0, high=1)
units = st.lists(mostly(either(any_case(b'BYTE'), any_case(b'BIT')), st.just(b'WHAT')), max_size=2)
beginnings = mostly(st.one_of(st.integers(-12, 60), st.sampled_from((2**62, -(2**62)))).map(digits), not_integers)
ranges = st.tuples(beginnings, beginnings).map(list)

types = mostly(
    st.one_of(
        st.integers(1, 64).map(lambda width: b'i%d' % width),
        st.integers(1, 63).map(lambda width: b'u%d' % width),
        st.sampled_from((b'u8', b'i8', b'u1', b'i5', b'i64', b'u63')),
    ),
    st.sampled_from((b'u64', b'i65', b'u0', b'i0', b'i', b'u', b'', b'x8', b'8', b'I8', b'u08', b'u-1')),
)
operands = mostly(any_integer, numbers(-128, 127, 128, 255, 256, 2**31 - 1, 2**63 - 128, -(2**63) + 127))
reading = option(b'GET', types, field_offsets)
overflows = option(b'OVERFLOW', either(any_case(b'WRAP'), any_case(b'SAT'), any_case(b'FAIL'), b'WHAT'))
operations = st.lists(
    mostly(
        st.one_of(
            reading,
            option(b'SET', types, field_offsets, operands),
            option(b'INCRBY', types, field_offsets, operands),
            overflows,
        ),
        st.just([b'WHAT']),
        20,
    ),
    max_size=4,
).map(joined)


def commands() -> SearchStrategy[Argv]:
    return st.one_of(
        line(b'SETBIT', keys, offsets, bits),
        line(b'GETBIT', keys, offsets),
        option(b'BITCOUNT', keys),
        st.tuples(option(b'BITCOUNT', keys), ranges, units).map(joined),
        option(b'BITPOS', keys, bits),
        option(b'BITPOS', keys, bits, beginnings),
        st.tuples(option(b'BITPOS', keys, bits), ranges, units).map(joined),
        line(b'BITOP', either(*map(any_case, (b'AND', b'OR', b'XOR')), b'WHAT'), keys, many_keys),
        line(b'BITOP', any_case(b'NOT'), keys, keys),
        line(b'BITFIELD', keys, operations),
        line(b'BITFIELD_RO', keys, st.lists(reading, max_size=3).map(joined)),
        line(b'BITFIELD_RO', keys, operations),
        line(b'SET', keys, st.binary(max_size=12)),
        line(b'SET', keys, st.sampled_from((b'\xff\xff\xff', b'\xff\xf0', b'\0\0\x01', b'\0\0'))),
        line(b'STRLEN', keys),
    )
