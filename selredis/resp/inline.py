r"""Words of a line of text with Redis's quoting: inline commands and the lines of a config file.

Words are parted by blanks. A word may be, or end in, one quoted part; what follows its closing quote must be a blank or
the end of the line.

- `"..."` knows \n \r \t \b \a and, for any byte, \x41; a backslash before anything else is that thing itself
- `'...'` knows \' alone

The line is read as C text is: it ends at a NUL (sds.c, sdssplitargs).
"""

import re

# Without any of these a line is parted as bytes.split does it. (Vertical tab and form feed part words only where one
# could begin; inside a word they are bytes like any other.)
SPECIAL = re.compile(rb'["\'\0\v\f]')

# The alternatives within quotes exclude each other, so a quote that is never closed costs linear time.
WORD = re.compile(
    rb"""
    (?P<plain> [^ \t\r\n"']* )
    (?: " (?P<double> (?: [^"\\] | \\. )* ) " (?= \s | \Z )
      | ' (?P<single> (?: [^'\\] | \\' | \\(?!') )* ) ' (?= \s | \Z )
    )?
    """,
    re.VERBOSE | re.DOTALL,
)
ESCAPE = re.compile(rb'\\(?:x([0-9a-fA-F]{2})|(.))', re.DOTALL)
CONTROL_BYTES = {b'n': b'\n', b'r': b'\r', b't': b'\t', b'b': b'\b', b'a': b'\a'}
# The bytes that do not stand for themselves in double quotes as `quote` writes them.
ESCAPES = (
    {byte: rb'\x%02x' % byte for byte in (*range(0x20), *range(0x7F, 0x100))}
    | {byte[0]: b'\\' + letter for letter, byte in CONTROL_BYTES.items()}
    | {byte: b'\\%c' % byte for byte in b'"\\'}
)
PLAIN = bytes(byte for byte in range(0x100) if byte not in ESCAPES)


def split_words(line: bytes) -> list[bytes] | None:
    """The words of a line, none for a blank one; None where a quote is not closed, or closed within a word."""
    if not SPECIAL.search(line):
        return line.split()
    line = line.partition(b'\0')[0]
    words = []
    position = after_blanks(line, 0)
    while position < len(line):
        word = WORD.match(line, position)
        assert word is not None  # it matches nothing at all
        plain, double, single = word.groups()
        position = word.end()
        if double is not None:
            words.append(plain + ESCAPE.sub(unescaped, double))
        elif single is not None:
            words.append(plain + single.replace(rb'\'', b"'"))
        elif line[position : position + 1] in (b'"', b"'"):
            return None
        else:
            words.append(plain)
        position = after_blanks(line, position)
    return words


def after_blanks(line: bytes, position: int) -> int:
    """Where the next thing stands that is no blank."""
    while line[position : position + 1].isspace():
        position += 1
    return position


def unescaped(escape: re.Match[bytes]) -> bytes:
    """The byte that an escape within double quotes stands for."""
    hexadecimal, letter = escape.groups()
    if hexadecimal is not None:
        return bytes.fromhex(hexadecimal.decode())
    return CONTROL_BYTES.get(letter, letter)


def quote(word: bytes) -> bytes:
    """A word in double quotes, in visible ASCII; `split_words` gives it back (sds.c, sdscatrepr)."""
    if not word.translate(None, PLAIN):
        return b'"%b"' % word
    return b'"%b"' % b''.join(ESCAPES.get(byte) or b'%c' % byte for byte in word)
