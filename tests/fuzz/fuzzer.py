"""What the fuzzers have in common: numbered inputs, repeatable failures, and the shrinking of failing inputs."""

import gc
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar

SHRINK_SECONDS = 60.0

Input = TypeVar('Input')
Part = TypeVar('Part')


class Failure(Exception):
    """An input has shown a fault. `kind` is the same for inputs that show the same one."""

    def __init__(self, kind: str, details: str = '') -> None:
        super().__init__(kind)
        self.kind = kind
        self.details = details


class Fuzzer(Protocol[Input]):
    """A kind of input: how one is made, checked, shrunk and shown."""

    name: str
    unit: str  # what `count` counts

    def make(self, seed: int, number: int) -> Input:
        """Return an input; the same one for the same arguments, in any process."""

    def check(self, made: Input) -> None:
        """Raises Failure."""

    def count(self, made: Input) -> int:
        """For how many inputs this one counts."""

    def reductions(self, made: Input) -> Iterable[Input]:
        """Inputs that are a little smaller, those first that are smaller by more."""

    def show(self, made: Input) -> str:
        """Return the input as text to be read, and to be tried by hand."""


class Found(Generic[Input]):
    """A failing input, by number and as it was made."""

    def __init__(self, number: int, made: Input, failure: Failure) -> None:
        self.number = number
        self.made = made
        self.failure = failure


def failure_of(fuzzer: Fuzzer[Input], made: Input) -> Failure | None:
    """Return how an input fails, None if it does not."""
    try:
        fuzzer.check(made)
    except Failure as failure:
        return failure.with_traceback(None)
    return None


def first_failure(fuzzer: Fuzzer[Input], seed: int, numbers: Iterable[int]) -> Found[Input] | None:
    """Check inputs of these numbers up to the first that fails; None if none does."""
    for number in numbers:
        made = fuzzer.make(seed, number)
        failure = failure_of(fuzzer, made)
        if failure is not None:
            return Found(number, made, failure)
    return None


def shrink(fuzzer: Fuzzer[Input], found: Found[Input], seconds: float = SHRINK_SECONDS) -> Found[Input]:
    """Make a failing input smaller as long as it fails in the same way, and time is left."""
    stop = time.monotonic() + seconds
    smallest = found
    shrunk = True
    while shrunk:
        shrunk = False
        for made in fuzzer.reductions(smallest.made):
            if time.monotonic() > stop:
                return smallest
            failure = failure_of(fuzzer, made)
            if failure is not None and failure.kind == found.failure.kind:
                smallest = Found(found.number, made, failure)
                shrunk = True
                break
    return smallest


def without_parts(parts: Sequence[Part]) -> Iterable[tuple[Part, ...]]:
    """The sequence without one of its parts: a half, a quarter, and so on down to a single element."""
    size = len(parts)
    while size > 1:
        size = (size + 1) // 2
        for at in range(0, len(parts), size):
            yield (*parts[:at], *parts[at + size :])


def check_cycles() -> None:
    """Raise Failure if there are objects that only the cyclic garbage collector can free; they are freed.

    To be called with automatic collection disabled, or nothing may be left to be found.
    """
    gc.set_debug(gc.DEBUG_SAVEALL)
    found = gc.collect()
    gc.set_debug(0)
    if found:
        kinds = Counter(type(each).__name__ for each in gc.garbage)
        gc.garbage.clear()
        gc.collect()
        raise Failure('uncollected cycle', ', '.join(f'{kind}: {count}' for kind, count in kinds.most_common(10)))


@contextmanager
def without_collection() -> Iterator[None]:
    """Disable automatic garbage collection. Objects that exist already are not looked at by explicit collections."""
    enabled = gc.isenabled()
    gc.disable()
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        if enabled:
            gc.enable()
