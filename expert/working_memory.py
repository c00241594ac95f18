"""What is known in the course of one consultation; settles each stratum once its rules have come to rest.

Which rules fire is found out elsewhere (`expert.chaining`); here conclusions become facts, decisions and findings.
"""

from __future__ import annotations

from collections.abc import Mapping

from knowledge.conditions import Clause
from knowledge.records import Fact
from knowledge.rulebook import Knowledge, Rule
from knowledge.schema import Pack

from .findings import findings_of, not_assessable_of
from .givens import Givens
from .ratios import late_entries, with_late
from .reference import Assessment
from .resolution import Activation, as_support, decide, settle
from .session import Decision, Firing, Session, Support
from .strata import Concluding, Stratum, is_closed

Fired = dict[str, dict[int, tuple[Support, ...]]]
"""What supports each branch that fired, by rule and number of the branch."""


class WorkingMemory:
    """Facts, certainties, firings and decisions, stratum by stratum."""

    def __init__(self, knowledge: Knowledge, by_attribute: Concluding, givens: Givens) -> None:
        self.facts = dict(givens.facts)
        self.pinned = givens.pinned
        self.assessment = Assessment(by_attribute, self.facts.get)
        self._knowledge = knowledge
        self._by_attribute = by_attribute
        self._givens = givens
        self._certainties: dict[str, float] = {}
        self._firings: list[Firing] = []
        self._decisions: dict[str, Decision] = {}
        self._late = late_entries(knowledge.vocabulary, by_attribute)
        self._unsettled = {*by_attribute, *self._late}

    def support(self, clause: Clause) -> Support | None:
        """Return what establishes the first condition of the clause that holds by now, or None.

        Only for conditions on what is settled below the stratum that reads them.
        """
        for condition in clause:
            if condition.kind == "is":
                fact = self.facts.get(condition.fact)
                if fact is not None and condition.holds(fact.value):
                    return condition.fact
            elif self.assessment.truth(condition):
                return condition
        return None

    def settle(self, stratum: Stratum, fired: Fired) -> None:
        """Conclude everything that the stratum can, each attribute after those that it rests on."""
        for name in stratum.settles:
            rules = self._by_attribute[name]
            held = sorted((rule for rule in rules if rule.id in fired), key=lambda rule: rule.id)
            activations = [self._activation(rule, fired[rule.id]) for rule in held]
            for item in activations:
                self._firings.append(Firing(len(self._firings) + 1, item.rule, item.supports, item.certainty))
            if name in self.pinned:
                continue
            if activations:
                self._conclude(name, activations)
            elif is_closed(rules) and all(map(self.assessment.refuted, rules)):
                self.facts[name] = Fact(name, False, "rule")
        self._compute_late(stratum)

    def _compute_late(self, stratum: Stratum) -> None:
        """Compute what rests on decisions, as soon as the last of them is made."""
        self._unsettled.difference_update(stratum.settles)
        for name, entry in self._late.items():
            if name in self._unsettled and self._unsettled.isdisjoint(entry.parts):
                self._unsettled.remove(name)
                with_late(self.facts, [entry], lambda _: True, self._knowledge.vocabulary)

    def session(self, packs: tuple[Pack, ...]) -> Session:
        """Return the finished consultation."""
        self._decide_as_fixed()
        entries = self._knowledge.vocabulary.entries
        return Session(
            knowledge=self._knowledge,
            packs=packs,
            facts=self.facts,
            unknown=self._givens.unknown,
            firings=tuple(self._firings),
            decisions={name: self._decisions[name] for name in entries if name in self._decisions},
            findings=findings_of(self._firings, self.facts, lambda name: self._certainties.get(name, 1.0)),
            not_assessable=not_assessable_of(
                self._by_attribute, self.facts, self._givens.unknown, self.assessment, self._knowledge
            ),
            certainties=self._certainties,
            pinned=self.pinned,
        )

    def _activation(self, rule: Rule, branches: Mapping[int, tuple[Support, ...]]) -> Activation:
        """Choose the branch with the surest supports; the first as written where several are equal."""
        sure = {number: self._weakest(branches[number], rule) for number in sorted(branches)}
        best = max(sure, key=sure.__getitem__)
        return Activation(rule, branches[best], rule.certainty * sure[best])

    def _weakest(self, supports: tuple[Support, ...], rule: Rule) -> float:
        entry = self._knowledge.vocabulary.entry
        named = [name for name in supports if isinstance(name, str)]
        return min((as_support(self._certainties.get(name, 1.0), entry(name), rule) for name in named), default=1.0)

    def _conclude(self, name: str, activations: list[Activation]) -> None:
        entry = self._knowledge.vocabulary.entry(name)
        if entry.kind == "decision":
            decision = self._decisions[name] = decide(entry, activations)
            self.facts[name] = Fact(name, decision.value, "decision")
            self._certainties[name] = decision.certainty
        else:
            winner = settle(entry, activations).winner
            self.facts[name] = Fact(name, winner.value, "rule")
            self._certainties[name] = winner.certainty

    def _decide_as_fixed(self) -> None:
        """Record what the user fixed as decisions, with the rules that agree and those that object."""
        for name in self._givens.fixed:
            entry = self._knowledge.vocabulary.entry(name)
            if entry.kind == "decision":
                fired = [firing for firing in self._firings if firing.rule.then.attribute == name]
                activations = [Activation(item.rule, item.supports, item.certainty) for item in fired]
                self._decisions[name] = decide(entry, activations, self.facts[name].value)
