"""Long logs are read column by column and give the curves that the readers of records give, whatever stands in them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.evidence.run import directory
from engine.evidence.run.directory import read_run_directory
from engine.evidence.run.formats import columns
from engine.evidence.run.limits import package_limits
from engine.evidence.run.measure import measure_run
from engine.evidence.run.read import read_run
from engine.evidence.run.stability import _standing_out, spikes

from .test_signals import run_of


def lines(rows: list[dict[str, object]]) -> str:
    return "\n".join(json.dumps(row) for row in rows) + "\n"


def regular(count: int = 400) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for step in range(1, count + 1):
        rows.append({"step": step, "epoch": step / 100, "loss": 2 / step, "lr": 1e-3, "grad_norm": 1.0})
        if step % 50 == 0:
            rows.append({"step": step, "epoch": step / 100, "val_loss": 3 / step, "val_accuracy": 90 + step / 100})
    return rows


def odd(kind: str) -> str:
    rows = regular()
    if kind == "word":
        rows[10]["loss"] = "nan"
    elif kind == "nothing":
        rows[10]["loss"] = None
    elif kind == "true":
        rows[10]["lr"] = True
    elif kind == "nested":
        rows[10] = {"train": {"loss": 1.0}, "step": 11}
    elif kind == "backwards":
        rows[200]["step"] = 3
    elif kind == "again":
        rows.insert(5, dict(rows[4], loss=7.0))
    elif kind == "appended":
        rows += regular(100)
    elif kind == "mode":
        rows = [dict(row, mode="val" if "val_loss" in row else "train") for row in rows]
    text = lines(rows)
    return text.replace("}\n", "}\n{broken\n", 1) if kind == "broken" else text


def curves(path: Path) -> dict[str, tuple[list[int], list[float]]]:
    run = read_run(path)
    every = (*run.series, *run.learning_rates, *((run.gradient_norm,) if run.gradient_norm else ()))
    return {one.name: (one.at.tolist(), [repr(value) for value in one.y.tolist()]) for one in every}


@pytest.mark.parametrize(
    "kind", ["plain", "word", "nothing", "true", "nested", "backwards", "again", "appended", "mode", "broken"]
)
def test_columns_and_records_agree_on_json_lines(tmp_path, monkeypatch, kind):
    path = tmp_path / "log.jsonl"
    path.write_text(odd(kind))
    slowly = curves(path)
    monkeypatch.setattr(columns, "LONG_BYTES", 0)

    assert curves(path) == slowly
    assert (columns.read_long_lines(path) is not None) == (kind in ("plain", "backwards", "again", "appended"))


@pytest.mark.parametrize("cell", ["0.5", "", "nan", "[]", "0.5,7"])
def test_columns_and_records_agree_on_tables(tmp_path, monkeypatch, cell):
    rows = [f"{i},{2 / (i + 1)},{3 / (i + 1)}" for i in range(30)]
    rows[7] = f"7,1.0,{cell}"
    path = tmp_path / "log.csv"
    path.write_text("epoch,loss,val_loss\n" + "\n".join(rows) + "\n")
    slowly = curves(path)
    monkeypatch.setattr(columns, "LONG_BYTES", 0)

    assert curves(path) == slowly


def test_spikes_of_a_long_log_are_those_of_a_short_one():
    random = np.random.default_rng(0)
    loss = (0.3 + 3 * np.exp(-np.arange(60_000) / 8_000)) * np.exp(random.normal(0, 0.08, 60_000))
    places = random.choice(np.arange(3_000, 60_000), 40, replace=False)
    loss[places] *= 4

    assert set(np.flatnonzero(_standing_out(np.log(loss), package_limits()))) >= set(places.tolist())
    assert spikes(run_of(train=loss)).get("run.spikes") == 40


def test_a_long_log_is_measured_as_its_thinned_self():
    course = 0.3 + 3 * np.exp(-np.arange(5_000) / 800)
    whole, part = measure_run(run_of(train=course)), measure_run(run_of(train=course[::5]))

    for name in ("run.train_loss_remaining", "run.train_settled_share", "run.train_end_over_best"):
        assert whole.get(name) == pytest.approx(part.get(name), rel=0.02)


@given(st.lists(st.sampled_from(["step", "rated", "odd", "null", "eval", "torn", "end"]), max_size=60))
@settings(max_examples=60, deadline=None)
def test_events_in_columns_are_what_they_are_one_by_one(tmp_path_factory, kinds):
    """Whatever order they come in; a column is taken where eight and more of the same keys follow each other."""
    lines = {
        "step": lambda i: {"kind": "step", "step": i, "epoch": i / 7, "loss": 1 / (i + 1), "grad_norm": 0.5},
        "rated": lambda i: {"kind": "step", "step": i, "loss": 2.0, "lr": {"head": 1e-3 / (i + 1), "body": 1e-5}},
        "odd": lambda i: {"kind": "step", "step": float(i), "loss": "NaN"},
        "null": lambda i: {"kind": "step", "step": i, "loss": None},
        "eval": lambda i: {"kind": "eval", "step": i, "epoch": i, "loss": 3 / (i + 1), "metrics": {"ccc": 0.5}},
        "end": lambda i: {"kind": "end", "status": "completed"},
    }
    written = [json.dumps({"kind": "start", "task": "regression"})]
    for i, kind in enumerate(kind for kind in kinds for _ in range(3)):
        written.append('{"kind": "st' if kind == "torn" else json.dumps(lines[kind](i)))
    folder = tmp_path_factory.mktemp("own")
    (folder / "events.jsonl").write_text("\n".join(written) + "\n")
    fast = read_run_directory(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(directory, "_FEW", 10_000)
        slow = read_run_directory(folder)
    assert [one.name for one in fast.series] == [one.name for one in slow.series]
    for left, right in zip((*fast.series, *fast.learning_rates), (*slow.series, *slow.learning_rates), strict=True):
        np.testing.assert_array_equal(left.at, right.at)
        np.testing.assert_array_equal(left.when, right.when)
        np.testing.assert_array_equal(left.y, right.y)
    assert (fast.meta, fast.notes) == (slow.meta, slow.notes)
