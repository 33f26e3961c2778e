"""XINFO: what is known of a stream, its consumer groups and their consumers."""

from itertools import islice, pairwise

from selredis.commands.stream_groups import no_such_group
from selredis.commands.stream_ids import entries_reply
from selredis.engine.client import Client
from selredis.engine.command import Argv, command, key
from selredis.engine.help import help_on_subcommands, wrong_subcommand
from selredis.engine.syntax import about
from selredis.errors import NO_SUCH_KEY, ReplyError
from selredis.keyspace.database import Database
from selredis.numeric import integer
from selredis.resp.reply import EncodedParts, Map, Reply
from selredis.values.stream import Stream
from selredis.values.stream_block import LAST_ID, id_text
from selredis.values.stream_groups import Consumer, Group

ENTRIES_SHOWN = 10
KEY_BYTES = 16  # of an id as a key of the radix tree


def stream_named(db: Database, name: bytes) -> Stream:
    stream: Stream | None = db.read(name, Stream)
    if stream is None:
        raise ReplyError(NO_SUCH_KEY)
    return stream


@command('XINFO', arity=-2, since='5.0.0', group='stream')
def xinfo(client: Client, argv: Argv) -> Reply:
    """XINFO

    Groups the commands about what is known of streams.
    """
    raise NotImplementedError


@command(
    'XINFO|CONSUMERS',
    arity=4,
    flags='readonly',
    keys=(key('RO access', 2),),
    since='5.0.0',
    group='stream',
    tips=('nondeterministic_output',),
    history=(('7.2.0', 'Tells `inactive`, too.'),),
)
def xinfo_consumers(client: Client, argv: Argv) -> Reply:
    """XINFO CONSUMERS key group

    Tells of each consumer of a group how much is pending with it, and for how long it has not been heard of.

    O(1)
    """
    group = stream_named(client.db, argv[2]).groups.get(argv[3])
    if group is None:
        raise no_such_group(argv[2], argv[3])
    now_ms = client.engine.now_ms
    return [
        Map(
            {
                b'name': name,
                b'pending': len(consumer.pending),
                b'idle': max(now_ms - consumer.seen_ms, 0),
                b'inactive': -1 if consumer.active_ms == -1 else max(now_ms - consumer.active_ms, 0),
            }
        )
        for name, consumer in sorted(group.consumers.items())
    ]


@command(
    'XINFO|GROUPS',
    arity=3,
    flags='readonly',
    keys=(key('RO access', 2),),
    since='5.0.0',
    group='stream',
    history=(('7.0.0', 'Tells `entries-read` and `lag`, too.'),),
)
def xinfo_groups(client: Client, argv: Argv) -> Reply:
    """XINFO GROUPS key

    Tells of each consumer group of a stream what it has been given, and how much of that is pending.

    O(1)
    """
    stream = stream_named(client.db, argv[2])
    return [
        Map(
            {
                b'name': name,
                b'consumers': len(group.consumers),
                b'pending': len(group.pending),
                b'last-delivered-id': id_text(group.last_id),
                b'entries-read': group.entries_read,
                b'lag': stream.lag_of(group),
            }
        )
        for name, group in sorted(stream.groups.items())
    ]


@command(
    'XINFO|STREAM',
    arity=-3,
    flags='readonly',
    keys=(key('RO access', 2),),
    since='5.0.0',
    group='stream',
    history=(
        ('6.0.0', 'FULL is new.'),
        ('7.0.0', 'Tells `max-deleted-entry-id`, `entries-added`, `recorded-first-entry-id`, `entries-read`, `lag`.'),
        ('7.2.0', 'Tells `active-time`, and `seen-time` is when a consumer last tried to read.'),
    ),
    arguments={'full-count': about('full-block')},
)
def xinfo_stream(client: Client, argv: Argv) -> Reply:
    """XINFO STREAM key [FULL [COUNT count]]

    Tells of a stream how long it is, its first and last entry and what it remembers; with FULL all that is in it, or
    so much of each kind.

    O(N) in the blocks of a hundred entries, and in all that is returned
    """
    stream = stream_named(client.db, argv[2])
    options = argv[3:]
    about_stream: dict[object, object] = {
        b'length': stream.length,
        b'radix-tree-keys': len(stream.heads),
        b'radix-tree-nodes': radix_tree_nodes(stream.heads),
        b'last-generated-id': id_text(stream.last_id),
        b'max-deleted-entry-id': id_text(stream.max_deleted_id),
        b'entries-added': stream.entries_added,
        b'recorded-first-entry-id': id_text(stream.first_id),
    }
    if not options:
        first, last = stream.encoded_entry(stream.first_id), stream.encoded_entry(stream.top_id)
        return Map(
            {
                **about_stream,
                b'groups': len(stream.groups),
                b'first-entry': None if first is None else EncodedParts((first,)),
                b'last-entry': None if last is None else EncodedParts((last,)),
            }
        )
    if len(options) not in (1, 3) or options[0].upper() != b'FULL':
        raise wrong_subcommand(argv)
    count = ENTRIES_SHOWN
    if len(options) == 3:
        if options[1].upper() != b'COUNT':
            raise wrong_subcommand(argv)
        count = integer(options[2])
        if count < 0:
            count = ENTRIES_SHOWN
    return Map(
        {
            **about_stream,
            b'entries': entries_reply(stream.encoded(0, LAST_ID, count)),
            b'groups': [
                Map({b'name': name, **whole_group(stream, group, count)})
                for name, group in sorted(stream.groups.items())
            ],
        }
    )


def whole_group(stream: Stream, group: Group, count: int) -> dict[object, object]:
    """A group with what is pending in it; 0: all of that."""
    most = count or len(group.pending)
    return {
        b'last-delivered-id': id_text(group.last_id),
        b'entries-read': group.entries_read,
        b'lag': stream.lag_of(group),
        b'pel-count': len(group.pending),
        b'pending': [
            [id_text(id_), delivery.consumer, delivery.time_ms, delivery.count]
            for id_, delivery in islice(group.pending.items(), most)
        ],
        b'consumers': [
            Map({b'name': name, **whole_consumer(consumer, most)}) for name, consumer in sorted(group.consumers.items())
        ],
    }


def whole_consumer(consumer: Consumer, most: int) -> dict[object, object]:
    return {
        b'seen-time': consumer.seen_ms,
        b'active-time': consumer.active_ms,
        b'pel-count': len(consumer.pending),
        b'pending': [
            [id_text(id_), delivery.time_ms, delivery.count] for id_, delivery in islice(consumer.pending.items(), most)
        ],
    }


def radix_tree_nodes(heads: list[int]) -> int:
    """How many nodes Redis's radix tree has with these ids as its keys: what several have in common is there once.

    A node is a leaf, a fork, or a run of bytes between those (rax.c).
    """
    if not heads:
        return 1
    nodes = len(heads)
    forks: list[int] = []  # the depths of those that lead to the last key, the deepest last
    for one, other in pairwise(heads):
        depth = KEY_BYTES - ((one ^ other).bit_length() + 7) // 8
        below = KEY_BYTES
        while forks and forks[-1] > depth:
            fork = forks.pop()
            nodes += 1 + (below > fork + 1)
            below = fork
        nodes += below > depth + 1
        if not forks or forks[-1] < depth:
            forks.append(depth)
    below = KEY_BYTES
    while forks:
        fork = forks.pop()
        nodes += 1 + (below > fork + 1)
        below = fork
    return nodes + (below > 0)


@command('XINFO|HELP', arity=2, flags='loading stale', since='5.0.0', group='stream')
def xinfo_help(client: Client, argv: Argv) -> Reply:
    """XINFO HELP

    Returns this text.

    O(1)
    """
    return help_on_subcommands(b'xinfo')
