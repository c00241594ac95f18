"""Writes the text of a script that trains a plan with transformers' Trainer. It reads no file and trains nothing.

What differs from plan to plan is chosen here, so that the script has no branch that it never takes. Layers, losses,
orders and metrics are taken over from the trainer's own source.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from engine.plan import Answer, Plan

from ..labels import SEPARATORS
from ..losses import adds_up
from ..scored import METRICS
from .data import data_part, has_own_sampler
from .launch import launch_part
from .model import POOLINGS, SPECTRAL, has_adapters, has_own_attention, has_scale, in_time, model_part
from .objective import FALLS, LOSSES, loss_part, optimiser_part, scores_part
from .taken_over import take_over
from .windowed import STAGES
from .writing import literal

_PACKAGES = ("numpy", "peft", "soundfile", "torch", "torchaudio", "transformers")
_IMPORTS = (
    "import argparse",
    "import csv",
    "import json",
    "import math",
    "import os",
    "import statistics",
    "import numpy as np",
    "import soundfile",
    "import torch",
    "import transformers",
    "from pathlib import Path",
    "from types import SimpleNamespace",
    "from typing import Any",
    "from torch import Tensor",
    "from torch import nn",
    "from transformers.trainer_utils import get_last_checkpoint",
)
_OF_ANSWERS: dict[Answer, tuple[tuple[str, str], ...]] = {
    "tags": (("training.labels", "tags_of"), ("tag_metrics", "SAID_FROM")),
    "symbols": (
        ("transcript_metrics", "transcript_of"),
        ("training.frame_answers", "packed"),
        ("training.frame_answers", "heard_symbols"),
        ("transcript_metrics", "counts"),
    ),
}
"""What reading, scoring and writing these answers takes besides: module and name."""


def can_be_written(plan: Plan) -> list[str]:
    """Return why this plan cannot become a script, if it cannot, and what could."""
    training, reasons = plan.training, []
    if plan.answer == "events":
        reasons.append("task.type is detection, whose events need more than a Trainer scores; classes can be ejected")
    if training.loss == "supcon":
        reasons.append(
            "training.loss is supcon, whose answers are vectors and no classes; cross-entropy can be ejected"
        )
    if plan.data.reference_column is not None:
        reasons.append("data.reference_column names a second signal for every clip; without it the plan can be ejected")
    if plan.backbone.is_own:
        reasons.append(f"backbone.name is {plan.backbone.name}, a class of your own, and no checkpoint of transformers")
    if plan.answer == "class" and plan.augmentation.speed == "new-class" and plan.augmentation.strength != "none":
        reasons.append("augmentation.speed is new-class, which makes classes that only training knows; use can")
    if training.stages != "one":
        reasons.append(f"training.stages is {training.stages}, two trainings one after the other; one can be ejected")
    if training.schedule not in FALLS:
        reasons.append(
            f"training.schedule is {training.schedule}, which follows the score and not the step; "
            f"{', '.join(FALLS)} can"
        )
    if training.curriculum_epochs or training.best_epochs:
        reasons.append(
            "training.curriculum_epochs or best_epochs show fewer clips in some epochs, and a Trainer counts on "
            "as many steps in each; 0 can"
        )
    return reasons


def not_carried_over(plan: Plan) -> list[str]:
    """Return what the script does otherwise than the plan says."""
    augmentation, training = plan.augmentation, plan.training
    varied = augmentation.strength != "none"
    found = {
        "augmentation.mixing: clips of a batch are not mixed": varied and augmentation.mixing in ("use", "mild"),
        "augmentation.views: clips are varied anew in every epoch": varied and bool(augmentation.views),
        "augmentation.mask_share: no frames are hidden from the backbone": bool(augmentation.mask_share),
        "training.average_decay: there is no running average of the weights": bool(training.average_decay),
        "training.checkpoint_steps: states are saved at the end of each epoch": bool(training.checkpoint_steps),
        "training.batch_seconds: rates count on as many steps as the first epoch has": training.batch_seconds > 0,
        "training.accumulation: the loss compares the clips of each pass, not of the whole batch": (
            training.accumulation > 1 and not adds_up(training.loss)
        ),
        "compute.sharding: every process holds the whole model": plan.compute.sharding == "fsdp",
        "guard: a hot GPU is not spared": plan.compute.device != "cpu",
        "evaluation: the loss of the validation clips is the mean over batches": not adds_up(training.loss),
    }
    return [text for text, is_so in found.items() if is_so]


def script_text(
    plan: Plan,
    clips: str,
    classes: tuple[str, ...],
    settings: Mapping[str, Any],
    command: str,
    separator: str = SEPARATORS[0],
) -> str:
    """Return the script.

    Args:
        plan: what it trains.
        clips: name of the list of clips that lies beside the script.
        classes: by number; empty for regression.
        settings: of a checkpoint's preprocessor; empty where there is none.
        command: what wrote it.
        separator: between the classes of a clip that may have several.
    """
    taken = take_over(_parts(plan))
    own = [
        _settings(plan, clips, classes, separator),
        data_part(plan, bool(settings.get("do_normalize", True))),
        model_part(plan, settings),
        loss_part(plan),
        scores_part(plan),
        optimiser_part(plan),
        launch_part(plan),
    ]
    imports = {*_IMPORTS, *taken.imports}
    imports |= {
        f"from peft import {n}"
        for n in ("LoraConfig", "get_peft_model", "inject_adapter_in_model")
        if plan.adaptation.method in ("lora", "dora")
    }
    body = "\n\n\n".join(part.strip("\n") for part in own[1:])
    head = f"{_title(plan, clips, command)}\n\nfrom __future__ import annotations\n\n"
    lines = "\n".join(_import_lines(imports, body + taken.text + own[0]))
    divider = "# Taken over unchanged from tonmeister's trainer, so that both compute the same numbers."
    start = 'if __name__ == "__main__":\n    main()\n'
    parts = [f"{head}{lines}", own[0].strip(), divider, taken.text, "# What follows is this plan.", body + "\n", start]
    text = "\n\n".join(parts)
    return re.sub(r"\n{4,}", "\n\n\n", text)


def _import_lines(imports: set[str], text: str) -> list[str]:
    """Return the imports that `text` uses, sorted: modules, then names of modules, Python's own first."""
    modules: list[str] = []
    names: dict[str, set[str]] = {}
    for line in imports:
        origin, _, name = line.removeprefix("from ").partition(" import ")
        used = name or line.removeprefix("import ").split()[-1] + "."
        if not re.search(rf"\b{re.escape(used)}(\b|(?<=[.]))", text):
            continue
        if name:
            names.setdefault(origin, set()).add(name)
        else:
            modules.append(line)
    lines = sorted(modules) + [
        f"from {origin} import {', '.join(sorted(named))}" for origin, named in sorted(names.items())
    ]
    own = [line for line in lines if line.split()[1].partition(".")[0] not in _PACKAGES]
    return [*own, "", *(line for line in lines if line not in own)]


def _parts(plan: Plan) -> list[tuple[str, str]]:
    """Return what is taken over: module and name."""
    training = plan.training
    parts = [("training.resampling", "resampled"), ("training.padding", "frame_mask")]
    parts += [] if in_time(plan) else [("training.pooling", POOLINGS[plan.pooling.name])]
    parts += [("training.heads", "answer_layers"), *_OF_ANSWERS.get(plan.answer, ())]
    parts += [("training.losses", name) for name in LOSSES[training.loss]]
    unranged = training.loss == "clipped-mse+rank" and None in (plan.output.low, plan.output.high)
    parts += [("training.losses", "_HALF_RANGE_DEVIATIONS")] if unranged else []
    parts += [("metrics", "bootstrap_interval")]
    parts += [
        (function.__module__.removeprefix("engine."), function.__name__) for function in METRICS[plan.answer].values()
    ]
    if plan.head.name == "temporal":
        parts.append(("training.heads", "TemporalEncoder"))
    if plan.answer == "score":
        parts.append(("training.heads", "BoundedOutput" if plan.output.bounded else "StandardisedOutput"))
    if training.class_balance == "weighted-loss":
        parts.append(("training.losses", "_MOST_WEIGHT" if plan.answer == "tags" else "class_weights"))
    if training.schedule != "constant":
        parts.append(("training.schedules", FALLS[training.schedule]))
    parts.append(("training.sampling", "Sampler") if has_own_sampler(plan) else ("training.batches", "epoch_order"))
    if training.optimizer == "lion":
        parts.append(("training.lion", "Lion"))
    if plan.augmentation.strength != "none":
        parts += [("training.augmentation", "augment"), ("training.augmentation", "spec_augment")]
    if plan.backbone.name in SPECTRAL:
        parts += [("training.frontends", "SpectralFrontEnd")]
        parts += [("training.pooling", "PooledScale")] if has_scale(plan) else []
    else:
        if has_own_attention(plan):
            parts.append(("training.attention", "with_trainable_attention"))
        if plan.backbone.name in STAGES:
            parts += [("training.spectral_stages", STAGES[plan.backbone.name]), ("training.windows", "windows_of")]
        else:
            parts += [("training.padding", name) for name in ("frame_lengths", "mask_group_norms", "valid_lengths")]
        parts += [("training.heads", "LayerMix")] if plan.backbone.layers == "weighted-sum" else []
    return parts


def _title(plan: Plan, clips: str, command: str) -> str:
    otherwise = not_carried_over(plan)
    lines = [
        f'"""Train `{plan.name}` with transformers\' Trainer. Written by `{command}`; needs nothing of it.',
        "",
        "    python SCRIPT [--output FOLDER] [--test]",
        "",
        f"Beside it lies {clips}: file, label, group and part of every clip. Needs torch, torchaudio, transformers,",
        "accelerate, soundfile and numpy" + (", and peft." if has_adapters(plan) else "."),
    ]
    if otherwise:
        lines += ["", "Otherwise than in the plan:", *(f"* {text}" for text in otherwise)]
    return "\n".join([*lines, '"""'])


def _settings(plan: Plan, clips: str, classes: tuple[str, ...], separator: str) -> str:
    training, data = plan.training, plan.data
    values: dict[str, Any] = {
        "CLASSES": classes,
        "SEPARATOR": separator,
        "PLAIN": data.transcripts == "plain",
        "CHECKPOINT": plan.backbone.checkpoint,
        "SAMPLE_RATE_HZ": data.sample_rate_hz,
        "MAX_SECONDS": data.max_seconds,
        "SEED": training.seed,
        "EPOCHS": training.epochs,
        "BATCH_SIZE": training.batch_size,
        "ACCUMULATION": training.accumulation,
        "LEARNING_RATE": training.learning_rate,
        "BACKBONE_LEARNING_RATE": training.backbone_learning_rate,
        "WEIGHT_DECAY": training.weight_decay,
        "WARMUP_FRACTION": training.warmup_fraction,
        "CLIP_NORM": training.clip_norm,
        "PATIENCE_EPOCHS": training.patience_epochs,
        "WORKERS": plan.compute.workers,
    }
    dropped = [] if classes else ["CLASSES"]
    dropped += ["SEPARATOR"] if plan.answer != "tags" else []
    dropped += ["PLAIN"] if plan.answer != "symbols" else []
    dropped += ["CHECKPOINT"] if plan.backbone.name in SPECTRAL else []
    dropped += ["BACKBONE_LEARNING_RATE"] if plan.adaptation.method not in ("partial", "full") else []
    dropped += ["MAX_SECONDS"] if data.max_seconds is None else []
    lines = [f'CLIPS = Path(__file__).with_name("{clips}")']
    lines += [f"{name} = {literal(value)}" for name, value in values.items() if name not in dropped]
    return "\n".join(lines)
