"""Publish and subscribe: one registry that all clients of a server share.

A published message is encoded once for each protocol and queued on every subscriber (a large one isn't copied); its
bytes leave when the turn ends. A client knows its own subscriptions, so leaving costs no more than what it had joined.
"""

from collections.abc import Callable
from typing import Any, Protocol

from selredis.glob import REGEX_AFTER_TEXTS, compile_glob, prepared_bytes
from selredis.resp.pieces import LARGE_BYTES, Output, Pieces
from selredis.values.size import FEW_NAMERS, NAME_TABLE_BYTES, PLACE_BYTES

# Patterns that were subscribed to together would all be compiled with the same message. How many messages a pattern
# waits for differs by up to this number, so that the work is spread.
COMPILING_MESSAGES = 1024

# What is published, but for the first byte: all in which an array of RESP2 and a push of RESP3 differ.
MESSAGE = b'3\r\n$7\r\nmessage\r\n$%d\r\n%b\r\n$%d\r\n%b\r\n'
SHARD_MESSAGE = b'3\r\n$8\r\nsmessage\r\n$%d\r\n%b\r\n$%d\r\n%b\r\n'
PATTERN_MESSAGE = b'4\r\n$8\r\npmessage\r\n$%d\r\n%b\r\n$%d\r\n%b\r\n$%d\r\n%b\r\n'

MATCHER_BYTES = PLACE_BYTES + 190  # memory of a pattern's matcher before it has read the pattern (measured)


class Subscriber(Protocol):
    """What the registry needs of a client, and changes of it: its own subscriptions, and what it is to be sent."""

    protocol: int
    channels: dict[bytes, None]
    patterns: dict[bytes, None]
    shard_channels: dict[bytes, None]
    subscribed_bytes: int
    out: list[Output]
    queued: bool


Subscribers = dict[Subscriber, None]  # in the order in which they came


class PubSub:
    """Who listens to which channel, shard channel and pattern.

    Clients that a message has been queued on are entered in `to_flush`, once: those whose `queued` is not set yet.
    `crowded`: subscriptions to a name beyond the first FEW_NAMERS.
    """

    __slots__ = (
        '_patterns_added',
        '_to_flush',
        'channels',
        'crowded',
        'matchers',
        'patterns',
        'shard_channels',
    )

    def __init__(self, to_flush: list[Any]) -> None:
        self._to_flush = to_flush
        self.channels: dict[bytes, Subscribers] = {}
        self.shard_channels: dict[bytes, Subscribers] = {}
        self.patterns: dict[bytes, Subscribers] = {}
        self.matchers: dict[bytes, Callable[[bytes], bool]] = {}
        self.crowded = 0
        self._patterns_added = 0

    def subscribe(self, client: Subscriber, channel: bytes) -> None:
        self._join(self.channels, client.channels, client, channel)

    def unsubscribe(self, client: Subscriber, channel: bytes) -> None:
        self._leave(self.channels, client.channels, client, channel)

    def shard_subscribe(self, client: Subscriber, channel: bytes) -> None:
        self._join(self.shard_channels, client.shard_channels, client, channel)

    def shard_unsubscribe(self, client: Subscriber, channel: bytes) -> None:
        self._leave(self.shard_channels, client.shard_channels, client, channel)

    def pattern_subscribe(self, client: Subscriber, pattern: bytes) -> None:
        self._join(self.patterns, client.patterns, client, pattern)
        # `publish` walks over the matchers: there is none for a pattern without subscribers.
        if pattern not in self.matchers:
            self._patterns_added += 1
            regex_after = REGEX_AFTER_TEXTS + self._patterns_added % COMPILING_MESSAGES
            self.matchers[pattern] = compile_glob(pattern, regex_after=regex_after)

    def pattern_unsubscribe(self, client: Subscriber, pattern: bytes) -> None:
        subscribers = self.patterns.get(pattern)
        last = subscribers is None or (len(subscribers) == 1 and client in subscribers)
        if last:
            self.matchers.pop(pattern, None)
        self._leave(self.patterns, client.patterns, client, pattern)

    def forget(self, client: Subscriber) -> None:
        """End all subscriptions of a client, without a word to it."""
        try:
            for channel in list(client.channels):
                self.unsubscribe(client, channel)
            for channel in list(client.shard_channels):
                self.shard_unsubscribe(client, channel)
            for pattern in list(client.patterns):
                self.pattern_unsubscribe(client, pattern)
        except BaseException:
            self.recount(client)
            raise

    def table_bytes(self) -> int:
        """Memory of the tables that all clients share, of patterns with what is prepared for matching them."""
        names = len(self.channels) + len(self.shard_channels) + len(self.patterns)
        places = names * NAME_TABLE_BYTES + self.crowded * PLACE_BYTES
        prepared = sum(map(prepared_bytes, self.matchers.values()))
        return places + matcher_bytes(len(self.matchers)) + prepared

    def publish(self, channel: bytes, message: bytes) -> int:
        """Send a message to the channel's subscribers, then to those of matching patterns; how many got it."""
        receivers = 0
        subscribers = self.channels.get(channel)
        if subscribers:
            if len(message) < LARGE_BYTES:
                receivers = self._send(subscribers, MESSAGE % (len(channel), channel, len(message), message))
            else:
                receivers = self._send(subscribers, large_frame(MESSAGE, (len(channel), channel), message))
        for pattern, matches in self.matchers.items():
            if matches(channel):
                names = len(pattern), pattern, len(channel), channel
                if len(message) < LARGE_BYTES:
                    receivers += self._send(self.patterns[pattern], PATTERN_MESSAGE % (*names, len(message), message))
                else:
                    receivers += self._send(self.patterns[pattern], large_frame(PATTERN_MESSAGE, names, message))
        return receivers

    def shard_publish(self, channel: bytes, message: bytes) -> int:
        """Send a message to the shard channel's subscribers; how many got it."""
        subscribers = self.shard_channels.get(channel)
        if not subscribers:
            return 0
        if len(message) < LARGE_BYTES:
            return self._send(subscribers, SHARD_MESSAGE % (len(channel), channel, len(message), message))
        return self._send(subscribers, large_frame(SHARD_MESSAGE, (len(channel), channel), message))

    def _send(self, subscribers: Subscribers, frame: Output) -> int:
        """Queue one message, as it is but for its first byte, on all of them.

        This is `Client.queue` written out, for it runs once for every subscriber.
        """
        to_flush = self._to_flush
        array: Output = b''
        push: Output = b''
        for client in subscribers:
            if client.protocol == 2:
                data = array = array or b'*' + frame
            else:
                data = push = push or b'>' + frame
            client.out.append(data)
            if not client.queued:
                to_flush.append(client)
                client.queued = True
        return len(subscribers)

    def _join(
        self, registry: dict[bytes, Subscribers], own: dict[bytes, None], client: Subscriber, name: bytes
    ) -> None:
        """Note a subscription on both sides. If that fails, `_leave` and `recount` undo it."""
        if name in own:
            return
        own[name] = None
        client.subscribed_bytes += len(name)
        subscribers = registry.get(name)
        if subscribers is None:
            registry[name] = {client: None}
            return
        subscribers[client] = None
        if len(subscribers) > FEW_NAMERS:
            self.crowded += 1

    def _leave(
        self, registry: dict[bytes, Subscribers], own: dict[bytes, None], client: Subscriber, name: bytes
    ) -> None:
        """End a subscription, if there is one. The client's own side goes last, so that it may be repeated."""
        if name not in own:
            return
        subscribers = registry.get(name)
        if subscribers is not None:
            if client in subscribers:
                del subscribers[client]
                if len(subscribers) >= FEW_NAMERS:
                    self.crowded -= 1
            if not subscribers:
                del registry[name]
                if not registry:
                    registry.clear()  # an empty dict keeps the memory that its largest size needed
        del own[name]
        client.subscribed_bytes -= len(name)
        if not own:
            own.clear()

    def recount(self, client: Subscriber) -> None:
        """Count names again after a failure, which may have come before or after they were counted."""
        own = (client.channels, client.shard_channels, client.patterns)
        client.subscribed_bytes = sum(len(name) for names in own for name in names)
        registries = (self.channels, self.shard_channels, self.patterns)
        self.crowded = sum(max(len(each) - FEW_NAMERS, 0) for names in registries for each in names.values())


def large_frame(template: bytes, names: tuple[int | bytes, ...], message: bytes) -> Pieces:
    """One of the templates above, with a message that is not copied. `names`: what comes before it, with lengths."""
    head = (template % (*names, len(message), b'')).removesuffix(b'\r\n')
    return Pieces((head, message, b'\r\n'))


def matcher_bytes(count: int) -> int:
    """Memory of the matchers of that many patterns before they have read them."""
    return count * MATCHER_BYTES
