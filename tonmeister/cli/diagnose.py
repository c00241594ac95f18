"""`tonmeister diagnose PATH...`: read runs, name symptom, likely cause and remedy."""

from __future__ import annotations

from pathlib import Path

import click

from .output import emit, exit_status, fail_option, format_option, report_option


@click.command("diagnose")
@click.argument("paths", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option("--run", "number", type=int, help="Which run, from 1, where a log holds several; default: the last.")
@click.option("--framework", default="", metavar="NAME", help="In whose words remedies are told; default: by the log.")
@click.option("--tui", "interface", is_flag=True, help="Open the run in the interface.")
@format_option
@report_option
@fail_option
@click.pass_context
def command(
    ctx: click.Context,
    paths: tuple[Path, ...],
    number: int | None,
    framework: str,
    interface: bool,
    form: str,
    output: Path | None,
    fail_on: str,
) -> None:
    """Read each PATH: a run directory of ours, or the log of any framework, or the folder that holds it.

    Hugging Face trainer_state.json, TensorBoard events, Lightning, Keras and Ultralytics tables, JSON lines, and what
    SpeechBrain, Coqui and scripts of your own print.
    """
    from expert.consultation.diagnose import diagnose_run
    from expert.report.diagnosis import diagnosis_document, diagnosis_record
    from knowledge.layers import knowledge_in_force

    if interface:
        from tui.app import run

        ctx.exit(run(diagnose=paths[0], mode="diagnose"))
    knowledge = knowledge_in_force()
    diagnoses = [diagnose_run(knowledge, path, number=number, framework=framework) for path in paths]
    document = tuple(block for diagnosis in diagnoses for block in diagnosis_document(diagnosis))
    records = [diagnosis_record(diagnosis) for diagnosis in diagnoses]
    emit(document, records[0] if len(records) == 1 else {"schema": records[0]["schema"], "runs": records}, form, output)
    ctx.exit(exit_status((f for diagnosis in diagnoses for f in diagnosis.session.findings), fail_on))
