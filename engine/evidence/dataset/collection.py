"""Stops the search for unreachable cycles while many records are made; measures nothing.

Rulebooks and clips are hundreds of thousands of objects that all stay. Going through them again and again took a fifth
of an audit; what the audit leaves behind is freed by counting references, as always.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def no_collection() -> Iterator[None]:
    """Hold the collector off, and set it going again if it was: what was made meanwhile counts as old by then.

    Else it would look through all of that at once, as soon as anything more is made.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.freeze()
            gc.unfreeze()  # into the oldest generation
            gc.enable()
