"""MODULE, where there are none."""

from tests.unit.conftest import ErrorText, Peer


def test_none_is_loaded_and_none_can_be(client: Peer):
    assert client('MODULE', 'LIST') == []
    assert client('MODULE', 'LOAD', '/x.so') == ErrorText("ERR unknown subcommand 'LOAD'. Try MODULE HELP.")


def test_help(client: Peer):
    assert client('MODULE', 'HELP')[1] == 'LIST'
