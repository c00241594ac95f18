"""`tonmeister watch RUN`: follow a growing log and tell what is found as soon as it can be told."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .output import exit_status, fail_option, say

if TYPE_CHECKING:
    from expert.consultation.watch import Look

SIGNS = {"new": "+", "worse": "!", "milder": "~", "gone": "-"}


@click.command("watch")
@click.argument("path", metavar="RUN", type=click.Path(path_type=Path))
@click.option("--every", type=click.FloatRange(min=0.1), default=10.0, help="Seconds between two looks.")
@click.option("--quiet", type=click.FloatRange(min=0.0), default=3600.0, help="End after so many seconds of silence.")
@click.option("--format", "form", type=click.Choice(["text", "jsonl"]), default="text", help="Form of what is told.")
@fail_option
@click.pass_context
def command(ctx: click.Context, path: Path, every: float, quiet: float, form: str, fail_on: str) -> None:
    """Follow the log of a training run, ours or of any framework, until it ends; a log that is not there is awaited.

    A line for each finding that comes (+), goes (-), grows worse (!) or milder (~). With jsonl one object a line, for
    W&B, MLflow, ClearML or a script of your own.
    """
    from expert.consultation.watch import watch
    from knowledge.loader import load_knowledge

    say(f"Following {path}, a look every {every:g} s; a line comes with each finding")
    look, read = None, ""
    for look in watch(load_knowledge(), path, every_seconds=every, quiet_seconds=quiet):
        if read != (read := look.diagnosis.series.reader):
            say(f"It is read as {read}, {_counted(look.diagnosis.series.evaluations, 'evaluation')} so far")
        for line in _lines(look, form):
            click.echo(line)
    if look is not None:
        findings = look.diagnosis.session.findings
        how = "The run has ended" if look.ended else "Nothing more came"
        say(f"{how}: {_counted(len(findings), 'finding')} hold{'s' * (len(findings) == 1)}")
        ctx.exit(exit_status(findings, fail_on))


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def _lines(look: Look, form: str) -> list[str]:
    from knowledge.shown import shown

    clock = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(look.at_seconds))
    evaluations = look.diagnosis.series.evaluations
    if form == "jsonl":
        records = (
            {
                "schema": "tonmeister.watch/1", "time": clock, "change": change.kind, "finding": change.finding.id,
                "severity": change.finding.severity, "confidence": round(change.finding.confidence, 3),
                "because": change.finding.because, "remedies": list(change.finding.remedies),
                "evaluations": evaluations,
            }
            for change in look.changes
        )  # fmt: skip
        return [json.dumps(record, ensure_ascii=False) for record in records]
    told = ((SIGNS[change.kind], change.finding) for change in look.changes)
    return [f"{clock} {sign} {found.severity} {found.id}: {shown(found.because)}" for sign, found in told]
