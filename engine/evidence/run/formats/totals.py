"""Names the loss of a split that logs none of that name, from its parts, its sets or its perplexity; judges none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from ..series import Series
from ..words import words

_ADVERSARIAL = {"disc", "gen", "adv", "d", "g", "discriminator", "generator"}
_RECONSTRUCTION = ("mel", "recon", "reconstruction", "spec", "stft")
_OF_A_LOSS = {"ppl", "perplexity", "scale"}
"""`lm loss PPL`, `loss scale`: what is made of a loss, or acts on it."""


def total(curves: dict[str, Series], split: str, said: list[str]) -> None:
    """Name the loss of a split that logs none of that name: the only one, the sum, or what a GAN reconstructs."""
    if f"{split}/loss" in curves:
        return
    parts = {name: series for name, series in curves.items() if _is_part_of_loss(name, split)}
    named = {name: set(name.partition("/")[2].split("_")) for name in parts}
    whole = [name for name, found in named.items() if words("whole-loss") & found]
    if any(found & _ADVERSARIAL for found in named.values()):
        kept = [name for word in _RECONSTRUCTION for name, found in named.items() if word in found][:1]
        parts = {name: parts[name] for name in kept} if kept or len(parts) > 1 else parts
    elif len(whole) == 1 < len(parts):
        parts = {name: parts[name] for name in whole}
    if not parts or not _at_once(list(parts.values())):
        return
    first = next(iter(parts.values()))
    if _are_sets(parts, curves):
        values = np.mean([series.y for series in parts.values()], axis=0)
        curves[f"{split}/loss"] = replace(first, name=f"{split}/loss", y=np.where(np.isfinite(values), values, np.nan))
        said.append(f"{split}/loss is the mean of {' and '.join(series.metric for series in parts.values())}")
        return
    values = np.sum([series.y for series in parts.values()], axis=0)
    values = np.where(np.isfinite(values), values, np.nan)
    curves[f"{split}/loss"] = replace(first, name=f"{split}/loss", y=values)
    said.append(f"{split}/loss is {' + '.join(series.metric for series in parts.values())}")


def _are_sets(parts: Mapping[str, Series], curves: Mapping[str, Series]) -> bool:
    """Whether losses are those of several sets, such as `clean` and `other`: each has a score beside it."""
    sets = [name.removesuffix("loss") for name in parts if name.endswith("_loss")]
    scores = [name for name in curves if "loss" not in name]
    return len(parts) == len(sets) > 1 and all(any(name.startswith(one) for name in scores) for one in sets)


def of_perplexity(curves: dict[str, Series], split: str, said: list[str]) -> None:
    """Where a split logs no loss, the logarithm of its perplexity is one: that is how a perplexity is made."""
    found = next((curves[name] for word in ("ppl", "perplexity") if (name := f"{split}/{word}") in curves), None)
    if found is None or f"{split}/loss" in curves or not np.all(found.finite().y > 1):
        return
    curves[f"{split}/loss"] = replace(found, name=f"{split}/loss", y=np.log(found.y))
    said.append(f"{split}/loss is the logarithm of {found.metric}")


def _at_once(curves: Sequence[Series]) -> bool:
    return all(curve.beside(curves[0]) for curve in curves)


def _is_part_of_loss(name: str, split: str) -> bool:
    place, _, metric = name.partition("/")
    words = metric.split("_")
    return place == split and "loss" in words and words[0] not in ("epoch", "step") and not _OF_A_LOSS & set(words)
