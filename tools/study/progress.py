"""Tells how far a run is and how long it will take: a bar on a terminal where tqdm is installed, else lines."""

import importlib
import importlib.util
import sys
import time
from types import TracebackType
from typing import Any, Self

TQDM: Any = importlib.import_module('tqdm').tqdm if importlib.util.find_spec('tqdm') else None
LINE_SECONDS = 10.0  # between two lines of the same load
FORMAT = '{percentage:3.0f}% |{bar}| {postfix}{desc}'


class Progress:
    """Counts planned seconds that are done. What is left takes as much longer than planned as what was has taken."""

    def __init__(self, planned_seconds: float) -> None:
        self.planned = planned_seconds
        self.done = 0.0
        self.started = time.monotonic()
        self.said_at = 0.0
        self.said = ''
        self.bar: Any = None
        if TQDM and sys.stderr.isatty():
            TQDM.monitor_interval = 0  # no thread: the load generators are forked
            self.bar = TQDM(total=planned_seconds, bar_format=FORMAT, dynamic_ncols=True, leave=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.bar is not None:
            self.bar.close()

    def advance(self, planned_seconds: float) -> None:
        self.done = min(self.planned, self.done + planned_seconds)
        if self.bar is not None:
            self.bar.n = self.done
            self.bar.refresh()

    def left(self) -> str:
        """The time left, as `3:05`."""
        took = time.monotonic() - self.started
        pace = (took + 5) / (self.done + 5)  # seconds for a planned one; the plan itself counts for something at first
        seconds = max(0, round((self.planned - self.done) * pace))
        return f'{seconds // 60}:{seconds % 60:02}'

    def show(self, doing: str) -> None:
        """Say what is being done."""
        if self.bar is not None:
            self.bar.set_description_str(f'{self.left()} left, {doing}')
            return
        now = time.monotonic()
        if doing != self.said and (not self.said or now - self.said_at >= LINE_SECONDS):
            self.said, self.said_at = doing, now
            self.say(f'{100 * self.done / max(self.planned, 1e-9):3.0f} %, {self.left()} left: {doing}')

    def say(self, text: str) -> None:
        """A line that stays."""
        if self.bar is not None:
            TQDM.write(text, file=sys.stderr)
        else:
            print(text, file=sys.stderr, flush=True)
