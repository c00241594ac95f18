"""Chooses what to ask next: the open questions, ranked by what an answer decides. Asks nobody itself.

A question is asked only when an answer can still change a decision or a finding: a rule that reads it must be able to
fire (nothing known refutes it, and nothing else that it needs is out of reach), and must be able to win. Once the few
questions that are left can be tried out in every combination, those that change nothing in any of them are dropped too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from knowledge.conditions import Clause, Condition, same
from knowledge.records import Value
from knowledge.rulebook import Rule
from knowledge.schema import STRENGTHS
from knowledge.vocabulary import TOPICS, Entry, Topic

from .boxes import admits
from .checks import assessment_of
from .prospects import Prospects
from .reference import Assessment
from .session import Session
from .strata import concluding, is_closed

DOES_NOT_KNOW = "the user does not know"
"""How the reason of an `Unknown` begins when the question was asked and the answer was "I don't know"."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question worth asking."""

    entry: Entry
    decides: tuple[str, ...]
    """The open decisions that the answer can change, directly or through other conclusions."""
    pending: tuple[str, ...]
    """The rules that wait for the answer."""
    effect: float = 0.0
    """How many decisions an answer changes, on average over the possible answers, as things stand."""
    warnings: float = 0.0
    """How many findings it brings or takes back, likewise."""


def questions(session: Session) -> tuple[Question, ...]:
    """Return the open questions whose answers can matter, in the order in which an expert asks them.

    First what changes most decisions on average over its answers; then, where no single answer changes anything, what
    most open decisions wait for together with other answers; then in the order of topics. A question that the
    vocabulary wants asked before a topic comes before the questions that bear on that topic.
    """
    prospects = Prospects(session)
    found = []
    for question in candidates(session):
        effect, warnings = prospects.effect(question.entry.name)
        found.append(replace(question, effect=effect, warnings=warnings))
    ordered = _led(sorted(found, key=_rank), session)
    names = [question.entry.name for question in ordered]
    return tuple(
        question
        for number, question in enumerate(ordered)
        if prospects.matters(question.entry.name, (*names[:number], *names[number + 1 :]))
    )


def by_topic(found: Sequence[Question]) -> dict[Topic | None, tuple[Question, ...]]:
    """Return questions by topic: the topic of the most decisive question first, and so on."""
    groups: dict[Topic | None, tuple[Question, ...]] = {}
    for question in found:
        groups[question.entry.topic] = (*groups.get(question.entry.topic, ()), question)
    return groups


def candidates(session: Session) -> tuple[Question, ...]:
    """Return the questions that some rule waits for which can still fire and win, unranked."""
    outlook = _Outlook(session)
    decides: dict[str, set[str]] = {}
    pending: dict[str, set[str]] = {}
    for name, rules in outlook.by_attribute.items():
        if name in session.pinned or rules[0].then.kind == "set":
            continue
        for fact, waiting in outlook.influences(name).items():
            pending.setdefault(fact, set()).update(waiting)
            if rules[0].then.kind == "recommend":
                decides.setdefault(fact, set()).add(name)
    entries = session.knowledge.vocabulary.entries
    order = list(entries)
    return tuple(
        Question(entries[fact], tuple(sorted(decides.get(fact, ()), key=order.index)), tuple(sorted(rules)))
        for fact, rules in pending.items()
    )


def _rank(question: Question) -> tuple[float, int, int, float, int, str]:
    topic = question.entry.topic
    place = TOPICS.index(topic) if topic is not None else len(TOPICS)
    waiting = -len(question.pending)
    return -question.effect, -len(question.decides), place, -question.warnings, waiting, question.entry.name


def _led(found: list[Question], session: Session) -> list[Question]:
    """Move what is to be asked before a topic in front of it, but behind what may make the question pointless."""
    assessment = assessment_of(session)
    for leader in [question for question in found if question.entry.asked_before]:
        rules = filter(None, map(session.knowledge.rule, leader.pending))
        waiting = (clause for rule in rules for clause in rule.when if assessment.clause(clause) is not True)
        reads = {condition.fact for clause in waiting for condition in clause}
        topic = leader.entry.asked_before
        entries = session.knowledge.vocabulary.entries
        rest = [question for question in found if question is not leader]
        bears = (
            number
            for number, question in enumerate(rest)
            if question.entry.name not in reads and any(entries[name].topic == topic for name in question.decides)
        )
        first = next(bears, len(rest))
        last_read = max((number + 1 for number, one in enumerate(rest) if one.entry.name in reads), default=0)
        place = min(found.index(leader), max(first, last_read))
        rest.insert(place, leader)
        found = rest
    return found


_Influences = dict[str, frozenset[str]]
"""Question -> ids of the rules that read it."""


class _Outlook:
    """What answers could still change."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.by_attribute = concluding(session.knowledge.pack(*session.packs))
        self._assessment = Assessment(self.by_attribute, session.facts.get)
        self._fired = {firing.rule.id: firing for firing in session.firings}
        self._possible: dict[str, bool] = {}
        self._influences: dict[str, _Influences] = {}

    def influences(self, name: str) -> _Influences:
        """Return the questions whose answers could change what is concluded about `name`."""
        if name not in self._influences:
            found = _Collected()
            for rule in self._contenders(name):
                for clause in (*rule.when, *rule.needs):
                    self._collect_clause(clause, rule, found)
            for rule in self._winners(name):
                for condition in rule.conditions:
                    self._collect_reversal(condition, rule, found)
            if self._excluded(name):
                for rule in self.by_attribute[name]:
                    self._collect_doubts(rule, found)
            self._influences[name] = found.frozen()
        return self._influences[name]

    def _excluded(self, name: str) -> bool:
        fact = self._session.facts.get(name)
        return fact is not None and fact.value is False and is_closed(self.by_attribute[name])

    def _collect_doubts(self, rule: Rule, found: _Collected) -> None:
        """What could take back the refutation of `rule`, so that what it would conclude is no longer excluded."""
        doubts = _Collected()
        for clause in rule.when:
            if self._assessment.clause(clause) is False:
                here = _Collected()
                for condition in clause:
                    if condition.kind == "known" and self._askable(condition.fact):
                        here.add(condition.fact, rule)
                    if self._open(condition.fact):
                        here.merge(self.influences(condition.fact))
                if not here.frozen():
                    return
                doubts.merge(here.frozen())
        found.merge(doubts.frozen())

    def _collect_clause(self, clause: Clause, rule: Rule, found: _Collected) -> None:
        """What could make the clause true; once it is, what could make it false again."""
        held = self._assessment.clause(clause) is True
        for condition in clause:
            if held:
                self._collect_reversal(condition, rule, found)
            elif self.can_hold(condition):
                self._collect(condition, rule, found)

    def _collect(self, condition: Condition, rule: Rule, found: _Collected) -> None:
        name = condition.fact
        if part := self._missing_part(name):
            found.add(part, rule)
        for part in self._estimated_from(name):
            if self._askable(part):
                found.add(part, rule)
            if self._open(part):
                found.merge(self.influences(part))
        if self._askable(name):
            found.add(name, rule)
        if self._open(name):
            found.merge(self.influences(name))
            if self._waits_for_absence(condition):
                found.merge(self._refuters(name))

    def _collect_reversal(self, condition: Condition, rule: Rule, found: _Collected) -> None:
        name = condition.fact
        if condition.kind == "unknown" and self._askable(name):
            found.add(name, rule)
        if self._open(name) and self._assessment.truth(condition) is True:
            found.merge(self.influences(name))

    def _refuters(self, name: str) -> _Influences:
        """Return the questions whose answers could exclude the closed attribute `name`."""
        found = _Collected()
        for rule in self.by_attribute[name]:
            if rule.id in self._fired or self._assessment.refuted(rule):
                continue
            for clause in rule.when:
                collect = self._collect_reversal if self._assessment.clause(clause) else self._collect
                for condition in clause:
                    collect(condition, rule, found)
        return found.frozen()

    def _askable(self, name: str) -> bool:
        entry = self._session.knowledge.vocabulary.entry(name)
        answered = self._session.unknown.get(name, "").startswith(DOES_NOT_KNOW)
        return bool(entry.ask) and name not in self._session.facts and not answered

    def _missing_part(self, name: str) -> str:
        """The next fact to ask for to compute one: what it is measured against, then the rest; empty: none."""
        parts = self._session.knowledge.vocabulary.entry(name).required
        if not parts or name in self._session.facts:
            return ""
        missing = [part for part in reversed(parts) if part not in self._session.facts]
        return missing[0] if missing and all(map(self._askable, missing)) else ""

    def _estimated_from(self, name: str) -> tuple[str, ...]:
        """What an estimate still lacks, its own parts and those of the estimates that it rests on."""
        entry = self._session.knowledge.vocabulary.entry(name)
        if name in self._session.facts or not entry.parts:
            return ()
        missing = [part for part in entry.parts if part not in self._session.facts]
        missing = [part for part in missing if part in entry.required or not self._askable(part)]
        deeper = [leaf for part in missing for leaf in self._estimated_from(part)]
        own = missing if entry.estimated else []
        return tuple(dict.fromkeys([*own, *deeper]))

    def _can_be_estimated(self, name: str) -> bool:
        """Whether answers could still supply all that an estimate needs."""
        lacks = [part for part in self._estimated_from(name) if part in self._required(name)]
        return bool(self._required(name)) and all(self._askable(part) or self._open(part) for part in lacks)

    def _required(self, name: str) -> tuple[str, ...]:
        """What has to be known for an estimate, down to what is not estimated itself."""
        entry = self._session.knowledge.vocabulary.entry(name)
        if entry.estimated:
            return entry.estimated.needs
        return tuple(leaf for part in entry.parts for leaf in self._required(part))

    def _open(self, name: str) -> bool:
        return name in self.by_attribute and name not in self._session.pinned

    def can_hold(self, condition: Condition) -> bool:
        """Whether the condition holds, or could after some answers."""
        if self._assessment.truth(condition) is True:
            return True
        name = condition.fact
        fact = self._session.facts.get(name)
        if self._open(name):
            return self._can_become(condition) or (fact is None and self._askable(name))
        reachable = self._askable(name) or bool(self._missing_part(name)) or self._can_be_estimated(name)
        return fact is None and condition.kind != "unknown" and reachable

    def _can_become(self, condition: Condition) -> bool:
        values = [rule.then.value for rule in self._contenders(condition.fact)]
        if self._waits_for_absence(condition) and condition.fact not in self._session.facts:
            return True
        return any(admits(condition, value) for value in values)

    def _waits_for_absence(self, condition: Condition) -> bool:
        """Whether excluding the attribute would make the condition true: what is excluded is known to be false."""
        if condition.kind in ("none", "unknown"):
            return condition.kind == "none"
        closed = is_closed(self.by_attribute[condition.fact])
        return closed and (condition.kind == "known" or condition.holds(False))

    def _contenders(self, name: str) -> list[Rule]:
        """Return the rules that have not fired, could fire, and would change the value of `name`."""
        rules = [rule for rule in self.by_attribute[name] if rule.id not in self._fired and self._could_win(rule)]
        return [rule for rule in rules if self._can_fire(rule)]

    def _winners(self, name: str) -> list[Rule]:
        """Return the rules that fired for the value that `name` has."""
        fact = self._session.facts.get(name)
        fired = (self._fired[rule.id].rule for rule in self.by_attribute[name] if rule.id in self._fired)
        return [rule for rule in fired if fact is not None and same(rule.then.value, fact.value)]

    def _can_fire(self, rule: Rule) -> bool:
        if rule.id not in self._possible:
            clauses = (*rule.when, *rule.needs)
            self._possible[rule.id] = all(any(map(self.can_hold, clause)) for clause in clauses)
        return self._possible[rule.id]

    def _could_win(self, rule: Rule) -> bool:
        """Whether the rule, if it fired, could change what is concluded."""
        name = rule.then.attribute
        fact = self._session.facts.get(name)
        if fact is None or self._excluded(name):
            return True
        if same(fact.value, rule.then.value):
            return False
        winner = min(STRENGTHS.index(item.strength) for item in self._winners(name))
        tier = STRENGTHS.index(rule.strength)
        if tier != winner:
            return tier < winner
        policy = self._session.knowledge.vocabulary.entry(name).policy
        return policy in ("one", "unique") or _beyond(policy, rule.then.value, fact.value)


def _beyond(policy: str, new: Value, old: Value) -> bool:
    return float(new) < float(old) if policy == "min" else float(new) > float(old)


class _Collected:
    """Questions with the rules that read them, while they are collected."""

    def __init__(self) -> None:
        self._rules: dict[str, set[str]] = {}

    def add(self, name: str, rule: Rule) -> None:
        self._rules.setdefault(name, set()).add(rule.id)

    def merge(self, other: _Influences) -> None:
        for name, rules in other.items():
            self._rules.setdefault(name, set()).update(rules)

    def frozen(self) -> _Influences:
        return {name: frozenset(rules) for name, rules in self._rules.items()}
