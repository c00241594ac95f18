"""`tonmeister demo`: the whole loop on a corpus made on the spot, in the interface or without a terminal."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .output import format_option, say

if TYPE_CHECKING:
    from engine.plan import Plan
    from expert.consultation.plan import PlanDraft
    from tui.interview import InterviewState

ANSWERS = {"task.domain": "clean-speech", "task.reference": "non-intrusive", "machine.pretrained_reachable": "no"}
"""What the demo's user answers; everything else is measured."""
HURRY = {
    "training.clip_norm": 0.0,
    "training.epochs": 5,
    "training.batch_size": 8,
    "data.protocol": "given-split",
    "data.split_column": "split",
}
"""The headline failures of S000-01 as a hurried colleague writes them, with the small batches of a small card; the
leaking split is in the data."""


@click.command("demo")
@click.option("--plain", is_flag=True, help="Run without the interface; automatic when there is no terminal.")
@click.option("--output", type=click.Path(path_type=Path), help="New folder for the corpus and the runs.")
@click.option("--rounds", default=4, show_default=True, type=click.IntRange(1), help="At most this many rounds.")
@format_option
def command(plain: bool, output: Path | None, rounds: int, form: str) -> None:
    """Make a small corpus of synthetic words with planted faults, and plan, train, diagnose and improve on it."""
    from engine.synthesis import make_corpus

    folder = output or _free_folder()
    manifest = make_corpus(folder / "corpus")
    say(f"A corpus of synthetic words with planted faults is in {manifest.parent}")
    if sys.stdin.isatty() and sys.stdout.isatty() and not plain:
        from tui.app import run

        raise SystemExit(run(manifest=manifest))
    _headless(folder, manifest, rounds, form)


def _free_folder() -> Path:
    """Return runs/demo, or runs/demo-2, ...: nothing of an earlier demo is touched."""
    number = 1
    while (folder := Path("runs") / ("demo" if number == 1 else f"demo-{number}")).exists():
        number += 1
    return folder


def _headless(folder: Path, manifest: Path, rounds: int, form: str) -> None:
    from engine.plan import patched, plan_yaml, read_plan, write_atomically
    from expert.consultation.improve import Budget, run_loop
    from expert.consultation.loop import loop_record
    from expert.consultation.plan import plan_text
    from expert.report.loop import loop_document

    from .loop import narration
    from .output import emit
    from .planning import read_state

    settings = [f"{name}={value}" for name, value in ANSWERS.items()]
    state = read_state(manifest, {}, None, settings)
    draft = state.draft()
    if form == "text":
        _show_audit_and_plan(state)
    say(f"The same plan by hand: {state.command()}")
    write_atomically(folder / "plan.yaml", plan_text(draft, f"tonmeister train {folder / 'plan.yaml'}"))
    hurried = patched(_planned(draft), HURRY)
    header = "What a hurried colleague wrote: no clipping, five epochs, and the split as it came."
    write_atomically(folder / "hurried.yaml", plan_yaml(hurried, header=header))
    say("\nNow a colleague in a hurry trains without clipping, for five epochs, on the split as it came.")
    say(f"tonmeister loop {folder / 'hurried.yaml'} --output {folder / 'loop'}")
    result = run_loop(read_plan(folder / "hurried.yaml"), folder / "loop", state.knowledge, Budget(rounds), narration())
    emit(loop_document(result, state.knowledge), loop_record(result), form)
    if form == "text":
        _show_curves(folder / "loop" / f"round-{result.champion.round.number}" if result.champion else folder)


def _planned(draft: PlanDraft) -> Plan:
    assert draft.plan is not None, draft.missing
    return draft.plan


def _show_audit_and_plan(state: InterviewState) -> None:
    from expert.report.audit import audit_document
    from expert.report.plan import plan_document
    from expert.report.text import render_text

    assert state.audit is not None
    click.echo(render_text(audit_document(state.audit)))
    click.echo(render_text(plan_document(state.draft(), state.audit)))


def _show_curves(run: Path) -> None:
    from expert.consultation.diagnose import diagnose_run
    from expert.report.diagnosis import curves_blocks
    from expert.report.text import render_text
    from knowledge.layers import knowledge_in_force

    click.echo(render_text(curves_blocks(diagnose_run(knowledge_in_force(), run))))
