"""Tells which split a name means: `train_clean_100`, `dev-other`, ESPnet's `train_dev`; opens nothing."""

from __future__ import annotations

import re

from ..records import split_of

_ORDER = ("val", "test", "train")
"""`train_dev` is a development set, and so is `test_dev`."""


def split_in(name: str) -> str:
    """Return the split that a word of the name means; the name itself where none does."""
    words = {split_of(word) for word in re.split(r"[^a-z]+", name.casefold())}
    return next((split for split in _ORDER if split in words), name)
