"""What an audit is judged by: the rules, and the limits that they set before anything is known; measures nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from engine.evidence.dataset import Dataset
from engine.evidence.dataset.probes import Minimums
from knowledge.records import Fact
from knowledge.rulebook import Knowledge

from ..chaining import consult
from .near_limits import NearLimits


@dataclass(frozen=True)
class Standards:
    """The rules, and the limits that they set for one data set."""

    knowledge: Knowledge
    limits: Mapping[str, Fact]

    @classmethod
    def of(cls, knowledge: Knowledge, dataset: Dataset) -> Standards:
        """Let the rules set the limits, which has those of the audit compiled."""
        rows = Fact("dataset.rows", len(dataset), "audit")
        return cls(knowledge, consult(knowledge, (rows,), packs=("audit",)).facts)

    @property
    def near(self) -> NearLimits:
        """What counts as a near copy."""
        return NearLimits.concluded(self.limits)

    @property
    def minimums(self) -> Minimums | None:
        """How much a probe must rest on; None where the rules do not say."""
        parts = "least_class_clips least_class_groups most_stray_share least_split_clips least_split_groups"
        names = [f"dataset.{part}" for part in parts.split()]
        if any(name not in self.limits for name in names):
            return None
        clips, groups, strays, split_clips, split_groups = (self.limits[name].value for name in names)
        return Minimums(
            class_clips=cast("int", clips),
            class_groups=cast("int", groups),
            stray_share=cast("float", strays),
            split_clips=cast("int", split_clips),
            split_groups=cast("int", split_groups),
        )

    @property
    def length_tolerance_seconds(self) -> float | None:
        """How far a stated length may be from that of the file; None where no rule says."""
        fact = self.limits.get("dataset.length_tolerance_seconds")
        return None if fact is None else float(cast("float", fact.value))
