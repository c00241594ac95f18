"""`tonmeister bench diagnose LOGS`: hold our judgement against labels that others gave, beside other tools."""

from __future__ import annotations

from pathlib import Path

import click

from .output import emit, format_option, report_option


@click.group("bench")
def command() -> None:
    """Measure Tonmeister on data of your own that somebody labelled."""


@command.command("diagnose")
@click.argument("logs", type=click.Path(path_type=Path))
@format_option
@report_option
def diagnose(logs: Path, form: str, output: Path | None) -> None:
    """Diagnose every run of the folder LOGS and count what its INDEX.tsv agrees with.

    INDEX.tsv has the columns id, file, format, findings and, where not every finding was labelled, labelled_by. Beside
    our rules stand the coded defaults of UMLAUT, SageMaker Debugger, Epochix and Lightning on the same curves.
    """
    from expert.consultation.bench_diagnose import bench_diagnose
    from expert.consultation.labelled_runs import labelled_runs
    from expert.report.scorecard import scorecard_document, scorecard_record
    from knowledge.layers import knowledge_in_force

    card = bench_diagnose(knowledge_in_force(), labelled_runs(logs))
    emit(scorecard_document(card), scorecard_record(card), form, output)
