"""What the loop screen gathers from events: curves, progress, gauges, folds, faults."""

import math
from typing import Any

import pytest

from tui.run_view import MOST_POINTS, RunView, smoothed


def step(number: int, **values: Any) -> dict[str, Any]:
    return {"kind": "step", "step": number, "epoch": number / 4, "loss": 1 / number, **values}


@pytest.fixture
def view() -> RunView:
    view = RunView("accuracy")
    view.feed([{"kind": "start", "epochs": 5, "total_steps": 20, "device": "cuda", "fold": None}])
    return view


def test_progress_and_gauges_are_spelled_with_units(view: RunView) -> None:
    view.feed([step(6, samples_per_second=81.4, grad_norm=math.nan)])
    view.feed([{"kind": "telemetry", "gpu_utilisation": 95, "gpu_memory_used_gib": 10.25, "cpu_percent": None}])

    assert view.progress() == "epoch 1/5  step 6/20"
    assert view.gauges() == ["81 clips/s", "gpu 95% 10.2 GiB"]
    assert view.device == "cuda"


def test_scores_are_read_under_the_name_of_the_metric(view: RunView) -> None:
    view.feed([{"kind": "eval", "step": 4, "epoch": 1, "loss": 0.5, "metrics": {"val/accuracy": 0.7, "val/ccc": 0.1}}])

    assert view.scores == [(1.0, 0.7)]
    assert view.losses["val"] == [(4.0, 0.5)]


def test_a_new_fold_begins_new_curves(view: RunView) -> None:
    view.feed([step(1), {"kind": "start", "epochs": 5, "fold": 2}, step(1)])

    assert view.losses["train"] == [(1.0, 1.0)]
    assert view.progress().startswith("fold 2  epoch 0/5")


def test_a_resumed_run_keeps_its_curves(view: RunView) -> None:
    view.feed(
        [step(1), {"kind": "end", "status": "interrupted"}, {"kind": "start", "epochs": 5, "fold": None}, step(2)]
    )

    assert len(view.losses["train"]) == 2
    assert view.ended == {}


def test_long_runs_stay_small(view: RunView) -> None:
    view.feed(step(number) for number in range(1, 50_000))

    assert len(view.train_loss) <= MOST_POINTS
    assert view.train_loss[-1][0] == 49_999


def test_smoothing_keeps_the_ends_in_order_and_shows_a_fault_as_a_gap() -> None:
    points = [(float(number), 1.0 if number != 77 else math.nan) for number in range(300)]

    means = smoothed(points)

    assert len(means) == 60
    assert [y for _, y in means if math.isfinite(y)] == [1.0] * 59
    assert means[-1][0] == 299.0
    assert smoothed(points[:60]) == points[:60]


def test_unknown_events_and_faults_do_no_harm(view: RunView) -> None:
    view.feed(
        [{"kind": "feed"}, {"kind": "later-version"}, {"kind": "end", "error": {"code": "nan", "message": "loss"}}]
    )

    assert view.problem == "loss"
