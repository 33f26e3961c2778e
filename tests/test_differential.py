"""Random commands over few keys, on redis-server and selredis: the same bytes, the same keys at the end."""

from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.harness.servers import ReferenceServer, SelredisServer
from tests.harness.wire import Address, Reply, WireClient, encode, encode_command, quote, render, without_order
from tests.strategies import APART, GROUPS, SORTING, has_no_order, program
from tests.strategies.words import Argv

# A hash with a longer field or value (hash-max-listpack-value) is a hash table in the reference: it has no order.
LISTPACK_VALUE = 64
HASH_READERS = {b'HGETALL', b'HKEYS', b'HVALS', b'HSCAN', b'HRANDFIELD'}

READ_WHOLE: dict[bytes, tuple[bytes, ...]] = {
    b'string': (b'GET',),
    b'list': (b'LRANGE', b'0', b'-1'),
    b'hash': (b'HGETALL',),
    b'set': (b'SMEMBERS',),
    b'zset': (b'ZRANGE', b'0', b'-1', b'WITHSCORES'),
    b'stream': (b'XRANGE', b'-', b'+'),
}


def run_on(address: Address, commands: list[Argv], protocol: Literal[2, 3]) -> tuple[list[Reply], dict[bytes, str]]:
    """Run the commands in one pipeline on an empty server; returns their replies and the keyspace as text."""
    with WireClient(address, protocol) as client, WireClient(address) as other:
        assert render(other('FLUSHALL')) == 'OK'
        client.send(b''.join(encode_command(*argv) for argv in commands))
        replies = [client.read() for _ in commands]
        return replies, keyspace(other)


def keyspace(client: WireClient) -> dict[bytes, str]:
    """Every key with its type, value and whether it has a deadline."""
    content = {}
    for key in sorted(item.text for item in client('KEYS', '*').items):
        kind = client('TYPE', key).text
        verb, *arguments = READ_WHOLE[kind]
        value = client(verb, key, *arguments)
        encoding = client('OBJECT', 'ENCODING', key).text
        if (kind == b'set' and encoding != b'intset') or (kind == b'hash' and encoding == b'hashtable'):
            value = without_order(value)
        deadline = int(client('PTTL', key).text) >= 0
        content[key] = f'{kind.decode()} {render(value)}{" with a deadline" if deadline else ""}'
    return content


def have_no_order(commands: list[Argv]) -> list[bool]:
    """For each command whether its reply has no order; EXEC's has none if it has such a reply in it."""
    flags = []
    within = after_sort = after_long = False
    for argv in commands:
        name = argv[0].upper()
        after_sort = after_sort or name in SORTING
        after_long = after_long or any(len(word) > LISTPACK_VALUE for word in argv)
        unordered = has_no_order(argv, after_sort) or (after_long and name in HASH_READERS)
        within = within or unordered
        flags.append(unordered or (name == b'EXEC' and within))
        within = within and name != b'EXEC'
    return flags


def without_consumers(reply: Reply) -> Reply:
    """The reply without the number that XINFO GROUPS tells: since 7.2 who is given nothing is a consumer, too."""
    if not isinstance(reply.value, list):
        return reply
    items = [without_consumers(item) for item in reply.items]
    for number, item in enumerate(items[:-1]):
        if item.value == b'consumers':
            items[number + 1] = Reply(':', b'some')
    return Reply(reply.kind, items, reply.attributes)


def run_differential(
    programs: SearchStrategy[list[Argv]], reference: ReferenceServer, subject: SelredisServer, examples: int = 100
) -> None:
    """Let hypothesis look for a program that the two servers do not run alike; AssertionError with the shortest."""

    for protocol in (2, 3):
        run_on(subject.address, [], protocol)  # or hypothesis would look for the shortest program that fails in this

    @settings(max_examples=examples, deadline=None, report_multiple_bugs=False, suppress_health_check=list(HealthCheck))
    @given(programs, st.sampled_from((2, 3)))
    def same(commands: list[Argv], protocol: Literal[2, 3]) -> None:
        expected, keys_expected = run_on(reference.address, commands, protocol)
        actual, keys_actual = run_on(subject.address, commands, protocol)
        for number, free in enumerate(have_no_order(commands)):
            pair = without_consumers(expected[number]), without_consumers(actual[number])
            if free:
                pair = without_order(pair[0]), without_order(pair[1])
            if encode(pair[0]) != encode(pair[1]):
                said = ''.join(f'\n> {" ".join(map(quote, words))}' for words in commands[: number + 1])
                pytest.fail(
                    f'RESP{protocol}:{said}\n{render(pair[0])}\nbut selredis says\n{render(pair[1])}', pytrace=False
                )
        assert keys_actual == keys_expected

    same()


@pytest.mark.parametrize('group', GROUPS)
def test_one_group(group: str, reference: ReferenceServer, selredis_server: SelredisServer):
    run_differential(program(group), reference, selredis_server)


def test_all_groups_together(reference: ReferenceServer, selredis_server: SelredisServer):
    run_differential(program(*(group for group in GROUPS if group not in APART)), reference, selredis_server)
