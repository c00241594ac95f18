"""What is left to decode, handed out in runs that grow shorter towards the end; starts nothing, decodes nothing.

Long runs cost little to send, short last ones let no child wait long for another. How short is worth sending is told by
how long the answers take.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence

_MOST = 512
"""A run takes a part of a second, so that progress moves and an interruption loses little."""
_LEAST = 2
_LEAST_SECONDS = 0.005
"""To ask and to answer takes a tenth of that, of the child's time and of its parent's."""
_RUNS_PER_CHILD = 3
"""A run is this part of what each child has left: two are under way in each."""


class Supply:
    """Places of regions that wait, taken by the drivers of several children."""

    def __init__(self, takers: int, expected: int) -> None:
        """Hold none yet; `expected`: how many may come, by which the first runs are cut."""
        self._waiting: deque[int] = deque()
        self._takers = takers
        self._expected = expected
        self._complete = False
        self._changed = threading.Condition()
        self._told_clips, self._told_seconds = 0, 0.0

    def add(self, places: Sequence[int], expected: int) -> None:
        """Take in more; `expected`: how many may come after them."""
        with self._changed:
            self._waiting.extend(places)
            self._expected = expected
            self._changed.notify_all()

    def complete(self) -> None:
        """Say that no more will come."""
        with self._changed:
            self._complete = True
            self._changed.notify_all()

    def close(self) -> None:
        """Let nobody take anything more."""
        with self._changed:
            self._waiting.clear()
            self._complete = True
            self._changed.notify_all()

    def give_back(self, places: Sequence[int]) -> None:
        """Put back what was taken and not done, to be taken next."""
        with self._changed:
            self._waiting.extendleft(reversed(places))
            self._changed.notify_all()

    def told(self, clips: int, seconds: float) -> None:
        """Say how long a child took for so many clips."""
        with self._changed:
            self._told_clips += clips
            self._told_seconds += seconds

    def _least(self) -> int:
        """Return how many clips take as long as is worth a message."""
        if not self._told_seconds:
            return _LEAST
        return min(_MOST, max(_LEAST, round(_LEAST_SECONDS * self._told_clips / self._told_seconds)))

    def take(self, *, wait: bool) -> list[int]:
        """Return the next run; with `wait` it is empty only when nothing is left and nothing more will come."""
        with self._changed:
            while wait and not self._waiting and not self._complete:
                self._changed.wait()
            left = len(self._waiting) + self._expected
            size = min(_MOST, max(self._least(), left // (_RUNS_PER_CHILD * self._takers)), len(self._waiting))
            return [self._waiting.popleft() for _ in range(size)]
