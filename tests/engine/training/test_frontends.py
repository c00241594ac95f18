"""Log-mel and MFCC frames: exact under padding, right against a plain reference, normalised as the plan says."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.plan_sections import Backbone
from engine.training.frontends import SpectralFrontEnd
from knowledge.errors import PlanError

from .small_models import SAMPLE_RATE_HZ, batch_of, clip

torch.set_num_threads(1)

lengths = st.lists(st.integers(1, 6000), min_size=2, max_size=4)


def front_end(**settings):
    return SpectralFrontEnd(Backbone(**settings), SAMPLE_RATE_HZ).double()


@settings(max_examples=40, deadline=None)
@given(lengths, st.sampled_from(["mfcc", "log-mel"]), st.sampled_from(["none", "clip"]), st.booleans())
def test_frames_alone_and_padded_are_equal(lengths, name, normalise, deltas):
    model = front_end(name=name, normalise=normalise, deltas=deltas)
    clips = [clip(length, seed) for seed, length in enumerate(lengths)]
    batch = batch_of(clips, fill=7.0)  # not zeros: what follows a clip must not matter at all
    together, mask = model(batch.waveforms, batch.lengths)

    for row, one in enumerate(clips):
        alone, valid = model(one[None], torch.tensor([len(one)]))
        assert bool(valid.all())
        assert int(mask[row].sum()) == alone.shape[1] == max(1 + (len(one) - 400) // 160, 1)
        torch.testing.assert_close(together[row][mask[row]], alone[0], atol=1e-9, rtol=0)
        assert not together[row][~mask[row]].any()


def test_log_mel_equals_a_plain_reference():
    model = front_end(name="log-mel", normalise="none", mels=40)
    wave = clip(2000)
    frames, _ = model(wave[None], torch.tensor([2000]))

    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    pieces = np.stack([wave.numpy()[start : start + 400] * window for start in range(0, 2000 - 399, 160)])
    power = np.abs(np.fft.rfft(pieces, n=512)) ** 2

    def mel(hertz):
        return 2595 * math.log10(1 + hertz / 700)

    edges = 700 * (10 ** (np.linspace(mel(20), mel(8000), 42) / 2595) - 1)
    hertz = np.linspace(0, 8000, 257)
    rising = (hertz[:, None] - edges[:-2]) / np.diff(edges)[:-1]
    falling = (edges[2:] - hertz[:, None]) / np.diff(edges)[1:]
    expected = np.log(power @ np.maximum(0, np.minimum(rising, falling)) + 1e-6)

    # torchaudio keeps its bands in float32.
    np.testing.assert_allclose(frames[0].numpy(), expected, atol=1e-4)


def test_delta_of_a_ramp_is_its_slope():
    from engine.training.frontends import _delta

    ramp = torch.arange(20, dtype=torch.float64)[None, :, None] * 3

    slopes = _delta(ramp, torch.tensor([20]))

    torch.testing.assert_close(slopes[0, 2:-2], torch.full((16, 1), 3.0, dtype=torch.float64))


def test_corpus_statistics_make_the_training_clips_standard():
    model = front_end(name="mfcc", normalise="corpus")
    batches = [batch_of([clip(5000, 1), clip(900, 2)]), batch_of([clip(3000, 3)])]
    assert model.needs_fit
    model.fit((batch.waveforms, batch.lengths) for batch in batches)
    assert not model.needs_fit

    valid = []
    for batch in batches:
        frames, mask = model(batch.waveforms, batch.lengths)
        valid.append(frames[mask])
    frames = torch.cat(valid)

    torch.testing.assert_close(frames.mean(0), torch.zeros(60, dtype=torch.float64), atol=1e-4, rtol=0)
    torch.testing.assert_close(frames.std(0, correction=0), torch.ones(60, dtype=torch.float64), atol=1e-4, rtol=0)


def test_corpus_statistics_must_be_fitted_before_use():
    with pytest.raises(RuntimeError, match="fit_normalisation"):
        front_end()(clip(1000)[None], torch.tensor([1000]))


def test_silence_is_finite_and_zero_after_normalisation():
    model = front_end(name="mfcc", normalise="clip")

    frames, _ = model(torch.zeros(1, 4000, dtype=torch.float64), torch.tensor([4000]))

    torch.testing.assert_close(frames, torch.zeros_like(frames), atol=1e-12, rtol=0)


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({"coefficients": 64, "mels": 40}, ["backbone.coefficients", "40"]),
        ({"hop_seconds": 1e-6}, ["hop_seconds"]),
        ({"name": "log-mel", "mels": 256, "window_seconds": 0.001}, ["backbone.mels", "256"]),
    ],
)
def test_what_cannot_be_computed_is_refused_by_name(settings, names):
    with pytest.raises(PlanError) as caught:
        SpectralFrontEnd(Backbone(**settings), SAMPLE_RATE_HZ)

    assert all(name in caught.value.message for name in names)


def test_narrow_bands_get_a_longer_fft_instead_of_empty_ones():
    model = SpectralFrontEnd(Backbone(name="log-mel", mels=128, normalise="none"), 8000).double()

    frames, _ = model(clip(4000)[None], torch.tensor([4000]))

    assert float(frames.min()) > math.log(1e-6) + 1e-3  # no band stays at the floor


def test_mixed_precision_does_not_reach_the_spectrum():
    model = SpectralFrontEnd(Backbone(normalise="none"), SAMPLE_RATE_HZ)
    wave, length = clip(4000).float()[None], torch.tensor([4000])
    expected, _ = model(wave, length)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        frames, _ = model(wave, length)

    assert torch.equal(frames, expected)
