"""Reads what CatBoost leaves: `catboost_training.json`, and the lines it prints; knows nothing of the trees."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..collecting import count, number
from .record import Record

TRAINING = "catboost_training.json"
"""In the folder `catboost_info`; holds all of the tables and event files beside it."""
TABLES = ("learn_error.tsv", "test_error.tsv")
_NUMBER = r"[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|nan|inf)"
_LINE = re.compile(
    rf"\s*(?P<step>\d+):\s+(?:learn: (?P<train>{_NUMBER}))?\s*(?:test: (?P<val>{_NUMBER}))?"
    rf"(?:\s*best: (?P<best>{_NUMBER}) \((?P<at>\d+)\))?\s*total: "
)
_FEWEST = 3


def read_training(text: str) -> list[Record] | None:
    """Return the records of `catboost_training.json`; None when the text is something else.

    Of several metrics the first is the objective: as one that falls it is the loss.
    """
    try:
        content = json.loads(text)
        meta, iterations = content["meta"], content["iterations"]
        told = meta.get("learn_metrics") or meta["test_metrics"]
        names = [_named(metric, place) for place, metric in enumerate(told)]
        return [_record(one, names) for one in iterations] or None
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
        return None


def _named(metric: Mapping[str, Any], place: int) -> str:
    falls = metric.get("best_value") == "Min"
    name = str(metric["name"]).split(":")[0]
    return "loss" if falls and place == 0 else name


def _record(one: Mapping[str, Any], names: Sequence[str]) -> Record:
    values = {}
    for split, key in (("train", "learn"), ("val", "test")):
        for name, told in zip(names, one.get(key) or (), strict=False):
            if (value := number(told)) is not None:
                values[f"{split}/{name}"] = value
    return Record(values, step=count(one["iteration"]))


def read_printed(lines: Sequence[str]) -> list[Record] | None:
    """Return the records of CatBoost's lines in a log; None when it has none.

    They do not say which metric they tell, but boosting improves what it learns on: that which rises there is a score.
    """
    found = [match for line in lines if (match := _LINE.match(line)) and (match["train"] or match["val"])]
    if len(found) < _FEWEST:
        return None
    name = "score" if _rises(found) else "loss"
    return [
        Record(
            {f"{split}/{name}": float(match[split]) for split in ("train", "val") if match[split]},
            step=int(match["step"]),
        )
        for match in found
    ]


def _rises(found: Sequence[re.Match[str]]) -> bool:
    learnt = [float(match["train"]) for match in found if match["train"]]
    if learnt:
        return learnt[-1] > learnt[0]
    held = [(float(match["val"]), float(match["best"])) for match in found if match["best"]]
    return sum(best > value for value, best in held) > sum(best < value for value, best in held)
