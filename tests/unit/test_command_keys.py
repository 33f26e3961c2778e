"""Keys among the words of a command."""

import pytest

import selredis.commands  # noqa: F401  (importing it fills the command table)
from selredis.engine.command import COMMANDS, Command, key, keyword, numkeys, unknown
from selredis.engine.command_keys import LegacyRange, find_keys, has_keys, legacy_range


def do_nothing(client, argv):
    return None


def with_keys(*specs) -> Command:
    return Command(
        'X',
        do_nothing,
        arity=-1,
        flags='',
        keys=specs,
        since='1.0.0',
        group='string',
        categories='',
        tips=(),
        deprecated=None,
        history=(),
    )


def keys_of(command: Command, line: str) -> list[bytes] | None:
    found = find_keys(command, line.encode().split())
    return None if found is None else [each.key for each in found]


@pytest.mark.parametrize(
    ('spec', 'line', 'keys'),
    [
        (key('RO', 1), 'X a b', [b'a']),
        (key('RO', 1, -1), 'X a b c', [b'a', b'b', b'c']),
        (key('RO', 1, -2), 'X a b c', [b'a', b'b']),
        (key('RO', 1, 1), 'X a b c', [b'a', b'b']),
        (key('RO', 1, -1, 2), 'X a 1 b 2', [b'a', b'b']),
        (key('RO', 2), 'X a', None),
        (key('RO', 1, -2), 'X a', None),
        (numkeys('RO', 1), 'X 2 a b c', [b'a', b'b']),
        (numkeys('RO', 1), 'X 0 a', None),
        (numkeys('RO', 1), 'X -1 a', None),
        (numkeys('RO', 1), 'X 3 a b', None),
        (numkeys('RO', 1), 'X x a', None),
        (numkeys('RO', 1), 'X 9223372036854775807 a', None),
        (numkeys('RO', 3), 'X', None),
        (numkeys('RO', 1, first=2), 'X 1 option a', [b'a']),
        (keyword('RO', 'FROM', 1), 'X a b from c d', [b'c']),
        (keyword('RO', 'FROM', 1, -1), 'X FROM FROM a', [b'FROM', b'a']),
        (keyword('RO', 'FROM', 2, -1, limit=2), 'X FROM FROM a b 0 0', [b'a', b'b']),
        (keyword('RO', 'FROM', 1, -1, limit=2), 'X FROM a b 0', [b'a']),
        (keyword('RO', 'FROM', 1, -1, limit=2), 'X FROM', []),
        (keyword('RO', 'FROM', 1), 'X a b', []),
        (keyword('RO', 'FROM', 1), 'X a b FROM', []),
    ],
)
def test_places(spec, line, keys):
    assert keys_of(with_keys(spec), line) == keys


def test_specs_are_looked_at_in_order():
    assert keys_of(with_keys(key('RO', 2), key('OW', 1)), 'X a b') == [b'b', b'a']


def test_what_is_no_key_is_not_found():
    command = with_keys(key('not_key', 1))
    assert not has_keys(command)
    assert keys_of(command, 'X channel') == []


@pytest.mark.parametrize(
    ('line', 'keys'),
    [
        ('XREAD COUNT 1 STREAMS a b 0 0', [b'a', b'b']),
        ('XREADGROUP GROUP g c STREAMS a >', [b'a']),
        ('XREADGROUP STREAMS a get NOACK 3 STREAMS x', [b'a', b'get', b'NOACK']),
        ('XREADGROUP COUNT STREAMS FOO a STREAMS x', None),
        ('XREADGROUP STREAMS a b c STREAMS x', None),
        ('XREADGROUP NOACK COUNT 1 BLOCK STREAMS x', None),
    ],
)
def test_where_the_specs_fail_streams_are_found_as_they_are_read(line: str, keys: list[bytes] | None):
    assert keys_of(COMMANDS[line.split(maxsplit=1)[0].lower().encode()], line) == keys


def test_flags_of_set_depend_on_its_options():
    def flags(line: str):
        found = find_keys(COMMANDS[b'set'], line.encode().split())
        assert found is not None
        return found[0].flags

    assert flags('SET a b') == ('OW', 'update')
    assert flags('SET get get') == ('OW', 'update')
    assert flags('SET a b NX get') == ('RW', 'access', 'update')


@pytest.mark.parametrize(
    ('specs', 'expected'),
    [
        ((), LegacyRange(0, 0, 0, False)),
        ((key('RO', 1),), LegacyRange(1, 1, 1, False)),
        ((key('RO', 1, -1, 2),), LegacyRange(1, -1, 2, False)),
        ((key('RO', 1, 1),), LegacyRange(1, 2, 1, False)),
        ((key('RO', 1), key('OW', 2)), LegacyRange(1, 2, 1, False)),
        ((key('OW', 1), key('RO', 2, -1)), LegacyRange(1, -1, 1, False)),
        ((key('OW', 1), key('RO', 3)), LegacyRange(1, 1, 1, True)),
        ((key('OW', 1), key('RO', 2, -1, 2)), LegacyRange(1, 1, 1, True)),
        ((numkeys('RO', 1),), LegacyRange(0, 0, 0, True)),
        ((keyword('RO', 'FROM', 1),), LegacyRange(0, 0, 0, True)),
        ((key('RO', 1), unknown('OW', note='elsewhere')), LegacyRange(1, 1, 1, True)),
        ((key('OW', 1), numkeys('RO', 2)), LegacyRange(1, 1, 1, True)),
    ],
)
def test_legacy_range(specs, expected):
    assert legacy_range(with_keys(*specs)) == expected


@pytest.mark.parametrize(
    ('call', 'keys'),
    [
        ('SORT l', ['l']),
        ('sort l STORE d', ['l', 'd']),
        ('SORT l STORE d store e', ['l', 'e']),
        ('SORT l BY store GET store LIMIT store store', ['l']),
        ('SORT l BY w_* STORE d', ['l', 'd']),
        ('SORT l ALPHA STORE', ['l']),
        ('SORT l STORE get x', ['l', 'get']),
        ('SORT_RO l STORE d', ['l']),
    ],
)
def test_keys_of_sort(call: str, keys: list[str]):
    argv = call.encode().split()
    found = find_keys(COMMANDS[argv[0].lower()], argv)
    assert found is not None
    assert [one.key.decode() for one in found] == keys
