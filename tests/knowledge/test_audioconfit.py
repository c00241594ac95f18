"""What the rules about training in pairs say of the table of S004, checked against its figures (audioconfit.csv)."""

import csv
from collections.abc import Mapping
from pathlib import Path
from statistics import mean

import pytest
from scipy.stats import spearmanr

from expert.consultation.plan import draft_plan
from knowledge.loader import load_knowledge
from knowledge.records import Fact

Row = Mapping[str, str]
ROWS: list[Row] = list(csv.DictReader(Path(__file__).with_name("audioconfit.csv").read_text("utf-8").splitlines()))
SETS = {row["dataset"]: int(row["classes"]) for row in ROWS}
CLIPS = {row["dataset"]: int(row["clips"]) for row in ROWS}


def gain(row: Row) -> float:
    return float(row["pairtune"]) - float(row["finetune"])


def gains(dataset: str) -> list[float]:
    return [gain(row) for row in ROWS if row["dataset"] == dataset]


def test_pairs_win_in_every_cell() -> None:
    assert len(ROWS) == 18
    assert all(gain(row) > 0 for row in ROWS)


def test_the_gain_on_hundreds_of_classes_is_what_the_rule_says() -> None:
    assert (round(min(gains("TIMIT"))), round(max(gains("TIMIT")))) == (9, 18)


def test_the_gain_on_fewer_classes_is_what_the_rule_says() -> None:
    others = [gain(row) for row in ROWS if row["dataset"] != "TIMIT"]

    assert (round(min(others), 1), round(max(others), 1)) == (0.3, 3.3)


def test_the_gain_grows_with_the_classes_only_because_of_one_set() -> None:
    by_classes = sorted(SETS, key=lambda name: SETS[name])
    means = [mean(gains(name)) for name in by_classes]

    assert spearmanr(range(6), means).statistic == pytest.approx(0.71, abs=0.01)
    assert spearmanr(range(5), means[:5]).statistic == pytest.approx(0.5, abs=0.01)


def test_the_spread_over_seeds_falls_in_most_cells() -> None:
    assert sum(float(row["pairtune_std"]) < float(row["finetune_std"]) for row in ROWS) == 14


def test_some_gains_lie_within_the_spread_of_the_seeds() -> None:
    within = {
        (row["backbone"], row["dataset"])
        for row in ROWS
        if gain(row) < max(float(row["pairtune_std"]), float(row["finetune_std"]))
    }

    assert {("hubert", "GTZAN"), ("wavlm", "ESC50")} <= within


@pytest.mark.parametrize("dataset", list(SETS))
def test_pairs_are_recommended_for_hundreds_of_classes_and_a_challenger_else(dataset: str) -> None:
    facts = [
        Fact("task.type", "classification", "user"),
        Fact("dataset.clips", CLIPS[dataset], "audit"),
        Fact("dataset.classes", SETS[dataset], "audit"),
        Fact("dataset.smallest_class_clips", CLIPS[dataset] // SETS[dataset], "audit"),
    ]
    session = draft_plan(load_knowledge(), facts).session
    decision = session.decisions["training.recipe"]

    assert (decision.value == "pairtune-then-probe") == (dataset == "TIMIT")
    assert "pairtune-then-probe" in {decision.value, *(loser.value for loser in decision.losers)}
    assert ("stages-cannot-run-here" in {one.id for one in session.findings}) == (dataset == "TIMIT")
