"""HELP of commands with subcommands."""

import pytest

from selredis.engine.command import COMMANDS
from selredis.engine.help import COLUMNS, help_on_subcommands, wrong_subcommand


def test_help_tells_of_every_subcommand_with_its_syntax(client):
    lines = client('PUBSUB', 'HELP')
    assert lines[0] == 'PUBSUB <subcommand> [<arg> [value] [opt] ...]. Subcommands are:'
    assert [line for line in lines[1:] if not line.startswith(' ')] == [
        'CHANNELS [pattern]',
        'NUMSUB [channel [channel ...]]',
        'NUMPAT',
        'SHARDCHANNELS [pattern]',
        'SHARDNUMSUB [shardchannel [shardchannel ...]]',
        'HELP',
    ]


@pytest.mark.parametrize('name', [name for name, command in COMMANDS.items() if command.subcommands and name.islower()])
def test_help_is_lines_of_text(name):
    lines = [line.text for line in help_on_subcommands(name)]
    assert all(b'\n' not in line for line in lines)
    assert all(len(line) <= COLUMNS for line in lines if line.startswith(b' '))
    assert all(any(line.startswith(word.upper()) for line in lines) for word in COMMANDS[name].subcommands)


def test_too_many_words():
    error = wrong_subcommand([b'pubsub', b'Channels', b'a', b'b'])
    assert error.text == b"ERR unknown subcommand or wrong number of arguments for 'Channels'. Try PUBSUB HELP."
