"""A frozen wav2vec 2.0: seconds an epoch when every epoch encodes every clip, and when frames come from the cache.

    TONMEISTER_TEST_DATA=../shared/data python -m benchmarks.cache

The network is random, small and saved for the purpose, so nothing is downloaded; a larger one gains more. Both runs
are the product's own trainer on the same 300 clips, one after the other in this process. Under a minute on two cores.
"""

from __future__ import annotations

import itertools
import json
import os
import statistics
import tempfile
from pathlib import Path
from typing import Any
from unittest import mock

from benchmarks.data import data_folder, keep
from engine.plan import Plan, make_plan, plan_yaml, write_atomically
from engine.training.cache import FrameCache
from engine.training.run import train_run
from engine.training.stopping import Stop

_CLIPS = 300
_EPOCHS = 6


def main() -> None:
    """Train twice, encoding each time and from the cache, and keep the figures."""
    with tempfile.TemporaryDirectory() as name, mock.patch.dict(os.environ, TONMEISTER_CACHE=f"{name}/cache"):
        folder = Path(name)
        plan = _plan(_manifest(folder), _checkpoint(folder))
        with mock.patch.object(FrameCache, "frames_of", return_value=None):  # as when the cache has no room
            encoding = _seconds(plan, folder / "encoding")
        cached = _seconds(plan, folder / "cached")
        again = _seconds(plan, folder / "again")
    keep(
        "cache",
        {
            "clips": _CLIPS,
            "epochs": _EPOCHS,
            "encoding in every epoch": encoding,
            "encoding once": cached,
            "a second run on the same clips": again,
            "times_faster_an_epoch": encoding["an_epoch"] / cached["an_epoch"],
            "times_faster_as_a_whole": encoding["in_all"] / cached["in_all"],
        },
    )


def _manifest(folder: Path) -> Path:
    """Write a manifest of the first takes of every digit and speaker."""
    source = data_folder("fsdd")
    header, *lines = (source / "manifest.csv").read_text("utf-8").splitlines()
    columns = header.split(",")
    rows = [dict(zip(columns, line.split(","), strict=True)) for line in lines]
    rows = sorted(rows, key=lambda row: (int(row["take"]), row["path"]))[:_CLIPS]
    text = "".join(f"{source / row['path']},{row['label']}\n" for row in rows)
    write_atomically(folder / "manifest.csv", "path,label\n" + text)
    return folder / "manifest.csv"


def _checkpoint(folder: Path) -> Path:
    import transformers

    config = transformers.Wav2Vec2Config(
        hidden_size=128,
        num_hidden_layers=4,
        num_attention_heads=4,
        intermediate_size=512,
        conv_dim=(128,) * 7,
        num_conv_pos_embeddings=32,
        num_conv_pos_embedding_groups=4,
    )
    transformers.Wav2Vec2Model(config).save_pretrained(folder / "checkpoint")
    return folder / "checkpoint"


def _plan(manifest: Path, checkpoint: Path) -> Plan:
    return make_plan(
        {
            "task": {"type": "classification"},
            "data": {"manifest": str(manifest), "protocol": "random-stratified-split", "test_share": 0.0},
            "backbone": {"name": "wav2vec2", "checkpoint": str(checkpoint)},
            "pooling": {"name": "attention"},
            "training": {"epochs": _EPOCHS},
            "compute": {"device": "cpu", "threads": 2},
        },
        "benchmarks/cache.py",
    )


def _seconds(plan: Plan, run: Path) -> dict[str, Any]:
    """Train, and return the time until the first step, that of an epoch, and that of the run."""
    write_atomically(run / "plan.yaml", plan_yaml(plan))
    train_run(run / "plan.yaml", run, resume=False, test=False, stop=Stop())
    events = [json.loads(line) for line in (run / "events.jsonl").read_text("utf-8").splitlines()]
    kinds = ("start", "step", "eval", "end")
    times = {kind: [event["t"] for event in events if event["kind"] == kind] for kind in kinds}
    epochs = [later - earlier for earlier, later in itertools.pairwise(times["eval"])]
    return {
        "before_the_first_step": round(times["step"][0] - times["start"][0], 3),
        "an_epoch": round(statistics.median(epochs), 4),
        "in_all": round(times["end"][0] - times["start"][0], 3),
    }


if __name__ == "__main__":
    main()
