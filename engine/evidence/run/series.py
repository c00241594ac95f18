"""One training run as named curves, however it was logged; holds what was read and draws no conclusion."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ...plan import Plan
from .thinning import MOST, lengths, thinned
from .words import ordered, words

Direction = Literal["higher", "lower", ""]
Floats = NDArray[np.float64]


def direction_of(metric: str) -> Direction:
    """Say by its name whether a metric is better when higher or lower; empty when the name does not tell."""
    if metric.lower() == "score":
        return "higher"
    parts = re.split(r"[^a-z0-9]+", metric.lower())
    if is_place(metric):
        return ""  # `acc_mean_pos` is a position in a ranking beside accuracies
    rises, falls = words("rises"), words("falls")
    of_numbers = words("measures-of-numbers") & set(parts)
    if of_numbers and "loss" not in parts:
        return "lower" if of_numbers & falls else "higher"  # `mse_accuracy` is the error of ratings of the accuracy
    parts = [word for word in parts[:-1] if word not in words("only-at-the-end")] + parts[-1:]
    for word in reversed(parts):
        if word in falls:
            return "lower"
        if word.startswith("top") and falls & set(parts):
            continue  # `err_top5` is an error rate
        if word in rises or word.rstrip("0123456789") in rises:
            return "higher"
    return ""


def is_place(metric: str) -> bool:
    """Whether a metric is a position in a ranking by its name."""
    return bool(words("places") & set(re.split(r"[^a-z0-9]+", metric.lower())))


_ERROR_RATES = ("error_rate", "error", "err", "errors", "classification_error")


def is_share(metric: str) -> bool:
    """Whether a metric is a share between 0 and 1 by its name, such as an accuracy or an error rate."""
    return metric in _ERROR_RATES or (
        bool(words("shares") & {*metric.split("_"), metric.rstrip("0123456789")}) and direction_of(metric) == "higher"
    )


@dataclass(frozen=True, eq=False)
class Series:
    """One quantity over the run. The three arrays have one length; values may be NaN or infinite."""

    name: str
    """`SPLIT/METRIC`, such as `train/loss`, `val/ccc` or `val:noisy/wer`."""
    at: NDArray[np.int64]
    """Steps `(points,)`; given as any sequence of whole numbers."""
    when: Floats
    """Epochs `(points,)`, NaN where unknown; given as any sequence of numbers or None."""
    y: Floats
    """Values `(points,)`; given as any sequence of numbers."""

    def __init__(
        self,
        name: str,
        at: Sequence[int] | NDArray[np.int64],
        when: Sequence[float | None] | Floats,
        y: Sequence[float] | Floats,
    ) -> None:
        """Hold arrays, without copying those that are given; None among the epochs becomes NaN."""
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "at", np.asarray(at, dtype=np.int64))
        object.__setattr__(self, "when", np.asarray(when, dtype=np.float64))
        object.__setattr__(self, "y", np.asarray(y, dtype=np.float64))

    def __len__(self) -> int:
        return len(self.y)

    @property
    def steps(self) -> tuple[int, ...]:
        """Steps as plain numbers."""
        return tuple(self.at.tolist())

    @property
    def epochs(self) -> tuple[float | None, ...]:
        """Epochs as plain numbers; None where unknown."""
        return tuple(None if epoch != epoch else epoch for epoch in self.when.tolist())

    @property
    def values(self) -> tuple[float, ...]:
        """Values as plain numbers."""
        return tuple(self.y.tolist())

    def beside(self, other: Series) -> bool:
        """Whether both were logged at the same steps."""
        return np.array_equal(self.at, other.at)

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

    @cached_property
    def x(self) -> Floats:
        """Steps `(points,)`, or the index where the step counter runs backwards."""
        if len(self.at) and np.any(self.at[1:] < self.at[:-1]):
            return np.arange(len(self.at), dtype=np.float64)
        return self.at.astype(np.float64)

    @property
    def points(self) -> tuple[tuple[float, float], ...]:
        """`(x, value)` of every finite point, for drawing."""
        finite = self.finite()
        return tuple(zip(finite.x.tolist(), finite.y.tolist(), strict=True))

    def take(self, rows: Sequence[int] | NDArray[np.intp]) -> Series:
        """Return the points at the given positions."""
        chosen = np.asarray(rows, dtype=np.intp)
        return Series(self.name, self.at[chosen], self.when[chosen], self.y[chosen])

    def finite(self) -> Series:
        """Return the points whose value is a finite number."""
        return self._finite

    @cached_property
    def _finite(self) -> Series:
        kept = np.isfinite(self.y)
        return self if kept.all() else self.take(np.flatnonzero(kept))

    @cached_property
    def thin(self) -> Series:
        """At most a thousand medians of stretches of finite points; the curve itself where it is short."""
        whole = self._finite
        if len(whole) <= MOST:
            return whole
        many = lengths(len(whole))
        middles = np.cumsum(many) - many // 2 - 1
        return Series(self.name, whole.x[middles].astype(np.int64), np.full(MOST, np.nan), thinned(whole.y))

    def place(self, position: int) -> str:
        """Name one point for a reader: `epoch 3`, or `step 1200` where epochs are unknown or fractional."""
        epoch = float(self.when[position])
        if math.isfinite(epoch) and abs(epoch - round(epoch)) < 1e-6:
            return f"epoch {round(epoch)}"
        return f"step {self.at[position]}"


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
    kept_value: float | None = None
    """What the checkpoint that is kept as the best has of it, as the log says itself."""
    snapshot: bool = False
    """Whether the log was copied while the run went on, as beside each checkpoint of the Hugging Face Trainer."""
    cut_in_epoch: bool = False
    """Whether the last epoch was told batch by batch and not to its end, as the one before it was."""
    appended_runs: int = 1
    """How many runs the log holds; the curves are of one of them."""
    announced: bool = False
    """Whether the log itself says where each of them begins, as one of folds does."""
    trainable_tensors: int | None = None
    """As counted over the first steps; None where nobody counted."""
    silent_tensors: tuple[str, ...] = ()
    """Names of those that got no gradient in any of them, as far as they were written down."""
    silent_count: int = 0
    nan_clips: tuple[str, ...] = ()
    """Clips that each alone give a loss that is not a number, where the trainer looked for them."""
    nan_located: bool = False
    """Whether it looked."""
    nan_layer: str = ""
    """The first layer whose output is not a number, or the weights that are not."""
    smallest_pass: int | None = None
    """Clips of the smallest pass that memory was asked for, once it had run out."""
    validation_clips: int | None = None
    """Clips that each evaluation scores; None where the log does not say."""
    frame_poor: tuple[int, int] | None = None
    """Training clips with fewer frames than their transcript needs, of how many; None where nobody counted."""


def _speaking(names: Iterable[str]) -> Iterator[str]:
    """Names of metrics, that which speaks for a run first; `weighted_f1` speaks as `f1` does where that is missing."""
    parts = {name: {name, *name.split("_")} for name in names}
    for word in ordered("speaks-for-the-run"):
        found = [name for name, words_of in parts.items() if word in words_of]
        yield from sorted(found, key=lambda name: name != word)


def _parts(names: Collection[str]) -> set[str]:
    """The scores of single classes beside that of all: `auroc_edema`, `auroc_mass` and so on beside `auroc`."""
    parts = {name: [part for part in names if part.startswith(f"{name}_")] for name in names}
    return {part for found in parts.values() if len(found) >= _FEWEST_PARTS for part in found}


_FEWEST_PARTS = 3
_A_COURSE = 5
"""Epochs whose means show a course."""


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
    def train_course(self) -> Series | None:
        """Training loss in its course: the means of the epochs where they are logged to the end, else as it was logged.

        Beside them the losses of single batches say more of the batch than of the model.
        """
        means, every = self.get("train/epoch_loss"), self.train_loss
        whole = means is not None and every is not None and len(means) >= _A_COURSE and len(every) >= len(means)
        return means if whole and means is not None and every is not None and means.x[-1] >= every.x[-1] else every

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
        if self._losses_are_numbers:  # then a score that never is one was not filled, and weights are not lost
            scored = [s for s in scored if len(s.finite())]
        most = max(map(len, scored), default=0)
        found = {s.metric: s for s in scored if 2 * len(s) >= most}  # a score of the end alone is no curve
        if self.meta.selected_by in found:
            return found[self.meta.selected_by]
        found = {name: s for name, s in found.items() if name not in _parts(found)}
        return found[next(_speaking(found), next(iter(found)))] if found else None

    @property
    def _losses_are_numbers(self) -> bool:
        losses = [one for one in (self.train_loss, self.validation_loss) if one is not None and len(one)]
        return bool(losses) and all(len(one.finite()) == len(one) for one in losses)

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
        if logged is not None and logged.beside(loss):
            return logged.y
        return None if self.train_loss is None else _means_between(self.train_loss.finite(), loss)


def _means_between(train: Series, evaluations: Series) -> Floats | None:
    if not len(train):
        return None
    ends = evaluations.at
    if np.any(ends[1:] < ends[:-1]) or np.any(train.at[1:] < train.at[:-1]):
        return _means_out_of_order(train, ends)
    result: Floats = np.interp(ends, train.at, train.y)
    last = np.searchsorted(train.at, ends, side="right")
    first = np.concatenate([[np.searchsorted(train.at, -1, side="right")], last[:-1]])
    for position in np.flatnonzero(last > first):
        result[position] = train.y[first[position] : last[position]].mean()
    return result


def _means_out_of_order(train: Series, ends: NDArray[np.int64]) -> Floats:
    """The same where a step counter runs backwards."""
    result: Floats = np.interp(ends, train.at, train.y)
    begin = -1
    for position, end in enumerate(ends):
        between = (train.at > begin) & (train.at <= end)
        if between.any():
            result[position] = train.y[between].mean()
        begin = end
    return result
