"""Makes facts that count rows, with examples and every affected path; measures nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from knowledge.records import Evidence, Fact, Unknown

from .records import Row

EXAMPLES = 20
"""As many as `Fact.evidence` may hold."""


def counted(name: str, rows: Sequence[Row], n: int, say: Callable[[Row], str], value: int | None = None) -> Fact:
    """Return the fact that counts `rows` out of `n`; `value` where one thing counted has several rows."""
    evidence = tuple(Evidence(say(row), path=row.path, line=row.line or None) for row in rows[:EXAMPLES])
    paths = tuple(dict.fromkeys(row.path for row in rows))
    return Fact(name, len(rows) if value is None else value, "audit", n=n, evidence=evidence, paths=paths)


def measured(name: str, value: bool | int | float | str, n: int, texts: Iterable[str] = ()) -> Fact:
    """Return a fact with sentences as its evidence."""
    return Fact(name, value, "audit", n=n, evidence=tuple(Evidence(text) for text in list(texts)[:EXAMPLES]))


def unknown(names: str, reason: str) -> tuple[Unknown, ...]:
    """Return several facts, named in one text, as unknown for one reason."""
    return tuple(Unknown(name, reason) for name in names.split())
