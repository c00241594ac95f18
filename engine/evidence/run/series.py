"""One training run as named curves, however it was logged; holds what was read and draws no conclusion."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ...plan import Plan

Direction = Literal["higher", "lower", ""]
Floats = NDArray[np.float64]

_LOWER = {"loss", "wer", "cer", "mer", "per", "der", "eer", "error", "errors", "mae", "mse", "rmse", "perplexity"}
_HIGHER = {
    "accuracy", "acc", "f1", "precision", "recall", "uar", "auc", "auroc", "map", "ccc", "pearson", "spearman", "r2",
    "bleu", "jaccard", "iou", "miou", "dice", "kappa", "mcc", "ap", "prec", "top", "jacard",
}  # fmt: skip
_RANKS = {"pos", "position", "rank"}
_PREFERRED = (
    "ccc", "pearson", "macro-f1", "macro_f1", "f1", "balanced-accuracy", "balanced_accuracy", "map50_95", "map", "iou",
    "jacard_coef", "accuracy", "acc", "wer", "cer",
)  # fmt: skip
"""Which task metric speaks for the run when it was not selected by one."""


def direction_of(metric: str) -> Direction:
    """Say by its name whether a metric is better when higher or lower; empty when the name does not tell."""
    words = re.split(r"[^a-z0-9]+", metric.lower())
    if _RANKS & set(words):
        return ""  # `acc_mean_pos` is a position in a ranking beside accuracies
    for word in reversed(words):
        if word in _LOWER:
            return "lower"
        if word in _HIGHER or word.rstrip("0123456789") in _HIGHER:
            return "higher"
    return ""


_SHARES = {
    "acc", "accuracy", "f1", "precision", "recall", "top1", "top5", "uar", "jaccard", "jacard", "iou", "miou", "dice",
    "map", "map50", "ap", "prec",
}  # fmt: skip
_ERROR_RATES = ("error_rate", "error", "err", "errors", "classification_error")


def is_share(metric: str) -> bool:
    """Whether a metric is a share between 0 and 1 by its name, such as an accuracy or an error rate."""
    words = metric.split("_")
    return metric in _ERROR_RATES or (bool(_SHARES & set(words)) and direction_of(metric) == "higher")


@dataclass(frozen=True)
class Series:
    """One quantity over the run. The three tuples have one length; values may be NaN or infinite."""

    name: str
    """`SPLIT/METRIC`, such as `train/loss`, `val/ccc` or `val:noisy/wer`."""
    steps: tuple[int, ...]
    epochs: tuple[float | None, ...]
    values: tuple[float, ...]

    def __len__(self) -> int:
        return len(self.values)

    @property
    def split(self) -> str:
        """`train`, `val`, or `val:NAME` for one of several evaluation sets."""
        return self.name.partition("/")[0]

    @property
    def metric(self) -> str:
        """The name without the split."""
        return self.name.partition("/")[2]

    @property
    def better(self) -> Direction:
        """Whether higher or lower values are better."""
        return direction_of(self.metric)

    @property
    def x(self) -> Floats:
        """Steps `(points,)`, or the index where the step counter runs backwards."""
        steps = np.asarray(self.steps, dtype=np.float64)
        return steps if np.all(np.diff(steps) >= 0) else np.arange(len(steps), dtype=np.float64)

    @property
    def y(self) -> Floats:
        """Values `(points,)`."""
        return np.asarray(self.values, dtype=np.float64)

    @property
    def points(self) -> tuple[tuple[float, float], ...]:
        """`(x, value)` of every finite point, for drawing."""
        finite = self.finite()
        return tuple(zip(finite.x.tolist(), finite.values, strict=True))

    def take(self, rows: list[int] | NDArray[np.intp]) -> Series:
        """Return the points at the given positions."""
        return Series(
            self.name,
            tuple(self.steps[row] for row in rows),
            tuple(self.epochs[row] for row in rows),
            tuple(self.values[row] for row in rows),
        )

    def finite(self) -> Series:
        """Return the points whose value is a finite number."""
        return self.take(np.flatnonzero(np.isfinite(self.y)))

    def place(self, position: int) -> str:
        """Name one point for a reader: `epoch 3`, or `step 1200` where epochs are unknown or fractional."""
        epoch = self.epochs[position]
        if epoch is not None and abs(epoch - round(epoch)) < 1e-6:
            return f"epoch {round(epoch)}"
        return f"step {self.steps[position]}"


@dataclass(frozen=True, slots=True)
class RunMeta:
    """What a run says about itself beside its curves; None or empty where it does not."""

    task: str = ""
    classes: int | None = None
    chance: float | None = None
    """The selection metric of a guess."""
    planned_steps: int | None = None
    planned_epochs: int | None = None
    status: str = ""
    """As in the `end` event; `unfinished` without one."""
    selected_by: str = ""
    """`loss`, or the name of a metric."""
    snapshot: bool = False
    """Whether the log was copied while the run went on, as beside each checkpoint of the Hugging Face Trainer."""
    appended_runs: int = 1
    """How many runs the log holds; the curves are of one of them."""
    trainable_tensors: int | None = None
    """As counted over the first steps; None where nobody counted."""
    silent_tensors: tuple[str, ...] = ()
    """Names of those that got no gradient in any of them, as far as they were written down."""
    silent_count: int = 0


@dataclass(frozen=True)
class RunSeries:
    """Everything that one reader understood of one run."""

    source: Path
    reader: str
    """Which form the run had, in words."""
    series: tuple[Series, ...] = ()
    learning_rates: tuple[Series, ...] = ()
    """One for each parameter group, named `lr/GROUP`."""
    gradient_norm: Series | None = None
    predictions: tuple[tuple[str, Path], ...] = ()
    """Prediction files by name, such as `val` or the name of an external data set."""
    meta: RunMeta = field(default_factory=RunMeta)
    plan: Plan | None = None
    """The plan that was trained; None where the run does not hold one."""
    notes: tuple[str, ...] = ()
    """What was not understood, or read in a particular way."""

    def get(self, name: str) -> Series | None:
        """Return the series `name` if it holds at least one point."""
        return next((series for series in self.series if series.name == name and len(series)), None)

    @property
    def train_loss(self) -> Series | None:
        """Training loss, as finely as it was logged."""
        return self.get("train/loss")

    @property
    def validation_loss(self) -> Series | None:
        """Validation loss at every evaluation."""
        return self.get("val/loss")

    @property
    def metric(self) -> Series | None:
        """The validation metric that speaks for the task: the one selected by, else the usual one."""
        scored = [
            s
            for s in self.series
            if s.split == "val" and "loss" not in re.split("[_-]", s.metric) and s.better and len(s)
        ]
        most = max(map(len, scored), default=0)
        found = {s.metric: s for s in scored if 2 * len(s) >= most}  # a score of the end alone is no curve
        preferred = (self.meta.selected_by, *_PREFERRED)
        return next((found[name] for name in preferred if name in found), next(iter(found.values()), None))

    @property
    def evaluations(self) -> int:
        """How often a validation loss or metric was recorded."""
        return max((len(series) for series in (self.validation_loss, self.metric) if series), default=0)

    @property
    def train_at_evaluations(self) -> Floats | None:
        """Training loss at each evaluation of the validation loss `(evaluations,)`.

        The epoch's mean where the run logs it; else the mean of what was logged since the evaluation before, or the
        straight line between the neighbours where nothing was.
        """
        loss, logged = self.validation_loss, self.get("train/epoch_loss")
        if loss is None:
            return None
        if logged is not None and logged.steps == loss.steps:
            return logged.y
        return None if self.train_loss is None else _means_between(self.train_loss.finite(), loss)


def _means_between(train: Series, evaluations: Series) -> Floats | None:
    if not len(train):
        return None
    steps, values, ends = np.asarray(train.steps), train.y, np.asarray(evaluations.steps)
    result: Floats = np.interp(ends, steps, values)
    begin = -1
    for position, end in enumerate(ends):
        between = (steps > begin) & (steps <= end)
        if between.any():
            result[position] = values[between].mean()
        begin = end
    return result
