"""What the name of a logged number means: its split, its metric, or that it is an epoch, a step, a rate, a time.

Knows the words that training frameworks use, in any order and spelling; knows no framework.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from ..series import direction_of
from ..words import splits, words
from .clocks import CURVES

Role = Literal["curve", "epoch", "step", "rate", "gradient", "clock", "other"]
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
    if name in CURVES:
        return Meaning("clock", metric=CURVES[name])
    parts = [_singular(part) for part in re.split(r"[^A-Za-z0-9]+", _CAMEL.sub(" ", name).lower()) if part]
    parts = _held_out(_parted(_recalls(parts)))
    if (len(parts) > 2 and parts[-1] == "history") or "loss_history" in name.lower():
        parts = [part for part in parts if part != "history"]  # `train_loss_history` is a list of it
    if parts[:1] == ["va"] and parts[1:2] and parts[1] in words("falls") | words("rises"):
        parts[0] = "val"  # beside `tr_loss`; alone, va is the valence and arousal of an emotion
    if parts[-1:] == ["va"] and parts[:-1] and parts[-2] in words("behind-the-letter-of-a-split"):
        parts[-1] = "val"  # `loss_va`
    if any(part.rstrip("0123456789") == "lr" for part in parts) or ("learning" in parts and "rate" in parts):
        if _OF_A_SCHEDULE & set(parts):
            return Meaning("other")
        return Meaning("rate", metric="_".join(part for part in parts if part not in _RATE) or "all")
    bare = [part for part in parts if part not in splits()]
    if bare == ["cost"]:  # `reader_cost` is a time
        parts = ["loss" if part == "cost" else part for part in parts]
    if (("grad" in parts or "gradient" in parts) and "norm" in parts) or bare == ["gnorm"]:
        return Meaning("gradient")
    if parts in (["epoch"], ["epochs"], ["ep"], ["current", "epoch"]):
        return Meaning("epoch")
    if "_".join(parts) in words("steps") or "_".join(bare) in ("num_updates", "global_step"):
        return Meaning("step")
    if not parts or words("no-curve") & set(parts) or parts[-2:] in (["top", "p"], ["top", "k"]):
        return Meaning("other")
    if len(parts) > 1 and parts[-1] in ("steps", "epochs"):  # `total_steps`: how many there are to be
        return Meaning("other")
    return _curve(parts)


def _parted(parts: list[str]) -> list[str]:
    """`valloss` and `trainacc` are two words each: that of a split, and that of a loss or a metric."""
    return [word for part in parts for word in _halves(part)]


@lru_cache(maxsize=4096)
def _halves(part: str) -> tuple[str, ...]:
    if part in splits() or not part.isalpha():
        return (part,)
    known = words("falls") | words("rises")
    if part not in known and part[1:] in words("behind-the-letter-of-a-split") and part[0] in _LETTERS:
        return _LETTERS[part[0]], part[1:]
    cuts = ((part[:at], part[at:]) for at in range(_SHORTEST, len(part) - _SHORTEST + 1))
    return next(((one, two) for one, two in cuts if {one, two} & splits().keys() and {one, two} & known), (part,))


_LETTERS = {"t": "train", "v": "val"}
_SHORTEST = 3
"""Letters of either half; `traces` is none of `tr`, nor `tester` of `ter`."""


def _recalls(parts: list[str]) -> list[str]:
    """`R@5` is the recall among the first five: a letter that says nothing without its number."""
    for at in [i for i, part in enumerate(parts[:-1]) if part == "r" and parts[i + 1].isdigit()]:
        return [*parts[:at], f"r{parts[at + 1]}", *parts[at + 2 :]]
    return parts


def _held_out(parts: list[str]) -> list[str]:
    """`held-out loss` is that of a split of one name."""
    if "out" not in parts:
        return parts
    at = parts.index("out")
    return [*parts[: at - 1], "heldout", *parts[at + 1 :]] if at and parts[at - 1] in ("held", "hold") else parts


def _singular(part: str) -> str:
    if part not in words("one-of-many"):
        return part
    return f"{part[:-3]}y" if part.endswith("ies") else part[:-2] if part.endswith("sses") else part[:-1]


_RATE = {"lr", "learning", "rate", "current", "epoch", "train", "to", "change", "changing", "changed", "set", "new"}
_OF_A_SCHEDULE = {
    "from", "factor", "decay", "gamma", "scheduler", "schedule", "decrease", "decreased", "decreasing", "every", "itr",
    "patience",
}  # fmt: skip
"""`changing lr from 0.1`, `lr_factor: 0.5`: what the rate was, or how it will fall."""


def _curve(parts: list[str]) -> Meaning:
    told = [splits()[part] for part in parts if part in splits()]
    rest = [part for part in parts if part not in splits() and part not in words("says-nothing")]
    split = told[0] if told else ""
    per_step, per_epoch = rest[-1:] == ["step"], rest[-1:] == ["epoch"] or rest[:1] == ["epoch"]
    rest = [part for part in rest if part not in ("epoch", "step")]
    if rest[:2] == ["mini", "batch"] or (rest[:1] == ["batch"] and len(rest) > 1):
        split, rest = split or "train", rest[rest.index("batch") + 1 :]
    if rest[:1] == ["l"] and len(rest) > 1 and words("loss-behind-an-l").issuperset(rest[1:]):
        rest = [*rest[1:], "loss"]
    if rest[-2:] == ["cross", "entropy"]:
        rest[-2:] = ["crossentropy"]
    if told and rest == ["l"]:
        rest = ["loss"]  # `L_train`
    if rest[-1:] and rest[-1] in words("loss-by-another-name"):
        rest.append("loss")
    if rest[-1:] and rest[-1].endswith("logloss"):
        rest[-1:] = [rest[-1].removesuffix("loss"), "loss"]
    metric = "_".join(rest) or ("" if not told else "score")
    if not metric:
        return Meaning("other")
    if split == "train" and per_epoch:
        metric = f"epoch_{metric}"
    if split != "train" and per_step:
        metric = f"step_{metric}"
    return Meaning("curve", split, metric)


_BEHIND_A_NAME = ("value", "avg", "average", "mean", "total", "overall")


def is_metric(name: str) -> bool:
    """Whether free text that stands before a number names a loss or a metric, by its last word."""
    parts = re.split(r"[^A-Za-z0-9]+", _CAMEL.sub(" ", name).lower())
    told = _parted([_singular(part) for part in parts if part and not part.isdigit()])  # `TRAINLOSS` is two words
    while len(told) > 1 and (told[-1] in splits() or told[-1] in _BEHIND_A_NAME):
        told.pop()  # `loss train`, `loss/train/total`
    last = told[-1:]
    if last == ["cost"] and all(part in splits() for part in told[:-1]):
        return True
    if last == ["score"] and told[-2:-1] and direction_of(told[-2]):
        return True
    if last in (["score"], ["ce"]):
        return any(part in splits() for part in parts)  # alone, one is prose and the other a French word
    return bool(last) and (
        last[0] in ("loss", "xent", "nll")
        or bool(direction_of(last[0]))
        or told[-2:] in (["error", "rate"], ["cross", "entropy"])
    )
