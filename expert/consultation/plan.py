"""The plan consultation: from facts and choices to an executable plan that says why. Interviews nobody, trains nothing.

Which line of the plan an attribute fills is said by `plan:` in the vocabulary, and nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.plan import Plan, make_plan, plan_yaml, value_at
from knowledge.errors import PlanError
from knowledge.records import Fact, Unknown, Value
from knowledge.rulebook import Knowledge
from knowledge.vocabulary import Entry

from ..chaining import consult
from ..session import Decision, Session
from .budget import with_share_of_reference
from .plan_words import CANNOT_RUN, assumptions, clash, comments, header

_FOUR = ("pooling.name", "backbone.recommended", "backbone.name", "output.bounded", "training.epochs")
"""Pooling, backbone (wanted, and run), output range, duration: the decisions with the greatest effect (S000-46)."""
_NEEDED = ("task.type", "dataset.manifest")
"""What no rule can assume."""


@dataclass(frozen=True)
class PlanDraft:
    """A plan as far as it is known, with all that was concluded on the way."""

    session: Session
    plan: Plan | None
    """None while something of `missing` is unknown, and where `not_runnable` says that the task cannot be trained."""
    missing: tuple[str, ...]
    """Names of facts without which no plan can be written."""
    comments: Mapping[str, str]
    """For each line of the plan that was decided or stated, why."""
    not_runnable: tuple[str, ...]
    """What the rules prefer and this trainer cannot run yet, with the nearest plan that runs."""
    assumptions: tuple[str, ...]
    """What was decided without knowing enough."""
    four_decisions: tuple[Decision, ...]
    """Pooling, backbone (wanted, and run), output range and duration, as far as they are settled."""


def draft_plan(
    knowledge: Knowledge,
    facts: Iterable[Fact],
    *,
    unknown: Iterable[Unknown] = (),
    fixed: Mapping[str, Value] | None = None,
    manifest: Path | None = None,
    name: str = "run",
) -> PlanDraft:
    """Draw a plan from what is known. What is fixed stays, and rules that disagree are noted beside it.

    `name` becomes that of the plan, with a dash for what a plan's name cannot hold.

    Raises:
        UsageError: a fact or choice that does not fit the vocabulary.
        PlanError: choices that the trainer cannot run together; the hint names them.
    """
    facts = with_share_of_reference(facts)
    session = consult(knowledge, facts, packs=("plan",), unknown=unknown, fixed=fixed or {})
    return draft_of(session, str(manifest.resolve()) if manifest is not None else None, name)


def draft_of(session: Session, manifest: str | None, name: str) -> PlanDraft:
    """Draw the plan from what a consultation concluded.

    Raises:
        PlanError: choices that the trainer cannot run together; the hint names them.
    """
    known = {fact.name: fact.value for fact in session.facts.values()}
    if manifest is not None:
        known["dataset.manifest"] = manifest
    missing = tuple(needed for needed in _NEEDED if needed not in known)
    refused = [finding for finding in session.findings if finding.id.endswith(CANNOT_RUN)]
    impossible = any(finding.severity == "error" for finding in refused)
    plan = None if missing or impossible else _plan(session, known, name)
    return PlanDraft(
        session=session,
        plan=plan,
        missing=missing,
        comments=comments(session),
        not_runnable=tuple(finding.because for finding in refused),
        assumptions=assumptions(session),
        four_decisions=_four_decisions(session),
    )


def plan_text(draft: PlanDraft, command: str) -> str:
    """Return plan.yaml with a reason beside every line that was decided, and `command` on top.

    Raises:
        PlanError: the draft holds no plan yet; the message says what it lacks.
    """
    if draft.plan is None:
        entries = draft.session.knowledge.vocabulary.entries
        lacks = [f"{name} is unknown: {entries[name].means}" for name in draft.missing]
        hint = f"Answer with --set {draft.missing[0]}=VALUE." if draft.missing else ""
        raise PlanError(" ".join(["no plan can be written yet.", *lacks, *draft.not_runnable]), hint=hint)
    return plan_yaml(draft.plan, draft.comments, header(draft.session, command, draft.not_runnable))


def launch_command(plan: Plan, path: Path) -> str:
    """Return the command that trains the plan written at `path`; leaving one group out is one training a group."""
    folds = f" --folds {plan.data.protocol}" if plan.data.protocol == "leave-one-group-out" else ""
    return f"tonmeister train {path}{folds}"


def facts_of_plan(plan: Plan, knowledge: Knowledge) -> tuple[Fact, ...]:
    """Return what a plan says, as facts; a line without a value says nothing, nor does a class of the user's own."""
    own = {"backbone.name"} if plan.backbone.is_own else set()
    stated = ((entry, value_at(plan, entry.plan)) for entry in _entries(knowledge) if entry.plan not in own)
    return tuple(
        Fact(entry.name, entry.coerce(value, entry.plan), "plan") for entry, value in stated if value is not None
    )


def _entries(knowledge: Knowledge) -> list[Entry]:
    """Every entry that mirrors a line of the plan; decisions last, because they overrule facts about the same line."""
    mirrored = [entry for entry in knowledge.vocabulary.entries.values() if entry.plan]
    return sorted(mirrored, key=lambda entry: entry.kind == "decision")


def _plan(session: Session, known: Mapping[str, Value], name: str) -> Plan:
    content: dict[str, Any] = {"name": re.sub(r"[^A-Za-z0-9._-]+", "-", name).lstrip("-._") or "run"}
    for entry in _entries(session.knowledge):
        if entry.name in known:
            section, _, key = entry.plan.partition(".")
            content.setdefault(section, {})[key] = known[entry.name]
    try:
        return make_plan(content, "the plan from these answers")
    except PlanError as error:
        raise PlanError(error.message, hint=clash(session) or error.hint) from None


def _four_decisions(session: Session) -> tuple[Decision, ...]:
    return tuple(session.decisions[name] for name in _FOUR if name in session.decisions)
