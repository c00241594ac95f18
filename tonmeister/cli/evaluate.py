"""`tonmeister evaluate RUN MANIFEST`: score a trained run on another data set."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from .output import say


@click.command("evaluate")
@click.argument("run", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("manifest", type=click.Path(path_type=Path))
@click.option("--split", help="Score only the rows of this split.")
@click.option("--name", default="external", show_default=True, help="Names predictions/NAME.csv in the run directory.")
@click.pass_context
def command(ctx: click.Context, run: Path, manifest: Path, split: str | None, name: str) -> None:
    """Score the best checkpoint of RUN on MANIFEST; `tonmeister diagnose RUN` then knows of distribution shift."""
    from engine.process import evaluate_command, last_words, run_child

    status = run_child(evaluate_command(run, manifest.resolve(), split=split, name=name), run)
    scores = run / "predictions" / f"{name}.json"
    if status:
        say(last_words(run, status))
        ctx.exit(status)
    sys.stdout.write(scores.read_text("utf-8"))
    say(f"Predictions written to {run / 'predictions' / (name + '.csv')}")
