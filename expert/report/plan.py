"""The report of a plan: the decisions of high impact, every decision with its reason, what is assumed or contested."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.plan import Plan
from knowledge.conditions import spell

from ..because import format_because
from ..consultation.plan import PlanDraft
from ..consultation.plan_words import costs
from ..interview import questions
from ..session import Decision, Session
from .document import Bullets, Document, Heading, Paragraph, Table
from .findings import decisions_blocks, findings_blocks
from .json import session_record
from .own import own_blocks

if TYPE_CHECKING:
    from ..consultation.audit import Audit


def plan_document(draft: PlanDraft, audit: Audit | None = None) -> Document:
    """Return the explanation of a plan; of the audit behind it what is wrong, and where that is told in full."""
    session = draft.session
    return (
        Heading("Plan", 1),
        Heading("The decisions of high impact"),
        Table(("decision", "value", "because"), tuple(_reason(session, item) for item in draft.four_decisions)),
        *_section("What this trainer cannot run yet", draft.not_runnable),
        *_section("What it takes", costs(session)),
        Heading("Every decision"),
        *decisions_blocks(session),
        *_section(
            "Contested", tuple(_contest(decision) for decision in session.decisions.values() if decision.contested)
        ),
        *_section("Where rules disagree with you", _objections(session)),
        *_section("Assumed without knowing", draft.assumptions),
        *_section("Still worth answering", tuple(f"{q.entry.name}: {q.entry.ask}" for q in questions(session))),
        *([Heading("Findings"), *findings_blocks(session.findings, session.knowledge)] if session.findings else []),
        *_section("What is wrong with the data", _faults(audit)),
        *own_blocks(session.knowledge),
        Paragraph(
            "`tonmeister explain how NAME` shows the proof of a decision, `why-not NAME=VALUE` what speaks against it."
        ),
    )


def _section(title: str, lines: tuple[str, ...]) -> Document:
    return (Heading(title), Bullets(tuple((line, ()) for line in lines))) if lines else ()


def _faults(audit: Audit | None) -> tuple[str, ...]:
    grave = [] if audit is None else [f for f in audit.session.findings if f.severity in ("error", "warning")]
    if audit is None or not grave:
        return ()
    told = (f"{finding.severity}: {finding.title}" for finding in grave)
    return (*told, f"`tonmeister audit {audit.dataset.manifest}` names the clips, the evidence and what to do.")


def _reason(session: Session, decision: Decision) -> tuple[str, ...]:

    rule = session.knowledge.rule(decision.rule)
    because = format_because(rule, session.facts) if rule else "you chose it"
    return decision.attribute, spell(decision.value), because


def _contest(decision: Decision) -> str:
    others = ", ".join(f"{spell(loser.value)} ({', '.join(loser.rules)})" for loser in decision.losers)
    return f"{decision.attribute}: {spell(decision.value)} ({decision.rule}) against {others}"


def _objections(session: Session) -> tuple[str, ...]:

    lines = []
    for decision in session.decisions.values():
        for name in decision.objections:
            rule = session.knowledge.rule(name)
            if rule is not None:
                wanted = f"{decision.attribute} = {spell(rule.then.value)}"
                lines.append(f"{name} would choose {wanted}: {format_because(rule, session.facts)}")
    return tuple(lines)


def plan_record(draft: PlanDraft, audit: Audit | None = None) -> dict[str, Any]:
    """Return the explanation, and the plan itself, as plain values."""
    plan: Plan | None = draft.plan
    return {
        **session_record(draft.session),
        "plan": plan.model_dump(mode="json") if plan else None,
        "missing": list(draft.missing),
        "not_runnable": list(draft.not_runnable),
        "assumptions": list(draft.assumptions),
        "costs": list(costs(draft.session)),
        "data_faults": list(_faults(audit)),
    }
