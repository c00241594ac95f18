"""What counts as a copy by the limits of the rules, and where the waveforms have to be asked; compares no clips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import cast

from engine.evidence.dataset import NearPair
from knowledge.records import Fact


@dataclass(frozen=True, slots=True)
class NearLimits:
    """The limits, as `dataset.near_` and their name in the vocabulary."""

    duplicate_from: float
    review_from: float
    stationary_from: float
    stroke_seconds: float
    stroke_from: float
    waveform_misfit: float
    waveform_clearest_db: float

    @classmethod
    def concluded(cls, facts: Mapping[str, Fact]) -> NearLimits:
        """Take them from what the rules concluded."""
        values = (facts[f"dataset.near_{field.name}"].value for field in fields(cls))
        return cls(*(float(cast("float", value)) for value in values))

    def plain(self, pair: NearPair) -> bool:
        """Whether similarity alone makes a pair a copy: alike, not steady, and not short."""
        told = pair.stationarity < self.stationary_from and pair.sounding_seconds >= self.stroke_seconds
        return told and pair.similarity >= self.duplicate_from

    def copy(self, pair: NearPair) -> bool:
        """Whether a pair counts as a copy."""
        if self.plain(pair):
            return True
        if pair.waveforms is None:
            return pair.similarity >= self.stroke_from and pair.stationarity < self.stationary_from
        fits = pair.waveforms.misfit <= self.waveform_misfit
        return fits and pair.waveforms.clearest_db >= self.waveform_clearest_db

    def to_hear(self, pair: NearPair) -> bool:
        """Whether a person has to listen to both."""
        told = pair.similarity >= self.review_from and pair.stationarity < self.stationary_from
        return told and not self.copy(pair)

    def divided(self, pairs: Sequence[NearPair]) -> tuple[tuple[NearPair, ...], tuple[NearPair, ...]]:
        """Return the pairs that count as copies, and those that a person should listen to."""
        return tuple(filter(self.copy, pairs)), tuple(filter(self.to_hear, pairs))
