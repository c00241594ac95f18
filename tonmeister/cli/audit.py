"""`tonmeister audit MANIFEST`: measure a data set, report what is wrong, propose a split."""

from __future__ import annotations

from pathlib import Path

import click

from .output import audit_options, emit, exit_status, fail_option, format_option, progress, report_option, say


@click.command("audit")
@click.argument("manifest", type=click.Path(path_type=Path))
@audit_options
@click.option(
    "--repair", type=click.Path(path_type=Path), help="Write a manifest with the proposed split to this new file."
)
@format_option
@report_option
@fail_option
@click.pass_context
def command(
    ctx: click.Context,
    manifest: Path,
    label_column: str | None,
    group_column: str | None,
    split_column: str | None,
    path_column: str | None,
    repair: Path | None,
    form: str,
    output: Path | None,
    fail_on: str,
) -> None:
    """Measure MANIFEST: a CSV or TSV file, or a folder with one folder a class."""
    from expert.consultation.audit import audit_dataset, write_repaired_manifest
    from expert.report.audit import audit_document, audit_record
    from knowledge.errors import UsageError
    from knowledge.loader import load_knowledge

    audit = audit_dataset(
        load_knowledge(),
        manifest,
        label=label_column,
        group=group_column,
        split=split_column,
        path=path_column,
        progress=progress("Reading clips"),
    )
    emit(audit_document(audit), audit_record(audit), form, output)
    if repair is not None:
        if audit.proposal is None:
            raise UsageError(f"no split can be proposed for {manifest}; see the report")
        say(f"Manifest with the proposed split written to {write_repaired_manifest(audit, repair)}")
    ctx.exit(exit_status(audit.session.findings, fail_on))
