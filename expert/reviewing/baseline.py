"""The baseline: findings that a project had when it adopted the review, so that only new ones are told."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from knowledge.errors import InputError

from .records import ReviewFinding, Suppressed

SCHEMA = "tonmeister.review-baseline/1"


def read_baseline(path: Path) -> dict[str, str]:
    """Return the id of each known finding by its fingerprint.

    Raises:
        InputError: the file cannot be read, or is no baseline.
    """
    try:
        content = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}", hint="--write-baseline writes one.") from None
    except (ValueError, RecursionError):
        raise InputError(f"{path}: not JSON, expected a baseline", hint="--write-baseline writes one.") from None
    if not isinstance(content, dict) or content.get("schema") != SCHEMA or not isinstance(content.get("known"), dict):
        raise InputError(f"{path}: not a baseline of the review ({SCHEMA})", hint="--write-baseline writes one.")
    return {str(key): str(value) for key, value in content["known"].items()}


def baseline_text(findings: Iterable[ReviewFinding]) -> str:
    """Return the text of a baseline that knows these findings; sorted, so that it differs only where they do."""
    known = {finding.fingerprint: finding.id for finding in findings}
    record = {"schema": SCHEMA, "known": dict(sorted(known.items(), key=lambda pair: (pair[1], pair[0])))}
    return json.dumps(record, indent=2) + "\n"


def without_known(
    findings: Iterable[ReviewFinding], known: dict[str, str]
) -> tuple[tuple[ReviewFinding, ...], tuple[Suppressed, ...]]:
    """Divide findings into new ones and those that the baseline knows."""
    kept, old = [], []
    for finding in findings:
        if finding.fingerprint in known:
            old.append(Suppressed(finding, "known since the baseline was written", "baseline"))
        else:
            kept.append(finding)
    return tuple(kept), tuple(old)
