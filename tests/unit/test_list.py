"""The list's structure alone: it must do what a plain Python list would."""

import sys
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selredis.values.list import BLOCK, SHORT, List

LONG = SHORT * 20

elements = st.sampled_from((b'', b'a', b'b', b'c'))
some = st.lists(elements, max_size=3)
# Enough to make a short list long, and a long one short.
many = st.integers(0, LONG).map(lambda count: [b'%d' % number for number in range(count)])
counts = st.one_of(st.integers(0, 3), st.integers(0, LONG), st.just(sys.maxsize + 1))
signed = st.one_of(st.integers(-3, 3), st.just(-(2**63)), st.just(2**63 - 1))
# Where in the list, as a share of its length.
shares = st.floats(0, 1)

steps = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(('push_left', 'push_right')), elements),
        st.tuples(st.sampled_from(('extend_left', 'extend_right')), st.one_of(some, many)),
        st.tuples(st.sampled_from(('pop_left', 'pop_right')), st.integers(1, LONG)),
        st.tuples(st.sampled_from(('take_left', 'take_right')), counts),
        st.tuples(st.just('insert'), shares, elements),
        st.tuples(st.just('set'), shares, elements),
        st.tuples(st.just('remove'), elements, signed),
        st.tuples(st.just('trim'), shares, shares),
        st.tuples(st.just('range'), shares, shares),
    ),
    max_size=30,
)


def apply(items: List, model: list[bytes], verb: str, *arguments: object) -> None:
    """Do the same to the list and to its model, and compare what they return."""
    size = len(model)
    match verb, *arguments:
        case 'push_left', bytes(element):
            model.insert(0, element)
            assert items.push_left(element) == size + 1
        case 'push_right', bytes(element):
            model.append(element)
            assert items.push_right(element) == size + 1
        case 'extend_left', list(more):
            model[:0] = reversed(more)
            assert items.extend_left(more) == len(model)
        case 'extend_right', list(more):
            model += more
            assert items.extend_right(more) == len(model)
        case 'pop_left', int(count):
            for _ in range(min(count, size)):
                assert items.pop_left() == model.pop(0)
        case 'pop_right', int(count):
            for _ in range(min(count, size)):
                assert items.pop_right() == model.pop()
        case 'take_left', int(count):
            expected, model[:] = model[:count], model[count:]
            assert items.take_left(count) == expected
        case 'take_right', int(count):
            start = max(size - count, 0)
            expected, model[start:] = model[start:], []
            assert items.take_right(count) == expected[::-1]
        case 'insert', float(share), bytes(element):
            index = int(share * size)
            model.insert(index, element)
            items.insert(index, element)
        case 'set', float(share), bytes(element):
            if size:
                index = min(int(share * size), size - 1)
                model[index] = element
                items[index] = element
                assert items[index] == element
        case 'remove', bytes(element), int(count):
            found = [index for index, other in enumerate(model) if other == element]
            if count < 0:
                found.reverse()
            found = found[: abs(count)] if count else found
            for index in sorted(found, reverse=True):
                del model[index]
            assert items.remove(element, count) == len(found)
        case 'trim', float(one), float(other):
            start, stop = int(one * size), int(other * size)
            model[:] = model[start:stop]
            items.trim(start, stop)
        case 'range', float(one), float(other):
            start, stop = int(one * size), int(other * size)
            assert items.range(start, stop) == model[start:stop]


@settings(max_examples=300, deadline=None)
@given(steps)
def test_does_what_a_plain_list_does(steps: list[tuple[object, ...]]):
    items, model = List(), list[bytes]()
    for verb, *arguments in steps:
        apply(items, model, str(verb), *arguments)
        assert list(items) == model
        assert len(items) == len(model)
        assert bool(items) == bool(model)
        assert items.first * 2 <= len(items.places), 'more places free than taken'
        assert items.places[: items.first] == [b''] * items.first, 'a free place holds on to what was there'


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.sampled_from((b'', b'a', b'b')), max_size=12),
    st.integers(0, 3),
    st.sampled_from((0, BLOCK - 4, 2 * BLOCK)),
    st.booleans(),
    st.one_of(st.none(), st.integers(1, 14), st.just(2**63 - 1)),
)
def test_find_yields_the_places_of_equals_in_order(
    content: list[bytes], popped: int, padding: int, backwards: bool, within: int | None
):
    content = content + [b'x'] * padding + content
    items = List([b'b'] * popped + content)
    for _ in range(popped):
        items.pop_left()
    order = list(enumerate(content))
    if backwards:
        order.reverse()
    expected = [index for index, element in order[:within] if element == b'b']
    assert list(items.find(b'b', backwards=backwards, within=within)) == expected


def test_a_copy_is_another_list():
    items = List([b'a', b'b'])
    copy = items.copy()
    copy.push_left(b'c')
    assert list(items) == [b'a', b'b']
    assert list(copy) == [b'c', b'a', b'b']


@pytest.mark.parametrize('push', [List.push_left, List.push_right])
@pytest.mark.parametrize('pop', [List.pop_left, List.pop_right])
def test_a_list_that_was_long_gives_its_memory_back(push: Callable[[List, bytes], int], pop: Callable[[List], bytes]):
    items = List()
    for _ in range(100_000):
        push(items, b'x')
    for _ in range(99_999):
        pop(items)
    assert sys.getsizeof(items.places) < 2000


def test_a_queue_that_is_never_empty_stays_as_small_as_it_is():
    for push, pop in ((List.push_left, List.pop_right), (List.push_right, List.pop_left)):
        items = List([b'x'] * 1000)
        for _ in range(100_000):
            push(items, b'x')
            pop(items)
        assert sys.getsizeof(items.places) < 40_000
