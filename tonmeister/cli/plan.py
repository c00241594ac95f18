"""`tonmeister plan`: answers, audit and rules in; a commented plan and its explanation out."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .output import audit_options, emit, format_option, say, write_new
from .planning import NO_MANIFEST_YET, read_state

if TYPE_CHECKING:
    from tui.interview import InterviewState
    from tui.saved import SavedInterview


@click.command("plan")
@click.argument("manifest", type=click.Path(path_type=Path), required=False)
@click.option("--answers", type=click.Path(path_type=Path), help="YAML file of `fact: value`; `unknown` is an answer.")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="Set a fact, or fix a decision.")
@audit_options
@click.option("--plain", is_flag=True, help="Ask at plain prompts; automatic when there is no terminal.")
@click.option(
    "--session", "kept", type=click.Path(path_type=Path), help="Keep the interview in this file, and go on from it."
)
@click.option("--name", help="Name of the plan and of its run directory; default: that of the manifest.")
@click.option("--output", type=click.Path(path_type=Path), default=Path("plan.yaml"), show_default=True)
@click.option("--force", is_flag=True, help="Write over an existing plan.")
@format_option
def command(
    manifest: Path | None,
    answers: Path | None,
    settings: tuple[str, ...],
    label_column: str | None,
    group_column: str | None,
    split_column: str | None,
    path_column: str | None,
    plain: bool,
    kept: Path | None,
    name: str | None,
    output: Path,
    force: bool,
    form: str,
) -> None:
    """Plan the fine-tuning on MANIFEST (a CSV or TSV file, or a folder with one folder a class)."""
    from expert.report.plan import plan_document, plan_record
    from knowledge.errors import UsageError

    headless = answers is not None or bool(settings)
    terminal = sys.stdin.isatty() and sys.stdout.isatty()
    if terminal and not plain and not headless:
        from tui.app import run

        raise SystemExit(run(manifest=manifest, session=kept))
    if output.exists() and not force:
        raise UsageError(f"{output} exists already, expected a new file", hint="Name another --output, or use --force.")
    columns = {"label": label_column, "group": group_column, "split": split_column, "path": path_column}
    saved = _saved(kept)
    if saved is not None and manifest is None:
        manifest = saved.manifest
    state = read_state(manifest, columns, answers, settings, saved)
    if plain or not headless:
        from .prompts import ask_all

        state.keep = partial(_keep, state, kept)
        ask_all(state)
    _keep(state, kept)
    state.keep = lambda: None  # what is written into the plan below was not said by the user
    _write(state, name, output, force)
    draft = state.draft()
    emit(plan_document(draft, state.audit), plan_record(draft, state.audit), form)


def _saved(kept: Path | None) -> SavedInterview | None:
    from tui.saved import read_interview

    return read_interview(kept) if kept is not None and kept.exists() else None


def _keep(state: InterviewState, kept: Path | None) -> None:
    from tui.saved import save_interview

    if kept is not None:
        save_interview(state, kept)


def _write(state: InterviewState, name: str | None, output: Path, force: bool) -> None:
    from engine.plan import patched
    from expert.consultation.plan import launch_command, plan_text
    from knowledge.errors import UsageError

    if state.manifest is None:
        state.audited(None, NO_MANIFEST_YET)
        say(f"No data set was named: the plan expects its manifest in {NO_MANIFEST_YET}.")
    draft = state.draft()
    if draft.plan is not None and name is not None:
        draft = replace(draft, plan=patched(draft.plan, {"name": name}, "--name"))
    if draft.plan is None:
        reasons = " ".join(draft.not_runnable) or f"no plan can be written without {', '.join(draft.missing)}"
        hint = " ".join(f"--set {fact}=..." for fact in draft.missing)
        raise UsageError(reasons, hint=hint and f"{hint}, or answer the questions with --plain.")
    write_new(output, plan_text(draft, launch_command(draft.plan, output)), force=force)
    say(f"Plan written to {output}; run it with: {launch_command(draft.plan, output)}")
    say(f"The same plan without a question: {state.command(output)}")
