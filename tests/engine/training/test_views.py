"""Takes that epochs show in turn: kept or not they are the same, bit by bit, and so is a run that was stopped."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from engine.plan import Plan
from engine.training.cache import FrameCache
from engine.training.data import read_corpus
from engine.training.loader import Loader
from engine.training.views import View
from engine.training.waveforms import Waveforms
from knowledge.errors import Interrupted

from .corpora import assert_same_state, events_of, last_state, tone_corpus, tone_plan, train
from .sequence_corpora import event_corpus, event_plan
from .small_models import save_checkpoint
from .test_resume import stop_at


def taken(manifest: Path, plan_of: Callable[..., Plan] = tone_plan, **changes: Any) -> Plan:
    settings: dict[str, Any] = {
        "augmentation__strength": "strong",
        "augmentation__views": 2,
        "backbone__normalise": "clip",
        "head__dropout": 0.2,
        "training__epochs": 4,
        "data__max_seconds": 0.15,
    }
    return plan_of(manifest, **(settings | changes))


def test_kept_takes_equal_takes_that_are_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = taken(tone_corpus(tmp_path / "data"))
    kept = train(plan, tmp_path / "kept")
    with monkeypatch.context() as patch:
        patch.setattr(FrameCache, "frames_of", lambda *_: None)
        made = train(plan, tmp_path / "made")

    for one, other in zip(events_of(kept, "step"), events_of(made, "step"), strict=True):
        assert one["loss"] == pytest.approx(other["loss"], rel=1e-5)


def test_a_resumed_run_of_takes_equals_an_undisturbed_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = taken(tone_corpus(tmp_path / "data"))
    whole = train(plan, tmp_path / "whole")
    with monkeypatch.context() as patch, pytest.raises(Interrupted):
        train(plan, tmp_path / "run", stop=stop_at(8, patch))

    assert_same_state(last_state(whole), last_state(train(plan, tmp_path / "run", resume=True)))


@pytest.mark.parametrize(("corpus", "plan_of"), [(tone_corpus, tone_plan), (event_corpus, event_plan)])
def test_a_take_has_the_labels_and_the_length_of_its_sound(
    tmp_path: Path, corpus: Callable[[Path], Path], plan_of: Callable[..., Plan]
) -> None:
    manifest = corpus(tmp_path / "data")
    plan = taken(manifest, plan_of, augmentation__speed="new-class" if corpus is tone_corpus else "use")
    read = read_corpus(plan)
    waveforms = Waveforms(plan.data.sample_rate_hz)
    waveforms.load([item.region for item in read.items], lambda: None)
    loader = Loader(waveforms, plan, len(read.classes))
    first, second = View(loader, 0), View(loader, 1)
    batch = loader.training_batch(read.items, 1)

    assert batch.lengths is not None and batch.waveforms is not None
    assert [second.samples(item) for item in read.items] == batch.lengths.tolist()
    assert [item.target for item in second.varied(read.items)] == [loader.varied(item, 1).target for item in read.items]
    assert len({take.digest(item) for take in (first, second) for item in read.items}) == 2 * len(read.items)
    again = second.evaluation_batch(read.items)
    assert again.waveforms is not None and torch.equal(again.waveforms, batch.waveforms)
    assert torch.equal(again.labels, batch.labels)


def test_a_frozen_backbone_sees_each_take_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from engine.training.backbones import PretrainedEncoder

    seen, original = [0], PretrainedEncoder.prefix

    def prefix(encoder: PretrainedEncoder, waveforms: torch.Tensor, lengths: torch.Tensor) -> Any:
        seen[0] += len(lengths)
        return original(encoder, waveforms, lengths)

    monkeypatch.setattr(PretrainedEncoder, "prefix", prefix)
    changes = {"backbone__name": "wav2vec2", "backbone__checkpoint": save_checkpoint(tmp_path / "weights")}
    plan = taken(tone_corpus(tmp_path / "data"), **changes, data__sample_rate_hz=16000, training__epochs=5)
    start = events_of(train(plan, tmp_path / "run"), "start")[0]

    probes = 16  # tries whether padding shows, and whether batches agree
    assert 2 * start["train_clips"] <= seen[0] - start["validation_clips"] <= 2 * start["train_clips"] + probes
