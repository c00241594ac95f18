"""What was said of planted runs: a line for each, kept as soon as it is there, and the shares that are promised.

Trains and diagnoses nothing; `benchmarks.planted_runs` does.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Result:
    """What was said of one planted run."""

    case: str
    seed: int
    findings: tuple[str, ...]
    """Of the run, warnings and errors; what the audit says of single clips is left out."""
    symptom: bool
    first: str
    """The cause that came first, after the tests."""
    standing: str
    rank: int
    """Of the planted cause after the tests, from 1; 0 where it was not named."""
    rank_before: int
    """The same before any test was run."""
    tests: tuple[str, ...]
    cpu_seconds: float
    notes: tuple[str, ...] = ()


def read_rows(path: Path) -> list[Result]:
    """Return the lines of a file of results; none where it is missing."""
    if not path.exists():
        return []
    return [_result(json.loads(line)) for line in path.read_text("utf-8").splitlines()]


def append_row(path: Path, row: Result) -> None:
    """Keep one result, so that what is stopped later keeps what it has."""
    with path.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(asdict(row)) + "\n")


def _result(record: dict[str, Any]) -> Result:
    values: Any = {name: tuple(value) if isinstance(value, list) else value for name, value in record.items()}
    return Result(**values)


def summary(results: Iterable[Result]) -> dict[str, Any]:
    """Return the shares that the project promises."""
    rows = list(results)
    planted = [row for row in rows if not row.case.startswith("healthy")]
    healthy = [row for row in rows if row.case.startswith("healthy")]
    return {
        "planted_runs": len(planted),
        "causes": len({row.case for row in planted}),
        "right_symptom": _share(row.symptom for row in planted),
        "right_cause_first": _share(row.rank == 1 for row in planted),
        "right_cause_first_before_any_test": _share(row.rank_before == 1 for row in planted),
        "asserted_first": _share(row.rank == 1 and row.standing == "asserted" for row in planted),
        "wrong_cause_asserted_first": _share(row.rank != 1 and row.standing == "asserted" for row in planted),
        "healthy_runs": len(healthy),
        "false_alarms": [f"{row.case} {row.seed}: {name}" for row in healthy for name in row.findings],
        "cpu_seconds": round(sum(row.cpu_seconds for row in rows), 1),
    }


def _share(hits: Iterable[bool]) -> float | None:
    found = list(hits)
    return round(sum(found) / len(found), 4) if found else None


def by_case(results: Iterable[Result]) -> dict[str, dict[str, Any]]:
    """Return for each cause what was seen, who came first, and the ranks over the seeds."""
    table: dict[str, list[Result]] = {}
    for row in results:
        table.setdefault(row.case, []).append(row)
    return {
        name: {
            "symptom": f"{sum(row.symptom for row in rows)}/{len(rows)}",
            "cause_first": f"{sum(row.rank == 1 for row in rows)}/{len(rows)}",
            "ranks": [row.rank for row in rows],
            "ranks_before_any_test": [row.rank_before for row in rows],
            "first": sorted({f"{row.first} ({row.standing})" for row in rows}),
            "findings": sorted({finding for row in rows for finding in row.findings}),
            "tests": sorted({test for row in rows for test in row.tests}),
        }
        for name, rows in table.items()
    }
