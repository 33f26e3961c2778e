"""HELP of commands with subcommands."""

import pytest

from selredis.commands.debug import SUBCOMMANDS
from selredis.engine.command import COMMANDS, all_commands
from selredis.engine.help import COLUMNS, USAGES, help_on_subcommands, signature, wrong_subcommand

# Signatures of redis-server 7.2. It has more of some containers, and leaves out a bracket of XINFO STREAM.
SIGNATURES = {
    'CLIENT': """
        CACHING (YES|NO)
        GETNAME
        GETREDIR
        ID
        INFO
        KILL <ip:port>
        KILL <option> <value> [<option> <value> [...]]
        LIST [options ...]
        NO-EVICT (ON|OFF)
        NO-TOUCH (ON|OFF)
        PAUSE <timeout> [WRITE|ALL]
        REPLY (ON|OFF|SKIP)
        SETINFO <option> <value>
        SETNAME <name>
        TRACKING (ON|OFF) [REDIRECT <id>] [BCAST] [PREFIX <prefix> [...]]
        TRACKINGINFO
        UNBLOCK <clientid> [TIMEOUT|ERROR]
        UNPAUSE
        """,
    'COMMAND': """
        (no subcommand)
        COUNT
        DOCS [<command-name> ...]
        GETKEYS <full-command>
        GETKEYSANDFLAGS <full-command>
        INFO [<command-name> ...]
        LIST
        """,
    'CONFIG': """
        GET <pattern>
        RESETSTAT
        REWRITE
        SET <directive> <value>
        """,
    'DEBUG': """
        CHANGE-REPL-ID
        CLIENT-EVICTION
        CONFIG-REWRITE-FORCE-ALL
        DIGEST
        DIGEST-VALUE <key> [<key> ...]
        ERROR <string>
        LOG <message>
        OBJECT <key>
        PAUSE-CRON <0|1>
        POPULATE <count> [<prefix>] [<size>]
        PROTOCOL <type>
        QUICKLIST-PACKED-THRESHOLD <size>
        REPLYBUFFER PEAK-RESET-TIME <NEVER|RESET|time>
        REPLYBUFFER RESIZING <0|1>
        SET-ACTIVE-EXPIRE <0|1>
        SLEEP <seconds>
        STRINGMATCH-TEST
        """,
    'LATENCY': """
        DOCTOR
        GRAPH <event>
        HISTOGRAM [COMMAND ...]
        HISTORY <event>
        LATEST
        RESET [<event> ...]
        """,
    'MEMORY': """
        DOCTOR
        MALLOC-STATS
        PURGE
        STATS
        USAGE <key> [SAMPLES <count>]
        """,
    'MODULE': 'LIST',
    'OBJECT': """
        ENCODING <key>
        FREQ <key>
        IDLETIME <key>
        REFCOUNT <key>
        """,
    'PUBSUB': """
        CHANNELS [<pattern>]
        NUMPAT
        NUMSUB [<channel> ...]
        SHARDCHANNELS [<pattern>]
        SHARDNUMSUB [<shardchannel> ...]
        """,
    'SLOWLOG': """
        GET [<count>]
        LEN
        RESET
        """,
    'XGROUP': """
        CREATE <key> <groupname> <id|$> [option]
        CREATECONSUMER <key> <groupname> <consumer>
        DELCONSUMER <key> <groupname> <consumer>
        DESTROY <key> <groupname>
        SETID <key> <groupname> <id|$> [ENTRIESREAD entries_read]
        """,
    'XINFO': """
        CONSUMERS <key> <groupname>
        GROUPS <key>
        STREAM <key> [FULL [COUNT <count>]]
        """,
}


@pytest.mark.parametrize(('container', 'signatures'), SIGNATURES.items())
def test_help_shows_the_signatures_of_redis(client, container, signatures):
    first, *lines = client(container, 'HELP')
    assert first == f'{container} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:'
    expected = [line.strip() for line in signatures.strip().split('\n')]
    assert [line for line in lines if not line.startswith(' ')] == [*expected, 'HELP']


def test_every_container_with_help_is_compared():
    documented = {command.name.upper() for command in all_commands() if b'help' in command.subcommands}
    assert documented - {'CLUSTER'} == SIGNATURES.keys() - {'DEBUG'}


@pytest.mark.parametrize(
    ('syntax', 'expected'),
    [
        ('A', 'A'),
        ('A key group', 'A <key> <groupname>'),
        ('A [x]', 'A [<x>]'),
        ('A x [x ...]', 'A <x> [<x> ...]'),
        ('A [x [x ...]]', 'A [<x> ...]'),
        ('A <ON | OFF>', 'A (ON|OFF)'),
        ('A [ON | OFF]', 'A [ON|OFF]'),
        ('A <id | $>', 'A <id|$>'),
        ('A <0 | 1>', 'A <0|1>'),
        ('A <ONE x | TWO>', 'A (ONE <x>|TWO)'),
        ('A [FULL [COUNT count]]', 'A [FULL [COUNT <count>]]'),
        ('A [BY <ONE x | TWO y>]', 'A [BY (ONE <x>|TWO <y>)]'),
    ],
)
def test_signature(syntax, expected):
    assert signature(syntax) == expected


def test_every_usage_belongs_to_a_subcommand():
    documented = {each for command in all_commands() for each in (command, *command.subcommands.values())}
    names = {each.name.upper().replace('|', ' ') for each in documented}
    assert set(USAGES) <= names | {f'DEBUG {name.decode()}' for name in SUBCOMMANDS}


@pytest.mark.parametrize('name', [name for name, command in COMMANDS.items() if command.subcommands and name.islower()])
def test_help_is_lines_of_text(name):
    lines = [line.text for line in help_on_subcommands(name)]
    assert all(b'\n' not in line for line in lines)
    assert all(len(line) <= COLUMNS for line in lines if line.startswith(b' '))
    assert all(any(line.startswith(word.upper()) for line in lines) for word in COMMANDS[name].subcommands)


def test_too_many_words():
    error = wrong_subcommand([b'pubsub', b'Channels', b'a', b'b'])
    assert error.text == b"ERR unknown subcommand or wrong number of arguments for 'Channels'. Try PUBSUB HELP."
