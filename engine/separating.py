"""The tests that tell causes apart, by name: what each does, and where its outcome lies. Torch-free; runs none."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from knowledge.records import Evidence, Fact, Measured, Unknown, Value

from .plan import write_atomically

SCHEMA = "tonmeister.test/1"
FOLDER = "tests"
OUTCOME = "outcome.json"
TESTS = {
    "one-batch": "learn sixteen clips by heart: with the plan's rate, without its regularisation, at other rates",
    "rate-range": "raise the learning rate at every step and see where the loss falls fastest, and where it blows up",
    "label-shuffle": "train shortly on the labels, and on the same labels dealt anew",
    "seed-spread": "train shortly with three seeds and see how far apart the scores lie",
    "data-fraction": "train shortly on a quarter, half and all of the clips",
    "mode-agreement": "score the same training clips as in training and as in evaluation",
    "gradient-census": "look at the gradients of the first batches: which tensors get none, which batch is largest",
    "error-spread": "answer every training clip by a model that did not see it, and look how far off the errors lie",
    "abx": "see how far the encoder tells the classes apart, before training and after it",
    "step-timing": "time the loader alone and the steps alone",
}
"""What the trainer runs on request, with the run's own plan, in a folder of its own under the run."""
QUICK = ("mode-agreement", "gradient-census", "one-batch", "rate-range", "step-timing")
"""Those that look at a few batches; the others train several times over."""


@dataclass(frozen=True)
class Outcome:
    """What one test showed."""

    test: str
    facts: dict[str, Value]
    """By name, such as `test.one_batch_score`."""
    shown: tuple[str, ...] = ()
    """The numbers in words, for a reader."""
    unknown: dict[str, str] = field(default_factory=dict)
    """Facts that the test looked for in vain, with the reason."""
    clips: int | None = None
    """How many clips it rests on."""
    seconds: float = 0.0


def outcome_folder(run: Path, test: str) -> Path:
    """Return where a test of a run works and leaves its outcome."""
    return run / FOLDER / test


def write_outcome(run: Path, outcome: Outcome) -> Path:
    """Write an outcome into its folder; an earlier one is replaced, for it is the same test of the same run."""
    path = outcome_folder(run, outcome.test) / OUTCOME
    record = {"schema": SCHEMA, **vars(outcome), "shown": list(outcome.shown)}
    write_atomically(path, json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    return path


def read_outcomes(run: Path) -> tuple[Outcome, ...]:
    """Return the outcomes of all tests that were run on a run directory; files that are none are passed over."""
    paths = sorted(run.glob(f"{FOLDER}/*/{OUTCOME}")) if run.is_dir() else []
    return tuple(one for path in paths if (one := _read(path)) is not None)


def tests_done(run: Path) -> frozenset[str]:
    """Return the tests of a run that have ended, whether they found their facts or not: again they find the same."""
    return frozenset(one.test for one in read_outcomes(run))


def _read(path: Path) -> Outcome | None:
    try:
        record: dict[str, Any] = json.loads(path.read_text("utf-8"))
        if record["schema"] != SCHEMA or record["test"] not in TESTS:
            return None
        facts = {str(name): value for name, value in dict(record["facts"]).items() if _is_value(value)}
        unknown = {str(name): str(reason) for name, reason in dict(record["unknown"]).items()}
        shown = tuple(str(line) for line in record["shown"])
        return Outcome(record["test"], facts, shown, unknown, record.get("clips"), float(record.get("seconds", 0.0)))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _is_value(value: object) -> bool:
    return isinstance(value, (bool, int, float, str))


def measured_outcomes(run: Path, names: frozenset[str]) -> Measured:
    """Return the outcomes of a run's tests as facts; only those of the given `names` are taken over."""
    measured = Measured()
    for one in read_outcomes(run):
        path = str(outcome_folder(run, one.test) / OUTCOME)
        evidence = tuple(Evidence(text, path=path, n=one.clips) for text in one.shown)
        facts = (Fact(name, value, "log", n=one.clips, evidence=evidence) for name, value in one.facts.items())
        measured += Measured(
            tuple(fact for fact in facts if fact.name in names),
            tuple(Unknown(name, reason) for name, reason in one.unknown.items() if name in names),
        )
    return measured
