"""The memory estimate: what autograd keeps in real networks, and what must hold for every card."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.memory import kept_by_network, layer_bytes
from engine.memory import METHODS, Method, clips_that_fit, estimate, forward_gflop_per_second
from knowledge.loader import load_knowledge

CARDS = {card.backbone: card for card in load_knowledge().backbones}
SHAPED = sorted(name for name, card in CARDS.items() if card.shape)
NEAR = 0.05
"""Statistics of the norms and adapters' own small tensors are left out of the estimate."""


@pytest.mark.parametrize(
    ("method", "eager", "hidden", "feed_forward", "heads"),
    [
        ("full", False, 64, 256, 4),
        ("full", False, 128, 192, 4),
        ("full", True, 64, 256, 4),
        ("adapters", False, 64, 256, 4),
    ],
)
def test_a_layer_keeps_what_is_estimated(
    method: Method, eager: bool, hidden: int, feed_forward: int, heads: int
) -> None:
    measured, frames = kept_by_network(method, eager, hidden, feed_forward, heads, 2, 3.0)
    estimated = 2 * layer_bytes(method, eager, hidden, feed_forward, heads, frames)

    assert estimated == pytest.approx(measured, rel=NEAR)


@given(name=st.sampled_from(SHAPED), clips=st.integers(1, 64), seconds=st.floats(0.5, 60))
def test_more_learns_or_is_longer_needs_no_less(name: str, clips: int, seconds: float) -> None:
    card = CARDS[name]
    frozen, adapters, top, full = (estimate(card, method, clips=clips, seconds=seconds) for method in METHODS)

    assert frozen and adapters and top and full
    assert frozen.gib <= adapters.gib <= full.gib
    assert frozen.gib <= top.gib <= full.gib
    longer = estimate(card, "full", clips=clips, seconds=seconds + 1)
    spared = estimate(card, "full", clips=clips, seconds=seconds, checkpointing=True)
    single = estimate(card, "full", clips=clips, seconds=seconds, precision="fp32")
    assert longer and longer.gib >= full.gib
    assert spared and spared.gib <= full.gib
    assert single and single.activations > full.activations * 0.99


@given(
    name=st.sampled_from(SHAPED),
    method=st.sampled_from(METHODS),
    gib=st.floats(0.5, 200),
    seconds=st.floats(0.5, 40),
)
def test_what_fits_fits_and_one_more_does_not(name: str, method: Method, gib: float, seconds: float) -> None:
    card = CARDS[name]
    clips = clips_that_fit(card, method, gib=gib, seconds=seconds, share=0.75)

    assert clips is not None
    more = estimate(card, method, clips=clips + 1, seconds=seconds)
    assert more and more.gib >= gib * 0.75 * (1 - 1e-9)
    fits = estimate(card, method, clips=clips, seconds=seconds)
    assert clips == 0 or (fits and fits.gib <= gib * 0.75 * (1 + 1e-9))


@given(
    name=st.sampled_from(SHAPED),
    method=st.sampled_from([method for method in METHODS if method != "frozen"]),
    gpus=st.integers(2, 64),
    clips=st.integers(0, 16),
)
def test_more_gpus_divide_what_learns_and_never_what_a_pass_keeps(
    name: str, method: Method, gpus: int, clips: int
) -> None:
    card = CARDS[name]
    whole, few, more = (
        estimate(card, method, clips=clips, seconds=5, divided_by=count) for count in (1, gpus, gpus + 1)
    )

    assert whole and few and more
    assert whole.activations == few.activations == more.activations
    assert more.weights <= few.weights
    assert few.weights >= 4 * (card.parameters or 0), "it is loaded whole"


def test_what_is_divided_is_what_the_trainer_divides() -> None:
    """Per layer: weight, gradient and two averages of each weight, but for the layers that are whole at a moment."""
    card, layers = CARDS["xls-r-1b"], 48
    four, eight = (estimate(card, "full", clips=0, seconds=5, divided_by=count) for count in (4, 8))
    assert four and eight and card.shape and card.shape.layers == layers
    layer = 4 * card.shape.hidden**2 + 2 * card.shape.hidden * card.shape.feed_forward

    assert four.weights - eight.weights == pytest.approx(16 * layers * layer / 8)
    frozen = estimate(card, "frozen", clips=0, seconds=5, divided_by=8)
    assert frozen == estimate(card, "frozen", clips=0, seconds=5)


def test_whole_attention_maps_grow_with_the_square() -> None:
    wavlm = CARDS["wavlm-large"]
    short, long = (estimate(wavlm, "full", clips=1, seconds=seconds) for seconds in (10, 40))

    assert short and long
    assert long.activations > 8 * short.activations


def test_a_window_that_is_filled_up_costs_the_same_at_any_length() -> None:
    assert estimate(CARDS["whisper-small"], "full", clips=2, seconds=1) == estimate(
        CARDS["whisper-small"], "full", clips=2, seconds=30
    )


def test_without_layers_nothing_is_estimated() -> None:
    assert estimate(CARDS["panns"], "full", clips=1, seconds=1) is None
    assert clips_that_fit(CARDS["mfcc"], "frozen", gib=8, seconds=1, share=0.75) is None
    assert forward_gflop_per_second(CARDS["yamnet"]) is None
