"""What only a cluster's nodes do is refused, whatever it is."""

import pytest

from selredis.engine.command import COMMANDS
from selredis.engine.syntax import docstring_parts
from tests.unit.conftest import ErrorText, Peer

REFUSAL = ErrorText('ERR This instance has cluster support disabled')


@pytest.mark.parametrize('name', ['READONLY', 'READWRITE', 'ASKING'])
def test_commands_are_refused(name: str, client: Peer):
    assert client(name) == REFUSAL


@pytest.mark.parametrize('subcommand', COMMANDS[b'cluster'].subcommands.values(), ids=lambda each: each.name)
def test_subcommands_are_refused(subcommand, client: Peer):
    words = subcommand.name.split('|')
    assert client(*words, *'x' * (abs(subcommand.arity) - 2)) == REFUSAL
    assert docstring_parts(subcommand.handler.__doc__).summary.endswith('. Refused, as this is no cluster.')


def test_what_cluster_does_not_know(client: Peer):
    assert client('CLUSTER', 'nope') == ErrorText("ERR unknown subcommand 'nope'. Try CLUSTER HELP.")
    assert client('CLUSTER', 'KEYSLOT') == ErrorText("ERR wrong number of arguments for 'cluster|keyslot' command")
