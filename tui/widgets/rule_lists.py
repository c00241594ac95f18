"""The two lists of the Rules mode: the contents of the book, and the conditions that are tried. Reasons nothing out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from textual.content import Content

from expert.checks import ConditionCheck
from expert.trial import Trial
from knowledge.conditions import spell
from knowledge.records import Value
from knowledge.rulebook import Rule
from knowledge.shown import shown

from ..contents import Line
from .rows import Row, Rows, fit, rule_heading, wrap

SYMBOLS = {True: "✓", False: "✗", None: "?"}
STATUS = {"fires": "✓", "refuted": "✗", "open": "?"}
ROW = "row:"
"""Prefix of the ids of lines that lead to the row of a table."""


class ContentsList(Rows):
    """Sections, tables and rules; what fires on the values at hand is marked."""

    def __init__(self, **arguments: str) -> None:
        super().__init__(enter="open", empty="Nothing holds all these words.", **arguments)

    def show(self, lines: Sequence[Line], fired: Collection[str], current: str | None = None) -> None:
        """Show the lines."""
        self.set_rows([Row(line.id, _line(line, line.id in fired)) for line in lines], current=current)


class TrialList(Rows):
    """The conditions of a rule, or the facts of a table, with the values that are tried; enter sets one."""

    def __init__(self, **arguments: str) -> None:
        super().__init__(enter="set", empty="Choose a rule or a table to try values on.", **arguments)
        self.facts: dict[str, str] = {}
        """The fact that a line reads, by the id of the line."""

    def show_rule(self, rule: Rule, trial: Trial) -> None:
        """Show the conditions of one rule."""
        checks = [(item, number > 0) for clause in trial.check.clauses for number, item in enumerate(clause)]
        self.facts = {f"{number}:{condition.fact}": condition.fact for number, condition in enumerate(rule.conditions)}
        self.set_rows(Row(name, _condition(*check)) for name, check in zip(self.facts, checks, strict=True))

    def show_table(self, facts: Sequence[str], values: Mapping[str, Value], trials: Sequence[Trial]) -> None:
        """Show the facts that a table reads, then how each of its rows fares."""
        self.facts = {name: name for name in facts}
        rows = [Row(name, _fact(name, values.get(name))) for name in facts]
        rows.append(Row("rows", rule_heading("rows"), heading=True))
        rows += [Row(ROW + trial.check.rule, _trial(trial)) for trial in trials]
        self.set_rows(rows)

    def clear(self) -> None:
        """Show that there is nothing to try."""
        self.facts = {}
        self.set_rows(())


def _line(line: Line, fires: bool) -> Callable[[int], Content]:
    indent = "  " * line.depth

    def build(width: int) -> Content:
        if line.kind != "rule":
            room = width - len(indent) - len(line.note) - 1
            style = "bold" if line.kind == "section" else ""
            return Content.assemble((indent + fit(line.text, room), style), (f" {line.note}", "$foreground-muted"))
        mark = "✓ " if fires else ""
        own = (f"\n{indent}  {shown(line.mark)}", "$text-warning") if line.mark else ""
        text = _hanging(line.text, width, len(indent + mark))
        style = "$foreground-muted" if line.mark.startswith("silenced") else ""
        return Content.assemble(indent, (mark, "bold $text-success"), (text, style), own)

    return build


def _condition(item: ConditionCheck, again: bool) -> Callable[[int], Content]:
    text = f"{'or ' if again else ''}{item.text}"
    return lambda width: Content.assemble(
        f"{SYMBOLS[item.truth]} {_hanging(text, width, 2)}\n",
        (wrap(item.found, width, indent="    "), "$foreground-muted"),
    )


def _fact(name: str, value: Value | None) -> Callable[[int], Content]:
    told = "unknown" if value is None else spell(value)
    return lambda width: Content.assemble(fit(name, max(8, width - len(told) - 1)), " ", (shown(told), "bold"))


def _trial(trial: Trial) -> Callable[[int], Content]:
    return lambda width: Content(f"{STATUS[trial.check.status]} {_hanging(trial.check.rule, width, 2)}")


def _hanging(text: str, width: int, used: int) -> str:
    """Return text in lines that all begin after `used` columns, those of the first being taken."""
    return wrap(text, width - used).replace("\n", "\n" + " " * used)
