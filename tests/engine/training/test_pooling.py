"""Pooling and the temporal encoder: padded frames have no influence; the formulas are the published ones."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import plan_sections
from engine.training.heads import BoundedOutput, LayerMix, StandardisedOutput, TemporalEncoder, answer_layers
from engine.training.padding import frame_mask
from engine.training.pooling import AttentionPooling, HierarchicalPooling, PooledScale, StatisticsPooling, make_pooling

torch.set_num_threads(1)

NAMES = ["mean", "attention", "hierarchical", "statistics"]
lengths = st.lists(st.integers(1, 40), min_size=2, max_size=4)


def frames_of(lengths, features=6):
    generator = torch.Generator().manual_seed(sum(lengths))
    counts = torch.tensor(lengths)
    frames = torch.randn(len(lengths), max(lengths), features, generator=generator, dtype=torch.float64)
    return frames, frame_mask(counts, max(lengths)), counts


@settings(max_examples=40, deadline=None)
@given(lengths, st.sampled_from(NAMES))
def test_pooled_alone_and_padded_are_equal(lengths, name):
    torch.manual_seed(0)
    pooling = make_pooling(plan_sections.Pooling(name=name, segment_seconds=0.1), 6, 0.02).double()
    frames, mask, _ = frames_of(lengths)
    together = pooling(frames, mask)

    for row, length in enumerate(lengths):
        alone = pooling(frames[row : row + 1, :length], mask[row : row + 1, :length])
        torch.testing.assert_close(together[row], alone[0], atol=1e-12, rtol=0)
    assert together.shape == (len(lengths), pooling.features)


@settings(max_examples=30, deadline=None)
@given(lengths, st.sampled_from([1, 2]))
def test_temporal_encoder_alone_and_padded_are_equal(lengths, stride):
    torch.manual_seed(0)
    encoder = TemporalEncoder(6, 5, stride, 0.0).double()
    frames, mask, _ = frames_of(lengths)
    together, valid = encoder(frames, mask)

    for row, length in enumerate(lengths):
        alone, all_valid = encoder(frames[row : row + 1, :length], mask[row : row + 1, :length])
        assert bool(all_valid.all())
        assert int(valid[row].sum()) == alone.shape[1] == -(-length // stride)
        torch.testing.assert_close(together[row][valid[row]], alone[0], atol=1e-12, rtol=0)


@pytest.mark.parametrize("name", NAMES)
def test_gradients_stay_finite_for_clips_of_one_frame(name):
    pooling = make_pooling(plan_sections.Pooling(name=name), 6, 0.02).double()
    frames, mask, _ = frames_of([1, 25])
    frames.requires_grad_(True)

    pooling(frames, mask).sum().backward()

    assert bool(frames.grad.isfinite().all())
    assert not frames.grad[~mask].any()


def test_statistics_are_mean_and_deviation():
    frames, mask, _ = frames_of([30, 12])

    pooled = StatisticsPooling(6)(frames, mask)

    valid = frames[1, :12]
    torch.testing.assert_close(pooled[1, :6], valid.mean(0))
    torch.testing.assert_close(pooled[1, 6:12], (valid.var(0, correction=0) + 1e-5).sqrt())


def test_statistics_tell_a_clip_from_one_that_is_twice_as_long():
    frames, mask, _ = frames_of([12])
    pooling = StatisticsPooling(6)

    once, twice = pooling(frames, mask), pooling(frames.repeat(1, 2, 1), mask.repeat(1, 2))

    torch.testing.assert_close(once[:, :12], twice[:, :12])
    torch.testing.assert_close(twice[0, 12] - once[0, 12], torch.tensor(2.0, dtype=once.dtype).log())


def test_attention_prefers_the_frame_with_the_highest_score():
    pooling = AttentionPooling(2)
    with torch.no_grad():
        pooling.hidden.weight.copy_(torch.tensor([[50.0, 0.0]]))
        pooling.hidden.bias.zero_()
        pooling.score.weight.fill_(1.0)
    frames = torch.tensor([[[-1.0, 10.0], [1.0, 20.0], [-1.0, 30.0]]])

    pooled = pooling(frames, torch.ones(1, 3, dtype=torch.bool))

    torch.testing.assert_close(pooled, torch.tensor([[1.0, 20.0]]))


def test_segments_have_the_length_of_the_plan():
    hierarchical = plan_sections.Pooling(name="hierarchical", segment_seconds=0.2)

    assert make_pooling(hierarchical, 4, 0.02).segment_frames == 10
    assert make_pooling(hierarchical, 4, 1.0).segment_frames == 1


def test_hierarchy_of_one_segment_is_attention_over_its_frames():
    torch.manual_seed(0)
    hierarchical = HierarchicalPooling(6, 100).double()
    frames, mask, _ = frames_of([30, 7])

    torch.testing.assert_close(hierarchical(frames, mask), hierarchical.frames(frames, mask))


def test_layer_mix_starts_as_the_mean_and_follows_its_weights():
    mix = LayerMix(3).double()
    layers = torch.randn(2, 4, 3, 5, dtype=torch.float64)

    torch.testing.assert_close(mix(layers.flatten(2)), layers.mean(2))

    with torch.no_grad():
        mix.weights.copy_(torch.tensor([0.0, 100.0, 0.0]))
    torch.testing.assert_close(mix(layers.flatten(2)), layers[:, :, 1])


@given(st.lists(st.floats(-1e4, 1e4, width=32), min_size=1, max_size=8))
def test_bounded_output_never_leaves_its_range(answers):
    output = BoundedOutput(1.0, 5.0)(torch.tensor(answers)[:, None])

    assert output.shape == (len(answers),)
    assert bool(((output >= 1) & (output <= 5)).all())


@pytest.mark.parametrize(("value", "expected"), [(3.2, 3.2), (1.0, 1.04), (99.0, 4.96)])
def test_bounded_output_starts_at_the_label_mean(value, expected):
    layers = answer_layers(plan_sections.Head(), 4, 1)
    bounded = BoundedOutput(1.0, 5.0)
    bounded.start_at(value, layers[-1])

    assert float(bounded(layers(torch.zeros(1, 4))).detach()) == pytest.approx(expected, abs=1e-5)


def test_unbounded_output_is_in_the_unit_of_the_label():
    output = StandardisedOutput(60.0, 12.0)

    assert output(torch.tensor([[0.0], [1.0], [-2.0]])).tolist() == [60.0, 72.0, 36.0]
    assert StandardisedOutput(3.0, 0.0)(torch.tensor([[1.0]])).tolist() == [4.0]


@pytest.mark.parametrize("name", ["linear", "mlp", "temporal"])
def test_answers_have_one_column_for_each_class(name):
    assert answer_layers(plan_sections.Head(name=name, hidden=7), 6, 4)(torch.zeros(3, 6)).shape == (3, 4)


def test_pooled_values_are_standardised_and_constant_ones_left_alone():
    pooled = torch.randn(200, 3, dtype=torch.float64) * torch.tensor([1e-2, 50.0, 0.0]) + torch.tensor([5.0, -3.0, 2.0])
    scale = PooledScale(3).double()
    scale.fit(pooled)
    scaled = scale(pooled)

    assert torch.allclose(scaled.mean(0), torch.zeros(3, dtype=torch.float64), atol=1e-9)
    assert torch.allclose(scaled.std(0, unbiased=False)[:2], torch.ones(2, dtype=torch.float64))
    assert bool(scale.fitted)
