"""Secrets among the arguments of a command, and every place that shows commands."""

import pytest

from selredis.engine.command import COMMANDS, CommandTable
from selredis.engine.crash_report import call_text
from selredis.engine.redaction import redacted


def shown(line: str, commands=COMMANDS) -> str:
    """The line as it is shown, `*` for each secret."""
    words = redacted(commands, line.encode().split(b' '))
    return b' '.join(words).replace(b'(redacted)', b'*').decode()


@pytest.mark.parametrize(
    ('line', 'expected'),
    [
        ('GET auth', 'GET auth'),
        ('Auth pw', 'Auth *'),
        ('AUTH user pw', 'AUTH * *'),
        ('AUTH user pw more', 'AUTH * * *'),
        ('HELLO 3', 'HELLO 3'),
        ('HELLO 3 SETNAME me auth user pw', 'HELLO 3 SETNAME me auth * *'),
        ('HELLO 3 AUTH user pw SETNAME me', 'HELLO 3 AUTH * * SETNAME me'),
        ('HELLO AUTH user pw', 'HELLO AUTH * *'),
        ('HELLO x AUTH user pw', 'HELLO x AUTH * *'),
        ('HELLO 3 AUTH pw', 'HELLO 3 AUTH *'),
        ('HELLO 3 SETNAME auth AUTH user pw', 'HELLO 3 SETNAME auth * * *'),
        ('HELLO 3 SETNAME AUTH user pw', 'HELLO 3 SETNAME AUTH * *'),
        ('CONFIG GET requirepass', 'CONFIG GET requirepass'),
        ('CONFIG SET hz 10', 'CONFIG SET hz 10'),
        ('config set RequirePass pw', 'config set RequirePass *'),
        (
            'CONFIG SET hz 10 requirepass pw timeout 0 masterauth pw',
            'CONFIG SET hz 10 requirepass * timeout 0 masterauth *',
        ),
        ('CONFIG SET tls-key-file-pass pw masteruser u', 'CONFIG SET tls-key-file-pass * masteruser *'),
        ('CONFIG SET nosuch x tls-client-key-file-pass pw', 'CONFIG SET nosuch x tls-client-key-file-pass *'),
        ('CONFIG SET hz requirepass pw', 'CONFIG SET hz requirepass *'),
        ('ACL SETUSER bob on >pw ~*', 'ACL SETUSER * * * *'),
        ('ACL WHOAMI', 'ACL WHOAMI'),
        ('ACL', 'ACL'),
        ('MIGRATE host 1 key 0 5000 COPY AUTH pw', 'MIGRATE host 1 key 0 5000 COPY AUTH *'),
        ('MIGRATE host 1  0 5000 AUTH2 u pw KEYS auth b', 'MIGRATE host 1  0 5000 AUTH2 * * KEYS auth b'),
    ],
)
def test_secrets_are_redacted(line, expected):
    assert shown(line) == expected
    for container in ('COMMAND GETKEYS', 'command GetKeysAndFlags', 'COMMAND GETKEYS COMMAND GETKEYS', 'ACL DRYRUN me'):
        assert shown(f'{container} {line}') == f'{container} {expected}'


@pytest.mark.parametrize('line', ['COMMAND', 'COMMAND GETKEYS', 'COMMAND GETKEYS COMMAND', 'COMMAND INFO auth pw'])
def test_incomplete_and_other_calls_of_command_are_shown(line):
    assert shown(line) == line


def test_a_long_chain_of_wrapped_commands_is_redacted():
    assert shown('COMMAND GETKEYS ' * 50_000 + 'AUTH pw').endswith(' COMMAND GETKEYS AUTH *')


def test_a_renamed_command_is_redacted():
    commands = CommandTable()
    commands.rename(b'auth', b'login')
    commands.rename(b'config', b'settings')
    commands.rename(b'command', b'about')
    assert shown('login pw', commands) == 'login *'
    assert shown('settings SET requirepass pw', commands) == 'settings SET requirepass *'
    assert shown('about GETKEYS login pw', commands) == 'about GETKEYS login *'
    assert shown('about GETKEYS AUTH pw', commands) == 'about GETKEYS AUTH *'


CALLS = [
    'AUTH hunter2',
    'HELLO 3 AUTH default hunter2',
    'HELLO AUTH default hunter2',
    'COMMAND GETKEYS AUTH hunter2',
    'COMMAND GETKEYSANDFLAGS MIGRATE h 1 k 0 9 AUTH hunter2',
    'COMMAND GETKEYS HELLO 3 AUTH default hunter2',
    'COMMAND GETKEYS CONFIG SET hz 10 requirepass hunter2',
    'COMMAND GETKEYS ACL SETUSER bob >hunter2',
    'CONFIG SET timeout requirepass hunter2',
    'CONFIG SET masterauth hunter2 tls-client-key-file-pass hunter2',
]


@pytest.mark.parametrize('call', CALLS)
def test_neither_monitor_nor_slow_log_nor_crash_report_shows_a_password(clients, engine, call):
    watcher, client = clients(2)
    watcher('CONFIG', 'SET', 'slowlog-log-slower-than', '0')
    watcher('MONITOR')
    client.pipeline(call, 'PING')
    seen = [str(line) for line in watcher.take()]
    assert seen[-1].endswith('"PING"')
    entries = client('SLOWLOG', 'GET')
    assert entries[1][3][0] == call.split()[0].encode()
    for text in (*seen, str(entries), call_text(engine.commands, call.encode().split())):
        assert 'hunter2' not in text


def test_a_warning_of_a_secret_without_effect_does_not_repeat_it(config):
    config.set_pairs([(b'tls-client-key-file-pass', b'hunter2')])
    (warning,) = config.take_warnings()
    assert warning == 'WARNING: "tls-client-key-file-pass (redacted)" has no effect: there is no replication yet'
