"""Keyspace notifications: which event belongs to which class, and who is told.

Redis publishes two messages for an event on a key: on `__keyspace@<db>__:<key>` the event, on
`__keyevent@<db>__:<event>` the key (redis.io, "Redis keyspace notifications").
"""

from selredis.pubsub import PubSub

CLASS_OF_EVENT: dict[bytes, str] = {}
for _class, _events in {
    'g': 'del expire persist rename_from rename_to copy_to move_from move_to',
    '$': 'set append setrange incrby incrbyfloat setbit pfadd',
    'h': 'hset hdel hincrby hincrbyfloat hexpire hexpired hpersist',
    'l': 'lpush rpush lpop rpop linsert lset lrem ltrim sortstore',
    's': 'sadd srem spop sinterstore sunionstore sdiffstore',
    'z': 'zadd zincr zrem zpopmin zpopmax zremrangebyrank zremrangebyscore zremrangebylex zrangestore zunionstore'
    ' zinterstore zdiffstore geosearchstore georadiusstore',
    't': 'xadd xdel xtrim xsetid xgroup-create xgroup-createconsumer xgroup-delconsumer xgroup-destroy xgroup-setid',
    'x': 'expired',
    'e': 'evicted',
    'n': 'new',
    'm': 'keymiss',
}.items():
    CLASS_OF_EVENT.update(dict.fromkeys(_events.encode().split(), _class))

NO_EVENT = b''  # of a change that is not published
CLASS_OF_EVENT[NO_EVENT] = ''


class Notifier:
    """Publishes what happens to keys, for the classes that were asked for."""

    __slots__ = ('classes', 'pubsub')

    def __init__(self, pubsub: PubSub) -> None:
        self.pubsub = pubsub
        self.classes: frozenset[str] = frozenset()

    def notify(self, db_number: int, key: bytes, event: bytes) -> None:
        """Publish an event of a key, if anybody listens to anything at all."""
        classes, pubsub = self.classes, self.pubsub
        if CLASS_OF_EVENT[event] not in classes or not (pubsub.channels or pubsub.matchers):
            return
        if 'K' in classes:
            pubsub.publish(b'__keyspace@%d__:%b' % (db_number, key), event)
        if 'E' in classes:
            pubsub.publish(b'__keyevent@%d__:%b' % (db_number, event), key)
