"""CONFIG, beside what the transcripts show: what takes effect, who may stay, what is logged, what counts anew."""


def test_get_answers_a_map(client):
    client('HELLO', '3')
    assert client('CONFIG', 'GET', 'hz', 'timeout') == {b'hz': b'10', b'timeout': b'0'}


def test_set_sets_all_or_none(client, engine):
    assert client('CONFIG', 'SET', 'hz', '50', 'timeout', '7') == 'OK'
    assert (engine.config['hz'], engine.config['timeout']) == (50, 7)
    assert client('CONFIG', 'SET', 'hz', '60', 'timeout', 'x').startswith('ERR CONFIG SET failed')
    assert (engine.config['hz'], engine.config['timeout']) == (50, 7)


def test_what_has_no_effect_is_logged_once(client, engine):
    client('CONFIG', 'SET', 'appendonly', 'yes')
    assert [line for line in engine.log.lines if 'appendonly yes' in line]
    engine.log.lines.clear()
    client('CONFIG', 'SET', 'hz', '20')
    assert engine.log.lines == []


def test_protected_parameters_may_be_set_by_local_clients_where_that_is_allowed(client, config):
    config.read_directive([b'enable-protected-configs', b'local'])
    assert client('CONFIG', 'SET', 'dbfilename', 'other.rdb') == 'OK'
    client.client.local = False
    assert client('CONFIG', 'SET', 'dbfilename', 'third.rdb').endswith("can't set protected config")


def test_a_new_password_is_for_newcomers(clients, engine):
    (old,) = clients(1)
    old('CONFIG', 'SET', 'requirepass', 'secret')
    (new,) = clients(1)
    assert new('GET', 'a') == 'NOAUTH Authentication required.'
    assert old('SET', 'a', '1') == 'OK'
    assert new('AUTH', 'secret') == 'OK'
    assert new('GET', 'a') == b'1'


def test_without_a_password_everybody_is_let_in(clients):
    (old,) = clients(1)
    old('CONFIG', 'SET', 'requirepass', 'secret')
    (new,) = clients(1)
    old('CONFIG', 'SET', 'requirepass', '')
    assert new('PING') == 'PONG'


def test_notifications_begin_at_once(clients):
    listener, other = clients(2)
    listener('PSUBSCRIBE', '__key*')
    other('SET', 'a', '1')
    other('CONFIG', 'SET', 'notify-keyspace-events', 'KA')
    other('SET', 'a', '2')
    assert [message[-1] for message in listener.take()[1:]] == [b'set']


def test_the_query_limit_holds_at_once(client, engine):
    client('MULTI')
    client('SET', 'a', 'x' * 2_000_000)
    assert not client.client.doomed
    engine.config.set_pairs([(b'client-query-buffer-limit', b'1mb')])
    client('SET', 'a', 'x' * 2_000_000)
    assert client.client.doomed


def test_resetstat(client, engine, clock):
    client.pipeline('SET a 1 PX 1', 'GET a', 'GET b', 'NOPE')
    clock.advance(10)
    client('GET', 'a')
    assert client('CONFIG', 'RESETSTAT') == 'OK'
    keyspace = engine.keyspace
    assert (keyspace.hits, keyspace.misses, keyspace.expired) == (0, 0, 0)
    assert (engine.stats.errors, engine.stats.error_codes) == (0, {})
    assert engine.stats.commands == 1  # CONFIG RESETSTAT
    assert keyspace.dirty == 1  # what is not saved does not become saved


def test_rewrite_writes_the_file_that_the_server_was_started_with(client, engine, tmp_path):
    path = tmp_path / 'redis.conf'
    path.write_bytes(b'# mine\nhz 10\n')
    engine.deployment.config_file = str(path)
    client('CONFIG', 'SET', 'hz', '50')
    assert client('CONFIG', 'REWRITE') == 'OK'
    assert path.read_bytes().startswith(b'# mine\nhz 50\n')
    assert engine.log.lines == ['CONFIG REWRITE executed with success.']


def test_rewrite_needs_a_file(client):
    assert client('CONFIG', 'REWRITE') == 'ERR The server is running without a config file'


def test_rewrite_tells_why_it_failed(client, engine, tmp_path):
    engine.deployment.config_file = str(tmp_path)
    assert client('CONFIG', 'REWRITE') == 'ERR Rewriting config file: Is a directory'
    assert engine.log.lines == ['CONFIG REWRITE failed: Is a directory']


def test_debug_writes_all_parameters(client, engine, config, tmp_path):
    config.read_directive([b'enable-debug-command', b'yes'])
    assert client('DEBUG', 'CONFIG-REWRITE-FORCE-ALL') == 'ERR The server is running without a config file'
    engine.deployment.config_file = str(tmp_path)
    assert client('DEBUG', 'CONFIG-REWRITE-FORCE-ALL') == 'ERR CONFIG-REWRITE-FORCE-ALL failed: Is a directory'
    engine.deployment.config_file = str(tmp_path / 'redis.conf')
    assert client('DEBUG', 'CONFIG-REWRITE-FORCE-ALL') == 'OK'
    assert b'\nmaxclients 10000\n' in (tmp_path / 'redis.conf').read_bytes()
