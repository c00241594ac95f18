"""Stages, kept takes and classes of other speeds on recordings of FSDD; elsewhere they are tried on tones."""

import csv
from pathlib import Path
from typing import Any

import pytest

from engine.plan import Plan
from engine.training.external import evaluate_run
from engine.training.recipes import FOLDER
from engine.training.stopping import Stop
from knowledge.errors import Interrupted

from .corpora import assert_kept_is_anew, assert_same_state, events_of, last_state, tone_plan, train, write_manifest
from .small_models import save_checkpoint
from .test_recipes import stop_after

_SPEAKERS = ("george", "jackson", "theo")


@pytest.fixture
def voices(test_data: Path, tmp_path: Path) -> Path:
    """Eight training and four other takes of each of three voices."""
    source, rows = test_data / "audio/fsdd", []
    with (source / "manifest.csv").open(newline="", encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            take = int(row["take"])
            if row["speaker"] in _SPEAKERS and row["label"] in "12" and take in (0, 1, 10, 11, 12, 13):
                split = "val" if take < 2 else "train"
                rows.append({"path": str(source / row["path"]), "label": row["speaker"], "split": split})
    return write_manifest(tmp_path / "voices.csv", ["path", "label", "split"], rows)


def voice_plan(manifest: Path, **changes: Any) -> Plan:
    settings: dict[str, Any] = {
        "backbone__name": "wav2vec2", "backbone__checkpoint": save_checkpoint(manifest.parent),
        "data__sample_rate_hz": 16000,
        "data__split_column": "split", "data__group_column": None, "data__protocol": "given-split",
        "training__batch_size": 8, "training__backbone_learning_rate": 1e-3, "training__epochs": 3,
    }  # fmt: skip
    return tone_plan(manifest, **(settings | changes))


@pytest.mark.parametrize("stages", ["audioconfit", "probe-then-finetune"])
def test_stages_on_voices_resume_and_are_scored_from_their_folder(
    voices: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stages: str
) -> None:
    plan = voice_plan(
        voices, adaptation__method="full", training__stages=stages, training__pair_epochs=3, training__probe_epochs=3,
        training__pair_features=8,
    )  # fmt: skip
    whole, stop = train(plan, tmp_path / "whole"), Stop()
    first = [event["train_loss"] for event in events_of(whole / FOLDER, "eval")]
    assert first[-1] < first[0]  # the first stage learns something of the voices
    with monkeypatch.context() as patch, pytest.raises(Interrupted):
        stop_after(5, patch, stop)
        train(plan, tmp_path / "run", stop=stop)
    resumed = train(plan, tmp_path / "run", resume=True)
    assert_same_state(last_state(whole), last_state(resumed))
    evaluate_run(resumed, None, "val", "again", Stop())
    assert (resumed / "predictions/again.csv").read_text() == (resumed / "predictions/val.csv").read_text()


def test_kept_takes_of_voices_are_what_each_epoch_would_make(
    voices: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Clips of tones are too short for frames to be hidden; here some are, and a kept mean would know nothing of it."""
    plan = voice_plan(voices, augmentation__strength="strong", augmentation__mixing="use", augmentation__views=2)
    assert_kept_is_anew(plan, tmp_path, monkeypatch, 1e-4)


def test_other_speeds_are_other_voices_in_training_alone(voices: Path, tmp_path: Path) -> None:
    plan = voice_plan(
        voices, backbone__name="mfcc", backbone__checkpoint=None, augmentation__strength="light",
        augmentation__speed="new-class", training__epochs=8,
    )  # fmt: skip
    run = train(plan, tmp_path / "run")
    best = max(event["metrics"]["val/accuracy"] for event in events_of(run, "eval"))
    assert best > 1 / 3
    with (run / "predictions/val.csv").open(newline="", encoding="utf-8") as stream:
        assert {row["prediction"] for row in csv.DictReader(stream)} <= set(_SPEAKERS)
