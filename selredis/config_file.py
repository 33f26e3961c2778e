"""redis.conf and the command line: text into directives.

Everything is conceptually one long file, as in Redis: the file, then standard input, then the options, each turned
into a line (`--port 6380` into `port "6380"`), and the last word on a parameter wins. Nothing here prints or exits.
"""

import glob
import os
import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

from selredis.config import Config
from selredis.config_table import PARAMETERS
from selredis.errors import ConfigError
from selredis.resp.inline import quote, split_words

BLANKS = b' \t\r\n'

# Passwords follow these names.
SECRET_NAMES = [parameter.name.encode() for parameter in PARAMETERS if parameter.kind.secret]
SECRETS = re.compile(rb'^user\b|' + b'|'.join(SECRET_NAMES), re.I)


class ConfigFileError(ConfigError):
    """A directive that cannot be taken. str() is the reason; `path` is empty for standard input and options.

    Without a line it is about the whole, for a caller that finds out later (a log file that cannot be opened).
    """

    def __init__(self, reason: str, line: str = '', line_number: int = 0, path: str = '') -> None:
        super().__init__(reason)
        self.line = line
        self.line_number = line_number
        self.path = path

    def block(self, version: str) -> str:
        """What redis-server prints on stderr before it exits with 1; the name of the file is this server's addition."""
        lines = ['', f'*** FATAL CONFIG FILE ERROR (Redis {version}) ***']
        if self.line_number:
            file = f' of {self.path}' if self.path else ''
            lines.append(f'Reading the configuration file, at line {self.line_number}{file}')
            lines.append(f">>> '{self.line}'")
        return '\n'.join([*lines, str(self), ''])


class UnreadableConfigFile(ConfigError):
    """A file that cannot be opened; str() is the line that redis-server logs before it exits with 1."""

    def __init__(self, path: str, error: OSError) -> None:
        super().__init__(f"Fatal error, can't open config file '{path}': {error.strerror}")


class Invocation(NamedTuple):
    """What the command line asks for."""

    wants: Literal['run', 'help', 'version'] = 'run'
    file: str | None = None  # absolute
    from_stdin: bool = False  # more directives come by standard input
    options: bytes = b''  # a line each


def parse_command_line(arguments: Sequence[str]) -> Invocation:
    """Read `[FILE] [--option value ...] [-]`, the words after the program's name (redis server.c, main).

    Options are not judged here: what is wrong with one comes out where its line is read.
    """
    if arguments and arguments[0] in ('-v', '--version'):
        return Invocation('version')
    if arguments and arguments[0] in ('-h', '--help'):
        return Invocation('help')
    file = os.path.abspath(arguments[0]) if arguments and not arguments[0].startswith('-') else None
    words = [os.fsencode(argument) for argument in arguments]
    last = len(words) - 1
    lines: list[bytes] = []
    from_stdin = False
    has_value = True  # of the option being read: until it has one, `--x` is its value and no option
    for place, word in enumerate(words):
        if place == 0 and file is not None:
            continue
        if word == b'-' and place in (0, last):
            from_stdin = True
        elif has_value and word.startswith(b'--'):
            lines.append(word[2:] + b' ')
            has_value = len(split_words(word) or []) != 1  # `--port 6380` may be one word
            # A script whose list of save points is empty writes --save and nothing behind it.
            if word.lower() == b'--save' and (place == last or words[place + 1].startswith(b'--')):
                lines[-1] += b'""'
                has_value = True
        else:
            if not lines:
                lines.append(b'')
            lines[-1] += quote(word) + b' '
            has_value = True
    return Invocation('run', file, from_stdin, b'\n'.join(lines))


def load(config: Config, file: str | None = None, stdin: bytes = b'', options: bytes = b'') -> None:
    """Read directives into the config: those of the file, of standard input and of the command line, in this order.

    Their lines are numbered through as redis-server numbers them, where the options begin a new line behind all else.
    Raises ConfigFileError or UnreadableConfigFile; what was read before stays set. Config.take_warnings has what the
    log should say of values that have no effect.
    """
    line_number = 1
    if file is not None:
        for found in read_files(file, file):
            read_lines(config, found.text, found.path, line_number, inside=(found.path,))
            line_number += found.text.count(b'\n')
    read_lines(config, stdin, '', line_number)
    line_number += stdin.count(b'\n') + 1
    read_lines(config, options, '', line_number)
    try:
        config.finish_reading()
    except ConfigError as error:
        raise ConfigFileError(str(error)) from error


class ReadFile(NamedTuple):
    path: str
    text: bytes


def read_files(path: str, shown: str) -> list[ReadFile]:
    """The file, or all files that a pattern finds, possibly none; `shown` is the name that an error speaks of."""
    paths = sorted(glob.glob(path)) if any(special in path for special in '*?[') else [path]
    files = []
    for found in paths:
        try:
            with open(found, 'rb') as file:
                files.append(ReadFile(os.path.realpath(found), file.read()))
        except OSError as error:
            raise UnreadableConfigFile(shown if found == path else found, error) from error
    return files


def read_lines(config: Config, text: bytes, path: str, line_number: int = 1, inside: tuple[str, ...] = ()) -> None:
    """Read a text into the config. Its first line has this number; `inside` are this file and those that include it."""
    for number, line in enumerate(text.split(b'\n'), line_number):
        line = line.strip(BLANKS)
        if not line or line.startswith(b'#'):
            continue
        try:
            included = read_line(config, line, inside)
        except UnreadableConfigFile:
            raise
        except ConfigError as error:
            raise ConfigFileError(str(error), without_secrets(line), number, path) from error
        for file in included:
            read_lines(config, file.text, file.path, inside=(*inside, file.path))


def read_line(config: Config, line: bytes, inside: tuple[str, ...]) -> list[ReadFile]:
    """Read one line; returns the files to read in its place.

    A relative name in `include` is meant from `dir`, which is where Redis stands at that moment.
    """
    words = split_words(line)
    if words is None:
        raise ConfigError('Unbalanced quotes in configuration line')
    if len(words) != 2 or words[0].lower() != b'include':
        if words:
            config.read_directive(words)
        return []
    name = os.fsdecode(words[1])
    files = read_files(os.path.join(config['dir'], name), name)
    if any(file.path in inside for file in files):
        raise ConfigError('a file may not include itself')
    return files


def without_secrets(line: bytes) -> str:
    """The line as an error may show it: it ends where a password may begin, wherever in it that is."""
    name = SECRETS.search(line)
    if name:
        line = line[: name.end()] + b' (redacted)'
    return line.decode('utf-8', 'backslashreplace')
