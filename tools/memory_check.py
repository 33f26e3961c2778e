"""How near used_memory is: fills databases in processes of their own, and compares the model with what the system says.

python3 tools/memory_check.py [--keys 200000] [SHAPE ...]

The shapes are of data, and of what clients have the server keep: names of channels, watched keys and so on.
"""

import argparse
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

import selredis.commands  # noqa: E402, F401  (importing it fills the command table)
from selredis import process  # noqa: E402
from selredis.clock import ManualClock  # noqa: E402
from selredis.config import Config  # noqa: E402
from selredis.engine.client import Client  # noqa: E402
from selredis.engine.engine import Engine  # noqa: E402
from selredis.engine.tracking_mode import Tracking  # noqa: E402
from selredis.keyspace.accounting import keep_books  # noqa: E402
from selredis.keyspace.database import Database, Keyspace  # noqa: E402
from selredis.keyspace.memory import table_bytes  # noqa: E402
from selredis.log import Log  # noqa: E402
from selredis.pubsub import PubSub  # noqa: E402
from selredis.values.hash import Hash  # noqa: E402
from selredis.values.kinds import TYPE_NAMES  # noqa: E402
from selredis.values.list import List  # noqa: E402
from selredis.values.set import Set  # noqa: E402
from selredis.values.sorted_set import SortedSet  # noqa: E402
from selredis.values.stream import Stream  # noqa: E402

NOW_MS = 1_700_000_000_000


def strings(length: int) -> Callable[[Database, int], None]:
    def fill(db: Database, count: int) -> None:
        for number in range(count):
            db.set(b'key:%012d' % number, b'%0*d' % (length, number))

    return fill


def counters(db: Database, count: int) -> None:
    for number in range(count):
        db.put(b'key:%012d' % number, number + 1000)


def sessions(db: Database, count: int) -> None:
    for number in range(count):
        key = b'session:%032x' % (number * 0x9E3779B97F4A7C15)
        db.set(key, b'%0*d' % (200, number))
        db.set_deadline(key, NOW_MS + number)


def mixed(db: Database, count: int) -> None:
    for number in range(count):
        db.set(b'key:%d' % number, b'x' * (number * 7919 % 3000 + 2))


def values(
    kind: type, event: bytes, length: int, add: Callable[[Any, int, int], object]
) -> Callable[[Database, int], None]:
    """Values of so many members. `add(value, place, serial)` gives one its next member, the serial-th of all."""

    def fill(db: Database, count: int) -> None:
        for number in range(max(count // length, 1)):
            key = b'%b:%d' % (TYPE_NAMES[kind], number)
            value = db.get_or_create(key, kind)
            for place in range(length):
                add(value, place, number * length + place)
            db.changed(key, event)

    return fill


def lists(length: int, element_bytes: int) -> Callable[[Database, int], None]:
    return values(List, b'rpush', length, lambda items, place, _: items.push_right(b'%0*d' % (element_bytes, place)))


def sets(length: int) -> Callable[[Database, int], None]:
    return values(Set, b'sadd', length, lambda members, _, serial: members.add(b'%020d' % serial))


def sorted_sets(length: int) -> Callable[[Database, int], None]:
    return values(
        SortedSet,
        b'zadd',
        length,
        lambda members, place, serial: members.put(b'%020d' % serial, place * 7919 % length + 0.5),
    )


def streams(length: int) -> Callable[[Database, int], None]:
    return values(
        Stream,
        b'xadd',
        length,
        lambda stream, place, _: stream.append((NOW_MS + place) << 64, (b'name', b'%020d' % place, b'other', b'x')),
    )


def groups(length: int) -> Callable[[Database, int], None]:
    """A stream with groups that have so many consumers each."""

    def fill(db: Database, count: int) -> None:
        stream = db.get_or_create(b'stream', Stream)
        for number in range(count // (length + 1)):
            stream.add_group(b'group:%012d' % number, 0, 0)
            group = stream.groups[b'group:%012d' % number]
            for place in range(length):
                group.add_consumer(b'consumer:%09d' % (number * length + place), NOW_MS)
        db.changed_aside(b'stream', b'xgroup-create')

    return fill


def pending(db: Database, count: int) -> None:
    """A stream whose entries are deleted and still pending."""
    stream = db.get_or_create(b'stream', Stream)
    stream.add_group(b'group', 0, 0)
    group = stream.groups[b'group']
    for number in range(50):
        group.add_consumer(b'consumer:%d' % number, NOW_MS)
    for start in range(0, count, 10):
        ids = [(NOW_MS + number) << 64 for number in range(start, start + 10)]
        group.give_new(ids, b'consumer:%d' % (start // 10 % 50), NOW_MS + start)
    db.changed_aside(b'stream', None)


def hashes(length: int, *, alike: bool = True, expiring: bool = False) -> Callable[[Database, int], None]:
    """Hashes of so many fields: of the same names in all of them, or of others in each."""

    def fill(db: Database, count: int) -> None:
        for number in range(max(count // length, 1)):
            key = b'hash:%d' % number
            fields = db.get_or_create(key, Hash)
            for place in range(length):
                name = b'name:%d' % (place if alike else number * length + place)
                fields.put(name, b'%020d' % number)
                if expiring:
                    fields.set_deadline(name, NOW_MS + place + number)
            db.note_fields(key, fields)
            db.changed(key, b'hset')

    return fill


SHAPES: dict[str, Callable[[Database, int], None]] = {
    'strings of 10 bytes': strings(10),
    'strings of 100 bytes': strings(100),
    'strings of 1,000 bytes': strings(1000),
    'strings of 2 to 3,000 bytes': mixed,
    'counters': counters,
    'sessions of 200 bytes, with deadlines': sessions,
    'lists of 5 elements of 20 bytes': lists(5, 20),
    'lists of 1,000 elements of 20 bytes': lists(1000, 20),
    'lists of 100,000 elements of 100 bytes': lists(100_000, 100),
    'hashes of 5 fields': hashes(5),
    'hashes of 5 fields, each with others': hashes(5, alike=False),
    'hashes of 5 fields with deadlines': hashes(5, expiring=True),
    'hashes of 100,000 fields': hashes(100_000),
    'hashes of 100,000 fields with deadlines': hashes(100_000, expiring=True),
    'sets of 5 members': sets(5),
    'sets of 1,000 members': sets(1000),
    'sets of 100,000 members': sets(100_000),
    'sorted sets of 5 members': sorted_sets(5),
    'sorted sets of 100,000 members': sorted_sets(100_000),
    'streams of 5 entries': streams(5),
    'streams of 100,000 entries': streams(100_000),
    'a stream of groups without consumers': groups(0),
    'a stream of groups of 100 consumers': groups(100),
    'a stream of pending entries': pending,
}


def each_runs(
    verb: str, name: Callable[[int], bytes], *, clients: int = 1, share: int = 1
) -> Callable[[Engine, int], int]:
    """Clients that run a command with the same names, one in `share` of them. Returns the number of names."""

    def fill(engine: Engine, count: int) -> int:
        peers = [Client(engine) for _ in range(clients)]
        begin(engine)
        each = count // clients // share
        for peer in peers:
            for start in range(0, each, 1000):
                names = [name(number) for number in range(start, min(start + 1000, each))]
                run_command(engine, peer, [*verb.encode().split(), *names])
        return each * clients

    return fill


def prefixes(engine: Engine, count: int) -> int:
    """Prefixes that a client tracks, without CLIENT TRACKING: that compares each of them with all others."""
    client = Client(engine)
    begin(engine)
    engine.tracking.begin(client, Tracking(bcast=True), [channel(number) for number in range(count)])
    return count


def trackers(clients: int) -> Callable[[Engine, int], int]:
    """Clients that read and track the same keys."""

    def fill(engine: Engine, count: int) -> int:
        peers = [Client(engine) for _ in range(clients)]
        for peer in peers:
            run_command(engine, peer, [b'HELLO', b'3'])
            run_command(engine, peer, [b'CLIENT', b'TRACKING', b'ON'])
        begin(engine)
        for number in range(count // clients):
            for peer in peers:
                run_command(engine, peer, [b'GET', b'key:%012d' % number])
        return count // clients

    return fill


def waiting(engine: Engine, count: int) -> int:
    """Clients that are blocked on ten keys each, on which no other client is blocked."""
    peers = [Client(engine) for _ in range(count // 10)]
    begin(engine)
    for number, peer in enumerate(peers):
        run_command(engine, peer, [b'BLPOP', *(b'key:%d:%d' % (number, place) for place in range(10)), b'0'])
    return count


def waiting_together(engine: Engine, count: int) -> int:
    """Clients that are blocked on the same ten keys."""
    peers = [Client(engine) for _ in range(count // 10)]
    begin(engine)
    for peer in peers:
        run_command(engine, peer, [b'BLPOP', *(b'key:%d' % place for place in range(10)), b'0'])
    return count


def named_clients(engine: Engine, count: int) -> int:
    peers = [Client(engine) for _ in range(count // 10)]
    begin(engine)
    for number, peer in enumerate(peers):
        run_command(engine, peer, [b'CLIENT', b'SETNAME', b'%01000d' % number])
    return len(peers)


def slow_calls(engine: Engine, count: int) -> int:
    """A slow log of commands that have 10 words, some of them long."""
    client = Client(engine)
    run_command(
        engine, client, [b'CONFIG', b'SET', b'slowlog-log-slower-than', b'0', b'slowlog-max-len', b'%d' % count]
    )
    begin(engine)
    for number in range(count // 10):
        run_command(engine, client, [b'EXISTS', *(b'%0*d' % (place * 20, number) for place in range(1, 10))])
    return count // 10


def run_command(engine: Engine, client: Client, argv: list[bytes]) -> None:
    engine.run(client, [argv])
    for each in engine.to_flush:
        each.out.clear()
        each.queued = False
    engine.to_flush.clear()
    while engine.runnable:
        engine.runnable.pop().resume()


# Memory in use, by the model and by the system, before clients have the server keep anything.
START: list[int] = []


def begin(engine: Engine) -> None:
    START[:] = [engine.memory.used_bytes(), process.memory().private]


def channel(number: int) -> bytes:
    return b'channel:%012d' % number


CLIENT_SHAPES: dict[str, Callable[[Engine, int], int]] = {
    'channels of a client': each_runs('SUBSCRIBE', channel),
    'channels of a client, 1,000 bytes long': each_runs('SUBSCRIBE', lambda number: b'%01000d' % number),
    'channels of 5 clients': each_runs('SUBSCRIBE', channel, clients=5),
    'channels of 100 clients': each_runs('SUBSCRIBE', channel, clients=100),
    'patterns of a client': each_runs('PSUBSCRIBE', lambda number: b'%012d:*' % number, share=10),
    'patterns with classes of a client': each_runs('PSUBSCRIBE', lambda number: b'%012d:[ab]?c*d' % number, share=10),
    'patterns of 1,000 bytes of a client': each_runs('PSUBSCRIBE', lambda number: b'%01000d*' % number, share=50),
    'watched keys of a client': each_runs('WATCH', channel),
    'watched keys of 5 clients': each_runs('WATCH', channel, clients=5),
    'watched keys of 100 clients': each_runs('WATCH', channel, clients=100),
    'prefixes of a client': prefixes,
    'keys tracked by a client': trackers(1),
    'keys tracked by 2 clients': trackers(2),
    'keys tracked by 20 clients': trackers(20),
    'keys awaited': waiting,
    'keys awaited by many': waiting_together,
    'names of connections': named_clients,
    'entries of the slow log': slow_calls,
}


def measure_clients(shape: str, count: int) -> None:
    """`measure` for what clients have the server keep."""
    log = Log('warning', '/dev/stderr')
    engine = Engine(Config(), ManualClock(NOW_MS), Random(0), log)
    kept = CLIENT_SHAPES[shape](engine, count)
    grown = process.memory().private - START[1]
    print(kept, engine.memory.used_bytes() - START[0], grown)


def measure(shape: str, count: int, noted: bool) -> None:
    """Fill this process, and tell what the model and what the system say that it has grown by."""
    keyspace = Keyspace(1, PubSub([]), Random(1))
    keyspace.now_ms = NOW_MS
    if noted:
        keyspace.uses.begin(keyspace.databases, by_frequency=False)
    keyspace.memory.measure(keyspace.databases)
    keep_books(keyspace)
    db = keyspace.databases[0]
    before = process.memory().private
    SHAPES[shape](db, count)
    grown = process.memory().private - before
    print(len(db), keyspace.memory.used + table_bytes(keyspace.databases), grown)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('shapes', nargs='*', help='all, unless some are named')
    parser.add_argument('--keys', type=int, default=200_000, help='or elements of lists, altogether')
    parser.add_argument('--noted', action='store_true', help='with notes of when keys were used last')
    parser.add_argument('--here', action='store_true', help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.here and options.shapes[0] in CLIENT_SHAPES:
        measure_clients(options.shapes[0], options.keys)
        return
    if options.here:
        measure(options.shapes[0], options.keys, options.noted)
        return
    print('| data | keys or names | bytes each, by the model | by the system | model to system |')
    print('| --- | --: | --: | --: | --: |')
    for shape in options.shapes or [*SHAPES, *CLIENT_SHAPES]:
        words = [sys.executable, __file__, '--here', '--keys', str(options.keys), shape]
        if options.noted:
            words.append('--noted')
        told = subprocess.run(words, check=True, capture_output=True, text=True).stdout
        keys, model, system = map(int, told.split())
        print(f'| {shape} | {keys:,} | {model / keys:,.0f} | {system / keys:,.0f} | {model / system:.2f} |')


if __name__ == '__main__':
    main()
