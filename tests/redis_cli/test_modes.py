"""redis-cli in the modes that go on by themselves: subscribing, monitoring, scanning, measuring."""

import json
import re

import pytest

from tests.harness.redis_cli import Compare, Follow, Run, Terminals
from tests.harness.servers import ReferenceServer
from tests.harness.wire import WireClient


def test_two_subscribe_a_third_publishes(run: Run, follow: Follow) -> None:
    subscribers = [follow('--no-raw', 'SUBSCRIBE', 'news') for _ in range(2)]
    for subscriber in subscribers:
        assert subscriber.read(4)[1:] == ['1) "subscribe"', '2) "news"', '3) (integer) 1']
    assert run('--no-raw', 'PUBLISH', 'news', 'hello') == '(integer) 2\n'
    for subscriber in subscribers:
        assert subscriber.read(3) == ['1) "message"', '2) "news"', '3) "hello"']


def test_subscribers_by_pattern_and_in_resp3(run: Run, follow: Follow) -> None:
    pattern = follow('PSUBSCRIBE', 'n?ws', 'other')
    assert pattern.read(6) == ['psubscribe', 'n?ws', '1', 'psubscribe', 'other', '2']
    pushed = follow('-3', 'SUBSCRIBE', 'news')
    assert pushed.read(3) == ['subscribe', 'news', '1']
    shard = follow('SSUBSCRIBE', 'news')
    assert shard.read(3) == ['ssubscribe', 'news', '1']
    assert run('PUBLISH', 'news', 'hello') == '2\n'
    assert pattern.read(4) == ['pmessage', 'n?ws', 'news', 'hello']
    assert pushed.read(3) == ['message', 'news', 'hello']
    assert run('SPUBLISH', 'news', 'ahoy') == '1\n'
    assert shard.read(3) == ['smessage', 'news', 'ahoy']


@pytest.mark.parametrize('options', [(), ('-3',)])
def test_subscribing_at_the_prompt(options: tuple[str, ...], terminal: Terminals, client: WireClient) -> None:
    shown = terminal(*options)
    shown.see('> ')
    shown.type('subscribe news\r')
    shown.see('1) "subscribe"\n2) "news"\n3) (integer) 1\n')
    assert client('PUBLISH', 'news', 'hello').text == b'1'
    shown.see('1) "message"\n2) "news"\n3) "hello"\n')


def test_a_wait_in_one_terminal_is_ended_by_another(run: Run, follow: Follow, client: WireClient) -> None:
    waiting = follow('--no-raw', 'BLPOP', 'jobs', '0')
    while b'blocked_clients:1\r\n' not in client('INFO', 'clients').text:
        assert waiting.process.poll() is None
    assert run('RPUSH', 'jobs', 'first') == '1\n'
    first, second, *_ = waiting.read(2)
    assert [first, second] == ['1) "jobs"', '2) "first"']


def test_pipe_takes_a_hundred_thousand_commands(run: Run, client: WireClient) -> None:
    commands = b''.join(b'SET key:%d value:%d\r\n' % (number, number) for number in range(99_999))
    summary = run('--pipe', stdin=commands + b'*2\r\n$4\r\nINCR\r\n$5\r\nkey:1\r\n', code=1)
    assert summary.splitlines() == [
        'ERR value is not an integer or out of range',
        'All data transferred. Waiting for the last reply...',
        'Last reply received from server.',
        'errors: 1, replies: 100000',
    ]
    assert client('DBSIZE').text == b'99999'
    assert client('GET', 'key:77777').text == b'value:77777'


def test_pipe_says_what_went_wrong(compare: Compare) -> None:
    commands = b'SET a 1\r\nINCR a\r\nnonsense\r\nLPUSH a x\r\n*2\r\n$3\r\nGET\r\n$1\r\na\r\n'
    compare('--pipe', stdin=commands, code=1)


def test_scan_and_biggest_keys(run: Run, client: WireClient) -> None:
    client('MSET', *(word for number in range(2_000) for word in (f'key:{number}', 'x' * (number % 9 + 1))))
    client('SET', 'large', 'x' * 12_345)
    client('RPUSH', 'list', 1, 2, 3)
    found = run('--scan', '--pattern', 'key:1?7')
    assert sorted(found.split()) == [f'key:1{digit}7' for digit in range(10)]
    assert len(run('--scan').split()) == 2_002
    summary = run('--bigkeys')
    assert 'Sampled 2002 keys in the keyspace!' in summary
    assert 'Biggest string found \'"large"\' has 12345 bytes' in summary
    assert 'Biggest   list found \'"list"\' has 3 items' in summary


@pytest.fixture
def some_keys(client: WireClient, at_reference: list[str], reference: ReferenceServer) -> None:
    """The same keys on both servers."""
    with WireClient(reference.address) as other:
        for one in (client, other):
            one('MSET', *(word for number in range(20) for word in (f'key:{number:02}', 'x' * number)))
            one('RPUSH', 'list:long', *range(50))
            one('RPUSH', 'list:short', 1)
            one('SET', 'key:large', 'x' * 10_000)
            one('SET', 'key:number', 12345678)


@pytest.mark.usefixtures('some_keys')
def test_scans_find_what_they_find_on_redis(compare: Compare) -> None:
    assert len(compare('--scan', ordered=False).split()) == 24
    assert compare('--scan', '--pattern', 'list:*', ordered=False)
    compare('--scan', '--quoted-pattern', '"key\\x3a1*"', ordered=False)
    compare('--bigkeys', '-i', '0.001', below='-------- summary')


@pytest.mark.usefixtures('some_keys')
def test_memory_of_keys(compare: Compare) -> None:
    # What a value takes is not the same there.
    printed = compare('--memkeys', below='-------- summary', masked=r'\d+(\.\d+)? bytes| with \d+|avg size \d+\.\d+')
    assert 'Biggest   list found \'"list:long"\' has' in printed
    assert 'Biggest string found' in compare('--memkeys-samples', '0', below='Sampled', masked=r'\d+')


@pytest.mark.usefixtures('some_keys')
def test_hot_keys_need_a_policy(compare: Compare) -> None:
    assert 'An LFU maxmemory policy is not selected' in compare('--hotkeys', code=1)


def test_hot_keys(compare: Compare, client: WireClient, reference: ReferenceServer) -> None:
    with WireClient(reference.address) as other:
        try:
            for one in (client, other):
                one('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lfu')
                one('MSET', *(word for number in range(20) for word in (f'key:{number}', 1)))
                for _ in range(200):
                    one('GET', 'key:7')
            printed = compare('--hotkeys', below='-------- summary', masked=r'hot key found .*')
        finally:
            for one in (client, other):
                one('CONFIG', 'SET', 'maxmemory-policy', 'noeviction')
    hottest = printed[printed.index('-------- summary') :].splitlines()[3]
    assert re.fullmatch(r'hot key found with counter: \d+\tkeyname: "key:7"', hottest)


def test_monitor(follow: Follow, at_reference: list[str], client: WireClient, reference: ReferenceServer) -> None:
    seen: list[list[str]] = []
    with WireClient(reference.address) as other:
        for one, watching in ((client, follow('MONITOR')), (other, follow('MONITOR', command=at_reference))):
            assert watching.read(1) == ['OK']
            one('SET', 'a"\n\xe9', '')
            one('SELECT', 3)
            one('nonsense')
            one('GET')
            one('LPUSH', 'list', 'x')
            one('AUTH', 'secret')
            one('MULTI')
            one('INCR', 'n')
            one('EXEC')
            one('CONFIG', 'GET', 'save')
            one('PING')
            seen.append([])
            while not seen[-1] or '"PING"' not in seen[-1][-1]:
                seen[-1] += watching.read(1)
    address = re.compile(r'\d+\.\d{6} \[(\d+) (127\.0\.0\.1:\d+|unix:\S+)\]')
    ours, theirs = ([address.sub(r'... [\1 ...]', line) for line in lines] for lines in seen)
    assert ours == theirs


def test_monitor_tells_everything_to_several(follow: Follow, client: WireClient) -> None:
    watching = [follow('MONITOR'), follow('-3', 'MONITOR')]
    for one in watching:
        assert one.read(1) == ['OK']
    client('SET', 'a', 1)
    for one in watching:
        while '"SET" "a" "1"' not in one.read(1)[0]:
            pass


def test_latency_of_a_second(run: Run) -> None:
    least, most, average, samples = run('--latency', '--raw').split()
    assert 0 <= int(least) <= float(average) <= int(most) <= 1000
    assert int(samples) > 10


@pytest.mark.parametrize('options', [(), ('-3',)])
def test_stat(options: tuple[str, ...], terminal: Terminals, client: WireClient) -> None:
    client('MSET', 'a', 1, 'b', 2)
    shown = terminal('--stat', '-i', '0.05', *options)
    shown.see('keys       mem      clients blocked requests            connections')
    keys, mem, clients, blocked, requests, *_ = shown.see('(+0)').split()
    assert [keys, clients, blocked] == ['2', '2', '0']
    assert re.fullmatch(r'\d+\.\d\d[KMG]', mem)
    assert int(requests) > 2


def test_latency_history(terminal: Terminals) -> None:
    shown = terminal('--latency-history', '-i', '0.05')
    for _ in range(2):
        assert re.search(r'min: \d+, max: \d+, avg: \d+\.\d\d \(\d+ samples\) -- 0\.\d\d$', shown.see(' seconds range'))


def test_latency_distribution(terminal: Terminals) -> None:
    shown = terminal('--latency-dist', '-i', '0.05')
    shown.see('---------------------------------------------')
    shown.see('From 0 to 100%')


def test_latency_in_every_format(run: Run) -> None:
    assert re.fullmatch(r'\d+,\d+,\d+\.\d\d,\d+\n', run('--latency', '--csv', '-i', '0.03'))
    assert json.loads(run('--latency', '--json', '-i', '0.03'))['count'] > 0


def test_lru(terminal: Terminals, client: WireClient) -> None:
    client('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru', 'maxmemory', '100kb')
    try:
        found = re.fullmatch(
            r'(\d+) Gets/sec \| Hits: (\d+) \([\d.]+%\) \| Misses: (\d+) \([\d.]+%\)',
            terminal('--lru-test', '100000').see('\n'),
        )
    finally:
        client('CONFIG', 'SET', 'maxmemory-policy', 'noeviction', 'maxmemory', '0')
    assert found
    assert int(found[1]) == int(found[2]) + int(found[3]) > 0
    assert b'evicted_keys:0\r\n' not in client('INFO', 'stats').text
