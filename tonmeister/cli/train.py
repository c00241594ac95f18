"""`tonmeister train PLAN`: run a plan in a child process."""

from __future__ import annotations

from pathlib import Path

import click

from .output import say


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
    run = output or Path("runs") / chosen.name
    if run.exists() and any(run.iterdir()) and not resume:
        raise UsageError(
            f"{run} is not empty, expected a new run directory", hint="Name another --output, or --resume."
        )
    if not resume:
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
