"""Runs a driver with its function calls recorded: `python -m tools.study.profiled ADDRESS MODULE [options]`.

The profile function (sys.setprofile) is there from the start and notes calls only in between `begin` and `end`, which
come over a connection to ADDRESS to a thread of its own. So nothing wakes the driver's loop but what its clients say,
and what is recorded is theirs alone. The thread sleeps while the driver works.

What is seen: calls of Python functions (a coroutine's every resumption is one) and of functions written in C that
Python code calls. What C calls by itself (asyncio's C parts, uvloop) is not; nor is making an object of a C class.
"""

import runpy
import sys
import sysconfig
import threading
import time
from collections.abc import Sequence
from multiprocessing.connection import Client, Connection
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent.parent
LOOK_SECONDS = 0.004
QUIET_LOOKS = 3  # without a call in between: the driver waits

PYTHON, C, MARK = 'python', 'c', 'mark'


class Call(NamedTuple):
    """One call. Of a Python function its place in the source; of a C function the place that it was called from.

    `depth` counts callers. A mark is no call: its `function` is what happened then.
    """

    kind: str
    depth: int
    function: str
    file: str
    line: int


class Recorder:
    """The profile function, and what it has noted."""

    def __init__(self) -> None:
        self.seen = 0
        self.calls: list[Call] | None = None

    def __call__(self, frame: FrameType, event: str, argument: Any) -> None:
        self.seen += 1
        calls = self.calls
        if calls is None:
            return
        code = frame.f_code
        if event == 'call':
            file = short_name(code.co_filename)
            calls.append(Call(PYTHON, depth_of(frame), code.co_qualname, file, code.co_firstlineno))
        elif event == 'c_call':
            file = short_name(code.co_filename)
            calls.append(Call(C, depth_of(frame) + 1, c_name(argument), file, frame.f_lineno or 0))

    def settle(self) -> None:
        """Wait until the driver waits."""
        quiet = 0
        while quiet < QUIET_LOOKS:
            seen = self.seen
            time.sleep(LOOK_SECONDS)
            quiet = quiet + 1 if self.seen == seen else 0

    def obey(self, channel: Connection) -> None:
        """Do what the other end asks, until it hangs up."""
        while True:
            try:
                wish, words = channel.recv()
            except (EOFError, OSError):
                return
            self.settle()
            if wish == 'begin':
                self.calls = []
            elif wish == 'mark' and self.calls is not None:
                self.calls.append(Call(MARK, 0, words, '', 0))
            answer: list[Call] = []
            if wish == 'end':
                answer, self.calls = self.calls or [], None
            channel.send([tuple(call) for call in answer])


def depth_of(frame: FrameType) -> int:
    depth = 0
    caller = frame.f_back
    while caller is not None:
        depth += 1
        caller = caller.f_back
    return depth


def c_name(function: Any) -> str:
    """`socket.recv`, `len`, `time.monotonic`."""
    name: str = getattr(function, '__qualname__', type(function).__name__)
    module = getattr(function, '__module__', None)
    return f'{module}.{name}' if module and module != 'builtins' and '.' not in name else name


_PREFIXES = [str(ROOT), *(sysconfig.get_path(name) for name in ('purelib', 'platlib', 'stdlib', 'platstdlib'))]
_short_names: dict[str, str] = {}


def short_name(file: str) -> str:
    """A file as seen from the checkout, the installed packages or the standard library: `asyncio/events.py`."""
    short = _short_names.get(file)
    if short is None:
        prefix = next((prefix for prefix in _PREFIXES if file.startswith(prefix + '/')), '')
        short = _short_names[file] = file[len(prefix) + 1 :] if prefix else file
    return short


def main(words: Sequence[str]) -> None:
    address, module, *options = words
    recorder = Recorder()
    threading.Thread(target=recorder.obey, args=(Client(address),), daemon=True).start()
    sys.argv = [module, *options]
    sys.setprofile(recorder)
    runpy.run_module(module, run_name='__main__', alter_sys=True)


if __name__ == '__main__':
    main(sys.argv[1:])
