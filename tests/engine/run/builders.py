"""Run directories and trainer states made of curves, for tests of readers, signals and the diagnosis."""

import csv
import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from engine.plan import make_plan, plan_yaml


@dataclass
class Made:
    """Curves of one run; a value an epoch, except for `step_loss` and `grad_norm`, which have one a step."""

    train: list[float]
    val: list[float]
    metric: list[float] = field(default_factory=list)
    name: str = "accuracy"
    task: str = "classification"
    classes: int = 4
    steps: int = 10
    """Steps an epoch."""
    epochs: int | None = None
    """Planned epochs; default: as many as there are."""
    status: str | None = "completed"
    schedule: str = "cosine"
    warmup: float = 0.06
    peak: float = 5e-4
    step_loss: list[float] = field(default_factory=list)
    grad_norm: list[float] = field(default_factory=list)
    plan: dict = field(default_factory=dict)
    """Plan sections that differ from a sound plan."""
    predictions: dict = field(default_factory=dict)
    """Rows `(path, group, label, prediction)` by file name."""


def rate(made: Made, step: int, total: int) -> float:
    warm = made.warmup * total
    if step < warm:
        return made.peak * step / warm
    if made.schedule == "constant":
        return made.peak
    return made.peak * 0.5 * (1 + np.cos(np.pi * (step - warm) / max(1.0, total - warm)))


def events_of(made: Made) -> list[dict]:
    epochs = made.epochs or len(made.val)
    total = epochs * made.steps
    events = [
        {
            "kind": "start", "task": made.task, "epochs": epochs, "total_steps": total, "select_by": made.name,
            "classes": [f"c{i}" for i in range(made.classes)] if made.task == "classification" else [],
            "chance": 1 / made.classes if made.task == "classification" else 0.0,
        }
    ]  # fmt: skip
    before = made.train[0] * 1.2 if made.train else 0.0
    for epoch, loss in enumerate(made.train):
        for inner in range(made.steps):
            step = epoch * made.steps + inner + 1
            between = before + (loss - before) * (inner + 1) / made.steps
            events.append(
                {
                    "kind": "step", "step": step, "epoch": step / made.steps,
                    "loss": made.step_loss[step - 1] if made.step_loss else between,
                    "grad_norm": made.grad_norm[step - 1] if made.grad_norm else 1.0,
                    "lr": {"head": rate(made, step, total)},
                }
            )  # fmt: skip
        before = loss
        if epoch < len(made.val):
            metrics = {f"val/{made.name}": made.metric[epoch]} if made.metric else {}
            events.append(
                {
                    "kind": "eval", "step": (epoch + 1) * made.steps, "epoch": epoch + 1, "split": "val",
                    "loss": made.val[epoch], "train_loss": loss, "metrics": metrics,
                }
            )  # fmt: skip
    if made.status:
        events.append({"kind": "end", "status": made.status})
    return [{"v": 1, "t": 1.7e9 + i, **event} for i, event in enumerate(events)]


def sound_plan(made: Made) -> str:
    content: dict = {
        "name": "made",
        "task": {"type": made.task},
        "data": {"manifest": "clips.csv"},
        "training": {
            "loss": "cross-entropy" if made.task == "classification" else "mse+ccc",
            "epochs": made.epochs or max(1, len(made.val)),
            "clip_norm": 1.0,
            "warmup_fraction": made.warmup,
            "weight_decay": 0.01,
            "patience_epochs": 10,
        },
        "evaluation": {"select_by": "accuracy" if made.task == "classification" else "ccc"},
        "output": {"bounded": made.task == "regression", "low": 1.0, "high": 5.0},
    }
    for section, values in made.plan.items():
        content.setdefault(section, {}).update(values)
    return plan_yaml(make_plan(content, "test"))


def write_run(folder: Path, made: Made) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "plan.yaml").write_text(sound_plan(made))
    (folder / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events_of(made)))
    for name, rows in made.predictions.items():
        write_predictions(folder / "predictions" / f"{name}.csv", rows)
    return folder


def write_predictions(path: Path, rows: list[tuple]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["path", "group", "label", "prediction"])
        writer.writerows(rows)


def write_state(path: Path, rows: list[dict], **meta: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"global_step": rows[-1]["step"] if rows else 0, **meta, "log_history": rows}))
    return path


def healthy(seed: int = 0, task: str = "classification", epochs: int = 20) -> Made:
    """A run that learns, settles and generalises: nothing in it is worth a warning."""
    random = np.random.default_rng(seed)
    time = np.arange(1, epochs + 1)
    fall = np.exp(-time / 4)
    ln_k = np.log(4)
    if task == "classification":
        train = (0.25 + 1.1 * fall) * np.exp(random.normal(0, 0.02, epochs))
        val = (0.33 + 1.05 * fall) * np.exp(random.normal(0, 0.015, epochs))
        metric = np.clip(0.92 - 0.65 * fall + random.normal(0, 0.008, epochs), 0, 1)
    else:
        train = (0.35 + 0.6 * fall) * np.exp(random.normal(0, 0.02, epochs))
        val = (0.42 + 0.55 * fall) * np.exp(random.normal(0, 0.015, epochs))
        metric = 0.8 - 0.7 * fall + random.normal(0, 0.008, epochs)
    steps = np.repeat(train, 15) * np.exp(random.normal(0, 0.15, epochs * 15))
    steps[0] = ln_k
    return Made(
        train.tolist(), val.tolist(), metric.tolist(),
        name="accuracy" if task == "classification" else "ccc", task=task, steps=15,
        step_loss=steps.tolist(), grad_norm=np.exp(random.normal(0, 0.4, epochs * 15)).tolist(),
        predictions={"val": good_predictions(seed, task)},
    )  # fmt: skip


def good_predictions(seed: int, task: str, clips: int = 240, shift: float = 0.0) -> list[tuple]:
    random = np.random.default_rng(seed + 1000)
    speakers = [f"s{i % 6}" for i in range(clips)]
    if task == "classification":
        labels = [f"c{i % 4}" for i in range(clips)]
        wrong = random.random(clips) < 0.08 + shift
        predicted = [f"c{random.integers(4)}" if bad else label for label, bad in zip(labels, wrong, strict=True)]
        return [(f"{i}.wav", s, a, b) for i, (s, a, b) in enumerate(zip(speakers, labels, predicted, strict=True))]
    labels = random.uniform(1, 5, clips)
    predicted = 3 + 0.85 * (labels - 3) + random.normal(0, 0.55 + 3 * shift, clips)
    rows = zip(speakers, labels, predicted, strict=True)
    return [(f"{i}.wav", s, f"{a:.4f}", f"{b:.4f}") for i, (s, a, b) in enumerate(rows)]
