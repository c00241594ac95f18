"""How the settings of plan.yaml are called in other frameworks, and how their logs are known; translates nothing."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, field_validator, model_validator

from .schema import Document, Texts


class SettingTranslation(Document):
    """One line of plan.yaml in another framework."""

    at: str = ""
    """Where it is written, such as `TrainingArguments` or a file."""
    write: str = ""
    """What is written there, with `{value}` for the new value."""
    values: dict[str, str] = Field(default_factory=dict)
    """What is written for each value of a choice; a value that is missing has no counterpart."""
    remark: str = ""
    """What holds there when nobody says otherwise, or since which version it is called so."""

    @model_validator(mode="after")
    def _writes_something(self) -> SettingTranslation:
        if bool(self.write) == bool(self.values):
            raise ValueError("a setting has either `write` or `values`")
        if self.write and "{value}" not in self.write:
            raise ValueError("`write` holds `{value}`, where the new value goes")
        return self


class RemedyTranslation(Document):
    """What is written for a remedy as a whole, where it is more or other than its settings one by one."""

    at: str = ""
    write: str
    remark: str = ""


class TranslationDocument(Document):
    """One framework: how its logs are known, and what its settings are called."""

    translation: str
    title: str
    language: Literal["python", "yaml", "json"]
    versions: str
    """For which versions the names hold."""
    readers: tuple[str, ...] = ()
    """Beginnings of the names of readers that read nothing else."""
    texts: tuple[str, ...] = ()
    """Patterns that a log of this framework holds, and others do not."""
    settings: dict[str, SettingTranslation] = Field(default_factory=dict)
    """By path in plan.yaml."""
    remedies: dict[str, RemedyTranslation] = Field(default_factory=dict)
    source: Texts

    @field_validator("texts")
    @classmethod
    def _patterns(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        for text in texts:
            try:
                re.compile(text)
            except re.error as error:
                raise ValueError(f"{text!r} is no pattern: {error}") from None
        return texts


class LoggedDocument(Document):
    """A line of plan.yaml that a log tells, so that a remedy can start from what is there."""

    logged: str
    """The fact or decision, such as `training.learning_rate`."""
    by: str
    """The measured fact that tells it."""
    source: Texts
