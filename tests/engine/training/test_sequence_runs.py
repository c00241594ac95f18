"""Several tags, transcripts and events: trained to the end on tones, resumed bit by bit, scored again from files."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.plan import Plan
from engine.training.checkpoints import BEST, read_checkpoint
from engine.training.external import evaluate_run
from engine.training.folds import train_folds
from engine.training.stopping import Stop
from knowledge.errors import InputError, Interrupted

from .corpora import (
    assert_same_state,
    events_of,
    last_state,
    tone_corpus,
    tone_plan,
    train,
    write_manifest,
    write_plan,
)
from .sequence_corpora import event_corpus, event_plan, tag_corpus, tag_plan, word_corpus, word_plan
from .test_resume import stop_at

Corpus = Callable[[Path], Path]
TASKS: list[tuple[Corpus, Callable[..., Plan]]] = [
    (tag_corpus, tag_plan), (word_corpus, word_plan), (event_corpus, event_plan),
]  # fmt: skip


def rows_of(file: Path) -> list[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def best_of(run: Path) -> dict[str, float]:
    return dict(events_of(run, "end")[-1]["best"])


def test_several_tags_of_a_clip_are_learned(tmp_path: Path) -> None:
    plan = tag_plan(tag_corpus(tmp_path / "data"), training__epochs=25, training__learning_rate=0.05)
    run = train(plan, tmp_path / "run")
    rows = rows_of(run / "predictions" / "val.csv")

    assert best_of(run)["val/mean-average-precision"] > 0.95
    assert list(rows[0]) == ["path", "group", "label", "prediction", "p_a", "p_b", "p_c"]
    # Each share stands for itself: no common total.
    assert any(abs(sum(float(row[f"p_{tag}"]) for tag in "abc") - 1) > 0.2 for row in rows)
    said = ["".join(tag for tag in "abc" if float(row[f"p_{tag}"]) >= 0.5) for row in rows]
    assert [row["prediction"].replace(";", "") for row in rows] == said
    assert events_of(run, "start")[0]["chance"] == pytest.approx(0.5, abs=0.2)


@pytest.mark.parametrize("balance", ["weighted-loss", "logit-adjustment", "balanced-sampling"])
def test_tags_are_balanced(tmp_path: Path, balance: str) -> None:
    plan = tag_plan(tag_corpus(tmp_path / "data"), training__class_balance=balance, training__epochs=1)
    assert events_of(train(plan, tmp_path / "run"), "end")[0]["status"] == "completed"


@pytest.mark.slow
def test_a_transcript_is_spelled(tmp_path: Path) -> None:
    plan = word_plan(word_corpus(tmp_path / "data", 60), training__epochs=40, training__learning_rate=0.01)
    run = train(plan, tmp_path / "run")
    rows = rows_of(run / "predictions" / "val.csv")

    assert best_of(run)["val/character-error-rate"] < 0.1
    assert events_of(run, "start")[0]["symbols"] == ["<blank>", "a", "b", "c"]
    assert sum(row["label"].lower() == row["prediction"] for row in rows) > len(rows) / 2


@pytest.mark.slow
def test_events_are_found(tmp_path: Path) -> None:
    plan = event_plan(event_corpus(tmp_path / "data", 36), training__epochs=20, training__learning_rate=0.02)
    run = train(plan, tmp_path / "run")
    best = best_of(run)

    assert best["val/segment-f1"] > 0.85 and best["val/segment-error-rate"] < 0.3
    found = [row["prediction"] for row in rows_of(run / "predictions" / "val.csv") if row["label"]]
    assert all(name.split()[0] in "abc" for text in found if text for name in text.split("; "))


@pytest.mark.parametrize(("corpus", "plan_of"), TASKS)
def test_a_resumed_run_equals_an_undisturbed_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, corpus: Corpus, plan_of: Callable[..., Plan]
) -> None:
    changes: dict[str, Any] = {"augmentation__strength": "strong", "head__dropout": 0.3, "backbone__normalise": "clip"}
    plan = plan_of(corpus(tmp_path / "data"), **changes)
    whole = train(plan, tmp_path / "whole")
    with monkeypatch.context() as patch, pytest.raises(Interrupted):
        train(plan, tmp_path / "run", stop=stop_at(2, patch))
    resumed = train(plan, tmp_path / "run", resume=True)

    assert_same_state(last_state(whole), last_state(resumed))
    assert (whole / "predictions" / "val.csv").read_text() == (resumed / "predictions" / "val.csv").read_text()


@pytest.mark.parametrize(("corpus", "plan_of"), TASKS)
def test_a_trained_model_is_scored_again_from_its_checkpoint(
    tmp_path: Path, corpus: Corpus, plan_of: Callable[..., Plan]
) -> None:
    plan = plan_of(corpus(tmp_path / "data"), training__epochs=1)
    run = train(plan, tmp_path / "run")
    content = evaluate_run(run, None, "val", "again", Stop())
    metrics = content["metrics"]

    assert isinstance(metrics, dict)
    assert {name: value["value"] for name, value in metrics.items()} == pytest.approx(
        {name.removeprefix("val/"): value for name, value in best_of(run).items() if name != "val/loss"}, nan_ok=True
    )
    assert set(content.get("by_class", {})) == (set() if plan.answer == "symbols" else {"a", "b", "c"})  # type: ignore[call-overload]
    assert (run / "predictions" / "again.csv").read_text() == (run / "predictions" / "val.csv").read_text()


@pytest.mark.parametrize(("corpus", "plan_of"), TASKS)
def test_folds_that_are_finished_are_read_back_as_they_were(
    tmp_path: Path, corpus: Corpus, plan_of: Callable[..., Plan]
) -> None:
    plan = plan_of(corpus(tmp_path / "data"), training__epochs=1)
    halves = [row | {"half": f"{int(row['speaker'][-1]) // 3}"} for row in rows_of(tmp_path / "data" / "manifest.csv")]
    write_manifest(tmp_path / "data" / "manifest.csv", list(halves[0]), halves)
    path = write_plan(plan, tmp_path / "run")
    train_folds(path, tmp_path / "run", "half", resume=False, stop=Stop())
    before = json.loads((tmp_path / "run" / "folds.json").read_text())
    (tmp_path / "run" / "folds.json").unlink()
    train_folds(path, tmp_path / "run", "half", resume=True, stop=Stop())
    after = json.loads((tmp_path / "run" / "folds.json").read_text())

    assert len(before["folds"]) == 2
    for name, value in before["pooled"].items():
        assert after["pooled"][name]["interval"] == pytest.approx(value["interval"], abs=1e-3)
    for name, value in before["mean"].items():
        assert after["mean"][name] == pytest.approx(value, abs=1e-4)


def test_a_transcript_longer_than_its_clip_is_named(tmp_path: Path) -> None:
    manifest = word_corpus(tmp_path / "data")
    text = manifest.read_text()
    manifest.write_text(text.replace(text.splitlines()[1].split(",")[1], "ABC" * 40))
    run = train(word_plan(manifest, data__validation_share=0.05, training__epochs=1), tmp_path / "run")
    (warning,) = (line for line in events_of(run, "start")[0]["warnings"] if "clip-0.wav" in line)

    assert "frames are too few for its transcript, which needs 120" in warning
    assert events_of(run, "end")[0]["status"] == "completed"


def test_clips_that_would_be_cut_are_left_out_of_spelling(tmp_path: Path) -> None:
    run = train(word_plan(word_corpus(tmp_path / "data"), data__max_seconds=0.4, training__epochs=1), tmp_path / "run")
    start = events_of(run, "start")[0]

    assert start["left_out"] > 0 and all("longer than data.max_seconds" in line for line in start["warnings"])
    # Validation keeps them, whole: words of four letters last 0.48 s.
    assert max(map(len, (row["label"] for row in rows_of(run / "predictions" / "val.csv")))) == 4


def test_an_event_without_an_end_takes_its_clip_with_it(tmp_path: Path) -> None:
    manifest = event_corpus(tmp_path / "data")
    lines = manifest.read_text().splitlines()
    broken = next(number for number, line in enumerate(lines) if line.startswith("clip-1.wav"))
    lines[broken] = "clip-1.wav,a,0.5,0.2,speaker-1"
    manifest.write_text("\n".join(lines) + "\n")
    run = train(event_plan(manifest, training__epochs=1), tmp_path / "run")
    (line,) = events_of(run, "start")[0]["warnings"]

    assert line.startswith("clip-1.wav: its event from 0.5 to 0.2 s does not end after it begins")


def test_a_manifest_without_times_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no column 'onset'"):
        train(event_plan(tag_corpus(tmp_path / "data")), tmp_path / "run")


def test_other_speeds_are_classes_of_training_alone(tmp_path: Path) -> None:
    changes = {"augmentation__strength": "light", "augmentation__speed": "new-class", "head__dropout": 0.1}
    balance = {"training__class_balance": "logit-adjustment"}
    plan = tone_plan(tone_corpus(tmp_path / "data"), **changes, **balance, training__epochs=3)
    run = train(plan, tmp_path / "run")
    with (run / "predictions" / "val.csv").open() as stream:
        assert next(stream).strip() == "path,group,label,prediction,p_high,p_low,p_mid"

    assert read_checkpoint(run / "checkpoints" / BEST)[0]["answer.1.weight"].shape[0] == 9
    assert evaluate_run(run, None, "val", "again", Stop())["clips"] == len(rows_of(run / "predictions" / "val.csv"))
    assert events_of(run, "step")[-1]["audio_seconds_per_second"] > 0
    # Where a clip has no single class, the speed stays: a transcript goes on saying the same.
    words = word_plan(word_corpus(tmp_path / "words"), **changes, training__epochs=1)
    assert events_of(train(words, tmp_path / "spelled"), "end")[0]["status"] == "completed"
