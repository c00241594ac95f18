"""What the training loop works on, put together once: model, clips, loss, device. It holds values and runs nothing."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch

from engine.plan import Plan
from engine.plan_sections import Compute
from knowledge.errors import PlanError

from .cache import Frames
from .items import Item
from .loader import Loader
from .losses import Loss
from .model import AudioModel, Batch
from .processes import ALONE, Processes
from .splits import Parts

Precision = Literal["fp32", "bf16", "fp16"]


@dataclass(frozen=True)
class Source:
    """Where batches come from: waveforms, or what the frozen part of the encoder gave for them before."""

    loader: Loader
    training_frames: tuple[Frames, ...] = ()
    """One for each take that epochs show in turn; a single one when no clip is varied, none when each epoch varies."""
    evaluation_frames: Frames | None = None
    """Of validation clips, which are never varied."""

    def training_batch(self, items: tuple[Item, ...], epoch: int) -> Batch:
        """Return one forward pass of training."""
        if self.training_frames:
            return self.training_frames[epoch % len(self.training_frames)].batch(items)
        return self.loader.training_batch(items, epoch % (self.loader.plan.augmentation.views or epoch + 1))

    def evaluation_batch(self, items: tuple[Item, ...]) -> Batch:
        """Return one forward pass of evaluation."""
        if self.evaluation_frames is not None:
            return self.evaluation_frames.batch(items)
        return self.loader.evaluation_batch(items)


@dataclass(frozen=True)
class Job:
    """One training run, ready to start."""

    plan: Plan
    run: Path
    classes: tuple[str, ...]
    """Empty for regression."""
    parts: Parts
    model: AudioModel
    loss: Loss
    """What training minimises."""
    evaluation_loss: Loss
    """What validation is scored by."""
    source: Source
    device: torch.device
    precision: Precision
    """What the device really computes in."""
    fold: str = ""
    """The group or fold that is held out; empty without cross-validation."""
    processes: Processes = ALONE

    def autocast(self) -> AbstractContextManager[object]:
        """Return the context of a forward pass."""
        return autocast(self.device, self.precision)


def autocast(device: torch.device, precision: Precision) -> AbstractContextManager[object]:
    """Return the context in which a forward pass has this precision."""
    if precision == "fp32":
        return nullcontext()
    return torch.autocast(device.type, torch.float16 if precision == "fp16" else torch.bfloat16)


def device_of(compute: Compute) -> torch.device:
    """Return the device of a plan; `auto` takes a GPU where there is one.

    Raises:
        PlanError: the plan wants a GPU that is not there.
    """
    if compute.device == "cuda" and not torch.cuda.is_available():
        raise PlanError("compute.device is cuda, and torch finds no GPU", hint="Set compute.device to auto or cpu.")
    return torch.device("cuda" if compute.device != "cpu" and torch.cuda.is_available() else "cpu")


def precision_of(wanted: Precision, device: torch.device) -> Precision:
    """Return the precision that the device has: half precision on GPUs that compute in it, else fp32."""
    if device.type != "cuda" or (wanted == "bf16" and not torch.cuda.is_bf16_supported(including_emulation=False)):
        return "fp32"
    return wanted
