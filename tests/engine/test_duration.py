"""The estimate of arithmetic and time: against counts by hand, and what must hold for every card and plan."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.duration import VALIDATION_SHARE, Training, beside_seconds, gflop
from engine.memory import forward_gflop_per_second
from knowledge.loader import load_knowledge

CARDS = {card.backbone: card for card in load_knowledge().backbones}
SHAPED = sorted(name for name, card in CARDS.items() if card.shape)
HOUR = Training(clips=360, audio_seconds=3600, epochs=10, method="full")


def counted_stem() -> float:
    """GFLOP of one second in wav2vec 2.0's seven convolutions but the first, layer by layer."""
    rate, total = 3200.0, 0.0
    for width, stride in ((3, 2), (3, 2), (3, 2), (3, 2), (2, 2), (2, 2)):
        rate /= stride
        total += 2 * 512 * 512 * width * rate
    return total / 1e9


def test_a_frozen_backbone_runs_once_over_clips_that_are_not_varied() -> None:
    card = CARDS["wav2vec2-base"]
    layers = forward_gflop_per_second(card)

    assert layers is not None
    assert gflop(card, replace(HOUR, method="frozen")) == pytest.approx(3600 * (layers + counted_stem()))


def test_full_fine_tuning_costs_three_passes_over_what_is_trained_on() -> None:
    card = CARDS["wav2vec2-base"]
    layers = forward_gflop_per_second(card)

    assert layers is not None
    trained = 3 * (1 - VALIDATION_SHARE) + VALIDATION_SHARE
    assert gflop(card, HOUR) == pytest.approx(3600 * (10 * layers * trained + counted_stem()))


@given(name=st.sampled_from(SHAPED), epochs=st.integers(1, 50), seconds=st.floats(1, 1e6), varied=st.booleans())
def test_more_of_anything_takes_no_less(name: str, epochs: int, seconds: float, varied: bool) -> None:
    card = CARDS[name]
    base = Training(100, seconds, epochs, "frozen", varied=varied)
    ladder = [base, replace(base, method="adapters"), replace(base, method="full")]
    ladder += [replace(ladder[-1], recomputed=True), replace(ladder[-1], recomputed=True, epochs=epochs + 1)]
    found = [gflop(card, one) or 0.0 for one in ladder]

    assert found == sorted(found)
    assert (gflop(card, replace(base, varied=True)) or 0) >= (gflop(card, replace(base, varied=False)) or 0) > 0
    assert beside_seconds(replace(base, trainings=3), spectral=True, reads_frames=True) > beside_seconds(
        base, spectral=True, reads_frames=True
    )


@given(name=st.sampled_from(SHAPED), share=st.floats(0, 1))
def test_fewer_learning_layers_take_no_more(name: str, share: float) -> None:
    card, whole = CARDS[name], replace(HOUR, method="adapters")

    assert (gflop(card, replace(whole, learning_share=share)) or 0) <= (gflop(card, whole) or 0) * (1 + 1e-9)


def test_groups_that_are_left_out_in_turn_share_what_is_kept() -> None:
    card, once = CARDS["wav2vec2-base"], replace(HOUR, method="frozen")

    assert gflop(card, replace(once, trainings=5)) == gflop(card, once)
    assert gflop(card, replace(once, trainings=5, varied=True)) == pytest.approx(
        5 * (gflop(card, replace(once, varied=True)) or 0)
    )


def test_a_network_of_another_kind_is_not_estimated() -> None:
    assert gflop(next(card for card in CARDS.values() if card.shape is None), HOUR) is None
