"""redis.conf, standard input and the command line; what redis-server prints about a directive that it cannot take."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

import selredis.commands  # noqa: F401  (importing it fills the command table)
from selredis.acl import ONE_USER
from selredis.config import Config
from selredis.config_file import (
    ConfigFileError,
    Invocation,
    UnreadableConfigFile,
    load,
    parse_command_line,
)
from selredis.engine.command import COMMANDS, UNIMPLEMENTED, CommandTable


@pytest.fixture
def config():
    return Config()


def start(*arguments, stdin=b'', commands=None):
    """The config of a server started with these arguments; `commands` is the table that they may rename."""
    config = Config((commands or CommandTable()).rename)
    invocation = parse_command_line(arguments)
    load(config, invocation.file, stdin, invocation.options)
    return config


def fatal(*arguments, stdin=b''):
    """The block that such a server prints before it exits, without its heading."""
    with pytest.raises(ConfigFileError) as caught:
        start(*arguments, stdin=stdin)
    lines = caught.value.block('7.2.4').split('\n')
    assert lines[:2] == ['', '*** FATAL CONFIG FILE ERROR (Redis 7.2.4) ***']
    assert lines[-1] == ''
    return lines[2:-1]


@pytest.fixture
def write(tmp_path):
    def write(name, text):
        path = tmp_path / name
        path.write_text(text)
        return str(path)

    return write


# Files


def test_a_file(config, write):
    path = write('redis.conf', '# a comment\n\n  port 7000  \r\nLOGLEVEL Debug\nbind 127.0.0.1 -::1\nlogfile ""\n#')
    load(config, path)
    assert config['port'] == 7000
    assert config['loglevel'] == 'debug'
    assert config['bind'] == ('127.0.0.1', '-::1')
    assert config['logfile'] == ''


def test_quotes(config, write):
    load(config, write('redis.conf', """requirepass "a\\x00 b\\n"\nunixsocket '/tmp/a b'\nsave ''"""))
    assert config['requirepass'] == b'a\0 b\n'
    assert config['unixsocket'] == '/tmp/a b'
    assert config['save'] == ()


def test_the_last_word_wins_and_save_points_add_up(config, write):
    load(config, write('redis.conf', 'port 1\nport 2\nsave 900 1\nsave 60 1000\n'))
    assert config['port'] == 2
    assert config['save'] == ((900, 1), (60, 1000))
    assert config.take_warnings() == [
        'WARNING: "save 900 1 60 1000" has no effect: nothing is saved to disk yet, '
        'the data is lost when the server stops'
    ]


def test_file_then_standard_input_then_options(write):
    path = write('redis.conf', 'port 1\ntimeout 1\nhz 1')
    config = start(path, '--port', '3', '-', stdin=b'port 2\ntimeout 2\n')
    assert (config['port'], config['timeout'], config['hz']) == (3, 2, 1)


HARNESS_FILE = """\
always-show-logo yes
notify-keyspace-events KEA
daemonize no
pidfile /var/run/redis.pid
port 6379
timeout 0
bind 127.0.0.1
loglevel verbose
logfile ''
databases 16
latency-monitor-threshold 1
repl-diskless-sync-delay 0
save ''
rdbcompression yes
dbfilename dump.rdb
slave-serve-stale-data yes
appendonly no
appendfsync everysec
no-appendfsync-on-rewrite no
activerehashing yes
enable-protected-configs yes
enable-debug-command yes
enable-module-command yes
propagation-error-behavior panic
shutdown-on-sigterm force
"""


def test_a_file_as_test_harnesses_write_it(write, tmp_path):
    (tmp_path / 'server.1').mkdir()
    path = write('redis.conf', HARNESS_FILE)
    config = start(path, '--dir', str(tmp_path / 'server.1'), '--unixsocket', str(tmp_path / 'server.1' / 'socket'))
    assert config['enable-debug-command'] == 'yes'
    assert config['notify-keyspace-events'] == frozenset('g$lshzxetdKE')
    assert config.take_warnings() == []


def test_a_file_that_is_not_there():
    with pytest.raises(UnreadableConfigFile) as caught:
        start('/no/such.conf')
    assert str(caught.value) == "Fatal error, can't open config file '/no/such.conf': No such file or directory"


# include


def test_include_from_where_the_server_stands(tmp_path, write, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write('inner.conf', 'port 7000\n')
    assert start(write('redis.conf', 'port 1\ninclude inner.conf\n'))['port'] == 7000
    assert start(write('redis.conf', 'include inner.conf\nport 1\n'))['port'] == 1


def test_include_after_dir(tmp_path, write):
    (tmp_path / 'inner').mkdir()
    write('inner/inner.conf', 'port 7000\n')
    assert start('--dir', str(tmp_path / 'inner'), '--include', 'inner.conf')['port'] == 7000


def test_include_of_a_pattern_in_order_of_names(tmp_path, write):
    write('b.inc', 'port 2\ntimeout 2\n')
    write('a.inc', 'port 1')
    config = start('--include', str(tmp_path / '*.inc'), '--include', str(tmp_path / 'none*'))
    assert (config['port'], config['timeout']) == (2, 2)


def test_include_of_a_file_that_is_not_there(tmp_path):
    with pytest.raises(UnreadableConfigFile) as caught:
        start('--dir', str(tmp_path), '--include', 'none.conf')
    assert str(caught.value) == "Fatal error, can't open config file 'none.conf': No such file or directory"


def test_files_that_include_each_other(tmp_path, write):
    outer, inner = str(tmp_path / 'outer.conf'), str(tmp_path / 'inner.conf')
    write('outer.conf', f'include {inner}\n')
    write('inner.conf', f'\ninclude {outer}\n')
    assert fatal(outer) == [
        f'Reading the configuration file, at line 2 of {os.path.realpath(inner)}',
        f">>> 'include {outer}'",
        'a file may not include itself',
    ]


# Errors


def test_an_error_names_line_and_file(write):
    path = write('redis.conf', 'timeout 0\n\n  port abc \nhz x\n')
    assert fatal(path) == [
        f'Reading the configuration file, at line 3 of {os.path.realpath(path)}',
        ">>> 'port abc'",
        "argument couldn't be parsed into an integer",
    ]


def test_an_error_in_an_included_file_names_that(tmp_path, write):
    inner = write('inner.conf', '\nhz x\n')
    assert fatal('--include', inner)[:2] == [
        f'Reading the configuration file, at line 2 of {os.path.realpath(inner)}',
        ">>> 'hz x'",
    ]


def test_options_are_numbered_after_the_file(write):
    assert fatal('--port', 'abc')[:2] == ['Reading the configuration file, at line 2', """>>> 'port "abc"'"""]
    path = write('redis.conf', 'timeout 0\nhz 10\n')
    assert fatal(path, '--port', '1', '--hz', 'x')[0] == 'Reading the configuration file, at line 5'
    assert fatal(path, '-', stdin=b'\nhz x\n')[0] == 'Reading the configuration file, at line 4'


def test_unbalanced_quotes(write):
    assert fatal('-', stdin=b'logfile "a')[1:] == [
        """>>> 'logfile "a'""",
        'Unbalanced quotes in configuration line',
    ]


def test_an_error_about_the_whole_has_no_line():
    error = ConfigFileError("Can't open the log file: Permission denied")
    assert error.block('7.2.4') == (
        "\n*** FATAL CONFIG FILE ERROR (Redis 7.2.4) ***\nCan't open the log file: Permission denied\n"
    )


@pytest.mark.parametrize(
    'line',
    [
        b'requirepass hunter2 twice',
        b'"RequirePass" hunter2 twice',
        b'requirepass "hunter2',
        b'port --requirepass hunter2',
        b'masterauth hunter2 too',
    ],
)
def test_passwords_are_not_shown(line):
    shown = fatal('-', stdin=line)
    assert 'hunter2' not in ''.join(shown)
    assert shown[1].endswith(" (redacted)'")


def test_users_are_refused_without_their_words():
    assert fatal('-', stdin=b'user bob on >hunter2') == [ONE_USER]


def test_the_line_about_the_default_user_that_redis_server_leaves_is_taken():
    assert start('-', stdin=b'user default on nopass ~* &* +@all')['requirepass'] == b''
    assert start('-', stdin=b'user default on >secret ~* &* +@all')['requirepass'] == b'secret'


def test_bytes_that_are_no_text_are_shown_escaped():
    assert fatal('-', stdin=b'port \xff')[1] == r">>> 'port \xff'"


def test_what_the_file_asks_for_in_vain_may_be_taken_back_by_an_option(write):
    path = write('redis.conf', 'cluster-enabled yes\nport 1\n')
    assert fatal(path) == ['cluster-enabled yes: clusters are not supported']
    assert start(path, '--cluster-enabled', 'no')['port'] == 1


# Commands by other names


def test_a_command_has_another_name_or_none():
    commands = CommandTable()
    start('-', stdin=b'rename-command CONFIG "hush"\nrename-command debug ""\n', commands=commands)
    assert commands[b'hush'] is commands[b'HUSH'] is COMMANDS[b'config']
    assert not {b'config', b'CONFIG', b'debug', b'DEBUG'} & set(commands)
    assert b'config' in COMMANDS


def test_names_may_be_exchanged():
    commands = CommandTable()
    lines = b'rename-command get other\nrename-command set GET\nrename-command other set\n'
    start('-', stdin=lines, commands=commands)
    assert commands[b'get'] is COMMANDS[b'set']
    assert commands[b'SET'] is COMMANDS[b'get']


HARDENED = b"""
rename-command EVAL ""
rename-command Save keep-this
rename-command keep-this and-that
rename-command BGREWRITEAOF ""
rename-command SLAVEOF ""
rename-command GET Eval
"""


def test_commands_that_are_not_implemented_may_be_renamed():
    commands = CommandTable()
    start('-', stdin=HARDENED, commands=commands)
    assert set(commands) - set(COMMANDS) == {b'eval', b'EVAL'}
    assert commands[b'eval'] is COMMANDS[b'get']


def test_a_command_is_either_implemented_or_not():
    assert not UNIMPLEMENTED & set(COMMANDS)


@pytest.mark.parametrize(
    ('lines', 'reason'),
    [
        ('rename-command get EVAL', 'Target command name already exists'),
        ('rename-command eval hush\nrename-command get HUSH', 'Target command name already exists'),
        ('rename-command eval SAVE', 'Target command name already exists'),
        ('rename-command eval ""\nrename-command eval x', 'No such command in rename-command'),
        ('rename-command sentinel x', 'No such command in rename-command'),
    ],
)
def test_a_command_that_is_not_implemented_has_one_name(lines, reason):
    *_, last = lines.split('\n')
    assert fatal('-', stdin=lines.encode())[1:] == [f">>> '{last}'", reason]


@pytest.mark.parametrize(
    ('line', 'reason'),
    [
        ('rename-command nosuch a', 'No such command in rename-command'),
        ('rename-command get SET', 'Target command name already exists'),
        ('rename-command get', 'Bad directive or wrong number of arguments'),
        ('loadmodule /lib/some.so 1', 'modules are not supported'),
        ('loadmodule', 'Bad directive or wrong number of arguments'),
        ('sentinel monitor a 127.0.0.1 1 1', 'sentinel directive while not in sentinel mode'),
    ],
)
def test_other_directives_in_error(line, reason):
    assert fatal('-', stdin=line.encode())[1:] == [f">>> '{line}'", reason]


# The command line


def test_what_is_wanted():
    assert parse_command_line([]) == Invocation('run')
    assert parse_command_line(['-v']).wants == parse_command_line(['--version', 'x']).wants == 'version'
    assert parse_command_line(['-h']).wants == parse_command_line(['--help']).wants == 'help'
    assert parse_command_line(['a.conf', '--help']).wants == 'run'


def test_the_first_word_is_a_file_unless_it_starts_with_a_dash():
    invocation = parse_command_line(['a.conf', '--port', '1'])
    assert invocation == Invocation('run', os.path.abspath('a.conf'), False, b'port "1" ')
    assert parse_command_line(['--port', '1']).file is None


def test_a_dash_first_or_last_is_standard_input():
    assert parse_command_line(['-', '--port', '1']) == Invocation('run', None, True, b'port "1" ')
    assert parse_command_line(['--port', '1', '-']) == Invocation('run', None, True, b'port "1" ')
    assert parse_command_line(['--logfile', '-', '--port', '1']).options == b'logfile "-" \nport "1" '


@pytest.mark.parametrize(
    ('arguments', 'options'),
    [
        (['--port', '6380', '--hz', '5'], b'port "6380" \nhz "5" '),
        (['--port 6380', '--hz 5'], b'port 6380 \nhz 5 '),
        (["--unixsocket '/a b'", 'x'], b'unixsocket \'/a b\' "x" '),
        (['--bind', '127.0.0.1', '::1'], b'bind "127.0.0.1" "::1" '),
        (['--logfile', '--my--file', '--hz', '5'], b'logfile "--my--file" \nhz "5" '),
        (['--save', '--hz', '5'], b'save ""\nhz "5" '),
        (['--hz', '5', '--save'], b'hz "5" \nsave ""'),
        (['--save', '', '--hz', '5'], b'save "" \nhz "5" '),
        (['--logfile', '--save', '--save', '', '--hz', '5'], b'logfile "--save" \nsave "" \nhz "5" '),
        (['-x'], b'"-x" '),
    ],
)
def test_options_become_lines(arguments, options):
    assert parse_command_line(arguments).options == options


def test_words_behind_the_file_may_lack_their_dashes(write):
    config = start(write('redis.conf', 'port 1'), 'loglevel', 'verbose', "--unixsocket 'a'")
    assert (config['loglevel'], config['unixsocket']) == ('verbose', 'a')


def test_an_empty_save_takes_those_of_the_file_back(write):
    path = write('redis.conf', 'save 900 1')
    assert start(path, '--save', '100', '100')['save'] == ((900, 1), (100, 100))
    for arguments in (['--save', ''], ['--save'], ['--save', '--hz', '10'], ['--hz', '10', '--save']):
        assert start(path, *arguments)['save'] == ()


def test_several_words_of_one_option():
    config = start('--shutdown-on-sigint', 'nosave', 'force', 'now', '--shutdown-on-sigterm', 'nosave force')
    assert config.matching([b'shutdown-on-*']) == {
        b'shutdown-on-sigint': b'nosave now force',
        b'shutdown-on-sigterm': b'nosave force',
    }


@pytest.mark.parametrize(
    ('arguments', 'line', 'reason'),
    [
        (['--invalid'], 'invalid', 'Bad directive or wrong number of arguments'),
        (['--port'], 'port', 'wrong number of arguments'),
        (['--port', '6380', '--loglevel'], 'loglevel', 'wrong number of arguments'),
        (['--port', '6379', '6380'], 'port "6379" "6380"', 'wrong number of arguments'),
        (['--port', '--loglevel', 'verbose'], 'port "--loglevel" "verbose"', 'wrong number of arguments'),
        (['--port', '--bla', '--hz', '1'], 'port "--bla"', "argument couldn't be parsed into an integer"),
        (
            ['--logfile', '--my--log--file', '--loglevel', '--bla'],
            'loglevel "--bla"',
            'argument(s) must be one of the following: debug, verbose, notice, warning, nothing',
        ),
        (
            ['--shutdown-on-sigint', 'now force', '--shutdown-on-sigterm'],
            'shutdown-on-sigterm',
            'argument(s) must be one of the following: default, save, nosave, now, force',
        ),
    ],
)
def test_options_in_error(arguments, line, reason):
    assert fatal(*arguments)[1:] == [f">>> '{line}'", reason]


@given(st.lists(st.text(st.characters(exclude_characters='\0', exclude_categories=['Cs']))))
def test_any_arguments_can_be_parsed(arguments):
    parse_command_line(arguments)
