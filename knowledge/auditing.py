"""What the rulebook's auditor goes by: settings that decide what it reports, and what was looked at and justified.

Holds the form of the documents; finds nothing itself (`expert.verification` does).
"""

from __future__ import annotations

from typing import Any

from pydantic import Field, field_validator, model_validator

from .schema import Document, RuleId, Texts


class SettingDocument(Document):
    """A number that an analysis decides with: it acts on what reaches it."""

    setting: RuleId
    least: float = Field(gt=0)
    """What a value must reach."""
    means: str
    source: Texts
    reaches: tuple[float, ...] = Field(min_length=1)
    misses: tuple[float, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _examples_hold(self) -> SettingDocument:
        if any(value < self.least for value in self.reaches) or any(value >= self.least for value in self.misses):
            raise ValueError(f"an example of `reaches` or `misses` is on the wrong side of {self.least:g}")
        return self


class JustifiedDocument(Document):
    """One thing that an analysis reports, and why it stands all the same."""

    justified: RuleId
    kind: str
    """The name of the analysis, as `rules check` prints it."""
    of: str
    """The rule, table or fact that it is reported of."""
    others: tuple[str, ...] = ()
    """What it is reported with: rules, or thresholds as they are spelt."""
    because: str

    @field_validator("others", mode="before")
    @classmethod
    def _as_texts(cls, value: Any) -> Any:
        return tuple(map(str, value)) if isinstance(value, (list, tuple)) else (str(value),)
