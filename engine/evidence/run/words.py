"""The words of training logs as the package's knowledge has them, ready to look up; holds no word of its own."""

from __future__ import annotations

from functools import cache

from knowledge.loader import load_knowledge


@cache
def words(name: str) -> frozenset[str]:
    """Return the words of one entry of `knowledge/logs/words.yaml`."""
    return frozenset(ordered(name))


@cache
def ordered(name: str) -> tuple[str, ...]:
    """Return them in their order, where the first says most."""
    return load_knowledge().words[name].any_of


@cache
def splits() -> dict[str, str]:
    """Return what each word for a split means: `train`, `val` or `test`."""
    return {word: split for split in ("train", "val", "test") for word in ordered(split)}


@cache
def terms(*, parted: bool) -> dict[str, str]:
    """Return the words of all other languages and their English, of those with spaces between words or without."""
    told = [one for one in load_knowledge().words.values() if one.terms and one.parted == parted]
    return {term: english for one in told for term, english in one.terms.items()}
