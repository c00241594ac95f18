"""Augmentation: the same key gives the same clip whatever the order, and masks never take more than their share."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.plan_sections import Augmentation
from engine.training import augmentation, effects
from engine.training.augmentation import MASKED_AT_MOST, STRENGTHS, mixed, speed_number
from engine.training.padding import frame_mask

from .small_models import SAMPLE_RATE_HZ, clip

torch.set_num_threads(1)


def augment(waveform, sample_rate_hz, strength, key, **operations):
    return augmentation.augment(waveform, sample_rate_hz, Augmentation(strength=strength, **operations), key)


def spec_augment(frames, mask, strength, key):
    return augmentation.spec_augment(frames, mask, Augmentation(strength=strength), key)


strengths = st.sampled_from(["light", "strong"])
WAVE = clip(6000).float()


def test_none_returns_the_clip_itself():
    frames, mask = torch.randn(2, 30, 4), torch.ones(2, 30, dtype=torch.bool)

    assert augment(WAVE, SAMPLE_RATE_HZ, "none", (0, 0, 0)) is WAVE
    assert spec_augment(frames, mask, "none", (0, 0, [0, 1])) is frames


@settings(max_examples=20, deadline=None)
@given(st.permutations(range(6)), strengths)
def test_order_and_repetition_change_nothing(order, strength):
    expected = [augment(WAVE, SAMPLE_RATE_HZ, strength, (3, 1, number)) for number in range(6)]
    torch.manual_seed(order[0])  # the global random state must not matter either
    np.random.seed(order[0])

    for number in order:
        assert torch.equal(augment(WAVE, SAMPLE_RATE_HZ, strength, (3, 1, number)), expected[number])


@pytest.mark.parametrize("strength", ["light", "strong"])
def test_seed_epoch_and_clip_each_give_another_take(strength):
    keys = [(seed, epoch, number) for seed in (0, 1) for epoch in (0, 1) for number in (0, 1)]
    takes = [augment(WAVE, SAMPLE_RATE_HZ, strength, key) for key in keys]

    assert len({(len(take), float(take.abs().sum())) for take in takes}) == len(keys)


def test_one_operation_more_does_not_change_the_others(monkeypatch):
    from dataclasses import replace

    quiet = replace(STRENGTHS["strong"], noise_share=0.0)
    louder = replace(quiet, shift_seconds=0.0)
    monkeypatch.setitem(augmentation.STRENGTHS, "strong", quiet)
    with_shift = augment(WAVE, SAMPLE_RATE_HZ, "strong", (0, 0, 5))
    monkeypatch.setitem(augmentation.STRENGTHS, "strong", louder)
    without = augment(WAVE, SAMPLE_RATE_HZ, "strong", (0, 0, 5))

    assert len(with_shift) == len(without)
    middle = slice(1000, -1000)
    lags = [float((with_shift.roll(-lag)[middle] - without[middle]).abs().max()) for lag in range(-320, 321)]
    assert min(lags) == 0.0


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 300), strengths, st.integers(0, 50))
def test_short_and_silent_clips_survive(samples, strength, number):
    loud = augment(clip(samples).float(), SAMPLE_RATE_HZ, strength, (0, 0, number))
    silent = augment(torch.zeros(samples), SAMPLE_RATE_HZ, strength, (0, 0, number))

    assert bool(loud.isfinite().all())
    assert not silent.any()
    assert 0.9 * samples - 1 <= len(loud) <= samples / 0.9 + 1


def test_input_is_left_as_it_is():
    before = WAVE.clone()
    augment(WAVE, SAMPLE_RATE_HZ, "strong", (0, 0, 0))

    assert torch.equal(WAVE, before)


@pytest.mark.parametrize(("speed", "hertz"), [((11, 10), 1100.0), ((9, 10), 900.0), ((1, 1), 1000.0)])
def test_speed_moves_pitch_and_length(speed, hertz):
    tone = torch.sin(2 * torch.pi * 1000 * torch.arange(16000) / SAMPLE_RATE_HZ)

    faster = augmentation._at_speed(tone, speed)

    assert len(faster) == pytest.approx(16000 * speed[1] / speed[0], abs=1)
    peak = torch.fft.rfft(faster).abs().argmax() * SAMPLE_RATE_HZ / len(faster)
    assert float(peak) == pytest.approx(hertz, abs=2)


@settings(max_examples=30, deadline=None)
@given(st.floats(0, 40), st.integers(0, 99))
def test_noise_has_the_signal_to_noise_ratio(snr_db, seed):
    noisy = augmentation._with_noise(WAVE, (snr_db, snr_db), np.random.default_rng(seed))

    noise = noisy - WAVE
    assert 10 * float(torch.log10(WAVE.square().mean() / noise.square().mean())) == pytest.approx(snr_db, abs=0.05)


@pytest.mark.parametrize(("samples", "expected"), [(2, [0, 0, 1, 2]), (-1, [2, 3, 4, 0]), (0, [1, 2, 3, 4])])
def test_shift_fills_with_silence(samples, expected):
    assert augmentation._shifted(torch.tensor([1, 2, 3, 4]), samples).tolist() == expected


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(1, 400), min_size=1, max_size=4), st.integers(1, 80), strengths, st.integers(0, 9))
def test_masks_take_no_more_than_their_share(lengths, features, strength, seed):
    mask = frame_mask(torch.tensor(lengths), max(lengths))
    frames = torch.ones(len(lengths), max(lengths), features)

    silenced = spec_augment(frames, mask, strength, (seed, 0, list(range(len(lengths))))) == 0

    for row, length in enumerate(lengths):
        assert int(silenced[row, :length].sum()) <= MASKED_AT_MOST * length * features
        assert not silenced[row, length:].any()


@pytest.mark.parametrize("strength", ["light", "strong"])
def test_long_clips_are_masked(strength):
    masked = spec_augment(torch.ones(20, 400, 40), torch.ones(20, 400, dtype=torch.bool), strength, (0, 0, range(20)))

    share = float((masked == 0).float().mean())
    assert 0.3 * STRENGTHS[strength].frames_masked < share <= MASKED_AT_MOST


def test_masks_follow_the_clip_and_not_its_place_or_padding():
    mask = frame_mask(torch.tensor([200, 120]), 200)
    frames = torch.ones(2, 200, 10)
    together = spec_augment(frames, mask, "strong", (0, 4, torch.tensor([8, 9])))

    alone = spec_augment(frames[1, :120], mask[1, :120], "strong", (0, 4, 9))

    assert torch.equal(together[1, :120], alone)
    assert not torch.equal(together[0, :120], alone)


EFFECTS = ("speed", "shift", "gain", "added_noise", "reverberation", "filtering", "clipping", "gaps")
ALL_AVOIDED = dict.fromkeys(EFFECTS, "avoid")


def test_what_the_plan_avoids_is_not_done():
    for number in range(20):
        assert torch.equal(augment(WAVE, SAMPLE_RATE_HZ, "strong", (0, 0, number), **ALL_AVOIDED), WAVE)


def test_another_speed_is_another_voice_where_the_plan_says_so():
    plan = Augmentation(strength="light", **(ALL_AVOIDED | {"speed": "new-class"}))
    for number in range(12):
        taken = len(augment(WAVE, SAMPLE_RATE_HZ, "light", (0, 0, number), **(ALL_AVOIDED | {"speed": "new-class"})))
        assert taken / len(WAVE) == pytest.approx([1, 10 / 9, 10 / 11][speed_number(plan, (0, 0, number))], abs=0.001)
    assert {speed_number(plan, (0, 0, number)) for number in range(12)} == {0, 1, 2}


@pytest.mark.parametrize("operation", EFFECTS)
def test_each_operation_is_done_to_some_clips_and_mild_is_that_of_light(operation):
    def takes(strength, value):
        chosen = ALL_AVOIDED | {operation: value}
        return [augment(WAVE, SAMPLE_RATE_HZ, strength, (0, 0, number), **chosen) for number in range(24)]

    assert any(len(take) != len(WAVE) or not torch.equal(take, WAVE) for take in takes("strong", "use"))
    assert all(torch.equal(a, b) for a, b in zip(takes("strong", "mild"), takes("light", "use"), strict=True))
    assert all(bool(take.isfinite().all()) for take in takes("strong", "use"))


def test_a_room_is_a_convolution_that_keeps_the_level_and_dies_out_as_it_says():
    from scipy.signal import fftconvolve

    click = torch.zeros(SAMPLE_RATE_HZ)
    click[100] = 1.0
    heard = effects.reverberated(click, SAMPLE_RATE_HZ, 0.4, np.random.default_rng(0))
    assert float(heard.square().mean()) == pytest.approx(float(click.square().mean()), rel=1e-4)
    assert float(heard[:100].abs().max()) < 1e-6 and heard.abs().argmax() == 100
    tail = heard[101 : 100 + 6400].double().square().numpy()
    backward = 10 * np.log10(np.cumsum(tail[::-1])[::-1] / tail.sum())  # Schroeder 1965
    at_5, at_25 = np.argmax(backward < -5), np.argmax(backward < -25)
    assert 3 * (at_25 - at_5) / SAMPLE_RATE_HZ == pytest.approx(0.4, rel=0.15)

    wave = clip(9000).float()
    response = effects.reverberated(click, SAMPLE_RATE_HZ, 0.4, np.random.default_rng(0))[100:7000]
    expected = fftconvolve(wave.numpy(), response.numpy())[:9000]
    ours = effects.reverberated(wave, SAMPLE_RATE_HZ, 0.4, np.random.default_rng(0)).numpy()
    assert np.corrcoef(ours, expected)[0, 1] > 0.9999


@given(st.floats(0.2, 0.9))
@settings(max_examples=20, deadline=None)
def test_a_narrower_band_takes_away_what_is_above_it_and_nothing_below(share):
    wave = torch.randn(8000, generator=torch.Generator().manual_seed(0))
    before, after = (torch.fft.rfft(one).abs() for one in (wave, effects.band_limited(wave, share)))
    edge = int(share * (len(before) - 1))

    torch.testing.assert_close(after[: edge - 1], before[: edge - 1], rtol=1e-3, atol=1e-2)
    assert float(after[int(edge * 2**0.26) + 2 :].sum()) < 1


@given(st.floats(-6, 6))
@settings(max_examples=20, deadline=None)
def test_a_tilt_is_a_straight_line_over_octaves(decibels):
    wave = torch.randn(8192, generator=torch.Generator().manual_seed(0))
    before, after = (torch.fft.rfft(one.double()).abs() for one in (wave, effects.tilted(wave, decibels)))
    change = 20 * torch.log10(after / before)

    assert float(change[-2]) == pytest.approx(decibels, abs=0.05)
    assert float(change[1]) == pytest.approx(-decibels, abs=0.05)
    assert float(change[64]) == pytest.approx(0, abs=0.05)  # half of the twelve octaves


def test_clipping_and_gaps_touch_only_what_they_say():
    cut = effects.clipped(WAVE, 0.5)
    limit = 0.5 * float(WAVE.abs().max())
    assert float(cut.abs().max()) == pytest.approx(limit)
    assert torch.equal(cut[WAVE.abs() < limit], WAVE[WAVE.abs() < limit])
    for seed in range(20):
        gapped = effects.with_gap(WAVE, 0.05, np.random.default_rng(seed))
        changed = (gapped != WAVE).nonzero()[:, 0]
        assert len(changed) <= 0.05 * len(WAVE) and bool((gapped[changed] == 0).all())
        assert len(changed) < 2 or int(changed[-1] - changed[0]) <= 0.05 * len(WAVE)


def test_mixing_equals_its_formula_and_follows_from_the_key():
    frames = torch.randn(4, 6, 3, generator=torch.Generator().manual_seed(0))
    mask = frame_mask(torch.tensor([6, 5, 3, 2]), 6)
    plan = Augmentation(strength="strong", mixing="use")
    result, partner, share = mixed(frames, mask, plan, (0, 1, 7))

    assert 0.5 <= share < 1 and sorted(partner.tolist()) == [0, 1, 2, 3]
    assert all(int(other) != row for row, other in enumerate(partner))
    for row, other in enumerate(partner.tolist()):
        heard = frames[other] * mask[other][:, None]
        torch.testing.assert_close(result[row], share * frames[row] + (1 - share) * heard)
    again, _, same = mixed(frames, mask, plan, (0, 1, 7))
    assert torch.equal(again, result) and same == share
    assert mixed(frames, mask, plan, (0, 2, 7))[2] != share
    assert mixed(frames, mask, Augmentation(strength="strong"), (0, 1, 7))[0] is frames
    assert mixed(frames[:1], mask[:1], plan, (0, 1, 7))[2] == 1.0


def test_mixed_training_learns_and_resumes(tmp_path):
    from .corpora import assert_same_state, events_of, last_state, tone_corpus, tone_plan, train

    effects_on = {
        f"augmentation__{name}": "use" for name in ("reverberation", "filtering", "clipping", "gaps", "mixing")
    }
    plan = tone_plan(tone_corpus(tmp_path / "data"), augmentation__strength="strong", **effects_on)
    whole = train(plan, tmp_path / "whole")
    half = train(plan, tmp_path / "half")
    max((half / "checkpoints").glob("last-*")).unlink()

    assert_same_state(last_state(whole), last_state(train(plan, half, resume=True)))
    losses = [event["train_loss"] for event in events_of(whole, "eval")]
    assert losses[-1] < losses[0]
