"""Publish and subscribe: one registry that all clients of a server share.

A published message is encoded once for each protocol and queued on every subscriber (a large one isn't copied); its
bytes leave when the turn ends. A client knows its own subscriptions, so leaving costs no more than what it had joined.
"""

from collections.abc import Callable
from typing import Any, Protocol

from selredis.glob import compile_glob
from selredis.resp.pieces import LARGE_BYTES, Output, Pieces

# What is published, but for the first byte: all in which an array of RESP2 and a push of RESP3 differ.
MESSAGE = b'3\r\n$7\r\nmessage\r\n$%d\r\n%b\r\n$%d\r\n%b\r\n'
SHARD_MESSAGE = b'3\r\n$8\r\nsmessage\r\n$%d\r\n%b\r\n$%d\r\n%b\r\n'
PATTERN_MESSAGE = b'4\r\n$8\r\npmessage\r\n$%d\r\n%b\r\n$%d\r\n%b\r\n$%d\r\n%b\r\n'


class Subscriber(Protocol):
    """What the registry needs of a client, and changes of it: its own subscriptions, and what it is to be sent."""

    protocol: int
    channels: dict[bytes, None]
    patterns: dict[bytes, None]
    shard_channels: dict[bytes, None]
    out: list[Output]
    queued: bool


Subscribers = dict[Subscriber, None]  # in the order in which they came


class PubSub:
    """Who listens to which channel, shard channel and pattern.

    Clients that a message has been queued on are entered in `to_flush`, once: those whose `queued` is not set yet.
    """

    __slots__ = ('_to_flush', 'channels', 'matchers', 'patterns', 'shard_channels')

    def __init__(self, to_flush: list[Any]) -> None:
        self._to_flush = to_flush
        self.channels: dict[bytes, Subscribers] = {}
        self.shard_channels: dict[bytes, Subscribers] = {}
        self.patterns: dict[bytes, Subscribers] = {}
        self.matchers: dict[bytes, Callable[[bytes], bool]] = {}

    def subscribe(self, client: Subscriber, channel: bytes) -> None:
        _join(self.channels, client.channels, client, channel)

    def unsubscribe(self, client: Subscriber, channel: bytes) -> None:
        _leave(self.channels, client.channels, client, channel)

    def shard_subscribe(self, client: Subscriber, channel: bytes) -> None:
        _join(self.shard_channels, client.shard_channels, client, channel)

    def shard_unsubscribe(self, client: Subscriber, channel: bytes) -> None:
        _leave(self.shard_channels, client.shard_channels, client, channel)

    def pattern_subscribe(self, client: Subscriber, pattern: bytes) -> None:
        if pattern not in self.matchers:
            self.matchers[pattern] = compile_glob(pattern)
        _join(self.patterns, client.patterns, client, pattern)

    def pattern_unsubscribe(self, client: Subscriber, pattern: bytes) -> None:
        _leave(self.patterns, client.patterns, client, pattern)
        if pattern not in self.patterns:
            self.matchers.pop(pattern, None)

    def forget(self, client: Subscriber) -> None:
        """End all subscriptions of a client, without a word to it."""
        for channel in list(client.channels):
            self.unsubscribe(client, channel)
        for channel in list(client.shard_channels):
            self.shard_unsubscribe(client, channel)
        for pattern in list(client.patterns):
            self.pattern_unsubscribe(client, pattern)

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
                client.queued = True
                to_flush.append(client)
        return len(subscribers)


def large_frame(template: bytes, names: tuple[int | bytes, ...], message: bytes) -> Pieces:
    """One of the templates above, with a message that is not copied. `names`: what comes before it, with lengths."""
    head = (template % (*names, len(message), b'')).removesuffix(b'\r\n')
    return Pieces((head, message, b'\r\n'))


def _join(registry: dict[bytes, Subscribers], own: dict[bytes, None], client: Subscriber, name: bytes) -> None:
    own[name] = None
    registry.setdefault(name, {})[client] = None


def _leave(registry: dict[bytes, Subscribers], own: dict[bytes, None], client: Subscriber, name: bytes) -> None:
    if own.pop(name, 0) is None:
        subscribers = registry[name]
        del subscribers[client]
        if not subscribers:
            del registry[name]
