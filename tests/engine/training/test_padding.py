"""Masked group norm and the other ways to keep padding out of a clip's frames."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from engine.training.padding import (
    MaskedGroupNorm,
    encode_equal_lengths,
    frame_lengths,
    frame_mask,
    is_padding_exact,
    mask_group_norms,
    shortest_input,
    valid_lengths,
)

torch.set_num_threads(1)

WAV2VEC2 = list(zip((10, 3, 3, 3, 3, 2, 2), (5, 2, 2, 2, 2, 2, 2), strict=True))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(2, 30), min_size=2, max_size=4), st.sampled_from([1, 3, 6]))
def test_masked_norm_is_the_ordinary_one_of_each_clip(lengths, groups):
    generator = torch.Generator().manual_seed(0)
    norm = MaskedGroupNorm(groups, 6).double()
    with torch.no_grad():
        norm.weight.uniform_(0.5, 2, generator=generator)
        norm.bias.uniform_(-1, 1, generator=generator)
    values = 3 + torch.randn(len(lengths), 6, max(lengths), generator=generator, dtype=torch.float64)
    with valid_lengths([(norm, torch.tensor(lengths))]):
        masked = norm(values)

    for row, length in enumerate(lengths):
        expected = nn.functional.group_norm(values[row : row + 1, :, :length], groups, norm.weight, norm.bias)
        torch.testing.assert_close(masked[row, :, :length], expected[0], atol=1e-10, rtol=0)
        assert not masked[row, :, length:].any()
    assert norm.lengths is None


def test_one_valid_frame_is_allowed():
    norm = MaskedGroupNorm(4, 4)
    with valid_lengths([(norm, torch.tensor([1, 3]))]):
        masked = norm(torch.randn(2, 4, 3))

    assert bool(masked.isfinite().all())


def test_statistics_of_half_precision_do_not_overflow():
    norm = MaskedGroupNorm(2, 2).half()
    with valid_lengths([(norm, torch.tensor([3000]))]):
        masked = norm(torch.randn(1, 2, 3000).half() * 300)

    assert masked.dtype == torch.float16
    assert float(masked.detach().float().std()) == pytest.approx(1, abs=0.05)


@given(st.integers(400, 100_000))
def test_frame_lengths_equal_what_the_convolutions_give(samples):
    expected = samples
    for kernel, stride in WAV2VEC2:
        expected = (expected - kernel) // stride + 1

    assert int(frame_lengths(torch.tensor([samples]), WAV2VEC2)) == expected


def test_shortest_input_gives_one_frame_and_one_sample_less_gives_none():
    shortest = shortest_input(WAV2VEC2)

    assert shortest == 400
    assert frame_lengths(torch.tensor([shortest, shortest - 1]), WAV2VEC2).tolist() == [1, 0]


def test_group_norms_are_found_and_keep_their_weights():
    network = nn.Sequential(nn.Conv1d(1, 4, 3), nn.Sequential(nn.GroupNorm(4, 4), nn.GELU()), nn.LayerNorm(4))
    weight = network[1][0].weight

    found = mask_group_norms(network)

    assert list(found) == ["1.0"]
    assert network[1][0] is found["1.0"]
    assert found["1.0"].weight is weight


def test_the_probe_sees_contamination():
    def pooled(waveforms, lengths):
        frames = waveforms[..., None] - waveforms.mean(1)[:, None, None]
        return frames, frame_mask(lengths, waveforms.shape[1])

    def own(waveforms, lengths):
        return waveforms[..., None] * 2, frame_mask(lengths, waveforms.shape[1])

    assert not is_padding_exact(pooled, 40)
    assert is_padding_exact(own, 40)


def test_equal_lengths_keep_the_order_of_the_clips():
    seen = []

    def encode(waveforms, lengths):
        assert bool((lengths == waveforms.shape[1]).all())
        seen.append(tuple(waveforms.shape))
        return waveforms[..., None] + waveforms.shape[1]

    waveforms, lengths = torch.arange(12.0).view(3, 4), torch.tensor([4, 2, 4])
    frames = encode_equal_lengths(encode, waveforms, lengths, lengths, 4)

    assert sorted(seen) == [(1, 2), (2, 4)]
    assert frames[..., 0].tolist() == [[4, 5, 6, 7], [6, 7, 0, 0], [12, 13, 14, 15]]
