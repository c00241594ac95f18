"""What the units of the S002 example say together: before against after, with a verdict. It trains nothing.

Six speakers are six pairs: if all of them change to one side, p is 0.031, and nothing smaller can come out. The scores
after are means over the seeds, so the test is over speakers and holds for this encoder and these digits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from engine.significance import sign_flip

_LIMITS = Path(__file__).with_name("limits.yaml")


def told(units: Mapping[str, Any], encoder: str) -> dict[str, Any]:
    """Return a table and the comparison within and across speakers."""
    seeds = [unit for name, unit in units.items() if name.startswith("after")]
    table = {name: _row([unit]) for name, unit in units.items() if not name.startswith("after")}
    figures: dict[str, Any] = {"encoder": encoder, "seeds": len(seeds), "table": table}
    if not seeds or "before" not in units:
        return figures
    table["after, mean over seeds"] = _row(seeds)
    figures["accuracy on the sounds"] = _mean([unit["accuracy on the sounds"] for unit in seeds])
    figures["similarity of representations kept (CKA)"] = _mean([unit["similarity kept (CKA)"] for unit in seeds])
    for kind in ("within", "across"):
        figures[f"{kind} speakers"] = compared(units["before"][kind], [unit[kind] for unit in seeds])
    return figures


def compared(before: Mapping[str, Any], after: list[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the paired test over speakers, whether distances collapsed, and what can be said."""
    limits = yaml.safe_load(_LIMITS.read_text("utf-8"))
    speakers = list(before["by speaker"])
    new = [float(np.mean([one["by speaker"][speaker] for one in after])) for speaker in speakers]
    found = sign_flip(new, list(before["by speaker"].values()))
    share = float(np.mean([one["delta deviation"] for one in after])) / before["delta deviation"]
    return {
        "paired test over speakers": asdict(found),
        "seeds that are worse": sum(one["abx"] < before["abx"] for one in after),
        "spread of deltas after over before": round(share, 4),
        "collapsed": share < limits["collapsed_below"],
        "verdict": verdict(found.p_value, found.difference, limits["significant_below"]),
    }


def verdict(p_value: float, difference: float, limit: float) -> str:
    """Return what the test allows to say."""
    if p_value >= limit:
        return "inconclusive"
    return "better after" if difference > 0 else "worse after"


def _row(units: list[Mapping[str, Any]]) -> dict[str, float]:
    row = {f"abx {kind} speakers": _mean([unit[kind]["abx"] for unit in units]) for kind in ("within", "across")}
    row |= {f"delta deviation {kind}": _mean([unit[kind]["delta deviation"] for unit in units]) for kind in ("within",)}
    names = ("anisotropy", "spread", "nearest clip has the same digit")
    return row | {name: _mean([unit[name] for unit in units]) for name in names}


def _mean(values: list[float]) -> float:
    return round(float(np.mean(values)), 4)
