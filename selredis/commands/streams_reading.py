"""XREAD and XREADGROUP: entries as they come, for each reader all of them or for each only its share.

A reader that finds nothing is parked under its keys and run again when one of them has changed, so it is written as if
something were there. `$` would then mean another entry than when it was said: what runs again has the id instead.
"""

from typing import NamedTuple

from selredis.commands.stream_ids import entries_reply, read_id
from selredis.engine.client import Client
from selredis.engine.command import Argv, command, keyword
from selredis.engine.options import read_wait_in_ms
from selredis.engine.syntax import about
from selredis.errors import SYNTAX, ReplyError, c_string
from selredis.keyspace.database import Database
from selredis.numeric import integer
from selredis.resp.pieces import Output
from selredis.resp.reply import NULL_ARRAY, EncodedParts, PairMap, Reply
from selredis.values.stream import Stream
from selredis.values.stream_block import LAST_ID, id_text
from selredis.values.stream_groups import Consumer, Delivery, Group

ONLY_XREADGROUP = b'ERR The %b option is only supported by XREADGROUP. You called XREAD instead.'
NO_LAST_ID = (
    b'ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by'
    b' specifying a proper ID, or use the > ID to get new messages. The $ ID would just return an empty result set.'
)
NO_NEW = b'ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.'


class Options(NamedTuple):
    """What comes before the keys. `most` 0: all there are; `wait_ms` None: no waiting, 0: for ever."""

    most: int
    wait_ms: int | None
    reader: tuple[bytes, bytes] | None  # group and consumer
    noack: bool
    keys_at: int


@command(
    'XREAD',
    arity=-4,
    flags='readonly blocking',
    keys=(keyword('RO access', 'STREAMS', 1, -1, limit=2),),
    since='5.0.0',
    group='stream',
    arguments={'STREAMS': about('streams'), 'id': about('ID')},
)
def xread(client: Client, argv: Argv) -> Reply:
    """XREAD [COUNT count] [BLOCK milliseconds] STREAMS key [key ...] id [id ...]

    Returns the entries behind an id in each of some streams, and waits for one if there is none anywhere. The id `$` is
    the last one that there is now, `+` the one before it, so that the last entry is returned.

    O(N) in the entries returned
    """
    options = read_options(client, argv)
    keys, words = keys_and_ids(argv, options)
    db = client.db
    ids = [read_last_seen(db.read(key, Stream), word) for key, word in zip(keys, words, strict=True)]
    found = PairMap()
    for key, id_ in zip(keys, ids, strict=True):
        stream: Stream | None = db.read(key, Stream)
        if stream is not None and stream.top_id > id_:
            found.append((key, entries_reply(stream.encoded(id_ + 1, LAST_ID, options.most))))
    if found or options.wait_ms is None:
        return found or NULL_ARRAY
    fixed = [id_text(id_) if word == b'$' else word for word, id_ in zip(words, ids, strict=True)]
    again = [*argv[: options.keys_at], *keys, *fixed]
    return client.block_on(keys, Stream, options.wait_ms, on_timeout=NULL_ARRAY, again=again)


def read_last_seen(stream: Stream | None, word: bytes) -> int:
    """The id behind which XREAD begins. Raises ReplyError."""
    last_id = 0 if stream is None else stream.last_id
    if word == b'$':
        return last_id
    if word == b'+':
        return max(last_id - 1, 0)
    if word == b'>':
        raise ReplyError(NO_NEW)
    return read_id(word)


@command(
    'XREADGROUP',
    arity=-7,
    flags='write blocking',
    keys=(keyword('RO access', 'STREAMS', 4, -1, limit=2),),
    since='5.0.0',
    group='stream',
    arguments={'GROUP': about('group-block'), 'STREAMS': about('streams'), 'id': about('ID')},
)
def xreadgroup(client: Client, argv: Argv) -> Reply:
    """XREADGROUP GROUP group consumer [COUNT count] [BLOCK milliseconds] [NOACK] STREAMS key [key ...] id [id ...]

    Gives a consumer the next entries that its group has not been given yet, id `>`, from each of some streams, and
    waits for one if there is none; or, behind any other id, those that the consumer was given and has not acknowledged.

    O(N) in the entries returned
    """
    options = read_options(client, argv)
    if options.reader is None:
        raise ReplyError(b'ERR Missing GROUP option for XREADGROUP')
    keys, words = keys_and_ids(argv, options)
    db = client.db
    ids = [check_group(db, key, options.reader[0], word) for key, word in zip(keys, words, strict=True)]
    client.propagate_as()  # but what follows: the deliveries
    found = PairMap()
    for key, id_ in zip(keys, ids, strict=True):
        stream: Stream = db.read(key, Stream)
        group = stream.groups[options.reader[0]]
        consumer = consumer_named(client, key, options.reader[0], group, options.reader[1])
        consumer.seen_ms = client.engine.now_ms
        if id_ != LAST_ID:
            found.append((key, history(client, key, stream, consumer, id_, options)))
        elif stream.top_id > group.last_id:
            found.append((key, give_next(client, key, stream, group, consumer, options)))
        else:
            continue
        db.changed_aside(key, None)
    if found or options.wait_ms is None:
        return found or NULL_ARRAY
    return client.block_on(keys, Stream, options.wait_ms, on_timeout=NULL_ARRAY, or_gone=True)


def check_group(db: Database, key: bytes, name: bytes, word: bytes) -> int:
    """The id behind which XREADGROUP begins, LAST_ID for what is new; the stream and its group must be there."""
    stream: Stream | None = db.read(key, Stream)
    if stream is None or name not in stream.groups:
        raise ReplyError(
            b"NOGROUP No such key '%b' or consumer group '%b' in XREADGROUP with GROUP option"
            % (c_string(key), c_string(name))
        )
    if word == b'$':
        raise ReplyError(NO_LAST_ID)
    return LAST_ID if word == b'>' else read_id(word)


def consumer_named(client: Client, key: bytes, group_name: bytes, group: Group, name: bytes) -> Consumer:
    """Return a consumer of a group, created if the group has none of that name."""
    consumer = group.consumers.get(name)
    if consumer is None:
        consumer = group.add_consumer(name, client.engine.now_ms)
        client.db.changed_aside(key, b'xgroup-createconsumer')
        client.propagate_as([b'XGROUP', b'CREATECONSUMER', key, group_name, name])
    return consumer


def history(client: Client, key: bytes, stream: Stream, consumer: Consumer, id_: int, options: Options) -> Reply:
    """Return a consumer's pending entries after an id, deleted ones without content."""
    assert options.reader is not None
    now_ms = consumer.seen_ms
    rows: list[object] = []
    for pending_id, delivery in consumer.pending.items(id_ + 1):
        row = stream.encoded_entry(pending_id)
        if row is None:
            rows.append([id_text(pending_id), NULL_ARRAY])
        else:
            rows.append(EncodedParts((row,)))
            delivery.time_ms = now_ms
            delivery.count += 1
            propagate_delivery(client, key, options.reader[0], [pending_id], delivery)
        if len(rows) == options.most:
            break
    return rows


def give_next(
    client: Client, key: bytes, stream: Stream, group: Group, consumer: Consumer, options: Options
) -> EncodedParts:
    """Deliver the next entries to a consumer."""
    assert options.reader is not None
    (group_name, name), now_ms = options.reader, consumer.seen_ms
    rows: list[Output] = []
    for block, first, stop in stream.spans(group.last_id + 1, LAST_ID, options.most):
        rows += block.encoded(first, stop)
        ids = block.ids(first, stop)
        stream.count_read(group, ids)
        if not options.noack:
            group.give_new(ids, name, now_ms)
            propagate_delivery(client, key, group_name, ids, Delivery(name, now_ms, 1))
    if not options.noack:
        consumer.active_ms = now_ms
    propagate_last_id(client, key, group_name, group)
    return entries_reply(rows)


def propagate_delivery(client: Client, key: bytes, group_name: bytes, ids: list[int], delivery: Delivery) -> None:
    """Propagate that entries are pending with a consumer, whatever they were before."""
    if client.propagates:
        client.propagate_as(
            [
                *(b'XCLAIM', key, group_name, delivery.consumer, b'0', *map(id_text, ids)),
                *(b'TIME', b'%d' % delivery.time_ms, b'RETRYCOUNT', b'%d' % delivery.count, b'FORCE', b'JUSTID'),
            ]
        )


def propagate_last_id(client: Client, key: bytes, group_name: bytes, group: Group) -> None:
    """Propagate the last id delivered in a group, and how many entries there were up to it."""
    if client.propagates:
        read = -1 if group.entries_read is None else group.entries_read
        last_id = id_text(group.last_id)
        client.propagate_as([b'XGROUP', b'SETID', key, group_name, last_id, b'ENTRIESREAD', b'%d' % read])


# Options


def read_options(client: Client, argv: Argv) -> Options:
    """Raises ReplyError at the first that is wrong."""
    in_group = len(argv[0]) == len(b'XREADGROUP')
    count = 0
    wait_ms: int | None = None
    reader: tuple[bytes, bytes] | None = None
    noack = False
    at = 1
    while at < len(argv):
        option = argv[at].upper()
        left = len(argv) - 1 - at
        at += 1
        if option == b'BLOCK' and left:
            wait_ms = read_wait_in_ms(argv[at], client.engine.now_ms)
            at += 1
        elif option == b'COUNT' and left:
            count = max(integer(argv[at]), 0)
            at += 1
        elif option == b'STREAMS' and left:
            if left % 2:
                raise ReplyError(
                    b"ERR Unbalanced '%b' list of streams: for each stream key an ID or '%b' must be specified."
                    % ((b'xreadgroup', b'>') if in_group else (b'xread', b'$'))
                )
            return Options(count, wait_ms, reader, noack, at)
        elif option == b'GROUP' and left >= 2:
            if not in_group:
                raise ReplyError(ONLY_XREADGROUP % option)
            reader = argv[at], argv[at + 1]
            at += 2
        elif option == b'NOACK':
            if not in_group:
                raise ReplyError(ONLY_XREADGROUP % option)
            noack = True
        else:
            break
    raise ReplyError(SYNTAX)


def keys_and_ids(argv: Argv, options: Options) -> tuple[Argv, Argv]:
    half = (len(argv) - options.keys_at) // 2
    return argv[options.keys_at : options.keys_at + half], argv[options.keys_at + half :]
