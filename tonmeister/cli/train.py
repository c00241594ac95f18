"""`tonmeister train PLAN`: run a plan in a child process."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .output import say

if TYPE_CHECKING:
    from engine.plan import Plan

_OF_NO_STEP = ("compute", "guard", "name")
"""Sections of the plan that change no step of a run."""


@click.command("train")
@click.argument("plan", type=click.Path(path_type=Path))
@click.option("--output", type=click.Path(path_type=Path), help="Run directory; default: runs/NAME of the plan.")
@click.option("--set", "settings", multiple=True, metavar="PATH=VALUE", help="Override a plan value.")
@click.option("--folds", metavar="COLUMN", help="Cross-validate by a fold column, or leave-one-group-out.")
@click.option(
    "--seeds", type=click.IntRange(min=1), default=1, metavar="N",
    help="Train N times on the same parts, from the plan's seed on; mean and deviation.",
)  # fmt: skip
@click.option("--resume", is_flag=True, help="Go on from the last checkpoint in the run directory.")
@click.option("--test", "with_test", is_flag=True, help="Score the best checkpoint on the test split at the end.")
@click.option(
    "--processes", type=click.IntRange(min=1), default=1, help="On one machine, by torchrun: one for each GPU."
)
@click.option("--tensorboard", is_flag=True, help="Write event files for TensorBoard too, in RUN/tensorboard.")
@click.pass_context
def command(
    ctx: click.Context,
    plan: Path,
    output: Path | None,
    settings: tuple[str, ...],
    folds: str | None,
    seeds: int,
    resume: bool,
    with_test: bool,
    processes: int,
    tensorboard: bool,
) -> None:
    """Run PLAN; the run directory holds events, predictions, checkpoints and the plan as it was run."""
    from engine.plan import plan_yaml, write_atomically
    from engine.process import last_words, run_child, train_command
    from knowledge.errors import UsageError

    from .training import plan_with, results_of, show_event

    chosen = plan_with(plan, settings)
    if processes > 1 and (seeds > 1 or folds or chosen.folds):
        what = "--seeds" if seeds > 1 else "cross-validation"
        raise UsageError(
            f"{what} with --processes {processes}: one training comes after the other, each in one process",
            hint="Leave --processes out, or train once.",
        )
    run = output or Path("runs") / chosen.name
    if run.exists() and any(run.iterdir()) and not resume and not _never_began(run):
        raise UsageError(
            f"{run} is not empty, expected a new run directory", hint="Name another --output, or --resume."
        )
    if not resume or _differs_harmlessly(run / "plan.yaml", chosen):
        header = f"tonmeister train {plan}" + "".join(f" --set {setting}" for setting in settings)
        write_atomically(run / "plan.yaml", plan_yaml(chosen, header=header))
    if tensorboard:
        (run / "tensorboard").mkdir(parents=True, exist_ok=True)  # the trainer writes there where it finds it
    say(f"Training {chosen.name} in {run}")
    if chosen.compute.sharding == "fsdp" and processes == 1:
        say("compute.sharding is fsdp, and one process holds the whole model: --processes N divides it between N GPUs")
    status = run_child(
        train_command(
            run / "plan.yaml",
            run,
            folds=folds or chosen.folds,
            seeds=seeds,
            resume=resume,
            test=with_test,
            processes=processes,
        ),
        run,
        show_event,
    )
    if status:
        say(last_words(run, status))
        ctx.exit(status)
    for line in results_of(run):
        say(line)
    click.echo(run)


def _never_began(run: Path) -> bool:
    """Say whether all that lies there was left by a command of ours that ended before it trained."""
    left = {path.name for path in run.iterdir()}
    return "stderr.log" in left and left <= {"plan.yaml", "stderr.log", "tensorboard"}


def _differs_harmlessly(own: Path, chosen: Plan) -> bool:
    """Say whether a run that goes on is to run elsewhere or otherwise watched than it began.

    Raises:
        UsageError: there is no run, or more than that differs: what one plan began cannot go on with another.
    """
    from engine.plan import differences, read_plan
    from knowledge.errors import UsageError

    if not own.exists():
        raise UsageError(f"{own.parent} holds no run to go on with", hint="Train without --resume.")
    changed = differences(read_plan(own), chosen)
    if all(path.partition(".")[0] in _OF_NO_STEP for path in changed):
        return bool(changed)
    told = "; ".join(f"{path} was {old!r}, is {new!r}" for path, (old, new) in changed.items())
    raise UsageError(
        f"{own.parent} was begun with another plan: {told}",
        hint=f"Go on with its own: `tonmeister train {own} --output {own.parent} --resume`, or train into a new one.",
    )
