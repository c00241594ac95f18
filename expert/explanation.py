"""Explains a session: how something was concluded, why a question is asked, why something was not concluded.

Each explanation is a frozen record with `lines()`, `render()` and, for JSON, `record()`. Reads sessions, draws no
conclusion. The reasons of rules and the remedies of findings are explained next door and offered here as well.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from knowledge.conditions import Condition, same, spell
from knowledge.errors import UsageError
from knowledge.records import Fact, Value
from knowledge.rulebook import Rule

from .because import format_because as format_because
from .interview import Question
from .reference import Assessment, Status, Truth
from .remedies import applicable_remedies as applicable_remedies
from .session import Decision, Firing, Session
from .strata import concluding

_SAID = {
    "user": "you said so",
    "audit": "measured on the data set",
    "plan": "from the plan",
    "log": "read from the log",
    "predictions": "measured on the predictions",
    "telemetry": "from the telemetry",
    "machine": "measured on this machine",
}
_TRUTHS = {True: "holds", False: "FAILS", None: "UNKNOWN"}


class Explanation(ABC):
    """What all explanations share."""

    __slots__ = ()

    @abstractmethod
    def lines(self) -> list[str]:
        """Return the text, a line each, indented by two spaces a level."""

    @abstractmethod
    def record(self) -> dict[str, Any]:
        """Return it as plain values."""

    def render(self) -> str:
        """Return the text."""
        return "\n".join(self.lines())


@dataclass(frozen=True, slots=True)
class Step:
    """One rule in a proof."""

    rule: str
    title: str
    certainty: float
    because: str
    sources: tuple[str, ...]
    supports: tuple[Proof, ...]
    established: tuple[str, ...]
    """Conditions that held without a fact, such as `unknown dataset.clips`."""


@dataclass(frozen=True, slots=True)
class Proof(Explanation):
    """Why one fact is believed."""

    name: str
    value: Value
    origin: str
    certainty: float
    steps: tuple[Step, ...] = ()
    refuted: tuple[str, ...] = ()
    """Of something excluded: each rule for it, with the condition that fails."""
    rejected: tuple[str, ...] = ()
    """Of a decision: the other values, with the reason why they lost."""

    def lines(self) -> list[str]:
        """Return the proof as an indented tree; what was proved further up is not proved again."""
        return list(_proof_lines(self, 0, set()))

    def record(self) -> dict[str, Any]:
        """Return the proof as plain values."""
        steps = [
            {
                "rule": step.rule,
                "title": step.title,
                "certainty": round(step.certainty, 4),
                "because": step.because,
                "sources": list(step.sources),
                "supports": [support.record() for support in step.supports],
                "established": list(step.established),
            }
            for step in self.steps
        ]
        return {
            "name": self.name,
            "value": self.value,
            "origin": self.origin,
            "certainty": round(self.certainty, 4),
            "steps": steps,
            "refuted": list(self.refuted),
            "rejected": list(self.rejected),
        }


def how(session: Session, name: str) -> Proof:
    """Prove one fact, decision or finding (`finding.<id>`) of the session.

    Raises:
        UsageError: it is not known.  KnowledgeError: there is no such name.
    """
    fact = session.facts.get(name)
    if fact is None:
        entry = session.knowledge.vocabulary.entry(name)
        reason = session.unknown.get(name, "nobody supplied it and no rule concludes it")
        raise UsageError(f"{entry.name} is unknown: {reason}", hint="Ask why not, to see what each rule for it needs.")
    assessment = _assessment(session)
    steps = tuple(_step(session, firing) for firing in session.firings_for(name) if _supports(firing, fact, session))
    rules = concluding(session.knowledge.pack(*session.packs)).get(name, ())
    excluded = fact.value is False and fact.source == "rule" and not steps
    return Proof(
        name=name,
        value=fact.value,
        origin=_origin(fact),
        certainty=session.certainty(name),
        steps=steps,
        refuted=tuple(_refutation(rule, assessment, session) for rule in rules) if excluded else (),
        rejected=_rejected(session.decisions.get(name)),
    )


def _supports(firing: Firing, fact: Fact, session: Session) -> bool:
    return fact.name not in session.pinned and same(firing.rule.then.value, fact.value)


def _step(session: Session, firing: Firing) -> Step:
    names = [support for support in firing.supports if isinstance(support, str)]
    conditions = [support for support in firing.supports if isinstance(support, Condition)]
    names += [item.fact for item in conditions if item.kind != "unknown" and item.fact in session.facts]
    rule = firing.rule
    return Step(
        rule=rule.id,
        title=rule.title,
        certainty=firing.certainty,
        because=format_because(rule, session.facts),
        sources=rule.sources,
        supports=tuple(how(session, name) for name in dict.fromkeys(names)),
        established=tuple(map(str, conditions)),
    )


def _origin(fact: Fact) -> str:
    if fact.source in ("rule", "decision"):
        excluded = fact.source == "rule" and fact.value is False
        return "excluded" if excluded else {"rule": "concluded", "decision": "decided"}[fact.source]
    items = f", {fact.n} items" if fact.n is not None else ""
    return _SAID[fact.source] + items


def _refutation(rule: Rule, assessment: Assessment, session: Session) -> str:
    failing = next(clause for clause in rule.when if assessment.clause(clause) is False)
    checks = [_check(condition, assessment, session) for condition in failing]
    return f"{rule.id}: " + " and ".join(f"{check.text} fails, {check.found}" for check in checks)


def _rejected(decision: Decision | None) -> tuple[str, ...]:
    if decision is None:
        return ()
    return tuple(
        f"{spell(loser.value)} (lost on {loser.lost_on}; {', '.join(loser.rules)})" for loser in decision.losers
    )


def _proof_lines(proof: Proof, depth: int, seen: set[str]) -> Iterator[str]:
    pad = "  " * depth
    again = proof.name in seen and bool(proof.steps)
    certainty = f", certainty {proof.certainty:.2f}" if proof.steps else ""
    yield f"{pad}{proof.name} = {spell(proof.value)} ({'see above' if again else proof.origin + certainty})"
    if again:
        return
    seen.add(proof.name)
    for step in proof.steps:
        yield f"{pad}  by {step.rule}: {step.title} [{', '.join(step.sources)}]"
        yield f"{pad}    {step.because}"
        for text in step.established:
            yield f"{pad}    established: {text}"
        for support in step.supports:
            yield from _proof_lines(support, depth + 2, seen)
    yield from (f"{pad}  {text}" for text in proof.refuted)
    yield from (f"{pad}  instead of {text}" for text in proof.rejected)


@dataclass(frozen=True, slots=True)
class ConditionCheck:
    """One condition against the session."""

    text: str
    truth: Truth
    found: str
    """What the session knows about it."""
    distance: float | None
    """How far a numeric value is from the threshold, in the fact's unit."""


@dataclass(frozen=True, slots=True)
class RuleCheck:
    """One rule against the session."""

    rule: str
    title: str
    status: Status
    clauses: tuple[tuple[ConditionCheck, ...], ...]
    """Every clause of `when` and `needs`; of a clause one condition must hold."""


@dataclass(frozen=True, slots=True)
class Why(Explanation):
    """Why a question is asked: what waits for the answer."""

    name: str
    ask: str
    decides: tuple[str, ...]
    rules: tuple[tuple[str, RuleCheck], ...]
    """What each waiting rule would conclude, and where it stands."""

    def lines(self) -> list[str]:
        """Return the question, what it decides, and each rule that waits for it."""
        found = [f"{self.name}: {self.ask}"]
        if self.decides:
            found.append(f"  The answer bears on {', '.join(self.decides)}.")
        for conclusion, check in self.rules:
            found += [
                f"  {check.rule}: {check.title}",
                f"    would conclude {conclusion}",
                *_check_lines(check, "    "),
            ]
        return found

    def record(self) -> dict[str, Any]:
        """Return it as plain values."""
        rules = [{"conclusion": conclusion, **_check_record(check)} for conclusion, check in self.rules]
        return {"name": self.name, "ask": self.ask, "decides": list(self.decides), "rules": rules}


def why(session: Session, question: Question) -> Why:
    """Explain a question of `expert.interview.questions`."""
    assessment = _assessment(session)
    rules = {rule.id: rule for rule in session.knowledge.rules}
    waiting = tuple(
        (f"{rule.then.attribute} = {spell(rule.then.value)}", _rule_check(rule, assessment, session))
        for rule in (rules[name] for name in question.pending)
    )
    return Why(question.entry.name, question.entry.ask, question.decides, waiting)


@dataclass(frozen=True, slots=True)
class WhyNot(Explanation):
    """Why something was not concluded: where each rule for it stands."""

    name: str
    value: Value
    outcome: str
    rules: tuple[RuleCheck, ...]

    def lines(self) -> list[str]:
        """Return the outcome, then each rule for the value with its conditions."""
        found = [f"{self.name} = {spell(self.value)}: {self.outcome}"]
        for check in self.rules:
            found += [f"  {check.rule}: {check.title} ({check.status})", *_check_lines(check, "    ")]
        return found

    def record(self) -> dict[str, Any]:
        """Return it as plain values."""
        rules = [_check_record(check) for check in self.rules]
        return {"name": self.name, "value": self.value, "outcome": self.outcome, "rules": rules}


def why_not(session: Session, attribute: str, value: Value) -> WhyNot:
    """Explain why `attribute` did not get `value`; a finding is asked for as `finding.<id>` with the value True.

    Raises:
        KnowledgeError: there is no such attribute, or it cannot have this value.
    """
    value = session.knowledge.vocabulary.entry(attribute).coerce(value, "why not")
    rules = concluding(session.knowledge.pack(*session.packs)).get(attribute, ())
    wanted = [rule for rule in rules if same(rule.then.value, value)]
    assessment = _assessment(session)
    checks = tuple(_rule_check(rule, assessment, session) for rule in wanted)
    return WhyNot(attribute, value, _outcome(session, attribute, value, checks), checks)


def _outcome(session: Session, attribute: str, value: Value, checks: tuple[RuleCheck, ...]) -> str:
    fact = session.facts.get(attribute)
    if fact is not None and same(fact.value, value):
        return "it is so"
    if fact is not None and attribute in session.pinned:
        return f"{spell(fact.value)} was given ({_SAID[fact.source]})"
    decision = session.decisions.get(attribute)
    lost = next((loser for loser in decision.losers if same(loser.value, value)), None) if decision else None
    if decision is not None and lost is not None:
        return f"lost to {spell(decision.value)} ({decision.rule}) on {lost.lost_on}"
    if not checks:
        return "no rule concludes it"
    if any(check.status == "open" for check in checks):
        return "something is unknown that a rule for it needs"
    return "every rule for it is refuted"


def _assessment(session: Session) -> Assessment:
    return Assessment(concluding(session.knowledge.pack(*session.packs)), session.facts.get)


def _rule_check(rule: Rule, assessment: Assessment, session: Session) -> RuleCheck:
    clauses = tuple(
        tuple(_check(condition, assessment, session) for condition in clause) for clause in (*rule.when, *rule.needs)
    )
    return RuleCheck(rule.id, rule.title, assessment.status(rule), clauses)


def _check(condition: Condition, assessment: Assessment, session: Session) -> ConditionCheck:
    fact = session.facts.get(condition.fact)
    unit = session.knowledge.vocabulary.entry(condition.fact).unit
    truth = assessment.truth(condition)
    distance = condition.distance(fact.value) if fact is not None else None
    if fact is None:
        reason = session.unknown.get(condition.fact)
        found = f"it is unknown: {reason}" if reason else "it is unknown"
    else:
        found = f"it is {spell(fact.value)}{' ' + unit if unit else ''}"
        found += f", {distance:.6g} away" if distance is not None and not truth else ""
    return ConditionCheck(str(condition), truth, found, distance)


def _check_lines(check: RuleCheck, pad: str) -> Iterator[str]:
    for clause in check.clauses:
        for number, item in enumerate(clause):
            yield f"{pad}{'or ' if number else ''}{item.text}: {_TRUTHS[item.truth]} ({item.found})"


def _check_record(check: RuleCheck) -> dict[str, Any]:
    clauses = [
        [
            {"condition": item.text, "truth": item.truth, "found": item.found, "distance": item.distance}
            for item in clause
        ]
        for clause in check.clauses
    ]
    return {"rule": check.rule, "title": check.title, "status": check.status, "clauses": clauses}
