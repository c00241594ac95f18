"""`tonmeister diagnose PATH...`: read runs, name symptom, likely cause and remedy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .output import emit, exit_status, fail_option, format_option, report_option, say

if TYPE_CHECKING:
    from knowledge.rulebook import Knowledge


@click.command("diagnose")
@click.argument("paths", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option("--run", "number", type=int, help="Which run, from 1, where a log holds several; default: the last.")
@click.option("--framework", default="", metavar="NAME", help="In whose words remedies are told; default: by the log.")
@click.option("--test", "tests", multiple=True, metavar="NAME", help="Run a test that tells causes apart.")
@click.option("--audit", "audited", is_flag=True, help="Audit the data of the run's own plan, and reason with both.")
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
    tests: tuple[str, ...],
    audited: bool,
    interface: bool,
    form: str,
    output: Path | None,
    fail_on: str,
) -> None:
    """Read each PATH: a run directory of ours, or the log of any framework, or the folder that holds it.

    Hugging Face trainer_state.json, TensorBoard events, Lightning, Keras and Ultralytics tables, JSON lines, and what
    SpeechBrain, Coqui and scripts of your own print.

    Tests are short experiments with the plan and the clips of a run of ours, in PATH/tests: one-batch, rate-range,
    label-shuffle, seed-spread, data-fraction, mode-agreement, gradient-census, error-spread, step-timing; `asked` is
    for those that the diagnosis asks for, `all` for every one. A cause is shown only by such evidence.
    """
    from expert.consultation.diagnose import diagnose_run
    from expert.report.diagnosis import diagnosis_document, diagnosis_record
    from knowledge.layers import knowledge_in_force

    if interface:
        from tui.app import run

        ctx.exit(run(diagnose=paths[0], mode="diagnose"))
    knowledge = knowledge_in_force()
    for path in paths if tests else ():
        from expert.consultation.testing import run_tests, tests_named

        run_tests(path, tests_named(knowledge, path, tests), say)
    diagnoses = [
        diagnose_run(knowledge, path, number=number, framework=framework, **_known(knowledge, path, audited))
        for path in paths
    ]
    document = tuple(block for diagnosis in diagnoses for block in diagnosis_document(diagnosis))
    records = [diagnosis_record(diagnosis) for diagnosis in diagnoses]
    emit(document, records[0] if len(records) == 1 else {"schema": records[0]["schema"], "runs": records}, form, output)
    ctx.exit(exit_status((f for diagnosis in diagnoses for f in diagnosis.session.findings), fail_on))


def _known(knowledge: Knowledge, path: Path, audited: bool) -> dict[str, Any]:
    """Return what an audit of the run's data says, in the words of `diagnose_run`; nothing where none is wanted.

    Raises:
        UsageError: the run holds no plan, so that nobody knows its data.
    """
    if not audited:
        return {}
    from engine.plan import read_plan
    from expert.consultation.loop import audit_plan_data
    from knowledge.errors import UsageError

    if not (path / "plan.yaml").is_file():
        raise UsageError(f"--audit: {path} holds no plan.yaml that names its data", hint="tonmeister audit MANIFEST")
    measured = audit_plan_data(knowledge, read_plan(path / "plan.yaml")).measured
    return {"extra_facts": measured.facts, "extra_unknown": measured.unknown}
