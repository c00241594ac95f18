"""The records of one consultation: firings, decisions and the session that holds them; frozen, without behaviour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from knowledge.conditions import Condition
from knowledge.records import Fact, Finding, NotAssessable, Value
from knowledge.rulebook import Knowledge, Rule
from knowledge.schema import Pack, Strength

Support = str | Condition
"""What a firing rests on: the name of a fact, or a condition that was established rather than read from a fact
(`none`, `known`, `unknown`)."""


@dataclass(frozen=True, slots=True)
class Firing:
    """One rule that fired."""

    number: int
    """Position in an order in which every firing follows those that it rests on."""
    rule: Rule
    supports: tuple[Support, ...]
    certainty: float = 1.0
    """Certainty of the rule times the least certain of its supports."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One value that rules recommended."""

    value: Value
    rules: tuple[str, ...]
    """Every rule that fired for it, the strongest first."""
    strength: Strength
    certainty: float
    lost_on: str = ""
    """Why it lost: `strength`, `certainty`, `refinement`, `conditions`, `name`, `minimum`, `maximum` or `your choice`;
    empty for the winner."""


@dataclass(frozen=True, slots=True)
class Decision:
    """How one decision was settled."""

    attribute: str
    value: Value
    rule: str
    """The strongest rule for the winning value; empty when the user fixed it and no rule agrees."""
    strength: Strength
    certainty: float
    contested: bool
    """Whether a rule as strong as the winner's wanted another value."""
    fixed_by_user: bool
    losers: tuple[Candidate, ...] = ()
    objections: tuple[str, ...] = ()
    """Rules that disagree with what the user fixed."""


@dataclass(frozen=True)
class Session:
    """Everything that one consultation concluded, and from what."""

    knowledge: Knowledge
    packs: tuple[Pack, ...]
    facts: Mapping[str, Fact]
    """Given facts, then conclusions in the order in which they were reached: derived facts, findings, decisions.
    A finding that every rule for it refutes is the fact `finding.<id>` with the value False."""
    unknown: Mapping[str, str]
    """Facts that were looked for in vain, with the reason."""
    firings: tuple[Firing, ...] = ()
    decisions: Mapping[str, Decision] = field(default_factory=dict)
    """In the order of the vocabulary, which is that in which a person works."""
    findings: tuple[Finding, ...] = ()
    not_assessable: tuple[NotAssessable, ...] = ()
    certainties: Mapping[str, float] = field(default_factory=dict, repr=False)
    """Certainty of every concluded fact."""
    pinned: frozenset[str] = frozenset()
    """Attributes that rules conclude, but that somebody established otherwise; rules cannot change them."""

    @property
    def worth_supplying(self) -> tuple[NotAssessable, ...]:
        """What is not assessable for lack of something that this run could have."""
        return tuple(item for item in self.not_assessable if not item.scope)

    def certainty(self, name: str) -> float:
        """Return how certain the fact `name` is: 1 for a given fact, 0 for an unknown one."""
        return self.certainties.get(name, 1.0) if name in self.facts else 0.0

    def firings_for(self, name: str) -> tuple[Firing, ...]:
        """Return the firings whose rules conclude the attribute `name`, whatever the value."""
        return tuple(firing for firing in self.firings if firing.rule.then.attribute == name)
