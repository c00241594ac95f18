"""`tonmeister eject PLAN`: write a plan as a script that needs nothing of this project."""

from __future__ import annotations

import subprocess
from pathlib import Path

import click

from .output import say


@click.command("eject")
@click.argument("plan", type=click.Path(path_type=Path))
@click.option("--output", type=click.Path(path_type=Path), help="The new script; default: NAME.py of the plan.")
@click.option("--held-out", metavar="GROUP", help="The group that a plan with leave-one-group-out leaves out.")
@click.pass_context
def command(ctx: click.Context, plan: Path, output: Path | None, held_out: str | None) -> None:
    """Write PLAN as a script of transformers' Trainer, and the list of its clips beside it; nothing is trained.

    The script reads the same clips in the same order and computes the same losses.
    """
    from engine.plan import read_plan
    from engine.process import eject_command

    script = output or Path(f"{read_plan(plan).name}.py")
    done = subprocess.run(
        eject_command(plan, script, held_out), capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    )
    if done.returncode:
        say(done.stderr.strip()[-4000:])
        ctx.exit(done.returncode)
    click.echo(done.stdout.strip())
