"""Remedies as diffs of the plan, to be marked and applied; applies nothing itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.content import Content

from expert.consultation.rounds import Proposal, Round, RoundReport
from knowledge.records import Finding
from knowledge.rulebook import Remedy

from .rows import Row, Rows, wrap

MARK, NO_MARK = "[x]", "[ ]"
DIFF_STYLES = {"+": "$text-success", "-": "$text-error"}
PROMISE = "Remedies appear here as changes of the plan."
ACTION = "action:"
"""Prefix of the ids of rows that only a person can carry out."""


class RemedyList(Rows):
    """One row a proposal: its title, the finding that it is for, and the plan lines that it changes."""

    def __init__(self, **arguments: str) -> None:
        super().__init__(enter="details", empty=PROMISE, **arguments)
        self.proposals: tuple[Proposal, ...] = ()
        self.actions: tuple[tuple[Finding, Remedy], ...] = ()
        self.open_to_choice = False
        """Whether there is something to apply; False while a round tries what was applied."""
        self.marked: set[int] = set()

    def show(self, report: RoundReport | None) -> None:
        """Show what this report proposes."""
        self.proposals = report.proposals if report else ()
        self.actions = report.actions if report else ()
        self.open_to_choice = bool(self.proposals)
        self.marked = set()
        count = len(self.proposals)
        self.border_title = f"{count} remed{'y' if count == 1 else 'ies'}" if report else "remedies"
        self.empty = "No remedy is left to try." if report else PROMISE
        rows = [Row(str(index), _proposal(proposal, False)) for index, proposal in enumerate(self.proposals)]
        for number, (finding, remedy) in enumerate(self.actions):
            rows.append(Row(f"{ACTION}{number}", _action(remedy.title, finding.id)))
        self.set_rows(rows)

    def show_tried(self, tried: Round | None) -> None:
        """Show what the round under way tries."""
        self.proposals = tried.changes if tried else ()
        self.actions, self.marked, self.open_to_choice = (), set(), False
        self.border_title = f"round {tried.number} tries" if self.proposals and tried else "remedies"
        self.set_rows(Row(str(index), _proposal(proposal, None)) for index, proposal in enumerate(self.proposals))

    def toggle_mark(self) -> None:
        """Mark the remedy under the cursor, or take the mark away."""
        if self.current.isdigit():
            self.marked ^= {int(self.current)}
            marks = [index in self.marked for index in range(len(self.proposals))]
            old = self.rows[len(self.proposals) :]
            rows = [Row(str(i), _proposal(p, marks[i])) for i, p in enumerate(self.proposals)]
            self.set_rows([*rows, *old])

    def chosen(self) -> Sequence[Proposal]:
        """Return the marked proposals, or the one under the cursor."""
        if self.marked:
            return [self.proposals[index] for index in sorted(self.marked)]
        return [self.proposals[int(self.current)]] if self.current.isdigit() else []


def _proposal(proposal: Proposal, marked: bool | None) -> Callable[[int], Content]:
    mark = "" if marked is None else f"{MARK if marked else NO_MARK} "

    def build(width: int) -> Content:
        title = wrap(f"{mark}{proposal.remedy.title} ({proposal.finding.id})", width)
        diff = ((f"\n    {line}"[: width + 1], DIFF_STYLES.get(line[:1], "")) for line in proposal.diff)
        return Content.assemble((title, "bold" if marked else ""), *diff)

    return build


def _action(title: str, finding: str) -> Callable[[int], Content]:
    return lambda width: Content.styled(wrap(f"you: {title} ({finding})", width), "$foreground-muted")
