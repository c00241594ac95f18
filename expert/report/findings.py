"""Findings, decisions and remedies as document blocks, shared by the reports of all consultations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from knowledge.conditions import same, spell
from knowledge.records import Finding, NotAssessable
from knowledge.rulebook import Knowledge

from ..session import Decision, Session
from .document import Bullets, Document, Heading, Paragraph, Table
from .own import own_mark

_NAMED = 6
"""Findings that a sentence names; more are counted there and listed below it."""
_EXAMPLES = 5
"""Pieces of evidence that are shown."""
SIGNS = {"error": "ERROR", "warning": "WARNING", "note": "note"}


_ADVICE = {"trainer": "advice: this trainer does not do it yet", "person": "advice: yours to do"}
"""By whom the vocabulary waits for."""


def findings_blocks(
    findings: Iterable[Finding], knowledge: Knowledge, not_assessable: Sequence[NotAssessable] = ()
) -> Document:
    """One bullet a finding: what, why here, evidence, remedies, rule and sources."""
    found = tuple(findings)
    items = tuple((_headline(finding), _details(finding, knowledge)) for finding in found)
    if items:
        return (Bullets(items, tuple(finding.severity for finding in found)),)
    blind = [item.id for item in not_assessable]
    named = ", ".join(blind) if len(blind) <= _NAMED else f"{len(blind)} others"
    reservation = f" Nobody can tell yet about {named}: see below what it would need." if blind else ""
    return (Paragraph(f"Nothing was found that a rule would report.{reservation}"),)


def _headline(finding: Finding) -> str:
    return f"{SIGNS[finding.severity]} {finding.id}: {finding.title} (confidence {finding.confidence:.2f})"


def _details(finding: Finding, knowledge: Knowledge) -> tuple[str, ...]:
    remedies = [knowledge.remedies[remedy].title for remedy in finding.remedies]
    return (
        finding.because,
        *_evidence(finding),
        *([f"remedies: {'; '.join(remedies)}"] if remedies else []),
        f"rule {finding.rule}{own_mark(finding.rule, knowledge)}, sources {', '.join(finding.sources)}",
    )


def _evidence(finding: Finding) -> tuple[str, ...]:
    """The first pieces, one a line where they name clips, and of how many clips they are examples."""
    shown = [item.text for item in finding.evidence[:_EXAMPLES]]
    if any(item.path for item in finding.evidence):
        every = len(finding.paths)
        rest = (f"clips: {every} in all; the JSON report names each",) if every > len(shown) else ()
        return (*(f"evidence: {text}" for text in shown), *rest)
    left = len(finding.evidence) - len(shown)
    return (f"evidence: {'; '.join(shown)}{f' (and {left} more)' if left else ''}",) if shown else ()


def not_assessable_blocks(items: Iterable[NotAssessable], knowledge: Knowledge) -> Document:
    """What could be neither reported nor excluded, under what most of it lacks; empty when there is none.

    What needs a kind of evidence that the run has none of is only counted. The record holds every need of each finding.
    """
    every = tuple(items)
    reasons = {item.id: _reasons(item) for item in every if not item.scope}
    often = Counter(reason for one in reasons.values() for reason in one)
    lacking: dict[str, list[str]] = {}
    for name, own in reasons.items():
        lacking.setdefault(max(own, key=often.__getitem__, default="unknown"), []).append(name)
    lines = tuple(
        (f"{reason}: {', '.join(names)}", ()) for reason, names in sorted(lacking.items(), key=lambda one: -len(one[1]))
    )
    beyond = Counter(item.scope for item in every if item.scope)
    lines += tuple(
        (f"{one.title} ({beyond[one.id]} findings). {one.because}", ()) for one in knowledge.scopes if one.id in beyond
    )
    return (Heading("Not assessable, and what it would need"), Bullets(lines)) if lines else ()


def _reasons(item: NotAssessable) -> tuple[str, ...]:
    """The needs of one finding, each reason once: several measurements often lack the same thing."""
    return tuple(dict.fromkeys(_reason(need.partition(": ")[2] or need) for need in item.needs))


def _reason(need: str) -> str:
    name = need.removesuffix(" (unknown)")
    return need if name == need else f"{name.removesuffix(' known')} is not known"


def decisions_blocks(session: Session) -> Document:
    """The decisions in the order of the vocabulary, which is that of the work: value, rule and what it beat."""
    ordered = (session.decisions.get(name) for name in session.knowledge.vocabulary.entries)
    rows = tuple(_decision_row(decision, session) for decision in ordered if decision is not None)
    return (Table(("decision", "value", "because of rule", "instead of"), rows),)


def _decision_row(decision: Decision, session: Session) -> tuple[str, ...]:
    losers = ", ".join(f"{spell(loser.value)} ({loser.lost_on})" for loser in decision.losers)
    rule = "you" if decision.fixed_by_user else decision.rule + own_mark(decision.rule, session.knowledge)
    rule += " (contested)" if decision.contested else ""
    entry = session.knowledge.vocabulary.entries[decision.attribute]
    runs = entry.runs if isinstance(entry.runs, tuple) else () if entry.runs is None else (entry.runs,)
    is_advice = bool(entry.awaits) and not any(same(decision.value, value) for value in runs)
    value = spell(decision.value) + (f" ({_ADVICE[entry.awaits]})" if is_advice else "")
    return decision.attribute, value, rule, losers
