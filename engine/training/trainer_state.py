"""Writes trainer_state.json, the log in the form of transformers' Trainer, from events.jsonl. It trains nothing.

Tools that read a Trainer's log read our runs by it; so does our own reader of foreign runs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from engine.plan import write_atomically

FILE = "trainer_state.json"


def write_trainer_state(run: Path, events: Path) -> Path:
    """Write trainer_state.json beside the events of a run."""
    write_atomically(run / FILE, json.dumps(trainer_state(_read(events)), indent=2) + "\n")
    return run / FILE


def trainer_state(events: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the state; a step that a resumed run made again counts once, as it was made last."""
    start: Mapping[str, Any] = {}
    best: Mapping[str, Any] = {}
    history: dict[tuple[int, bool], dict[str, Any]] = {}
    for event in events:
        if event["kind"] == "start":
            start = event
        elif event["kind"] == "step":
            history[event["step"], False] = _step(event)
        elif event["kind"] == "eval":
            history[event["step"], True] = _evaluation(event)
            best = event if event["best"] else best
    last = max((step for step, _ in history), default=0)
    metric = start.get("select_by", "loss")
    return {
        "best_metric": best.get("metrics", {}).get(f"val/{metric}"),
        "best_global_step": best.get("step"),
        "best_model_checkpoint": "checkpoints/best.safetensors" if best else None,
        "epoch": max((entry["epoch"] for entry in history.values()), default=0.0),
        "global_step": last,
        "max_steps": start.get("total_steps", last),
        "num_train_epochs": start.get("epochs", 0),
        "is_local_process_zero": True,
        "is_world_process_zero": True,
        "log_history": [entry for _, entry in sorted(history.items(), key=lambda one: one[0])],
    }


def _step(event: Mapping[str, Any]) -> dict[str, Any]:
    rates = event.get("lr") or {}
    entry = {"epoch": event["epoch"], "grad_norm": event.get("grad_norm"), "loss": event["loss"], "step": event["step"]}
    # The Trainer logs its first group only; the others have names of their own beside it.
    entry["learning_rate"] = next(iter(rates.values()), None)
    return entry | {f"learning_rate/{name}": rate for name, rate in rates.items()}


def _evaluation(event: Mapping[str, Any]) -> dict[str, Any]:
    named = {f"eval_{name.removeprefix('val/')}": value for name, value in event["metrics"].items()}
    return {"epoch": event["epoch"], "step": event["step"], **named, "eval_loss": event["loss"]}


def _read(events: Path) -> list[dict[str, Any]]:
    found = []
    for line in events.read_text("utf-8").splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            continue  # torn by a kill
    return found
