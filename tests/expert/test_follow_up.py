"""What became of the findings of an earlier run: gone, still there, or not to be told; and the ledger's lines of it."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from expert.consultation.diagnose import Diagnosis, diagnose_run
from expert.consultation.follow_up import FollowUp, follow_up, outcomes_of
from expert.ledger import LEDGER, read_outcomes
from knowledge.loader import load_knowledge
from tests.engine.run.builders import Made, healthy, write_run
from tonmeister.cli.diagnose import command

KNOWLEDGE = load_knowledge()


def made(clip_norm: float, spikes: bool) -> Made:
    run = healthy()
    run.plan = {"training": {"clip_norm": clip_norm}}
    for place in range(40, 290, 45) if spikes else ():
        run.step_loss[place] *= 12
        run.grad_norm[place] = 40.0
    return run


def diagnosed(folder: Path, run: Made) -> Diagnosis:
    return diagnose_run(KNOWLEDGE, write_run(folder, run))


def fates(follow: FollowUp) -> dict[str, str]:
    return {one.finding.id: one.fate for one in follow.found}


def test_a_remedy_that_worked_and_its_line_in_the_ledger(tmp_path: Path) -> None:
    before = diagnosed(tmp_path / "a", made(0.0, spikes=True))
    follow = follow_up(KNOWLEDGE, before, diagnosed(tmp_path / "b", made(1.0, spikes=False)))

    assert fates(follow)["loss-spikes"] == "gone"
    assert ("training.clip_norm", 0.0, 1.0) in follow.changed
    kept = {(one.finding, one.remedy): one.kept for one in outcomes_of(follow, KNOWLEDGE)}
    assert kept["loss-spikes", "training.clip-gradients"] is True


def test_a_remedy_that_did_not(tmp_path: Path) -> None:
    before = diagnosed(tmp_path / "a", made(0.0, spikes=True))
    follow = follow_up(KNOWLEDGE, before, diagnosed(tmp_path / "b", made(1.0, spikes=True)))

    assert fates(follow)["loss-spikes"] == "still there"
    assert {one.kept for one in outcomes_of(follow, KNOWLEDGE) if one.finding == "loss-spikes"} == {False}
    spikes = next(one for one in follow.found if one.finding.id == "loss-spikes")
    assert any(name == "run.spikes" and old == new for name, old, new in spikes.numbers)


def test_what_was_not_changed_is_no_outcome(tmp_path: Path) -> None:
    before = diagnosed(tmp_path / "a", made(0.0, spikes=True))
    follow = follow_up(KNOWLEDGE, before, diagnosed(tmp_path / "b", made(0.0, spikes=False)))

    assert outcomes_of(follow, KNOWLEDGE) == ()


def test_a_foreign_run_with_a_remedy_that_the_user_names(tmp_path: Path) -> None:
    logs = []
    for name, late in (("a", 1.5), ("b", 0.1)):
        rows = [f"{epoch},{2 / (epoch + 1)},{late if epoch > 8 else 1.2 / (epoch + 1)}" for epoch in range(16)]
        logs.append(tmp_path / f"{name}.csv")
        logs[-1].write_text("epoch,loss,val_loss\n" + "\n".join(rows) + "\n")
    ledger = tmp_path / LEDGER
    told = CliRunner().invoke(
        command,
        [str(logs[1]), "--before", str(logs[0]), "--applied", "training.early-stopping", "--ledger", str(ledger)],
    )

    assert told.exit_code == 0, told.output
    assert "gone: overfitting" in told.output
    (outcome,) = read_outcomes(ledger)
    assert (outcome.remedy, outcome.finding, outcome.kept) == ("training.early-stopping", "overfitting", True)
