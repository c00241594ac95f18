"""`tonmeister loop PLAN`: plan, train, diagnose, patch, again."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .output import emit, format_option, say

if TYPE_CHECKING:
    from expert.consultation.improve import Narration
    from expert.consultation.rounds import Round, RoundReport


@click.command("loop")
@click.argument("plan", type=click.Path(path_type=Path))
@click.option("--output", type=click.Path(path_type=Path), help="Folder of the loop; default: runs/NAME-loop.")
@click.option("--set", "settings", multiple=True, metavar="PATH=VALUE", help="Override a plan value.")
@click.option("--rounds", default=6, show_default=True, type=click.IntRange(1), help="At most this many rounds.")
@click.option("--minutes", type=click.FloatRange(min=0, min_open=True), help="Begin no round after this many minutes.")
@click.option("--target", type=float, help="Stop when the champion reaches this validation score.")
@click.option("--resume", is_flag=True, help="Go on with a loop that was stopped.")
@click.option("--plain", is_flag=True, help="Run unattended; automatic when there is no terminal.")
@format_option
def command(
    plan: Path,
    output: Path | None,
    settings: tuple[str, ...],
    rounds: int,
    minutes: float | None,
    target: float | None,
    resume: bool,
    plain: bool,
    form: str,
) -> None:
    """Improve PLAN until the target, the budget, or no remedy is left.

    In a terminal, and without options, it opens the screen from which you decide each round yourself.
    """
    unattended = plain or resume or output is not None or bool(settings) or minutes is not None or target is not None
    if sys.stdin.isatty() and sys.stdout.isatty() and not unattended:
        from tui.app import run

        raise SystemExit(run(plan=plan, mode="loop"))
    from expert.consultation.improve import Budget, run_loop
    from expert.consultation.loop import loop_record
    from expert.report.loop import loop_document
    from expert.report.markdown import render_markdown
    from knowledge.layers import knowledge_in_force

    from .training import plan_with

    chosen = plan_with(plan, settings)
    folder = output or Path("runs") / f"{chosen.name}-loop"
    knowledge = knowledge_in_force()
    result = run_loop(chosen, folder, knowledge, Budget(rounds, minutes, target), narration(), resume=resume)
    document = loop_document(result, knowledge)
    from engine.plan import write_atomically

    write_atomically(folder / "report.md", render_markdown(document))
    emit(document, loop_record(result), form)
    say(f"Everything is in {folder}; the report also as {folder / 'report.md'}")


def narration() -> Narration:
    """Tell on standard error what the loop does."""
    from expert.consultation.improve import Narration

    from .training import show_event

    return Narration(event=lambda _round, event: show_event(event), begin=_begin, end=_end)


def _begin(queued: Round) -> None:
    say(f"\nRound {queued.number} ({queued.kind}) in {queued.run}")
    for change in queued.changes:
        say(f"  {change.remedy.title}, because of {change.because}")
        for line in change.diff:
            say(f"    {line}")


def _end(report: RoundReport) -> None:
    gain = f", {report.gain.value:+.3f} against the champion" if report.gain else ""
    say(f"  {report.score or report.status}{gain}: {report.verdict}")
    for finding in report.findings:
        if finding.severity != "note":
            say(f"  {finding.severity}: {finding.id}: {finding.because}")
