r"""Glob patterns as Redis matches them (util.c, stringmatchlen of 7.2): `*`, `?`, `[ab0-9]`, `[^ab]`, `\` to quote.

Details of Redis that may surprise:

- an unclosed class ends with the pattern; a backslash at the very end stands for itself
- a range may be written backwards, and its bytes are signed: \xff comes right before \x00
- with nocase, a quoted byte within a class is still case-sensitive
- stars alone match any text but the empty one (KEYS and SCAN test for `*` before they match)
- a pattern with more than MOST_STARS stars matches nothing

Theory of operation. The stars divide a pattern into segments: sequences of items that match one byte each. The first
place where a segment fits is as good as any later one, so nothing is tried twice: matching costs at most the length of
the pattern times that of the text. (Redis has the same bound since 7.0.9.)

A client may send thousands of patterns, so `compile_glob` itself does next to nothing. A pattern is divided when the
first text arrives, and only up to the number of items that the text could hold. It is compiled to a regular expression,
which takes as long as matching dozens of texts, only after dozens of texts.
"""

import re
import sys
from collections.abc import Callable
from functools import lru_cache
from typing import Union

# Only short patterns are compiled, and only short texts are matched by `re`: its time may grow with the product of both
# lengths, that of `_Items.places` with a sixty-fourth of it.
REGEX_ITEMS = 128
REGEX_TEXT_BYTES = 4096
REGEX_AFTER_TEXTS = 8  # plus the number of items: reading an expression takes as long as several texts for each
READ_SHARE = 28  # memory of a pattern that has been read, for each of its bytes (measured with many classes)
MOST_STARS = 1000  # followed by something else; a run of stars counts as one

STARS = re.compile(rb'\*+')
LITERAL = re.compile(rb'[^*?[\\]*')
PLAIN_ITEMS = re.compile(rb'[^*[\\]+')
PLAIN_MEMBERS = re.compile(rb'[^\]\\-]+(?!-)')  # of a class, those that are neither quoted nor the end of a range

_STAR, _ANY_BYTE, _OPEN, _CLOSE, _CARET, _DASH, _QUOTE = b'*?[]^-\\'

# A set of bytes is an integer: bit n is set if byte n is a member.
_ALL = (1 << 256) - 1
_UPPER = sum(1 << letter for letter in range(ord('A'), ord('Z') + 1))
_LOWER = _UPPER << 32
_EXACT = [1 << byte for byte in range(256)]
_EITHER_CASE = [1 << bytes([byte]).lower()[0] | 1 << bytes([byte]).upper()[0] for byte in range(256)]
_PLAIN, _EITHER_CASE_PLAIN = ([*table[:_ANY_BYTE], _ALL, *table[_ANY_BYTE + 1 :]] for table in (_EXACT, _EITHER_CASE))
_BYTES = {members: byte for byte, members in enumerate(_EXACT)}
_BELOW = [0]  # the n lowest bytes, ordered as signed integers
for _byte in (*range(0x80, 0x100), *range(0x80)):
    _BELOW.append(_BELOW[-1] | 1 << _byte)

Segment = Union[bytes, '_Items']  # bytes: a literal
Regex = Callable[[bytes], re.Match[bytes] | None]

# Short patterns that were compiled lately, by pattern and nocase: a SCAN sends the same one in each of its calls.
COMPILED: dict[tuple[bytes, bool], Regex] = {}
MOST_COMPILED = 256


def compile_glob(pattern: bytes, nocase: bool = False, regex_after: int = REGEX_AFTER_TEXTS) -> Callable[[bytes], bool]:
    """Return a function that returns whether a whole text matches the pattern.

    A short pattern that needs it is compiled to a regular expression after `regex_after` texts, and as many as it has
    items, that have its prefix.
    """
    if b'[' in pattern or b'\\' in pattern:
        return Glob(pattern, nocase, regex_after).matches
    if b'**' in pattern:
        pattern = STARS.sub(b'*', pattern)
    return _simple_matcher(pattern, nocase) or Glob(pattern, nocase, regex_after).matches


def _simple_matcher(pattern: bytes, nocase: bool) -> Callable[[bytes], bool] | None:
    """Return the fastest test for a pattern without wildcards other than one or two stars; None for all others."""
    if b'?' in pattern:
        return None
    if nocase:
        of_lower = _simple_matcher(pattern.lower(), False)
        return of_lower and (lambda text: of_lower(text.lower()))
    match pattern.split(b'*', 3):
        case [whole]:
            return whole.__eq__
        case [b'', b'']:
            return bool
        case [prefix, b'']:
            return lambda text: text.startswith(prefix)
        case [b'', suffix]:
            return lambda text: text.endswith(suffix)
        case [prefix, suffix]:
            width = len(prefix) + len(suffix)
            return lambda text: text.startswith(prefix) and text.endswith(suffix) and len(text) >= width
        case [b'', middle, b'']:
            return lambda text: middle in text
    return None


def prepared_bytes(matcher: Callable[[bytes], bool]) -> int:
    """Return the memory of what a function of `compile_glob` has read of its pattern so far."""
    glob = getattr(matcher, '__self__', None)
    return len(glob.pattern) * READ_SHARE if isinstance(glob, Glob) and glob.segments is not None else 0


class Glob:
    """A pattern that is read as far as the texts require, and compiled to a regular expression if there are many."""

    __slots__ = ('nocase', 'pattern', 'prefix', 'read_for', 'regex', 'segments', 'texts_to_regex')

    def __init__(self, pattern: bytes, nocase: bool, regex_after: int) -> None:
        self.pattern = pattern
        self.nocase = nocase
        literal = LITERAL.match(pattern)
        self.prefix = literal[0] if literal is not None and not nocase else b''
        self.read_for = -1  # bytes of a text
        self.segments: list[Segment] | None = None  # None: no text of up to `read_for` bytes matches
        self.texts_to_regex = regex_after
        self.regex = COMPILED.get((pattern, nocase))

    def matches(self, text: bytes) -> bool:
        """Return whether the whole of a text matches."""
        regex = self.regex
        if regex is not None and len(text) <= REGEX_TEXT_BYTES:
            return regex(text) is not None
        if not text.startswith(self.prefix):
            return False
        if len(text) > self.read_for:
            self._read(2 * len(text))  # not again for each text that is a little longer
        if self.segments is None:
            return False
        self.texts_to_regex -= 1
        if self.texts_to_regex == 0:
            self.regex = re.compile(_regex(self.segments), re.DOTALL).match
            if len(COMPILED) >= MOST_COMPILED:
                COMPILED.clear()
            COMPILED[self.pattern, self.nocase] = self.regex
        return _fits(self.segments, text)

    def _read(self, most: int) -> None:
        """Read the pattern for texts of up to `most` bytes."""
        self.segments = _segments(self.pattern, self.nocase, most)
        if self.segments is None:
            self.read_for = most
            return
        self.read_for = sys.maxsize
        items = sum(map(len, self.segments))
        self.texts_to_regex = self.texts_to_regex + items if items <= REGEX_ITEMS else 0


def _regex(segments: list[Segment]) -> bytes:
    """Return an expression for `match` without backtracking: a segment is atomic once its first place is found.

    The last one is not searched for: `.{n,}` takes the whole rest, which must end with the segment.
    """
    first, *others = [re.escape(segment) if isinstance(segment, bytes) else segment.regex() for segment in segments]
    if not others:
        return first + rb'\Z'
    *middle, last = others
    found = first + b''.join(b'(?>.*?%b)' % segment for segment in middle)
    return found + b'(?>.{%d,})(?<=%b)' % (len(segments[-1]), last) if last else found


def _fits(segments: list[Segment], text: bytes) -> bool:
    """Return whether the segments, with stars between them, make up the text."""
    first, last = segments[0], segments[-1]
    start, end = len(first), len(text) - len(last)
    if not (text.startswith(first) if isinstance(first, bytes) else first.fits(text, 0)):
        return False
    if len(segments) == 1:
        return end == 0
    if not (text.endswith(last) if isinstance(last, bytes) else last.fits(text, end)):
        return False
    for segment in segments[1:-1]:
        place = text.find(segment, start, end) if isinstance(segment, bytes) else segment.find(text, start, end)
        if place < 0:
            return False
        start = place + len(segment)
    return start <= end


class _Items:
    """A segment that is no literal: for each item the set of bytes that it matches."""

    __slots__ = ('items',)

    def __init__(self, items: list[int]) -> None:
        self.items = items

    def __len__(self) -> int:
        return len(self.items)

    def fits(self, text: bytes, place: int) -> bool:
        """Return whether it fits at this one place, which may be outside of the text."""
        taken = text[place : place + len(self.items)]
        if place < 0 or len(taken) < len(self.items):
            return False
        return all(item >> byte & 1 for item, byte in zip(self.items, taken, strict=True))

    def find(self, text: bytes, start: int, end: int) -> int:
        """Return the first place from `start` on where it fits and ends at or before `end`; -1 if there is none."""
        width = len(self.items)
        # In windows, each twice as large as the last, so that a near place costs little in a long text.
        window = 2 * width + 64
        while start + width <= end:
            places = self.places(text[start : min(start + window, end)])
            if places:
                return start + (places & -places).bit_length() - 1
            start += window - width + 1
            window = min(2 * window, max(2 * width, 65536))
        return -1

    def places(self, text: bytes) -> int:
        """Return all places where it fits, as the bits of an integer: sixty-four are tried in one machine step.

        The text must not be shorter than the segment.
        """
        places = (1 << (len(text) - len(self.items) + 1)) - 1
        backwards = text[::-1]  # the first byte becomes the lowest bit
        found: dict[int, int] = {}
        for offset, item in enumerate(self.items):
            if item == _ALL:
                continue
            if item not in found:
                found[item] = int(backwards.translate(_digits(item)), 2)
            places &= found[item] >> offset
            if not places:
                break
        return places

    def regex(self) -> bytes:
        return b''.join(map(_item_regex, self.items))


@lru_cache(maxsize=1024)
def _digits(members: int) -> bytes:
    """Return a table for bytes.translate: the digit 1 for the members, 0 for the others."""
    return f'{members:0256b}'[::-1].encode()


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


def _segments(pattern: bytes, nocase: bool, most: int) -> list[Segment] | None:
    """Divide a pattern at its stars. None if it has more items than `most`."""
    if b'[' in pattern or b'\\' in pattern or nocase:
        segments = _read_segments(pattern, nocase, most)
    elif len(pattern) - pattern.count(b'*') > most:
        return None
    else:  # no two stars follow each other (compile_glob)
        texts = pattern.split(b'*')
        segments = [_Items([_PLAIN[byte] for byte in text]) if b'?' in text else text for text in texts]
    if segments is not None and len(segments) - (1 if segments[-1] else 2) > MOST_STARS:
        return [_Items([0])]
    return segments


def _read_segments(pattern: bytes, nocase: bool, most: int) -> list[Segment] | None:
    """Divide any pattern at its stars; a run of stars is one. None if it has more items than `most`."""
    literals, plain = (_EITHER_CASE, _EITHER_CASE_PLAIN) if nocase else (_EXACT, _PLAIN)
    segments: list[Segment] = []
    items: list[int] = []
    at, size = 0, len(pattern)
    while at < size:
        byte = pattern[at]
        if byte == _STAR:
            segments.append(_segment(items))
            most -= len(items)
            items = []
            run = STARS.match(pattern, at)
            assert run is not None
            at = run.end()
        elif byte == _OPEN:
            members, at = _class(pattern, at + 1, literals, nocase)
            items.append(members)
        elif byte == _QUOTE:
            items.append(literals[pattern[at + 1] if at + 1 < size else _QUOTE])
            at += 2
        else:
            run = PLAIN_ITEMS.match(pattern, at, at + most + 1)
            assert run is not None
            items += [plain[byte] for byte in run[0]]
            at = run.end()
        if len(items) > most:
            return None
    return [*segments, _segment(items)]


def _segment(items: list[int]) -> Segment:
    try:
        return bytes([_BYTES[item] for item in items])
    except KeyError:
        return _Items(items)


def _class(pattern: bytes, at: int, literals: list[int], nocase: bool) -> tuple[int, int]:
    """Read a class after its bracket. Return its members and where the pattern goes on."""
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


def _range(first: int, last: int, nocase: bool) -> int:
    r"""Return the bytes from one to another, in either order; as signed bytes, \x80 to \xff come before \x00.

    With nocase the ends are converted to lower case after they were ordered, and so is each byte that is compared.
    """
    low, high = sorted((first ^ 0x80, last ^ 0x80))  # signed, counted from 0
    if not nocase:
        return _BELOW[high + 1] & ~_BELOW[low]
    low, high = (bytes([end ^ 0x80]).lower()[0] ^ 0x80 for end in (low, high))
    members = _BELOW[high + 1] & ~_BELOW[low]
    return (members & ~_UPPER) | (members & _LOWER) >> 32
