"""Scores the diagnosis on real logs of every format beside the coded default rules of other tools, in the same run.

    TONMEISTER_TEST_DATA=/path/to/data python -m benchmarks.diagnosis

A finding counts as right where the label demands it. Labels with a question mark are debatable and count neither way;
states (`truncated-run`, `wasted-compute`, ...) that no label mentions are listed apart, because nobody labelled them.
Where only overfitting was labelled (the runs of OverfitGuard), only that is scored.
The labels were at hand when the rules were written: these figures are a regression test, no promise for other runs.
"""

from __future__ import annotations

import csv
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.evidence.run.series import RunSeries
from expert.consultation.diagnose import Diagnosis, diagnose_run
from knowledge.errors import InputError
from knowledge.loader import load_knowledge
from knowledge.rulebook import Knowledge

ONLY_OVERFITTING = "overfitguard_json"


@dataclass(frozen=True)
class Labelled:
    """One run with what a person found in it."""

    name: str
    form: str
    files: tuple[Path, ...]
    demanded: frozenset[str]
    debatable: frozenset[str]
    forbidden: frozenset[str]


def labelled_runs(data: Path) -> list[Labelled]:
    """Read the rows of INDEX.tsv."""
    with (data / "logs" / "INDEX.tsv").open(newline="") as stream:
        return [_labelled(row, data) for row in csv.DictReader(stream, delimiter="\t")]


def _labelled(row: dict[str, str], data: Path) -> Labelled:
    tokens = [token for token in row["findings"].split(";") if token]
    sure = frozenset(token.split("@")[0] for token in tokens if token[0] != "!" and token[-1] != "?")
    maybe = frozenset(token.rstrip("?").split("@")[0] for token in tokens if token[-1] == "?") - sure
    never = frozenset(token[1:] for token in tokens if token[0] == "!")
    files = tuple(data / "logs" / file for file in row["file"].split(";"))
    return Labelled(row["id"], row["format"], files, sure, maybe, never)


def diagnosed(run: Labelled, knowledge: Knowledge) -> Diagnosis | None:
    """Diagnose one run; None when no reader understands it. Event files of one run lie in one folder."""
    with tempfile.TemporaryDirectory() as folder:
        for file in run.files if run.form == "tfevents" else ():
            (Path(folder) / file.name).symlink_to(file)
        try:
            return diagnose_run(knowledge, Path(folder) if run.form == "tfevents" else run.files[0])
        except InputError:
            return None


def scored(runs: Iterable[Labelled], finding: str) -> list[Labelled]:
    """Return the runs whose label settles a finding."""
    settled = (run for run in runs if run.form != ONLY_OVERFITTING or finding == "overfitting")
    return [run for run in settled if finding not in run.debatable]


def umlaut(train: np.ndarray, val: np.ndarray) -> bool:
    """One evaluation with the validation loss up and the training loss not up (umlaut/heuristics.py)."""
    return bool(np.any((np.diff(val) > 0) & (np.diff(train) <= 0)))


def sagemaker(train: np.ndarray, val: np.ndarray) -> bool:
    """(val - train) / train above 0.1 at one evaluation, from the first on (Overfit, ratio_threshold 0.1)."""
    return bool(np.any((val - train) / train > 0.1))


def sagemaker_at_end(train: np.ndarray, val: np.ndarray) -> bool:
    """The same ratio at the last evaluation only."""
    return bool((val[-1] - train[-1]) / train[-1] > 0.1)


def lightning(train: np.ndarray, val: np.ndarray) -> bool:  # noqa: ARG001 - rules share one form
    """Three evaluations in a row without a new lowest validation loss (EarlyStopping, patience 3)."""
    waited, best = 0, np.inf
    for value in val:
        waited, best = (0, value) if value < best else (waited + 1, best)
        if waited >= 3:
            return True
    return False


RIVALS: dict[str, Callable[[np.ndarray, np.ndarray], bool]] = {
    "UMLAUT": umlaut,
    "SageMaker Overfit 0.1": sagemaker,
    "SageMaker at last eval": sagemaker_at_end,
    "Lightning patience 3": lightning,
}


def overfits(rule: Callable[[np.ndarray, np.ndarray], bool], run: RunSeries) -> bool:
    """Apply a rule to validation loss and the training loss at the same evaluations."""
    loss, train = run.validation_loss, run.train_at_evaluations
    return loss is not None and train is not None and len(loss) > 1 and rule(train, loss.y)


def score(hits: Iterable[tuple[bool, bool]]) -> str:
    """Return precision, recall and F1 of (reported, demanded) pairs."""
    counts = Counter(hits)
    right, wrong, missed = counts[True, True], counts[True, False], counts[False, True]
    precision = right / (right + wrong) if right + wrong else float("nan")
    recall = right / (right + missed) if right + missed else float("nan")
    f1 = 2 * right / (2 * right + wrong + missed) if right + wrong + missed else float("nan")
    return f"P {precision:.2f}  R {recall:.2f}  F1 {f1:.2f}   right {right}, wrong {wrong}, missed {missed}"


def main() -> int:
    """Print one line a finding, then the rules on overfitting beside each other."""
    folder = os.environ.get("TONMEISTER_TEST_DATA")
    if not folder:
        print("TONMEISTER_TEST_DATA is not set: no real logs to score on", file=sys.stderr)
        return 2
    knowledge = load_knowledge()
    every = labelled_runs(Path(folder))
    began = time.process_time()
    found = {run.name: diagnosed(run, knowledge) for run in every}
    seconds = time.process_time() - began
    diagnoses = {name: diagnosis for name, diagnosis in found.items() if diagnosis is not None}
    runs = [run for run in every if run.name in diagnoses]
    reported = {name: {finding.id for finding in d.session.findings} for name, d in diagnoses.items()}
    open_items = sum(len(d.session.not_assessable) for d in diagnoses.values())

    forms = {run.form for run in every}
    unread = sorted({run.form for run in every if run.name not in diagnoses})
    print(f"{len(runs)} of {len(every)} runs read, {len(forms) - len(unread)} of {len(forms)} formats; not: {unread}")
    print(f"{seconds / len(every):.3f} CPU seconds a run")
    print(f"{open_items / len(runs):.1f} findings a run are not assessable for want of evidence")
    labelled = set().union(*(run.demanded for run in runs))
    for finding in sorted(labelled):
        pairs = [(finding in reported[run.name], finding in run.demanded) for run in scored(runs, finding)]
        print(f"  {finding:26} {score(pairs)}")
    whole = [run for run in runs if run.form != ONLY_OVERFITTING]
    unlabelled = Counter(name for run in whole for name in reported[run.name] - labelled)
    print(f"  reported, in no label: {dict(unlabelled) or 'nothing'}")
    broken = [(run.name, run.forbidden & reported[run.name]) for run in runs if run.forbidden & reported[run.name]]
    print(f"  forbidden and reported: {broken or 'nothing'}")

    for title, part in (("labelled by hand", whole), ("OverfitGuard", [run for run in runs if run not in whole])):
        print(f"overfitting, by rule, {len(part)} runs {title}")
        ours = [
            ("overfitting" in reported[run.name], "overfitting" in run.demanded) for run in scored(part, "overfitting")
        ]
        print(f"  {'Tonmeister':26} {score(ours)}")
        for name, rule in RIVALS.items():
            hits = [
                (overfits(rule, diagnoses[run.name].series), "overfitting" in run.demanded)
                for run in scored(part, "overfitting")
            ]
            print(f"  {name:26} {score(hits)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
