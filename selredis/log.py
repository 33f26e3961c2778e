"""The log, in Redis's format: `pid:M 23 Nov 2026 16:27:00.123 * text`.

A file is opened for each line, as Redis does it, so that logrotate may move it away without telling.
"""

import os
import syslog
import time
import traceback

LEVELS = ('debug', 'verbose', 'notice', 'warning', 'nothing')
MARKS = '.-*#'
PRIORITIES = (syslog.LOG_DEBUG, syslog.LOG_INFO, syslog.LOG_NOTICE, syslog.LOG_WARNING)

STANDARD_OUTPUT = 1

# A line may tell what a client has sent: that must not begin another line, nor speak to the terminal.
CONTROLS = {code: f'\\x{code:02x}' for code in (*range(0x20), *range(0x7F, 0xA0))}


class Log:
    """Lines of `level` and above, to standard output or to the end of a file, and to the system's log if asked to."""

    def __init__(self, level: str = 'notice', path: str = '') -> None:
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
        now = time.time()
        stamp = time.strftime('%d %b %Y %H:%M:%S', time.localtime(now))
        line = f'{os.getpid()}:M {stamp}.{int(now * 1000) % 1000:03d} {MARKS[level]} {text}\n'
        data = line.encode()
        try:
            if self.path:
                with open(self.path, 'ab', buffering=0) as file:
                    file.write(data)
            else:
                # Not by sys.stdout, which may be None, and keeps what a closed pipe did not take to fail at exit.
                os.write(STANDARD_OUTPUT, data)
        except OSError:
            # A full disk or a closed pipe must not end the server; there is nowhere left to say so.
            return


def encodable(text: str) -> str:
    """The text with escapes in place of what UTF-8 has no bytes for."""
    return text.encode('utf-8', 'backslashreplace').decode()
