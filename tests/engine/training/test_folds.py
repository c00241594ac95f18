import csv
import json
from pathlib import Path

import pytest

from engine.plan import Plan
from engine.training import folds as folds_module
from engine.training.folds import train_folds
from engine.training.stopping import Stop
from knowledge.errors import InputError, Interrupted

from .corpora import events_of, score_plan, tone_corpus, tone_plan, write_plan
from .test_resume import stop_at

LEAVE_ONE_OUT = "leave-one-group-out"


def cross_validate(plan: Plan, run: Path, by: str, *, resume: bool = False, stop: Stop | None = None) -> Path:
    train_folds(write_plan(plan, run), run, by, resume=resume, stop=stop or Stop())
    return run


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_every_group_is_held_out_once_and_pooled(tmp_path: Path) -> None:
    plan = tone_plan(tone_corpus(tmp_path / "data", groups=4), data__protocol=LEAVE_ONE_OUT, training__epochs=1)
    run = cross_validate(plan, tmp_path / "run", LEAVE_ONE_OUT)
    content = json.loads((run / "folds.json").read_text())
    pooled = rows_of(run / "predictions" / "out-of-fold.csv")

    assert [fold["held_out"] for fold in content["folds"]] == [f"speaker-{number}" for number in range(4)]
    assert [row["path"] for row in pooled] == [f"clip-{number}.wav" for number in range(24)]
    assert list(pooled[0]) == ["path", "group", "label", "prediction", "p_high", "p_low", "p_mid"]
    each = [fold["metrics"]["accuracy"] for fold in content["folds"]]
    assert content["mean"]["accuracy"] == pytest.approx(sum(each) / 4)
    right = sum(row["label"] == row["prediction"] for row in pooled)
    low, high = content["pooled"]["accuracy"]["interval"]
    assert low <= content["pooled"]["accuracy"]["value"] == right / 24 <= high
    for fold in content["folds"]:
        folder = run / f"fold-{fold['fold']}"
        held_out, validation = (rows_of(folder / "predictions" / f"{name}.csv") for name in ("held-out", "val"))
        assert {row["group"] for row in held_out} == {fold["held_out"]}
        assert fold["held_out"] not in {row["group"] for row in validation}
        assert events_of(folder, "start")[0]["fold"] == fold["held_out"]
        assert fold["status"] == "completed"


def test_a_column_of_folds_over_scores(tmp_path: Path) -> None:
    manifest = tone_corpus(tmp_path / "data", scores=True)
    lines = manifest.read_text().splitlines()
    groups = [line.split(",")[2] for line in lines[1:]]
    folded = [
        f"{lines[0]},part",
        *(f"{line},{'ab'[int(g[-1]) % 2]}" for line, g in zip(lines[1:], groups, strict=True)),
    ]
    manifest.write_text("\n".join(folded) + "\n")
    run = cross_validate(score_plan(manifest, training__epochs=1), tmp_path / "run", "part")
    content = json.loads((run / "folds.json").read_text())

    assert [fold["held_out"] for fold in content["folds"]] == ["a", "b"]
    assert set(content["pooled"]) == {"ccc", "pearson", "rmse", "mae", "std_ratio"}
    assert "interval_over_groups" in content["pooled"]["ccc"]
    assert len(rows_of(run / "predictions" / "out-of-fold.csv")) == 24


def test_a_clip_without_a_fold_is_refused(tmp_path: Path) -> None:
    manifest = tone_corpus(tmp_path / "data", clips=6, groups=2)
    lines = manifest.read_text().splitlines()
    manifest.write_text(
        "\n".join([f"{lines[0]},part", *(f"{line},{'ab'[n > 2] if n else ''}" for n, line in enumerate(lines[1:]))])
    )
    with pytest.raises(InputError, match=r"manifest.csv:2: no fold in the column part for clip-0.wav \(1 such rows\)"):
        cross_validate(tone_plan(manifest), tmp_path / "run", "part")


def test_finished_folds_are_not_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = tone_plan(tone_corpus(tmp_path / "data", groups=3), data__protocol=LEAVE_ONE_OUT, training__epochs=2)
    whole = cross_validate(plan, tmp_path / "whole", LEAVE_ONE_OUT)
    done, original = [], folds_module.train_parts

    def stopping_after_one(*arguments, **settings):  # type: ignore[no-untyped-def]
        if done:
            settings["stop"].requested = True
        done.append(settings["fold"])
        return original(*arguments, **settings)

    with monkeypatch.context() as patch, pytest.raises(Interrupted):
        patch.setattr(folds_module, "train_parts", stopping_after_one)
        cross_validate(plan, tmp_path / "run", LEAVE_ONE_OUT)
    first = (tmp_path / "run" / "fold-1" / "events.jsonl").read_bytes()
    run = cross_validate(plan, tmp_path / "run", LEAVE_ONE_OUT, resume=True)

    assert done == ["speaker-0", "speaker-1"]
    assert (run / "fold-1" / "events.jsonl").read_bytes() == first
    pooled = [(one / "predictions" / "out-of-fold.csv").read_text() for one in (whole, run)]
    assert [line.split(",")[:4] for line in pooled[0].splitlines()] == [
        line.split(",")[:4] for line in pooled[1].splitlines()
    ]


def test_a_fold_that_was_stopped_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = tone_plan(tone_corpus(tmp_path / "data", groups=3), data__protocol=LEAVE_ONE_OUT, training__epochs=2)
    with monkeypatch.context() as patch, pytest.raises(Interrupted):
        cross_validate(plan, tmp_path / "run", LEAVE_ONE_OUT, stop=stop_at(2, patch))
    run = cross_validate(plan, tmp_path / "run", LEAVE_ONE_OUT, resume=True)

    assert [event["status"] for event in events_of(run / "fold-1", "end")] == ["interrupted", "completed"]
    assert [event["step"] for event in events_of(run / "fold-1", "step")] == [1, 2, 3, 4]
