"""Reads the events of a run directory's log, a few megabytes at a time; says nothing of what they mean."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import InputError

from .series import Floats

Event = dict[str, Any]
_CHUNK_BYTES = 4 << 20
_LARGEST_STEP = 1 << 53


def event_groups(path: Path, note: Callable[[str], None]) -> Iterator[list[Event]]:
    """Yield the events of a log in order, those of the same keys that follow each other together.

    A line that is no event is skipped and noted; a torn last one is normal while the run goes on.

    Raises:
        InputError: the log cannot be read, or its first line is no event although it is whole.
    """
    first = True
    try:
        with path.open("rb") as stream, _without_collecting():
            rest = b""
            while block := stream.read(_CHUNK_BYTES):
                *lines, rest = (rest + block).split(b"\n")
                events = _together(lines)
                if events is None:
                    events = list(_one_by_one(lines, path if first else None, note))
                first = first and not lines
                yield from _grouped(events)
            if rest.strip() and (event := _event(rest)) is not None:
                yield [event]
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None


@contextmanager
def _without_collecting() -> Iterator[None]:
    """A chunk is a hundred thousand objects without a cycle, all gone before the next: nothing is worth collecting."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _together(lines: list[bytes]) -> list[Event] | None:
    """The events of whole lines, parsed at once; None when one of them is none."""
    kept = [line for line in lines if line.strip()]
    try:
        events = json.loads(b"[" + b",".join(kept) + b"]")
    except (ValueError, RecursionError):
        return None
    sound = len(events) == len(kept) and all(isinstance(event, dict) and "kind" in event for event in events)
    return events if sound else None


def _one_by_one(lines: list[bytes], begun: Path | None, note: Callable[[str], None]) -> Iterator[Event]:
    """The same line by line; `begun` is the log where these are its first lines."""
    for index, line in enumerate(lines):
        event = _event(line)
        if event is not None:
            yield event
        elif line.strip() and index == 0 and begun is not None:
            text = line.decode("utf-8", errors="replace").strip()[:60]
            raise InputError(f'{begun}:1: expected a JSON object with the key "kind", got {text!r}')
        elif line.strip():
            note("lines of events.jsonl that are no event were skipped")


def _event(line: bytes) -> Event | None:
    try:
        event = json.loads(line.decode("utf-8", errors="replace"))
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) and "kind" in event else None


def _grouped(events: list[Event]) -> Iterator[list[Event]]:
    begin = 0
    for _, same in groupby(map(tuple, events)):
        end = begin + sum(1 for _ in same)
        yield events[begin:end]
        begin = end


def numbers(values: list[Any]) -> Floats | None:
    """Numbers as an array; None when one of them is a word, a list, nothing, or true or false."""
    if not set(map(type, values)) <= {int, float}:
        return None
    try:
        return np.array(values, dtype=np.float64)
    except OverflowError:
        return None


def steps_of(values: list[Any]) -> NDArray[np.int64] | None:
    """Steps as whole numbers; None when one is none that a counter can have come to."""
    if set(map(type, values)) != {int}:
        return None
    try:
        steps = np.array(values, dtype=np.int64)
    except OverflowError:
        return None
    return steps if len(steps) and int(np.abs(steps).max()) < _LARGEST_STEP else None
