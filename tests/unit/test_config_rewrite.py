"""CONFIG REWRITE. What becomes of a file is what redis-server 7.0.15 made of the same one."""

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import selredis.commands  # noqa: F401  (a file may rename commands)
from selredis.config import Config
from selredis.config_file import load, read_lines
from selredis.config_kinds import (
    Addresses,
    Choice,
    Choices,
    Directory,
    EventClasses,
    Integer,
    Integers,
    Kind,
    Memory,
    MemoryOrPercent,
    Octal,
    OutputLimitsByClass,
    Percentiles,
    ReplicaOf,
    SavePoints,
    Secret,
    Text,
    YesNo,
)
from selredis.config_rewrite import SIGNATURE, rewrite, rewritten
from selredis.config_table import PARAMETERS, Parameter
from selredis.engine.command import CommandTable
from selredis.errors import ConfigError

USER = b'user default on nopass sanitize-payload ~* &* +@all\n'


def config_of(text: bytes) -> Config:
    """The configuration that such a file asks for, whether the server could be started with it or not."""
    config = Config(CommandTable().rename)
    read_lines(config, text, '')
    return config


def with_line_breaks(text: str) -> bytes:
    return text.encode().replace(b'|', b'\n')


# What is written is read back


# Words that CONFIG SET might get for a parameter of each kind.
VALUES: dict[type[Kind[Any]], list[bytes]] = {
    Addresses: [b'127.0.0.1 -::1', b'', b'*'],
    Choices: [b'nosave now', b'save', b'default'],
    EventClasses: [b'KEA', b'An', b'gx$', b''],
    Integers: [b'1 2 3', b'-2000 0 2000'],
    Memory: [b'1gb', b'3mb', b'2kb', b'1073741825'],
    MemoryOrPercent: [b'5%', b'0%', b'100mb', b'12345'],
    Octal: [b'700', b'777', b'0'],
    OutputLimitsByClass: [b'normal 1 2 3 replica 1gb 3mb 5 pubsub 1025 7kb 0', b'slave 0 0 0'],
    Percentiles: [b'50 99.99 0.0001 100 33.333333333', b''],
    ReplicaOf: [b'redis.example 6380'],
    SavePoints: [b'3600 1 300 100', b'1 0', b''],
    Secret: [b'pass word', b'"\\\xff\r\n#', b'a\0b', b''],
}


def texts_for(parameter: Parameter[Any]) -> list[bytes]:
    kind = parameter.kind
    if isinstance(kind, YesNo):
        return [b'yes', b'no']
    if isinstance(kind, Choice):
        return [name.encode() for name in kind.names]
    if isinstance(kind, Directory):
        return [b'/tmp', b'/']
    if isinstance(kind, Text):
        return [b'simple', b'{title} two words', b'"quoted" {title} \\ \xff\t\'#', b'-', b'']
    if type(kind) is Integer:
        return [b'%d' % number for number in {kind.low, kind.low + 1, kind.high}]
    return VALUES[type(kind)]


def values_of(parameter: Parameter[Any]) -> list[object]:
    found = []
    for text in texts_for(parameter):
        words = text.split(b' ') if parameter.kind.many else [text]
        with suppress(ConfigError):  # not one for this parameter
            found.append(parameter.kind.read(words, parameter.default))
    return found


@pytest.mark.parametrize('number', range(9))
def test_every_value_is_read_back(number):
    """All parameters at once, each with one of its values, written where there is a line about each and where not."""
    config = Config()
    for parameter in PARAMETERS:
        values = values_of(parameter)
        config._values[parameter.name] = values[number % len(values)]
    mentioned = b'# mine\n' + rewritten(Config(), b'', everything=True)
    for before in (b'', mentioned):
        after = rewritten(config, before)
        assert before is not mentioned or after.startswith(b'# mine\n')
        for _ in range(3):  # lines of several may change places, and an empty one comes to the end
            assert config_of(after)._values == config._values
            after = rewritten(config, after)
        assert rewritten(config, after) == after


def test_all_is_read_back_when_all_is_written():
    config = Config()
    text = rewritten(config, b'', everything=True)
    assert len(text.splitlines()) > 150
    assert config_of(text)._values == config._values


# What becomes of a file


FILE = """\
# my config
  port 0
unixsocket ref.sock

# output limits
client-output-buffer-limit normal 0 0 0
client-output-buffer-limit pubsub 32mb 8mb 60
client-output-buffer-limit pubsub 33mb 8mb 60


save 900 1
save 300 10
save 60 10000

# aliases
slave-priority 50
list-max-ziplist-size -3
bind 127.0.0.1
maxmemory 100mb
maxmemory 200mb
notify-keyspace-events Kx
requirepass "foo bar"
loglevel verbose
logfile ""
pidfile ""
rename-command DEBUG ""
include /dev/null
shutdown-on-sigint nosave now
lua-replicate-commands yes
oom-score-adj relative
maxmemory-clients 5%
latency-tracking-info-percentiles 50 99
"""

REWRITTEN = """\
# my config
port 0
unixsocket "ref.sock"

# output limits
client-output-buffer-limit normal 0 0 0
client-output-buffer-limit replica 256mb 64mb 60
client-output-buffer-limit pubsub 33mb 8mb 60

save 1 2
save 3 4

# aliases
replica-priority 100
list-max-listpack-size -3
bind 127.0.0.1 ::1
maxmemory 200mb

notify-keyspace-events ""

loglevel verbose
logfile ""

rename-command DEBUG ""
include /dev/null
shutdown-on-sigint nosave now
# ??? lua-replicate-commands yes
oom-score-adj yes
maxmemory-clients 7%
latency-tracking-info-percentiles 50 99

# Generated by CONFIG REWRITE
timeout 7
client-query-buffer-limit 2gb
proto-max-bulk-len 1048577
dir "/tmp"
hz 20
masterauth "a\\"b\\xffc"
replica-announce-ip "x y"
"""


def test_a_file_and_what_redis_server_makes_of_it():
    config = config_of(FILE.encode() + b'dir /tmp')
    sets = {
        'timeout': '7',
        'hz': '20',
        'save': '1 2 3 4',
        'bind': '127.0.0.1 ::1',
        'proto-max-bulk-len': '1048577',
        'client-query-buffer-limit': '2gb',
        'notify-keyspace-events': '',
        'slave-priority': '100',
        'maxmemory-clients': '7%',
        'requirepass': '',
        'replica-announce-ip': 'x y',
    }
    config.set_pairs([(name.encode(), value.encode()) for name, value in sets.items()])
    config.set_pairs([(b'masterauth', b'a"b\xffc')])
    assert rewritten(config, FILE.encode()) == REWRITTEN.encode() + USER
    assert rewritten(config, REWRITTEN.encode() + USER) == REWRITTEN.encode() + USER + b'\n'


@pytest.mark.parametrize(
    ('before', 'after'),
    [
        ('', '# Generated by CONFIG REWRITE|dir "/tmp"|'),
        ('|||a', '|# ??? a|# Generated by CONFIG REWRITE|dir "/tmp"|'),
        ('HZ 30|', 'hz 10||# Generated by CONFIG REWRITE|dir "/tmp"|'),
        ('hz 30|hz 40|# c|', 'hz 10||# c||# Generated by CONFIG REWRITE|dir "/tmp"|'),
        ('# Generated by CONFIG REWRITE|dir /|#', '# Generated by CONFIG REWRITE|dir "/tmp"|#|'),
        ('"hz" 30 # no comment', 'hz 10|# Generated by CONFIG REWRITE|dir "/tmp"|'),
        ('hz "30|', '# ??? hz "30||# Generated by CONFIG REWRITE|dir "/tmp"|'),
        ('bind 1.2.3.4|', '|# Generated by CONFIG REWRITE|dir "/tmp"|'),
    ],
)
def test_lines(before, after):
    config = config_of(b'dir /tmp')
    always = b'latency-tracking-info-percentiles 50 99 99.9\n'
    assert rewritten(config, with_line_breaks(before)) == with_line_breaks(after) + always + USER


LINES = st.one_of(
    st.binary(max_size=20).map(lambda text: b'#' + text.replace(b'\n', b' ')),
    st.binary(max_size=20).map(lambda text: text.replace(b'\n', b' ')),
    st.sampled_from([b'', b'hz 20', b'\tHZ "30"', b'save 1 2', b'save 3 4', b'slave-priority 5', b'include /dev/null']),
)


@settings(max_examples=50)
@given(st.lists(LINES))
def test_comments_and_directives_stay_in_their_order(lines):
    config = Config()
    config.set_pairs([(b'hz', b'40'), (b'save', b'1 1')])
    before = b'\n'.join(lines)
    after = rewritten(config, before)

    def kept(text):
        kept = [line.strip(b' \t\r') for line in text.split(b'\n')]
        return [line for line in kept if line.startswith((b'#', b'include')) and not line.startswith(b'# ??? ')]

    signature = [line for line in kept(after) if line == SIGNATURE]
    assert signature == [SIGNATURE] or SIGNATURE in kept(before)
    assert [line for line in kept(after) if line != SIGNATURE] == [line for line in kept(before) if line != SIGNATURE]
    assert config_of(after)._values == config._values


def test_the_users_line_follows_the_password():
    config = config_of(b'requirepass secret')
    text = rewritten(config, USER)
    assert b'requirepass "secret"\n' in text
    assert text.startswith(
        b'user default on sanitize-payload #2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b '
    )
    again = Config()
    load(again, stdin=text)
    assert again['requirepass'] == b'secret'


# The file on disk


@pytest.fixture
def path(tmp_path):
    path = tmp_path / 'redis.conf'
    path.write_bytes(b'# mine\nport 7000\n')
    return path


def names(path):
    return sorted(entry.name for entry in path.parent.iterdir())


def test_the_file_keeps_its_permissions(path):
    path.chmod(0o640)
    rewrite(Config(), str(path))
    assert path.read_bytes().startswith(b'# mine\nport 6379\n')
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert names(path) == ['redis.conf']


def test_a_file_that_is_gone_is_made(path):
    path.unlink()
    rewrite(Config(), str(path))
    assert path.read_bytes().startswith(b'# Generated by CONFIG REWRITE\n')
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644 & ~mask


def test_a_link_stays_one(path, tmp_path):
    link = tmp_path / 'link.conf'
    link.symlink_to(path)
    rewrite(Config(), str(link))
    assert link.is_symlink()
    assert path.read_bytes().startswith(b'# mine\nport 6379\n')


def test_what_a_killed_process_has_left_is_cleared_away(path):
    path.with_name(f'redis.conf.{os.getpid()}.new').write_bytes(b'half of')
    rewrite(Config(), str(path))
    assert names(path) == ['redis.conf']


@pytest.mark.parametrize('call', ['fsync', 'rename', 'fchmod'])
def test_an_error_leaves_the_old_file(path, monkeypatch, call):
    def fail(*arguments):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(OSError, match='No space left'):
        rewrite(Config(), str(path))
    assert path.read_bytes() == b'# mine\nport 7000\n'
    assert names(path) == ['redis.conf']


def test_the_new_file_is_whole_and_on_disk_before_it_has_the_name(path, monkeypatch):
    steps: list[tuple[object, ...]] = []
    rename, fsync = os.rename, os.fsync

    def note_fsync(descriptor):
        steps.append(('fsync', stat.S_ISDIR(os.fstat(descriptor).st_mode)))
        fsync(descriptor)

    def note_rename(source, target):
        steps.append(('rename', Path(source).read_bytes(), path.read_bytes()))
        rename(source, target)

    monkeypatch.setattr(os, 'fsync', note_fsync)
    monkeypatch.setattr(os, 'rename', note_rename)
    rewrite(Config(), str(path))
    assert steps == [('fsync', False), ('rename', path.read_bytes(), b'# mine\nport 7000\n'), ('fsync', True)]
