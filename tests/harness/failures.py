"""Failing allocations: MemoryError at a chosen step of what the server does.

Two kinds of steps. `LineFailure` raises at the n-th line of the package's code that runs, which works on every Python
and is stricter than memory: it fails, too, between two lines neither of which allocates. `AllocationFailure` has the
n-th allocation of the interpreter fail, within a line and within the C code of a dict as well (`_testcapi`, which some
distributions leave out; CPython 3.12 and 3.13 crash in code of their own when some of these fail).
"""

import sys
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

import selredis

try:
    from _testcapi import remove_mem_hooks, set_nomemory  # type: ignore[import-not-found]
except ImportError:
    remove_mem_hooks = set_nomemory = None

CAN_FAIL_ALLOCATIONS = set_nomemory is not None and sys.version_info < (3, 12)
PACKAGE = str(Path(selredis.__file__).parent)


class LineFailure:
    """Within the block: MemoryError at line number `step` that runs, counted from 1; `reached` tells whether it ran."""

    def __init__(self, step: int) -> None:
        self.step = step
        self.reached = False
        self._lines = 0
        self._tracer: Any = None

    def __enter__(self) -> 'LineFailure':
        self._tracer = sys.gettrace()
        sys.settrace(self._on_call)
        return self

    def __exit__(self, _kind: type | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        sys.settrace(self._tracer)

    def _on_call(self, frame: FrameType, _event: str, _argument: object) -> Any:
        return self._on_event if frame.f_code.co_filename.startswith(PACKAGE) else None

    def _on_event(self, _frame: FrameType, event: str, _argument: object) -> Any:
        if event == 'line' and not self.reached:
            self._lines += 1
            if self._lines == self.step:
                self.reached = True
                raise MemoryError(f'injected at line {self.step}')
        return self._on_event


class AllocationFailure:
    """Within the block: allocation number `step` fails. How many there are is not known: `reached` is always true."""

    reached = True

    def __init__(self, step: int) -> None:
        self.step = step

    def __enter__(self) -> 'AllocationFailure':
        set_nomemory(self.step, self.step + 1)
        return self

    def __exit__(self, _kind: type | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        remove_mem_hooks()
