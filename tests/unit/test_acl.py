"""What `user` lines of a file may say of the only user that there is."""

import pytest

from selredis.acl import ONE_USER, describe_default_user, hash_of, read_user
from selredis.errors import ConfigError


def refusal(line, password=b''):
    with pytest.raises(ConfigError) as caught:
        read_user(line.encode().split(), password)
    return str(caught.value)


@pytest.mark.parametrize('password', [b'', b'secret', b'\xff\0'])
def test_what_is_written_is_read_back(password):
    assert read_user(describe_default_user(password).split(), password) == password


def test_a_password_is_taken():
    assert read_user(b'default on >secret ~* &* +@all'.split(), b'') == b'secret'
    assert read_user(b'default on allkeys allchannels allcommands >secret'.split(), b'other') == b'secret'


def test_an_open_door_against_requirepass_is_refused():
    assert 'requirepass' in refusal('default on nopass ~* &* +@all', b'secret')


def test_a_hash_is_compared():
    line = f'default on #{hash_of(b"secret").decode()} ~* &* +@all'
    assert read_user(line.encode().split(), b'secret') == b'secret'
    assert 'only a hash' in refusal(line, b'other')


@pytest.mark.parametrize(
    'line',
    [
        'bob on nopass ~* &* +@all',
        'default',
        'default off nopass ~* &* +@all',
        'default nopass ~* &* +@all',
        'default on ~* &* +@all',
        'default on >one >two ~* &* +@all',
        'default on nopass ~a* &* +@all',
        'default on nopass ~* resetchannels +@all',
        'default on nopass ~* &* +@all -flushall',
    ],
)
def test_any_other_user_is_refused(line):
    assert refusal(line) == ONE_USER
