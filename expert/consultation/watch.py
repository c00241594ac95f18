"""Follows a growing log and tells what changed in its findings; reads only, and judges as a diagnosis does."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Literal

from knowledge.errors import InputError
from knowledge.records import SEVERITIES, Fact, Finding
from knowledge.rulebook import Knowledge

from .diagnose import Diagnosis, diagnose_run

ENDED = frozenset({"completed", "early-stopped", "interrupted", "out-of-memory", "nan", "failed"})
_KEPT_GAPS = 50
Stamp = tuple[tuple[str, int, int], ...]
"""Name, size and time of every file of the log."""


@dataclass(frozen=True)
class Change:
    """One finding that came, went, or is another severity now."""

    kind: Literal["new", "worse", "milder", "gone"]
    finding: Finding


@dataclass(frozen=True)
class Look:
    """One look at the log."""

    diagnosis: Diagnosis
    changes: tuple[Change, ...]
    at_seconds: float
    """When it was looked at, in seconds since 1970."""
    ended: bool
    """Whether the log says that the run is over."""


def watch(
    knowledge: Knowledge,
    path: Path,
    *,
    every_seconds: float = 10.0,
    quiet_seconds: float = 3600.0,
    now: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Look]:
    """Yield a look whenever the log has grown, until the run is over or nothing came for `quiet_seconds`.

    A log that is not there yet, or half written, is waited for. The last look of a silent log knows of the silence.

    Raises:
        InputError: nothing that can be read came in `quiet_seconds`.
    """
    seen: dict[str, Finding] = {}
    stamps: list[float] = []
    last: Stamp = ()
    since, problem = now(), InputError(f"{path}: nothing was written there")
    while True:
        stamp = stamp_of(path)
        if stamp != last:
            last, since = stamp, now()
            try:
                diagnosis = diagnose_run(knowledge, path)
            except InputError as error:
                problem = error
            else:
                stamps = [*stamps[-_KEPT_GAPS:], since]
                look, seen = _look(diagnosis, seen, since, _awaiting(knowledge))
                yield look
                if look.ended:
                    return
        elif now() - since >= quiet_seconds:
            break
        sleep(every_seconds)
    if not stamps:
        raise problem
    silent = now() - since
    diagnosis = diagnose_run(knowledge, path, extra_facts=_silence(silent, stamps))
    look, _ = _look(diagnosis, seen, now(), frozenset())
    yield look


def _awaiting(knowledge: Knowledge) -> frozenset[str]:
    """Findings that are told when the run has ended."""
    return frozenset(name for document in knowledge.at_end for name in document.findings)


def stamp_of(path: Path) -> Stamp:
    """Return what tells one state of a growing log from another."""
    if not path.exists():
        return ()
    files = sorted(item for item in path.rglob("*") if item.is_file()) if path.is_dir() else [path]
    states = ((str(file), file.stat()) for file in files)
    return tuple((name, state.st_size, state.st_mtime_ns) for name, state in states)


def _look(
    diagnosis: Diagnosis, seen: dict[str, Finding], at: float, awaiting: frozenset[str]
) -> tuple[Look, dict[str, Finding]]:
    ended = diagnosis.series.meta.status in ENDED
    untold = frozenset() if ended else awaiting
    found = {finding.id: finding for finding in diagnosis.session.findings if finding.id not in untold}
    changes = [
        Change(_kind(seen.get(name), finding), finding) for name, finding in found.items() if _told(seen, finding)
    ]
    changes += [Change("gone", finding) for name, finding in seen.items() if name not in found]
    return Look(diagnosis, tuple(changes), at, ended), found


def _told(seen: dict[str, Finding], finding: Finding) -> bool:
    return finding.id not in seen or seen[finding.id].severity != finding.severity


def _kind(before: Finding | None, after: Finding) -> Literal["new", "worse", "milder"]:
    if before is None:
        return "new"
    return "worse" if SEVERITIES.index(after.severity) < SEVERITIES.index(before.severity) else "milder"


def _silence(silent: float, stamps: list[float]) -> tuple[Fact, ...]:
    """How long nothing came, and how often the usual gap between two looks fits into that."""
    gaps = [later - earlier for earlier, later in pairwise(stamps)]
    facts = (Fact("run.silent_seconds", silent, "log"),)
    usual = statistics.median(gaps) if gaps else 0.0
    return (*facts, Fact("run.silent_over_gap", silent / usual, "log", n=len(gaps))) if usual > 0 else facts
