"""The table of parameters, CONFIG GET and CONFIG SET. Texts and defaults are those of redis-server."""

import os

import pytest

from selredis.config import Config, is_secret
from selredis.config_kinds import SavePoint
from selredis.config_table import PARAMETERS
from selredis.errors import ConfigError, ReplyError


@pytest.fixture
def config():
    return Config()


def refusal(config, *pairs, local=True):
    with pytest.raises(ReplyError) as caught:
        config.set_pairs(pairs, local=local)
    return caught.value.text


def line_refusal(config, *words):
    with pytest.raises(ConfigError) as caught:
        config.read_directive(words)
    return str(caught.value)


# CONFIG GET


def test_dir_is_where_the_server_was_started(config):
    assert config.matching([b'dir']) == {b'dir': os.fsencode(os.getcwd())}


def test_a_plain_name_comes_back_as_it_was_asked_for(config):
    assert config.matching([b'MaxClients']) == {b'MaxClients': b'10000'}


def test_a_name_in_two_spellings_is_answered_in_the_first(config):
    assert config.matching([b'PORT', b'port', b'[p]ort']) == {b'PORT': b'6379'}


def test_unknown_names_are_left_out(config):
    assert config.matching([b'nosuch', b'nosuch*', b'hz']) == {b'hz': b'10'}


def test_an_alias_answers_under_its_own_name(config):
    config.set_pairs([(b'list-max-ziplist-size', b'4')])
    assert config.matching([b'list-max-*']) == {b'list-max-listpack-size': b'4', b'list-max-ziplist-size': b'4'}


def test_a_pattern_minds_no_case(config):
    assert config.matching([b'MAXC*']) == {b'maxclients': b'10000'}


def test_several_patterns_answer_each_name_once_in_the_order_of_the_table(config):
    assert list(config.matching([b'unixsock*', b'tcp-keepalive', b'rep*announce-port', b'tcp-[bk]*'])) == [
        b'unixsocket',
        b'unixsocketperm',
        b'tcp-keepalive',
        b'replica-announce-port',
        b'tcp-backlog',
    ]


def test_a_star_answers_all(config):
    assert len(config.matching([b'*'])) == sum(
        len(parameter.names()) for parameter in PARAMETERS if not parameter.hidden
    )


def test_a_hidden_parameter_is_found_by_its_name_alone(config):
    assert config.matching([b'key-load-delay']) == {b'key-load-delay': b'0'}
    assert config.matching([b'key-load-dela?', b'*delay']) == {b'repl-diskless-sync-delay': b'5'} | config.matching(
        [b'rep*delay']
    )


# CONFIG SET


def test_several_are_set_together(config):
    config.set_pairs([(b'maxclients', b'7'), (b'TIMEOUT', b'30'), (b'client-output-buffer-limit', b'pubsub 1 2 3')])
    assert config['maxclients'] == 7
    assert config['timeout'] == 30
    assert config['client-output-buffer-limit'].pubsub == (1, 2, 3)


def test_one_bad_value_leaves_all_as_they_were(config):
    text = refusal(config, (b'maxclients', b'7'), (b'Timeout', b'soon'), (b'hz', b'never'))
    assert text == (
        b"ERR CONFIG SET failed (possibly related to argument 'timeout') - argument couldn't be parsed into an integer"
    )
    assert config['maxclients'] == 10000


def test_an_error_about_an_alias_names_the_alias(config):
    assert b"argument 'list-max-ziplist-size'" in refusal(config, (b'list-max-ziplist-size', b'x'))


def test_an_unknown_name(config):
    text = refusal(config, (b'hz', b'never'), (b'NoSuch', b'1'), (b'databases', b'1'))
    assert text == b"ERR Unknown option or number of arguments for CONFIG SET - 'NoSuch'"


def test_an_immutable_parameter(config):
    text = refusal(config, (b'Databases', b'1'))
    assert text == b"ERR CONFIG SET failed (possibly related to argument 'Databases') - can't set immutable config"


def test_a_parameter_twice(config):
    text = refusal(config, (b'maxclients', b'1'), (b'MAXCLIENTS', b'2'))
    assert text == b"ERR CONFIG SET failed (possibly related to argument 'MAXCLIENTS') - duplicate parameter"


def test_a_name_and_its_alias_may_stand_together_and_the_last_wins(config):
    config.set_pairs([(b'list-max-listpack-size', b'4'), (b'list-max-ziplist-size', b'5')])
    assert config['list-max-listpack-size'] == 5


@pytest.mark.parametrize(
    ('allowed', 'local', 'works'),
    [(b'no', True, False), (b'local', True, True), (b'local', False, False), (b'yes', False, True)],
)
def test_protected_parameters(config, tmp_path, allowed, local, works):
    config.read_directive([b'enable-protected-configs', allowed])
    pair = (b'dir', os.fsencode(tmp_path))
    if works:
        config.set_pairs([pair], local=local)
        assert config['dir'] == os.path.realpath(tmp_path)
    else:
        text = refusal(config, pair, local=local)
        assert text == b"ERR CONFIG SET failed (possibly related to argument 'dir') - can't set protected config"


def test_a_directory_that_is_not_there(config):
    config.read_directive([b'enable-protected-configs', b'yes'])
    text = refusal(config, (b'dir', b'/no/such'))
    assert text == b"ERR CONFIG SET failed (possibly related to argument 'dir') - No such file or directory"


def test_words_of_a_value_stand_one_space_apart(config):
    config.set_pairs([(b'save', b'900 1 60 1000')])
    assert config['save'] == ((900, 1), (60, 1000))
    assert refusal(config, (b'save', b'900  1')).endswith(b' - Invalid save parameters')


def test_an_empty_value_takes_save_points_and_addresses_back(config):
    config.set_pairs([(b'save', b'900 1')])
    config.set_pairs([(b'save', b''), (b'bind', b'')])
    assert config['save'] == ()
    assert config['bind'] == ()


def test_what_cannot_be_done_is_refused(config):
    assert b'requires a Redis server compiled' in refusal(config, (b'activedefrag', b'yes'))
    text = refusal(config, (b'shutdown-on-sigint', b'save nosave'))
    assert text.endswith(b" - shutdown options SAVE and NOSAVE can't be used simultaneously")


def test_a_password_is_not_in_the_error(config):
    def refuse():
        raise ConfigError('no')

    config.on_change('requirepass', refuse)
    assert b'hunter2' not in refusal(config, (b'requirepass', b'hunter2'))
    assert 'hunter2' not in ''.join(config.take_warnings())


# Hooks


def test_a_hook_sees_all_new_values_once(config):
    seen = []

    def hook():
        seen.append((config['port'], config['bind']))

    config.on_change('port', hook)
    config.on_change('bind', hook)
    config.set_pairs([(b'port', b'1'), (b'bind', b'::1')])
    assert seen == [(1, ('::1',))]


def test_a_value_that_stays_calls_no_hook(config):
    seen = []
    config.on_change('port', lambda: seen.append('port'))
    config.set_pairs([(b'port', b'6379')])
    assert seen == []


def test_a_file_is_read_again_when_its_name_is_set_again(config):
    seen = []
    config.on_change('tls-cert-file', lambda: seen.append(config['tls-cert-file']))
    config.set_pairs([(b'tls-cert-file', b'a.pem')])
    config.set_pairs([(b'tls-cert-file', b'a.pem')])
    assert seen == ['a.pem', 'a.pem']


def test_a_bad_value_calls_no_hook(config):
    seen = []
    config.on_change('port', lambda: seen.append('port'))
    refusal(config, (b'port', b'1'), (b'hz', b'x'))
    assert seen == []


def test_a_hook_that_refuses_has_everything_put_back(config):
    seen = []

    def listen():
        if config['port'] == 1:
            raise ConfigError('Unable to listen on this port. Check server logs.')

    config.on_change('hz', lambda: seen.append(config['hz']))
    config.on_change('port', listen)
    config.on_change('timeout', lambda: seen.append('timeout'))
    text = refusal(config, (b'hz', b'100'), (b'port', b'1'), (b'timeout', b'5'))
    assert text == (
        b"ERR CONFIG SET failed (possibly related to argument 'port') - "
        b'Unable to listen on this port. Check server logs.'
    )
    assert (config['hz'], config['port'], config['timeout']) == (10, 6379, 0)
    assert seen == [100, 10]
    assert config.take_warnings() == [
        'Failed applying new configuration. Possibly related to new port setting. Restoring previous settings.'
    ]


def test_a_hook_that_refuses_the_old_value_too_is_logged(config):
    def always():
        raise ConfigError('broken')

    config.on_change('port', always)
    assert refusal(config, (b'port', b'1')).endswith(b' - broken')
    assert config.take_warnings()[1] == 'Failed applying restored failed CONFIG SET command: broken'


def test_a_hook_may_refuse_without_a_reason(config):
    def refuse():
        raise ConfigError

    config.on_change('port', refuse)
    assert refusal(config, (b'port', b'1')) == b"ERR CONFIG SET failed (possibly related to argument 'port')"


# Values without effect


def test_what_is_asked_for_in_vain_is_said_once(config):
    config.set_pairs([(b'appendonly', b'yes'), (b'min-replicas-to-write', b'1')])
    assert config.take_warnings() == [
        'WARNING: "appendonly yes" has no effect: nothing is saved to disk yet, the data is lost when the server stops',
        'WARNING: "min-replicas-to-write 1" has no effect: there is no replication yet, writes are not held back',
    ]
    assert config.take_warnings() == []


def test_what_asks_for_nothing_is_not_spoken_of(config):
    config.set_pairs([(b'appendonly', b'no'), (b'save', b''), (b'min-replicas-to-write', b'0'), (b'maxclients', b'5')])
    assert config.take_warnings() == []


def test_after_reading_only_the_last_word_counts(config):
    config.read_directive([b'save', b'900', b'1'])
    config.read_directive([b'save', b''])
    config.finish_reading()
    assert config.take_warnings() == []


def test_secrets_are_known_by_any_spelling():
    assert is_secret(b'RequirePass')
    assert is_secret(b'masterauth')
    assert not is_secret(b'maxmemory')
    assert not is_secret(b'nosuch')


# Directives


def test_an_immutable_parameter_is_set_at_start(config):
    config.read_directive([b'UnixSocketPerm', b'700'])
    assert config['unixsocketperm'] == 0o700


def test_the_number_of_words_is_checked(config):
    assert line_refusal(config, b'port') == 'wrong number of arguments'
    assert line_refusal(config, b'port', b'1', b'2') == 'wrong number of arguments'
    assert line_refusal(config, b'nosuch', b'1') == 'Bad directive or wrong number of arguments'


def test_several_words_may_come_as_one(config):
    config.read_directive([b'bind', b'127.0.0.1 -::1'])
    assert config['bind'] == ('127.0.0.1', '-::1')
    config.read_directive([b'save', b'900 1'])
    config.read_directive([b'save', b'60', b'1000'])
    assert config['save'] == (SavePoint(900, 1), SavePoint(60, 1000))


def test_directives_of_old_files_are_read_over(config):
    config.read_directive([b'list-max-ziplist-value', b'64'])
    assert line_refusal(config, b'list-max-ziplist-value') == 'Bad directive or wrong number of arguments'


def test_what_cannot_be_pretended_is_refused(config):
    config.read_directive([b'cluster-enabled', b'yes'])
    with pytest.raises(ConfigError, match=r'^cluster-enabled yes: clusters are not supported$'):
        config.finish_reading()


def test_relative_paths_are_meant_from_dir(config, tmp_path):
    assert config.path('pidfile') == ''
    config.read_directive([b'pidfile', b'redis.pid'])
    config.read_directive([b'logfile', b'/var/log/redis.log'])
    config.read_directive([b'dir', os.fsencode(tmp_path)])
    assert config.path('pidfile') == os.path.realpath(tmp_path) + '/redis.pid'
    assert config.path('logfile') == '/var/log/redis.log'


def test_two_servers_share_nothing():
    first, second = Config(), Config()
    first.set_pairs([(b'maxclients', b'1')])
    assert second['maxclients'] == 10000
