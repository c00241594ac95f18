"""speechocean762 as regression on 0 to 10: the expert's plan against ridge regression, five speaker-grouped folds.

    TONMEISTER_TEST_DATA=../shared/data python -m benchmarks.speechocean

Trains on CPU with no download; both see the same speakers in the same folds. The ridge penalty is chosen inside the
training folds; so is our checkpoint, on speakers held out for validation. Which speakers those are moves the score of
so small a set, so the plan is trained with three seeds: each is reported, and their mean prediction is compared.
Two to four minutes on two cores.
"""

from __future__ import annotations

import csv
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torchaudio

from benchmarks.data import data_folder, experts_plan, keep, trained
from engine import metrics
from expert.consultation.scores import read_predictions

_FOLDS = 5
_SEEDS = (0, 1, 2)
_COEFFICIENTS = (13, 20)
_PENALTIES = 10.0 ** np.arange(-1, 5, 0.5)
_METRICS = {"ccc": metrics.ccc, "r": metrics.pearson, "std_ratio": metrics.std_ratio, "slope": metrics.slope}


def main() -> None:
    """Train both in the same folds and keep the figures."""
    source = data_folder("speechocean762")
    rows = list(csv.DictReader((source / "manifest.csv").open(encoding="utf-8")))
    labels = np.array([float(row["score"]) for row in rows])
    folds = speaker_folds([row["speaker"] for row in rows], labels)
    statistics, seconds = features([source / row["path"] for row in rows])
    ridge = out_of_fold_ridge(statistics, labels, folds)
    longer = {count: np.column_stack([x, np.log(seconds)]) for count, x in statistics.items()}
    with_length = out_of_fold_ridge(longer, labels, folds)
    with tempfile.TemporaryDirectory() as name:
        manifest = _write_manifest(Path(name), source, rows, folds)
        answers = {"task.domain": "speech-quality", "task.label_low": "0", "task.label_high": "10"}
        plan = experts_plan(manifest, answers, label="score", group="speaker")
        runs = [trained(plan, Path(name) / f"seed-{s}", folds="fold", training__seed=s) for s in _SEEDS]
        paths = [str(source / row["path"]) for row in rows]
        by_seed = [_in_order(run / "predictions" / "out-of-fold.csv", paths) for run in runs]
    ours = np.mean(by_seed, axis=0)
    arrays = labels, ours, ridge
    low, high = metrics.paired_difference_interval(metrics.ccc, *arrays, samples=2000, seed=0)
    keep(
        "speechocean",
        {
            "clips": len(rows),
            "folds": _FOLDS,
            "expert's plan, mean of the seeds": _figures(labels, ours),
            "expert's plan, ccc of each seed": [metrics.ccc(labels, one) for one in by_seed],
            "ridge regression": _figures(labels, ridge),
            "ridge regression that also knows the length, ccc": metrics.ccc(labels, with_length),
            "ccc_gain": {"value": metrics.ccc(labels, ours) - metrics.ccc(labels, ridge), "interval": [low, high]},
            "plan": plan.model_dump(mode="json", exclude={"data"}),
        },
    )


def speaker_folds(speakers: list[str], labels: np.ndarray) -> np.ndarray:
    """Return the fold of each clip (clips,): speakers dealt out by their mean score, there and back."""
    mine = np.array(speakers)
    ranked = sorted(set(speakers), key=lambda speaker: (labels[mine == speaker].mean(), speaker))
    rounds = [divmod(place, _FOLDS) for place in range(len(ranked))]
    dealt = {s: p if lap % 2 == 0 else _FOLDS - 1 - p for s, (lap, p) in zip(ranked, rounds, strict=True)}
    return np.array([dealt[speaker] for speaker in speakers])


def features(paths: list[Path]) -> tuple[dict[int, np.ndarray], np.ndarray]:
    """Return mean and deviation of 13 and of 20 MFCC with both differences, and the length of each clip in seconds."""
    import soundfile

    mfcc = torchaudio.transforms.MFCC(16000, 20, melkwargs={"n_fft": 512, "hop_length": 160, "n_mels": 40})
    rows: dict[int, list[np.ndarray]] = {count: [] for count in _COEFFICIENTS}
    seconds = []
    for path in paths:
        samples, rate = soundfile.read(path, dtype="float32")
        seconds.append(len(samples) / rate)
        frames = mfcc(torch.from_numpy(samples))
        for count, kept in rows.items():
            first = torchaudio.functional.compute_deltas(frames[:count])
            stacked = torch.cat([frames[:count], first, torchaudio.functional.compute_deltas(first)])
            kept.append(torch.cat([stacked.mean(1), stacked.std(1)]).numpy())
    return {count: np.stack(kept).astype(np.float64) for count, kept in rows.items()}, np.array(seconds)


def out_of_fold_ridge(x: dict[int, np.ndarray], labels: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """Return clipped predictions (clips,); penalty and coefficients are chosen inside the training folds."""
    predictions = np.zeros(len(labels))
    for fold in range(_FOLDS):
        inside = folds != fold
        choices = [(count, penalty) for count in x for penalty in _PENALTIES]
        scores = [metrics.ccc(labels[inside], _inner(x[c], labels, folds, fold, p)[inside]) for c, p in choices]
        count, penalty = choices[int(np.argmax(scores))]
        predictions[~inside] = ridge(x[count][inside], labels[inside], x[count][~inside], penalty)
    return np.clip(predictions, 0, 10)


def _inner(x: np.ndarray, labels: np.ndarray, folds: np.ndarray, fold: int, penalty: float) -> np.ndarray:
    predictions = np.zeros(len(labels))
    for other in set(range(_FOLDS)) - {fold}:
        train, here = (folds != fold) & (folds != other), folds == other
        predictions[here] = ridge(x[train], labels[train], x[here], penalty)
    return predictions


def ridge(x: np.ndarray, y: np.ndarray, z: np.ndarray, penalty: float) -> np.ndarray:
    """Fit standardised ridge regression on x (clips, features), y (clips,) and predict for z."""
    mean, deviation = x.mean(0), x.std(0) + 1e-9
    x, z = (x - mean) / deviation, (z - mean) / deviation
    weights = np.linalg.solve(x.T @ x + penalty * np.eye(x.shape[1]), x.T @ (y - y.mean()))
    return np.asarray(z @ weights + y.mean())


def _write_manifest(folder: Path, source: Path, rows: list[dict[str, str]], folds: np.ndarray) -> Path:
    manifest = folder / "manifest.csv"
    with manifest.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["path", "score", "speaker", "fold"])
        for row, fold in zip(rows, folds, strict=True):
            writer.writerow([source / row["path"], row["score"], row["speaker"], fold + 1])
    return manifest


def _in_order(file: Path, paths: list[str]) -> np.ndarray:
    predictions = read_predictions(file)
    by_path = dict(zip(predictions.paths, predictions.predictions, strict=True))
    return np.array([float(by_path[path]) for path in paths])


def _figures(labels: np.ndarray, predictions: np.ndarray) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for name, function in _METRICS.items():
        interval = metrics.bootstrap_interval(function, labels, predictions, samples=2000, seed=0)
        figures[name] = {"value": function(labels, predictions), "interval": list(interval)}
    figures["by_label_bin"] = [_bin(labels, predictions, low) for low in range(0, 10, 2)]
    return figures


def _bin(labels: np.ndarray, predictions: np.ndarray, low: int) -> dict[str, Any]:
    here = (labels >= low) & (labels < low + 2) if low < 8 else labels >= low
    errors = np.abs(predictions - labels)[here]
    interval = metrics.bootstrap_interval(metrics.mae, labels[here], predictions[here], samples=2000, seed=0)
    bias = float((predictions - labels)[here].mean())
    return {
        "labels": [low, low + 2],
        "clips": int(here.sum()),
        "mae": float(errors.mean()),
        "mae_interval": list(interval),
        "bias": bias,
    }


if __name__ == "__main__":
    main()
