"""A review as SARIF 2.1.0, for code scanning and editors; says nothing that the report does not say."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import quote

from knowledge.records import Evidence
from knowledge.shown import shown

from ..reviewing.assembly import place
from ..reviewing.records import ReviewFinding, ReviewReport, Suppressed

SCHEMA_URL = "https://json.schemastore.org/sarif-2.1.0.json"
FINGERPRINT = "primaryLocationLineHash"
"""The one that code scanning follows findings by."""
_ROOT = "PROJECT"


def sarif_record(report: ReviewReport, version: str) -> dict[str, Any]:
    """Return the log with one run; silenced findings stand in it as suppressed results.

    Args:
        report: the review.
        version: that of Tonmeister.
    """
    told = (*report.findings, *report.advice)
    every = (*told, *(item.finding for item in report.suppressed))
    rules = {finding.id: _rule(finding) for finding in sorted(every, key=lambda each: each.id)}
    numbers = {name: number for number, name in enumerate(rules)}
    results = [_result(finding, numbers[finding.id]) for finding in told]
    results += [_suppressed(item, numbers[item.finding.id]) for item in report.suppressed]
    driver = {"name": "Tonmeister", "semanticVersion": version, "rules": list(rules.values())}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The folder of the project that was reviewed."}}},
        "results": results,
        "invocations": [{"executionSuccessful": True, "toolExecutionNotifications": _notifications(report)}],
    }
    return {"$schema": SCHEMA_URL, "version": "2.1.0", "runs": [run]}


def _rule(finding: ReviewFinding) -> dict[str, Any]:
    rule: dict[str, Any] = {
        "id": finding.id,
        "name": "".join(part.title() for part in finding.id.replace(".", "_").replace("-", "_").split("_")),
        "shortDescription": {"text": finding.title},
        "fullDescription": {"text": finding.why or finding.why_here},
        "defaultConfiguration": {"level": finding.severity},
        "properties": {"tags": [finding.dimension, "machine-learning", "audio"]},
    }
    link = next((item.url for item in finding.implementation if item.url), "")
    return {**rule, "helpUri": link} if link else rule


def _result(finding: ReviewFinding, number: int) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.id,
        "ruleIndex": number,
        "level": finding.severity,
        "message": {"text": shown(message(finding))},
        "locations": [_location(finding.anchor)] if finding.anchor else [],
        "partialFingerprints": {FINGERPRINT: f"{finding.fingerprint}:1"},
        "rank": round(100 * min(1.0, finding.rank), 2),
        "properties": {"confidence": finding.confidence, "dimension": finding.dimension, "rule": finding.rule},
    }
    related = [_location(item, number) for number, item in enumerate(finding.locations) if item is not finding.anchor]
    return {**result, "relatedLocations": related} if related else result


def _suppressed(item: Suppressed, number: int) -> dict[str, Any]:
    kind = "inSource" if item.by not in ("baseline", "settings") else "external"
    suppression = {"kind": kind, "status": "accepted", "justification": shown(item.reason)}
    return {**_result(item.finding, number), "suppressions": [suppression]}


def message(finding: ReviewFinding) -> str:
    """Return what and why here in two sentences, and of a notebook the cell."""
    return f"{finding.title}: {finding.what}. {finding.why_here}"


def _location(item: Evidence, number: int | None = None) -> dict[str, Any]:
    """Of a notebook no line is named: ours counts the lines of its cells, not those of the file; the text says it."""
    region = {"startLine": item.line, "endLine": max(item.end_line or 0, item.line or 1)}
    artifact = {"uri": quote(os.fsencode(item.path or "")), "uriBaseId": _ROOT}
    physical: dict[str, Any] = (
        {"artifactLocation": artifact} if item.cell else {"artifactLocation": artifact, "region": region}
    )
    location: dict[str, Any] = {"physicalLocation": physical}
    if number is not None:
        location |= {"id": number, "message": {"text": shown(item.text)}}
    elif item.cell:
        location["message"] = {"text": place(item)}
    return location


def _notifications(report: ReviewReport) -> list[dict[str, Any]]:
    """What is not decided, and remarks: no result, so that no build fails for it."""
    notes = [(row.id, "; ".join((*row.why, *row.decided_by)) or "no rule could tell") for row in report.undecided]
    notes += [(remark.id, remark.text) for remark in report.remarks]
    return [{"descriptor": {"id": name}, "level": "note", "message": {"text": shown(text)}} for name, text in notes]
