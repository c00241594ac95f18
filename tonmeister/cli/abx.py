"""`tonmeister abx RUN MANIFEST`: what fine-tuning did to how well an encoder tells classes apart."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from .output import say


@click.command("abx")
@click.argument("run", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("manifest", type=click.Path(path_type=Path))
@click.option("--label", metavar="COLUMN", help="What is to be told apart, such as phones or digits.")
@click.option("--group", metavar="COLUMN", help="Speakers: a clip is compared with others of its speaker.")
@click.pass_context
def command(ctx: click.Context, run: Path, manifest: Path, label: str | None, group: str | None) -> None:
    """Compare the encoder of RUN before and after training on MANIFEST, by ABX; `diagnose` then knows of a collapse."""
    from engine.process import abx_command, last_words, run_child
    from engine.separating import OUTCOME, outcome_folder

    say("Encoding and aligning clips, before and after training: seconds for words, minutes for longer clips")
    status = run_child(abx_command(run, manifest.resolve(), label=label, group=group), run)
    if status:
        say(last_words(run, status))
        ctx.exit(status)
    outcome = outcome_folder(run, "abx") / OUTCOME
    told = json.loads(outcome.read_text("utf-8"))
    sys.stdout.write(outcome.read_text("utf-8"))
    for line in [*told["shown"], *(f"not known: {reason}" for reason in told["unknown"].values())]:
        say(line)
