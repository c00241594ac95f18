"""Clips beside their clean references: both are encoded by one network and compared moment by moment."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

from engine.plan import Plan, plan_yaml
from engine.training.data import read_corpus
from engine.training.external import evaluate_run
from engine.training.loader import Loader
from engine.training.model import build_model
from engine.training.stopping import Stop
from engine.training.waveforms import Waveforms
from knowledge.errors import PlanError, UsageError

from .corpora import (
    RATE_HZ,
    assert_kept_is_anew,
    assert_same_state,
    events_of,
    last_state,
    tone_plan,
    train,
    write_manifest,
)
from .small_models import save_checkpoint
from .test_recipes import stop_after


def quality_corpus(folder: Path, clips: int = 40) -> Path:
    """Noise of any level, and the same with more noise on it; the score is the ratio, which one signal cannot tell."""
    folder.mkdir(parents=True, exist_ok=True)
    random, rows = np.random.default_rng(0), []
    for number in range(clips):
        length = round((0.15 + 0.01 * (number % 5)) * RATE_HZ)
        level, score = random.uniform(0.01, 0.05), random.uniform(0, 2)
        clean, noise = level * random.standard_normal((2, length))
        noise *= score
        for name, sound in ((f"clean-{number}.wav", clean), (f"heard-{number}.wav", clean + noise)):
            soundfile.write(folder / name, sound, RATE_HZ, subtype="PCM_16")
        part = ("train", "train", "train", "val")[number % 4]
        rows.append(
            {"path": f"heard-{number}.wav", "clean": f"clean-{number}.wav", "label": f"{score:.4f}", "split": part}
        )
    return write_manifest(folder / "manifest.csv", ["path", "clean", "label", "split"], rows)


def quality_plan(manifest: Path, **changes: Any) -> Plan:
    settings: dict[str, Any] = {
        "task__type": "regression", "training__loss": "mse", "evaluation__select_by": "loss",
        "data__group_column": None,
        "data__split_column": "split", "data__protocol": "given-split", "data__reference_column": "clean",
        "training__epochs": 3,
    }  # fmt: skip
    return tone_plan(manifest, **(settings | changes))


def test_a_reference_tells_what_one_signal_cannot(tmp_path: Path) -> None:
    manifest = quality_corpus(tmp_path / "data")
    longer = {"training__epochs": 15, "evaluation__select_by": "pearson", "head__name": "mlp", "head__hidden": 16}
    both = train(quality_plan(manifest, **longer), tmp_path / "both")
    alone = train(quality_plan(manifest, data__reference_column=None, **longer), tmp_path / "alone")
    best = [max(event["metrics"]["val/pearson"] for event in events_of(run, "eval")) for run in (both, alone)]
    assert best[0] > 0.9 > best[1] + 0.2

    evaluate_run(both, None, "val", "again", Stop())
    assert (both / "predictions/again.csv").read_text() == (both / "predictions/val.csv").read_text()


@pytest.mark.parametrize(
    "changes",
    [
        {"head__name": "temporal", "head__hidden": 8},
        {"backbone__layers": "weighted-sum"},
        {"adaptation__method": "partial", "adaptation__top_layers": 1},
    ],
)
def test_kept_frames_of_both_signals_are_what_encoding_them_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any]
) -> None:
    checkpoint = save_checkpoint(tmp_path, hidden_dropout=0.0, attention_dropout=0.0, activation_dropout=0.0)
    pretrained = {"backbone__name": "wav2vec2", "backbone__checkpoint": checkpoint, "data__sample_rate_hz": 16000}
    plan = quality_plan(quality_corpus(tmp_path / "data", 12), **pretrained, **changes)
    assert_kept_is_anew(plan, tmp_path, monkeypatch, 1e-5)


def test_a_clip_and_its_reference_are_varied_alike_and_answer_alone_as_in_a_batch(tmp_path: Path) -> None:
    plan = quality_plan(
        quality_corpus(tmp_path / "data", 8), augmentation__strength="strong", backbone__normalise="clip"
    )
    items = read_corpus(plan).items
    sounds = Waveforms(RATE_HZ)
    sounds.load((region for item in items for region in item.regions), lambda: None)
    loader = Loader(sounds, plan)

    same = loader.training_batch([replace(item, reference=item.region) for item in items], 3)
    assert same.waveforms is not None
    torch.testing.assert_close(*same.waveforms.chunk(2))  # a signal against itself stays that
    model = build_model(plan).eval()
    with torch.no_grad():
        together = model(loader.evaluation_batch(items))
        single = torch.cat([model(loader.evaluation_batch([item])) for item in items])
    torch.testing.assert_close(together, single)


def test_it_resumes_bit_by_bit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from knowledge.errors import Interrupted

    plan = quality_plan(quality_corpus(tmp_path / "data", 16), augmentation__strength="light")
    whole, stop = train(plan, tmp_path / "whole"), Stop()
    with monkeypatch.context() as patch, pytest.raises(Interrupted):
        stop_after(3, patch, stop)
        train(plan, tmp_path / "run", stop=stop)
    assert_same_state(last_state(whole), last_state(train(plan, tmp_path / "run", resume=True)))


def test_rows_without_a_reference_are_left_out_and_named(tmp_path: Path) -> None:
    manifest = quality_corpus(tmp_path / "data", 8)
    (tmp_path / "data" / "clean-2.wav").unlink()
    (tmp_path / "data" / "clean-5.wav").write_bytes(b"nothing")
    run = train(quality_plan(manifest), tmp_path / "run")
    warnings = events_of(run, "start")[0]["warnings"]
    assert any("its reference 'clean-2.wav' is no file" in line for line in warnings)
    assert any(line.startswith("heard-5.wav") for line in warnings)

    with pytest.raises(UsageError, match=r"no column 'quiet', which data.reference_column names"):
        read_corpus(quality_plan(manifest, data__reference_column="quiet"))
    with pytest.raises(PlanError, match=r"symbols are of one signal alone"):
        quality_plan(manifest, task__type="ctc", training__loss="ctc")


def test_plans_without_a_reference_read_as_before() -> None:
    assert "reference_column" not in plan_yaml(tone_plan(Path("m.csv")))
    assert "reference_column: clean" in plan_yaml(quality_plan(Path("m.csv")))
