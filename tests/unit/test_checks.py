"""Refusals, and the order in which they are asked."""

import pytest

from selredis.engine.checks import failed_check
from selredis.engine.command import COMMANDS, Command
from selredis.engine.command import command as declare

NOAUTH = b'NOAUTH Authentication required.'


def command(name: str = 'x', flags: str = '') -> Command:
    """A command of that name and flags, declared and taken out of the table again."""
    hidden = {word: COMMANDS.get(word) for word in (name.lower().encode(), name.upper().encode())}
    declare(name, arity=-1, since='1.0.0', group='server', flags=flags)(lambda _client, _argv: None)
    declared = COMMANDS[name.lower().encode()]
    for word, known in hidden.items():
        del COMMANDS[word]
        if known is not None:
            COMMANDS[word] = known
    return declared


@pytest.fixture
def stranger(config, clients):
    """A client that has not said its password yet."""
    config.set_pairs([(b'requirepass', b'secret')])
    (client,) = clients(1)
    return client.client


def test_nothing_is_refused_in_the_usual_state(client):
    assert failed_check(client.client, command(), [b'x']) is None


# --- authentication ---------------------------------------------------------------------------------------------------


def test_a_stranger_may_do_nothing(stranger):
    assert failed_check(stranger, command(), [b'x']) == NOAUTH


def test_but_say_who_it_is(stranger):
    assert failed_check(stranger, command(flags='no_auth'), [b'x']) is None


def test_who_was_there_before_the_password_stays(client, config):
    config.set_pairs([(b'requirepass', b'secret')])
    assert failed_check(client.client, command(), [b'x']) is None


def test_a_stranger_is_let_in_when_no_password_is_asked_any_more(stranger, config):
    config.set_pairs([(b'requirepass', b'')])
    assert failed_check(stranger, command(), [b'x']) is None


# --- protected commands -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('setting', 'local', 'allowed'),
    [
        (b'no', True, False),
        (b'local', True, True),
        (b'local', False, False),
        (b'yes', False, True),
    ],
)
def test_a_protected_command_needs_leave(client, config, setting, local, allowed):
    config.read_directive([b'enable-debug-command', setting])
    client.client.local = local
    error = failed_check(client.client, command('DEBUG', 'protected'), [b'x'])
    assert (error is None) == allowed
    if error is not None:
        assert error.startswith(b'ERR DEBUG command not allowed. If the enable-debug-command option is set to "local",')


def test_a_protected_command_is_always_looked_at_more_closely():
    assert not command(flags='protected').low <= 3 <= command(flags='protected').high
    assert command().low <= 3 <= command().high


# --- transactions -----------------------------------------------------------------------------------------------------


def test_some_commands_have_no_place_in_a_transaction(client):
    assert failed_check(client.client, command(flags='no_multi'), [b'x']) is None
    client('MULTI')
    assert (
        failed_check(client.client, command(flags='no_multi'), [b'x'])
        == b'ERR Command not allowed inside a transaction'
    )
    assert failed_check(client.client, command(), [b'x']) is None


# --- subscribers ------------------------------------------------------------------------------------------------------


def test_a_subscriber_in_resp2_may_do_little(client):
    client('SUBSCRIBE', 'a')
    assert failed_check(client.client, COMMANDS[b'client'].subcommands[b'id'], [b'x']) == (
        b"ERR Can't execute 'client|id': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in"
        b' this context'
    )


@pytest.mark.parametrize('name', 'ping subscribe psubscribe ssubscribe unsubscribe quit reset'.split())
def test_a_subscriber_in_resp2_may_do_this(client, name):
    client('SUBSCRIBE', 'a')
    assert failed_check(client.client, COMMANDS[name.encode()], [b'x']) is None


@pytest.mark.parametrize('join', ['SUBSCRIBE', 'PSUBSCRIBE', 'SSUBSCRIBE'])
def test_every_subscription_makes_a_subscriber(client, join):
    client(join, 'a')
    assert failed_check(client.client, command(), [b'x']) is not None


def test_in_resp3_a_subscriber_may_do_everything(client):
    client('HELLO', '3')
    client('SUBSCRIBE', 'a')
    assert failed_check(client.client, command(), [b'x']) is None


# --- order ------------------------------------------------------------------------------------------------------------


def test_protection_comes_before_authentication(stranger, config):
    config.read_directive([b'enable-debug-command', b'no'])
    error = failed_check(stranger, command('DEBUG', 'protected'), [b'x'])
    assert error is not None
    assert error.startswith(b'ERR DEBUG command not allowed')


def test_authentication_comes_before_all_that_tells_of_the_state(client, config):
    client('MULTI')
    client.client.authenticated = False
    config.set_pairs([(b'requirepass', b'secret')])
    assert failed_check(client.client, command(flags='no_multi'), [b'x']) == NOAUTH


def test_whether_a_command_exists_and_is_complete_is_told_to_strangers_too(engine, config, clients):
    config.set_pairs([(b'requirepass', b'secret')])
    (stranger,) = clients(1)
    assert stranger('NOSUCHCOMMAND').startswith('ERR unknown command')
    assert stranger('GET').startswith('ERR wrong number of arguments')
    assert stranger('GET', 'k').startswith('NOAUTH')
