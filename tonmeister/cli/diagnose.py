"""`tonmeister diagnose PATH...`: read runs, name symptom, likely cause and remedy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .output import emit, exit_status, fail_option, format_option, report_option, say

if TYPE_CHECKING:
    from expert.consultation.diagnose import Diagnosis
    from expert.report.document import Document
    from knowledge.rulebook import Knowledge


@click.command("diagnose")
@click.argument("paths", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option("--run", "number", type=int, help="Which run, from 1, where a log holds several; default: the last.")
@click.option("--framework", default="", metavar="NAME", help="In whose words remedies are told; default: by the log.")
@click.option("--test", "tests", multiple=True, metavar="NAME", help="Run a test that tells causes apart.")
@click.option("--audit", "audited", is_flag=True, help="Audit the data of the run's own plan, and reason with both.")
@click.option("--before", "earlier", type=click.Path(path_type=Path, exists=True), help="The run before this one.")
@click.option("--applied", multiple=True, metavar="REMEDY", help="With --before: a remedy that was applied since.")
@click.option("--ledger", type=click.Path(path_type=Path), help="With --before: where outcomes are kept.")
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
    earlier: Path | None,
    applied: tuple[str, ...],
    ledger: Path | None,
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

    --before tells what became of the findings of an earlier run, and keeps it in the ledger of outcomes (in the run, or
    where --ledger says): `tonmeister rules calibrate` holds stated certainties against it.
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
    if earlier is not None:
        blocks, record = _followed(knowledge, diagnoses, earlier, applied, ledger)
        document, records[0] = (*blocks, *document), {**records[0], "follow_up": record}
    emit(document, records[0] if len(records) == 1 else {"schema": records[0]["schema"], "runs": records}, form, output)
    ctx.exit(exit_status((f for diagnosis in diagnoses for f in diagnosis.session.findings), fail_on))


def _followed(
    knowledge: Knowledge, diagnoses: list[Diagnosis], earlier: Path, applied: tuple[str, ...], ledger: Path | None
) -> tuple[Document, dict[str, Any]]:
    """Return what became of the findings of an earlier run, and keep it.

    Raises:
        UsageError: several runs are given, or a remedy that does not exist.
    """
    from expert.consultation.diagnose import diagnose_run
    from expert.consultation.follow_up import follow_up, outcomes_of
    from expert.ledger import LEDGER, append_outcomes
    from expert.report.follow_up import follow_up_blocks, follow_up_record
    from knowledge.errors import UsageError

    if len(diagnoses) != 1:
        raise UsageError(f"--before: {len(diagnoses)} runs are given, expected the one that came after it")
    if unknown := [name for name in applied if name not in knowledge.remedies]:
        raise UsageError(
            f"--applied {unknown[0]}: no such remedy", hint="tonmeister diagnose RUN --format json names them."
        )
    follow = follow_up(knowledge, diagnose_run(knowledge, earlier), diagnoses[0], applied)
    source = diagnoses[0].series.source
    place = ledger or (source / LEDGER if (source / "plan.yaml").is_file() else None)
    outcomes = outcomes_of(follow, knowledge)
    if place is not None and outcomes:
        say(f"{append_outcomes(place, outcomes)} of {len(outcomes)} outcomes are new in {place}")
    return follow_up_blocks(follow), follow_up_record(follow)


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
