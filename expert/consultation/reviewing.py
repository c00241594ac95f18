"""The review as a person asks for it: settings, answers and the data set joined with the script; prints nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from knowledge.errors import InputError, UsageError
from knowledge.records import Fact
from knowledge.rulebook import Knowledge

from ..reviewing.assembly import review_report
from ..reviewing.baseline import read_baseline
from ..reviewing.cache import digest_of, keep_report, read_report
from ..reviewing.fixes import Fix, propose_fixes
from ..reviewing.records import ReviewFinding, ReviewReport
from ..reviewing.settings import ReviewSettings, read_settings
from .review import CHECK, Review, review_script

_MOST_AUDIT_BYTES = 100_000_000


@dataclass(frozen=True)
class ReviewRequest:
    """What somebody wants reviewed; what stands here goes before the settings of the project."""

    path: Path
    entry: str = ""
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    data: Path | None = None
    """A manifest, or the JSON report of an audit."""
    baseline: Path | None = None
    follow_suppressions: bool = True


@dataclass(frozen=True)
class Reviewed:
    """A review with its report."""

    request: ReviewRequest
    settings: ReviewSettings
    review: Review
    report: ReviewReport
    joined: tuple[Fact, ...] = ()
    """Answers and facts of the data set, which were joined with what the script says."""


def review_project(knowledge: Knowledge, request: ReviewRequest, answers: Mapping[str, Any] | None = None) -> Reviewed:
    """Review a script or project as asked for.

    Args:
        knowledge: the rulebooks.
        request: what is reviewed.
        answers: facts, and states of checks, that somebody gave just now; they go before all written ones.

    Raises:
        InputError: the script, the answers, the audit or the baseline cannot be read.
        UsageError: an answer or a setting does not fit.
    """
    settings = _settings(request)
    known = {**settings.answers, **(answers or {})}
    audited, audit_findings = _audited(knowledge, request.data)
    joined = (*audited, *_answered(knowledge, known))
    review = review_script(
        knowledge,
        request.path,
        entry=request.entry or _entry(settings, request),
        launch=settings.launch,
        extra_facts=joined,
    )
    known_before = _baseline(settings, request)
    report = review_report(
        review,
        settings=settings,
        audit_findings=audit_findings,
        baseline=known_before,
        follow_suppressions=request.follow_suppressions,
    )
    return Reviewed(request, settings, review, report, joined)


def review_cached(
    knowledge: Knowledge, request: ReviewRequest, answers: Mapping[str, Any] | None = None
) -> ReviewReport:
    """Return the report of `review_project`, from the cache where nothing has changed since it was kept."""
    if not request.path.exists() or request.data is not None:
        return review_project(knowledge, request, answers).report
    settings = _settings(request)
    known = _baseline(settings, request)
    more = (knowledge.digest, repr(request), repr(settings), repr(known), repr(answers))
    digest = digest_of(request.path, *more)
    report = read_report(digest)
    if report is None:
        report = review_project(knowledge, request, answers).report
        keep_report(digest, report)
    return report


def fixes_of(
    reviewed: Reviewed, *, unsafe: bool = False, wanted: Callable[[ReviewFinding], bool] = lambda _: True
) -> tuple[Fix, ...]:
    """Return the patches that mend what is found, each tried by reading its result again; nothing is written."""
    findings = [each for each in (*reviewed.report.findings, *reviewed.report.advice) if unsafe or _is_safe(each)]
    return propose_fixes(reviewed.review, filter(wanted, findings), unsafe=unsafe, known=reviewed.joined)


def _is_safe(finding: ReviewFinding) -> bool:
    return finding.fix is not None and finding.fix.applicability == "safe"


def _settings(request: ReviewRequest) -> ReviewSettings:
    """Return the project's settings with what the command line says laid over them."""
    if not request.path.exists():
        return ReviewSettings()
    read = read_settings(request.path)
    return ReviewSettings(
        **{
            **vars(read),
            "select": request.select or read.select,
            "ignore": (*read.ignore, *request.ignore),
        }
    )


def _entry(settings: ReviewSettings, request: ReviewRequest) -> str:
    """The entry of the settings, for the folder that they stand in."""
    at_home = request.path.is_dir() and settings.folder == request.path.absolute()
    return settings.entry if at_home else ""


def _baseline(settings: ReviewSettings, request: ReviewRequest) -> dict[str, str]:
    if request.baseline is not None:
        return read_baseline(request.baseline)
    return read_baseline((settings.folder or Path()) / settings.baseline) if settings.baseline else {}


def _answered(knowledge: Knowledge, answers: Mapping[str, Any]) -> list[Fact]:
    """Return answers as facts; the id of a check stands for its state.

    Raises:
        UsageError: an answer names no fact and no check, or a value does not fit.
    """
    entries = knowledge.vocabulary.entries
    facts = []
    for name, value in answers.items():
        fact = f"{CHECK}{name}" if f"{CHECK}{name}" in entries else name
        if not fact.startswith((CHECK, "script.", "dataset.", "task.")) or fact not in entries:
            raise UsageError(
                f"answer {name}: expected the id of a check, or a fact script.*, dataset.* or task.*",
                hint="`tonmeister review PATH --all` lists the checks.",
            )
        facts.append(Fact(fact, knowledge.vocabulary.user_fact(fact, value, f"answer {name}").value, "user"))
    return facts


def _audited(knowledge: Knowledge, data: Path | None) -> tuple[list[Fact], dict[str, str]]:
    """Return the facts of a data set, and the titles of what its audit found by id."""
    if data is None:
        return [], {}
    if data.suffix == ".json" and data.is_file():
        return _from_report(knowledge, data)
    from .audit import audit_dataset

    audit = audit_dataset(knowledge, data, decode=False)
    facts = [fact for fact in audit.session.facts.values() if fact.source == "audit" and not fact.subject]
    return facts, {finding.id: finding.title for finding in audit.session.findings}


def _from_report(knowledge: Knowledge, path: Path) -> tuple[list[Fact], dict[str, str]]:
    """Read what `tonmeister audit --format json` wrote."""
    try:
        if path.stat().st_size > _MOST_AUDIT_BYTES:
            raise InputError(f"{path}: larger than any report of an audit", hint="Name the manifest instead.")
        content = json.loads(path.read_text("utf-8"))
        measured = [
            Fact(name, item["value"], "audit", n=item.get("n")) for group in ("dataset", "task")
            for name, item in content["facts"].get(group, {}).items() if item["source"] == "audit"
        ]  # fmt: skip
        found = {str(item["id"]): str(item["title"]) for item in content["findings"]}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise InputError(
            f"{path}: not a report of an audit",
            hint="`tonmeister audit MANIFEST --format json --output FILE` writes one.",
        ) from None
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None
    entries = knowledge.vocabulary.entries
    facts = (knowledge.vocabulary.admit(fact) for fact in measured if fact.name in entries)
    return [fact for fact in facts if isinstance(fact, Fact)], found
