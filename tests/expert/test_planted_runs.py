"""A few planted causes on real digits, as the benchmark measures all of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.planted_causes import CASES, CONTROLS
from benchmarks.planted_figures import summary
from benchmarks.planted_runs import diagnosed_case
from knowledge.loader import load_knowledge

BY_NAME = {case.name: case for case in (*CASES, *CONTROLS)}
FINDINGS = {rule.then.attribute.removeprefix("finding.") for rule in load_knowledge().rules}
CAUSES = {cause.id for cause in load_knowledge().causes}


@pytest.mark.parametrize("name", ["too-few-epochs", "features-cancelled"])
def test_the_planted_cause_comes_first(name: str, tmp_path: Path, test_data: Path) -> None:
    result = diagnosed_case(BY_NAME[name], 0, tmp_path)

    assert result.symptom, result
    assert result.rank == 1, result
    assert result.standing == "asserted"


def test_a_healthy_twin_raises_no_alarm_and_asks_for_no_test(tmp_path: Path, test_data: Path) -> None:
    result = diagnosed_case(BY_NAME["healthy-digits"], 0, tmp_path)

    assert result.findings == ()
    assert result.standing != "asserted"
    assert summary([result])["false_alarms"] == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_case_names_findings_and_causes_that_exist(case) -> None:  # type: ignore[no-untyped-def]
    assert set(case.symptoms) <= FINDINGS
    assert case.causes and set(case.causes) <= CAUSES
