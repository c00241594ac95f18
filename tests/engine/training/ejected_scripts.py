"""Runs ejected scripts for tests and benchmarks, and keeps the loss of every step."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import torch


def loaded(script: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("ejected", script)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["ejected"] = module
    spec.loader.exec_module(module)
    return module


def losses_of(module: Any, output: Path) -> tuple[list[float], Any]:
    """Train as the script does; return the loss of every step."""
    passes: list[float] = []
    make_loss = module.make_loss

    def recorded(*known: Any) -> Any:
        loss = make_loss(*known)

        def called(outputs: Any, labels: Any, num_items_in_batch: Any = None) -> Any:
            value = loss(outputs, labels, num_items_in_batch)
            if torch.is_grad_enabled():
                passes.append(float(value.detach()))
            return value

        return called

    module.make_loss = recorded
    trainer = module.build(output)
    trainer.train()
    every = module.ACCUMULATION
    return [sum(passes[at : at + every]) for at in range(0, len(passes), every)], trainer
