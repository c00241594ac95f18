"""The first 50 losses of ejected scripts beside ours, on FSDD with small random wav2vec 2.0 networks.

    TONMEISTER_TEST_DATA=../shared/data python -m benchmarks.ejected [group|layer|more]

Dropout is off in the networks; the order of the clips and the augmentation are the same in both, for the script takes
them over. `more` are tasks, losses, orders and schedules, on 360 of the clips for several epochs; of two stages both
are compared. About five minutes on one thread; with a name, that part alone, and the rest stays as it was.
"""

from __future__ import annotations

import csv
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch
import transformers

from benchmarks.data import RESULTS, data_folder, keep
from engine.plan import make_plan, plan_yaml, write_atomically
from engine.training.ejecting.ejection import eject
from engine.training.run import train_run
from engine.training.stopping import Stop
from tests.engine.training.ejected_scripts import loaded, losses_of

_LOSSES = 50
_FIGURE = "largest relative difference"
_WAYS: dict[str, dict[str, Any]] = {
    "frozen, mix of layers, mean": {"backbone": {"layers": "weighted-sum"}},
    "LoRA, attention, light augmentation": {
        "adaptation": {"method": "lora"}, "pooling": {"name": "attention"}, "augmentation": {"strength": "light"},
    },
    "DoRA in all linear layers of the top one, MLP": {
        "adaptation": {"method": "dora", "top_layers": 1, "targets": ["all-linear"]}, "head": {"name": "mlp"},
    },
    "top layer, temporal head": {"adaptation": {"method": "partial", "top_layers": 1}, "head": {"name": "temporal"}},
    "full, hierarchical pooling, four passes a step": {
        "adaptation": {"method": "full"}, "pooling": {"name": "hierarchical"}, "training": {"accumulation": 4},
    },
    "MFCC, temporal head, strong augmentation": {
        "backbone": {"name": "mfcc", "checkpoint": None}, "head": {"name": "temporal"},
        "augmentation": {"strength": "strong"},
    },
}  # fmt: skip
_MFCC = {"name": "mfcc", "checkpoint": None}
_SUPCON = {
    "loss": "supcon", "class_balance": "balanced-sampling", "clips_per_class": 4, "pair_features": 32,
    "label_smoothing": 0.0,
}  # fmt: skip
_EVENTS = {
    "task": {"type": "detection"}, "training": {"loss": "binary-cross-entropy"},
    "evaluation": {"select_by": "segment-f1", "segment_seconds": 0.1},
}  # fmt: skip
_MORE: dict[str, dict[str, Any]] = {
    "plateau": {"backbone": _MFCC, "training": {"schedule": "plateau", "plateau_epochs": 1, "learning_rate": 0.02}},
    "plateau after no warm-up": {
        "backbone": _MFCC,
        "training": {"schedule": "plateau", "plateau_epochs": 1, "learning_rate": 0.05, "warmup_fraction": 0.0},
    },
    "batches by seconds, top layer": {
        "training": {"batch_seconds": 12.0}, "adaptation": {"method": "partial", "top_layers": 1},
    },
    "curriculum, best clips at the end": {
        "backbone": _MFCC, "data": {"quality_column": "quality"},
        "training": {"curriculum_epochs": 2, "best_epochs": 2, "epochs": 8},
    },
    "voices of other speeds, LoRA": {
        "augmentation": {"strength": "light", "speed": "new-class"}, "adaptation": {"method": "lora"},
    },
    "beside a reference, mix of layers, LoRA": {
        "data": {"reference_column": "reference"}, "backbone": {"layers": "weighted-sum"},
        "adaptation": {"method": "lora"},
    },
    "events, top layer, light augmentation": {
        **_EVENTS, "augmentation": {"strength": "light"}, "adaptation": {"method": "partial", "top_layers": 1},
    },
    "events, MFCC, cut": {
        **_EVENTS, "backbone": _MFCC, "head": {"name": "temporal"}, "data": {"max_seconds": 0.3},
    },
    "pairs of clips, full": {
        "training": _SUPCON, "adaptation": {"method": "full"}, "evaluation": {"select_by": "nearest-accuracy"},
    },
    "a class of the user's own": {
        "backbone": {"name": "tests.engine.training.test_foreign:Mine", "checkpoint": None},
        "data": {"sample_rate_hz": 8000}, "adaptation": {"method": "full"},
    },
    "pairs, then a probe (LoRA)": {
        "training": {"stages": "audioconfit", "pair_epochs": 6, "pair_features": 32}, "adaptation": {"method": "lora"},
    },
    "probe, then the top layer": {
        "training": {"stages": "probe-then-finetune", "probe_epochs": 6},
        "adaptation": {"method": "partial", "top_layers": 1},
    },
}  # fmt: skip


def main() -> None:
    """Eject, train both, and keep the largest difference of each way."""
    transformers.logging.set_verbosity_error()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        kept = RESULTS / "ejected.json"
        figures = json.loads(kept.read_text("utf-8"))[_FIGURE] if sys.argv[1:] and kept.exists() else {}
        for norm in sys.argv[1:] or ("group", "layer", "more"):
            checkpoint = _checkpoint(folder / norm, "group" if norm == "more" else norm)
            for way, sections in (_MORE if norm == "more" else _WAYS).items():
                if norm == "more":
                    figures[way] = _difference(folder, _small(checkpoint, folder, sections))
                elif norm == "group" or sections.get("backbone", {}).get("name") != "mfcc":
                    figures[f"{way} ({norm} norm)"] = _difference(folder, _content(checkpoint, sections))
        keep("ejected", {"losses": _LOSSES, _FIGURE: figures})


def _checkpoint(folder: Path, norm: str) -> str:
    config = transformers.Wav2Vec2Config(
        hidden_size=64, num_hidden_layers=3, num_attention_heads=4, intermediate_size=128, conv_dim=(32,) * 7,
        num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=4, feat_extract_norm=norm,
        do_stable_layer_norm=norm == "layer", conv_bias=norm == "layer", hidden_dropout=0.0, attention_dropout=0.0,
        activation_dropout=0.0, feat_proj_dropout=0.0, final_dropout=0.0,
    )  # fmt: skip
    torch.manual_seed(0)
    transformers.Wav2Vec2Model(config).save_pretrained(folder)
    return str(folder)


def _difference(folder: Path, content: dict[str, Any]) -> float:
    """Return the largest relative difference of the first losses, in each stage."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        own = Path(name)
        write_atomically(own / "plan.yaml", plan_yaml(make_plan(content, "benchmark")))
        train_run(own / "plan.yaml", own / "ours", resume=False, test=False, stop=Stop())
        script, _, *before = eject(own / "plan.yaml", own / "script.py")
        found = []
        for number, stage in enumerate((*before, script)):
            module: Any = loaded(stage)
            module.START = own / "theirs-0" / "best" / "model.safetensors"
            theirs, trainer = losses_of(module, own / f"theirs-{number}")
            trainer.save_model(str(own / f"theirs-{number}" / "best"))
            found.append(_apart(theirs, own / "ours" / ("first-stage" if stage in before else "")))
    return max(found)


def _apart(theirs: list[float], run: Path) -> float:
    events = map(json.loads, (run / "events.jsonl").read_text().splitlines())
    ours = [event["loss"] for event in events if event["kind"] == "step"]
    pairs = list(zip(theirs, ours, strict=True))[:_LOSSES]
    assert len(pairs) == _LOSSES, f"{len(pairs)} steps"
    return float(max(abs(one - other) / abs(other) for one, other in pairs))


def _small(checkpoint: str, folder: Path, sections: dict[str, Any]) -> dict[str, Any]:
    """Return a plan of several epochs on few clips, which have a reference, a quality, and a begin and an end."""
    data = data_folder("fsdd")
    with (data / "manifest.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    rows = [row for part in ("train", "test") for row in [row for row in rows if row["split"] == part][::7]][:400]
    for number, row in enumerate(rows):
        row["path"] = str(data / row["path"])
        row |= {"quality": str(number * 37 % 101), "onset": "0.05", "offset": f"{0.1 + number % 9 / 30:.3f}"}
        row["reference"] = str(data / Path(rows[number - 1]["path"])) if number else row["path"]
    manifest = folder / "few.csv"
    with manifest.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    content = _content(checkpoint, sections)
    content["training"] |= {} if "epochs" in sections.get("training", {}) else {"epochs": 6}
    return content | {"data": content["data"] | {"manifest": str(manifest)}}


def _content(checkpoint: str, sections: dict[str, Any]) -> dict[str, Any]:
    content: dict[str, Any] = {
        "task": {"type": "classification"},
        "data": {"manifest": str(data_folder("fsdd") / "manifest.csv"), "split_column": "split"},
        "backbone": {"name": "wav2vec2", "checkpoint": checkpoint},
        "training": {"epochs": 1, "batch_size": 32, "warmup_fraction": 0.1, "clip_norm": 1.0, "weight_decay": 0.01},
        "compute": {"device": "cpu", "threads": 1},
    }
    return content | {name: content.get(name, {}) | values for name, values in sections.items()}


if __name__ == "__main__":
    main()
