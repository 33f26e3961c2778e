"""Who is told what when keys change, on redis-server and selredis: the same messages in the same order.

One client runs random commands and tracks the keys that it reads: behind the reply it is told of those that have
changed. Another one is subscribed to all keyspace notifications.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import HealthCheck, given, settings

from tests.harness.servers import ReferenceServer, SelredisServer
from tests.harness.wire import Address, WireClient, encode_command, quote
from tests.strategies import has_no_order, program
from tests.strategies.words import Argv

CLASSES = 'KEAnm'  # all there are
END = b'the end'


@contextmanager
def notifying(address: Address) -> Iterator[None]:
    with WireClient(address) as control:
        before = control('CONFIG', 'GET', 'notify-keyspace-events').items[1].text
        control('CONFIG', 'SET', 'notify-keyspace-events', CLASSES)
        try:
            yield
        finally:
            control('CONFIG', 'SET', 'notify-keyspace-events', before)


def run_on(address: Address, commands: list[Argv]) -> tuple[list[bytes], list[bytes]]:
    """Run the commands in one pipeline on an empty server; returns what their client and a subscriber receive."""
    with WireClient(address, 3) as client, WireClient(address) as subscriber, WireClient(address) as control:
        control('FLUSHALL')
        client('CLIENT', 'TRACKING', 'ON')
        subscriber('PSUBSCRIBE', '__key*__:*')
        client.send(b''.join(encode_command(*argv) for argv in [*commands, [b'DISCARD'], [b'ECHO', END]]))
        replies = until_end(client)
        control('PUBLISH', '__key__:', END)
        return replies, until_end(subscriber)


def until_end(client: WireClient) -> list[bytes]:
    received = [client.read_raw()]
    while END not in received[-1]:
        received.append(client.read_raw())
    return received


def test_the_same_is_told_in_the_same_order(reference: ReferenceServer, selredis_server: SelredisServer):
    @settings(max_examples=60, deadline=None, report_multiple_bugs=False, suppress_health_check=list(HealthCheck))
    @given(
        program(
            'bitmaps', 'generic', 'geo', 'hashes', 'hyperloglogs', 'lists', 'sets', 'sorted_sets', 'sorting', 'strings'
        )
    )
    def same(commands: list[Argv]) -> None:
        commands = [argv for argv in commands if not has_no_order(argv, after_sort=True)]
        expected, received = run_on(reference.address, commands), run_on(selredis_server.address, commands)
        for theirs, ours in zip(expected, received, strict=True):
            if theirs != ours:
                said = '\n'.join(' '.join(map(quote, argv)) for argv in commands)
                at = next(
                    (place for place, pair in enumerate(zip(theirs, ours, strict=False)) if pair[0] != pair[1]),
                    min(len(theirs), len(ours)),
                )
                pytest.fail(f'{said}\nexpected {theirs[at:]}\nreceived {ours[at:]}', pytrace=False)

    with notifying(reference.address), notifying(selredis_server.address):
        same()
