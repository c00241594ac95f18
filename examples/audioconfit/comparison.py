"""What the units of the S004 example say together: means over seeds, paired tests, a verdict. It trains nothing.

Two tests, because each alone would claim too much. Over seeds: five pairs can give p = 0.0625 at best, so they can
never be significant at 0.05, however large the difference; what they can show is that all agree. Over groups of test
clips (one recording, or one digit of one speaker), scores being means over the seeds: many pairs, and it holds for
other clips of these corpora and for this one encoder.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from engine.significance import sign_flip

PROBE, FINE, TUNED_PROBE, PAIRS = "probe", "fine-tune", "fine-tune + probe", "pairs + probe"
METHODS = (PROBE, FINE, TUNED_PROBE, PAIRS)
_LIMITS = Path(__file__).with_name("limits.yaml")


def told(units: Mapping[str, Any], encoder: str) -> dict[str, Any]:
    """Return a table and the comparisons of every task."""
    limits = yaml.safe_load(_LIMITS.read_text("utf-8"))
    tasks: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for name, unit in units.items():
        task, _, rest = name.partition(" / ")
        if rest != "rates":
            tasks[task].append(unit)
    figures = {task: _of_task(own) for task, own in tasks.items()}
    raw = [found["over groups of clips"]["p_value"] for one in figures.values() for found in one["against"].values()]
    adjusted = iter(holm(raw))
    for one in figures.values():
        for found in one["against"].values():
            found["p over clips, of all comparisons (Holm)"] = round(next(adjusted), 4)
            found["verdict"] = verdict(found, limits)
    rates = {name.removesuffix(" / rates"): unit for name, unit in units.items() if name.endswith(" / rates")}
    return {"encoder": encoder, "rates": rates, "tasks": figures}


def _of_task(seeds: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "seeds": len(seeds),
        "test clips of each": [len(unit["groups"]) for unit in seeds],
        "methods": {method: _of_method([unit[method] for unit in seeds]) for method in METHODS},
        "against": {other: _against(other, seeds) for other in METHODS[:-1]},
    }


def _of_method(seeds: list[dict[str, Any]]) -> dict[str, Any]:
    accuracies = [one["accuracy"] for one in seeds]
    largest = [one["top"]["1"] for one in seeds if math.isfinite(one["top"]["1"])]
    return {
        "accuracy": {"mean": _mean(accuracies), "deviation": _deviation(accuracies), "each": accuracies},
        "nearest clip has the same class": _mean([one["nearest_same_class"] for one in seeds]),
        "anisotropy": _mean([one["anisotropy"] for one in seeds]),
        "share of the largest dimension": _mean(largest),
        "dimensions for 90 %": _mean([one["needed"]["0.9"] for one in seeds]),
    }


def _against(other: str, seeds: list[dict[str, Any]]) -> dict[str, Any]:
    new, old = ([unit[method]["accuracy"] for unit in seeds] for method in (PAIRS, other))
    first, second = _by_group(PAIRS, seeds), _by_group(other, seeds)
    return {
        "over seeds": asdict(sign_flip(new, old)),
        "seeds in which pairs are better": sum(a > b for a, b in zip(new, old, strict=True)),
        "seeds in which they are worse": sum(a < b for a, b in zip(new, old, strict=True)),
        "over groups of clips": asdict(sign_flip(list(first.values()), [second[group] for group in first])),
    }


def _by_group(method: str, seeds: list[dict[str, Any]]) -> dict[str, float]:
    """Return the mean over seeds and clips of each group of test clips."""
    right: dict[str, list[int]] = defaultdict(list)
    for unit in seeds:
        for group, said in zip(unit["groups"], unit[method]["right"], strict=True):
            right[group].append(int(said))
    return {group: float(np.mean(said)) for group, said in right.items()}


def verdict(found: Mapping[str, Any], limits: Mapping[str, Any]) -> str:
    """Return whether pairs are better or worse; inconclusive unless clips and seeds say the same."""
    difference, seeds = found["over seeds"]["difference"], found["over seeds"]["pairs"]
    agreeing = found["seeds in which pairs are better" if difference > 0 else "seeds in which they are worse"]
    if found["p over clips, of all comparisons (Holm)"] >= limits["significant_below"]:
        return "inconclusive"
    if agreeing < limits["agreeing_share"] * seeds or found["over groups of clips"]["difference"] * difference <= 0:
        return "inconclusive"
    return "pairs are better" if difference > 0 else "pairs are worse"


def holm(p_values: list[float]) -> list[float]:
    """Return p-values that hold for all of them together (Holm 1979)."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    adjusted, largest = [0.0] * len(p_values), 0.0
    for place, number in enumerate(order):
        largest = max(largest, min((len(p_values) - place) * p_values[number], 1.0))
        adjusted[number] = largest
    return adjusted


def _mean(values: list[float]) -> float:
    return round(float(np.mean(values)), 4) if values else float("nan")


def _deviation(values: list[float]) -> float:
    return round(float(np.std(values, ddof=1)), 4) if len(values) > 1 else float("nan")
