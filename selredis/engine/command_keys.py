"""Which words of a command are its keys, and what happens to them: read off the command's key specs.

That much is needed to say it to clients (COMMAND GETKEYS), and whatever has to know of keys before a command runs.
"""

from collections.abc import Callable
from typing import NamedTuple

from selredis.engine.command import UNKNOWN, Argv, Command, KeySpec
from selredis.numeric import is_integer


class FoundKey(NamedTuple):
    """A key among the words of a command, and what happens to it, in the words of KeySpec.flags."""

    key: bytes
    flags: tuple[str, ...]


class LegacyRange(NamedTuple):
    """First word, last word (negative: from the end) and step, as clients have asked for them since 2.8.13.

    Zeros if no such range holds any key. `movable` if it does not hold all of them.
    """

    first: int
    last: int
    step: int
    movable: bool


def set_flags(argv: Argv) -> tuple[str, ...]:
    """What SET does to its key: with GET it reads it, too."""
    reads = any(word.upper() == b'GET' for word in argv[3:])
    return ('RW', 'access', 'update') if reads else ('OW', 'update')


def bitfield_flags(argv: Argv) -> tuple[str, ...]:
    """What BITFIELD does to its key: it only reads it if there is nothing but GET, and no mistake (db.c)."""
    place = 2
    while place < len(argv):
        words = BITFIELD_READING.get(argv[place].upper(), 0)
        if not words or place + words > len(argv):
            return ('RW', 'access', 'update')
        place += words
    return ('RO', 'access')


def sort_keys(argv: Argv) -> list[FoundKey]:
    """What SORT reads and, if it stores, the last key that it was told to store at.

    Which keys a pattern makes of elements only these know. An option without all its words is none to SORT; here it
    takes what there is (db.c, sortGetKeys).
    """
    destination = None
    place = 2
    while place < len(argv):
        option = argv[place].upper()
        if option == b'STORE' and place + 1 < len(argv):
            destination = FoundKey(argv[place + 1], ('OW', 'update'))
        place += 1 + SORT_OPTION_WORDS.get(option, 0)
    source = FoundKey(argv[1], ('RO', 'access'))
    return [source] if destination is None else [source, destination]


def sort_ro_keys(argv: Argv) -> list[FoundKey]:
    return [FoundKey(argv[1], ('RO', 'access'))]


BITFIELD_READING = {b'GET': 3, b'OVERFLOW': 2}  # words of what does not write
SORT_OPTION_WORDS = {b'LIMIT': 2, b'GET': 1, b'BY': 1}  # behind the option

# For commands with keys that no key spec tells.
FINDERS: dict[str, Callable[[Argv], list[FoundKey]]] = {'sort': sort_keys, 'sort_ro': sort_ro_keys}


def stream_keys(argv: Argv) -> list[FoundKey] | None:
    """What XREAD and XREADGROUP read, as they themselves read their words; what happens to it is not told then."""
    place = 1
    while place < len(argv):
        option = argv[place].upper()
        if option == b'STREAMS':
            count, odd = divmod(len(argv) - place - 1, 2)
            return None if odd else [FoundKey(key, ()) for key in argv[place + 1 : place + 1 + count]]
        if option not in STREAM_OPTION_WORDS:
            return None
        place += 1 + STREAM_OPTION_WORDS[option]
    return None


STREAM_OPTION_WORDS = {b'BLOCK': 1, b'COUNT': 1, b'GROUP': 2, b'NOACK': 0}  # behind the option
# Where the key specs of a command fail.
FALLBACKS: dict[str, Callable[[Argv], list[FoundKey] | None]] = {'xread': stream_keys, 'xreadgroup': stream_keys}

# For keys whose flags are variable_flags: what they are for the words at hand.
VARIABLE_FLAGS: dict[str, Callable[[Argv], tuple[str, ...]]] = {'bitfield': bitfield_flags, 'set': set_flags}


def has_keys(command: Command) -> bool:
    """Whether it may have keys at all."""
    return any('not_key' not in spec.flags for spec in command.keys)


def find_keys(command: Command, argv: Argv) -> list[FoundKey] | None:
    """The keys in a call of the command, whose arity is right, in order; None if its words are not right."""
    finder = FINDERS.get(command.name)
    if finder is not None:
        return finder(argv)
    found: list[FoundKey] = []
    for spec in command.keys:
        if 'not_key' in spec.flags:
            continue
        places = _places(spec, argv)
        if places is None:
            continue
        if not places or places[-1] >= len(argv):
            return FALLBACKS[command.name](argv) if command.name in FALLBACKS else None
        flags = VARIABLE_FLAGS[command.name](argv) if 'variable_flags' in spec.flags else spec.flags
        found += [FoundKey(argv[place], flags) for place in places]
    return found


def _places(spec: KeySpec, argv: Argv) -> range | None:
    """The places of a spec's keys; they may lie behind the end of the command. None if its keyword is not there."""
    if spec.first is not None:
        count = argv[spec.at] if spec.at < len(argv) else b''
        if not is_integer(count):
            return range(0)
        first = spec.at + spec.first
        return range(first, first + int(count) * spec.step, spec.step)
    first = spec.at
    if spec.keyword:
        # The last word has nothing behind it: Redis does not look at it.
        found = [place for place in range(first, len(argv) - 1) if argv[place].upper() == spec.keyword.encode()]
        if not found:
            return None
        first = found[0] + 1
    if spec.limit:
        return range(first, first + (len(argv) - first) // spec.limit, spec.step)
    last = first + spec.last if spec.last >= 0 else len(argv) + spec.last
    return range(first, last + 1, spec.step)


def legacy_range(command: Command) -> LegacyRange:
    """The one range of words that COMMAND INFO tells of (server.c, populateCommandLegacyRangeSpec).

    Of several specs those that follow each other make one range.
    """
    movable = False
    firsts: list[int] = []
    lasts: list[int] = []
    step = 1
    for spec in command.keys:
        last = spec.at + spec.last if spec.last >= 0 else spec.last
        follows = not lasts or lasts[-1] == spec.at - 1
        indexed = spec.first is None and spec.at != UNKNOWN and not spec.keyword
        if indexed and follows and (spec.step == 1 or len(command.keys) == 1):
            firsts.append(spec.at)
            lasts.append(last)
            step = spec.step
        else:
            movable = True
    if not firsts:
        return LegacyRange(0, 0, 0, movable)
    # Counted from the end is behind any that is counted from the front.
    return LegacyRange(min(firsts), max(lasts, key=lambda last: (last < 0, last)), step, movable)
