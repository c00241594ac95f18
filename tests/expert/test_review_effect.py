"""Findings say whether something is absent or written without effect, and tell the facts that it means something by."""

from __future__ import annotations

from pathlib import Path

import pytest

from expert.consultation.review import review_script
from expert.reviewing.assembly import review_report
from expert.reviewing.records import ReviewFinding
from knowledge.loader import load_knowledge
from tests.engine.script.projects import lay
from tests.engine.script.reviewed import loop

CLIP = "torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)"


def findings(folder: Path, text: str) -> dict[str, ReviewFinding]:
    lay(folder, {"train.py": text})
    report = review_report(review_script(load_knowledge(), folder, entry="train.py"))
    return {each.id: each for each in (*report.findings, *report.advice)}


@pytest.mark.parametrize(("parts", "state"), [({}, "missing"), ({"after_step": CLIP}, "ineffective")])
def test_clipping_is_missing_or_without_effect(tmp_path: Path, parts: dict[str, str], state: str) -> None:
    found = findings(tmp_path, loop(**parts))["train.grad_clip"]
    assert found.state == state
    assert ("behind the step" in found.why_here) is (state == "ineffective")


def test_effective_clipping_is_no_finding(tmp_path: Path) -> None:
    assert "train.grad_clip" not in findings(tmp_path, loop(between=CLIP))


def test_a_schedule_that_is_never_stepped_is_without_effect(tmp_path: Path) -> None:
    text = loop(before="schedule = torch.optim.lr_scheduler.StepLR(optimizer, 5)")
    assert findings(tmp_path, text)["train.sched_step_ok"].state == "ineffective"


def test_a_finding_tells_what_it_means_here(tmp_path: Path) -> None:
    found = findings(tmp_path, loop(epochs="5", optimizer="torch.optim.Adam(net.parameters(), lr=0.001)"))
    facts = {each.name: each.value for each in found["train.epochs_15"].facts}
    assert facts["script.epochs"] == 5
    assert facts["script.batch_size"] == 2


def test_every_check_tells_something() -> None:
    reviews = load_knowledge().reviews
    assert not [name for name, each in reviews.items() if each.is_check and not each.tells]
