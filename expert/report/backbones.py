"""The backbone cards as a page or a record, with the memory and arithmetic that follow; recommends nothing."""

from __future__ import annotations

from typing import Any

from engine.memory import (
    ADAPTER_RANK,
    CONTEXT_GIB,
    METHODS,
    TOP_SHARE,
    UNCERTAINTY,
    Method,
    estimate,
    forward_gflop_per_second,
)
from knowledge.cards import BackboneCard, evidence_lines, figures_told
from knowledge.rulebook import Knowledge

from .document import Bullets, Document, Heading, Paragraph, Table

_SECONDS = 10.0
"""Clip length of the table; with whole attention maps a second of a longer clip costs more."""
_NOT_KNOWN = "?"
_INTRO = (
    "One card a backbone, from knowledge/backbones/. Numbers of weights follow from the configuration wherever the "
    "card names a class of transformers; memory and arithmetic are estimated by engine/memory.py. A question mark "
    "stands for what was neither looked up nor derived. Each card says which of its figures were held against what "
    "its authors or others publish; the rest is from memory, and is named in the last column."
)
_MEMORY = (
    f"Memory in mixed precision (float32 weights, 16-bit copies, AdamW), without checkpointing. Fixed: weights, "
    f"gradients and optimizer state in GiB, with CUDA's own {CONTEXT_GIB} GiB. For each second: MB that a pass "
    f"keeps or passes through, in clips of {_SECONDS:.0f} s, or of the length that the model fills up to. "
    f"Adapters are LoRA of rank "
    f"{ADAPTER_RANK} on query and value; top is the upper {TOP_SHARE:.0%} of the layers. A real run may need "
    f"{UNCERTAINTY:.0%} more or less: not measured, no GPU."
)

_COLUMNS = (
    *("backbone", "weights", "layers x hidden", "rate", "frames/s", "licence"),
    *("heard", "hours", "languages", "runs here as", "from memory"),
)


def backbones_document(knowledge: Knowledge) -> Document:
    """Return what each card says, what it costs, and where that comes from."""
    cards = knowledge.backbones
    return (
        Heading("Backbones", 1),
        Paragraph(_INTRO),
        Table(
            _COLUMNS,
            tuple(map(_facts, cards)),
        ),
        Heading("Memory and arithmetic"),
        Paragraph(_MEMORY),
        Table(
            ("backbone", *(f"{method} {part}" for method in METHODS for part in ("fixed", "per s")), "GFLOP per s"),
            tuple(_costs(card) for card in cards if card.shape),
        ),
        Heading("The cards"),
        Bullets(tuple((f"{card.backbone}: {card.title}", tuple(_lines(card, knowledge))) for card in cards)),
    )


def backbones_record(knowledge: Knowledge) -> dict[str, Any]:
    """Return the cards and the estimates for programs."""
    return {
        "schema": "tonmeister.backbones/1",
        "uncertainty": UNCERTAINTY,
        "clip_seconds": _SECONDS,
        "backbones": [
            {**card.model_dump(), "unchecked": list(card.unchecked), "costs": _cost_record(card)}
            for card in knowledge.backbones
        ],
    }


def _facts(card: BackboneCard) -> tuple[str, ...]:
    shape = card.shape
    return (
        card.backbone,
        _millions(card.parameters),
        f"{shape.layers} x {shape.hidden}" if shape else "none",
        f"{card.sample_rate_hz / 1000:g} kHz" if card.sample_rate_hz else "any",
        f"{shape.frames_per_second:g}" if shape else _NOT_KNOWN,
        card.licence,
        ", ".join(card.sound),
        _NOT_KNOWN if card.hours is None else f"{card.hours:,.0f}",
        _NOT_KNOWN if card.languages is None else str(card.languages),
        card.runs or "not here",
        figures_told(card.unchecked) or "nothing",
    )


def _costs(card: BackboneCard) -> tuple[str, ...]:
    figures = [_cost(card, method) for method in METHODS]
    gflop = forward_gflop_per_second(card) or 0.0
    return (
        card.backbone,
        *(text for fixed, each in figures for text in (f"{fixed:.1f}", f"{each:.1f}")),
        f"{gflop:.1f}",
    )


def _cost(card: BackboneCard, method: Method) -> tuple[float, float]:
    """Return GiB whatever the clips, and MB for each second of them."""
    seconds = card.fixed_seconds or _SECONDS
    none, one = (estimate(card, method, clips=clips, seconds=seconds) for clips in (0, 1))
    if none is None or one is None:
        raise ValueError(f"{card.backbone} has no shape to estimate from")
    return none.gib, one.activations / seconds / 1e6


def _cost_record(card: BackboneCard) -> dict[str, Any] | None:
    if card.shape is None:
        return None
    costs = {method: _cost(card, method) for method in METHODS}
    return {
        "forward_gflop_per_second": forward_gflop_per_second(card),
        **{method: {"fixed_gib": fixed, "mb_per_second": each} for method, (fixed, each) in costs.items()},
    }


def _lines(card: BackboneCard, knowledge: Knowledge) -> list[str]:
    mask = {True: "masked", False: "not masked: pretrained or made without a mask", None: _NOT_KNOWN}[
        card.attention_mask
    ]
    commercial = {True: "commercial use allowed", False: "no commercial use", None: _NOT_KNOWN}[card.commercial]
    return [
        *(
            [f"weights: {card.checkpoint}{', after an agreement' if card.gated else ', not gated'}"]
            if card.checkpoint
            else []
        ),
        f"licence: {card.licence}, {commercial}",
        f"input: {card.input}; scaled: {card.normalises}; padding: {mask}",
        f"length: {f'cut or filled to {card.fixed_seconds:g} s' if card.fixed_seconds else 'any, memory allowing'}",
        f"attention kernels: {', '.join(card.attention) or 'none in transformers'}",
        f"bundled trainer: {f'loads it as {card.runs}' if card.runs else 'cannot load it'}",
        *([card.note] if card.note else []),
        *evidence_lines(card),
        *(f"source: {knowledge.citation(source) if source in knowledge.sources else source}" for source in card.source),
    ]


def _millions(parameters: int | None) -> str:
    return _NOT_KNOWN if parameters is None else f"{parameters / 1e6:.1f} M"
