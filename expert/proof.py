"""Proves what a session concluded: which rules, from which facts, down to what was said and measured."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from knowledge.cards import evidence_lines
from knowledge.conditions import Condition, same, spell
from knowledge.errors import UsageError
from knowledge.records import Fact, Value
from knowledge.rulebook import Rule

from .because import format_because
from .checks import assessment_of, check_condition
from .reference import Assessment
from .session import Decision, Firing, Session
from .strata import concluding

SAID = {
    "user": "you said so",
    "audit": "measured on the data set",
    "plan": "from the plan",
    "log": "read from the log",
    "predictions": "measured on the predictions",
    "telemetry": "from the telemetry",
    "machine": "measured on this machine",
}
"""How a reader is told where a given fact comes from."""


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
    """The other values of a decision, with the reason why they lost; and the rules that users silenced."""
    card: tuple[str, ...] = ()
    """Of a backbone: which figures of its card were held against what, and which are from memory."""

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
            **({"card": list(self.card)} if self.card else {}),
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
        reason = ". ".join((reason, *silenced(session, name)))
        raise UsageError(f"{entry.name} is unknown: {reason}", hint="Ask why not, to see what each rule for it needs.")
    assessment = assessment_of(session)
    steps = tuple(_step(session, firing) for firing in session.firings_for(name) if _supports(firing, fact, session))
    rules = concluding(session.knowledge.pack(*session.packs)).get(name, ())
    excluded = fact.value is False and fact.source == "rule" and not steps
    return Proof(
        name=name,
        value=fact.value,
        origin=_origin(fact, concluded=bool(steps)),
        certainty=session.certainty(name),
        steps=steps,
        refuted=tuple(_refutation(rule, assessment, session) for rule in rules) if excluded else (),
        rejected=_rejected(session.decisions.get(name)) + silenced(session, name),
        card=_card(session, fact),
    )


def _card(session: Session, fact: Fact) -> tuple[str, ...]:
    """Return what is known of the backbone that a fact names, and how well it is known."""
    for card in session.knowledge.backbones:
        loaded = fact.name == "backbone.checkpoint" and fact.value == card.checkpoint
        if loaded or (fact.name == "backbone.recommended" and fact.value == card.backbone and not card.runs):
            return tuple(f"card of {card.title}, {line}" for line in evidence_lines(card))
    return ()


def silenced(session: Session, name: str) -> tuple[str, ...]:
    """Return a sentence for each rule about `name` that users silenced."""
    rules = session.knowledge.silenced
    return tuple(rule.own.sentence() for rule in rules if rule.then.attribute == name and rule.own)


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


def _origin(fact: Fact, *, concluded: bool) -> str:
    if fact.source in ("rule", "decision"):
        if fact.evidence:
            return "; ".join(item.text for item in fact.evidence)
        excluded = fact.source == "rule" and fact.value is False and not concluded
        return "excluded" if excluded else {"rule": "concluded", "decision": "decided"}[fact.source]
    items = f", {fact.n} items" if fact.n is not None else ""
    return SAID[fact.source] + items


def _refutation(rule: Rule, assessment: Assessment, session: Session) -> str:
    failing = next(clause for clause in rule.when if assessment.clause(clause) is False)
    checks = [check_condition(condition, assessment, session) for condition in failing]
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
    for text in proof.rejected:
        yield f"{pad}  {text}" if text.endswith(".") else f"{pad}  instead of {text}"
    yield from (f"{pad}  {text}" for text in proof.card)
