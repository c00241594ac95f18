"""Writes environment.json, what a run was made with, and refuses to resume a run with another plan or other data."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import platform
import sys
from pathlib import Path
from typing import Any

import torch

from engine.plan import Plan, differences, make_plan, write_atomically
from knowledge.errors import InputError, PlanError, TonmeisterError

FILE = "environment.json"
_PACKAGES = ("tonmeister", "torch", "torchaudio", "transformers", "peft", "numpy", "soundfile", "safetensors")
_FREE_SECTIONS = ("compute", "guard", "name")
"""What may differ when a run goes on: where it computes does not change what it computes."""

_DIGITS = "results may differ in the last digits"


def config_digest(plan: Plan) -> str:
    """Return a hash over everything in the plan that changes the result."""
    content = plan.model_dump(mode="json", exclude=set(_FREE_SECTIONS))
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def write_environment(
    run: Path, plan: Plan, *, data: str, device: torch.device, precision: str, left_out: list[str], damaged: list[str]
) -> None:
    """Write environment.json.

    Args:
        run: the run directory.
        plan: as it is run.
        data: hash over clips, labels and parts.
        device: what it runs on.
        precision: what the device computes in.
        left_out: rows that cannot be used, with the reason.
        damaged: files that are shorter than they say.
    """
    content = {
        "config_hash": config_digest(plan),
        "data_hash": data,
        "versions": {"python": platform.python_version(), **_versions()},
        "platform": platform.platform(),
        "device": device_name(device),
        "precision": precision,
        "threads": torch.get_num_threads(),
        "deterministic": plan.compute.deterministic,
        "command": sys.argv,
        "left_out": left_out,
        "damaged": damaged,
        "plan": plan.model_dump(mode="json"),
    }
    write_atomically(run / FILE, json.dumps(content, indent=1) + "\n")


def check_same(run: Path, plan: Plan, data: str) -> list[str]:
    """Refuse to go on with another config or other data than the run began with; say which libraries are others.

    Another version of a library may round otherwise: the run goes on, and is no longer equal to an undisturbed one.

    Raises:
        PlanError: the plan differs; the message names the values.
        InputError: the clips, labels or parts differ.
    """
    content = _read(run)
    if content.get("config_hash") != config_digest(plan):
        raise PlanError(
            f"{run} was begun with another plan; {_changes(content, plan)}",
            hint="Resume with the plan.yaml in the run directory, or train into a new one.",
        )
    if content.get("data_hash") != data:
        raise InputError(
            f"{plan.data.manifest}: the clips, labels or splits are not those that {run} was begun with",
            hint="Put the data back as it was, or train into a new run directory.",
        )
    asked = bool(content.get("deterministic", False))
    bits = f"compute.deterministic was {asked} when this run began and is {plan.compute.deterministic} now"
    before, now = content.get("versions", {}), {"python": platform.python_version(), **_versions()}
    changed = [f"{bits}; {_DIGITS}"] if asked != plan.compute.deterministic else []
    return changed + [
        f"{name} was {before[name]} when this run began and is {version} now; {_DIGITS}"
        for name, version in now.items()
        if name in before and before[name] != version
    ]


def device_name(device: torch.device) -> str:
    """Return the name of the device for a reader."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"


def _read(run: Path) -> dict[str, Any]:
    try:
        content = json.loads((run / FILE).read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise InputError(f"{run / FILE}: cannot be read ({error})") from None
    return content if isinstance(content, dict) else {}


def _changes(content: dict[str, Any], plan: Plan) -> str:
    try:
        old = make_plan(content.get("plan", {}), FILE)
    except TonmeisterError:
        return "it cannot be compared"
    changed = {p: pair for p, pair in differences(old, plan).items() if p.partition(".")[0] not in _FREE_SECTIONS}
    return "; ".join(f"{path} was {before!r}, is {now!r}" for path, (before, now) in changed.items())


def _versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # run from a copy that is not installed
    return found
