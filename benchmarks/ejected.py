"""The first 50 losses of ejected scripts beside ours, on FSDD with small random wav2vec 2.0 networks.

    TONMEISTER_TEST_DATA=../shared/data python -m benchmarks.ejected [group|layer]

Dropout is off in the networks; the order of the clips and the augmentation are the same in both, for the script takes
them over. About four minutes on one thread; with a kind of norm, half of that, and the rest stays as it was.
"""

from __future__ import annotations

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


def main() -> None:
    """Eject, train both, and keep the largest difference of each way."""
    transformers.logging.set_verbosity_error()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        kept = RESULTS / "ejected.json"
        figures = json.loads(kept.read_text("utf-8"))[_FIGURE] if sys.argv[1:] and kept.exists() else {}
        for norm in sys.argv[1:] or ("group", "layer"):
            checkpoint = _checkpoint(folder / norm, norm)
            for way, sections in _WAYS.items():
                if norm == "group" or sections.get("backbone", {}).get("name") != "mfcc":
                    figures[f"{way} ({norm} norm)"] = _difference(folder, checkpoint, sections)
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


def _difference(folder: Path, checkpoint: str, sections: dict[str, Any]) -> float:
    """Return the largest relative difference of the first losses."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        own = Path(name)
        write_atomically(own / "plan.yaml", plan_yaml(make_plan(_content(checkpoint, sections), "benchmark")))
        eject(own / "plan.yaml", own / "script.py")
        theirs, _ = losses_of(loaded(own / "script.py"), own / "theirs")
        train_run(own / "plan.yaml", own / "ours", resume=False, test=False, stop=Stop())
        events = map(json.loads, (own / "ours" / "events.jsonl").read_text().splitlines())
        ours = [event["loss"] for event in events if event["kind"] == "step"]
    pairs = list(zip(theirs, ours, strict=True))[:_LOSSES]
    assert len(pairs) == _LOSSES
    return max(abs(one - other) / abs(other) for one, other in pairs)


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
