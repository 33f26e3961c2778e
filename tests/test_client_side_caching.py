"""redis-py's own cache on the client's side, which relies on being told of every change.

It wants a server that calls itself 7.4, although what it uses has been there since 6.0: that is set aside here.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
from redis.cache import CacheConfig
from redis.connection import CacheProxyConnection

from tests.harness.servers import SelredisServer

WAIT_SECONDS = 10.0


@pytest.fixture
def connect(selredis_server: SelredisServer) -> Iterator[Callable[..., Any]]:
    """Opens a client of the shared server, empty at first; all are closed with the test."""
    opened: list[Any] = []

    def connect(**arguments: Any) -> Any:
        opened.append(
            redis.Redis(
                host=selredis_server.host,
                port=selredis_server.port,
                protocol=3,
                socket_timeout=WAIT_SECONDS,
                decode_responses=True,
                **arguments,
            )
        )
        return opened[-1]

    connect().flushall()
    yield connect
    for client in opened:
        client.close()


@pytest.fixture
def other(connect: Callable[..., Any]) -> Any:
    return connect()


@pytest.fixture
def caching(connect: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(CacheProxyConnection, 'MIN_ALLOWED_VERSION', '7.2.0')
    return connect(cache_config=CacheConfig(), single_connection_client=True)


def kept(caching: Any) -> set[str]:
    """The keys in the client's cache."""
    return {name for key in caching.get_cache().collection for name in key.redis_keys}


def wait_for_word_of(other: Any) -> None:
    """Until those who keep what `other` has changed were told: in the turn of the server's loop before this reply."""
    other.ping()


def test_what_was_read_is_kept_until_somebody_changes_it(caching: Any, other: Any) -> None:
    other.set('a', 1)
    other.rpush('list', 'x')
    assert caching.get('a') == '1'
    assert caching.lrange('list', 0, -1) == ['x']
    assert kept(caching) == {'a', 'list'}
    other.set('a', 2)
    wait_for_word_of(other)
    assert caching.get('a') == '2'
    other.rpush('list', 'y')
    wait_for_word_of(other)
    assert caching.lrange('list', 0, -1) == ['x', 'y']


def test_what_is_kept_is_not_asked_for_again(caching: Any, other: Any) -> None:
    other.set('a', 1)
    caching.get('a')
    hits = other.info('stats')['keyspace_hits']
    assert [caching.get('a') for _ in range(5)] == ['1'] * 5
    assert other.info('stats')['keyspace_hits'] == hits


def test_all_goes_with_the_database(caching: Any, other: Any) -> None:
    other.mset({'a': 1, 'b': 2})
    assert caching.mget('a', 'b') == ['1', '2']
    other.flushdb()
    wait_for_word_of(other)
    assert caching.mget('a', 'b') == [None, None]


def test_what_the_client_itself_changes_is_read_anew(caching: Any) -> None:
    caching.set('a', 1)
    assert caching.get('a') == '1'
    caching.incr('a')
    assert caching.get('a') == '2'
