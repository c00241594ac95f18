"""What a leaking split pretends, measured with one simple classifier: logistic regression on averaged log spectra.

`python -m pytest tests/engine/dataset/test_leakage_cost.py -s` prints the figures; source FSDD-LEAK cites it.
"""

from pathlib import Path

import numpy as np
import soundfile

from engine.evidence.dataset import read_dataset

BANDS, PARTS = 24, 4
Floats = np.ndarray


def features(file: Path) -> Floats:
    """Return log band energies, averaged over each quarter of the clip, `(PARTS * BANDS,)`."""
    samples, rate = soundfile.read(file)
    frame = rate // 40
    samples = np.pad(samples, (0, max(0, frame * PARTS - len(samples))))
    frames = np.lib.stride_tricks.sliding_window_view(samples, frame)[:: frame // 2] * np.hanning(frame)
    power = np.abs(np.fft.rfft(frames, 512)) ** 2
    edges = np.unique(np.geomspace(3, 200, BANDS + 1).round().astype(int))
    bands = np.log(np.add.reduceat(power, edges[:-1], axis=1) + 1e-7)
    return np.concatenate([part.mean(axis=0) for part in np.array_split(bands, PARTS)])


def accuracy(table: Floats, labels: Floats, train: Floats, test: Floats) -> float:
    """Train by gradient descent on `train`, return the accuracy on `test`."""
    classes = labels.max() + 1
    scaled = (table - table[train].mean(axis=0)) / (table[train].std(axis=0) + 1e-9)
    scaled = np.column_stack([scaled, np.ones(len(scaled))])
    weights, wanted = np.zeros((scaled.shape[1], classes)), np.eye(classes)[labels[train]]
    for _ in range(300):
        scores = scaled[train] @ weights
        shares = np.exp(scores - scores.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        weights -= 0.3 * (scaled[train].T @ (shares - wanted) / train.sum() + 0.01 * weights)
    return float(((scaled[test] @ weights).argmax(axis=1) == labels[test]).mean())


def both_ways(manifest: Path) -> tuple[float, float]:
    """Return the accuracy on the given split, and the mean accuracy with one group left out."""
    rows = [row for row in read_dataset(manifest).rows if row.file is not None]
    table = np.array([features(row.file) for row in rows if row.file is not None])
    labels = np.unique([row.label for row in rows], return_inverse=True)[1]
    splits, groups = np.array([row.split for row in rows]), np.array([row.group for row in rows])
    given = accuracy(table, labels, splits == "train", splits == "test")
    left_out = [accuracy(table, labels, groups != group, groups == group) for group in sorted(set(groups))]
    return given, float(np.mean(left_out))


def test_the_published_split_of_fsdd_pretends(test_data: Path) -> None:
    given, left_out = both_ways(test_data / "audio" / "fsdd" / "manifest.csv")

    print(f"\nFSDD: {given:.3f} on the published split, {left_out:.3f} with one speaker left out")
    assert given > 0.9
    assert given - left_out > 0.2
