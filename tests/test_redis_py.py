"""redis-py, the client of most Python programs, unchanged: what it sends and expects, in both protocols.

Also with asyncio: its tests run the loop themselves, so that they need no plugin.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import redis.asyncio
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.client import PubSub
from redis.retry import Retry

import selredis
from tests.harness.servers import SelredisServer

WAIT_SECONDS = 10.0
TIMEOUT_SECONDS = 0.05  # of a blocking command that nobody serves

Start = Callable[..., SelredisServer]
# What redis-py returns may be awaitable by its annotations; here it never is.
Client = Any


@pytest.fixture(params=[2, 3], ids=['resp2', 'resp3'])
def protocol(request: pytest.FixtureRequest) -> int:
    number: int = request.param
    return number


@pytest.fixture
def connect(selredis_server: SelredisServer, protocol: int) -> Iterator[Callable[..., Client]]:
    """Opens a client of the shared server, empty at first, with further arguments; all are closed with the test."""
    opened: list[Client] = []

    def connect(**arguments: Any) -> Client:
        place = {} if 'unix_socket_path' in arguments else {'host': selredis_server.host, 'port': selredis_server.port}
        arguments = {**place, 'protocol': protocol, 'socket_timeout': WAIT_SECONDS, **arguments}
        opened.append(redis.Redis(**arguments))
        return opened[-1]

    connect().flushall()
    yield connect
    for client in opened:
        client.close()


@pytest.fixture
def client(connect: Callable[..., Client]) -> Client:
    return connect()


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, 'it did not come true'


def messages(pubsub: Client, count: int) -> list[dict[str, Any]]:
    """So many messages, the confirmations of subscriptions included."""
    received: list[dict[str, Any]] = []
    deadline = time.monotonic() + WAIT_SECONDS
    while len(received) < count:
        assert time.monotonic() < deadline, received
        message = pubsub.get_message(timeout=WAIT_SECONDS)
        if message is not None:
            received.append(message)
    return received


def in_thread(work: Callable[[], object]) -> Callable[[], object]:
    """Start it in a thread; the function returned waits for its result, and raises what it raised."""
    results: list[object] = []
    errors: list[Exception] = []

    def run() -> None:
        try:
            results.append(work())
        except Exception as error:  # noqa: BLE001  (it is raised where the result is asked for)
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()

    def result() -> object:
        thread.join(WAIT_SECONDS)
        assert not thread.is_alive()
        if errors:
            raise errors[0]
        return results[0]

    return result


# Connections


def test_says_what_it_is_and_what_it_speaks(client: Client, protocol: int) -> None:
    mine = client.client_info()
    assert mine['lib-name'].startswith('redis-py')
    assert mine['lib-ver'] == redis.__version__
    assert int(mine['resp']) == protocol
    listed = [one for one in client.client_list() if one['id'] == str(mine['id'])]
    assert len(listed) == 1
    assert listed[0]['lib-name'] == mine['lib-name']
    assert listed[0]['lib-ver'] == redis.__version__


def test_name_and_database_are_set_when_it_connects(connect: Callable[..., Client]) -> None:
    client = connect(client_name='worker', db=3)
    client.set('key', 'in 3')
    info = client.client_info()
    assert (info['name'], int(info['db'])) == ('worker', 3)
    assert client.client_getname() in (b'worker', 'worker')
    assert connect().get('key') is None
    assert connect(db=3).get('key') == b'in 3'


def test_hello(client: Client, protocol: int) -> None:
    reply = client.execute_command('HELLO', protocol)
    fields = reply if isinstance(reply, dict) else dict(zip(reply[::2], reply[1::2], strict=True))
    assert fields[b'proto'] == protocol
    assert fields[b'server'] == b'redis'
    assert fields[b'role'] == b'master'


def test_unix_socket(start_selredis: Start, connect: Callable[..., Client], tmp_path: Path) -> None:
    path = str(tmp_path / 'redis.sock')
    start_selredis('--unixsocket', path, '--port', '0')
    client = connect(unix_socket_path=path)
    assert client.set('key', 'value')
    assert client.get('key') == b'value'
    assert client.client_info()['addr'] == f'{path}:0'


def test_from_url(selredis_server: SelredisServer, protocol: int) -> None:
    url = f'redis://{selredis_server.host}:{selredis_server.port}/5?protocol={protocol}'
    with redis.Redis.from_url(url) as client:
        assert int(client.client_info()['db']) == 5


def test_password(protocol: int) -> None:
    with selredis.serve(requirepass='secret') as server:

        def connect(**arguments: Any) -> Client:
            return redis.Redis(port=server.port, protocol=protocol, retry=Retry(NoBackoff(), 0), **arguments)

        with connect(password='secret') as client:
            assert client.ping()
        with connect(username='default', password='secret') as client:
            assert client.ping()
        with (
            connect(password='wrong') as client,
            pytest.raises(redis.AuthenticationError, match='invalid username-password pair'),
        ):
            client.ping()
        with (
            connect() as client,
            pytest.raises(redis.AuthenticationError, match=r'(Authentication required|already authenticated)'),
        ):
            client.ping()


def test_reconnects_after_it_was_killed(connect: Callable[..., Client]) -> None:
    client, killer = connect(), connect()
    number = client.client_id()
    assert killer.client_kill_filter(_id=number) == 1
    assert client.set('key', 'value')
    assert client.client_id() != number


def test_health_check_pings_before_the_next_command(connect: Callable[..., Client]) -> None:
    client = connect(health_check_interval=1_000, single_connection_client=True)
    before = client.info('stats')['total_commands_processed']
    client.connection.next_health_check = 0  # long ago
    client.set('key', 'value')
    after = client.info('stats')['total_commands_processed']
    assert after - before == 3  # PING, SET, INFO


def test_health_check_of_a_subscriber(connect: Callable[..., Client]) -> None:
    client = connect(health_check_interval=1_000)
    with client.pubsub() as pubsub:
        pubsub.subscribe('news')
        messages(pubsub, 1)
        pubsub.connection.next_health_check = 0
        pubsub.check_health()
        assert pubsub.health_check_response_counter == 1
        wait_until(
            lambda: pubsub.get_message(timeout=WAIT_SECONDS) is None and not pubsub.health_check_response_counter
        )
        assert client.publish('news', 'still there') == 1
        assert messages(pubsub, 1)[0]['data'] == b'still there'


# Values


def test_set_and_get(client: Client) -> None:
    assert client.get('key') is None
    assert client.set('key', 'one') is True
    assert client.set('key', 'two', nx=True) is None
    assert client.set('key', 'two', xx=True, get=True) == b'one'
    assert client.get('key') == b'two'
    assert client.getset('key', b'\x00\xff\r\n') == b'two'
    assert client.getdel('key') == b'\x00\xff\r\n'
    assert client.exists('key') == 0
    assert client.mset({'one': 1, 'two': 2.5}) is True
    assert client.mget('one', 'none', 'two') == [b'1', None, b'2.5']
    assert client.incr('one', 41) == 42
    assert client.incrbyfloat('two', 0.25) == 2.75


def test_expiry(client: Client) -> None:
    client.set('key', 'value', ex=100)
    assert 0 < client.ttl('key') <= 100
    client.set('key', 'value', px=100_000)
    assert 0 < client.pttl('key') <= 100_000
    client.set('key', 'other', keepttl=True)
    assert client.ttl('key') > 0
    assert client.getex('key', persist=True) == b'other'
    assert client.ttl('key') == -1
    deadline = int(time.time()) + 1_000
    client.set('key', 'value', exat=deadline)
    assert client.expiretime('key') == deadline
    assert client.expire('key', 2_000, gt=True) is True
    assert client.expire('key', 10, gt=True) is False
    assert client.persist('key') is True
    client.set('key', 'value', px=1)
    wait_until(lambda: client.get('key') is None)
    assert client.ttl('key') == -2


def test_decode_responses(connect: Callable[..., Client]) -> None:
    client = connect(decode_responses=True)
    client.set('schlüssel', 'größer')
    assert client.get('schlüssel') == 'größer'
    client.rpush('list', 'a', 'b')
    assert client.lrange('list', 0, -1) == ['a', 'b']
    assert client.blpop('list') in (('list', 'a'), ['list', 'a'])
    assert sorted(client.scan_iter()) == ['list', 'schlüssel']
    assert client.config_get('port').keys() == {'port'}


def test_errors_have_their_classes(client: Client) -> None:
    client.rpush('list', 'element')
    with pytest.raises(redis.ResponseError, match='WRONGTYPE'):
        client.get('list')
    with pytest.raises(redis.ResponseError, match='unknown command'):
        client.execute_command('NO-SUCH-COMMAND')
    with pytest.raises(redis.ResponseError, match='value is not an integer'):
        client.execute_command('INCRBY', 'key', 'x')


def test_scan_iter_sees_every_key(client: Client) -> None:
    keys = {b'key:%d' % number for number in range(1_000)}
    client.mset(dict.fromkeys(keys, 'value'))
    client.rpush('list', 'element')
    assert set(client.scan_iter()) == keys | {b'list'}
    assert set(client.scan_iter(match='key:1*', count=100)) == {key for key in keys if key.startswith(b'key:1')}
    assert list(client.scan_iter(_type='list')) == [b'list']


# Pipelines


@pytest.mark.parametrize('transaction', [True, False])
def test_pipeline(client: Client, transaction: bool) -> None:
    with client.pipeline(transaction=transaction) as pipeline:
        pipeline.set('key', 1).incr('key').rpush('list', 'a').get('key').get('none')
        assert pipeline.execute() == [True, 2, 1, b'2', None]


@pytest.mark.parametrize('transaction', [True, False])
def test_pipeline_with_an_error(client: Client, transaction: bool) -> None:
    with client.pipeline(transaction=transaction) as pipeline:
        pipeline.set('key', 'text').incr('key').get('key')
        done, error, text = pipeline.execute(raise_on_error=False)
        assert (done, text) == (True, b'text')
        assert isinstance(error, redis.ResponseError)
        pipeline.set('key', 'text').incr('key')
        with pytest.raises(redis.ResponseError, match=r'Command # 2 \(INCRBY key 1\)'):
            pipeline.execute()


def test_transaction_with_a_wrong_command_does_nothing(client: Client) -> None:
    with client.pipeline() as pipeline:
        pipeline.set('key', 'value').execute_command('GET')
        with pytest.raises(redis.ResponseError, match='wrong number of arguments'):
            pipeline.execute()
    assert client.get('key') is None


@pytest.mark.parametrize('transaction', [True, False])
def test_pipeline_of_ten_thousand(client: Client, transaction: bool) -> None:
    count = 10_000
    with client.pipeline(transaction=transaction) as pipeline:
        for number in range(count // 2):
            pipeline.set(f'key:{number}', number)
            pipeline.incr('counter')
        replies = pipeline.execute()
    assert replies[::2] == [True] * (count // 2)
    assert replies[1::2] == list(range(1, count // 2 + 1))
    assert client.dbsize() == count // 2 + 1


def test_watch_sees_a_change(connect: Callable[..., Client]) -> None:
    client, other = connect(), connect()
    with client.pipeline() as pipeline:
        pipeline.watch('key')
        other.set('key', 'changed')
        pipeline.multi()
        pipeline.set('key', 'mine')
        with pytest.raises(redis.WatchError):
            pipeline.execute()
    assert client.get('key') == b'changed'


def test_two_threads_count_in_transactions(client: Client) -> None:
    rounds = 100
    both_have_read = threading.Barrier(2, timeout=WAIT_SECONDS)
    attempts: list[int] = []

    def count() -> None:
        for round_ in range(rounds):
            first = True

            def increment(pipeline: Client, round_: int = round_) -> None:
                nonlocal first
                number = int(pipeline.get('counter') or 0)
                attempts.append(number)
                if first and round_ == 0:
                    first = False
                    both_have_read.wait()  # now one of them must fail
                pipeline.multi()
                pipeline.set('counter', number + 1)

            client.transaction(increment, 'counter')

    results = [in_thread(count), in_thread(count)]
    for result in results:
        result()
    assert client.get('counter') == b'%d' % (2 * rounds)
    assert len(attempts) > 2 * rounds


# Publish and subscribe


def test_pubsub(client: Client) -> None:
    with client.pubsub() as pubsub:
        pubsub.subscribe('news', 'weather')
        pubsub.psubscribe('n*')
        assert [(one['type'], one['channel'], one['data']) for one in messages(pubsub, 3)] == [
            ('subscribe', b'news', 1),
            ('subscribe', b'weather', 2),
            ('psubscribe', b'n*', 3),
        ]
        assert sorted(client.pubsub_channels()) == [b'news', b'weather']
        assert client.pubsub_numsub('news', 'none') == [(b'news', 1), (b'none', 0)]
        assert client.pubsub_numpat() == 1
        assert client.publish('news', 'hello') == 2
        assert client.publish('weather', b'\xff') == 1
        assert messages(pubsub, 3) == [
            {'type': 'message', 'pattern': None, 'channel': b'news', 'data': b'hello'},
            {'type': 'pmessage', 'pattern': b'n*', 'channel': b'news', 'data': b'hello'},
            {'type': 'message', 'pattern': None, 'channel': b'weather', 'data': b'\xff'},
        ]
        pubsub.unsubscribe('news')
        pubsub.punsubscribe()
        assert [(one['type'], one['data']) for one in messages(pubsub, 2)] == [('unsubscribe', 2), ('punsubscribe', 1)]
        assert client.publish('news', 'unheard') == 0


def test_shard_channels(client: Client) -> None:
    with client.pubsub() as pubsub:
        pubsub.ssubscribe('orders')
        assert messages(pubsub, 1)[0]['type'] == 'ssubscribe'
        assert client.publish('orders', 'not to shards') == 0
        assert client.spublish('orders', 'x') == 1
        message = messages(pubsub, 1)[0]
        assert (message['type'], message['channel'], message['data']) == ('smessage', b'orders', b'x')
        assert client.pubsub_shardchannels() == [b'orders']
        assert client.pubsub_shardnumsub('orders') == [(b'orders', 1)]
        pubsub.sunsubscribe()
        assert messages(pubsub, 1)[0]['type'] == 'sunsubscribe'
        assert client.spublish('orders', 'x') == 0


def test_pubsub_in_a_thread(client: Client) -> None:
    received: list[bytes] = []
    complete = threading.Event()

    def on_message(message: dict[str, Any]) -> None:
        received.append(message['data'])
        if len(received) == 100:
            complete.set()

    with client.pubsub(ignore_subscribe_messages=True) as pubsub:
        pubsub.subscribe(news=on_message)
        wait_until(lambda: client.pubsub_numsub('news')[0][1] == 1)
        thread = pubsub.run_in_thread(sleep_time=TIMEOUT_SECONDS)
        for number in range(100):
            assert client.publish('news', number) == 1
        assert complete.wait(WAIT_SECONDS)
        thread.stop()
        thread.join(WAIT_SECONDS)
        assert not thread.is_alive()
    assert received == [b'%d' % number for number in range(100)]


def test_keyspace_events(start_selredis: Start, protocol: int) -> None:
    server = start_selredis('--notify-keyspace-events', 'KA')
    with redis.Redis(server.host, server.port, protocol=protocol) as client:
        pubsub: PubSub = client.pubsub(ignore_subscribe_messages=True)
        with pubsub:
            pubsub.psubscribe('__keyspace@0__:*')
            wait_until(lambda: client.pubsub_numpat() == 1)
            client.set('key', 'value')
            client.delete('key')
            assert [one['data'] for one in messages(pubsub, 2)] == [b'set', b'del']


# Waiting


def test_blocking_commands_give_up_after_their_timeout(client: Client) -> None:
    assert client.blpop(['list', 'other'], timeout=TIMEOUT_SECONDS) is None
    assert client.brpop('list', timeout=TIMEOUT_SECONDS) is None
    assert client.blmove('list', 'other', TIMEOUT_SECONDS) is None
    assert client.brpoplpush('list', 'other', timeout=TIMEOUT_SECONDS) is None
    assert client.blmpop(TIMEOUT_SECONDS, 2, 'list', 'other', direction='LEFT') is None


@pytest.mark.parametrize(
    ('wait', 'expected'),
    [
        (lambda client: list(client.blpop(['none', 'list'])), [b'list', b'a']),
        (lambda client: list(client.brpop('list', timeout=WAIT_SECONDS)), [b'list', b'b']),
        (lambda client: client.blmove('list', 'other', WAIT_SECONDS, 'LEFT', 'RIGHT'), b'a'),
        (lambda client: client.brpoplpush('list', 'other', timeout=WAIT_SECONDS), b'b'),
        (
            lambda client: client.blmpop(WAIT_SECONDS, 2, 'none', 'list', direction='LEFT', count=5),
            [b'list', [b'a', b'b']],
        ),
    ],
    ids=['blpop', 'brpop', 'blmove', 'brpoplpush', 'blmpop'],
)
def test_blocking_commands_are_served(client: Client, wait: Callable[[Client], object], expected: object) -> None:
    result = in_thread(lambda: wait(client))
    wait_until(lambda: client.info('clients')['blocked_clients'] == 1)
    client.rpush('list', 'a', 'b')
    assert result() == expected


def test_lists_on_both_ends(client: Client) -> None:
    assert client.rpush('list', *range(5)) == 5
    assert client.lmpop(2, 'none', 'list', direction='RIGHT', count=2) == [b'list', [b'4', b'3']]
    assert client.lpop('list', 2) == [b'0', b'1']
    assert client.lpos('list', '2') == 0
    assert client.lmove('list', 'other') == b'2'
    assert client.lrange('other', 0, -1) == [b'2']


# What it parses


def test_configuration(client: Client) -> None:
    assert client.config_get('maxmemory-policy') in (
        {'maxmemory-policy': 'noeviction'},
        {b'maxmemory-policy': b'noeviction'},
    )
    timeout = client.config_get('timeout', 'tcp-keepalive')
    assert len(timeout) == 2
    assert client.config_set('timeout', 0)


def test_info(client: Client) -> None:
    client.mset({'one': 1, 'two': 2})
    client.expire('one', 1_000)
    info = client.info()
    assert info['redis_version'] == '7.2.4'
    assert info['redis_mode'] == 'standalone'
    assert info['role'] == 'master'
    assert info['connected_clients'] >= 1
    assert (info['db0']['keys'], info['db0']['expires']) == (2, 1)
    assert client.info('server').keys() <= info.keys()


def test_other_replies_that_are_parsed(client: Client) -> None:
    client.set('key', 'value')
    seconds, microseconds = client.time()
    assert abs(seconds - time.time()) < 60
    assert 0 <= microseconds < 1_000_000
    assert client.dbsize() == 1
    assert client.type('key') == b'string'
    assert client.object('ENCODING', 'key') == b'embstr'
    assert client.echo('text') == b'text'
    assert client.command_count() == len(client.command())
    assert client.command_getkeys('MSET', 'one', 1, 'two', 2) in ([b'one', b'two'], ['one', 'two'])
    assert client.command()['get']['arity'] == 2
    assert client.lcs('key', 'key') == b'value'


# With asyncio


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    async def within_time() -> None:
        async with asyncio.timeout(6 * WAIT_SECONDS):
            await coroutine

    asyncio.run(within_time())


@pytest.fixture
def connect_async(client: Client, selredis_server: SelredisServer, protocol: int) -> Callable[..., Client]:
    """Makes an asyncio client of the shared server, empty at first; to be used with `async with`."""

    def connect(**arguments: Any) -> Client:
        return redis.asyncio.Redis(host=selredis_server.host, port=selredis_server.port, protocol=protocol, **arguments)

    return connect


def test_asyncio_basics(connect_async: Callable[..., Client], protocol: int) -> None:
    async def main() -> None:
        async with connect_async(client_name='worker') as client:
            info = await client.client_info()
            assert info['lib-name'].startswith('redis-py')
            assert (info['name'], int(info['resp'])) == ('worker', protocol)
            assert await client.set('key', 'value', ex=100)
            assert await client.get('key') == b'value'
            assert 0 < await client.ttl('key') <= 100
            with pytest.raises(redis.ResponseError, match='not an integer'):
                await client.incr('key')
            assert (await client.info())['redis_version'] == '7.2.4'

    run(main())


@pytest.mark.parametrize('transaction', [True, False])
def test_asyncio_pipeline(connect_async: Callable[..., Client], transaction: bool) -> None:
    async def main() -> None:
        async with connect_async() as client, client.pipeline(transaction=transaction) as pipeline:
            for number in range(10_000):
                pipeline.set(f'key:{number}', number)
            assert await pipeline.execute() == [True] * 10_000
            assert {key async for key in client.scan_iter('key:*', count=1_000)} == {
                b'key:%d' % number for number in range(10_000)
            }

    run(main())


def test_asyncio_many_at_once(connect_async: Callable[..., Client]) -> None:
    async def main() -> None:
        async with connect_async() as client:
            numbers = await asyncio.gather(*(client.incr('counter') for _ in range(50)))
            assert sorted(numbers) == list(range(1, 51))

    run(main())


def test_asyncio_transactions(connect_async: Callable[..., Client]) -> None:
    async def main() -> None:
        async with connect_async() as client:
            both_have_read = asyncio.Barrier(2)
            attempts = 0

            async def count() -> None:
                first = True

                async def increment(pipeline: Client) -> None:
                    nonlocal attempts, first
                    attempts += 1
                    number = int(await pipeline.get('counter') or 0)
                    if first:
                        first = False
                        await both_have_read.wait()
                    pipeline.multi()
                    pipeline.set('counter', number + 1)

                await client.transaction(increment, 'counter')

            await asyncio.gather(count(), count())
            assert await client.get('counter') == b'2'
            assert attempts == 3

    run(main())


def test_asyncio_pubsub(connect_async: Callable[..., Client]) -> None:
    async def main() -> None:
        async with connect_async() as client, client.pubsub() as pubsub:
            await pubsub.subscribe('news')
            await pubsub.psubscribe('n*')
            await pubsub.ssubscribe('orders')
            received = []
            listening = pubsub.listen()
            async for message in listening:
                received.append((message['type'], message['channel'], message['data']))
                if len(received) == 3:
                    assert await client.publish('news', 'x') == 2
                    assert await client.spublish('orders', 'y') == 1
                if len(received) == 6:
                    break
            await listening.aclose()
            assert received == [
                ('subscribe', b'news', 1),
                ('psubscribe', b'n*', 2),
                ('ssubscribe', b'orders', 1),
                ('message', b'news', b'x'),
                ('pmessage', b'news', b'x'),
                ('smessage', b'orders', b'y'),
            ]

    run(main())


def test_asyncio_blocking(connect_async: Callable[..., Client]) -> None:
    async def main() -> None:
        async with connect_async() as client:
            assert await client.blpop('list', timeout=TIMEOUT_SECONDS) is None
            assert await client.blmove('list', 'other', TIMEOUT_SECONDS) is None
            waiting = asyncio.create_task(client.blmpop(WAIT_SECONDS, 1, 'list', direction='LEFT'))
            async with asyncio.timeout(WAIT_SECONDS):
                while (await client.info('clients'))['blocked_clients'] != 1:
                    pass
            await client.rpush('list', 'element')
            assert await waiting == [b'list', [b'element']]

    run(main())


def test_asyncio_password(protocol: int) -> None:
    async def main() -> None:
        with selredis.serve(requirepass='secret') as server:
            async with redis.asyncio.Redis(port=server.port, protocol=protocol, password='secret') as client:
                assert await client.ping()
            once = AsyncRetry(NoBackoff(), 0)
            async with redis.asyncio.Redis(port=server.port, protocol=protocol, password='wrong', retry=once) as client:
                with pytest.raises(redis.AuthenticationError):
                    await client.ping()

    run(main())
