"""The live plan: a line for each decision with its value and the rule behind it; marks what the last answer changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from textual.content import Content

from expert.session import Decision
from knowledge.conditions import spell
from knowledge.rulebook import Knowledge
from knowledge.vocabulary import TOPICS, Entry

from .rows import Row, Rows, fit, rule_heading, shares

CHANGED, CONTESTED, FIXED = "*", "!", "="
LEGEND = f"{CHANGED} changed  {CONTESTED} contested  {FIXED} yours"
OPEN = "·"
"""Stands for a value that is not decided, or not needed in this plan."""
NAME_COLUMNS = VALUE_COLUMNS = 22
RULE_COLUMNS = 12
"""Fewer columns than this say nothing of a rule; the line below the table names it in full."""


class PlanTable(Rows):
    """One row for each decision of the vocabulary, grouped by topic, in an order that never changes."""

    def show(self, knowledge: Knowledge, decisions: Mapping[str, Decision], changed: Iterable[str]) -> None:
        """Show these decisions; `changed` are marked."""
        entries = [entry for entry in knowledge.vocabulary.entries.values() if entry.kind == "decision"]
        marked = frozenset(changed)
        values = max((len(spell(decision.value)) for decision in decisions.values()), default=0)
        rows: list[Row] = []
        for topic in TOPICS:
            members = [entry for entry in entries if entry.topic == topic]
            if members:
                rows.append(Row(f"topic:{topic}", rule_heading(topic), heading=True))
            rows += [
                Row(entry.name, _line(entry, decisions.get(entry.name), entry.name in marked, values))
                for entry in members
            ]
        first = next((row.id for row in rows if row.id in marked), None)
        self.set_rows(rows, current=None if self.has_focus else first)


def _line(entry: Entry, decision: Decision | None, changed: bool, longest: int) -> Callable[[int], Content]:
    name = entry.name.removeprefix(f"{entry.topic}.")
    value = OPEN if decision is None else spell(decision.value)
    mark = " " if decision is None else FIXED if decision.fixed_by_user else CONTESTED if decision.contested else " "
    rule = "" if decision is None else "your choice" if decision.fixed_by_user else decision.rule

    def build(width: int) -> Content:
        values = min(max(longest, 8), VALUE_COLUMNS)
        names = max(NAME_COLUMNS - 2, min(NAME_COLUMNS, shares(width, (2, values))))
        if shares(width, (2, names, values)) < RULE_COLUMNS:
            values = max(4, shares(width, (2, names)))
        rules = shares(width, (2, names, values))
        style = "$foreground-muted" if decision is None else "bold" if changed else ""
        return Content.assemble(
            (CHANGED if changed else " ", "bold $warning"),
            (mark, "bold $warning"),
            (f" {fit(name, names)} ", style),
            (fit(value, values), style),
            (f" {fit(rule, rules)}" if rules >= RULE_COLUMNS else "", "$foreground-muted"),
        )

    return build
