"""The trainer against the set-ups that people use, in one process on one thread, in processor time.

    TONMEISTER_TEST_DATA=../shared/data python -m benchmarks.training_speed [ROW ...]

The networks are random, of the shape of wav2vec2-base at a sixteenth of the arithmetic, and saved for the purpose, so
nothing is downloaded. Ours is the product's own trainer from manifest to checkpoint, with decoding, resampling,
encoding, validation and checkpoints on its bill. The others train only, on clips that are decoded already.
"""

from __future__ import annotations

import contextlib
import io
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch

from benchmarks.data import RESULTS, data_folder
from benchmarks.stock_training import Clips, classifier, train_stock, with_adapter
from engine.plan import Plan, make_plan, plan_yaml, write_atomically
from engine.training.cache import FrameCache
from engine.training.run import train_run
from engine.training.stopping import Stop
from engine.training.waveforms import decode

_CLIPS = 200
_EPOCHS = 20
_BATCH = 8
_REPEATS = 5


def main() -> None:
    """Measure the rows that are named, or all, and keep the figures."""
    torch.set_num_threads(1)
    rows: dict[str, Callable[[Path], dict[str, Any]]] = {
        "frozen": _frozen, "head": _head_step, "lora": _lora, "top": _top_layers, "wavlm": _wavlm, "padding": _padding,
    }  # fmt: skip
    chosen = sys.argv[1:] or list(rows)
    for name in chosen:
        with tempfile.TemporaryDirectory() as folder, mock.patch.dict(os.environ, TONMEISTER_CACHE=f"{folder}/cache"):
            figures = rows[name](Path(folder))
        _keep(name, figures)


def _frozen(folder: Path) -> dict[str, Any]:
    """A head on a frozen backbone: ours, the stock example, and that with its best settings; then a second head."""
    checkpoint, manifest, clips = _network(folder, layers=6), *_data(folder)
    stock = classifier(checkpoint, 10)
    stock.freeze_base_model()
    as_it_comes = train_stock(stock, clips, folder / "a", epochs=_EPOCHS, batch=_BATCH, by_length=False)
    best = classifier(checkpoint, 10)
    best.freeze_base_model()
    best.freeze_feature_encoder()
    at_its_best = train_stock(best, clips, folder / "b", epochs=_EPOCHS, batch=_BATCH, by_length=True)
    plan = _plan(manifest, checkpoint, training={"epochs": _EPOCHS})
    ours = _trained(plan, folder / "ours")
    other = _plan(manifest, checkpoint, head={"name": "mlp"}, training={"epochs": _EPOCHS})
    # A second at the mercy of what else this machine does; the others take two minutes.
    second = statistics.median(_trained(other, folder / f"second-{n}") for n in range(_REPEATS))
    return {
        "clips": len(clips), "epochs": _EPOCHS, "stock_seconds": as_it_comes, "stock_at_its_best_seconds": at_its_best,
        "ours_seconds": ours, "second_head_seconds": second, "times_stock": as_it_comes / ours,
        "times_stock_at_its_best": at_its_best / ours, "second_head_times_stock": as_it_comes / second,
    }  # fmt: skip


def _head_step(folder: Path) -> dict[str, Any]:
    """One step of a head on kept vectors of 768: ours with everything that it logs, against a bare loop in torch.

    Once without what an epoch has beside its steps, as the bare loop is, and once with validation and checkpoints.
    """
    checkpoint = _network(folder, layers=1, hidden=768)
    manifest, _ = _data(folder, 3000)
    changes = {"head": {"name": "mlp", "hidden": 256}, "pooling": {"name": "mean"}}
    plan = _plan(manifest, checkpoint, training={"epochs": _EPOCHS, "batch_size": 32}, **changes)
    _trained(plan, folder / "warm")
    clips = _train_clips(folder / "warm")
    steps = _EPOCHS * -(-clips // 32)
    kinds = {"leanest": (True, False), "same_work": (True, True), "as_written": (False, True)}
    # In turns, so that what else the machine does meets all of them.
    rounds = [
        {"ours": _loop_seconds(plan, folder / f"steps-{n}", alone=True), "epochs": _loop_seconds(plan, folder / f"{n}")}
        | {name: _bare_steps(steps, clips, fused=fused, clipped=clip) for name, (fused, clip) in kinds.items()}
        for n in range(_REPEATS)
    ]
    least = {name: min(one[name] for one in rounds) / steps for name in rounds[0]}
    return {
        "ours_ms": 1000 * least["ours"],
        "ours_with_validation_and_checkpoints_ms": 1000 * least["epochs"],
        **{f"bare_{name}_ms": 1000 * least[name] for name in kinds},
        **{f"times_bare_{name}": least["ours"] / least[name] for name in kinds},
    }


def _loop_seconds(plan: Plan, run: Path, *, alone: bool = False) -> float:
    """Return the seconds of the training loop; `alone` without validation and without saving after every epoch."""
    from engine.training import loop
    from engine.training import run as runs
    from engine.training.checkpoints import Checkpoints

    original, seconds = loop.train, []

    def timed(*arguments: Any, **settings: Any) -> Any:
        began = time.process_time()
        outcome = original(*arguments, **settings)
        seconds.append(time.process_time() - began)
        return outcome

    with contextlib.ExitStack() as patches:
        patches.enter_context(mock.patch.object(runs, "train", timed))
        if alone:
            scores = {"loss": 1.0, "accuracy": 0.5}
            patches.enter_context(mock.patch.object(loop, "_validated", return_value=scores))
            patches.enter_context(mock.patch.object(Checkpoints, "save_last", lambda self, *_: self.folder / "last"))
        _trained(plan, run)
    return seconds[0]


def _bare_steps(steps: int, clips: int, *, fused: bool, clipped: bool) -> float:
    """Return the seconds of a loop in which nothing can be left out; with clipping it does the arithmetic of ours.

    Batches are drawn from an order made beforehand and vectors lie in memory, so that neither side reads or pads.
    torch's AdamW goes from tensor to tensor unless it is told to be `fused`, as ours is: both are measured.
    """
    torch.manual_seed(0)
    head = torch.nn.Sequential(torch.nn.Linear(768, 256), torch.nn.GELU(), torch.nn.Linear(256, 10))
    optimiser = torch.optim.AdamW(head.parameters(), fused=fused)
    vectors, labels = torch.randn(clips, 768), torch.randint(10, (clips,))
    epochs = [torch.randperm(clips).split(32) for _ in range(_EPOCHS)]
    batches = [batch for epoch in epochs for batch in epoch]
    assert len(batches) == steps, "as many steps as ours"
    began = time.process_time()
    for rows in batches:
        loss = torch.nn.functional.cross_entropy(head(vectors[rows]), labels[rows])
        loss.backward()
        if clipped:
            torch.nn.utils.clip_grad_norm_(head.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad()
        loss.item()
    return time.process_time() - began


def _lora(folder: Path) -> dict[str, Any]:
    """LoRA on query and value of every layer: peft in transformers' Trainer, ours without and with kept prefixes."""
    checkpoint, manifest, clips = _network(folder, layers=12), *_data(folder)
    epochs = 4
    adapted = with_adapter(classifier(checkpoint, 10), rank=8)
    stock = train_stock(adapted, clips, folder / "a", epochs=epochs, batch=_BATCH, by_length=False)
    plan = _plan(manifest, checkpoint, adaptation={"method": "lora"}, training={"epochs": epochs})
    with mock.patch.object(FrameCache, "frames_of", return_value=None):
        fresh = _trained(plan, folder / "fresh")
    kept = _trained(plan, folder / "kept")
    return {
        "stock_seconds": stock, "ours_without_cache_seconds": fresh, "ours_seconds": kept,
        "times_stock_without_cache": stock / fresh, "times_stock": stock / kept,
    }  # fmt: skip


def _top_layers(folder: Path) -> dict[str, Any]:
    """LoRA in the top 4 of 12 layers on kept prefixes, against peft's LoRA in all of them."""
    checkpoint, manifest, clips = _network(folder, layers=12), *_data(folder)
    epochs = 8
    adapted = with_adapter(classifier(checkpoint, 10), rank=8)
    stock = train_stock(adapted, clips, folder / "a", epochs=epochs, batch=_BATCH, by_length=False)
    top = {"method": "lora", "top_layers": 4}
    ours = _trained(_plan(manifest, checkpoint, adaptation=top, training={"epochs": epochs}), folder / "top")
    again = _trained(_plan(manifest, checkpoint, adaptation=top, training={"epochs": epochs}), folder / "again")
    return {
        "stock_seconds": stock, "ours_seconds": ours, "times_stock": stock / ours,
        "times_stock_on_the_same_cache": stock / again,
    }  # fmt: skip


def _wavlm(_folder: Path) -> dict[str, Any]:
    """The forward pass of WavLM with our attention, against the stock one, alternating."""
    import transformers

    from engine.training.attention import with_trainable_attention

    config = transformers.WavLMConfig()  # the base size
    torch.manual_seed(0)
    stock = transformers.WavLMModel(config).eval()
    ours = transformers.WavLMModel(config).eval()
    ours.load_state_dict(stock.state_dict())
    with_trainable_attention(ours)
    figures: dict[str, Any] = {}
    for clips, seconds in ((4, 1), (2, 5), (1, 10), (1, 15)):
        waves = torch.randn(clips, 16000 * seconds)
        with torch.no_grad():
            difference = float((stock(waves).last_hidden_state - ours(waves).last_hidden_state).abs().max())
            times = [[_forward(network, waves) for network in (stock, ours)] for _ in range(_REPEATS)]
        slow, fast = (min(column) for column in zip(*times, strict=True))
        figures[f"{clips} x {seconds} s"] = {"times_stock": slow / fast, "largest_difference": difference}
    return figures


def _forward(network: torch.nn.Module, waves: torch.Tensor) -> float:
    began = time.process_time()
    network(waves)
    return time.process_time() - began


def _padding(folder: Path) -> dict[str, Any]:
    """Samples that go through the network over samples of sound, in batches of 16 over ten epochs."""
    from engine.training.batches import epoch_order

    random = np.random.default_rng(0)
    _, clips = _data(folder, 3000)
    lengths = {
        "FSDD": [len(wave) for wave, _ in clips],
        "EmoDB-like": (16000 * random.lognormal(0.95, 0.37, 500)).astype(int).tolist(),
        "IEMOCAP-like": (16000 * random.lognormal(1.25, 0.63, 5000)).astype(int).tolist(),
    }
    figures = {}
    for name, samples in lengths.items():
        orders = {
            "ours": [epoch_order(samples, 16, 0, epoch) for epoch in range(10)],
            "random": [random.permutation(len(samples))[: len(samples) // 16 * 16].reshape(-1, 16) for _ in range(10)],
        }
        figures[name] = {
            how: float(np.mean([_waste(samples, order) for order in epochs])) for how, epochs in orders.items()
        }
    return figures


def _waste(samples: list[int], order: Any) -> float:
    sizes = np.asarray(samples)
    padded = sum(len(batch) * sizes[list(batch)].max() for batch in order)
    return float(padded / sum(sizes[list(batch)].sum() for batch in order))


def _network(folder: Path, *, layers: int, hidden: int = 256) -> Path:
    """Save a random wav2vec 2.0 whose convolutions and layers are in the proportion of the base size."""
    import transformers

    config = transformers.Wav2Vec2Config(
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=hidden // 64,
        intermediate_size=4 * hidden,
        conv_dim=(128,) * 7,
        num_conv_pos_embeddings=128,
        num_conv_pos_embedding_groups=16,
    )
    torch.manual_seed(0)
    path = folder / f"network-{layers}-{hidden}"
    transformers.Wav2Vec2Model(config).save_pretrained(path)
    return path


def _data(folder: Path, count: int = _CLIPS) -> tuple[Path, Clips]:
    """Write a manifest of FSDD clips, and return it with the clips as the others get them."""
    from engine.evidence.dataset.records import Region

    source = data_folder("fsdd")
    header, *lines = (source / "manifest.csv").read_text("utf-8").splitlines()
    columns = header.split(",")
    rows = [dict(zip(columns, line.split(","), strict=True)) for line in lines]
    rows = sorted(rows, key=lambda row: (int(row["take"]), row["path"]))[:count]
    text = "".join(f"{source / row['path']},{row['label']}\n" for row in rows)
    write_atomically(folder / "manifest.csv", "path,label\n" + text)
    return folder / "manifest.csv", [(decode(Region(source / row["path"]), 16000), int(row["label"])) for row in rows]


def _plan(manifest: Path, checkpoint: Path, **sections: dict[str, Any]) -> Plan:
    """Return the plan of the stock example: mean pooling, a linear head, constant length of training."""
    training = {"batch_size": _BATCH, "learning_rate": 5e-4, "clip_norm": 1.0} | sections.pop("training")
    content = {
        "task": {"type": "classification"},
        "data": {
            "manifest": str(manifest), "protocol": "random-stratified-split", "validation_share": 0.1,
            "test_share": 0.0,
        },
        "backbone": {"name": "wav2vec2", "checkpoint": str(checkpoint)},
        "training": training,
        "compute": {"device": "cpu", "threads": 1},
    }  # fmt: skip
    return make_plan(content | sections, "benchmark")


def _trained(plan: Plan, run: Path) -> float:
    """Train from manifest to checkpoint and return the seconds of processor time that it took."""
    run.mkdir(parents=True)
    write_atomically(run / "plan.yaml", plan_yaml(plan))
    began = time.process_time()
    with contextlib.redirect_stderr(io.StringIO()):
        train_run(run / "plan.yaml", run, resume=False, test=False, stop=Stop())
    return time.process_time() - began


def _train_clips(run: Path) -> int:
    import json

    return int(json.loads((run / "events.jsonl").read_text("utf-8").splitlines()[0])["train_clips"])


def _keep(name: str, figures: dict[str, Any]) -> None:
    """Put the figures of one row among those of the others in benchmarks/results/training_speed.json."""
    import json

    path = RESULTS / "training_speed.json"
    known = json.loads(path.read_text("utf-8")) if path.exists() else {}
    print(json.dumps({name: figures}, indent=2), flush=True)
    write_atomically(path, json.dumps(known | {name: figures}, indent=2) + "\n")


if __name__ == "__main__":
    main()
