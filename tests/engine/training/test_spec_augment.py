"""Hidden frames: never more of a clip than the plan says, about as many as it says, and the same after a resume."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.plan_sections import Augmentation
from engine.training.model import build_model
from engine.training.spec_augment import Masking
from knowledge.errors import PlanError

from .small_models import batch_of, clip, plan_with, save_checkpoint

torch.set_num_threads(1)


def hidden(lengths, share, most, epoch=0, clips=None):
    numbers = torch.arange(len(lengths)) if clips is None else torch.tensor(clips)
    masking = Masking(Augmentation(mask_share=share, mask_most=most), 0, epoch, numbers)
    return masking.hidden(torch.tensor(lengths), max(lengths))


@settings(deadline=None)
@given(st.lists(st.integers(1, 400), min_size=1, max_size=4), st.floats(0, 1), st.floats(0, 1), st.integers(0, 9))
def test_never_more_of_a_clip_than_the_plan_says(lengths, share, most, epoch):
    found = hidden(lengths, share, most, epoch)

    for row, length in enumerate(lengths):
        assert int(found[row].sum()) <= most * length
        assert not bool(found[row, length:].any())


def test_the_share_is_met_on_average_by_long_and_short_clips():
    for length in (20, 60, 500):
        found = hidden([length] * 400, 0.05, 0.15)
        assert 0.04 < float(found.float().mean()) <= 0.052, length


def test_what_is_hidden_follows_from_epoch_and_clip_alone():
    together = hidden([200, 300], 0.1, 0.2, clips=[4, 9])

    assert torch.equal(hidden([300], 0.1, 0.2, clips=[9])[0], together[1])
    assert not torch.equal(hidden([300], 0.1, 0.2, epoch=1, clips=[9])[0], together[1])


@pytest.mark.parametrize("way", [{"method": "lora"}, {"method": "lora", "top_layers": 1}, {"method": "full"}])
def test_hidden_frames_show_in_what_learns_with_and_without_the_cache(tmp_path, way):
    backbone = {"name": "wavlm", "checkpoint": save_checkpoint(tmp_path, "wavlm")}
    model = build_model(plan_with(backbone=backbone, adaptation=way), classes=3).eval()
    batch = batch_of([clip(16000, 1).float(), clip(9000, 2).float()])
    masking = Masking(Augmentation(mask_share=0.3, mask_most=0.3), 0, 0, batch.indices)
    plain, mask = model.encode(batch)
    fresh, _ = model.encode(batch, masking)
    prefix, _ = model.prefix(batch)
    kept, _ = model.encoder.rest(prefix, batch.lengths, masking)

    assert float((fresh - plain)[mask].detach().abs().max()) > 1e-3
    torch.testing.assert_close(kept[mask], fresh[mask])


def test_spectra_have_nothing_to_hide_from():
    with pytest.raises(PlanError, match="frames of log-mel are not hidden"):
        plan_with(backbone={"name": "log-mel"}, augmentation={"mask_share": 0.1})
