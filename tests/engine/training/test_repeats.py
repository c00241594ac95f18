"""Several seeds of one plan: the same clips, other weights, each resumable, and mean and deviation over them."""

import json
import statistics
from pathlib import Path

import pytest

from engine.plan import Plan, patched
from engine.training import repeats as repeats_module
from engine.training.data import read_corpus
from engine.training.repeats import train_seeds
from engine.training.splits import parts_of
from engine.training.stopping import Stop
from knowledge.errors import Interrupted, UsageError
from tonmeister.cli.training import results_of

from .corpora import events_of, tone_corpus, tone_plan, train, write_plan
from .test_folds import rows_of


def repeated(plan: Plan, run: Path, count: int, folds: str | None = None, **changes: bool) -> Path:
    settings = {"resume": False, "test": False} | changes
    train_seeds(write_plan(plan, run), run, count, folds, stop=Stop(), **settings)
    return run


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return tone_plan(
        tone_corpus(tmp_path / "data", clips=36), data__test_share=0.3, training__seed=5, training__epochs=1
    )


def test_seeds_share_their_parts_and_differ_in_their_weights(tmp_path: Path, plan: Plan) -> None:
    run = repeated(plan, tmp_path / "run", 3, test=True)
    content = json.loads((run / "seeds.json").read_text())
    tables = [rows_of(run / f"seed-{seed}" / "predictions" / "test.csv") for seed in (5, 6, 7)]

    assert (content["seeds"], content["scored_on"]) == ([5, 6, 7], "test")
    assert len({tuple(row["path"] for row in table) for table in tables}) == 1
    assert len({tuple(row["p_low"] for row in table) for table in tables}) == 3
    each = [one["metrics"]["accuracy"] for one in content["runs"]]
    assert each[0] == sum(row["label"] == row["prediction"] for row in tables[0]) / len(tables[0])
    assert content["mean"]["accuracy"] == pytest.approx(statistics.fmean(each))
    assert content["deviation"]["accuracy"] == pytest.approx(statistics.stdev(each))
    assert any("3 seeds, test  accuracy" in line for line in results_of(run))


def test_the_first_seed_is_the_run_of_the_plan_itself(tmp_path: Path, plan: Plan) -> None:
    run, alone = repeated(plan, tmp_path / "run", 1), train(plan, tmp_path / "alone")
    losses = [[step["loss"] for step in events_of(one, "step")] for one in (run / "seed-5", alone)]
    assert losses[0] == losses[1]


def test_finished_seeds_are_not_repeated_and_more_can_be_asked_for(
    tmp_path: Path, plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, stopped = repeats_module.train_run, []

    def stopping(path: Path, run: Path, **settings: bool) -> None:
        if run.name == "seed-6" and not stopped:
            stopped.append(run)
            raise Interrupted("stopped")
        original(path, run, **settings)  # type: ignore[arg-type]

    monkeypatch.setattr(repeats_module, "train_run", stopping)
    with pytest.raises(Interrupted):
        repeated(plan, tmp_path / "run", 2)
    before = (tmp_path / "run" / "seed-5" / "events.jsonl").read_bytes()
    with pytest.raises(UsageError):
        repeated(plan, tmp_path / "run", 2)
    run = repeated(plan, tmp_path / "run", 3, resume=True)

    assert (run / "seed-5" / "events.jsonl").read_bytes() == before
    assert json.loads((run / "seeds.json").read_text())["seeds"] == [5, 6, 7]


def test_a_cross_validation_is_repeated_too(tmp_path: Path, plan: Plan) -> None:
    plan = patched(plan, {"training.batch_size": 18})
    run = repeated(plan, tmp_path / "run", 2, "leave-one-group-out")
    content = json.loads((run / "seeds.json").read_text())
    pooled = [json.loads((run / f"seed-{seed}" / "folds.json").read_text())["pooled"] for seed in (5, 6)]

    assert content["scored_on"] == "out-of-fold"
    assert content["mean"]["accuracy"] == pytest.approx(statistics.fmean(one["accuracy"]["value"] for one in pooled))


def test_parts_follow_from_the_seed_of_the_split_where_one_is_named(plan: Plan) -> None:
    def held_out(**changes: int) -> list[str]:
        other = patched(plan, {name.replace("__", "."): value for name, value in changes.items()})
        return [item.path for item in parts_of(read_corpus(other).items, other).held_out]

    assert held_out(training__seed=9) != held_out()
    assert held_out(training__seed=9, data__split_seed=5) == held_out()
