"""`tonmeister audit MANIFEST`: measure a data set, report what is wrong, propose a split."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .output import audit_options, emit, exit_status, fail_option, format_option, progress, report_option, say

if TYPE_CHECKING:
    from expert.report.document import Document
    from knowledge.rulebook import Knowledge

PROTOCOLS = ("minimal-moves", "group-disjoint-split", "leave-one-group-out")
"""Kinds of split that the engine can propose; spelled here so that --help need not load it."""


@click.command("audit")
@click.argument("manifest", type=click.Path(path_type=Path))
@audit_options
@click.option("--text", metavar="COLUMN", help="Column with what is said; the same text in two splits is a leak.")
@click.option("--session", metavar="COLUMN", help="Column with the session or recording, where that is not the group.")
@click.option("--rater", "raters", multiple=True, metavar="COLUMN", help="Column with one rater's score; repeatable.")
@click.option("--task", type=click.Choice(["classification", "regression", "ctc"]), help="What the labels are.")
@click.option("--scale", type=(float, float), metavar="LOW HIGH", help="Lowest and highest score that can be given.")
@click.option("--audio-root", type=click.Path(path_type=Path), help="Folder that clip paths are relative to.")
@click.option("--manifest-only", is_flag=True, help="Open no audio: what needs it is unknown.")
@click.option("--workers", type=click.IntRange(min=1), help="Processes that decode and compare; default: one a core.")
@click.option("--cache", type=click.Path(path_type=Path), help="Folder that keeps what was measured of the clips.")
@click.option("--no-cache", is_flag=True, help="Keep nothing; an interrupted audit begins anew.")
@click.option("--ray", default="", metavar="ADDRESS", help="Decode on this Ray cluster; `auto` finds a running one.")
@click.option(
    "--repair", type=click.Path(path_type=Path), help="Write a manifest with the proposed split to this new file."
)
@click.option("--protocol", type=click.Choice(PROTOCOLS), help="Kind of split to propose; default: as the rules say.")
@click.option("--tui", "interface", is_flag=True, help="Open the audit in the interface.")
@format_option
@report_option
@fail_option
@click.pass_context
def command(
    ctx: click.Context,
    /,
    manifest: Path,
    repair: Path | None,
    interface: bool,
    form: str,
    output: Path | None,
    fail_on: str,
    **options: Any,
) -> None:
    """Measure MANIFEST: a table (CSV, TSV, JSONL ...), a Kaldi directory, or a folder with one folder a class."""
    if interface:
        ctx.exit(_open_interface(manifest, options))
    from expert.consultation.audit import audit_dataset, write_repaired_manifest
    from knowledge.errors import UsageError

    _refuse_existing(repair, output)
    audit = audit_dataset(_knowledge, manifest, progress=progress("Reading clips"), **_arguments(options))
    from expert.report.audit import audit_document, audit_record

    pictures: Document = ()
    if form == "html":
        from expert.report.audit_pictures import audit_pictures

        pictures = audit_pictures(audit)
    document, record = ((), audit_record(audit)) if form == "json" else (audit_document(audit, pictures), {})
    emit(document, record, form, output)
    if repair is not None:
        if audit.proposal is None:
            raise UsageError(f"no split can be proposed for {manifest}; see the report")
        say(f"Manifest with the proposed split written to {write_repaired_manifest(audit, repair)}")
    ctx.exit(exit_status(audit.session.findings, fail_on))


def _knowledge() -> Knowledge:
    """Load the rulebooks, and what reports: this is called while clips are decoded."""
    import expert.report.audit
    from knowledge.layers import knowledge_in_force

    assert expert.report.audit
    return knowledge_in_force()


def _arguments(options: dict[str, Any]) -> dict[str, Any]:
    """Return the keyword arguments of `audit_dataset`.

    Raises:
        UsageError: two options contradict one another.
    """
    from engine.evidence.dataset import default_cache
    from knowledge.errors import UsageError

    if options["cache"] is not None and options["no_cache"]:
        raise UsageError("--cache and --no-cache contradict one another, expected one of them")
    if options["manifest_only"] and options["ray"]:
        raise UsageError("--manifest-only opens no audio, so --ray has nothing to decode; expected one of them")
    scale = options["scale"]
    if scale is not None and not scale[0] < scale[1]:
        raise UsageError(f"--scale {scale[0]:g} {scale[1]:g}: the first number is not below the second")
    return {
        **_columns(options),
        **{name: options[name] for name in ("raters", "audio_root", "task", "scale", "protocol")},
        "decode": not options["manifest_only"],
        "workers": options["workers"] or 0,
        "cache": None if options["no_cache"] else options["cache"] or default_cache(),
        "cluster": options["ray"],
    }


def _columns(options: dict[str, Any]) -> dict[str, str | None]:
    named = {part: options[f"{part}_column"] for part in ("path", "label", "group", "split")}
    return named | {part: options[part] for part in ("text", "session")}


def _refuse_existing(*targets: Path | None) -> None:
    """Say before the work, not after it, that a file is in the way.

    Raises:
        UsageError: a file that is to be written exists.
    """
    from knowledge.errors import UsageError

    for target in targets:
        if target is not None and (target.exists() or target.is_symlink()):
            raise UsageError(f"{target} exists already, expected a new file", hint="Name another file.")


def _open_interface(manifest: Path, options: dict[str, Any]) -> int:
    from tui.app import run
    from tui.auditing import AuditRequest

    columns = {part: name for part, name in _columns(options).items() if name is not None}
    said = {name: options[name] for name in ("raters", "scale", "audio_root", "manifest_only")}
    return run(audit=AuditRequest(manifest, columns, task=options["task"] or "", **said), mode="audit")
