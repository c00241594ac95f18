"""The form of the rows of the source documents and of what serves those that no rule can; checks spelling only."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from .schema import Document, Texts

Kind = Literal["R", "A", "V", "D", "T", "U", "E", "P", "C", "X"]
KINDS: dict[Kind, str] = {
    "R": "plan",
    "A": "data-set audit",
    "V": "script review",
    "D": "diagnosis",
    "T": "trainer",
    "U": "tuner",
    "E": "evaluation",
    "P": "report or page",
    "C": "claim to check",
    "X": "out of scope",
}
"""What a row asks for, by its letter."""
RULE_KINDS: tuple[Kind, ...] = ("R", "A", "V", "D", "U")
"""The kinds that rules, table rows, remedies, checks and presets serve; each of a row's is accounted for by itself."""
ItemId = Annotated[str, Field(pattern=r"^S\d{3}-\d{2}[a-z]?$")]
KindLetters = Annotated[str, Field(pattern=r"^[RAVDTUEPCX]+$")]


class ItemDocument(Document):
    """One thing that a source document says, in our own words."""

    item: ItemId
    kinds: KindLetters
    says: str


class ServedDocument(Document):
    """What serves rows otherwise than by citing them: a feature, a report, a test, or a reason to leave them out."""

    served: str
    by: str
    """The screen, report, feature or test; `left out` when nothing does."""
    kinds: KindLetters | Literal[""] = ""
    """The rule kinds of the rows that this speaks for; empty: what they ask besides rules."""
    see: Texts = ()
    """Files of this repository that show it."""
    state: Literal["there", "planned", "left out"]
    items: dict[ItemId, str]
    """Each row with what serves it here, or why it is left out."""

    @model_validator(mode="after")
    def _speaks_of_rules(self) -> ServedDocument:
        strange = set(self.kinds) - set(RULE_KINDS)
        if strange:
            raise ValueError(f"kinds {''.join(sorted(strange))} are not served by rules; leave `kinds` out for them")
        if any(len(reason) < 8 for reason in self.items.values()):
            raise ValueError("each row says what serves it, or why it is left out, in a few words at least")
        if self.state == "there" and not self.see:
            raise ValueError("what is there already names in `see` the files that show it")
        return self
