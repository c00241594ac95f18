"""One piece of an explanation: a heading and paragraphs. A record, no more."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Block:
    """A heading and what stands under it; one item of `lines` is a paragraph of its own."""

    heading: str
    lines: tuple[str, ...]
    verbatim: bool = False
    """Whether leading spaces and a leading `+` or `-` carry meaning."""
