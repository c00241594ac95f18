"""Seeds every random number generator that training may draw from, and saves their states; draws nothing itself."""

from __future__ import annotations

import random
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

_PYTHON, _NUMPY, _TORCH, _CUDA = "python", "numpy", "torch", "cuda"
_WORDS = 624
"""Words of a Mersenne Twister state."""


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy, torch and every GPU."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def random_state() -> dict[str, Tensor]:
    """Return the state of every generator as tensors, so that a checkpoint can hold it without pickle."""
    _, words, position, has_gauss, gauss = np.random.get_state(legacy=True)
    _, python_words, python_gauss = random.getstate()
    state = {
        _PYTHON: torch.tensor(python_words, dtype=torch.int64),
        # NaN stands for "no value kept back".
        f"{_PYTHON}-gauss": torch.tensor(python_gauss if python_gauss is not None else torch.nan, dtype=torch.float64),
        _NUMPY: torch.tensor([*(int(word) for word in words), int(position), int(has_gauss)], dtype=torch.int64),
        f"{_NUMPY}-gauss": torch.tensor(float(gauss), dtype=torch.float64),
        _TORCH: torch.get_rng_state(),
    }
    return state | {f"{_CUDA}-{index}": one for index, one in enumerate(_cuda_states())}


def restore_random_state(state: Mapping[str, Tensor]) -> None:
    """Put back what `random_state` returned; GPUs that are not there are passed over."""
    gauss = float(state[f"{_PYTHON}-gauss"])
    random.setstate((3, tuple(state[_PYTHON].tolist()), None if gauss != gauss else gauss))
    numbers = state[_NUMPY].tolist()
    words = np.array(numbers[:_WORDS], dtype=np.uint32)
    np.random.set_state(("MT19937", words, numbers[_WORDS], numbers[_WORDS + 1], float(state[f"{_NUMPY}-gauss"])))
    torch.set_rng_state(state[_TORCH])
    for index in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        if f"{_CUDA}-{index}" in state:
            torch.cuda.set_rng_state(state[f"{_CUDA}-{index}"], index)


def _cuda_states() -> list[Tensor]:
    return torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
