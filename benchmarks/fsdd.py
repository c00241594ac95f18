"""FSDD, each of six speakers left out once: the expert's plan against a three-segment MFCC logistic regression.

    TONMEISTER_TEST_DATA=../shared/data python -m benchmarks.fsdd

Trains on CPU with no download; both see the same clips in the same folds. The same plan and the same regression on the
published split, which shares every speaker, stand beside it as what leakage pretends. About ten minutes on two cores.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torchaudio

from benchmarks.data import data_folder, experts_plan, keep, trained
from engine.evidence.dataset import Dataset, read_dataset
from engine.metrics import accuracy

_SEGMENTS = 3
_COEFFICIENTS = 13
_PENALTIES = (0.1, 1.0, 10.0, 100.0)


def main() -> None:
    """Train both, leave-one-speaker-out and on the leaking split, and keep the figures."""
    manifest = data_folder("fsdd") / "manifest.csv"
    dataset = read_dataset(manifest)
    plan = experts_plan(manifest, {"task.domain": "clean-speech"})
    features = segment_statistics(dataset)
    with tempfile.TemporaryDirectory() as folder:
        folds = trained(plan, Path(folder) / "folds", folds="leave-one-group-out")
        ours = json.loads((folds / "folds.json").read_text())
        leaking = trained(plan, Path(folder) / "leaking", test=True, data__protocol="given-split")
        pretended = _test_accuracy(leaking / "predictions" / "test.csv")
    keep(
        "fsdd",
        {
            "left_out_speakers": {
                "expert's plan": {"mean": ours["mean"]["accuracy"], "by_speaker": _by_fold(ours)},
                "logistic regression": _leave_one_speaker_out(dataset, features),
            },
            "published split, which leaks every speaker": {
                "expert's plan": pretended,
                "logistic regression": _published(dataset, features),
            },
            "plan": plan.model_dump(mode="json", exclude={"data"}),
        },
    )


def segment_statistics(dataset: Dataset) -> np.ndarray:
    """Return mean and deviation of 13 MFCC in three equal segments of each clip (clips, 78)."""
    import soundfile

    mfcc = torchaudio.transforms.MFCC(8000, _COEFFICIENTS, melkwargs={"n_fft": 256, "hop_length": 80, "n_mels": 40})
    rows = []
    for row in dataset.rows:
        samples, _ = soundfile.read(row.file, dtype="float32")
        frames = mfcc(torch.from_numpy(np.pad(samples, (0, max(0, 1200 - len(samples)))))).numpy()
        parts = np.array_split(frames, _SEGMENTS, axis=1)
        rows.append(np.concatenate([f(part, axis=1) for part in parts for f in (np.mean, np.std)]))
    return np.stack(rows).astype(np.float64)


def logistic_regression(train: np.ndarray, labels: np.ndarray, test: np.ndarray, penalty: float) -> np.ndarray:
    """Return class numbers (clips,) of a standardised, L2-regularised multinomial regression."""
    mean, deviation = train.mean(0), train.std(0) + 1e-9
    x, z = (torch.from_numpy((part - mean) / deviation) for part in (train, test))
    y = torch.from_numpy(labels)
    weights = torch.zeros(x.shape[1] + 1, int(y.max()) + 1, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([weights], max_iter=300, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        scores = x @ weights[:-1] + weights[-1]
        loss = torch.nn.functional.cross_entropy(scores, y) + penalty / 2 / len(x) * weights[:-1].square().sum()
        loss.backward()
        return loss

    optimiser.step(closure)
    return (z @ weights[:-1] + weights[-1]).argmax(1).numpy()


def _leave_one_speaker_out(dataset: Dataset, features: np.ndarray) -> dict[str, Any]:
    speakers = np.array([row.group for row in dataset.rows])
    labels = np.array([int(row.label) for row in dataset.rows])
    scores, penalties = {}, {}
    for speaker in sorted(set(speakers)):
        out = speakers == speaker
        penalty = _best_penalty(features[~out], labels[~out], speakers[~out])
        found = logistic_regression(features[~out], labels[~out], features[out], penalty)
        scores[str(speaker)], penalties[str(speaker)] = accuracy(labels[out], found), penalty
    return {"mean": float(np.mean(list(scores.values()))), "by_speaker": scores, "penalty": penalties}


def _best_penalty(features: np.ndarray, labels: np.ndarray, speakers: np.ndarray) -> float:
    """Choose by leaving out each speaker of the training part once more; the tested one is never seen."""

    def score(penalty: float) -> float:
        outs = [speakers == speaker for speaker in sorted(set(speakers))]
        return sum(
            accuracy(labels[out], logistic_regression(features[~out], labels[~out], features[out], penalty))
            for out in outs
        )

    return max(_PENALTIES, key=score)


def _published(dataset: Dataset, features: np.ndarray) -> float:
    """On the published split; the penalty with the best score on it, which favours the regression."""
    labels = np.array([int(row.label) for row in dataset.rows])
    test = np.array([row.split == "test" for row in dataset.rows])
    parts = features[~test], labels[~test], features[test]
    return max(accuracy(labels[test], logistic_regression(*parts, penalty)) for penalty in _PENALTIES)


def _by_fold(folds: dict[str, Any]) -> dict[str, float]:
    return {fold["held_out"]: fold["metrics"]["accuracy"] for fold in folds["folds"]}


def _test_accuracy(path: Path) -> float:
    from expert.consultation.scores import read_predictions

    rows = read_predictions(path)
    return accuracy(np.array(rows.labels), np.array(rows.predictions))


if __name__ == "__main__":
    main()
