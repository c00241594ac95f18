"""The entry point: names the commands, loads only the one that is called, and turns faults into exit statuses."""

from __future__ import annotations

import importlib
import os
import sys

import click

from knowledge.errors import TonmeisterError
from tonmeister import __version__

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
"""numpy's products here are small: a second thread waits more than it helps, half a second in an audit of 3,000 clips.
torch has threads of its own.
"""

COMMANDS = {
    "plan": "Interview, audit and rules: write a plan with reasons.",
    "audit": "Measure a data set: leaks, duplicates, broken files; propose a split.",
    "review": "Read a training script without running it: what is missing, why, and where it is done well.",
    "prepare": "Write a clean copy of a data set: mono, one rate, without what cannot be used.",
    "train": "Run a plan.",
    "evaluate": "Score a trained run on another data set.",
    "compare": "Tell whether one run is better than another, or luck.",
    "abx": "Compare what a run's encoder tells apart, before training and after.",
    "card": "Write the model card of a finished run.",
    "eject": "Write a plan as a script of transformers' Trainer.",
    "diagnose": "Read a run: symptom, likely cause, remedy.",
    "watch": "Follow a growing log: findings as soon as they can be told.",
    "loop": "Plan, train, diagnose, patch, again.",
    "bench": "Score our diagnosis on labelled logs of your own, beside other tools.",
    "explain": "How, why and why not: the reasoning behind a plan.",
    "rules": "List, show and check the rulebooks.",
    "schema": "The JSON Schema of a plan, or the vocabulary of facts.",
    "doctor": "Check this machine.",
    "demo": "The whole loop on a corpus made on the spot.",
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called, so that --help costs nothing."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order in which a person works."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command `cmd_name`, or return None when there is none."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"tonmeister.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table of commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    context_settings={"auto_envvar_prefix": "TONMEISTER", "help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="tonmeister")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Tonmeister: an expert system for fine-tuning audio models. Without a command it opens the interface."""
    if ctx.invoked_subcommand is None:
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            click.echo(ctx.get_help())
            return
        from tui.app import run

        ctx.exit(run())


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    try:
        result = cli.main(arguments, prog_name="tonmeister", standalone_mode=False)
        status = result if isinstance(result, int) else 0
        sys.stdout.flush()
    except TonmeisterError as error:
        print(error.render(), file=sys.stderr)
        status = error.exit_status
    except click.ClickException as error:
        error.show()
        status = 2
    except (KeyboardInterrupt, click.Abort):
        print("\nInterrupted.", file=sys.stderr)
        status = 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader left; that is not our fault
        status = 0
    return status
