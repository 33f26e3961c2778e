"""The engine runs batches: finding commands, refusing them, and what a defect costs. Waiting is in test_waiting."""

import pytest

from selredis.engine.command import COMMANDS
from selredis.engine.lookup import unknown_command
from selredis.errors import c_string


@pytest.mark.parametrize('name', ['ping', 'PING', 'pInG'])
def test_names_are_found_in_any_case(client, name):
    assert client(name) == 'PONG'


def test_subcommands_are_found_in_any_case(client):
    assert client('cLiEnT', 'gEtNaMe') is None


def test_a_command_that_there_is_not(client):
    assert client('WHAT', 'a', 'b') == "ERR unknown command 'WHAT', with args beginning with: 'a' 'b' "


@pytest.mark.parametrize('before', ['LRANGE list 0 9', 'GET key', 'BLPOP list 0', 'WHAT a', 'HELLO', ''])
def test_a_command_that_there_is_not_behind_one_that_there_is(clients, before):
    client, other = clients(2)
    other('RPUSH', 'list', 'element')
    unknown = ' '.join(['WHAT', *before.split()[1:]])
    client.pipeline(before or 'PING', unknown, unknown)
    assert [str(reply).partition(',')[0] for reply in client.take()[-2:]] == ["ERR unknown command 'WHAT'"] * 2


def test_alike_commands_with_more_and_fewer_words(client):
    client.pipeline('SADD s a', 'SADD s b', 'SADD s b c d', 'SADD s', 'SADD s e', 'GET s x', 'SADD s f', 'SADD s f')
    arity = "ERR wrong number of arguments for '{}' command"
    assert client.take() == [1, 1, 2, arity.format('sadd'), 1, arity.format('get'), 1, 0]


def test_commands_alike_that_change_how_the_next_runs(client):
    client.pipeline('ECHO a', 'MULTI', 'MULTI', 'ECHO b', 'ECHO c', 'EXEC', 'ECHO d', 'ECHO e')
    nested = 'ERR MULTI calls can not be nested'
    assert client.take() == [b'a', 'OK', nested, 'QUEUED', 'QUEUED', [b'b', b'c'], b'd', b'e']


def test_an_empty_name_is_no_command(client):
    assert client('') == "ERR unknown command '', with args beginning with: "


def test_an_error_shows_128_bytes_of_the_words():
    shown = unknown_command([b'n' * 200, b'a' * 100, b'b' * 100, b'c']).text.decode()
    assert shown == f"ERR unknown command '{'n' * 128}', with args beginning with: '{'a' * 100}' '{'b' * 25}' "


def test_an_error_shows_a_text_to_its_first_nul():
    assert c_string(b'a\0b') == b'a'
    assert unknown_command([b'a\0b', b'\0']).text == b"ERR unknown command 'a', with args beginning with: '' "


def test_line_ends_in_an_error_become_blanks(client):
    assert client('a\r\nb') == "ERR unknown command 'a  b', with args beginning with: "


@pytest.mark.parametrize('words', [['POST', '/', 'HTTP/1.1'], ['Host:', 'localhost']])
def test_who_speaks_http_is_not_answered(engine, client, words):
    assert client(*words) == []
    assert client.client.doomed
    assert 'SECURITY ATTACK' in engine.log.lines[0]


def test_the_log_warns_of_http_once_a_minute(engine, clients, clock):
    for after_ms in (0, 60_000, 1):
        clock.advance(after_ms)
        (client,) = clients(1)
        client('POST', '/')
        assert client.client.doomed
    assert len(engine.log.lines) == 2


def test_a_defect_costs_one_command(engine, client, monkeypatch):
    def crash(client, argv):
        raise ZeroDivisionError

    told = []
    monkeypatch.setattr(engine.log, 'defect', lambda text, error: told.append((text, type(error))))
    monkeypatch.setattr(COMMANDS[b'ECHO'], 'handler', crash)
    client.pipeline('PING', 'ECHO x', 'PING')
    assert client.take() == ['PONG', 'ERR internal error', 'PONG']
    assert told == [(f"Command 'ECHO' of client id={client.client.id} failed", ZeroDivisionError)]


def test_client_reply_off_suppresses_internal_errors_too(engine, client, monkeypatch):
    def crash(client, argv):
        raise ZeroDivisionError

    monkeypatch.setattr(engine.log, 'defect', lambda _text, _error: None)
    monkeypatch.setattr(COMMANDS[b'ECHO'], 'handler', crash)
    client.pipeline('CLIENT REPLY OFF', 'ECHO x')
    assert client.take() == []


def test_a_wait_keeps_the_rest_of_the_batch(engine, client):
    engine.run(client.client, [[b'BLPOP', b'q', b'0'], [b'PING'], [b'PING']])
    assert client.client.pending == [[b'PING'], [b'PING']]
    assert client.client.out == []


def test_a_key_that_was_outlived_by_what_made_it_serves_nobody(clients):
    waiting, pusher = clients(2)
    waiting('BLPOP', 'q', 0)
    pusher.pipeline('MULTI', 'RPUSH q element', 'PEXPIRE q 100', 'DEBUG SLEEP 0.2', 'EXEC')
    assert waiting.take() == []
    pusher('RPUSH', 'q', 'later')
    assert waiting.take() == [[b'q', b'later']]
