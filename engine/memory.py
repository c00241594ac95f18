"""Estimates what training a backbone takes in GPU memory and arithmetic, from its shape; measures and decides nothing.

A layer keeps for the backward pass 8 values as wide as its hidden size and 2 as wide as its feed-forward part for each
frame: input of the attention, query, key, value and what attention returns, twice the input of a norm, input of the
feed-forward part; input and output of its activation. With frozen weights beside adapters the inputs of the frozen
linear layers are not kept. `benchmarks/memory.py` counts the same in real networks.

Where several GPUs divide the layers that learn (FSDP), each holds its share of their weights, gradients and optimizer
state, and besides those the layer that computes, whole. What a pass keeps for the backward pass is divided by nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from knowledge.cards import BackboneCard, Shape

Method = Literal["frozen", "adapters", "top", "full"]
METHODS: tuple[Method, ...] = ("frozen", "adapters", "top", "full")
Precision = Literal["fp32", "mixed"]

GIB = 2**30
UNCERTAINTY = 0.25
"""Share by which a real run may need more or less: kernels' workspaces, fragmentation, the allocator's rounding.
No GPU was at hand to measure it; what autograd keeps is counted exactly, and is the largest part."""
CONTEXT_GIB = 0.6
"""What CUDA itself and its libraries take before the first tensor; experience, 0.4 to 0.8 by card and driver."""
TOP_SHARE = 0.25
"""`top` trains this share of the layers, the uppermost: three of twelve, six of twenty-four."""
ADAPTER_RANK = 8
_WEIGHT, _GRADIENT, _ADAM = 4, 4, 8
"""Bytes a weight in float32; AdamW keeps two averages. Mixed precision keeps all of them in float32."""
_HALF_COPY = 2
"""Autocast casts each weight to 16 bits once a step and keeps the copy for the backward pass."""
_GATHERED_LAYERS, _GATHERED_GRADIENTS = 2, 1
"""Of divided layers, those whole at one moment: the one that computes and the next, and the gradients of one."""
_NORMS = 2
"""Of the 8 values, those that autocast on CUDA keeps in float32: the inputs of the norms."""
_DROPOUT_MASKS = 2
"""Bytes for each frame and unit of the hidden size: one a dropout, after attention and after the feed-forward part."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Memory of one training pass, in bytes."""

    weights: float
    """Weights, gradients, optimizer state and half-precision copies."""
    activations: float
    """What is kept for the backward pass, or, with nothing learning below the head, the largest moment."""

    @property
    def gib(self) -> float:
        """Everything in GiB, CUDA's own part included."""
        return (self.weights + self.activations) / GIB + CONTEXT_GIB


def estimate(
    card: BackboneCard,
    method: Method,
    *,
    clips: int,
    seconds: float,
    precision: Precision = "mixed",
    checkpointing: bool = False,
    eager: bool | None = None,
    divided_by: int = 1,
) -> Estimate | None:
    """Return the memory of a pass of `clips` clips of `seconds` on one GPU; None where the card has no shape.

    `checkpointing` keeps only the input of each layer and computes the rest twice. `eager` keeps the attention
    weights; left out, it follows what the card's implementation can do. `divided_by` is the number of GPUs that divide
    the layers that learn; 1: each holds the whole model.
    """
    if card.shape is None or card.parameters is None:
        return None
    eager = not {"sdpa", "flash"} & set(card.attention) if eager is None else eager
    seconds = card.fixed_seconds or seconds
    kept = clips * _kept(card.shape, method, seconds, precision, checkpointing, eager)
    moment = clips * _moment(card.shape, seconds, precision, eager)
    return Estimate(_weights(card, card.shape, method, precision, divided_by), max(kept, moment))


def clips_that_fit(
    card: BackboneCard,
    method: Method,
    *,
    gib: float,
    seconds: float,
    share: float,
    precision: Precision = "mixed",
    checkpointing: bool = False,
    divided_by: int = 1,
) -> int | None:
    """Return how many clips of `seconds` a pass holds when it may fill `share` of the memory; 0: not even the weights.

    In mixed precision and without checkpointing, unless it is said otherwise, as the bundled trainer runs on a GPU.
    """
    none, one = (
        estimate(
            card,
            method,
            clips=clips,
            seconds=seconds,
            precision=precision,
            checkpointing=checkpointing,
            divided_by=divided_by,
        )
        for clips in (0, 1)
    )
    if none is None or one is None:
        return None
    return max(0, int((gib * share - none.gib) / (one.gib - none.gib)))


def forward_gflop_per_second(card: BackboneCard) -> float | None:
    """Return 10^9 multiplications and additions of one second of sound through the layers; training all takes thrice.

    Two for each weight of a layer and frame, and the products of attention over ten seconds.
    """
    shape = card.shape
    if shape is None:
        return None
    frames = shape.frames_per_second
    attended = (card.fixed_seconds or 10.0) * frames
    layer = 2 * (4 * shape.hidden**2 + 2 * shape.hidden * shape.feed_forward) + 4 * attended * shape.hidden
    return shape.layers * frames * layer / 1e9


def kept_by_layer(shape: Shape, method: Method, frames: float, precision: Precision, eager: bool) -> float:
    """Return the bytes that one learning layer keeps of one clip, dropout masks included."""
    value = 4 if precision == "fp32" else 2
    wide, deep = (8, 2) if method in ("full", "top") else (7, 1)
    linear = (wide - _NORMS) * value + _NORMS * 4 + _DROPOUT_MASKS
    # Softmax, its dropout mask and what dropout leaves of it, for every pair of frames.
    pairs = shape.heads * frames**2 * (2 * value + 1) if eager else 0
    return frames * (linear * shape.hidden + deep * value * shape.feed_forward) + pairs


def _kept(
    shape: Shape, method: Method, seconds: float, precision: Precision, checkpointing: bool, eager: bool
) -> float:
    value = 4 if precision == "fp32" else 2
    frames = seconds * shape.frames_per_second
    if method == "frozen":
        return 0.0
    layers = max(1, round(TOP_SHARE * shape.layers)) if method == "top" else shape.layers
    layer = kept_by_layer(shape, method, frames, precision, eager)
    if checkpointing:
        return frames * shape.hidden * value * layers + layer
    stem = frames * value * (2 * shape.stem_channels + 3 * shape.hidden) if method != "top" else 0.0
    return layers * layer + stem


def _moment(shape: Shape, seconds: float, precision: Precision, eager: bool) -> float:
    """Return the largest bytes in use at one moment of a pass that keeps nothing."""
    value = 4 if precision == "fp32" else 2
    frames = seconds * shape.frames_per_second
    stem = 3 * value * shape.stem_channels * shape.stem_rate_hz * seconds  # input, norm and activation of one layer
    pairs = 2 * value * shape.heads * frames**2 if eager else 0.0
    layer = frames * value * (8 * shape.hidden + 2 * shape.feed_forward) + pairs
    states = frames * 4 * shape.hidden * (shape.layers + 1)  # all layers side by side, for the layer mix
    return max(stem, layer + states)


def _weights(card: BackboneCard, shape: Shape, method: Method, precision: Precision, divided_by: int) -> float:
    total = card.parameters or 0
    layer = 4 * shape.hidden**2 + 2 * shape.hidden * shape.feed_forward
    top = max(1, round(TOP_SHARE * shape.layers))
    adapters = shape.layers * 2 * 2 * ADAPTER_RANK * shape.hidden  # A and B of query and value
    learning: float = {"frozen": 0, "adapters": adapters, "top": top * layer, "full": total}[method]
    copies = _HALF_COPY * total if precision == "mixed" else 0
    states = _GRADIENT + _ADAM
    if divided_by == 1 or method == "frozen":
        return _WEIGHT * total + copies + states * learning
    # A layer with adapters is divided as a whole; the copies that autocast makes of it are not.
    divided = (top if method == "top" else shape.layers) * layer
    learning_inside = min(learning, divided)
    whole = _WEIGHT * (total - divided) + states * (learning - learning_inside)
    gathered = (_GATHERED_LAYERS * _WEIGHT + _GATHERED_GRADIENTS * _GRADIENT) * layer
    parts = (_WEIGHT * divided + states * learning_inside) / divided_by
    # Every process loads the whole model before it is divided.
    return max(whole + parts + gathered + copies, _WEIGHT * total)
