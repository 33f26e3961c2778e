"""An event loop: file descriptors, readiness, timers and wake-ups. It knows nothing of Redis.

A turn is: run the timers that are due, call `before_wait`, wait until a descriptor is ready or the next timer is due,
call back for each ready descriptor. Callbacks must not block; nothing else in the process runs meanwhile.
"""

import selectors
import signal
import socket
from collections import deque
from collections.abc import Callable
from selectors import EVENT_READ, EVENT_WRITE
from typing import Protocol

from selredis.clock import Clock
from selredis.timers import Timers

Callback = Callable[[], object]


# The longest wait: epoll_wait takes 24 days at most, and Python's selectors raise OverflowError for more.
MAX_WAIT_SECONDS = 3600.0


class Meter(Protocol):
    """Where a loop counts how long it was not waiting, in all and in the longest turn."""

    busy_ns: int
    longest_turn_ns: int


class Loop:
    """Readers and writers by file descriptor, over the best selector that the system has.

    `on_error(fd, error)` is told of every exception that a reader or writer raises, once the callback has ended; the
    loop goes on.
    """

    def __init__(
        self, clock: Clock, timers: Timers, on_error: Callable[[int, Exception], object], meter: Meter
    ) -> None:
        self.clock = clock
        self.read_ns = clock.monotonic_ns
        self.meter = meter
        self._woke_ns = self.read_ns()
        self.timers = timers
        self.on_error = on_error
        self.before_wait: Callback = lambda: None
        self.selector = selectors.DefaultSelector()
        self.turns = 0
        self._callbacks: dict[int, tuple[Callback | None, Callback | None]] = {}
        self._stopped = False
        self._again = False
        self._wakes_on_signals = False
        self._calls: deque[Callback] = deque()
        # The self-pipe (D. J. Bernstein): a byte in it ends a wait, whoever writes it.
        self._wake_reader, self._wake_writer = socket.socketpair()
        self._wake_reader.setblocking(False)
        self._wake_writer.setblocking(False)
        self.add_reader(self._wake_reader.fileno(), self._on_wake)

    def add_reader(self, fd: int, callback: Callback) -> None:
        """Call back whenever fd has something to read, or its peer has gone."""
        self._watch(fd, callback, self._callbacks.get(fd, (None, None))[1])

    def add_writer(self, fd: int, callback: Callback) -> None:
        """Call back whenever fd takes something to write."""
        self._watch(fd, self._callbacks.get(fd, (None, None))[0], callback)

    def remove_reader(self, fd: int) -> None:
        self._watch(fd, None, self._callbacks.get(fd, (None, None))[1])

    def remove_writer(self, fd: int) -> None:
        self._watch(fd, self._callbacks.get(fd, (None, None))[0], None)

    def forget(self, fd: int) -> None:
        """Watch fd no more; to be called before it is closed."""
        self._watch(fd, None, None)

    def call_threadsafe(self, callback: Callback) -> None:
        """Call back from the loop's own thread in its next turn. The one method that another thread may call."""
        self._calls.append(callback)
        self._wake()

    def wake_on_signals(self) -> None:
        """Let a signal end a wait, so that what its handler has noted is seen at once. In the main thread only."""
        signal.set_wakeup_fd(self._wake_writer.fileno(), warn_on_full_buffer=False)
        self._wakes_on_signals = True

    def call_again(self) -> None:
        """Do not wait at the end of this turn: there is more to do in the next."""
        self._again = True

    def run(self) -> None:
        """Take turns until `stop`."""
        self._stopped = False
        while not self._stopped:
            self.turn()

    def stop(self) -> None:
        """Have `run` return when the present turn is over."""
        self._stopped = True

    def turn(self) -> None:
        """Timers, `before_wait`, one wait, and the callbacks of what is ready."""
        self.turns += 1
        timers = self.timers
        now_ms = self.now_ms()
        timers.run_due(now_ms)
        self.before_wait()
        if self._again or self._stopped:
            seconds: float | None = 0
            self._again = False
        else:
            seconds = timers.seconds_until_next(now_ms)
            if seconds is not None and seconds > MAX_WAIT_SECONDS:
                seconds = MAX_WAIT_SECONDS
        read_ns = self.read_ns
        meter = self.meter
        busy_ns = read_ns() - self._woke_ns
        meter.busy_ns += busy_ns
        if busy_ns > meter.longest_turn_ns:
            meter.longest_turn_ns = busy_ns
        ready = self.selector.select(seconds)
        self._woke_ns = read_ns()
        for key, mask in ready:
            reader, writer = key.data
            try:
                if mask == EVENT_READ:
                    reader()
                    continue
                if mask & EVENT_WRITE and writer is not None:
                    writer()
                if mask & EVENT_READ and reader is not None:
                    reader()
            except Exception as error:
                self.on_error(key.fd, error)

    def close(self) -> None:
        """Give back what the loop holds of the system. Descriptors that it watched are their owners' to close."""
        if self._wakes_on_signals:
            signal.set_wakeup_fd(-1)
        self.selector.close()
        self._callbacks.clear()
        self._wake_reader.close()
        self._wake_writer.close()

    def now_ms(self) -> int:
        """The time of the timers, in ms."""
        return self.clock.monotonic_us() // 1000

    def _watch(self, fd: int, reader: Callback | None, writer: Callback | None) -> None:
        known = fd in self._callbacks
        events = (EVENT_READ if reader else 0) | (EVENT_WRITE if writer else 0)
        if events:
            callbacks = self._callbacks[fd] = (reader, writer)
            if known:
                self.selector.modify(fd, events, callbacks)
            else:
                self.selector.register(fd, events, callbacks)
        elif known:
            try:
                self.selector.unregister(fd)
            finally:
                del self._callbacks[fd]

    def _wake(self) -> None:
        try:
            self._wake_writer.send(b'\0')
        except OSError:
            # Full: a wake-up is under way already. Closed: there is nothing left to wake.
            return

    def _on_wake(self) -> None:
        # Signals write into the same pipe, more bytes than calls may be waiting: read what is there, once.
        self._wake_reader.recv(4096)
        for _ in range(len(self._calls)):
            self._calls.popleft()()
