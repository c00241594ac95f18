"""The rounds of a loop side by side: what changed, why, what it scored, who leads. Compares nothing."""

from __future__ import annotations

from collections.abc import Callable

from textual.content import Content

from expert.consultation.rounds import Proposal, Round, RoundReport, Score

from .rows import Row, Rows, fit, shares

CHAMPION = "★"
SCORE_COLUMNS, VERDICT_COLUMNS = 20, 10
VERDICTS = {"champion": "was best", "rejected": "rejected", "failed": "failed"}


class RoundsTable(Rows):
    """One row a round; the champion is marked with a star."""

    def show(self, reports: tuple[RoundReport, ...], champion: RoundReport | None, running: Round | None) -> None:
        """Show the rounds that ended and the one that runs."""
        voided = max((report.round.number for report in reports if report.round.kind == "baseline"), default=0)
        rows = [_ended(report, report.round.number < voided, champion) for report in reports]
        if running is not None:
            rows.append(Row(str(running.number), _line(running, "…", "  now")))
        self.set_rows(rows)


def _ended(report: RoundReport, void: bool, champion: RoundReport | None) -> Row:
    leads = champion is not None and champion.round.number == report.round.number
    verdict = f"{CHAMPION} best" if leads else "  void" if void else "  " + VERDICTS[report.verdict]
    return Row(str(report.round.number), _line(report.round, spell_score(report.score), verdict))


def _line(item: Round, score: str, verdict: str) -> Callable[[int], Content]:
    changed, why = what_changed(item), ", ".join(sorted({change.finding.rule for change in item.changes}))

    def build(width: int) -> Content:
        rest = shares(width, (2, SCORE_COLUMNS, VERDICT_COLUMNS))
        whys = rest // 2
        return Content.assemble(
            (f"{item.number:>2} ", "bold"),
            fit(changed, rest - whys - 1) + " ",
            (fit(why, whys), "$foreground-muted"),
            f" {fit(score, SCORE_COLUMNS)} ",
            (fit(verdict, VERDICT_COLUMNS), "bold"),
        )

    return build


def what_changed(item: Round) -> str:
    """Return in one line what distinguishes a round from the one it challenges."""
    if not item.changes:
        return "the plan as given"
    return "; ".join(_in_short(change) for change in item.changes)


def _in_short(change: Proposal) -> str:
    """A new split is named, since paths say little; everything else is shown as the new plan lines."""
    if change.remedy.changes_data:
        return change.remedy.title
    return "; ".join(line.removeprefix("+ ") for line in change.diff if line.startswith("+"))


def spell_score(score: Score | None) -> str:
    """Return value and interval, `none` when the round scored nothing."""
    return "none" if score is None else f"{score.value:.3f} [{score.low:.3f}, {score.high:.3f}]"
