"""What commands are made of: keys, values, numbers right and wrong, options in any order.

All strategies give bytes, or lists of bytes where several words belong together; `line` puts them in one command.
"""

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias, TypeVar

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

Argv: TypeAlias = list[bytes]
T = TypeVar('T')
Part: TypeAlias = bytes | SearchStrategy[bytes] | SearchStrategy[list[bytes]]

KEYS = (b'a', b'b', b'c', b'd')

keys = st.sampled_from(KEYS)
many_keys = st.lists(keys, min_size=1, max_size=3)

values = st.one_of(
    st.sampled_from((b'', b'x', b'y', b'z', b'text', b'0', b'7', b'-3', b'10', b'2.5', b'9223372036854775807')),
    st.binary(max_size=6),
)
many_values = st.lists(values, min_size=1, max_size=4)

not_integers = st.sampled_from(
    (b'', b' 1', b'1 ', b'+1', b'01', b'-0', b'1.0', b'1e2', b'0x1', b'1_0', b'x', b'9223372036854775808', b'\xff')
)
not_floats = st.sampled_from((b'', b' 1', b'1 ', b'1x', b'nan', b'x', b'1e', b'--1', b'1_0', b'1,5', b'\xff'))


def either(*parts: Part) -> SearchStrategy[bytes]:
    return st.one_of(*(st.just(part) if isinstance(part, bytes) else part for part in parts))


def mostly(usual: SearchStrategy[T], odd: SearchStrategy[T], times: int = 9) -> SearchStrategy[T]:
    """`usual` so many times as often as `odd`. (st.one_of would weigh by the alternatives that each has in it.)"""
    # Not the first or last: hypothesis likes the ends of a range.
    return st.integers(0, times).flatmap(lambda drawn: odd if drawn == (times + 1) // 2 else usual)


def numbers(*extra: int, low: int = -8, high: int = 8) -> SearchStrategy[bytes]:
    """Integers, small ones and `extra`, and now and then something that is none."""
    return mostly(st.one_of(st.integers(low, high), st.sampled_from((*extra, low))).map(digits), not_integers)


def digits(number: int) -> bytes:
    return b'%d' % number


small = numbers()
any_integer = numbers(2**31, -(2**31), 2**63 - 1, -(2**63), 2**62)
floats = mostly(
    st.one_of(
        st.sampled_from((b'0', b'1', b'-1', b'0.1', b'3.0e3', b'1e-7', b'5.25', b'-.5', b'1e17', b'inf', b'-inf')),
        st.integers(-1000, 1000).map(lambda number: b'%.3f' % (number / 8)),
    ),
    not_floats,
)


def any_case(word: bytes) -> SearchStrategy[bytes]:
    """Usually in capitals, as everybody writes it."""
    return st.sampled_from((word, word, word, word.lower(), word.title()))


def as_written(word: bytes) -> bytes:
    return word


# How a command is called, how many words it lacks, and which ones are too many. What is wrong is not the first or last,
# as above.
right = [(change, 0, ()) for change in (as_written, as_written, as_written, bytes.lower, bytes.title)] * 20
wrong = [(as_written, 1, ())] * 5 + [(as_written, 0, (word,)) for word in (b'', b'x', b'7', b'-3', b'2.5')]
manners = st.sampled_from(right + wrong + right)


def line(name: bytes, *parts: Part) -> SearchStrategy[Argv]:
    """A command of these parts; once in a while a word is missing or there is one too many."""

    def assemble(drawn: tuple[Any, ...]) -> Argv:
        (change, missing, surplus), words = drawn
        return [change(name), *words[: len(words) - missing], *surplus]

    return st.tuples(manners, together(parts)).map(assemble)


def exactly(name: bytes, *parts: Part) -> SearchStrategy[Argv]:
    """A command of these parts, and always of so many words."""
    return together((any_case(name), *parts))


def together(parts: Sequence[Part]) -> SearchStrategy[list[bytes]]:
    """Parts one after another. (Words that are given need not be drawn: most of the tests' time is spent drawing.)"""

    def assemble(drawn: Iterable[bytes | list[bytes]]) -> list[bytes]:
        rest = iter(drawn)
        words: list[bytes] = []
        for part in parts:
            chosen = part if isinstance(part, bytes) else next(rest)
            if isinstance(chosen, bytes):
                words.append(chosen)
            else:
                words += chosen
        return words

    return st.tuples(*(part for part in parts if not isinstance(part, bytes))).map(assemble)


def some_of(*options: SearchStrategy[list[bytes]], most: int = 3) -> SearchStrategy[list[bytes]]:
    """Some of the options in any order, also one twice, those that exclude each other, or one that there is not."""
    chosen = st.lists(mostly(st.one_of(*options), st.just([b'WHAT']), 12), max_size=most)
    return chosen.map(lambda lists: [word for words in lists for word in words])


def option(name: bytes, *parts: Part) -> SearchStrategy[list[bytes]]:
    return together((any_case(name), *parts))


# Deadlines far enough away that no test lives to see one, in the past, and none at all.
seconds = numbers(1000, 10**6, 2**63 - 1, low=-1, high=0)
milliseconds = numbers(10**6, 10**9, 2**63 - 1, low=-1, high=0)
unix_seconds = numbers(32503680000, 2**62, low=-1, high=1)
unix_milliseconds = numbers(32503680000123, 2**63 - 1, low=-1, high=1)
deadlines = (
    option(b'EX', seconds),
    option(b'PX', milliseconds),
    option(b'EXAT', unix_seconds),
    option(b'PXAT', unix_milliseconds),
)
