"""`tonmeister review PATH`: read a training script without running it, and say what is missing and why it matters."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .output import emit, exit_status, fail_option, report_option, say, write_new

if TYPE_CHECKING:
    from collections.abc import Mapping

    from expert.consultation.reviewing import Reviewed
    from expert.reviewing.records import ReviewFinding, ReviewReport


@click.command("review")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--entry", default="", metavar="FILE", help="Of a folder, the file that starts the training.")
@click.option("--all", "everything", is_flag=True, help="Show every finding and the state of every check.")
@click.option("--select", multiple=True, metavar="CHECK", help="Only this check, or `train.*`; repeatable.")
@click.option("--ignore", multiple=True, metavar="CHECK", help="Not this check, or `train.*`; repeatable.")
@click.option(
    "--data", type=click.Path(path_type=Path), help="Manifest of the data set, or its audit as JSON: its facts join."
)
@click.option("--answers", type=click.Path(path_type=Path), help="YAML of facts, or states of checks, that you know.")
@click.option("--no-ignore", is_flag=True, help="Follow no `# tonmeister: ignore[...]`.")
@click.option("--baseline", type=click.Path(path_type=Path), help="Tell only what this baseline does not know.")
@click.option("--write-baseline", type=click.Path(path_type=Path), help="Write what is found now to this new file.")
@click.option("--tui", "interface", is_flag=True, help="Open the review in the interface.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "sarif", "github", "md", "html"]),
    default="text",
    help="Form of the report.",
)
@click.option("--instead", metavar="TASK", help="Show what would have been planned for this task beside the script.")
@click.option("--diff", is_flag=True, help="Show what the patches would change, and change nothing.")
@click.option("--fix", is_flag=True, help="Apply the patches that change nothing but their check.")
@click.option("--unsafe-fixes", is_flag=True, help="Also patches that may change what is learnt; asks before each.")
@report_option
@fail_option
@click.pass_context
def command(ctx: click.Context, /, path: Path, **options: Any) -> None:
    """Read the training script PATH, or the project in the folder PATH; nothing of it is executed or imported."""
    from expert.consultation.reviewing import ReviewRequest, review_cached, review_project
    from expert.reviewing.baseline import baseline_text
    from knowledge.layers import knowledge_in_force

    from .answers import read_answers

    answers = read_answers(options["answers"]) if options["answers"] else {}
    named = ("entry", "select", "ignore", "data", "baseline")
    request = ReviewRequest(
        path, follow_suppressions=not options["no_ignore"], **{name: options[name] for name in named}
    )
    if options["interface"]:
        from tui.app import run

        ctx.exit(run(review=request, mode="review"))
    if options["instead"]:
        _beside(review_project(knowledge_in_force(), request, answers), options)
        return
    if options["diff"] or options["fix"]:
        apply = options["fix"] and not options["diff"]
        reviewed = review_project(knowledge_in_force(), request, answers)
        report = _mend(reviewed, answers, apply=apply, unsafe=options["unsafe_fixes"]).report
    else:
        report = review_cached(knowledge_in_force(), request, answers)
    if options["write_baseline"] is not None:
        write_new(options["write_baseline"], baseline_text((*report.findings, *report.advice)))
        say(f"Baseline written to {options['write_baseline']}")
    _print(report, options["form"], options["everything"], options["output"])
    ctx.exit(exit_status(report.findings, options["fail_on"]))


def _beside(reviewed: Reviewed, options: Mapping[str, Any]) -> None:
    """Print the script beside what the expert would plan for a task."""
    from expert.consultation.instead import planned_instead
    from expert.report.instead import instead_document, instead_record

    knowledge = reviewed.review.session.knowledge
    task = knowledge.vocabulary.user_fact("task.type", options["instead"], "--instead")
    rows = planned_instead(knowledge, reviewed.review, [*reviewed.joined, task])
    form = options["form"] if options["form"] in ("text", "json", "md", "html") else "text"
    emit(instead_document(rows), {"beside": instead_record(rows)}, form, options["output"])


def _mend(reviewed: Reviewed, answers: Mapping[str, Any], *, apply: bool, unsafe: bool) -> Reviewed:
    """Show or apply the patches, and return what is found then."""
    from expert.consultation.reviewing import fixes_of, review_project
    from expert.reviewing.fixes import apply_fixes
    from knowledge.shown import shown

    def wanted(finding: ReviewFinding) -> bool:
        if finding.fix is None or finding.fix.applicability == "safe" or not apply:
            return True
        question = f"{finding.id}: {finding.fix.patch} may change what is learnt. Apply it?"
        return sys.stdin.isatty() and click.confirm(question, err=True)

    fixes = fixes_of(reviewed, unsafe=unsafe, wanted=wanted)
    for fix in fixes:
        say(f"{fix.finding.id} ({fix.finding.fix.applicability if fix.finding.fix else ''}):")
        say("\n".join(map(shown, fix.diff.splitlines())))
    if not fixes:
        say("No patch is known that mends what is found.")
    if not apply or not fixes:
        return reviewed
    for path in apply_fixes(Path(reviewed.report.root), fixes):
        say(f"Patched {path}")
    return review_project(reviewed.review.session.knowledge, reviewed.request, answers)


def _print(report: ReviewReport, form: str, everything: bool, output: Path | None) -> None:
    from expert.report.review import review_document, review_record

    if form in ("sarif", "github"):
        text = _sarif(report) if form == "sarif" else _github(report, everything)
        if output is None:
            sys.stdout.write(text)
            return
        write_new(output, text)
        say(f"Report written to {output}")
        return
    emit(review_document(report, everything=everything), review_record(report), form, output)


def _sarif(report: ReviewReport) -> str:
    from expert.report.sarif import sarif_record
    from tonmeister import __version__

    return json.dumps(sarif_record(report, __version__), indent=2, ensure_ascii=False) + "\n"


def _github(report: ReviewReport, everything: bool) -> str:
    from expert.report.annotations import github_annotations

    return github_annotations(report, everything=everything)
