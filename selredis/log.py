"""The log, in Redis's format: `pid:M 23 Nov 2026 16:27:00.123 * text`.

A file is opened for each line, as Redis does it, so that logrotate may move it away without telling.
"""

import os
import syslog
import time
import traceback
from typing import Protocol

from selredis.clock import Clock, SystemClock

LEVELS = ('debug', 'verbose', 'notice', 'warning', 'nothing')
MARKS = '.-*#'
PRIORITIES = (syslog.LOG_DEBUG, syslog.LOG_INFO, syslog.LOG_NOTICE, syslog.LOG_WARNING)

STANDARD_OUTPUT = 1

# A line may tell what a client has sent: that must not begin another line, nor speak to the terminal.
CONTROLS = {code: f'\\x{code:02x}' for code in (*range(0x20), *range(0x7F, 0xA0))}


class Logger(Protocol):
    """What the parts of a server log to, with Redis's levels."""

    def debug(self, text: str) -> None: ...

    def verbose(self, text: str) -> None: ...

    def notice(self, text: str) -> None: ...

    def warning(self, text: str) -> None: ...

    def defect(self, text: str, error: BaseException) -> None:
        """Log an exception that is a defect of this server, with its traceback."""


class Log:
    """Lines of `level` and above, to standard output or to the end of a file, and to the system's log if asked to.

    No method raises: not for a time that the system cannot convert, nor for a file that cannot be written.
    """

    def __init__(self, level: str = 'notice', path: str = '', clock: Clock | None = None) -> None:
        self.clock = clock or SystemClock()
        self.to_syslog = False
        self.set(level, path)

    def set(self, level: str, path: str) -> None:
        """Go on with another level (one of LEVELS) or file ('' for standard output)."""
        self.threshold = LEVELS.index(level)
        self.path = path

    def open_syslog(self, ident: str, facility: str) -> None:
        """From now on tell the system's log, too, of whose facilities one is `user` or `local0` to `local7`."""
        options = syslog.LOG_PID | syslog.LOG_NDELAY | syslog.LOG_NOWAIT
        syslog.openlog(encodable(ident), options, getattr(syslog, f'LOG_{facility.upper()}'))
        self.to_syslog = True

    def debug(self, text: str) -> None:
        self._write(0, text)

    def verbose(self, text: str) -> None:
        self._write(1, text)

    def notice(self, text: str) -> None:
        self._write(2, text)

    def warning(self, text: str) -> None:
        self._write(3, text)

    def defect(self, text: str, error: BaseException) -> None:
        """A defect of this server: the text, then the traceback line by line."""
        trace = ''.join(traceback.format_exception(error))
        for line in [text, *trace.rstrip().split('\n')]:
            self._write(3, line)

    def _write(self, level: int, text: str) -> None:
        if level < self.threshold:
            return
        text = encodable(text.translate(CONTROLS))
        if self.to_syslog:
            syslog.syslog(PRIORITIES[level], text)
        line = f'{os.getpid()}:M {timestamp(self.clock.now_ms())} {MARKS[level]} {text}\n'
        data = line.encode()
        try:
            if self.path:
                with open(self.path, 'ab', buffering=0) as file:
                    file.write(data)
            else:
                # Not by sys.stdout, which may be None, and keeps what a closed pipe did not take to fail at exit.
                os.write(STANDARD_OUTPUT, data)
        except (OSError, ValueError):
            # A full disk, a closed pipe or a path with a NUL must not end the server; there is nowhere left to say so.
            return


def timestamp(now_ms: int) -> str:
    """Local time as Redis writes it, `23 Nov 2026 16:27:00.123`; Unix time if the system has no date for it."""
    seconds, ms = divmod(now_ms, 1000)
    try:
        date = time.strftime('%d %b %Y %H:%M:%S', time.localtime(seconds))
    except (OSError, OverflowError, ValueError):
        date = str(seconds)
    return f'{date}.{ms:03d}'


def encodable(text: str) -> str:
    """The text with escapes in place of what UTF-8 has no bytes for."""
    return text.encode('utf-8', 'backslashreplace').decode()
