"""redis-cli with one command, or those of its standard input, and what it makes of the replies."""

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.harness.redis_cli import SECONDS, Compare, Run
from tests.harness.servers import SelredisServer
from tests.harness.wire import WireClient


def test_values_and_protocols(run: Run, client: WireClient) -> None:
    client('RPUSH', 'l', 'a', 'c,d', 'e"f')
    assert run('--csv', 'LRANGE', 'l', '0', '-1') == '"a","c,d","e\\"f"\n'
    assert json.loads(run('--json', 'LRANGE', 'l', '0', '-1')) == ['a', 'c,d', 'e"f']
    assert json.loads(run('--json', 'CONFIG', 'GET', 'maxclients')) == {'maxclients': '10000'}
    assert run('-3', '--no-raw', 'CONFIG', 'GET', 'maxclients') == '1# "maxclients" => "10000"\n'
    assert run('--no-raw', 'CONFIG', 'GET', 'maxclients') == '1) "maxclients"\n2) "10000"\n'
    assert run('-d', '|', 'LRANGE', 'l', '0', '-1') == 'a|c,d|e"f\n'
    assert run('--quoted-input', 'EXISTS', '"\\x6c"') == '1\n'
    assert run('-e', 'INCR', 'l', code=1).startswith('WRONGTYPE Operation against a key holding the wrong kind of')


FORMATS = (
    ('--raw',),
    ('--no-raw',),
    ('-3', '--raw'),
    ('-3', '--no-raw'),
    ('--csv',),
    ('-3', '--csv'),
    ('--json',),
    ('--quoted-json',),
    ('-2', '--json'),
)
EVERY_KIND = b"""
set text "a \\"quote\\", \\x00\\xff and \\r\\n"
get text
get none
append text more
rpush list one "t wo" ""
lrange list 0 -1
lrange none 0 -1
lpop none 2
incr text
nonsense
get
incrbyfloat number 3.5
object encoding number
config get maxmemory-pol*
scan 0 match text
type list
multi
get number
lrange list 0 1
incr list
exec
command getkeysandflags set a b get
command info get nope
debug protocol string
debug protocol integer
debug protocol double
debug protocol null
debug protocol array
debug protocol set
debug protocol map
debug protocol verbatim
debug protocol true
debug protocol false
echo "the end"
"""


@pytest.mark.parametrize('arguments', FORMATS, ids=' '.join)
def test_every_kind_of_reply_in_every_format(arguments: tuple[str, ...], compare: Compare) -> None:
    printed = compare(*arguments, stdin=EVERY_KIND)
    assert 'the end' in printed.splitlines()[-1]


def test_standard_input_as_the_last_argument(run: Run, client: WireClient) -> None:
    value = bytes(range(128)) * 400
    assert run('-x', 'SET', 'key', stdin=value) == 'OK\n'
    assert client('GET', 'key').text == value
    assert run('-X', 'value', 'SET', 'key', 'value', 'GET', stdin=b'new').encode() == value + b'\n'
    assert client('GET', 'key').text == b'new'


def test_commands_from_standard_input(run: Run) -> None:
    assert run(stdin=b'SET a 1\nINCR a\n\nGET a\n') == 'OK\n2\n2\n'


def test_repeated_at_an_interval(run: Run) -> None:
    began = time.monotonic()
    assert run('-r', '5', '-i', '0.1', 'INCR', 'n') == '1\n2\n3\n4\n5\n'
    assert time.monotonic() - began >= 0.4


def test_databases_and_urls(run: Run, redis_cli: str, server: SelredisServer) -> None:
    assert run('-n', '3', 'SET', 'key', 'three') == 'OK\n'
    url = f'redis://{server.host}:{server.port}/3'
    ended = subprocess.run([redis_cli, '-u', url, 'GET', 'key'], capture_output=True, check=True, timeout=SECONDS)
    assert ended.stdout == b'three\n'
    assert run('DBSIZE') == '0\n'
    assert run('-c', '-n', '3', 'GET', 'key') == 'three\n'


def test_passwords(redis_cli: str, start_selredis: Callable[..., SelredisServer]) -> None:
    server = start_selredis('--requirepass', 'secret')

    def say(*arguments: str) -> str:
        ended = subprocess.run([redis_cli, *arguments], capture_output=True, text=True, check=False, timeout=SECONDS)
        return ended.stderr + ended.stdout

    at = ['-h', server.host, '-p', str(server.port), '--no-auth-warning']
    assert say(*at, 'PING') == 'NOAUTH Authentication required.\n\n'
    assert say(*at, '-a', 'secret', 'PING') == 'PONG\n'
    assert say(*at, '--user', 'default', '--pass', 'secret', '-3', 'PING') == 'PONG\n'
    assert say('-u', f'redis://default:secret@{server.host}:{server.port}', '--no-auth-warning', 'PING') == 'PONG\n'
    assert say(*at, '-a', 'wrong', 'PING') == (
        'AUTH failed: WRONGPASS invalid username-password pair or user is disabled.\n'
        'NOAUTH Authentication required.\n\n'
    )


def test_unix_socket(redis_cli: str, start_selredis: Callable[..., SelredisServer], tmp_path: Path) -> None:
    path = str(tmp_path / 'redis.sock')
    start_selredis('--unixsocket', path)
    ended = subprocess.run([redis_cli, '-s', path, 'PING'], capture_output=True, check=True, timeout=SECONDS)
    assert ended.stdout == b'PONG\n'
