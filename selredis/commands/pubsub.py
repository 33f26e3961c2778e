"""Publish and subscribe. What a client gets for (un)subscribing are pushes, one for each channel, and no replies."""

from collections.abc import Callable

from selredis.engine.client import Client
from selredis.engine.command import Argv, command, key
from selredis.engine.help import help_on_subcommands, wrong_subcommand
from selredis.errors import ReplyError
from selredis.glob import compile_glob
from selredis.pubsub import PubSub, Subscribers
from selredis.resp.reply import Push, Reply, Several


def subscriptions(client: Client) -> int:
    """The number in a confirmation: channels and patterns together."""
    return len(client.channels) + len(client.patterns)


def shard_subscriptions(client: Client) -> int:
    return len(client.shard_channels)


def confirm_each(
    client: Client,
    argv: Argv,
    own: dict[bytes, None],
    change: Callable[[Client, bytes], None],
    count: Callable[[Client], int],
    undo: Callable[[PubSub, Client, bytes], None] | None = None,
) -> Reply:
    """Change the subscription to each name that follows the command's, and confirm it.

    If that fails (MemoryError), new subscriptions are undone, and the reply is an error.
    """
    verb = argv[0].lower()
    before = len(own)
    try:
        confirmations = Several()
        for name in argv[1:]:
            change(client, name)
            confirmations.append(Push((verb, name, count(client))))
        client.update_gated()
    except BaseException:
        pubsub = client.engine.pubsub
        if undo is not None:
            for name in list(own)[before:]:  # new ones come last
                undo(pubsub, client, name)
        pubsub.recount(client)
        client.update_gated()
        raise
    return confirmations


def leave(
    client: Client,
    argv: Argv,
    own: dict[bytes, None],
    change: Callable[[Client, bytes], None],
    count: Callable[[Client], int],
) -> Reply:
    """Leave what argv names, or else all of the client's own; where there are none that is confirmed, too."""
    if len(argv) > 1:
        return confirm_each(client, argv, own, change, count)
    if own:
        return confirm_each(client, [*argv, *own], own, change, count)
    return Several((Push((argv[0].lower(), None, count(client))),))


@command('SUBSCRIBE', arity=-2, flags='pubsub noscript loading stale', since='2.0.0', group='pubsub')
def subscribe(client: Client, argv: Argv) -> Reply:
    """SUBSCRIBE channel [channel ...]

    Has the client receive what is published to these channels.

    O(N) where N is the number of channels.
    """
    join = client.engine.pubsub.subscribe
    return confirm_each(client, argv, client.channels, join, subscriptions, PubSub.unsubscribe)


@command('UNSUBSCRIBE', arity=-1, flags='pubsub noscript loading stale', since='2.0.0', group='pubsub')
def unsubscribe(client: Client, argv: Argv) -> Reply:
    """UNSUBSCRIBE [channel [channel ...]]

    Ends the client's subscriptions to these channels, or to all of them.

    O(N) where N is the number of channels.
    """
    return leave(client, argv, client.channels, client.engine.pubsub.unsubscribe, subscriptions)


@command('PSUBSCRIBE', arity=-2, flags='pubsub noscript loading stale', since='2.0.0', group='pubsub')
def psubscribe(client: Client, argv: Argv) -> Reply:
    """PSUBSCRIBE pattern [pattern ...]

    Has the client receive what is published to any channel whose name fits one of these patterns.

    O(N) where N is the number of patterns.
    """
    join = client.engine.pubsub.pattern_subscribe
    return confirm_each(client, argv, client.patterns, join, subscriptions, PubSub.pattern_unsubscribe)


@command('PUNSUBSCRIBE', arity=-1, flags='pubsub noscript loading stale', since='2.0.0', group='pubsub')
def punsubscribe(client: Client, argv: Argv) -> Reply:
    """PUNSUBSCRIBE [pattern [pattern ...]]

    Ends the client's subscriptions to these patterns, or to all of them.

    O(N) where N is the number of patterns.
    """
    return leave(client, argv, client.patterns, client.engine.pubsub.pattern_unsubscribe, subscriptions)


@command(
    'SSUBSCRIBE',
    arity=-2,
    flags='pubsub noscript loading stale',
    keys=(key('not_key', 1, -1),),
    since='7.0.0',
    group='pubsub',
)
def ssubscribe(client: Client, argv: Argv) -> Reply:
    """SSUBSCRIBE shardchannel [shardchannel ...]

    Has the client receive what is published to these shard channels.

    O(N) where N is the number of shard channels.
    """
    if client.in_exec:  # where SUBSCRIBE and PSUBSCRIBE are allowed, for they always were
        raise ReplyError(b"ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client")
    join = client.engine.pubsub.shard_subscribe
    return confirm_each(client, argv, client.shard_channels, join, shard_subscriptions, PubSub.shard_unsubscribe)


@command(
    'SUNSUBSCRIBE',
    arity=-1,
    flags='pubsub noscript loading stale',
    keys=(key('not_key', 1, -1),),
    since='7.0.0',
    group='pubsub',
)
def sunsubscribe(client: Client, argv: Argv) -> Reply:
    """SUNSUBSCRIBE [shardchannel [shardchannel ...]]

    Ends the client's subscriptions to these shard channels, or to all of them.

    O(N) where N is the number of shard channels.
    """
    return leave(client, argv, client.shard_channels, client.engine.pubsub.shard_unsubscribe, shard_subscriptions)


@command('PUBLISH', arity=3, flags='pubsub loading stale fast may_replicate to_replicas', since='2.0.0', group='pubsub')
def publish(client: Client, argv: Argv) -> Reply:
    """PUBLISH channel message

    Sends a message to all who have subscribed to the channel or to a pattern that it fits; returns how many did.

    O(N+M) where N is the number of the channel's subscribers and M that of all patterns that anybody subscribed to.
    """
    return client.engine.pubsub.publish(argv[1], argv[2])


@command(
    'SPUBLISH',
    arity=3,
    flags='pubsub loading stale fast may_replicate to_replicas',
    keys=(key('not_key', 1),),
    since='7.0.0',
    group='pubsub',
)
def spublish(client: Client, argv: Argv) -> Reply:
    """SPUBLISH shardchannel message

    Sends a message to all who have subscribed to the shard channel; returns how many did.

    O(N) where N is the number of the shard channel's subscribers.
    """
    return client.engine.pubsub.shard_publish(argv[1], argv[2])


@command('PUBSUB', arity=-2, since='2.8.0', group='pubsub')
def pubsub(client: Client, argv: Argv) -> Reply:
    """PUBSUB

    Groups the commands that tell who listens to what.
    """
    raise NotImplementedError


def names(registry: dict[bytes, Subscribers], argv: Argv) -> Reply:
    """What somebody has subscribed to: all, or what fits the pattern behind the subcommand."""
    if len(argv) > 3:
        raise wrong_subcommand(argv)
    if len(argv) == 2:
        return list(registry)
    fits = compile_glob(argv[2])
    return [name for name in registry if fits(name)]


def subscriber_counts(registry: dict[bytes, Subscribers], argv: Argv) -> Reply:
    """Each name behind the subcommand, followed by the number of its subscribers."""
    return [part for name in argv[2:] for part in (name, len(registry.get(name, ())))]


@command('PUBSUB|CHANNELS', arity=-2, flags='pubsub loading stale', since='2.8.0', group='pubsub')
def pubsub_channels(client: Client, argv: Argv) -> Reply:
    """PUBSUB CHANNELS [pattern]

    Returns the channels that have subscribers, all or those whose names fit a pattern.

    O(N) where N is the number of channels with subscribers.
    """
    return names(client.engine.pubsub.channels, argv)


@command('PUBSUB|NUMSUB', arity=-2, flags='pubsub loading stale', since='2.8.0', group='pubsub')
def pubsub_numsub(client: Client, argv: Argv) -> Reply:
    """PUBSUB NUMSUB [channel [channel ...]]

    Returns how many have subscribed to each of these channels, not counting patterns.

    O(N) where N is the number of channels asked for.
    """
    return subscriber_counts(client.engine.pubsub.channels, argv)


@command('PUBSUB|NUMPAT', arity=2, flags='pubsub loading stale', since='2.8.0', group='pubsub')
def pubsub_numpat(client: Client, argv: Argv) -> Reply:
    """PUBSUB NUMPAT

    Returns how many different patterns anybody has subscribed to.

    O(1)
    """
    return len(client.engine.pubsub.patterns)


@command('PUBSUB|SHARDCHANNELS', arity=-2, flags='pubsub loading stale', since='7.0.0', group='pubsub')
def pubsub_shardchannels(client: Client, argv: Argv) -> Reply:
    """PUBSUB SHARDCHANNELS [pattern]

    Returns the shard channels that have subscribers, all or those whose names fit a pattern.

    O(N) where N is the number of shard channels with subscribers.
    """
    return names(client.engine.pubsub.shard_channels, argv)


@command('PUBSUB|SHARDNUMSUB', arity=-2, flags='pubsub loading stale', since='7.0.0', group='pubsub')
def pubsub_shardnumsub(client: Client, argv: Argv) -> Reply:
    """PUBSUB SHARDNUMSUB [shardchannel [shardchannel ...]]

    Returns how many have subscribed to each of these shard channels.

    O(N) where N is the number of shard channels asked for.
    """
    return subscriber_counts(client.engine.pubsub.shard_channels, argv)


@command('PUBSUB|HELP', arity=2, flags='loading stale', since='6.2.0', group='pubsub')
def pubsub_help(client: Client, argv: Argv) -> Reply:
    """PUBSUB HELP

    Returns this text.

    O(1)
    """
    return help_on_subcommands(b'pubsub')
