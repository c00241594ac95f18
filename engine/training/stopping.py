"""Turns SIGINT and SIGTERM into a request that training looks at between two steps; imports nothing heavy."""

from __future__ import annotations

import signal

from knowledge.errors import Interrupted


class Stop:
    """Whether the user asked to end. A second signal changes nothing: the first one is being obeyed."""

    def __init__(self) -> None:
        self.requested = False

    def listen(self) -> None:
        """Take over both signals of this process; call it before anything slow."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._request)

    def check(self) -> None:
        """Raise when the user asked to end.

        Raises:
            Interrupted: they did.
        """
        if self.requested:
            raise Interrupted("stopped before the run was finished", hint="Go on with --resume.")

    def _request(self, *_: object) -> None:
        self.requested = True
