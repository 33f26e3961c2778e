"""The order in which commands return the members of small sets, beside a model of Redis 7.2's encodings (t_set.c)."""

from collections.abc import Iterable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from selredis.numeric import is_integer

INTSET_ENTRIES, LISTPACK_ENTRIES, LISTPACK_VALUE = 512, 128, 64
KEYS = ('a', 'b', 'c')


class Model:
    """A set as Redis keeps it: members in an intset or a listpack, or in a hash table, which has no order."""

    def __init__(self, encoding: str = 'intset', members: Iterable[bytes] = ()) -> None:
        self.encoding = encoding
        self.members = list(members)

    def add(self, member: bytes) -> None:
        members = self.members
        if member in members:
            return
        if self.encoding == 'intset' and not is_integer(member):
            self.encoding = 'listpack'
        if self.encoding == 'listpack' and (len(members) >= LISTPACK_ENTRIES or len(member) > LISTPACK_VALUE):
            self.encoding = 'hashtable'
        members.append(member)
        if self.encoding == 'intset':
            members.sort(key=int)
            if len(members) > INTSET_ENTRIES:
                self.encoding = 'hashtable'

    def remove(self, member: bytes) -> None:
        if member in self.members:
            self.members.remove(member)

    def copy(self) -> 'Model':
        return Model(self.encoding, self.members)


class Server:
    """What commands make of sets and return."""

    def __init__(self) -> None:
        self.sets: dict[str, Model] = {}

    def get(self, key: str) -> Model:
        return self.sets.get(key, Model())

    def put(self, key: str, value: Model) -> None:
        self.sets.pop(key, None)
        if value.members:
            self.sets[key] = value

    def sadd(self, key: str, *members: bytes) -> None:
        value = self.get(key)
        for member in members:
            value.add(member)
        self.put(key, value)

    def srem(self, key: str, *members: bytes) -> None:
        value = self.get(key)
        for member in members:
            value.remove(member)
        self.put(key, value)

    def smove(self, source: str, destination: str, member: bytes) -> None:
        if member in self.get(source).members and source != destination:
            self.srem(source, member)
            self.sadd(destination, member)

    def copy(self, source: str, destination: str) -> None:
        if source in self.sets and source != destination:
            self.put(destination, self.get(source).copy())

    def sinter(self, *keys: str) -> Model:
        first, *others = sorted(map(self.get, keys), key=lambda value: len(value.members))
        found = [member for member in first.members if all(member in other.members for other in others)]
        if all(map(is_integer, found)):
            return Model('intset', sorted(found, key=int))
        return Model(first.encoding, found)

    def sunion(self, *keys: str) -> Model:
        result = Model()
        for key in keys:
            for member in self.get(key).members:
                result.add(member)
        return result

    def sdiff(self, *keys: str) -> Model:
        first, *others = keys
        if first not in self.sets or first in others:
            return Model()
        sizes = [len(self.sets[key].members) for key in keys if key in self.sets]
        add_all = len(sizes) * sizes[0] // 2 > sum(sizes)
        result = Model()
        for member in self.get(first).members:
            if add_all or not any(member in self.get(key).members for key in others):
                result.add(member)
        for key in others:
            for member in self.get(key).members:
                result.remove(member)
        return result


ALGEBRA = ('sinter', 'sunion', 'sdiff')
keys = st.sampled_from(KEYS)
many_keys = st.lists(st.sampled_from((*KEYS, 'none')), min_size=1, max_size=4)
numbers = st.one_of(st.integers(-3, 12), st.sampled_from((2**63 - 1, -(2**63), 10**10))).map(
    lambda number: b'%d' % number
)
members = st.one_of(
    numbers, numbers, st.sampled_from((b'x', b'y', b'z', b'', b'01', b'-0', b'+1', b'1' * 64, b'x' * 65))
)
shuffled = st.tuples(st.integers(0, 300), st.sampled_from((20, 127, 128, 129, 200, 513))).map(
    lambda drawn: [b'%d' % (drawn[0] + 37 * step % drawn[1]) for step in range(drawn[1])]
)
some_members = st.one_of(st.lists(members, min_size=1, max_size=6), shuffled)
steps = st.lists(
    st.one_of(
        st.tuples(st.just('sadd'), keys, some_members),
        st.tuples(st.just('sadd'), keys, some_members),
        st.tuples(st.just('srem'), keys, some_members),
        st.tuples(st.just('smove'), keys, keys, members),
        st.tuples(st.just('copy'), keys, keys),
        st.tuples(st.sampled_from(ALGEBRA), many_keys),
        st.tuples(st.sampled_from(ALGEBRA), many_keys, keys),
        st.tuples(st.just('read'), keys),
    ),
    max_size=30,
)


def same(expected: Model, received: list[bytes]) -> None:
    """Compare in order, unless it is a hash table's."""
    if expected.encoding == 'hashtable':
        assert sorted(received) == sorted(expected.members)
    else:
        assert received == expected.members


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=steps)
def test_members_are_returned_in_the_order_of_redis(client, steps):
    client('FLUSHALL')
    model = Server()
    for name, *arguments in steps:
        match name, arguments:
            case (('sadd' | 'srem'), [key, words]):
                getattr(model, name)(key, *words)
                client(name, key, *words)
            case 'smove', [source, destination, member]:
                model.smove(source, destination, member)
                client('SMOVE', source, destination, member)
            case 'copy', [source, destination]:
                model.copy(source, destination)
                client('COPY', source, destination, 'REPLACE')
            case 'read', [key]:
                read(client, model, key)
            case _, [sources, *destination]:
                # What comes out of a hash table is in no order, and would be in none in a small set.
                if any(model.get(key).encoding == 'hashtable' for key in sources):
                    continue
                result = getattr(model, name)(*sources)
                if destination:
                    model.put(destination[0], result)
                    assert client(f'{name}STORE', destination[0], *sources) == len(result.members)
                else:
                    same(result, client(name, *sources))
    for key in KEYS:
        read(client, model, key)


def read(client, model: Server, key: str) -> None:
    """Compare what every command returns that reads a whole set."""
    expected = model.get(key)
    same(expected, client('SMEMBERS', key))
    same(expected, client('SRANDMEMBER', key, 1000))
    same(expected, client('SORT', key, 'BY', 'nosort'))
    if expected.encoding != 'hashtable':
        assert client('SSCAN', key, 0) == [b'0', expected.members]


def in_order(part: list[bytes], whole: list[bytes]) -> bool:
    rest = iter(whole)
    return all(member in rest for member in part)


@pytest.mark.parametrize('count', [2, 5, 50, 99])
def test_some_members_of_a_listpack_are_returned_in_its_order(client, count):
    names = [b'%d' % (37 * number % 100) for number in range(99)]
    client('SADD', 's', 'x', *names)
    whole = client('SMEMBERS', 's')
    assert whole == [b'x', *names]
    assert in_order(client('SRANDMEMBER', 's', count), whole)
    popped = client('SPOP', 's', count)
    assert len(popped) == count
    assert in_order(popped, whole)
    assert client('SMEMBERS', 's') == [member for member in whole if member not in popped]


def test_spop_of_nearly_all_of_an_intset_returns_them_ascending(client):
    client('SADD', 's', *range(100, 0, -1))
    popped = client('SPOP', 's', 95)
    assert popped == sorted(popped, key=int)
    client('SADD', 's', 'x', 0)
    *integers, x, zero = client('SMEMBERS', 's')
    assert integers == sorted(integers, key=int)
    assert (x, zero) == (b'x', b'0')


def test_spop_of_nearly_all_of_a_large_set_leaves_a_listpack(client):
    client('SADD', 's', *(f'member:{number}' for number in range(1000)))
    assert client('OBJECT', 'ENCODING', 's') == b'hashtable'
    client('SPOP', 's', 990)
    assert client('OBJECT', 'ENCODING', 's') == b'listpack'
    left = client('SMEMBERS', 's')
    client('SADD', 's', 2, 1)
    assert client('SMEMBERS', 's') == [*left, b'2', b'1']


def test_sort_with_desc_does_not_reverse_a_set_that_it_need_not_sort(client):
    client('SADD', 's', 3, 1, 2)
    assert client('SORT', 's', 'BY', 'nosort', 'DESC') == [b'1', b'2', b'3']
