"""Authentication and the choice of protocol. Replies are in transcripts/connection."""

import pytest


@pytest.fixture
def stranger(config, clients):
    config.set_pairs([(b'requirepass', b'secret')])
    (client,) = clients(1)
    return client


def test_a_password_lets_in(stranger):
    assert stranger('PING') == 'NOAUTH Authentication required.'
    assert stranger('AUTH', 'secret') == 'OK'
    assert stranger('PING') == 'PONG'
    assert not stranger.client.gated


@pytest.mark.parametrize('password', ['', 'secre', 'secret ', 'SECRET', b'secret\0', b'\xff'])
def test_only_the_very_password_lets_in(stranger, password):
    assert stranger('AUTH', password).startswith('WRONGPASS')
    assert stranger('AUTH', 'default', password).startswith('WRONGPASS')
    assert stranger('HELLO', '3', 'AUTH', 'default', password).startswith('WRONGPASS')
    assert stranger.client.gated


def test_a_wrong_password_does_not_put_anybody_out(stranger):
    stranger('AUTH', 'secret')
    stranger('AUTH', 'wrong')
    assert stranger('PING') == 'PONG'


def test_hello_lets_in_and_chooses_the_protocol(stranger):
    assert stranger('HELLO', '3', 'AUTH', 'default', 'secret', 'SETNAME', 'me')[b'proto'] == 3
    assert stranger.client.protocol == 3
    assert stranger('CLIENT', 'GETNAME') == b'me'


def test_a_hello_that_fails_changes_nothing(stranger):
    stranger('HELLO', '3', 'SETNAME', 'me', 'AUTH', 'default', 'wrong')
    assert stranger.client.protocol == 2
    assert stranger.client.name == b''
    stranger('HELLO', '3', 'SETNAME', 'me')
    assert stranger.client.protocol == 2
    assert stranger.client.name == b''


@pytest.mark.parametrize('options', [['SETNAME'], ['AUTH', 'default'], ['SETNAME', 'me', 'me'], ['WHAT', 'me', 'you']])
def test_a_hello_with_half_an_option_changes_nothing(stranger, options):
    assert stranger('HELLO', '3', *options).startswith('ERR Syntax error in HELLO option')
    assert stranger.client.protocol == 2
    assert stranger.client.name == b''


def test_another_protocol_changes_what_a_subscriber_may_do(client):
    client('HELLO', '3')
    client('SUBSCRIBE', 'a')
    assert client('PING') == 'PONG'
    client('HELLO', '2')
    assert client('PING') == [b'pong', b'']
    assert client('ECHO', 'x').startswith("ERR Can't execute 'echo'")


def test_passwords_are_not_logged(stranger, engine):
    stranger('AUTH', 'default', 'hunter2')
    stranger('HELLO', '3', 'AUTH', 'default', 'hunter2')
    assert 'hunter2' not in '\n'.join(engine.log.lines)
    assert b'hunter2' not in stranger.client.describe().encode()
