"""Scores a model: outputs of all clips, metrics, and prediction files. It never changes weights or draws randomly."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine import metrics
from engine.plan import Plan, write_atomically
from knowledge.errors import InputError

from .batches import by_length
from .data import Item, targets_of
from .job import Job

Metric = Callable[[NDArray[np.float64], NDArray[np.float64]], float]
CLASS_METRICS: dict[str, Metric] = {
    "accuracy": metrics.accuracy,
    "balanced-accuracy": metrics.balanced_accuracy,
    "macro-f1": metrics.macro_f1,
}
SCORE_METRICS: dict[str, Metric] = {
    "ccc": metrics.ccc,
    "pearson": metrics.pearson,
    "rmse": metrics.rmse,
    "mae": metrics.mae,
    "std_ratio": metrics.std_ratio,
}
_LEAST_SHARE = 1e-7
"""Below the last digit of a share in a prediction file."""


@dataclass(frozen=True)
class Scored:
    """The clips of one part, and what the model says about them."""

    items: tuple[Item, ...]
    outputs: Tensor
    """(clips, classes) class scores, or (clips,) predictions in the unit of the label; on the CPU."""
    classes: tuple[str, ...]

    @property
    def labels(self) -> NDArray[np.float64]:
        """(clips,) class numbers or scores."""
        return np.array([item.target for item in self.items], dtype=np.float64)

    @property
    def predictions(self) -> NDArray[np.float64]:
        """(clips,) class numbers or scores."""
        answers = self.outputs.argmax(1) if self.classes else self.outputs
        return answers.double().numpy()

    @property
    def groups(self) -> list[str]:
        """The group of each clip; empty texts where the plan names no group column."""
        return [item.group for item in self.items]


def score(job: Job, items: tuple[Item, ...], stopping: Callable[[], None]) -> Scored:
    """Return what the model says about some clips; `stopping` is called between batches and may raise."""
    lengths = [job.source.loader.samples(item) for item in items]
    size = max(job.plan.training.batch_size // job.plan.training.accumulation, 1)
    answers: list[Tensor] = [torch.empty(0)] * len(items)
    job.model.eval()
    for rows in by_length(lengths, size):
        batch = job.source.evaluation_batch(tuple(items[row] for row in rows)).to(job.device)
        with torch.no_grad(), job.autocast():
            outputs = job.model(batch).float().cpu()
        for row, output in zip(rows, outputs, strict=True):
            answers[row] = output
        stopping()
    return Scored(items, torch.stack(answers), job.classes)


def loss_of(job: Job, scored: Scored) -> float:
    """Return the loss over all clips at once: a CCC over batches would be another number (training.md 2.9)."""
    targets = targets_of(scored.items, job.plan.task.type)
    with torch.no_grad():
        return float(job.evaluation_loss(scored.outputs, targets))


def metrics_of(scored: Scored) -> dict[str, float]:
    """Return every metric of the task by name; NaN where it is not defined."""
    functions = CLASS_METRICS if scored.classes else SCORE_METRICS
    return {name: function(scored.labels, scored.predictions) for name, function in functions.items()}


def is_better(metric: str, new: float, old: float | None) -> bool:
    """Say whether `new` beats `old`; a tie does not, so that the earliest of equals is kept."""
    if old is None or np.isnan(old):
        return not np.isnan(new)
    return new < old if metric == "loss" else new > old


def chance(plan: Plan, items: Sequence[Item], classes: int) -> float | None:
    """Return the selection metric of a constant answer, the most frequent class; None where there is no such level."""
    if plan.task.type == "regression":
        return None if plan.evaluation.select_by == "loss" else 0.0
    counts = np.bincount([int(item.target) for item in items], minlength=classes)
    share = counts / counts.sum()
    if plan.evaluation.select_by == "loss":
        seen = share[share > 0]
        return float(-(seen * np.log(seen)).sum())
    if plan.evaluation.select_by == "macro-f1":
        return float(2 * share.max() / (1 + share.max()) / (share > 0).sum())
    return float(share.max())


def write_predictions(path: Path, scored: Scored) -> Path:
    """Write `path,group,label,prediction[,p_CLASS...]`, a row a clip in the order of the manifest."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["path", "group", "label", "prediction", *(f"p_{name}" for name in scored.classes)])
    shares = scored.outputs.double().softmax(1).tolist() if scored.classes else [[]] * len(scored.items)
    for item, answer, row in zip(scored.items, scored.predictions.tolist(), shares, strict=True):
        said = scored.classes[int(answer)] if scored.classes else f"{answer:.6g}"
        writer.writerow([item.path, item.group, item.label, said, *(f"{share:.6f}" for share in row)])
    write_atomically(path, stream.getvalue())
    return path


def read_scored(path: Path, items: Mapping[str, Item], classes: tuple[str, ...]) -> Scored:
    """Read back what `write_predictions` wrote; `items` are the clips by path.

    Raises:
        InputError: it cannot be read, or names other clips.
    """
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
        known = tuple(items[row["path"]] for row in rows)
        if not classes:
            return Scored(known, torch.tensor([float(row["prediction"]) for row in rows]), classes)
        shares = torch.tensor([[float(row[f"p_{name}"]) for name in classes] for row in rows])
    except (OSError, KeyError, ValueError) as error:
        raise InputError(f"{path}: not the predictions of this run ({error})") from None
    # The logarithm of a share is a class score; a share that was rounded to 0 stays the smallest.
    return Scored(known, shares.clamp(min=_LEAST_SHARE).log(), classes)


def joined(scored: Sequence[Scored]) -> Scored:
    """Return several parts as one, in the order of the manifest."""
    items = [item for one in scored for item in one.items]
    order = sorted(range(len(items)), key=lambda place: items[place].index)
    outputs = torch.cat([one.outputs for one in scored])
    return Scored(tuple(items[place] for place in order), outputs[order], scored[0].classes)


def with_intervals(scored: Scored, samples: int, seed: int) -> dict[str, dict[str, float | list[float]]]:
    """Return every metric with its 95 % bootstrap interval over clips, and over groups where there are several."""
    labels, predictions, groups = scored.labels, scored.predictions, scored.groups
    functions = CLASS_METRICS if scored.classes else SCORE_METRICS
    result: dict[str, dict[str, float | list[float]]] = {}
    for name, function in functions.items():
        low, high = metrics.bootstrap_interval(function, labels, predictions, samples=samples, seed=seed)
        result[name] = {"value": function(labels, predictions), "interval": [low, high]}
        if len(set(groups)) > 1:
            interval = metrics.bootstrap_interval(
                function, labels, predictions, groups=groups, samples=samples, seed=seed
            )
            result[name]["interval_over_groups"] = list(interval)
    return result
