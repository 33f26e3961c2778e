"""A list: quick at both ends, and any place in it found at once.

Theory of operation. The elements stand side by side in a Python list. In front of the first there may be free places,
so that pushing and popping on the left moves nothing, as appending does on the right. When no free place is left, an
eighth of the length is made free at once; when more than half are free, they are given back: either way an element is
moved a few times in its life, by memmove. A short list has no free places: to move its elements costs less.

Measured against `collections.deque`, CPython 3.11: a list of one element takes 136 bytes instead of 760; of a million
elements, one in the middle is read in 0.1 us instead of 13, a hundred in 0.3 us instead of 1,300. A push or a pop at
an end takes 80 ns longer: a call.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

SHORT = 64  # elements; in lists up to this one is pushed or popped on the left by moving all others
FREE = b''  # what stands in a free place
BLOCK = 1024  # elements looked at together on the way from the end to the front


class List:
    """Elements in an order. An empty one holds no memory worth mentioning; in a database there is none."""

    __slots__ = ('first', 'places')

    def __init__(self, elements: Iterable[bytes] = ()) -> None:
        self.places = list(elements)
        self.first = 0  # the place of the first element; those before it are free, and none in an empty list

    def __len__(self) -> int:
        return len(self.places) - self.first

    def __bool__(self) -> bool:
        return bool(self.places)

    def __iter__(self) -> Iterator[bytes]:
        return islice(self.places, self.first, None)

    def __getitem__(self, index: int) -> bytes:
        """The element at an index from 0 to len - 1."""
        return self.places[self.first + index]

    def __setitem__(self, index: int, element: bytes) -> None:
        self.places[self.first + index] = element

    def copy(self) -> 'List':
        return List(self)

    def range(self, start: int, stop: int) -> list[bytes]:
        """The elements from index start up to but without stop; both from 0 to len."""
        return self.places[self.first + start : self.first + stop]

    # The ends. A push returns the length.

    def push_left(self, element: bytes) -> int:
        places = self.places
        if not self.first:
            if len(places) <= SHORT:
                places.insert(0, element)
                return len(places)
            self._make_room(1)
        first = self.first - 1
        places[first] = element
        self.first = first
        return len(places) - first

    def push_right(self, element: bytes) -> int:
        places = self.places
        places.append(element)
        return len(places) - self.first

    def extend_left(self, elements: Sequence[bytes]) -> int:
        """Push one after another, so that the last comes to stand first."""
        count = len(elements)
        if count > self.first:
            self._make_room(count)
        end = self.first
        first = end - count
        self.places[first:end] = elements[::-1]
        self.first = first
        return len(self.places) - first

    def extend_right(self, elements: Sequence[bytes]) -> int:
        self.places += elements
        return len(self.places) - self.first

    def pop_left(self) -> bytes:
        """Take the first element of a list that is not empty."""
        places = self.places
        first = self.first
        if not first and len(places) <= SHORT:
            return places.pop(0)
        element = places[first]
        places[first] = FREE
        self.first = first = first + 1
        if first * 2 > len(places):
            self._close_up()
        return element

    def pop_right(self) -> bytes:
        """Take the last element of a list that is not empty."""
        places = self.places
        element = places.pop()
        if self.first * 2 > len(places):
            self._close_up()
        return element

    def take_left(self, count: int) -> list[bytes]:
        """Take so many elements, or all, from the front: the first comes first."""
        count = min(count, len(self))
        taken = self.range(0, count)
        self._drop_left(count)
        return taken

    def take_right(self, count: int) -> list[bytes]:
        """Take so many elements, or all, from the end: the last comes first."""
        start = max(len(self.places) - count, self.first)
        taken = self.places[start:]
        taken.reverse()
        self._drop_from(start)
        return taken

    def shorten(self, count: int) -> None:
        """Let go of so many elements, whichever are the quickest."""
        self._drop_from(max(len(self.places) - count, self.first))

    # Anywhere in it.

    def insert(self, index: int, element: bytes) -> None:
        """Put an element before the one at index; len: at the end."""
        self.places.insert(self.first + index, element)

    def find(self, element: bytes, *, backwards: bool = False, within: int | None = None) -> Iterator[int]:
        """The indices of elements that equal this one, in order from the front, or from the end.

        Looks at `within` elements at most. The list must not change meanwhile.
        """
        first, end = self.first, len(self.places)
        if within is None:
            within = end
        if not backwards:
            yield from self._find_between(element, first, min(first + within, end))
            return
        bottom = max(end - within, first)
        for stop in range(end, bottom, -BLOCK):
            yield from reversed(list(self._find_between(element, max(stop - BLOCK, bottom), stop)))

    def _find_between(self, element: bytes, place: int, end: int) -> Iterator[int]:
        index_of = self.places.index
        try:
            while True:
                place = index_of(element, place, end)
                yield place - self.first
                place += 1
        except ValueError:
            return

    def remove(self, element: bytes, count: int) -> int:
        """Remove elements that equal this one: the first `count`, if negative the last, 0: all. How many there were."""
        found = list(islice(self.find(element, backwards=count < 0), min(abs(count), len(self)) or None))
        if len(found) == 1:
            del self.places[self.first + found[0]]
        elif found:
            found.sort()
            kept: list[bytes] = []
            start = 0
            for index in found:
                kept += self.range(start, index)
                start = index + 1
            kept += self.range(start, len(self))
            self.places = kept
            self.first = 0
        if self.first * 2 > len(self.places):
            self._close_up()
        return len(found)

    def trim(self, start: int, stop: int) -> None:
        """Keep the elements from index start up to but without stop, both from 0 to len; none if start reaches stop."""
        if start >= stop:
            start = stop = 0
        self._drop_from(self.first + stop)
        self._drop_left(start)

    # Free places.

    def _make_room(self, count: int) -> None:
        """Have at least so many free places; many more in a long list."""
        places = self.places
        more = count - self.first
        if len(places) > SHORT:
            more += len(places) >> 3
        # At once: free places that do not count as free would be elements.
        places[:0], self.first = [FREE] * more, self.first + more

    def _drop_left(self, count: int) -> None:
        places = self.places
        first = self.first
        self.first = end = first + count
        if end * 2 > len(places) or len(places) <= SHORT:
            self._close_up()
        else:
            places[first:end] = [FREE] * count

    def _drop_from(self, place: int) -> None:
        del self.places[place:]
        if self.first * 2 > len(self.places):
            self._close_up()

    def _close_up(self) -> None:
        """Give back the free places."""
        del self.places[: self.first]
        self.first = 0
