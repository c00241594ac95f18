"""The vocabulary: which facts and decisions exist, of which type, unit and range; checks values and no more."""

from __future__ import annotations

import difflib
import math
import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from .cards import BackboneCard
from .errors import KnowledgeError, UsageError
from .records import Fact, Unknown, Value

Topic = Literal["problem", "data", "backbone", "architecture", "training", "evaluation", "reproducibility", "lifecycle"]
TOPICS: tuple[Topic, ...] = (
    "problem", "data", "backbone", "architecture", "training", "evaluation", "reproducibility", "lifecycle",
)  # fmt: skip
"""The order in which a plan is settled (S000-06)."""
Supplier = Literal["user", "audit", "plan", "log", "predictions", "telemetry", "machine", "script", "rule"]


_NUMBER_AND_UNIT = re.compile(r"^\s*-?[\d.][\d.,eE+-]*\s*[%\w/µ]+\s*$")


class Minimum(BaseModel):
    """How many items a measurement must rest on before it counts as known."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    at_least: int
    of: str


class Fits(BaseModel):
    """Says that a fact is how many clips a training pass holds, and what that is estimated from."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    card: str
    """The backbone."""
    method: Literal["frozen", "adapters", "top", "full"]
    memory: str
    """The fact that holds the GPU's memory in GiB."""
    longest: str
    """The fact that holds the longest clip in seconds."""
    assumed_seconds: Annotated[float, Field(gt=0)]
    """Taken while the longest clip is unknown."""
    cropped_seconds: Annotated[float, Field(gt=0)]
    """Longer clips are cropped to this."""
    share: Annotated[float, Field(gt=0, le=1)]
    """How much of the memory the estimate may fill; the rest is for what it misses."""
    devices: str = ""
    """The fact that holds how many GPUs there are; they divide what one alone cannot hold."""


class Estimated(BaseModel):
    """Says that a fact is estimated from the plan itself, once the decisions that it rests on are made."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    what: Literal["pass-clips", "training-hours"]
    """Clips that one pass holds on the GPU, or hours that the training takes."""
    needs: tuple[str, ...]
    """Facts and decisions without which it is unknown."""
    reads: tuple[str, ...] = ()
    """Those that are taken into account where they are known."""
    share: Annotated[float, Field(gt=0, le=1)] = 1.0
    """pass-clips: how much of the memory the estimate may fill; the rest is for what it misses."""
    assumed_seconds: Annotated[float, Field(gt=0)] = 10.0
    """pass-clips: taken while the longest clip is unknown, or less where the typical clip is known."""
    assumed_medians: Annotated[float, Field(ge=1)] = 4.0
    """pass-clips: how many times the typical clip the longest is taken to be, while it is unknown."""
    end: Literal["low", "middle", "high"] = "middle"
    """training-hours: which end of the range."""
    assumes: dict[str, bool | int | float | str] = Field(default_factory=dict)
    """Facts and decisions taken to be this, whatever they come to: what another plan would take."""


class Entry(BaseModel):
    """One attribute that a rule may read or write."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["fact", "derived", "decision"]
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*(\.[a-z0-9_-]+)+$")]
    type: Literal["boolean", "integer", "number", "choice", "text"]
    values: tuple[str, ...] = ()
    """The admitted values of a `choice`."""
    labels: dict[str, str] = Field(default_factory=dict)
    """What each value of a `choice` means, in a few words, for the question."""
    range: tuple[float | None, float | None] = (None, None)
    unit: str = ""
    means: str
    supplied_by: tuple[Supplier, ...] = ()
    topic: Topic | None = None
    ask: str = ""
    """The question for it; empty: nobody is asked."""
    help: str = ""
    asked_before: Topic | None = None
    """A topic whose questions wait for this one, because another answer would make a different project of it."""
    ratio_of: tuple[str, str] | None = None
    """The two facts whose quotient it is; known once both are, and never asked for itself."""
    fits: Fits | None = None
    """How it is estimated from memory and clip length; known once the memory is, and never asked for itself."""
    estimated: Estimated | None = None
    """How it is estimated from the plan itself; known once what it needs is, and never asked for itself."""
    needs: Minimum | None = None
    policy: Literal["one", "min", "max", "unique"] = "one"
    """How competing recommendations for a decision are settled."""
    plan: str = ""
    """The path in plan.yaml that holds this attribute."""
    script: str = ""
    """The setting of training scripts, by its name in the profiles, or the fact about them, that is the same thing."""
    awaits: Literal["", "trainer", "person"] = ""
    """Who must learn it before a plan can hold it, or do it beside the training; the decision is advice until then."""
    runs: bool | int | float | str | tuple[str, ...] | None = None
    """What a trainer does that has not learnt all of it: with this value, or one of these, nothing is missing."""
    source: str = ""

    @property
    def parts(self) -> tuple[str, ...]:
        """The facts that it is computed from."""
        if self.estimated:
            return (*self.estimated.needs, *self.estimated.reads)
        if self.fits:
            return (self.fits.longest, self.fits.memory, *((self.fits.devices,) if self.fits.devices else ()))
        return self.ratio_of or ()

    @property
    def required(self) -> tuple[str, ...]:
        """Those of the parts without which it is unknown."""
        if self.estimated:
            return self.estimated.needs
        return self.ratio_of or ((self.fits.memory,) if self.fits else ())

    def coerce(self, value: Any, where: str, *, as_threshold: bool = False) -> Value:
        """Return `value` as this entry's type. Thresholds may lie outside the range and be fractional.

        Raises:
            KnowledgeError: wrong type, outside the range, or not one of the choices.
        """
        converted = self._typed(value, where, as_threshold)
        if isinstance(converted, (int, float)) and not isinstance(converted, bool) and not as_threshold:
            low, high = self.range
            if (low is not None and converted < low) or (high is not None and converted > high):
                raise KnowledgeError(f"{where}: {self.name}: got {converted}, expected {self._range_text()}")
        return converted

    def _typed(self, value: Any, where: str, as_threshold: bool) -> Value:
        got = f"{where}: {self.name}: got {value!r}, expected"
        if self.type == "boolean":
            if isinstance(value, str) and value.lower() in ("true", "false", "yes", "no"):
                return value.lower() in ("true", "yes")
            if isinstance(value, bool):
                return value
            raise KnowledgeError(f"{got} true or false")
        if self.type in ("integer", "number"):
            return self._number(value, got, as_threshold)
        if not isinstance(value, str):
            value = str(value)
        if self.type == "choice" and value not in self.values:
            close = difflib.get_close_matches(value, self.values, n=1)
            raise KnowledgeError(
                f"{got} one of {', '.join(self.values)}", hint=f"Did you mean {close[0]}?" if close else ""
            )
        return str(value)

    def _number(self, value: Any, got: str, as_threshold: bool) -> int | float:
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            raise KnowledgeError(f"{got} {self.expected()}")
        try:
            number = float(value)
        except (ValueError, OverflowError):
            raise KnowledgeError(f"{got} {self.expected()}", hint=self._unit_hint(str(value))) from None
        if not math.isfinite(number):
            raise KnowledgeError(f"{got} a finite number")
        if self.type == "integer" and not as_threshold:
            if number != int(number):
                raise KnowledgeError(f"{got} a whole number")
            return int(number)
        return int(number) if self.type == "integer" and number == int(number) else number

    def _unit_hint(self, written: str) -> str:
        """Say in which unit a number is meant that was written with one."""
        if not _NUMBER_AND_UNIT.match(written):
            return ""
        unit = f"it is in {self.unit}" if self.unit else "it is a fraction or a plain count, and per cent are fractions"
        return f"Numbers stand without a unit; {self.name}: {unit}."

    def expected(self) -> str:
        """Say in a few words what this entry accepts."""
        if self.type == "choice":
            return "one of " + ", ".join(self.values)
        if self.type in ("integer", "number"):
            kind = "a whole number" if self.type == "integer" else "a number"
            return f"{kind} {self._range_text()}".strip()
        return {"boolean": "yes or no", "text": "text"}[self.type]

    def _range_text(self) -> str:
        low, high = self.range
        if low is None and high is None:
            return ""
        if high is None:
            return f"of at least {low:g}"
        return f"of at most {high:g}" if low is None else f"from {low:g} to {high:g}"


@dataclass(frozen=True)
class Vocabulary:
    """Every entry by name. `finding.<id>` entries are made by the loader from the rules that report them."""

    entries: dict[str, Entry] = field(default_factory=dict)
    cards: dict[str, BackboneCard] = field(default_factory=dict)
    """The backbones that estimates are made of."""

    @cached_property
    def computed(self) -> tuple[Entry, ...]:
        """The entries that are computed from others, in file order."""
        return tuple(entry for entry in self.entries.values() if entry.parts)

    def __contains__(self, name: str) -> bool:
        return name in self.entries

    def entry(self, name: str, where: str = "") -> Entry:
        """Return the entry `name`.

        Raises:
            KnowledgeError: there is none; the message names the nearest.
        """
        if name in self.entries:
            return self.entries[name]
        close = difflib.get_close_matches(name, self.entries, n=1)
        prefix = f"{where}: " if where else ""
        raise KnowledgeError(
            f"{prefix}unknown fact {name!r}",
            hint=f"Did you mean {close[0]}?" if close else "See `tonmeister schema vocabulary`.",
        )

    def user_fact(self, name: str, value: Any, where: str) -> Fact:
        """Check what a user said and return it as a fact.

        Raises:
            UsageError: unknown name or a value that does not fit.
        """
        try:
            return Fact(name, self.entry(name, where).coerce(value, where), "user")
        except KnowledgeError as error:
            raise UsageError(error.message, hint=error.hint) from None

    def admit(self, fact: Fact) -> Fact | Unknown:
        """Check a measured fact; one that rests on too few items becomes unknown, with the reason."""
        entry = self.entry(fact.name)
        if entry.needs is not None and (fact.n or 0) < entry.needs.at_least:
            return Unknown(fact.name, f"{fact.n or 0} {entry.needs.of}, {entry.needs.at_least} needed")
        value = entry.coerce(fact.value, f"measured by {fact.source}")
        return Fact(fact.name, value, fact.source, fact.subject, fact.n, fact.evidence, fact.paths)
