"""The table of commands as clients see it, beside redis-server 7.0.15's: every command that both have."""

from collections.abc import Iterator
from random import Random
from typing import Literal

import pytest

from tests.harness.servers import ReferenceServer, SelredisServer
from tests.harness.wire import Reply, WireClient, encode_command, render, split_words, without_order

# What 7.2 says otherwise than 7.0.15: by command, what COMMAND INFO or COMMAND DOCS has in that field since then.
BLOCKING = ['blocking', 'write']
BLOCKING_GROWING = ['blocking', 'denyoom', 'write']
ALL_NODES = ['request_policy:all_nodes', 'response_policy:all_succeeded']
SINCE_7_2: dict[str, dict[str, list[str] | str | int]] = {
    'bitop': {'arguments': 'tell the operations'},
    'blmove': {'flags': BLOCKING_GROWING},  # scripts may run it
    'blpop': {'flags': BLOCKING},
    'brpop': {'flags': BLOCKING},
    'brpoplpush': {'flags': BLOCKING_GROWING},
    'bzpopmax': {'flags': ['blocking', 'fast', 'write']},
    'bzpopmin': {'flags': ['blocking', 'fast', 'write']},
    'client|kill': {'arguments': 'SKIPME takes yes or no; MAXAGE is of 7.4'},
    'client|list': {'arguments': 'ID is no block'},
    'client|pause': {'since': '3.0.0'},
    'client|setname': {'tips': ALL_NODES},
    'cluster|shards': {'flags': ['loading', 'stale']},
    'cluster|slots': {'flags': ['loading', 'stale']},
    'command|getkeys': {'arity': -3, 'arguments': 'are told'},
    'command|getkeysandflags': {'arity': -3, 'arguments': 'are told'},
    'config|get': {'arguments': 'is no block'},
    'config|resetstat': {'tips': ALL_NODES},
    'config|rewrite': {'tips': ALL_NODES},
    'config|set': {'tips': ALL_NODES},
    'geohash': {'arguments': 'members may be left out'},
    'geopos': {'arguments': 'members may be left out'},
    'georadius': {'arguments': 'STORE and STOREDIST exclude each other'},
    'georadiusbymember': {'arguments': 'STORE and STOREDIST exclude each other'},
    'hscan': {'arguments': 'NOVALUES is of 7.4'},
    'msetnx': {'tips': []},  # it has no policy: one shard takes all or nothing
    'pfmerge': {'arguments': 'may be one key alone'},
    'psetex': {
        'deprecated_since': '2.6.12',
        'replaced_by': '`SET` with the `PX` argument',
        'doc_flags': ['deprecated'],
    },
    'psubscribe': {'arguments': 'is no block'},
    'quit': {
        'deprecated_since': '7.2.0',
        'replaced_by': 'just closing the connection',
        'doc_flags': ['deprecated'],
    },
    'randomkey': {
        'tips': ['nondeterministic_output', 'request_policy:all_shards', 'response_policy:special'],
    },
    'scan': {'tips': ['nondeterministic_output', 'request_policy:special', 'response_policy:special']},
    'setex': {'deprecated_since': '2.6.12', 'replaced_by': '`SET` with the `EX` argument', 'doc_flags': ['deprecated']},
    'setnx': {'deprecated_since': '2.6.12', 'replaced_by': '`SET` with the `NX` argument', 'doc_flags': ['deprecated']},
    'wait': {'flags': []},  # scripts may run it
    'zrank': {'arity': -3, 'arguments': 'WITHSCORE is new'},
    'zrevrank': {'arity': -3, 'arguments': 'WITHSCORE is new'},
    'xinfo|stream': {'arguments': 'FULL is no token of a block'},
}

# What 7.2 calls arguments otherwise: by command, its names and those of 7.0.
RENAMED_IN_7_2: dict[str, dict[str, str]] = {
    'bitcount': {'range': 'index', 'unit': 'index-unit'},
    'bitfield': {
        'get-block': 'encoding-offset',
        'incrby-block': 'encoding-offset-increment',
        'overflow-block': 'wrap-sat-fail',
        'set-block': 'encoding-offset-value',
    },
    'bitfield_ro': {'get-block': 'encoding-offset'},
    'bitpos': {'end-unit-block': 'end-index', 'range': 'index', 'unit': 'index-unit'},
    'client|reply': {'action': 'on-off-skip'},
    'client|unblock': {'unblock-type': 'timeout-error'},
    'cluster|addslotsrange': {'range': 'start-slot-end-slot'},
    'cluster|delslotsrange': {'range': 'start-slot-end-slot'},
    'cluster|reset': {'reset-type': 'hard-soft'},
    'cluster|setslot': dict.fromkeys(('importing', 'migrating', 'node'), 'node-id'),
    'config|set': {'data': 'parameter-value'},
    'flushall': {'flush-type': 'async'},
    'flushdb': {'flush-type': 'async'},
    'geoadd': {'data': 'longitude-latitude-member'},
    'georadius_ro': {'count-block': 'count'},
    'georadiusbymember_ro': {'count-block': 'count'},
    'geosearch': {'count-block': 'count', 'fromlonlat': 'longitude-latitude'},
    'geosearchstore': {'count-block': 'count', 'fromlonlat': 'longitude-latitude'},
    'hello': {'auth': 'username-password'},
    'hmset': {'data': 'field-value'},
    'hset': {'data': 'field-value'},
    'lcs': {'min-match-len': 'len'},
    'mset': {'data': 'key-value'},
    'msetnx': {'data': 'key-value'},
    'shutdown': {'save-selector': 'nosave-save'},
    'sort': {'by-pattern': 'pattern', 'get-pattern': 'pattern', 'limit': 'offset-count'},
    'sort_ro': {'by-pattern': 'pattern', 'get-pattern': 'pattern', 'limit': 'offset-count'},
    'xadd': {'data': 'field-value', 'id-selector': 'id-or-auto'},
    'xclaim': {'lastid': 'id'},
    'xgroup|create': {'group': 'groupname', 'id-selector': 'id'},
    'xgroup|createconsumer': {'group': 'groupname', 'consumer': 'consumername'},
    'xgroup|delconsumer': {'group': 'groupname', 'consumer': 'consumername'},
    'xgroup|destroy': {'group': 'groupname'},
    'xgroup|setid': {'entriesread': 'entries-read', 'group': 'groupname', 'id-selector': 'id'},
    'xinfo|consumers': {'group': 'groupname'},
    'xreadgroup': {'group-block': 'group-consumer'},
    'xsetid': {'max-deleted-id': 'max-deleted-entry-id'},
    'zadd': {'data': 'score-member'},
    'zrange': {'limit': 'offset-count'},
    'zrangebylex': {'limit': 'offset-count'},
    'zrangebyscore': {'limit': 'offset-count'},
    'zrangestore': {'limit': 'offset-count'},
    'zrevrangebylex': {'limit': 'offset-count'},
    'zrevrangebyscore': {'limit': 'offset-count'},
}

INFO_FIELDS = ('name', 'arity', 'flags', 'first', 'last', 'step', 'categories', 'tips', 'key specs', 'subcommands')
# In our own words, or where 7.0 and 7.2 differ in all commands.
OUR_OWN = {'summary', 'complexity', 'history', 'subcommands', 'key specs notes'}

Entries = dict[str, dict[str, Reply]]


def pairs(reply: Reply) -> Iterator[tuple[str, Reply]]:
    """A map, which is a flat array in RESP2."""
    for name, value in zip(reply.items[::2], reply.items[1::2], strict=True):
        yield name.text.decode(), value


def all_infos(reply: Reply) -> Entries:
    """COMMAND's entries and those of subcommands by name, the fields by theirs."""
    entries: Entries = {}
    for item in reply.items:
        entry = dict(zip(INFO_FIELDS, item.items, strict=True))
        entries[entry['name'].text.decode()] = entry
        entries |= all_infos(entry['subcommands'])
    return entries


def all_docs(reply: Reply) -> Entries:
    entries: Entries = {}
    for name, value in pairs(reply):
        entries[name] = dict(pairs(value))
        if 'subcommands' in entries[name]:
            entries |= all_docs(entries[name]['subcommands'])
    return entries


def plain(reply: Reply) -> str:
    return render(without_order(reply))


def without_notes(specs: Reply) -> list[str]:
    """Key specs but for what they say to people."""
    return [
        f'{specs.kind}{spec.kind}'
        + ' '.join(f'{name}={plain(value)}' for name, value in pairs(spec) if name != 'notes')
        for spec in specs.items
    ]


def arguments(reply: Reply, names: dict[str, str]) -> list[object]:
    """The tree of arguments; `names` are those of 7.0 for names of 7.2.

    Names are in small letters, with hyphens, as most are in 7.2. 7.0 has no display_text.
    """

    def known(name: bytes) -> str:
        text = name.decode().lower().replace('_', '-')
        return names.get(text, text)

    tree: list[object] = []
    for item in reply.items:
        argument = dict(pairs(item))
        name = known(argument['name'].text)
        shown = name if 'display_text' not in argument else known(argument['display_text'].text)
        rest = argument.keys() - {'name', 'display_text', 'arguments'}
        parts = arguments(argument['arguments'], names) if 'arguments' in argument else []
        tree.append((name, shown, {field: comparable(argument[field]) for field in rest}, parts))
    return tree


def comparable(value: Reply) -> tuple[str, str]:
    return value.kind, plain(value)


def are_alike(name: str, field: str, ours: Reply, theirs: Reply) -> bool:
    match field:
        case 'key specs':
            return without_notes(ours) == without_notes(theirs)
        case 'arguments':
            return arguments(ours, RENAMED_IN_7_2.get(name, {})) == arguments(theirs, {})
        case _:
            return comparable(ours) == comparable(theirs)


def content(reply: Reply) -> list[str] | str | int:
    if isinstance(reply.value, list):
        return sorted(item.text.decode() for item in reply.items)
    text = reply.text.decode()
    return int(text) if reply.kind == ':' else text


def ask(server: ReferenceServer | SelredisServer, protocol: Literal[2, 3], *words: str) -> Reply:
    with WireClient(server.address, protocol) as client:
        return client(*words)


def check(ours: Entries, theirs: Entries) -> None:
    """Every field of every command that both have; AssertionError with all that differ."""
    wrong: list[str] = []
    for name in sorted(ours.keys() & theirs.keys()):
        newer = SINCE_7_2.get(name, {})
        for field in sorted(ours[name].keys() | theirs[name].keys()):
            our, their = ours[name].get(field), theirs[name].get(field)
            if field in OUR_OWN:
                # Both tell something, each in its own words; of changes, where there are any that both may know.
                if (our is None or their is None) and field != 'history':
                    wrong.append(f'{name}: only {"the reference" if our is None else "selredis"} has {field}')
                continue
            if field in newer:
                if field != 'arguments' and (our is None or content(our) != newer[field]):
                    wrong.append(f'{name}: {field} is not as in 7.2: {our and content(our)}')
            elif our is None or their is None:
                wrong.append(f'{name}: only {"the reference" if our is None else "selredis"} has {field}')
            elif not are_alike(name, field, our, their):
                wrong.append(f'{name}: {field}\n{render(our)}\nbut the reference says\n{render(their)}')
        both = ours[name].keys() & theirs[name].keys()
        if [field for field in ours[name] if field in both] != [field for field in theirs[name] if field in both]:
            wrong.append(f'{name}: the order of {list(ours[name])} is not that of {list(theirs[name])}')
    assert not wrong, '\n'.join(wrong)


@pytest.mark.parametrize('protocol', [2, 3])
def test_command_info(protocol: Literal[2, 3], reference: ReferenceServer, selredis_server: SelredisServer):
    ours = all_infos(ask(selredis_server, protocol, 'COMMAND'))
    theirs = all_infos(ask(reference, protocol, 'COMMAND'))
    assert len(ours.keys() & theirs.keys()) > 100
    assert {entry['subcommands'].kind for entry in ours.values()} == {'*', '*' if protocol == 2 else '~'}
    check(ours, theirs)


@pytest.mark.parametrize('protocol', [2, 3])
def test_command_docs(protocol: Literal[2, 3], reference: ReferenceServer, selredis_server: SelredisServer):
    ours = all_docs(ask(selredis_server, protocol, 'COMMAND', 'DOCS'))
    theirs = all_docs(ask(reference, protocol, 'COMMAND', 'DOCS'))
    assert len(ours.keys() & theirs.keys()) > 100
    check(ours, theirs)


def test_command_count(selredis_server: SelredisServer):
    assert int(ask(selredis_server, 2, 'COMMAND', 'COUNT').text) == len(ask(selredis_server, 2, 'COMMAND').items)


def test_command_list(reference: ReferenceServer, selredis_server: SelredisServer):
    def names(server: ReferenceServer | SelredisServer) -> set[str]:
        return {item.text.decode() for item in ask(server, 2, 'COMMAND', 'LIST').items}

    ours = all_infos(ask(selredis_server, 2, 'COMMAND'))
    assert names(selredis_server) == ours.keys()
    assert names(reference) == all_infos(ask(reference, 2, 'COMMAND')).keys()


@pytest.mark.parametrize('protocol', [2, 3])
def test_information_on_some(protocol: Literal[2, 3], reference: ReferenceServer, selredis_server: SelredisServer):
    names = ('lpush', 'nope', 'CLIENT|ID', 'client|nope', 'client id', 'get|x')
    ours, theirs = (ask(server, protocol, 'COMMAND', 'INFO', *names) for server in (selredis_server, reference))
    assert plain(ours) == plain(theirs)
    ours, theirs = (ask(server, protocol, 'COMMAND', 'DOCS', *names) for server in (selredis_server, reference))
    assert [name for name, _ in pairs(ours)] == [name for name, _ in pairs(theirs)]


FILTERS = (
    *(f'ACLCAT {category}' for category in ('keyspace', 'READ', 'list', 'dangerous', 'connection', 'fast', 'nope')),
    *(f'PATTERN {pattern}' for pattern in ('l*', 'CLIENT|*', '?et', '*|help', '[mn]*', 'nope', '')),
    'MODULE nope',
)


@pytest.mark.parametrize('choice', FILTERS)
def test_command_list_filtered(choice: str, reference: ReferenceServer, selredis_server: SelredisServer):
    kind, wanted = choice.split(' ')

    def names(server: ReferenceServer | SelredisServer, *filtered: str) -> set[str]:
        return {item.text.decode() for item in ask(server, 2, 'COMMAND', 'LIST', *filtered).items}

    both = names(reference) & names(selredis_server)
    assert names(selredis_server, 'FILTERBY', kind, wanted) & both == names(reference, 'FILTERBY', kind, wanted) & both


def test_versions_of_changes_are_those_of_redis(reference: ReferenceServer, selredis_server: SelredisServer):
    ours = all_docs(ask(selredis_server, 3, 'COMMAND', 'DOCS'))
    theirs = all_docs(ask(reference, 3, 'COMMAND', 'DOCS'))

    def versions(docs: dict[str, Reply]) -> list[str]:
        """Those up to 7.0.15, in order."""
        told = [change.items[0].text.decode() for change in docs['history'].items] if 'history' in docs else []
        return sorted(version for version in told if version < '7.2')

    for name in ours.keys() & theirs.keys():
        assert versions(ours[name]) == versions(theirs[name]), name


def test_everything_has_a_summary(selredis_server: SelredisServer):
    for name, docs in all_docs(ask(selredis_server, 3, 'COMMAND', 'DOCS')).items():
        assert docs['summary'].text.endswith(b'.'), name


@pytest.mark.parametrize('protocol', [2, 3])
def test_the_types_that_redis_cli_relies_on(protocol: Literal[2, 3], selredis_server: SelredisServer):
    """It takes any other for a reason to abort (redis-cli.c of 7.2, cliInitCommandHelpEntries)."""

    def check_arguments(reply: Reply) -> None:
        assert reply.kind == '*'
        for item in reply.items:
            for name, value in pairs(item):
                match name:
                    case 'name' | 'display_text' | 'token' | 'type' | 'since' | 'deprecated_since':
                        assert value.kind == '$'
                    case 'flags':
                        assert {flag.kind for flag in value.items} == {'+'}
                    case 'arguments':
                        check_arguments(value)
                    case _:
                        assert (name, value.kind) == ('key_spec_index', ':')

    for docs in all_docs(ask(selredis_server, protocol, 'COMMAND', 'DOCS')).values():
        assert {docs[name].kind for name in ('summary', 'since', 'group')} == {'$'}
        check_arguments(docs.get('arguments', Reply('*', [])))


CALLS = (
    'GET a',
    'GET a b',
    'nope a',
    'PING a',
    'MGET a b c',
    'MSET a 1 b 2',
    'MSET a 1 b',
    'SET a b',
    'SET a b GET',
    'SET a b xx get',
    'SET get get',
    'BLPOP a b 0',
    'BLMOVE a b LEFT RIGHT 0',
    'LMPOP 2 a b LEFT',
    'LMPOP 0 a LEFT',
    'LMPOP -1 a LEFT',
    'LMPOP x a LEFT',
    'LMPOP 5 a LEFT',
    'LMPOP 99999999999999999999 a LEFT',
    'BLMPOP 0 1 a LEFT',
    'LCS a b',
    'LCS a b IDX',
    'RENAME a b',
    'COPY a b DB 1',
    'OBJECT ENCODING a',
    'object encoding',
    'OBJECT nope a',
    'CLIENT ID',
    'WATCH a b',
    'SSUBSCRIBE a',
    'SPUBLISH a b',
    'SUBSCRIBE a',
    'DEBUG OBJECT a',
)


@pytest.mark.parametrize('which', ['GETKEYS', 'GETKEYSANDFLAGS'])
def test_keys_of_a_call(which: str, reference: ReferenceServer, selredis_server: SelredisServer):
    calls = [split_words(call) for call in CALLS]
    compare_keys(which, calls, reference, selredis_server)


@pytest.mark.parametrize('which', ['GETKEYS', 'GETKEYSANDFLAGS'])
def test_keys_of_any_call(which: str, reference: ReferenceServer, selredis_server: SelredisServer):
    """Of every command that both servers have with one arity: its own tokens, numbers, other words, in any order."""
    random = Random(which)
    docs = all_docs(ask(selredis_server, 3, 'COMMAND', 'DOCS'))
    common = docs.keys() & all_docs(ask(reference, 3, 'COMMAND', 'DOCS')).keys()
    calls: list[list[bytes]] = []
    for name in sorted(name for name in common if 'arity' not in SINCE_7_2.get(name, {})):
        words = [*tokens(docs[name].get('arguments', Reply('*', []))), *b'0 1 2 3 -1 a b c store get'.split()]
        command = name.encode().split(b'|')
        calls += ([*command, *random.choices(words, k=random.randrange(1, 8))] for _ in range(60))
    compare_keys(which, calls, reference, selredis_server)


def tokens(arguments: Reply) -> Iterator[bytes]:
    for item in arguments.items:
        argument = dict(pairs(item))
        if 'token' in argument:
            yield argument['token'].text
        if 'arguments' in argument:
            yield from tokens(argument['arguments'])


def compare_keys(
    which: str, calls: list[list[bytes]], reference: ReferenceServer, selredis_server: SelredisServer
) -> None:
    """AssertionError for the first call in which the servers find other keys."""

    def keys(server: ReferenceServer | SelredisServer) -> list[str]:
        with WireClient(server.address, 3) as client:
            client.send(b''.join(encode_command('COMMAND', which, *call) for call in calls))
            return [render(client.read()) for _ in calls]

    for call, ours, theirs in zip(calls, keys(selredis_server), keys(reference), strict=True):
        assert (call, ours) == (call, theirs)
