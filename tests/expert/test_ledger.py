"""The outcome ledger, and what is made of it: what counts as kept, what is never written twice, when to propose."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.plan import Plan
from expert.calibration import Calibration, calibrate, overlay
from expert.consultation.loop import LoopState
from expert.consultation.rounds import Proposal, Round, RoundReport, Score, Verdict
from expert.ledger import LEDGER, Outcome, append_outcomes, ledgers_below, outcomes_of, read_outcomes
from knowledge.errors import InputError
from knowledge.layers import knowledge_in_force
from knowledge.loader import load_knowledge
from knowledge.records import Finding, NotAssessable
from knowledge.rulebook import Knowledge

from . import builders
from .builders import entry, knowledge, remedy, rule, vocabulary

WORDS = vocabulary(entry("run.gap"), entry("out.rate", kind="decision"), findings=("overfitting",))
REMEDY = remedy(WORDS, "training.less", {"training.epochs": 3})
BOOK = replace(
    knowledge(
        WORDS,
        rule(WORDS, "fit.over", [{"run.gap": "> 0.2"}], {"finding": "overfitting"}, certainty=0.8),
        remedies=[REMEDY],
    ),
    settings=builders.settings(calibration__outcomes=10, calibration__change=0.05, calibration__prior_outcomes=10),
)
FINDING = Finding("overfitting", "warning", 0.8, "t", "b", "fit.over")


def report(
    findings: tuple[Finding, ...] = (),
    verdict: Verdict = "champion",
    gain: float | None = None,
    unknown: tuple[NotAssessable, ...] = (),
) -> RoundReport:
    plan = Plan.model_construct()
    queued = Round(2, "challenger", plan, Path("runs/a/round-2"), (Proposal(FINDING, REMEDY, plan, ("d",)),))
    score = None if gain is None else Score("accuracy", gain, gain - 0.01, gain + 0.01, 30)
    return RoundReport(queued, verdict, score, score, findings, unknown, (), (), "completed", 1.0)


@pytest.mark.parametrize(
    ("made", "kept", "showed"),
    [
        (report(), True, "the finding is gone"),
        (report(gain=0.1), True, "the finding is gone"),
        (report(gain=-0.005), True, "the finding is gone"),
        (report(gain=-0.1), False, "the finding is gone, and the score fell by 0.100"),
        (report((FINDING,)), False, "the finding is still there"),
        (report(unknown=(NotAssessable("overfitting"),)), None, "the next run is too short to say"),
        (report(verdict="failed"), None, "the run ended as completed"),
    ],
)
def test_what_the_next_run_showed(made: RoundReport, kept: bool | None, showed: str) -> None:
    (one,) = outcomes_of(made, BOOK, {"run.gap": 0.4, "run.other": 1}, {"run.gap": 0.1})

    assert (one.kept, one.showed, one.alone) == (kept, showed, True)
    assert (one.promised, one.certainty, one.before, one.after) == ("better", 0.8, {"run.gap": 0.4}, {"run.gap": 0.1})


def outcome(run: int = 1, kept: bool | None = True, alone: bool = True, name: str = "fit.over") -> Outcome:
    return Outcome(f"run-{run}", "training.less", "better", "overfitting", name, 0.8, kept, "shown", alone)


def test_a_ledger_grows_and_never_repeats_itself(tmp_path: Path) -> None:
    path = tmp_path / "loop" / LEDGER

    assert append_outcomes(path, [outcome(1)]) == 1
    first = path.read_bytes()
    assert append_outcomes(path, [outcome(1), outcome(2, None)]) == 1
    assert path.read_bytes().startswith(first)
    assert read_outcomes(path) == (outcome(1), outcome(2, None))
    assert ledgers_below([tmp_path]) == (path,)


def test_a_round_without_remedies_makes_no_ledger(tmp_path: Path) -> None:
    assert append_outcomes(tmp_path / LEDGER, ()) == 0
    assert not (tmp_path / LEDGER).exists()


def test_a_torn_line_is_left_behind_and_the_next_one_stands_alone(tmp_path: Path) -> None:
    path = tmp_path / LEDGER
    append_outcomes(path, [outcome(1), outcome(2)])
    path.write_bytes(path.read_bytes()[:-20])

    assert read_outcomes(path) == (outcome(1),)
    append_outcomes(path, [outcome(3)])
    assert read_outcomes(path) == (outcome(1), outcome(3))


@pytest.mark.parametrize("line", ["[]", '{"schema": "other/1"}', '{"schema": "tonmeister.outcome/1", "run": 1}', "x"])
def test_a_line_that_is_no_outcome_is_refused_with_its_number(tmp_path: Path, line: str) -> None:
    path = tmp_path / LEDGER
    append_outcomes(path, [outcome(1)])
    good = path.read_text()
    path.write_text(f"{good}{line}\n{good}")

    with pytest.raises(InputError, match=r"outcomes\.jsonl:2 is no outcome"):
        read_outcomes(path)


# --- calibration


def many(kept: int, broken: int) -> list[Outcome]:
    return [outcome(number, number < kept) for number in range(kept + broken)]


def only(outcomes: list[Outcome], book: Knowledge = BOOK) -> Calibration:
    (one,) = calibrate(book, outcomes)
    return one


def test_ten_outcomes_that_disagree_move_a_certainty() -> None:
    one = only(many(2, 8))

    assert (one.stated, one.kept, one.broken, one.proposed) == (0.8, 2, 8, 0.5)
    assert one.mean == pytest.approx((8 + 2) / 20)
    assert one.low < one.mean < one.high


@pytest.mark.parametrize(("kept", "broken"), [(1, 8), (8, 2), (0, 0)])
def test_few_outcomes_or_such_as_were_stated_propose_nothing(kept: int, broken: int) -> None:
    found = calibrate(BOOK, many(kept, broken))

    assert [one.proposed for one in found] == ([None] if kept else [])
    assert overlay(found) == ""


def test_what_cannot_be_told_apart_does_not_count() -> None:
    others = [outcome(30, None), outcome(31, False, alone=False), outcome(1), outcome(32, False, name="gone.rule")]

    assert only([outcome(1), *others]) == only([outcome(1)])


@given(st.integers(0, 40), st.integers(0, 40))
def test_the_posterior_lies_between_what_was_stated_and_what_was_seen(kept: int, broken: int) -> None:
    if kept + broken:
        one = only(many(kept, broken))
        seen = kept / (kept + broken)
        assert min(seen, 0.8) - 1e-9 <= one.mean <= max(seen, 0.8) + 1e-9
        assert 0 <= one.low <= one.high <= 1
        assert only(many(kept + 1, broken)).mean > one.mean > only(many(kept, broken + 1)).mean


def test_a_proposal_can_be_laid_over_the_shipped_rulebook(tmp_path: Path) -> None:
    shipped = load_knowledge()
    name = next(one.id for one in shipped.rules if one.then.kind == "finding" and one.certainty == 0.8)
    found = calibrate(shipped, [outcome(number, False, name=name) for number in range(10)])
    (folder := tmp_path / ".tonmeister" / "knowledge").mkdir(parents=True)
    (folder / "outcomes.yaml").write_text(overlay(found))

    changed = knowledge_in_force(tmp_path).rule(name)

    assert changed is not None and changed.own is not None
    assert changed.certainty == found[0].proposed == 0.4
    assert "Of 10 remedies tried for it here, 0 kept their promise" in changed.own.reason


def test_a_loop_writes_its_ledger_once_a_round(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = LoopState(BOOK, tmp_path, "accuracy", {})
    first = report((FINDING,))
    plain = replace(first.round, number=1, kind="first", run=tmp_path / "round-1", changes=())
    rounds = [replace(first, round=plain), replace(report(), round=replace(first.round, run=tmp_path / "round-2"))]

    def diagnosed(self: LoopState, queued: Round) -> RoundReport:
        self.facts[queued.number] = {"run.gap": 0.5 / queued.number}
        return rounds[queued.number - 1]

    monkeypatch.setattr(LoopState, "_report", diagnosed)
    for one in rounds:
        state.queued = one.round
        state.finish_round(one.round.run)

    (written,) = read_outcomes(tmp_path / LEDGER)
    assert (written.run, written.kept) == (str(tmp_path / "round-2"), True)
    assert (written.before, written.after) == ({"run.gap": 0.5}, {"run.gap": 0.25})
