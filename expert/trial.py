"""Tries rules on given values: does a rule fire, and if not, for want of what. Asks the engine, keeps nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from knowledge.conditions import same, spell
from knowledge.records import Value
from knowledge.rulebook import Knowledge, Rule

from .because import format_because
from .chaining import consult
from .checks import ConditionCheck, RuleCheck, assessment_of, check_lines, check_record, check_rule
from .proof import Explanation
from .session import Session


@dataclass(frozen=True, slots=True)
class Trial(Explanation):
    """One rule on given values."""

    check: RuleCheck
    outcome: str
    """Whether it fires, and what comes of it; or what it fails on, or waits for."""
    says: str = ""
    """The reason of the rule with the values in it, when it fires."""

    def lines(self) -> list[str]:
        """Return the outcome, the reason and every condition."""
        reason = [f"  {self.says}"] if self.says else []
        return [f"{self.check.rule}: {self.outcome}", *reason, *check_lines(self.check, "  ")]

    def record(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {**check_record(self.check), "outcome": self.outcome, "says": self.says}


def try_rules(rules: Sequence[Rule], given: Mapping[str, Value], knowledge: Knowledge) -> tuple[Trial, ...]:
    """Run the packs of the rules on the given values and return how each rule fares.

    Conclusions of other rules may be given like facts; they are then settled by that.

    Raises:
        UsageError: an unknown name, or a value that does not fit.
    """
    facts = [knowledge.vocabulary.user_fact(name, value, "given") for name, value in given.items()]
    session = consult(knowledge, facts, packs=tuple(dict.fromkeys(rule.pack for rule in rules)))
    assessment = assessment_of(session)
    return tuple(_trial(rule, check_rule(rule, assessment, session), session) for rule in rules)


def facts_read(rules: Sequence[Rule]) -> tuple[str, ...]:
    """Return the names of all facts that the rules read, in the order in which they stand."""
    return tuple(dict.fromkeys(condition.fact for rule in rules for condition in rule.conditions))


def _trial(rule: Rule, check: RuleCheck, session: Session) -> Trial:
    if check.status != "fires":
        return Trial(check, _lacks(check))
    return Trial(check, _comes_of(rule, session), format_because(rule, session.facts))


def _lacks(check: RuleCheck) -> str:
    """A false condition decides alone; without one, everything unknown is named."""
    clauses = [clause for clause in check.clauses if not any(item.truth for item in clause)]
    if check.status == "refuted":
        clauses = [clause for clause in clauses if all(item.truth is False for item in clause)]
        return f"does not fire: {'; '.join(map(_asked, clauses))}"
    return f"cannot tell yet: {'; '.join(map(_asked, clauses))}"


def _asked(clause: tuple[ConditionCheck, ...]) -> str:
    found = dict.fromkeys(item.found for item in clause)
    return f"{' or '.join(item.text for item in clause)} ({'; '.join(found)})"


def _comes_of(rule: Rule, session: Session) -> str:
    then = rule.then
    if then.kind == "finding":
        return f"fires: reports {then.finding} ({then.severity})"
    fact = session.facts[then.attribute]
    if same(fact.value, then.value):
        return f"fires: {then.attribute} becomes {spell(then.value)}"
    if then.attribute in session.pinned:
        return f"fires, but you say that {then.attribute} is {spell(fact.value)}"
    return f"fires, but {_winner(rule, session)}: {then.attribute} becomes {spell(fact.value)}"


def _winner(rule: Rule, session: Session) -> str:
    decision = session.decisions.get(rule.then.attribute)
    lost = [loser.lost_on for loser in decision.losers if rule.id in loser.rules] if decision else []
    return f"{decision.rule} wins on {lost[0]}" if decision and lost else "a rule for another value wins"
