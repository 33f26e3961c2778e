r"""Glob patterns as Redis matches them (util.c, stringmatchlen of 7.2): `*`, `?`, `[ab0-9]`, `[^ab]`, `\` to quote.

What a reader might not expect, and what Redis does:

- a class that is never closed ends with the pattern; a backslash at the very end stands for itself
- a range may be written backwards, and its bytes are signed: \xff comes right before \x00
- with nocase, a quoted byte within a class still minds its case
- stars alone match any text but the empty one (KEYS and SCAN take `*` for everything before they come here)

Between two stars lies a segment: items that take one byte each. The first place where a segment fits is as good as any
later one, so nothing is tried twice, and no pattern can cost more than its length times that of the text. (Redis has
the same bound since 7.0.9. It also goes no deeper than MOST_STARS, so a pattern with more of them matches nothing.) A
pattern with more items than a text has bytes is read no further than to see that: one of megabytes takes no memory.
"""

import re
from collections.abc import Callable
from functools import lru_cache

# Patterns and texts up to these lengths are left to `re`, where one step more or less does not count.
REGEX_ITEMS = 128
REGEX_TEXT_BYTES = 4096
MOST_STARS = 1000  # with something behind them; many in a row count as one
USUAL_TEXT_BYTES = 4096  # a pattern with more items is looked at again when a text comes that has more bytes

STARS = re.compile(rb'\**')
PLAIN_MEMBERS = re.compile(rb'[^\]\\-]+(?!-)')  # of a class, those that are neither quoted nor a range's end

_STAR, _ANY_BYTE, _OPEN, _CLOSE, _CARET, _DASH, _QUOTE = b'*?[]^-\\'

# A set of bytes is an integer: bit n says whether byte n is in it.
_ALL = (1 << 256) - 1
_UPPER = sum(1 << letter for letter in range(ord('A'), ord('Z') + 1))
_LOWER = _UPPER << 32
_EXACT = [1 << byte for byte in range(256)]
_EITHER_CASE = [1 << bytes([byte]).lower()[0] | 1 << bytes([byte]).upper()[0] for byte in range(256)]


def matches(pattern: bytes, text: bytes, nocase: bool = False) -> bool:
    """Whether the whole text fits the pattern. For more than a few texts take `compile_glob`."""
    segments = _segments(pattern, nocase, len(text))
    return segments is not None and _fits(segments, text)


def compile_glob(pattern: bytes, nocase: bool = False) -> Callable[[bytes], bool]:
    """Return what `matches` would say of a text, as a function of the text alone."""
    segments = _segments(pattern, nocase, USUAL_TEXT_BYTES)
    if segments is None:
        return _LongPattern(pattern, nocase).matches
    simple = _simple_matcher([segment.literal for segment in segments])
    if simple is not None:
        return simple
    if sum(segment.width for segment in segments) > REGEX_ITEMS:
        return lambda text: _fits(segments, text)
    match = re.compile(_regex(segments), re.DOTALL).match
    return lambda text: match(text) is not None if len(text) <= REGEX_TEXT_BYTES else _fits(segments, text)


class _LongPattern:
    """A pattern of more items than USUAL_TEXT_BYTES. Only longer texts can fit it; it is read when there is one."""

    __slots__ = ('most', 'nocase', 'pattern', 'segments')

    def __init__(self, pattern: bytes, nocase: bool) -> None:
        self.pattern = pattern
        self.nocase = nocase
        self.most = USUAL_TEXT_BYTES  # it has more items than that, or these segments
        self.segments: list[_Segment] | None = None

    def matches(self, text: bytes) -> bool:
        if self.segments is None and len(text) > self.most:
            self.most = 2 * len(text)  # so as not to read it again for each text that is a little longer
            self.segments = _segments(self.pattern, self.nocase, self.most)
        return self.segments is not None and _fits(self.segments, text)


def _simple_matcher(literals: list[bytes | None]) -> Callable[[bytes], bool] | None:
    """The fastest test for patterns of at most two stars and no other wildcard; None for all others."""
    match literals:
        case [bytes(whole)]:
            return whole.__eq__
        case [b'', b'']:
            return bool
        case [bytes(prefix), b'']:
            return lambda text: text.startswith(prefix)
        case [b'', bytes(suffix)]:
            return lambda text: text.endswith(suffix)
        case [bytes(prefix), bytes(suffix)]:
            width = len(prefix) + len(suffix)
            return lambda text: text.startswith(prefix) and text.endswith(suffix) and len(text) >= width
        case [b'', bytes(middle), b'']:
            return lambda text: middle in text
    return None


def _regex(segments: list['_Segment']) -> bytes:
    """An expression for `match` that gives nothing back: a segment is atomic once its first place is found.

    The last one is not searched for: all that is left is taken, if it is enough, and must end with the segment.
    """
    first, *others = [segment.regex() for segment in segments]
    if not others:
        return first + rb'\Z'
    *middle, last = others
    found = first + b''.join(b'(?>.*?%b)' % segment for segment in middle)
    return found + b'(?>.{%d,})(?<=%b)' % (segments[-1].width, last) if last else found


def _fits(segments: list['_Segment'], text: bytes) -> bool:
    """Whether the segments, with stars between them, make up the text."""
    start, end = segments[0].width, len(text) - segments[-1].width
    if not segments[0].fits(text, 0) or not segments[-1].fits(text, end):
        return False
    if len(segments) == 1:
        return end == 0
    for segment in segments[1:-1]:
        place = segment.find(text, start, end)
        if place < 0:
            return False
        start = place + segment.width
    return start <= end and text != b''


class _Segment:
    """What a pattern has between two stars: the set of bytes that each of its items takes."""

    __slots__ = ('items', 'literal', 'offsets', 'width')

    def __init__(self, items: list[int]) -> None:
        self.items = items
        self.width = len(items)
        # An item that takes one byte only has one bit. What consists of such is found faster as what it is.
        self.literal: bytes | None = None
        if all(item and item & (item - 1) == 0 for item in items):
            self.literal = bytes(item.bit_length() - 1 for item in items)
        self.offsets: dict[int, list[int]] = {}
        for offset, item in enumerate(items):
            if item != _ALL:
                self.offsets.setdefault(item, []).append(offset)

    def fits(self, text: bytes, place: int) -> bool:
        """Whether it fits at this one place; not if that is negative."""
        if place < 0:
            return False
        if self.literal is not None:
            return text.startswith(self.literal, place)
        return self._places(text[place : place + self.width]) == 1

    def find(self, text: bytes, start: int, end: int) -> int:
        """The first place from `start` on where it fits and ends at or before `end`; -1 if there is none."""
        if self.literal is not None:
            return text.find(self.literal, start, end)
        # In windows, so that a place close by costs little, however long the text: each twice as large as the last.
        window = 2 * self.width + 64
        while start + self.width <= end:
            places = self._places(text[start : min(start + window, end)])
            if places:
                return start + (places & -places).bit_length() - 1
            start += window - self.width + 1
            window = min(2 * window, max(2 * self.width, 65536))
        return -1

    def _places(self, text: bytes) -> int:
        """All places where it fits, as the bits of a number: sixty-four of them are tried in one machine step."""
        if len(text) < self.width:
            return 0
        places = (1 << (len(text) - self.width + 1)) - 1
        backwards = text[::-1]  # the first byte is to be the lowest bit
        for item, offsets in self.offsets.items():
            members = f'{item:0256b}'[::-1].encode()
            taken = int(backwards.translate(members), 2)
            for offset in offsets:
                places &= taken >> offset
            if not places:
                return 0
        return places

    def regex(self) -> bytes:
        return b''.join(map(_item_regex, self.items))


def _item_regex(item: int) -> bytes:
    if item == _ALL:
        return b'.'
    if item == 0:
        return rb'[^\x00-\xff]'
    # By ranges, of the members or of the others, which are fewer: `re` is slow to read many.
    if item.bit_count() > 128:
        return b'[^%b]' % _ranges(_ALL ^ item)
    return b'[%b]' % _ranges(item)


def _ranges(members: int) -> bytes:
    ranges = []
    while members:
        first = (members & -members).bit_length() - 1
        others = ~(members >> first)
        count = (others & -others).bit_length() - 1
        ranges.append(b'\\x%02x-\\x%02x' % (first, first + count - 1))
        members &= -1 << first + count
    return b''.join(ranges)


def _segments(pattern: bytes, nocase: bool, most: int) -> list[_Segment] | None:
    """Cut a pattern at its stars; a run of stars is one. None if it has more items than `most`."""
    literals = _EITHER_CASE if nocase else _EXACT
    cut: list[list[int]] = [[]]
    at, size = 0, len(pattern)
    items = 0
    while at < size:
        byte = pattern[at]
        at += 1
        if byte == _STAR:
            cut.append([])
            run = STARS.match(pattern, at)
            at = run.end() if run is not None else at
            continue
        if items == most:
            return None
        items += 1
        if byte == _ANY_BYTE:
            cut[-1].append(_ALL)
        elif byte == _OPEN:
            members, at = _class(pattern, at, literals, nocase)
            cut[-1].append(members)
        else:
            if byte == _QUOTE and at < size:
                byte = pattern[at]
                at += 1
            cut[-1].append(literals[byte])
    segments = [_Segment(items) for items in cut]
    stars = len(cut) - (1 if cut[-1] else 2)
    return segments if stars <= MOST_STARS else [_Segment([0])]


def _class(pattern: bytes, at: int, literals: list[int], nocase: bool) -> tuple[int, int]:
    """Read a class from behind its bracket; returns its members and where the pattern goes on."""
    negated = pattern[at : at + 1] == b'^'
    at += negated
    members = 0
    size = len(pattern)
    while at < size and pattern[at] != _CLOSE:
        plain = PLAIN_MEMBERS.match(pattern, at)
        if plain is not None:
            for byte in set(plain[0]):
                members |= literals[byte]
            at = plain.end()
        elif pattern[at] == _QUOTE and at + 1 < size:
            members |= 1 << pattern[at + 1]
            at += 2
        elif at + 2 < size and pattern[at + 1] == _DASH:
            members |= _range(pattern[at], pattern[at + 2], nocase)
            at += 3
        else:
            members |= literals[pattern[at]]
            at += 1
    return (_ALL ^ members if negated else members), at + 1


@lru_cache(maxsize=1024)
def _range(first: int, last: int, nocase: bool) -> int:
    r"""The bytes from one to another, in either order, \x80 to \xff coming before \x00 as signed bytes do.

    With nocase the ends are lowered once they are in order, and so is every byte that is held against them.
    """
    low, high = sorted((first ^ 0x80, last ^ 0x80))  # signed, counted from 0
    if nocase:
        low, high = (bytes([end ^ 0x80]).lower()[0] ^ 0x80 for end in (low, high))
    members = max((2 << high) - (1 << low), 0)
    members = (members << 128 | members >> 128) & _ALL  # unsigned again
    return (members & ~_UPPER) | (members & _LOWER) >> 32 if nocase else members
