"""Kills training at random moments, goes on, and compares the end with an undisturbed run, bit by bit.

    python -m benchmarks.resume [--points 100]

A tiny job on drawn tones in which everything draws random numbers: augmentation, dropout, averaging, the order of the
clips; half of the runs have two workers. Each is killed (SIGKILL) at a random moment, some of them more than once, and
resumed. Children are forked, so that torch is imported once. About two seconds of CPU a point.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import shutil
import signal
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

from benchmarks.data import keep
from engine.plan import Plan, make_plan, patched, plan_yaml
from engine.training.checkpoints import read_checkpoint
from engine.training.run import train_run
from engine.training.stopping import Stop

_MOST_KILLS = 3
"""Kills of one run at most: also a resumed run is killed."""


def main() -> None:
    """Kill, resume, compare, and keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=100)
    points = parser.parse_args().points
    with tempfile.TemporaryDirectory() as name:
        os.environ["TONMEISTER_CACHE"] = f"{name}/cache"
        keep("resume", measure(Path(name), points))


def measure(folder: Path, points: int) -> dict[str, object]:
    """Return how many kill points there were, and how many runs ended with the same bits."""
    plans = [patched(_plan(_corpus(folder)), {"compute.workers": workers}) for workers in (0, 2)]
    moments = random.Random(0)
    expected = _end(plans[0], folder / "whole")
    began = time.perf_counter()
    assert _end(plans[0], folder / "again") == expected
    whole_seconds = time.perf_counter() - began
    killed, runs, equal, torn = 0, 0, 0, 0
    while killed < points:
        run = folder / "run"
        shutil.rmtree(run, ignore_errors=True)
        for _ in range(moments.randint(1, _MOST_KILLS)):
            killed += _killed(plans[runs % 2], run, moments.uniform(0, whole_seconds))
        torn += len(list((run / "checkpoints").glob(".last-*")))
        equal += _end(plans[runs % 2], run) == expected
        runs += 1
    return {"kill_points": killed, "runs": runs, "bitwise_equal": equal, "killed_while_writing_a_checkpoint": torn}


def _killed(plan: Plan, run: Path, seconds: float) -> bool:
    """Train in a fork, kill it after some seconds, and say whether it was still at work."""
    child = os.fork()
    if not child:
        _train(plan, run)
        os._exit(0)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        done, _ = os.waitpid(child, os.WNOHANG)
        if done:
            return False
        time.sleep(0.001)
    os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def _train(plan: Plan, run: Path) -> None:
    run.mkdir(parents=True, exist_ok=True)
    (run / "plan.yaml").write_text(plan_yaml(plan), "utf-8")
    train_run(run / "plan.yaml", run, resume=True, test=False, stop=Stop())


def _end(plan: Plan, run: Path) -> str:
    """Train to the end in this process; return a digest of weights, optimizer, random states and predictions."""
    _train(plan, run)
    digest = hashlib.sha256((run / "predictions" / "val.csv").read_bytes())
    for path in (max((run / "checkpoints").glob("last-*")), run / "checkpoints" / "best.safetensors"):
        for name, tensor in sorted(read_checkpoint(path)[0].items()):
            digest.update(name.encode() + tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()


def _corpus(folder: Path) -> Path:
    """Write 24 short tones of three pitches."""
    lines, draw = ["path,label"], np.random.default_rng(0)
    for number in range(24):
        name, hertz = ("low", "mid", "high")[number % 3], (300, 900, 2500)[number % 3]
        clock = np.arange(1000 + 80 * (number % 7)) / 8000
        sound = 0.2 * np.sin(2 * np.pi * hertz * clock) + draw.normal(0, 0.02, len(clock))
        soundfile.write(folder / f"{number}.wav", sound, 8000)
        lines.append(f"{number}.wav,{name}")
    (folder / "manifest.csv").write_text("\n".join(lines) + "\n", "utf-8")
    return folder / "manifest.csv"


def _plan(manifest: Path) -> Plan:
    content = {
        "task": {"type": "classification"},
        "data": {
            "manifest": str(manifest),
            "sample_rate_hz": 8000,
            "protocol": "random-stratified-split",
            "validation_share": 0.25,
            "test_share": 0.0,
        },
        "augmentation": {"strength": "strong"},
        "backbone": {"name": "mfcc", "mels": 16, "coefficients": 6, "deltas": False, "normalise": "clip"},
        "pooling": {"name": "attention"},
        "head": {"name": "temporal", "hidden": 4, "dropout": 0.3},
        "training": {
            "epochs": 8,
            "batch_size": 6,
            "accumulation": 2,
            "learning_rate": 0.02,
            "average_decay": 0.9,
            "checkpoint_steps": 2,
            "schedule": "plateau",
            "plateau_epochs": 1,
        },
        "evaluation": {"select_by": "accuracy", "bootstrap_samples": 100},
        "compute": {"device": "cpu", "threads": 1},
    }
    return make_plan(content, "benchmark")


if __name__ == "__main__":
    main()
