"""Commands that a server has by other names than the table's: `rename-command`."""

import pytest

from selredis.engine.command import CommandTable
from tests.unit.conftest import Peer


@pytest.fixture
def engine(engine):
    engine.commands = commands = CommandTable()
    commands.rename(b'config', b'Hush')
    commands.rename(b'flushall', b'')
    commands.rename(b'get', b'fetch')
    commands.rename(b'eval', b'run')
    commands.rename(b'save', b'')
    return engine


@pytest.fixture
def client(engine):
    return Peer(engine)


def test_only_the_new_name_is_known(client):
    client('SET', 'a', '1')
    assert client('FETCH', 'a') == client('fEtCh', 'a') == b'1'
    assert client('GET', 'a') == "ERR unknown command 'GET', with args beginning with: 'a' "
    assert client('FlushAll') == "ERR unknown command 'FlushAll', with args beginning with: "
    assert client('hush', 'get', 'hz') == [b'hz', b'10']


@pytest.mark.parametrize('name', ['EVAL', 'run', 'SAVE'])
def test_a_renamed_command_that_is_not_implemented_is_unknown(client, name):
    assert client(name, 'a') == f"ERR unknown command '{name}', with args beginning with: 'a' "
    assert client('COMMAND', 'INFO', name) == [None]


def test_errors_speak_of_the_command_by_its_own_name_and_of_the_container_as_it_was_called(client):
    assert client('fetch') == "ERR wrong number of arguments for 'get' command"
    assert client('hush', 'nope') == "ERR unknown subcommand 'nope'. Try HUSH HELP."


def test_a_transaction_runs_renamed_commands(client):
    client.pipeline('SET a 1', 'MULTI', 'FETCH a', 'GET a')
    assert client('EXEC').startswith('EXECABORT')


def test_command_knows_the_new_names_and_tells_the_old(client, clients):
    assert client('COMMAND', 'INFO', 'get', 'fetch')[0] is None
    assert client('COMMAND', 'INFO', 'fetch')[0][0] == b'get'
    assert client('COMMAND', 'DOCS', 'FETCH')[0] == b'get'
    assert client('COMMAND', 'GETKEYS', 'fetch', 'a') == [b'a']
    assert client('COMMAND', 'GETKEYS', 'get', 'a') == 'ERR Invalid command specified'
    names = client('COMMAND', 'LIST')
    assert b'get' in names
    assert b'flushall' not in names
    assert client('COMMAND', 'COUNT') == len(client('COMMAND')) == len([name for name in names if b'|' not in name])
