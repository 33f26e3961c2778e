"""Publish and subscribe: one registry that all clients of a server share.

A published message is encoded once for each protocol and queued on every subscriber; its bytes leave when the turn
ends. A client knows its own subscriptions, so leaving costs no more than what it had joined.
"""

from collections.abc import Callable
from typing import Protocol

from selredis.glob import compile_glob
from selredis.resp.encoder import ENCODERS
from selredis.resp.reply import Push


class Subscriber(Protocol):
    """What the registry needs of a client."""

    protocol: int
    channels: dict[bytes, None]
    patterns: dict[bytes, None]
    shard_channels: dict[bytes, None]

    def queue(self, data: bytes) -> None: ...


Subscribers = dict[Subscriber, None]  # in the order in which they came


class PubSub:
    """Who listens to which channel, shard channel and pattern."""

    __slots__ = ('channels', 'matchers', 'patterns', 'shard_channels')

    def __init__(self) -> None:
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
        """End all subscriptions of a client that is gone."""
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
            receivers = _send(subscribers, Push((b'message', channel, message)))
        for pattern, matches in self.matchers.items():
            if matches(channel):
                receivers += _send(self.patterns[pattern], Push((b'pmessage', pattern, channel, message)))
        return receivers

    def shard_publish(self, channel: bytes, message: bytes) -> int:
        """Send a message to the shard channel's subscribers; how many got it."""
        subscribers = self.shard_channels.get(channel)
        return _send(subscribers, Push((b'smessage', channel, message))) if subscribers else 0


def _send(subscribers: Subscribers, message: Push) -> int:
    frames: dict[int, bytes] = {}
    for client in subscribers:
        protocol = client.protocol
        frame = frames.get(protocol)
        if frame is None:
            frame = frames[protocol] = ENCODERS[protocol][Push](message)
        client.queue(frame)
    return len(subscribers)


def _join(registry: dict[bytes, Subscribers], own: dict[bytes, None], client: Subscriber, name: bytes) -> None:
    own[name] = None
    registry.setdefault(name, {})[client] = None


def _leave(registry: dict[bytes, Subscribers], own: dict[bytes, None], client: Subscriber, name: bytes) -> None:
    if own.pop(name, 0) is None:
        subscribers = registry[name]
        del subscribers[client]
        if not subscribers:
            del registry[name]
