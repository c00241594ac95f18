"""Writes and reads checkpoints: safetensors with a digest and JSON beside the tensors, never pickle. Trains nothing.

A file appears under its name only when it is whole (temporary name, flush, rename), and says so itself (digest), so a
kill at any moment leaves the one before.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.amp.grad_scaler import GradScaler

from knowledge.errors import InputError

from .averaging import WeightAverage
from .faults import cannot_write
from .model import AudioModel
from .seeding import random_state, restore_random_state
from .sharding import Shards

BEST = "best.safetensors"
LAST = "last-*.safetensors"
OF_MODEL = "model."
"""What the tensors of the model are called by in a last checkpoint, which holds the optimiser's as well."""
_TORN = ".last-*.safetensors.*"
"""What a kill left of a checkpoint that was being written."""
_KEPT = 2
"""Checkpoints to go on from: the newest, and the one before in case the newest is damaged on disk."""


@dataclass
class Progress:
    """How far a run has come; with the tensors it is everything that training goes on from."""

    step: int = 0
    """Optimiser steps done."""
    epoch: int = 0
    """Epochs finished, evaluation included."""
    batch: int = 0
    """Batches done of the present epoch."""
    loss_sum: float = 0.0
    clips: int = 0
    """Sum of the losses over the clips of the present epoch, and their number."""
    best_score: float | None = None
    """Of the metric that selects; None before the first evaluation."""
    best_epoch: int = 0
    """Number of the best epoch; the first is 1."""
    best: dict[str, float] = field(default_factory=dict)
    """All metrics of that epoch."""
    waited: int = 0
    """Epochs since the best one."""
    most_clips: int = 0
    """Clips that a pass may hold since memory ran out once; 0 where it never did."""
    level: int = 0
    """Epochs since the best one or the last plateau."""
    plateaus: int = 0
    """How often the score stood still; the schedule `plateau` lowers the rate by it."""
    seconds: float = 0.0
    """Time spent in earlier processes."""


class Checkpoints:
    """The checkpoints of one run."""

    def __init__(self, folder: Path, shards: Shards | None = None) -> None:
        self.folder = folder
        self.shards = shards
        """What this process holds, where the model may be divided between several; files hold all of it."""

    def save_best(self, model: AudioModel, notes: Mapping[str, Any]) -> Path:
        """Keep the trained tensors of the best epoch, with what is needed to use them."""
        return _write(self.folder / BEST, model.trainable_state(), notes)

    def save_last(
        self,
        model: AudioModel,
        optimiser: torch.optim.Optimizer,
        scaler: GradScaler,
        average: WeightAverage,
        progress: Progress,
    ) -> Path:
        """Keep everything that training goes on from."""
        tensors = {f"{OF_MODEL}{name}": value for name, value in model.trainable_state().items()}
        stepped = _stepped(optimiser)
        for index, state in optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{index}.{name}": self._all(stepped[index], one) for name, one in state.items()}
        tensors |= {f"average.{name}": self._all(average.of(name), one) for name, one in average.tensors.items()}
        tensors |= {f"random.{name}": value for name, value in random_state().items()}
        notes = {"progress": asdict(progress), "scaler": scaler.state_dict()}
        path = _write(self.folder / LAST.replace("*", f"{progress.step:09d}-{progress.epoch:05d}"), tensors, notes)
        for old in (*self._newest_first()[_KEPT:], *self.folder.glob(_TORN)):
            old.unlink(missing_ok=True)
        return path

    def resume(
        self, model: AudioModel, optimiser: torch.optim.Optimizer, scaler: GradScaler, average: WeightAverage
    ) -> Progress:
        """Put the newest whole checkpoint into model, optimiser, scaler and random generators; a fresh start without.

        Raises:
            InputError: there are checkpoints, and none of them is whole.
        """
        found = self._newest_first()
        for path in found:
            try:
                tensors, notes = read_checkpoint(path)
            except InputError:
                continue
            model.load_trainable_state(_under(tensors, OF_MODEL))
            self._load_optimiser(optimiser, _under(tensors, "optimiser."))
            averages = _under(tensors, "average.")
            average.load({name: self._part(average.of(name), averages[name]) for name in average.tensors})
            scaler.load_state_dict(notes["scaler"])
            restore_random_state(_under(tensors, "random."))
            return self._with_best(Progress(**notes["progress"]))
        if found:
            raise InputError(
                f"{found[0]}: neither it nor the {len(found) - 1} before it is whole",
                hint="Train again into a new run directory.",
            )
        return Progress()

    def _with_best(self, progress: Progress) -> Progress:
        """Forget the best epoch when its checkpoint is damaged: the next evaluation then writes it anew."""
        try:
            read_checkpoint(self.folder / BEST)
        except InputError:
            progress.best_score, progress.best_epoch, progress.best = None, 0, {}
        return progress

    def _load_optimiser(self, optimiser: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
        state: dict[int, dict[str, Tensor]] = {}
        stepped = _stepped(optimiser)
        for name, value in tensors.items():
            index, _, part = name.partition(".")
            state.setdefault(int(index), {})[part] = self._part(stepped[int(index)], value)
        # Rates follow from the step and need no saving; the groups are those that the plan gives.
        optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})

    def _all(self, own: Tensor, value: Tensor) -> Tensor:
        return value if self.shards is None else self.shards.gathered(own, value)

    def _part(self, own: Tensor, value: Tensor) -> Tensor:
        return value if self.shards is None else self.shards.part(own, value)

    def _newest_first(self) -> list[Path]:
        return sorted(self.folder.glob(LAST), reverse=True)


def read_checkpoint(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the tensors of a checkpoint and the notes beside them.

    Raises:
        InputError: it is missing, torn or altered.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            # Cloned: what safetensors returns is a view of the file, and dies with it when the file is cut.
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118 - not a mapping
            metadata = file.metadata() or {}
        notes = json.loads(metadata.get("notes", "null"))
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such checkpoint; the run has not finished an epoch") from None
    except (SafetensorError, OSError, ValueError) as error:
        raise InputError(f"{path}: not a whole checkpoint ({error})") from None
    if not isinstance(notes, dict) or metadata.get("digest") != _digest(tensors, metadata.get("notes", "")):
        raise InputError(f"{path}: its content does not agree with its digest, expected an unaltered checkpoint")
    return tensors, notes


def _write(path: Path, tensors: Mapping[str, Tensor], notes: Mapping[str, Any]) -> Path:
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    own = {name: value.detach().cpu().clone().contiguous() for name, value in tensors.items()}
    text = json.dumps(notes)
    try:
        save_file(own, temporary, metadata={"notes": text, "digest": _digest(own, text)})
        with temporary.open("rb") as stream:
            os.fsync(stream.fileno())
        temporary.replace(path)
    except (OSError, SafetensorError) as error:
        temporary.unlink(missing_ok=True)
        raise cannot_write(path, error if isinstance(error, OSError) else OSError(str(error))) from error
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return path


def _digest(tensors: Mapping[str, Tensor], notes: str) -> str:
    digest = hashlib.sha256(notes.encode())
    for name in sorted(tensors):
        value = tensors[name].contiguous()
        digest.update(f"\0{name} {value.dtype} {tuple(value.shape)}\0".encode())
        digest.update(value.reshape(-1).view(torch.uint8).numpy().data if value.numel() else b"")
    return digest.hexdigest()


def _stepped(optimiser: torch.optim.Optimizer) -> list[Tensor]:
    """Return what an optimiser steps, in the order in which its state is numbered."""
    return [one for group in optimiser.param_groups for one in group["params"]]


def _under(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
