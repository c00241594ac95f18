"""Which trainable tensors learn: a count over the first steps, for the log and to stop a run that would be in vain.

It looks at gradients only and changes nothing.
"""

from __future__ import annotations

from torch import nn

from .sharding import whole

_STEPS = 2
"""A new low-rank adapter has its first whole gradient in the second step (training.md 2.1)."""
_WITHOUT_GRADIENT = ("k_proj.bias", "linear_k.bias")
"""Biases of attention keys: they shift all scores of a query alike, so their gradient is zero by nature."""
_NAMED = 50


def silent_tensors(model: nn.Module) -> tuple[str, ...]:
    """Return the names of trainable tensors that the last backward pass gave no gradient, or one of zeros only.

    A new low-rank adapter gives `lora_A` zeros in the first pass, because `lora_B` starts at zero.
    """
    return tuple(
        name
        for name, parameter in model.named_parameters()
        if parameter.requires_grad
        and not name.endswith(_WITHOUT_GRADIENT)
        and (parameter.grad is None or not bool(whole(parameter.grad).any()))
    )


class Census:
    """Counts over the first steps of a process. A tensor that is silent in all of them learns nothing."""

    def __init__(self, model: nn.Module) -> None:
        self._model = model
        self._silent: set[str] | None = None
        self._left = _STEPS

    def look(self) -> dict[str, object] | None:
        """Take in the gradients of one step; after the last that counts, return what the log says about it."""
        if not self._left:
            return None
        self._left -= 1
        now = set(silent_tensors(self._model))
        self._silent = now if self._silent is None else self._silent & now
        if self._left:
            return None
        trainable = sum(parameter.requires_grad for parameter in self._model.parameters())
        named = sorted(self._silent)
        return {"trainable": trainable, "silent": len(named), "names": named[:_NAMED], "steps": _STEPS}

    @property
    def unused(self) -> list[str]:
        """Silent tensors that no accident explains: of the encoder, or outside of the graph altogether.

        A part of a head may be silent for a while by chance, such as behind units that are all off.
        """
        silent = self._silent or set()
        return [
            name
            for name, parameter in self._model.named_parameters()
            if name in silent and (parameter.grad is None or name.startswith("encoder."))
        ]
