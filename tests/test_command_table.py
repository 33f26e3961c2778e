"""The table of commands as clients see it, beside redis-server 7.0.15's: every command that both have."""

from collections.abc import Iterator
from typing import Literal

import pytest

from tests.harness.servers import ReferenceServer, SelredisServer
from tests.harness.wire import Reply, WireClient, render, split_words, without_order

# What 7.2 says otherwise than 7.0.15: by command, what COMMAND INFO or COMMAND DOCS has in that field since then.
BLOCKING = ['blocking', 'write']
BLOCKING_GROWING = ['blocking', 'denyoom', 'write']
ALL_NODES = ['request_policy:all_nodes', 'response_policy:all_succeeded']
SINCE_7_2: dict[str, dict[str, list[str] | str | int]] = {
    'blmove': {'flags': BLOCKING_GROWING},  # scripts may run it
    'blpop': {'flags': BLOCKING},
    'brpop': {'flags': BLOCKING},
    'brpoplpush': {'flags': BLOCKING_GROWING},
    'client|kill': {'arguments': 'SKIPME takes yes or no'},
    'client|list': {'arguments': 'ID is no block'},
    'client|pause': {'since': '3.0.0'},
    'client|setname': {'tips': ALL_NODES},
    'command|getkeys': {'arity': -3, 'arguments': 'are told'},
    'command|getkeysandflags': {'arity': -3, 'arguments': 'are told'},
    'config|get': {'arguments': 'is no block'},
    'config|resetstat': {'tips': ALL_NODES},
    'config|rewrite': {'tips': ALL_NODES},
    'config|set': {'tips': ALL_NODES},
    'lcs': {'arguments': 'MINMATCHLEN has a name of its own'},
    'msetnx': {'tips': []},  # it has no policy: one shard takes all or nothing
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


def arguments(reply: Reply) -> list[object]:
    """The tree of arguments, without the names that Redis makes up for groups, and without versions."""
    tree: list[object] = []
    for item in reply.items:
        argument = dict(pairs(item))
        kind = argument['type'].text.decode()
        shown = argument.get('display_text', argument['name']).text.decode()
        told = {name: render(argument[name]) for name in ('token', 'key_spec_index', 'flags') if name in argument}
        parts = arguments(argument['arguments']) if 'arguments' in argument else []
        tree.append((kind, '' if kind in ('oneof', 'block') else shown, told, parts))
    return tree


def comparable(field: str, value: Reply) -> object:
    match field:
        case 'key specs':
            return without_notes(value)
        case 'arguments':
            return arguments(value)
        case _:
            return value.kind, plain(value)


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
                continue
            if field in newer:
                if field != 'arguments' and (our is None or content(our) != newer[field]):
                    wrong.append(f'{name}: {field} is not as in 7.2: {our and content(our)}')
            elif our is None or their is None:
                wrong.append(f'{name}: only {"the reference" if our is None else "selredis"} has {field}')
            elif comparable(field, our) != comparable(field, their):
                wrong.append(f'{name}: {field}\n{render(our)}\nbut the reference says\n{render(their)}')
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


def test_command_list(reference: ReferenceServer, selredis_server: SelredisServer):
    def names(server: ReferenceServer | SelredisServer) -> set[str]:
        return {item.text.decode() for item in ask(server, 2, 'COMMAND', 'LIST').items}

    ours = all_infos(ask(selredis_server, 2, 'COMMAND'))
    assert names(selredis_server) == ours.keys()
    assert names(reference) == all_infos(ask(reference, 2, 'COMMAND')).keys()


def test_versions_of_changes_are_those_of_redis(reference: ReferenceServer, selredis_server: SelredisServer):
    ours = all_docs(ask(selredis_server, 3, 'COMMAND', 'DOCS'))
    theirs = all_docs(ask(reference, 3, 'COMMAND', 'DOCS'))

    def versions(docs: dict[str, Reply]) -> set[bytes]:
        return {change.items[0].text for change in docs['history'].items} if 'history' in docs else set()

    for name in ours.keys() & theirs.keys():
        assert versions(ours[name]) >= versions(theirs[name]), name


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


@pytest.mark.parametrize('call', CALLS)
@pytest.mark.parametrize('which', ['GETKEYS', 'GETKEYSANDFLAGS'])
def test_keys_of_a_call(which: str, call: str, reference: ReferenceServer, selredis_server: SelredisServer):
    words = [word.decode() for word in split_words(call)]
    ours, theirs = (ask(server, 3, 'COMMAND', which, *words) for server in (selredis_server, reference))
    assert render(ours) == render(theirs)
