"""Transactions: commands kept until EXEC runs them all, nothing in between; given up if a watched key has changed."""

from selredis.engine.client import Client, Transaction
from selredis.engine.command import Argv, command, key
from selredis.errors import ReplyError
from selredis.resp.encoder import array_head
from selredis.resp.reply import NULL_ARRAY, OK, EncodedParts, Reply


@command('MULTI', arity=1, flags='noscript loading stale fast allow_busy', since='1.2.0', group='transactions')
def multi(client: Client, argv: Argv) -> Reply:
    """MULTI

    Begins a transaction: the commands that follow are kept until EXEC.

    O(1)
    """
    if client.transaction is not None:
        raise ReplyError(b'ERR MULTI calls can not be nested')
    client.transaction = Transaction()
    client.update_gated()
    return OK


@command('EXEC', arity=1, flags='noscript loading stale skip_slowlog', since='1.2.0', group='transactions')
def exec_(client: Client, argv: Argv) -> Reply:
    """EXEC

    Runs the commands of the transaction and returns their replies; null if a watched key has changed. An error of one
    command keeps the others from nothing, but where one was refused already none of them is run.

    Depends on the commands.
    """
    engine = client.engine
    transaction = client.transaction
    if transaction is None:
        raise ReplyError(b'ERR EXEC without MULTI')
    for db, key in client.watched:
        if db.expire_if_due(key):
            client.watch_broken = True
    if transaction.aborted or client.watch_broken:
        client.end_transaction()
        if transaction.aborted:
            raise ReplyError(b'EXECABORT Transaction discarded because of previous errors.')
        return NULL_ARRAY
    client.unwatch_all()
    try:
        client.in_exec = True
        replies = EncodedParts((array_head(len(transaction.queued)),))
        for queued, its_argv in transaction.queued:
            # Each reply is encoded at once: HELLO may change the protocol before the next one.
            reply = engine.call(client, queued, its_argv)
            replies.append(client.encoders[type(reply)](reply))
    finally:
        client.in_exec = False
        client.end_transaction()
    if engine.pause.active:  # it may have begun in here
        engine.pause.keep_expired()
    return replies


@command('DISCARD', arity=1, flags='noscript loading stale fast allow_busy', since='2.0.0', group='transactions')
def discard(client: Client, argv: Argv) -> Reply:
    """DISCARD

    Gives up the transaction, and watches no key any more.

    O(N) where N is the number of commands in the transaction.
    """
    if client.transaction is None:
        raise ReplyError(b'ERR DISCARD without MULTI')
    client.end_transaction()
    return OK


@command(
    'WATCH',
    arity=-2,
    flags='noscript loading stale fast allow_busy',
    keys=(key('RO', 1, -1),),
    since='2.2.0',
    group='transactions',
)
def watch(client: Client, argv: Argv) -> Reply:
    """WATCH key [key ...]

    Watches keys: the next EXEC runs nothing if one of them has changed until then.

    O(1) for every key.
    """
    if client.transaction is not None:
        raise ReplyError(b'ERR WATCH inside MULTI is not allowed')
    if not client.watch_broken:
        for key in argv[1:]:
            client.watch(key)
    return OK


@command('UNWATCH', arity=1, flags='noscript loading stale fast allow_busy', since='2.2.0', group='transactions')
def unwatch(client: Client, argv: Argv) -> Reply:
    """UNWATCH

    Watches no key any more.

    O(1)
    """
    client.unwatch_all()
    return OK
