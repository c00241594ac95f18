"""The form of a search preset: what a tuner may vary and how it searches; checks spelling, searches nothing."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from .schema import Certainty, Document, RuleId, Texts, Values

Share = Annotated[float, Field(gt=0, lt=1)]
Count = Annotated[int, Field(ge=1)]
_DECADE = 10.5
"""Drawn evenly, nine in ten values of a wider range lie in its uppermost decade (S003-32c). Ten itself is admitted."""


class Dimension(Document):
    """One setting that the tuner varies; exactly one of `real`, `integer` and `choice`."""

    tunes: str
    """Line of the plan; with `awaits`, the line that the plan is going to have."""
    awaits: Literal["", "trainer"] = ""
    """Who must learn this setting first; empty: the plan has it."""
    means: str = ""
    real: tuple[float, float] | None = None
    integer: tuple[int, int] | None = None
    step: Count | None = None
    """Distance of the integers that are tried."""
    scale: Literal["linear", "log"] = "linear"
    choice: Values = ()
    only_if: dict[str, Values] = Field(default_factory=dict)
    """Other dimensions and the values of them for which this one exists."""
    source: Texts = ()

    @model_validator(mode="after")
    def _one_range(self) -> Dimension:
        given = [self.real is not None, self.integer is not None, bool(self.choice)]
        if sum(given) != 1:
            raise ValueError(f"{self.tunes}: exactly one of real, integer and choice, got {sum(given)}")
        low, high = self.real or self.integer or (0, 1)
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise ValueError(f"{self.tunes}: the range {low} .. {high} is empty")
        if self.scale == "log" and (self.real is None or low <= 0):
            raise ValueError(f"{self.tunes}: a logarithmic scale needs a real range above 0")
        if self.scale == "linear" and self.real is not None and low > 0 and high / low > _DECADE:
            raise ValueError(f"{self.tunes}: {low} .. {high} is more than a decade, which `scale: log` covers evenly")
        if self.step and (self.integer is None or (high - low) % self.step):
            raise ValueError(f"{self.tunes}: steps of {self.step} do not end on {high}")
        if len(set(self.choice)) != len(self.choice) or (self.choice and len(self.choice) < 2):
            raise ValueError(f"{self.tunes}: a choice is between different values")
        if self.awaits and not self.means:
            raise ValueError(f"{self.tunes}: what the plan does not have yet says what it `means`")
        return self


class DerivedSetting(Document):
    """A setting that follows from another, `base * (from / at) ** exponent`, and is not searched by itself."""

    sets: str
    by: Texts
    """The settings whose product it follows."""
    base: float
    at: float
    exponent: float
    at_most: float | None = None
    source: Texts = ()

    def value(self, *factors: float) -> float:
        """Return the setting for these values of `by`."""
        scaled = float(self.base * (math.prod(factors) / self.at) ** self.exponent)
        return scaled if self.at_most is None else min(scaled, self.at_most)


class Phase(Document):
    """One stage of a search."""

    name: str
    sampler: Literal["plan", "random", "tpe", "gaussian-process", "grid", "evolution", "best"]
    """`plan` tries the planned settings, `best` repeats the best ones so far."""
    trials: Count
    seeds: tuple[int, ...] = (0,)
    """Each trial runs once a seed, and the mean counts."""
    varies: Texts = ()
    """The settings that move in this phase; empty: all of the preset."""
    narrowed: bool = False
    """Whether the ranges close in on the best trials of the phase before."""
    hours: float | None = None
    """Hours of audio a trial trains on; none: all."""
    data_share: Share | None = None
    layers: Count | None = None
    epochs: Count | None = None
    source: Texts = ()


class Pruning(Document):
    """When a trial ends early."""

    name: Literal["median", "successive-halving", "hyperband", "patience"]
    startup_trials: int = 0
    """Trials that always run to their end, so that there is something to compare with."""
    warmup_epochs: int = 0
    keeps_share: Share | None = None
    """Share of the trials that go on at each rung."""
    patience_epochs: int | None = None
    source: Texts = ()


class Population(Document):
    """Population-based training: settings change while the models train."""

    size: Count
    interval_epochs: Count
    exploited_share: Share
    """The worst share is replaced by copies of the best."""
    perturbs: tuple[float, float]
    source: Texts = ()


class Objective(Document):
    """What the search makes better."""

    metric: str
    direction: Literal["minimise", "maximise"]
    over: Literal["mean", "worst-group"] = "mean"
    weight: float | None = None
    """Weight in a sum of several objectives; none: they are kept apart, and the front is the result."""
    source: Texts = ()


class PresetDocument(Document):
    """A search that a source describes, ready for the tuner."""

    preset: RuleId
    title: str
    when: list[dict[str, Any]] = Field(default_factory=list)
    """Facts under which the tuner offers it."""
    because: str
    dimensions: tuple[Dimension, ...] = ()
    derived: tuple[DerivedSetting, ...] = ()
    phases: tuple[Phase, ...] = ()
    pruning: tuple[Pruning, ...] = ()
    population: Population | None = None
    objectives: tuple[Objective, ...] = ()
    gpus_per_trial: float | None = None
    cpus_per_trial: float | None = None
    trusted_from_correlation: float | None = None
    """Rank correlation of the small trials with full ones from which the small ones are believed."""
    corrects: str = ""
    certainty: Certainty
    source: Texts
    since: str

    @model_validator(mode="after")
    def _hangs_together(self) -> PresetDocument:
        names = [dimension.tunes for dimension in self.dimensions]
        if len(set(names)) != len(names):
            raise ValueError("a setting is varied twice")
        for dimension in self.dimensions:
            for other, values in dimension.only_if.items():
                asked = next((one for one in self.dimensions if one.tunes == other), None)
                if asked is None or not set(values) <= set(asked.choice):
                    raise ValueError(f"{dimension.tunes} waits for {other} = {values}, which is not tried here")
        for setting in self.derived:
            if setting.sets in names:
                raise ValueError(f"{setting.sets} is both varied and derived")
        for phase in self.phases:
            if set(phase.varies) - set(names):
                raise ValueError(f"phase {phase.name} varies what the preset does not: {', '.join(phase.varies)}")
        parts = (names, self.phases, self.pruning, self.population, self.objectives, self.gpus_per_trial)
        if not any(parts):
            raise ValueError("a preset says what is varied, or how the search goes")
        return self

    @property
    def citations(self) -> tuple[str, ...]:
        """Every source of the preset and of its parts."""
        parts = (*self.dimensions, *self.derived, *self.phases, *self.pruning, *self.objectives)
        population = (self.population,) if self.population else ()
        return tuple(
            dict.fromkeys([*self.source, *(source for part in (*parts, *population) for source in part.source)])
        )
