"""LCS: the longest common subsequence of two strings.

Theory of operation. Let L(i, j) be the length of the longest common subsequence of the first i bytes of one string and
the first j bytes of the other. Redis fills a table with all L(i, j) and goes back through it from the end to find a
longest subsequence. Here the table is kept as differences: along a row, L grows by one or stays, which is a bit. A row
is an int, and the next row follows from it by a few operations on whole ints (Crochemore, Iliopoulos, Pinzon and Reid,
"A fast and practical bit-vector algorithm for the longest common subsequence problem", 2001). The rows belong to the
bytes of the shorter string, so there are few, and long ones. As Redis refuses tables above a size, no more than some
twenty megabytes are needed here, and less time than there.

Among several longest subsequences, the way back decides: where L(i - 1, j) and L(i, j - 1) are alike, Redis leaves out
a byte of the second string, and so must this.
"""

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from selredis.engine.client import Client
from selredis.engine.command import Argv, command, key
from selredis.errors import SYNTAX, ReplyError
from selredis.numeric import integer
from selredis.resp.reply import Map, Reply
from selredis.values.kinds import STRING_KINDS, text_of

CELL_BYTES = 4  # in Redis's table


class Options(NamedTuple):
    length: bool  # LEN
    indexes: bool  # IDX
    least: int  # MINMATCHLEN
    with_lengths: bool  # WITHMATCHLEN


class Run(NamedTuple):
    """Bytes that are side by side in both strings: where they begin in each, and how many they are."""

    start: int
    other_start: int
    length: int


def growth_rows(rows: bytes, columns: bytes) -> Iterator[int]:
    """The table's rows in order, one for each byte of `rows`: bit k is set where L grows with byte k of `columns`."""
    places = {byte: bits_where(columns, byte) for byte in set(rows)}
    all_bits = (1 << len(columns)) - 1
    level = all_bits  # set where L does not grow
    for byte in rows:
        hits = level & places[byte]
        level = ((level + hits) | (level - hits)) & all_bits
        yield all_bits ^ level


def bits_where(text: bytes, byte: int) -> int:
    """An int whose bit k is set where byte k of the text is the one given."""
    digits = bytearray(b'0' * 256)
    digits[byte] = ord('1')
    return int(text[::-1].translate(digits) or b'0', 2)


def last_growth(row: int, end: int) -> int:
    """The last index below `end` at which L grows in a row, -1 if it grows nowhere."""
    return (row & ((1 << end) - 1)).bit_length() - 1


def common_length(one: bytes, other: bytes) -> int:
    """The length of the longest common subsequence."""
    last = deque(growth_rows(*sorted((one, other), key=len)), maxlen=1)
    return last[0].bit_count() if last else 0


def common_indexes(one: bytes, other: bytes) -> Iterator[tuple[int, int]]:
    """The indexes, in both strings, of the bytes of that longest common subsequence which Redis finds; last one first.

    Where a byte is no match, Redis goes to L(i - 1, j) if that is larger than L(i, j - 1), else to L(i, j - 1).
    """
    if len(one) <= len(other):
        rows = list(growth_rows(one, other))
        end = len(other)
        for index in range(len(one) - 1, -1, -1):
            # To the left until a byte matches, or L(i, j - 1) is the smaller one.
            match, growth = other.rfind(one[index], 0, end), last_growth(rows[index], end)
            if match >= growth and match >= 0:
                yield index, match
                end = match
            else:
                end = growth + 1
    else:
        rows = [0, *growth_rows(other, one)]
        end = len(one)
        for other_index in range(len(other) - 1, -1, -1):
            # L(i - 1, j) is the larger one as long as L(i, j - 1) does not grow between a match further up and here.
            match = one.rfind(other[other_index], 0, end)
            if match >= 0 and (match == end - 1 or match > last_growth(rows[other_index], end)):
                yield match, other_index
                end = match


def common_runs(one: bytes, other: bytes) -> list[Run]:
    """The same subsequence as runs, last one first."""
    runs: list[Run] = []
    for start, other_start in common_indexes(one, other):
        if runs and (start + 1, other_start + 1) == runs[-1][:2]:
            runs[-1] = Run(start, other_start, runs[-1].length + 1)
        else:
            runs.append(Run(start, other_start, 1))
    return runs


def read_options(words: list[bytes]) -> Options:
    length = indexes = with_lengths = False
    least = 0
    rest = iter(words)
    for word in rest:
        match word.upper():
            case b'LEN':
                length = True
            case b'IDX':
                indexes = True
            case b'WITHMATCHLEN':
                with_lengths = True
            case b'MINMATCHLEN' if (number := next(rest, None)) is not None:
                least = integer(number)
            case _:
                raise ReplyError(SYNTAX)
    if length and indexes:
        raise ReplyError(b'ERR If you want both the length and indexes, please just use IDX.')
    return Options(length, indexes, least, with_lengths)


@command('LCS', arity=-3, flags='readonly', keys=(key('RO access', 1, 1),), since='7.0.0', group='string')
def lcs(client: Client, argv: Argv) -> Reply:
    """LCS key1 key2 [LEN] [IDX] [MINMATCHLEN min-match-len] [WITHMATCHLEN]

    Returns the longest sequence of bytes that two strings have in common, not necessarily side by side. LEN: only its
    length. IDX: where its parts are in both strings, MINMATCHLEN: only parts of that length or longer.

    O(N*M) in the lengths of the strings
    """
    _, key1, key2, *words = argv
    values = [client.db.read_any(key1), client.db.read_any(key2)]
    if not all(value is None or type(value) in STRING_KINDS for value in values):
        raise ReplyError(b'ERR The specified keys must contain string values')
    options = read_options(words)
    one, other = (b'' if value is None else bytes(text_of(value)) for value in values)
    if (len(one) + 1) * (len(other) + 1) * CELL_BYTES > client.engine.config['proto-max-bulk-len']:
        raise ReplyError(b'ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len')

    if options.length:
        return common_length(one, other)
    runs = common_runs(one, other)
    if not options.indexes:
        return b''.join(one[run.start : run.start + run.length] for run in reversed(runs))
    matches = [show(run, options.with_lengths) for run in runs if run.length >= options.least]
    return Map({b'matches': matches, b'len': sum(run.length for run in runs)})


def show(run: Run, with_length: bool) -> list[object]:
    start, other_start, length = run
    ranges: list[object] = [[start, start + length - 1], [other_start, other_start + length - 1]]
    return [*ranges, length] if with_length else ranges
