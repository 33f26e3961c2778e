"""redis-cli at its prompt."""

import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.harness.redis_cli import Terminals
from tests.harness.servers import ReferenceServer, SelredisServer
from tests.harness.wire import WireClient


def test_prompt_shows_hints_of_the_commands_there_are(terminal: Terminals) -> None:
    shown = terminal()
    shown.see('> ')
    shown.type('blpop ')
    shown.see('> blpop key [key ...] timeout')
    shown.type('a ')
    shown.see('> blpop a [key ...] timeout')
    shown.type('\x15BLMOVE a ')
    shown.see('> BLMOVE a destination LEFT|RIGHT LEFT|RIGHT timeout')
    shown.type('\x15client kill ')
    shown.see('> client kill old-format|[ID client-id]')  # where 7.2's redis-cli has ip:port
    shown.type('\x15set k v ')
    shown.see('> set k v [NX|XX] [GET] [EX seconds|PX milliseconds|EXAT unix-time-seconds|')


# What 7.2 has otherwise in its arguments (tests/test_command_table.py).
HINTS_OF_7_2 = {
    'bitop',
    'client|kill',
    'cluster|setslot',
    'command|getkeys',
    'command|getkeysandflags',
    'geohash',
    'geopos',
    'georadius',
    'georadiusbymember',
    'hscan',
    'lcs',
    'pfmerge',
    'sort',
    'sort_ro',
    'xclaim',
    'xgroup|create',
    'xgroup|createconsumer',
    'xgroup|delconsumer',
    'xgroup|destroy',
    'xgroup|setid',
    'xinfo|consumers',
    'xsetid',
    'zrank',
    'zrevrank',
}


@pytest.mark.parametrize('options', [(), ('-3',)])
def test_hints_are_those_of_redis_for_every_command(
    options: tuple[str, ...],
    terminal: Terminals,
    at_reference: list[str],
    client: WireClient,
    reference: ReferenceServer,
) -> None:
    with WireClient(reference.address) as other:
        names, other_names = ({item.text.decode() for item in one('COMMAND', 'LIST').items} for one in (client, other))
    shown = terminal(*options), terminal(*options, command=at_reference)
    for one in shown:
        one.see('> ')
    wrong: list[str] = []
    for name in sorted((names & other_names) - HINTS_OF_7_2):
        line = name.replace('|', ' ') + ' '
        # Names have hyphens since 7.2.
        ours, theirs = (one.hint(line).replace('_', '-').lower() for one in shown)
        if ours != theirs:
            wrong.append(f'{line}{ours}\nbut with the reference\n{line}{theirs}')
    assert not wrong, '\n'.join(wrong)


def test_prompt_where_command_is_not_for_everybody(
    redis_cli: str, terminal: Terminals, start_selredis: Callable[..., SelredisServer]
) -> None:
    server = start_selredis('--rename-command', 'COMMAND', '')
    shown = terminal(command=[redis_cli, '-h', server.host, '-p', str(server.port)])
    shown.see('> ')
    assert shown.hint('getrange ').rstrip() == 'key start end'  # as redis-cli itself knows it
    assert shown.ask('ping', '> ').startswith('PONG\n')


def test_help_at_the_prompt(terminal: Terminals, server: SelredisServer, client: WireClient) -> None:
    shown = terminal()
    prompt = f'{server.host}:{server.port}> '
    shown.see(prompt)
    docs = client('COMMAND', 'DOCS', 'blpop').items[1].items
    assert docs[0].text == b'summary'
    assert shown.ask('help blpop', prompt) == (
        f'\n  BLPOP key [key ...] timeout\n  summary: {docs[1].text.decode()}\n  since: 2.0.0\n  group: list\n\n'
    )
    everything = shown.ask('help @transactions', prompt)
    for name in ('DISCARD', 'EXEC', 'MULTI', 'UNWATCH', 'WATCH'):
        assert f'\n  {name} ' in everything


def test_replies_at_the_prompt(terminal: Terminals, server: SelredisServer) -> None:
    shown = terminal()
    prompt = f'{server.host}:{server.port}> '
    shown.see(prompt)
    assert shown.ask('set greeting "hello \\x41"', prompt) == 'OK\n'
    assert shown.ask('get greeting', prompt) == '"hello A"\n'
    assert shown.ask('get nothing', prompt) == '(nil)\n'
    assert shown.ask('rpush l a b', prompt) == '(integer) 2\n'
    assert shown.ask('lrange l 0 -1', prompt) == '1) "a"\n2) "b"\n'
    assert shown.ask('incr greeting', prompt) == '(error) ERR value is not an integer or out of range\n'
    assert shown.ask('lrange x 0 -1', prompt) == '(empty array)\n'
    assert shown.ask('hello 3', prompt).startswith('1# "server" => "redis"\n2# "version" => "7.2.4"\n')
    assert shown.ask('config get port', prompt) == '1# "port" => "0"\n'
    assert shown.ask('info server', prompt).startswith('# Server\nredis_version:7.2.4\n')


def test_texts_for_people_are_shown_as_they_are(terminal: Terminals, server: SelredisServer) -> None:
    for options in ((), ('-3',)):
        shown = terminal(*options)
        prompt = f'{server.host}:{server.port}> '
        shown.see(prompt)
        assert shown.ask('info server', prompt).startswith('# Server\nredis_version:7.2.4\n')
        assert re.match(r'id=\d+ addr=', shown.ask('client info', prompt))
        assert re.match(r'id=\d+ addr=', shown.ask('client list', prompt))
        for question in ('memory doctor', 'latency doctor'):
            assert not shown.ask(question, prompt).startswith('"')


def test_invalidations_at_the_prompt(terminal: Terminals, server: SelredisServer, client: WireClient) -> None:
    shown = terminal('-3')
    prompt = f'{server.host}:{server.port}> '
    shown.see(prompt)
    assert shown.ask('client tracking on', prompt) == 'OK\n'
    assert shown.ask('get cached', prompt) == '(nil)\n'
    client('SET', 'cached', 1)
    assert shown.ask('ping', prompt) == "-> invalidate: 'cached'\nPONG\n"


def test_prompt_knows_the_database_and_the_transaction(terminal: Terminals, server: SelredisServer) -> None:
    shown = terminal('-n', '2')
    prompt = f'{server.host}:{server.port}'
    shown.see(f'{prompt}[2]> ')
    assert shown.ask('select 7', f'{prompt}[7]> ') == 'OK\n'
    assert shown.ask('multi', f'{prompt}[7](TX)> ') == 'OK\n'
    assert shown.ask('set a 1', f'{prompt}[7](TX)> ') == 'QUEUED\n'
    assert shown.ask('get a', f'{prompt}[7](TX)> ') == 'QUEUED\n'
    assert shown.ask('exec', f'{prompt}[7]> ') == '1) OK\n2) "1"\n'
    shown.ask('multi', f'{prompt}[7](TX)> ')
    shown.ask('get', f'{prompt}[7](TX)> ')
    refusal = '(error) EXECABORT Transaction discarded because of previous errors.\n'
    assert shown.ask('exec', f'{prompt}[7]> ') == refusal


def test_prompt_connects_again_after_a_restart(
    redis_cli: str, terminal: Terminals, start_selredis: Callable[..., SelredisServer], tmp_path: Path
) -> None:
    path = str(tmp_path / 'redis.sock')
    first = start_selredis('--unixsocket', path)
    shown = terminal('-s', path, command=[redis_cli])
    prompt = f'redis {path}> '
    shown.see(prompt)
    assert shown.ask('ping', prompt) == 'PONG\n'
    first.stop(signal.SIGTERM)
    shown.ask('ping', 'not connected> ')
    start_selredis('--unixsocket', path)
    assert shown.ask('ping', prompt) == 'PONG\n'
