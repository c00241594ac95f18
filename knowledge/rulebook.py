"""The loaded rules, remedies and sources as frozen records with parsed conditions; no loading, no inference."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from .auditing import JustifiedDocument, SettingDocument
from .cards import BackboneCard
from .conditions import Clause, Condition
from .differential import Cause
from .items import ItemDocument, ServedDocument
from .own import Own
from .presets import PresetDocument
from .profiles import ProfileDocument, Reading
from .records import Severity, Value
from .reviewing import ReviewDocument
from .schema import Example, Pack, SourceDocument, Strength
from .scoping import Scope
from .translations import TranslationDocument
from .vocabulary import Vocabulary
from .watching import AtEndDocument
from .wording import WordsDocument

TEMPLATE = re.compile(r"\{([a-z][a-z0-9-]*(?:\.[a-z0-9_-]+)+)(?::([^}]*))?\}")
"""`{fact.name}` or `{fact.name:.2f}` in a text."""


@dataclass(frozen=True, slots=True)
class Conclusion:
    """The one thing that a rule concludes. A finding is the boolean attribute `finding.<id>`."""

    kind: Literal["recommend", "set", "finding"]
    attribute: str
    value: Value
    severity: Severity = "note"

    @property
    def finding(self) -> str:
        """The canonical id of the finding, without the prefix."""
        return self.attribute.removeprefix("finding.")


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule or table row."""

    id: str
    title: str
    when: tuple[Clause, ...]
    needs: tuple[Clause, ...]
    then: Conclusion
    because: str
    remedies: tuple[str, ...]
    strength: Strength
    certainty: float
    sources: tuple[str, ...]
    since: str
    corrects: str
    examples: tuple[Example, ...]
    pack: Pack
    file: str
    line: int
    table: str = ""
    pins: tuple[Example, ...] = ()
    """Cases that `rules pin` wrote, so that no small change of the rule goes unnoticed."""
    own: Own | None = None
    """Who added, changed or silenced it, unless it stands as the package wrote it."""

    @property
    def cases(self) -> tuple[Example, ...]:
        """Every case that the rule is tested by."""
        return self.examples + self.pins

    @property
    def conditions(self) -> Iterator[Condition]:
        """Every atomic condition of `when` and `needs`."""
        return (condition for clause in (*self.when, *self.needs) for condition in clause)


@dataclass(frozen=True, slots=True)
class Check:
    """When a clip counts as faulty, in conditions over its measures."""

    id: str
    title: str
    feeds: str
    scope: Literal["absolute", "set", "class"]
    when: tuple[Clause, ...]
    says: str
    worst: str
    highest_first: bool
    certainty: float
    sources: tuple[str, ...]
    examples: tuple[Example, ...]
    file: str
    line: int

    @property
    def conditions(self) -> Iterator[Condition]:
        """Every atomic condition."""
        return (condition for clause in self.when for condition in clause)


@dataclass(frozen=True, slots=True)
class Remedy:
    """A patch on plan paths or an action for the person, with the conditions under which it is offered."""

    id: str
    title: str
    patch: dict[str, Any]
    action: str
    when: tuple[Clause, ...]
    unless: tuple[Clause, ...]
    expect: str
    costs: str
    sources: tuple[str, ...]
    file: str
    line: int

    @property
    def changes_data(self) -> bool:
        """Whether applying it changes data or split, which voids every score measured before."""
        return any(path.startswith("data.") for path in self.patch)


@dataclass(frozen=True)
class Knowledge:
    """Everything in one knowledge folder."""

    vocabulary: Vocabulary
    rules: tuple[Rule, ...]
    remedies: dict[str, Remedy]
    sources: dict[str, SourceDocument]
    digest: str
    """SHA-256 over all files."""
    checks: tuple[Check, ...] = ()
    """What makes a clip count as faulty."""
    items: dict[str, ItemDocument] = field(default_factory=dict)
    """What the source documents say, row by row."""
    served: tuple[ServedDocument, ...] = ()
    """What serves rows that no rule cites."""
    presets: tuple[PresetDocument, ...] = ()
    """Searches for the tuner."""
    backbones: tuple[BackboneCard, ...] = ()
    """What is known of each backbone."""
    symbols: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Names of packages by what they do; what a script calls is known by them."""
    called: dict[str, re.Pattern[str]] = field(default_factory=dict)
    """What people call one thing in code of their own."""
    words: dict[str, WordsDocument] = field(default_factory=dict)
    """By which words logs name what they tell."""
    profiles: tuple[ProfileDocument, ...] = ()
    """What packages do by themselves, and how they take settings."""
    reading: Reading | None = None
    """What following a script takes."""
    reviews: dict[str, ReviewDocument] = field(default_factory=dict)
    """What is known of each check of a script beyond its rules."""
    causes: tuple[Cause, ...] = ()
    """What may bring findings about; those of one finding compete."""
    translations: dict[str, TranslationDocument] = field(default_factory=dict)
    """What the lines of plan.yaml are called in other frameworks."""
    logged: dict[str, str] = field(default_factory=dict)
    """The measured fact that tells a line of plan.yaml, by the fact of that line."""
    settings: dict[str, SettingDocument] = field(default_factory=dict)
    """Numbers that the analyses of the rulebook and of outcomes decide with."""
    justified: tuple[JustifiedDocument, ...] = ()
    """What the analyses report and a person found right as it is."""
    at_end: tuple[AtEndDocument, ...] = ()
    """Which findings are told of a run that has ended."""
    scopes: tuple[Scope, ...] = ()
    """Which kinds of evidence are not missed in a run that has none of them."""
    own: tuple[Own, ...] = ()
    """What users added, overrode and silenced, in the order of the layers."""
    silenced: tuple[Rule, ...] = ()
    """Rules that users silenced; they never fire."""

    def items_named(self, source: str) -> tuple[str, ...]:
        """Return the rows that a citation names: itself, or all of a group such as S000-13."""
        if source in self.items:
            return (source,)
        return tuple(item for item in self.items if item[:-1] == source and item[-1].isalpha())

    def pack(self, *packs: Pack) -> tuple[Rule, ...]:
        """Return the rules of the named packs, in file order."""
        return tuple(rule for rule in self.rules if rule.pack in packs)

    def rule(self, rule_id: str) -> Rule | None:
        """Return the rule of that id, or None."""
        return next((rule for rule in self.rules if rule.id == rule_id), None)

    def silenced_rule(self, rule_id: str) -> Rule | None:
        """Return the rule of that id that users silenced, or None."""
        return next((rule for rule in self.silenced if rule.id == rule_id), None)

    def table(self, name: str) -> tuple[Rule, ...]:
        """Return the rows of the table of that name, in file order; none when there is no such table."""
        return tuple(rule for rule in self.rules if rule.table == name) if name else ()

    def citation(self, source: str) -> str:
        """Return the full citation of a source id; `S000-13a` is item 13a of the document S000."""
        if source in self.sources:
            return self.sources[source].citation
        document, _, item = source.partition("-")
        says = f": {self.items[source].says}" if source in self.items else ""
        return f"{self.sources[document].citation}, item {item}{says}"
