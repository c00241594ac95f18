"""Seeds generators at the top of the file that starts the training; draws nothing."""

from __future__ import annotations

from .syntax import Syntax, imports

SEED = 0
_LINES = {
    "repro.seed_framework": ("import torch", f"torch.manual_seed({SEED})"),
    "repro.seed_cuda": ("import torch", f"torch.manual_seed({SEED})"),
    "repro.seed_numpy": ("import numpy", f"numpy.random.seed({SEED})"),
    "repro.seed_python": ("import random", f"random.seed({SEED})"),
}
_OTHER = {"tensorflow": ("import tensorflow", f"tensorflow.random.set_seed({SEED})")}


def seed_generators(syntax: Syntax, check: str, *, framework: str) -> bool:
    """Ask for a seed at the top.

    Args:
        syntax: the file that starts the training.
        check: the check, which says what is not seeded.
        framework: `torch` or `tensorflow`.
    """
    wanted = _LINES.get(check)
    if framework in _OTHER and check == "repro.seed_framework":
        wanted = _OTHER[framework]
    if wanted is None:
        return False
    syntax.top += [line for line in wanted if not (line.startswith("import") and imports(syntax.module, line))]
    return True
