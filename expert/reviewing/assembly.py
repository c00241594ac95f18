"""Puts the report of a review together from the states of the checks and what is known of them; prints nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from knowledge.records import SEVERITIES, Evidence, Finding
from knowledge.reviewing import ReviewDocument
from knowledge.rulebook import Knowledge, Rule

from .baseline import without_known
from .facts import evidence_behind, facts_behind, facts_told
from .fingerprints import fingerprint
from .records import CheckRow, FixOffer, Remark, ReviewFinding, ReviewReport, Searched, Suppressed
from .settings import ReviewSettings
from .suppression import suppress, suppressions

if TYPE_CHECKING:
    from ..consultation.review import CheckState, Review

UNPARSABLE = "project.unparsable"


def review_report(
    review: Review,
    *,
    settings: ReviewSettings | None = None,
    audit_findings: Mapping[str, str] | None = None,
    baseline: Mapping[str, str] | None = None,
    follow_suppressions: bool = True,
) -> ReviewReport:
    """Return everything that a review tells.

    Args:
        review: the states of the checks.
        settings: what the project wants to hear of; default: everything.
        audit_findings: title by id of what an audit of the data set found.
        baseline: id by fingerprint of findings that are known.
        follow_suppressions: whether comments in the code silence findings.
    """
    settings = settings or ReviewSettings()
    project = review.script.project
    rows = tuple(_row(state, review.session.knowledge) for state in review.checks)
    found = [_finding(each, review, audit_findings or {}) for each in review.session.findings]
    found = sorted([*_unparsable(review), *found], key=lambda each: (-each.rank, each.id))
    wanted, unwanted = settings.divide(found)
    comments = suppressions(project) if follow_suppressions else ()
    kept, silenced, idle = suppress(wanted, comments)
    fresh, known = without_known(kept, dict(baseline or {}))
    return ReviewReport(
        root=str(project.root),
        entry=project.entry,
        alternatives=project.alternatives,
        launches=tuple(str(launch.place) for launch in project.launches),
        configurations=review.script.configurations,
        checks=rows,
        findings=tuple(each for each in fresh if not each.advisory),
        most_shown=int(review.session.knowledge.settings["review.behind-all"].least) - 1,
        advice=tuple(each for each in fresh if each.advisory),
        undecided=tuple(row for row in rows if row.state == "undecidable" and settings.wants(row.id, row.id)),
        suppressed=(*silenced, *known, *(Suppressed(each, why, "settings") for each, why in unwanted)),
        remarks=(*idle, *(Remark("project.cut", why) for why in review.script.cut)),
        searched=searched(review),
    )


def searched(review: Review) -> Searched:
    """Return how far the search went."""
    calls = [call for call in review.script.trace if call.main]
    unresolved = sum(call.name.startswith("?") or not call.complete for call in calls)
    return Searched(len(review.script.project.sources), len(calls), unresolved)


def _row(state: CheckState, knowledge: Knowledge) -> CheckRow:
    about = knowledge.reviews.get(state.id)
    why, decided_by = _reasons(state.why)
    via = next((item.via for item in state.evidence if item.via), "") if state.state == "present" else ""
    title = about.title if about else state.id
    dimension = state.id.partition(".")[0]
    ask = about.ask if about else ""
    advisory = bool(about and about.advisory)
    known = state.state
    assert known in ("present", "missing", "not-applicable", "undecidable")
    return CheckRow(state.id, dimension, title, known, state.evidence, via, why, decided_by, ask, state.rule, advisory)  # type: ignore[arg-type]


def _reasons(why: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Take `fact: reason; something would tell` apart into reasons and what would tell, each once."""
    reasons, deciding = [], []
    for each in why:
        text = each.partition(": ")[2] or each
        reason, _, tells = text.rpartition("; ")
        if reason and tells.endswith(" would tell"):
            reasons.append(reason)
            deciding.append(tells.removesuffix(" would tell"))
        else:
            reasons.append(text)
    return tuple(dict.fromkeys(reasons)), tuple(dict.fromkeys(deciding))


def _finding(finding: Finding, review: Review, audited: Mapping[str, str]) -> ReviewFinding:
    knowledge = review.session.knowledge
    about = knowledge.reviews.get(finding.id)
    confirmed = tuple(audited[each] for each in about.confirmed_by if each in audited) if about else ()
    locations = _locations(finding, review)
    anchor = next((item for item in locations if item.path and item.line), None)
    idle = _without_effect(finding, about, review)
    behind = facts_behind(review, f"finding.{finding.id}")
    reach = searched(review)
    return ReviewFinding(
        id=finding.id,
        rule=finding.rule,
        dimension=finding.id.partition(".")[0],
        title=finding.title,
        state="ineffective" if idle else "missing",
        severity=finding.severity,
        confidence=finding.confidence,
        rank=_rank(finding, about, bool(confirmed), review),
        what=_what(finding, locations, reach),
        why_here=finding.because if idle is None or idle.id == finding.rule else f"{idle.because} {finding.because}",
        why=about.why if about else "",
        locations=locations,
        facts=tuple(dict.fromkeys((*behind, *facts_told(review, about)))),
        searched=reach,
        implementation=about.implementation if about else (),
        recipe=about.recipe if about else "",
        fix=_offer(review, about),
        confirmed=confirmed,
        sources=finding.sources,
        fingerprint=fingerprint(review.script.project, finding.rule, anchor),
        advisory=bool(about and about.advisory),
    )


def _offer(review: Review, about: ReviewDocument | None) -> FixOffer | None:
    """Return the patch that is known for a finding; lines to look at, where it does not fit this script."""
    from engine.patches.selection import can_select_best

    if about is None or not (about.patch or about.example):
        return None
    fits = about.patch and (about.patch != "select-best" or can_select_best(review.script))
    return FixOffer(about.patch, about.applicability, about.example) if fits else FixOffer("", "display", about.example)


def _without_effect(finding: Finding, about: ReviewDocument | None, review: Review) -> Rule | None:
    """Return the rule by which it is written and has no effect, the one that reports it or that judges its check."""
    about_it = ("finding." + finding.id, "check." + finding.id)
    rules = [firing.rule for firing in review.session.firings if firing.rule.then.attribute in about_it]
    held = [rule for rule in rules if about is not None and rule.id in about.ineffective]
    settled = {name: review.session.facts[name].value for name in about_it if name in review.session.facts}
    return next((rule for rule in held if settled.get(rule.then.attribute) == rule.then.value), None)


def _locations(finding: Finding, review: Review) -> tuple[Evidence, ...]:
    """Return the places of a finding: those of its check, else those of the facts behind it."""
    state = next((each for each in review.checks if each.id == finding.id and each.state == "missing"), None)
    evidence = state.evidence if state else evidence_behind(review, f"finding.{finding.id}")
    found = [item for item in (*evidence, *finding.evidence) if item.path and item.line]
    return tuple(dict.fromkeys(found))


def _rank(finding: Finding, about: ReviewDocument | None, confirmed: bool, review: Review) -> float:
    """Severity by confidence by how much hangs on it; what the data set shows as well counts a severity more.

    What another finding stands for already counts one less: three generators without a seed are one oversight.
    """
    step = review.session.knowledge.settings["review.severity-step"].least
    told = {each.id for each in review.session.findings} & set(about.told_with if about else ())
    mildness = SEVERITIES.index(finding.severity) - confirmed + bool(told)
    return round(step**-mildness * finding.confidence * (about.weight if about else 1), 4)


def _what(finding: Finding, locations: tuple[Evidence, ...], reach: Searched) -> str:
    """Say what was looked for and where it is absent; never more than the search supports."""
    calls = f"{reach.calls} calls searched"
    if not locations:
        return f"{finding.title} ({calls})"
    first = locations[0]
    more = f" and {len(locations) - 1} more" if len(locations) > 1 else ""
    return f"{first.text} at {place(first)}{more} ({calls})"


def place(item: Evidence) -> str:
    """Return where something stands, as a person says it; of a notebook the cell too."""
    cell = f" (cell {item.cell})" if item.cell else ""
    return f"{item.path}:{item.line}{cell}"


def _unparsable(review: Review) -> Iterator[ReviewFinding]:
    """One finding for each file that cannot be read; what it holds is part of no search."""
    project = review.script.project
    for broken in project.broken:
        where = Evidence(broken.reason, broken.place.path, broken.place.line)
        entry = broken.place.path == project.entry
        severity = SEVERITIES[0] if entry else SEVERITIES[-1]
        finding = Finding(
            UNPARSABLE, severity, 1.0, "A file cannot be read", "What it holds is part of no search.", UNPARSABLE
        )
        base = _finding(replace(finding, evidence=(where,), location=where), review, {})
        yield replace(base, what=f"{Path(broken.place.path).name} is not read: {broken.reason} ({place(where)})")
