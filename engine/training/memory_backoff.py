"""Goes on where a step found no memory: the same batch in more forward passes. The step stays what it was."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import torch

Item = TypeVar("Item")
_SIGNS = ("out of memory", "can't allocate memory", "CUDNN_STATUS_ALLOC_FAILED", "CUBLAS_STATUS_ALLOC_FAILED")
"""What CUDA, the CPU allocator, cuDNN and cuBLAS say; all but CUDA's are plain RuntimeErrors."""


class NoRoomError(RuntimeError):
    """No memory for the smallest pass that was tried."""

    def __init__(self, said: str, clips: int) -> None:
        super().__init__(said)
        self.clips = clips


def is_out_of_memory(error: BaseException) -> bool:
    """Say whether an error is one of the many ways of running out of memory."""
    return isinstance(error, MemoryError | NoRoomError) or (
        isinstance(error, RuntimeError) and any(sign in str(error) for sign in _SIGNS)
    )


def halved(passes: Sequence[tuple[Item, ...]]) -> list[tuple[Item, ...]] | None:
    """Return the same clips in passes of half the size; None where every pass is one clip already."""
    if all(len(one) < 2 for one in passes):
        return None
    parts = []
    for one in passes:
        middle = -(-len(one) // 2)
        parts += [part for part in (one[:middle], one[middle:]) if part]
    return parts


def free_memory() -> None:
    """Give back what the allocator of a GPU holds and nobody uses, so that smaller pieces fit."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
