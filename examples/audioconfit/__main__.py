"""S004 on real audio: pairs first, then a probe, against fine-tuning and against fine-tuning and a probe.

    python -m examples.audioconfit --data ../shared/data --minutes 7

The same again goes on where it stopped. FSDD's six speakers from 20 clips of each with five seeds, ESC-10 with a seed
for each of its five folds; a small encoder that is pre-trained here on speech. results.json beside this file holds what
comes out, whatever it is. A quarter of an hour of one core in all.
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import torch
import transformers

from engine.metrics import accuracy
from engine.plan import Plan, make_plan, patched, plan_yaml, write_atomically
from engine.representations import contributions, nearest_same_class, spread
from engine.training.data import read_corpus
from engine.training.model import AudioModel, build_model
from engine.training.recipes import first_stage
from engine.training.representing import model_of, pooled_of
from engine.training.run import train_run
from engine.training.splits import Parts, parts_of
from engine.training.stopping import Stop
from examples.clips import esc10, fsdd_speakers, written
from examples.slices import kept, options, run
from examples.small_encoder import RATE_HZ, Encoder, encoder

from .comparison import FINE, PAIRS, PROBE, TUNED_PROBE, told
from .probing import probe

_SECONDS = 1.0
_EPOCHS = {"FSDD speakers": 30, "ESC-10": 20}
"""Of fine-tuning and of pairs alike."""
_CLIPS_OF_A_SPEAKER = 20
"""A minute of sound in all: S004's gain is largest where a class has few clips."""
_RATES = (3e-4, 1e-3)
"""Of the network below the head. Each method takes the one that does best on validation clips."""
_RATE_SEED = 100
"""Not one of those that count."""
_FOLDS = ("1", "2", "3", "4", "5")


def main() -> None:
    """Pre-train once, do what is not done yet, and keep the figures."""
    chosen = options(__doc__, Path(__file__).with_name("results.json"))
    transformers.logging.set_verbosity_error()
    torch.set_num_threads(1)
    begin = encoder(chosen.data, chosen.pretraining_steps)
    with tempfile.TemporaryDirectory() as name:
        units = _units(chosen, begin, Path(name))
        run(chosen.results, units, chosen.minutes, partial(told, encoder=begin.told))


def _units(chosen: Any, begin: Encoder, folder: Path) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield name and work: first the rates of each task, then every seed and fold."""
    for task in _EPOCHS:
        yield f"{task} / rates", lambda task=task: _rates(_plan(chosen.data, begin, folder, task, "1"), folder)
    for seed in range(chosen.seeds):
        for task in _EPOCHS:
            fold = _FOLDS[seed % len(_FOLDS)] if task == "ESC-10" else "1"

            def work(task: str = task, fold: str = fold, seed: int = seed) -> dict[str, Any]:
                rates = kept(chosen.results)[f"{task} / rates"]["chosen"]
                return _compared(_plan(chosen.data, begin, folder, task, fold), rates, seed)

            yield f"{task} / seed {seed}", work


def _plan(data: Path, begin: Encoder, folder: Path, task: str, fold: str) -> Plan:
    """Return the plan of fine-tuning on one task."""
    own = folder / f"{task}-{fold}"
    if not own.exists():
        rows = esc10(data, fold) if task == "ESC-10" else fsdd_speakers(data, _CLIPS_OF_A_SPEAKER)
        written(own, rows, RATE_HZ, _SECONDS)
    return patched(plan_for(own / "manifest.csv", begin), {"training.epochs": _EPOCHS[task]})


def plan_for(manifest: Path, begin: Encoder) -> Plan:
    """Return the plan of fine-tuning; S004 takes Adam, and all weights learn."""
    return make_plan(
        {
            "task": {"type": "classification"},
            "data": {
                "manifest": str(manifest), "split_column": "split", "group_column": "group", "sample_rate_hz": RATE_HZ,
            },
            "backbone": {"name": begin.name, "checkpoint": begin.checkpoint},
            "adaptation": {"method": "full"},
            "training": {
                "epochs": 20, "batch_size": 24, "optimizer": "adam", "learning_rate": 1e-3, "clip_norm": 1.0,
                "backbone_learning_rate": 5e-4, "schedule": "constant",
            },
            "evaluation": {"select_by": "accuracy"},
            "compute": {"device": "cpu", "threads": 1},
        },
        "example",
    )  # fmt: skip


def _rates(plan: Plan, folder: Path) -> dict[str, Any]:
    """Return the validation accuracy of each rate, and the best of each method; test clips are not looked at."""
    plan = patched(plan, {"training.seed": _RATE_SEED})
    parts = parts_of(read_corpus(plan).items, plan)
    found: dict[str, dict[str, float]] = {FINE: {}, PAIRS: {}}
    for rate in _RATES:
        own = patched(plan, {"training.backbone_learning_rate": rate})
        with tempfile.TemporaryDirectory(dir=folder) as name:
            trained(own, Path(name) / "tuned", test=False)
            found[FINE][str(rate)] = right(Path(name) / "tuned", "val")[0]
            trained(_pairs(own), Path(name) / "pairs", test=False)
            found[PAIRS][str(rate)] = _probed(model_of(Path(name) / "pairs"), plan, parts)["validation accuracy"]
    best = {method: float(max(own, key=own.__getitem__)) for method, own in found.items()}
    return {"validation accuracy": found, "chosen": best}


def _pairs(plan: Plan) -> Plan:
    """Return the plan of the first stage: pairs alone, as many epochs as fine-tuning has."""
    stages = {"training.stages": "audioconfit", "training.pair_epochs": plan.training.epochs}
    stage = first_stage(patched(plan, stages))
    assert stage is not None, "there are two stages"
    return stage


def _compared(plan: Plan, rates: dict[str, float], seed: int) -> dict[str, Any]:
    """Train every method with one seed; return what each says of the test clips, and how its representation lies."""
    plan = patched(plan, {"training.seed": seed})
    parts = parts_of(read_corpus(plan).items, plan)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        trained(patched(plan, {"training.backbone_learning_rate": rates[FINE]}), folder / "tuned")
        trained(_pairs(patched(plan, {"training.backbone_learning_rate": rates[PAIRS]})), folder / "pairs", test=False)
        untouched = build_model(patched(plan, {"adaptation.method": "frozen"}), classes=2).eval()
        share, said = right(folder / "tuned", "test")
        found = {
            PROBE: _probed(untouched, plan, parts),
            TUNED_PROBE: _probed(model_of(folder / "tuned"), plan, parts),
            PAIRS: _probed(model_of(folder / "pairs"), plan, parts),
        }
    found[FINE] = {**found[TUNED_PROBE], "accuracy": share, "right": said}
    return {"groups": [item.group for item in parts.held_out], **found}


def _probed(model: AudioModel, plan: Plan, parts: Parts) -> dict[str, Any]:
    """Return what a linear probe on an encoder says of the test clips, and the measures of S004's Table 3 on them."""
    train, validation, test = (
        (pooled_of(model, plan, items), [int(item.target) for item in items])
        for items in (parts.train, parts.validation, parts.held_out)
    )
    on_validation, named = probe(train, validation, test[0])
    said = [int(one == other) for one, other in zip(named, test[1], strict=True)]
    return {
        "accuracy": sum(said) / len(said),
        "right": "".join(map(str, said)),
        "validation accuracy": on_validation,
        **asdict(contributions(test[0])),
        "nearest_same_class": nearest_same_class(*test),
        "spread": spread(test[0]),
    }


def trained(plan: Plan, run: Path, *, test: bool = True) -> None:
    """Train one plan, and score its test clips if they are to be looked at."""
    write_atomically(run / "plan.yaml", plan_yaml(plan))
    train_run(run / "plan.yaml", run, resume=False, test=test, stop=Stop())


def right(run: Path, part: str) -> tuple[float, str]:
    """Return the accuracy on a part, and for each clip in order whether it was named right, as 1 or 0."""
    with (run / f"predictions/{part}.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    said = "".join(str(int(row["label"] == row["prediction"])) for row in rows)
    return accuracy([row["label"] for row in rows], [row["prediction"] for row in rows]), said


if __name__ == "__main__":
    main()
