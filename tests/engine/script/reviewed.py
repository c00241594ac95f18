"""Facts of small scripts of our own writing; shared by the tests of the measures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent, indent

from engine.evidence.script.measures import measure_script
from knowledge.records import Measured

from .projects import script_of

LOOP = """
import argparse, random, torch, numpy as np
from torch import nn
from torch.utils.data import DataLoader
{setup}
net = nn.Linear(4, 2)
loader = DataLoader([1, 2], batch_size=2, shuffle=True, num_workers={workers})
criterion = nn.CrossEntropyLoss()
optimizer = {optimizer}
{before}
for epoch in range({epochs}):
    for x, y in loader:
        optimizer.zero_grad()
        loss = criterion(net(x), y)
        loss.backward()
{between}
        optimizer.step()
{after_step}
{after_epoch}
{end}
"""


def loop(**parts: str) -> str:
    """Return a plain training script with pieces of it replaced; pieces inside loops are indented for their place."""
    held = {"setup": "", "optimizer": "torch.optim.SGD(net.parameters(), lr=0.1)", "before": "", "epochs": "20",
            "between": "", "after_step": "", "after_epoch": "", "end": "", "workers": "0"}  # fmt: skip
    held |= {name: dedent(text).strip("\n") for name, text in parts.items()}
    held |= {name: indent(held[name], " " * 8) for name in ("between", "after_step")}
    held["after_epoch"] = indent(held["after_epoch"], " " * 4)
    return LOOP.format(**held)


def measured(folder: Path, files: Mapping[str, str] | str) -> Measured:
    """Return everything that is measured of a project."""
    return measure_script(script_of(folder, files))


def fact(folder: Path, name: str, files: Mapping[str, str] | str) -> object:
    """Return one fact of a project; None when reading does not tell it."""
    return measured(folder, files).get(f"script.{name}")


def hf(arguments: str = "", *, before: str = "", trainer: str = "", after: str = "trainer.train()") -> str:
    """Return a script that trains with transformers."""
    return dedent(f"""
        import torch
        from transformers import AutoModelForAudioClassification, EarlyStoppingCallback, Trainer, TrainingArguments
        {before}
        model = AutoModelForAudioClassification.from_pretrained("facebook/wav2vec2-base", num_labels=3)
        arguments = TrainingArguments("out", {arguments})
        trainer = Trainer(model=model, args=arguments, {trainer})
        {after}
    """)
