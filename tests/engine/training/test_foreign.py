"""Encoders of the user's own, named as `module:Class`: tried, kept, trained, and refused where they cannot be used."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from engine.plan import Plan, plan_yaml, read_plan
from engine.training.external import evaluate_run
from engine.training.model import build_model
from engine.training.stopping import Stop
from knowledge.errors import PlanError

from .corpora import assert_kept_is_anew, events_of, tone_corpus, tone_plan, train
from .small_models import batch_of

_HERE = __name__
_WINDOW, _HOP = 200, 100


class Mine(nn.Module):
    """Windows of the waveform through two linear layers; a frame sees its own window."""

    features, frame_seconds = 12, _HOP / 8000

    def __init__(self, checkpoint: str | None, sample_rate_hz: int) -> None:
        super().__init__()
        assert sample_rate_hz == 8000 and checkpoint is None
        self.layers = nn.ModuleList([nn.Linear(_WINDOW, 12), nn.Linear(12, 12)])

    def forward(self, waveforms: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        waveforms = nn.functional.pad(waveforms, (0, max(_WINDOW - waveforms.shape[1], 0)))
        frames = waveforms.unfold(1, _WINDOW, _HOP)
        for layer in self.layers:
            frames = torch.tanh(layer(frames))
        return frames, (lengths.clamp(min=_WINDOW) - _WINDOW) // _HOP + 1


class Contaminated(Mine):
    """Its frames depend on the longest clip of the batch."""

    def forward(self, waveforms: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        frames, counts = super().forward(waveforms, lengths)
        return frames - frames.mean(1, keepdim=True), counts


class OneValue(Mine):
    """Gives frames without counts."""

    def forward(self, waveforms: Tensor, lengths: Tensor) -> Any:
        return super().forward(waveforms, lengths)[0]


class Narrow(Mine):
    """Says another width than it has."""

    features = 7


class Widthless(nn.Module):
    """Lacks what has to be said."""

    def __init__(self, checkpoint: str | None, sample_rate_hz: int) -> None:
        super().__init__()


def own_plan(folder: Path, name: str = "Mine", **changes: Any) -> Plan:
    settings = {"backbone__name": f"{_HERE}:{name}", "training__backbone_learning_rate": 0.01}
    return tone_plan(tone_corpus(folder / "data"), **(settings | changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"adaptation__method": "frozen"},
        {"adaptation__method": "full"},
        {"adaptation__method": "partial", "adaptation__top_layers": 1},
        {"adaptation__method": "lora", "adaptation__targets": ["all-linear"]},
        {"adaptation__method": "full", "augmentation__strength": "light", "head__name": "temporal"},
    ],
)
def test_a_class_of_the_users_own_trains_and_is_scored_again(tmp_path: Path, changes: dict[str, Any]) -> None:
    run = train(own_plan(tmp_path, training__epochs=3, **changes), tmp_path / "run")

    losses = [event["loss"] for event in events_of(run, "step")]
    assert losses[-1] < losses[0]
    evaluate_run(run, None, "val", "again", Stop())
    assert (run / "predictions/again.csv").read_text() == (run / "predictions/val.csv").read_text()


def test_kept_frames_of_a_frozen_one_are_those_of_the_class(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = own_plan(tmp_path)
    assert_kept_is_anew(plan, tmp_path, monkeypatch, 1e-6)


def test_padding_that_shows_is_kept_out(tmp_path: Path) -> None:
    clips = [torch.randn(1600), torch.randn(500)]
    for name, alone in (("Mine", False), ("Contaminated", True)):
        model = build_model(own_plan(tmp_path / name, name), classes=3).eval()
        assert model.encoder.one_length_at_a_time is alone
        with torch.no_grad():
            together, single = model(batch_of(clips)), model(batch_of(clips[1:]))
        torch.testing.assert_close(together[1:], single)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (f"{_HERE}:OneValue", "its forward gives Tensor, expected frames and counts"),
        (f"{_HERE}:Narrow", r"gives frames \(2, 79, 12\) .* expected \(clips, frames, 7\)"),
        (f"{_HERE}:Widthless", "it has no features, expected an int"),
        (f"{_HERE}:Path", "cannot be made with"),
        (f"{_HERE}:Missing", "has no Missing"),
        ("no_such_package_of_mine:Encoder", "No module named"),
    ],
)
def test_what_cannot_encode_is_refused_before_training(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(PlanError, match=message):
        build_model(own_plan(tmp_path, backbone__name=name), classes=3)


def test_a_plan_keeps_the_name_of_the_class_and_refuses_other_words(tmp_path: Path) -> None:
    plan = own_plan(tmp_path)
    (tmp_path / "plan.yaml").write_text(plan_yaml(plan))
    assert read_plan(tmp_path / "plan.yaml").backbone.name == f"{_HERE}:Mine"
    with pytest.raises(PlanError, match=r"backbone.name: Input should be 'mfcc'.*got 'wav2vec'"):
        own_plan(tmp_path, backbone__name="wav2vec")
    with pytest.raises(PlanError, match=r"frames of .*:Mine are not hidden"):
        own_plan(tmp_path, adaptation__method="full", augmentation__mask_share=0.1)
