"""Options that several commands have, read as Redis reads them."""

from selredis.engine.client import Client
from selredis.errors import DB_OUT_OF_RANGE, TIMEOUT_NEGATIVE, TIMEOUT_OUT_OF_RANGE, ReplyError
from selredis.keyspace.database import Database
from selredis.numeric import INT64_MAX, INT64_MIN, integer, timeout_ms

# Milliseconds in the unit of a time, and whether it is counted from now.
TIMES = {
    b'EX': (1000, True),
    b'PX': (1, True),
    b'EXAT': (1000, False),
    b'PXAT': (1, False),
}


def deadline_ms(option: bytes, amount: int, now_ms: int, command: bytes) -> int:
    """The Unix time (ms) that an amount behind EX, PX, EXAT or PXAT means; it may be past.

    Raises ReplyError, which names the command, if 64 bits cannot tell that time.
    """
    unit_ms, from_now = TIMES[option]
    span_ms = amount * unit_ms
    reached_ms = span_ms + now_ms if from_now else span_ms
    if not INT64_MIN <= span_ms <= INT64_MAX or reached_ms > INT64_MAX:
        raise invalid_expire_time(command)
    return reached_ms


def read_deadline_ms(option: bytes, text: bytes, now_ms: int, command: bytes) -> int:
    """`deadline_ms` of an amount as it was given; only more than 0 is an amount (t_string.c, SET and its like)."""
    amount = integer(text)
    if amount <= 0:
        raise invalid_expire_time(command)
    return deadline_ms(option, amount, now_ms, command)


def invalid_expire_time(command: bytes) -> ReplyError:
    return ReplyError(b"ERR invalid expire time in '%b' command" % command)


def read_wait_ms(text: bytes, now_ms: int) -> int:
    """How long a command may wait, given in seconds; 0: for ever.

    Raises ReplyError for what `timeout_ms` refuses, and if 64 bits cannot tell the Unix time (ms) of its end.
    """
    wait_ms = timeout_ms(text)
    if wait_ms > INT64_MAX - now_ms:
        raise ReplyError(TIMEOUT_OUT_OF_RANGE)
    return wait_ms


def read_wait_in_ms(text: bytes, now_ms: int) -> int:
    """`read_wait_ms` of an amount given in milliseconds (timeout.c, getTimeoutFromObjectOrReply)."""
    wait_ms = integer(text, b'ERR timeout is not an integer or out of range')
    if wait_ms < 0:
        raise ReplyError(TIMEOUT_NEGATIVE)
    if wait_ms > INT64_MAX - now_ms:
        raise ReplyError(TIMEOUT_OUT_OF_RANGE)
    return wait_ms


def database(client: Client, number: int) -> Database:
    """The database of that number. Raises ReplyError if there is none."""
    databases = client.engine.keyspace.databases
    if not 0 <= number < len(databases):
        raise ReplyError(DB_OUT_OF_RANGE)
    return databases[number]
