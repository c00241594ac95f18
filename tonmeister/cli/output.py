"""How every command prints: data on standard output or in a file, narration on standard error, exit status."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import click

if TYPE_CHECKING:
    from expert.report.document import Document
    from knowledge.records import Severity

_F = TypeVar("_F", bound=Callable[..., Any])


class _Grave(Protocol):
    @property
    def severity(self) -> Severity: ...


format_option = click.option(
    "--format", "form", type=click.Choice(["text", "json", "md", "html"]), default="text", help="Form of the report."
)
report_option = click.option(
    "--output", type=click.Path(path_type=Path), help="Write the report to this file instead of standard output."
)
fail_option = click.option(
    "--fail-on",
    type=click.Choice(["error", "warning", "note", "never"]),
    default="error",
    help="Exit with 1 when a finding is at least this severe.",
)


def say(message: str) -> None:
    """Narrate on standard error."""
    click.echo(message, err=True)


def emit(document: Document, record: dict[str, Any], form: str, output: Path | None = None) -> None:
    """Print or write a report in the form that was asked for.

    Raises:
        UsageError: the file exists already.
    """
    from expert.report.html import render_html
    from expert.report.markdown import render_markdown
    from expert.report.text import render_text
    from knowledge.shown import shown_json

    if form == "json":
        text = shown_json(json.dumps(record, indent=2, ensure_ascii=False)) + "\n"
    else:
        text = {"md": render_markdown, "html": render_html, "text": render_text}[form](document)
    if output is None:
        sys.stdout.write(text)
        return
    write_new(output, text)
    say(f"Report written to {output}")


def write_new(path: Path, text: str, *, force: bool = False) -> None:
    """Write a file that must not exist yet.

    Raises:
        UsageError: it exists, and `force` is not set.
    """
    from engine.plan import write_atomically
    from knowledge.errors import UsageError

    if path.exists() and not force:
        raise UsageError(f"{path} exists already, expected a new file", hint="Name another --output.")
    write_atomically(path, text)


def exit_status(findings: Iterable[_Grave], fail_on: str) -> int:
    """Return 1 when a finding is at least as severe as `fail_on`, else 0."""
    from knowledge.records import SEVERITIES

    if fail_on == "never":
        return 0
    counted = SEVERITIES[: SEVERITIES.index(fail_on) + 1]
    return int(any(finding.severity in counted for finding in findings))


def audit_options(function: _F) -> _F:
    """Add the options that name the roles of a manifest's columns."""
    for name, text in (
        ("label", "Column with the label; guessed when not given."),
        ("group", "Column whose values must not cross a split (speaker, recording)."),
        ("split", "Column that assigns rows to train, val, test."),
        ("path", "Column with the audio file."),
    ):
        function = click.option(f"--{name}", f"{name}_column", metavar="COLUMN", help=text)(function)
    return function


def progress(label: str) -> Callable[[int, int], None]:
    """Return a callback that shows progress on standard error when that is a terminal, and nothing otherwise."""
    if not sys.stderr.isatty():
        return lambda _done, _total: None

    def show(done: int, total: int) -> None:
        if done == total or done % 50 == 0:
            end = "\n" if done == total else ""
            print(f"\r{label} {done}/{total}{end}", end="", file=sys.stderr, flush=True)

    return show
