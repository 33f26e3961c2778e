"""Streams: adding entries, reading ranges of them, taking them out. Who reads as they come: streams_reading."""

from typing import NamedTuple

from selredis.commands.stream_ids import entries_reply, read_id, read_interval_end, read_interval_start
from selredis.engine.client import Client
from selredis.engine.command import Argv, command, key
from selredis.engine.engine import Engine
from selredis.engine.syntax import about
from selredis.errors import NO_SUCH_KEY, SYNTAX, ReplyError
from selredis.numeric import integer
from selredis.resp.reply import NULL_ARRAY, OK, Reply
from selredis.values.stream import Stream
from selredis.values.stream_block import LAST_ID, SEQ_BITS, SEQ_MASK

MOST_TRIMMED = 1_000_000  # by one call that tells no LIMIT
ID_TOO_SMALL = b'ERR The ID specified in XADD is equal or smaller than the target stream top item'
TRIM_ARGUMENTS = {
    'maxlen-minid-=-~-threshold-count': about('trim'),
    'maxlen-minid': about('strategy'),
    '=-~': about('operator'),
    '=': about('equal'),
    '~': about('approximately'),
    'MINID': about(since='6.2.0'),
    'LIMIT': about(since='6.2.0'),
}
RANGE_TYPES = {'start': 'string', 'end': 'string'}
EXCLUSIVE_RANGES = (('6.2.0', 'An end may be left out of the range.'),)


class Trimming(NamedTuple):
    """What XTRIM and the option of XADD ask for: entries to keep, or the least id to keep.

    `roughly`: only whole blocks are taken out. `limit`: no more than so many entries, 0: any number.
    """

    length: int | None = None
    least_id: int = 0
    roughly: bool = False
    limit: int = 0

    def apply(self, stream: Stream) -> int:
        """Trim; returns how many entries are gone."""
        if self.length is not None:
            return stream.trim_to_length(self.length, whole_blocks=self.roughly, limit=self.limit)
        return stream.trim_below(self.least_id, whole_blocks=self.roughly, limit=self.limit)


class Adding(NamedTuple):
    """The options of XADD and XTRIM, and where those end: at XADD's id.

    `id_`: None if it is to be made; 0 behind its time, and not `whole`, if its second part is.
    """

    at: int
    id_: int | None = None
    whole: bool = True
    trimming: Trimming | None = None
    must_exist: bool = False


NO_OPTIONS = Adding(2)


@command(
    'XADD',
    arity=-5,
    flags='write denyoom fast',
    keys=(key('RW update', 1, note='It is an update because an old entry may go.'),),
    since='5.0.0',
    group='stream',
    tips=('nondeterministic_output',),
    history=(
        ('6.2.0', 'NOMKSTREAM, MINID and LIMIT are new.'),
        ('7.0.0', 'An id may be given as `<ms>-*`.'),
    ),
    arguments=TRIM_ARGUMENTS
    | {
        'NOMKSTREAM': about(since='6.2.0'),
        '*-id': about('id-selector'),
        '*': about('auto-id'),
        'field-value': about('data'),
    },
)
def xadd(client: Client, argv: Argv) -> Reply:
    """XADD key [NOMKSTREAM] [<MAXLEN | MINID> [= | ~] threshold [LIMIT count]] <* | id> field value [field value ...]

    Appends an entry to a stream, creating it first if need be, and returns the entry's id.

    O(1), and O(N) in the entries that are trimmed
    """
    options = NO_OPTIONS if argv[2] == b'*' else read_options(client.engine, argv, adding=True)
    at, id_, whole, trimming, must_exist = options
    count = len(argv) - at
    if count < 3 or count % 2 == 0:
        raise ReplyError(b"ERR wrong number of arguments for 'xadd' command")
    if id_ == 0 and whole:
        raise ReplyError(b'ERR The ID specified in XADD must be greater than 0-0')
    db = client.db
    name = argv[1]
    stream: Stream | None = db.get(name, Stream)
    if stream is None and must_exist:
        return None
    last_id = 0 if stream is None else stream.last_id
    if last_id == LAST_ID:
        raise ReplyError(b'ERR The stream has exhausted the last possible ID, unable to add more items')
    if id_ is None:
        id_ = db.keyspace.now_ms << SEQ_BITS
        if id_ <= last_id:  # many at a time, or somebody has set the clock back
            id_ = last_id + 1
    else:
        if not whole and id_ >> SEQ_BITS == last_id >> SEQ_BITS and last_id & SEQ_MASK != SEQ_MASK:
            id_ = last_id + 1
        if id_ <= last_id:
            raise ReplyError(ID_TOO_SMALL)
    appended = Stream() if stream is None else stream
    node_entries, node_bytes = client.engine.stream_node_limits
    try:
        appended.append(id_, argv[at + 1 :], node_entries, node_bytes)
    except ValueError:
        raise ReplyError(b'ERR Elements are too large to be stored') from None
    if stream is None:
        db.put(name, appended)
    trimmed = trimming is not None and trimming.apply(appended)
    db.changed(name, b'xadd')
    if trimmed:
        db.notify(name, b'xtrim')
    new_id = b'%d-%d' % (id_ >> SEQ_BITS, id_ & SEQ_MASK)
    if client.propagates:
        exactly = [] if trimming is None else [b'MAXLEN', b'=', b'%d' % appended.length]
        client.propagate_as([b'XADD', name, *exactly, new_id, *argv[at + 1 :]])
    return new_id


def read_options(engine: Engine, argv: Argv, *, adding: bool) -> Adding:
    """The options of XADD, or of XTRIM, which must say how to trim. Raises ReplyError at the first that is wrong."""
    at = 2
    id_: int | None = None
    whole = True
    length: int | None = None
    least_id = 0
    strategy = b''
    roughly = limited = must_exist = False
    limit = 0
    while at < len(argv):
        option = argv[at].upper()
        left = len(argv) - 1 - at
        if option == b'*' and adding:
            break
        if option in (b'MAXLEN', b'MINID') and left:
            if strategy:
                raise ReplyError(b'ERR syntax error, MAXLEN and MINID options at the same time are not compatible')
            strategy = option
            at += 1
            if left >= 2 and argv[at] in (b'~', b'='):
                roughly = argv[at] == b'~'
                at += 1
            if strategy == b'MAXLEN':
                length = integer(argv[at])
                if length < 0:
                    raise ReplyError(b'ERR The MAXLEN argument must be >= 0.')
            else:
                least_id = read_id(argv[at])
        elif option == b'LIMIT' and left:
            at += 1
            limit = integer(argv[at])
            limited = True
            if limit < 0:
                raise ReplyError(b'ERR The LIMIT argument must be >= 0.')
        elif option == b'NOMKSTREAM' and adding:
            must_exist = True
        elif adding:
            ms, _, seq = argv[at].partition(b'-')
            whole = seq != b'*'
            id_ = read_id(argv[at] if whole else ms)
            break
        else:
            raise ReplyError(SYNTAX)
        at += 1
    if limit and not strategy:
        raise ReplyError(b'ERR syntax error, LIMIT cannot be used without specifying a trimming strategy')
    if not adding and not strategy:
        raise ReplyError(b'ERR syntax error, XTRIM must be called with a trimming strategy')
    if limited and not roughly:
        raise ReplyError(b'ERR syntax error, LIMIT cannot be used without the special ~ option')
    if roughly and not limited:
        limit = min(100 * engine.config['stream-node-max-entries'] or 10_000, MOST_TRIMMED)
    trimming = Trimming(length, least_id, roughly, limit) if strategy else None
    return Adding(at, id_, whole, trimming, must_exist)


@command(
    'XTRIM',
    arity=-4,
    flags='write',
    keys=(key('RW delete', 1),),
    since='5.0.0',
    group='stream',
    tips=('nondeterministic_output',),
    history=(('6.2.0', 'MINID and LIMIT are new.'),),
    arguments=TRIM_ARGUMENTS,
)
def xtrim(client: Client, argv: Argv) -> Reply:
    """XTRIM key <<MAXLEN | MINID> [= | ~] threshold [LIMIT count]>

    Takes the oldest entries out of a stream, until so many are left or none is below an id; returns how many.

    O(N) in the entries taken out
    """
    trimming = read_options(client.engine, argv, adding=False).trimming
    stream: Stream | None = client.db.get(argv[1], Stream)
    if stream is None or trimming is None:
        return 0
    count = trimming.apply(stream)
    if count:
        client.db.changed(argv[1], b'xtrim', count)
        client.propagate_as([b'XTRIM', argv[1], b'MAXLEN', b'=', b'%d' % stream.length])
    return count


@command('XLEN', arity=2, flags='readonly fast', keys=(key('RO', 1),), since='5.0.0', group='stream')
def xlen(client: Client, argv: Argv) -> Reply:
    """XLEN key

    Returns how many entries a stream has.

    O(1)
    """
    stream: Stream | None = client.db.read(argv[1], Stream)
    return 0 if stream is None else stream.length


@command(
    'XRANGE',
    arity=-4,
    flags='readonly',
    keys=(key('RO access', 1),),
    since='5.0.0',
    group='stream',
    history=EXCLUSIVE_RANGES,
    types=RANGE_TYPES,
)
def xrange(client: Client, argv: Argv) -> Reply:
    """XRANGE key start end [COUNT count]

    Returns the entries from one id to another, both included.

    O(N) in the entries returned
    """
    return read_range(client, argv, argv[2], argv[3], backwards=False)


@command(
    'XREVRANGE',
    arity=-4,
    flags='readonly',
    keys=(key('RO access', 1),),
    since='5.0.0',
    group='stream',
    history=EXCLUSIVE_RANGES,
    types=RANGE_TYPES,
)
def xrevrange(client: Client, argv: Argv) -> Reply:
    """XREVRANGE key end start [COUNT count]

    Returns the entries from one id down to another, both included.

    O(N) in the entries returned
    """
    return read_range(client, argv, argv[3], argv[2], backwards=True)


def read_range(client: Client, argv: Argv, start: bytes, end: bytes, *, backwards: bool) -> Reply:
    first, last = read_interval_start(start), read_interval_end(end)
    count: int | None = None
    for at in range(4, len(argv), 2):
        if argv[at].upper() != b'COUNT' or at + 1 == len(argv):
            raise ReplyError(SYNTAX)
        count = max(integer(argv[at + 1]), 0)
    stream: Stream | None = client.db.read(argv[1], Stream)
    if stream is None:
        return []
    if count == 0:
        return NULL_ARRAY
    return entries_reply(stream.encoded(first, last, count or 0, backwards=backwards))


@command('XDEL', arity=-3, flags='write fast', keys=(key('RW delete', 1),), since='5.0.0', group='stream')
def xdel(client: Client, argv: Argv) -> Reply:
    """XDEL key id [id ...]

    Takes entries out of a stream; returns how many of them were there.

    O(1) for each id
    """
    stream: Stream | None = client.db.get(argv[1], Stream)
    if stream is None:
        return 0
    ids = [read_id(word) for word in argv[2:]]
    count = sum([stream.delete(id_) for id_ in ids])
    if count:
        client.db.changed(argv[1], b'xdel', count)
    return count


@command(
    'XSETID',
    arity=-3,
    flags='write denyoom fast',
    keys=(key('RW update', 1),),
    since='5.0.0',
    group='stream',
    history=(('7.0.0', 'ENTRIESADDED and MAXDELETEDID are new.'),),
    types={'entries-added': 'integer'},
    arguments={'ENTRIESADDED': about(since='7.0.0'), 'MAXDELETEDID': about(since='7.0.0')},
)
def xsetid(client: Client, argv: Argv) -> Reply:
    """XSETID key last-id [ENTRIESADDED entries-added] [MAXDELETEDID max-deleted-id]

    Sets what a stream remembers of its past: the last id, how many entries there were, the last id that was deleted.

    O(1)
    """
    last_id = read_id(argv[2])
    added: int | None = None
    deleted_id = 0
    for at in range(3, len(argv), 2):
        option = argv[at].upper()
        if at + 1 == len(argv) or option not in (b'ENTRIESADDED', b'MAXDELETEDID'):
            raise ReplyError(SYNTAX)
        if option == b'ENTRIESADDED':
            added = integer(argv[at + 1])
            if added < 0:
                raise ReplyError(b'ERR entries_added must be positive')
        else:
            deleted_id = read_id(argv[at + 1])
            if last_id < deleted_id:
                raise ReplyError(b'ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id')
    stream: Stream | None = client.db.get(argv[1], Stream)
    if stream is None:
        raise ReplyError(NO_SUCH_KEY)
    if last_id < stream.max_deleted_id:
        raise ReplyError(b'ERR The ID specified in XSETID is smaller than current max_deleted_entry_id')
    if last_id < stream.top_id:
        raise ReplyError(b'ERR The ID specified in XSETID is smaller than the target stream top item')
    if added is not None and added < stream.length:
        raise ReplyError(b'ERR The entries_added specified in XSETID is smaller than the target stream length')
    stream.last_id = last_id
    if added is not None:
        stream.entries_added = added
    if deleted_id:
        stream.max_deleted_id = deleted_id
    client.db.changed_aside(argv[1], b'xsetid')
    return OK
