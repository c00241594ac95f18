"""Holds diagnoses against the labels of real runs, beside the coded defaults of other tools; counts, no more."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from engine.evidence.run.joining import split_of_name
from engine.evidence.run.rivals import RIVALS, reports
from knowledge.errors import InputError
from knowledge.rulebook import Knowledge

from .diagnose import Diagnosis, diagnose_run
from .labelled_runs import Labelled

SOUND = "healthy"


@dataclass(frozen=True, slots=True)
class Score:
    """How often a finding was reported rightly, wrongly, or not although it is there."""

    finding: str
    by: str
    """`Tonmeister`, or the tool whose coded default it is."""
    labelled: str
    """Whose labels: `hand` or `third party`."""
    right: tuple[str, ...]
    false: tuple[str, ...]
    missed: tuple[str, ...]

    @property
    def precision(self) -> float | None:
        """Share of the reported that is right; None when nothing was reported."""
        return _share(len(self.right), len(self.right) + len(self.false))

    @property
    def recall(self) -> float | None:
        """Share of the cases that was reported; None when there is no case."""
        return _share(len(self.right), len(self.right) + len(self.missed))

    @property
    def f1(self) -> float | None:
        """Harmonic mean of both; None when there is neither a case nor a report."""
        return _share(2 * len(self.right), 2 * len(self.right) + len(self.false) + len(self.missed))


@dataclass(frozen=True, slots=True)
class Scorecard:
    """What a benchmark of labelled logs brought."""

    runs: int
    unread: tuple[str, ...]
    formats: int
    formats_unread: tuple[str, ...]
    scores: tuple[Score, ...]
    open_share: float
    """Share of the findings that could be neither reported nor excluded, over all runs."""
    errors_on_sound_runs: tuple[tuple[str, str], ...]
    """Run and finding: an error on a run that is labelled healthy, and whose label does not name it."""
    unnamed_errors: tuple[tuple[str, str], ...]
    """The same on any run whose every finding was labelled."""
    broken_bans: tuple[tuple[str, str], ...]
    """Findings that a label forbids and that were reported all the same."""
    seconds_a_run: float
    """CPU seconds."""


def bench_diagnose(knowledge: Knowledge, runs: list[Labelled]) -> Scorecard:
    """Diagnose every labelled run and count."""
    began = time.process_time()
    found = {run.name: diagnosed(run, knowledge) for run in runs}
    seconds = (time.process_time() - began) / max(1, len(runs))
    read = {name: diagnosis for name, diagnosis in found.items() if diagnosis is not None}
    kept = [run for run in runs if run.name in read]
    severities = {name: _severities(diagnosis) for name, diagnosis in read.items()}
    errors = [
        (run, finding)
        for run in kept
        if run.by_hand
        for finding, severity in severities[run.name].items()
        if severity == "error" and finding not in run.demanded | run.debatable
    ]
    forms = {run.form for run in runs}
    return Scorecard(
        runs=len(runs),
        unread=tuple(run.name for run in runs if run.name not in read),
        formats=len(forms),
        formats_unread=tuple(sorted(forms - {run.form for run in kept})),
        scores=(*_scores(kept, severities), *_rival_scores(kept, read)),
        open_share=_open_share(read.values()),
        errors_on_sound_runs=tuple((run.name, finding) for run, finding in errors if SOUND in run.demanded),
        unnamed_errors=tuple((run.name, finding) for run, finding in errors),
        broken_bans=tuple((run.name, one) for run in kept for one in sorted(run.forbidden & set(severities[run.name]))),
        seconds_a_run=seconds,
    )


def diagnosed(run: Labelled, knowledge: Knowledge) -> Diagnosis | None:
    """Diagnose one run; None when no reader understands it. Files that tell it together are laid into one folder."""
    several = len(run.files) > 1 and (
        all("tfevents" in file.name for file in run.files) or all(split_of_name(file) for file in run.files)
    )
    with tempfile.TemporaryDirectory() as folder:
        for file in run.files if several else ():
            (Path(folder) / file.name).symlink_to(file.resolve())
        try:
            return diagnose_run(knowledge, Path(folder) if several else run.files[0])
        except InputError:
            return None


def _severities(diagnosis: Diagnosis) -> dict[str, str]:
    return {finding.id: finding.severity for finding in diagnosis.session.findings}


def _open_share(diagnoses: Iterable[Diagnosis]) -> float:
    """Of what is asked of a run: evidence of a kind that it plainly has none of is not."""
    sessions = [one.session for one in diagnoses]
    told = {one.then.attribute for one in sessions[0].knowledge.rules if one.then.kind == "finding"} if sessions else ()
    asked = sum(len(told) - len(one.not_assessable) + len(one.worth_supplying) for one in sessions)
    return sum(len(one.worth_supplying) for one in sessions) / asked if asked else 0.0


def _scores(runs: list[Labelled], severities: dict[str, dict[str, str]]) -> list[Score]:
    named = sorted({finding for run in runs for finding in run.demanded | run.forbidden})
    scores = []
    for finding in named:
        for whose in ("hand", "third party"):
            hits = {run: finding in severities[run.name] for run in _settled(runs, finding, whose)}
            scores += [_score(finding, "Tonmeister", whose, hits)] if hits else []
    return scores


def _rival_scores(runs: list[Labelled], read: dict[str, Diagnosis]) -> list[Score]:
    scores = []
    for finding, tools in RIVALS.items():
        for tool, rule in tools.items():
            for whose in ("hand", "third party"):
                hits = {run: reports(rule, read[run.name].series) for run in _settled(runs, finding, whose)}
                scores += [_score(finding, tool, whose, hits)] if hits else []
    return scores


def _settled(runs: list[Labelled], finding: str, whose: str) -> list[Labelled]:
    return [run for run in runs if run.by_hand == (whose == "hand") and run.settles(finding)]


def _score(finding: str, by: str, whose: str, hits: dict[Labelled, bool]) -> Score:
    right = tuple(run.name for run, hit in hits.items() if hit and finding in run.demanded)
    false = tuple(run.name for run, hit in hits.items() if hit and finding not in run.demanded)
    missed = tuple(run.name for run, hit in hits.items() if not hit and finding in run.demanded)
    return Score(finding, by, whose, right, false, missed)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
