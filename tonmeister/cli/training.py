"""What the commands that start a training child share: reading the plan, showing events, the exit status."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .output import say

if TYPE_CHECKING:
    from engine.plan import Plan


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


def show_event(event: dict[str, Any]) -> None:
    """Tell one event of the child in a line; steps and telemetry are left to the interface."""
    kind = event["kind"]
    if kind == "start":
        say(
            f"  {event['train_clips']} training and {event['validation_clips']} validation clips, "
            f"{event['trainable_parameters']:,} trainable parameters, {event['device']}"
        )
    elif kind == "eval":
        metrics = ", ".join(f"{name} {value:.4f}" for name, value in event["metrics"].items() if value is not None)
        best = "  best" if event.get("best") else ""
        say(f"  epoch {event['epoch']:g}  train/loss {event['train_loss']:.4f}, {metrics}{best}")
    elif kind == "end":
        say(f"  {event['status']} after {event.get('seconds', 0):.1f} s")
