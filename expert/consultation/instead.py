"""What the expert would have planned instead of what a script does: both side by side. Reads and writes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from engine.evidence.script.recipe import recipe_of
from knowledge.conditions import same
from knowledge.records import Evidence, Fact, Unknown, Value
from knowledge.rulebook import Knowledge

from ..explanation import format_because
from ..session import Session
from .plan import draft_plan
from .review import Review


@dataclass(frozen=True, slots=True)
class Beside:
    """One decision: what the script does, what the expert would plan, and why."""

    decision: str
    means: str
    script: Value | None
    """None where reading does not tell, or a script has no such setting."""
    place: Evidence | None
    plan: Value
    because: str
    rule: str
    assumed: bool
    """Whether the expert decided without knowing enough."""

    @property
    def agrees(self) -> bool | None:
        """Whether both say the same; None where the script's value is unknown."""
        return None if self.script is None else same(self.script, self.plan)


def planned_instead(knowledge: Knowledge, review: Review, facts: Iterable[Fact],
                    unknown: Iterable[Unknown] = ()) -> tuple[Beside, ...]:  # fmt: skip
    """Return every decision of the plan that the expert would draw from `facts`, beside what the script does.

    Args:
        knowledge: the rulebooks.
        review: the script, as it was read.
        facts: what is known of the task and its data; `task.type` at least, or there is little to plan.
        unknown: what was looked for in vain.
    """
    session = draft_plan(knowledge, facts, unknown=unknown).session
    entries = knowledge.vocabulary.entries
    recipe = {each.decision: each for each in recipe_of(review.script, review.measured, entries.values())}
    rows = []
    for name, decision in session.decisions.items():
        entry, said = entries[name], recipe.get(name)
        if not entry.plan or (said is None and not entry.script):
            continue
        script, place = (said.value, said.place) if said is not None else (None, None)
        because, assumed = _because(session, decision.rule), decision.strength == "fallback"
        rows.append(Beside(name, entry.means, script, place, decision.value, because, decision.rule, assumed))
    return tuple(rows)


def _because(session: Session, rule: str) -> str:
    found = session.knowledge.rule(rule)
    return format_because(found, session.facts) if found is not None else ""
