"""The table of parameters alone. Texts and defaults are those of redis-server."""

import pytest

from selredis.config import Config
from selredis.config_table import (
    ACCEPTED,
    HONOURED,
    PARAMETERS,
    check_host_name,
    check_node_name,
    check_title_template,
)
from selredis.errors import ConfigError


def test_every_name_is_there_once():
    names = [name for parameter in PARAMETERS for name in parameter.names()]
    assert sorted(names) == sorted(set(names))
    assert all(name == name.lower() for name in names)


@pytest.mark.parametrize('parameter', PARAMETERS, ids=lambda parameter: parameter.name)
def test_a_parameter_takes_its_own_default(parameter):
    if parameter.name in ('dir', 'replicaof'):  # the first is where the process stands, the second has none
        return
    shown = parameter.kind.show(parameter.default)
    words = [shown]
    if parameter.kind.many:
        words = shown.split(b' ') if shown else []
    assert parameter.kind.read(words, parameter.default) == parameter.default


def test_what_is_accepted_stands_apart():
    assert not {parameter.name for parameter in HONOURED} & {parameter.name for parameter in ACCEPTED}
    assert not [parameter.name for parameter in HONOURED if parameter.unkept]


@pytest.mark.parametrize(
    ('name', 'text'),
    [
        (b'bind', b'* -::*'),
        (b'port', b'6379'),
        (b'unixsocket', b''),
        (b'unixsocketperm', b'0'),
        (b'tcp-backlog', b'511'),
        (b'tcp-keepalive', b'300'),
        (b'timeout', b'0'),
        (b'maxclients', b'10000'),
        (b'protected-mode', b'yes'),
        (b'requirepass', b''),
        (b'enable-protected-configs', b'no'),
        (b'enable-debug-command', b'no'),
        (b'client-query-buffer-limit', b'1073741824'),
        (
            b'client-output-buffer-limit',
            b'normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60',
        ),
        (b'proto-max-bulk-len', b'536870912'),
        (b'databases', b'16'),
        (b'pidfile', b''),
        (b'logfile', b''),
        (b'loglevel', b'notice'),
        (b'hz', b'10'),
        (b'notify-keyspace-events', b''),
        (b'list-max-listpack-size', b'-2'),
        (b'save', b''),  # redis-server has save points by default; nothing is saved here
    ],
)
def test_defaults(name, text):
    assert Config().matching([name]) == {name: text}


# Checks


@pytest.mark.parametrize('template', ['{title}x', '{listen-addr}', 'x', '{{', ' {port} ', '{config-file}{tls-port}'])
def test_a_template_of_titles(template):
    check_title_template(template)


@pytest.mark.parametrize('template', ['', ' ', '{title}', '{title} {server-mode}', '{nope}', 'x{', '{{}{'])
def test_a_template_that_is_refused(template):
    with pytest.raises(ConfigError, match=r'^template format is invalid or contains unknown variables$'):
        check_title_template(template)


def test_names_of_hosts():
    check_host_name('a-1.Example')
    with pytest.raises(ConfigError, match=r'^Hostnames may only contain alphanumeric characters, hyphens or dots$'):
        check_host_name('a_b')
    with pytest.raises(ConfigError, match=r'^Hostnames must be less than 256 characters$'):
        check_host_name('a' * 256)


def test_names_of_nodes():
    check_node_name("it's a node, no. 1")
    for character in '!#$%&()*+:;<>?@[]^{|}~':
        with pytest.raises(ConfigError, match=r'^Announced human node name contained invalid character$'):
            check_node_name(f'a{character}')
