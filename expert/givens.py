"""Admits what a consultation is given: checks every fact, and says which one counts where several were supplied."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import get_args

from knowledge.conditions import same
from knowledge.errors import UsageError
from knowledge.records import Fact, FactSource, Unknown, Value
from knowledge.vocabulary import Entry, Vocabulary

from .ratios import late_entries, with_ratios
from .strata import Concluding

_STATED: tuple[FactSource, ...] = ("user", "plan")
"""Said rather than measured: no number of items to rest on."""
_CONCLUDED: tuple[FactSource, ...] = ("plan", "rule", "decision")
"""What these say about something that rules conclude is concluded anew."""
_SOURCES: tuple[FactSource, ...] = get_args(FactSource)


@dataclass(frozen=True, slots=True)
class Givens:
    """What the rules start from."""

    facts: dict[str, Fact]
    unknown: dict[str, str]
    pinned: frozenset[str]
    """Attributes that rules conclude but that are settled from outside."""
    fixed: frozenset[str]
    """Decisions that the user fixed; all are pinned or not concluded by any rule."""


def admit(
    vocabulary: Vocabulary,
    by_attribute: Concluding,
    facts: Iterable[Fact],
    unknown: Iterable[Unknown],
    fixed: Mapping[str, Value],
) -> Givens:
    """Check facts and choose among them.

    A fact of a subject is left out. Of several facts of one name, the first supplier in the vocabulary's `supplied_by`
    counts. Of an attribute that rules conclude, only what the user says counts, or, unless it is a decision, what
    somebody measured; what a plan or an earlier consultation says about it is concluded anew.

    Raises:
        KnowledgeError: an unknown name, or a measured value that does not fit.
        UsageError: a stated value that does not fit, or two different values from one supplier.
    """
    chosen = {name: vocabulary.user_fact(name, value, "fixed") for name, value in fixed.items()}
    reasons = {vocabulary.entry(item.name).name: item.reason for item in unknown}
    for fact in facts:
        if fact.subject or fact.name in fixed:
            continue
        entry = vocabulary.entry(fact.name)
        if fact.name in by_attribute and not _independent(entry, fact):
            continue
        checked = _check(vocabulary, entry, fact)
        if isinstance(checked, Unknown):
            reasons.setdefault(checked.name, checked.reason)
        else:
            chosen[fact.name] = _prefer(entry, chosen.get(fact.name), checked)
    chosen = with_ratios(chosen, vocabulary, late_entries(vocabulary, by_attribute))
    by_user = {name for name, fact in chosen.items() if fact.source == "user"}
    return Givens(
        facts=chosen,
        unknown={name: reason for name, reason in reasons.items() if name not in chosen},
        pinned=frozenset(chosen.keys() & by_attribute.keys()),
        fixed=frozenset(name for name in by_user if name in fixed or name in by_attribute),
    )


def _independent(entry: Entry, fact: Fact) -> bool:
    return fact.source == "user" or (entry.kind != "decision" and fact.source not in _CONCLUDED)


def _check(vocabulary: Vocabulary, entry: Entry, fact: Fact) -> Fact | Unknown:
    if fact.source not in _STATED:
        return vocabulary.admit(fact)
    value = vocabulary.user_fact(entry.name, fact.value, fact.source).value
    return Fact(fact.name, value, fact.source, "", fact.n, fact.evidence, fact.paths)


def _prefer(entry: Entry, old: Fact | None, new: Fact) -> Fact:
    if old is None or old == new:
        return new
    if old.source == new.source:
        if not same(old.value, new.value):
            raise UsageError(
                f"{new.name} is given twice by {new.source}: {old.value!r} and {new.value!r}, expected one value"
            )
        return max(old, new, key=lambda fact: (fact.n or 0, len(fact.evidence), len(fact.paths)))
    return min(old, new, key=lambda fact: _precedence(entry, fact))


def _precedence(entry: Entry, fact: Fact) -> int:
    suppliers: tuple[str, ...] = entry.supplied_by
    if fact.source in suppliers:
        return suppliers.index(fact.source)
    return len(suppliers) + _SOURCES.index(fact.source)
