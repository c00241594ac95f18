"""What the name of a logged number means: its split, its metric, or that it is an epoch, a step, a rate, a time.

Knows the words that training frameworks use, in any order and spelling; knows no framework.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from ..series import direction_of

Role = Literal["curve", "epoch", "step", "rate", "gradient", "other"]
SPLITS = {
    "train": "train", "training": "train", "tr": "train", "trn": "train",
    "val": "val", "valid": "val", "validation": "val", "eval": "val", "evaluation": "val", "dev": "val",
    "validate": "val", "cv": "val", "test": "test", "testing": "test",
}  # fmt: skip
_OTHER = {
    "time", "times", "runtime", "memory", "mem", "mfu", "speed", "seconds", "secs", "eta", "samples", "wps", "ups",
    "wpb", "bsz", "wall", "timestamp", "throughput", "size", "shape", "seed", "flos", "elapse", "elapsed", "scaler",
    "loader", "patience", "vs", "second", "best", "max", "min", "tokens", "history",
}  # fmt: skip
_EMPTY = {
    "avg", "average", "mean", "metrics", "metric", "current", "total", "overall", "b", "m", "score", "value", "info",
    "summary",
}  # fmt: skip
_STEPS = {
    "step",
    "steps",
    "iter",
    "iters",
    "iteration",
    "iterations",
    "global_step",
    "num_updates",
    "trainer_global_step",
}
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z][a-z])")


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one name means."""

    role: Role
    split: str = ""
    """`train`, `val` or `test`, as far as the name tells."""
    metric: str = ""
    """The rest of the name; of a rate, its group."""


@lru_cache(maxsize=4096)
def meaning(name: str) -> Meaning:
    """Return what a name means."""
    words = [word for word in re.split(r"[^A-Za-z0-9]+", _CAMEL.sub(" ", name).lower()) if word]
    if any(word.rstrip("0123456789") == "lr" for word in words) or ("learning" in words and "rate" in words):
        return Meaning("rate", metric="_".join(word for word in words if word not in _RATE) or "all")
    bare = [word for word in words if word not in SPLITS]
    if (("grad" in words or "gradient" in words) and "norm" in words) or bare == ["gnorm"]:
        return Meaning("gradient")
    if words in (["epoch"], ["epochs"], ["current", "epoch"]):
        return Meaning("epoch")
    if "_".join(words) in _STEPS or "_".join(bare) in ("num_updates", "global_step"):
        return Meaning("step")
    if not words or _OTHER & set(words):
        return Meaning("other")
    return _curve(words)


_LOSSES = {"ce", "xent", "nll", "bce", "crossentropy"}
"""Names of losses that are written without the word."""
_RATE = {"lr", "learning", "rate", "current", "epoch", "train"}


def _curve(words: list[str]) -> Meaning:
    splits = [SPLITS[word] for word in words if word in SPLITS]
    rest = [word for word in words if word not in SPLITS and word not in _EMPTY]
    split = splits[0] if splits else ""
    per_step, per_epoch = rest[-1:] == ["step"], rest[-1:] == ["epoch"] or rest[:1] == ["epoch"]
    rest = [word for word in rest if word not in ("epoch", "step")]
    if rest[:2] == ["mini", "batch"]:
        split, rest = split or "train", rest[2:]
    if rest[-1:] and rest[-1] in _LOSSES:
        rest.append("loss")
    if rest[-1:] and rest[-1].endswith("logloss"):
        rest[-1:] = [rest[-1].removesuffix("loss"), "loss"]
    metric = "_".join(rest) or ("" if not splits else "score")
    if not metric:
        return Meaning("other")
    if split == "train" and per_epoch:
        metric = f"epoch_{metric}"
    if split != "train" and per_step:
        metric = f"step_{metric}"
    return Meaning("curve", split, metric)


def is_metric(name: str) -> bool:
    """Whether free text that stands before a number names a loss or a metric, by its last word."""
    words = re.split(r"[^A-Za-z0-9]+", _CAMEL.sub(" ", name).lower())
    last = [word for word in words if word and not word.isdigit()][-1:]
    if last in (["score"], ["ce"]):
        return any(word in SPLITS for word in words)  # alone, one is prose and the other a French word
    return bool(last) and (last[0] == "loss" or bool(direction_of(last[0])) or words[-2:] == ["error", "rate"])
