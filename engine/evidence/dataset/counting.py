"""Counts rows into facts, with examples and every affected path, and spellings of names; judges neither."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence

from knowledge.records import Evidence, Fact, Unknown

from .records import Row

EXAMPLES = 20
"""As many as `Fact.evidence` may hold."""


def counted(
    name: str,
    rows: Sequence[Row],
    n: int,
    say: str | Callable[[Row], str],
    value: int | None = None,
    telling: Sequence[Row] | None = None,
) -> Fact:
    """Return the fact that counts `rows` out of `n`.

    Args:
        name: the fact.
        rows: every affected row.
        n: how many were looked at.
        say: what is the matter with a row; its path is put before.
        value: the count, where one thing counted has several rows.
        telling: the rows to show as examples, where not all of them tell something.
    """
    examples = (rows if telling is None else telling)[:EXAMPLES]
    evidence = tuple(
        Evidence(f"{row.path}: {say if isinstance(say, str) else say(row)}", path=row.path, line=row.line or None)
        for row in examples
    )
    paths = tuple(dict.fromkeys(row.path for row in rows))
    return Fact(name, len(rows) if value is None else value, "audit", n=n, evidence=evidence, paths=paths)


def measured(name: str, value: bool | int | float | str, n: int, texts: Iterable[str] = ()) -> Fact:
    """Return a fact with sentences as its evidence."""
    return Fact(name, value, "audit", n=n, evidence=tuple(Evidence(text) for text in list(texts)[:EXAMPLES]))


def unknown(names: str, reason: str) -> tuple[Unknown, ...]:
    """Return several facts, named in one text, as unknown for one reason."""
    return tuple(Unknown(name, reason) for name in names.split())


def usual_spellings(written: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return for each name, given as (folded, as written), how it is written most often, without blanks around it."""
    spellings: dict[str, Counter[str]] = defaultdict(Counter)
    for key, text in written:
        spellings[key][text] += 1
    return {key: max(sorted(counts), key=counts.__getitem__).strip() for key, counts in spellings.items()}
