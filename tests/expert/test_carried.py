"""What a rejected round shows of the champion's plan: what is carried over, and what stays with the rejected change."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.plan import Plan, make_plan, patched
from expert.consultation.carried import carried
from expert.consultation.loop import LoopState, choose
from expert.consultation.patch import apply_remedy, diff_lines
from expert.consultation.rounds import Proposal, Round, RoundReport, Score
from expert.ledger import outcomes_of
from knowledge.loader import load_knowledge
from knowledge.records import Fact, Finding

KNOWLEDGE = load_knowledge()
PLAN = make_plan(
    {"task": {"type": "classification"}, "data": {"manifest": "clips.csv"}, "training": {"clip_norm": 0, "epochs": 5}},
    "test",
)
CLIPPED = patched(PLAN, {"training.clip_norm": 1.0})
SCORE = Score("accuracy", 0.8, 0.75, 0.85, 500)


def finding(name: str, rule: str, severity: Any = "error") -> Finding:
    return Finding(name, severity, 0.8, "t", "b", rule)


UNCLIPPED = finding("train.grad_clip", "config.no-gradient-clipping")


def proposal(found: Finding, remedy: str, plan: Plan = PLAN) -> Proposal:
    new = apply_remedy(plan, KNOWLEDGE.remedies[remedy], {"training.epochs": Fact("training.epochs", 5, "plan")})
    return Proposal(found, KNOWLEDGE.remedies[remedy], new, tuple(diff_lines(plan, new)))


def report(
    number: int, plan: Plan, findings: tuple[Finding, ...], *changes: Proposal, gain: float = 0.0
) -> RoundReport:
    kind = "challenger" if changes else "baseline"
    queued = Round(number, kind, plan, Path(f"round-{number}"), changes)
    difference = Score("accuracy", gain, gain - 0.03, gain + 0.03, 500) if changes else None
    verdict = "rejected" if changes else "champion"
    return RoundReport(queued, verdict, SCORE, difference, findings, (), (), (), "completed", 1.0)


EPOCHS = next(rule.id for rule in KNOWLEDGE.rules if rule.then.attribute == "finding.train.epochs_15")
SHORT = finding("train.epochs_15", EPOCHS)
LONGER = proposal(SHORT, "training.twenty-epochs")
CHAMPION = report(2, PLAN, (UNCLIPPED,))
REJECTED = Round(3, "challenger", CLIPPED, Path("round-3"), (proposal(UNCLIPPED, "training.clip-gradients"),))


def test_a_finding_that_the_rejected_change_has_no_part_in_is_carried() -> None:
    (one,) = carried(CHAMPION, REJECTED, [LONGER], KNOWLEDGE)

    assert one.plan.training.epochs == 20
    assert one.plan.training.clip_norm == 0, "the rejected change stays rejected"
    assert one.because.endswith("seen in round 3, which was rejected for another change")


@pytest.mark.parametrize(
    ("champion", "rejected", "made"),
    [
        (report(2, PLAN, (UNCLIPPED, SHORT)), REJECTED, LONGER),
        (CHAMPION, REJECTED, replace(LONGER, finding=replace(SHORT, severity="note"))),
        (CHAMPION, replace(REJECTED, plan=patched(PLAN, {"training.epochs": 6})), LONGER),
        (CHAMPION, REJECTED, replace(LONGER, plan=patched(PLAN, {"training.clip_norm": 5.0}))),
        (CHAMPION, REJECTED, replace(LONGER, remedy=KNOWLEDGE.remedies["data.repair-split"])),
    ],
    ids=["champion showed it", "note", "rule reads what was changed", "remedy changes what was changed", "data"],
)
def test_what_is_not_about_the_plan_alone_is_left_out(champion: RoundReport, rejected: Round, made: Proposal) -> None:
    assert carried(champion, rejected, [made], KNOWLEDGE) == ()


def test_what_is_carried_waits_for_the_champions_own_and_goes_alone() -> None:
    own = proposal(UNCLIPPED, "training.clip-gradients")
    elsewhere = replace(LONGER, seen_in=3)

    assert choose(replace(CHAMPION, proposals=(own, elsewhere))) == (own,)
    assert choose(replace(CHAMPION, proposals=(elsewhere,))) == (elsewhere,)


def test_the_loop_goes_on_with_what_a_rejected_round_showed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = LoopState(KNOWLEDGE, tmp_path, "accuracy", {}, champion=CHAMPION, reports=[CHAMPION])
    own = proposal(UNCLIPPED, "training.clip-gradients")
    state.queued = state.apply([own])

    def read(self: LoopState, queued: Round) -> RoundReport:
        self.carried += carried(CHAMPION, queued, [LONGER], KNOWLEDGE)
        return replace(report(queued.number, queued.plan, (SHORT,), own), round=queued)

    monkeypatch.setattr(LoopState, "_report", read)
    rejected = state.finish_round(state.queued.run)

    (left,) = rejected.proposals
    assert left.seen_in == 2
    queued = state.apply(choose(rejected))
    assert (queued.plan.training.epochs, queued.plan.training.clip_norm) == (20, 0)


def test_a_new_champion_speaks_for_itself() -> None:
    state = LoopState(KNOWLEDGE, Path("loop"), "accuracy", {}, champion=CHAMPION, carried=[LONGER])
    state._crown(report(3, CLIPPED, ()))

    assert state.carried == []


def test_a_finding_that_is_gone_by_construction_is_judged_by_the_score() -> None:
    """Clipping was switched on, so that "no clipping" is gone whatever came of it."""
    made = proposal(UNCLIPPED, "training.clip-gradients")
    kept = [
        outcomes_of(report(3, CLIPPED, (), made, gain=gain), KNOWLEDGE, {}, {})[0].kept for gain in (-0.1, 0.0, 0.1)
    ]

    assert kept == [False, None, True]


def test_a_score_that_no_drawing_changes_has_no_interval() -> None:
    assert str(Score("macro-f1", 1.0, 1.0, 1.0, 13)) == "macro-f1 1.000 [no interval on 13 clips]"
    assert Score("accuracy", 0.13, 0.05, 0.21, 90).interval("+") == "[+0.050, +0.210]"
