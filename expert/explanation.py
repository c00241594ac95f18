"""Explains a session: how something was concluded, why a question is asked, why something was not concluded.

Each explanation is a frozen record with `lines()`, `render()` and, for JSON, `record()`. Reads sessions, draws no
conclusion. Proofs, the reasons of rules and the remedies of findings are explained next door and offered here as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from knowledge.conditions import same, spell
from knowledge.records import Value

from .because import format_because as format_because
from .checks import RuleCheck, assessment_of, check_lines, check_record, check_rule
from .interview import Question
from .proof import SAID, Explanation, silenced
from .proof import Proof as Proof
from .proof import how as how
from .prospects import Prospect, Prospects
from .remedies import applicable_remedies as applicable_remedies
from .session import Session
from .strata import concluding


@dataclass(frozen=True, slots=True)
class Why(Explanation):
    """Why a question is asked: what waits for the answer."""

    name: str
    ask: str
    decides: tuple[str, ...]
    rules: tuple[tuple[str, RuleCheck], ...]
    """What each waiting rule would conclude, and where it stands."""
    prospects: tuple[Prospect, ...] = ()
    """What each possible answer would change."""

    def lines(self) -> list[str]:
        """Return the question, what it decides, and each rule that waits for it."""
        found = [f"{self.name}: {self.ask}"]
        if self.decides:
            found.append(f"  The answer bears on {', '.join(self.decides)}.")
        found += [f"  {line}" for prospect in self.prospects if (line := prospect_line(prospect))]
        for conclusion, check in self.rules:
            found += [
                f"  {check.rule}: {check.title}",
                f"    would conclude {conclusion}",
                *check_lines(check, "    "),
            ]
        return found

    def record(self) -> dict[str, Any]:
        """Return it as plain values."""
        rules = [{"conclusion": conclusion, **check_record(check)} for conclusion, check in self.rules]
        return {"name": self.name, "ask": self.ask, "decides": list(self.decides), "rules": rules,
                "prospects": [prospect.record() for prospect in self.prospects]}  # fmt: skip


def why(session: Session, question: Question) -> Why:
    """Explain a question of `expert.interview.questions`."""
    assessment = assessment_of(session)
    rules = {rule.id: rule for rule in session.knowledge.rules}
    waiting = tuple(
        (f"{rule.then.attribute} = {spell(rule.then.value)}", check_rule(rule, assessment, session))
        for rule in (rules[name] for name in question.pending)
    )
    prospects = Prospects(session).of(question.entry.name)
    return Why(question.entry.name, question.entry.ask, question.decides, waiting, prospects)


def prospect_line(prospect: Prospect) -> str:
    """Return what an answer would change, in a line; empty where it changes nothing by itself."""
    changed = [f"{change.attribute} becomes {_after(change.after)}" for change in prospect.decisions]
    changed += [
        f"{change.attribute.removeprefix('finding.')} {'is no longer' if change.after is None else 'is'} reported"
        for change in prospect.findings
    ]
    return f"{prospect.answer.says}: {', '.join(changed)}" if changed else ""


def _after(value: Value | None) -> str:
    return "nothing" if value is None else spell(value)


@dataclass(frozen=True, slots=True)
class WhyNot(Explanation):
    """Why something was not concluded: where each rule for it stands."""

    name: str
    value: Value
    outcome: str
    rules: tuple[RuleCheck, ...]
    silenced: tuple[str, ...] = ()
    """Rules for it that users silenced, with the reason."""

    def lines(self) -> list[str]:
        """Return the outcome, then each rule for the value with its conditions."""
        found = [f"{self.name} = {spell(self.value)}: {self.outcome}"]
        for check in self.rules:
            found += [f"  {check.rule}: {check.title} ({check.status})", *check_lines(check, "    ")]
        return found + [f"  {text}" for text in self.silenced]

    def record(self) -> dict[str, Any]:
        """Return it as plain values."""
        rules = [check_record(check) for check in self.rules]
        record = {"name": self.name, "value": self.value, "outcome": self.outcome, "rules": rules}
        return record | ({"silenced": list(self.silenced)} if self.silenced else {})


def why_not(session: Session, attribute: str, value: Value) -> WhyNot:
    """Explain why `attribute` did not get `value`; a finding is asked for as `finding.<id>` with the value True.

    Raises:
        KnowledgeError: there is no such attribute, or it cannot have this value.
    """
    value = session.knowledge.vocabulary.entry(attribute).coerce(value, "why not")
    rules = concluding(session.knowledge.pack(*session.packs)).get(attribute, ())
    wanted = [rule for rule in rules if same(rule.then.value, value)]
    assessment = assessment_of(session)
    checks = tuple(check_rule(rule, assessment, session) for rule in wanted)
    return WhyNot(attribute, value, _outcome(session, attribute, value, checks), checks, silenced(session, attribute))


def _outcome(session: Session, attribute: str, value: Value, checks: tuple[RuleCheck, ...]) -> str:
    fact = session.facts.get(attribute)
    if fact is not None and same(fact.value, value):
        return "it is so"
    if fact is not None and attribute in session.pinned:
        return f"{spell(fact.value)} was given ({SAID[fact.source]})"
    decision = session.decisions.get(attribute)
    lost = next((loser for loser in decision.losers if same(loser.value, value)), None) if decision else None
    if decision is not None and lost is not None:
        return f"lost to {spell(decision.value)} ({decision.rule}) on {lost.lost_on}"
    if not checks:
        return "no rule concludes it"
    if any(check.status == "open" for check in checks):
        return "something is unknown that a rule for it needs"
    return "every rule for it is refuted"
