"""Sorted sets together, with an engine alone: against Python's own dicts."""

import pytest

from selredis.values.set import Set

MANY = 500


@pytest.fixture
def filled(client):
    """Two sorted sets and a set that overlap, and what is in them."""
    contents = {
        'a': {b'm%d' % number: float(number) for number in range(MANY)},
        'b': {b'm%d' % number: float(-number) for number in range(0, 2 * MANY, 3)},
        's': {b'm%d' % number: 1.0 for number in range(0, MANY, 7)},
    }
    for key in ('a', 'b'):
        client('ZADD', key, *(word for name, score in contents[key].items() for word in (str(score), name.decode())))
    client('SADD', 's', *(name.decode() for name in contents['s']))
    return client, contents


def in_order(found: dict[bytes, float]) -> list[bytes]:
    return sorted(found, key=lambda name: (found[name], name))


def test_union(filled):
    client, contents = filled
    expected: dict[bytes, float] = {}
    for scores in contents.values():
        for name, score in scores.items():
            expected[name] = expected.get(name, 0.0) + score
    assert client('ZUNION', '3', 'a', 'b', 's') == in_order(expected)


def test_intersection(filled):
    client, contents = filled
    common = contents['a'].keys() & contents['b'].keys() & contents['s'].keys()
    expected = {name: max(scores[name] for scores in contents.values()) for name in common}
    assert client('ZINTER', '3', 'a', 'b', 's', 'AGGREGATE', 'MAX') == in_order(expected)
    assert client('ZINTERCARD', '3', 'a', 'b', 's') == len(common)
    assert client('ZINTERCARD', '3', 'a', 'b', 's', 'LIMIT', '3') == 3


def test_difference(filled):
    client, contents = filled
    expected = {name: score for name, score in contents['a'].items() if name not in contents['b']}
    assert client('ZDIFF', '2', 'a', 'b') == in_order(expected)
    assert client('ZDIFFSTORE', 'to', '2', 'a', 'b') == len(expected)
    assert client('ZRANGE', 'to', '0', '-1') == in_order(expected)


def test_a_result_may_take_the_place_of_what_it_is_made_of(filled):
    client, contents = filled
    client('ZUNIONSTORE', 'a', '1', 'a', 'WEIGHTS', '-1')
    assert client('ZRANGE', 'a', '0', '-1') == in_order({name: -score for name, score in contents['a'].items()})


def test_a_result_has_no_deadline(filled):
    client, _ = filled
    client('SET', 'to', 'x', 'EX', '100')
    client('ZINTERSTORE', 'to', '2', 'a', 'b')
    assert client('TTL', 'to') == -1


def test_keys_are_looked_at_before_the_options(filled):
    client, _ = filled
    client('RPUSH', 'list', 'x')
    assert client('ZUNION', '2', 'a', 'list', 'WHAT').startswith('WRONGTYPE')


@pytest.mark.parametrize('words', [['ZDIFF', '{count}', 'a'], ['SDIFF', 's']])
def test_a_difference_from_many_small_sets_does_not_look_up_every_member_in_each(filled, words, monkeypatch):
    client, contents = filled
    for number in range(20):
        client('SADD', f'small{number}', f'm{number}', 'other')
    monkeypatch.setattr(Set, '__contains__', refuse)
    others = [f'small{number}' for number in range(20)] + [f'none{number}' for number in range(20)]
    found = client(*(word.format(count=41) for word in words), *others)
    removed = {b'm%d' % number for number in range(20)}
    assert sorted(found) == sorted(contents[words[-1]].keys() - removed)


def refuse(self, member):
    raise AssertionError('looked up')


def test_a_difference_from_keys_that_do_not_exist_is_the_first_set(filled):
    client, contents = filled
    assert sorted(client('ZDIFF', '3', 'a', 'none', 'none2')) == sorted(contents['a'])
    assert sorted(client('SDIFF', 's', 'none', 'none2')) == sorted(contents['s'])


def test_options_of_a_union_may_be_repeated(filled):
    client, _ = filled
    twice = ['WEIGHTS', '5', '5', 'AGGREGATE', 'MIN', 'WEIGHTS', '1', '2', 'AGGREGATE', 'MAX']
    assert client('ZUNION', '2', 'a', 'b', *twice) == client('ZUNION', '2', 'a', 'b', *twice[5:])
    assert client('ZUNION', '2', 'a', 'b', 'WEIGHTS', '1') == 'ERR syntax error'
