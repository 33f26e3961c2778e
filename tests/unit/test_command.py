"""Declarations of commands: arity, the containers of subcommands, categories."""

import pytest

from selredis.engine.command import COMMANDS, Command, all_commands, key, numkeys


def do_nothing(client, argv):
    return None


def entry(name: str, arity: int = 1, flags: str = '', group: str = 'string', categories: str = '') -> Command:
    return Command(
        name,
        do_nothing,
        arity=arity,
        flags=flags,
        keys=(),
        since='1.0.0',
        group=group,
        categories=categories,
        tips=(),
        deprecated=None,
        history=(),
    )


@pytest.mark.parametrize(('arity', 'complete'), [(2, [2]), (-2, [2, 3, 4]), (1, [1]), (-1, [1, 2, 3, 4])])
def test_a_negative_arity_is_a_minimum(arity, complete):
    assert [count for count in range(1, 5) if entry('X', arity).takes(count)] == complete


def test_a_subcommand_is_in_its_container():
    client = COMMANDS[b'CLIENT']
    assert client is COMMANDS[b'client']
    assert client.subcommands[b'id'].name == 'client|id'
    assert client.subcommands[b'id'].container == 'client'
    assert b'client|id' not in COMMANDS
    assert all(not command.container for command in all_commands())


@pytest.mark.parametrize(
    ('flags', 'group', 'categories', 'expected'),
    [
        ('', 'string', '', ['string', 'slow']),
        ('readonly fast', 'generic', '', ['keyspace', 'read', 'fast']),
        ('write blocking', 'list', '', ['write', 'list', 'slow', 'blocking']),
        ('admin', 'server', '', ['admin', 'slow', 'dangerous']),
        ('pubsub', 'pubsub', '', ['pubsub', 'slow']),
        ('', 'transactions', 'dangerous', ['slow', 'dangerous', 'transaction']),
    ],
)
def test_categories_follow_from_flags_and_group(flags, group, categories, expected):
    assert entry('X', flags=flags, group=group, categories=categories).acl_categories == expected


def test_a_container_has_no_category_of_its_group():
    container = entry('X', group='connection')
    container.subcommands[b'y'] = entry('X|Y', group='connection')
    assert container.acl_categories == ['slow']
    assert container.subcommands[b'y'].acl_categories == ['slow', 'connection']


def test_key_specs():
    assert key('RW update', 1).flags == ('RW', 'update')
    assert key('RO', 1, -1, 2)[1:4] == (1, -1, 2)
    assert numkeys('RO', 2).first == 1
