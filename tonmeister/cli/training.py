"""What the commands that start a training child share: reading the plan, showing events, the exit status."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .output import say

if TYPE_CHECKING:
    from engine.plan import Plan

_WARNINGS = 3
"""Notes of a start that are told; the log has them all."""


def plan_with(path: Path, settings: Iterable[str]) -> Plan:
    """Read a plan and apply `--set path=value`.

    Raises:
        InputError, PlanError: the plan cannot be read or is not valid.  UsageError: an unknown path.
    """
    import yaml

    from engine.plan import patched, read_plan

    from .answers import pairs

    changes = {name: yaml.safe_load(value) for name, value in pairs(settings).items()}
    plan = read_plan(path)
    return patched(plan, changes, "--set") if changes else plan


def results_of(run: Path) -> list[str]:
    """Return in lines what a run came to on clips that it did not choose by, or over its folds or seeds."""
    files = {name: _json(run / name) for name in ("predictions/test.json", "folds.json", "seeds.json")}
    test, folds, seeds = files.values()
    lines = []
    if test is not None:
        lines += [f"  test  {name} {_number(one['value'])} ({_range(one)})" for name, one in test["metrics"].items()]
    if folds is not None:
        lines += [
            f"  {len(folds['folds'])} folds  {name} {_number(one['value'])} ({_range(one)}); "
            f"each by itself {_number(folds['mean'][name])} +- {_number(folds['deviation'][name])}"
            for name, one in folds["pooled"].items()
        ]
    if seeds is not None:
        lines += [
            f"  {len(seeds['seeds'])} seeds, {seeds['scored_on']}  {name} {_number(mean)} +- "
            f"{_number(seeds['deviation'][name])}"
            for name, mean in seeds["mean"].items()
        ]
    return lines


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.4f}"


def _range(one: dict[str, Any]) -> str:
    """Return the wider truth: over groups where there are several, for clips of one speaker are alike."""
    over = "groups" if "interval_over_groups" in one else "clips"
    low, high = one.get("interval_over_groups", one["interval"])
    return f"{low:.4f} to {high:.4f} over {over}"


def _json(path: Path) -> dict[str, Any] | None:
    import json

    return json.loads(path.read_text("utf-8")) if path.is_file() else None


def show_event(event: dict[str, Any]) -> None:
    """Tell one event of the child in a line; steps and telemetry are left to the interface."""
    kind = event["kind"]
    if kind == "start":
        say(
            f"  {event['train_clips']} training and {event['validation_clips']} validation clips, "
            f"{event['trainable_parameters']:,} trainable parameters, {event['device']}, seed {event['seed']}"
            + (f", held out: {event['fold']}" if event.get("fold") else "")
        )
        told = event.get("warnings") or []
        for text in told[:_WARNINGS]:
            say(f"  note: {text}")
        if len(told) > _WARNINGS:
            say(f"  and {len(told) - _WARNINGS} notes more in events.jsonl")
    elif kind == "eval":
        metrics = ", ".join(f"{name} {value:.4f}" for name, value in event["metrics"].items() if value is not None)
        best = "  best" if event.get("best") else ""
        say(f"  epoch {event['epoch']:g}  train/loss {event['train_loss']:.4f}, {metrics}{best}")
    elif kind == "end":
        say(f"  {event['status']} after {event.get('seconds', 0):.1f} s")
