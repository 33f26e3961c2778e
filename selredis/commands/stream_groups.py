"""Consumer groups: XGROUP, and what is done with entries that were given out and are not acknowledged."""

from collections.abc import Sequence
from typing import NamedTuple

from selredis.commands.stream_ids import (
    entries_reply,
    read_any_id,
    read_id,
    read_interval_end,
    read_interval_start,
)
from selredis.commands.streams_reading import consumer_named, propagate_delivery, propagate_last_id
from selredis.engine.client import Client
from selredis.engine.command import Argv, command, key
from selredis.engine.help import help_on_subcommands, wrong_subcommand
from selredis.engine.syntax import about
from selredis.errors import SYNTAX, ReplyError, c_string
from selredis.keyspace.database import Database
from selredis.keyspace.freeing import LARGE
from selredis.numeric import INT64_MAX, integer
from selredis.resp.encoder import encode_bulk
from selredis.resp.pieces import Output
from selredis.resp.reply import NULL_ARRAY, OK, Reply
from selredis.values.stream import Stream
from selredis.values.stream_block import id_text
from selredis.values.stream_groups import Group

KEY_NEEDED = (
    b'ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option'
    b' to create an empty stream automatically.'
)
IDS_A_LOOK = 10  # for each entry that XAUTOCLAIM may return it looks at so many (t_stream.c)
MOST_CLAIMED = INT64_MAX // 16
ID_ARGUMENTS = {'id-$': about('id-selector'), '$': about('new-id')}


def find_group(db: Database, name: bytes, group: bytes) -> tuple[Stream, Group]:
    """A stream that only is read, and a group of it. Raises ReplyError if either is not there."""
    return group_of(db.read(name, Stream), name, group)


def group_of(stream: Stream | None, name: bytes, group: bytes) -> tuple[Stream, Group]:
    """A stream, and a group of it. Raises ReplyError if either is not there."""
    if stream is None or group not in stream.groups:
        raise ReplyError(b"NOGROUP No such key '%b' or consumer group '%b'" % (c_string(name), c_string(group)))
    return stream, stream.groups[group]


def no_such_group(name: bytes, group: bytes) -> ReplyError:
    return ReplyError(b"NOGROUP No such consumer group '%b' for key name '%b'" % (c_string(group), c_string(name)))


def stream_at(db: Database, name: bytes) -> Stream:
    """A stream whose groups are to change. Raises ReplyError if it is not there."""
    stream: Stream | None = db.get(name, Stream)
    if stream is None:
        raise ReplyError(KEY_NEEDED)
    return stream


def group_at(db: Database, name: bytes, group: bytes) -> tuple[Stream, Group]:
    stream = stream_at(db, name)
    if group not in stream.groups:
        raise no_such_group(name, group)
    return stream, stream.groups[group]


@command('XGROUP', arity=-2, since='5.0.0', group='stream')
def xgroup(client: Client, argv: Argv) -> Reply:
    """XGROUP

    Groups the commands about consumer groups.
    """
    raise NotImplementedError


@command(
    'XGROUP|CREATE',
    arity=-5,
    flags='write denyoom',
    keys=(key('RW insert', 2),),
    since='5.0.0',
    group='stream',
    history=(('7.0.0', 'ENTRIESREAD is new.'),),
    types={'entries-read': 'integer'},
    arguments=ID_ARGUMENTS,
)
def xgroup_create(client: Client, argv: Argv) -> Reply:
    """XGROUP CREATE key group <id | $> [MKSTREAM] [ENTRIESREAD entries-read]

    Creates a consumer group that is given the entries behind an id, and with MKSTREAM the stream if there is none.

    O(1)
    """
    _, _, name, group, id_word, *options = argv
    must_exist = True
    entries_read: int | None = None
    words = iter(options)
    for option in words:
        if option.upper() == b'MKSTREAM':
            must_exist = False
        elif option.upper() == b'ENTRIESREAD' and (text := next(words, None)) is not None:
            entries_read = read_entries_read(text)
        else:
            raise wrong_subcommand(argv)
    db = client.db
    stream: Stream | None = stream_at(db, name) if must_exist else db.get(name, Stream)
    if len(argv) > 8:
        raise wrong_subcommand(argv)
    if id_word == b'$':
        last_id = 0 if stream is None else stream.last_id
    else:
        last_id = read_id(id_word)
    if stream is None:
        stream = Stream()
        db.put(name, stream)
        db.touch(name)
    elif group in stream.groups:
        raise ReplyError(b'BUSYGROUP Consumer Group name already exists')
    stream.add_group(group, last_id, entries_read)
    db.changed_aside(name, b'xgroup-create')
    client.propagate_as([*argv[:4], id_text(last_id), *options])
    return OK


def read_entries_read(text: bytes) -> int | None:
    """How many entries a group has been given; None for -1, which says that nobody knows. Raises ReplyError."""
    number = integer(text)
    if number < -1:
        raise ReplyError(b'ERR value for ENTRIESREAD must be positive or -1')
    return None if number == -1 else number


@command(
    'XGROUP|SETID',
    arity=-5,
    flags='write',
    keys=(key('RW update', 2),),
    since='5.0.0',
    group='stream',
    history=(('7.0.0', 'ENTRIESREAD is new.'),),
    types={'entries-read': 'integer'},
    arguments=ID_ARGUMENTS | {'ENTRIESREAD': about('entriesread')},
)
def xgroup_setid(client: Client, argv: Argv) -> Reply:
    """XGROUP SETID key group <id | $> [ENTRIESREAD entries-read]

    Has a consumer group go on behind another id.

    O(1)
    """
    _, _, name, group, id_word, *options = argv
    entries_read: int | None = None
    for at in range(0, len(options), 2):
        if options[at].upper() != b'ENTRIESREAD' or at + 1 == len(options):
            raise wrong_subcommand(argv)
        entries_read = read_entries_read(options[at + 1])
    stream, found = group_at(client.db, name, group)
    if len(argv) > 7:
        raise wrong_subcommand(argv)
    found.last_id = stream.last_id if id_word == b'$' else read_any_id(id_word)
    found.entries_read = entries_read
    client.db.changed_aside(name, b'xgroup-setid')
    propagate_last_id(client, name, group, found)
    return OK


@command('XGROUP|DESTROY', arity=4, flags='write', keys=(key('RW delete', 2),), since='5.0.0', group='stream')
def xgroup_destroy(client: Client, argv: Argv) -> Reply:
    """XGROUP DESTROY key group

    Removes a consumer group with all that is pending in it; returns how many were removed.

    O(N) in the entries pending
    """
    _, _, name, group = argv
    removed = stream_at(client.db, name).remove_group(group)
    if removed is None:
        return 0
    if len(removed.pending) > LARGE:
        discarded = client.engine.keyspace.discarded
        discarded.add(removed.pending, *(consumer.pending for consumer in removed.consumers.values()))
    client.db.changed_aside(name, b'xgroup-destroy')
    client.db.wake(name)  # who waits as one of the group is told that it is gone
    return 1


@command(
    'XGROUP|CREATECONSUMER',
    arity=5,
    flags='write denyoom',
    keys=(key('RW insert', 2),),
    since='6.2.0',
    group='stream',
)
def xgroup_createconsumer(client: Client, argv: Argv) -> Reply:
    """XGROUP CREATECONSUMER key group consumer

    Adds a consumer to a group; returns how many were added.

    O(1)
    """
    _, _, name, group, consumer = argv
    _, found = group_at(client.db, name, group)
    if consumer in found.consumers:
        return 0
    consumer_named(client, name, group, found, consumer)
    return 1


@command('XGROUP|DELCONSUMER', arity=5, flags='write', keys=(key('RW delete', 2),), since='5.0.0', group='stream')
def xgroup_delconsumer(client: Client, argv: Argv) -> Reply:
    """XGROUP DELCONSUMER key group consumer

    Removes a consumer from a group; returns how many entries were pending with it, which are so no longer.

    O(1)
    """
    _, _, name, group, consumer = argv
    _, found = group_at(client.db, name, group)
    if consumer not in found.consumers:
        return 0
    pending = found.remove_consumer(consumer)
    client.db.changed_aside(name, b'xgroup-delconsumer')
    return pending


@command('XGROUP|HELP', arity=2, flags='loading stale', since='5.0.0', group='stream')
def xgroup_help(client: Client, argv: Argv) -> Reply:
    """XGROUP HELP

    Returns this text.

    O(1)
    """
    return help_on_subcommands(b'xgroup')


@command('XACK', arity=-4, flags='write fast', keys=(key('RW update', 1),), since='5.0.0', group='stream')
def xack(client: Client, argv: Argv) -> Reply:
    """XACK key group id [id ...]

    Says that entries have been dealt with, so that they are pending no longer; returns how many of them were.

    O(1) for each id
    """
    stream: Stream | None = client.db.read(argv[1], Stream)
    group = None if stream is None else stream.groups.get(argv[2])
    if group is None:
        return 0
    ids = [read_id(word) for word in argv[3:]]
    count = sum([group.acknowledge(id_) for id_ in ids])
    if count:
        client.db.changed_aside(argv[1], None, count)
    return count


@command(
    'XPENDING',
    arity=-3,
    flags='readonly',
    keys=(key('RO access', 1),),
    since='5.0.0',
    group='stream',
    tips=('nondeterministic_output',),
    history=(('6.2.0', 'IDLE is new, and an end may be left out of the range.'),),
    types={'start': 'string', 'end': 'string', 'min-idle-time': 'integer'},
    arguments={'min-idle-time-etc': about('filters'), 'IDLE': about(since='6.2.0')},
)
def xpending(client: Client, argv: Argv) -> Reply:
    """XPENDING key group [[IDLE min-idle-time] start end count [consumer]]

    Tells how many entries are pending in a group and with which consumers; or, from one id to another, which: with
    whom, for how many milliseconds, and how often they were given.

    O(N) in the entries returned; O(1), and O(M) in the consumers, without a range
    """
    if len(argv) != 3 and not 6 <= len(argv) <= 9:
        raise ReplyError(SYNTAX)
    if len(argv) == 3:
        _, group = find_group(client.db, argv[1], argv[2])
        return summary(group)
    least_idle_ms = 0
    at = 3
    if argv[3].upper() == b'IDLE':
        least_idle_ms = integer(argv[4])
        at = 5
        if len(argv) < 8:
            raise ReplyError(SYNTAX)
    count = integer(argv[at + 2])
    first, last = read_interval_start(argv[at]), read_interval_end(argv[at + 1])
    _, group = find_group(client.db, argv[1], argv[2])
    pending = group.pending
    if at + 3 < len(argv):
        consumer = group.consumers.get(argv[at + 3])
        if consumer is None:
            return []
        pending = consumer.pending
    rows: list[object] = []
    now_ms = client.engine.now_ms
    for id_, delivery in pending.items(first):
        if len(rows) >= count or id_ > last:
            break
        idle_ms = now_ms - delivery.time_ms
        if not least_idle_ms or idle_ms >= least_idle_ms:
            rows.append([id_text(id_), delivery.consumer, max(idle_ms, 0), delivery.count])
    return rows


def summary(group: Group) -> Reply:
    """How much is pending, its first and last id, and how much with which consumers."""
    pending = group.pending
    if not len(pending):
        return [0, None, None, NULL_ARRAY]
    shares = [
        [name, b'%d' % len(consumer.pending)]
        for name, consumer in sorted(group.consumers.items())
        if len(consumer.pending)
    ]
    return [len(pending), id_text(pending.first), id_text(pending.last), shares]


class ClaimOptions(NamedTuple):
    """The options of XCLAIM.

    `time_ms`: when the entries were delivered (Unix time). `deliveries`: how often, -1 if that isn't given.
    """

    time_ms: int
    deliveries: int
    last_id: int
    force: bool
    just_ids: bool


def claim_options(words: Sequence[bytes], now_ms: int) -> ClaimOptions:
    """Read the options of XCLAIM. Raises ReplyError."""
    time_ms, deliveries, last_id = now_ms, -1, 0
    force = just_ids = False
    options = iter(words)
    left = len(words)
    for word in options:
        left -= 1
        option = word.upper()
        if option == b'FORCE':
            force = True
        elif option == b'JUSTID':
            just_ids = True
        elif option in (b'IDLE', b'TIME', b'RETRYCOUNT') and left:
            left -= 1
            number = integer(next(options), b'ERR Invalid %b option argument for XCLAIM' % option)
            if option == b'RETRYCOUNT':
                deliveries = number
            else:
                time_ms = number if option == b'TIME' else now_ms - number
        elif option == b'LASTID' and left:
            left -= 1
            last_id = read_id(next(options))
        else:
            raise ReplyError(b"ERR Unrecognized XCLAIM option '%b'" % c_string(word))
    return ClaimOptions(time_ms, deliveries, last_id, force, just_ids)


@command(
    'XCLAIM',
    arity=-6,
    flags='write fast',
    keys=(key('RW update', 1),),
    since='5.0.0',
    group='stream',
    tips=('nondeterministic_output',),
    types={'ms': 'integer'},
    arguments={'id': about('ID')},
)
def xclaim(client: Client, argv: Argv) -> Reply:
    """XCLAIM key group consumer min-idle-time id [id ...] [IDLE ms] [TIME unix-time-milliseconds]
    [RETRYCOUNT count] [FORCE] [JUSTID] [LASTID lastid]

    Gives a consumer entries that are pending with others, and have been for so many milliseconds; returns them.

    O(log(N)) in the entries pending, for each id
    """
    _, name, group_name, consumer_name, least_idle, *words = argv
    stream, group = find_group(client.db, name, group_name)
    least_idle_ms = integer(least_idle, b'ERR Invalid min-idle-time argument for XCLAIM')
    ids: list[int] = []
    for word in words:
        try:
            ids.append(read_id(word))
        except ReplyError:
            break  # the options begin
    now_ms = client.engine.now_ms
    options = claim_options(words[len(ids) :], now_ms)
    time_ms = options.time_ms
    # By the machine's clock: while commands are replayed, `now_ms` stands still so that nothing expires.
    if not 0 <= time_ms <= client.engine.clock.now_ms():
        time_ms = now_ms
    changes = int(options.last_id > group.last_id)
    group.last_id = max(group.last_id, options.last_id)
    client.propagate_as()  # but what follows
    if changes:
        propagate_last_id(client, name, group_name, group)
    consumer = consumer_named(client, name, group_name, group, consumer_name)
    consumer.seen_ms = now_ms
    rows: list[Output] = []
    claimed = 0
    for id_ in ids:
        delivery = group.pending.get(id_)
        row = stream.encoded_entry(id_)
        if row is None:  # a deleted entry can't be pending
            if group.acknowledge(id_):
                claimed += 1
                client.propagate_as([b'XACK', name, group_name, id_text(id_)])
            continue
        if delivery is None and not options.force:
            continue
        if delivery is not None and least_idle_ms > 0 and now_ms - delivery.time_ms < least_idle_ms:
            continue
        count = 1 if delivery is None else delivery.count
        if options.deliveries >= 0:
            count = options.deliveries
        elif not options.just_ids:
            count += 1
        given = group.give(id_, consumer_name, time_ms, count)
        propagate_delivery(client, name, group_name, [id_], given)
        consumer.active_ms = now_ms
        claimed += 1
        rows.append(encode_bulk(id_text(id_)) if options.just_ids else row)
    client.db.changed_aside(name, None, claimed or changes)
    return entries_reply(rows)


@command(
    'XAUTOCLAIM',
    arity=-6,
    flags='write fast',
    keys=(key('RW delete', 1),),
    since='6.2.0',
    group='stream',
    tips=('nondeterministic_output',),
    history=(('7.0.0', 'The ids of entries that are there no longer are returned, too.'),),
    types={'start': 'string'},
)
def xautoclaim(client: Client, argv: Argv) -> Reply:
    """XAUTOCLAIM key group consumer min-idle-time start [COUNT count] [JUSTID]

    Gives a consumer the next entries that have been pending with others for so many milliseconds. Returns the id to
    begin with next time, the entries, and the ids of those that are there no longer.

    O(1) if the count is small
    """
    _, name, group_name, consumer_name, least_idle, start, *words = argv
    db = client.db
    db.read_any(name)  # it counts, and is told of, before anything else is looked at
    least_idle_ms = integer(least_idle, b'ERR Invalid min-idle-time argument for XAUTOCLAIM')
    first = read_interval_start(start)
    count = 100
    just_ids = False
    options = iter(words)
    left = len(words)
    for word in options:
        left -= 1
        option = word.upper()
        if option == b'COUNT' and left:
            left -= 1
            count = integer(next(options), b'ERR COUNT must be > 0')
            if not 1 <= count <= MOST_CLAIMED:
                raise ReplyError(b'ERR COUNT must be > 0')
        elif option == b'JUSTID':
            just_ids = True
        else:
            raise ReplyError(SYNTAX)
    stream, group = group_of(db.get(name, Stream), name, group_name)
    now_ms = client.engine.now_ms
    client.propagate_as()  # but what follows
    consumer = consumer_named(client, name, group_name, group, consumer_name)
    consumer.seen_ms = now_ms
    rows: list[Output] = []
    gone: list[int] = []
    looks = count * IDS_A_LOOK
    next_id = 0
    for id_, delivery in group.pending.items(first):
        if not looks or len(rows) + len(gone) == count:
            next_id = id_
            break
        looks -= 1
        row = stream.encoded_entry(id_)
        if row is None:
            gone.append(id_)
        elif least_idle_ms <= 0 or now_ms - delivery.time_ms >= least_idle_ms:
            given = group.give(id_, consumer_name, now_ms, delivery.count if just_ids else delivery.count + 1)
            propagate_delivery(client, name, group_name, [id_], given)
            consumer.active_ms = now_ms
            rows.append(encode_bulk(id_text(id_)) if just_ids else row)
    for id_ in gone:
        group.acknowledge(id_)
    if gone:
        client.propagate_as([b'XACK', name, group_name, *map(id_text, gone)])
    db.changed_aside(name, None, len(rows) + len(gone))
    return [id_text(next_id), entries_reply(rows), [id_text(id_) for id_ in gone]]
