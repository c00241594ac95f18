"""What other answers or choices would make of a plan: the conclusions that change, and the plan's lines as a diff."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from knowledge.errors import PlanError
from knowledge.records import Value

from ..proof import Explanation
from ..whatif import WhatIf, compared, suppose
from .patch import diff_lines
from .plan import PlanDraft, draft_of


@dataclass(frozen=True, slots=True)
class Supposition(Explanation):
    """A what-if, carried on to the plan."""

    what: WhatIf
    diff: tuple[str, ...]
    """The plan's lines that change, `- path: old` above `+ path: new`."""
    refused: str = ""
    """Why there would be no plan that runs; empty: there would, or there is none now either."""

    def lines(self) -> list[str]:
        """Return the conclusions that change, then the lines of the plan."""
        found = self.what.lines()
        found += ["", "The plan:", *(f"  {line}" for line in self.diff)] if self.diff else []
        return found + (["", f"There would be no plan that runs: {self.refused}"] if self.refused else [])

    def record(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {**self.what.record(), "plan_diff": list(self.diff), "refused": self.refused}


def supposed(draft: PlanDraft, said: Mapping[str, Value]) -> Supposition:
    """Draw the plan anew with `said` in place of what is known or decided.

    Raises:
        UsageError: an unknown name, or a value that does not fit.
    """
    after = suppose(draft.session, said)
    what = compared(draft.session, after, said)
    if draft.plan is None:
        return Supposition(what, ())
    try:
        other = draft_of(after, draft.plan.data.manifest, draft.plan.name)
    except PlanError as error:
        return Supposition(what, (), error.message)
    if other.plan is None:
        return Supposition(what, (), " ".join(other.not_runnable) or f"{', '.join(other.missing)} would be unknown")
    return Supposition(what, tuple(diff_lines(draft.plan, other.plan)))
